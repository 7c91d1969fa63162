"""The net that reads shape off what two nets saw of a face, for training (PyTorch), and its export.

Two small convolutional nets make 256 numbers of the landmark net's early (32 x 32 cells) and late (8 x 8) activations,
and 192 of the recogniser's middle (8 x 8) and coarse (4 x 4) ones. They, the recogniser's embedding and what the points
say go through one hidden layer, beside a linear path. The first half becomes face_shape.onnx, the second the arrays of
`tronie.stages.fit.regressor.Calibration`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from training.landmarks.activations_net import (
    OnnxWriter,
    activation_norms,
    convolutions,
    gain,
    plain_convolutions,
    weights_of,
)

SEEN, KNOWN, EMBEDDING = 256, 192, 128
FEATURES = SEEN + KNOWN + EMBEDDING
"""What face_shape.onnx says: of the landmark net's activations, of the recogniser's, its embedding."""
MIDDLE, COARSE = (128, 8, 8), (256, 4, 4)
"""The recogniser's activations."""
HIDDEN = 512
LAYERS = ((32, 48, 3, 1), (48, 96, 3, 2), (96, 96, 3, 1), (96, 128, 3, 2))
"""Convolutions over the early activations: channels in, out, side of the kernel, stride."""
JOINED = ((256, 128, 3, 1), (128, 160, 3, 2), (160, 64, 1, 1))
"""Over their result beside the late activations."""
KNOWING = ((128, 128, 3, 1), (128, 128, 3, 2))
"""Over the recogniser's middle activations."""
KNOWN_JOINED = ((384, 192, 3, 1), (192, 64, 1, 1))
"""Over their result beside the coarse ones."""


