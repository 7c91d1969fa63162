"""From the numbers of a SPARNet checkpoint to an ONNX file. Only importing needs this module and the package onnx."""

from __future__ import annotations

import numpy as np

from tronie.importers.sparnet_architecture import EPSILON, SLOPE, Architecture, Scale, State, kernel, norm_gain
from tronie.runtime.onnx_graph import OnnxGraph


def onnx_bytes(state: State, plan: Architecture) -> bytes:
    """The ONNX file: input "image" (N, 3, side, side) RGB in 0..1, output "restored" of the same shape, about 0..1.

    The checkpoint's net works on -1..1; that change of range, batch normalisation behind convolutions and spectral
    normalisation are folded into kernels (in float64, stored as float32).
    """
    graph = _Graph(state, plan)
    x = graph.convolution("encoder.0", "image", centre=True)
    for name, _, _, scale, levels in plan.units:
        x = graph.unit(name, x, scale, levels)
    graph.convolution("out_conv", x, halve=True, out="restored")
    picture = (3, plan.side, plan.side)
    return graph.finished(("image", picture), ("restored", picture))


class _Graph(OnnxGraph):
    """With the units of SPARNet."""

    def __init__(self, state: State, plan: Architecture) -> None:
        super().__init__("sparnet")
        self.state, self.plan = state, plan
        # Of the mode "reflect": how many pixels the border gets at the start and end of (N, C, H, W).
        self.border = self.constant("border", np.array([0, 0, 1, 1, 0, 0, 1, 1], dtype=np.int64))
        self.twice = self.constant("twice", np.array([1, 1, 2, 2], dtype=np.float32))

    def convolution(
        self,
        name: str,
        x: str,
        scale: Scale = "same",
        *,
        normed: bool = False,
        active: bool = False,
        centre: bool = False,
        halve: bool = False,
        out: str = "",
    ) -> str:
        """Enlarge (if `scale` is up), border, 3 x 3 kernel, normalisation, LeakyReLU. `centre`: the input is in 0..1
        where the checkpoint's net wants -1..1; `halve`: the output likewise."""
        w = kernel(self.state, name)
        bias = np.zeros(len(w)) if normed else np.asarray(self.state[f"{name}.conv2d.bias"], dtype=np.float64)
        if normed and not self.plan.instance_norm:
            gain, bias = norm_gain(self.state, f"{name}.norm.norm")
            w = w * gain[:, None, None, None]
        if centre:  # w * (2 x - 1) + b; the border is reflected, so it holds true there as well
            w, bias = 2 * w, bias - w.sum(axis=(1, 2, 3))
        if halve:
            w, bias = w / 2, bias / 2 + 0.5
        # Four kernels of 2 x 2 over the small picture would give the same for half of the products. Tried: the large
        # net needs 18.1 s instead of 18.5 s (one core), and 7 % more memory.
        if scale == "up":
            x = self.node(
                "Resize",
                [x, "", self.twice],
                f"{name}.twice",
                mode="nearest",
                coordinate_transformation_mode="asymmetric",
                nearest_mode="floor",
            )
        x = self.node("Pad", [x, self.border], f"{name}.bordered", mode="reflect")
        stride = 2 if scale == "down" else 1
        inputs = [x, self.constant(f"{name}.kernel", w), self.constant(f"{name}.bias", bias)]
        x = self.node("Conv", inputs, out or f"{name}.out", kernel_shape=[3, 3], strides=[stride, stride])
        if normed and self.plan.instance_norm:
            x = self.norm(f"{name}.norm.norm", x)
        return self.node("LeakyRelu", [x], f"{name}.active", alpha=SLOPE) if active else x

    def norm(self, name: str, x: str) -> str:
        """A normalisation with no convolution to be folded into."""
        if self.plan.instance_norm:
            return self.instance_norm(name, x)
        gain, shift = norm_gain(self.state, name)
        x = self.node("Mul", [x, self.constant(f"{name}.gain", gain[:, None, None])], f"{name}.gained")
        return self.node("Add", [x, self.constant(f"{name}.shift", shift[:, None, None])], f"{name}.out")

    def instance_norm(self, name: str, x: str) -> str:
        """Normalisation by the mean and variance of each channel of each picture.

        ONNX Runtime's InstanceNormalization, and a mean over both axes at once, add up all pixels one after the other
        in float32: where half of a picture is black, roundings go the same way thousands of times and the net's answer
        is 1e-4 off. Means of rows and then of those bring 4e-6, at no cost.
        """
        gain, shift = (np.asarray(self.state[f"{name}.{kind}"])[:, None, None] for kind in ("weight", "bias"))
        centred = self.node("Sub", [x, self.mean(x, f"{name}.mean")], f"{name}.centred")
        square = self.node("Mul", [centred, centred], f"{name}.square")
        padded = [self.mean(square, f"{name}.variance"), self.constant(f"{name}.epsilon", np.array(EPSILON))]
        spread = self.node("Sqrt", [self.node("Add", padded, f"{name}.padded")], f"{name}.spread")
        scale = self.node("Div", [self.constant(f"{name}.gain", gain), spread], f"{name}.scale")
        scaled = self.node("Mul", [centred, scale], f"{name}.scaled")
        return self.node("Add", [scaled, self.constant(f"{name}.shift", shift)], f"{name}.out")

    def mean(self, x: str, out: str) -> str:
        """Of each channel of each picture, (N, C, 1, 1)."""
        rows = self.node("ReduceMean", [x], f"{out}.rows", axes=[3], keepdims=1)
        return self.node("ReduceMean", [rows], out, axes=[2], keepdims=1)

    def unit(self, name: str, x: str, scale: Scale, levels: int) -> str:
        """Face attention unit: shortcut + attention * features."""
        shortcut = x if scale == "same" else self.convolution(f"{name}.shortcut_func", x, scale)
        f = self.node("LeakyRelu", [self.norm(f"{name}.preact_func.0.norm", x)], f"{name}.before", alpha=SLOPE)
        first: Scale = "up" if scale == "up" else "same"
        second: Scale = "down" if scale == "down" else "same"
        f = self.convolution(f"{name}.conv1", f, first, normed=True, active=True)
        f = self.convolution(f"{name}.conv2", f, second, normed=True)
        a = self.convolution(f"{name}.att_func.out_block.0", self.hourglass(f"{name}.att_func", f, levels))
        a = self.node("Sigmoid", [a], f"{name}.attention")
        return self.node("Add", [shortcut, self.node("Mul", [f, a], f"{name}.attended")], f"{name}.sum")

    def hourglass(self, name: str, x: str, levels: int) -> str:
        """A level: x at full side + what the smaller levels say of it."""
        beside = self.convolution(f"{name}.b1_{levels}", x, normed=True, active=True)
        below = self.convolution(f"{name}.b2_{levels}", x, "down", normed=True, active=True)
        if levels > 1:
            below = self.hourglass(name, below, levels - 1)
        else:
            below = self.convolution(f"{name}.b2_plus_1", below, normed=True, active=True)
        above = self.convolution(f"{name}.b3_{levels}", below, "up", normed=True, active=True)
        return self.node("Add", [beside, above], f"{name}.sum_{levels}")
