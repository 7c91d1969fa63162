"""How large the head is in the flesh: people's irises differ less in size than their heads do."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.head.model import HeadModel

Array = NDArray[np.floating[Any]]

IRIS_MM = 11.7
"""Horizontal visible iris diameter of adults (Rüfer et al. 2005: 11.7 +- 0.4)."""
IRIS_BIAS = 0.066
"""Logarithm of how much too wide the landmark net draws irises: median over 2,600 renders within 20 degrees of yaw."""
IRIS_SIGMA, SIZE_SIGMA = 0.08, 0.04
"""Spread of the logarithm of the diameter around that (0.07 measured, 0.04 among people), and of people's head size."""
LEFT_MM = 0.3
"""What may be left of a growth by SIZE_SIGMA weighs as much as one standard deviation of a person."""
LARGEST_YAW, LEAST_PIXELS, MOST_BLINK = 20.0, 8.0, 0.5
"""Beyond these an iris tells nothing."""
_ENDS = ((469, 471, 470, 472), (474, 476, 475, 477))


def iris_diameter(points: Array) -> float:
    """Pixels: mean over both irises of the larger of the two measured diameters."""
    p = points[:, :2]
    spans = [max(np.linalg.norm(p[a] - p[b]), np.linalg.norm(p[c] - p[d])) for a, b, c, d in _ENDS]
    return float(np.mean(spans))


def iris_growth(points: Array, scale: float, yaw: float, blink: float) -> float:
    """Logarithm of the growth that the irises ask of a head which projects with `scale` pixels per mm.

    Already weighed against how much heads vary; 0 where the irises tell nothing. `yaw` in degrees, `blink` 0..1.
    """
    pixels = iris_diameter(points)
    if abs(yaw) > LARGEST_YAW or pixels < LEAST_PIXELS or blink > MOST_BLINK:
        return 0.0
    share = SIZE_SIGMA**2 / (SIZE_SIGMA**2 + IRIS_SIGMA**2)
    asked = np.log(IRIS_MM * scale / pixels) + IRIS_BIAS
    return float(share * np.clip(asked, -3 * IRIS_SIGMA, 3 * IRIS_SIGMA))


@lru_cache(maxsize=4)
def growth_direction(model: HeadModel) -> Array:
    """(K,) identity that makes the face larger by the factor e per unit, as nearly as the model's people allow."""
    inner = model.mean[model.inner_face].astype(np.float64)
    fields = model.identity[:, model.inner_face].reshape(len(model.identity), -1).astype(np.float64)
    shifts = np.array([np.broadcast_to(axis, inner.shape).ravel() for axis in np.eye(3)])
    system = np.concatenate([fields, shifts])
    price = np.diag(np.r_[np.full(len(fields), LEFT_MM**2 * len(inner)), np.full(3, 1e-6)])
    return np.asarray(np.linalg.solve(system @ system.T + price, system @ inner.ravel())[: len(fields)])
