"""Cut head and neck out of the MPFB body along one clean ring of the neck."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from training.head.mpfb import Body


@dataclass(frozen=True)
class Skin:
    """The skin of the head in its own numbering."""

    source: np.ndarray
    """(S,) rows of the body's vertices."""
    quads: np.ndarray
    """(F, 4) into `source`."""
    quad_uv: np.ndarray
    """(F, 4) into the body's UV."""
    rim: np.ndarray
    """Vertices of the open ring around the neck."""
    lining: np.ndarray
    """(F,) bool: faces of the mouth's cavity, behind the lips."""
    socket: np.ndarray
    """(F,) bool: faces of the eye sockets, behind the lids."""


def plane_cut(body: Body, slope: float, height: float) -> np.ndarray:
    """Indices of body faces that lie above y = height + slope z."""
    candidates = np.flatnonzero(body.groups == "body")
    v = body.vertices[body.quads[candidates]]
    return candidates[(v[:, :, 1] - slope * v[:, :, 2] > height).all(axis=1)]


def border_vertices(quads: np.ndarray) -> np.ndarray:
    edges = np.sort(np.concatenate([quads[:, [i, (i + 1) % 4]] for i in range(4)]), axis=1)
    unique, uses = np.unique(edges, axis=0, return_counts=True)
    return np.unique(unique[uses == 1])


def flattest_cut(body: Body) -> tuple[float, float]:
    """(slope, height): among the planes that cross the neck, the one whose ring of edges is flattest (20 s)."""
    best = (np.inf, 0.0, 0.0)
    for slope in np.linspace(-0.6, 0.2, 33):
        for height in np.arange(560, 625, 1.5):
            rim = body.vertices[border_vertices(body.quads[plane_cut(body, slope, height)])]
            if len(rim) > 60 or np.abs(rim[:, 0]).max() > 75 or rim[:, 1].max() > 640 or rim[:, 1].min() < 560:
                continue
            flatness = np.linalg.svd(rim - rim.mean(axis=0), compute_uv=False)[2] / np.sqrt(len(rim))
            best = min(best, (flatness + 0.01 * rim[:, 1].mean(), slope, height))  # of two alike, the lower
    return best[1], best[2]


CUT = (-0.4, 584.0)
"""What `flattest_cut` finds."""


def cut_skin(body: Body, cut: tuple[float, float] = CUT) -> Skin:
    faces = plane_cut(body, *cut)
    source, quads = np.unique(body.quads[faces], return_inverse=True)
    quads = quads.reshape(-1, 4)
    lining, socket = _pockets(body, faces, body.vertices[source], quads)
    return Skin(source, quads, body.quad_uv[faces], border_vertices(quads), lining, socket)


def _pockets(body: Body, faces: np.ndarray, v: np.ndarray, quads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(lining, socket): MPFB's own UV keeps the mouth's bag and the two eye sockets as islands of their own."""
    fu = body.quad_uv[faces]
    ends = np.concatenate([fu[:, [i, (i + 1) % 4]] for i in range(4)])
    n = len(body.uv)
    _, label = connected_components(coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(n, n)))
    island = label[fu[:, 0]]
    centre = v[quads].mean(axis=1)
    lining, socket = np.zeros((2, len(quads)), dtype=bool)
    for k in np.unique(island):
        low, high = centre[island == k].min(axis=0), centre[island == k].max(axis=0)
        if low[1] > 600 and high[1] < 705:
            lining |= island == k
        elif low[1] > 705 and high[1] < 750:
            socket |= island == k
    return lining, socket


if __name__ == "__main__":
    import sys

    print("flattest cut", flattest_cut(Body.read(sys.argv[1])))
