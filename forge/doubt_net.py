"""The net that says what hides a face and whether it is a photograph at all, for training (PyTorch), and its export.

Like shape_net.py it reads the landmark net's early (32 x 32 cells) and late (8 x 8 cells) activations, which know faces
already; so it is small, and learns from few people.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

OUTPUTS = ("mouth", "eye_left", "eye_right", "drawing")
"""Logits: mouth, subject's left and right eye covered; the face is drawn, painted or carved."""
MIRRORED = (0, 2, 1, 3)
"""Of each output, which one it is in a mirror."""
EARLY, LATE = (32, 32, 32), (128, 8, 8)
LAYERS = ((32, 32, 3, 2), (32, 64, 3, 2))
JOINED = ((192, 64, 1, 1), (64, 64, 3, 1), (64, 24, 1, 1))
HIDDEN = 64
"""Convolutions as in shape_net: channels in, out, side, stride; the second row over both, side by side."""


def _convolutions(layers: tuple[tuple[int, int, int, int], ...]) -> nn.Sequential:
    return nn.Sequential(*(
        nn.Sequential(nn.Conv2d(i, o, side, stride, side // 2, bias=False), nn.BatchNorm2d(o), nn.ReLU())
        for i, o, side, stride in layers
    ))  # fmt: skip


class DoubtNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.early_norm, self.late_norm = nn.BatchNorm2d(EARLY[0], affine=False), nn.BatchNorm2d(LATE[0], affine=False)
        self.early, self.joined = _convolutions(LAYERS), _convolutions(JOINED)
        self.hidden, self.out = nn.Linear(JOINED[-1][1] * 64, HIDDEN), nn.Linear(HIDDEN, len(OUTPUTS))
        self.drops = nn.ModuleList([nn.Dropout2d(0.1), nn.Dropout2d(0.2), nn.Dropout(0.2), nn.Dropout(0.3)])

    def forward(self, early: torch.Tensor, late: torch.Tensor) -> torch.Tensor:
        """(B, 32, 32, 32), (B, 128, 8, 8) -> (B, 4) logits."""
        x = self.early(self.drops[0](self.early_norm(early)))
        x = self.joined(torch.cat([x, self.drops[1](self.late_norm(late))], 1)).flatten(1)
        return self.out(self.drops[3](torch.relu(self.hidden(self.drops[2](x)))))


def save_onnx(net: DoubtNet, path: Path, shift: np.ndarray) -> None:
    """`early`, `late` -> `doubts` (batch, 4) in 0..1; normalisations folded in, weights in half precision. `shift` (4,)
    is added to the logits, so that 0.5 is where a warning begins."""
    w = {k: v.double().numpy() for k, v in net.state_dict().items()}
    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []

    def port(name: str, shape: tuple[int, ...]) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])

    def constant(name: str, value: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(value.astype(np.float16), name + "_half"))
        nodes.append(helper.make_node("Cast", [name + "_half"], [name], to=TensorProto.FLOAT))
        return name

    def normalised(name: str, norm: str) -> str:
        mean, scale = w[norm + ".running_mean"], 1 / np.sqrt(w[norm + ".running_var"] + 1e-5)
        nodes.append(helper.make_node("Sub", [name, constant(norm + "_m", mean[:, None, None])], [name + "_0"]))
        nodes.append(helper.make_node("Mul", [name + "_0", constant(norm + "_s", scale[:, None, None])], [name + "_1"]))
        return name + "_1"

    def convolved(x: str, block: str, layers: tuple[tuple[int, int, int, int], ...]) -> str:
        for i, (_, _, side, stride) in enumerate(layers):
            key = f"{block}.{i}."
            gain = w[key + "1.weight"] / np.sqrt(w[key + "1.running_var"] + 1e-5)
            weight = constant(key + "w", w[key + "0.weight"] * gain[:, None, None, None])
            bias = constant(key + "b", w[key + "1.bias"] - w[key + "1.running_mean"] * gain)
            nodes.append(helper.make_node("Conv", [x, weight, bias], [key + "c"], kernel_shape=[side, side],
                                          strides=[stride, stride], pads=[side // 2] * 4))  # fmt: skip
            nodes.append(helper.make_node("Relu", [key + "c"], [key + "r"]))
            x = key + "r"
        return x

    def dense(x: str, layer: str, bias: np.ndarray) -> str:
        ports = [x, constant(layer + "_w", w[layer + ".weight"]), constant(layer + "_b", bias)]
        nodes.append(helper.make_node("Gemm", ports, [layer + "_y"], transB=1))
        return layer + "_y"

    x = convolved(normalised("early", "early_norm"), "early", LAYERS)
    nodes.append(helper.make_node("Concat", [x, normalised("late", "late_norm")], ["both"], axis=1))
    nodes.append(helper.make_node("Flatten", [convolved("both", "joined", JOINED)], ["flat"]))
    nodes.append(helper.make_node("Relu", [dense("flat", "hidden", w["hidden.bias"])], ["told"]))
    nodes.append(helper.make_node("Sigmoid", [dense("told", "out", w["out.bias"] + shift)], ["doubts"]))
    graph = helper.make_graph(
        nodes, "face_doubts", [port("early", EARLY), port("late", LATE)], [port("doubts", (len(OUTPUTS),))], constants
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.checker.check_model(model)
    onnx.save(model, path)
