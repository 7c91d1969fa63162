"""Closest points on triangle meshes, vectorised."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree


def closest_on_triangles(p: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Barycentric weights (n, 3) of the point of triangle (a, b, c) nearest to p; all (n, 3).

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


def closest_on_surface(
    points: np.ndarray, vertices: np.ndarray, triangles: np.ndarray, candidates: int = 24
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nearest surface points: triangle (n,), barycentric weights (n, 3), distance (n,).

    Only the `candidates` triangles with the nearest centres are looked at, which is exact for even meshes.
    """
    corners = vertices[triangles]
    near = cKDTree(corners.mean(axis=1)).query(points, k=min(candidates, len(triangles)))[1]
    t = corners[near]  # (n, k, 3, 3)
    p = np.broadcast_to(points[:, None], t[:, :, 0].shape)
    weights = closest_on_triangles(p, t[:, :, 0], t[:, :, 1], t[:, :, 2])
    distance = np.linalg.norm((weights[..., None] * t).sum(axis=2) - p, axis=-1)
    best = distance.argmin(axis=1)
    rows = np.arange(len(points))
    return near[rows, best], weights[rows, best], distance[rows, best]
