"""AFLW2000-3D (Zhu et al. 2016): 68 points and the pose of 2,000 photographed faces up to profile.

    <root>/image00002.jpg, image00002.mat, ...    pt3d_68 (3, 68): x, y, depth, pixels; Pose_Para: pitch, yaw, roll, ...

NME68: mean distance of the 68 points in the picture over the square root of the true points' box, by the annotated
yaw (0-30, 30-60, 60-90 degrees) and over all. Pose: mean absolute yaw, pitch, roll in the annotation's own Euler angles
and the angle between the rotations (geodesic), over faces whose three angles lie within 99 degrees, as is customary.
What the annotation calls frontal is its model's business: the geodesic error is also given with the mean rotation
between both conventions taken out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.spatial.transform import Rotation

from benchmarks.accuracy import subject
from benchmarks.accuracy.evaluate import geodesic
from benchmarks.accuracy.files import photo, picture
from benchmarks.accuracy.methods import Method
from benchmarks.accuracy.observe import Box, face_given, face_in
from tronie.geometry import HEAD_TO_CAMERA_AXES, transform
from tronie.stages.fit.basis import on_photo
from tronie.stages.fit.engine import make_head

Array = NDArray[np.floating]

BINS = ((0, 30), (30, 60), (60, 90))
LARGEST_ANGLE = 99.0
FIRST_PIXEL = 1.0
"""Where the annotation's (MATLAB's) coordinates have the first pixel's centre; ours is at 0.5."""


@dataclass(frozen=True, eq=False)
class Shot:
    picture: Path
    points: Array
    """(68, 2) photo pixels, first pixel's centre at 0.5."""
    angles: tuple[float, float, float]
    """Yaw, pitch, roll, degrees, as annotated."""

    @property
    def box(self) -> Box:
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def shots(root: Path) -> list[Shot]:
    out = []
    for path in sorted(root.glob("*.mat")):
        image = picture(path.with_suffix(""))
        if image is None:
            continue
        held = loadmat(path)
        pitch, yaw, roll = (float(a) for a in np.degrees(np.ravel(held["Pose_Para"])[:3]))
        points = np.asarray(held["pt3d_68"], np.float64)[:2].T
        out.append(Shot(image, points + (0.5 - FIRST_PIXEL), (yaw, pitch, roll)))
    return out


def rotation(yaw: float, pitch: float, roll: float) -> Array:
    """The annotation's angles, degrees -> (3, 3) head to picture, both with y up and z towards the viewer.

    Rx(pitch) Ry(yaw) Rz(roll), each the transpose of the usual matrix: pitch > 0 looks up, yaw > 0 to the image's left.
    """
    return np.asarray(Rotation.from_euler("XYZ", [-pitch, -yaw, -roll], degrees=True).as_matrix())


def angles(matrix: Array) -> tuple[float, float, float]:
    """Inverse of `rotation`: yaw, pitch, roll, degrees."""
    pitch, yaw, roll = -Rotation.from_matrix(matrix).as_euler("XYZ", degrees=True)
    return float(yaw), float(pitch), float(roll)


def nme(said: Array, true: Array) -> float:
    """Mean distance of points (68, 2) / the square root of the area of the true points' box."""
    width, height = true.max(axis=0) - true.min(axis=0)
    return float(np.linalg.norm(said - true, axis=1).mean() / np.sqrt(width * height))


def run(root: Path, method: Method, *, given_boxes: bool = False, limit: int | None = None) -> dict[str, float]:
    """NME in percent, pose in degrees. `given_boxes` cuts faces out by the annotation instead of the detector."""
    model = subject.model()
    errors, yaws, said, true = [], [], [], []
    missed = 0
    found = shots(root)[:limit]
    for shot in found:
        taken = photo(shot.picture)
        look = face_given if given_boxes else face_in
        seen = look(taken.image, grown(shot.box) if given_boxes else shot.box, taken.focal)
        if seen is None:
            missed += 1
            continue
        fit = method(seen)
        points = (
            model.level(model.usual_level)
            .points68(on_photo(make_head(model, fit, model.usual_level), fit))
            .astype(np.float64)
        )
        errors.append(nme(fit.camera.project(transform(fit.head_to_camera, points)), shot.points))
        yaws.append(abs(shot.angles[0]))
        if max(abs(a) for a in shot.angles) <= LARGEST_ANGLE:
            said.append(HEAD_TO_CAMERA_AXES @ fit.head_to_camera[:3, :3])
            true.append(rotation(*shot.angles))
    out: dict[str, float] = {"photos": len(found), "missed": missed}
    if not errors:
        return out
    e, y = np.array(errors) * 100, np.array(yaws)
    out |= {f"nme68 {a}-{b}": float(e[(y >= a) & (y < b)].mean()) for a, b in BINS if ((y >= a) & (y < b)).any()}
    out |= {"nme68": float(e.mean()), "nme68 mean of bins": float(np.mean([v for k, v in out.items() if "nme68" in k]))}
    return out | pose_errors(np.array(said), np.array(true))


def pose_errors(said: Array, true: Array) -> dict[str, float]:
    """Of rotations (n, 3, 3)."""
    gaps = np.array([np.subtract(angles(s), angles(t)) for s, t in zip(said, true, strict=True)])
    yaw, pitch, roll = np.abs((gaps + 180) % 360 - 180).mean(axis=0)
    offset = Rotation.from_matrix(np.einsum("nji,njk->nik", said, true)).mean().as_matrix()
    plain = [geodesic(s, t) for s, t in zip(said, true, strict=True)]
    without = [geodesic(s @ offset, t) for s, t in zip(said, true, strict=True)]
    return {
        "yaw": float(yaw),
        "pitch": float(pitch),
        "roll": float(roll),
        "geodesic": float(np.mean(plain)),
        "geodesic without offset": float(np.mean(without)),
        "offset": geodesic(offset, np.eye(3)),
    }


def grown(box: Box) -> Box:
    """From the box of the 68 points (brows to chin) to one like the detector's (forehead to chin)."""
    x0, y0, x1, y1 = box
    return x0, y0 - 0.22 * (y1 - y0), x1, y1
