"""Joints in a glTF document: nodes, a skin, and for each vertex the joints that it follows."""

from __future__ import annotations

import numpy as np

from tronie.export.gltf_buffer import Buffer, Json
from tronie.head.model import Head
from tronie.head.skeleton import skeleton, weights
from tronie.head.surface import Piece, Same


class Joints:
    """One head's. The joints' matrices go into the buffer at once."""

    def __init__(self, head: Head, buffer: Buffer) -> None:
        self.bones = skeleton(head)
        self._weights = weights(Same(head.model), head.level)
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
