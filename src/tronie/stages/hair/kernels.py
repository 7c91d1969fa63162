"""Kernels of a shell's picture: every texel from photos, and what goes in where they show nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from tronie.runtime.jit import fast_jit

PER_ROW, PER_COLUMN = 12, 10
"""Texels between two rows and two columns of rays."""
ZERO, ONE, HALF, TOP = (np.float32(x) for x in (0, 1, 0.5, 255))
MATTE_LOW, MATTE_HIGH = np.float32(0.4), np.float32(0.9)
"""Shares between which a colour begins to be the hair's own, and not mixed with what is behind."""
CROP_X, CROP_Y, MASK_X, MASK_Y, SEEN, SQUARE = (np.int64(k) for k in range(6))
"""What is where in `packed`. For each plain number that a kernel hands on, numba would compile anew what gets it."""


@fast_jit
def _step(x: Any, low: Any, high: Any) -> Any:
    t = min(max((x - low) / (high - low), ZERO), ONE)
    return t * t * (np.float32(3) - np.float32(2) * t)


@fast_jit
def _mixed(values: Any, i: Any, j: Any, k: Any, fy: Any, fx: Any) -> Any:
    top = values[i, j, k] + fx * (values[i, j + 1, k] - values[i, j, k])
    low = values[i + 1, j, k] + fx * (values[i + 1, j + 1, k] - values[i + 1, j, k])
    return top + fy * (low - top)


@fast_jit
def look_up(packed: Any, crop: Any, canvas: Any, solid: Any, colour: Any, shown: Any, share: Any, sure: Any) -> None:
    """Add what one photo shows. `packed` (R, C, 6) float32 of the rays: place x, y in `crop`, x, y on the `canvas` of
    shares and of those well inside, `solid`, seen, square to the view. `colour` (H, W, 3) grows by the colours times
    how well they are shown, `shown` by the latter, `share` by the share times how square the place is to the view,
    `sure` by the latter."""
    rows, columns = packed.shape[0] - 1, packed.shape[1] - 1
    right, low = np.float32(crop.shape[1] - 1.001), np.float32(crop.shape[0] - 1.001)
    side = np.float32(canvas.shape[0] - 1.001)
    for i in range(rows):
        for j in range(columns):
            if max(packed[i, j, 4], packed[i, j + 1, 4], packed[i + 1, j, 4], packed[i + 1, j + 1, 4]) <= ZERO:
                continue
            for a in range(PER_ROW):
                fy = np.float32((a + 0.5) / PER_ROW)
                y = i * PER_ROW + a
                for b in range(PER_COLUMN):
                    fx = np.float32((b + 0.5) / PER_COLUMN)
                    x = j * PER_COLUMN + b
                    seen = _mixed(packed, i, j, SEEN, fy, fx)
                    if seen <= ZERO:
                        continue
                    cx = min(max(_mixed(packed, i, j, MASK_X, fy, fx) - HALF, ZERO), side)
                    cy = min(max(_mixed(packed, i, j, MASK_Y, fy, fx) - HALF, ZERO), side)
                    m, n = int(cy), int(cx)
                    gy, gx = cy - np.float32(m), cx - np.float32(n)
                    top = canvas[m, n] + gx * (canvas[m, n + 1] - canvas[m, n])
                    bottom = canvas[m + 1, n] + gx * (canvas[m + 1, n + 1] - canvas[m + 1, n])
                    here = top + gy * (bottom - top)
                    square = _mixed(packed, i, j, SQUARE, fy, fx)
                    share[y, x] += here * square
                    sure[y, x] += square
                    top = solid[m, n] + gx * (solid[m, n + 1] - solid[m, n])
                    bottom = solid[m + 1, n] + gx * (solid[m + 1, n + 1] - solid[m + 1, n])
                    own = seen * _step(top + gy * (bottom - top), MATTE_LOW, MATTE_HIGH)
                    if own <= ZERO:
                        continue
                    px = min(max(_mixed(packed, i, j, CROP_X, fy, fx) - HALF, ZERO), right)
                    py = min(max(_mixed(packed, i, j, CROP_Y, fy, fx) - HALF, ZERO), low)
                    m, n = int(py), int(px)
                    gy, gx = py - np.float32(m), px - np.float32(n)
                    for k in range(3):
                        p, q = np.float32(crop[m, n, k]), np.float32(crop[m + 1, n, k])
                        p += gx * (np.float32(crop[m, n + 1, k]) - p)
                        q += gx * (np.float32(crop[m + 1, n + 1, k]) - q)
                        colour[y, x, k] += own * (p + gy * (q - p))
                    shown[y, x] += own


