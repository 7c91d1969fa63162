"""What a glTF 2.0 document is made of: buffer views and accessors, the container of a .glb, joints, motion, camera."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.geometry import Camera
from tronie.head.materials import Look
from tronie.head.model import Head
from tronie.head.skeleton import HEAD, skeleton, skinning_weights
from tronie.head.surface import Piece, Same

Json = dict[str, Any]

UNSIGNED_BYTE, UNSIGNED_SHORT, UNSIGNED_INT, FLOAT = 5121, 5123, 5125, 5126
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963

Kind = tuple[type[Any], int]
"""A type of vertex numbers: NumPy's and glTF's."""


class Buffer:
    """Grows the binary buffer, its views and its accessors."""

    def __init__(self, length: int = 0, views: int = 0, accessors: int = 0) -> None:
        self.chunks: list[memoryview] = []
        self.views: list[Json] = []
        self.accessors: list[Json] = []
        self.length = length
        self._first_view, self._first_accessor = views, accessors

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
        return self._first_view + len(self.views) - 1

    def _say(self, accessor: Json) -> int:
        self.accessors.append(accessor)
        return self._first_accessor + len(self.accessors) - 1

    def attribute(self, rows: NDArray[Any], bounds: bool = False, normalized: bool = False) -> int:
        """A vertex attribute (N,) or (N, k) of float32, or (N, 4) of uint8; the number of its accessor."""
        values = rows if rows.ndim == 2 else rows[:, None]
        count, width = values.shape
        accessor: Json = {"count": count, "type": "SCALAR" if width == 1 else f"VEC{width}"}
        if values.dtype == np.uint8:
            accessor |= {"componentType": UNSIGNED_BYTE} | ({"normalized": True} if normalized else {})
        else:
            values = np.asarray(values, dtype=np.float32)
            accessor["componentType"] = FLOAT
        accessor["bufferView"] = self.add(values, ARRAY_BUFFER)
        return self._say(accessor | (extent(values) if bounds else {}))

    def indices(self, rows: NDArray[Any], kind: Kind) -> int:
        view = self.add(rows.astype(kind[0]), ELEMENT_ARRAY_BUFFER)
        return self._say({"bufferView": view, "componentType": kind[1], "count": rows.size, "type": "SCALAR"})

    def series(self, rows: NDArray[Any], bounds: bool = False) -> int:
        """Numbers (T,) or (T, k) of an animation; the number of their accessor."""
        values = np.ascontiguousarray(rows if rows.ndim == 2 else rows[:, None], dtype=np.float32)
        count, width = values.shape
        accessor: Json = {
            "bufferView": self.add(values),
            "componentType": FLOAT,
            "count": count,
            "type": "SCALAR" if width == 1 else f"VEC{width}",
        }
        return self._say(accessor | (extent(values) if bounds else {}))

    def matrices(self, rows: NDArray[Any]) -> int:
        """(N, 4, 4), which glTF stores by columns."""
        view = self.add(np.ascontiguousarray(rows.transpose(0, 2, 1), dtype=np.float32))
        return self._say({"bufferView": view, "componentType": FLOAT, "count": len(rows), "type": "MAT4"})

    def sparse(self, rows: NDArray[np.float32], kind: Kind, bounds: bool = True) -> int:
        """Displacements (N, 3), of which only the rows that are not zero are stored.

        Where none is, one (zero) row still is: legal either way, but some readers expect at least one.
        """
        moved = np.flatnonzero(rows.any(axis=1))
        if not len(moved):
            moved = np.zeros(1, dtype=np.int64)
        accessor: Json = {"componentType": FLOAT, "count": len(rows), "type": "VEC3"}
        accessor |= extent(rows) if bounds else {}
        accessor["sparse"] = {
            "count": len(moved),
            "indices": {"bufferView": self.add(moved.astype(kind[0])), "componentType": kind[1]},
            "values": {"bufferView": self.add(rows[moved])},
        }
        return self._say(accessor)


def index_type(vertices: int) -> Kind:
    """Of vertex numbers. The largest number of a type is reserved (primitive restart)."""
    return (np.uint16, UNSIGNED_SHORT) if vertices < 65535 else (np.uint32, UNSIGNED_INT)


def extent(rows: NDArray[Any]) -> Json:
    """Exact least and greatest of each column: float32 numbers survive as float64 text."""
    return {"min": rows.min(axis=0).astype(float).tolist(), "max": rows.max(axis=0).astype(float).tolist()}


def container(document: Json, length: int) -> Iterator[memoryview]:
    """The header, the JSON chunk and the head of the binary chunk (glTF 2.0, section 4.4)."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", errors="replace")
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + length
    yield memoryview(struct.pack("<4sII", b"glTF", 2, total))
    yield memoryview(struct.pack("<I4s", len(text), b"JSON"))
    yield memoryview(text)
    yield memoryview(struct.pack("<I4s", length, b"BIN\0"))


