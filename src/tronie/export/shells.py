"""Shells over a head (hair, coverings, glasses) as files hold them: vertices that are used, and pictures as PNG."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.export.gltf_document import Buffer, GltfSkin, Json, index_type, material
from tronie.head.materials import look_of_shell
from tronie.head.skeleton import HEAD, NECK
from tronie.head.surface import reduced
from tronie.io import encode
from tronie.raster.compositing import sampled
from tronie.raster.cutouts import SameArray, bled, seen_triangles
from tronie.shells import Shell
from tronie.stages.hair.neck import ring_triangles

Ints = NDArray[np.int32]

LARGEST = 1024
"""Pixels of the side of a shell's picture in head.glb."""
MOSTLY = 5
"""Of the seven places in a triangle of lashes, that have to be there where it is shown as a whole."""
COARSE = np.array([0xFE, 0xFE, 0xFE, 0xFF], np.uint8).view(np.uint32)
"""Of its colours what is kept: in steps of 2 hair takes a fifth less room."""


def fewer(shell: Shell, lod: int, left: Ints | None = None) -> Shell:
    """The shell at a level of detail, without the vertices that it does not use there. `left` are the head's vertices
    at that level, to which one below the neck is joined."""
    if not lod:
        return shell
    triangles = shell.lods[lod - 1]
    if shell.ring is not None and left is not None:
        columns = len(shell.ring)
        kept = np.append(np.flatnonzero(np.isin(shell.ring, left)), columns)
        triangles = ring_triangles(len(shell.vertices) // (columns + 1), columns, kept, 2 * lod)
    used, corners = np.unique(triangles, return_inverse=True)
    rows = np.ascontiguousarray(corners.reshape(-1, 3), dtype=np.int32)
    return replace(
        shell,
        vertices=shell.vertices[used],
        normals=shell.normals[used],
        uv=shell.uv[used],
        triangles=rows,
        lods=(rows, rows),
        moves={unit: move[used] for unit, move in shell.moves.items()},
    )


def shell_png(shell: Shell, most: int = 1 << 16) -> bytes:
    """Its picture, no more than `most` pixels high, with colours that go on where it is clear."""
    return _png(SameArray(shell.image), min(most, len(shell.image)))


@lru_cache(maxsize=8)
def _png(key: SameArray, side: int) -> bytes:
    picture = np.ascontiguousarray(reduced(bled(key.value), side))
    return encode.png((picture.view(np.uint32) & COARSE).view(np.uint8))


def colored(shell: Shell) -> tuple[Shell, NDArray[np.uint8]]:
    """What can be shown without a picture: the triangles that are there, and a colour (V, 3) for each vertex left."""
    least = MOSTLY if shell.moves else 1
    there = np.ascontiguousarray(shell.triangles[seen_triangles(shell.triangles, shell.uv, shell.image, least)])
    left = fewer(replace(shell, lods=(there, there)), 1)
    small = reduced(bled(shell.image), 512)
    return left, np.asarray(sampled(small, left.uv * small.shape[1::-1])[:, :3], dtype=np.uint8)


def put_shells(
    document: Json,
    buffer: Buffer,
    shells: Iterable[Shell],
    lod: int,
    joints: GltfSkin | None,
    left: Ints | None = None,
) -> None:
    """Add each shell to a document as a mesh of its own, that follows the head: below its node, or with its joints.
    `left` are the head's vertices that the document has. What moves with the face has the head's morph targets, their
    weights and their animation."""
    for whole in shells:
        shell = fewer(whole, lod, left)
        if not len(shell.triangles):
            continue
        picture = _picture(document, buffer, shell.name, shell_png(shell, LARGEST >> lod))
        attributes = {
            "POSITION": buffer.attribute(shell.vertices * np.float32(0.001), bounds=True),
            "NORMAL": buffer.attribute(_unit(shell.normals)),
            "TEXCOORD_0": buffer.attribute(shell.uv),
        }
        node: Json = {"name": shell.name, "mesh": len(document["meshes"])}
        if joints is None:
            document["nodes"][0].setdefault("children", []).append(len(document["nodes"]))
        else:
            attributes |= joints.follows(len(shell.vertices), NECK if shell.below else HEAD)
            node["skin"] = 0
            document["scenes"][0]["nodes"].append(len(document["nodes"]))
        document["nodes"].append(node)
        mesh: Json = {"name": shell.name, "extras": {"shell": shell.name}}
        primitive: Json = {
            "attributes": attributes,
            "indices": buffer.indices(shell.triangles, index_type(len(shell.vertices))),
            "mode": 4,
            "material": len(document["materials"]),
        }
        if shell.moves:
            _put_moves(document, buffer, shell, mesh, primitive)
        document["meshes"].append(mesh | {"primitives": [primitive]})
        document["materials"].append(_material(shell, picture))


def _put_moves(document: Json, buffer: Buffer, shell: Shell, mesh: Json, primitive: Json) -> None:
    """All of the head's morph targets, in their order, so that its weights are those of this mesh too."""
    head = document["meshes"][0]
    kind = index_type(len(shell.vertices))
    still: int | None = None
    targets = []
    for unit in head["extras"]["targetNames"]:
        if (move := shell.moves.get(unit)) is not None:
            targets.append({"POSITION": buffer.sparse(np.asarray(move, np.float32) * np.float32(0.001), kind)})
            continue
        if still is None:
            still = buffer.sparse(np.zeros_like(shell.vertices, dtype=np.float32), kind)
        targets.append({"POSITION": still})
    primitive["targets"] = targets
    mesh["weights"] = head["weights"]
    mesh["extras"]["targetNames"] = head["extras"]["targetNames"]
    for animation in document.get("animations", ()):
        own = [c for c in animation["channels"] if c["target"] == {"node": 0, "path": "weights"}]
        there = {"node": len(document["nodes"]) - 1, "path": "weights"}
        animation["channels"] += [{"sampler": c["sampler"], "target": there} for c in own]


def _material(shell: Shell, picture: int) -> Json:
    look = look_of_shell(shell.name)
    own = material(shell.name, look, {"texture": picture}, round(float(shell.roughness), 4))
    return own | {"alphaMode": "MASK", "alphaCutoff": 0.5}


def _picture(document: Json, buffer: Buffer, name: str, data: bytes) -> int:
    """The number of the texture."""
    images, textures = document.setdefault("images", []), document.setdefault("textures", [])
    textures.append({"name": name, "sampler": 0, "source": len(images)})
    images.append({"name": name, "bufferView": buffer.add(data), "mimeType": "image/png"})
    return len(textures) - 1


def _unit(normals: NDArray[Any]) -> NDArray[np.float32]:
    """Of length 1, which validators insist on."""
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    flat = np.where(length > 1e-6, normals / np.maximum(length, 1e-6), [0.0, 1.0, 0.0])
    return np.ascontiguousarray(flat, dtype=np.float32)
