"""The net in PyTorch, and how it is written as ONNX.

Its trunk is the encoder of MediaPipe's selfie segmentation (MobileNetV3-like), which knows persons already and learns
on. What follows is new: more layers at 16 x 16 cells, which know where in the crop they are, and a way back up to every
pixel.
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

from training.segment.tflite_net import TfliteNet
from tronie.shells import SEGMENTS

SIDE = 256
SKIPS = 4, 25, 48, 157
"""The trunk's tensors that are handed on: 16 x 128 x 128, 16 x 64 x 64, 24 x 32 x 32, 32 x 16 x 16."""
LEAN = {"covering": -3.1, "glasses": -1.6, "other": -1.0}
"""Added to logits when the net is written: what is painted is commoner in what it learns from than in photos."""
WIDTH = 96
CELLS = 16


class Trunk(nn.Module):
    """The layers of the selfie net up to the last of SKIPS, as parameters."""

    def __init__(self, selfie: Path | None = None) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, 2)
        self.blocks = nn.ModuleList(
            [
                Bottleneck(16, 16, 16, 3, 2, 8, relu=True),
                Bottleneck(16, 72, 24, 3, 2, 0, relu=True),
                Bottleneck(24, 88, 24, 3, 1, 0, relu=True),
                Bottleneck(24, 96, 32, 5, 2, 24),
                Bottleneck(32, 128, 32, 5, 1, 32),
                Bottleneck(32, 128, 32, 5, 1, 32),
                Bottleneck(32, 96, 32, 5, 1, 24),
                Bottleneck(32, 96, 32, 5, 1, 24),
            ]
        )
        if selfie is not None:
            self.take(selfie)

    def take(self, path: Path) -> None:
        """The selfie net's weights: its graph has the same convolutions in the same order."""
        net = TfliteNet(path)
        layers = [m for m in self.modules() if isinstance(m, nn.Conv2d)]
        theirs = [(kind, op) for kind, op in net.operators if kind in ("CONV_2D", "DEPTHWISE_CONV_2D")]
        for layer, (kind, op) in zip(layers, theirs, strict=False):
            weight = np.array(net.constants[op.inputs[1]].transpose(0, 3, 1, 2))
            weight = weight.transpose(1, 0, 2, 3) if kind == "DEPTHWISE_CONV_2D" else weight
            if weight.shape != tuple(layer.weight.shape):
                raise ValueError(f"a layer of {tuple(layer.weight.shape)} stands where the trunk has {weight.shape}")
            layer.weight.data = torch.from_numpy(weight.copy())
            assert layer.bias is not None
            layer.bias.data = torch.from_numpy(net.constants[op.inputs[2]].copy())

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        first = x = F.hardswish(self.stem(F.pad(x, (0, 1, 0, 1))))
        seen = []
        for block in self.blocks:
            x = block(x)
            seen.append(x)
        return first, seen[0], seen[2], seen[-1]


