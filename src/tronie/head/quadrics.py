"""The quadric error of a mesh whose points have n dimensions (Garland & Heckbert 1998)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.runtime.jit import jit

Ints = NDArray[np.int32]


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
