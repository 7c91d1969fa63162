"""The residual warp: what the model cannot say, taken up by a small smooth motion in the image plane."""

from __future__ import annotations

import numpy as np

from tronie.arrays import Array
from tronie.head.model import Head
from tronie.stages.fit.basis import LandmarkBasis
from tronie.types import Fit

WARP_STIFFNESS = 4.0e4
"""Weight of the biharmonic energy against the landmarks; larger bends less."""
WARP_LIMIT_MM = 4.0
"""No landmark is moved further than this."""


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
