"""Where a head's mesh ends at the neck: the ring of its open border there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.head.model import HeadModel
from tronie.head.surface import Same
from tronie.runtime.kept import kept

Ints = NDArray[np.int32]

LEAST_MM = 60.0
"""A neck is at least so wide."""
LEAST_MOVE = 0.005
"""mm by which a unit of expression must move the ring to count."""
UP_MM, UP_STEPS = 22.0, 8
"""How far above the ring a texture is looked up, and in how many steps."""


def neck_ring(model: HeadModel, level: int) -> Ints | None:
    """(R,) the head's vertices around the neck at its open end, in the order in which its triangles run along it: from
    the nape over the subject's right side to the front. None where the model has no such end: a mask, a closed mesh, a
    border with a knot."""
    ring: Ints | None = _ring(model, level)
    return ring


@lru_cache(maxsize=8)
@kept
def _ring(model: HeadModel, level: int) -> Ints | None:
    if model.is_mask:
        return None
    mesh = model.level(level)
    t = mesh.triangles[mesh.triangle_part == 0].astype(np.int64)
    edges = np.concatenate([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]])
    count = mesh.matrix.shape[0]
    there, back = edges[:, 0] * count + edges[:, 1], edges[:, 1] * count + edges[:, 0]
    border = edges[~np.isin(there, back)]
    after = dict(border.tolist())
    if len(after) < len(border):
        return None
    mean = mesh.apply(model.mean)
    skin = mean[np.unique(t), 1]
    found: list[NDArray[np.int64]] = []
    while after:
        loop = [next(iter(after))]
        while (following := after.pop(loop[-1], None)) is not None and following != loop[0]:
            loop.append(following)
        if following is not None:
            found.append(np.array(loop))
    # Of all openings the lowest, if it is as wide as a neck and at the lower end of the skin.
    lowest = min(found, key=lambda loop: float(mean[loop, 1].mean()), default=None)
    if lowest is None or np.ptp(mean[lowest, 0]) < LEAST_MM or mean[lowest, 1].min() > skin.min() + 1.0:
        return None
    nape = int(np.argmax(-mean[lowest, 2] - np.abs(mean[lowest, 0])))
    return np.roll(lowest, -nape).astype(np.int32)


def ring_moves(model: HeadModel, level: int) -> dict[str, Array]:
    """Unit -> (R, 3) float32 mm: how units of expression move the ring at weight 1, as far as they do."""
    return _moves(Same(model), level)


@lru_cache(maxsize=4)
def _moves(key: Same, level: int) -> dict[str, Array]:
    model = key.value
    coarse, ring = neck_ring(model, 0), neck_ring(model, level)
    if coarse is None or ring is None:
        return {}
    names = zip(model.expression_names, model.expression, strict=True)
    mesh = model.level(level)
    return {
        name: mesh.apply(move)[ring] for name, move in names if float(np.abs(move[coarse]).max(initial=0)) > LEAST_MOVE
    }


@dataclass(frozen=True, eq=False)
class RingFrame:
    """A ring in space, with the directions in which the surface goes on over its edge."""

    points: Array
    """(R, 3) mm."""
    normals: Array
    """(R, 3)."""
    down: Array
    """(R, 3) unit: along the surface, out of the mesh; smooth around the ring."""

    @classmethod
    def of(cls, points: Array, normals: Array) -> RingFrame:
        p = np.asarray(points, dtype=np.float64)
        along = np.roll(p, -1, axis=0) - np.roll(p, 1, axis=0)
        down = around(_unit(np.cross(along, normals)), max(len(p) // 24, 1))
        return cls(p, np.asarray(normals, dtype=np.float64), _unit(down))


def around(values: Array, reach: int) -> Array:
    """(R, k) smoothed along a closed ring, over `reach` neighbours on either side, three times."""
    out = np.asarray(values, dtype=np.float64)
    for _ in range(3):
        wide = np.pad(out, ((reach, reach), *[(0, 0)] * (out.ndim - 1)), mode="wrap").cumsum(axis=0)
        wide = np.concatenate([np.zeros_like(wide[:1]), wide])
        out = (wide[2 * reach + 1 :] - wide[: -2 * reach - 1]) / (2 * reach + 1)
    return out


def above_ring(model: HeadModel, columns: int) -> Array | None:
    """(UP_STEPS + 1, columns, 2) texture coordinates of the places 0 to UP_MM above the ring, for columns that follow
    the ring evenly, the first one at its beginning. They are the same on every head of a model."""
    places: Array | None = _above(model, columns)
    return places


@lru_cache(maxsize=4)
@kept
def _above(model: HeadModel, columns: int) -> Array | None:
    ring = neck_ring(model, 0)
    if ring is None:
        return None
    mesh, mean = model.level(0), model.mean.astype(np.float64)
    p = mean[ring]
    near = np.linalg.norm(mean - p.mean(axis=0), axis=1) < np.linalg.norm(p - p.mean(axis=0), axis=1).max() + 2 * UP_MM
    rows = np.flatnonzero((mesh.triangle_part == 0) & near[mesh.triangles].all(axis=1))
    corners, uv = mean[mesh.triangles[rows]], mesh.uv[mesh.triangle_uv[rows]].astype(np.float64)
    normals = np.zeros_like(mean)
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    for k in range(3):
        np.add.at(normals, mesh.triangles[rows, k], flat)
    frame = RingFrame.of(p, _unit(normals[ring]))
    at = np.arange(columns) / columns * len(ring)
    first, share = at.astype(int), (at % 1)[:, None]
    start = (1 - share) * frame.points[first] + share * np.roll(frame.points, -1, axis=0)[first]
    up = -_unit((1 - share) * frame.down[first] + share * np.roll(frame.down, -1, axis=0)[first])
    out = np.empty((UP_STEPS + 1, columns, 2))
    for step, far in enumerate(np.linspace(0.4, UP_MM, UP_STEPS + 1)):
        out[step] = _looked_up(start + far * up, corners, uv)
        if step:  # across a seam of the texture there is nothing to mix with
            seam = np.linalg.norm(out[step] - out[step - 1], axis=1) > 0.06
            out[step, seam] = out[step - 1, seam]
    return out


def _looked_up(points: Array, corners: Array, uv: Array) -> Array:
    """(N, 2) texture coordinates of the places on triangles (T, 3, 3) that are nearest to points (N, 3)."""
    a, b, c = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    d = points[:, None] - a
    bb, bc, cc = (b * b).sum(-1), (b * c).sum(-1), (c * c).sum(-1)
    db, dc = (d * b).sum(-1), (d * c).sum(-1)
    area = np.maximum(bb * cc - bc * bc, 1e-12)
    s = np.clip((cc * db - bc * dc) / area, 0, 1)
    t = np.clip((bb * dc - bc * db) / area, 0, 1)
    over = np.maximum(s + t, 1)  # close enough to the nearest place where that lies on an edge
    s, t = s / over, t / over
    away = d - s[..., None] * b - t[..., None] * c
    best = (away * away).sum(-1).argmin(axis=1)
    rows = np.arange(len(points))
    s, t = s[rows, best, None], t[rows, best, None]
    return np.asarray(uv[best, 0] * (1 - s - t) + uv[best, 1] * s + uv[best, 2] * t)


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))
