"""Where a head's vertices are in front of the camera, and what of their light can be said before pixels are.

All numbers are float32; constants are made so too, because numba computes float32 with a Python float in float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tronie.runtime.jit import fast_jit

ZERO, ONE, THREE = (np.float32(x) for x in (0, 1, 3))
Y0, Y1 = np.float32(0.28209479), np.float32(0.48860251)
Y2A, Y2B, Y2C = np.float32(1.09254843), np.float32(0.31539157), np.float32(0.54627422)
SOFT_COSINE = np.float32(0.16)
"""Cosine to the view below which hair thins out into the background."""
COLUMNS = 10
"""Of a vertex: normal 0-2 in camera axes, how open it is 3, opacity 4, uncertainty 5, gloss 6, light from everywhere
7-9."""


@fast_jit
def everywhere(nx: Any, ny: Any, nz: Any, harmonics: Any) -> Any:
    """Red, green and blue of the light that falls on a surface from all sides, by spherical harmonics (9, 3)."""
    h1, h2, h3 = Y1 * ny, Y1 * nz, Y1 * nx
    h4, h5, h6 = Y2A * nx * ny, Y2A * ny * nz, Y2B * (THREE * nz * nz - ONE)
    h7, h8 = Y2A * nx * nz, Y2C * (nx * nx - ny * ny)
    return (
        max(
            Y0 * harmonics[0, 0] + h1 * harmonics[1, 0] + h2 * harmonics[2, 0] + h3 * harmonics[3, 0]
            + h4 * harmonics[4, 0] + h5 * harmonics[5, 0] + h6 * harmonics[6, 0] + h7 * harmonics[7, 0]
            + h8 * harmonics[8, 0], ZERO,
        ),
        max(
            Y0 * harmonics[0, 1] + h1 * harmonics[1, 1] + h2 * harmonics[2, 1] + h3 * harmonics[3, 1]
            + h4 * harmonics[4, 1] + h5 * harmonics[5, 1] + h6 * harmonics[6, 1] + h7 * harmonics[7, 1]
            + h8 * harmonics[8, 1], ZERO,
        ),
        max(
            Y0 * harmonics[0, 2] + h1 * harmonics[1, 2] + h2 * harmonics[2, 2] + h3 * harmonics[3, 2]
            + h4 * harmonics[4, 2] + h5 * harmonics[5, 2] + h6 * harmonics[6, 2] + h7 * harmonics[7, 2]
            + h8 * harmonics[8, 2], ZERO,
        ),
    )  # fmt: skip


@fast_jit
def stand(
    vertices: Any, normals: Any, pose: Any, lens: Any, neck: Any, hairy: Any, harmonics: Any, points: Any,
    in_camera: Any, vertex: Any,
) -> None:  # fmt: skip
    """Fill points (V, 3) x, y px and depth mm, in_camera (V, 3) mm, and normal, opacity and light of `vertex`.

    `pose` (3, 4) is head to camera, `lens` (4,) focal lengths and centre in samples. `neck` (V,) is the opacity,
    `hairy` (V,) how much of it is lost where the surface turns away: hair has no hard outline.
    """
    for i in range(vertices.shape[0]):
        a, b, c = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        x = pose[0, 0] * a + pose[0, 1] * b + pose[0, 2] * c + pose[0, 3]
        y = pose[1, 0] * a + pose[1, 1] * b + pose[1, 2] * c + pose[1, 3]
        z = pose[2, 0] * a + pose[2, 1] * b + pose[2, 2] * c + pose[2, 3]
        in_camera[i, 0], in_camera[i, 1], in_camera[i, 2] = x, y, z
        points[i, 0], points[i, 1], points[i, 2] = lens[0] * (x / z) + lens[2], lens[1] * (y / z) + lens[3], z
        a, b, c = normals[i, 0], normals[i, 1], normals[i, 2]
        nx = pose[0, 0] * a + pose[0, 1] * b + pose[0, 2] * c
        ny = pose[1, 0] * a + pose[1, 1] * b + pose[1, 2] * c
        nz = pose[2, 0] * a + pose[2, 1] * b + pose[2, 2] * c
        vertex[i, 0], vertex[i, 1], vertex[i, 2] = nx, ny, nz
        opacity = neck[i]
        if hairy[i] > ZERO:
            facing = -(nx * x + ny * y + nz * z) / np.sqrt(x * x + y * y + z * z)
            opacity *= ONE - hairy[i] * (ONE - min(max(facing / SOFT_COSINE, ZERO), ONE))
        vertex[i, 4] = opacity
        vertex[i, 7], vertex[i, 8], vertex[i, 9] = everywhere(nx, ny, nz, harmonics)
