"""Whether the mean of a face model is a face: from the front it must have a face's relief where our own head has it."""

from __future__ import annotations

from functools import cache
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.formats.safety import Refused
from tronie.head.model import Ints, default_head
from tronie.head.morphable import NOSE_TIP, Morphable
from tronie.head.retarget import nearest_points
from tronie.head.subdivide import triangulate

CELL = 2.5
"""mm: side of the cells in which the foremost point of a surface is taken."""
BLUR = 3.0
"""Cells: spread of the mean that a height is."""
EDGE = 0.8
"""Least share of a normal that points to the front where heights are compared: at the sides of a face they run away."""
SCALES, SHIFTS = (0.86, 0.93, 1.0, 1.08, 1.16), (-6, -4, -2, 0, 2, 4, 6)
"""Sizes of faces, and cells up or down, that are tried: features do not lie in the same place in all heads."""
ALIKE = 0.5
"""Least correlation of the relief. ICT-FaceKit's mean and people have 0.63 to 0.69, ellipsoids none, balls with random
waves at most 0.33."""
SURELY = 0.6
"""The same where one of 23 turns is to show a face."""
DEPTH = 0.4, 2.5
"""Spread of the relief by our own head's."""


def check_face(m: Morphable) -> None:
    """Raises Refused unless the model's mean is a face that looks along +z."""
    points = surface_points(m.mean, m.triangles)
    if face_likeness(points) >= ALIKE:
        return
    for turn in _turns():
        turned = points @ turn.T
        if face_likeness(turned - turned[turned[:, 2].argmax()] + NOSE_TIP) >= SURELY:
            raise Refused("its mean is a face, but not one that looks along +z with +y up; turn it first")
    raise Refused("its mean is no face: seen from the front it has no nose, eyes and mouth where a face has them")


def surface_points(mean: Array, triangles: Ints) -> Array:
    """(N, 3) vertices and the middles of triangles and of their sides."""
    corners = mean[triangles].astype(np.float64)
    middles = [corners.mean(axis=1), *((corners[:, a] + corners[:, b]) / 2 for a, b in ((0, 1), (1, 2), (2, 0)))]
    return np.concatenate([mean, *middles])


def face_likeness(points: Array) -> float:
    """Correlation, at best, of the relief of a surface (N, 3) mm with our own head's; 0 where its depth is another."""
    low, ours, compared = _own()
    best = 0.0
    for scale in SCALES:
        heights = _heights(points / scale, low, ours.shape)
        for shift in SHIFTS:
            moved = np.roll(heights, shift, axis=0)
            both = compared & np.isfinite(moved)
            if both.sum() < 0.8 * compared.sum():
                continue
            relief, own = _relief(moved, both), _relief(ours, both)
            spread = float(np.linalg.norm(relief) / np.linalg.norm(own))
            if DEPTH[0] < spread < DEPTH[1]:
                best = max(best, float(relief @ own / (np.linalg.norm(relief) * np.linalg.norm(own))))
    return best


@cache
def _own() -> tuple[Array, Array, NDArray[np.bool_]]:
    """Our head: the lowest x and y (2,) of its map, its heights (rows, columns) and where they are compared."""
    head = default_head()
    skin = head.vertices_of("skin")
    inner = head.mean[skin[head.inner_face[skin]]].astype(np.float64)
    margin = 8 * CELL
    low, high = inner[:, :2].min(axis=0) - margin, inner[:, :2].max(axis=0) + margin
    columns, rows = np.ceil((high - low) / CELL).astype(int).tolist()
    heights = _heights(surface_points(head.mean, triangulate(head.quads)[0]), low, (rows, columns))
    x, y = (low[0] + (np.arange(columns) + 0.5) * CELL, low[1] + (np.arange(rows) + 0.5) * CELL)
    places = np.stack(np.meshgrid(x, y), axis=-1)
    near = nearest_points(places.reshape(-1, 2), inner[:, :2], 1)[2].reshape(rows, columns) < 2 * CELL
    down, aside = np.gradient(heights, CELL)
    return low, heights, near & (1 / np.sqrt(1 + down**2 + aside**2) > EDGE)


def _heights(points: Array, low: Array, shape: tuple[int, ...]) -> Array:
    """(rows, columns) mean height about each cell of the foremost points; NaN where there are none."""
    import cv2

    cell = np.floor((points[:, :2] - low) / CELL)
    inside = ((cell >= 0) & (cell < [shape[1], shape[0]])).all(axis=1)
    column, row = cell[inside].astype(np.int64).T
    front = np.full(shape, -np.inf)
    np.maximum.at(front, (row, column), points[inside, 2])
    seen = np.isfinite(front)
    total, weight = (cv2.GaussianBlur(x, (0, 0), BLUR) for x in (np.where(seen, front, 0.0), seen.astype(np.float64)))
    return np.where(weight > 0.02, total / np.maximum(weight, 1e-12), np.nan)


def _relief(heights: Array, places: NDArray[np.bool_]) -> Array:
    """(n,) heights at places (rows, columns) without the surface of second degree that is nearest to them."""
    y, x = np.argwhere(places).T / 20
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
    values = heights[places]
    return np.asarray(values - terms @ np.linalg.lstsq(terms, values, rcond=None)[0])


def _turns() -> list[Array]:
    """The 23 turns by right angles that are not none."""
    found: list[Array] = []
    for order in permutations(range(3)):
        for signs in product((1.0, -1.0), repeat=3):
            turn = np.zeros((3, 3))
            turn[range(3), order] = signs
            if np.linalg.det(turn) > 0 and not np.array_equal(turn, np.eye(3)):
                found.append(turn)
    return found
