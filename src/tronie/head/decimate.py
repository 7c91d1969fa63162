"""Fewer triangles by half-edge collapses in the order of their quadric error.

Garland & Heckbert 1997, "Surface Simplification Using Quadric Error Metrics", in the form of their paper of 1998 for
surfaces with colour and texture: a point is a place in R^n, the quadric of a triangle is the squared distance from
its plane there. Texture coordinates and morph targets are further dimensions, so that neither slides nor stiffens.
A vertex only ever moves onto another one: what is left are vertices of the mesh, with all that belongs to them.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.head.collapse import fits, pairs
from tronie.head.quadrics import error, quadrics
from tronie.runtime.jit import jit

Ints = NDArray[np.int32]


def decimate(points: Array, uv: Array, vertex: Ints, triangles: Ints, weight: Array, targets: Sequence[int]) -> list[
    Ints
]:  # fmt: skip
    """The triangles (T', 3) that are left at each of `targets` (falling numbers of triangles).

    `points` (W, n): corners in R^n, of which the first three are the place in space; `uv` (W, 2); `vertex` (W,): the
    vertex of each corner. Corners of one vertex that differ are a seam (of the texture, or of materials): it keeps
    its ends and may only be shortened along itself, on both sides alike; so may an open border. `triangles` (T, 3)
    rows of `points`; `weight` (T,) prices their errors. Where nothing more can go, more triangles are left.
    """
    x = np.ascontiguousarray(points, dtype=np.float64)
    t = np.ascontiguousarray(triangles, dtype=np.int32)
    v = np.ascontiguousarray(vertex, dtype=np.int32)
    prices = quadrics(x, t, v, np.ascontiguousarray(weight, dtype=np.float64))
    order = sorted({int(n) for n in targets}, reverse=True)
    found = _collapse(x, np.ascontiguousarray(uv, dtype=np.float64), v, t.copy(), prices, np.asarray(order, np.int64))
    by_target = {n: np.ascontiguousarray(kept[kept[:, 0] >= 0]) for n, kept in zip(order, found, strict=True)}
    return [by_target[int(n)] for n in targets]


@jit
def _best(u: int, x: Any, uv: Any, triangles: Any, vertex: Any, first: Any, after: Any, q: Any, pair: Any) -> Any:
    """The cheapest allowed move of vertex u: where to, and its price."""
    goal, price = -1, np.inf
    seen, number = np.empty(64, np.int64), 0
    c = first[u]
    while c >= 0:
        t, k = c // 3, c % 3
        c = after[c]
        if triangles[t, 0] < 0:
            continue
        for j in range(1, 3):
            v = vertex[triangles[t, (k + j) % 3]]
            known = False
            for i in range(number):
                known = known or seen[i] == v
            if known or number == len(seen):
                continue
            seen[number] = v
            number += 1
            count = pairs(u, v, triangles, vertex, first, after, pair)
            if count < 0:
                continue
            cost = 0.0
            for i in range(count):
                cost += error(q[pair[i, 0]], x[pair[i, 1]]) + error(q[pair[i, 1]], x[pair[i, 1]])
            cost = max(cost, 0.0)
            if cost < price and fits(u, v, count, pair, x, uv, triangles, vertex, first, after):
                goal, price = v, cost
    return goal, price


@jit
def _prune(u: int, triangles: Any, first: Any, after: Any) -> None:
    """Take corners of triangles that are gone out of u's list."""
    before, c = -1, first[u]
    while c >= 0:
        if triangles[c // 3, 0] >= 0:
            before = c
        elif before < 0:
            first[u] = after[c]
        else:
            after[before] = after[c]
        c = after[c]


@jit
def _collapse(x: Any, uv: Any, vertex: Any, triangles: Any, q: Any, targets: Any) -> Any:
    vertices = vertex.max() + 1
    first = np.full(vertices, -1, np.int64)
    after = np.full(3 * len(triangles), -1, np.int64)
    for t in range(len(triangles) - 1, -1, -1):
        for k in range(3):
            v = vertex[triangles[t, k]]
            after[3 * t + k] = first[v]
            first[v] = 3 * t + k
    goal, stamp = np.full(vertices, -1, np.int64), np.zeros(vertices, np.int64)
    pair = np.empty((8, 2), np.int64)
    heap: Any = [(-1.0, np.int64(-1), np.int64(0))]
    heap.pop()
    for u in range(vertices):
        if first[u] >= 0:
            goal[u], price = _best(u, x, uv, triangles, vertex, first, after, q, pair)
            if goal[u] >= 0:
                heapq.heappush(heap, (price, np.int64(u), np.int64(0)))
    left = len(triangles)
    out = np.empty((len(targets), len(triangles), 3), np.int32)
    for number in range(len(targets)):
        while left > targets[number] and len(heap) > 0:
            price, u, mark = heapq.heappop(heap)
            v = goal[u]
            if mark != stamp[u] or v < 0:
                continue
            count = pairs(u, v, triangles, vertex, first, after, pair)
            if count >= 0 and fits(u, v, count, pair, x, uv, triangles, vertex, first, after):
                for i in range(count):
                    q[pair[i, 1]] += q[pair[i, 0]]
                c = first[u]
                last = c
                while c >= 0:
                    t, k = c // 3, c % 3
                    last = c
                    c = after[c]
                    if triangles[t, 0] < 0:
                        continue
                    if vertex[triangles[t, (k + 1) % 3]] == v or vertex[triangles[t, (k + 2) % 3]] == v:
                        triangles[t, 0] = -1
                        left -= 1
                        continue
                    for i in range(count):
                        if pair[i, 0] == triangles[t, k]:
                            triangles[t, k] = pair[i, 1]
                            break
                after[last] = first[v]
                first[v] = first[u]
                first[u] = -1
                goal[u] = -1
                _prune(v, triangles, first, after)
                # All whose surroundings have changed are now neighbours of v.
                changed = [v]
                d = first[v]
                while d >= 0:
                    t, k = d // 3, d % 3
                    if triangles[t, 0] >= 0:
                        for j in range(1, 3):
                            a = np.int64(vertex[triangles[t, (k + j) % 3]])
                            if a not in changed:
                                changed.append(a)
                    d = after[d]
            else:
                changed = [u]
            for a in changed:
                stamp[a] += 1
                _prune(a, triangles, first, after)
                goal[a], price = _best(a, x, uv, triangles, vertex, first, after, q, pair)
                if goal[a] >= 0:
                    heapq.heappush(heap, (price, np.int64(a), stamp[a]))
        out[number] = triangles
    return out
