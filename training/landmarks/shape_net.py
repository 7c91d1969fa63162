"""The net that reads shape off the landmark net's activations, for training (PyTorch), and its export.

A small convolutional net makes 256 numbers of the early (32 x 32 cells) and late (8 x 8 cells) activations; they and
what the points say go through one hidden layer, beside a linear path. The first half becomes face_shape.onnx, the
second the arrays of `tronie.stages.fit.regressor.Calibration`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from training.landmarks.activations_net import OnnxWriter, activation_norms, convolutions, gain, weights_of

FEATURES = 256
HIDDEN = 256
LAYERS = ((32, 48, 3, 1), (48, 96, 3, 2), (96, 96, 3, 1), (96, 128, 3, 2))
"""Convolutions over the early activations: channels in, out, side of the kernel, stride."""
JOINED = ((256, 128, 3, 1), (128, 160, 3, 2), (160, 64, 1, 1))
"""Over their result beside the late activations."""


class ShapeNet(nn.Module):
    def __init__(self, told: int, outputs: int, extra: int, blind: np.ndarray) -> None:
        """`told` numbers come from the points; `extra` outputs only help to learn. The last of `outputs` is the
        nearness, which may not see the inputs where `blind` (FEATURES + told,) is 0."""
        super().__init__()
        self.early_norm, self.late_norm = activation_norms()
        self.early, self.joined = convolutions(LAYERS), convolutions(JOINED)
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


def save_onnx(net: ShapeNet, path: Path) -> None:
    """The convolutional half."""
    w = weights_of(net)
    writer = OnnxWriter(w)
    flat = writer.flattened(LAYERS, JOINED)
    by = gain(w, "embed_norm")
    bias = (w["embed.bias"] - w["embed_norm.running_mean"]) * by + w["embed_norm.bias"]
    writer.dense(flat, "embed", w["embed.weight"] * by[:, None], bias, "features")
    writer.save(path, "face_shape", "features", FEATURES)


def tables(net: ShapeNet) -> dict[str, np.ndarray]:
    """The other half as `hidden`, `hidden_bias`, `out`, `direct`, `bias`; the outputs' last two are nearness, doubt."""
    w = weights_of(net)
    out, direct, bias = w["out.weight"].copy(), w["direct.weight"].copy(), w["direct.bias"] + w["out.bias"]
    out[-1], direct[-1], bias[-1] = 0, w["nearness.weight"][0] * w["blind"], w["nearness.bias"][0]
    return {
        "hidden": w["hidden.weight"].T,
        "hidden_bias": w["hidden.bias"],
        "out": np.concatenate([out, w["doubt.weight"]]).T,
        "direct": np.concatenate([direct, np.zeros((1, direct.shape[1]))]).T,
        "bias": np.append(bias, w["doubt.bias"]),
    }
