"""Chin, mouth, nose, cheeks, eyes, forehead: regions of the head that is judged, and through it of every true face.

The regions are drawn around the 68 iBUG points of the mean head, seen from the front. A true face takes them over from
the mean head that is laid onto it, so that they mean the same in every source of truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from benchmarks.accuracy import subject
from benchmarks.accuracy.heads import inner_rows
from benchmarks.accuracy.metric import Surface
from benchmarks.accuracy.synthetic import Renders
from benchmarks.accuracy.truth import Truth
from tronie.head.model import HeadModel

Array = NDArray[np.floating]

REGIONS = ("chin", "mouth", "nose", "cheeks", "eyes", "forehead")
LIP_MARGIN, LID_MARGIN, WING_MARGIN, CHIN_HALF = 8.0, 10.0, 4.0, 27.0
"""mm around lips, lids and wings of the nose that belong to them; half the chin's width."""
NEAR = 3.0
"""mm: a place of the mean head has a true point if one lies so near after the alignment, besides what both differ."""


def region_of(points: Array, marks: Array) -> NDArray[np.int8]:
    """(n,) indices into REGIONS of points (n, 3), mm, around iBUG points (68, 3)."""
    p = np.asarray(marks, np.float64)
    wing = np.array([WING_MARGIN, 0.0, 0.0])
    bridge = [(p[39] + p[27]) / 2, (p[42] + p[27]) / 2]
    nose = _inside(points, [*bridge, p[35] + wing, p[33] - [0, 2.0, 0], p[31] - wing]) > 0
    mouth = _inside(points, p[48:60]) > -LIP_MARGIN
    eyes = np.maximum(_inside(points, p[36:42]), _inside(points, p[42:48])) > -LID_MARGIN
    brow = np.interp(points[:, 0], p[17:27, 0], p[17:27, 1])
    out = np.full(len(points), REGIONS.index("cheeks"), np.int8)
    out[(points[:, 1] < p[57, 1]) & (np.abs(points[:, 0] - p[8, 0]) < CHIN_HALF)] = REGIONS.index("chin")
    out[eyes] = REGIONS.index("eyes")
    out[points[:, 1] > brow] = REGIONS.index("forehead")
    out[mouth & (points[:, 1] < p[33, 1])] = REGIONS.index("mouth")
    out[nose] = REGIONS.index("nose")
    return out


def _inside(points: Array, corners: object) -> Array:
    """(n,) mm inside (positive) a polygon seen from the front."""
    contour = np.ascontiguousarray(np.asarray(corners)[:, :2], np.float32)[:, None]
    return np.array([cv2.pointPolygonTest(contour, (float(x), float(y)), True) for x, y in points[:, :2]])


@dataclass(frozen=True, eq=False)
class Layout:
    """Where things are on one true face."""

    region: NDArray[np.int8]
    """(n,) of each true point."""
    place: NDArray[np.intp]
    """(m,) the true point at each place of the mean head's inner face, -1 where there is none that counts."""


@dataclass(frozen=True, eq=False)
class Places:
    """Places on the inner face of the mean head."""

    rows: NDArray[np.intp]
    """(m,) vertices at the usual level."""
    region: NDArray[np.int8]
    """(m,)."""
    area: Array
    """(m,) square mm that each stands for."""


@lru_cache(maxsize=2)
def places(model: HeadModel) -> Places:
    level = model.level(model.usual_level)
    v, rows = level.apply(model.mean).astype(np.float64), inner_rows(model, model.usual_level)
    a, b, c = (v[level.triangles[:, k]] for k in range(3))
    share = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 6
    area = np.zeros(len(v))
    for k in range(3):
        np.add.at(area, level.triangles[:, k], share)
    return Places(rows, region_of(v[rows], level.points68(v)), area[rows])


@lru_cache(maxsize=8)
def layouts(renders: Renders) -> tuple[Layout, ...]:
    """By person. Draws from a model share that of its mean head."""
    if renders.mean is not None:
        return (layout(renders.mean),) * renders.people
    return tuple(layout(truth) for truth in renders.truths)


def layout(truth: Truth) -> Layout:
    """Of a face that the mean head is laid onto."""
    from benchmarks.accuracy.evaluate import compare_neutral

    model = subject.model()
    level, where = model.level(model.usual_level), places(model)
    mean = level.apply(model.mean).astype(np.float64)
    motion = compare_neutral(model, mean, truth)[0].motion
    near = cKDTree(mean[where.rows]).query(motion.undo(truth.points))[1]
    counted = np.flatnonzero(truth.counted)
    moved = motion.apply(mean[where.rows])
    reach, row = cKDTree(truth.points[counted]).query(moved)
    face = Surface.of(mean, level.triangles)
    gap = motion.scale * face.closest(motion.undo(truth.points[counted][row]))[2]
    place = np.where(reach < np.hypot(gap, NEAR), counted[row], -1)
    return Layout(where.region[near], place)
