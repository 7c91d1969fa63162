"""The net that finds damage, for training (PyTorch), and its way into a file.

A U-Net (Ronneberger et al., U-Net: Convolutional Networks for Biomedical Image Segmentation, 2015) of four scales, the
finest of them half the size of the picture, whose pixels come in and go out four by four: a pixel costs about 6,000
products.
"""

from __future__ import annotations

import copy
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F

WIDTHS = (16, 32, 48, 48)
"""Channels at half the size, a quarter, an eighth, a sixteenth."""
SMALL = 64
"""Weights of fewer numbers stay as they are in the file; others are kept in eight bits."""


def conv(wide: int, out: int, step: int = 1, spread: int = 1) -> nn.Sequential:
    layer = nn.Conv2d(wide, out, 3, step, spread, spread, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(out), nn.ReLU())


class Unit(nn.Module):
    """x and two convolutions of it; `spread` is how far apart they look, the second twice as far."""

    def __init__(self, width: int, spread: int = 0) -> None:
        super().__init__()
        far = max(2 * spread, 1)
        self.first = conv(width, width, 1, max(spread, 1))
        self.second = nn.Conv2d(width, width, 3, 1, far, far, bias=False)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm(self.second(self.first(x))))


def doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


class DamageNet(nn.Module):
    """(B, 3, h, w) RGB in 0..1, h and w multiples of 16 -> logits (B, 1, h, w) of damage."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d = WIDTHS
        self.halve = nn.Sequential(conv(12, a), conv(a, a))
        self.quarter = nn.Sequential(conv(a, b, 2), Unit(b))
        self.eighth = nn.Sequential(conv(b, c, 2), Unit(c))
        self.deep = nn.Sequential(conv(c, d, 2), Unit(d, 2))
        self.to_eighth, self.at_eighth = nn.Conv2d(d, c, 1), Unit(c)
        self.to_quarter, self.at_quarter = nn.Conv2d(c, b, 1), Unit(b)
        self.to_half, self.at_half = nn.Conv2d(b, a, 1), conv(a, a)
        self.out = nn.Conv2d(a, 4, 1)
        nn.init.constant_(self.out.bias, -3.0)  # damage is rare

    def forward(self, image: Tensor) -> Tensor:
        half = self.halve(F.pixel_unshuffle(image * 4 - 2, 2))
        quarter = self.quarter(half)
        eighth = self.eighth(quarter)
        up = self.at_eighth(eighth + doubled(self.to_eighth(self.deep(eighth))))
        up = self.at_quarter(quarter + doubled(self.to_quarter(up)))
        up = self.at_half(half + doubled(self.to_half(up)))
        return F.pixel_shuffle(self.out(up), 2)


class Odds(nn.Module):
    def __init__(self, net: DamageNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> Tensor:
        return torch.sigmoid(self.net(image))


def save_onnx(net: DamageNet, path: Path) -> None:
    """`image` (batch, 3, h, w) in 0..1, h and w multiples of 16 -> `damage` (batch, 1, h, w) in 0..1."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Odds(copy.deepcopy(net).to(memory_format=torch.contiguous_format)).eval(),
            (torch.zeros(1, 3, 64, 64),),
            str(path),
            input_names=["image"],
            output_names=["damage"],
            dynamic_axes={name: {0: "batch", 2: "h", 3: "w"} for name in ("image", "damage")},
            opset_version=17,
            dynamo=False,
        )
    model = onnx.load(str(path))
    _eight_bits(model)
    model.producer_name, model.producer_version = "tronie", ""
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _eight_bits(model: onnx.ModelProto) -> None:
    """Weights in 255 steps for each channel that comes out, made whole again when the runtime loads them."""
    kept, nodes = [], []
    for tensor in model.graph.initializer:
        value, name = numpy_helper.to_array(tensor), tensor.name
        if value.dtype != np.float32 or value.size < SMALL or value.ndim < 2:
            kept.append(tensor)
            continue
        step = np.maximum(np.abs(value).reshape(len(value), -1).max(axis=1), 1e-12) / 127
        step = step.reshape(-1, *[1] * (value.ndim - 1)).astype(np.float32)
        kept.append(numpy_helper.from_array(np.round(value / step).astype(np.int8), f"{name}_i"))
        kept.append(numpy_helper.from_array(step, f"{name}_s"))
        nodes.append(helper.make_node("Cast", [f"{name}_i"], [f"{name}_f"], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", [f"{name}_f", f"{name}_s"], [name]))
    nodes += list(model.graph.node)
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)
