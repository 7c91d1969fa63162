"""How far apart heads of one person are, against those of different people."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

SAME = 1e-6
"""Squared distances that differ by less than this share of the squared values are one and the same: a head that does
not depend on the photo."""


def mean_of(values: Array) -> float:
    """Mean of the finite values, nan where there are none."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")


def within_between(values: Array, group: NDArray[np.integer]) -> float:
    """RMS spread (n, k) within groups / RMS spread of the groups' means, freed of what the former adds to it."""
    groups = [values[group == g] for g in np.unique(group)]
    if len(groups) < 2 or max(len(g) for g in groups) < 2:
        return float("nan")
    several = [g for g in groups if len(g) > 1]
    free = sum(len(g) - 1 for g in several)
    within = sum(float(((g - g.mean(axis=0)) ** 2).sum()) for g in several) / free
    means = np.array([g.mean(axis=0) for g in groups])
    between = float(((means - means.mean(axis=0)) ** 2).sum()) / (len(groups) - 1)
    between -= within * float(np.mean([1 / len(g) for g in groups]))
    return float((within / between) ** 0.5) if between > max(0.01 * within, 1e-9) else float("nan")


def auc(values: Array, group: NDArray[np.integer]) -> float:
    """How often two of a group (n, k) are nearer to each other than two of different groups; nan without such pairs."""
    square = (values**2).sum(axis=1)
    apart = square[:, None] + square[None] - 2 * values @ values.T
    upper = np.triu(np.ones(apart.shape, bool), 1)
    same = group[:, None] == group[None]
    near, far = apart[upper & same], np.sort(apart[upper & ~same])
    if not len(near) or not len(far) or np.ptp(apart[upper]) <= SAME * square.mean():
        return float("nan")
    below, up_to = np.searchsorted(far, near), np.searchsorted(far, near, side="right")
    return float(1 - (below + up_to).mean() / 2 / len(far))