# Materials: glTF's own and what the extensions say more; who does not know them leaves them out.

IOR = 1.5
"""What glTF takes for every material that says nothing."""


def material(name: str, look: Look, textures: Mapping[str, int], roughness: float | None = None) -> Json:
    """A material of the document; `textures` are those it has, by their numbers: `texture` its colour, `normal`,
    `surface` its occlusion and roughness. `roughness`: another than the look's."""
    surface: Json = {"metallicFactor": 0.0, "roughnessFactor": look.roughness if roughness is None else roughness}
    if "texture" in textures:
        surface["baseColorTexture"] = {"index": textures["texture"]}
    else:
        surface["baseColorFactor"] = [*look.color, 1.0]
    found: Json = {"name": name, "pbrMetallicRoughness": surface, "doubleSided": look.both_sides}
    if "normal" in textures:
        found["normalTexture"] = {"index": textures["normal"]}
    if "surface" in textures:
        surface |= {"metallicRoughnessTexture": {"index": textures["surface"]}, "roughnessFactor": 1.0}
        found["occlusionTexture"] = {"index": textures["surface"]}
    extensions: Json = {}
    if look.ior != IOR:
        extensions["KHR_materials_ior"] = {"ior": look.ior}
    if look.specular < 1:
        extensions["KHR_materials_specular"] = {"specularFactor": look.specular}
    if look.coat[0]:
        extensions["KHR_materials_clearcoat"] = {
            "clearcoatFactor": look.coat[0],
            "clearcoatRoughnessFactor": look.coat[1],
        }
    return found | ({"extensions": extensions} if extensions else {})


def extensions_used(materials: Iterable[Json]) -> list[str]:
    return sorted({name for one in materials for name in one.get("extensions", ())})


# Joints in a glTF document: nodes, a skin, and for each vertex the joints that it follows.


class GltfSkin:
    """One head's. The joints' matrices go into the buffer at once."""

    def __init__(self, head: Head, buffer: Buffer) -> None:
        self.bones = skeleton(head)
        self._weights = skinning_weights(Same(head.model), head.level)
        self._buffer = buffer
        bind = np.tile(np.eye(4, dtype=np.float32), (len(self.bones.names), 1, 1))
        bind[:, :3, 3] = -0.001 * self.bones.positions
        self._bind = buffer.matrices(bind)

    def attributes(self, piece: Piece) -> Json:
        """JOINTS_0 and WEIGHTS_0 of a piece: the four strongest joints, weights in steps of 1/255."""
        follow = self._weights[piece.vertex]
        joints = np.argsort(-follow, axis=1, kind="stable")[:, :4].astype(np.uint8)
        if joints.shape[1] < 4:
            joints = np.pad(joints, ((0, 0), (0, 4 - joints.shape[1])))
        chosen = np.take_along_axis(follow, joints.astype(np.int64), axis=1)
        chosen[:, self._weights.shape[1] :] = 0  # the padding
        steps = np.floor(255 * chosen / chosen.sum(axis=1, keepdims=True)).astype(np.int64)
        steps[:, 0] += 255 - steps.sum(axis=1)
        joints[steps == 0] = 0
        return {
            "JOINTS_0": self._buffer.attribute(joints),
            "WEIGHTS_0": self._buffer.attribute(steps.astype(np.uint8), normalized=True),
        }

    def follows(self, count: int, joint: str) -> Json:
        """JOINTS_0 and WEIGHTS_0 of so many vertices that move with one joint alone, the skull where it is missing."""
        joints, weights = np.zeros((count, 4), np.uint8), np.zeros((count, 4), np.uint8)
        joints[:, 0] = self.bones.names.index(joint if joint in self.bones.names else HEAD)
        weights[:, 0] = 255
        return {
            "JOINTS_0": self._buffer.attribute(joints),
            "WEIGHTS_0": self._buffer.attribute(weights, normalized=True),
        }

    def put_into(self, document: Json) -> None:
        """The mesh's node comes first; its place in the scene does not count, the joints' does."""
        bones, first = self.bones, len(document["nodes"])
        for number, (name, parent) in enumerate(zip(bones.names, bones.parents, strict=True)):
            offset = bones.positions[number] - (bones.positions[parent] if parent >= 0 else 0)
            node: Json = {"name": name, "translation": (0.001 * offset).tolist()}
            if children := [first + k for k, above in enumerate(bones.parents) if above == number]:
                node["children"] = children
            document["nodes"].append(node)
        document["scenes"][0]["nodes"].append(first)
        document["nodes"][0]["skin"] = 0
        document["skins"] = [
            {
                "name": "head",
                "joints": [first + k for k in range(len(bones.names))],
                "inverseBindMatrices": self._bind,
                "skeleton": first,
            }
        ]


