"""The net that reads shape off the landmark net's activations, for training (PyTorch), and its export.

A small convolutional net makes 256 numbers of the early (32 x 32 cells) and late (8 x 8 cells) activations; they and
what the points say go through one hidden layer, beside a linear path. The first half becomes face_shape.onnx, the
second the arrays of `tronie.stages.fit.regressor.Calibration`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

FEATURES = 256
HIDDEN = 256
EARLY, LATE = (32, 32, 32), (128, 8, 8)
LAYERS = ((32, 48, 3, 1), (48, 96, 3, 2), (96, 96, 3, 1), (96, 128, 3, 2))
"""Convolutions over the early activations: channels in, out, side of the kernel, stride."""
JOINED = ((256, 128, 3, 1), (128, 160, 3, 2), (160, 64, 1, 1))
"""Over their result beside the late activations."""


def _convolutions(layers: tuple[tuple[int, int, int, int], ...]) -> nn.Sequential:
    return nn.Sequential(*(
        nn.Sequential(nn.Conv2d(i, o, side, stride, side // 2, bias=False), nn.BatchNorm2d(o), nn.ReLU())
        for i, o, side, stride in layers
    ))  # fmt: skip


class ShapeNet(nn.Module):
    def __init__(self, told: int, outputs: int, extra: int, blind: np.ndarray) -> None:
        """`told` numbers come from the points; `extra` outputs only help to learn. The last of `outputs` is the
        nearness, which may not see the inputs where `blind` (FEATURES + told,) is 0."""
        super().__init__()
        self.early_norm, self.late_norm = nn.BatchNorm2d(EARLY[0], affine=False), nn.BatchNorm2d(LATE[0], affine=False)
        self.early, self.joined = _convolutions(LAYERS), _convolutions(JOINED)
        self.embed, self.embed_norm = nn.Linear(1024, FEATURES), nn.BatchNorm1d(FEATURES)
        count = FEATURES + told
        self.hidden, self.out = nn.Linear(count, HIDDEN), nn.Linear(HIDDEN, outputs)
        self.direct, self.extra = nn.Linear(count, outputs), nn.Linear(count, extra)
        self.nearness, self.doubt = nn.Linear(count, 1), nn.Linear(HIDDEN, 1)
        self.register_buffer("blind", torch.tensor(blind, dtype=torch.float32))
        self.drops = nn.ModuleList([nn.Dropout2d(0.05), nn.Dropout2d(0.15), nn.Dropout(0.1), nn.Dropout(0.05)])

    def features(self, early: torch.Tensor, late: torch.Tensor) -> torch.Tensor:
        """(B, 32, 32, 32), (B, 128, 8, 8) -> (B, 256)."""
        x = self.early(self.drops[0](self.early_norm(early)))
        x = self.joined(torch.cat([x, self.drops[1](self.late_norm(late))], 1))
        return self.embed_norm(self.embed(self.drops[2](x.flatten(1))))

    def forward(
        self, early: torch.Tensor, late: torch.Tensor, told: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Outputs (B, outputs), extra outputs (B, extra), logarithm of the identity's error (B,)."""
        z = torch.cat([self.features(early, late), self.drops[3](told)], 1)
        h = nn.functional.silu(self.hidden(z))
        y = self.out(h) + self.direct(z)
        y = torch.cat([y[:, :-1], self.nearness(z * self.blind)], 1)
        return y.float(), self.extra(z).float(), self.doubt(h.detach()).float()[:, 0]


def _arrays(net: ShapeNet) -> dict[str, np.ndarray]:
    return {k: v.double().numpy() for k, v in net.state_dict().items()}


def save_onnx(net: ShapeNet, path: Path) -> None:
    """The convolutional half, normalisations folded in, weights in half precision."""
    w = _arrays(net)
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

    x = convolved(normalised("early", "early_norm"), "early", LAYERS)
    nodes.append(helper.make_node("Concat", [x, normalised("late", "late_norm")], ["both"], axis=1))
    nodes.append(helper.make_node("Flatten", [convolved("both", "joined", JOINED)], ["flat"]))
    gain = w["embed_norm.weight"] / np.sqrt(w["embed_norm.running_var"] + 1e-5)
    weight = constant("embed_w", w["embed.weight"] * gain[:, None])
    bias = constant("embed_b", (w["embed.bias"] - w["embed_norm.running_mean"]) * gain + w["embed_norm.bias"])
    nodes.append(helper.make_node("Gemm", ["flat", weight, bias], ["features"], transB=1))
    graph = helper.make_graph(
        nodes, "face_shape", [port("early", EARLY), port("late", LATE)], [port("features", (FEATURES,))], constants
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.checker.check_model(model)
    onnx.save(model, path)


def tables(net: ShapeNet) -> dict[str, np.ndarray]:
    """The other half as `hidden`, `hidden_bias`, `out`, `direct`, `bias`; the outputs' last two are nearness, doubt."""
    w = _arrays(net)
    out, direct, bias = w["out.weight"].copy(), w["direct.weight"].copy(), w["direct.bias"] + w["out.bias"]
    out[-1], direct[-1], bias[-1] = 0, w["nearness.weight"][0] * w["blind"], w["nearness.bias"][0]
    return {
        "hidden": w["hidden.weight"].T, "hidden_bias": w["hidden.bias"],
        "out": np.concatenate([out, w["doubt.weight"]]).T,
        "direct": np.concatenate([direct, np.zeros((1, direct.shape[1]))]).T,
        "bias": np.append(bias, w["doubt.bias"]),
    }  # fmt: skip
