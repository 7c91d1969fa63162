"""The scaffold of a shell: rays from the head's axis, from the crown over the equator down to the chest.

A capsule: above the equator rays run from one centre in all directions, below it horizontally from the vertical axis. A
surface over it is one radius for each ray, so that it has no folds, an obvious layout in (u, v), and fewer triangles
where every second ray is left out. The pole lies at the crown, where hair grows in all directions: strands run along
the columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.geometry import smoothstep
from tronie.head.model import Head, HeadModel
from tronie.raster.rasterizer import interpolate, rasterize
from tronie.stages.texture.synthesis import hairline_distance

Ints = NDArray[np.int32]

COLUMNS, CAP_ROWS = 96, 24
"""Rays round the axis, and steps from the pole to the equator."""
STEP_MM = 7.0
"""Between rows below the equator."""
LOWEST_MM = -340.0
"""Height of the last row that hair may reach."""
TILT = np.radians(32.0)
"""By which the crown lies behind the highest point."""
EQUATOR_MM = 18.0
"""Its height over the eyes."""
POLE_ROWS = 3
"""So many rows from the pole on are not drawn but put between their neighbours."""
EAR_MM = 22.0
"""Half the width of what is taken off the radius where it stands out so far: ears."""


@dataclass(frozen=True, eq=False)
class Scaffold:
    """Rays of one head, (R, C) of them: rows from the pole down, columns round the axis; the last column is the first
    again. Column 0 is at the back, C // 2 in front, the subject's left at three quarters."""

    origin: Array
    """(R, C, 3) mm."""
    direction: Array
    """(R, C, 3) unit vectors."""
    skin: Array
    """(R, C) mm: radius of the head's skin without ears, continued below the neck."""
    outside: Array
    """(R, C) mm: the same with ears."""
    hairline: Array
    """(R, C) mm: how far inside the usual hairline the skin lies there, negative outside of it."""
    height: Array
    """(R,) mm: of the rows in front, for those below the equator of the whole row."""

    def points(self, radius: Array) -> Array:
        """(R, C, 3) mm of radii (R, C)."""
        return np.asarray(self.origin + radius[..., None] * self.direction, dtype=np.float32)

    @property
    def azimuth(self) -> Array:
        """(C,) radians, 0 in front, growing to the subject's left."""
        return azimuths(self.origin.shape[1])


def azimuths(columns: int) -> Array:
    return np.linspace(-np.pi, np.pi, columns)


def rows_to(lowest: float) -> int:
    """Rows of a scaffold that reaches down to a height, mm; a multiple of 4 and one."""
    below = int(np.ceil((EQUATOR_MM - lowest) / STEP_MM))
    return CAP_ROWS + (below + 3) // 4 * 4 + 1


@lru_cache(maxsize=4)
def rays(rows: int) -> tuple[Array, Array]:
    """Offsets from the head's centre (R, C, 3) mm and directions (R, C, 3)."""
    polar = np.minimum(np.arange(rows) / CAP_ROWS, 1.0) * np.pi / 2
    angle = azimuths(COLUMNS + 1)
    level = np.stack([np.sin(angle), np.zeros_like(angle), np.cos(angle)], axis=-1)
    pole = np.array([0.0, np.cos(TILT), -np.sin(TILT)])
    direction = np.sin(polar)[:, None, None] * level + np.cos(polar)[:, None, None] * pole
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    offset = np.zeros_like(direction)
    offset[:, :, 1] = -STEP_MM * np.maximum(np.arange(rows) - CAP_ROWS, 0)[:, None]
    return offset, direction


def place(points: Array) -> tuple[Array, Array, Array]:
    """Row and column (N,), not whole numbers, and radius (N,) mm of points (N, 3) about the head's centre."""
    x, y, z = np.moveaxis(np.asarray(points, dtype=np.float64), -1, 0)
    up = np.maximum(y, 0) / np.cos(TILT)
    ahead = z + up * np.sin(TILT)
    column = (np.arctan2(x, ahead) / (2 * np.pi) + 0.5) * COLUMNS
    across = np.hypot(x, ahead)
    polar = np.arctan2(across, up)
    row = np.where(y > 0, polar / (np.pi / 2) * CAP_ROWS, CAP_ROWS - y / STEP_MM)
    radius = np.where(y > 0, np.sqrt(x**2 + y**2 + z**2), np.hypot(x, z))
    return row, column, radius


