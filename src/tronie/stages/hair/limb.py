"""What the outline of hair in a photo says of its thickness: along rays square to the view its end is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.geometry import transform
from tronie.stages.hair.cutout import Cutout
from tronie.stages.hair.scaffold import CAP_ROWS, Scaffold

REACH_MM, STEP_MM = 180.0, 3.0
"""How far beyond the skin hair is looked for, and in what steps."""
SLANT = 0.22
"""Cosine to the view at which a ray still tells of the outline."""


BOUND = 0.8
"""The same, at which it still may not reach beyond the outline."""


@dataclass(frozen=True, eq=False)
class Limb:
    """What outlines say of each ray (R, C)."""

    radius: Array
    """mm at which the ray leaves the hair in the photo, the skin's where it meets none; infinite where it is not
    asked, or the photo ends before."""
    weight: Array
    """0..1: how square the ray stands to a view; 0 where that says nothing."""
    hair: NDArray[np.bool_]
    """Whether there is hair on the ray."""


def limb_of(rays: Scaffold, cutout: Cutout) -> Limb:
    base = transform(cutout.pose, rays.points(rays.skin).astype(np.float64))
    direction = rays.direction @ cutout.pose[:3, :3].T
    toward = (direction * base).sum(-1) / np.linalg.norm(base, axis=-1)
    asked = np.abs(toward) < BOUND
    steps = np.arange(0, REACH_MM, STEP_MM)
    spots = base[asked][:, None] + steps[:, None] * direction[asked][:, None]
    pixels = cutout.camera.project(spots)
    inside = np.asarray(cutout.at(pixels) > 0.5)
    known = np.asarray(cutout.at(pixels, cutout.known) > 0.5)
    hair = np.asarray(inside.any(axis=1))
    last = np.where(hair, len(steps) - 1 - np.argmax(inside[:, ::-1], axis=1), 0)
    beyond = np.minimum(last + 2, len(steps) - 1)
    told = known[:, 0] & known[np.arange(len(last)), beyond]  # where the photo ends, hair may go on
    out = Limb(np.full(toward.shape, np.inf), np.zeros(toward.shape), np.zeros(toward.shape, bool))
    out.radius[asked] = np.where(told, rays.skin[asked] + steps[last] + 0.5 * STEP_MM * hair, np.inf)
    out.weight[asked] = np.exp(-((toward[asked] / SLANT) ** 2)) * told
    out.hair[asked] = hair
    return out


def joined(limbs: Sequence[Limb]) -> Limb:
    """What several photos say together: hair is within all outlines."""
    if len(limbs) == 1:
        return limbs[0]
    weight = np.stack([limb.weight for limb in limbs])
    best = weight.argmax(axis=0)[None]
    hair = np.take_along_axis(np.stack([limb.hair for limb in limbs]), best, axis=0)[0]
    return Limb(np.min([limb.radius for limb in limbs], axis=0), weight.max(axis=0), hair)


def lowest_mm(rays: Scaffold, limb: Limb) -> float:
    """Height of the lowest row that has hair at a limb, without gaps of more than three rows."""
    square = limb.weight > 0.5
    there, seen = (np.asarray(rows.any(axis=1)) for rows in (square & limb.hair, square))
    last, gap = CAP_ROWS, 0
    for row in range(CAP_ROWS, len(there)):
        gap = gap + 1 if seen[row] and not there[row] else 0
        if gap > 3:
            break
        if there[row]:
            last = row
    return float(rays.height[last])
