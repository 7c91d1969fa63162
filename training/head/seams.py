"""Cutting quad meshes open along edges, and the loops that bound them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def sides(faces: np.ndarray) -> np.ndarray:
    """(F, K, 2) directed edges of each face."""
    return np.stack([faces, np.roll(faces, -1, axis=1)], axis=2)


def border_edges(*faces: np.ndarray) -> np.ndarray:
    """(E, 2) directed edges that no second face shares; faces of several kinds may be given together."""
    edges = np.concatenate([sides(f).reshape(-1, 2) for f in faces])
    _, which, uses = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True, return_counts=True)
    return edges[uses[which] == 1]


def border_loops(*faces: np.ndarray) -> list[list[int]]:
    """Vertices around each border, the surface to the left; shortest loop first."""
    following = dict(border_edges(*faces).tolist())
    loops: list[list[int]] = []
    while following:
        loop = [min(following)]
        while following[loop[-1]] != loop[0]:
            loop.append(following[loop[-1]])
        for v in loop:
            del following[v]
        loops.append(loop)
    return sorted(loops, key=len)


def rotated(loop: Sequence[int], first: int) -> list[int]:
    """The same loop beginning at `first`."""
    k = list(loop).index(first)
    return [*loop[k:], *loop[:k]]


def cut_open(quads: np.ndarray, edges: Iterable[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Split the vertices along `edges`. Returns new quads (F, 4) and the old vertex of each new one (N,)."""
    closed = {(min(a, b), max(a, b)) for a, b in edges}
    corner = np.arange(quads.size).reshape(quads.shape)
    # every edge of a face: its two vertices in ascending order, with the two corners that hold them
    ends, at = sides(quads).reshape(-1, 2), sides(corner).reshape(-1, 2)
    order = np.argsort(ends, axis=1)
    ends, at = np.take_along_axis(ends, order, 1), np.take_along_axis(at, order, 1)
    rank = np.lexsort(ends.T[::-1])
    ends, at = ends[rank], at[rank]
    shared = np.flatnonzero((ends[1:] == ends[:-1]).all(axis=1))
    shared = np.array([i for i in shared if tuple(ends[i].tolist()) not in closed], dtype=int)
    a, b = at[shared].ravel(), at[shared + 1].ravel()
    n, label = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(quads.size,) * 2), directed=False)
    source = np.zeros(n, dtype=int)
    source[label] = quads.ravel()
    order = np.argsort(source, kind="stable")
    rank = np.empty(n, dtype=int)
    rank[order] = np.arange(n)
    return rank[label].reshape(quads.shape), source[order]


def regions(quads: np.ndarray, edges: Iterable[tuple[int, int]]) -> np.ndarray:
    """(F,) number of the piece each face belongs to when no path may cross `edges`."""
    closed = {(min(a, b), max(a, b)) for a, b in edges}
    ends = np.sort(sides(quads).reshape(-1, 2), axis=1)
    face = np.repeat(np.arange(len(quads)), quads.shape[1])
    rank = np.lexsort(ends.T[::-1])
    ends, face = ends[rank], face[rank]
    shared = [i for i in np.flatnonzero((ends[1:] == ends[:-1]).all(axis=1)) if tuple(ends[i].tolist()) not in closed]
    links = coo_array((np.ones(len(shared)), (face[shared], face[np.array(shared) + 1])), shape=(len(quads),) * 2)
    return np.asarray(connected_components(links, directed=False)[1])


def ladder(one: Sequence[int], two: Sequence[int]) -> np.ndarray:
    """(T, 3) triangles between two chains that both start at the same vertex (and may end at the same)."""
    triangles, i, j = [], 0, 0
    while i < len(one) - 1 or j < len(two) - 1:
        if j == len(two) - 1 or (i < len(one) - 1 and (i + 1) * (len(two) - 1) <= (j + 1) * (len(one) - 1)):
            triangles.append((one[i], two[j], one[i + 1]))
            i += 1
        else:
            triangles.append((one[i], two[j], two[j + 1]))
            j += 1
    return np.array([t for t in triangles if len(set(t)) == 3])
