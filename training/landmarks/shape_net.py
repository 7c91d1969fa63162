"""The net that reads shape off what two nets saw of a face, for training (PyTorch), and its export.

The recogniser's upper blocks are learned further here, from its fine activations (17 x 17 cells) on. Two small
convolutional nets make 256 numbers of the landmark net's early (32 x 32 cells) and late (8 x 8) activations, and 192 of
what those blocks say (8 x 8 and 4 x 4). They, the recogniser's embedding and what the points say go through one hidden
layer, beside a linear path. The first part becomes face_shape.onnx, the last the arrays of
`tronie.stages.fit.regressor.Calibration`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from training.landmarks.activations_net import OnnxWriter, activation_norms, plain_convolutions, weights_of
from training.landmarks.onnx_graph import Layer
from training.landmarks.residual import BLOCKS, COARSE, FINE, MIDDLE, UPPER, padding, read_blocks, write_block

SEEN, KNOWN, EMBEDDING = 256, 192, 128
FEATURES = SEEN + KNOWN + EMBEDDING
"""What face_shape.onnx says: of the landmark net's activations, of the recogniser's, its embedding."""
HIDDEN = 512
LAYERS = ((32, 48, 3, 1), (48, 96, 3, 2), (96, 96, 3, 1), (96, 128, 3, 2))
"""Convolutions over the early activations: channels in, out, side of the kernel, stride."""
JOINED = ((256, 128, 3, 1), (128, 160, 3, 2), (160, 64, 1, 1))
"""Over their result beside the late activations."""
KNOWING = ((128, 128, 3, 1), (128, 128, 3, 2))
"""Over the recogniser's middle activations."""
KNOWN_JOINED = ((384, 192, 3, 1), (192, 64, 1, 1))
"""Over their result beside the coarse ones."""


