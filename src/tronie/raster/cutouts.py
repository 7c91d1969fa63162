"""Surfaces with holes, as of hair: their pictures with alpha, and which samples of their triangles are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.raster.rasterizer import NOWHERE, SUBPIXEL, Ints, corners, snap_points, span
from tronie.runtime.jit import jit

CUTOFF = 128
"""Alpha from which on a texel is there."""
SPREAD = 128
"""Of the alphas at which the samples of a pixel part, about CUTOFF: edges are as soft as alpha is."""
BESIDE = 2
"""Texels around a triangle that mixing and smaller pictures bring in."""
SMALLEST = 32
"""Side of a picture that is not halved."""


class SameArray:
    """An array as a cache key, equal to itself only."""

    __slots__ = ("value",)

    def __init__(self, value: NDArray[Any]) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SameArray) and other.value is self.value


def bled(image: Image) -> Image:
    """(H, W, 4) RGBA: texels that are not there get the colours of the nearest ones that are, so that mixing across the
    edge brings in nothing else. Alpha stays."""
    return _bled(SameArray(image))


@lru_cache(maxsize=8)
def _bled(key: SameArray) -> Image:
    out: Image = key.value.copy()
    _spread(out, CUTOFF)
    return out


@jit
def _spread(image: Any, cutoff: int) -> None:
    """Two sweeps, down and up again, in which a clear texel takes the colours of its nearest neighbour so far."""
    height, width = image.shape[0], image.shape[1]
    far = np.full((height, width), 1 << 30, np.int32)
    for i in range(height):
        for j in range(width):
            if image[i, j, 3] >= cutoff:
                far[i, j] = 0
    for sweep in range(2):
        step = 1 - 2 * sweep
        for m in range(height):
            i = m if sweep == 0 else height - 1 - m
            for n in range(width):
                j = n if sweep == 0 else width - 1 - n
                if far[i, j] <= 1:
                    continue
                a, b = i - step, j - step
                if 0 <= a < height and far[a, j] + 1 < far[i, j]:
                    far[i, j] = far[a, j] + 1
                    image[i, j, :3] = image[a, j, :3]
                if 0 <= b < width and far[i, b] + 1 < far[i, j]:
                    far[i, j] = far[i, b] + 1
                    image[i, j, :3] = image[i, b, :3]


def pyramid(image: Image) -> tuple[NDArray[np.uint32], Ints]:
    """A picture (H, W, 3 or 4) and its halves down to SMALLEST pixels: flat texels, red, green, blue and alpha from the
    lowest byte up, and (L, 3) offset, height, width of each."""
    import cv2

    levels = [np.ascontiguousarray(image, dtype=np.uint8)]
    while min(levels[-1].shape[:2]) >= 2 * SMALLEST:
        height, width = levels[-1].shape[:2]
        half = cv2.resize(levels[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        levels.append(np.asarray(half, dtype=np.uint8))
    sizes = np.array([level.shape[0] * level.shape[1] for level in levels])
    rows = np.column_stack([np.cumsum(sizes) - sizes, [level.shape[:2] for level in levels]])
    packed = np.zeros((int(sizes.sum()), 4), np.uint8)
    channels = image.shape[2]
    for level, (start, height, width) in zip(levels, rows.tolist(), strict=True):
        packed[start : start + height * width, :channels] = level.reshape(-1, channels)
    # Red in the lowest byte on every machine.
    return packed.view("<u4")[:, 0].astype(np.uint32, copy=False), rows.astype(np.int32)


def level_of(texels: NDArray[np.uint32], levels: Ints, number: int) -> Image:
    """(H, W, 3): a level of a `pyramid`, or its last."""
    start, height, width = levels[min(number, len(levels) - 1)].tolist()
    flat = texels[start : start + height * width]
    colors = np.stack([(flat >> np.uint32(shift)).astype(np.uint8) for shift in (0, 8, 16)], axis=-1)
    return np.ascontiguousarray(colors.reshape(height, width, 3))


@dataclass(frozen=True, eq=False)
class Cutout:
    """A surface with holes, ready to be drawn."""

    triangles: Ints
    """(T, 3)."""
    uv: Array
    """(V, 2) float32."""
    texels: NDArray[np.uint32]
    levels: Ints
    """The `pyramid` of its picture."""
    kind: NDArray[np.uint8]
    """(T,) whether a triangle has to be looked up (0), is there as a whole (1), or not at all (2)."""

    @classmethod
    def of(cls, triangles: Ints, uv: Array, image: Image) -> Cutout:
        """`image` (H, W, 4) RGBA. What was made last is kept."""
        return _cutout(SameArray(triangles), SameArray(uv), SameArray(image))

    @property
    def side(self) -> float:
        """Of a square picture of as many texels."""
        return float(np.sqrt(float(self.levels[0, 1]) * float(self.levels[0, 2])))


@lru_cache(maxsize=8)
def _cutout(triangles: SameArray, uv: SameArray, image: SameArray) -> Cutout:
    t, at = np.ascontiguousarray(triangles.value, dtype=np.int32), np.ascontiguousarray(uv.value, dtype=np.float32)
    return Cutout(t, at, *pyramid(bled(image.value)), _kinds(t, at, image.value[..., 3]))


def draw_cut(points: Array, cutout: Cutout, nearness: Array, samples: int = 1) -> Ints:
    """Which triangles of a surface with holes are seen from either side: ids (H, W), -1 where there are none.

    `points` (V, 3) are as in `rasterize`. `nearness` (H, W), 1 / depth of what is drawn already, hides what lies behind
    it and is brought up to date. `samples` a pixel and axis share out the alphas of an edge among them.
    """
    ids = np.full(nearness.shape, -1, dtype=np.int32)
    i, j = np.mgrid[:samples, :samples]
    # Spread evenly however many there are (Roberts's sequence); a single one parts at CUTOFF.
    order = np.argsort(np.argsort(((0.5 + 0.7548776662 * i + 0.5698402910 * j) % 1).ravel()))
    least = CUTOFF + SPREAD * ((order + 0.5) / samples**2 - 0.5)
    _draw_cut(
        points,
        snap_points(points),
        cutout.triangles,
        cutout.uv,
        cutout.texels,
        cutout.levels,
        cutout.kind,
        least.reshape(samples, samples).astype(np.float32),
        ids,
        nearness,
    )
    return ids


def _kinds(triangles: Ints, uv: Array, alpha: Image) -> NDArray[np.uint8]:
    """See `Cutout.kind`; by the box around each triangle and the texels beside it."""
    import cv2

    height, width = alpha.shape
    half = SPREAD // 2
    sums = [cv2.integral((mask).astype(np.uint8)) for mask in (alpha < CUTOFF + half, alpha >= CUTOFF - half)]
    corner = uv[triangles] * np.array([width, height], np.float32)
    x0, y0 = np.clip(np.floor(corner.min(axis=1)).astype(int) - BESIDE, 0, [width, height]).T
    x1, y1 = np.clip(np.ceil(corner.max(axis=1)).astype(int) + BESIDE, 0, [width, height]).T
    missing, there = (total[y1, x1] - total[y0, x1] - total[y1, x0] + total[y0, x0] for total in sums)
    return np.where(missing == 0, 1, np.where(there == 0, 2, 0)).astype(np.uint8)


@jit
def hide_covered(ids: Any, over: Any, samples: int) -> None:
    """Take what is seen in `ids` (H, W) away from pixels whose samples all have something in `over` (H, W)."""
    for i in range(ids.shape[0] // samples):
        for j in range(ids.shape[1] // samples):
            covered = True
            for y in range(i * samples, (i + 1) * samples):
                for x in range(j * samples, (j + 1) * samples):
                    covered = covered and over[y, x] >= 0
            if covered:
                ids[i * samples : (i + 1) * samples, j * samples : (j + 1) * samples] = -1


@jit
def joined(ids: Any, over: Any, samples: int) -> None:
    """Let what is seen in `ids` (H, W) go on below `over` (H, W) in the pixels that the two cover together, or between
    surfaces that meet there would be a line of the background."""
    for i in range(ids.shape[0] // samples):
        for j in range(ids.shape[1] // samples):
            whole, some = True, -1
            for y in range(i * samples, (i + 1) * samples):
                for x in range(j * samples, (j + 1) * samples):
                    some = max(some, ids[y, x])
                    whole = whole and (ids[y, x] >= 0 or over[y, x] >= 0)
            if whole and some >= 0:
                for y in range(i * samples, (i + 1) * samples):
                    for x in range(j * samples, (j + 1) * samples):
                        if ids[y, x] < 0:
                            ids[y, x] = some


def seen_triangles(triangles: Ints, uv: Array, image: Image, least: int = 1) -> NDArray[np.bool_]:
    """(T,) whether a triangle is there in `least` of seven places: its corners, its middle and between them."""
    height, width = image.shape[:2]
    corner = uv[triangles]
    places: Sequence[Array] = [corner[:, k] for k in range(3)]
    places = [*places, corner.mean(axis=1), *((corner[:, k] + corner[:, (k + 1) % 3]) / 2 for k in range(3))]
    out = np.zeros(len(triangles), dtype=np.int8)
    for place in places:
        column = np.clip((place[:, 0] * width).astype(int), 0, width - 1)
        row = np.clip((place[:, 1] * height).astype(int), 0, height - 1)
        out += image[row, column, 3] >= CUTOFF
    return np.asarray(out >= least)


@jit
def _alpha(texels: Any, offset: int, height: int, width: int, u: float, v: float) -> Any:
    px = min(max(u * width - 0.5, 0.0), width - 1.0)
    py = min(max(v * height - 0.5, 0.0), height - 1.0)
    j, i = int(px), int(py)
    fx, fy = px - j, py - i
    j1, i1 = min(j + 1, width - 1), min(i + 1, height - 1)
    a, b = texels[offset + i * width + j] >> 24, texels[offset + i * width + j1] >> 24
    c, d = texels[offset + i1 * width + j] >> 24, texels[offset + i1 * width + j1] >> 24
    return (1 - fy) * ((1 - fx) * a + fx * b) + fy * ((1 - fx) * c + fx * d)


@jit
def _draw_cut(
    points: Any,
    grid: Any,
    triangles: Any,
    uv: Any,
    texels: Any,
    levels: Any,
    kind: Any,
    least: Any,
    triangle: Any,
    inverse_depth: Any,
) -> None:
    height, width = triangle.shape
    low, samples = height * SUBPIXEL, least.shape[0]
    for t in range(triangles.shape[0]):
        if kind[t] == 2:
            continue
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ay, by, cy = grid[a, 1], grid[b, 1], grid[c, 1]
        if max(ay, max(by, cy)) < 0 or min(ay, min(by, cy)) > low:
            continue
        ax, bx, cx = grid[a, 0], grid[b, 0], grid[c, 0]
        if ax == NOWHERE or bx == NOWHERE or cx == NOWHERE:
            continue
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0:
            continue
        if area < 0:
            b, bx, by, c, cx, cy = c, cx, cy, b, bx, by
            area = -area
        j0, j1, i0, i1, e0, e1, e2 = corners(ax, ay, bx, by, cx, cy, height, width)
        if j0 > j1 or i0 > i1:
            continue
        x0, x1, x2 = -(cy - by) * SUBPIXEL, -(ay - cy) * SUBPIXEL, -(by - ay) * SUBPIXEL
        y0, y1, y2 = (cx - bx) * SUBPIXEL, (ax - cx) * SUBPIXEL, (bx - ax) * SUBPIXEL
        scale = 1.0 / area
        ra, rb, rc = scale / points[a, 2], scale / points[b, 2], scale / points[c, 2]
        chart = (uv[b, 0] - uv[a, 0]) * (uv[c, 1] - uv[a, 1]) - (uv[b, 1] - uv[a, 1]) * (uv[c, 0] - uv[a, 0])
        texels_a_pixel = abs(chart) * levels[0, 1] * levels[0, 2] * (samples * SUBPIXEL) ** 2 * scale
        # Half a step sharper than one texel to a pixel: what averages to less than the cut-off would be gone.
        k = min(max(int(0.5 * np.log2(max(texels_a_pixel, 1e-6))), 0), levels.shape[0] - 1)
        solid = kind[t] == 1
        offset, rows, columns = levels[k, 0], levels[k, 1], levels[k, 2]
        for i in range(i0, i1 + 1):
            start, stop = span(e0, e1, e2, x0, x1, x2, j1 - j0)
            f0, f1, f2 = e0 + start * x0, e1 + start * x1, e2 + start * x2
            for j in range(j0 + start, j0 + stop + 1):
                wa, wb, wc = f0 * ra, f1 * rb, f2 * rc
                r = wa + wb + wc
                if r > inverse_depth[i, j]:
                    if solid:
                        inverse_depth[i, j] = r
                        triangle[i, j] = t
                        f0 += x0
                        f1 += x1
                        f2 += x2
                        continue
                    u = (wa * uv[a, 0] + wb * uv[b, 0] + wc * uv[c, 0]) / r
                    v = (wa * uv[a, 1] + wb * uv[b, 1] + wc * uv[c, 1]) / r
                    if _alpha(texels, offset, rows, columns, u, v) >= least[i % samples, j % samples]:
                        inverse_depth[i, j] = r
                        triangle[i, j] = t
                f0 += x0
                f1 += x1
                f2 += x2
            e0 += y0
            e1 += y1
            e2 += y2
