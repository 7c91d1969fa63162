"""How much of a person the heads hold: what of the truth's way from the mean head they follow, and where they all err.

Everything is signed distances (mm, outwards positive) along the normals. At places of the mean head's inner face,
`true` is how far the truth lies from the mean head and `said` how far the fit has gone there; what is missing is their
difference, the fit's error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.regions import REGIONS, Layout, Places

Array = NDArray[np.floating]

ENOUGH = 8
"""With so many people, what all have in common is taken off before r and slope: it is not personal."""


@dataclass(frozen=True, eq=False)
class Fields:
    """Of photos, at the places of the mean head."""

    true: Array
    """(photos, m) mm, nan where the truth has nothing."""
    said: Array
    """(photos, m) mm."""
    person: NDArray[np.int64]
    """(photos,)."""
    where: Places

    @classmethod
    def of(
        cls,
        mean_gaps: Sequence[Array],
        gaps: Sequence[Array],
        layouts: Sequence[Layout],
        person: NDArray[np.int64],
        where: Places,
    ) -> Fields:
        """From each photo's signed distances (n,) of its true points to the mean head and to the fit."""
        true = np.array([_at(g, at.place) for g, at in zip(mean_gaps, layouts, strict=True)])
        left = np.array([_at(g, at.place) for g, at in zip(gaps, layouts, strict=True)])
        return cls(true, true - left, person, where)

    @property
    def people(self) -> int:
        return len(np.unique(self.person))

    def correlation(self, region: str | None = None) -> tuple[float, float]:
        """r between `said` and `true`, and the factor by which `said` ought to be multiplied (1: neither too timid nor
        too bold), over all photos and places, weighed by area."""
        true, said = self.true, self.said
        if self.people >= ENOUGH:
            true, said = true - _middle(true), said - _middle(said)
        weight = np.where(np.isfinite(true), self.where.area, 0.0)
        if region is not None:
            weight = weight * (self.where.region == REGIONS.index(region))
        t, s = np.nan_to_num(true), np.nan_to_num(said)
        total = max(float(weight.sum()), 1e-12)
        t = t - (weight * t).sum() / total
        s = s - (weight * s).sum() / total
        ts, tt, ss = (float((weight * v).sum()) for v in (t * s, t * t, s * s))
        if ss <= 1e-9 * tt or tt <= 0:
            return float("nan"), float("nan")
        return ts / (tt * ss) ** 0.5, ts / ss

    def common(self) -> tuple[float, float]:
        """Share of the mean squared error that all photos of a person have in common, and that all people have.

        By the mean product of the errors in two photos, of one person and of two, so that chance adds nothing; nan
        where there are no such pairs."""
        left = np.nan_to_num(self.true - self.said) * np.sqrt(self.where.area)
        product = left @ left.T
        same = self.person[:, None] == self.person[None]
        own = np.eye(len(left), dtype=bool)
        whole = float(np.diag(product).mean())

        def share(pairs: NDArray[np.bool_]) -> float:
            return float(product[pairs].mean()) / whole if pairs.any() and whole > 0 else float("nan")

        return share(same & ~own), share(~same)


def _middle(values: Array) -> Array:
    """(m,) mean over the photos of what is there."""
    there = np.isfinite(values)
    return np.asarray(np.where(there, values, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1))


def _at(gaps: Array, place: NDArray[np.intp]) -> Array:
    return np.where(place >= 0, np.asarray(gaps, np.float64)[place], np.nan)


def by_region(
    gaps: Sequence[Array], region: Sequence[NDArray[np.int8]], counted: Sequence[NDArray[np.bool_]]
) -> dict[str, float]:
    """Mean error, mm, over the photos, of the counted true points (n,) of each region."""
    out = {}
    for k, name in enumerate(REGIONS):
        rows = [keep & (of == k) for of, keep in zip(region, counted, strict=True)]
        means = [float(np.abs(g[some]).mean()) for g, some in zip(gaps, rows, strict=True) if some.any()]
        if means:
            out[name] = float(np.mean(means))
    return out
