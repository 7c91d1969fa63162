"""ICT-FaceKit's heads in their own mesh, among those that our calibration learns from.

They are drawn with our textures, which they get by nearest points, and their truth is told in our model's coefficients.
So the calibration sees shapes, eyes, mouths and expressions that our model cannot make.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.head.closest_points import closest_on_surface
from training.head.ict import read_ict, turn_eyes
from tronie.head.model import HeadModel
from tronie.head.surface import triangle_vertex_normals
from tronie.pipelines.calibration.registration import in_our_texture, moved
from tronie.pipelines.calibration.synthetic import RandomPerson

FACING = 0.5
"""Least cosine between normals of points that may correspond."""
REACH_MM = 8.0
FACE_RADIUS_MM = 110.0
"""From the point NOSE: within it shapes have to agree."""
NOSE = 197


@dataclass(frozen=True, eq=False)
class Foreign:
    """Another model's people in our head space."""

    model: HeadModel
    """Moved into our head space; its texture coordinates are ours."""
    into: np.ndarray
    """(K', K): its coefficients -> ours."""
    offset: np.ndarray
    """(K,) our coefficients of its mean head."""
    points: np.ndarray
    """(478,) its vertices nearest to the net's points."""

    def draw(self, identity_size: float, expression: np.ndarray, rng: np.random.Generator) -> RandomPerson:
        theirs = rng.normal(0, identity_size, len(self.model.identity))
        vertices = self.model.shape(theirs, expression)
        turn_eyes(vertices, self.model, expression)
        ours = theirs @ self.into + self.offset
        return RandomPerson(self.model.level(0), vertices, ours, vertices[self.points], foreign=True)


def ict_people(path: str | Path, ours: HeadModel) -> Foreign:
    """ICT's heads, laid onto our mean head by a rigid motion."""
    ict = read_ict(path)
    mesh = ours.level(1)
    mean = mesh.apply(ours.mean).astype(float)
    skin = mesh.triangles[mesh.triangle_part == 0]
    normals = triangle_vertex_normals(mean, skin)
    own_skin = ict.level(0).triangles[ict.level(0).triangle_part == 0]
    placed = in_our_texture(moved(ict, ours), ours)
    theirs = placed.mean.astype(float)
    points = mesh.points478(mean)
    used = np.unique(skin)
    face = used[np.linalg.norm(mean[used] - points[NOSE], axis=1) < FACE_RADIUS_MM]
    triangle, bary, distance = closest_on_surface(mean[face], theirs, own_skin)
    far_normal = (triangle_vertex_normals(theirs, own_skin)[own_skin[triangle]] * bary[..., None]).sum(axis=1)
    good = (distance < REACH_MM) & ((far_normal * normals[face]).sum(axis=1) > FACING)
    rows, corners, bary = face[good], own_skin[triangle[good]], bary[good]

    def seen(field: np.ndarray) -> np.ndarray:
        return np.asarray((field[corners] * bary[..., None]).sum(axis=1))

    basis = mesh.apply(ours.identity)[:, rows].reshape(len(ours.identity), -1).astype(float)
    wanted = [seen(theirs) - mean[rows]] + [seen(m.astype(float)) for m in placed.identity]
    system = basis @ basis.T + 1e-4 * len(rows) * np.eye(len(basis))
    found = np.linalg.solve(system, basis @ np.array([w.ravel() for w in wanted]).T).T
    left = np.array([w.ravel() for w in wanted]) - found @ basis
    size = np.sqrt((left**2).reshape(len(left), -1, 3).sum(axis=2).mean(axis=1))
    person = np.sqrt((size[1:] ** 2).sum())
    print(f"ICT in our coefficients: mean head off by {size[0]:.2f} mm, a person by {person:.2f}")
    near = np.array([np.linalg.norm(theirs - p, axis=1).argmin() for p in points])
    return Foreign(placed, found[1:], found[0], near)
