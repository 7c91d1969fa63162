"""FaceScape's single-view benchmark (Zhu et al. 2021), the photos made in the laboratory: pose and expression count.

    <root>/data/lab_gt_mesh/00.obj ... 19.obj            pupil distance 1
    <root>/data/lab_cam/00_0_00.json                     [K (3, 3), Rt (3, 4)]: person, focal length, view
    <root>/data/<folder of the photos>/00_0_00.jpg       256 pixels wide
    <root>/code/predef/lab_rotations.npy, lab_head_centers.npy      by view, by focal length

Protocol: pupils are 62.85 mm apart; the predicted head is seen by the true camera, scaled along the rays until its
depth agrees with the truth's; both are mapped onto a cylinder about the true head (256 x 256 over 360 degrees and
300 mm); the chamfer distance (CD, mm) is taken where both are, and the completeness (CR) is that part of the truth.
The benchmark's error of normals is left out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.evaluate import expressed_of
from benchmarks.accuracy.files import PICTURES, photo, read_obj
from benchmarks.accuracy.heads import face_triangles
from benchmarks.accuracy.methods import Method
from benchmarks.accuracy.metric import Surface
from benchmarks.accuracy.observe import face_in
from tronie.geometry import transform
from tronie.head.model import default_head
from tronie.raster.rasterizer import rasterize

Array = NDArray[np.floating]

PUPILS_MM = (64.0 + 61.7) / 2
SIDE = 256
HALF_LENGTH = 150.0
"""mm: half the cylinder's height."""
STEEP = 15.0
"""Neighbouring radii that differ by more (mm) are not joined."""


@dataclass(frozen=True, eq=False)
class Shot:
    name: str
    picture: Path
    truth: Path
    camera: Array
    """(3, 3)."""
    pose: Array
    """(3, 4) world to camera; shift in mm."""
    rotation: Array
    """(3, 3) and (3,): where the head stands in camera space, about which the cylinder is laid."""
    centre: Array


def shots(root: Path) -> list[Shot]:
    data, predef = root / "data", root / "code" / "predef"
    pictures = {p.stem: p for p in sorted(data.rglob("*")) if p.suffix in PICTURES}
    rotations = np.load(predef / "lab_rotations.npy", allow_pickle=False)
    centres = np.load(predef / "lab_head_centers.npy", allow_pickle=False)
    out = []
    for path in sorted((data / "lab_cam").glob("*.json")):
        person, focal, view = (int(n) for n in path.stem.split("_"))
        if path.stem in pictures:
            held = json.loads(path.read_text())
            pose = np.array(held[1], np.float64)[:3]
            pose[:, 3] *= PUPILS_MM
            out.append(
                Shot(
                    path.stem,
                    pictures[path.stem],
                    data / "lab_gt_mesh" / f"{person:02d}.obj",
                    np.array(held[0], np.float64),
                    pose,
                    rotations[view],
                    centres[focal],
                )
            )
    return out


def depth_map(vertices: Array, triangles: NDArray[np.int32], camera: Array) -> Array:
    """(SIDE, SIDE) depth of camera-space vertices, inf where there is nothing."""
    uv = vertices @ camera.T
    points = np.column_stack([uv[:, :2] / uv[:, 2:], vertices[:, 2]])
    return np.asarray(rasterize(points, triangles, SIDE, SIDE, cull=False).depth)


def along_rays(
    said: Array, said_triangles: NDArray[np.int32], truth: Array, truth_triangles: NDArray[np.int32], camera: Array
) -> Array:
    """The prediction scaled about the camera so that its depth agrees with the truth's (least absolute)."""
    said = said * (truth[:, 2].mean() / said[:, 2].mean())
    a, b = depth_map(truth, truth_triangles, camera), depth_map(said, said_triangles, camera)
    both = np.isfinite(a) & np.isfinite(b)
    if not both.any():
        return said
    return np.asarray(said * (a[both].mean() / (a[both].mean() - np.median(a[both] - b[both]))))


