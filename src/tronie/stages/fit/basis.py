"""The head model seen through its 478 embedded points only: landmarks brought onto it, and the residual warp.

The residual warp takes up what the model cannot say by a small smooth motion in the image plane.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tronie.arrays import Array
from tronie.geometry import rotation_matrix
from tronie.head.model import Head, HeadModel
from tronie.runtime.kept import kept
from tronie.stages.landmarks.lines import OVAL
from tronie.types import Fit

OVAL_WEIGHT = 0.35
"""The face oval slides along the silhouette as the head turns; it says less than the points inside."""
WARP_STIFFNESS = 4.0e4
"""Weight of the biharmonic energy against the landmarks; larger bends less."""
WARP_LIMIT_MM = 4.0
"""No landmark is moved further than this."""


@dataclass(frozen=True, eq=False)
class LandmarkBasis:
    """The head model seen through its 478 embedded points only."""

    mean: Array
    """(478, 3)."""
    shape: Array
    """(478, 3, K + 52): identity, then expression."""
    modes: Array
    """(478, M) smooth modes at the points."""
    components: int
    """K."""
    weight: Array
    """(478,) square roots of the points' weights."""


@lru_cache(maxsize=4)
@kept
def landmark_basis(model: HeadModel) -> LandmarkBasis:
    level = model.level(model.usual_level)
    index, weight = level.embedding478
    rows = level.matrix[index.ravel()]  # control rows behind the corners of every embedding triangle

    def at_points(field: Array) -> Array:
        """(C, n) -> (478, n)."""
        corners = np.asarray(rows @ field.astype(np.float64)).reshape(*index.shape, -1)
        return np.asarray(np.einsum("nck,nc->nk", corners, weight))

    count = len(model.mean)
    bases = np.concatenate([model.identity, model.expression])  # (K + 52, C, 3)
    shape = at_points(bases.transpose(1, 2, 0).reshape(count, -1)).reshape(len(index), 3, len(bases))
    w = np.ones(len(index))
    w[list(OVAL)] = OVAL_WEIGHT
    return LandmarkBasis(
        mean=at_points(model.mean),
        shape=shape,
        modes=at_points(model.smooth_modes.T),
        components=len(model.identity),
        weight=np.sqrt(w),
    )


@lru_cache(maxsize=4)
@kept
def mirror_map(model: HeadModel) -> Array:
    """(K, K) float64: identity @ map is the identity of the mirror image, as nearly as the model's people allow (least
    squares over the skin). Of our own head, whose components are even or odd, it is a diagonal of signs."""
    rows = model.vertices_of("skin")
    shapes = model.identity[:, rows].reshape(len(model.identity), -1)
    flipped = (model.identity[:, model.mirror[rows]] * np.array([-1, 1, 1], dtype=np.float32)).reshape(shapes.shape)
    gram = (shapes @ shapes.T).astype(np.float64)
    gram[np.diag_indices(len(gram))] *= 1 + 1e-8
    return np.asarray(np.linalg.solve(gram, (shapes @ flipped.T).astype(np.float64)).T)


@dataclass(frozen=True, slots=True)
class WeakPerspective:
    """Landmarks (478, 3) brought onto the mean head by a similarity (Umeyama 1991): a weak-perspective pose."""

    rotation: Array
    """(3, 3) head -> camera axes, seen along the ray to the face."""
    scale: float
    """Pixels per millimetre."""
    center: Array
    """(2,) pixels: the points' mean."""
    residual: Array
    """(478, 3) mm in head axes: what the points differ from the mean head's."""


def weak_perspective(mean: Array, points: Array) -> WeakPerspective:
    """The net's points (478, 3), px, onto the mean head's (478, 3), mm. Raises ValueError if they are degenerate."""
    source = mean - mean.mean(axis=0)
    center = points.mean(axis=0)
    goal = points.astype(np.float64) - center
    u, s, vt = np.linalg.svd(goal.T @ source)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    scale = float((s * sign).sum() / (source**2).sum())
    if not np.isfinite(scale) or scale <= 1e-6:
        raise ValueError("the landmarks do not form a face")
    return WeakPerspective(rotation, scale, center[:2], goal @ rotation / scale - source)


def from_axis(point: Array) -> Array:
    """(3, 3) shortest turn of the optical axis onto the ray to a camera-space point (3,)."""
    ray = np.asarray(point, dtype=np.float64) / np.linalg.norm(point)
    axis = np.cross([0.0, 0.0, 1.0], ray)
    sine = float(np.linalg.norm(axis))
    return rotation_matrix(axis * (np.arctan2(sine, ray[2]) / max(sine, 1e-12)))


def residual_warp(basis: LandmarkBasis, stiffness: Array, residual: Array, rotation: Array) -> Array:
    """Coefficients (M, 3), head millimetres, of the smooth field that takes up the landmark residuals.

    `residual` (478, 2) mm in the image plane. The field moves parallel to the image plane only, so depth, which the
    landmarks do not see, stays the model's; its biharmonic energy (sum of stiffness^2 c^2) keeps it from bending the
    surface, and it is scaled down as a whole where it would exceed WARP_LIMIT_MM.
    """
    weighted = basis.modes * basis.weight[:, None]
    bending = WARP_STIFFNESS * len(basis.modes) * stiffness.astype(np.float64) ** 2
    system = weighted.T @ weighted + np.diag(bending + 0.5)
    plane = np.linalg.solve(system, weighted.T @ (residual * basis.weight[:, None]))
    largest = float(np.linalg.norm(basis.modes @ plane, axis=1).max())
    plane *= min(1.0, WARP_LIMIT_MM / max(largest, 1e-9))
    return np.asarray(plane @ rotation[:2])


def on_photo(head: Head, fit: Fit) -> Array:
    """(V, 3) float32 mm: the head's vertices where the photo shows them, with what the head leaves of the landmarks."""
    vertices = np.asarray(head.vertices, dtype=np.float32)
    if fit.slack is None:
        return vertices
    return vertices + head.model.level(head.level).apply(head.model.smooth_modes.T @ fit.slack)
