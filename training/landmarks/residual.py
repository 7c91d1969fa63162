"""The blocks with a way around of dlib's recogniser (King 2017): their sizes, and writing and reading them as ONNX.

Of two sizes that do not agree in a sum, dlib fills up the smaller with zeros, and so does this.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from training.landmarks.onnx_graph import Graph, Layer

BLOCKS = (
    *((32, 1),) * 3,
    *((64, 2), (64, 1), (64, 1), (64, 1)),
    *((128, 2), (128, 1), (128, 1)),
    *((256, 2), (256, 1), (256, 1)),
    (256, 2),
)
"""Channels and stride of the residual blocks, from the input on."""
INNER = {6: "fine", 9: "middle", 12: "coarse"}
"""After these blocks the activations come out: (64, 17, 17), (128, 8, 8), (256, 4, 4)."""
FINE, MIDDLE, COARSE = (64, 17, 17), (128, 8, 8), (256, 4, 4)
UPPER = range(7, 13)
"""The blocks that make the coarse activations of the fine ones."""


def padding(side: int, wide: int, channels: int) -> tuple[int, int, int]:
    """Of a block of stride 2: rows that the way through lacks, channels that the way around lacks, and the side of what
    comes out."""
    here, there = (side - 3) // 2 + 1, (side - 2) // 2 + 1
    return there - here, wide - channels, there


def write_block(graph: Graph, x: str, index: int, layers: tuple[Layer, Layer], side: int, channels: int) -> str:
    """Block `index` of BLOCKS over `x` of so many channels and that side."""
    name, (wide, stride) = f"b{index}", BLOCKS[index]
    inner = graph.node("Relu", [graph.conv(x, name + "_1", layers[0], stride, 1 if stride == 1 else 0)], name + "_1r")
    inner, around = graph.conv(inner, name + "_2", layers[1], 1, 1), x
    if stride == 2:
        rows, more, _ = padding(side, wide, channels)
        around = graph.node("AveragePool", [x], name + "_a", kernel_shape=[2, 2], strides=[2, 2])
        inner = graph.padded(inner, name + "_i", 0, rows)
        around = graph.padded(around, name + "_c", more, 0)
    return graph.node("Relu", [graph.node("Add", [inner, around], name + "_s")], INNER.get(index, name))


def read_blocks(path: Path) -> dict[int, tuple[Layer, Layer]]:
    """The blocks, by their index, that an ONNX file holds as `write_block` wrote them."""
    held = {i.name: numpy_helper.to_array(i) for i in onnx.load(path).graph.initializer}

    def layer(name: str) -> Layer:
        return Layer(held[name + "_w_i"].astype(np.float32) * held[name + "_w_s"], held[name + "_b"].copy())

    return {k: (layer(f"b{k}_1"), layer(f"b{k}_2")) for k in range(len(BLOCKS)) if f"b{k}_1_b" in held}
