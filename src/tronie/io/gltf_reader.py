"""Read the mesh, the morph targets and the texture out of a .glb, as pictures of it need them.

Enough of glTF 2.0 for heads: float and integer accessors, sparse ones, nodes with their transforms. Compressed meshes
(Draco, meshopt) and files beside the .glb are refused in one sentence. A file is data: nothing in it is run, all sizes
are checked against what is there, and all that is made of it comes out of one budget: a thousand meshes may name one
accessor.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.errors import InputError
from tronie.formats.safety import Budget, Refused, reading
from tronie.runtime.json_text import parsed

Json = dict[str, Any]

COMPONENTS: dict[int, str] = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS: dict[str, int] = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
KNOWN = {"KHR_mesh_quantization", "KHR_texture_transform", "KHR_materials_unlit"}
"""Extensions that a file may require and that change nothing here."""
SPELLED = 20
"""Bytes that one of JSON may become: an empty list is two signs."""


@dataclass(frozen=True, eq=False)
class Primitive:
    """One primitive."""

    material: str
    vertices: Array
    """(N, 3) float32 millimetres at rest, in the scene's axes."""
    uv: Array
    """(N, 2) float32, origin at the top left; 0 where the file has none."""
    triangles: NDArray[np.int32]
    """(T, 3)."""
    moves: Array
    """(K, N, 3) float32 millimetres."""
    extra: dict[str, Array]
    """Attributes of the file's own, whose names begin with `_`: (N,) or (N, k) float32."""
    double_sided: bool
    normals: Array | None = None
    """(N, 3) float32, in the scene's axes, where the file has them."""
    picture: bytes | None = None
    """Its material's base colour: the bytes of a picture file."""
    roughness: float = 1.0


@dataclass(frozen=True, eq=False)
class GltfHead:
    parts: tuple[Primitive, ...]
    shells: tuple[tuple[str, Primitive, tuple[str, ...]], ...]
    """What lies over the head with a mesh of its own, in files that say so, each with its name and the names of its
    morph targets."""
    names: tuple[str, ...]
    """Of the morph targets."""
    weights: tuple[float, ...]
    """Their default weights."""
    texture: bytes | None
    """The first base colour of the head's materials: the bytes of a picture file."""
    model: str | None
    """Of which head model the file says it is."""


def read_glb(path: Path, budget: Budget | None = None) -> GltfHead:
    """Raises InputError with one sentence when it cannot be read."""
    quiet = np.errstate(over="ignore", invalid="ignore")  # what is not finite is refused
    with reading(path, "a binary glTF", budget, error=InputError) as budget, quiet:
        return _read(path.read_bytes(), budget)


def _read(data: bytes, budget: Budget) -> GltfHead:
    if data[:4] != b"glTF" or struct.unpack_from("<I", data, 4)[0] != 2:
        raise Refused("it is no binary glTF 2.0 file")
    chunks = dict(_chunks(data))
    budget.take(SPELLED * len(chunks[b"JSON"]))
    document: Json = parsed(bytes(chunks[b"JSON"]))
    unknown = set(document.get("extensionsRequired", ())) - KNOWN
    if unknown:
        raise Refused(f"it needs the glTF extension {str(min(unknown))[:80]}, which is not read here")
    file = _File(document, chunks.get(b"BIN\0", memoryview(b"")), budget)
    parts: list[Primitive] = []
    shells: list[tuple[str, Primitive, tuple[str, ...]]] = []
    names: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    _unmove(document)
    for mesh_index, matrix in _placed(document, budget):
        mesh = document["meshes"][mesh_index]
        extras = mesh.get("extras", {})
        found = tuple(map(str, extras.get("targetNames", ())))
        if isinstance(shell := extras.get("shell"), str):
            over = [file.part(primitive, matrix, picture=True) for primitive in mesh["primitives"]]
            shells += [(shell, part, found if len(found) == len(part.moves) else ()) for part in over]
            continue
        count = max((len(p.get("targets", ())) for p in mesh["primitives"]), default=0)
        found = found if len(found) == count else tuple(f"target {k + 1}" for k in range(count))
        if count > len(names):
            names, weights = found, tuple(map(float, mesh.get("weights", [0.0] * count)))
        parts += [file.part(primitive, matrix) for primitive in mesh["primitives"] if primitive.get("mode", 4) == 4]
    if not parts:
        raise Refused("there is no mesh in it")
    # Meshes without expressions stand still.
    parts = [p if len(p.moves) == len(names) else _still(p, len(names), budget) for p in parts]
    extras = document.get("asset", {}).get("extras", {})
    model = extras.get("model") if isinstance(extras, dict) else None
    said = None if model is None else str(model)
    return GltfHead(tuple(parts), tuple(shells), names, weights, file.texture(), said)


