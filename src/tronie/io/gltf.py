"""glTF 2.0 binary (.glb): one mesh, a primitive for each material, 52 morph targets named as ARKit names them.

What depends on the head model alone (triangles, UV, morph targets) is packed once and kept; a face adds its
positions, normals, weights and texture. Morph targets are sparse float32 accessors: most units move a fifth of
the head, and unlike quantised ones they need no extension that a reader may lack.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie import __version__
from tronie.head.model import HeadModel
from tronie.io.surface import Piece, Same, pieces, vertex_normals
from tronie.types import Head

Json = dict[str, Any]

UNSIGNED_SHORT, UNSIGNED_INT, FLOAT = 5123, 5125, 5126
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963
LINEAR, LINEAR_MIPMAP_LINEAR, CLAMP_TO_EDGE = 9729, 9987, 33071

SMALLEST_MOVE = 0.005
"""Millimetres at weight 1 below which a vertex is left out of a morph target (0.8 % of the moves are smaller)."""

PHOTO = "photo"
"""Morph target from the face at rest to the photo's expression, where a model's expressions have no names."""

LOOKS: dict[str, Json] = {
    "skin": {"color": (0.68, 0.44, 0.33, 1.0), "roughness": 0.55, "double": False},
    "eyes": {"color": (0.80, 0.80, 0.78, 1.0), "roughness": 0.1, "double": False},
    "mouth": {"color": (0.42, 0.14, 0.13, 1.0), "roughness": 0.35, "double": True},
}
"""Material -> linear RGBA for a head without a texture, roughness, and whether its back faces are drawn."""


@dataclass(frozen=True, slots=True)
class Packed:
    """The part of the file that all heads of one model and level share."""

    pieces: tuple[Piece, ...]
    data: bytes
    """The beginning of the binary buffer: triangles, UV, morph targets; its length is a multiple of 4."""
    views: tuple[Json, ...]
    """Buffer views into `data`."""
    accessors: tuple[Json, ...]
    primitives: tuple[Json, ...]
    """One for each piece, without POSITION and NORMAL."""
    units: tuple[str, ...]


class _Buffer:
    """Grows the binary buffer and its views."""

    def __init__(self, length: int = 0, views: int = 0) -> None:
        self.chunks: list[memoryview] = []
        self.views: list[Json] = []
        self.length = length
        self._first = views

    def add(self, data: NDArray[Any] | bytes, target: int | None = None) -> int:
        """Append with padding to 4 bytes; the number of the new view."""
        chunk = memoryview(data if isinstance(data, bytes) else np.ascontiguousarray(data).data).cast("B")
        view: Json = {"buffer": 0, "byteOffset": self.length, "byteLength": len(chunk)}
        if target is not None:
            view["target"] = target
        padding = -len(chunk) % 4
        self.chunks += [chunk, memoryview(b"\0" * padding)] if padding else [chunk]
        self.views.append(view)
        self.length += len(chunk) + padding
        return self._first + len(self.views) - 1


def glb(
    head: Head, expression: Mapping[str, float], texture: bytes | None = None, name: str = "head"
) -> list[memoryview]:
    """The file as chunks to be written one after the other.

    The mesh at rest is `head.neutral`, its default weights are `expression` (by unit name, missing ones 0), so a
    viewer shows `head.vertices`. A model without units has one morph target instead, PHOTO.
    `texture` is an encoded JPEG or PNG; None gives plain colours.
    """
    packed = _pack(Same(head.model), head.level)
    neutral = np.ascontiguousarray(head.neutral, dtype=np.float32)
    normals = vertex_normals(neutral, head.model.level(head.level).quads)
    positions = neutral * np.float32(0.001)
    buffer = _Buffer(len(packed.data), len(packed.views))
    accessors, primitives = list(packed.accessors), []
    units, weights = list(packed.units), [round(float(expression.get(unit, 0.0)), 4) for unit in packed.units]
    moves = np.zeros((0, 0, 3), np.float32)
    if not units:
        units, weights = [PHOTO], [1.0]
        moves = _moves((head.vertices - head.neutral)[None])
    for number, (piece, shared) in enumerate(zip(packed.pieces, packed.primitives, strict=True)):
        attributes = dict(shared["attributes"])
        for key, values in (("POSITION", positions), ("NORMAL", normals)):
            rows = values[piece.vertex]
            accessor = _accessor(buffer.add(rows, ARRAY_BUFFER), FLOAT, len(rows), "VEC3")
            if key == "POSITION":
                accessor |= _bounds(rows)
            attributes[key] = len(accessors)
            accessors.append(accessor)
        targets = list(shared["targets"])
        for move in moves:
            targets.append({"POSITION": len(accessors)})
            accessors.append(_sparse(buffer, move[piece.vertex], _kind(piece)))
        primitives.append({**shared, "attributes": attributes, "material": number, "targets": targets})
    document: Json = {
        "asset": _asset(head.model),
        "scene": 0,
        "scenes": [{"name": "scene", "nodes": [0]}],
        "nodes": [{"name": name, "mesh": 0}],
        "meshes": [
            {
                "name": "head",
                "primitives": primitives,
                "weights": weights,
                "extras": {"targetNames": units},
            }
        ],
        "materials": [_material(piece.material, texture is not None, head.model.is_mask) for piece in packed.pieces],
        "accessors": accessors,
    }
    if texture is not None:
        mime = "image/png" if texture[:4] == b"\x89PNG" else "image/jpeg"
        document |= {
            "images": [{"name": "texture", "bufferView": buffer.add(texture), "mimeType": mime}],
            "samplers": [
                {"magFilter": LINEAR, "minFilter": LINEAR_MIPMAP_LINEAR, "wrapS": CLAMP_TO_EDGE, "wrapT": CLAMP_TO_EDGE}
            ],
            "textures": [{"name": "texture", "sampler": 0, "source": 0}],
        }
    document["bufferViews"] = [*packed.views, *buffer.views]
    document["buffers"] = [{"byteLength": buffer.length}]
    return [*_container(document, buffer.length), memoryview(packed.data), *buffer.chunks]


def _container(document: Json, length: int) -> Iterator[memoryview]:
    """The header, the JSON chunk and the head of the binary chunk (glTF 2.0, section 4.4)."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", errors="replace")
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + length
    yield memoryview(struct.pack("<4sII", b"glTF", 2, total))
    yield memoryview(struct.pack("<I4s", len(text), b"JSON"))
    yield memoryview(text)
    yield memoryview(struct.pack("<I4s", length, b"BIN\0"))


