"""glTF 2.0 binary (.glb): one mesh, a primitive for each material, 52 morph targets named as ARKit names them.

What depends on the head model alone (triangles, UV, morph targets) is packed once and kept; a face adds its
positions, normals, weights and texture. Morph targets are sparse float32 accessors: most units move a fifth of
the head, and unlike quantised ones they need no extension that a reader may lack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.export.gltf_document import (
    Buffer,
    GltfAnimation,
    GltfSkin,
    Json,
    container,
    extensions_used,
    index_type,
    material,
    put_motion,
)
from tronie.export.shells import put_shells
from tronie.head.materials import LOOKS
from tronie.head.model import Head, HeadModel, sphere_center
from tronie.head.surface import Piece, Same, pieces, quad_vertex_normals, texels
from tronie.shells import Shell
from tronie.version import __version__

WORN_BY = {"skin": ("normal", "surface"), "mouth": ("surface",)}
"""Which pictures a material has besides the texture: where another says how rough it is, and how much light gets there,
is in one, `surface`."""


__all__ = ["PHOTO", "SMALLEST_MOVE", "SMALLEST_TURN", "glb"]

LINEAR, LINEAR_MIPMAP_LINEAR, CLAMP_TO_EDGE = 9729, 9987, 33071
SAMPLER = {"magFilter": LINEAR, "minFilter": LINEAR_MIPMAP_LINEAR, "wrapS": CLAMP_TO_EDGE, "wrapT": CLAMP_TO_EDGE}

SMALLEST_MOVE = 0.02
"""Millimetres at weight 1 below which a vertex is left out of a morph target (5 % of the moves above 0.005 mm are)."""

SMALLEST_TURN = 0.035
"""The same of morph targets of normals, which are unit vectors: two degrees."""

PHOTO = "photo"
"""Morph target from the face at rest to the photo's expression, where a model's expressions have no names."""


@dataclass(frozen=True, slots=True)
class Packed:
    """The part of the file that all heads of one model, level and level of detail share."""

    pieces: tuple[Piece, ...]
    data: bytes
    """The beginning of the binary buffer: triangles, UV, morph targets; its length is a multiple of 4."""
    views: tuple[Json, ...]
    """Buffer views into `data`."""
    accessors: tuple[Json, ...]
    primitives: tuple[Json, ...]
    """One for each piece, without POSITION and NORMAL."""
    units: tuple[str, ...]


def glb(
    head: Head,
    expression: Mapping[str, float],
    texture: bytes | None = None,
    name: str = "head",
    *,
    provenance: Image | None = None,
    sigma_mm: Array | None = None,
    normal_map: bytes | None = None,
    surface: bytes | None = None,
    lod: int = 0,
    rig: bool = False,
    morph_normals: bool = False,
    motion: GltfAnimation | None = None,
    shells: Sequence[Shell] = (),
) -> list[memoryview]:
    """The file as chunks to be written one after the other.

    The mesh at rest is `head.neutral`, its default weights are `expression` (by unit name, missing ones 0), so a
    viewer shows `head.vertices`. A model without units has one morph target instead, PHOTO.
    `texture` is an encoded JPEG or PNG; None gives plain colours. `provenance` (S, S) becomes the vertex attribute
    _PROVENANCE, `sigma_mm` (C,) of the control vertices _SIGMA_MM. `normal_map`, an encoded picture in tangent space,
    goes onto the skin of a head with a texture, which gets tangents; `surface`, an encoded `surface_map`, onto its skin
    and mouth. `lod` 1 or 2: fewer triangles (`tronie.head.lod`). `rig`: with joints (`tronie.head.skeleton`).
    `morph_normals`: morph targets turn normals too.
    `motion`: how head and face move in a clip, as an animation. `shells`: each a mesh of its own, named after it.
    """
    if texture is None:
        normal_map = surface = None
    packed = _pack(Same(head.model), head.level, lod)
    mesh = head.model.level(head.level)
    neutral = np.ascontiguousarray(head.neutral, dtype=np.float32)
    normals = quad_vertex_normals(neutral, mesh.quads)
    per_vertex: dict[str, Array] = {"POSITION": neutral * np.float32(0.001), "NORMAL": normals}
    if sigma_mm is not None:
        per_vertex["_SIGMA_MM"] = mesh.matrix @ np.asarray(sigma_mm, dtype=np.float32)
    units, weights = list(packed.units), [round(float(expression.get(unit, 0.0)), 4) for unit in packed.units]
    moves = np.zeros((0, 0, 3), np.float32)
    if not units:
        units, weights = [PHOTO], [1.0]
        moves = _moves((head.vertices - head.neutral)[None])
    turns = _turns(head, neutral, normals) if morph_normals else moves[:0]
    buffer = Buffer(len(packed.data), len(packed.views), len(packed.accessors))
    joints = GltfSkin(head, buffer) if rig else None
    primitives = []
    for number, (piece, shared) in enumerate(zip(packed.pieces, packed.primitives, strict=True)):
        attributes = dict(shared["attributes"])
        for key, values in per_vertex.items():
            attributes[key] = buffer.attribute(values[piece.vertex], bounds=key == "POSITION")
        if provenance is not None:
            # Floats, as _SIGMA_MM: Blender 5.0 confuses attributes of one's own that differ in type, and stops.
            attributes["_PROVENANCE"] = buffer.attribute(texels(provenance, piece.uv).astype(np.float32))
        if normal_map is not None and piece.material == "skin":
            from tronie.head.tangents import tangents

            attributes["TANGENT"] = buffer.attribute(tangents(neutral, piece, normals))
        if joints is not None:
            attributes |= joints.attributes(piece)
        kind = index_type(len(piece.vertex))
        targets = [*shared["targets"], *({"POSITION": buffer.sparse(move[piece.vertex], kind)} for move in moves)]
        for row, turn in enumerate(turns):
            targets[row] = targets[row] | {"NORMAL": buffer.sparse(turn[piece.vertex], kind, bounds=False)}
        primitives.append({**shared, "attributes": attributes, "material": number, "targets": targets})
    offered = {"texture": texture, "normal": normal_map, "surface": surface}
    pictures = {kind: picture for kind, picture in offered.items() if picture is not None}
    materials = []
    for piece in packed.pieces:
        own = {"texture", *WORN_BY.get(piece.material, ())}
        worn = {kind: number for number, kind in enumerate(pictures) if kind in own}
        look = LOOKS[piece.material]
        look = replace(look, both_sides=look.both_sides or head.model.is_mask)
        materials.append(material(piece.material, look, worn))
    extras: Json = {"targetNames": units}
    if eyes := _eyes(head):
        extras["eyeCenters"] = eyes
    document: Json = {
        "asset": _asset(head.model),
        "scene": 0,
        "scenes": [{"name": "scene", "nodes": [0]}],
        "nodes": [{"name": name, "mesh": 0}],
        "meshes": [{"name": "head_mesh", "primitives": primitives, "weights": weights, "extras": extras}],
        "materials": materials,
    }
    if joints is not None:
        joints.put_into(document)
    if motion is not None:
        put_motion(document, buffer, motion, len(packed.units))
    if pictures:
        document |= _textures(pictures, buffer)
    if shells:
        left = np.concatenate([piece.vertex for piece in packed.pieces])
        put_shells(document, buffer, shells, lod, joints, left)
        document.setdefault("samplers", [SAMPLER])
    document["extensionsUsed"] = extensions_used(document["materials"])
    document["accessors"] = [*packed.accessors, *buffer.accessors]
    document["bufferViews"] = [*packed.views, *buffer.views]
    document["buffers"] = [{"byteLength": buffer.length}]
    return [*container(document, buffer.length), memoryview(packed.data), *buffer.chunks]


@lru_cache(maxsize=6)
def _pack(key: Same, level: int, lod: int) -> Packed:
    model = key.value
    moves = _moves(model.level(level).apply(model.expression))
    buffer = Buffer()
    primitives: list[Json] = []
    split = pieces(model, level)
    if lod:
        from tronie.head.lod import lod_pieces

        split = lod_pieces(model, level, lod)
    for piece in split:
        kind = index_type(len(piece.vertex))
        indices = buffer.indices(piece.triangles, kind)
        uv = buffer.attribute(piece.uv)
        targets = [{"POSITION": buffer.sparse(move[piece.vertex], kind)} for move in moves]
        primitives.append({"attributes": {"TEXCOORD_0": uv}, "indices": indices, "mode": 4, "targets": targets})
    return Packed(
        split,
        b"".join(buffer.chunks),
        tuple(buffer.views),
        tuple(buffer.accessors),
        tuple(primitives),
        model.expression_names,
    )


def _moves(millimetres: NDArray[Any]) -> NDArray[np.float32]:
    """(N, V, 3) metres, without what is too small to see."""
    large = (millimetres**2).sum(axis=-1, keepdims=True) >= SMALLEST_MOVE**2
    return np.asarray(np.where(large, millimetres, 0) * np.float32(0.001), dtype=np.float32)


def _turns(head: Head, neutral: Array, normals: Array) -> NDArray[np.float32]:
    """(N, V, 3): what each unit at weight 1 (or the photo's expression) adds to this person's normals at rest."""
    mesh, model = head.model.level(head.level), head.model
    moves = mesh.apply(model.expression) if model.expression_names else (head.vertices - head.neutral)[None]
    out = np.empty((len(moves), *neutral.shape), np.float32)
    for row, move in enumerate(moves):
        turn = quad_vertex_normals(neutral + move, mesh.quads) - normals
        out[row] = np.where((turn**2).sum(axis=1, keepdims=True) >= SMALLEST_TURN**2, turn, 0)
    return out


def _eyes(head: Head) -> list[list[float]]:
    """Where the left and the right eye turn, metres; none without eyeballs."""
    balls = [head.model.vertices_of(name) for name in ("eye_left", "eye_right")]
    if not all(len(ball) for ball in balls):
        return []
    return [np.round(sphere_center(head.neutral[ball]) * 0.001, 6).tolist() for ball in balls]


def _textures(pictures: Mapping[str, bytes], buffer: Buffer) -> Json:
    """The encoded pictures, inside the file."""
    images = []
    for name, data in pictures.items():
        mime = "image/png" if data[:4] == b"\x89PNG" else "image/jpeg"
        images.append({"name": name, "bufferView": buffer.add(data), "mimeType": mime})
    textures = [{"name": name, "sampler": 0, "source": number} for number, name in enumerate(pictures)]
    return {"images": images, "samplers": [SAMPLER], "textures": textures}


def _asset(model: HeadModel) -> Json:
    return {
        "version": "2.0",
        "generator": f"tronie {__version__}",
        "copyright": f"Head model {model.name}: {model.licence}. Likeness and texture: those of the photo.",
        "extras": {"model": model.name, "model_licence": model.licence, "units": "metres, +y up, +z out of the face"},
    }
