"""What the outline of hair in a photo says of its thickness: along rays square to the view its end is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.geometry import transform
from tronie.runtime.jit import jit
from tronie.stages.hair.cutout import Cutout
from tronie.stages.hair.scaffold import CAP_ROWS, Scaffold

REACH_MM, STEP_MM = 240.0, 3.0
"""How far beyond the skin hair is looked for, and in what steps."""
WITHIN_MM = 12.0
"""How far within the skin that begins: the fitted skull may reach beyond the person's."""
SLANT = 0.22
"""Cosine to the view at which a ray still tells of the outline."""
BOUND = 0.8
"""The same, at which it still may not reach beyond the outline."""
NONE = -1
"""Step of a ray that meets no hair."""


@dataclass(frozen=True, eq=False)
class Limb:
    """What outlines say of each ray (R, C)."""

    radius: Array
    """mm at which the ray leaves the hair in the photo, the skin's where it meets none; infinite where it is not
    asked, or the photo ends before."""
    weight: Array
    """0..1: how square the ray stands to a view; 0 where that says nothing."""
    square: Array
    """0..1: the same, wherever the photo ends."""
    hair: NDArray[np.bool_]
    """Whether there is hair on the ray."""


def limb_of(rays: Scaffold, cutout: Cutout) -> Limb:
    base = transform(cutout.pose, rays.points(rays.skin - WITHIN_MM).astype(np.float64))
    direction = rays.direction @ cutout.pose[:3, :3].T
    toward = (direction * base).sum(-1) / np.linalg.norm(base, axis=-1)
    asked = np.abs(toward) < BOUND
    camera, m = cutout.camera, cutout.from_photo.matrix
    # Camera millimetres -> canvas pixels, before the division by depth.
    lens = np.array([[camera.focals[0], 0, camera.center[0]], [0, camera.focals[1], camera.center[1]], [0, 0, 1.0]])
    lens = np.vstack([m, [0, 0, 1]]) @ lens
    last, told = leave(
        base @ lens.T, direction @ lens.T, asked, cutout.share, cutout.known, round((REACH_MM + WITHIN_MM) / STEP_MM)
    )
    hair, told = last > NONE, told & asked
    radius = np.where(told, rays.skin - WITHIN_MM + STEP_MM * (np.maximum(last, 0) + 0.5 * hair), np.inf)
    square = np.exp(-((toward / SLANT) ** 2))
    return Limb(radius, np.where(told, square, 0), square, hair)


@jit
def leave(base: Any, way: Any, asked: Any, share: Any, known: Any, steps: int) -> Any:
    """(R, C) the last step at which a ray is in the hair, NONE where it never is or is not asked; and whether the photo
    goes on beyond it. `base` and `way` (R, C, 3) lead to canvas pixels times depth."""
    out, told = np.full(asked.shape, NONE, np.int64), np.zeros(asked.shape, np.bool_)
    side = share.shape[0]
    for i in range(asked.shape[0]):
        for j in range(asked.shape[1]):
            if not asked[i, j]:
                continue
            last, end = NONE, steps
            for k in range(steps):
                reach = k * STEP_MM
                z = base[i, j, 2] + reach * way[i, j, 2]
                x = int((base[i, j, 0] + reach * way[i, j, 0]) / z)
                y = int((base[i, j, 1] + reach * way[i, j, 1]) / z)
                if x < 0 or y < 0 or x >= side or y >= side or known[y, x] < 0.5:
                    end = k
                    break
                if share[y, x] > 0.5:
                    last = k
            out[i, j] = last
            told[i, j] = end > 0 and last + 2 < end
    return out, told


def joined(limbs: Sequence[Limb]) -> Limb:
    """What several photos say together: hair is within all outlines."""
    if len(limbs) == 1:
        return limbs[0]
    square = np.stack([limb.square for limb in limbs])
    best = square.argmax(axis=0)[None]
    hair = np.take_along_axis(np.stack([limb.hair for limb in limbs]), best, axis=0)[0]
    weight = np.max([limb.weight for limb in limbs], axis=0)
    return Limb(np.min([limb.radius for limb in limbs], axis=0), weight, square.max(axis=0), hair)


def lowest_mm(rays: Scaffold, limb: Limb) -> float:
    """Height of the lowest row that has hair at a limb, without gaps of more than three rows."""
    there = np.asarray(((limb.square > 0.5) & limb.hair).any(axis=1))
    last, gap = CAP_ROWS, 0
    for row in range(CAP_ROWS, len(there)):
        gap = 0 if there[row] else gap + 1
        if gap > 3:
            break
        if there[row]:
            last = row
    return float(rays.height[last])
