"""Lids: what of their skin a photo does not show, and how it looks then.

A photo of an open eye has next to nothing of the upper lid, which is folded away; what is sampled there is lashes,
the white of the eye or the brow, drawn out into streaks as soon as the eye closes. It is filled in from the skin
around, unless the photo's eye is shut. The lids' edges are never taken from a photo: a slip of a pixel or two puts the
white of the eye on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.geometry import smoothstep
from tronie.head.lids import RINGS, Lids, lids_of, ring_field
from tronie.head.model import Head, HeadModel
from tronie.head.subdivide import Sparse
from tronie.stages.texture.atlas import SurfaceFacts, surface_facts
from tronie.stages.texture.iris import LID_LEFT, LID_RIGHT
from tronie.stages.texture.mesh_filters import part_of, screened_membrane
from tronie.stages.texture.skin_model import colour_of, opponent
from tronie.stages.texture.visibility import Visibility
from tronie.types import Landmarks

SHUT_MM = (1.8, 3.0)
"""Height of the eye's opening up to which the photo shows the upper lid, and from which on it does not."""
ROUND = 1.35
"""Height of an eye's opening, of its mean height."""
FOLD = (6.0, 7.1)
"""Rings outside of the lashes' roots between which what the photo shows of an open eye's upper lid begins."""
BAG = (1.6, 3.2)
"""The same of the lower lid, and of corners."""
EDGE = (1.8, 3.0)
"""The same of the upper lid of an eye that is shut in the photo,"""
BELOW = (3.2, 5.0)
"""and of what its lashes hang over."""
LENT, SHOWN = (4.5, 6.8), (0.3, 0.6)
"""Rings up to which, and from where on no more, another photo's shut lid takes the place of what is filled in; and how
much of it that photo must show."""
MIRRORED = 0.22
"""Less red beside green than skin, in terms of `opponent`: what lenses mirror."""
ASTRAY_MM, ASTRAY_PIXELS, SOFT_MM = 0.9, 1.2, 0.9
"""So near the opening that the landmarks draw, by both measures, skin is not believed; over the last it goes on."""
CLEAR = (1.4, 3.5)
"""Rings, above and below, beyond what is not believed within which colours, which are averages, still have lashes in
them."""
DARKER = (0.1, 0.38)
"""Logarithm of lightness by which what is above an eye is darker than what is below it, for skin and for brows."""
SHADE = 0.16
"""By which lids are darker at most."""
AREA_MM = 46.0
"""So far from the eyes' middles the lids' colour is looked for."""
SWEEPS = 60
SPREAD = 1.5
"""Rings beyond the lids over which their colour goes over to that of other skin that is filled in."""
TONE = (0.97, 0.93, 0.93)
"""Lids are thinner than the skin around them and show more of the blood."""
CREASE, CREASE_AT, CREASE_WIDE = 0.16, 4.5, 0.9
"""How much darker the fold of the upper lid is, and its place and width in rings outside of the roots."""
ROOTS, ROOTS_WIDE = (0.66, 0.26), 0.75
"""The same of the line in which lashes root, of the upper and the lower lid."""
WET = (1.04, 0.84, 0.82)
"""The lids' edges within the roots, moist and red."""


@dataclass(frozen=True, eq=False)
class LidSkin:
    """What is known of the lids' skin in one photo."""

    model: HeadModel
    level: int
    hidden: Array
    """(V,) 0..1: what the photo does not show."""
    sure: Array
    """(C,) 0..1: how far colours around them are those of skin."""

    def filled(self, bare: Array, colour: Array, weight: Array, skin: Array, red: float) -> Array:
        """(V, 3) sRGB `bare` skin with lids of the colours (C, 3) around them, by their weight (C,); `skin` (3,) where
        there are none. `red` 0 (a grey photo) to 1."""
        area = _area(self.model, self.level)
        rows = area.rows
        usual = np.broadcast_to(opponent(skin[None]), (len(rows), 3))
        data, sure = opponent(np.clip(colour[rows], 1, 255)), 4 * (weight * self.sure)[rows]
        thin = np.full(len(rows), 1e-3, np.float32)
        below = screened_membrane(area.start, area.edges, sure * (1 - area.brows), data, thin, usual, SWEEPS)
        # Shade under the brows is skin, the brows are darker still.
        sure = sure * (1 - area.brows * smoothstep(below[:, 0] - data[:, 0], *DARKER))
        spread = screened_membrane(area.start, area.edges, sure, data, thin, below, SWEEPS)
        spread[:, 0] = np.maximum(spread[:, 0], below[:, 0] - SHADE)
        every = np.tile(usual[:1], (len(colour), 1)).astype(np.float32)
        every[rows] = spread
        out = bare.copy()
        lid = colour_of(np.asarray(area.matrix @ every)) * area.tone(red)
        out[area.level_rows] += area.share[:, None] * (lid - bare[area.level_rows])
        return out


