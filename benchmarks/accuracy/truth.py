"""What a fit is judged by: a true face at rest, as a mesh or as points with normals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from benchmarks.accuracy.metric import Surface

Array = NDArray[np.floating]

APART = 4.0
"""mm: places further aside from all points of a truth without triangles lie beyond its edge."""


@dataclass(frozen=True, eq=False)
class Truth:
    """One person's face at rest."""

    points: Array
    """(n, 3) mm."""
    counted: NDArray[np.bool_]
    """(n,) which of them the error is averaged over."""
    marks: Array
    """(k, 3) mm: landmarks that start the alignment."""
    ibug: tuple[int, ...]
    """(k,) which of iBUG's 68 points they are."""
    triangles: NDArray[np.int32] | None = None
    """(T, 3) over the points."""
    normals: Array | None = None
    """(n, 3), where there are no triangles."""

    def away(self, places: Array) -> Array:
        """(m,) mm from places (m, 3) to this surface; nan beyond its edge where it is made of points."""
        if self.triangles is not None:
            return Surface.of(self.points, self.triangles).closest(places)[2]
        assert self.normals is not None
        reach, row = cKDTree(self.points).query(places)
        along = np.abs(((places - self.points[row]) * self.normals[row]).sum(axis=1))
        aside = np.sqrt(np.maximum(reach**2 - along**2, 0.0))
        return np.where(aside < APART, along, np.nan)
