"""The NoW challenge (Sanyal et al. 2019): neutral face from a phone's photo, against a scan.

Folders, as they are handed out (the last three may also lie next to `final_release_version`):

    <root>/imagepathsvalidation.txt                                     lines: subject/challenge/IMG_0000.jpg
    <root>/final_release_version/iphone_pictures/<subject>/<challenge>/IMG_0000.jpg
    <root>/final_release_version/detected_face/<subject>/<challenge>/IMG_0000.npy       left, top, right, bottom
    <root>/scans/<subject>/*.obj                                        mm
    <root>/scans_lmks_onlypp/<subject>/*.pp                             seven points (.txt, .npy are read too)

Protocol: the scan is cut to a disc round the face; the predicted neutral mesh is laid on it by the seven points
(similarity) and then by least squares of scan-to-mesh distances over rotation, shift and scale; all scan vertices of
all photos are pooled, and their median, mean and standard deviation reported. `metrical` leaves the scale out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import subject
from benchmarks.accuracy.evaluate import neutral_of
from benchmarks.accuracy.files import lines, photo, read_box, read_obj, read_points
from benchmarks.accuracy.heads import face_triangles
from benchmarks.accuracy.methods import Method
from benchmarks.accuracy.metric import Surface, compare
from benchmarks.accuracy.observe import Box, face_given, face_in

Array = NDArray[np.floating]

SEVEN = (36, 39, 42, 45, 33, 48, 54)
"""iBUG points: eye corners from image left to right, below the nose, corners of the mouth."""


@dataclass(frozen=True)
class Shot:
    name: str
    """subject/challenge/picture."""
    picture: Path
    box: Box | None
    scan: Path
    landmarks: Path

    @property
    def challenge(self) -> str:
        return self.name.split("/")[-2]


def shots(root: Path, listing: str = "imagepathsvalidation.txt") -> Iterator[Shot]:
    base = root / "final_release_version" if (root / "final_release_version").is_dir() else root
    for name in lines(_first(root / listing, base / listing)):
        subject = name.split("/")[-3]
        box = base / "detected_face" / Path(name).with_suffix(".npy")
        scan = next(_first(root / "scans", base / "scans").joinpath(subject).glob("*.obj"))
        marks = _first(root / "scans_lmks_onlypp", base / "scans_lmks_onlypp").joinpath(subject)
        landmarks = next(p for p in sorted(marks.iterdir()) if p.suffix in (".pp", ".txt", ".npy"))
        yield Shot(name, base / "iphone_pictures" / name, read_box(box) if box.exists() else None, scan, landmarks)


def _first(*paths: Path) -> Path:
    return next((p for p in paths if p.exists()), paths[0])


def face_disc(points: Array) -> tuple[Array, float]:
    """Centre (3,) and radius, mm, of the part of a scan that counts, from its seven points (7, 3)."""
    bridge, below = (points[1] + points[2]) / 2, points[4]
    centre = below + 0.3 * (bridge - below)
    radius = 1.4 * (np.linalg.norm(points[0] - points[3]) + np.linalg.norm(bridge - below)) / 2
    return centre, float(radius)


def distances(neutral: Array, scan: Array, points: Array, *, metrical: bool = False) -> Array:
    """(n,) mm from the counted scan vertices to a predicted neutral head (V, 3 at level 1)."""
    model = subject.model()
    centre, radius = face_disc(points)
    kept = scan[np.linalg.norm(scan - centre, axis=1) <= radius]
    surface = Surface.of(neutral, face_triangles(model, 1))
    start = model.level(model.usual_level).points68(neutral)[list(SEVEN)]
    return compare(
        kept, surface, landmarks=start, true_landmarks=points, scale=not metrical, huber=np.inf, rounds=20
    ).distances


def run(root: Path, method: Method, *, metrical: bool = False, limit: int | None = None) -> dict[str, float]:
    """Figures of a method, mm; `missed` photos have no figure (the challenge counts on all being there)."""
    pooled: dict[str, list[Array]] = {}
    missed = total = 0
    for shot in list(shots(root))[:limit]:
        total += 1
        taken = photo(shot.picture)
        seen = face_in(taken.image, shot.box, taken.focal)
        if seen is None and shot.box is not None:
            seen = face_given(taken.image, shot.box, taken.focal)
        if seen is None or seen.landmarks.presence < 0.1:
            missed += 1
            continue
        neutral = neutral_of(subject.model(), method(seen))
        scan, points = read_obj(shot.scan)[0], read_points(shot.landmarks)[:7]
        pooled.setdefault(shot.challenge, []).append(distances(neutral, scan, points, metrical=metrical))
    out: dict[str, float] = {"photos": total, "missed": missed}
    everything = [d for group in pooled.values() for d in group]
    for name, group in {"all": everything, **pooled}.items():
        if group:
            d = np.concatenate(group)
            out |= {
                f"{name} median": float(np.median(d)),
                f"{name} mean": float(d.mean()),
                f"{name} std": float(d.std()),
            }
    return out