@dataclass(frozen=True, eq=False)
class _Area:
    """The skin around the eyes."""

    rows: NDArray[np.int32]
    """(N,) of the control mesh."""
    start: NDArray[np.int32]
    edges: NDArray[np.int32]
    """As of MeshGraph, between them."""
    brows: Array
    """(N,) 0..1: the band in which brows are."""
    level_rows: NDArray[np.int32]
    """(M,) vertices of the level that are lids."""
    matrix: Sparse
    """(M, C)."""
    share: Array
    """(M,) 0..1: how far they are."""
    out: Array
    """(M,) rings outside of the roots."""
    upper: Array
    """(M,) 0..1."""

    def tone(self, red: float) -> Array:
        """(M, 3) factors on the colour of the skin around."""
        hue = [1 - red + red * np.array(factor, np.float32) / factor[0] for factor in (TONE, WET)]
        out, upper = self.out[:, None], self.upper[:, None]
        lid = upper * (1 - smoothstep(out, *FOLD))
        tone = 1 + lid * (TONE[0] * hue[0] - 1)
        tone = tone * (1 - CREASE * upper * np.exp(-(((out - CREASE_AT) / CREASE_WIDE) ** 2)))
        tone = tone * (1 - (ROOTS[1] + upper * (ROOTS[0] - ROOTS[1])) * np.exp(-((out / ROOTS_WIDE) ** 2)))
        return np.asarray(tone * (1 + (1 - smoothstep(out, -0.9, -0.4)) * (WET[0] * hue[1] - 1)), dtype=np.float32)


@lru_cache(maxsize=4)
def _area(model: HeadModel, level: int) -> _Area:
    facts = surface_facts(model, level)
    away = np.min([np.linalg.norm(model.mean - centre, axis=1) for centre in model.eye_centers], axis=0)
    near = (away < AREA_MM) & (np.diff(facts.control_start) > 0)
    rows, start, edges = part_of(facts.control_start, facts.control_edges, near)
    ring, upper = ring_field(model, level)
    out = ring - _root(model)
    _, last = _begins(upper, FOLD, BELOW)
    share = (1 - smoothstep((out - last) / SPREAD, 0, 1)) * (ring < RINGS - 0.5)
    lid = np.flatnonzero(share > 0).astype(np.int32)
    matrix = model.level(level).matrix[lid]
    return _Area(rows, start, edges, facts.brows[rows], lid, matrix, share[lid], out[lid], upper[lid])


def _root(model: HeadModel) -> int:
    both = lids_of(model)
    return 0 if both is None else both[0].root


def _begins(upper: Array, above: tuple[float, float], below: tuple[float, float]) -> tuple[Array, Array]:
    """(V,) each: rings outside of the roots between which what a photo shows begins, of the upper and the lower lid."""
    first, last = (b + upper * (f - b) for f, b in zip(above, below, strict=True))
    return first, last


