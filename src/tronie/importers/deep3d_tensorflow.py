"""Deep3D's net as its authors first published it, FaceReconModel.pb of TensorFlow 1, to an ONNX file.

The graph's pictures have their channels last, ONNX wants them first: a value of four axes is kept with the channels
first from the first convolution on, and turned back only where an operation needs it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.formats.safety import Budget
from tronie.formats.tensorflow_graph import Attribute, Node
from tronie.importers.deep3d_onnx import PORTS
from tronie.runtime.onnx_graph import OnnxGraph
from tronie.stages.deep3d.net import HEADS

OUTPUT = "coeff"
WIDEST = 1000
"""Pixels of a border."""
FIRST = (0, 3, 1, 2)
"""From channels last to channels first."""
LAST = (0, 2, 3, 1)
"""And back."""
AXIS = (0, 2, 3, 1)
"""Where the axes of TensorFlow's pictures are in ours."""

UNARY = {"Relu": "Relu", "Sqrt": "Sqrt", "Neg": "Neg", "Sigmoid": "Sigmoid", "Tanh": "Tanh"}
BINARY = {"Add": "Add", "AddV2": "Add", "BiasAdd": "Add", "Sub": "Sub", "Mul": "Mul", "RealDiv": "Div"}
SAME = ("Identity", "StopGradient", "PlaceholderWithDefault", "CheckNumerics")
"""Operations that give out what goes in."""
FOLDED: dict[str, Callable[..., Any]] = {
    "Add": np.add,
    "AddV2": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "RealDiv": np.divide,
    "Rsqrt": lambda x: 1 / np.sqrt(x),
    "Sqrt": np.sqrt,
    "Neg": np.negative,
}
"""What is computed now where all of it is constant."""


@dataclass(frozen=True, slots=True)
class Value:
    """What an operation gives out: a constant, or the name of a value in the ONNX graph."""

    name: str = ""
    constant: NDArray[Any] | None = None
    first: bool = False
    """Whether it is a picture with the channels first."""


def onnx_bytes(nodes: Mapping[str, Node], budget: Budget) -> bytes:
    """The ONNX file of a frozen graph that takes a BGR picture of 0..255 and gives `coeff`: input "image"
    (N, 3, 224, 224) RGB in 0..1, output "coefficients" (N, 257).

    Constants that are computed are taken from the budget of the file.
    Raises ValueError or Refused, their text the end of a sentence.
    """
    if OUTPUT not in nodes:
        raise ValueError(f"the graph gives out no {OUTPUT}")
    converter = _Converter(OnnxGraph("deep3d"), budget)
    for name in _order(nodes):
        converter.add(nodes[name])
    if converter.pictures != 1:
        raise ValueError(f"the graph takes {converter.pictures} pictures, not one")
    return converter.finished()


def _order(nodes: Mapping[str, Node]) -> list[str]:
    """The nodes that OUTPUT needs, each after its own inputs."""
    done: dict[str, bool] = {}
    waiting = [OUTPUT]
    order = []
    while waiting:
        name = waiting[-1]
        if done.get(name):
            waiting.pop()
        elif name in done:  # its inputs are done
            done[name] = True
            order.append(waiting.pop())
        else:
            if name not in nodes:
                raise ValueError(f"the graph lacks {name[:80]}")
            done[name] = False
            for source in nodes[name].inputs:
                if source in done and not done[source]:
                    raise ValueError("the graph runs in a circle")
                waiting.append(source)
    return order


