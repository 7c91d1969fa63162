"""Glasses: found by what a photo shows darker than the likeliest skin, along closed lines around the eyes.

Skin has dark lines too. What tells a frame is that it goes all round below an eye, unbroken, with clean skin on both
sides of it; wrinkles come in bundles. Of 200 portraits the two with glasses have a contrast (`_contrast`) of 0.33 and
0.32, the next one 0.19.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.head.model import HeadModel
from tronie.raster.rasterizer import Buffers, interpolate, rasterize
from tronie.stages.texture.segment import PhotoSamples
from tronie.stages.texture.skin_model import opponent
from tronie.stages.texture.visibility import blurred_colours

Ints = NDArray[np.int32]

REACH = (-76, 76, -58, 42)
"""mm: left, right, bottom and top of the part of the mean head's front view that is looked at, a pixel each."""
EYE = (32.0, -2.0)
"""mm: middle of the rings."""
OVAL = (1.15, 0.85)
"""Frames are wider than high."""
RADII = np.arange(13, 43)
BELOW = np.deg2rad(np.linspace(-200, 20, 48))
"""Directions from the middle: 0 to the temple, -90 down."""
ABOVE = np.deg2rad(np.linspace(20, 160, 30))
ENOUGH = 0.24
"""Of the contrast, for glasses."""
COARSEST = 1.3
"""mm a photo's pixel may have: frames are about three millimetres thick."""


@dataclass(frozen=True, eq=False)
class Front:
    """The mean head's front view, a pixel a millimetre."""

    buffers: Buffers
    triangles: Ints
    column: Ints
    """(V,) where the vertices are in it."""
    row: Ints
    ahead: NDArray[np.bool_]
    """(V,) whether they are in it and in view there."""


@lru_cache(maxsize=2)
def front(model: HeadModel, level: int) -> Front:
    mesh = model.level(level)
    mean = mesh.apply(model.mean)
    left, right, bottom, top = REACH
    points = np.column_stack([mean[:, 0] - left, top - mean[:, 1], 1000 - mean[:, 2]])
    triangles = mesh.triangles[mesh.triangle_part == 0]
    # The photo's x runs the other way: the view is from the front, but +x stays to the right of the grid.
    buffers = rasterize(points, triangles, top - bottom, right - left, cull=False)
    row, column = (np.clip(points[:, k].astype(np.int32), 0, n - 1) for k, n in ((1, top - bottom), (0, right - left)))
    inside = (points[:, 0] >= 0) & (points[:, 0] < right - left) & (points[:, 1] >= 0) & (points[:, 1] < top - bottom)
    ahead = inside & (points[:, 2] < buffers.depth[row, column] + 4)
    return Front(buffers, triangles, column, row, ahead)


