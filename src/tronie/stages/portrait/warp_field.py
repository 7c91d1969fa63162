"""Interpolation of scattered values: a screened membrane on a small grid, solved coarse to fine."""

from __future__ import annotations

from typing import Any

import numpy as np

from tronie.arrays import Array
from tronie.runtime.jit import jit

COARSEST = 8
"""Cells along the shorter side of the coarsest grid."""
SWEEPS, RELAX = 14, 1.5
"""Of successive over-relaxation on each grid."""


def membrane(weight: Array, data: Array, screen: float) -> Array:
    """(H, W, K) float32 e that minimises  sum w |e - d|^2 + |grad e|^2 + screen |e|^2  over the grid.

    `weight` (H, W) >= 0 and `data` (H, W, K) say what is known where; far from it, beyond about 1 / sqrt(screen) cells,
    the field falls to 0. The border is free.
    """
    w = np.ascontiguousarray(weight, dtype=np.float32)
    d = np.ascontiguousarray(data, dtype=np.float32)
    height, width = w.shape
    if min(height, width) >= 2 * COARSEST:
        import cv2

        half = (width + 1) // 2, (height + 1) // 2
        pad = ((0, height % 2), (0, width % 2))
        wp, dp = np.pad(w, pad), np.pad(d * w[..., None], (*pad, (0, 0)))
        total = _quarters(wp)
        mean = _quarters(dp) / np.maximum(total, 1e-9)[..., None]
        coarse = membrane(total, mean, 4 * screen)
        assert coarse.shape[:2] == half[::-1]
        fine = cv2.resize(coarse, (2 * half[0], 2 * half[1]), interpolation=cv2.INTER_LINEAR)
        field = np.ascontiguousarray(fine.reshape(2 * half[1], 2 * half[0], -1)[:height, :width], dtype=np.float32)
        sweeps = SWEEPS
    else:
        # From the best constant: what is slowest to settle.
        level = (w[..., None] * d).sum(axis=(0, 1)) / max(float(w.sum()) + screen * w.size, 1e-9)
        field, sweeps = np.broadcast_to(level, d.shape).astype(np.float32), 6 * SWEEPS
    _relax(w, d, np.float32(screen), np.float32(RELAX), sweeps, field)
    return field


def _quarters(values: Array) -> Array:
    """Sums over 2 x 2 cells."""
    return values[::2, ::2] + values[1::2, ::2] + values[::2, 1::2] + values[1::2, 1::2]


@jit
def _relax(weight: Any, data: Any, screen: Any, relax: Any, sweeps: int, field: Any) -> None:
    height, width, channels = field.shape
    for _ in range(sweeps):
        for i in range(height):
            for j in range(width):
                count = np.float32(0)
                if i > 0:
                    count += np.float32(1)
                if i < height - 1:
                    count += np.float32(1)
                if j > 0:
                    count += np.float32(1)
                if j < width - 1:
                    count += np.float32(1)
                w = weight[i, j]
                share = relax / (w + count + screen)
                for k in range(channels):
                    total = w * data[i, j, k]
                    if i > 0:
                        total += field[i - 1, j, k]
                    if i < height - 1:
                        total += field[i + 1, j, k]
                    if j > 0:
                        total += field[i, j - 1, k]
                    if j < width - 1:
                        total += field[i, j + 1, k]
                    field[i, j, k] += share * total - relax * field[i, j, k]


def splat(points: Array, values: Array, weights: Array, height: int, width: int) -> tuple[Array, Array]:
    """Scatter values (N, K) at grid positions (N, 2) x, y (cell centres at +0.5) onto their cells: summed weight (H, W)
    and mean value (H, W, K). Points outside are left out."""
    at = np.floor(points).astype(np.int64)
    inside = ((at >= 0) & (at < [width, height])).all(axis=1) & (weights > 0) & np.isfinite(values).all(axis=1)
    cell = at[inside, 1] * width + at[inside, 0]
    w = np.bincount(cell, weights[inside], height * width)
    sums = [np.bincount(cell, weights[inside] * values[inside, k], height * width) for k in range(values.shape[1])]
    mean = np.stack(sums, axis=-1) / np.maximum(w, 1e-9)[:, None]
    return w.astype(np.float64).reshape(height, width), mean.reshape(height, width, -1)
