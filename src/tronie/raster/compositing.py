"""Colours of pixels: of visible triangles, mixed in linear light, edges by four samples; and looked up in pictures."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tronie.arrays import Array, Image
from tronie.color import linear_to_srgb, srgb_decode
from tronie.runtime.jit import jit

SAMPLED_ROW = 1024
"""Places are laid out in rows of so many: OpenCV takes no list of 32,767 or more."""
ZERO, ONE, HALF, QUARTER, FOUR = (np.float32(x) for x in (0, 1, 0.5, 0.25, 4))


@cache
def srgb_tables() -> tuple[Array, Image]:
    """sRGB 0..255 (with quarter steps) -> linear 0..1, and linear 0..1 in 4096 steps -> sRGB uint8."""
    linear = srgb_decode(np.arange(256 * 4) / (255.0 * 4))
    return linear.astype(np.float32), np.round(linear_to_srgb(np.arange(4097) / 4096.0)).astype(np.uint8)


@jit
def attribute_planes(points: Any, triangles: Any, triangle_uv: Any, uv: Any, light: Any, alpha: Any, ids: Any) -> Any:
    """(T, 17) for the triangles that `ids` shows: the first corner's x, y, then value, slope in x and slope in y from
    there of 1 / depth, u / depth, v / depth, light / depth and opacity / depth, which are all linear on the screen."""
    out = np.zeros((triangles.shape[0], 17), np.float32)
    wanted = np.zeros(triangles.shape[0], np.bool_)
    for i in range(ids.shape[0]):
        for j in range(ids.shape[1]):
            if ids[i, j] >= 0:
                wanted[ids[i, j]] = True
    value = np.zeros((3, 5), np.float64)
    for t in range(triangles.shape[0]):
        if not wanted[t]:
            continue
        for k in range(3):
            p, q = triangles[t, k], triangle_uv[t, k]
            r = 1.0 / points[p, 2]
            value[k, 0], value[k, 1], value[k, 2] = r, uv[q, 0] * r, uv[q, 1] * r
            value[k, 3], value[k, 4] = light[p] * r, alpha[p] * r
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        bx, by = float(points[b, 0]) - points[a, 0], float(points[b, 1]) - points[a, 1]
        cx, cy = float(points[c, 0]) - points[a, 0], float(points[c, 1]) - points[a, 1]
        area = bx * cy - by * cx
        scale = 1.0 / area if abs(area) > 1e-9 else 0.0
        out[t, 0], out[t, 1] = points[a, 0], points[a, 1]
        for n in range(5):
            db, dc = value[1, n] - value[0, n], value[2, n] - value[0, n]
            out[t, 2 + 3 * n] = value[0, n]
            out[t, 3 + 3 * n] = (db * cy - dc * by) * scale
            out[t, 4 + 3 * n] = (dc * bx - db * cx) * scale
    return out


@jit
def _surface(plane: Any, x: Any, y: Any, image: Any, to_linear: Any) -> tuple[Any, Any, Any, Any, Any, Any]:
    """At screen position x, y of the triangle of a row of `attribute_planes`: linear RGB, opacity, u and v."""
    dx, dy = x - plane[0], y - plane[1]
    z = ONE / (plane[2] + plane[3] * dx + plane[4] * dy)
    u = (plane[5] + plane[6] * dx + plane[7] * dy) * z
    v = (plane[8] + plane[9] * dx + plane[10] * dy) * z
    lit = max((plane[11] + plane[12] * dx + plane[13] * dy) * z, ZERO)
    opacity = min(max((plane[14] + plane[15] * dx + plane[16] * dy) * z, ZERO), ONE)
    height, width = image.shape[0], image.shape[1]
    px = min(max(u * np.float32(width) - HALF, ZERO), np.float32(width - 1))
    py = min(max(v * np.float32(height) - HALF, ZERO), np.float32(height - 1))
    j, i = np.uint32(px), np.uint32(py)
    fx, fy = px - np.float32(j), py - np.float32(i)
    j1, i1 = min(j + np.uint32(1), np.uint32(width - 1)), min(i + np.uint32(1), np.uint32(height - 1))
    f11 = fx * fy
    f01, f10 = fx - f11, fy - f11
    f00 = ONE - fx - f10
    # Four steps of the table per grey level.
    red = f00 * image[i, j, 0] + f01 * image[i, j1, 0] + f10 * image[i1, j, 0] + f11 * image[i1, j1, 0]
    green = f00 * image[i, j, 1] + f01 * image[i, j1, 1] + f10 * image[i1, j, 1] + f11 * image[i1, j1, 1]
    blue = f00 * image[i, j, 2] + f01 * image[i, j1, 2] + f10 * image[i1, j, 2] + f11 * image[i1, j1, 2]
    return (
        to_linear[np.uint32(red * FOUR + HALF)] * lit,
        to_linear[np.uint32(green * FOUR + HALF)] * lit,
        to_linear[np.uint32(blue * FOUR + HALF)] * lit,
        opacity,
        u,
        v,
    )


@jit
def _encode(value: Any, to_srgb: Any) -> Any:
    return to_srgb[np.uint32(min(max(value, ZERO), ONE) * np.float32(4096) + HALF)]


@jit
def shade_pixels(
    ids: Any,
    inverse_depth: Any,
    rows: Any,
    parts: Any,
    image: Any,
    provenance: Any,
    to_linear: Any,
    to_srgb: Any,
    out: Any,
    mask: Any,
) -> None:
    side = provenance.shape[0]
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            y, x = 2 * i, 2 * j
            t, t1, t2, t3 = ids[y, x], ids[y, x + 1], ids[y + 1, x], ids[y + 1, x + 1]
            if t < 0 and t1 < 0 and t2 < 0 and t3 < 0:
                continue
            whole = t >= 0 and t1 >= 0 and t2 >= 0 and t3 >= 0
            if whole and not (t == t1 and t == t2 and t == t3):
                d0, d1 = inverse_depth[y, x], inverse_depth[y, x + 1]
                d2, d3 = inverse_depth[y + 1, x], inverse_depth[y + 1, x + 1]
                near, far = max(max(d0, d1), max(d2, d3)), min(min(d0, d1), min(d2, d3))
                # 0.3 % of the distance, some 4 mm at portrait distance: beyond it another surface begins.
                p = parts[t]
                whole = near < np.float32(1.003) * far and p == parts[t1] and p == parts[t2] and p == parts[t3]
            red = green = blue = cover = u = v = ZERO
            if whole:
                red, green, blue, cover, u, v = _surface(
                    rows[t], np.float32(x + 1), np.float32(y + 1), image, to_linear
                )
                red, green, blue = red * cover, green * cover, blue * cover
            else:
                best = ZERO
                for s in range(4):
                    at = ids[y + s // 2, x + s % 2]
                    if at < 0:
                        continue
                    sx, sy = np.float32(x + s % 2) + HALF, np.float32(y + s // 2) + HALF
                    r, g, b, opacity, su, sv = _surface(rows[at], sx, sy, image, to_linear)
                    if opacity > best:
                        best, u, v = opacity, su, sv
                    share = QUARTER * opacity
                    red, green, blue, cover = red + share * r, green + share * g, blue + share * b, cover + share
            if cover < ONE:
                rest = ONE - cover
                red += rest * to_linear[4 * out[i, j, 0]]
                green += rest * to_linear[4 * out[i, j, 1]]
                blue += rest * to_linear[4 * out[i, j, 2]]
            out[i, j, 0], out[i, j, 1], out[i, j, 2] = (
                _encode(red, to_srgb),
                _encode(green, to_srgb),
                _encode(blue, to_srgb),
            )
            if cover > HALF:
                mask[i, j] = provenance[min(max(int(v * side), 0), side - 1), min(max(int(u * side), 0), side - 1)]


def sampled(image: NDArray[Any], places: ArrayLike) -> NDArray[Any]:
    """(N, C) in the type of `image` (h, w, C), bilinear, at `places` (N, 2): x, y in pixels whose centres lie at +0.5.

    Beyond the border its colours go on. What is not finite is looked up at the corner.
    """
    import cv2

    height, width, channels = image.shape
    at = np.nan_to_num(np.clip(np.asarray(places) - 0.5, -1, [width, height])).astype(np.float32)
    count = len(at)
    if not count:
        return np.zeros((0, channels), image.dtype)
    grid = np.resize(at, (-(-count // SAMPLED_ROW), min(count, SAMPLED_ROW), 2))
    x, y = (np.ascontiguousarray(grid[..., k]) for k in (0, 1))
    found = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found).reshape(-1, channels)[:count]