class ShapeNet(nn.Module):
    def __init__(self, told: int, outputs: int, extra: int, groups: int, blind: np.ndarray) -> None:
        """`told` numbers come from the points; `extra` outputs only help to learn, `groups` say how wide the errors of
        so many groups of shapes are. The last of `outputs` is the nearness, which may not see the inputs where `blind`
        (FEATURES + told,) is 0."""
        super().__init__()
        self.early_norm, self.late_norm = activation_norms()
        self.early, self.joined = plain_convolutions(LAYERS), plain_convolutions(JOINED)
        self.embed = nn.Linear(1024, SEEN)
        self.middle_norm = nn.BatchNorm2d(MIDDLE[0], affine=False)
        self.coarse_norm = nn.BatchNorm2d(COARSE[0], affine=False)
        self.knowing, self.known_joined = convolutions(KNOWING), convolutions(KNOWN_JOINED)
        self.known, self.known_norm = nn.Linear(1024, KNOWN), nn.BatchNorm1d(KNOWN)
        self.embedding_norm = nn.BatchNorm1d(EMBEDDING, affine=False)
        count = FEATURES + told
        self.hidden, self.out = nn.Linear(count, HIDDEN), nn.Linear(HIDDEN, outputs)
        self.direct, self.extra = nn.Linear(count, outputs), nn.Linear(count, extra)
        self.nearness, self.doubt = nn.Linear(count, 1), nn.Linear(HIDDEN, 1 + groups)
        self.register_buffer("blind", torch.tensor(blind, dtype=torch.float32))
        drops = nn.Dropout2d(0.02), nn.Dropout2d(0.1), nn.Dropout(0.1), nn.Dropout(0.05), nn.Dropout2d(0.15)
        self.drops = nn.ModuleList([*drops, nn.Dropout(0.2)])

    def inherited(self) -> list[nn.Parameter]:
        """The convolutions that `inherit` fills."""
        return [*self.early.parameters(), *self.joined.parameters(), *self.embed.parameters()]

    def inherit(self, path: Path) -> None:
        """Begin with the nets over the landmark net's activations that an earlier face_shape.onnx holds."""
        graph = onnx.load(path).graph
        found = {i.name.removesuffix("_half"): numpy_helper.to_array(i).astype(np.float32) for i in graph.initializer}
        with torch.no_grad():
            for block in ("early", "joined"):
                for i, layer in enumerate(getattr(self, block)):
                    layer[0].weight.copy_(torch.from_numpy(found[f"{block}.{i}.w"]))
                    layer[0].bias.copy_(torch.from_numpy(found[f"{block}.{i}.b"]))
            self.embed.weight.copy_(torch.from_numpy(found["embed_w"]))
            self.embed.bias.copy_(torch.from_numpy(found["embed_b"]))
            for norm in ("early_norm", "late_norm"):
                held: nn.BatchNorm2d = getattr(self, norm)
                held.running_mean.copy_(torch.from_numpy(found[norm + "_m"].ravel()))
                held.running_var.copy_(torch.from_numpy(1 / found[norm + "_s"].ravel() ** 2 - held.eps))

    def inherit_tables(self, hidden: np.ndarray, bias: np.ndarray, out: np.ndarray, direct: np.ndarray) -> None:
        """Begin with an earlier net's layers in this net's units: hidden (F, H), bias (H + outputs,), out (H, outputs),
        direct (F, outputs), nearness last. It may have had fewer hidden units. What it made of the recogniser's numbers
        is left behind, for the net that it read them off begins anew."""
        told, units = self.hidden.in_features - FEATURES, hidden.shape[1]
        rows = [*range(SEEN), *range(FEATURES, FEATURES + told)]
        own = [*range(SEEN), *range(len(hidden) - told, len(hidden))]
        hidden, direct = hidden[own], direct[own]
        with torch.no_grad():
            for layer in (self.out, self.direct, self.nearness):
                layer.weight.zero_()
            self.hidden.weight[:units] = 0
            self.hidden.weight[:units, rows] = torch.from_numpy(hidden.T.astype(np.float32))
            self.hidden.bias[:units] = torch.from_numpy(bias[:units].astype(np.float32))
            self.out.weight[:, :units] = torch.from_numpy(out.T.astype(np.float32))
            self.out.bias.copy_(torch.from_numpy(bias[units:].astype(np.float32)))
            self.direct.bias.zero_()
            self.direct.weight[:, rows] = torch.from_numpy(direct.T.astype(np.float32))
            self.nearness.weight[:, rows] = torch.from_numpy(direct[:, -1:].T.astype(np.float32))
            self.nearness.bias[:] = float(bias[-1])

    def train(self, mode: bool = True) -> ShapeNet:
        """The first normalisations stay as they were inherited."""
        super().train(mode)
        self.early_norm.eval()
        self.late_norm.eval()
        return self

    def features(self, seen: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """(B, 32, 32, 32), (B, 128, 8, 8), (B, 128, 8, 8), (B, 256, 4, 4), (B, 128) -> (B, FEATURES)."""
        early, late, middle, coarse, embedding = seen
        x = self.early(self.drops[0](self.early_norm(early)))
        x = self.joined(torch.cat([x, self.drops[1](self.late_norm(late))], 1))
        k = self.knowing(self.drops[4](self.middle_norm(middle)))
        k = self.known_joined(torch.cat([k, self.drops[4](self.coarse_norm(coarse))], 1))
        return torch.cat(
            [
                self.embed(self.drops[2](x.flatten(1))),
                self.known_norm(self.known(self.drops[5](k.flatten(1)))),
                self.drops[2](self.embedding_norm(embedding)),
            ],
            1,
        )

    def forward(
        self, seen: tuple[torch.Tensor, ...], told: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Outputs (B, outputs), extra outputs (B, extra), logarithms of the identity's error and of its groups'
        (B, 1 + groups)."""
        z = torch.cat([self.features(seen), self.drops[3](told)], 1)
        h = nn.functional.silu(self.hidden(z))
        y = self.out(h) + self.direct(z)
        y = torch.cat([y[:, :-1], self.nearness(z * self.blind)], 1)
        return y.float(), self.extra(z).float(), self.doubt(h.detach()).float()


def save_onnx(net: ShapeNet, path: Path) -> None:
    """The convolutional half."""
    w = weights_of(net)
    writer = OnnxWriter(w)
    flat = writer.flattened(LAYERS, JOINED)
    seen = writer.dense(flat, "embed", w["embed.weight"], w["embed.bias"], "seen")
    k = writer.convolved(writer.normalized("middle", "middle_norm"), "knowing", KNOWING)
    writer.node("Concat", [k, writer.normalized("coarse", "coarse_norm")], "known_both", axis=1)
    flat = writer.node("Flatten", [writer.convolved("known_both", "known_joined", KNOWN_JOINED)], "known_flat")
    by = gain(w, "known_norm")
    bias = (w["known.bias"] - w["known_norm.running_mean"]) * by + w["known_norm.bias"]
    known = writer.dense(flat, "known", w["known.weight"] * by[:, None], bias, "known_out")
    embedding = writer.normalized("embedding", "embedding_norm", spread=False)
    writer.node("Concat", [seen, known, embedding], "features", axis=1)
    inputs = {"middle": MIDDLE, "coarse": COARSE, "embedding": (EMBEDDING,)}
    writer.save(path, "face_shape", "features", FEATURES, inputs)


def tables(net: ShapeNet) -> dict[str, np.ndarray]:
    """The other half as `hidden`, `hidden_bias`, `out`, `direct`, `bias`; after the nearness, the outputs' last are the
    logarithms of the errors."""
    w = weights_of(net)
    out, direct, bias = w["out.weight"].copy(), w["direct.weight"].copy(), w["direct.bias"] + w["out.bias"]
    out[-1], direct[-1], bias[-1] = 0, w["nearness.weight"][0] * w["blind"], w["nearness.bias"][0]
    doubts = w["doubt.weight"]
    return {
        "hidden": w["hidden.weight"].T,
        "hidden_bias": w["hidden.bias"],
        "out": np.concatenate([out, doubts]).T,
        "direct": np.concatenate([direct, np.zeros((len(doubts), direct.shape[1]))]).T,
        "bias": np.concatenate([bias, w["doubt.bias"]]),
    }