def glasses(samples: PhotoSamples, model: HeadModel, level: int, fitted: Array, seen: Array) -> Array | None:
    """(V,) 0..1: vertices that a frame of glasses hides; None without glasses.

    `fitted` (V, 3) is the likeliest skin in the terms of `opponent`, `seen` (V,) the share that the photo has.
    """
    import cv2

    photo, view = samples.photo, samples.view
    if view.pixel_mm > COARSEST:
        return None
    grid = front(model, level)
    values = np.column_stack([view.pixels, fitted[:, 0], seen]).astype(np.float32)
    drawn = interpolate(grid.buffers, grid.triangles, values)
    colour = blurred_colours(photo, view, drawn[..., :2].reshape(-1, 2), 0.9).reshape(*drawn.shape[:2], 3)
    shown = (drawn[..., 3] > 0.3) & (grid.buffers.triangle >= 0)
    darker = np.where(shown, np.clip(opponent(colour)[..., 0] - drawn[..., 2], -1.2, 0.6), 0).astype(np.float32)
    # How much darker than what lies around: the black top hat.
    lines = np.clip(cv2.morphologyEx(darker, cv2.MORPH_CLOSE, np.ones((11, 11), np.uint8)) - darker, 0, 0.8)
    marked, upper = np.zeros((2, *lines.shape), np.uint8)
    contrasts = []
    for side in (1, -1):
        place = _ring(side, BELOW, RADII)
        if shown[place].mean() < 0.6:
            continue
        path = best_path(lines[place])
        contrasts.append(_contrast(lines[place], path))
        _draw(marked, place, path)
        place = _ring(side, ABOVE, RADII[4:])
        _draw(upper, place, best_path(lines[place]))
    bridge = lines[_box(-5, 5, -12, 14)]
    if not contrasts or min(contrasts) < ENOUGH or bridge.max(axis=0).mean() < 0.2:
        return None
    marked[_box(-14, 14, -10, 16)] = 1
    marked[_box(-76, -40, -12, 24)] = marked[_box(40, 76, -12, 24)] = 1
    near = cv2.dilate(marked, np.ones((7, 7), np.uint8)) > 0
    lids = _lids(lines.shape)
    # With what hangs together with it, but for brows and what is above them.
    dark = ((lines > 0.2) & ~lids).astype(np.uint8)
    dark[_box(-40, 40, -5, REACH[3])] = 0
    pieces = cv2.connectedComponents(dark, connectivity=8)[1]
    mask = ((lines > 0.15) & near) | np.isin(pieces, np.setdiff1d(pieces[near], 0))
    # The upper rim runs along the brows, which are to stay as they are: only what is much darker counts.
    mask |= (lines > 0.35) & (cv2.dilate(upper, np.ones((3, 3), np.uint8)) > 0)
    mask &= ~lids
    wide = cv2.dilate(mask.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5)))
    soft = cv2.GaussianBlur(wide.astype(np.float32), (0, 0), 0.7)
    return np.where(grid.ahead, soft[grid.row, grid.column], 0).astype(np.float32)


def best_path(score: Array) -> Ints:
    """(N,) the column in each row of scores (N, M) that make the largest sum, neighbours at most one apart (dynamic
    programming)."""
    best, back = score[0].astype(np.float64), np.zeros(score.shape, np.int32)
    columns = np.arange(score.shape[1])
    for i in range(1, len(score)):
        near = np.stack([np.r_[-np.inf, best[:-1]], best, np.r_[best[1:], -np.inf]])
        step = near.argmax(axis=0)
        back[i] = columns + step - 1
        best = near.max(axis=0) + score[i]
    path = [int(best.argmax())]
    for i in range(len(score) - 1, 0, -1):
        path.append(int(back[i][path[-1]]))
    return np.array(path[::-1], dtype=np.int32)


def _contrast(lines: Array, path: Ints) -> float:
    """The mean along a path less twice that of what runs beside it, 5 to 7 mm away."""
    rows = np.arange(len(path))
    beside = [lines[rows, np.clip(path + d, 0, lines.shape[1] - 1)] for d in (-7, -6, -5, 5, 6, 7)]
    return float(lines[rows, path].mean() - 2 * np.mean(beside))


def _ring(side: int, angles: Array, radii: NDArray[Any]) -> tuple[Ints, Ints]:
    """Rows and columns (A, R) of the front view around the eye on the side of +x (1) or -x (-1)."""
    left, right, bottom, top = REACH
    x = side * (EYE[0] + OVAL[0] * radii * np.cos(angles)[:, None])
    y = EYE[1] + OVAL[1] * radii * np.sin(angles)[:, None]
    return (
        np.clip(top - y, 0, top - bottom - 1).astype(np.int32),
        np.clip(x - left, 0, right - left - 1).astype(np.int32),
    )


def _draw(marked: NDArray[np.uint8], place: tuple[Ints, Ints], path: Ints) -> None:
    rows = np.arange(len(path))
    marked[place[0][rows, path], place[1][rows, path]] = 1


def _box(x0: int, x1: int, y0: int, y1: int) -> tuple[slice, slice]:
    return slice(REACH[3] - y1, REACH[3] - y0), slice(x0 - REACH[0], x1 - REACH[0])


def _lids(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The eyes with their lids: never behind a frame."""
    y, x = REACH[3] - np.arange(shape[0])[:, None] - 0.5, np.arange(shape[1])[None] + REACH[0] + 0.5
    across, up = (np.abs(x) - EYE[0]) / (OVAL[0] * 13), (y - EYE[1]) / (OVAL[1] * 13)
    return np.asarray(np.hypot(across, up) < 1)
