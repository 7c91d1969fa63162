"""Similarities of the plane, rotations, the pinhole camera, and the smooth step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tronie.arrays import Array

HEAD_TO_CAMERA_AXES = np.diag([1.0, -1.0, -1.0])
"""Rotation of a head that looks straight into the camera (head y up, z out; camera y down, z forward)."""


@dataclass(frozen=True, slots=True)
class Similarity:
    """x' = a x - b y + tx,  y' = b x + a y + ty: turn, uniform scale, shift; no reflection."""

    a: float
    b: float
    tx: float
    ty: float

    @property
    def matrix(self) -> Array:
        """(2, 3)."""
        return np.array([[self.a, -self.b, self.tx], [self.b, self.a, self.ty]])

    @property
    def scale(self) -> float:
        return float(np.hypot(self.a, self.b))

    def apply(self, points: ArrayLike) -> Array:
        """(..., 2) -> (..., 2)."""
        p = np.asarray(points, dtype=np.float64)
        return np.asarray(p @ self.matrix[:, :2].T + self.matrix[:, 2])

    def inverse(self) -> Similarity:
        n = self.a * self.a + self.b * self.b
        a, b = self.a / n, -self.b / n
        return Similarity(a, b, -(a * self.tx - b * self.ty), -(b * self.tx + a * self.ty))

    def then(self, other: Similarity) -> Similarity:
        """The map that does this one first and `other` on what comes out."""
        a, b = self.a * other.a - self.b * other.b, self.a * other.b + self.b * other.a
        tx, ty = other.apply([self.tx, self.ty])
        return Similarity(a, b, float(tx), float(ty))

    @classmethod
    def from_points(cls, source: ArrayLike, target: ArrayLike) -> Similarity:
        """Least squares over (N, 2) pairs (Umeyama 1991 without reflection)."""
        s, t = np.asarray(source, dtype=np.float64), np.asarray(target, dtype=np.float64)
        sm, tm = s.mean(0), t.mean(0)
        ds, dt = s - sm, t - tm
        n = float((ds**2).sum())
        if n <= 0:
            raise ValueError("all source points coincide")
        a = float((ds * dt).sum()) / n
        b = float((ds[:, 0] * dt[:, 1] - ds[:, 1] * dt[:, 0]).sum()) / n
        return cls(a, b, float(tm[0] - a * sm[0] + b * sm[1]), float(tm[1] - b * sm[0] - a * sm[1]))


def rotation_matrix(vector: ArrayLike) -> Array:
    """Rotation vector (3,), radians -> (3, 3) (Rodrigues)."""
    r = np.asarray(vector, dtype=np.float64)
    angle = float(np.linalg.norm(r))
    x, y, z = r
    k = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    if angle < 1e-9:
        return np.asarray(np.eye(3) + k)
    s, c = np.sin(angle) / angle, (1 - np.cos(angle)) / angle**2
    return np.asarray(np.eye(3) + s * k + c * (k @ k))


def rotation_vector(rotation: ArrayLike) -> Array:
    """Inverse of `rotation_matrix`: (3, 3) -> (3,), radians, for turns of less than half a circle."""
    r = np.asarray(rotation, dtype=np.float64)
    axis = np.array([r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]]) / 2
    sine = float(np.linalg.norm(axis))
    angle = float(np.arctan2(sine, (np.trace(r) - 1) / 2))
    return axis * (angle / sine if sine > 1e-9 else 1.0)


def euler_degrees(rotation: ArrayLike) -> tuple[float, float, float]:
    """Yaw, pitch, roll in degrees of a head-to-camera rotation (3, 3).

    With H = HEAD_TO_CAMERA_AXES^T R (the head's turn seen in its own axes), H = Ry(yaw) Rx(-pitch) Rz(roll):
    yaw > 0: the face is turned towards the image's right (the subject's own left); pitch > 0: the face looks
    up; roll > 0: the head is tilted counter-clockwise as seen in the image. (0, 0, 0) looks into the camera.
    """
    h = HEAD_TO_CAMERA_AXES.T @ np.asarray(rotation, dtype=np.float64)
    yaw = np.arctan2(h[0, 2], h[2, 2])
    pitch = np.arcsin(np.clip(h[1, 2], -1, 1))
    roll = np.arctan2(h[1, 0], h[1, 1])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))


def levelled(rotation: Array) -> tuple[Array, Array]:
    """A head-to-camera rotation (3, 3) turned in the picture's plane until the head's x-axis is level, and the turn
    (2, 2) of the picture back: what is left does not depend on how the photo was held."""
    back = rotation_matrix([0.0, 0.0, float(np.arctan2(rotation[1, 0], rotation[0, 0]))])
    return np.asarray(back.T @ rotation), np.asarray(back[:2, :2])


def facing_degrees(rotation: ArrayLike) -> tuple[float, float]:
    """Yaw and pitch in degrees, signs as of `euler_degrees`, of a head-to-camera rotation (3, 3) in a level picture:
    how far the face looks past the camera, in the head's own directions, also where the photo lies on its side."""
    yaw, pitch, _ = euler_degrees(levelled(np.asarray(rotation, dtype=np.float64))[0])
    return yaw, pitch


