"""Tangent frames of the skin in its UV atlas: millimetres per texel, and where which vertex is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.head.model import Head, HeadModel
from tronie.head.surface import pieces, quad_vertex_normals
from tronie.head.tangents import tangents
from tronie.raster.rasterizer import Buffers, interpolate, rasterize

SIDE = 256
"""Of the pictures in which values that vary from vertex to vertex are laid over the atlas."""


@dataclass(frozen=True, slots=True)
class TangentFrames:
    """Per row of the level's UV (U, ...): unit axes on the skin, and what a step in the atlas is in them."""

    normal: Array
    """(U, 3) of the head with the photo's expression."""
    right: Array
    """(U, 3): the tangent, along which u grows."""
    up: Array
    """(U, 3): the bitangent, against v."""
    column: Array
    """(U,) mm along `right` for all of u."""
    shear: Array
    """(U,) mm along `right` and"""
    row: Array
    """(U,) mm against `up` for all of v."""


def tangent_frames(head: Head, vertices: Array) -> TangentFrames:
    mesh = head.model.level(head.level)
    piece = pieces(head.model, head.level)[0]
    normals = quad_vertex_normals(vertices, mesh.quads)
    tangent = tangents(vertices, piece, normals)
    n, t = normals[piece.vertex], tangent[:, :3]
    b = tangent[:, 3:] * np.cross(n, t)
    p, uv = np.asarray(vertices)[piece.vertex[piece.triangles]], piece.uv[piece.triangles]
    e, d = p[:, 1:] - p[:, :1], uv[:, 1:] - uv[:, :1]
    area = d[:, 0, 0] * d[:, 1, 1] - d[:, 1, 0] * d[:, 0, 1]
    area = np.where(np.abs(area) < 1e-12, 1e-12, area)[:, None]
    along_u = (d[:, 1, 1:] * e[:, 0] - d[:, 0, 1:] * e[:, 1]) / area
    along_v = (d[:, 0, :1] * e[:, 1] - d[:, 1, :1] * e[:, 0]) / area
    total = np.zeros((len(piece.vertex), 4))
    size = np.abs(area[:, 0])
    for k in range(3):
        i = piece.triangles[:, k]
        values = [(along_u * t[i]).sum(1), (along_v * t[i]).sum(1), -(along_v * b[i]).sum(1), np.ones(len(i))]
        for column, value in enumerate(values):
            total[:, column] += np.bincount(i, value * size, len(total))
    mean = total[:, :3] / np.maximum(total[:, 3:], 1e-12)
    rows = _uv_row(head.model, head.level)
    count = len(mesh.uv)

    def spread(values: Array) -> Array:
        out = np.zeros((count, *values.shape[1:]), np.float32)
        out[rows] = values
        return out

    steps = [np.maximum(mean[:, 0], 1.0), mean[:, 1], np.maximum(mean[:, 2], 1.0)]
    return TangentFrames(spread(n), spread(t), spread(b), *(spread(s) for s in steps))


def over_atlas(model: HeadModel, level: int, values: Array) -> Array:
    """Values (U, k) of the rows of the level's UV -> (SIDE, SIDE, k) float32, 0 where there is no skin."""
    buffers, corners = _chart(model, level)
    return interpolate(buffers, corners, values)


def row_of_vertex(model: HeadModel, level: int) -> NDArray[np.int64]:
    """(U,) the vertex of each row of the UV; 0 for a row that the skin does not use."""
    piece = pieces(model, level)[0]
    out = np.zeros(len(model.level(level).uv), np.int64)
    out[_uv_row(model, level)] = piece.vertex
    return out


@lru_cache(maxsize=4)
def _uv_row(model: HeadModel, level: int) -> NDArray[np.int64]:
    """(N,) the row of the level's UV of each render vertex of the skin."""
    mesh, piece = model.level(level), pieces(model, level)[0]
    worn = np.flatnonzero(mesh.triangle_part == 0)
    out = np.zeros(len(piece.vertex), np.int64)
    out[piece.triangles] = mesh.triangle_uv[worn]
    return out


@lru_cache(maxsize=4)
def _chart(model: HeadModel, level: int) -> tuple[Buffers, NDArray[np.int32]]:
    mesh = model.level(level)
    corners = np.ascontiguousarray(mesh.triangle_uv[mesh.triangle_part == 0])
    flat = np.column_stack([mesh.uv * SIDE, np.ones(len(mesh.uv))])
    return rasterize(flat, corners, SIDE, SIDE, cull=False), corners
