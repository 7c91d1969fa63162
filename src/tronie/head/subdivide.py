"""Catmull-Clark subdivision as a fixed sparse linear map (Catmull & Clark 1978).

Because the map depends on the connectivity only, shapes, bases and morphs can all be sent through it.
Boundaries use the cubic B-spline rule, so open rims stay smooth and in place along themselves. The sparse matrices are
our own, as far as subdivision needs them: SciPy would be 140 MB and a quarter of a second at every start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tronie.arrays import Array

Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Sparse:
    """An (N, M) matrix in compressed rows."""

    start: NDArray[np.int64]
    """(N + 1,): row i owns the entries start[i] to start[i + 1]."""
    index: NDArray[np.int32]
    """(E,) the entries' columns, rising inside a row."""
    weight: Array
    """(E,) the entries' values."""
    columns: int
    """M."""

    @classmethod
    def of(cls, rows: ArrayLike, columns: ArrayLike, weights: ArrayLike, shape: tuple[int, int]) -> Sparse:
        """From entries in any order; those of one place are summed, zeros are left out."""
        key = np.asarray(rows, dtype=np.int64) * shape[1] + np.asarray(columns, dtype=np.int64)
        order = np.argsort(key, kind="stable")
        key = key[order]
        first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])[: len(key)])
        weight = np.add.reduceat(np.asarray(weights)[order], first) if len(first) else np.zeros(0)
        key, weight = key[first][weight != 0], weight[weight != 0]
        start = np.searchsorted(key, np.arange(shape[0] + 1, dtype=np.int64) * shape[1])
        return cls(start, (key % shape[1]).astype(np.int32), weight, shape[1])

    @classmethod
    def identity(cls, count: int) -> Sparse:
        """The (count, count) matrix that changes nothing, float32."""
        index = np.arange(count + 1)
        return cls(index, index[:-1].astype(np.int32), np.ones(count, dtype=np.float32), count)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.start) - 1, self.columns

    def astype(self, dtype: Any) -> Sparse:
        return Sparse(self.start, self.index, self.weight.astype(dtype), self.columns)

    def __matmul__(self, x: ArrayLike) -> Array:
        """(M,) or (M, k) -> (N,) or (N, k): float32 if both are, else float64."""
        from tronie.head.sparse_product import multiply

        values = np.asarray(x)
        dtype = np.float32 if values.dtype == self.weight.dtype == np.float32 else np.float64
        flat = np.ascontiguousarray(values.reshape(len(values), -1), dtype=dtype)
        if len(flat) != self.columns:
            raise ValueError(f"{self.shape} does not fit {values.shape}")
        out = np.zeros((self.shape[0], flat.shape[1]), dtype=dtype)
        multiply(self.start, self.index, self.weight.astype(dtype, copy=False), flat, out)
        return out.reshape(len(self.start) - 1, *values.shape[1:])

    def __getitem__(self, rows: NDArray[np.integer[Any]]) -> Sparse:
        """The rows with the numbers (n,), in that order."""
        counts = np.diff(self.start)[rows]
        start = np.concatenate([[0], np.cumsum(counts)])
        entry = np.arange(start[-1]) + np.repeat(self.start[:-1][rows] - start[:-1], counts)
        return Sparse(start, self.index[entry], self.weight[entry], self.columns)

    def after(self, other: Sparse) -> Sparse:
        """The product self @ other, as a matrix: `other` is applied first."""
        picked = other[self.index]  # for each entry of ours the row of `other` that it weighs
        counts = np.diff(picked.start)
        rows = np.repeat(np.repeat(np.arange(self.shape[0]), np.diff(self.start)), counts)
        weights = np.repeat(self.weight, counts) * picked.weight
        return Sparse.of(rows, picked.index, weights, (self.shape[0], other.columns))


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
    other = a[
        np.arange(len(spread))
        - np.repeat(np.cumsum(corners[face_id]) - corners[face_id], corners[face_id])
        + np.repeat(start[face_id], corners[face_id])
    ]
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
