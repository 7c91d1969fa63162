"""Lay our skin onto another head, and carry that head's shape modes over to our topology.

Non-rigid registration by landmarks and closest points with a biharmonic price on the displacement, softened step by
step (after Amberg et al. 2007). Closest points are taken from the once-subdivided surface, because that is the surface
that gets exported; the unknowns are the control vertices. Since the other head's modes share one mesh, the
correspondence found on its mean carries every mode over by one linear map.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg

from training.head.assemble import kabsch, laplacian
from training.head.closest_points import closest_on_surface
from training.head.scipy_sparse import csr
from tronie.head.model import PARTS, HeadModel
from tronie.head.subdivide import triangulate

SCHEDULE = (
    (3e3, 1.0),
    (1e3, 1.0),
    (300, 0.5),
    (100, 0.3),
    (30, 0.1),
    (10, 0.05),
    (3, 0.02),
    (1, 0.01),
    (0.3, 0.01),
    (0.1, 0.01),
    (0.1, 0.01),
)
"""(stiffness, weight of the landmarks) in each round; the first two rounds use landmarks only."""
FACING = 0.5
"""Least cosine between normals of points that may correspond."""

SUBNASALE = 2
"""The net's point below the nose ..."""
NOSE = 30.0
"""... and the mm around and above it where the other head's vertices look for our surface, too: a nostril's walls lie
behind each other, and ours would be content with the nearest (5.5 mm from theirs to ours; with this 0.4)."""
BACK = 0.3
"""Weight of that against our looking for theirs."""


@dataclass(frozen=True)
class Registered:
    control: np.ndarray
    """(S, 3) our skin's control vertices in the other head's mean shape, in our own place and posture."""
    distance: np.ndarray
    """(n,) mm from the subdivided skin to the other surface."""
    carry: Callable[[np.ndarray], np.ndarray]
    """Displacements of the other head's vertices (V, 3) -> of our control vertices (S, 3), in our posture; linear."""
    place: tuple[np.ndarray, np.ndarray]
    """Rotation (3, 3) and shift (3,): our x lies at x @ rotation.T + shift on the other head."""


def vertex_normals(v: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    n = np.zeros_like(v)
    p = v[triangles]
    face = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])
    for k in range(3):
        np.add.at(n, triangles[:, k], face)
    return np.asarray(n / np.maximum(np.linalg.norm(n, axis=1, keepdims=True), 1e-12))


def register(ours: HeadModel, count: int, other: HeadModel) -> Registered:
    """Both models need embeddings. The first `count` control vertices of `ours` are its skin (with its pockets)."""
    level = ours.level(1)
    matrix = csr(level.matrix)[:, :count]
    skin = level.triangles[level.triangle_part == 0]
    used = np.unique(skin)
    surface = matrix[used]
    index, weight = level.embedding478
    flat = (weight[:468].ravel().astype(float), (np.repeat(np.arange(468), 3), index[:468].ravel()))
    points = sp.csr_array(sp.csr_array(flat, shape=(468, matrix.shape[0])) @ matrix)
    theirs = other.level(1)
    goal = theirs.points478(theirs.apply(other.mean))[:468].astype(float)
    target, target_triangles = other.mean.astype(float), _skin_triangles(other)
    target_normals = vertex_normals(target, target_triangles)

    start = ours.mean[:count].astype(float)
    r, t = kabsch(points @ start, goal)
    start = start @ r.T + t
    triangles, _ = triangulate(ours.quads[(ours.quads.max(axis=1) < count)])
    stiff, area = laplacian(triangles, start)
    bending = sp.csc_array(stiff.T @ sp.diags_array(1 / np.maximum(area, 1e-3)) @ stiff)

    def correspond(v: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        p = matrix @ v
        triangle, bary, distance = closest_on_surface(p[used], target, target_triangles)
        normal = (target_normals[target_triangles[triangle]] * bary[..., None]).sum(axis=1)
        facing = (vertex_normals(p, skin)[used] * normal).sum(axis=1)
        return triangle, bary, distance, (facing > FACING) & (distance < reach)

    beside = target - goal[SUBNASALE]
    nose = (np.linalg.norm(beside, axis=1) < NOSE) & (beside[:, 1] > -5)
    deep = np.intersect1d(np.flatnonzero(nose), target_triangles)

    def reversed_(v: np.ndarray) -> tuple[sp.csr_array, np.ndarray]:
        """Points of our surface (rows over control vertices) and where the nose's vertices, nearest to them, are."""
        p = matrix @ v
        triangle, bary, _ = closest_on_surface(target[deep], p, skin)
        normal = (vertex_normals(p, skin)[skin[triangle]] * bary[..., None]).sum(axis=1)
        meet = (normal * target_normals[deep]).sum(axis=1) > 0
        entries = (bary[meet].ravel(), (np.repeat(np.arange(meet.sum()), 3), skin[triangle[meet]].ravel()))
        pick = sp.csr_array(entries, shape=(int(meet.sum()), matrix.shape[0]))
        return sp.csr_array(pick @ matrix), target[deep[meet]]

    v = start
    for round_, (stiffness, pull) in enumerate(SCHEDULE):
        system = stiffness * bending + pull * (points.T @ points)
        right = pull * (points.T @ (goal - points @ start))
        if round_ >= 2:
            triangle, bary, _, usable = correspond(v, 20.0 if round_ < 5 else 10.0)
            on = sp.diags_array(usable.astype(float))
            there = (target[target_triangles[triangle]] * bary[..., None]).sum(axis=1)
            system = system + surface.T @ on @ surface
            right = right + surface.T @ (on @ (there - surface @ start))
        if round_ >= 5:
            ours_at, wanted = reversed_(v)
            system = system + BACK * ours_at.T @ ours_at
            right = right + BACK * ours_at.T @ (wanted - ours_at @ start)
        v = start + scipy.sparse.linalg.spsolve(sp.csc_array(system), right)
    triangle, bary, distance, usable = correspond(v, 0.6)
    on = sp.diags_array(usable.astype(float))
    solver = scipy.sparse.linalg.splu(sp.csc_array(0.1 * bending + surface.T @ on @ surface))

    def carry(field: np.ndarray) -> np.ndarray:
        at = (field[target_triangles[triangle]] * bary[..., None]).sum(axis=1)
        return np.asarray(solver.solve(np.asarray(surface.T @ (on @ at))) @ r)

    return Registered((v - t) @ r, distance[usable], carry, (r, t))


def _skin_triangles(model: HeadModel) -> np.ndarray:
    level = model.level(0)
    return np.asarray(level.triangles[level.triangle_part == PARTS.index("skin")])
