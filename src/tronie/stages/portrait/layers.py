"""The layers of a portrait: maps into the photo and its other side, their shares, and the kernel that lays them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tronie.arrays import Array
from tronie.geometry import smoothstep
from tronie.raster.rasterizer import interpolate, rasterize
from tronie.runtime.jit import jit
from tronie.stages.portrait.warp_anchors import CELL_MM, CELLS, LOW_MM, Anchors, HeadRegions, shifts
from tronie.stages.texture.atlas import SurfaceFacts
from tronie.stages.texture.visibility import Visibility

HOLE_MM = 9.0
"""Eyes and mouth take over how well the skin is seen so far around them."""
EDGE_MM = 1.2
"""Over which one source gives way to the next."""
STRETCH = (0.5, 0.75)
"""Photo pixels per portrait pixel, where they are fewest, between which the photo goes from smeared to good."""
BETTER = (0.1, 0.4)
"""By how much the other side must be better seen to take its place."""
BLEND_MM = 1.5
"""Over which the head's own map and that of its surroundings are smoothed into each other."""
ZERO, ONE, HALF, TOP = (np.float32(x) for x in (0, 1, 0.5, 255))
OTHER_X, OTHER_Y, MIRRORED, FILL, BEYOND, HEAD = (np.int64(k) for k in (0, 1, 2, 3, 4, 8))
"""What is where in the grid of `lay`. For each plain number that a kernel hands on, numba would compile anew what gets
it."""


@dataclass(frozen=True, slots=True)
class PortraitLayers:
    """Over a grid of (h, w) cells that covers the portrait."""

    direct: Array
    """(h, w, 2) float32: the place in the photo, in the portrait's frame (see `Anchors.there`)."""
    mirrored: Array
    """(h, w, 2) the same of the face's other side."""
    use_mirrored: Array
    """(h, w) 0..1 and"""
    use_fill: Array
    """(h, w) 0..1: shares of the mirrored and of the fill; the rest is direct."""
    common: Array
    """(h, w) 0..1: how well both sides are seen."""
    fill: Array
    """(h, w, 3) 0..255."""
    head: Array
    """(h, w) 0..1: the head without its neck."""


def make_layers(
    anchors: Anchors,
    view: Visibility,
    parts: HeadRegions,
    facts: SurfaceFacts,
    colours: Array,
    shape: tuple[int, int],
    cell: float,
    strict: float = 0.0,
) -> PortraitLayers:
    """`cell` is the side of a cell in pixels of the portrait, `colours` (V, 3) those of the texture. The more `strict`,
    0..1, the less counts that the photo's map is hardly stretched, beside what it shows."""
    import cv2

    height, width = shape
    scale = np.array([1 / cell, 1 / cell, 1], np.float32)
    buffers = rasterize(anchors.here * scale, parts.triangles, height, width)
    ids = buffers.triangle
    covered = ids >= 0
    skin = covered & parts.skin[np.maximum(ids, 0)]
    ahead = np.zeros(len(anchors.here), bool)
    ahead[parts.triangles[np.unique(ids[skin])]] = True
    field = shifts(anchors, parts, ahead)

    trust = view.facing * np.maximum(view.outline, parts.scalp)
    here = anchors.here[:, :2]
    columns = [
        anchors.there[:, :2] - here,
        anchors.there[facts.mirror, :2] - here,
        parts.bare,
        trust,
        trust[facts.mirror],
        parts.fillable,
        parts.above,
        parts.skull,
        colours,
    ]
    picture = interpolate(buffers, parts.triangles, np.column_stack(columns))
    bare, seen, twin, front, above, skull = (picture[..., k] for k in range(4, 10))
    hole = covered & ~skin
    size = max(int(HOLE_MM * anchors.per_mm / cell) * 2 + 1, 3)
    inside = skin.astype(np.float32)
    around = np.asarray(cv2.boxFilter(np.dstack([inside, inside * seen, inside * twin]), -1, (size, size)))
    near = around[..., 1:] / np.maximum(around[..., :1], 1e-4)
    seen, twin = np.where(hole, near[..., 0], seen), np.where(hole, near[..., 1], twin)
    bare = np.where(hole, 0, bare)

    at = centres(shape, cell)
    place = at + _sampled(field, anchors, shape, cell)
    flipped = place[:, ::-1]
    side = max(int(BLEND_MM * anchors.per_mm / cell) * 2 + 1, 1)

    def bent(base: Array, move: Array, share: Array) -> Array:
        change = (move + at - base) * (bare * np.minimum(2 * share, 1))[..., None]
        return np.asarray(base + cv2.boxFilter(change, -1, (side, side)))

    direct = bent(place, picture[..., :2], seen)
    enough = np.clip(np.maximum(seen, twin), 0.25, 0.6)
    # What the map hardly stretches is shown as it is, unless the other side is seen much better.
    good = smoothstep(_narrowest(direct, cell), *STRETCH) * (1 - smoothstep(twin - seen, *BETTER)) * (1 - strict)
    own = np.maximum(smoothstep(seen / enough, 0.08, 1.0), good)
    mirrored = (1 - own) * smoothstep(twin / enough, 0.08, 1.0) * smoothstep((twin - seen) / enough, 0.0, 0.5)
    fill = (1 - own - mirrored) * front
    sigma = EDGE_MM * anchors.per_mm / cell
    shares = np.dstack([mirrored * above, fill, skull * covered]).astype(np.float32)
    weights: Array = np.asarray(cv2.GaussianBlur(shares, (0, 0), sigma), np.float32)

    return PortraitLayers(
        direct,
        bent(flipped, picture[..., 2:4], twin),
        weights[..., 0],
        weights[..., 1],
        np.where(skin, seen * twin, 0),
        picture[..., 10:],
        weights[..., 2],
    )


