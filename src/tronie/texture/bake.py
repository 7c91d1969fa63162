"""One photo onto a head's atlas."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.render.jit import jit
from tronie.render.raster import SUBPIXEL, corners, snap, span
from tronie.settings import TextureSettings
from tronie.texture.complete import Recipe, complete
from tronie.texture.parts import paint_eyes, part_colours
from tronie.texture.seen import View, look
from tronie.texture.surface import gutters, surface
from tronie.types import PROVENANCE, Fit, Head, Image, Landmarks, Photo, Texture

Array = NDArray[np.floating[Any]]

SEEN, MIRRORED, FILLED, SYNTHETIC = (PROVENANCE.index(n) for n in ("seen", "mirrored", "filled", "synthetic"))
LARGEST_CROP = 3000
"""Pixels: the photo's part with the head is never enlarged beyond this."""


def bake(
    photo: Photo, head: Head, fit: Fit, landmarks: Landmarks | None = None, settings: TextureSettings | None = None
) -> Texture:
    """Colour every texel of the atlas: from the photo where it shows the skin well, else from the other side of the
    face in this side's light, else a smooth continuation. Eyes, teeth and tongue are painted.

    What varies slowly (confidence, balance, fill) is decided on the mesh's vertices, so the atlas's seams
    do not show; only the photo is sampled per texel. `landmarks` give the iris colour.
    """
    size = settings.size if settings else 2048
    model, level = head.model, head.level
    mesh, facts = model.level(level), surface(model, level)
    view = look(photo, head, fit, facts)
    lips = np.asarray([[0.0, 0.0]] * 2 if landmarks is None else landmarks.points[[13, 14], :2])
    gap_mm = float(np.linalg.norm(lips[0] - lips[1])) * view.pixel_mm
    recipe = complete(photo, model, level, view, facts, gap_mm)
    crop, affine = _sharp_crop(photo, view, model.level(level), size)
    colours = part_colours(model, level, recipe.skin)
    synthetic = mesh.triangle_part > 0
    image = np.empty((size, size, 3), np.uint8)
    image[0] = recipe.skin.astype(np.uint8)
    image[1:] = image[0]
    provenance = np.zeros((size, size), np.uint8)
    camera_points = view.camera_points * np.array([fit.camera.focal, fit.camera.focal, 1], np.float32)
    camera_points[:, :2] += camera_points[:, 2:] * np.asarray(fit.camera.center, np.float32)
    _composite(
        mesh.uv, mesh.triangle_uv, mesh.triangles, synthetic, facts.mirror,
        _pack(camera_points, recipe, affine), recipe.fill, colours, crop, image, provenance,
    )  # fmt: skip
    paint_eyes(image, model, level, photo, landmarks, recipe.skin)
    target, source = gutters(model, level, size)
    flat = image.reshape(-1, 3)
    flat[target] = flat[source]
    return Texture(image, provenance)


def _sharp_crop(photo: Photo, view: View, mesh: Any, size: int) -> tuple[Image, tuple[float, float, float, float]]:
    """The head's part of the photo at about a pixel per texel, and x' = a x + b, y' = c y + d from photo pixels.

    Smaller where the photo is finer than the texture (area average), larger where it is coarser (bicubic), so that
    bilinear sampling neither flickers nor shows its diamonds.
    """
    import cv2

    x0, y0, x1, y1 = view.box
    if x1 <= x0 or y1 <= y0:
        return np.full((2, 2, 3), 128, np.uint8), (0.0, 1.0, 0.0, 1.0)
    density = _pixels_per_texel(view, mesh, size)
    factor = float(np.clip(1 / density, 0.02, 4.0))
    if 0.6 < factor < 1.4:
        factor = 1.0
    factor = min(factor, max(1.0, LARGEST_CROP / max(x1 - x0, y1 - y0)))
    crop = photo.image[y0:y1, x0:x1]
    width, height = max(round((x1 - x0) * factor), 2), max(round((y1 - y0) * factor), 2)
    if (width, height) != (x1 - x0, y1 - y0):
        method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        crop = np.asarray(cv2.resize(crop, (width, height), interpolation=method), dtype=np.uint8)
    a, c = width / (x1 - x0), height / (y1 - y0)
    return np.ascontiguousarray(crop), (a, -a * x0, c, -c * y0)