class Bottleneck(nn.Module):
    """Wider, one convolution per channel, weighed as a whole, narrower: as in MobileNetV3."""

    def __init__(
        self, wide_in: int, middle: int, out: int, side: int, step: int, squeezed: int, *, relu: bool = False
    ) -> None:
        super().__init__()
        self.step, self.side, self.same = step, side, wide_in == out and step == 1
        self.bend = F.relu if relu else F.hardswish
        self.widen = nn.Conv2d(wide_in, middle, 1)
        self.deep = nn.Conv2d(middle, middle, side, step, groups=middle)
        self.gate = Gate(middle, squeezed) if squeezed else None
        self.narrow = nn.Conv2d(middle, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.bend(self.widen(x))
        total = self.side - self.step if self.step == 2 else self.side - 1  # TensorFlow's SAME, for even sizes
        low = total // 2
        y = self.bend(self.deep(F.pad(y, (low, total - low, low, total - low))))
        if self.gate is not None:
            y = self.gate(y)
        y = self.narrow(y)
        return x + y if self.same else y


class Gate(nn.Module):
    def __init__(self, width: int, squeezed: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(width, squeezed, 1), nn.Conv2d(squeezed, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean(dim=(2, 3), keepdim=True)
        return x * torch.sigmoid(self.second(F.relu(self.first(mean))))


def conv(wide_in: int, out: int, side: int = 1, step: int = 1, groups: int = 1) -> nn.Sequential:
    layer = nn.Conv2d(wide_in, out, side, step, side // 2, groups=groups, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(out), nn.ReLU())


class Residual(nn.Module):
    """A bottleneck of the new layers, with normalisation."""

    def __init__(self, width: int, middle: int, side: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            conv(width, middle),
            conv(middle, middle, side, groups=middle),
            nn.Conv2d(middle, width, 1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inner(x)


def doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class SegmentNet(nn.Module):
    """Crop (B, 3, S, S) in [0, 1] -> logits (B, 9, S, S) in SEGMENTS' order."""

    def __init__(self, selfie: Path | None = None) -> None:
        super().__init__()
        self.trunk = Trunk(selfie)
        self.pixels = conv(3, 16, 3, 2)
        self.enter = conv(32, WIDTH)
        self.place = nn.Parameter(torch.zeros(1, WIDTH, CELLS, CELLS))
        self.whole = nn.Conv2d(WIDTH, WIDTH, 1)
        self.middle = nn.Sequential(*(Residual(WIDTH, 2 * WIDTH, 5) for _ in range(4)))
        self.up32 = nn.Sequential(conv(WIDTH + 24, 64), Residual(64, 128, 5), Residual(64, 128, 3))
        self.up64 = nn.Sequential(conv(64 + 16, 40), Residual(40, 80, 5), Residual(40, 80, 3))
        self.up128 = nn.Sequential(conv(40 + 32, 24), conv(24, 24, 3), conv(24, 24, 3, groups=24), conv(24, 24))
        self.out = nn.ConvTranspose2d(24, len(SEGMENTS), 2, 2)

    def forward(self, image: Tensor) -> Tensor:
        first, second, third, x = self.trunk(image)
        x = self.enter(x)
        place = self.place
        if x.shape[2] != CELLS:
            place = F.interpolate(place, size=x.shape[2:], mode="bilinear", align_corners=False)
        x = x + place
        x = x + self.whole(x.mean(dim=(2, 3), keepdim=True))
        x = self.middle(x)
        x = self.up32(torch.cat([doubled(x), third], 1))
        x = self.up64(torch.cat([doubled(x), second], 1))
        x = self.up128(torch.cat([doubled(x), first, self.pixels(image)], 1))
        return self.out(x)


class Shares(nn.Module):
    def __init__(self, net: SegmentNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> Tensor:
        logits = self.net(image)
        power = (logits - logits.amax(1, keepdim=True)).exp()  # the runtime's Softmax is slow along channels
        return power / power.sum(1, keepdim=True)


def save_onnx(net: SegmentNet, path: Path) -> None:
    """`image` (batch, 3, 256, 256) in [0, 1] -> `shares` (batch, 9, 256, 256); weights in half precision."""
    net = copy.deepcopy(net).eval()
    assert net.out.bias is not None
    for name, lean in LEAN.items():
        net.out.bias.data[SEGMENTS.index(name)] += lean
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Shares(net).eval(),
            (torch.zeros(1, 3, SIDE, SIDE),),
            str(path),
            input_names=["image"],
            output_names=["shares"],
            dynamic_axes={"image": {0: "batch"}, "shares": {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )
    model = onnx.load(str(path))
    halve(model)
    model.producer_name, model.producer_version = "tronie", ""
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def halve(model: onnx.ModelProto) -> None:
    """Weights of more than 16 numbers in half precision, behind a Cast that the runtime folds away when it loads."""
    kept, casts = [], []
    for tensor in model.graph.initializer:
        value = numpy_helper.to_array(tensor)
        if value.dtype == np.float32 and value.size > 16:
            kept.append(numpy_helper.from_array(value.astype(np.float16), tensor.name + "_half"))
            casts.append(helper.make_node("Cast", [tensor.name + "_half"], [tensor.name], to=TensorProto.FLOAT))
        else:
            kept.append(tensor)
    nodes = [*casts, *model.graph.node]
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)