def _narrowest(place: Array, cell: float) -> Array:
    """(h, w): the smaller singular value of a map (h, w, 2): pixels of the photo, in the direction in which they are
    fewest, per pixel of the portrait; below 0 where the map is folded."""
    xy, xx = np.gradient(place[..., 0], cell)
    yy, yx = np.gradient(place[..., 1], cell)
    determinant = xx * yy - xy * yx
    sum_of_squares = xx**2 + yy**2 + xy**2 + yx**2
    root = np.sqrt(np.maximum(sum_of_squares**2 - 4 * determinant**2, 0))
    return np.asarray(np.sign(determinant) * np.sqrt(np.maximum((sum_of_squares - root) / 2, 0)))


def centres(shape: tuple[int, int], cell: float) -> Array:
    """(h, w, 2) float32: pixels of the portrait in the middle of the cells."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return np.dstack([(x + 0.5) * cell, (y + 0.5) * cell])


def _sampled(field: Array, anchors: Anchors, shape: tuple[int, int], cell: float) -> Array:
    """The field of shifts (CELLS, CELLS, 2) at the cells of the portrait."""
    import cv2

    per_cell = anchors.per_mm * CELL_MM
    start = (0.5 * cell - np.asarray(anchors.eyes)) / per_cell - [0, LOW_MM / CELL_MM] + CELLS / 2 - 0.5
    matrix = np.array([[cell / per_cell, 0, start[0]], [0, cell / per_cell, start[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (shape[1], shape[0])
    out: Any = cv2.warpAffine(field, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out)


@jit
def weigh(position: Any, cells: int) -> tuple[int, int, Any]:
    """Cells on both sides of a position (cell centres at 0, 1, ...), and the share of the second."""
    at = min(max(position, ZERO), np.float32(cells - 1))
    first = min(int(at), max(cells - 2, 0))
    return first, min(first + 1, cells - 1), at - np.float32(first)


@jit
def bilinear(grid: Any, i: int, i1: int, fy: Any, j: int, j1: int, fx: Any, k: Any) -> Any:
    top = grid[i, j, k] + fx * (grid[i, j1, k] - grid[i, j, k])
    low = grid[i1, j, k] + fx * (grid[i1, j1, k] - grid[i1, j, k])
    return top + fy * (low - top)


@jit
def lay(out: Any, source: Any, grid: Any, gain: Any, beyond: Any, cell: int, kinds: Any, mask: Any) -> None:
    """Over `out` (H, W, 3) uint8, the warped photo, cell by cell of `cell` pixels where there is something to lay.

    `grid` (h, w, 9) float32, cell centres: pixel of the source (array indices) of the other side, x and y; shares of
    mirrored, fill, and of what lies beyond the photo; the fill's colour; the head. `beyond` (h, w, 3) are its colours;
    `gain` (m, n, 3) times the mirrored, over a coarser grid of the whole. `kinds` (5,): what to write into `mask`
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
                i, i1, fy = weigh((np.float32(y) + HALF) * small - HALF, rows)
                for x in range(bj * cell, min((bj + 1) * cell, width)):
                    if whole and not busy:
                        mask[y, x] = kinds[0] if low >= HALF else kinds[4]
                        continue
                    j, j1, fx = weigh((np.float32(x) + HALF) * small - HALF, columns)
                    head = bilinear(grid, i, i1, fy, j, j1, fx, HEAD)
                    kind = kinds[0] if head >= HALF else kinds[4]
                    if busy:
                        m = bilinear(grid, i, i1, fy, j, j1, fx, MIRRORED)
                        f = bilinear(grid, i, i1, fy, j, j1, fx, FILL)
                        b = bilinear(grid, i, i1, fy, j, j1, fx, BEYOND)
                        c, c1, gy = weigh((np.float32(y) + HALF) * coarse_y - HALF, gain.shape[0])
                        d, d1, gx = weigh((np.float32(x) + HALF) * coarse_x - HALF, gain.shape[1])
                        if m > ZERO:
                            sx = bilinear(grid, i, i1, fy, j, j1, fx, OTHER_X)
                            sy = bilinear(grid, i, i1, fy, j, j1, fx, OTHER_Y)
                            r, r1, hy = weigh(sy, source.shape[0])
                            s, s1, hx = weigh(sx, source.shape[1])
                        for k in range(3):
                            value = np.float32(out[y, x, k])
                            if b > ZERO:
                                value += b * (bilinear(beyond, i, i1, fy, j, j1, fx, k) - value)
                            if m > ZERO:
                                top = source[r, s, k] * (ONE - hx) + source[r, s1, k] * hx
                                under = source[r1, s, k] * (ONE - hx) + source[r1, s1, k] * hx
                                other = (top + hy * (under - top)) * bilinear(gain, c, c1, gy, d, d1, gx, k)
                                value += m * (other - value)
                            if f > ZERO:
                                value += f * (bilinear(grid, i, i1, fy, j, j1, fx, 5 + k) - value)
                            out[y, x, k] = np.uint8(min(max(value + HALF, ZERO), TOP))
                        if head >= HALF and f > HALF:
                            kind = kinds[2]
                        elif m > HALF:
                            kind = kinds[1]
                        elif b > HALF:
                            kind = kinds[3]
                    mask[y, x] = kind
