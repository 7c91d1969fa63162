"""Motion without jitter and without lag: a polynomial through each moment's neighbours on both sides, as many of them
as the motion allows (files), and the one-euro filter, which knows the past only (live)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tronie.arrays import Array

HALF_WIDTHS: tuple[float, ...] = (0.034, 0.067, 0.1, 0.167, 0.267, 0.433, 0.7)
"""Seconds on each side, from little smoothing to much: 1 to 21 frames at 30 a second."""
THRESHOLD = 1.8
"""How many standard deviations wide the intervals are that must have something in common."""


def smooth(
    times: Array, values: Array, weights: Array | None = None, *, floor: Array | float = 0.0,
    groups: Sequence[Sequence[int]] = (), strength: float = 1.0,
) -> Array:  # fmt: skip
    """Local quadratic regression of (N, C) values at growing times (N,) seconds, its width chosen place by place.

    The widest neighbourhood is taken whose estimate agrees, within the noise, with those of all narrower ones (the
    intersection of confidence intervals; Goldenshluger & Nemirovski 1997, Katkovnik 1999): a still face is averaged
    over more than a second, a blink over three frames. It looks equally far back and ahead, so nothing is delayed.
    `weights` (N,) are 0..1; where they are 0 the neighbours decide. The noise is estimated from the values (at least
    `floor`). Columns of a group share the narrowest of their widths. `strength` scales the noise: 0 changes nothing.
    """
    n, columns = values.shape
    if n < 3 or strength <= 0:
        return np.array(values, dtype=np.float64)
    v = values.astype(np.float64)
    w = np.ones(n) if weights is None else np.clip(weights, 0, 1).astype(np.float64) + 1e-6
    sigma = strength * np.maximum(noise_of(v), floor)
    step = float(np.median(np.diff(times)))
    widths = sorted({max(1, round(seconds / step)) for seconds in HALF_WIDTHS})
    best = _local(times, v, w, widths[0])[0]
    low, high = np.full((n, columns), -np.inf), np.full((n, columns), np.inf)
    going = np.ones((n, columns), dtype=bool)
    for width in widths:
        if width >= n:
            break
        estimate, gain = _local(times, v, w, width)
        spread = THRESHOLD * sigma * gain[:, None]
        low, high = np.maximum(low, estimate - spread), np.minimum(high, estimate + spread)
        going &= low <= high
        for group in groups:
            going[:, list(group)] = going[:, list(group)].all(axis=1, keepdims=True)
        best = np.where(going, estimate, best)
    return best


def noise_of(values: Array) -> Array:
    """(C,) standard deviation of what changes from frame to frame without a course: from the fourth differences, which
    slow motion hardly shows in, by their median, which a few quick moments do not move."""
    if len(values) < 6:
        return np.zeros(values.shape[1])
    fourth = np.diff(values, n=4, axis=0)
    return np.asarray(1.4826 * np.median(np.abs(fourth), axis=0) / np.sqrt(70.0))


def _local(times: Array, v: Array, w: Array, width: int) -> tuple[Array, Array]:
    """Estimates (N, C) by a quadratic through `width` neighbours on each side, and their noise per noise of a value."""
    n = len(times)
    s, m, t = np.zeros((n, 5)), np.zeros((n, 5)), np.zeros((n, 3, v.shape[1]))
    unit = max(float(np.median(np.diff(times))) * (width + 1), 1e-9)
    for k in range(-width, width + 1):
        here, there = slice(max(0, -k), n - max(0, k)), slice(max(0, k), n + min(0, k))
        x = (times[there] - times[here]) / unit
        near = np.maximum(1 - x * x, 0.0)  # Epanechnikov
        kernel = near * w[there]
        power = np.ones_like(x)
        for p in range(5):
            s[here, p] += kernel * power
            m[here, p] += near * kernel * power  # a value of weight w has the variance 1 / w
            if p < 3:
                t[here, p] += (kernel * power)[:, None] * v[there]
            power = power * x
    index = np.arange(3)[:, None] + np.arange(3)
    system, noise = s[:, index], m[:, index]
    system[:, [1, 2], [1, 2]] += 1e-4 * s[:, :1] + 1e-12  # few neighbours at the ends: no wild parabolas
    system[:, 0, 0] += 1e-12
    row = np.linalg.solve(system, np.broadcast_to(np.eye(3)[:, :1], (n, 3, 1)))[:, :, 0]
    estimate = np.einsum("np,npc->nc", row, t)
    gain = np.sqrt(np.maximum(np.einsum("np,npq,nq->n", row, noise, row), 0.0))
    return estimate, gain


@dataclass(frozen=True, slots=True, eq=False)
class OneEuro:
    """The one-euro filter (Casiez, Roussel & Vogel 2012): a low pass that opens with speed. A value: `next` gives the
    filtered numbers and the filter for the frame after."""

    cutoff: float = 1.2
    """Hz, of what stands still: lower is steadier."""
    opening: float = 0.02
    """Hz per unit of speed: higher follows faster."""
    derivative: float = 1.0
    """Hz, of the speed itself."""
    time: float | None = None
    value: Array | None = None
    speed: Array | None = None

    def next(self, time: float, value: Array) -> tuple[Array, OneEuro]:
        if self.time is None or self.value is None or self.speed is None or time <= self.time:
            return value, OneEuro(self.cutoff, self.opening, self.derivative, time, value, np.zeros_like(value))
        step = time - self.time
        speed = self.speed + _share(self.derivative, step) * ((value - self.value) / step - self.speed)
        share = _share(self.cutoff + self.opening * np.abs(speed), step)
        out = self.value + share * (value - self.value)
        return out, OneEuro(self.cutoff, self.opening, self.derivative, time, out, speed)


def _share(cutoff: Any, step: float) -> Any:
    turn = 2 * np.pi * cutoff * step
    return turn / (turn + 1)
