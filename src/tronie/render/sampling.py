"""Looking up: the texture, what is mirrored, the shadow. Indices have no sign, or each is asked whether it has one.

All numbers are float32; constants are made so too, because numba computes float32 with a Python float in float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tronie.runtime.jit import fast_jit

ZERO, ONE, HALF = (np.float32(x) for x in (0, 1, 0.5))
LANES, GREEN, LANE = np.uint64(0x00FF00FF), np.uint64(0x0000FF00), np.uint64(0xFFFF)
APART, UP, UPPER = np.uint64(24), np.uint64(16), np.uint64(32)
WEIGHTS, EVEN = np.float32(256), np.float32(1 / 256)
FIRST, SECOND = np.uintp(1), np.uintp(2)


@fast_jit
def _spread(texel: Any) -> Any:
    """Red, blue and green of a packed texel in lanes of 16 bits."""
    wide = np.uint64(texel)
    return (wide & LANES) | ((wide & GREEN) << APART)


@fast_jit
def _bilinear(pyramid: Any, offset: Any, height: Any, width: Any, u: Any, v: Any) -> Any:
    """Three lanes of 8.8 bits. Weights are whole 256ths, so one product serves all channels, without conversions."""
    px = min(max(u * np.float32(width) - HALF, ZERO), np.float32(width - 1))
    py = min(max(v * np.float32(height) - HALF, ZERO), np.float32(height - 1))
    j, i = np.int32(px), np.int32(py)
    fx, fy = np.uint64((px - np.float32(j)) * WEIGHTS), np.uint64((py - np.float32(i)) * WEIGHTS)
    f11 = (fx * fy + np.uint64(128)) >> np.uint64(8)
    f01, f10 = fx - f11, fy - f11
    f00 = np.uint64(256) - fx - f10
    p = np.uintp(offset + i * width + j)
    right = p + np.uintp(j + 1 < width)
    down = np.uintp(width) * np.uintp(i + 1 < height)
    return (
        f00 * _spread(pyramid[p]) + f01 * _spread(pyramid[right])
        + f10 * _spread(pyramid[p + down]) + f11 * _spread(pyramid[right + down])
    )  # fmt: skip


@fast_jit
def texture(pyramid: Any, levels: Any, detail: Any, u: Any, v: Any) -> Any:
    """Trilinear sRGB 0..255 at u, v, times 256."""
    top = levels.shape[0] - 1
    k = min(np.int32(detail), top)
    lanes = _bilinear(pyramid, levels[k, 0], levels[k, 1], levels[k, 2], u, v)
    r, b, g = np.float32(lanes & LANE), np.float32((lanes >> UP) & LANE), np.float32(lanes >> UPPER)
    share = detail - np.float32(k)
    if k < top and share > np.float32(0.02):
        lanes = _bilinear(pyramid, levels[k + 1, 0], levels[k + 1, 1], levels[k + 1, 2], u, v)
        p, s, q = np.float32(lanes & LANE), np.float32((lanes >> UP) & LANE), np.float32(lanes >> UPPER)
        r, g, b = r + share * (p - r), g + share * (q - g), b + share * (s - b)
    return r, g, b


@fast_jit
def mirrored(maps: Any, k: Any, x: Any, y: Any, z: Any) -> Any:
    """Linear RGB of map k in direction x, y, z (see `light.directions`)."""
    side = maps.shape[1]
    s = ONE / (abs(x) + abs(y) + abs(z) + np.float32(1e-12))
    a, b = x * s, y * s
    if z > ZERO:
        fa, fb = ONE - abs(b), ONE - abs(a)
        a = fa if a >= ZERO else -fa
        b = fb if b >= ZERO else -fb
    px = min(max((a + ONE) * HALF * np.float32(side) - HALF, ZERO), np.float32(side - 1.001))
    py = min(max((b + ONE) * HALF * np.float32(side) - HALF, ZERO), np.float32(side - 1.001))
    j, i = int(px), int(py)
    fx, fy = px - np.float32(j), py - np.float32(i)
    f11 = fx * fy
    f01, f10 = fx - f11, fy - f11
    f00 = ONE - fx - f10
    i1, j1 = i + 1, j + 1
    return (
        f00 * maps[k, i, j, 0] + f01 * maps[k, i, j1, 0] + f10 * maps[k, i1, j, 0] + f11 * maps[k, i1, j1, 0],
        f00 * maps[k, i, j, 1] + f01 * maps[k, i, j1, 1] + f10 * maps[k, i1, j, 1] + f11 * maps[k, i1, j1, 1],
        f00 * maps[k, i, j, 2] + f01 * maps[k, i, j1, 2] + f10 * maps[k, i1, j, 2] + f11 * maps[k, i1, j1, 2],
    )


@fast_jit
def lit_share(shadow: Any, to_shadow: Any, x: Any, y: Any, z: Any) -> Any:
    """0..1: how much of the lamp that casts shadows reaches camera position x, y, z, from the mean and the mean square
    of depth in the shadow's map (variance shadow maps, Donnelly & Lauritzen 2006)."""
    side = shadow.shape[0]
    u = to_shadow[0, 0] * x + to_shadow[0, 1] * y + to_shadow[0, 2] * z + to_shadow[0, 3]
    v = to_shadow[1, 0] * x + to_shadow[1, 1] * y + to_shadow[1, 2] * z + to_shadow[1, 3]
    d = to_shadow[2, 0] * x + to_shadow[2, 1] * y + to_shadow[2, 2] * z + to_shadow[2, 3]
    px = min(max(u - HALF, ZERO), np.float32(side - 1.001))
    py = min(max(v - HALF, ZERO), np.float32(side - 1.001))
    j, i = int(px), int(py)
    fx, fy = px - np.float32(j), py - np.float32(i)
    f11 = fx * fy
    f01, f10 = fx - f11, fy - f11
    f00 = ONE - fx - f10
    m = f00 * shadow[i, j, 0] + f01 * shadow[i, j + 1, 0] + f10 * shadow[i + 1, j, 0] + f11 * shadow[i + 1, j + 1, 0]
    q = f00 * shadow[i, j, 1] + f01 * shadow[i, j + 1, 1] + f10 * shadow[i + 1, j, 1] + f11 * shadow[i + 1, j + 1, 1]
    behind = d - m
    if behind <= ZERO:
        return ONE
    variance = max(q - m * m, np.float32(4.0))
    most = variance / (variance + behind * behind)
    # What the bound lets through behind two surfaces is cut off.
    t = min(max((most - np.float32(0.25)) / np.float32(0.75), ZERO), ONE)
    return t