def _still(part: Primitive, count: int, budget: Budget) -> Primitive:
    budget.take(count * part.vertices.nbytes)
    moves = np.zeros((count, *part.vertices.shape), np.float32)
    return Primitive(part.material, part.vertices, part.uv, part.triangles, moves, part.extra, part.double_sided)


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    at = 12
    while at + 8 <= len(data):
        length, kind = struct.unpack_from("<I4s", data, at)
        if at + 8 + length > len(data):
            raise ValueError("a chunk is cut off")
        yield kind, memoryview(data)[at + 8 : at + 8 + length]
        at += 8 + length


def _unmove(document: Json) -> None:
    """A head of a clip stands in its file as in the first frame, before the clip's camera: have it in its own axes, as
    all other heads are. Other programs turn moving nodes for reasons of their own."""
    if not str(document.get("asset", {}).get("generator", "")).startswith("tronie"):
        return
    for animation in document.get("animations", ()):
        for channel in animation.get("channels", ()):
            target = channel.get("target", {})
            if target.get("path") in ("translation", "rotation"):
                document["nodes"][target["node"]].pop(target["path"], None)


def _placed(document: Json, budget: Budget) -> Iterator[tuple[int, Array]]:
    """Meshes of the scene and where they are: (4, 4) from mesh to scene, metres."""
    nodes = document.get("nodes", [])
    scene = document.get("scenes", [{}])[document.get("scene", 0)] if document.get("scenes") else {}
    todo = deque((int(n), np.eye(4)) for n in scene.get("nodes", range(len(nodes))))
    seen: set[int] = set()
    while todo:
        budget.step()
        index, above = todo.popleft()
        if index in seen:  # a tree has each node once; a file may lie
            continue
        seen.add(index)
        node = nodes[index]
        here = above @ _matrix(node)
        if "mesh" in node:
            # A skinned mesh is placed by its joints, which at rest leave it where it was bound.
            yield int(node["mesh"]), np.eye(4) if "skin" in node else here
        todo += [(int(child), here) for child in node.get("children", ())]


def _matrix(node: Json) -> Array:
    if "matrix" in node:
        return np.array(node["matrix"], dtype=np.float64).reshape(4, 4).T
    out = np.eye(4)
    x, y, z, w = node.get("rotation", (0.0, 0.0, 0.0, 1.0))
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    out[:3, :3] = turn * np.array(node.get("scale", (1.0, 1.0, 1.0)))
    out[:3, 3] = node.get("translation", (0.0, 0.0, 0.0))
    return out


