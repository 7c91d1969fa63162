"""Whether a vertex may move onto its neighbour: seams and borders keep together, no triangle turns over.

Corners of triangles are numbered 3 t + k; `first` has one of each vertex, `after` the next of the same vertex, or -1.
Triangles that are gone have a first corner below 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tronie.runtime.jit import jit

FLIP = 0.2
"""Least cosine between a triangle's normals before and after a collapse."""
SLIVER = 0.05
"""A triangle must not become thinner than this: its area by that of an equilateral one with its longest side."""


@jit
def pairs(u: int, v: int, triangles: Any, vertex: Any, first: Any, after: Any, pair: Any) -> int:
    """Which corner of v each corner of u becomes, into `pair` (8, 2); their number, or -1 if u may not move to v."""
    count = shared = 0
    c = first[u]
    while c >= 0:
        t, k = c // 3, c % 3
        if triangles[t, 0] >= 0:
            for j in range(1, 3):
                other = triangles[t, (k + j) % 3]
                if vertex[other] == v:
                    shared += 1
                    known = False
                    for i in range(count):
                        if pair[i, 0] == triangles[t, k] or pair[i, 1] == other:
                            if pair[i, 0] != triangles[t, k] or pair[i, 1] != other:
                                return -1  # a seam opens or closes at one end of the edge
                            known = True
                    if not known:
                        if count == pair.shape[0]:
                            return -1
                        pair[count, 0], pair[count, 1] = triangles[t, k], other
                        count += 1
        c = after[c]
    if shared == 0 or shared > 2:
        return -1
    # All corners of u need a partner; a border may only go along itself.
    border = torn = False
    around = 0
    c = first[u]
    while c >= 0:
        t, k = c // 3, c % 3
        if triangles[t, 0] >= 0:
            known = False
            for i in range(count):
                known = known or pair[i, 0] == triangles[t, k]
            if not known:
                return -1
            for j in range(1, 3):
                corner = triangles[t, (k + j) % 3]
                a = vertex[corner]
                twins, near = 0, False
                d = first[u]
                while d >= 0:
                    s, m = d // 3, d % 3
                    if triangles[s, 0] >= 0:
                        for i in range(1, 3):
                            other = triangles[s, (m + i) % 3]
                            if vertex[other] == a:
                                twins += 1
                                torn = torn or other != corner
                    d = after[d]
                if twins == 1:
                    border = True
                if twins > 2:
                    return -1
                if a != v:  # is it a neighbour of v too?
                    d = first[v]
                    while d >= 0 and not near:
                        s, m = d // 3, d % 3
                        near = triangles[s, 0] >= 0 and (
                            vertex[triangles[s, (m + 1) % 3]] == a or vertex[triangles[s, (m + 2) % 3]] == a
                        )
                        d = after[d]
                    if near:
                        around += 3 - twins  # twice in all: from two triangles, or from one
        c = after[c]
    if around != 2 * shared:  # the link condition: else a fold or a handle would close
        return -1
    if (border and shared != 1) or (torn and count == 1):  # off the border, or the end of a seam away from it
        return -1
    return count


@jit
def _normal(x: Any, a: int, b: int, c: int) -> Any:
    """Of the triangle a, b, c: its normal (twice as long as it is large), and the square of its longest side."""
    ux, uy, uz = x[b, 0] - x[a, 0], x[b, 1] - x[a, 1], x[b, 2] - x[a, 2]
    vx, vy, vz = x[c, 0] - x[a, 0], x[c, 1] - x[a, 1], x[c, 2] - x[a, 2]
    wx, wy, wz = vx - ux, vy - uy, vz - uz
    longest = max(ux * ux + uy * uy + uz * uz, vx * vx + vy * vy + vz * vz, wx * wx + wy * wy + wz * wz)
    return uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx, longest


@jit
def _turn(uv: Any, a: int, b: int, c: int) -> float:
    """Twice the area on the texture, with a sign."""
    return float((uv[b, 0] - uv[a, 0]) * (uv[c, 1] - uv[a, 1]) - (uv[b, 1] - uv[a, 1]) * (uv[c, 0] - uv[a, 0]))


@jit
def fits(u: int, v: int, count: int, pair: Any, x: Any, uv: Any, triangles: Any, vertex: Any, first: Any,
          after: Any) -> bool:  # fmt: skip
    """Whether no triangle turns over, in space or on the texture, nor gets too thin."""
    c = first[u]
    while c >= 0:
        t, k = c // 3, c % 3
        c = after[c]
        if triangles[t, 0] < 0:
            continue
        corner, p, q = triangles[t, k], triangles[t, (k + 1) % 3], triangles[t, (k + 2) % 3]
        if vertex[p] == v or vertex[q] == v:
            continue
        moved = corner
        for i in range(count):
            if pair[i, 0] == corner:
                moved = pair[i, 1]
        ax, ay, az, long_a = _normal(x, corner, p, q)
        bx, by, bz, long_b = _normal(x, moved, p, q)
        la, lb = np.sqrt(ax * ax + ay * ay + az * az), np.sqrt(bx * bx + by * by + bz * bz)
        if ax * bx + ay * by + az * bz <= FLIP * la * lb:
            return False
        if lb < SLIVER * 0.866 * long_b and lb * long_a < la * long_b:
            return False
        before, now = _turn(uv, corner, p, q), _turn(uv, moved, p, q)
        if before * now < 0 or (now == 0 and before != 0):
            return False
    return True
