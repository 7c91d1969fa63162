"""Whose pictures the calibration learns from: random heads of our own model, and of ICT-FaceKit in its own mesh.

A head of the other mesh is drawn with our textures, which it gets by nearest points, and its truth is told in our
model's coefficients. So the calibration sees shapes, eyes, mouths and expressions that our model cannot make.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from ict import read_ict, turn_eyes
from surface import closest_on_surface

from tronie.head.model import PARTS, HeadModel, Level, sphere_center
from tronie.render.shading import vertex_normals

ROUNDS = 20
FACING = 0.5
"""Least cosine between normals of points that may correspond."""
REACH_MM = 8.0
FACE_RADIUS_MM = 110.0
"""From the point NOSE: within it shapes have to agree."""
NOSE = 197
LARGEST_STEP = 0.1
"""Of a quad in the texture; larger ones span a cut and are given one place."""


@dataclass(frozen=True, eq=False)
class Person:
    level: Level
    vertices: np.ndarray
    """(V, 3) mm in our head space, with the expression."""
    identity: np.ndarray
    """(K,) of our model: what the calibration is to say."""
    middle: np.ndarray
    """(3,) middle of the face."""
    points: np.ndarray
    """(478, 3) where about the net's points lie."""
    foreign: bool
    """Of another model than ours."""


class People(Protocol):
    def draw(self, identity_size: float, expression: np.ndarray, rng: np.random.Generator) -> Person: ...


@dataclass(frozen=True, eq=False)
class Own:
    model: HeadModel

    def draw(self, identity_size: float, expression: np.ndarray, rng: np.random.Generator) -> Person:
        level = self.model.level(1)
        identity = rng.normal(0, identity_size, len(self.model.identity))
        vertices = level.apply(self.model.shape(identity, expression))
        points = level.points478(vertices)
        return Person(level, vertices, identity, points[:468].mean(axis=0), points, foreign=False)


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

    def draw(self, identity_size: float, expression: np.ndarray, rng: np.random.Generator) -> Person:
        theirs = rng.normal(0, identity_size, len(self.model.identity))
        vertices = self.model.shape(theirs, expression)
        turn_eyes(vertices, self.model, expression)
        points = vertices[self.points]
        ours, middle = theirs @ self.into + self.offset, points[:468].mean(axis=0)
        return Person(self.model.level(0), vertices, ours, middle, points, foreign=True)


def ict_people(path: str | Path, ours: HeadModel) -> Foreign:
    """ICT's heads, laid onto our mean head by a rigid motion."""
    ict = read_ict(path)
    mesh = ours.level(1)
    mean = mesh.apply(ours.mean).astype(float)
    skin = mesh.triangles[mesh.triangle_part == 0]
    normals = vertex_normals(mean, skin)
    theirs = ict.mean.astype(float)
    own_skin = ict.level(0).triangles[ict.level(0).triangle_part == 0]
    turn, shift = _rigid_fit(theirs, ict.inner_face, own_skin, mean, skin, normals)
    moved = theirs @ turn.T + shift
    points = mesh.points478(mean)
    used = np.unique(skin)
    face = used[np.linalg.norm(mean[used] - points[NOSE], axis=1) < FACE_RADIUS_MM]
    triangle, bary, distance = closest_on_surface(mean[face], moved, own_skin)
    far_normal = (vertex_normals(moved, own_skin)[own_skin[triangle]] * bary[..., None]).sum(axis=1)
    good = (distance < REACH_MM) & ((far_normal * normals[face]).sum(axis=1) > FACING)
    rows, corners, bary = face[good], own_skin[triangle[good]], bary[good]

    def seen(field: np.ndarray) -> np.ndarray:
        return np.asarray((field[corners] * bary[..., None]).sum(axis=1))

    basis = mesh.apply(ours.identity)[:, rows].reshape(len(ours.identity), -1).astype(float)
    wanted = [seen(moved) - mean[rows]] + [seen(m.astype(float) @ turn.T) for m in ict.identity]
    system = basis @ basis.T + 1e-4 * len(rows) * np.eye(len(basis))
    found = np.linalg.solve(system, basis @ np.array([w.ravel() for w in wanted]).T).T
    left = np.array([w.ravel() for w in wanted]) - found @ basis
    size = np.sqrt((left**2).reshape(len(left), -1, 3).sum(axis=2).mean(axis=1))
    person = np.sqrt((size[1:] ** 2).sum())
    print(f"ICT in our coefficients: mean head off by {size[0]:.2f} mm, a person by {person:.2f}")
    uv = _texture_places(ict, moved, ours, mean)
    quad_uv = np.where(ict.quads < 0, ict.quads[:, :1], ict.quads)
    torn = np.ptp(uv[quad_uv], axis=1).max(axis=1) > LARGEST_STEP
    quad_uv[torn] = quad_uv[torn, :1]
    placed = replace(
        ict, mean=moved.astype(np.float32), identity=(ict.identity @ turn.T).astype(np.float32),
        expression=(ict.expression @ turn.T).astype(np.float32), uv=uv,
        quad_uv=np.where(ict.quads < 0, -1, quad_uv).astype(np.int32),
    )  # fmt: skip
    near = np.array([np.linalg.norm(moved - p, axis=1).argmin() for p in points])
    return Foreign(placed, found[1:], found[0], near)