def lid_skin(head: Head, view: Visibility, facts: SurfaceFacts, landmarks: Landmarks | None) -> LidSkin | None:
    """None of a head without lids that move."""
    model = head.model
    both = lids_of(model)
    if both is None:
        return None
    ring, upper = ring_field(model, head.level)
    count = len(model.mean)
    out = ring - _root(model)
    shut, astray = np.ones(len(ring), np.float32), np.zeros(len(ring), np.float32)
    near = np.flatnonzero(ring < RINGS - 0.5)
    across = model.level(head.level).matrix @ model.mean[:, :1]
    for lids, marks in zip(both, (LID_LEFT, LID_RIGHT), strict=True):
        rows = near[across[near, 0] * model.mean[lids.rings[0, 0], 0] > 0]
        shut[rows] = 1 - smoothstep(np.array(_gap(head, view, lids, landmarks, marks)), *SHUT_MM)
        if landmarks is not None:
            reach = max(ASTRAY_MM, ASTRAY_PIXELS * view.pixel_mm)
            off = distance_to(landmarks.points[list(marks), :2], view.pixels[rows]) * view.pixel_mm
            astray[rows] = 1 - smoothstep(off, reach, reach + SOFT_MM)
    first, last = _begins(upper, FOLD, BAG)
    low, high = _begins(upper, EDGE, BELOW)
    open_eye, edge = (
        1 - smoothstep((out - first) / (last - first), 0, 1),
        1 - smoothstep((out - low) / (high - low), 0, 1),
    )
    hidden = np.maximum(edge + (1 - shut) * (open_eye - edge), astray)
    hidden[ring >= RINGS - 0.5] = 0
    clear = CLEAR[1] + upper[:count] * (CLEAR[0] - CLEAR[1])
    sure = smoothstep((out[:count] - np.where(shut < 0.5, first, low)[:count]) / clear, 0.2, 1.0)
    return LidSkin(model, head.level, hidden.astype(np.float32), sure.astype(np.float32))


def upper_lids(model: HeadModel, seen: Array, colour: Array, skin: Array) -> Array:
    """(C,) 0..1: the upper lids' skin, from their edges to where an open eye shows it too, of those eyes whose lid is
    for the most part `seen` (C,), and whose colours (C, 3) are no reflections in lenses, beside that of `skin` (3,)."""
    both, count = lids_of(model), len(model.mean)
    if both is None:
        return np.zeros(count, np.float32)
    ring, upper = (field[:count] for field in ring_field(model, model.usual_level))
    out = ring - _root(model)
    lid = upper * (1 - smoothstep(out, *LENT)) * (ring < RINGS - 0.5)
    for one in both:
        own = (lid > 0) & (model.mean[:, 0] * model.mean[one.rings[0, 0], 0] > 0)
        middle = own & (upper > 0.5) & (out > EDGE[1]) & (out < LENT[0])
        clear = opponent(colour[middle])[:, 1] > opponent(skin)[1] - MIRRORED
        lid[own] *= smoothstep(np.array((seen[middle] * clear).mean() if middle.any() else 0.0), *SHOWN)
    return np.asarray(lid, dtype=np.float32)


def _gap(head: Head, view: Visibility, lids: Lids, landmarks: Landmarks | None, marks: tuple[int, ...]) -> float:
    """mm that the eye is open in the photo: the larger of what the head and the landmarks say."""
    line = head.vertices[lids.rings[lids.root]]
    gap = float((line[lids.upper] - line[lids.lower][::-1][: lids.outer - 1])[:, 1].max())
    if landmarks is not None:
        x, y = landmarks.points[list(marks), :2].T
        area = 0.5 * float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) * (1 if marks is LID_LEFT else -1)
        wide = max(float(np.hypot(x[8] - x[0], y[8] - y[0])), 1e-6)
        gap = max(gap, ROUND * area / wide * view.pixel_mm)
    return gap


def distance_to(outline: Array, points: Array) -> Array:
    """(N,) pixels by which points (N, 2) lie outside of a closed outline (M, 2); negative within."""
    a, b = outline, np.roll(outline, -1, axis=0)
    along = b - a
    to = points[:, None] - a
    t = np.clip((to * along).sum(axis=2) / np.maximum((along**2).sum(axis=1), 1e-9), 0, 1)
    far = np.linalg.norm(to - t[..., None] * along, axis=2).min(axis=1)
    y = points[:, None, 1]
    crosses = (a[:, 1] > y) != (b[:, 1] > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = a[:, 0] + along[:, 0] * (y - a[:, 1]) / along[:, 1]
    within = (crosses & (points[:, None, 0] < at)).sum(axis=1) % 2 == 1
    return np.asarray(np.where(within, -far, far))