# Motion in a glTF document: a node that moves, morph targets that change, and the camera that saw it.

NEAR_M = 0.01


@dataclass(frozen=True, eq=False)
class GltfAnimation:
    """What moves in a file, T moments of it. Between them a viewer interpolates."""

    time: Array
    """(T,) seconds, growing."""
    rotation: Array
    """(T, 3, 3) of the head, in axes x right, y up, z towards the viewer."""
    translation: Array
    """(T, 3) mm, in the same axes, from the camera."""
    weights: Array
    """(T, U) of the model's units, 0..1."""
    camera: Camera | None = None
    """That saw it, from the origin."""
    name: str = "video"


def put_motion(document: Json, buffer: Buffer, course: GltfAnimation, units: int) -> None:
    """Animate a document's mesh (node 0), or its joints where it has some: those of a skinned mesh are what moves."""
    nodes = document["nodes"]
    moving = 0
    if "skins" in document:
        root = document["skins"][0]["skeleton"]
        moving = len(nodes)
        nodes.append({"name": "motion", "children": [root]})
        document["scenes"][0]["nodes"] = [moving if node == root else node for node in document["scenes"][0]["nodes"]]
    first, turn = course.translation[0] * 0.001, quaternions(course.rotation)
    nodes[moving] |= {"translation": first.astype(float).tolist(), "rotation": turn[0].astype(float).tolist()}
    time = buffer.series(course.time, bounds=True)
    outputs = {
        "translation": (moving, buffer.series(course.translation * 0.001)),
        "rotation": (moving, buffer.series(turn)),
    }
    if units and course.weights.shape[1] == units:
        outputs["weights"] = (0, buffer.series(course.weights.reshape(-1)))
    samplers = [{"input": time, "output": output, "interpolation": "LINEAR"} for _, output in outputs.values()]
    channels = [
        {"sampler": k, "target": {"node": node, "path": path}} for k, (path, (node, _)) in enumerate(outputs.items())
    ]
    document["animations"] = [{"name": course.name, "samplers": samplers, "channels": channels}]
    if course.camera is not None:
        _put_camera(document, course.camera)


def quaternions(rotations: Array) -> NDArray[np.float32]:
    """(T, 3, 3) -> (T, 4) x, y, z, w of length 1, neighbours on the same side of the sphere."""
    m = np.asarray(rotations, dtype=np.float64)
    trace = m[:, [0, 1, 2], [0, 1, 2]]
    signs = np.array([[1, -1, -1], [-1, 1, -1], [-1, -1, 1], [1, 1, 1]])
    squares = np.maximum(1 + trace @ signs.T, 0) / 4  # of x, y, z, w
    # From the largest component the others follow without loss (Shepperd 1978).
    a = np.stack([m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]], axis=1) / 4
    s = np.stack([m[:, 1, 0] + m[:, 0, 1], m[:, 2, 0] + m[:, 0, 2], m[:, 2, 1] + m[:, 1, 2]], axis=1) / 4
    products = np.empty((len(m), 4, 4))
    products[:, range(4), range(4)] = squares
    for (i, j), value in {(0, 1): s[:, 0], (0, 2): s[:, 1], (1, 2): s[:, 2]}.items():
        products[:, i, j] = products[:, j, i] = value
    for i in range(3):
        products[:, i, 3] = products[:, 3, i] = a[:, i]
    largest = squares.argmax(axis=1)
    q = products[np.arange(len(m)), largest]
    q /= np.linalg.norm(q, axis=1, keepdims=True)
    flips = np.where((q[1:] * q[:-1]).sum(axis=1) < 0, -1.0, 1.0)
    q[1:] *= np.cumprod(flips)[:, None]
    return np.asarray(q, dtype=np.float32)


def _put_camera(document: Json, camera: Camera) -> None:
    width, height = camera.size
    lens = {
        "yfov": 2 * math.atan(height / (2 * camera.focal * camera.aspect)),
        "aspectRatio": width / height,
        "znear": NEAR_M,
    }
    document["cameras"] = [{"name": "video", "type": "perspective", "perspective": lens}]
    document["nodes"].append({"name": "camera", "camera": 0})
    document["scenes"][0]["nodes"].append(len(document["nodes"]) - 1)