def _rigid_fit(
    theirs: np.ndarray,
    inner: np.ndarray,
    their_skin: np.ndarray,
    ours: np.ndarray,
    skin: np.ndarray,
    normals: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Rotation and shift that lay the other mean head's inner face onto ours (iterated closest points)."""
    turn, shift = np.eye(3), np.zeros(3)  # both have their origin between the eyes and look along z
    rows = np.flatnonzero(inner)[::3]
    their_normals = vertex_normals(theirs, their_skin)[rows]
    for _ in range(ROUNDS):
        p = theirs[rows] @ turn.T + shift
        triangle, bary, distance = closest_on_surface(p, ours, skin)
        spot = (ours[skin[triangle]] * bary[..., None]).sum(axis=1)
        normal = (normals[skin[triangle]] * bary[..., None]).sum(axis=1)
        good = ((their_normals @ turn.T * normal).sum(axis=1) > FACING) & (distance < 3 * np.median(distance) + 0.5)
        a, b, n = p[good], spot[good], normal[good]
        j = np.concatenate([np.cross(a, n), n], axis=1)
        x = np.linalg.lstsq(j, ((b - a) * n).sum(axis=1), rcond=None)[0]
        angle = np.linalg.norm(x[:3])
        axis = x[:3] / max(angle, 1e-12)
        k = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
        step = np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k
        turn, shift = step @ turn, step @ shift + x[3:]
    return turn, shift


def _texture_places(ict: HeadModel, moved: np.ndarray, ours: HeadModel, mean: np.ndarray) -> np.ndarray:
    """(V, 2) places in our texture of the other head's vertices: those of the nearest points of the same part."""
    mesh = ours.level(1)
    uv = np.full((len(moved), 2), 0.5, np.float32)
    for name in ("mouth", "tongue", "teeth_upper", "eye_left", "eye_right", "skin"):
        rows = ict.vertices_of(name)
        wanted = [PARTS.index(name)]
        if name == "teeth_upper":  # ICT has one part for both arches
            wanted.append(PARTS.index("teeth_lower"))
        chosen = np.flatnonzero(np.isin(mesh.triangle_part, wanted))
        p = moved[rows]
        if name.startswith("eye"):  # by direction: the balls differ in place and size
            centre, own = sphere_center(p), mean[np.unique(mesh.triangles[chosen])]
            ball = sphere_center(own)
            reach = np.linalg.norm(own - ball, axis=1)
            p = (p - centre) / np.linalg.norm(p - centre, axis=1, keepdims=True) * np.median(reach) + ball
        triangle, bary, _ = closest_on_surface(p, mean, mesh.triangles[chosen])
        uv[rows] = (mesh.uv[mesh.triangle_uv[chosen[triangle]]] * bary[..., None]).sum(axis=1)
    return uv
