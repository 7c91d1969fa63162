"""De-lighting: a texture without the photo's light."""

from __future__ import annotations

from typing import Any

import numpy as np

from tronie.arrays import Array, Image
from tronie.color import LUMINANCE, linear_to_srgb, srgb_to_linear
from tronie.head.model import Head
from tronie.raster.rasterizer import SUBPIXEL, chart, corners, span
from tronie.runtime.jit import jit
from tronie.stages.lighting.shading_estimate import ShadingEstimate
from tronie.stages.texture.atlas import gutters
from tronie.types import Albedo, Texture


def delight(texture: Texture, head: Head, found: ShadingEstimate, base: bool = False) -> Albedo:
    """Divide the light that was found (`tronie.stages.lighting.shading_estimate`) out of its texture; `base` as in
    `Albedo`."""
    return Albedo(
        apply(texture, head, found),
        found.light,
        found.usual / found.usual[1],
        linear_to_srgb(found.skin),
        found.shadowed,
        found.monochrome,
        base,
    )


def apply(texture: Texture, head: Head, found: ShadingEstimate) -> Image:
    mesh = head.model.level(head.level)
    matrix = mesh.matrix
    packed = np.concatenate([-np.log(found.shading), np.log(np.maximum(found.even, 1e-3))], axis=1)
    packed = np.exp(np.asarray(matrix @ packed.astype(np.float32)))
    image = np.empty_like(texture.image)
    image[:] = linear_to_srgb(found.skin).astype(np.uint8)
    table = srgb_to_linear(np.arange(256)).astype(np.float32)
    back = np.round(linear_to_srgb((np.arange(4096) / 4095) ** 2)).astype(np.uint8)
    _divide(
        mesh.uv,
        mesh.triangle_uv,
        mesh.triangles,
        mesh.triangle_part > 0,
        np.ascontiguousarray(packed, np.float32),
        (1 / found.usual).astype(np.float32),
        table,
        back,
        texture.image,
        image,
        LUMINANCE.astype(np.float32),
        _whiteness(found).astype(np.float32),
    )
    target, source = gutters(head.model, head.level, len(image))
    flat = image.reshape(-1, 3)
    flat[target] = flat[source]
    return image


SHINE, KEPT = np.float32(1.1), np.float32(0.25)
"""Brighter than the skin around by more than the first, only this share of what is above it is kept."""
GLOSS, GLOSSY = np.float32(0.06), np.float32(3)
"""White light on skin, as a share of all, that is left alone; where the rest is a third, all of the hue is that of the
skin around."""


def _whiteness(found: ShadingEstimate) -> Array:
    """(3,) such that a colour times it is the white in it: b of the best a skin + b white (Shafer 1985)."""
    if found.monochrome:
        return np.zeros(3)
    pair = np.column_stack([found.skin / (found.skin @ LUMINANCE), np.ones(3)])
    return np.asarray(np.linalg.pinv(pair)[1])


@jit
def _divide(
    uv: Any,
    triangle_uv: Any,
    triangles: Any,
    painted: Any,
    packed: Any,
    plain: Any,
    table: Any,
    back: Any,
    picture: Any,
    image: Any,
    luma: Any,
    white: Any,
) -> None:
    size = picture.shape[0]
    zero, one, top = np.float32(0), np.float32(1), np.float32(4095)
    half, quarter = np.float32(0.5), np.float32(0.25)
    val, row, dx = np.zeros((3, 6), np.float32), np.zeros(6, np.float32), np.zeros(6, np.float32)
    for t in range(triangles.shape[0]):
        ua, ub, uc = triangle_uv[t, 0], triangle_uv[t, 1], triangle_uv[t, 2]
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        swapped, ax, ay, bx, by, cx, cy, area = chart(uv, ua, ub, uc, size)
        if area == 0:
            continue
        if swapped:
            b, c = c, b
        paint = painted[t]
        for n in range(6):
            val[0, n], val[1, n], val[2, n] = packed[a, n], packed[b, n], packed[c, n]
        j0, j1, i0, i1, e0, e1, e2 = corners(ax, ay, bx, by, cx, cy, size, size)
        x0, x1, x2 = -(cy - by) * SUBPIXEL, -(ay - cy) * SUBPIXEL, -(by - ay) * SUBPIXEL
        y0, y1, y2 = (cx - bx) * SUBPIXEL, (ax - cx) * SUBPIXEL, (bx - ax) * SUBPIXEL
        scale = 1.0 / area
        for n in range(6):
            dx[n] = (x0 * val[0, n] + x1 * val[1, n] + x2 * val[2, n]) * scale
        for i in range(i0, i1 + 1):
            start, stop = span(e0, e1, e2, x0, x1, x2, j1 - j0)
            if start <= stop:
                w0 = np.float32((e0 + start * x0) * scale)
                w1 = np.float32((e1 + start * x1) * scale)
                w2 = one - w0 - w1
                for n in range(6):
                    row[n] = w0 * val[0, n] + w1 * val[1, n] + w2 * val[2, n]
            for j in range(j0 + start, j0 + stop + 1):
                r, g, bl = table[picture[i, j, 0]], table[picture[i, j, 1]], table[picture[i, j, 2]]
                if paint:
                    r, g, bl = r * plain[0], g * plain[1], bl * plain[2]
                else:
                    r, g, bl = r * row[0], g * row[1], bl * row[2]
                    light = luma[0] * r + luma[1] * g + luma[2] * bl
                    low = luma[0] * row[3] + luma[1] * row[4] + luma[2] * row[5]
                    if light > half * low:
                        # What shines has the light's colour on top of the skin's, and that is white by now.
                        above = min(max((light / low - half - quarter) / quarter, zero), one)
                        gloss = white[0] * r + white[1] * g + white[2] * bl - GLOSS * light
                        own = one - above * min(max(GLOSSY * gloss / light, zero), one)
                        kept = min(light, SHINE * low) + KEPT * max(light - SHINE * low, zero)
                        f, h = own * kept / light, (one - own) * kept / low
                        r, g, bl = f * r + h * row[3], f * g + h * row[4], f * bl + h * row[5]
                image[i, j, 0] = back[int(np.sqrt(min(max(r, zero), one)) * top + np.float32(0.5))]
                image[i, j, 1] = back[int(np.sqrt(min(max(g, zero), one)) * top + np.float32(0.5))]
                image[i, j, 2] = back[int(np.sqrt(min(max(bl, zero), one)) * top + np.float32(0.5))]
                for n in range(6):
                    row[n] += dx[n]
            e0 += y0
            e1 += y1
            e2 += y2
