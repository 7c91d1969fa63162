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
from tronie.runtime.jit import jit

Ints = NDArray[np.integer[Any]]

ROUNDS = 15
FACING = 0.5
"""Least cosine between normals of points that may correspond."""
EVERY = 3
"""Of the inner face's vertices, those that the motion is found from."""
LARGEST_STEP = 0.1
"""Of a face in the texture; larger ones span a cut and are given one place."""
CANDIDATES = 24


def moved(model: HeadModel, ours: HeadModel) -> HeadModel:
    """The model moved by the rigid motion that lays its mean's inner face onto ours: both then look straight ahead."""
    turn, shift = rigid_motion(model, ours)
    return replace(
        model,
        mean=np.asarray(model.mean @ turn.T + shift, np.float32),
        identity=np.asarray(model.identity @ turn.T, np.float32),
        expression=np.asarray(model.expression @ turn.T, np.float32),
    )


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


def closest_on_triangles(p: Array, a: Array, b: Array, c: Array) -> Array:
    """Barycentric weights (..., 3) of the point of triangle (a, b, c) nearest to p; all (..., 3).

    Ericson, Real-Time Collision Detection (2005), 5.1.5, as regions chosen by masks.
    """
    ab, ac, ap = b - a, c - a, p - a
    d1, d2 = (ab * ap).sum(-1), (ac * ap).sum(-1)
    bp = p - b
    d3, d4 = (ab * bp).sum(-1), (ac * bp).sum(-1)
    cp = p - c
    d5, d6 = (ab * cp).sum(-1), (ac * cp).sum(-1)
    va, vb, vc = d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2
    total = np.where(np.abs(va + vb + vc) < 1e-20, 1.0, va + vb + vc)
    v, w = vb / total, vc / total
    with np.errstate(divide="ignore", invalid="ignore"):
        t_ab = np.nan_to_num(d1 / (d1 - d3))
        t_ac = np.nan_to_num(d2 / (d2 - d6))
        t_bc = np.nan_to_num((d4 - d3) / ((d4 - d3) + (d5 - d6)))
    regions = [
        ((d1 <= 0) & (d2 <= 0), 0 * v, 0 * w),
        ((d3 >= 0) & (d4 <= d3), 0 * v + 1, 0 * w),
        ((d6 >= 0) & (d5 <= d6), 0 * v, 0 * w + 1),
        ((vc <= 0) & (d1 >= 0) & (d3 <= 0), t_ab, 0 * w),
        ((vb <= 0) & (d2 >= 0) & (d6 <= 0), 0 * v, t_ac),
        ((va <= 0) & (d4 - d3 >= 0) & (d5 - d6 >= 0), 1 - t_bc, t_bc),
    ]
    v = np.select([r[0] for r in regions], [r[1] for r in regions], v)
    w = np.select([r[0] for r in regions], [r[2] for r in regions], w)
    return np.stack([1 - v - w, v, w], axis=-1)


def closest_on_surface(points: Array, vertices: Array, triangles: Ints) -> tuple[Ints, Array, Array]:
    """Nearest surface points: triangle (n,), barycentric weights (n, 3), distance (n,).

    Only the CANDIDATES triangles with the nearest centres are looked at, which is exact for even meshes.
    """
    points, corners = np.asarray(points, dtype=np.float64), np.asarray(vertices, dtype=np.float64)[triangles]
    near = nearest(points, np.ascontiguousarray(corners.mean(axis=1)), min(CANDIDATES, len(corners)))
    return closest_among(points, corners, near)


@jit
def nearest(points: Any, targets: Any, count: int) -> Any:
    """The `count` nearest of targets (m, 3) to each of points (n, 3), (n, count), nearest first; all are tried."""
    out = np.zeros((points.shape[0], count), np.int64)
    distance = np.zeros(count)
    for i in range(points.shape[0]):
        distance[:] = np.inf
        for j in range(targets.shape[0]):
            x, y, z = points[i, 0] - targets[j, 0], points[i, 1] - targets[j, 1], points[i, 2] - targets[j, 2]
            square = x * x + y * y + z * z
            if square < distance[count - 1]:
                at = count - 1
                while at > 0 and distance[at - 1] > square:
                    distance[at] = distance[at - 1]
                    out[i, at] = out[i, at - 1]
                    at -= 1
                distance[at] = square
                out[i, at] = j
    return out


def closest_among(points: Array, corners: Array, near: Ints) -> tuple[Ints, Array, Array]:
    """The same among the triangles `near` (n, k) each point, of `corners` (T, 3, 3)."""
    t = corners[near]  # (n, k, 3, 3)
    p = np.broadcast_to(points[:, None], t[:, :, 0].shape)
    weights = closest_on_triangles(p, t[:, :, 0], t[:, :, 1], t[:, :, 2])
    distance = np.linalg.norm((weights[..., None] * t).sum(axis=2) - p, axis=-1)
    best = distance.argmin(axis=1)
    rows = np.arange(len(points))
    return near[rows, best], weights[rows, best], distance[rows, best]
