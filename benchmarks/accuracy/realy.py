"""REALY (Chai et al. 2022): four regions of the face, each aligned on its own with the scan's.

    <root>/REALY_image/<some folder>/<id>.jpg            (or <id>_<view>.jpg; the folder is given)
    <root>/REALY_HIFI3D_keypoints/<id>.obj               85 points, the first 68 as iBUG's
    <root>/REALY_scan_region/<id>/{nose,mouth,forehead,cheek}.obj
    <root>/metrical_scale.txt (or data/...)              one factor per id, from 1, to millimetres

Protocol: similarity by seven points, then for each region rigid ICP of the predicted mesh on the region's scan
vertices together with the region's points, which weigh as much as the vertices (a quarter in the cheek). The official
figures then deform the scan region without rigidity to find what corresponds; that step is left out here and nearest
points are taken, so these figures are smaller than the official ones and only compare fits with each other. The
official program reads meshes: `write_meshes` writes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import subject
from benchmarks.accuracy.evaluate import neutral_of
from benchmarks.accuracy.files import PICTURES, photo, read_obj
from benchmarks.accuracy.heads import face_triangles
from benchmarks.accuracy.methods import Method
from benchmarks.accuracy.metric import Similarity3, Surface, umeyama
from benchmarks.accuracy.now import SEVEN
from benchmarks.accuracy.observe import face_in

Array = NDArray[np.floating]

POINTS: dict[str, tuple[int, ...]] = {
    "nose": tuple(range(27, 36)),
    "mouth": (*range(48, 61), 64),
    "forehead": (*range(36, 48), *range(17, 27)),
    "cheek": (*range(48, 61), 64, 36, 41, 40, 39, 42, 47, 46, 45, 7, 8, 9),
}
"""iBUG points that steer each region (the official lists have two more for nose and cheek, beyond the 68)."""
WEIGHT = {"nose": 1.0, "mouth": 1.0, "forehead": 1.0, "cheek": 0.25}
ROUNDS = 100


@dataclass(frozen=True)
class Shot:
    picture: Path
    person: int
    keypoints: Path
    regions: Path


def shots(root: Path, images: Path) -> Iterator[Shot]:
    for path in sorted(p for p in images.iterdir() if p.suffix in PICTURES):
        person = path.stem.split("_")[0]
        if person.isdigit():
            yield Shot(
                path,
                int(person),
                root / "REALY_HIFI3D_keypoints" / f"{int(person)}.obj",
                root / "REALY_scan_region" / str(int(person)),
            )


def region_error(surface: Surface, points: Array, scan: Array, keypoints: Array, region: str) -> float:
    """Mean distance, in the scan's unit, from a region's vertices (n, 3) to the prediction laid onto them.

    `points` (68, 3) on the prediction and `keypoints` (68+, 3) on the scan.
    """
    motion = umeyama(points[list(SEVEN)], keypoints[list(SEVEN)])
    which = list(POINTS[region])
    weight = np.concatenate([np.ones(len(scan)), np.full(len(which), WEIGHT[region] * len(scan) / len(which))])
    goal = np.concatenate([scan, keypoints[which]])
    before = np.inf
    for _ in range(ROUNDS):
        spot, _, _ = surface.closest(motion.undo(scan))
        source = motion.apply(np.concatenate([spot, points[which]]))
        step = weighted_rigid(source, goal, weight)
        error = float(((step.apply(source) - goal) ** 2).sum(axis=1) @ weight / weight.sum())
        motion = Similarity3(motion.scale, step.rotation @ motion.rotation, step.apply(motion.shift))
        if abs(before - error) < 1e-6:
            break
        before = error
    return float(motion.scale * surface.closest(motion.undo(scan))[2].mean())


def weighted_rigid(source: Array, goal: Array, weight: Array) -> Similarity3:
    """Rotation and shift that bring points (n, 3) onto points (n, 3), weights (n,)."""
    w = weight / weight.sum()
    a, b = source - w @ source, goal - w @ goal
    u, _, vt = np.linalg.svd((b * w[:, None]).T @ a)
    turn = u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt
    return Similarity3(1.0, turn, w @ goal - turn @ (w @ source))


def _neutral(shot: Shot, method: Method) -> Array | None:
    taken = photo(shot.picture)
    seen = face_in(taken.image, None, taken.focal)
    return None if seen is None else neutral_of(subject.model(), method(seen))


def run(root: Path, images: Path, method: Method, *, limit: int | None = None) -> dict[str, float]:
    """Mean error by region, mm where the scale file is there, and their average."""
    model = subject.model()
    scales = next(
        (
            np.loadtxt(p, ndmin=1)
            for p in (root / "metrical_scale.txt", root / "data" / "metrical_scale.txt")
            if p.exists()
        ),
        None,
    )
    errors: dict[str, list[float]] = {name: [] for name in POINTS}
    missed = total = 0
    for shot in list(shots(root, images))[:limit]:
        total += 1
        neutral = _neutral(shot, method)
        if neutral is None:
            missed += 1
            continue
        surface = Surface.of(neutral, face_triangles(model, 1))
        points, keypoints = model.level(model.usual_level).points68(neutral), read_obj(shot.keypoints)[0]
        unit = 1.0 if scales is None else float(scales[shot.person - 1])
        for region, found in errors.items():
            scan = read_obj(shot.regions / f"{region}.obj")[0]
            found.append(unit * region_error(surface, points, scan, keypoints, region))
    out = {name: float(np.mean(found)) for name, found in errors.items() if found}
    if out:
        out["all"] = float(np.mean(list(out.values())))
    return out | {"photos": total, "missed": missed}


def write_meshes(images: Path, out: Path, method: Method) -> int:
    """`<picture's name>.obj` of each photo's neutral head, mm, all of one topology; how many were written."""
    model = subject.model()
    triangles = model.level(model.usual_level).triangles + 1
    out.mkdir(parents=True, exist_ok=True)
    count = 0
    for shot in shots(out, images):
        neutral = _neutral(shot, method)
        if neutral is None:
            continue
        rows = [f"v {x:.4f} {y:.4f} {z:.4f}" for x, y, z in neutral] + [f"f {a} {b} {c}" for a, b, c in triangles]
        (out / f"{shot.picture.stem}.obj").write_text("\n".join(rows) + "\n")
        count += 1
    return count
