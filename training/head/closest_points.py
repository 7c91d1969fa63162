"""Closest points on triangle meshes, for the many searches of the registration."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from tronie.pipelines.calibration.registration import CANDIDATES, closest_among, closest_on_triangles

__all__ = ["closest_on_surface", "closest_on_triangles"]


def closest_on_surface(
    points: np.ndarray, vertices: np.ndarray, triangles: np.ndarray, candidates: int = CANDIDATES
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`tronie.pipelines.calibration.registration.closest_on_surface`, its candidates found by a tree."""
    corners = vertices[triangles]
    near = cKDTree(corners.mean(axis=1)).query(points, k=min(candidates, len(triangles)))[1]
    return closest_among(points, corners, near)
