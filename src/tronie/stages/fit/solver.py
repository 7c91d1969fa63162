"""Levenberg-Marquardt with box bounds, for small dense problems (Nocedal & Wright 2006, 10.3 and 16.7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tronie.arrays import Array

Normal = tuple[float, Array, Array]
"""cost, gradient (n,), Gauss-Newton Hessian (n, n) of half the squared residuals."""


@dataclass(frozen=True, slots=True)
class Solution:
    x: Array
    cost: float
    hessian: Array
    """(n, n) at x: the inverse covariance when the residuals are whitened."""
    iterations: int


def solve(
    normal: Callable[[Array], Normal],
    cost: Callable[[Array], float],
    x: Array,
    lower: Array,
    upper: Array,
    *,
    step: Callable[[Array, Array], Array] = np.add,
    max_iterations: int = 12,
    tolerance: float = 1e-3,
) -> Solution:
    """Minimise a sum of squares.

    `normal` gives cost, gradient and Hessian at x; `cost` only the cost; `step(x, dx)` moves x (rotations may
    compose). Variables on a bound whose gradient points outwards are held there for that iteration. Stops when
    the cost falls by less than `tolerance` relative.
    """
    damping = 1e-3
    value, gradient, hessian = normal(x)
    iterations = 0
    while iterations < max_iterations:
        iterations += 1
        held = ((x <= lower) & (gradient > 0)) | ((x >= upper) & (gradient < 0))
        free = np.flatnonzero(~held)
        h, g = hessian[np.ix_(free, free)], gradient[free]
        diagonal = np.diag_indices(len(free))
        improved = False
        for _ in range(6):
            damped = h.copy()
            damped[diagonal] *= 1 + damping
            dx = np.zeros_like(x)
            dx[free] = -np.linalg.solve(damped, g)
            candidate = np.clip(step(x, dx), lower, upper)
            new = cost(candidate)
            if new < value:
                improved = True
                break
            damping = max(damping * 8, 1e-6)
        if not improved:
            break
        gain = value - new
        x = candidate
        damping = max(damping / 6, 1e-9)
        value, gradient, hessian = normal(x)
        if gain < tolerance * value:
            break
    return Solution(x, value, hessian, iterations)