def rotation_from_euler(yaw: float, pitch: float, roll: float) -> Array:
    """Degrees -> head-to-camera rotation (3, 3); inverse of `euler_degrees`."""
    y, p, r = np.radians([yaw, pitch, roll])
    ry = rotation_matrix([0, y, 0])
    rx = rotation_matrix([-p, 0, 0])
    rz = rotation_matrix([0, 0, r])
    return np.asarray(HEAD_TO_CAMERA_AXES @ ry @ rx @ rz)


@dataclass(frozen=True, slots=True)
class Camera:
    """Pinhole: u = focal x / z + center_x, v = aspect focal y / z + center_y; no distortion."""

    focal: float
    """Pixels."""
    center: tuple[float, float]
    """Principal point, pixels."""
    size: tuple[int, int]
    """Width, height of the picture, pixels."""
    aspect: float = 1.0
    """Other than 1 where pixels are not quite square."""

    @property
    def focals(self) -> tuple[float, float]:
        """In x and y, pixels."""
        return self.focal, self.focal * self.aspect

    def project(self, points: ArrayLike) -> Array:
        """Camera-space millimetres (..., 3) -> pixels (..., 2). Points at or behind the camera give inf/nan."""
        p = np.asarray(points)
        with np.errstate(divide="ignore", invalid="ignore"):
            focals = np.asarray(self.focals, dtype=np.result_type(p.dtype, np.float32))
            return np.asarray(p[..., :2] * (focals / p[..., 2:3]) + np.asarray(self.center, dtype=p.dtype))

    def unproject(self, pixels: ArrayLike, depth: ArrayLike) -> Array:
        """Pixels (..., 2) at depth (...) mm -> camera-space millimetres (..., 3)."""
        uv, z = np.asarray(pixels, dtype=np.float64), np.asarray(depth, dtype=np.float64)[..., None]
        return np.concatenate([(uv - np.asarray(self.center)) * z / np.asarray(self.focals), z], axis=-1)


def transform(matrix: ArrayLike, points: ArrayLike) -> Array:
    """Apply a (4, 4) to points (..., 3)."""
    m, p = np.asarray(matrix), np.asarray(points)
    return np.asarray(p @ m[:3, :3].T.astype(p.dtype) + m[:3, 3].astype(p.dtype))


def rigid(rotation: ArrayLike, translation: ArrayLike) -> Array:
    """(3, 3), (3,) -> (4, 4)."""
    m = np.eye(4)
    m[:3, :3], m[:3, 3] = rotation, translation
    return m


def smoothstep(x: Array, low: float, high: float) -> Array:
    """0 up to `low`, 1 from `high` on, between them a cubic without kinks; float32."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)
