"""How near our model can come to the true heads at all: the head of its span nearest to each truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from accuracy.evaluate import START, frontal_offset
from accuracy.heads import face_triangles, inner_rows
from accuracy.methods import fit_of
from accuracy.metric import Surface, icp, umeyama
from accuracy.observe import Observation
from accuracy.synthetic import Render, Renders
from tronie.head.model import HeadModel
from tronie.types import Fit

Array = NDArray[np.floating]

SIGMA_MM = 0.5
"""Distances of this size weigh as much as one standard deviation of a mode."""
ROUNDS = 6
EVERY = 3
"""Of the inner face's vertices, every so many pull."""


@dataclass(frozen=True, eq=False)
class Nearest:
    """A fit that knows the truth and looks for it in the model: regularised least squares on closest points."""

    model: HeadModel
    renders: Renders

    def __call__(self, seen: Observation) -> Fit:
        assert isinstance(seen, Render)
        identity = nearest(self.model, self.renders, seen.person)
        pose = seen.head_to_camera.copy()
        pose[:3, :3] = pose[:3, :3] @ _offset(self.model, self.renders)
        return fit_of(self.model, identity, seen.expression, pose, seen.camera)


_offset = lru_cache(maxsize=4)(frontal_offset)


@lru_cache(maxsize=2)
def _bases(model: HeadModel) -> tuple[NDArray[np.intp], Array]:
    """Rows of level 1 that pull, and how the identity moves them, (n, 3, K)."""
    level = model.level(1)
    rows = inner_rows(model, 1)[::EVERY]
    return rows, np.ascontiguousarray(np.moveaxis(level.apply(model.identity)[:, rows], 0, -1), np.float64)


@lru_cache(maxsize=1024)
def nearest(model: HeadModel, renders: Renders, person: int) -> Array:
    """(K,) coefficients."""
    level = model.level(1)
    rows, basis = _bases(model)
    truth, points = renders.neutral[person].astype(np.float64), renders.points68[person]
    surface = Surface.of(truth, renders.triangles)
    identity = np.zeros(len(model.identity))
    mean = level.apply(model.mean).astype(np.float64)
    counted = truth[renders.counted][::8]
    motion = umeyama(level.points68(mean)[START], points[START], scale=False)  # size is a part of the shape
    for _ in range(ROUNDS):
        head = level.apply(model.shape(identity)).astype(np.float64)
        motion = icp(counted, Surface.of(head, face_triangles(model, 1)), motion, scale=False, rounds=4)
        spot, triangle, _ = surface.closest(motion.apply(head[rows]))
        # along the true surface's normals, in the model's own place
        normal = surface.normals[triangle] @ motion.rotation
        j = np.einsum("nk,nkc->nc", normal, basis) / SIGMA_MM
        gap = ((motion.undo(spot) - mean[rows]) * normal).sum(axis=1) / SIGMA_MM
        weight = np.minimum(1, 3.0 / np.maximum(np.abs(gap - j @ identity), 1e-9))
        system = j.T @ (j * weight[:, None]) + np.eye(len(identity))
        identity = np.linalg.solve(system, j.T @ (weight * gap))
    return identity
