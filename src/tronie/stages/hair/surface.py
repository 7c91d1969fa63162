"""The outer surface of hair or of a covering: how thick it is and where it ends, also where no photo shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.geometry import smoothstep, transform
from tronie.stages.hair.cutout import Cutout
from tronie.stages.hair.limb import Limb, joined, limb_of, lowest_mm
from tronie.stages.hair.ring import blurred, depth_within, normals, relaxed, widest
from tronie.stages.hair.scaffold import CAP_ROWS, STEP_MM, Scaffold

LEAST_MM = 1.5
"""It stands out so far everywhere."""
RISE = 0.7
"""Millimetres by which it gets thicker for each millimetre from its edge on skin."""
FIRST_ROW, LAST_ROW = CAP_ROWS - 6, CAP_ROWS + 1
"""The rows at the temples: what grows there grows at the nape."""
GROWING = 0.35, 0.65
"""Shares of the outline at one height between which hair begins to grow behind."""
FREE_MM = -60.0, -110.0
"""Heights between which it leaves the skin: hanging hair begins anywhere."""
USUAL_MM = 12.0
"""Where no outline is seen."""
JAW_MM, SHOULDER_MM = -100.0, -180.0
"""Heights. Hair that hangs below the first is long; what is seen below the second lies before the shoulders, and says
nothing of the back."""
AHEAD_MM = -8.0
"""How far before the eyes' middle hair hangs down on the chest."""
SLOPE = 0.1
"""By which hanging hair comes nearer to the axis for each millimetre it falls."""
FACING, SQUARE = (0.08, 0.28), (0.2, 0.45)
"""Cosines to the view between which a surface goes from not seen to seen: for its colour, and for where it ends."""


@dataclass(frozen=True, eq=False)
class View:
    """How one photo sees the surface's rays (R, C)."""

    cutout: Cutout
    pixels: Array
    """(R, C, 2) of the photo."""
    seen: Array
    """0..1."""
    square: Array
    """0..1: the same for where it ends: a slip of the outline does harm along the limb."""
    share: Array
    """0..1: of what the photo shows there."""


@dataclass(frozen=True, eq=False)
class Surface:
    rays: Scaffold
    grows: bool
    """Whether it is hair."""
    radius: Array
    """(R, C) mm."""
    cover: Array
    """(R, C) 0..1: where it is, from 0.5 on."""
    limb: Limb
    views: tuple[View, ...]
    lowest: float
    """mm: height down to which it reaches at the sides."""


def surface_of(rays: Scaffold, cutouts: Sequence[Cutout], grows: bool, within: Surface | None = None) -> Surface:
    """`grows`: it is hair, which goes on behind to the usual hairline; a covering does as its sides do. `within`: what
    covers it, so that little is under it."""
    limb = joined([limb_of(rays, cutout) for cutout in cutouts])
    lowest = lowest_mm(rays, limb)
    base = draped(rays) if lowest < JAW_MM else rays.skin
    outline = np.where(np.isfinite(limb.radius), np.maximum(limb.radius - base, LEAST_MM), np.inf)
    known = np.isfinite(outline)
    told = limb.weight * known
    hairy = told * limb.hair
    values = np.where(known & limb.hair, outline, LEAST_MM)
    usual = float(np.average(values, weights=hairy)) if hairy.sum() > 1 else USUAL_MM
    thick = relaxed(values, told * np.where(limb.hair, 1.0, 0.1), usual, 0.003)
    thick = np.minimum(blurred(np.minimum(thick, outline), 2.0), outline)
    scalp = rays.hairline > 0 if grows else np.ones_like(rays.hairline, dtype=bool)
    growth = growth_of(limb, scalp) if within is None else np.zeros(len(rays.height))
    prior = growth[:, None] * (smoothstep(rays.hairline, -2, 6) if grows else 1.0)
    free = room_ahead(rays, base) * smoothstep(-rays.height, -FREE_MM[0], -FREE_MM[1])[:, None]
    for _ in range(2):
        views = tuple(view_of(rays, base + thick, cutout) for cutout in cutouts)
        cover = coverage(rays, limb, views, lowest, prior)
        inside = depth_within(np.asarray(cover > 0.5))
        for view in views:
            mine = np.where(view.share > 0.5, view.cutout.at(view.pixels, view.cutout.depth_mm), 0)
            inside = np.where(view.seen > 0.5, mine, inside)
        rise = LEAST_MM + RISE * inside + np.where(lowest < JAW_MM, free, 0)
        thick = np.minimum(thick, rise)
        thick = np.minimum(0.5 * thick + 0.5 * blurred(thick), outline)
        thick[0] = thick[0].mean()
    radius = base + thick
    # Ears and whatever else stands out lie below it.
    over = np.where(cover > 0.4, np.maximum(widest(rays.outside) + LEAST_MM - radius, 0), 0)
    radius = radius + np.maximum(over, blurred(over, 1.5))
    if within is not None:
        most = np.maximum(within.radius - LEAST_MM, rays.skin)
        radius = np.minimum(radius, np.where(within.cover > 0.4, most, np.inf))
    return Surface(rays, grows, radius, cover, limb, tuple(view_of(rays, radius, c) for c in cutouts), lowest)


