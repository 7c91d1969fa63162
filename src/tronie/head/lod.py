"""Levels of detail of a head: fewer triangles between some of its own vertices, so that morph targets stay exact."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.head.decimate import decimate
from tronie.head.model import PARTS, HeadModel, Level, sphere_center
from tronie.head.surface import Piece, Same, pieces

Ints = NDArray[np.int32]

TRIANGLES: tuple[int, ...] = (8000, 2000)
"""About how many are left in the first and the second level of detail."""

ENOUGH = 40000
"""Triangles of the control mesh from which on it is not subdivided first."""

FIELDS = 8
"""Principal fields of the morph targets that count as dimensions."""
MOVE, SLIDE = 0.7, 0.3
"""What a millimetre of a morph target's error, and of the texture's slide, costs by one of the surface's."""

TEETH, INSIDE, FACE, LIDS = 0.6, 0.1, 4.0, 12.0
"""Price of errors of teeth, of tongue and the mouth's lining, of the inner face, and of what lies within RIM (mm) of an
eyeball, by that of the rest of the skin."""
RIM = 3.0


def lod_pieces(model: HeadModel, level: int, lod: int) -> tuple[Piece, ...]:
    """The pieces (as `tronie.head.surface.pieces`) of a level of detail: 0 all, 1 and 2 about TRIANGLES; their vertices
    are some of those at `level` of subdivision. Computed once per model, in some three seconds."""
    if lod == 0:
        return pieces(model, level)
    split = _fewer(Same(model), _base(model, level))[lod - 1]
    uv = model.level(level).uv  # subdivision moves what it keeps, here too
    return tuple(
        replace(piece, uv=np.ascontiguousarray(uv[piece.uv_row], dtype=np.float32))
        for piece in split
        if len(piece.triangles)
    )


def _base(model: HeadModel, level: int) -> int:
    """From which level of subdivision triangles are taken. Subdivision keeps the numbers of vertices and of texture
    coordinates, new ones follow, so rows of a coarser level are rows of a finer one."""
    return 0 if level == 0 or len(model.level(0).triangles) >= ENOUGH else 1


@lru_cache(maxsize=2)
def _fewer(key: Same, level: int) -> tuple[tuple[Piece, ...], ...]:
    model = key.value
    mesh, split = model.level(level), pieces(model, level)
    start = np.cumsum([0] + [len(piece.vertex) for piece in split])
    vertex = np.concatenate([piece.vertex for piece in split])
    uv = np.concatenate([piece.uv for piece in split])
    triangles = np.concatenate([piece.triangles + first for piece, first in zip(split, start[:-1], strict=True)])
    mean = mesh.apply(model.mean)
    points = _dimensions(model, mesh, mean, vertex, uv, triangles)
    left = decimate(points, uv, vertex, triangles, _importance(model, mesh, mean, split), TRIANGLES)
    return tuple(
        tuple(_part(piece, rows, a, b) for piece, a, b in zip(split, start[:-1], start[1:], strict=True))
        for rows in left
    )


def _part(piece: Piece, triangles: Ints, low: int, high: int) -> Piece:
    """What is left of a piece, whose corners had the numbers low..high."""
    rows = triangles[(triangles[:, 0] >= low) & (triangles[:, 0] < high)] - low
    used, number = np.unique(rows, return_inverse=True)
    triangles = number.reshape(-1, 3).astype(np.int32)
    assert piece.uv_row is not None
    return Piece(piece.material, piece.vertex[used], piece.uv[used], triangles, piece.uv_row[used])


def _dimensions(model: HeadModel, mesh: Level, mean: Array, vertex: Ints, uv: Array, triangles: Ints) -> Array:
    """(W, 5 + FIELDS): place in mm, texture coordinates in mm (by the mean size of a texel), and the FIELDS fields that
    say most of the morph targets, mm."""
    columns = [mean[vertex].astype(np.float64)]
    p, t = columns[0][triangles], uv[triangles].astype(np.float64)
    area = np.linalg.norm(np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]), axis=1).sum()
    a, b = t[:, 1] - t[:, 0], t[:, 2] - t[:, 0]
    flat = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()
    columns.append(uv * (SLIDE * np.sqrt(area / max(flat, 1e-12))))
    moves = np.moveaxis(mesh.apply(model.expression), 0, 1).reshape(len(mean), -1).astype(np.float64)
    if moves.any():
        _, axes = np.linalg.eigh(moves.T @ moves)
        columns.append((MOVE * moves @ axes[:, ::-1][:, :FIELDS])[vertex])
    return np.concatenate(columns, axis=1)


def _importance(model: HeadModel, mesh: Level, mean: Array, split: tuple[Piece, ...]) -> Array:
    """(T,) of the triangles of all pieces."""
    inner = mesh.apply(model.inner_face[:, None].astype(np.float32))[:, 0] > 0.5
    price = np.where(inner, FACE, 1.0)
    for name in ("eye_left", "eye_right"):
        ball = model.mean[model.vertices_of(name)]
        if len(ball):
            center = sphere_center(ball)
            reach = np.linalg.norm(ball - center, axis=1).max() + RIM
            price[np.linalg.norm(mean - center, axis=1) < reach] = LIDS
    inside = price.copy()
    for part, cost in (("mouth", INSIDE), ("tongue", INSIDE), ("teeth_upper", TEETH), ("teeth_lower", TEETH)):
        inside[mesh.triangles[mesh.triangle_part == PARTS.index(part)]] = cost
    of = {"mouth": inside}
    return np.concatenate([of.get(p.material, price)[p.vertex[p.triangles]].mean(axis=1) for p in split])
