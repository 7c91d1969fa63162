"""Closest points on triangle meshes, vectorised."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.runtime.jit import jit

Ints = NDArray[np.integer[Any]]

CANDIDATES = 24


def closest_on_triangles(p: Array, a: Array, b: Array, c: Array) -> Array:
    """Barycentric weights (..., 3) of the point of triangle (a, b, c) nearest to p; all (..., 3).

    Ericson, Real-Time Collision Detection (2005), 5.1.5, as regions chosen by masks.
    """
    ab, ac, ap = b - a, c - a, p - a
    d1, d2 = (ab * ap).sum(-1), (ac * ap).sum(-1)
    bp = p - b
    d3, d4 = (ab * bp).sum(-1), (ac * bp).sum(-1)
    cp = p - c
    d5, d6 = (ab * cp).sum(-1), (ac * cp).sum(-1)
    va, vb, vc = d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2
    total = np.where(np.abs(va + vb + vc) < 1e-20, 1.0, va + vb + vc)
    v, w = vb / total, vc / total
    with np.errstate(divide="ignore", invalid="ignore"):
        t_ab = np.nan_to_num(d1 / (d1 - d3))
        t_ac = np.nan_to_num(d2 / (d2 - d6))
        t_bc = np.nan_to_num((d4 - d3) / ((d4 - d3) + (d5 - d6)))
    regions = [
        ((d1 <= 0) & (d2 <= 0), 0 * v, 0 * w),
        ((d3 >= 0) & (d4 <= d3), 0 * v + 1, 0 * w),
        ((d6 >= 0) & (d5 <= d6), 0 * v, 0 * w + 1),
        ((vc <= 0) & (d1 >= 0) & (d3 <= 0), t_ab, 0 * w),
        ((vb <= 0) & (d2 >= 0) & (d6 <= 0), 0 * v, t_ac),
        ((va <= 0) & (d4 - d3 >= 0) & (d5 - d6 >= 0), 1 - t_bc, t_bc),
    ]
    v = np.select([r[0] for r in regions], [r[1] for r in regions], v)
    w = np.select([r[0] for r in regions], [r[2] for r in regions], w)
    return np.stack([1 - v - w, v, w], axis=-1)


def closest_on_surface(points: Array, vertices: Array, triangles: Ints) -> tuple[Ints, Array, Array]:
    """Nearest surface points: triangle (n,), barycentric weights (n, 3), distance (n,).

    Only the CANDIDATES triangles with the nearest centres are looked at, which is exact for even meshes.
    """
    points, corners = np.asarray(points, dtype=np.float64), np.asarray(vertices, dtype=np.float64)[triangles]
    near = nearest(points, np.ascontiguousarray(corners.mean(axis=1)), min(CANDIDATES, len(corners)))
    return closest_among(points, corners, near)


@jit
def nearest(points: Any, targets: Any, count: int) -> Any:
    """The `count` nearest of targets (m, 3) to each of points (n, 3), (n, count), nearest first; all are tried."""
    out = np.zeros((points.shape[0], count), np.int64)
    distance = np.zeros(count)
    for i in range(points.shape[0]):
        distance[:] = np.inf
        for j in range(targets.shape[0]):
            x, y, z = points[i, 0] - targets[j, 0], points[i, 1] - targets[j, 1], points[i, 2] - targets[j, 2]
            square = x * x + y * y + z * z
            if square < distance[count - 1]:
                at = count - 1
                while at > 0 and distance[at - 1] > square:
                    distance[at] = distance[at - 1]
                    out[i, at] = out[i, at - 1]
                    at -= 1
                distance[at] = square
                out[i, at] = j
    return out


def closest_among(points: Array, corners: Array, near: Ints) -> tuple[Ints, Array, Array]:
    """The same among the triangles `near` (n, k) each point, of `corners` (T, 3, 3)."""
    t = corners[near]  # (n, k, 3, 3)
    p = np.broadcast_to(points[:, None], t[:, :, 0].shape)
    weights = closest_on_triangles(p, t[:, :, 0], t[:, :, 1], t[:, :, 2])
    distance = np.linalg.norm((weights[..., None] * t).sum(axis=2) - p, axis=-1)
    best = distance.argmin(axis=1)
    rows = np.arange(len(points))
    return near[rows, best], weights[rows, best], distance[rows, best]
