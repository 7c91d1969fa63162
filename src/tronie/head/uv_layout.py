"""Texture layouts in one square, for face models whose own is in several tiles or materials, and for those without."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.head.model import PARTS, Ints
from tronie.head.morphable import Morphable

GRID = 128
"""Cells across a tile in which two parts are looked for that lie on each other."""
SHARED = 0.1
"""Share of a part's cells that another may have too (their borders) before both are of different materials."""
LEAST = 3
"""The largest chart has all but one of so many strips, at most."""
MARGIN = 0.008
"""Of a cell's side, left free at its borders."""


def one_square(uv: Array, face_uv: Ints, part: NDArray[np.uint8]) -> tuple[Array, Ints]:
    """Texture coordinates in 0..1 (U', 2) and (F, 4) for a layout (U, 2), (F, 4) that may have several tiles (u above
    1) and, where each material has its own picture, several parts in one place.

    The chart of most skin keeps the upper left corner and most of the square; the others get equal cells to its right
    and below it.
    """
    known = face_uv >= 0
    corners = np.where(known, face_uv, face_uv[:, :1])
    tile = np.floor(uv[corners].mean(axis=1)).clip(0).astype(int)
    chart = charts(uv[corners] - tile[:, None], tile @ [1, tile[:, 0].max(initial=0) + 1], part)
    count = int(chart.max()) + 1
    size = np.bincount(chart, weights=part == 0, minlength=count)
    order = np.argsort(np.argsort(-size, kind="stable"))
    place = cells(count)[order]
    # A row that two charts share becomes two.
    keys = face_uv.astype(np.int64) * count + chart[:, None]
    used, number = np.unique(keys[known], return_inverse=True)
    row, of = used // count, used % count
    in_tile = np.zeros((count, 2))
    in_tile[chart] = tile
    local = np.clip(uv[row] - in_tile[of], 0, 1)
    inset = local if count == 1 else MARGIN + (1 - 2 * MARGIN) * local
    out = np.full(face_uv.shape, -1, np.int32)
    out[known] = number.ravel()
    return np.asarray(place[of, :2] + place[of, 2:] * inset, dtype=np.float32), out


def charts(corners: Array, tile: NDArray[Any], part: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(F,) the number of each face's chart: parts of one tile share it unless they lie on each other."""
    chart = np.zeros(len(part), np.int64)
    count = 0
    for number in np.unique(tile):
        taken: list[NDArray[np.bool_]] = []
        for k in range(len(PARTS)):
            rows = np.flatnonzero((tile == number) & (part == k))
            if not len(rows):
                continue
            mine = cover(corners[rows])
            free = [n for n, theirs in enumerate(taken) if (mine & theirs).sum() <= SHARED * mine.sum()]
            if free:
                taken[free[0]] |= mine
            else:
                taken.append(mine)
            chart[rows] = count + (free[0] if free else len(taken) - 1)
        count += len(taken)
    return chart


def cover(corners: Array) -> NDArray[np.bool_]:
    """(GRID, GRID) the cells of a tile that faces with corners (F, 4, 2) lie in: their middles and edges' middles."""
    spots = np.concatenate([corners, (corners + np.roll(corners, 1, axis=1)) / 2], axis=1)
    spots = np.concatenate([spots, corners.mean(axis=1, keepdims=True)], axis=1).reshape(-1, 2)
    cell = np.clip((spots * GRID).astype(int), 0, GRID - 1)
    out = np.zeros((GRID, GRID), dtype=bool)
    out[cell[:, 1], cell[:, 0]] = True
    return out


def cells(count: int) -> Array:
    """(count, 4) left, top, width, height: a large square first, then equal ones to its right and below it."""
    if count == 1:
        return np.array([[0.0, 0.0, 1.0, 1.0]])
    strips = max(LEAST, math.ceil(count / 2))
    side = 1 / strips
    right = [(1 - side, k * side) for k in range(strips)]
    below = [(k * side, 1 - side) for k in range(strips - 1)]
    small = [(x, y, side, side) for x, y in [*right, *below]]
    return np.array([(0.0, 0.0, 1 - side, 1 - side), *small][:count])


def cylinder(m: Morphable) -> tuple[Array, Ints]:
    """A texture layout for a family without one: round the vertical axis, the parts below the skin. Symmetric about
    u = 0.5; the seam is at the back. (U, 2) and (F, 4)."""
    corners, sides = m.faces[m.faces >= 0], (m.faces >= 0).sum(axis=1)
    part = np.repeat(m.part, sides)
    p, middle = m.mean[corners], m.mean[m.vertices_of("skin")]
    axis = (middle[:, 2].min() + middle[:, 2].max()) / 2
    u = np.arctan2(p[:, 0], p[:, 2] - axis) / (2 * np.pi) + 0.5
    # Of a face across the seam all corners are put on the side of its first.
    first = np.repeat(u[np.cumsum(sides) - sides], sides)
    u = np.where(np.abs(u - first) > 0.5, np.round(first), u)
    low, high = middle[:, 1].min(), middle[:, 1].max()
    v = ((high - p[:, 1]) / (high - low)).clip(0, 1) * 0.8
    for k in range(1, len(PARTS)):
        rows = np.flatnonzero(part == k)
        if len(rows):
            flat = p[rows, :2] - p[rows, :2].min(axis=0)
            flat = flat / max(float(np.ptp(flat, axis=0).max()), 1e-6)
            u[rows], v[rows] = (k - 1 + 0.05 + 0.9 * flat[:, 0]) / (len(PARTS) - 1), 0.82 + 0.16 * (1 - flat[:, 1])
    uv, number = np.unique(np.stack([u, v], axis=1).astype(np.float32), axis=0, return_inverse=True)
    face_uv = np.full(m.faces.shape, -1, np.int32)
    face_uv[m.faces >= 0] = number.ravel()
    return uv, face_uv
