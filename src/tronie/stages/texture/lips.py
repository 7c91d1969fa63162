"""Lips: what of them a photo does not show, and how it looks then.

Where lips touch, and behind that, a photo shows the dark line between them, or teeth: a slip of a pixel puts either on
the lips, and an opening mouth draws it out. So a lip's inner edge is never taken from a photo, nor what lies next to
the opening that the landmarks draw; it is filled in from the lip outside of it, redder, as what is always moist.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.geometry import smoothstep
from tronie.head.model import Head, HeadModel
from tronie.head.subdivide import Sparse
from tronie.stages.texture.atlas import surface_facts
from tronie.stages.texture.lids import distance_to
from tronie.stages.texture.mesh_filters import part_of, screened_membrane
from tronie.stages.texture.mouth import INNER_LIPS
from tronie.stages.texture.skin_model import colour_of, opponent
from tronie.stages.texture.visibility import Visibility
from tronie.types import Landmarks

INSIDE_MM = (0.3, 1.3)
"""From the lining on: where lips meet, at the latest, and where a lip may be seen."""
SURE_MM = (1.2, 2.6)
"""From the lining on: where a colour is believed to be that of lips when others are made of it."""
FILLED_MM = (3.2, 5.5)
"""From the lining on: up to where what is not seen is made of the lips' colours, and from where on it is skin."""
ASTRAY_MM, ASTRAY_PIXELS, SOFT_MM = 0.8, 1.5, 1.0
"""So near the opening that the landmarks draw, by both measures, lips are not believed; over the last it goes on."""
CORNERS, CORNER_MM = (78, 308), (2.0, 4.2)
"""MediaPipe's landmarks at the mouth's corners, and how far around them there is shade in place of skin."""
LIP = (0.86, 0.66, 0.66)
"""Colour of lips, of the skin's, where no photo shows any."""
MOIST = (0.95, 0.88, 0.88)
"""Colour at the lining, of the lip's outside."""
SWEEPS = 40


@dataclass(frozen=True, eq=False)
class LipSkin:
    """What is known of the lips in one photo."""

    model: HeadModel
    level: int
    hidden: Array
    """(V,) 0..1: what the photo does not show."""
    sure: Array
    """(C,) 0..1: how far colours are those of lips."""

    def filled(self, bare: Array, colour: Array, weight: Array, skin: Array, red: float) -> Array:
        """(V, 3) sRGB `bare` skin with the lips' inside of their own colours (C, 3), by their weight (C,); `skin` (3,)
        and what it says of lips where there are none. `red` 0 (a grey photo) to 1."""
        area = _area(self.model, self.level)
        rows = area.rows
        usual = np.broadcast_to(opponent((skin * _hued(LIP, red))[None]), (len(rows), 3))
        data, sure = opponent(np.clip(colour[rows], 1, 255)), 4 * (weight * self.sure)[rows]
        thin = np.full(len(rows), 5e-4, np.float32)
        every = np.tile(usual[:1], (len(colour), 1)).astype(np.float32)
        every[rows] = screened_membrane(area.start, area.edges, sure, data, thin, usual, SWEEPS)
        out = bare.copy()
        moist = 1 + (1 - smoothstep(area.inwards, 0.0, 2.5))[:, None] * (_hued(MOIST, red) - 1)
        lip = colour_of(np.asarray(area.matrix @ every)) * moist
        out[area.level_rows] += area.share[:, None] * (lip - bare[area.level_rows])
        return out


def _hued(factors: tuple[float, float, float], red: float) -> Array:
    """(3,) factors, without their hue as far as the photo is grey."""
    grey = float(np.mean(factors))
    return np.asarray(grey + red * (np.array(factors) - grey), np.float32)


@dataclass(frozen=True, eq=False)
class _Area:
    """The lips of a head model."""

    rows: NDArray[np.int32]
    """(N,) of the control mesh."""
    start: NDArray[np.int32]
    edges: NDArray[np.int32]
    """As of MeshGraph, between them."""
    level_rows: NDArray[np.int32]
    """(M,) vertices of the level."""
    matrix: Sparse
    """(M, C)."""
    inwards: Array
    """(M,) mm from the lining."""
    share: Array
    """(M,) 0..1: how far what is not seen is the lip's inside."""


REACH_MM = 9.0


@lru_cache(maxsize=4)
def from_lining(model: HeadModel, level: int) -> Array:
    """(C,) mm from the mouth's lining on the mean head, straight; REACH_MM for what is further or is no lip's skin. The
    `level` matters for speed only: what is known of its surface."""
    facts = surface_facts(model, level)
    inside = np.zeros(len(model.mean), bool)
    inside[model.vertices_of("mouth")] = True
    seam = np.flatnonzero(inside & (np.diff(facts.control_start) > 0) & facts.lips)
    out = np.full(len(model.mean), REACH_MM, np.float32)
    lips = np.flatnonzero(facts.lips & (np.diff(facts.control_start) > 0))
    if len(seam) and len(lips):
        off = np.linalg.norm(model.mean[lips, None] - model.mean[None, seam], axis=2).min(axis=1)
        out[lips] = np.minimum(off, REACH_MM)
    return out


@lru_cache(maxsize=4)
def _area(model: HeadModel, level: int) -> _Area:
    facts, inwards = surface_facts(model, level), from_lining(model, level)
    rows, start, edges = part_of(facts.control_start, facts.control_edges, inwards < REACH_MM)
    whole = model.level(level).matrix
    depth = np.asarray(whole @ inwards)
    lip = np.flatnonzero(depth < FILLED_MM[1]).astype(np.int32)
    share = 1 - smoothstep(depth[lip], *FILLED_MM)
    return _Area(rows, start, edges, lip, whole[lip], depth[lip], share)


def lip_skin(head: Head, view: Visibility, landmarks: Landmarks | None) -> LipSkin | None:
    """None of a head without the inside of a mouth."""
    model = head.model
    inwards = from_lining(model, head.level)
    if inwards.min(initial=REACH_MM) >= REACH_MM:
        return None
    depth = np.asarray(model.level(head.level).matrix @ inwards)
    hidden = 1 - smoothstep(depth, *INSIDE_MM)
    sure = smoothstep(inwards, *SURE_MM)
    near = np.flatnonzero(depth < REACH_MM - 0.5)
    if landmarks is not None and np.isfinite(landmarks.points[list(INNER_LIPS), :2]).all() and len(near):
        pixels = view.pixels[near].astype(np.float64)
        opening = landmarks.points[list(INNER_LIPS), :2].astype(np.float64)
        reach = max(ASTRAY_MM, ASTRAY_PIXELS * view.pixel_mm)
        off = distance_to(opening, pixels) * view.pixel_mm
        astray = 1 - smoothstep(off, reach, reach + SOFT_MM)
        corners = landmarks.points[list(CORNERS), :2]
        corner = np.linalg.norm(pixels[:, None] - corners[None], axis=2).min(axis=1) * view.pixel_mm
        astray = np.maximum(astray, 1 - smoothstep(corner, *CORNER_MM))
        hidden[near] = np.maximum(hidden[near], astray)
        control = near[near < len(inwards)]
        unsure = 1 - smoothstep(off, reach + 0.2 * SOFT_MM, reach + 1.2 * SOFT_MM)
        sure[control] *= 1 - np.maximum(unsure, astray)[near < len(inwards)]
    return LipSkin(model, head.level, hidden.astype(np.float32), sure.astype(np.float32))
