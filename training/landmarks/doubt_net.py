"""The net that says what hides a face and whether it is a photograph at all, for training (PyTorch), and its export.

Like shape_net.py it reads the landmark net's early (32 x 32 cells) and late (8 x 8 cells) activations, which know faces
already; so it is small, and learns from few people.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from training.landmarks.activations_net import OnnxWriter, activation_norms, convolutions, weights_of

OUTPUTS = ("mouth", "eye_left", "eye_right", "drawing")
"""Logits: mouth, subject's left and right eye covered; the face is drawn, painted or carved."""
MIRRORED = (0, 2, 1, 3)
"""Of each output, which one it is in a mirror."""
LAYERS = ((32, 32, 3, 2), (32, 64, 3, 2))
JOINED = ((192, 64, 1, 1), (64, 64, 3, 1), (64, 24, 1, 1))
HIDDEN = 64
"""Convolutions as in shape_net: channels in, out, side, stride; the second row over both, side by side."""


class DoubtNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.early_norm, self.late_norm = activation_norms()
        self.early, self.joined = convolutions(LAYERS), convolutions(JOINED)
        self.hidden, self.out = nn.Linear(JOINED[-1][1] * 64, HIDDEN), nn.Linear(HIDDEN, len(OUTPUTS))
        self.drops = nn.ModuleList([nn.Dropout2d(0.1), nn.Dropout2d(0.2), nn.Dropout(0.2), nn.Dropout(0.3)])

    def forward(self, early: torch.Tensor, late: torch.Tensor) -> torch.Tensor:
        """(B, 32, 32, 32), (B, 128, 8, 8) -> (B, 4) logits."""
        x = self.early(self.drops[0](self.early_norm(early)))
        x = self.joined(torch.cat([x, self.drops[1](self.late_norm(late))], 1)).flatten(1)
        return self.out(self.drops[3](torch.relu(self.hidden(self.drops[2](x)))))


def save_onnx(net: DoubtNet, path: Path, shift: np.ndarray) -> None:
    """`early`, `late` -> `doubts` (batch, 4) in 0..1. `shift` (4,) is added to the logits, so that 0.5 is where a
    warning begins."""
    w = weights_of(net)
    writer = OnnxWriter(w)
    flat = writer.flattened(LAYERS, JOINED)
    hidden = writer.dense(flat, "hidden", w["hidden.weight"], w["hidden.bias"], "hidden_y")
    told = writer.node("Relu", [hidden], "told")
    logits = writer.dense(told, "out", w["out.weight"], w["out.bias"] + shift, "out_y")
    writer.node("Sigmoid", [logits], "doubts")
    writer.save(path, "face_doubts", "doubts", len(OUTPUTS))
