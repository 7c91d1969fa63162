"""Glasses: what of a segmentation's glasses is rim, dark lens or mirror image, and so no skin.

Where the segmentation has none or there is none, they are found by what a photo shows darker than the likeliest skin,
along closed lines around the eyes. Skin has dark lines too. What tells a frame is that it goes all round below an eye,
unbroken, with clean skin on both sides of it; wrinkles come in bundles. Of 200 portraits the two with glasses have a
contrast (`_contrast`) of 0.33 and 0.32, the next one 0.19.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.geometry import smoothstep
from tronie.head.model import HeadModel
from tronie.raster.rasterizer import Buffers, interpolate, rasterize
from tronie.stages.texture.segment import PhotoSamples, shares_at
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
LENS_MM2 = 150
"""Of a lens in the front view, at least, for glasses."""
DARK = -0.7
"""Logarithm of lightness by which lenses are darker than the skin behind them would be, for sunglasses."""
BROWS_MM = 6.0
"""Above it the rim runs along the brows, which are to stay as they are: only what is much darker counts."""
EAR_TOP, HINGE_MM = (-66.0, 10.0), (-8.0, 16.0)
"""z and y where an arm lies on the ear; least and largest y at which it begins."""
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
    """(V,) 0..1: vertices that a frame of glasses, dark lenses or what is mirrored in lenses hides; None without
    glasses.

    `fitted` (V, 3) is the likeliest skin in the terms of `opponent`, `seen` (V,) the share that the photo has.
    """
    photo, view, segmentation = samples.photo, samples.view, samples.segmentation
    if view.pixel_mm > (COARSEST if segmentation is None else 2 * COARSEST):
        return None
    grid = front(model, level)
    values = np.column_stack([view.pixels, fitted, seen]).astype(np.float32)
    drawn = interpolate(grid.buffers, grid.triangles, values)
    pixels = drawn[..., :2].reshape(-1, 2)
    colour = opponent(blurred_colours(photo, view, pixels, 0.9).reshape(*drawn.shape[:2], 3))
    shown = (drawn[..., 5] > 0.3) & (grid.buffers.triangle >= 0)
    off = np.where(shown[..., None], colour - drawn[..., 2:5], 0).astype(np.float32)
    mask = None
    if segmentation is not None:
        worn = shares_at(segmentation, pixels, ("glasses",))[0].reshape(shown.shape) * (grid.buffers.triangle >= 0)
        mask = _worn(worn.astype(np.float32), off, shown)
    if mask is None and view.pixel_mm <= COARSEST:
        mask = _found(np.clip(off[..., 0], -1.2, 0.6), shown)
    if mask is None:
        return None
    import cv2

    wide = cv2.dilate(mask.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5)))
    soft = cv2.GaussianBlur(wide.astype(np.float32), (0, 0), 0.7)
    hidden = np.where(grid.ahead, soft[grid.row, grid.column], 0)
    return np.maximum(hidden, _temples(mask, model.level(level).apply(model.mean))).astype(np.float32)


def _temples(mask: NDArray[np.bool_], points: Array) -> Array:
    """(V,) 0..1 for points (V, 3) of the mean head: where the arms run, from the rim (in the front view's `mask`) to
    the ears; sideways they hardly are in that view."""
    ends = np.nonzero(mask[:, _box(38, 60, 0, 1)[1]])[0], np.nonzero(mask[:, _box(-60, -38, 0, 1)[1]])[0]
    rows = np.concatenate(ends)
    if not len(rows):
        return np.zeros(len(points), np.float32)
    hinge = float(np.clip(REACH[3] - np.quantile(rows, 0.35), *HINGE_MM))
    x, y, z = points.T
    line = np.interp(z, [EAR_TOP[0], 5.0], [EAR_TOP[1], hinge])
    far = smoothstep(np.abs(x), 44, 52) * (z < 5) * (z > EAR_TOP[0])
    return np.asarray(far * (1 - smoothstep(np.abs(y - line), 5.0, 8.0)))


def _worn(worn: Array, off: Array, shown: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Pixels of the front view that are to go, where a segmentation says how likely each is glasses (`worn`): dark
    lenses as a whole, of clear ones the rim and what is mirrored in them. None where there are none."""
    import cv2

    inside = worn > 0.5
    halves = _box(8, 60, -45, 30), _box(-60, -8, -45, 30)
    lenses = [float(inside[h].sum()) for h in halves if shown[h].mean() > 0.4 or inside[h].any()]
    if not lenses or max(lenses) < LENS_MM2:
        return None
    shape = cv2.MORPH_ELLIPSE, (11, 11)
    deep = cv2.erode(inside.astype(np.uint8), cv2.getStructuringElement(*shape)) > 0
    skin = deep & shown & ~_lids(worn.shape)
    light = off[..., 0]
    if skin.any() and np.median(light[skin]) < DARK:
        return np.asarray(cv2.dilate((worn > 0.3).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)
    if min(lenses) < 0.3 * max(lenses):
        return None
    lines, glints = _hats(light, shown)
    wider = cv2.dilate(inside.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (13, 13))) > 0
    deepest = cv2.erode(inside.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (19, 19))) > 0
    rim = wider & ~deepest
    lids = _lids(worn.shape)
    y = REACH[3] - np.arange(worn.shape[0])[:, None] - 0.5
    low = y < BROWS_MM
    clear = (lines > np.where(deep, 0.18, 0.1)) | (glints > np.where(deep, 0.2, 0.15))
    mask = rim & ((clear & low) | (lines > 0.3) | (glints > 0.3))
    # The line that the rim is, unbroken, wherever it is faint.
    edge = cv2.morphologyEx(inside.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    mask |= cv2.dilate((edge & low).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    # Bridge, and temples as far as they hang together with the rim.
    side = np.zeros_like(mask)
    side[_box(-12, 12, -10, 16)] = True
    side[_box(-76, -40, -12, 24)] = side[_box(40, 76, -12, 24)] = True
    dark = ((clear & side) | mask).astype(np.uint8)
    pieces = cv2.connectedComponents(dark, connectivity=8)[1]
    mask |= (dark > 0) & np.isin(pieces, np.setdiff1d(pieces[mask], 0))
    # What lenses mirror is lighter than skin, and less red and yellow.
    mirrored = deep & shown & (light > 0.12) & (off[..., 1] + off[..., 2] < -0.1)
    return np.asarray((mask | mirrored) & ~lids)


def _hats(light: Array, shown: NDArray[np.bool_]) -> tuple[Array, Array]:
    """How much darker and how much lighter than what lies around: the black and the white top hat."""
    import cv2

    values, kernel = np.clip(np.where(shown, light, 0), -1.2, 0.8).astype(np.float32), np.ones((11, 11), np.uint8)
    darker = cv2.morphologyEx(values, cv2.MORPH_CLOSE, kernel) - values
    lighter = values - cv2.morphologyEx(values, cv2.MORPH_OPEN, kernel)
    return np.clip(darker, 0, 0.8), np.clip(lighter, 0, 0.8)


def _found(darker: Array, shown: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """The same from the lines in the photo alone; `darker` is the lightness less that of skin."""
    import cv2

    lines = _hats(darker, shown)[0]
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
    return np.asarray(mask & ~lids)


def best_path(score: Array) -> Ints:
    """(N,) the column in each row of scores (N, M) that make the largest sum, neighbours at most one apart (dynamic
    programming)."""
    best = np.full(score.shape[1] + 2, -np.inf)
    near = np.lib.stride_tricks.sliding_window_view(best, 3)  # of each column itself and both beside it
    best[1:-1] = score[0]
    steps = np.zeros(score.shape, np.int32)
    for i in range(1, len(score)):
        steps[i] = near.argmax(axis=1) - 1
        best[1:-1] = near.max(axis=1) + score[i]
    path = [int(best[1:-1].argmax())]
    for step in steps[:0:-1]:
        path.append(path[-1] + int(step[path[-1]]))
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
