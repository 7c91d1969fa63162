"""The inner loop of a turned photo: what is mirrored, filled or beyond the border laid over the warped photo."""

from __future__ import annotations

from typing import Any

import numpy as np

from tronie.runtime.jit import jit

ZERO, ONE, HALF, TOP = (np.float32(x) for x in (0, 1, 0.5, 255))


@jit
def _weigh(position: Any, cells: int) -> tuple[int, int, Any]:
    """Cells on both sides of a position (cell centres at 0, 1, ...), and the share of the second."""
    at = min(max(position, ZERO), np.float32(cells - 1))
    first = min(int(at), max(cells - 2, 0))
    return first, min(first + 1, cells - 1), at - np.float32(first)


@jit
def _bilinear(grid: Any, i: int, i1: int, fy: Any, j: int, j1: int, fx: Any, k: int) -> Any:
    top = grid[i, j, k] + fx * (grid[i, j1, k] - grid[i, j, k])
    low = grid[i1, j, k] + fx * (grid[i1, j1, k] - grid[i1, j, k])
    return top + fy * (low - top)


@jit
def lay(
    out: Any, source: Any, grid: Any, gain: Any, beyond: Any, cell: int, kinds: Any, mask: Any
) -> None:  # fmt: skip
    """Over `out` (H, W, 3) uint8, the warped photo, cell by cell of `cell` pixels where there is something to lay.

    `grid` (h, w, 9) float32, cell centres: pixel of the source (array indices) of the other side, x and y; shares of
    mirrored, fill, and of what lies beyond the photo; the fill's colour; the head. `gain` (m, n, 3) times the
    mirrored, `beyond` (m, n, 3) colours over coarser grids of the whole. `kinds` (5,): what to write into `mask`
    (H, W) for direct, mirrored, fill, beyond, and for direct outside of the head.
    """
    height, width = out.shape[0], out.shape[1]
    rows, columns = grid.shape[0], grid.shape[1]
    small = np.float32(1 / cell)
    coarse_y, coarse_x = np.float32(gain.shape[0] / height), np.float32(gain.shape[1] / width)
    for bi in range(rows):
        for bj in range(columns):
            most = ZERO
            low, high = ONE, ZERO
            for i in range(max(bi - 1, 0), min(bi + 2, rows)):
                for j in range(max(bj - 1, 0), min(bj + 2, columns)):
                    most = max(most, max(grid[i, j, 2], max(grid[i, j, 3], grid[i, j, 4])))
                    low, high = min(low, grid[i, j, 8]), max(high, grid[i, j, 8])
            busy = most > np.float32(0.003)
            whole = low >= HALF or high < HALF
            for y in range(bi * cell, min((bi + 1) * cell, height)):
                i, i1, fy = _weigh((np.float32(y) + HALF) * small - HALF, rows)
                for x in range(bj * cell, min((bj + 1) * cell, width)):
                    if whole and not busy:
                        mask[y, x] = kinds[0] if low >= HALF else kinds[4]
                        continue
                    j, j1, fx = _weigh((np.float32(x) + HALF) * small - HALF, columns)
                    head = _bilinear(grid, i, i1, fy, j, j1, fx, 8)
                    kind = kinds[0] if head >= HALF else kinds[4]
                    if busy:
                        m = _bilinear(grid, i, i1, fy, j, j1, fx, 2)
                        f = _bilinear(grid, i, i1, fy, j, j1, fx, 3)
                        b = _bilinear(grid, i, i1, fy, j, j1, fx, 4)
                        c, c1, gy = _weigh((np.float32(y) + HALF) * coarse_y - HALF, gain.shape[0])
                        d, d1, gx = _weigh((np.float32(x) + HALF) * coarse_x - HALF, gain.shape[1])
                        if m > ZERO:
                            sx = _bilinear(grid, i, i1, fy, j, j1, fx, 0)
                            sy = _bilinear(grid, i, i1, fy, j, j1, fx, 1)
                            r, r1, hy = _weigh(sy, source.shape[0])
                            s, s1, hx = _weigh(sx, source.shape[1])
                        for k in range(3):
                            value = np.float32(out[y, x, k])
                            if b > ZERO:
                                value += b * (_bilinear(beyond, c, c1, gy, d, d1, gx, k) - value)
                            if m > ZERO:
                                top = source[r, s, k] * (ONE - hx) + source[r, s1, k] * hx
                                under = source[r1, s, k] * (ONE - hx) + source[r1, s1, k] * hx
                                other = (top + hy * (under - top)) * _bilinear(gain, c, c1, gy, d, d1, gx, k)
                                value += m * (other - value)
                            if f > ZERO:
                                value += f * (_bilinear(grid, i, i1, fy, j, j1, fx, 5 + k) - value)
                            out[y, x, k] = np.uint8(min(max(value + HALF, ZERO), TOP))
                        if head >= HALF and f > HALF:
                            kind = kinds[2]
                        elif m > HALF:
                            kind = kinds[1]
                        elif b > HALF:
                            kind = kinds[3]
                    mask[y, x] = kind