@dataclass(frozen=True)
class _File:
    document: Json
    data: memoryview
    budget: Budget

    def view(self, index: int, offset: int, count: int, kind: str, width: int) -> NDArray[Any]:
        """(count, width) of a buffer view, from `offset` on."""
        view = self.document["bufferViews"][index]
        if view.get("buffer", 0) != 0 or "uri" in self.document["buffers"][0]:
            raise Refused("it keeps its data in another file")
        item = np.dtype(kind).itemsize * width
        stride = int(view.get("byteStride", item))
        start = int(view.get("byteOffset", 0)) + offset
        if count < 0 or start < 0 or stride < item or start + (count - 1) * stride + item > len(self.data):
            raise ValueError("an accessor reaches beyond the data")
        if count == 0:
            return np.zeros((0, width), kind)
        self.budget.step()
        self.budget.take(count * item)
        raw = np.ndarray((count, width), kind, self.data, start, (stride, np.dtype(kind).itemsize))
        return raw.copy()

    def accessor(self, index: int) -> NDArray[Any]:
        """(count, width), normalised integers as float32."""
        a = self.document["accessors"][index]
        kind, width, count = COMPONENTS[a["componentType"]], WIDTHS[a["type"]], int(a["count"])
        if "bufferView" in a:
            out = self.view(a["bufferView"], int(a.get("byteOffset", 0)), count, kind, width)
        else:
            self.budget.step()
            self.budget.take(max(count, 0) * np.dtype(kind).itemsize * width)
            out = np.zeros((count, width), kind)
        if "sparse" in a:
            where, what, n = a["sparse"]["indices"], a["sparse"]["values"], int(a["sparse"]["count"])
            small = COMPONENTS[where["componentType"]]
            rows = self.view(where["bufferView"], int(where.get("byteOffset", 0)), n, small, 1)[:, 0]
            values = self.view(what["bufferView"], int(what.get("byteOffset", 0)), n, kind, width)
            out[rows.astype(np.int64)] = values
        if a.get("normalized") and out.dtype.kind in "iu":
            return np.maximum(out.astype(np.float32) / np.iinfo(out.dtype).max, -1.0).astype(np.float32)
        return out

    def part(self, primitive: Json, matrix: Array, picture: bool = False) -> Primitive:
        attributes = primitive["attributes"]
        raw = self.accessor(attributes["POSITION"]).astype(np.float32)
        turn = (1000.0 * matrix[:3, :3].T).astype(np.float32)
        vertices = raw @ turn + (1000.0 * matrix[:3, 3]).astype(np.float32)
        uv = np.zeros((len(raw), 2), np.float32)
        if "TEXCOORD_0" in attributes:
            uv = self.accessor(attributes["TEXCOORD_0"]).astype(np.float32)
        order = np.arange(len(raw)) if "indices" not in primitive else self.accessor(primitive["indices"])[:, 0]
        triangles = order[: len(order) // 3 * 3].astype(np.int64).reshape(-1, 3)
        if (len(triangles) and triangles.max() >= len(raw)) or len(uv) != len(raw):
            raise ValueError("a triangle or a texture coordinate is without a vertex")
        moves = []
        for target in primitive.get("targets", ()):
            self.budget.take(raw.nbytes)
            there = "POSITION" in target
            moves.append(self.accessor(target["POSITION"]).astype(np.float32) @ turn if there else np.zeros_like(raw))
        extra = {}
        for name, index in attributes.items():
            if name.startswith("_"):
                values = self.accessor(index).astype(np.float32)
                extra[name] = values[:, 0] if values.shape[1] == 1 else values
        if not all(np.isfinite(numbers).all() for numbers in (vertices, uv, *moves)):
            raise Refused("it holds numbers that are infinite or none")
        material = self.document["materials"][primitive["material"]] if "material" in primitive else {}
        return Primitive(
            str(material.get("name", "")),
            vertices,
            uv,
            triangles.astype(np.int32),
            np.stack(moves) if moves else np.zeros((0, *raw.shape), np.float32),
            extra,
            bool(material.get("doubleSided", False)),
            self.accessor(attributes["NORMAL"]).astype(np.float32) @ turn / 1000 if "NORMAL" in attributes else None,
            self.base_color(material) if picture else None,
            float(material.get("pbrMetallicRoughness", {}).get("roughnessFactor", 1.0)),
        )

    def texture(self) -> bytes | None:
        over = [mesh for mesh in self.document["meshes"] if "shell" in mesh.get("extras", {})]
        worn = {primitive.get("material") for mesh in over for primitive in mesh["primitives"]}
        for number, material in enumerate(self.document.get("materials", ())):
            if number not in worn and (data := self.base_color(material)) is not None:
                return data
        return None

    def base_color(self, material: Json) -> bytes | None:
        told = material.get("pbrMetallicRoughness", {}).get("baseColorTexture")
        if told is None:
            return None
        image = self.document["images"][self.document["textures"][told["index"]]["source"]]
        if "bufferView" not in image:
            return None
        view = self.document["bufferViews"][image["bufferView"]]
        return self.view(image["bufferView"], 0, int(view["byteLength"]), "u1", 1).tobytes()