def room_ahead(rays: Scaffold, base: Array) -> Array:
    """(R, C) mm by which hanging hair may leave a radius before it is ahead of AHEAD_MM."""
    ahead = np.maximum(np.cos(rays.azimuth), 0.05)
    return np.asarray(np.maximum((AHEAD_MM - rays.origin[..., 2]) / ahead - base, 0))


def view_of(rays: Scaffold, radius: Array, cutout: Cutout) -> View:
    points = transform(cutout.pose, rays.points(radius).astype(np.float64))
    away = points / np.linalg.norm(points, axis=-1, keepdims=True)
    facing = -(normals(points) * away).sum(-1)
    pixels = cutout.camera.project(points)
    known = cutout.at(pixels, cutout.known)
    seen, square = (smoothstep(facing, *limits) * known for limits in (FACING, SQUARE))
    return View(cutout, pixels, seen, square, cutout.at(pixels))


def growth_of(limb: Limb, scalp: NDArray[np.bool_]) -> Array:
    """(R,) 0..1: whether there is hair at each row's height on the `scalp` (R, C), as outlines say; where none does, as
    above. Who has hair at the sides only is bald behind as far down as there."""
    import cv2

    weight = limb.weight * scalp
    told, hair = (cv2.GaussianBlur(w.sum(axis=1)[:, None], (0, 0), 1.5)[:, 0] for w in (weight, weight * limb.hair))
    # Below the temples the ears are in the way: hair at the nape goes with that above them.
    rows = np.flatnonzero((told > 0.3) & (np.arange(len(told)) <= LAST_ROW))
    if not len(rows):
        return np.ones(len(told))
    nearest = rows[np.clip(np.searchsorted(rows, np.arange(len(told)), side="right") - 1, 0, None)]
    share = hair[nearest] / told[nearest]
    share[FIRST_ROW:] = share[FIRST_ROW : LAST_ROW + 1].max()
    return np.asarray(smoothstep(share, *GROWING))


def draped(rays: Scaffold) -> Array:
    """(R, C) mm: the skin's radius, below the widest place of each column falling nearly straight down."""
    out = rays.skin.copy()
    for row in range(CAP_ROWS, len(out)):
        out[row] = np.maximum(out[row], out[row - 1] - SLOPE * STEP_MM)
    return blurred(out)


def coverage(rays: Scaffold, limb: Limb, views: Sequence[View], lowest: float, prior: Array) -> Array:
    """(R, C) 0..1: where hair is, as photos show it, and continued behind as `prior` (R, C) has it."""
    height = rays.height[:, None]
    behind = smoothstep(np.abs(np.degrees(rays.azimuth)), 100, 115)[None, :]
    hanging = smoothstep(-height, -30, -10) * (height > max(lowest, SHOULDER_MM) - 3) * (lowest < JAW_MM)
    prior = np.maximum(prior, behind * hanging)
    seen, share = np.zeros(limb.weight.shape), np.zeros(limb.weight.shape)
    for view in views:
        seen = np.maximum(seen, view.square)
        share += view.square * (view.share > 0.5)
    total = np.sum([view.square for view in views], axis=0)
    share = share / np.maximum(total, 1e-9)
    square = limb.weight * (1 - seen)
    told = seen + square
    value = (seen * share + square * limb.hair) / np.maximum(told, 1e-9)
    return relaxed(value, 4 * told, prior, 0.01 + (0.5 * behind if prior.any() else 0.0))