@fast_jit
def fine_light(colour: Any, shown: Any, slow: Any, first: int, out: Any) -> None:
    """(h, W) the logarithm of how much lighter each texel is than its surroundings, from row `first` on."""
    height, width = out.shape
    rows, columns = slow.shape[0], slow.shape[1]
    third, dark = np.float32(1 / 3), np.float32(8)
    for y in range(height):
        sy = min(max(np.float32((first + y + 0.5) / PER_ROW) - HALF, ZERO), np.float32(rows - 1.001))
        m = int(sy)
        gy = sy - np.float32(m)
        for x in range(width):
            own = shown[first + y, x]
            if own < np.float32(0.1):
                out[y, x] = ZERO
                continue
            sx = np.float32((x + 0.5) / PER_COLUMN) - HALF
            n = int(np.floor(sx))
            gx = sx - np.float32(n)
            left, right = n % columns, (n + 1) % columns
            p = slow[m, left, 0] + slow[m, left, 1] + slow[m, left, 2]
            p += gx * (slow[m, right, 0] + slow[m, right, 1] + slow[m, right, 2] - p)
            q = slow[m + 1, left, 0] + slow[m + 1, left, 1] + slow[m + 1, left, 2]
            q += gx * (slow[m + 1, right, 0] + slow[m + 1, right, 1] + slow[m + 1, right, 2] - q)
            level = third * (p + gy * (q - p))
            light = third * (colour[first + y, x, 0] + colour[first + y, x, 1] + colour[first + y, x, 2]) / own
            out[y, x] = np.log((light + dark) / (level + dark))


@fast_jit
def finish(
    colour: Any,
    shown: Any,
    share: Any,
    sure: Any,
    slow: Any,
    detail: Any,
    strand: Any,
    ragged: Any,
    cover: Any,
    out: Any,
) -> None:
    """(H, W, 4) the picture. `slow` (R - 1, C - 1, 3) colours at the cells' middles, `detail` (h, w) what is multiplied
    to them, in the logarithm, repeated, `strand` int8 (H, W) moves the border by `ragged` for each step, `cover`
    (R, C)."""
    height, width = shown.shape
    rows, columns = slow.shape[0], slow.shape[1]
    tall, wide = detail.shape
    factors = np.exp(detail)
    within, across = np.empty(width, np.float32), np.empty(width, np.float32)
    beside = np.empty((width, 3), np.int64)
    for x in range(width):
        within[x] = (x % PER_COLUMN + 0.5) / PER_COLUMN
        sx = np.float32((x + 0.5) / PER_COLUMN) - HALF
        n = int(np.floor(sx))
        across[x] = sx - np.float32(n)
        beside[x, 0], beside[x, 1], beside[x, 2] = n % columns, (n + 1) % columns, x % wide
    for y in range(height):
        i = y // PER_ROW
        fy = np.float32((y % PER_ROW + 0.5) / PER_ROW)
        sy = min(max(np.float32((y + 0.5) / PER_ROW) - HALF, ZERO), np.float32(rows - 1.001))
        m = int(sy)
        gy = sy - np.float32(m)
        repeated = factors[y % tall]
        for x in range(width):
            j, fx = x // PER_COLUMN, within[x]
            top = cover[i, j] + fx * (cover[i, j + 1] - cover[i, j])
            low = cover[i + 1, j] + fx * (cover[i + 1, j + 1] - cover[i + 1, j])
            alpha = top + fy * (low - top) + ragged * np.float32(strand[y, x])
            known = sure[y, x]
            if known > ZERO:
                alpha += min(known, ONE) * (share[y, x] / known - alpha)
            left, right, gx = beside[x, 0], beside[x, 1], across[x]
            factor = repeated[beside[x, 2]]
            own = min(shown[y, x], ONE)
            for k in range(3):
                p = slow[m, left, k] + gx * (slow[m, right, k] - slow[m, left, k])
                q = slow[m + 1, left, k] + gx * (slow[m + 1, right, k] - slow[m + 1, left, k])
                value = (p + gy * (q - p)) * factor
                if own > ZERO:
                    value += own * (colour[y, x, k] / shown[y, x] - value)
                out[y, x, k] = np.uint8(min(max(value + HALF, ZERO), TOP))
            out[y, x, 3] = np.uint8(TOP * _step(alpha, np.float32(0.3), np.float32(0.7)) + HALF)
