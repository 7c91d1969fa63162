"""The net of Deep3D: ResNet-50 (He et al. 2016, with the stride in the 3 x 3 convolutions) and seven linear heads on
its mean features; the names in its checkpoints, and how it is asked. `tronie.importers.deep3d_onnx` makes an ONNX
file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.errors import WeightsError
from tronie.runtime.inference import Session
from tronie.stages.deep3d.align import SIDE

if TYPE_CHECKING:
    from tronie.runtime.model_store import Imported

HEADS = (80, 64, 80, 3, 27, 2, 1)
"""Numbers of identity, expression, texture, angles, light, translation in x and y, and in z."""
STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
"""Inner channels and number of blocks; a block gives out 4 times as many channels."""
EPSILON = 1e-5
"""Added to variances."""
ANCHOR = "backbone.conv1.weight"
"""A name that the net has."""

State = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Block:
    """Three convolutions beside a shortcut."""

    name: str
    inputs: int
    inner: int
    stride: int

    @property
    def outputs(self) -> int:
        return 4 * self.inner

    @property
    def shortcut(self) -> bool:
        """Whether the shortcut is a convolution."""
        return self.stride != 1 or self.inputs != self.outputs


def blocks(width: int = 64) -> Iterator[Block]:
    """In order. `width` of the first stage; less only for tests."""
    inputs = width
    for stage, (channels, count) in enumerate(STAGES, start=1):
        inner = channels * width // 64
        for i in range(count):
            yield Block(f"backbone.layer{stage}.{i}", inputs, inner, 2 if stage > 1 and i == 0 else 1)
            inputs = 4 * inner


def shapes(width: int = 64) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all numbers of a checkpoint, in its order."""
    found: dict[str, tuple[int, ...]] = {}

    def convolution(name: str, norm: str, shape: tuple[int, ...]) -> None:
        found[f"{name}.weight"] = shape
        found.update({f"{norm}.{kind}": shape[:1] for kind in ("weight", "bias", "running_mean", "running_var")})
        found[f"{norm}.num_batches_tracked"] = ()

    convolution("backbone.conv1", "backbone.bn1", (width, 3, 7, 7))
    for block in blocks(width):
        n = block.name
        convolution(f"{n}.conv1", f"{n}.bn1", (block.inner, block.inputs, 1, 1))
        convolution(f"{n}.conv2", f"{n}.bn2", (block.inner, block.inner, 3, 3))
        convolution(f"{n}.conv3", f"{n}.bn3", (block.outputs, block.inner, 1, 1))
        if block.shortcut:
            convolution(f"{n}.downsample.0", f"{n}.downsample.1", (block.outputs, block.inputs, 1, 1))
    for i, count in enumerate(HEADS):
        found[f"final_layers.{i}.weight"] = (count, 32 * width, 1, 1)
        found[f"final_layers.{i}.bias"] = (count,)
    return found


def check(state: State, expected: Mapping[str, tuple[int, ...]]) -> None:
    """ValueError, its text the end of a sentence, unless the numbers are those of the net. Batch counters do not
    matter."""
    if not state:
        raise ValueError("the file holds no net of Deep3D")
    names, there = ({n for n in x if not n.endswith("num_batches_tracked")} for x in (expected, state))
    if missing := sorted(names - there):
        raise ValueError(f"the net lacks {missing[0]}" + (f" and {len(missing) - 1} more" if missing[1:] else ""))
    if more := sorted(there - names):
        raise ValueError(f"the net is another one: it has {more[0][:80]}")
    for name in sorted(names):
        value = state[name]
        if value.shape != expected[name]:
            raise ValueError(f"{name} has the shape {value.shape}, not {expected[name]}")
        if value.dtype.kind != "f" or not np.isfinite(value).all():
            raise ValueError(f"the numbers of {name} are damaged")
        if name.endswith("running_var") and value.min() < 0:
            raise ValueError(f"the numbers of {name} are damaged")


def folded(state: State, convolution: str, norm: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Kernel and bias of a convolution with the batch normalisation behind it."""
    kernel = np.asarray(state[f"{convolution}.weight"], dtype=np.float64)
    gain, bias, mean, variance = (
        np.asarray(state[f"{norm}.{kind}"], dtype=np.float64)
        for kind in ("weight", "bias", "running_mean", "running_var")
    )
    gain = gain / np.sqrt(variance + EPSILON)
    return kernel * gain[:, None, None, None], bias - mean * gain


class CoefficientNet:
    """The net in an ONNX file: input "image" (N, 3, 224, 224) RGB in 0..1, output "coefficients" (N, 257)."""

    def __init__(self, path: Path, threads: int = 0, device: str = "cpu") -> None:
        self.session = Session(path, threads, device=device)

    def coefficients(self, crops: NDArray[np.uint8]) -> Array:
        """(N, 224, 224, 3) RGB -> (N, 257)."""
        if crops.ndim != 4 or crops.shape[1:] != (SIDE, SIDE, 3):
            raise ValueError(f"crops of {SIDE} x {SIDE} RGB pixels are needed, not {crops.shape}")
        picture = np.moveaxis(crops, 3, 1).astype(np.float32) / np.float32(255)
        return self.session.run({"image": picture})["coefficients"]


def record() -> Imported:
    """Of the user's own; of two the one from PyTorch, whose errors its authors found 9 % smaller. Raises WeightsError
    with what to do where there is none."""
    from tronie.runtime.model_store import imported

    there = imported()
    for name in NAMES:
        if name in there:
            return there[name]
    raise WeightsError(
        "The net of Deep3D is not there; `tronie models import deep3d epoch_20.pth` brings your copy of it "
        "(`tronie models` tells where to get one)."
    )


def load_net(threads: int = 0, device: str = "cpu") -> CoefficientNet:
    """The user's own, read on first use. Raises WeightsError."""
    return CoefficientNet(record().path, threads, device)


NAMES = ("deep3d", "deep3d-tensorflow")
"""Of the nets in the user's store, best first."""
