"""A made-up face model of any size in the form of BFM_model_front.mat: the front of our own head, seen from its axis.

It has the published model's number of vertices, closed eyes and lips, an open back, and says in 80 + 64 + 80 modes what
our own head's shapes and expressions say. So its pictures can be looked at.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from tronie.head.model import default_head
from tronie.raster.rasterizer import rasterize
from tronie.stages.deep3d.bfm import FaceModel
from tronie.stages.deep3d.topology import Topology

FRONT, WHOLE = 35_709, 53_490
"""Vertices of the published front, and of the whole Basel model."""
AXIS = -60.0
"""mm: where the head's axis lies; the face is unrolled round it."""
ANGLE, TOP, BOTTOM = 1.25, 75.0, -128.0
"""Radians to either side, and mm, that the grid reaches."""


@cache
def arrays(vertices: int = FRONT) -> dict[str, np.ndarray]:
    """The variables of the file, in decimetres and 0..255; indices count from 1."""
    ours = default_head()
    mesh = ours.level(1)
    points = mesh.apply(ours.mean)
    side = int(np.ceil(np.sqrt(vertices * 4 / np.pi))) + 1  # an ellipse in a square
    x, y, z = points[:, 0], points[:, 1], points[:, 2] - AXIS
    radius = np.hypot(x, z)
    screen = np.stack(
        [
            (np.arctan2(x, z) + ANGLE) / (2 * ANGLE) * side,
            (TOP - y) / (TOP - BOTTOM) * side,
            300 - radius,
        ],
        axis=1,
    )
    behind = (z < 0)[mesh.triangles].any(axis=1)
    inside = (mesh.triangle_part > 2) | behind  # teeth, tongue and the mouth's lining are not seen
    seen = rasterize(screen, mesh.triangles[~inside], side, side, cull=False)
    corners = mesh.triangles[~inside][seen.triangle]
    i, j = (a - (side - 1) / 2 for a in np.mgrid[:side, :side])
    away = np.where(seen.triangle >= 0, np.hypot(i, j), np.inf).ravel()
    kept = np.sort(np.argsort(away, kind="stable")[:vertices])
    index, weight = corners.reshape(-1, 3)[kept], seen.barycentric.reshape(-1, 3)[kept]

    def over(control: np.ndarray) -> np.ndarray:
        """(k, C, 3) mm on our head's control mesh -> (3 V, k) decimetres."""
        fine = mesh.matrix @ np.moveaxis(control, 0, 2).reshape(len(ours.mean), -1)
        moved = sum(weight[:, c, None] * fine[index[:, c]] for c in range(3))
        return np.asarray(moved / 100, dtype=np.float32).reshape(3 * vertices, -1)

    row = np.full(side * side, -1)
    row[kept] = np.arange(vertices)
    grid = row.reshape(side, side)
    mirror = grid[:, ::-1].ravel()[kept]
    a, b, c, d = (g.ravel() for g in (grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]))
    triangles = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
    triangles = triangles[(triangles >= 0).all(axis=1)]
    mean = over(ours.mean[None])[:, 0].reshape(-1, 3)
    marks = mesh.points68(points)
    keypoints = ((marks[:, None] / 100 - mean) ** 2).sum(axis=2).argmin(axis=1)
    expression = np.concatenate([ours.expression, np.zeros((12, *ours.mean.shape), np.float32)])
    skin = _skin(mean, marks / 100)
    waves = np.cos(np.random.default_rng(5).normal(size=(80, 2)) * 3 @ mean[:, :2].T)  # (80, V)
    texture = np.repeat(waves.T[:, None], 3, axis=1).reshape(-1, 80) * 4
    return {
        "meanshape": (mean + np.float32([0.01, 0.02, 0.3])).reshape(1, -1),
        "idBase": over(ours.identity[:80]),
        "exBase": over(expression),
        "texBase": texture.astype(np.float32),
        "meantex": skin.reshape(1, -1),
        "tri": np.float32(triangles + 1),
        "point_buf": _rings(triangles, vertices),
        "keypoints": np.float32(keypoints + 1)[None],
        "UV": np.stack([(kept % side + 0.5) / side, 1 - (kept // side + 0.5) / side], axis=1).astype(np.float32),
        "mirror": np.where(mirror >= 0, mirror, np.arange(vertices)).astype(np.int32),
    }


@cache
def model(vertices: int = FRONT) -> FaceModel:
    """The same with the texture laid out as the grid lies, which spares the test half a minute of unwrapping."""
    found = arrays(vertices)
    made = FaceModel.from_arrays(found)
    inner = np.hypot(*(made.mean[:, :2] / [0.55, 0.7]).T) < 1
    uv = (found["UV"] * [1, -1] + [0, 1]).astype(np.float32)
    return replace(made, layout=Topology(uv, made.triangles, found["mirror"], inner))


def _rings(triangles: np.ndarray, vertices: int) -> np.ndarray:
    """(V, 8) the triangles about each vertex, counted from 1; one more than there are stands for none."""
    owner = np.argsort(triangles.ravel(), kind="stable")
    vertex = triangles.ravel()[owner]
    place = np.arange(len(vertex)) - np.searchsorted(vertex, vertex)
    rings = np.full((vertices, 8), len(triangles) + 1)
    rings[vertex, place] = owner // 3 + 1
    return rings.astype(np.float32)


def _skin(mean: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """(V, 3) 0..255: skin with lips and brows."""
    skin = np.tile(np.float32([196, 150, 124]), (len(mean), 1))
    for some, colour, size in ((range(48, 68), (160, 90, 84), 0.05), (range(17, 27), (95, 70, 55), 0.05)):
        apart = ((mean[:, None] - marks[list(some)]) ** 2).sum(axis=2).min(axis=1)
        share = np.exp(-apart / size**2)[:, None]
        skin += share * (np.float32(colour) - skin)
    return skin.astype(np.float32)
