"""How near our model can come to the true heads at all: the head of its span nearest to each truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.evaluate import frontal_offset
from benchmarks.accuracy.heads import face_triangles
from benchmarks.accuracy.methods import fit_of
from benchmarks.accuracy.metric import Surface, icp, umeyama
from benchmarks.accuracy.observe import Observation
from benchmarks.accuracy.synthetic import Render, Renders
from tronie.head.model import HeadModel
from tronie.types import Fit

Array = NDArray[np.floating]

SIGMA_MM = 0.5
"""Distances of this size weigh as much as one standard deviation of a mode."""
ROUNDS = 8
EVERY = 2
"""Of the counted vertices of the truth, every so many pull."""


@dataclass(frozen=True, eq=False)
class Nearest:
    """A fit that knows the truth and looks for it in the model: regularised least squares on closest points."""

    model: HeadModel
    renders: Renders

    def __call__(self, seen: Observation) -> Fit:
        assert isinstance(seen, Render)
        identity = nearest(self.model, self.renders, seen.person)
        pose = seen.head_to_camera.copy()
        if self.renders.mean is not None:
            pose[:3, :3] = pose[:3, :3] @ _offset(self.model, self.renders.mean)
        return fit_of(self.model, identity, seen.expression, pose, seen.camera)


_offset = lru_cache(maxsize=4)(frontal_offset)


@lru_cache(maxsize=2)
def _basis(model: HeadModel) -> Array:
    """(V, 3, K) how the identity moves the vertices of level 1."""
    return np.ascontiguousarray(np.moveaxis(model.level(model.usual_level).apply(model.identity), 0, -1), np.float64)


@lru_cache(maxsize=1024)
def nearest(model: HeadModel, renders: Renders, person: int) -> Array:
    """(K,) coefficients of the head from whose surface the true vertices lie least away, along its normals."""
    level, basis = model.level(model.usual_level), _basis(model)
    triangles = face_triangles(model, model.usual_level)
    mean = level.apply(model.mean).astype(np.float64)
    true = renders.truths[person]
    truth = true.points.astype(np.float64)[true.counted][::EVERY]
    motion = umeyama(level.points68(mean)[list(true.ibug)], true.marks, scale=False)  # size is shape here
    identity = np.zeros(len(model.identity))
    for _ in range(ROUNDS):
        surface = Surface.of(mean + basis @ identity, triangles)
        motion = icp(truth[::4], surface, motion, scale=False, rounds=4)
        inside = motion.undo(truth)
        spot, face, _ = surface.closest(inside)
        weight, normal = barycentric(spot, surface.corners[face]), surface.normals[face]
        rows = triangles[face]
        j = sum(weight[:, c, None] * np.einsum("nck,nc->nk", basis[rows[:, c]], normal) for c in range(3)) / SIGMA_MM
        gap = ((inside - (weight[..., None] * mean[rows]).sum(axis=1)) * normal).sum(axis=1) / SIGMA_MM
        pull = np.minimum(1, 3.0 / np.maximum(np.abs(gap - j @ identity), 1e-9))
        system = j.T @ (j * pull[:, None]) + np.eye(len(identity))
        identity = np.linalg.solve(system, j.T @ (pull * gap))
    return identity


def barycentric(points: Array, corners: Array) -> Array:
    """(n, 3) weights of points (n, 3) that lie in triangles (n, 3, 3)."""
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    p = points - corners[:, 0]
    aa, ab, bb, ap, bp = ((u * v).sum(axis=1) for u, v in ((a, a), (a, b), (b, b), (a, p), (b, p)))
    area = np.maximum(aa * bb - ab * ab, 1e-12)
    u, v = (bb * ap - ab * bp) / area, (aa * bp - ab * ap) / area
    return np.stack([1 - u - v, u, v], axis=1)
