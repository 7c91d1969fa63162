"""SPARNet (Chen, Gong, Wang, Li, Wong 2020, "Learning Spatial Attention for Face Super-Resolution"): its plans and
the names and meaning of the numbers in its checkpoints. `tronie.importers.sparnet_onnx` makes an ONNX file of them.

A face attention unit adds `attention * features` to its shortcut, where the features are norm, LeakyReLU and two
convolutions, and the attention is the sigmoid of a small hourglass over them: one map for all channels ("2-D") or one
for each ("3-D"). Every convolution is 3 x 3 over a border of reflected pixels; enlarging repeats pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tronie.formats.torch_checkpoint import find_numbers

EPSILON = 1e-5
"""Added to variances."""
SLOPE = 0.2
"""Of the LeakyReLUs below zero."""

State = Mapping[str, NDArray[Any]]
Scale = Literal["same", "down", "up"]


@dataclass(frozen=True, slots=True)
class Architecture:
    """What tells one net of the family from another."""

    side: int = 128
    """Pixels of the pictures that go in and come out."""
    coarsest: int = 16
    """Side of the smallest feature maps (outside the hourglasses)."""
    narrowest: int = 32
    """Least and greatest number of channels."""
    widest: int = 128
    depth: int = 10
    """Counts attention units: there are depth + 3 - steps at the coarsest side."""
    each_channel: bool = False
    """An attention map for each channel rather than one for all."""
    instance_norm: bool = False
    """Instance normalisation (with scale and shift) instead of batch normalisation."""
    spectral: bool = False
    """Kernels are divided by an estimate of their greatest singular value."""

    @property
    def steps(self) -> int:
        """How often the side is halved."""
        return (self.side // self.coarsest).bit_length() - 1

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels at each side, largest side first, (steps + 1,)."""

        def clip(width: int) -> int:
            return max(self.narrowest, min(width, self.widest))

        base = clip(self.widest // (self.steps + 1))
        return tuple(clip(base << i) for i in range(self.steps + 1))

    @property
    def units(self) -> tuple[tuple[str, int, int, Scale, int], ...]:
        """The attention units in order: name, channels in, channels out, scale, levels of the hourglass."""
        w, n = self.widths, self.steps
        down: list[tuple[str, int, int, Scale, int]]
        down = [(f"encoder.{i + 1}", w[i], w[i + 1], "down", 4 - i) for i in range(n)]
        body: list[tuple[str, int, int, Scale, int]]
        body = [(f"res_layers.{i}", w[n], w[n], "same", 5 - n) for i in range(self.depth + 3 - n)]
        up: list[tuple[str, int, int, Scale, int]]
        up = [(f"decoder.{i}", w[n - i], w[n - 1 - i], "up", 6 - n + i) for i in range(n)]
        return (*down, *body, *up)


ARCHITECTURES: dict[str, Architecture] = {
    "sparnet-16": Architecture(),
    "sparnet-light": Architecture(depth=1, each_channel=True),
    "sparnet-hd": Architecture(512, 32, widest=512, instance_norm=True, spectral=True),
    "sparnet-hd-3d": Architecture(512, 32, widest=512, each_channel=True, instance_norm=True, spectral=True),
}
"""The nets that were released: 16 -> 128 pixels; the same, light, with 3-D attention; the two for 512 pixels."""

HOURGLASS = 64
"""Channels inside the hourglasses."""


def hourglass(levels: int) -> Iterator[tuple[str, Scale]]:
    """Names and scales of an hourglass's convolutions, in the order of the checkpoints."""
    for level in range(levels, 0, -1):
        yield f"b1_{level}", "same"
        yield f"b2_{level}", "down"
    yield "b2_plus_1", "same"
    for level in range(1, levels + 1):
        yield f"b3_{level}", "up"


def shapes(plan: Architecture) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all numbers of a checkpoint, in its order."""
    found: dict[str, tuple[int, ...]] = {}

    def norm(name: str, channels: int) -> None:
        kinds = ("weight", "bias") if plan.instance_norm else ("weight", "bias", "running_mean", "running_var")
        found.update({f"{name}.{kind}": (channels,) for kind in kinds})
        if not plan.instance_norm:
            found[f"{name}.num_batches_tracked"] = ()

    def convolution(name: str, inputs: int, outputs: int, normed: bool) -> None:
        kernel = (outputs, inputs, 3, 3)
        if not plan.spectral:
            found[f"{name}.conv2d.weight"] = kernel
        if not normed:
            found[f"{name}.conv2d.bias"] = (outputs,)
        if plan.spectral:
            found[f"{name}.conv2d.weight_orig"] = kernel
            found[f"{name}.conv2d.weight_u"] = (outputs,)
            found[f"{name}.conv2d.weight_v"] = (inputs * 9,)
        if normed:
            norm(f"{name}.norm.norm", outputs)

    convolution("encoder.0", 3, plan.widths[0], False)
    for name, inputs, outputs, scale, levels in plan.units:
        if scale != "same":
            convolution(f"{name}.shortcut_func", inputs, outputs, False)
        norm(f"{name}.preact_func.0.norm", inputs)
        convolution(f"{name}.conv1", inputs, outputs, True)
        convolution(f"{name}.conv2", outputs, outputs, True)
        for part, _ in hourglass(levels):
            first = part in (f"b1_{levels}", f"b2_{levels}")
            convolution(f"{name}.att_func.{part}", outputs if first else HOURGLASS, HOURGLASS, True)
        convolution(f"{name}.att_func.out_block.0", HOURGLASS, outputs if plan.each_channel else 1, False)
    convolution("out_conv", plan.widths[0], 3, False)
    return found


ANCHOR = "encoder.0.conv2d.bias"
"""A name that every net of the family has."""


def find_state(content: object) -> dict[str, NDArray[Any]]:
    """The numbers of a SPARNet in what a checkpoint holds; empty when there is none."""
    return find_numbers(content, ANCHOR)


def _counted(state: Mapping[str, object]) -> set[str]:
    """Batch counters do not matter; old checkpoints lack them."""
    return {name for name in state if not name.endswith("num_batches_tracked")}


def _fits(state: State, expected: Mapping[str, tuple[int, ...]]) -> bool:
    names = _counted(expected)
    return _counted(state) == names and all(state[name].shape == expected[name] for name in names)


def recognise(state: State) -> str:
    """Which of `ARCHITECTURES` the numbers belong to. Raises ValueError with the
    reason when it is none of them, or when numbers are unusable."""
    if not state:
        raise ValueError("the file holds no SPARNet")
    fits = [name for name, plan in ARCHITECTURES.items() if _fits(state, shapes(plan))]
    if not fits:
        raise ValueError(f"the file holds a net like SPARNet, but none of {', '.join(ARCHITECTURES)}")
    for key in sorted(_counted(state)):
        value = state[key]
        if value.dtype.kind != "f" or not np.isfinite(value).all():
            raise ValueError(f"the numbers of {key} are damaged")
        if key.endswith("running_var") and value.min() < 0:
            raise ValueError(f"the numbers of {key} are damaged")
    return fits[0]


def kernel(state: State, name: str) -> NDArray[np.float64]:
    """Kernel (out, in, 3, 3) of convolution `name`. With spectral normalisation, W / (u . W v) with the stored u, v."""
    if f"{name}.conv2d.weight" in state:
        return np.asarray(state[f"{name}.conv2d.weight"], dtype=np.float64)
    w = np.asarray(state[f"{name}.conv2d.weight_orig"], dtype=np.float64)
    u, v = (np.asarray(state[f"{name}.conv2d.weight_{x}"], dtype=np.float64) for x in "uv")
    sigma = float(u @ (w.reshape(len(w), -1) @ v))
    if not np.isfinite(sigma) or sigma == 0:
        raise ValueError(f"the numbers of {name} are damaged")
    return np.asarray(w / sigma)


def norm_gain(state: State, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Batch normalisation `name` as x * gain + shift, each (channels,)."""
    weight, bias, mean, variance = (
        np.asarray(state[f"{name}.{kind}"], dtype=np.float64)
        for kind in ("weight", "bias", "running_mean", "running_var")
    )
    gain = weight / np.sqrt(variance + EPSILON)
    return gain, bias - mean * gain
