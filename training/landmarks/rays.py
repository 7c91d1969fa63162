"""Where the rays of a hair's scaffold meet the skin of any head model, and shells over its people."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from training.landmarks.wardrobe import ROWS
from tronie.head.model import Head, HeadModel
from tronie.raster.rasterizer import rasterize
from tronie.stages.hair.scaffold import CAP_ROWS, COLUMNS, POLE_ROWS, azimuths, centre_of, place, rays, without_ears

SMOOTH = 2.0
"""Cells over which a person's skin is smoothed before hair lies on it."""
LEAST_MM = 1.0
EARS = (55.0, 125.0)
"""Degrees from the front between which ears may stand out of hair."""
SLOPE_MM = 0.7
"""By which what hangs down comes nearer to the axis from row to row."""
LENGTHENED_MM = 90.0
"""The last row is drawn down by so much: there the picture ends."""


@dataclass(frozen=True, eq=False)
class Rays:
    corners: np.ndarray
    """(ROWS, 97, 3) vertices of the skin's triangle that each ray meets on the mean head."""
    weights: np.ndarray
    """(ROWS, 97, 3) barycentric; 0 where it meets none."""
    origin: np.ndarray
    """(ROWS, 97, 3) mm."""
    direction: np.ndarray
    skin: np.ndarray
    """(ROWS, 97) mm, of the mean head without ears."""
    draped: np.ndarray
    """(ROWS, 97) mm: the same, below its widest place falling nearly straight down."""
    mean: np.ndarray
    """(ROWS, 97, 3) mm: where the mean head is met."""

    @classmethod
    def of(cls, model: HeadModel, level: int) -> Rays:
        mesh = model.level(level)
        mean = mesh.apply(model.mean).astype(float)
        centre = centre_of(Head(model, level, mean, mean))
        offset, direction = (a[:ROWS] for a in rays(ROWS))
        skin = mesh.triangles[mesh.triangle_part == 0]
        row, column, radius = place(mean - centre)
        wide = np.ptp(column[skin], axis=1) > COLUMNS / 2
        seam, count = skin[wide], len(mean)
        left = np.where(column > COLUMNS / 2, column - COLUMNS, column)
        places = np.concatenate([column, left, left + COLUMNS]) + 0.5
        screen = np.column_stack([places, np.tile(row, 3) + 0.5, np.tile(1000 / np.maximum(radius, 1), 3)])
        triangles = np.concatenate([skin[~wide], seam + count, seam + 2 * count])
        buffers = rasterize(screen.astype(np.float32), triangles, ROWS, COLUMNS + 1, cull=False)
        corners = triangles[np.maximum(buffers.triangle, 0)] % count
        weights = np.where(buffers.triangle[..., None] >= 0, buffers.barycentric, 0)
        met = (mean[corners] * weights[..., None]).sum(axis=2)
        outside = ((met - centre - offset) * direction).sum(axis=-1)
        here = buffers.triangle >= 0
        for i in range(1, ROWS):
            outside[i] = np.where(here[i], outside[i], outside[i - 1])
        outside[:POLE_ROWS] = outside[POLE_ROWS].mean()
        bare = without_ears(outside)
        draped = bare.copy()
        for i in range(CAP_ROWS, ROWS):
            draped[i] = np.maximum(draped[i], draped[i - 1] - SLOPE_MM)
        return cls(corners, weights, centre + offset, direction, bare, draped, met)

    @property
    def azimuth(self) -> np.ndarray:
        """(97,) degrees, 0 in front."""
        return np.degrees(azimuths(COLUMNS + 1))

    @property
    def surface(self) -> np.ndarray:
        """(ROWS, 97, 3) of the mean head without ears."""
        return np.asarray(self.origin + self.skin[..., None] * self.direction)

    def over(self, vertices: np.ndarray, thickness: np.ndarray, draped: bool = False, ears: bool = True) -> np.ndarray:
        """(ROWS, 97, 3) mm: a shell over somebody's skin (V, 3); `ears` may stand out of it."""
        here = self.weights.sum(axis=-1) > 0
        met = (vertices[self.corners] * self.weights[..., None]).sum(axis=2)
        shift = met - self.mean
        shift[:POLE_ROWS] = shift[POLE_ROWS].mean(axis=0)
        here[:POLE_ROWS] = True
        for i in range(1, ROWS):
            shift[i] = np.where(here[i, :, None], shift[i], shift[i - 1])
        ring = np.concatenate([shift[:, :COLUMNS]] * 3, axis=1).astype(np.float32)
        ring = np.asarray(cv2.GaussianBlur(ring, (0, 0), SMOOTH))[:, COLUMNS : 2 * COLUMNS + 1]
        radius = (self.draped if draped else self.skin) + thickness
        out = self.origin + radius[..., None] * self.direction + ring
        gap = ((out - met) * self.direction).sum(axis=-1)
        least = np.minimum(thickness, LEAST_MM) - gap
        if ears:
            aside = np.abs(self.azimuth)
            least = np.where((aside > EARS[0]) & (aside < EARS[1]), 0, least)
        least = np.where((self.weights.sum(axis=-1) > 0) & (np.arange(ROWS) >= POLE_ROWS)[:, None], least, 0)
        out = out + np.clip(least, 0, 12)[..., None] * self.direction
        out[:, -1] = out[:, 0]
        out[-1, :, 1] -= LENGTHENED_MM
        return np.asarray(out)