def cylinder(vertices: Array, triangles: NDArray[np.int32]) -> Array:
    """(SIDE, SIDE) radius, mm, over height (rows, from above) and angle (columns); 0 where there is nothing."""
    angle = np.arctan2(-vertices[:, 0], -vertices[:, 2]) % (2 * np.pi)
    radius = np.hypot(vertices[:, 0], vertices[:, 2])
    # ray k of the benchmark goes at k 2 pi / 255 and at a height of 150 - k 300 / 255: our pixel centres lie at k + 0.5
    x = angle / (2 * np.pi) * (SIDE - 1) + 0.5
    y = (HALF_LENGTH - vertices[:, 1]) / (2 * HALF_LENGTH) * (SIDE - 1) + 0.5
    far = 1e4
    out = np.zeros((SIDE, SIDE))
    corner = x[triangles]
    seam = np.ptp(corner, axis=1) > SIDE / 2  # these reach over the end of the map: drawn at both of its ends
    left = np.where(corner > SIDE / 2, corner - (SIDE - 1), corner)
    for at, kept in ((corner, ~seam), (left, seam), (left + SIDE - 1, seam)):
        t = triangles[kept]
        flat = np.column_stack([at[kept].ravel(), y[t].ravel(), far - radius[t].ravel()])
        seen = rasterize(flat, np.arange(3 * len(t)).reshape(-1, 3), SIDE, SIDE, cull=False).depth
        out = np.maximum(out, np.where(np.isfinite(seen), far - seen, 0.0))
    return out


def sheet(radius: Array) -> tuple[Array, NDArray[np.int32]]:
    """The surface (vertices, triangles) of a map of radii; vertices that no triangle uses are left out."""
    row, column = np.indices(radius.shape)
    angle, height = column * 2 * np.pi / (SIDE - 1), HALF_LENGTH - row * 2 * HALF_LENGTH / (SIDE - 1)
    v = np.stack([-np.sin(angle) * radius, height, -np.cos(angle) * radius], axis=-1).reshape(-1, 3)
    n = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    a, b, c, d = n[:-1, :-1], n[:-1, 1:], n[1:, :-1], n[1:, 1:]
    triangles = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([d, c, b], -1).reshape(-1, 3)])
    r = radius.ravel()[triangles]
    triangles = triangles[(r > 0).all(axis=1) & (np.ptp(r, axis=1) < STEEP)]
    used, packed = np.unique(triangles, return_inverse=True)
    return v[used], packed.reshape(-1, 3).astype(np.int32)


def errors(
    said: Array, said_triangles: NDArray[np.int32], truth: Array, truth_triangles: NDArray[np.int32]
) -> tuple[float, float]:
    """Chamfer distance, mm, and completeness of heads that stand upright about the cylinder's axis."""
    a, b = cylinder(truth, truth_triangles), cylinder(said, said_triangles)
    both = (a > 0) & (b > 0)
    if not both.any():
        return float("nan"), 0.0
    (va, ta), (vb, tb) = sheet(a * both), sheet(b * both)
    if not len(ta) or not len(tb):
        return float("nan"), 0.0
    gaps = np.concatenate([Surface.of(va, ta).closest(vb)[2], Surface.of(vb, tb).closest(va)[2]])
    return float(gaps.mean()), float(both.sum() / (a > 0).sum())


def run(root: Path, method: Method, *, limit: int | None = None) -> dict[str, float]:
    model = default_head()
    triangles = face_triangles(model, 1)
    found = shots(root)[:limit]
    rows, missed = [], 0
    for shot in found:
        taken = photo(shot.picture)
        seen = face_in(taken.image, None, float(shot.camera[0, 0]))
        if seen is None:
            missed += 1
            continue
        fit = method(seen)
        said = transform(fit.head_to_camera, expressed_of(model, fit).astype(np.float64))
        truth, truth_triangles = read_obj(shot.truth)
        truth = truth * PUPILS_MM @ shot.pose[:, :3].T + shot.pose[:, 3]
        said = along_rays(said, triangles, truth, truth_triangles, shot.camera)
        upright = [(v - shot.centre) @ shot.rotation for v in (said, truth)]
        rows.append(errors(upright[0], triangles, upright[1], truth_triangles))
    out: dict[str, float] = {"photos": len(found), "missed": missed}
    if rows:
        out |= {"CD": float(np.nanmean([r[0] for r in rows])), "CR": float(np.mean([r[1] for r in rows]))}
    return out