def _pixels_per_texel(view: View, mesh: Any, size: int) -> float:
    """Linear density of the photo on the atlas over a sample of well seen triangles; 1 when none is."""
    pick = np.flatnonzero(view.facing[mesh.triangles[:, 0]] > 0.5)
    if len(pick) == 0:
        return 1.0
    pick = pick[:: max(1, len(pick) // 2000)]
    total = []
    for p in (view.pixels[mesh.triangles[pick]], mesh.uv[mesh.triangle_uv[pick]] * size):
        a, b = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]
        total.append(float(np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()))
    return float(np.sqrt(total[0] / max(total[1], 1e-9)))


def _pack(points: Array, recipe: Recipe, affine: tuple[float, float, float, float]) -> Array:
    """(V, 8) float32: x z, y z, z in crop pixels (divide by z after interpolation), seen, mirrored, gain."""
    a, b, c, d = affine
    x, y, z = points.T
    return np.ascontiguousarray(
        np.column_stack([a * x + b * z, c * y + d * z, z, recipe.seen, recipe.mirrored, recipe.gain]), dtype=np.float32
    )


@jit
def _sample(crop: Any, x: float, y: float, weight: float, out: Any) -> None:
    """Add weight times the bilinear colour at pixel position x, y."""
    height, width = crop.shape[0], crop.shape[1]
    px = min(max(x - np.float32(0.5), np.float32(0)), np.float32(width - 1.001))
    py = min(max(y - np.float32(0.5), np.float32(0)), np.float32(height - 1.001))
    j, i = int(px), int(py)
    fx, fy = px - np.float32(j), py - np.float32(i)
    for k in range(3):
        p, q = np.float32(crop[i, j, k]), np.float32(crop[i, j + 1, k])
        r, s = np.float32(crop[i + 1, j, k]), np.float32(crop[i + 1, j + 1, k])
        top, low = p + (q - p) * fx, r + (s - r) * fx
        out[k] += weight * (top + (low - top) * fy)


@jit
def _composite(
    uv: Any, triangle_uv: Any, triangles: Any, synthetic: Any, mirror: Any, packed: Any, fill: Any, painted: Any,
    crop: Any, image: Any, provenance: Any,
) -> None:  # fmt: skip
    size = image.shape[0]
    one, half = np.float32(1), np.float32(0.5)
    val = np.zeros((3, 14), np.float32)
    row = np.zeros(14, np.float32)
    dx = np.zeros(14, np.float32)
    seen_colour = np.zeros(3, np.float32)
    other_colour = np.zeros(3, np.float32)
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
        # Per corner: where it is in the crop, where its twin is, the mix, the mirrored side's gain, the fill.
        any_seen = any_other = False
        for k in range(3):
            v = a if k == 0 else (b if k == 1 else c)
            m = mirror[v]
            q = ua if k == 0 else (ub if k == 1 else uc)
            for n in range(3):
                val[k, n] = packed[v, n]
                val[k, 3 + n] = packed[m, n]
                val[k, 8 + n] = packed[v, 5 + n]
                val[k, 11 + n] = painted[q, n] if synthetic[t] else fill[v, n]
            val[k, 6] = np.float32(0) if synthetic[t] else packed[v, 3]
            val[k, 7] = np.float32(0) if synthetic[t] else packed[v, 4]
            any_seen = any_seen or val[k, 6] > 0
            any_other = any_other or val[k, 7] > 0
        j0, j1, i0, i1, e0, e1, e2 = corners(ax, ay, bx, by, cx, cy, size, size)
        x0, x1, x2 = -(cy - by) * SUBPIXEL, -(ay - cy) * SUBPIXEL, -(by - ay) * SUBPIXEL
        y0, y1, y2 = (cx - bx) * SUBPIXEL, (ax - cx) * SUBPIXEL, (bx - ax) * SUBPIXEL
        scale = 1.0 / area
        for n in range(14):
            dx[n] = (x0 * val[0, n] + x1 * val[1, n] + x2 * val[2, n]) * scale
        for i in range(i0, i1 + 1):
            start, stop = span(e0, e1, e2, x0, x1, x2, j1 - j0)
            if start <= stop:
                w0 = np.float32((e0 + start * x0) * scale)
                w1 = np.float32((e1 + start * x1) * scale)
                w2 = one - w0 - w1
                for n in range(14):
                    row[n] = w0 * val[0, n] + w1 * val[1, n] + w2 * val[2, n]
            for j in range(j0 + start, j0 + stop + 1):
                s, o = row[6], row[7]
                f = one - s - o
                seen_colour[0] = f * row[11]
                seen_colour[1] = f * row[12]
                seen_colour[2] = f * row[13]
                if any_seen and s > 0:
                    z = one / row[2]
                    _sample(crop, row[0] * z, row[1] * z, s, seen_colour)
                if any_other and o > 0:
                    z = one / row[5]
                    other_colour[:] = 0
                    _sample(crop, row[3] * z, row[4] * z, o, other_colour)
                    seen_colour[0] += other_colour[0] * row[8]
                    seen_colour[1] += other_colour[1] * row[9]
                    seen_colour[2] += other_colour[2] * row[10]
                for k in range(3):
                    image[i, j, k] = np.uint8(min(max(seen_colour[k] + half, np.float32(0)), np.float32(255)))
                if synthetic[t]:
                    provenance[i, j] = SYNTHETIC
                elif s >= half:
                    provenance[i, j] = SEEN
                else:
                    provenance[i, j] = MIRRORED if o > f and o > s else FILLED if f >= s else SEEN
                for n in range(14):
                    row[n] += dx[n]
            e0 += y0
            e1 += y1
            e2 += y2
