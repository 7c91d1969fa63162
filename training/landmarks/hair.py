"""Hair and coverings of a `Wardrobe`, and caps, hats, hoods and scarfs of our own, on the heads of random people."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from training.landmarks.rays import Rays
from training.landmarks.wardrobe import CELL, KINDS, ROWS, Wardrobe
from tronie.pipelines.calibration.layers import Layer
from tronie.raster.cutouts import Cutout
from tronie.stages.hair.build import covered_cells, grid_triangles
from tronie.stages.hair.scaffold import COLUMNS

TINTS = np.array(
    [(0.3, 0.27, 0.25), (0.55, 0.42, 0.32), (0.9, 0.72, 0.5), (1.6, 1.35, 1.0), (1.3, 1.3, 1.3), (0.9, 0.4, 0.25)]
)
"""By which the colours of hair are multiplied."""
LEAST_MM = 1.5


@dataclass(frozen=True, eq=False)
class Piece:
    """A shell that anybody can wear."""

    thickness: np.ndarray
    """(ROWS, 97) mm."""
    cutout: Cutout
    covers_ears: bool
    draped: bool = False
    brim: Brim | None = None
    skin: int = -1
    """Of its own wearer, in the wardrobe."""
    grown: bool = True
    """Hair."""

    def worn(self, rays: Rays, vertices: np.ndarray, fit: Fit) -> list[Layer]:
        """On somebody's head (V, 3)."""
        thick = LEAST_MM + (self.thickness - LEAST_MM) * fit.fullness
        points = rays.over(vertices, thick[:, ::-1] if fit.mirrored else thick, self.draped, not self.covers_ears)
        if fit.mirrored:  # the picture goes the other way round
            points = points[:, ::-1]
        out = [Layer(points.reshape(-1, 3).astype(np.float32), self.cutout, fit.tone)]
        if self.brim is not None:
            out.append(self.brim.layer(points, fit))
        return out


@dataclass(frozen=True, eq=False)
class Fit:
    """How somebody wears a piece."""

    fullness: float = 1.0
    mirrored: bool = False
    tone: np.ndarray | None = None
    """(256, 3)."""

    @classmethod
    def random(cls, rng: np.random.Generator, hair: bool) -> Fit:
        ramp = np.linspace(0, 255, 256)[:, None]
        tone = ramp * rng.uniform(0.75, 1.25) * rng.uniform(0.94, 1.06, 3)
        if hair and rng.random() < 0.3:
            tone = tone * TINTS[int(rng.integers(len(TINTS)))]
        return cls(rng.uniform(0.75, 1.3), rng.random() < 0.5, np.clip(tone, 0, 255).astype(np.uint8))


@dataclass(frozen=True, eq=False)
class Brim:
    """What stands out around a cap or hat at its edge."""

    row: np.ndarray
    """(97,) where on the shell it begins, not whole numbers."""
    reach: np.ndarray
    """(97,) mm; 0 where there is none."""
    drop: float
    """mm by which it goes down."""
    image: np.ndarray

    def layer(self, points: np.ndarray, fit: Fit) -> Layer:
        first = np.clip(self.row.astype(int), 0, ROWS - 2)
        share = (self.row - first)[:, None]
        columns = np.arange(COLUMNS + 1)
        inner = points[first, columns] * (1 - share) + points[first + 1, columns] * share
        away = inner - [0, 0, inner[:, 2].mean()]
        away[:, 1] = 0
        away /= np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-6)
        steps = np.linspace(0, 1, 5)[:, None, None]
        down = self.drop * (self.reach / max(self.reach.max(), 1e-6))[None, :, None] * steps**1.5
        grid = inner - away * 2 + away * self.reach[None, :, None] * steps - down * [0, 1, 0]
        triangles = grid_triangles(np.ones((4, COLUMNS), bool), 1)
        there = (self.reach > 1)[triangles % (COLUMNS + 1)].any(axis=1)
        v, u = np.mgrid[:5, : COLUMNS + 1]
        uv = np.stack([u / COLUMNS, v / 4], axis=-1).reshape(-1, 2).astype(np.float32)
        cutout = Cutout.of(triangles[there], uv, self.image)
        return Layer(grid.reshape(-1, 3).astype(np.float32), cutout, fit.tone)


def cutout_of(picture: np.ndarray) -> Cutout:
    """Of a shell's picture (CELL (ROWS - 1), CELL COLUMNS, 4)."""
    v, u = np.mgrid[:ROWS, : COLUMNS + 1]
    uv = np.stack([u / COLUMNS, v / (ROWS - 1)], axis=-1).reshape(-1, 2).astype(np.float32)
    return Cutout.of(grid_triangles(covered_cells(picture, ROWS - 1, COLUMNS), 1), uv, picture)


def grown(wardrobe: Wardrobe) -> list[Piece]:
    """Hair and coverings of real people."""
    out = []
    for k in range(len(wardrobe.kinds)):
        cutout = cutout_of(np.ascontiguousarray(wardrobe.pictures[k]))
        thick = np.clip(wardrobe.thickness[k].astype(float), 0, 90)
        alpha = cv2.resize(wardrobe.pictures[k][..., 3], (COLUMNS, ROWS - 1), interpolation=cv2.INTER_AREA)
        ears = np.asarray(alpha)[24:29][:, [20, 22, 72, 74]].mean() > 200
        hair = KINDS[int(wardrobe.kinds[k])] == "hair"
        out.append(Piece(thick, cutout, bool(ears), skin=int(wardrobe.worn_by[k]), grown=hair))
    return out


