"""Kernels of baking: every texel from the photo, its mirrored twin, or the fill with hair on it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tronie.raster.rasterizer import SUBPIXEL, chart, corners, span
from tronie.runtime.jit import fast_jit
from tronie.types import PROVENANCE

SEEN, MIRRORED, FILLED, SYNTHETIC, ENHANCED, STATISTICAL = (
    PROVENANCE.index(n) for n in ("seen", "mirrored", "filled", "synthetic", "enhanced", "statistical")
)
EIGHT_BITS = np.float32(1 / 255)
ZERO, ONE, HALF, TOP = (np.float32(x) for x in (0, 1, 0.5, 255))
FIRST, SECOND, THIRD, FOURTH, FIFTH = (np.uintp(n) for n in range(1, 6))
"""Steps between bytes. Texels are numbered through, without a sign: else each index is asked whether it is negative."""
WIDTH = 18
"""Values carried over a triangle: own place 0-2, seen 3, mirrored 4, fill 5-7, the twin's place 8-10, its gain 11-13,
hair 14-16, how it grows per step of the cover 17. A triangle carries only as many as it needs."""


@fast_jit
def _sample(photo: Any, stride: Any, right: Any, low: Any, x: Any, y: Any) -> Any:
    """The bilinear colour at pixel position x, y; `stride` is the bytes of a row, `right` and `low` the last places."""
    px, py = min(max(x - HALF, ZERO), right), min(max(y - HALF, ZERO), low)
    j, i = np.int32(px), np.int32(py)
    fx, fy = px - np.float32(j), py - np.float32(i)
    f11 = fx * fy
    f01, f10 = fx - f11, fy - f11
    f00 = ONE - fx - f10
    p = np.uintp(i) * stride + THIRD * np.uintp(j)
    q = p + stride
    return (
        f00 * photo[p] + f01 * photo[p + THIRD] + f10 * photo[q] + f11 * photo[q + THIRD],
        f00 * photo[p + FIRST] + f01 * photo[p + FOURTH] + f10 * photo[q + FIRST] + f11 * photo[q + FOURTH],
        f00 * photo[p + SECOND] + f01 * photo[p + FIFTH] + f10 * photo[q + SECOND] + f11 * photo[q + FIFTH],
    )


@fast_jit
def _within(enhanced: Any, x: Any, y: Any) -> Any:
    u = enhanced[0, 0] * x + enhanced[0, 1] * y + enhanced[0, 2]
    v = enhanced[1, 0] * x + enhanced[1, 1] * y + enhanced[1, 2]
    return min(u, v) >= ZERO and max(u, v) <= ONE


@fast_jit
def _put(pixels: Any, texel: Any, red: Any, green: Any, blue: Any) -> None:
    """Colours 0..255, half a step added."""
    at = THIRD * texel
    pixels[at] = np.uint8(np.int32(min(max(red, ZERO), TOP)))
    pixels[at + FIRST] = np.uint8(np.int32(min(max(green, ZERO), TOP)))
    pixels[at + SECOND] = np.uint8(np.int32(min(max(blue, ZERO), TOP)))


@fast_jit
def composite(
    uv: Any,
    triangle_uv: Any,
    triangles: Any,
    synthetic: Any,
    mirror: Any,
    packed: Any,
    painted: Any,
    crop: Any,
    cover: Any,
    strand: Any,
    mottle: Any,
    contrast: Any,
    grain: Any,
    invented: Any,
    enhanced: Any,
    top: int,
    bottom: int,
    image: Any,
    provenance: Any,
) -> None:
    """Rows `top` to `bottom` of the atlas.

    `contrast` is the share by which strands change the hair's colour per step of their pattern, `grain` that by
    which the pattern of skin changes its; `invented` is the provenance of skin that the photo does not show.
    `enhanced` (2, 3) float32 leads from crop pixels to 0..1 where super-resolution has put detail in.

    Most texels are one of three plain kinds, whose loops carry few values; the last loop is for all others.
    """
    size, tile = image.shape[0], mottle.shape[0]
    pixels, kinds, photo = image.reshape(-1), provenance.reshape(-1), crop.reshape(-1)
    covers, strands = cover.reshape(-1), strand.reshape(-1)
    stride = THIRD * np.uintp(crop.shape[1])
    right, low = np.float32(crop.shape[1] - 1.001), np.float32(crop.shape[0] - 1.001)
    columns = np.empty(size, np.int32)
    for j in range(size):
        columns[j] = min(j, size - 1 - j) % tile
    val = np.zeros((3, WIDTH), np.float32)
    row, dx = np.zeros(WIDTH, np.float32), np.zeros(WIDTH, np.float32)
    for t in range(triangles.shape[0]):
        ua, ub, uc = triangle_uv[t, 0], triangle_uv[t, 1], triangle_uv[t, 2]
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        swapped, ax, ay, bx, by, cx, cy, area = chart(uv, ua, ub, uc, size)
        if area == 0:
            continue
        if swapped:
            b, c = c, b
            ub, uc = uc, ub
        j0, j1, i0, i1, e0, e1, e2 = corners(ax, ay, bx, by, cx, cy, size, size)
        if i0 >= bottom or i1 < top:
            continue
        paint = synthetic[t]
        whole = not paint
        mirrored = hairy = seen = False
        for k in range(3):
            v = a if k == 0 else (b if k == 1 else c)
            q = ua if k == 0 else (ub if k == 1 else uc)
            twin = mirror[v]
            for n in range(3):
                val[k, n] = packed[v, n]
                val[k, 5 + n] = painted[q, n] if paint else packed[v, 8 + n]
                val[k, 8 + n] = packed[twin, n]
                val[k, 11 + n] = packed[v, 5 + n]
                val[k, 14 + n] = packed[v, 11 + n]
            val[k, 3] = packed[v, 3]
            val[k, 4] = packed[v, 4]
            val[k, 17] = packed[v, 14] * EIGHT_BITS
            whole = whole and val[k, 3] >= ONE
            seen = seen or val[k, 3] > ZERO
            mirrored = mirrored or val[k, 4] > ZERO
            hairy = hairy or val[k, 17] > ZERO
        used = 3 if whole else (8 if paint else (WIDTH if hairy else (14 if mirrored else 8)))
        x0, x1, x2 = -(cy - by) * SUBPIXEL, -(ay - cy) * SUBPIXEL, -(by - ay) * SUBPIXEL
        y0, y1, y2 = (cx - bx) * SUBPIXEL, (ax - cx) * SUBPIXEL, (bx - ax) * SUBPIXEL
        scale = 1.0 / area
        for n in range(used):
            dx[n] = np.float32((x0 * val[0, n] + x1 * val[1, n] + x2 * val[2, n]) * scale)
        above = max(top - i0, 0)
        e0, e1, e2 = e0 + above * y0, e1 + above * y1, e2 + above * y2
        for i in range(i0 + above, min(i1 + 1, bottom)):
            start, stop = span(e0, e1, e2, x0, x1, x2, j1 - j0)
            first, count = j0 + start, stop - start + 1
            at = np.uintp(i * size + first)
            if count > 0:
                w0 = np.float32((e0 + start * x0) * scale)
                w1 = np.float32((e1 + start * x1) * scale)
                w2 = ONE - w0 - w1
                for n in range(used):
                    row[n] = w0 * val[0, n] + w1 * val[1, n] + w2 * val[2, n]
            e0, e1, e2 = e0 + y0, e1 + y1, e2 + y2
            if count <= 0:
                continue
            if whole:
                x, y, z = row[0], row[1], row[2]
                xs, ys, zs = dx[0], dx[1], dx[2]
                for _ in range(count):
                    px, py = x * (ONE / z), y * (ONE / z)
                    red, green, blue = _sample(photo, stride, right, low, px, py)
                    _put(pixels, at, red + HALF, green + HALF, blue + HALF)
                    kinds[at] = ENHANCED if _within(enhanced, px, py) else SEEN
                    x, y, z = x + xs, y + ys, z + zs
                    at += FIRST
                continue
            red, green, blue = row[5], row[6], row[7]
            reds, greens, blues = dx[5], dx[6], dx[7]
            if paint:
                for _ in range(count):
                    _put(pixels, at, red + HALF, green + HALF, blue + HALF)
                    kinds[at] = SYNTHETIC
                    red, green, blue = red + reds, green + greens, blue + blues
                    at += FIRST
                continue
            pattern = mottle[i % tile]
            if not seen and not mirrored and hairy:
                p, q, r, grows = row[14], row[15], row[16], row[17]
                ps, qs, rs, grows_s = dx[14], dx[15], dx[16], dx[17]
                for j in range(first, first + count):
                    grown = grows * np.float32(covers[at])
                    lock = grown * (ONE + contrast * np.float32(strands[at]))
                    bare = (ONE - grown) * (ONE + grain * np.float32(pattern[columns[j]]))
                    _put(
                        pixels,
                        at,
                        lock * p + bare * red + HALF,
                        lock * q + bare * green + HALF,
                        lock * r + bare * blue + HALF,
                    )
                    kinds[at] = FILLED if grown > HALF else invented
                    red, green, blue = red + reds, green + greens, blue + blues
                    p, q, r, grows = p + ps, q + qs, r + rs, grows + grows_s
                    at += FIRST
                continue
            for j in range(first, first + count):
                s, o = row[3], row[4]
                f = ONE - s - o
                red = green = blue = HALF
                shown, made = SEEN, invented
                if f > ZERO:
                    bare = f * (ONE + grain * np.float32(pattern[columns[j]]))
                    if hairy:
                        grown = max(row[17] * np.float32(covers[at]), ZERO)
                        lock = f * grown * (ONE + contrast * np.float32(strands[at]))
                        bare *= ONE - grown
                        red, green, blue = red + lock * row[14], green + lock * row[15], blue + lock * row[16]
                        if grown > HALF:
                            made = FILLED
                    red, green, blue = red + bare * row[5], green + bare * row[6], blue + bare * row[7]
                if s > ZERO:
                    z = ONE / row[2]
                    px, py = row[0] * z, row[1] * z
                    p, q, r = _sample(photo, stride, right, low, px, py)
                    red, green, blue = red + s * p, green + s * q, blue + s * r
                    if _within(enhanced, px, py):
                        shown = ENHANCED
                if mirrored and o > ZERO:
                    z = ONE / row[10]
                    p, q, r = _sample(photo, stride, right, low, row[8] * z, row[9] * z)
                    red += o * p * row[11]
                    green += o * q * row[12]
                    blue += o * r * row[13]
                _put(pixels, at, red, green, blue)
                if s >= HALF:
                    kinds[at] = shown
                else:
                    kinds[at] = MIRRORED if o > f and o > s else made if f >= s else shown
                for n in range(used):
                    row[n] += dx[n]
                at += FIRST
