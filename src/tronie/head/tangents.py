"""Tangents of a mesh from its UV, as renderers of normal maps expect them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tronie.head.surface import Piece
from tronie.runtime.jit import jit


def tangents(vertices: ArrayLike, piece: Piece, normals: ArrayLike) -> NDArray[np.float32]:
    """The TANGENT attribute of one primitive of a GLB: (N, 4) float32, a row for each row of `piece.vertex`.

    `vertices` (V, 3) and unit `normals` (V, 3) are the head's, before it is split at the seams (any unit; the file's
    own are `head.neutral` and `tronie.head.surface.quad_vertex_normals` of it); `piece` is one of
    `tronie.head.surface.pieces`. x, y, z is a unit vector along the surface in which u grows, at right angles to the
    vertex's normal. w is +1, or -1 where the atlas shows the surface mirrored, so that

        bitangent = w cross(normal, tangent)

    points to where v shrinks: up in the texture, as glTF's normal maps (+Y up) mean it. In each triangle the direction
    of u is laid into the corner's tangent plane and weighted by the corner's angle (MikkTSpace: Mikkelsen 2008, which
    differs in that it also splits vertices where mirrored and unmirrored charts meet). A vertex without a triangle of
    any area in the atlas gets some direction in its plane.
    """
    return np.asarray(
        _tangents(
            np.ascontiguousarray(vertices, dtype=np.float32),
            np.ascontiguousarray(normals, dtype=np.float32),
            piece.vertex,
            piece.uv,
            piece.triangles,
        )
    )


@jit
def _tangents(p: Any, normals: Any, vertex: Any, uv: Any, triangles: Any) -> Any:
    total = np.zeros((len(vertex), 3))
    turn = np.zeros(len(vertex))
    out = np.zeros((len(vertex), 4), np.float32)
    e, f, d, n = np.zeros(3), np.zeros(3), np.zeros(3), np.zeros(3)
    for t in range(triangles.shape[0]):
        i0, i1, i2 = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        du1, dv1 = np.float64(uv[i1, 0]) - uv[i0, 0], np.float64(uv[i1, 1]) - uv[i0, 1]
        du2, dv2 = np.float64(uv[i2, 0]) - uv[i0, 0], np.float64(uv[i2, 1]) - uv[i0, 1]
        area = du1 * dv2 - du2 * dv1  # below 0 for a triangle that the atlas shows from outside: v points down
        if area == 0:
            continue
        sign = 1.0 if area > 0 else -1.0
        for k in range(3):
            d[k] = sign * (
                dv2 * (np.float64(p[vertex[i1], k]) - p[vertex[i0], k])
                - dv1 * (np.float64(p[vertex[i2], k]) - p[vertex[i0], k])
            )
        for c in range(3):
            here, right, left = triangles[t, c], triangles[t, (c + 1) % 3], triangles[t, (c + 2) % 3]
            for k in range(3):
                n[k] = normals[vertex[here], k]
                e[k] = np.float64(p[vertex[right], k]) - p[vertex[here], k]
                f[k] = np.float64(p[vertex[left], k]) - p[vertex[here], k]
            _flatten(e, n)
            _flatten(f, n)
            x, y, z = d[0], d[1], d[2]
            dot = x * n[0] + y * n[1] + z * n[2]
            x, y, z = x - dot * n[0], y - dot * n[1], z - dot * n[2]
            length = np.sqrt(x * x + y * y + z * z)
            if length <= 0:
                continue
            angle = np.arccos(min(max(e[0] * f[0] + e[1] * f[1] + e[2] * f[2], -1.0), 1.0))
            total[here, 0] += angle * x / length
            total[here, 1] += angle * y / length
            total[here, 2] += angle * z / length
            turn[here] -= angle * sign
    for i in range(len(vertex)):
        for k in range(3):
            n[k] = normals[vertex[i], k]
            d[k] = total[i, k]
        if _flatten(d, n) < 1e-9:
            for k in range(3):
                d[k] = 1.0 if k == (0 if abs(n[0]) < 0.7 else 1) else 0.0
            _flatten(d, n)
        for k in range(3):
            out[i, k] = d[k]
        out[i, 3] = -1 if turn[i] < 0 else 1
    return out


@jit
def _flatten(v: Any, n: Any) -> float:
    """Lay `v` (3,) into the plane at right angles to the unit `n`, make it a unit vector, and say how long it was."""
    dot = v[0] * n[0] + v[1] * n[1] + v[2] * n[2]
    for k in range(3):
        v[k] -= dot * n[k]
    length = np.sqrt(v[0] ** 2 + v[1] ** 2 + v[2] ** 2)
    for k in range(3):
        v[k] = v[k] / length if length > 0 else 0.0
    return float(length)
