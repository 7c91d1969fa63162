"""A head model laid onto our own: the rigid motion between them, and where our texture lies on it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.geometry import rotation_matrix
from tronie.head.model import PARTS, HeadModel, sphere_center
from tronie.head.surface import triangle_vertex_normals
from tronie.pipelines.calibration.closest import closest_on_surface

Ints = NDArray[np.integer[Any]]

ROUNDS = 15
FACING = 0.5
"""Least cosine between normals of points that may correspond."""
EVERY = 3
"""Of the inner face's vertices, those that the motion is found from."""
LARGEST_STEP = 0.1
"""Of a face in the texture; larger ones span a cut and are given one place."""


def moved(model: HeadModel, ours: HeadModel) -> HeadModel:
    """The model moved by the rigid motion that lays its mean's inner face onto ours: both then look straight ahead."""
    turn, shift = rigid_motion(model, ours)
    return replace(
        model, mean=np.asarray(model.mean @ turn.T + shift, np.float32),
        identity=np.asarray(model.identity @ turn.T, np.float32),
        expression=np.asarray(model.expression @ turn.T, np.float32),
    )  # fmt: skip


def rigid_motion(model: HeadModel, ours: HeadModel) -> tuple[Array, Array]:
    """Rotation (3, 3) and shift (3,) mm that lay a model's mean inner face onto that of ours: iterated closest points,
    distances along the normals (Chen & Medioni 1992). Both must have the eyes near the origin and look along z."""
    mesh, theirs = ours.level(ours.usual_level), model.mean.astype(np.float64)
    target = mesh.apply(ours.mean).astype(np.float64)
    skin = mesh.triangles[mesh.triangle_part == 0]
    normals = triangle_vertex_normals(target, skin)
    faces = model.level(0)
    turn, shift = np.eye(3), np.zeros(3)
    rows = np.flatnonzero(model.inner_face)[::EVERY]
    own_normals = triangle_vertex_normals(theirs, faces.triangles[faces.triangle_part == 0])[rows]
    for _ in range(ROUNDS):
        p = theirs[rows] @ turn.T + shift
        triangle, bary, distance = closest_on_surface(p, target, skin)
        spot = (target[skin[triangle]] * bary[..., None]).sum(axis=1)
        normal = (normals[skin[triangle]] * bary[..., None]).sum(axis=1)
        good = ((own_normals @ turn.T * normal).sum(axis=1) > FACING) & (distance < 3 * np.median(distance) + 0.5)
        a, b, n = p[good], spot[good], normal[good]
        x = np.linalg.lstsq(np.concatenate([np.cross(a, n), n], axis=1), ((b - a) * n).sum(axis=1), rcond=None)[0]
        step = rotation_matrix(x[:3])
        turn, shift = step @ turn, step @ shift + x[3:]
    return turn, shift


def in_our_texture(model: HeadModel, ours: HeadModel) -> HeadModel:
    """The model, which must be `moved`, with texture coordinates in our atlas: our textures can be laid on it."""
    uv = texture_places(model, ours)
    corners = np.where(model.quads < 0, model.quads[:, :1], model.quads)
    torn = np.ptp(uv[corners], axis=1).max(axis=1) > LARGEST_STEP
    corners[torn] = corners[torn, :1]
    quad_uv = np.where(model.quads < 0, -1, corners).astype(np.int32)
    return replace(model, uv=uv, quad_uv=quad_uv, uv_colour=None)


def texture_places(model: HeadModel, ours: HeadModel) -> Array:
    """(C, 2) places in our texture of a model's vertices: those of the nearest points of the same part."""
    mesh = ours.level(ours.usual_level)
    mean = mesh.apply(ours.mean).astype(np.float64)
    uv = np.full((len(model.mean), 2), 0.5, np.float32)
    for name in ("mouth", "tongue", "teeth_lower", "teeth_upper", "eye_left", "eye_right", "skin"):
        rows = model.vertices_of(name)
        if not len(rows):
            continue
        wanted = [PARTS.index(n) for n in (("teeth_upper", "teeth_lower") if name.startswith("teeth") else (name,))]
        chosen = np.flatnonzero(np.isin(mesh.triangle_part, wanted))
        p = model.mean[rows].astype(np.float64)
        if name.startswith("eye"):  # by direction: the balls differ in place and size
            centre, own = sphere_center(p), mean[np.unique(mesh.triangles[chosen])]
            ball = sphere_center(own)
            reach = np.linalg.norm(own - ball, axis=1)
            p = (p - centre) / np.linalg.norm(p - centre, axis=1, keepdims=True) * np.median(reach) + ball
        triangle, bary, _ = closest_on_surface(p, mean, mesh.triangles[chosen])
        uv[rows] = (mesh.uv[mesh.triangle_uv[chosen[triangle]]] * bary[..., None]).sum(axis=1)
    return uv