@dataclass(frozen=True, eq=False)
class Hatter:
    """Makes caps, hats, hoods for the mean head of `rays`."""

    rays: Rays
    rng: np.random.Generator

    def edge(self, front: float, back: float, side: float) -> np.ndarray:
        """(97,) mm: heights of a cap's edge around the head."""
        c = np.cos(np.radians(self.rays.azimuth))
        return side + np.where(c > 0, front - side, back - side) * np.abs(c) ** 1.5

    def make(self) -> Piece:
        kind = self.rng.choice(["beanie", "cap", "hat", "hood"], p=[0.3, 0.3, 0.15, 0.25])
        return self.hood() if kind == "hood" else self.cap(str(kind))

    def cap(self, kind: str) -> Piece:
        rng = self.rng
        front, back = rng.uniform(28, 62), rng.uniform(-35, 20)
        side = rng.uniform(-10, 25) if kind == "beanie" else rng.uniform(10, 30)
        edge = self.edge(front, back, side)
        height = self.rays.surface[..., 1]
        above = height - edge
        base = rng.uniform(3, 7) + (rng.uniform(0, 25) if kind == "beanie" else 0) * np.clip(above / 120, 0, 1) ** 2
        crown = rng.uniform(8, 22) if kind != "beanie" else 0
        if kind == "hat":
            crown = rng.uniform(20, 45)
        thick = base + crown * np.clip(above / 50, 0, 1)
        picture = self.fabric(kind == "beanie")
        big = np.asarray(cv2.resize(above.astype(np.float32), picture.shape[1::-1]))
        picture[..., 3] = np.clip(128 + 30 * big, 0, 255)
        if kind == "beanie" and rng.random() < 0.5:  # turned up
            cuff = (big < rng.uniform(25, 45)) & (big > -2)
            picture[..., :3][cuff] = np.clip(picture[..., :3][cuff] * rng.uniform(0.7, 1.2), 0, 255)
            thick = thick + rng.uniform(1, 4) * (above < 35)
        brim = None
        if kind != "beanie":
            row = np.array([np.interp(-edge[c] - 1, -height[:, c], np.arange(ROWS)) for c in range(COLUMNS + 1)])
            aside = np.abs(self.rays.azimuth)
            if kind == "cap":
                reach = rng.uniform(55, 80) * np.sqrt(np.clip(1 - (aside / rng.uniform(50, 65)) ** 2, 0, 1))
            else:
                reach = rng.uniform(30, 90) * np.ones(COLUMNS + 1)
            image = np.ascontiguousarray(np.asarray(cv2.resize(picture, (96, 32))))
            image[..., 3] = 255
            brim = Brim(row, reach, float(rng.uniform(-5, 28)), image)
        return Piece(np.clip(thick, 2, 80), cutout_of(picture), side < -5, brim=brim, grown=False)

    def hood(self) -> Piece:
        """Everything but the face."""
        rng = self.rng
        height, aside = self.rays.surface[..., 1], np.abs(self.rays.azimuth)[None]
        wide, tall, middle = rng.uniform(45, 62), rng.uniform(82, 100), rng.uniform(-35, -22)
        power = rng.uniform(2, 2.8)
        out = (aside / wide) ** power + (np.abs(height - middle) / tall) ** power
        depth = np.clip(out - 1, 0, 1.5)
        thick = rng.uniform(2, 5) + rng.uniform(3, 22) * depth / 1.5
        picture = self.fabric(False)
        big = np.asarray(cv2.resize(out.astype(np.float32), picture.shape[1::-1]))
        picture[..., 3] = np.clip(128 + 600 * (big - 1), 0, 255)
        return Piece(thick, cutout_of(picture), True, draped=True, grown=False)

    def fabric(self, knit: bool) -> np.ndarray:
        """RGBA of cloth: plain, knitted, striped, with folds."""
        rng, shape = self.rng, (CELL * (ROWS - 1), CELL * COLUMNS)
        grey, hue = rng.uniform(10, 240), rng.uniform(0, 255, 3)
        colour = np.clip(grey + (hue - hue.mean()) * rng.choice([0.1, 0.5, 1.0]), 4, 250)
        paint = np.broadcast_to(colour, (*shape, 3)).astype(np.float32).copy()
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        if rng.random() < 0.25:
            other = np.clip(rng.uniform(0, 255, 3), 4, 250)
            wave = np.sin(2 * np.pi * (y if rng.random() < 0.7 else x) / rng.uniform(12, 60))
            paint[wave > rng.uniform(-0.5, 0.8)] = other
        light = np.ones(shape, np.float32)
        if knit:
            light += rng.uniform(0.05, 0.25) * np.sin(2 * np.pi * x * round(COLUMNS / rng.uniform(1, 3)) / shape[1])
        folds = cv2.GaussianBlur(rng.standard_normal(shape, np.float32), (0, 0), rng.uniform(6, 20))
        light += rng.uniform(0.02, 0.15) * np.asarray(folds) / np.asarray(folds).std()
        light += rng.uniform(0, 0.06) * rng.standard_normal(shape, np.float32)
        out = np.empty((*shape, 4), np.uint8)
        out[..., :3] = np.clip(paint * light[..., None], 0, 255)
        out[..., 3] = 255
        return out
