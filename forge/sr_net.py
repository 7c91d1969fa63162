"""The net that restores small faces, for training (PyTorch), and its export.

In the manner of SPARNet (Chen et al., Learning Spatial Attention for Face Super-Resolution, 2020): residual units whose
branch is weighed by a spatial attention map that an hourglass makes of it. Unlike it, the body works at a quarter of
the picture's side and below (a U of three scales), has no normalisation, and adds to the enlarged picture instead of
painting it anew; one net serves all factors, because every face is first enlarged to the same 256 pixels.
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
WIDTHS = (64, 88, 112)
UNITS = (2, 2, 2, 2, 4)
"""Attention units: going down at 64, 32, 16 cells, going up at 32, 64."""
SLOPE = 0.1


def conv(i: int, o: int, side: int = 3, stride: int = 1) -> nn.Conv2d:
    layer = nn.Conv2d(i, o, side, stride, side // 2)
    nn.init.kaiming_normal_(layer.weight, a=SLOPE)
    nn.init.zeros_(layer.bias)
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


class FaceNet(nn.Module):
    """(B, 3, 256, 256) in 0..1, a face enlarged to that size -> the same, restored."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c = WIDTHS

        def units(width: int, count: int) -> nn.Sequential:
            return nn.Sequential(*(AttentionUnit(width) for _ in range(count)))

        self.stem = conv(3 * FOLD**2, a)
        self.down64, self.to32 = units(a, UNITS[0]), conv(a, b, 3, 2)
        self.down32, self.to16 = units(b, UNITS[1]), conv(b, c, 3, 2)
        self.body16, self.from16 = units(c, UNITS[2]), conv(c, b, 1)
        self.up32, self.from32 = units(b, UNITS[3]), conv(b, a, 1)
        self.up64 = units(a, UNITS[4])
        self.spread = conv(a, 4 * 32)
        self.fine, self.paint = conv(32, 32), conv(32, 3 * 4)
        with torch.no_grad():
            self.paint.weight *= 0.1

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x = self.stem(F.pixel_unshuffle(image - 0.5, FOLD))
        at64 = self.down64(x)
        at32 = self.down32(bend(self.to32(at64)))
        at16 = self.body16(bend(self.to16(at32)))
        at32 = self.up32(at32 + doubled(self.from16(at16)))
        at64 = self.up64(at64 + doubled(self.from32(at32)))
        fine = bend(self.fine(bend(F.pixel_shuffle(self.spread(at64 + x), 2))))
        return image + F.pixel_shuffle(self.paint(fine), 2)


def save_onnx(net: FaceNet, path: Path) -> None:
    """image (batch, 3, 256, 256) -> restored, both in 0..1; the weights in half precision."""
    nodes: list[onnx.NodeProto] = []
    constants = [numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "twice"),
                 numpy_helper.from_array(np.array(0.5, np.float32), "half")]  # fmt: skip

    def node(kind: str, inputs: list[str], **attributes: object) -> str:
        name = f"v{len(nodes)}"
        nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def weights(name: str, value: torch.Tensor) -> str:
        constants.append(numpy_helper.from_array(value.detach().numpy().astype(np.float16), name))
        return node("Cast", [name], to=TensorProto.FLOAT)

    def convolved(x: str, name: str, weight: torch.Tensor | None = None) -> str:
        layer = net.get_submodule(name)
        assert isinstance(layer, nn.Conv2d)
        inputs = [x, weights(name + ".w", layer.weight if weight is None else weight), weights(name + ".b", layer.bias)]
        return node("Conv", inputs, kernel_shape=layer.kernel_size, strides=layer.stride, pads=layer.padding * 2)

    def bent(x: str) -> str:
        return node("LeakyRelu", [x], alpha=SLOPE)

    def twice(x: str) -> str:
        return node("Resize", [x, "", "twice"], mode="nearest", coordinate_transformation_mode="asymmetric",
                    nearest_mode="floor")  # fmt: skip

    def units(x: str, name: str) -> str:
        for i in range(len(net.get_submodule(name))):  # type: ignore[arg-type]
            at = f"{name}.{i}."
            f = convolved(bent(convolved(x, at + "first")), at + "second")
            wide = bent(convolved(f, at + "down"))
            deep = bent(convolved(bent(convolved(wide, at + "deeper")), at + "deepest"))
            seen = convolved(twice(node("Add", [wide, twice(deep)])), at + "attend")
            x = node("Add", [x, node("Mul", [f, node("Sigmoid", [seen])])])
        return x

    # ONNX folds pixels before channels, PyTorch the other way round.
    stem = net.stem.weight.reshape(WIDTHS[0], 3, FOLD**2, 3, 3).transpose(1, 2).reshape(WIDTHS[0], -1, 3, 3)
    x = convolved(node("SpaceToDepth", [node("Sub", ["image", "half"])], blocksize=FOLD), "stem", stem)
    at64 = units(x, "down64")
    at32 = units(bent(convolved(at64, "to32")), "down32")
    at16 = units(bent(convolved(at32, "to16")), "body16")
    at32 = units(node("Add", [at32, twice(convolved(at16, "from16"))]), "up32")
    at64 = units(node("Add", [at64, twice(convolved(at32, "from32"))]), "up64")
    wide = node("DepthToSpace", [convolved(node("Add", [at64, x]), "spread")], blocksize=2, mode="CRD")
    painted = convolved(bent(convolved(bent(wide), "fine")), "paint")
    detail = node("DepthToSpace", [painted], blocksize=2, mode="CRD")
    nodes.append(helper.make_node("Add", ["image", detail], ["restored"]))
    shape = ["batch", 3, SIDE, SIDE]
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in ("image", "restored")]
    graph = helper.make_graph(nodes, "face_enhance", ports[:1], ports[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.checker.check_model(model)
    onnx.save(model, path)
