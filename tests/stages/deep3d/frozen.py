"""A writer of TensorFlow 1's frozen graphs, and Deep3D's net as one. Just enough for tests."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tronie.stages.deep3d.net import HEADS, blocks

NUMBERS = {"<f4": 1, "<i4": 3, "<i8": 9, "|b1": 10}


def varint(value: int) -> bytes:
    value &= 0xFFFFFFFFFFFFFFFF
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def part(number: int, data: bytes | str | int) -> bytes:
    if isinstance(data, int):
        return varint(number << 3) + varint(data)
    data = data.encode() if isinstance(data, str) else data
    return varint(number << 3 | 2) + varint(len(data)) + data


def tensor(value: np.ndarray, repeat: tuple[int, ...] | None = None) -> bytes:
    """With `repeat`, one number for a whole shape."""
    shape = b"".join(part(2, part(1, n)) for n in (value.shape if repeat is None else repeat))
    content = part(4, value.tobytes()) if repeat is None else part(5, value.astype("<f4").tobytes())
    return part(1, NUMBERS[value.dtype.str]) + part(2, shape) + content


def attribute(value: Any) -> bytes:
    match value:
        case bool():
            return part(5, int(value))
        case str():
            return part(2, value)
        case float():
            return varint(4 << 3 | 5) + struct.pack("<f", value)
        case list():
            return part(1, part(3, b"".join(map(varint, value))))
        case np.ndarray():
            return part(8, tensor(value))
        case bytes():
            return value
    raise TypeError(value)


def node(name: str, op: str, inputs: tuple[str, ...] = (), **attributes: Any) -> bytes:
    body = part(1, name) + part(2, op) + b"".join(part(3, i) for i in inputs) + part(4, "/cpu:0")
    for key, value in attributes.items():
        body += part(5, part(1, key) + part(2, attribute(value)))
    return part(1, body)


@dataclass
class Frozen:
    """A graph in the making; methods give the name of what comes out."""

    parts: list[bytes] = field(default_factory=lambda: [part(4, part(1, 27))])  # versions
    count: int = 0

    def add(self, op: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        self.count += 1
        name = name or f"resnet/{op}_{self.count}"
        self.parts.append(node(name, op, inputs, **attributes))
        return name

    def constant(self, value: Any, dtype: str = "<f4") -> str:
        array = np.asarray(value).astype(dtype)
        kept = self.add("Const", value=array, dtype=part(6, NUMBERS[array.dtype.str]))
        return self.add("Identity", kept, T=part(6, NUMBERS[array.dtype.str]))

    def convolution(self, x: str, kernel: np.ndarray, stride: int, padding: str) -> str:
        return self.add(
            "Conv2D",
            x,
            self.constant(kernel.transpose(2, 3, 1, 0)),
            strides=[1, stride, stride, 1],
            padding=padding,
            data_format="NHWC",
            dilations=[1, 1, 1, 1],
        )

    def bordered(self, x: str, border: int) -> str:
        return self.add("Pad", x, self.constant([[0, 0], [border, border], [border, border], [0, 0]], "<i4"))

    def bytes(self) -> bytes:
        return b"".join(reversed(self.parts))  # the order does not matter


def deep3d(state: Mapping[str, np.ndarray], width: int, *, fused: bool = True, more: bool = False) -> bytes:
    """The net of a PyTorch checkpoint as a frozen graph; with `more`, it gives 258 numbers."""
    g = Frozen()
    x = g.add("Placeholder", name="input_imgs", dtype=part(6, 1))
    x = g.add("Cast", x, SrcT=part(6, 1), DstT=part(6, 1))

    def step(x: str, name: str, norm: str, stride: int, active: bool = True) -> str:
        kernel = state[f"{name}.weight"]
        if name == "backbone.conv1":
            kernel = kernel[:, ::-1] / 255
        border = kernel.shape[2] // 2
        # With a step of 1 the border SAME is the same on both sides.
        x = (
            g.convolution(g.bordered(x, border), kernel, stride, "VALID")
            if stride > 1 and border
            else g.convolution(x, kernel, stride, "SAME")
        )
        numbers = [g.constant(state[f"{norm}.{k}"]) for k in ("weight", "bias", "running_mean", "running_var")]
        if fused:
            x = g.add("FusedBatchNorm", x, *numbers, is_training=False, epsilon=1e-5, data_format="NHWC") + ":0"
        else:
            weight, bias, mean, variance = numbers
            gain = g.add("Mul", weight, g.add("Rsqrt", g.add("Add", variance, g.constant(1e-5))))
            x = g.add("Add", g.add("Mul", x, gain), g.add("Sub", bias, g.add("Mul", mean, gain)))
        return g.add("Relu", x) if active else x

    x = step(x, "backbone.conv1", "backbone.bn1", 2)
    x = g.add("MaxPool", g.bordered(x, 1), ksize=[1, 3, 3, 1], strides=[1, 2, 2, 1], padding="VALID")
    for block in blocks(width):
        n = block.name
        beside = x
        if block.shortcut:
            beside = step(x, f"{n}.downsample.0", f"{n}.downsample.1", block.stride, False)
        y = step(step(x, f"{n}.conv1", f"{n}.bn1", 1), f"{n}.conv2", f"{n}.bn2", block.stride)
        x = g.add("Relu", g.add("Add", beside, step(y, f"{n}.conv3", f"{n}.bn3", 1, False)))
    x = g.add("Mean", x, g.constant([1, 2], "<i4"), keep_dims=True)
    heads = []
    for i in range(len(HEADS) + more):
        kernel, bias = (state[f"final_layers.{min(i, 6)}.{k}"] for k in ("weight", "bias"))
        y = g.add("BiasAdd", g.convolution(x, kernel, 1, "SAME"), g.constant(bias), data_format="NHWC")
        heads.append(g.add("Squeeze", y, squeeze_dims=[1, 2]))
    g.add("ConcatV2", *heads, g.constant(1, "<i4"), name="coeff")
    g.add("Conv3D", "not", "needed")
    return g.bytes()
