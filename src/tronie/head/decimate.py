"""Fewer triangles by half-edge collapses in the order of their quadric error.

Garland & Heckbert 1997, "Surface Simplification Using Quadric Error Metrics", in the form of their paper of 1998 for
surfaces with colour and texture: a point is a place in R^n, the quadric of a triangle is the squared distance from
its plane there. Texture coordinates and morph targets are further dimensions, so that neither slides nor stiffens.
A vertex only ever moves onto another one: what is left are vertices of the mesh, with all that belongs to them.

In the kernels corners of triangles are numbered 3 t + k; `first` has one of each vertex, `after` the next of the same
vertex, or -1. Triangles that are gone have a first corner below 0.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.runtime.jit import jit

Ints = NDArray[np.int32]

FLIP = 0.2
"""Least cosine between a triangle's normals before and after a collapse."""
SLIVER = 0.05
"""A triangle must not become thinner than this: its area by that of an equilateral one with its longest side."""


def decimate(
    points: Array, uv: Array, vertex: Ints, triangles: Ints, weight: Array, targets: Sequence[int]
) -> list[Ints]:
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
def fits(
    u: int, v: int, count: int, pair: Any, x: Any, uv: Any, triangles: Any, vertex: Any, first: Any, after: Any
) -> bool:
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


def quadrics(x: Array, triangles: Ints, vertex: Ints, weight: Array) -> Array:
    """(W, n (n + 1) / 2 + n + 1): of each corner, the upper half of A, b and c of x A x + 2 b x + c."""
    n = x.shape[1]
    out = np.zeros((len(x), n * (n + 1) // 2 + n + 1))
    p, q, r = (x[triangles[:, k]] for k in range(3))
    area = 0.5 * np.linalg.norm(np.cross((q - p)[:, :3], (r - p)[:, :3]), axis=1)
    e1 = _unit(q - p)
    e2 = _unit((r - p) - ((r - p) * e1).sum(axis=1, keepdims=True) * e1)
    _add(out, triangles, p, np.stack([e1, e2], axis=1), weight * area / 3)
    # Of an edge that lies on a border or a seam: the squared distance from its line.
    corner = np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=-1).reshape(-1, 2)
    owner = np.repeat(np.arange(len(triangles)), 3)
    _, number, uses = np.unique(np.sort(corner, axis=1), axis=0, return_inverse=True, return_counts=True)
    rim = uses[number.ravel()] == 1
    ends = corner[rim]
    along = x[ends[:, 1]] - x[ends[:, 0]]
    price = weight[owner[rim]] * (along[:, :3] ** 2).sum(axis=1)
    _add(out, ends, x[ends[:, 0]], _unit(along)[:, None], price)
    return out


def _unit(rows: Array) -> Array:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def _add(out: Array, corners: Ints, p: Array, axes: Array, weight: Array) -> None:
    """The squared distance from p + span(axes) (N, k, n), to each of the corners (N, m)."""
    n = p.shape[1]
    a = np.eye(n) - np.einsum("tki,tkj->tij", axes, axes)
    b = -np.einsum("tij,tj->ti", a, p)
    c = -np.einsum("ti,ti->t", b, p)
    upper = np.triu_indices(n)
    rows = np.concatenate([a[:, upper[0], upper[1]], b, c[:, None]], axis=1) * weight[:, None]
    for k in range(corners.shape[1]):
        np.add.at(out, corners[:, k], rows)


@jit
def error(q: Any, x: Any) -> float:
    n = x.shape[0]
    total = q[q.shape[0] - 1]
    at, linear = 0, n * (n + 1) // 2
    for i in range(n):
        row = 0.5 * q[at] * x[i]
        at += 1
        for j in range(i + 1, n):
            row += q[at] * x[j]
            at += 1
        total += 2.0 * x[i] * (row + q[linear + i])
    return float(total)


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
