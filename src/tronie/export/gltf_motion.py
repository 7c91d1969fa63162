"""Motion in a glTF document: a node that moves, morph targets that change, and the camera that saw it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.export.gltf_buffer import Buffer, Json
from tronie.geometry import Camera

NEAR_M = 0.01


@dataclass(frozen=True, eq=False)
class Course:
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


def put_motion(document: Json, buffer: Buffer, course: Course, units: int) -> None:
    """Animate a document's mesh (node 0), or its joints where it has some: those of a skinned mesh are what moves."""
    nodes = document["nodes"]
    moving = 0
    if "skins" in document:
        root = document["skins"][0]["skeleton"]
        moving = len(nodes)
        nodes.append({"name": "motion", "children": [root]})
        document["scenes"][0]["nodes"] = [0, moving]
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
        "yfov": 2 * math.atan(height / (2 * camera.focal * camera.aspect)), "aspectRatio": width / height,
        "znear": NEAR_M,
    }  # fmt: skip
    document["cameras"] = [{"name": "video", "type": "perspective", "perspective": lens}]
    document["nodes"].append({"name": "camera", "camera": 0})
    document["scenes"][0]["nodes"].append(len(document["nodes"]) - 1)
