"""From the numbers of a Deep3D checkpoint to an ONNX file. Only importing needs this module and the package onnx."""

from __future__ import annotations

import numpy as np

from tronie.runtime.onnx_graph import OnnxGraph, Port
from tronie.stages.deep3d.align import SIDE
from tronie.stages.deep3d.net import HEADS, State, blocks, folded

PORTS: tuple[Port, Port] = ("image", (3, SIDE, SIDE)), ("coefficients", (sum(HEADS),))
"""What goes in and what comes out."""


def onnx_bytes(state: State, width: int = 64) -> bytes:
    """The ONNX file: input "image" (N, 3, 224, 224) RGB in 0..1, output "coefficients" (N, 257).

    Batch normalisation is folded into kernels (in float64, stored as float32), and the seven heads are one product.
    """
    graph = OnnxGraph("deep3d")

    def convolution(x: str, name: str, norm: str, stride: int, active: bool) -> str:
        kernel, bias = folded(state, name, norm)
        side = kernel.shape[2]
        x = graph.node(
            "Conv",
            [x, graph.constant(f"{name}.kernel", kernel), graph.constant(f"{name}.bias", bias)],
            f"{name}.out",
            kernel_shape=[side, side],
            strides=[stride, stride],
            pads=[side // 2] * 4,
        )
        return graph.node("Relu", [x], f"{name}.active") if active else x

    x = convolution("image", "backbone.conv1", "backbone.bn1", 2, True)
    x = graph.node("MaxPool", [x], "backbone.maxpool", kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    for block in blocks(width):
        n = block.name
        beside = convolution(x, f"{n}.downsample.0", f"{n}.downsample.1", block.stride, False) if block.shortcut else x
        x = convolution(x, f"{n}.conv1", f"{n}.bn1", 1, True)
        x = convolution(x, f"{n}.conv2", f"{n}.bn2", block.stride, True)
        x = convolution(x, f"{n}.conv3", f"{n}.bn3", 1, False)
        x = graph.node("Relu", [graph.node("Add", [x, beside], f"{n}.sum")], f"{n}.out")
    x = graph.node("ReduceMean", [x], "features", axes=[2, 3], keepdims=0)
    weights = [state[f"final_layers.{i}.weight"].reshape(count, -1) for i, count in enumerate(HEADS)]
    bias = [state[f"final_layers.{i}.bias"] for i in range(len(HEADS))]
    inputs = [
        x,
        graph.constant("heads.weight", np.concatenate(weights)),
        graph.constant("heads.bias", np.concatenate(bias)),
    ]
    graph.node("Gemm", inputs, "coefficients", transB=1)
    return graph.finished(*PORTS)
