"""The net of net.py as ONNX, and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from training.superres.net import BLOCKS, FOLD, LEVELS, SLOPE, AttentionUnit, ChannelUnit, FaceNet

OUTPUTS = ("restored", "vivid", "doubt")
WIDE = 112
"""Channels from which weights are kept in eight bits, with a step for each channel that comes out; others in half
precision. The small scales of the U have most weights and paint nothing themselves."""
LEVELS_8 = 127


def begin_with_own(net: FaceNet, path: Path) -> None:
    """Make `net` do what the net in a file does. One with fewer units or scales is a beginning too: what `net` has more
    is silent. Raises ValueError for a file that is not of such a net."""
    found = {entry.name: numpy_helper.to_array(entry) for entry in onnx.load(path).graph.initializer}
    found |= {name: array * found[f"{name}.step"] for name, array in found.items() if f"{name}.step" in found}
    state = net.state_dict()
    with torch.no_grad():
        for name, value in state.items():
            array = found.get(name if name == "mean" else name.replace("weight", "w").replace("bias", "b"))
            if array is not None:
                value.copy_(torch.from_numpy(array.astype(np.float32)).reshape(value.shape))
            elif name in ("mean", "see.weight", "paint.weight"):
                raise ValueError(f"{path} is not a net for small faces")


def save_onnx(net: FaceNet, path: Path) -> None:
    """image (batch, 3, h, w) in 0..1 -> what `FaceNet.paintings` gives."""
    writer = _Writer(net)
    known = writer.known("image")
    restored = writer.shuffled(writer.convolved(writer.convolved(known, "mix"), "paint"))
    x = writer.units(writer.convolved(known, "join"), "flair")
    vivid = writer.node("Add", restored, writer.shuffled(writer.convolved(x, "enliven")))
    doubt = writer.shuffled(writer.convolved(x, "weigh"))
    for made, name in zip((restored, vivid, doubt), OUTPUTS, strict=True):
        writer.node("Identity", made, named=name)
    ports = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", channels, height, width])
        for name, channels, height, width in (
            ("image", 3, "h", "w"), ("restored", 3, "4h", "4w"), ("vivid", 3, "4h", "4w"), ("doubt", 1, "4h", "4w"),
        )
    ]  # fmt: skip
    graph = helper.make_graph(writer.nodes, "face_enhance", ports[:1], ports[1:], writer.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.checker.check_model(model)
    onnx.save(model, path)


class _Writer:
    """Nodes and constants, one after the other."""

    def __init__(self, net: FaceNet) -> None:
        self.net = net
        self.nodes: list[onnx.NodeProto] = []
        self.constants = [
            numpy_helper.from_array(np.array(value, np.float32), name)
            for name, value in (
                ("twice", [1, 1, 2, 2]),
                ("half", 0.5),
                ("levels", LEVELS),
                ("mean", net.mean.numpy()[None]),
            )
        ]

    def node(self, kind: str, *inputs: str, named: str = "", **attributes: object) -> str:
        name = named or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def weights(self, name: str, value: torch.Tensor) -> str:
        array = value.detach().numpy()
        if array.ndim < 4 or len(array) < WIDE:
            self.constants.append(numpy_helper.from_array(array.astype(np.float16), name))
            return self.node("Cast", name, to=TensorProto.FLOAT)
        step = np.maximum(np.abs(array).max(axis=(1, 2, 3), keepdims=True) / LEVELS_8, 1e-12).astype(np.float32)
        self.constants.append(numpy_helper.from_array(np.rint(array / step).astype(np.int8), name))
        self.constants.append(numpy_helper.from_array(step, f"{name}.step"))
        return self.node("Mul", self.node("Cast", name, to=TensorProto.FLOAT), f"{name}.step")

    def convolved(self, x: str, name: str) -> str:
        layer = self.net.get_submodule(name)
        assert isinstance(layer, nn.Conv2d)
        w, b = self.weights(name + ".w", layer.weight), self.weights(name + ".b", layer.bias)
        return self.node("Conv", x, w, b, kernel_shape=layer.kernel_size, strides=layer.stride, pads=layer.padding * 2)

    def bent(self, x: str) -> str:
        return self.node("LeakyRelu", x, alpha=SLOPE)

    def swish(self, x: str) -> str:
        return self.node("Mul", x, self.node("Sigmoid", x))

    def shuffled(self, x: str) -> str:
        return self.node("DepthToSpace", x, blocksize=FOLD, mode="CRD")

    def twice(self, x: str) -> str:
        how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return self.node("Resize", x, "", "twice", **how)

    def units(self, x: str, name: str) -> str:
        layers = self.net.get_submodule(name)
        assert isinstance(layers, nn.Sequential)
        for i, unit in enumerate(layers):
            at = f"{name}.{i}."
            f = self.convolved(self.bent(self.convolved(x, at + "first")), at + "second")
            if isinstance(unit, AttentionUnit):
                wide = self.bent(self.convolved(f, at + "down"))
                deep = self.bent(self.convolved(self.bent(self.convolved(wide, at + "deeper")), at + "deepest"))
                seen = self.convolved(self.twice(self.node("Add", wide, self.twice(deep))), at + "attend")
            else:
                assert isinstance(unit, ChannelUnit)
                squeezed = self.bent(self.convolved(self.node("GlobalAveragePool", f), at + "squeeze"))
                seen = self.convolved(squeezed, at + "excite")
            x = self.node("Add", x, self.node("Mul", f, self.node("Sigmoid", seen)))
        return x

    def known(self, image: str) -> str:
        seen = self.convolved(self.node("Mul", self.node("Sub", image, "mean"), "levels"), "see")
        x, inside, early = seen, "", ""
        for k in range(BLOCKS):
            at = f"blocks.{k}."
            inside = self.swish(self.convolved(x, at + "first"))
            last = self.convolved(self.swish(self.convolved(inside, at + "second")), at + "third")
            x = self.node("Mul", self.node("Add", last, x), self.node("Sub", self.node("Sigmoid", last), "half"))
            early = early or x
            if k == BLOCKS // 2 - 1:
                x = self.node("Add", x, self.convolved(self.face(x), "tell"))
        return self.node("Concat", seen, self.convolved(x, "gather"), early, inside, axis=1)

    def face(self, x: str) -> str:
        half = self.units(self.bent(self.convolved(x, "halve")), "down")
        quarter = self.units(self.bent(self.convolved(half, "quarter")), "body")
        eighth = self.units(self.bent(self.convolved(quarter, "eighth")), "deep")
        quarter = self.node("Add", quarter, self.twice(self.convolved(eighth, "rise")))
        half = self.units(self.node("Add", half, self.twice(self.convolved(quarter, "widen"))), "up")
        return self.units(self.node("Add", x, self.twice(self.convolved(half, "spread"))), "last")
