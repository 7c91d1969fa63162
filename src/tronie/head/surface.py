"""A head's mesh as renderers want it: vertices split at the seams of the UV, one piece for each material.

All of this depends on the head model and the level alone, not on the person, so it is worked out once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tronie.arrays import Array, Image
from tronie.head.model import PARTS, HeadModel
from tronie.runtime.jit import jit

Ints = NDArray[np.int32]

MATERIALS: dict[str, tuple[str, ...]] = {
    "skin": ("skin",),
    "eyes": ("eye_left", "eye_right"),
    "mouth": ("teeth_upper", "teeth_lower", "tongue", "mouth"),
}
"""Material -> the parts of the head that wear it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The triangles of one material in their own numbering."""

    material: str
    vertex: Ints
    """(N,) the head's vertex of each render vertex."""
    uv: NDArray[np.float32]
    """(N, 2) origin at the top left, v down."""
    triangles: Ints
    """(T, 3) rows of `vertex`."""
    uv_row: Ints | None = None
    """(N,) the row of the level's `uv` of each render vertex."""


class Same:
    """A value as a cache key, equal to itself only (heads, their models and fits hold arrays, which cannot be
    hashed)."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.value is self.value


def pieces(model: HeadModel, level: int) -> tuple[Piece, ...]:
    """One piece for each material that the model has, in the order of MATERIALS."""
    return _pieces(Same(model), level)


@lru_cache(maxsize=4)
def _pieces(key: Same, level: int) -> tuple[Piece, ...]:
    mesh = key.value.level(level)
    found = []
    for material, parts in MATERIALS.items():
        worn = np.isin(mesh.triangle_part, [PARTS.index(part) for part in parts])
        if not worn.any():
            continue
        corners = mesh.triangles[worn].astype(np.int64) * len(mesh.uv) + mesh.triangle_uv[worn]
        pairs, triangles = np.unique(corners, return_inverse=True)
        vertex, uv_row = np.divmod(pairs, len(mesh.uv))
        found.append(
            Piece(
                material,
                vertex.astype(np.int32),
                np.ascontiguousarray(mesh.uv[uv_row], dtype=np.float32),
                triangles.reshape(-1, 3).astype(np.int32),
                uv_row.astype(np.int32),
            )
        )
    return tuple(found)


@lru_cache(maxsize=4)
def vertex_uv(model: HeadModel, level: int) -> NDArray[np.float32]:
    """(V, 2): the first place in the texture of each vertex."""
    mesh = model.level(level)
    uv = np.zeros((mesh.matrix.shape[0], 2), dtype=np.float32)
    # Later rows win an assignment, so the order is turned round.
    uv[mesh.triangles.ravel()[::-1]] = mesh.uv[mesh.triangle_uv.ravel()[::-1]]
    return uv


def reduced(texture: Image, most: int) -> Image:
    """A picture no more than `most` pixels high, by averaging."""
    import cv2

    # Exact halves are four times as fast as any other reduction.
    while texture.shape[0] >= 2 * most and texture.shape[0] % 2 == texture.shape[1] % 2 == 0:
        half = texture.shape[1] // 2, texture.shape[0] // 2
        texture = np.asarray(cv2.resize(texture, half, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    if texture.shape[0] <= most:
        return texture
    size = (round(texture.shape[1] * most / texture.shape[0]), most)
    return np.asarray(cv2.resize(texture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def texels(picture: Image, uv: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The value (N,) of a map (S, S) of kinds at each of uv (N, 2): the nearest texel's, or where that is 0, as it may
    be at the rim of a chart, the largest of its neighbours'."""
    size = len(picture)
    at = np.clip((uv * size).astype(np.int64), 0, size - 1)
    kinds = picture[at[:, 1], at[:, 0]]
    bare = np.flatnonzero(kinds == 0)
    for step in np.ndindex(5, 5) if len(bare) else ():
        near = np.clip(at[bare] + step - np.array([2, 2]), 0, size - 1)
        kinds[bare] = np.maximum(kinds[bare], picture[near[:, 1], near[:, 0]])
    return np.asarray(kinds, dtype=np.uint8)


def quad_vertex_normals(vertices: Array, quads: Ints) -> NDArray[np.float32]:
    """Unit normals (V, 3) float32 of the faces (F, 4), -1 last in a triangle, weighted by area.

    From whole quads, not from triangles: so the shading does not show along which diagonal a quad is split.
    A vertex without a face, or whose faces cancel out, gets +z.
    """
    return np.asarray(
        _normals_of_quads(np.ascontiguousarray(vertices, dtype=np.float32), np.ascontiguousarray(quads, dtype=np.int32))
    )


@jit
def _normals_of_quads(v: Any, quads: Any) -> Any:
    out = np.zeros(v.shape, np.float32)
    for f in range(quads.shape[0]):
        a, b, c, d = quads[f, 0], quads[f, 1], quads[f, 2], quads[f, 3]
        last = a if d < 0 else d  # with d = a the product below is the triangle's
        px, py, pz = v[c, 0] - v[a, 0], v[c, 1] - v[a, 1], v[c, 2] - v[a, 2]
        qx, qy, qz = v[last, 0] - v[b, 0], v[last, 1] - v[b, 1], v[last, 2] - v[b, 2]
        nx, ny, nz = py * qz - pz * qy, pz * qx - px * qz, px * qy - py * qx
        for k in range(3 if d < 0 else 4):
            i = quads[f, k]
            out[i, 0] += nx
            out[i, 1] += ny
            out[i, 2] += nz
    for i in range(out.shape[0]):
        x, y, z = np.float64(out[i, 0]), np.float64(out[i, 1]), np.float64(out[i, 2])
        length = np.sqrt(x * x + y * y + z * z)
        if length > 1e-12:
            out[i, 0], out[i, 1], out[i, 2] = x / length, y / length, z / length
        else:
            out[i, 0], out[i, 1], out[i, 2] = 0, 0, 1
    return out


def triangle_vertex_normals(vertices: ArrayLike, triangles: ArrayLike) -> Array:
    """(V, 3), (T, 3) -> (V, 3) float32 unit normals, area-weighted; (0, 0, 0) at vertices no triangle uses.

    What the rasteriser draws; the normals of files and pictures are those of whole quads (`quad_vertex_normals`).
    """
    v = np.ascontiguousarray(vertices, dtype=np.float32)
    out = np.zeros_like(v)
    _normals_of_triangles(v, np.ascontiguousarray(triangles, dtype=np.int32), out)
    return out


@jit
def _normals_of_triangles(vertices: Any, triangles: Any, out: Any) -> None:
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0, z0 = vertices[b, 0] - vertices[a, 0], vertices[b, 1] - vertices[a, 1], vertices[b, 2] - vertices[a, 2]
        x1, y1, z1 = vertices[c, 0] - vertices[a, 0], vertices[c, 1] - vertices[a, 1], vertices[c, 2] - vertices[a, 2]
        nx, ny, nz = y0 * z1 - z0 * y1, z0 * x1 - x0 * z1, x0 * y1 - y0 * x1
        for k in (a, b, c):
            out[k, 0] += nx
            out[k, 1] += ny
            out[k, 2] += nz
    for k in range(out.shape[0]):
        length = np.sqrt(out[k, 0] ** 2 + out[k, 1] ** 2 + out[k, 2] ** 2)
        if length > 0:
            out[k, 0] /= length
            out[k, 1] /= length
            out[k, 2] /= length
