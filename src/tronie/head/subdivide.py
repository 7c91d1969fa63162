"""Catmull-Clark subdivision as a fixed sparse linear map (Catmull & Clark 1978).

Because the map depends on the connectivity only, shapes, bases and morphs can all be sent through it.
Boundaries use the cubic B-spline rule, so open rims stay smooth and in place along themselves.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Ints = NDArray[np.int32]


def catmull_clark(faces: Ints, count: int) -> tuple[sp.csr_array, Ints]:
    """One step for `count` vertices and faces (F, 4), -1 in the last place for a triangle.

    Returns the map (N, count), rows = old vertices, then edges, then faces, and the new quads (Q, 4): the
    children of face f follow each other in corner order, so that face attributes can be repeated
    (`corner_counts`).
    """
    faces = np.asarray(faces, dtype=np.int64)
    corners = corner_counts(faces)
    face_id = np.repeat(np.arange(len(faces)), corners)
    start = np.concatenate([[0], np.cumsum(corners)[:-1]])
    local = np.arange(corners.sum()) - start[face_id]
    a = faces[face_id, local]
    b = faces[face_id, (local + 1) % corners[face_id]]
    key = np.minimum(a, b) * count + np.maximum(a, b)
    edges, edge_of, edge_uses = np.unique(key, return_inverse=True, return_counts=True)
    low, high = edges // count, edges % count
    ne, nf = len(edges), len(faces)
    border = edge_uses == 1

    face_points = sp.csr_array((np.repeat(1.0 / corners, corners), (face_id, a)), shape=(nf, count), dtype=np.float64)
    ends = sp.csr_array((np.ones(2 * ne), (np.tile(np.arange(ne), 2), np.concatenate([low, high]))), shape=(ne, count))
    edge_faces = sp.csr_array((np.ones(len(edge_of)), (edge_of, face_id)), shape=(ne, nf))
    inner = sp.diags_array((~border).astype(float))
    edge_points = 0.5 * (sp.diags_array(border.astype(float)) @ ends) + inner @ (
        0.25 * ends + 0.25 * (edge_faces @ face_points)
    )

    valence = np.bincount(np.concatenate([low, high]), minlength=count).astype(float)
    on_border = np.zeros(count, dtype=bool)
    on_border[low[border]] = on_border[high[border]] = True
    n = np.maximum(valence, 1)
    midpoints = 0.5 * ends
    vertex_edges = ends.T.tocsr()
    vertex_faces = sp.csr_array((np.ones(len(a)), (a, face_id)), shape=(count, nf))
    smooth = (
        sp.diags_array(1 / n**2) @ (vertex_faces @ face_points)
        + sp.diags_array(2 / n**2) @ (vertex_edges @ midpoints)
        + sp.diags_array((n - 3) / n)
    )
    rim_edges = vertex_edges @ sp.diags_array(border.astype(float))
    rim_count = np.maximum(np.asarray(rim_edges.sum(axis=1)).ravel(), 1)
    rim = sp.diags_array(0.5 * np.ones(count)) + sp.diags_array(0.5 / rim_count) @ (rim_edges @ midpoints)
    alone = valence == 0
    free = sp.diags_array((~on_border & ~alone).astype(float))
    vertex_points = free @ smooth + sp.diags_array(on_border.astype(float)) @ rim + sp.diags_array(alone.astype(float))

    previous = np.arange(len(a)) - local + (local - 1) % corners[face_id]
    quads = np.stack([a, count + edge_of, count + ne + face_id, count + edge_of[previous]], axis=1)
    matrix = sp.vstack([vertex_points, edge_points, face_points], format="csr")
    matrix.eliminate_zeros()
    return sp.csr_array(matrix), quads.astype(np.int32)


def corner_counts(faces: NDArray[Any]) -> NDArray[np.int64]:
    """3 or 4 for each face (F, 4) whose last place may be -1."""
    return np.where(np.asarray(faces)[:, 3] < 0, 3, 4).astype(np.int64)


def triangulate(faces: NDArray[Any]) -> tuple[Ints, Ints]:
    """(F, 4) faces -> triangles (T, 3) and the face each came from (T,). Quads split along corners 0-2."""
    f = np.asarray(faces)
    quad = f[:, 3] >= 0
    triangles = np.concatenate([f[:, [0, 1, 2]], f[quad][:, [0, 2, 3]]])
    owner = np.concatenate([np.arange(len(f)), np.flatnonzero(quad)])
    order = np.argsort(owner, kind="stable")
    return triangles[order].astype(np.int32), owner[order].astype(np.int32)
