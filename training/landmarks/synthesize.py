"""Synthetic portraits with known truth, and what the landmark net says of them: the calibration's training set.

    python -m training.landmarks.synthesize PORTRAITS OUT --ict ICT_NPZ --count 30000 --seed 11

PORTRAITS is a folder of photos whose textures are baked (indices 00 to 79 only: the others are held out). Each picture
is one of `tronie.pipelines.calibration.synthetic`, of our own heads or of ICT's (ict_people.py), seen by the real
landmark net through crops as the pipeline makes them. Writes OUT/shard-SEED-N.npz; a second process with another seed
adds more.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import tronie
from training.landmarks.ict_people import ict_people
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import default_head
from tronie.pipelines.calibration.skins import painted_skins
from tronie.pipelines.calibration.synthetic import SIDE, Own, People, draw, mirrored_truth, units_of
from tronie.runtime import weights
from tronie.runtime.inference import Session
from tronie.stages.fit.basis import mirror_map
from tronie.stages.landmarks.net import (
    BLENDSHAPE_LANDMARKS,
    EYE_LEFT,
    EYE_RIGHT,
    NET_SIDE,
    NET_UNITS,
    square_from_landmarks,
)
from tronie.stages.landmarks.squares import cut, sized

SHARD = 500
PAINTED, FOREIGN = 0.35, 0.5
"""Shares of pictures with invented skins, and of another model's people."""
LEAST_PRESENCE = -0.8
"""Logit of the net's certainty that it sees a face."""
MIRROR = np.array([-1.0, 1.0, 1.0])
ALL_UNITS = units_of(default_head())

Seen = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""The first four fields of a Sample."""


@dataclass(frozen=True)
class Sample:
    """What the net saw, and the truth."""

    points: np.ndarray
    """(478, 3) landmarks in picture pixels."""
    scores: np.ndarray
    """(52,)."""
    early: np.ndarray
    """(32, 32, 32) early activations of the landmark net, float16."""
    late: np.ndarray
    """(128, 8, 8) later ones."""
    identity: np.ndarray
    expression: np.ndarray
    head_to_camera: np.ndarray
    """(4, 4)."""
    focal: float
    """Pixels; the principal point is the picture's middle."""
    foreign: bool
    """The head is of another model; its expression moves the face a little otherwise than ours."""

    def mirrored(self, seen: Seen, twin: np.ndarray) -> Sample:
        """The truth of the mirror image, with what the net saw there; `twin` (K, K) as `mirror_map`."""
        truth = mirrored_truth(self.identity, self.expression, self.head_to_camera, self.focal, twin)
        return Sample(*seen, *truth, self.foreign)


class Net:
    """The landmark net with its activations."""

    def __init__(self) -> None:
        self._points, self._scores = Session(weights.path("face_landmarks")), Session(weights.path("blendshapes"))

    def look(self, image: np.ndarray, near: np.ndarray) -> tuple[Seen, float]:
        """What it says of the crop around points (478, 2+), and the logit of its certainty that it is a face."""
        to_picture = sized(square_from_landmarks(near), NET_SIDE)
        crop = cut(image, to_picture, NET_SIDE).transpose(2, 0, 1)[None].astype(np.float32) / 255
        out = self._points.run({"image": crop})
        local = out["points"].reshape(478, 3).astype(np.float64)
        points = np.concatenate([to_picture.apply(local[:, :2]), local[:, 2:] * to_picture.scale], axis=1)
        said = self._scores.run({"points": local[None, BLENDSHAPE_LANDMARKS, :2].astype(np.float32)})["scores"][0]
        named = dict(zip(NET_UNITS, said, strict=True)) | {"tongueOut": out["tongue"][0, 0]}
        scores = np.array([named[unit] for unit in ARKIT_UNITS]).clip(0, 1)
        early, late = (out[name][0].astype(np.float16) for name in ("early", "late"))
        return (points, scores, early, late), float(out["presence"][0, 0])


def bake_textures(folder: Path, size: int = 512) -> list[np.ndarray]:
    """(size, size, 3) textures of the portraits with indices 00 to 79."""
    pipeline = tronie.Pipeline(tronie.Settings.model_validate({"texture": {"size": size}, "only": "texture"}))
    paths = sorted(p for p in folder.iterdir() if p.suffix == ".webp" and int(p.stem[-2:]) < 80)
    faces = [face for path in paths for face in pipeline.run(path).faces[:1]]
    return [face.texture.image for face in faces if face.texture is not None]


def make(
    people: People, net: Net, textures: list[np.ndarray], twin: np.ndarray, rng: np.random.Generator
) -> list[Sample]:
    """One picture and its mirror image; nothing where the net sees no face."""
    picture = draw(people, textures, ALL_UNITS, rng)
    image, person = picture.image, picture.person
    first = net.look(image, picture.points + rng.normal(0, 4, 2))[0][0]
    seen, presence = net.look(image, first)
    if presence < LEAST_PRESENCE:
        return []
    truth = person.identity, picture.expression, picture.head_to_camera, picture.focal
    sample = Sample(*seen, *truth, person.foreign)
    near = [SIDE, 0, 0] + MIRROR * first
    near[[EYE_LEFT, EYE_RIGHT]] = near[[EYE_RIGHT, EYE_LEFT]]
    flipped, _ = net.look(np.ascontiguousarray(image[:, ::-1]), near)
    return [sample, sample.mirrored(flipped, twin)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portraits", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--ict", type=Path, help="ICT-FaceKit's npz: two of five people are its, in its own mesh")
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    model, net = default_head(), Net()
    twin = mirror_map(model)
    baked, painted = options.out / "baked.npy", options.out / "painted.npy"
    if not baked.exists():
        np.save(baked, np.array(bake_textures(options.portraits)))
        np.save(painted, np.array(painted_skins(model, 240)))
    skins = [list(np.load(path, mmap_mode="r")) for path in (baked, painted)]
    crowd: list[People] = [Own(model)]
    if options.ict:
        crowd.append(ict_people(options.ict, model))
    for shard in range(options.count // SHARD):
        path = options.out / f"shard-{options.seed}-{shard:03d}.npz"
        if path.exists():
            continue
        rng = np.random.default_rng((options.seed, shard))
        samples = []
        while len(samples) < SHARD:
            people = crowd[int(rng.random() < FOREIGN) % len(crowd)]
            samples += make(people, net, skins[int(rng.random() < PAINTED)], twin, rng)
        fields = {n: np.array([getattr(s, n) for s in samples[:SHARD]]) for n in Sample.__dataclass_fields__}
        temporary = path.with_suffix(".tmp.npz")
        np.savez(temporary, **fields)
        temporary.rename(path)
        print(path.name, flush=True)


if __name__ == "__main__":
    main()
