"""Landmarks of a head that is drawn: which of them are seen, and what moving one in the picture means in the photo."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tronie.arrays import Array
from tronie.geometry import Camera, transform
from tronie.raster.rasterizer import visible

SIDE = 300
"""Pixels of the shorter side of the picture that tells what is hidden."""
SLACK_MM = 5.0
"""What lies so little behind the nearest surface is seen: landmarks lie between vertices, and some at the outline."""
GRAZING = 0.34
"""Sine of the angle between the line of sight and the photo's plane below which a move in the picture moves less and
less: seen along that plane it says nothing about the photo."""


def seen_points(
    points: Array, vertices: Array, triangles: NDArray[Any], camera: Camera, pose: Array, both_sides: bool = False
) -> NDArray[np.bool_]:
    """(N,) whether points (N, 3) of a head with `vertices` (V, 3), all in its millimetres, are before the rest of it in
    the picture of `camera`; `pose` (4, 4) is head to camera."""
    scale = min(1.0, SIDE / min(camera.size))
    width, height = (max(2, round(side * scale)) for side in camera.size)

    def drawn(some: ArrayLike) -> Array:
        """(N, 3) float32 x, y in pixels of the small picture, and depth."""
        there = transform(pose, np.asarray(some, np.float64))
        return np.column_stack([camera.project(there) * scale, there[:, 2]]).astype(np.float32)

    nearness = visible(drawn(vertices), triangles, height, width, cull=not both_sides)[1]
    at = drawn(points)
    x, y = at[:, 0].astype(int), at[:, 1].astype(int)
    inside = (at[:, 2] > 0) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    nearest = 1 / np.maximum(nearness[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)], 1e-6)
    return np.asarray(inside & (at[:, 2] < nearest + SLACK_MM))


def photo_moves(points: Array, camera: Camera, pose: Array, photo: Camera, photo_pose: Array) -> Array:
    """(N, 2, 2): by how many pixels of the photo a landmark's place there moves for each pixel that it is moved in the
    picture of `camera`; `points` (N, 3) head millimetres, both poses (4, 4) head to camera.

    A photo says nothing about depth, so that landmarks move parallel to its plane, and follow the pointer as long as
    that is not seen from the side. The inverse of the projection's Jacobian, whose small singular values are damped.
    """
    plane = photo_pose[:2, :3].T  # axes of the photo's plane in the head's own
    shown = _jacobian(points, camera, pose) @ plane
    told = _jacobian(points, photo, photo_pose) @ plane
    u, s, v = np.linalg.svd(shown)
    least = GRAZING * camera.focals[0] / transform(pose, points)[:, 2:]
    back = v.transpose(0, 2, 1) @ ((s / np.maximum(s, least) ** 2)[:, :, None] * u.transpose(0, 2, 1))
    return np.asarray(told @ back)


def _jacobian(points: Array, camera: Camera, pose: Array) -> Array:
    """(N, 2, 3) pixels per millimetre of the head."""
    x, y, z = transform(pose, points).T
    nothing, (fx, fy) = np.zeros_like(z), camera.focals
    rows = np.stack(
        [np.stack([fx / z, nothing, -fx * x / z**2], -1), np.stack([nothing, fy / z, -fy * y / z**2], -1)], 1
    )
    return np.asarray(rows @ pose[:3, :3])