@lru_cache(maxsize=4)
def _pack(key: Same, level: int) -> Packed:
    model = key.value
    moves = _moves(model.level(level).apply(model.expression))
    buffer = _Buffer()
    accessors: list[Json] = []
    primitives: list[Json] = []
    split = pieces(model, level)
    for piece in split:
        kind = _kind(piece)
        first = len(accessors)
        accessors.append(
            _accessor(buffer.add(piece.triangles.astype(kind[0]), ELEMENT_ARRAY_BUFFER), kind[1], piece.triangles.size)
        )
        accessors.append(_accessor(buffer.add(piece.uv, ARRAY_BUFFER), FLOAT, len(piece.uv), "VEC2"))
        targets = []
        for move in moves:
            targets.append({"POSITION": len(accessors)})
            accessors.append(_sparse(buffer, move[piece.vertex], kind))
        primitives.append({"attributes": {"TEXCOORD_0": first + 1}, "indices": first, "mode": 4, "targets": targets})
    return Packed(
        split, b"".join(buffer.chunks), tuple(buffer.views), tuple(accessors), tuple(primitives), model.expression_names
    )


def _kind(piece: Piece) -> tuple[type[Any], int]:
    """Of a piece's vertex numbers. The largest number of a type is reserved (primitive restart)."""
    return (np.uint16, UNSIGNED_SHORT) if len(piece.vertex) < 65535 else (np.uint32, UNSIGNED_INT)


def _moves(millimetres: NDArray[Any]) -> NDArray[np.float32]:
    """(N, V, 3) metres, without what is too small to see."""
    large = (millimetres**2).sum(axis=-1, keepdims=True) >= SMALLEST_MOVE**2
    return np.asarray(np.where(large, millimetres, 0) * np.float32(0.001), dtype=np.float32)


def _sparse(buffer: _Buffer, rows: NDArray[np.float32], kind: tuple[type[Any], int]) -> Json:
    """An accessor of displacements (N, 3) that holds the rows that are not zero.

    Where none is, it still holds one (zero) row: legal either way, but some readers expect at least one.
    """
    moved = np.flatnonzero(rows.any(axis=1))
    if not len(moved):
        moved = np.zeros(1, dtype=np.int64)
    accessor: Json = {"componentType": FLOAT, "count": len(rows), "type": "VEC3", **_bounds(rows)}
    accessor["sparse"] = {
        "count": len(moved),
        "indices": {"bufferView": buffer.add(moved.astype(kind[0])), "componentType": kind[1]},
        "values": {"bufferView": buffer.add(rows[moved])},
    }
    return accessor


def _accessor(view: int, component: int, count: int, kind: str = "SCALAR") -> Json:
    return {"bufferView": view, "componentType": component, "count": count, "type": kind}


def _bounds(rows: NDArray[np.float32]) -> Json:
    """Exact least and greatest of each column: float32 numbers survive as float64 text."""
    return {"min": rows.min(axis=0).astype(float).tolist(), "max": rows.max(axis=0).astype(float).tolist()}


def _material(name: str, textured: bool, both_sides: bool) -> Json:
    look = LOOKS[name]
    surface: Json = {"metallicFactor": 0.0, "roughnessFactor": look["roughness"]}
    if textured:
        surface["baseColorTexture"] = {"index": 0}
    else:
        surface["baseColorFactor"] = list(look["color"])
    return {"name": name, "pbrMetallicRoughness": surface, "doubleSided": look["double"] or both_sides}


def _asset(model: HeadModel) -> Json:
    return {
        "version": "2.0",
        "generator": f"tronie {__version__}",
        "copyright": f"Head model {model.name}: {model.licence}. Likeness and texture: those of the photo.",
        "extras": {"model": model.name, "model_licence": model.licence, "units": "metres, +y up, +z out of the face"},
    }
