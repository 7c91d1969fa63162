"""Catmull-Clark subdivision as a fixed sparse linear map (Catmull & Clark 1978).

Because the map depends on the connectivity only, shapes, bases and morphs can all be sent through it.
Boundaries use the cubic B-spline rule, so open rims stay smooth and in place along themselves.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.head.sparse import Sparse

Ints = NDArray[np.int32]


def catmull_clark(faces: Ints, count: int) -> tuple[Sparse, Ints]:
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

    # Every rule is a list of entries (row, column, weight), summed in the end: w[row, column] += weight.
    valence = np.bincount(np.concatenate([low, high]), minlength=count).astype(float)
    on_border = np.zeros(count, dtype=bool)
    on_border[low[border]] = on_border[high[border]] = True
    n = np.maximum(valence, 1)
    smooth = ~on_border & (valence > 0)
    rim = np.bincount(np.concatenate([low[border], high[border]]), minlength=count)

    # A face point is the mean of the face's corners; it also counts for the face's edges and corners.
    spread = np.repeat(np.arange(len(a)), corners[face_id])  # (corner of a face, corner of the same face)
    other = a[np.arange(len(spread)) - np.repeat(np.cumsum(corners[face_id]) - corners[face_id], corners[face_id])
              + np.repeat(start[face_id], corners[face_id])]  # fmt: skip
    share = 1 / corners[face_id[spread]]
    entries = [
        (count + ne + face_id, a, 1 / corners[face_id]),
        (count + edge_of[spread], other, np.where(border[edge_of[spread]], 0, 0.25 * share)),
        (a[spread], other, np.where(smooth, 1 / n**2, 0)[a[spread]] * share),
    ]
    for here, there in ((low, high), (high, low)):
        entries.append((count + np.arange(ne), here, np.where(border, 0.5, 0.25)))
        # The edge's middle: half of each end. On a rim only the two border edges count.
        half = np.where(smooth[here], 1 / n[here] ** 2, np.where(border, 0.25 / np.maximum(rim[here], 1), 0))
        entries += [(here, here, half), (here, there, half)]
    itself = np.where(smooth, (n - 3) / n, np.where(on_border, 0.5, 1))
    entries.append((np.arange(count), np.arange(count), itself))
    rows, columns, weights = (np.concatenate(lists) for lists in zip(*entries, strict=True))
    matrix = Sparse.of(rows, columns, weights, (count + ne + nf, count))

    previous = np.arange(len(a)) - local + (local - 1) % corners[face_id]
    quads = np.stack([a, count + edge_of, count + ne + face_id, count + edge_of[previous]], axis=1)
    return matrix, quads.astype(np.int32)


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