def centre_of(head: Head) -> Array:
    """(3,) mm: on the head's axis at the equator's height."""
    skull = head.neutral[np.abs(head.neutral[:, 1] - 40) < 25]
    return np.array([0.0, EQUATOR_MM, (skull[:, 2].min() + skull[:, 2].max()) / 2])


@lru_cache(maxsize=2)
def _hairline(model: HeadModel, level: int) -> Array:
    return hairline_distance(model.level(level).apply(model.mean)).astype(np.float32)


def scaffold(head: Head, lowest: float = LOWEST_MM) -> Scaffold:
    """Of a whole head, whose rest is what the radii are of. 15 ms."""
    mesh = head.model.level(head.level)
    rows = rows_to(lowest)
    offset, direction = rays(rows)
    centre = centre_of(head)
    skin = mesh.triangles[mesh.triangle_part == 0]
    row, column, radius = place(head.neutral - centre)
    corner = column[skin]
    # A triangle across the seam at the back is drawn at both ends.
    wide = np.ptp(corner, axis=1) > COLUMNS / 2
    seam = skin[wide]
    count = len(column)
    table = np.column_stack([column, row, np.zeros(count)])
    left, right = table.copy(), table.copy()
    left[:, 0] = np.where(column > COLUMNS / 2, column - COLUMNS, column)
    right[:, 0] = left[:, 0] + COLUMNS
    both = np.concatenate([table, left, right])
    triangles = np.concatenate([skin[~wide], seam + count, seam + 2 * count])
    fine = 2
    screen = both.astype(np.float32)
    screen[:, :2] = (screen[:, :2] + 0.5) * fine
    deep = np.tile(1000 / np.maximum(radius, 1.0), 3)
    screen[:, 2] = deep
    width, height = (COLUMNS + 1) * fine, rows * fine
    buffers = rasterize(screen, triangles, height, width, cull=False)
    values = np.tile(np.column_stack([radius, _hairline(head.model, head.level)]), (3, 1))
    drawn = interpolate(buffers, triangles, values)
    known = (buffers.triangle >= 0).reshape(rows, fine, -1, fine)
    some = np.maximum(known.sum(axis=(1, 3)), 1)
    drawn = np.where(known[..., None], drawn.reshape(rows, fine, -1, fine, 2), 0).astype(np.float64)
    here = np.asarray(known.any(axis=(1, 3)))
    outside, hairline = drawn[..., 0].max(axis=(1, 3)), drawn[..., 1].sum(axis=(1, 3)) / some
    for i in range(1, rows):  # nothing is below the neck's cut: as above it
        outside[i] = np.where(here[i], outside[i], outside[i - 1])
        hairline[i] = np.where(here[i], hairline[i], -100.0)
    # The triangle with the pole in it has no place in rows and columns.
    pole, line = outside[POLE_ROWS].mean(), hairline[POLE_ROWS].mean()
    for i in range(POLE_ROWS):
        outside[i] = pole + (outside[POLE_ROWS] - pole) * i / POLE_ROWS
        hairline[i] = line
    outside[:, -1], hairline[:, -1] = outside[:, 0], hairline[:, 0]
    return Scaffold(
        centre + offset,
        direction,
        without_ears(outside),
        outside,
        hairline,
        centre[1] + offset[:, 0, 1],
    )


def without_ears(radius: Array) -> Array:
    """(R, C) opened by more than an ear's width, beside the head only, and smoothed."""
    import cv2

    columns = radius.shape[1] - 1
    ring = np.concatenate([radius[:, :columns]] * 3, axis=1).astype(np.float32)
    wide = 2 * round(EAR_MM / 85 * columns / (2 * np.pi)) + 1
    opened = cv2.morphologyEx(ring, cv2.MORPH_OPEN, np.ones((5, wide), np.uint8), borderType=cv2.BORDER_REPLICATE)
    side = np.abs(np.abs(azimuths(columns + 1)[:columns]) - np.radians(98))
    mix = np.tile(1 - smoothstep(side, np.radians(28), np.radians(40)), 3)
    ring = ring + (np.asarray(opened) - ring) * mix.astype(np.float32)
    smooth = np.asarray(cv2.GaussianBlur(ring, (0, 0), 1.0))[:, columns : 2 * columns]
    return np.concatenate([smooth, smooth[:, :1]], axis=1).astype(np.float64)
