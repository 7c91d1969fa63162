"""Beards, moustaches and stubble: colours of the skin's texture, and hair that stands off it in pictures only."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from tronie.head.model import HeadModel
from tronie.head.surface import triangle_vertex_normals
from tronie.pipelines.calibration.backgrounds import HAIR
from tronie.pipelines.calibration.landmark_embedding import inside
from tronie.pipelines.calibration.skins import OUTER_LIPS
from tronie.raster.rasterizer import interpolate, rasterize

SIDE = 512
"""Of the textures."""
LIPS_UP, CHIN, UNDER_NOSE, CORNERS, EAR = 0, 152, 2, (61, 291), 127
DROOP = 0.5
"""By which beards hang down, by what they stand off."""
NOISES = 12


@dataclass(frozen=True, eq=False)
class Beard:
    mask: np.ndarray
    """(SIDE, SIDE) float16 0..1 in the atlas: how dense."""
    length: float
    """mm."""
    box: tuple[slice, slice]
    """Where the mask is not 0."""
    strands: np.ndarray
    """(SIDE, SIDE) float16 of spread 1."""
    contrast: float
    cover: float
    """0..1: how much of the skin it hides where it is dense."""

    def painted(self, texture: np.ndarray, colour: np.ndarray) -> np.ndarray:
        """The texture (SIDE, SIDE, 3) with it."""
        out = texture.copy()
        part = out[self.box].astype(np.float32)
        strand = self.strands[self.box].astype(np.float32)
        mask = self.mask[self.box].astype(np.float32)
        alpha = np.clip(self.cover * mask * (1 + 0.35 * (1 - mask) * strand), 0, 1)[..., None]
        hair = colour.astype(np.float32) * (1 + self.contrast * strand)[..., None]
        out[self.box] = np.clip(part + alpha * (hair - part), 0, 255)
        return out

    def grown(self, vertices: np.ndarray, triangles: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Vertices (V, 3) with it standing off; `at` (V, 2) are their pixels in the atlas."""
        if self.length < 1:
            return vertices
        amount = self.mask[at[:, 1], at[:, 0]].astype(np.float32)
        rough = 1 + 0.15 * np.clip(self.strands[at[:, 1], at[:, 0]].astype(np.float32), -2, 2)
        way = triangle_vertex_normals(vertices, triangles) - np.array([0, DROOP, 0], np.float32)
        way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-6)
        return np.asarray(vertices + way * (self.length * amount * rough)[:, None], np.float32)


@dataclass(frozen=True, eq=False)
class Barber:
    """Makes beards for our atlas."""

    place: np.ndarray
    """(SIDE, SIDE, 3) mm: of the mean head's skin; far away where there is none."""
    lips: np.ndarray
    """(SIDE, SIDE) 0..1."""
    points: np.ndarray
    """(478, 3)."""
    noises: list[np.ndarray]

    @classmethod
    def of(cls, model: HeadModel, rng: np.random.Generator) -> Barber:
        mesh = model.level(1)
        mean = mesh.apply(model.mean)
        points = mesh.points478(mean)
        skin = mesh.triangle_part == 0
        at = np.zeros((len(mesh.uv), 3), np.float32)
        at[mesh.triangle_uv[skin]] = mean[mesh.triangles[skin]]
        lip = np.zeros((len(mesh.uv), 1), np.float32)
        lip[mesh.triangle_uv[skin]] = inside(mean, points[list(OUTER_LIPS)])[mesh.triangles[skin]][..., None]
        flat = np.concatenate([mesh.uv * SIDE, np.ones((len(mesh.uv), 1))], axis=1).astype(np.float32)
        rows = mesh.triangle_uv[skin]
        buffers = rasterize(flat, rows, SIDE, SIDE, cull=False)
        place, lips = (interpolate(buffers, rows, a) for a in (at, lip))
        place[buffers.triangle < 0] = (0, 900, 0)
        noises = []
        for _ in range(NOISES):
            noise = rng.standard_normal((SIDE, SIDE), np.float32)
            noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.4, 0.8), sigmaY=rng.uniform(0.8, 4.0)))
            noises.append((noise / noise.std()).astype(np.float16))
        return cls(place, lips[..., 0], points, noises)

    def make(self, rng: np.random.Generator) -> Beard:
        x, y, z = np.moveaxis(self.place, -1, 0)
        p = self.points
        nose, mouth, chin = (float(v) for v in (p[UNDER_NOSE, 1], p[list(CORNERS), 1].mean(), p[CHIN, 1]))
        aside = np.abs(x)
        kind = rng.choice(["full", "goatee", "moustache", "stubble", "chinstrap"], p=[0.42, 0.16, 0.12, 0.22, 0.08])
        cheek = mouth + rng.uniform(-14, 16)
        top = np.interp(aside, [0, 14, 32, 55, 68], [nose - 2, nose - 4, cheek, cheek + rng.uniform(0, 25), 5])
        low = chin - rng.uniform(2, 22) + rng.uniform(0.0, 0.5) * np.maximum(p[CHIN, 2] - 35 - z, 0)
        ragged = 2.5 * self.noises[int(rng.integers(NOISES))].astype(np.float32)
        soft = rng.uniform(1.5, 5)

        def ramp(distance: np.ndarray) -> np.ndarray:
            return np.clip(0.5 + (distance + ragged) / soft, 0, 1)

        back = p[EAR, 2] - rng.uniform(-4, 10) + 0.15 * np.minimum(y - mouth, 0)
        mask = ramp(top - y) * ramp(y - low) * np.clip((z - back + 2 * ragged) / 10, 0, 1) * (y < 60)
        upper = (y > mouth - 1) & (aside < 34)
        if kind == "moustache":
            mask = mask * upper * ramp(rng.uniform(24, 34) - aside - 0.3 * np.maximum(nose - y, 0))
        elif kind == "goatee":
            mask = mask * ramp(rng.uniform(18, 34) - aside) * (1 if rng.random() < 0.7 else ~upper)
        elif kind == "chinstrap":
            mask = mask * ramp(np.hypot(aside / 1.0, y - mouth) - rng.uniform(26, 36))
        elif rng.random() < 0.2:
            mask = mask * ~upper
        if rng.random() < 0.5 and kind in ("full", "stubble"):  # thin beside the lower lip
            mask = mask * (1 - 0.7 * np.exp(-(((aside - 16) / 7) ** 2) - ((y - mouth + 10) / 8) ** 2))
        mask = mask * (1 - np.clip(self.lips * 1.5, 0, 1))
        mask = np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.0))
        long = kind != "stubble" and rng.random() < 0.75
        length = float(np.exp(rng.uniform(np.log(1.5), np.log(14)))) if long else 0.0
        ys, xs = np.nonzero(mask > 0.02)
        box = slice(int(ys.min()), int(ys.max()) + 1), slice(int(xs.min()), int(xs.max()) + 1)
        cover = rng.uniform(0.25, 0.65) if kind == "stubble" else rng.uniform(0.6, 1.0)
        noise = self.noises[int(rng.integers(NOISES))]
        return Beard(mask.astype(np.float16), length, box, noise, float(rng.uniform(0.04, 0.22)), float(cover))


def beard_colour(rng: np.random.Generator) -> np.ndarray:
    return np.asarray(HAIR[rng.choice(len(HAIR), p=[0.25, 0.25, 0.2, 0.1, 0.04, 0.12, 0.04])] * rng.uniform(0.6, 1.2))
