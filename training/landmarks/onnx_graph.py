"""Writing a net as ONNX, node by node. Weights are kept in half precision, or in eight bits, and made whole when the
net is loaded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


@dataclass(frozen=True)
class Layer:
    """A convolution: weight (O, I, S, S), bias (O,)."""

    weight: np.ndarray
    bias: np.ndarray


class Graph:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def node(self, kind: str, inputs: list[str], output: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def half(self, name: str, value: np.ndarray) -> str:
        """In half precision."""
        return self.node("Cast", [self.constant(name + "_half", value.astype(np.float16))], name, to=TensorProto.FLOAT)

    def rounded(self, name: str, weight: np.ndarray) -> str:
        """A weight (O, ...) in eight bits: 255 steps for each output channel."""
        step = np.maximum(np.abs(weight).reshape(len(weight), -1).max(axis=1), 1e-12) / 127
        step = step.reshape(-1, *[1] * (weight.ndim - 1))
        whole = self.constant(name + "_i", np.round(weight / step).astype(np.int8))
        cast = self.node("Cast", [whole], name + "_f", to=TensorProto.FLOAT)
        return self.node("Mul", [cast, self.constant(name + "_s", step.astype(np.float32))], name)

    def conv(self, x: str, name: str, layer: Layer, stride: int, padding: int) -> str:
        """Its weights in eight bits."""
        side = layer.weight.shape[-1]
        inputs = [x, self.rounded(name + "_w", layer.weight), self.constant(name + "_b", layer.bias.astype(np.float32))]
        shape = {"kernel_shape": [side, side], "strides": [stride, stride], "pads": [padding] * 4}
        return self.node("Conv", inputs, name, **shape)

    def padded(self, x: str, name: str, channels: int, rows: int) -> str:
        """Zeros after the last channels, rows and columns."""
        if not channels and not rows:
            return x
        pads = np.array([0, 0, 0, 0, 0, channels, rows, rows], np.int64)
        return self.node("Pad", [x, self.constant(name + "_p", pads)], name)

    def model(
        self, name: str, inputs: dict[str, tuple[int, ...]], outputs: dict[str, tuple[int, ...]]
    ) -> onnx.ModelProto:
        """Checked; shapes are of one row of the batch."""

        def port(name: str, shape: tuple[int, ...]) -> onnx.ValueInfoProto:
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])

        ports = [[port(n, shape) for n, shape in side.items()] for side in (inputs, outputs)]
        graph = helper.make_graph(self.nodes, name, *ports, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 9
        onnx.checker.check_model(model)
        return model