class Block(nn.Module):
    """One of residual.BLOCKS, over `channels` of that side."""

    def __init__(self, channels: int, wide: int, stride: int, side: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(channels, wide, 3, stride, 1 if stride == 1 else 0)
        self.two = nn.Conv2d(wide, wide, 3, 1, 1)
        self.stride, self.lacking = stride, padding(side, wide, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.two(torch.relu(self.one(x)))
        if self.stride == 2:
            rows, channels, _ = self.lacking
            x = nn.functional.pad(nn.functional.avg_pool2d(x, 2, 2), (0, 0, 0, 0, 0, channels))
            inner = nn.functional.pad(inner, (0, rows, 0, rows))
        return torch.relu(inner + x)


def upper() -> list[tuple[int, int, int, int, int]]:
    """Of the blocks that are learned further: index, channels that go in and come out, stride, side."""
    (channels, side, _), out = FINE, []
    for k in UPPER:
        wide, stride = BLOCKS[k]
        out.append((k, channels, wide, stride, side))
        channels, side = wide, padding(side, wide, channels)[2] if stride == 2 else side
    return out


class ShapeNet(nn.Module):
    def __init__(self, told: int, outputs: int, extra: int, groups: int, blind: np.ndarray) -> None:
        """`told` numbers come from the points; `extra` outputs only help to learn, `groups` say how wide the errors of
        so many groups of shapes are. The last of `outputs` is the nearness, which may not see the inputs where `blind`
        (FEATURES + told,) is 0."""
        super().__init__()
        self.early_norm, self.late_norm = activation_norms()
        self.early, self.joined = plain_convolutions(LAYERS), plain_convolutions(JOINED)
        self.embed = nn.Linear(1024, SEEN)
        self.blocks = nn.ModuleList([Block(*sizes) for _, *sizes in upper()])
        self.middle_norm = nn.BatchNorm2d(MIDDLE[0], affine=False)
        self.coarse_norm = nn.BatchNorm2d(COARSE[0], affine=False)
        self.knowing, self.known_joined = plain_convolutions(KNOWING), plain_convolutions(KNOWN_JOINED)
        self.known = nn.Linear(1024, KNOWN)
        self.embedding_norm = nn.BatchNorm1d(EMBEDDING, affine=False)
        count = FEATURES + told
        self.hidden, self.out = nn.Linear(count, HIDDEN), nn.Linear(HIDDEN, outputs)
        self.direct, self.extra = nn.Linear(count, outputs), nn.Linear(count, extra)
        self.nearness, self.doubt = nn.Linear(count, 1), nn.Linear(HIDDEN, 1 + groups)
        self.register_buffer("blind", torch.tensor(blind, dtype=torch.float32))
        drops = nn.Dropout2d(0.02), nn.Dropout2d(0.1), nn.Dropout(0.1), nn.Dropout(0.05), nn.Dropout2d(0.15)
        self.drops = nn.ModuleList([*drops, nn.Dropout(0.2)])

    @property
    def norms(self) -> dict[str, nn.BatchNorm1d | nn.BatchNorm2d]:
        names = ("early_norm", "late_norm", "middle_norm", "coarse_norm", "embedding_norm")
        return {name: getattr(self, name) for name in names}

    def over_landmarks(self) -> list[nn.Parameter]:
        """What reads the landmark net's activations."""
        return [*self.early.parameters(), *self.joined.parameters(), *self.embed.parameters()]

    def over_recognizer(self) -> list[nn.Parameter]:
        """What reads the last of the recogniser's blocks."""
        return [*self.knowing.parameters(), *self.known_joined.parameters(), *self.known.parameters()]

    def inherit(self, path: Path, recognizer: Path) -> None:
        """Begin with what an earlier face_shape.onnx holds, and with the recogniser's blocks where it has none."""
        graph = onnx.load(path).graph
        found = {i.name.removesuffix("_half"): numpy_helper.to_array(i).astype(np.float32) for i in graph.initializer}
        pairs: list[tuple[nn.Module, np.ndarray, np.ndarray]] = []
        for name in ("early", "joined", "knowing", "known_joined"):
            rows = enumerate(getattr(self, name))
            pairs += [(layer[0], found[f"{name}.{i}.w"], found[f"{name}.{i}.b"]) for i, layer in rows]
        pairs += [(getattr(self, name), found[name + "_w"], found[name + "_b"]) for name in ("embed", "known")]
        held = read_blocks(recognizer) | read_blocks(path)
        for k, block in zip(UPPER, self.blocks, strict=True):
            pairs += [(own, h.weight, h.bias) for own, h in zip((block.one, block.two), held[k], strict=True)]
        with torch.no_grad():
            for layer, weight, bias in pairs:
                layer.weight.copy_(torch.from_numpy(weight))
                layer.bias.copy_(torch.from_numpy(bias))
            for name, norm in self.norms.items():
                norm.running_mean.copy_(torch.from_numpy(found[name + "_m"].ravel()))
                norm.running_var.copy_(torch.from_numpy(1 / found[name + "_s"].ravel() ** 2 - norm.eps))

    def inherit_tables(self, hidden: np.ndarray, bias: np.ndarray, out: np.ndarray, direct: np.ndarray) -> None:
        """Begin with an earlier net's layers in this net's units: hidden (F, H), bias (H + outputs + doubts,), out
        (H, outputs + doubts), direct (F, outputs); the nearness is the last of the outputs."""
        units, count = hidden.shape[1], direct.shape[1]
        parts = (
            (self.hidden, hidden, bias[:units]),
            (self.out, out[:, :count], bias[units : units + count]),
            (self.direct, direct, np.zeros(count)),
            (self.nearness, direct[:, -1:], bias[units + count - 1 : units + count]),
            (self.doubt, out[:, count:], bias[units + count :]),
        )
        with torch.no_grad():
            self.extra.weight.zero_()
            for layer, weight, shift in parts:
                layer.weight.copy_(torch.from_numpy(weight.T.astype(np.float32)))
                layer.bias.copy_(torch.from_numpy(shift.astype(np.float32)))

    def train(self, mode: bool = True) -> ShapeNet:
        """The normalisations stay as they were inherited."""
        super().train(mode)
        for norm in self.norms.values():
            norm.eval()
        return self

    def features(self, seen: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """(B, 32, 32, 32), (B, 128, 8, 8), (B, 64, 17, 17), (B, 128) -> (B, FEATURES)."""
        early, late, x, embedding = seen
        inner = {}
        for k, block in zip(UPPER, self.blocks, strict=True):
            x = inner[k] = block(x)
        known = self.knowing(self.drops[4](self.middle_norm(inner[9])))
        known = self.known_joined(torch.cat([known, self.drops[4](self.coarse_norm(inner[12]))], 1))
        x = self.early(self.drops[0](self.early_norm(early)))
        x = self.joined(torch.cat([x, self.drops[1](self.late_norm(late))], 1))
        return torch.cat(
            [
                self.embed(self.drops[2](x.flatten(1))),
                self.known(self.drops[5](known.flatten(1))),
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
    """The convolutional part; the recogniser's blocks in eight bits."""
    w = weights_of(net)
    writer = OnnxWriter(w)
    x = "fine"
    for i, (k, channels, _, _, side) in enumerate(upper()):
        one, two = (Layer(w[f"blocks.{i}.{n}.weight"], w[f"blocks.{i}.{n}.bias"]) for n in ("one", "two"))
        x = write_block(writer, x, k, (one, two), side, channels)
    known = writer.convolved(writer.normalized("middle", "middle_norm"), "knowing", KNOWING)
    writer.node("Concat", [known, writer.normalized("coarse", "coarse_norm")], "known_both", axis=1)
    flat = writer.node("Flatten", [writer.convolved("known_both", "known_joined", KNOWN_JOINED)], "known_flat")
    known = writer.dense(flat, "known", w["known.weight"], w["known.bias"], "known_out")
    seen = writer.dense(writer.flattened(LAYERS, JOINED), "embed", w["embed.weight"], w["embed.bias"], "seen")
    embedding = writer.normalized("embedding", "embedding_norm", spread=False)
    writer.node("Concat", [seen, known, embedding], "features", axis=1)
    writer.save(path, "face_shape", "features", FEATURES, {"fine": FINE, "embedding": (EMBEDDING,)})


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
