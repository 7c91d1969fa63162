"""Which part of the sky each vertex of a head sees: attached and cast shadows for any light."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tronie.arrays import Array
from tronie.head.harmonics import spiral
from tronie.head.model import Head, HeadModel
from tronie.raster.rasterizer import visible
from tronie.raster.shading import vertex_normals

SKY = 96
"""Directions that stand for the sky, 20 degrees apart."""
SIZE = 320
"""Pixels of the depth buffers; the head is some 300 mm high."""
REACH_MM = 2.5
"""What lies less than this above a surface does not shade it: the mean head's own roughness."""

BOUNCE = np.float32(0.4)
"""Albedo of the surroundings, for light between the sides of a fold."""


def sky() -> Array:
    """(96, 3) unit vectors in the head's axes."""
    return spiral(SKY)


def transfer(head: Head, vertices: Array) -> Array:
    """(V, 96) float32: how much of each direction's light arrives at each vertex of `vertices` (V, 3), in the order of
    `sky`. Times radiances (96, 3) it is what a matt white surface shows there. Rows of an open plane sum up to 1.

    Normals are this head's, what hides the sky is taken from the mean head at rest (it is found only once).
    """
    normals = vertex_normals(vertices, head.triangles)
    facing = np.maximum(normals @ sky().T.astype(np.float32), 0)
    arriving = facing * open_sky(head.model, head.level)
    # What a fold does not get from the sky it gets from the skin around, in part: the sum of all bounces.
    open_share = arriving.sum(axis=1, keepdims=True) / np.maximum(facing.sum(axis=1, keepdims=True), 1e-6)
    return np.asarray(arriving * np.float32(4 / SKY) / (1 - BOUNCE * (1 - open_share)), dtype=np.float32)


@lru_cache(maxsize=4)
def open_sky(model: HeadModel, level: int) -> Array:
    """(V, 96) float32 0..1: whether a vertex of the mean head sees the sky in each direction."""
    mesh = model.level(0)
    v = mesh.apply(model.mean)
    normals = vertex_normals(v, mesh.triangles)
    center = v.mean(axis=0)
    radius = float(np.linalg.norm(v - center, axis=1).max()) + 1
    scale = SIZE / (2 * radius)
    seen = np.zeros((len(v), SKY), np.float32)
    for k, z in enumerate(sky()):
        x = np.cross([0, 1, 0] if abs(z[1]) < 0.9 else [1, 0, 0], z)
        x /= np.linalg.norm(x)
        p = (v + REACH_MM * normals - center) @ np.stack([x, -np.cross(z, x), -z]).T
        q = (v - center) @ np.stack([x, -np.cross(z, x), -z]).T
        screen = np.column_stack([q[:, :2] * scale + SIZE / 2, q[:, 2] + 2 * radius]).astype(np.float32)
        inverse = visible(screen, mesh.triangles, SIZE, SIZE)[1]
        i, j = (np.clip(p[:, n] * scale + SIZE / 2, 0, SIZE - 1).astype(int) for n in (1, 0))
        seen[:, k] = (p[:, 2] + 2 * radius) < 1 / np.maximum(inverse[i, j], 1e-9) + REACH_MM
    return np.asarray(model.level(level).matrix @ seen, dtype=np.float32)
