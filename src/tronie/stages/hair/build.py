"""Hair built: from what photos show of it to a shell over the head, and to what can be said of it by name."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.head.model import Head
from tronie.settings import HairSettings
from tronie.shells import HairLook, Segmentation, Shell
from tronie.stages.hair.cutout import canvas_of, cut_out
from tronie.stages.hair.paint import paint
from tronie.stages.hair.ring import normals
from tronie.stages.hair.scaffold import CAP_ROWS, COLUMNS, STEP_MM, centre_of, place, scaffold
from tronie.stages.hair.surface import JAW_MM, Surface, View, surface_of
from tronie.types import Fit, Photo

Ints = NDArray[np.int32]
INSIDE_MM, LOW_ROWS = 8.0, 5
"""The scalp whose hair is judged: so far inside the usual hairline, and above the last rows over the equator."""
COVERED, BALD = 0.5, 0.42
"""Share of it from which on it is covered, and below which it is bald."""
NONE, SOME, JUDGED = 0.1, 0.5, 30.0
"""Share of one side's scalp below which it has no hair, share of the other's from which a shadow there was taken for
hair, and cells of each side that must be seen for it. Nobody has hair on one side alone."""
NO_COLOR = (128.0, 128.0, 128.0)
BELOW_ROWS = 3
"""Rows of a shell below the last that has hair at the sides."""


def build_hair(
    head: Head, shots: Sequence[tuple[Photo, Fit, Segmentation]], settings: HairSettings
) -> tuple[HairLook, tuple[Shell, ...]]:
    """What can be said of the hair of one head, from photos of it and where it lies in each, and its shells."""
    canvases = [canvas_of(photo, head, fit, segmentation) for photo, fit, segmentation in shots]
    rays = scaffold(head)
    covering = [cutout for canvas in canvases if (cutout := cut_out(canvas, "covering")) is not None]
    over = surface_of(rays, covering, False) if covering else None
    names: tuple[str, ...] = ("hair",)
    if over is not None and scalp_share(over)[0] < COVERED:  # a shine or a strange hue in hair
        over, names = None, ("hair", "covering")
    hair = [cutout for canvas in canvases if (cutout := cut_out(canvas, *names)) is not None]
    grown = surface_of(rays, hair, True, over) if hair else None
    if grown is not None and over is None and one_sided(grown):
        grown = None
    found = look_of(grown, over)
    if settings.mode != "auto":
        return found, ()
    shells = [shell_of(surface, name) for name, surface in (("hair", grown), ("covering", over)) if surface is not None]
    return found, tuple(shell for shell in shells if len(shell.triangles))


def scalp(surface: Surface) -> tuple[Array, Array]:
    """(R, C) twice: whether each cell of the scalp above the ears has it, 0..1, and how well it is seen, 0..1."""
    rays, limb = surface.rays, surface.limb
    square = np.max([view.square for view in surface.views], axis=0)
    share = np.max([view.square * view.share for view in surface.views], axis=0) / np.maximum(square, 1e-9)
    weight = np.maximum(limb.weight, square) * (rays.hairline > INSIDE_MM)
    weight[CAP_ROWS - LOW_ROWS :] = 0
    return np.where(limb.weight > square, limb.hair, share), weight


def scalp_share(surface: Surface) -> tuple[float, float]:
    """Share of the seen scalp above the ears that has it, and how sure that is, both 0..1."""
    value, weight = scalp(surface)
    if weight.sum() < 1:
        return 1.0, 0.0
    return float(np.average(value, weights=weight)), float(np.average(np.abs(2 * value - 1), weights=weight))


def one_sided(hair: Surface) -> bool:
    """Whether one side of the seen scalp is bare and the other is not."""
    value, weight = scalp(hair)
    left = np.sin(hair.rays.azimuth) > 0
    seen = [float(weight[:, side].sum()) for side in (left, ~left)]
    if min(seen) < JUDGED:
        return False
    less, more = sorted(float((value * weight)[:, side].sum()) / w for side, w in zip((left, ~left), seen, strict=True))
    return less < NONE and more > SOME


def look_of(hair: Surface | None, covering: Surface | None) -> HairLook:
    if covering is not None:
        _, sure = scalp_share(covering)
        return HairLook("covered", sure, 0.0, color_of((hair or covering).views))
    if hair is None:
        return HairLook("bald", 1.0, 0.0, np.array(NO_COLOR, np.float32))
    full, sure = scalp_share(hair)
    kind = "bald" if full < BALD else "long" if hair.lowest < JAW_MM else "short"
    return HairLook(kind, sure, full, color_of(hair.views))


def color_of(views: Sequence[View]) -> Array:
    """(3,) sRGB, the median of what is well inside."""
    found = []
    for view in views:
        to_canvas = view.cutout.from_photo.inverse().matrix
        side = view.cutout.solid.shape[::-1]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        picture = np.asarray(cv2.warpAffine(view.cutout.photo.image, to_canvas, side, flags=flags))
        found.append(picture[view.cutout.solid > 0.6])
    colors = np.concatenate(found)
    return np.asarray(np.median(colors, axis=0) if len(colors) else NO_COLOR, dtype=np.float32)


def shell_of(surface: Surface, name: str) -> Shell:
    rays = surface.rays
    below = (rays.height[CAP_ROWS] - min(surface.lowest, -70.0)) / STEP_MM
    rows = min(CAP_ROWS + int(np.ceil(below)) + BELOW_ROWS, len(rays.height) - 1)
    rows = rows // 4 * 4 + 1
    image = paint(surface, rows)
    points = rays.points(surface.radius)[:rows]
    cells = covered_cells(image, rows - 1, points.shape[1] - 1)
    v, u = np.mgrid[: points.shape[0], : points.shape[1]]
    uv = np.stack([u / (points.shape[1] - 1), v / (rows - 1)], axis=-1)
    return Shell(
        name,
        np.ascontiguousarray(points.reshape(-1, 3), np.float32),
        normals(points).reshape(-1, 3).astype(np.float32),
        grid_triangles(cells, 1),
        uv.reshape(-1, 2).astype(np.float32),
        image,
        (grid_triangles(cells, 2), grid_triangles(cells, 4)),
    )


def lies_under(head: Head, shells: Sequence[Shell]) -> Array | None:
    """(C,) 0..1: over which vertices of the control mesh hair or a covering lies; None without shells. What is painted
    on the scalp ends where they do."""
    worn = [shell for shell in shells if shell.name in ("hair", "covering")]
    if not worn:
        return None
    row, column, _ = place(head.neutral[: len(head.model.mean)] - centre_of(head))
    out = np.zeros(len(row))
    for shell in worn:
        rows = len(shell.vertices) // (COLUMNS + 1)
        alpha = cv2.resize(shell.image[..., 3], (COLUMNS, rows - 1), interpolation=cv2.INTER_AREA)
        i, j = np.floor(row).astype(int), np.floor(column).astype(int) % COLUMNS
        there = (i >= 0) & (i < rows - 1)
        out = np.maximum(out, np.where(there, np.asarray(alpha)[i.clip(0, rows - 2), j] / 255, 0))
    return out


def covered_cells(image: Image, rows: int, columns: int) -> NDArray[np.bool_]:
    """(rows, columns) which cells of a picture are not wholly transparent."""
    height, width = image.shape[0] // rows, image.shape[1] // columns
    return np.asarray((image[..., 3] > 8).reshape(rows, height, columns, width).any(axis=(1, 3)))


def grid_triangles(cells: NDArray[np.bool_], step: int) -> Ints:
    """(T, 3) over the vertices of a grid, of every `step`-th row and column, where any of its cells is covered."""
    rows, columns = cells.shape
    kept = cells.reshape(rows // step, step, columns // step, step).any(axis=(1, 3))
    i, j = np.nonzero(kept)
    width = columns + 1
    a = i * step * width + j * step
    b, c, d = a + step, a + step * width, a + step * width + step
    tip = i > 0  # at the pole the upper corners are one
    return np.concatenate([np.column_stack([a, c, d]), np.column_stack([a, d, b])[tip]]).astype(np.int32)
