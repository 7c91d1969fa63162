"""Values over a scaffold's rays: fields that close round the head, whose last column is the first again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.runtime.jit import fast_jit
from tronie.stages.hair.scaffold import STEP_MM

HALVES, SWEEPS = 3, 24
"""Coarser grids, each half as fine as the next, and sweeps of relaxation on each."""


def relaxed(value: Array, weight: Array, prior: Array | float, prior_weight: Array | float) -> Array:
    """(R, C) or (R, C, k) the screened membrane through values with weights (R, C): x that minimises

        sum weight (x - value)^2 + prior_weight (x - prior)^2 + sum over neighbours (x_i - x_j)^2,

    first on coarser grids, over which values spread far (Briggs, Henson, McCormick: A Multigrid Tutorial)."""
    import cv2

    flat = value if value.ndim == 3 else value[..., None]
    w = np.where(weight > 0, weight, 0)[..., None]
    p = np.broadcast_to(np.asarray(prior_weight, np.float64), weight.shape)[..., None]
    far = np.asarray(prior, np.float64)
    far = np.broadcast_to(far[..., None] if far.shape == weight.shape else far, flat.shape)
    total = np.ascontiguousarray((w + p)[:, :-1, 0], np.float32)
    fixed = np.ascontiguousarray((w * np.where(w > 0, flat, 0) + p * far)[:, :-1], np.float32)
    rows, columns = total.shape
    x: Array | None = None
    for half in range(HALVES, -1, -1):
        size = max(columns >> half, 4), max(rows >> half, 4)
        if size == (columns, rows):
            a, b = total, fixed
        else:
            cells = np.float32(rows * columns / (size[0] * size[1]))
            a = np.asarray(cv2.resize(total, size, interpolation=cv2.INTER_AREA)) * cells
            b = np.asarray(cv2.resize(fixed, size, interpolation=cv2.INTER_AREA)).reshape(size[1], size[0], -1) * cells
        x = b / np.maximum(a, 1e-9)[..., None] if x is None else enlarged(x, size)
        _relax(a, np.ascontiguousarray(b), x, SWEEPS)
    assert x is not None
    return closed(x if value.ndim == 3 else x[..., 0])


@fast_jit
def _relax(total: Any, fixed: Any, x: Any, sweeps: int) -> None:
    """Gauss-Seidel with over-relaxation, in place."""
    rows, columns, depth = x.shape
    omega, four = np.float32(1.7), np.float32(4)
    for sweep in range(sweeps):
        for step in range(rows):
            i = step if sweep % 2 == 0 else rows - 1 - step
            above, below = max(i - 1, 0), min(i + 1, rows - 1)
            for j in range(columns):
                left, right = j - 1 if j else columns - 1, j + 1 if j + 1 < columns else 0
                share = omega / (total[i, j] + four)
                for k in range(depth):
                    s = fixed[i, j, k] + x[above, j, k] + x[below, j, k] + x[i, left, k] + x[i, right, k]
                    x[i, j, k] += share * s - omega * x[i, j, k]
        for k in range(depth):  # the pole is one point
            s = np.float32(0)
            for j in range(columns):
                s += x[0, j, k]
            x[0, :, k] = s / np.float32(columns)


def closed(values: Array) -> Array:
    """With the first column again as the last."""
    return np.concatenate([values, values[:, :1]], axis=1)


def enlarged(values: Array, size: tuple[int, int]) -> Array:
    """A field without its closing column, at another width and height."""
    import cv2

    n = values.shape[1]
    around = np.concatenate([values[:, -2:], values, values[:, :2]], axis=1)
    width = round(size[0] * (n + 4) / n)
    wide = np.asarray(cv2.resize(around, (width, size[1]), interpolation=cv2.INTER_LINEAR), np.float32)
    start = (width - size[0]) // 2
    out = wide[:, start : start + size[0]]
    return np.ascontiguousarray(out.reshape(size[1], size[0], -1))


def blurred(values: Array, sigma: float = 1.0) -> Array:
    """(R, C) smoothed over so many rays."""
    import cv2

    n, pad = values.shape[1] - 1, int(3 * sigma + 1)
    around = np.concatenate([values[:, n - pad : n], values[:, :n], values[:, :pad]], axis=1)
    smooth: Array = np.asarray(
        cv2.GaussianBlur(around, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), dtype=np.float64
    )
    return closed(smooth[:, pad : pad + n])


def widest(values: Array) -> Array:
    """(R, C) the largest of each value and its neighbours'."""
    import cv2

    n = values.shape[1] - 1
    around = np.concatenate([values[:, n - 1 : n], values[:, :n], values[:, :1]], axis=1)
    wide: Array = np.asarray(cv2.dilate(around, np.ones((3, 3), np.uint8)), dtype=np.float64)
    return closed(wide[:, 1 : n + 1])


def depth_within(covered: NDArray[np.bool_]) -> Array:
    """(R, C) mm, roughly: how far inside the covered rays each lies."""
    import cv2

    n = covered.shape[1] - 1
    around = np.concatenate([covered[:, :n]] * 3, axis=1).astype(np.uint8)
    distance = np.asarray(cv2.distanceTransform(around, cv2.DIST_L2, 5), np.float64)
    return closed(distance[:, n : 2 * n]) * STEP_MM


def normals(points: Array) -> Array:
    """(R, C, 3) outward unit normals of points (R, C, 3)."""
    around = points[:, :-1]
    across = np.roll(around, -1, axis=1) - np.roll(around, 1, axis=1)
    down = np.concatenate([around[1:2] - around[:1], around[2:] - around[:-2], around[-1:] - around[-2:-1]])
    n = np.cross(down, across)
    n[0] = n[1].mean(axis=0)
    n /= np.maximum(np.linalg.norm(n, axis=-1, keepdims=True), 1e-9)
    return closed(n)
