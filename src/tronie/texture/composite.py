"""The inner loops of baking: every texel from the photo, its mirrored twin, or the fill with hair on it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tronie.render.jit import jit
from tronie.render.raster import SUBPIXEL, corners, snap, span
from tronie.types import PROVENANCE

SEEN, MIRRORED, FILLED, SYNTHETIC, ENHANCED, STATISTICAL = (
    PROVENANCE.index(n) for n in ("seen", "mirrored", "filled", "synthetic", "enhanced", "statistical")
)
EIGHT_BITS = np.float32(1 / 255)
WIDTH = 18
"""Values carried over a triangle: own place 0-2, seen 3, mirrored 4, fill 5-7, the twin's place 8-10, its gain 11-13,
hair 14-16, how it grows 17. A triangle carries only as many as it needs."""


@jit
def _sample(crop: Any, x: Any, y: Any) -> Any:
    """The bilinear colour at pixel position x, y."""
    height, width = crop.shape[0], crop.shape[1]
    px = min(max(x - np.float32(0.5), np.float32(0)), np.float32(width - 1.001))
    py = min(max(y - np.float32(0.5), np.float32(0)), np.float32(height - 1.001))
    j, i = np.uint32(px), np.uint32(py)
    fx, fy = px - np.float32(j), py - np.float32(i)
    f11 = fx * fy
    f01, f10 = fx - f11, fy - f11
    f00 = np.float32(1) - fx - f10
    j1, i1 = j + np.uint32(1), i + np.uint32(1)
    return (
        f00 * crop[i, j, 0] + f01 * crop[i, j1, 0] + f10 * crop[i1, j, 0] + f11 * crop[i1, j1, 0],
        f00 * crop[i, j, 1] + f01 * crop[i, j1, 1] + f10 * crop[i1, j, 1] + f11 * crop[i1, j1, 1],
        f00 * crop[i, j, 2] + f01 * crop[i, j1, 2] + f10 * crop[i1, j, 2] + f11 * crop[i1, j1, 2],
    )


@jit
def composite(
    uv: Any, triangle_uv: Any, triangles: Any, synthetic: Any, mirror: Any, packed: Any, painted: Any, crop: Any,
    cover: Any, strand: Any, mottle: Any, contrast: Any, grain: Any, invented: Any, enhanced: Any, image: Any,
    provenance: Any,
) -> None:  # fmt: skip
    """`contrast` is the share by which strands change the hair's colour per step of their pattern, `grain` that by
    which the pattern of skin changes its; `invented` is the provenance of skin that the photo does not show.
    `enhanced` (2, 3) float32 leads from crop pixels to 0..1 where super-resolution has put detail in."""
    size, tile = image.shape[0], mottle.shape[0]
    zero, one, half, top = np.float32(0), np.float32(1), np.float32(0.5), np.float32(255)
    val = np.zeros((3, WIDTH), np.float32)
    row = np.zeros(WIDTH, np.float32)
    dx = np.zeros(WIDTH, np.float32)
    for t in range(triangles.shape[0]):
        ua, ub, uc = triangle_uv[t, 0], triangle_uv[t, 1], triangle_uv[t, 2]
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay = snap(uv[ua, 0] * size), snap(uv[ua, 1] * size)
        bx, by = snap(uv[ub, 0] * size), snap(uv[ub, 1] * size)
        cx, cy = snap(uv[uc, 0] * size), snap(uv[uc, 1] * size)
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0:
            continue
        if area < 0:
            b, c = c, b
            ub, uc = uc, ub
            bx, by, cx, cy = cx, cy, bx, by
            area = -area
        paint = synthetic[t]
        whole = not paint
        mirrored = hairy = False
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
            val[k, 3] = zero if paint else packed[v, 3]
            val[k, 4] = zero if paint else packed[v, 4]
            val[k, 17] = zero if paint else packed[v, 14]
            whole = whole and val[k, 3] >= one
            mirrored = mirrored or val[k, 4] > 0
            hairy = hairy or val[k, 17] > 0
        used = 5 if whole else (WIDTH if hairy else (14 if mirrored else 8))
        j0, j1, i0, i1, e0, e1, e2 = corners(ax, ay, bx, by, cx, cy, size, size)
        x0, x1, x2 = -(cy - by) * SUBPIXEL, -(ay - cy) * SUBPIXEL, -(by - ay) * SUBPIXEL
        y0, y1, y2 = (cx - bx) * SUBPIXEL, (ax - cx) * SUBPIXEL, (bx - ax) * SUBPIXEL
        scale = 1.0 / area
        for n in range(used):
            dx[n] = (x0 * val[0, n] + x1 * val[1, n] + x2 * val[2, n]) * scale
        for i in range(i0, i1 + 1):
            start, stop = span(e0, e1, e2, x0, x1, x2, j1 - j0)
            if start <= stop:
                w0 = np.float32((e0 + start * x0) * scale)
                w1 = np.float32((e1 + start * x1) * scale)
                w2 = one - w0 - w1
                for n in range(used):
                    row[n] = w0 * val[0, n] + w1 * val[1, n] + w2 * val[2, n]
            for j in range(j0 + start, j0 + stop + 1):
                s, o = row[3], row[4]
                f = one - s - o
                red = green = blue = zero
                shown, made = SEEN, invented
                if whole or f <= 0:
                    pass
                elif paint:
                    red, green, blue = row[5], row[6], row[7]
                else:
                    bare = f * (one + grain * np.float32(mottle[i % tile, min(j, size - 1 - j) % tile]))
                    grown = zero
                    if hairy:
                        grown = row[17] * np.float32(cover[i, j]) * EIGHT_BITS
                    if grown > half:
                        made = FILLED
                    if grown > 0:
                        lock = f * grown * (one + contrast * np.float32(strand[i, j]))
                        bare *= one - grown
                        red, green, blue = lock * row[14], lock * row[15], lock * row[16]
                    red += bare * row[5]
                    green += bare * row[6]
                    blue += bare * row[7]
                if s > 0:
                    z = one / row[2]
                    px, py = row[0] * z, row[1] * z
                    p, q, r = _sample(crop, px, py)
                    at_u = enhanced[0, 0] * px + enhanced[0, 1] * py + enhanced[0, 2]
                    at_v = enhanced[1, 0] * px + enhanced[1, 1] * py + enhanced[1, 2]
                    if min(at_u, at_v) >= zero and max(at_u, at_v) <= one:
                        shown = ENHANCED
                    red += s * p
                    green += s * q
                    blue += s * r
                if mirrored and o > 0:
                    z = one / row[10]
                    p, q, r = _sample(crop, row[8] * z, row[9] * z)
                    red += o * p * row[11]
                    green += o * q * row[12]
                    blue += o * r * row[13]
                image[i, j, 0] = np.uint8(min(max(red + half, zero), top))
                image[i, j, 1] = np.uint8(min(max(green + half, zero), top))
                image[i, j, 2] = np.uint8(min(max(blue + half, zero), top))
                if paint:
                    provenance[i, j] = SYNTHETIC
                elif s >= half:
                    provenance[i, j] = shown
                else:
                    provenance[i, j] = MIRRORED if o > f and o > s else made if f >= s else shown
                for n in range(used):
                    row[n] += dx[n]
            e0 += y0
            e1 += y1
            e2 += y2
