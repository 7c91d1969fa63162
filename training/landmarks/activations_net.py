"""What the nets share that read the landmark net's activations: their first layers (PyTorch), and writing them as ONNX.

Such a net takes the early (32 x 32 cells) and late (8 x 8 cells) activations, which know faces already. It normalises
both, makes the early ones as coarse as the late, and goes on with both side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from torch import nn

from training.landmarks.onnx_graph import Graph

EARLY, LATE = (32, 32, 32), (128, 8, 8)
"""Channels, height, width of the activations."""
EPSILON = 1e-5
"""PyTorch's, beside the variance in a normalisation."""

Layers = tuple[tuple[int, int, int, int], ...]
"""Convolutions: channels in, out, side of the kernel, stride."""
Weights = dict[str, np.ndarray]
"""A net's state in double precision."""


def convolutions(layers: Layers) -> nn.Sequential:
    """Each followed by a normalisation and a rectifier."""
    return nn.Sequential(
        *(
            nn.Sequential(nn.Conv2d(i, o, side, stride, side // 2, bias=False), nn.BatchNorm2d(o), nn.ReLU())
            for i, o, side, stride in layers
        )
    )


def plain_convolutions(layers: Layers) -> nn.Sequential:
    """Each followed by a rectifier: such as `convolutions` are once their normalisations are folded in."""
    return nn.Sequential(
        *(nn.Sequential(nn.Conv2d(i, o, side, stride, side // 2), nn.ReLU()) for i, o, side, stride in layers)
    )


def activation_norms() -> tuple[nn.BatchNorm2d, nn.BatchNorm2d]:
    """Of the early and the late activations."""
    return nn.BatchNorm2d(EARLY[0], affine=False), nn.BatchNorm2d(LATE[0], affine=False)


def weights_of(net: nn.Module) -> Weights:
    return {k: v.double().numpy() for k, v in net.state_dict().items()}


def gain(w: Weights, norm: str) -> np.ndarray:
    """What a normalisation multiplies by."""
    return np.asarray(w[norm + ".weight"] / np.sqrt(w[norm + ".running_var"] + EPSILON))


class OnnxWriter(Graph):
    """A graph of what such nets are made of: normalisations folded in, weights in half precision."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.weights = weights

    def normalized(self, name: str, norm: str, spread: bool = True) -> str:
        """`spread` for activations with height and width."""
        w = self.weights
        mean, scale = w[norm + ".running_mean"], 1 / np.sqrt(w[norm + ".running_var"] + EPSILON)
        shape = (-1, 1, 1) if spread else (-1,)
        centred = self.node("Sub", [name, self.half(norm + "_m", mean.reshape(shape))], name + "_0")
        return self.node("Mul", [centred, self.half(norm + "_s", scale.reshape(shape))], name + "_1")

    def convolved(self, x: str, block: str, layers: Layers) -> str:
        """The `convolutions`, or `plain_convolutions`, that the net has as `block`."""
        w = self.weights
        for i, (_, _, side, stride) in enumerate(layers):
            key = f"{block}.{i}."
            kernel, shift = w[key + "0.weight"], w.get(key + "0.bias")
            if shift is None:
                by = gain(w, key + "1")
                kernel, shift = kernel * by[:, None, None, None], w[key + "1.bias"] - w[key + "1.running_mean"] * by
            weight, bias = self.half(key + "w", kernel), self.half(key + "b", shift)
            shape = {"kernel_shape": [side, side], "strides": [stride, stride], "pads": [side // 2] * 4}
            x = self.node("Relu", [self.node("Conv", [x, weight, bias], key + "c", **shape)], key + "r")
        return x

    def flattened(self, early: Layers, joined: Layers) -> str:
        """Both activations through the net's blocks `early` and `joined`."""
        x = self.convolved(self.normalized("early", "early_norm"), "early", early)
        self.node("Concat", [x, self.normalized("late", "late_norm")], "both", axis=1)
        return self.node("Flatten", [self.convolved("both", "joined", joined)], "flat")

    def dense(self, x: str, layer: str, weight: np.ndarray, bias: np.ndarray, output: str) -> str:
        ports = [x, self.half(layer + "_w", weight), self.half(layer + "_b", bias)]
        return self.node("Gemm", ports, output, transB=1)

    def save(
        self, path: Path, name: str, output: str, count: int, more: Mapping[str, tuple[int, ...]] | None = None
    ) -> None:
        """`early`, `late` and `more` inputs, named with their shapes -> `output` (batch, count)."""
        inputs = {"early": EARLY, "late": LATE, **(more or {})}
        onnx.save(self.model(name, inputs, {output: (count,)}), path)
