"""The lids of a head model: its skin around the eyes as rings of vertices, from the balls outwards."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.head.model import HeadModel
from tronie.head.surface import triangle_vertex_normals
from tronie.runtime.kept import kept

Ints = NDArray[np.int32]

RINGS = 13
"""As far as they go: across the crease and to the brow above, onto the cheek below."""
LEAST_RINGS = 11
FORWARD = 0.6
"""Mean z of a ring's normals from which on it is seen from before: there the lashes root."""
NEAR_MM = 26.0
"""The border of the skin around an eye lies so far from the ball's middle at most."""


OUTER = 0.7
"""How far the outer corner belongs to the upper lid."""


@dataclass(frozen=True, eq=False)
class Lids:
    """The lids of one eye."""

    rings: Ints
    """(R, N) control vertices, the ring at the socket first; a column goes straight outwards. The columns run from the
    inner corner over the upper lid to the outer corner and back along the lower lid."""
    root: int
    """The ring that lashes root on, the outer edge of the lids."""
    outer: int
    """The column of the outer corner; 0 is the inner one's."""
    unit: str
    """That closes the eye."""

    @cached_property
    def upper(self) -> slice:
        """The columns of the upper lid, without the corners."""
        return slice(1, self.outer)

    @cached_property
    def lower(self) -> slice:
        return slice(self.outer + 1, self.rings.shape[1])


@lru_cache(maxsize=4)
@kept
def lids_of(model: HeadModel) -> tuple[Lids, Lids] | None:
    """Of the left and the right eye; None where a mesh has no such rings, no eyes or no units that close them."""
    found = [_lids(model, side) for side in (0, 1)]
    left, right = found
    return None if left is None or right is None else (left, right)


def _lids(model: HeadModel, side: int) -> Lids | None:
    unit = ("eyeBlinkLeft", "eyeBlinkRight")[side]
    skin = model.quads[model.part == 0]
    if unit not in model.expression_names or not (model.part == 1 + side).any() or not len(skin):
        return None
    edges = np.sort(np.stack([skin, np.roll(skin, -1, axis=1)], axis=-1).reshape(-1, 2), axis=1)
    edges, uses = np.unique(edges[(edges >= 0).all(axis=1)], axis=0, return_counts=True)
    near = np.linalg.norm(model.mean - model.eye_centers[side], axis=1) < NEAR_MM
    border = edges[(uses == 1) & near[edges].all(axis=1)]
    neighbours: dict[int, set[int]] = {}
    for a, b in edges.tolist():
        neighbours.setdefault(a, set()).add(b)
        neighbours.setdefault(b, set()).add(a)
    ring = _loop(border)
    if ring is None:
        return None
    rings, known = [ring], set(ring)
    while len(rings) < RINGS:
        outwards = [neighbours[v] - known for v in rings[-1]]
        if any(len(ahead) != 1 for ahead in outwards):
            break
        ring = [ahead.pop() for ahead in outwards]
        if len(set(ring)) != len(ring):
            break
        rings.append(ring)
        known.update(ring)
    if len(rings) < LEAST_RINGS:
        return None
    grid = np.array(rings, np.int32)
    normals = triangle_vertex_normals(
        model.mean.astype(np.float64), model.level(0).triangles[model.level(0).triangle_part == 0]
    )
    ahead = normals[grid, 2].mean(axis=1) > FORWARD
    if not ahead.any():
        return None
    root = int(ahead.argmax())
    edge = model.mean[grid[root]]
    inwards = np.abs(edge[:, 0])
    grid = np.roll(grid, -int(inwards.argmin()), axis=1)
    moved = model.expression[model.expression_names.index(unit)][grid[root], 1]
    half = grid.shape[1] // 2
    if moved[1:half].sum() > moved[half + 1 :].sum():  # the upper lid is what moves down
        grid = np.roll(grid[:, ::-1], 1, axis=1)
    outer = int(np.abs(model.mean[grid[root], 0]).argmax())
    return Lids(grid, root, outer, unit)


def _loop(border: Ints) -> list[int] | None:
    """The vertices of edges (B, 2) one after the other; None where they are no single closed line."""
    ways: dict[int, list[int]] = {}
    for a, b in border.tolist():
        ways.setdefault(a, []).append(b)
        ways.setdefault(b, []).append(a)
    if len(ways) < 8 or any(len(ends) != 2 for ends in ways.values()):
        return None
    first = min(ways)
    line, here, before = [first], ways[first][0], first
    while here != first:
        line.append(here)
        here, before = next(v for v in ways[here] if v != before), here
    return line if len(line) == len(ways) else None


def ring_field(model: HeadModel, level: int) -> tuple[Array, Array]:
    """(V,) how many rings each vertex is away from the socket, RINGS where it is further, and (V,) 0..1 how far it
    belongs to the upper lid."""
    fields: tuple[Array, Array] = _ring_field(model, level)
    return fields


@lru_cache(maxsize=4)
def _ring_field(model: HeadModel, level: int) -> tuple[Array, Array]:
    ring, upper = np.full(len(model.mean), RINGS, np.float32), np.zeros(len(model.mean), np.float32)
    for lids in lids_of(model) or ():
        ring[lids.rings] = np.arange(len(lids.rings))[:, None]
        upper[lids.rings[:, lids.upper]] = 1
        upper[lids.rings[:, lids.outer]] = OUTER  # its lashes reach beyond the corner
    matrix = model.level(level).matrix
    out = np.asarray(matrix @ np.column_stack([ring, upper]), dtype=np.float32)
    return out[:, 0], out[:, 1]