@dataclass(slots=True)
class _Converter:
    graph: OnnxGraph
    budget: Budget
    values: dict[str, Value] = field(default_factory=dict)
    pictures: int = 0
    count: int = 0

    def new(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def emit(self, kind: str, inputs: list[str], first: bool, **attributes: Any) -> Value:
        return Value(self.graph.node(kind, inputs, self.new(), **attributes), first=first)

    def stored(self, value: NDArray[Any]) -> str:
        self.budget.take(value.nbytes)
        return self.graph.constant(self.new(), np.asarray(value))

    def picture(self, value: Value) -> str:
        """The name of a value with its channels first."""
        if value.constant is not None:
            raise ValueError("the graph computes with a constant picture")
        return value.name if value.first else self.emit("Transpose", [value.name], True, perm=FIRST).name

    def plain(self, value: Value) -> str:
        """The name of a value as TensorFlow has it."""
        if value.constant is not None:
            return self.stored(value.constant)
        return self.emit("Transpose", [value.name], False, perm=LAST).name if value.first else value.name

    def add(self, node: Node) -> None:
        """Convert a node whose inputs are converted."""
        self.budget.step()
        inputs = [self.values[name] for name in node.inputs]
        constants = [value.constant for value in inputs if value.constant is not None]
        try:
            if node.op in FOLDED and inputs and len(constants) == len(inputs):
                kind = np.result_type(*constants, np.float32)
                self.budget.take(math.prod(np.broadcast_shapes(*(c.shape for c in constants))) * kind.itemsize)
                with np.errstate(all="ignore"):
                    self.values[node.name] = Value(constant=np.asarray(FOLDED[node.op](*constants)))
            else:
                self.values[node.name] = self.converted(node, inputs)
        except (IndexError, TypeError) as error:
            raise ValueError(f"the graph's {node.name[:80]} ({node.op[:40]}) is damaged") from error

    def converted(self, node: Node, inputs: list[Value]) -> Value:
        op = node.op
        if op == "Const":
            value = node.attributes["value"].tensor if "value" in node.attributes else None
            if value is None:
                raise ValueError(f"the graph's {node.name[:80]} is not of numbers")
            return Value(constant=value)
        if op == "Placeholder":
            self.pictures += 1
            scaled = self.graph.node("Mul", ["image", self.stored(np.array(255, dtype=np.float32))], self.new())
            return self.emit("Gather", [scaled, self.stored(np.array([2, 1, 0]))], True, axis=1)
        if op in SAME or (op == "Cast" and _attribute(node, "DstT").dtype in (1, 2)):
            return inputs[0]
        if op in UNARY:
            return self.emit(UNARY[op], [inputs[0].name], inputs[0].first)
        if op == "Rsqrt":
            root = self.emit("Sqrt", [inputs[0].name], inputs[0].first)
            return self.emit("Reciprocal", [root.name], root.first)
        if op in BINARY:
            _channels_last(node)
            return self.binary(BINARY[op], inputs[0], inputs[1])
        if op in STEPS:
            return STEPS[op](self, node, inputs)
        raise ValueError(f"the graph has an operation that is not known here, {op[:40]} ({node.name[:80]})")

    def binary(self, kind: str, a: Value, b: Value) -> Value:
        if a.first or b.first:
            constant = a.constant if b.first else b.constant
            if a.first and b.first:
                return self.emit(kind, [a.name, b.name], True)
            if constant is not None and constant.ndim in (0, 1, 4):
                turned = constant.transpose(FIRST) if constant.ndim == 4 else constant.reshape(-1, 1, 1)
                other = self.stored(turned if constant.ndim else constant)
                return self.emit(kind, [other, b.name] if b.first else [a.name, other], True)
        return self.emit(kind, [self.plain(a), self.plain(b)], False)

    def finished(self) -> bytes:
        found = self.values[OUTPUT]
        if found.constant is not None:
            raise ValueError("the graph's answer does not depend on the picture")
        # One of the published files gives a 258th number, which its authors call a mistake.
        bounds = [self.stored(np.array([n])) for n in (0, sum(HEADS), 1)]
        self.graph.node("Slice", [self.plain(found), *bounds], "coefficients")
        return self.graph.finished(*PORTS)


def _attribute(node: Node, name: str) -> Attribute:
    return node.attributes.get(name, Attribute())


def _channels_last(node: Node) -> None:
    if (_attribute(node, "data_format").text or "NHWC") != "NHWC":
        raise ValueError(f"the graph's {node.name[:80]} has its channels first")


def _window(node: Node, size: tuple[int, ...]) -> dict[str, Any]:
    """Size, strides and padding of a convolution or pooling over `size` (height, width) pixels."""
    _channels_last(node)
    strides, padding = _attribute(node, "strides").list, _attribute(node, "padding").text
    modes = {"SAME": "SAME_UPPER", "VALID": "VALID"}
    if len(strides) != 4 or padding not in modes or set(_attribute(node, "dilations").list) - {1}:
        raise ValueError(f"the graph's {node.name[:80]} has a border or a step that is not known here")
    # Windows of one pixel need no border; ONNX Runtime computes one below 0 for pooling with a step.
    mode = "VALID" if size == (1, 1) else modes[padding]
    return {"kernel_shape": size, "strides": strides[1:3], "auto_pad": mode}


def _constant(node: Node, value: Value) -> NDArray[Any]:
    if value.constant is None:
        raise ValueError(f"the graph's {node.name[:80]} is not frozen: a number of it is not constant")
    return value.constant


def _convolution(c: _Converter, node: Node, inputs: list[Value]) -> Value:
    kernel = _constant(node, inputs[1])
    if kernel.ndim != 4:
        raise ValueError(f"the graph's {node.name[:80]} is damaged")
    stored = c.stored(kernel.transpose(3, 2, 0, 1))
    return c.emit("Conv", [c.picture(inputs[0]), stored], True, **_window(node, kernel.shape[:2]))


def _pool(kind: str) -> Callable[[_Converter, Node, list[Value]], Value]:
    def pool(c: _Converter, node: Node, inputs: list[Value]) -> Value:
        size = _attribute(node, "ksize").list
        if len(size) != 4:
            raise ValueError(f"the graph's {node.name[:80]} is damaged")
        return c.emit(kind, [c.picture(inputs[0])], True, **_window(node, size[1:3]))

    return pool


def _normalisation(c: _Converter, node: Node, inputs: list[Value]) -> Value:
    _channels_last(node)
    if _attribute(node, "is_training").truth is not False:
        raise ValueError("the graph is one for training")
    numbers = [c.stored(_constant(node, value)) for value in inputs[1:5]]
    epsilon = _attribute(node, "epsilon").real
    return c.emit(
        "BatchNormalization", [c.picture(inputs[0]), *numbers], True, epsilon=1e-4 if epsilon is None else epsilon
    )


def _pad(c: _Converter, node: Node, inputs: list[Value]) -> Value:
    border = _constant(node, inputs[1]).astype(np.int64)
    if border.shape != (4, 2) or border.min() < 0 or border.max() > WIDEST:
        raise ValueError(f"the graph's {node.name[:80]} has a border below 0 or larger than {WIDEST} pixels")
    if inputs[0].first:
        border = border[list(FIRST)]
    return c.emit("Pad", [inputs[0].name, c.stored(border.T.ravel())], inputs[0].first, mode="constant")


def _mean(c: _Converter, node: Node, inputs: list[Value]) -> Value:
    axes = [int(a) for a in _constant(node, inputs[1]).ravel()]
    keep = bool(_attribute(node, "keep_dims").truth)
    if inputs[0].first and (keep or _sides(axes)):
        axes = [AXIS[a] for a in axes]
        return c.emit("ReduceMean", [inputs[0].name], keep, axes=axes, keepdims=int(keep))
    return c.emit("ReduceMean", [c.plain(inputs[0])], False, axes=axes, keepdims=int(keep))


def _squeeze(c: _Converter, node: Node, inputs: list[Value]) -> Value:
    axes = list(_attribute(node, "squeeze_dims").list)
    if _sides(axes) and inputs[0].first:
        return c.emit("Squeeze", [inputs[0].name, c.stored(np.array([2, 3]))], False)
    if not axes:
        raise ValueError(f"the graph's {node.name[:80]} does not say which axes it drops")
    return c.emit("Squeeze", [c.plain(inputs[0]), c.stored(np.array(axes))], False)


def _sides(axes: list[int]) -> bool:
    """Whether the axes of a picture are its height and width."""
    return sorted(a % 4 for a in axes) == [1, 2]


def _reshape(c: _Converter, node: Node, inputs: list[Value]) -> Value:
    return c.emit("Reshape", [c.plain(inputs[0]), c.stored(_constant(node, inputs[1]).astype(np.int64))], False)


def _concatenate(c: _Converter, node: Node, inputs: list[Value]) -> Value:
    axis = int(_constant(node, inputs[-1]))
    if all(value.first for value in inputs[:-1]):
        return c.emit("Concat", [value.name for value in inputs[:-1]], True, axis=AXIS[axis])
    return c.emit("Concat", [c.plain(value) for value in inputs[:-1]], False, axis=axis)


def _product(c: _Converter, node: Node, inputs: list[Value]) -> Value:
    matrix = _constant(node, inputs[1])
    matrix = matrix.T if _attribute(node, "transpose_b").truth else matrix
    if _attribute(node, "transpose_a").truth:
        raise ValueError(f"the graph's {node.name[:80]} is a product that is not known here")
    return c.emit("MatMul", [c.plain(inputs[0]), c.stored(matrix)], False)


STEPS: dict[str, Callable[[_Converter, Node, list[Value]], Value]] = {
    "Conv2D": _convolution,
    "MaxPool": _pool("MaxPool"),
    "AvgPool": _pool("AveragePool"),
    "FusedBatchNorm": _normalisation,
    "FusedBatchNormV2": _normalisation,
    "FusedBatchNormV3": _normalisation,
    "Pad": _pad,
    "Mean": _mean,
    "Squeeze": _squeeze,
    "Reshape": _reshape,
    "ConcatV2": _concatenate,
    "MatMul": _product,
}
"""Operations that need more than another name."""
