"""What the CC0 portraits show of skin, as maps over the atlas: colours, how far they are believed, and the normals."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

import tronie
from tronie.head.harmonics import plain_basis
from tronie.head.model import HeadModel
from tronie.head.surface import triangle_vertex_normals
from tronie.raster.rasterizer import interpolate, rasterize
from tronie.stages.texture import bake
from tronie.stages.texture.iris import LID_LEFT, LID_RIGHT
from tronie.stages.texture.segment import tone_likeness
from tronie.stages.texture.skin_model import Colours, opponent
from tronie.stages.texture.synthesis import hairline_distance
from tronie.types import PROVENANCE, Face, Photo

FINE = 4
"""Texels of the baked texture per texel of the map, each way."""


BROWS_AND_LIDS = (
    63, 105, 66, 107, 55, 65, 52, 53, 293, 334, 296, 336, 285, 295, 282, 283,
    *LID_RIGHT, *LID_LEFT,
)  # fmt: skip
"""MediaPipe's landmarks on both brows, but for their outer ends, and around both eyes."""


@dataclass(frozen=True)
class Atlas:
    """The skin's texels of the atlas at the model's resolution."""

    inside: np.ndarray
    """(S, S) bool."""
    place: np.ndarray
    """(S, S, 3) mm: where on the mean head a texel lies."""
    brows: np.ndarray
    """(S, S) bool: brows and eyes, where what is dark is no hair of the head."""
    flat: np.ndarray
    """(U, 3) UV vertices in texels, to draw with."""
    triangles: np.ndarray
    """(T, 3) the skin's triangles, into vertices."""
    triangle_uv: np.ndarray
    """(T, 3) and into UV vertices."""

    def draw(self, values: np.ndarray) -> np.ndarray:
        """Values (V, k) at the head's vertices -> (S, S, k)."""
        side = len(self.inside)
        at_uv = np.zeros((len(self.flat), values.shape[1]), np.float32)
        at_uv[self.triangle_uv] = values[self.triangles]
        return interpolate(rasterize(self.flat, self.triangle_uv, side, side, cull=False), self.triangle_uv, at_uv)


def atlas_of(model: HeadModel, side: int) -> Atlas:
    mesh = model.level(1)
    skin = mesh.triangle_part == 0
    flat = np.concatenate([mesh.uv * side, np.ones((len(mesh.uv), 1))], axis=1)
    shape = Atlas(
        np.zeros((side, side), bool), np.zeros(0), np.zeros(0), flat, mesh.triangles[skin], mesh.triangle_uv[skin]
    )
    inside = rasterize(flat, shape.triangle_uv, side, side, cull=False).triangle >= 0
    inside |= inside[:, ::-1]
    place = shape.draw(mesh.apply(model.mean))
    marks = mesh.points478(mesh.apply(model.mean))[list(BROWS_AND_LIDS)]
    brows = np.zeros((side, side), bool)
    for mark in marks:
        brows |= ((place - mark) ** 2).sum(axis=-1) < 7**2
    return Atlas(inside, place, brows & inside, flat, shape.triangles, shape.triangle_uv)


@dataclass(frozen=True)
class Shown:
    """One portrait over the atlas."""

    colour: np.ndarray
    """(S, S, 3) float32: log lightness, red against green, green against blue."""
    weight: np.ndarray
    """(S, S) float32 0..1: 1 seen, less where mirrored, 0 unknown."""
    light: np.ndarray
    """(S, S, 9) float32: spherical harmonics of the normals in the camera's frame."""
    grain: float
    """Deviation of lightness in the finest detail, as a share, on well seen skin."""


def shown(photo: Photo, face: Face, atlas: Atlas) -> Shown:
    """Bake one portrait and keep what is from the photo and looks like skin where hair may be."""
    assert face.head is not None
    assert face.fit is not None
    side = len(atlas.inside)
    head, fit = face.head, face.fit
    settings = tronie.Settings().texture.model_copy(update={"size": side * FINE})
    texture = bake(photo, head, fit, face.landmarks, settings)
    weight = np.zeros(texture.provenance.shape, np.float32)
    weight[texture.provenance == PROVENANCE.index("seen")] = 1.0
    weight[texture.provenance == PROVENANCE.index("mirrored")] = 0.4
    # Nothing next to what was invented: the two are blended there.
    weight = cv2.erode(weight, np.ones((2 * FINE + 1, 2 * FINE + 1), np.uint8))
    small = cv2.resize(texture.image, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
    weight = cv2.resize(weight, (side, side), interpolation=cv2.INTER_AREA) * atlas.inside
    tone = np.median(small[(weight > 0.9) & (atlas.place[..., 2] > 5) & (atlas.place[..., 1] < 25)], axis=0)
    # Where hair hangs and clothes begin only what looks like skin counts, with what lies next to it.
    x, y, z = np.moveaxis(atlas.place, -1, 0)
    doubtful = (hairline_distance(atlas.place.reshape(-1, 3)).reshape(side, side) > -8) | (y > 8)
    doubtful = (doubtful | ((np.abs(x) > 58) & (y > -35))) & ~atlas.brows
    below = np.interp(z, [-130, -70, 0, 25], [-75, -70, -98, -110])  # of the jaw
    colours = Colours.of(cv2.GaussianBlur(small, (0, 0), 1.5).reshape(-1, 3))
    like = tone_likeness(colours, tone, np.array([0.42, 0.13, 0.13]))
    near = tone_likeness(colours, tone, np.array([0.4, 0.065, 0.065]))
    for where, how, reach in ((doubtful, like, 5), ((y < below) | (z < -22), near, 7)):
        weight[where & (cv2.erode(how.reshape(side, side).astype(np.float32), np.ones((reach, reach))) < 0.5)] = 0
    normals = triangle_vertex_normals(head.vertices, head.triangles) @ fit.head_to_camera[:3, :3].T
    light = plain_basis(atlas.draw(normals).reshape(-1, 3)).reshape(side, side, 9)
    fine = texture.image.astype(np.float32).mean(-1)
    fine = (fine - cv2.GaussianBlur(fine, (0, 0), 2.0)) / (cv2.GaussianBlur(fine, (0, 0), 8.0) + 12)
    cheek = cv2.resize(((weight > 0.95) & (atlas.place[..., 1] < -15)).astype(np.uint8), fine.shape) > 0
    grain = float(1.48 * np.median(np.abs(fine[cheek]))) if cheek.any() else 0.02
    return Shown(opponent(small), weight, light, grain)


def collect(folder: Path, model: HeadModel, side: int, indices: range) -> list[Shown]:
    """All portraits `male_NN` and `female_NN` with NN in `indices`."""
    atlas = atlas_of(model, side)
    pipeline = tronie.Pipeline(tronie.Settings(only="mesh"), threads=1)
    out = []
    for sex in ("female", "male"):
        for index in indices:
            result = pipeline.run(folder / f"{sex}_{index:02d}.webp")
            if result.faces and result.faces[0].error is None:
                out.append(shown(result.photo, result.faces[0], atlas))
    return out
