"""How much do two other photos of a person bring to a small, worn face? And are strangers' photos refused?

    python -m benchmarks.enhance.reference --clips FOLDER              # frames of every clip, a person in each
    python -m benchmarks.enhance.reference --people FOLDER FOLDER      # photos of a person in each folder
    python -m benchmarks.enhance.reference --ict ict_facekit.npz       # painted heads
    ... --lpips FOLDER --out DIR --sheet sheet.jpg --same a.mp4 b.mp4

Of each person the photo least like the others becomes the truth, brought to a face of 256 pixels and worn as in
`benchmarks.enhance` (blur, x4, noise of 6 grey levels, JPEG 60), with all around it; two unlike it, and unlike each
other, are the references. Pose, expression and heads come from the fit of the three together. Compared are the net's
own answer and the one with references, both as `tronie.stages.enhance` accepts them, in the truth's pixels: figures as
in `benchmarks.enhance`, and the landmarks' error by the distance between the eyes. Then every face is given everybody
else's references. `--same` names inputs that show one person.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.enhance.faces import SIDE, pictures, worn
from benchmarks.enhance.figures import Judge, table
from benchmarks.enhance.methods import save_picture
from tronie.geometry import Similarity
from tronie.io.images import photo_from_array, read_photo
from tronie.io.video import open_clip
from tronie.pipelines.multiview import with_matter
from tronie.pipelines.person.reconstruct import reconstruct_shots
from tronie.pipelines.person.restore import head_in
from tronie.pipelines.photo import Pipeline
from tronie.pipelines.shot import Shot
from tronie.settings import Settings
from tronie.stages.enhance.reference import References
from tronie.stages.enhance.stage import enhance, eye_distance
from tronie.stages.landmarks.align import aligned_crop, aligned_square
from tronie.types import Enhanced

FRAMES = 14
"""Of a clip, evenly."""
LEAST_EYES = 52.0
"""Pixels between the eyes of a face whose truth is known."""
PAINTED, TAKES = 12, 6
"""People painted for --ict, and photos of each."""

Picture = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Case:
    """A worn face whose truth is known, and two references, all fitted as one person."""

    name: str
    worn: Shot
    references: tuple[Shot, ...]
    whole: Picture
    """The truth of the whole worn photo, four times as large."""

    def truth(self, enhanced: Enhanced) -> Picture:
        """In the pixels of what was restored."""
        small = enhanced.to_photo
        square = Similarity(4 * SIDE * small.a, 4 * SIDE * small.b, 4 * small.tx, 4 * small.ty)
        return aligned_crop(self.whole, square, SIDE).image


def frames_of(clip: Path) -> list[Picture]:
    with closing(open_clip(clip)) as opened:
        count = sum(1 for _ in opened.frames())
    chosen = set(np.linspace(0, count - 1, FRAMES).round().astype(int).tolist())
    with closing(open_clip(clip)) as opened:
        return [frame.image for number, frame in enumerate(opened.frames()) if number in chosen]


def painted(ict: Path) -> Iterator[tuple[str, list[Picture]]]:
    from benchmarks.accuracy.heads import heads
    from benchmarks.accuracy.paint import picture
    from benchmarks.accuracy.scene import draw_scene

    truth = heads(ict)
    for person in range(PAINTED):
        scenes = [draw_scene(7, person, take, max_yaw=25.0) for take in range(TAKES)]
        # Paint, light and lens differ from photo to photo, and the person's looks must not.
        scenes = [replace(scene, seed=scenes[0].seed, light=scenes[0].light) for scene in scenes]
        identity = truth.identity(7, person)
        yield f"ict-{person}", [picture(truth, truth.vertices(identity, s.expression), s) for s in scenes]


def found(pipeline: Pipeline, images: Sequence[Picture], name: str) -> list[Shot]:
    """The largest face of each picture, where it is large enough."""
    shots = []
    for number, image in enumerate(images):
        photo = photo_from_array(image, f"{name}-{number}")
        photo = replace(photo, source=f"{name}-{number}")
        faces, camera = pipeline.find(photo)
        marks = faces[0].landmarks if faces else None
        if marks is not None and eye_distance(marks.points) >= LEAST_EYES:
            shots.append(Shot(photo, faces[0], camera))
    return shots


def case_of(pipeline: Pipeline, name: str, images: Sequence[Picture], which: int = 0) -> Case | None:
    """The `which`-th: 0 is the photo least like the others. None where there is none with two references."""
    shots = found(pipeline, images, name)
    if len(shots) < 4:
        return None
    looks = np.array([_normal(shot) for shot in shots])
    apart = np.sqrt(((looks[:, None] - looks[None]) ** 2).sum(axis=-1).mean(axis=-1))
    target = int(np.argsort(-apart.mean(axis=1))[which])
    others = [int(k) for k in np.argsort(apart[target]) if k != target][len(shots) // 3 :]
    first = others[len(others) // 3]
    second = max((k for k in others if k != first), key=lambda k: apart[first, k])
    whole = _sized(shots[target])
    small = worn(whole, np.random.default_rng([7, sum(map(ord, name)), which]))
    faces, camera = pipeline.find(replace(photo_from_array(small, "worn"), source="worn"))
    there = shots[target].face.landmarks
    assert there is not None
    middle = there.points[:, :2].mean(axis=0) * (np.array(small.shape[1::-1]) / shots[target].photo.image.shape[1::-1])
    near = [f for f in faces if f.landmarks and np.linalg.norm(f.landmarks.points[:, :2].mean(axis=0) - middle) < 20]
    if not near:
        return None
    photo = replace(photo_from_array(small, "worn"), source="worn")
    three = [shots[first], shots[second], Shot(photo, near[0], camera)]
    fitted = reconstruct_shots(
        pipeline.model, pipeline.calibration, three, Settings(only="mesh"), segmenter=pipeline.segmenter
    ).shots
    done = [with_matter(shot, pipeline.segmenter) for shot in fitted]
    return Case(name, done[2], (done[0], done[1]), whole)


def _normal(shot: Shot) -> NDArray[np.float64]:
    assert shot.face.landmarks is not None
    points = shot.face.landmarks.points[:, :2]
    return aligned_square(points).inverse().apply(points)


def _sized(shot: Shot) -> Picture:
    """The photo at the size at which its aligned face has SIDE pixels, in steps of four."""
    assert shot.face.landmarks is not None
    image, scale = shot.photo.image, SIDE / aligned_square(shot.face.landmarks.points).scale
    size = tuple(4 * round(scale * n / 4) for n in image.shape[1::-1])
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA), np.uint8)


def restored(pipeline: Pipeline, case: Case, references: Sequence[Shot] = ()) -> Enhanced:
    """As a pipeline would restore it; RuntimeError where nothing was tried."""
    enhancer, head = pipeline.enhancer, case.worn.face.head
    assert enhancer is not None
    assert head is not None
    helped = {}
    if references:
        helped[0] = References(head_in(case.worn), tuple(head_in(shot) for shot in references), head.triangles)
    settings = pipeline.settings.enhance
    (face,) = enhance(case.worn.photo, [case.worn.face], enhancer, pipeline.net, settings, helped)
    if face.enhanced is None:
        raise RuntimeError(f"{case.name}: {face.warnings}")
    return face.enhanced


def landmark_error(pipeline: Pipeline, images: Sequence[Picture], truths: Sequence[Picture]) -> list[float]:
    """RMS by the distance between the eyes, of each picture."""
    out = []
    for image, truth in zip(images, truths, strict=True):
        unit = Similarity(SIDE * 0.96, 0, SIDE * 0.02, SIDE * 0.1)
        a, b = (pipeline.net.look(picture, unit).points[:, :2] for picture in (image, truth))
        out.append(float(np.sqrt(((a - b) ** 2).sum(axis=1).mean())) / eye_distance(b))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, metavar="FOLDER")
    parser.add_argument("--people", type=Path, nargs="+", default=[], metavar="FOLDER")
    parser.add_argument("--ict", type=Path, metavar="FILE")
    parser.add_argument("--which", type=int, default=0, help="0: the photo least like the others; 1: the next; ...")
    parser.add_argument("--same", nargs=2, action="append", default=[], metavar=("NAME", "NAME"))
    parser.add_argument("--no-strangers", action="store_true")
    parser.add_argument("--lpips", type=Path, metavar="FOLDER", help="where the weights of LPIPS lie")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "tronie-enhance")
    parser.add_argument("--out", type=Path, metavar="DIR")
    parser.add_argument("--sheet", type=Path, metavar="FILE")
    options = parser.parse_args()

    pipeline = Pipeline(Settings(), 1)
    sets: list[tuple[str, list[Picture]]] = []
    clips = sorted(p for p in options.clips.iterdir() if p.is_file()) if options.clips else []
    sets += [(clip.name, frames_of(clip)) for clip in clips]
    sets += [(folder.name, [read_photo(p).image for p in pictures([folder])]) for folder in options.people]
    sets += list(painted(options.ict)) if options.ict else []
    cases = [case for name, images in sets if (case := case_of(pipeline, name, images, options.which))]
    print(f"{len(cases)} people of {len(sets)} inputs", flush=True)

    plain = [restored(pipeline, case) for case in cases]
    helped = [restored(pipeline, case, case.references) for case in cases]
    truths = [case.truth(one) for case, one in zip(cases, plain, strict=True)]
    options.cache.mkdir(parents=True, exist_ok=True)
    judge = Judge(options.lpips, ("alex", "vgg"), options.cache)
    rows = {"worn": [one.before for one in plain], "without": [one.after for one in plain]}
    rows["with references"] = [one.after for one in helped]
    figures = {name: judge.judge(np.stack(images), np.stack(truths)) for name, images in rows.items()}
    text = [f"{len(cases)} people", table("x4 worn", figures, {})]
    for name, images in rows.items():
        error = landmark_error(pipeline, images, truths)
        text.append(f"{name}: landmarks {100 * np.mean(error):.2f} % of the distance between the eyes")
    used = sum(one.borrowed is not None for one in helped)
    text.append(f"references lent to {used} of {len(cases)} faces")
    if not options.no_strangers:
        together = {frozenset(pair) for pair in options.same}
        pairs = [
            (case, other)
            for case in cases
            for other in cases
            if other is not case and frozenset((case.name, other.name)) not in together
        ]
        wrong = [
            (case.name, other.name)
            for case, other in pairs
            if restored(pipeline, case, other.references).borrowed is not None
        ]
        text.append(f"strangers' references lent in {len(wrong)} of {len(pairs)} pairs {wrong}")
    print("\n".join([*text, *judge.remarks]))
    if options.sheet:
        titles = ["reference", "reference", "worn", "without", "with", "truth"]
        crops = [[aligned_crop(s.photo.image, _square(s), SIDE).image for s in case.references] for case in cases]
        grid = [[*two, *rest] for two, *rest in zip(crops, *rows.values(), truths, strict=True)]
        save_picture(options.sheet, grid, titles, SIDE)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "reference.md").write_text("\n\n".join(text) + "\n")
        names = [case.name for case in cases]
        (options.out / "reference.json").write_text(json.dumps({"faces": names, "figures": figures}))


def _square(shot: Shot) -> Similarity:
    assert shot.face.landmarks is not None
    return aligned_square(shot.face.landmarks.points)


if __name__ == "__main__":
    main()
