"""How one person's head moves through a clip: from the fits of single frames to a smooth course without holes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.geometry import Camera, rigid, rotation_matrix, rotation_vector
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import HeadModel

Ints = NDArray[np.integer[Any]]

ABSENT, SEEN, BRIDGED = 0, 1, 2
"""States of a frame: not there; seen; hidden for a moment, and told from the frames before and after."""
LOOK_DEGREES = {"In": 35.0, "Out": 35.0, "Up": 25.0, "Down": 25.0}
"""By which an eye turns where the unit is 1, of a head whose units do not tell."""
BETWEEN, DOUBTFUL = 0.1, 0.02
"""Weight of what lies on the line between the ends of a hole, and least weight of what was seen."""
EXPRESSION_FLOOR, TURN_FLOOR, PLACE_FLOOR, DEPTH_FLOOR = 0.012, 0.001, 0.02, 0.0004
"""Least noise that is reckoned with: of a unit, radians, pixels, the logarithm of the distance."""
HALF_WIDTHS: tuple[float, ...] = (0.034, 0.067, 0.1, 0.167, 0.267, 0.433, 0.7)
"""Seconds on each side, from little smoothing to much: 1 to 21 frames at 30 a second."""
THRESHOLD = 1.8
"""How many standard deviations wide the intervals are that must have something in common."""


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """Fits of the frames in which somebody was seen."""

    frame: Ints
    """(N,) growing."""
    rotation: Array
    """(N, 3, 3)."""
    translation: Array
    """(N, 3) mm."""
    expression: Array
    """(N, 52)."""
    trust: Array
    """(N,) 0..1."""
    box: Array
    """(N, 4)."""


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Of every frame of the clip, T of them."""

    time: Array
    """(T,) seconds."""
    state: NDArray[np.uint8]
    """(T,) ABSENT, SEEN or BRIDGED."""
    confidence: Array
    """(T,) 0..1; 0 where the person is not seen."""
    head_to_camera: Array
    """(T, 4, 4) mm. Where the person is absent: as it was last, or will be first."""
    expression: Array
    """(T, 52) 0..1, likewise."""
    gaze: Array
    """(T, 2, 2) degrees: of the left and the right eye, to the subject's left and up, in the head's axes."""
    box: Array
    """(T, 4) pixels, NaN where the person is not seen."""

    @property
    def there(self) -> NDArray[np.bool_]:
        """(T,) seen or bridged."""
        return np.asarray(self.state != ABSENT)

    @property
    def spans(self) -> list[tuple[int, int]]:
        """First and last frame of every uninterrupted stay."""
        edges = np.flatnonzero(np.diff(np.concatenate([[0], self.there.astype(np.int8), [0]])))
        return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def make_motion(
    raw: Raw,
    times: Array,
    cuts: Sequence[int],
    camera: Camera,
    model: HeadModel,
    *,
    bridge: float = 0.5,
    strength: float = 1.0,
) -> Motion:
    """Smooth between cuts and absences; holes of up to `bridge` seconds are filled. `strength` 0: as fitted."""
    count = len(times)
    state, trust = np.zeros(count, np.uint8), np.zeros(count)
    state[raw.frame] = SEEN
    trust[raw.frame] = raw.trust
    pose, units = np.zeros((count, 6)), np.zeros((count, raw.expression.shape[1]))
    boxes = np.full((count, 4), np.nan)
    boxes[raw.frame] = raw.box
    for first, last in pieces(raw.frame, times, cuts, bridge):
        here = (raw.frame >= first) & (raw.frame <= last)
        stay = slice(first, last + 1)
        state[stay] = np.where(state[stay] == SEEN, SEEN, BRIDGED)
        t, known = times[stay], raw.frame[here] - first
        reference = raw.rotation[here][len(known) // 2]
        turn = np.array([rotation_vector(reference.T @ r) for r in raw.rotation[here]])
        place = camera.project(raw.translation[here])
        depth = np.log(raw.translation[here, 2:])
        channels = np.concatenate([turn, place, depth, raw.expression[here]], axis=1)
        whole = np.array([np.interp(t, t[known], c) for c in channels.T]).T
        weights = np.where(state[stay] == BRIDGED, BETWEEN, np.maximum(trust[stay], DOUBTFUL))
        whole = smooth(
            t,
            whole,
            weights,
            groups=[(0, 1, 2), (3, 4)],
            strength=strength,
            floor=np.r_[[TURN_FLOOR] * 3, [PLACE_FLOOR] * 2, DEPTH_FLOOR, [EXPRESSION_FLOOR] * units.shape[1]],
        )
        for k, row in enumerate(whole):
            position = camera.unproject(row[3:5], np.exp(row[5]))
            pose[first + k] = np.r_[rotation_vector(reference @ rotation_matrix(row[:3])), position]
        units[stay] = np.clip(whole[:, 6:], 0, 1)
    _hold(pose, state)
    _hold(units, state)
    matrices = np.array([rigid(rotation_matrix(row[:3]), row[3:]) for row in pose])
    trust[state != SEEN] = 0
    return Motion(times, state, trust, matrices, units, gaze_of(units, model), boxes)


def pieces(frames: Ints, times: Array, cuts: Sequence[int], bridge: float) -> list[tuple[int, int]]:
    """First and last frame of every stretch that is smoothed as one: no cut in it, no longer hole than `bridge`."""
    out: list[tuple[int, int]] = []
    for frame in frames.tolist():
        if out and times[frame] - times[out[-1][1]] <= bridge + 1e-9 + _step(times):
            begin, end = out[-1]
            if not any(end < cut <= frame for cut in cuts):
                out[-1] = begin, frame
                continue
        out.append((frame, frame))
    return out


def gaze_of(units: Array, model: HeadModel) -> Array:
    """(T, 2, 2) degrees of the eyes, left and right: to the subject's left, and up; from the eyeLook units."""
    column = {name: k for k, name in enumerate(ARKIT_UNITS)}
    out = np.zeros((len(units), 2, 2))
    for eye, (side, sign) in enumerate((("Left", 1.0), ("Right", -1.0))):
        turned = {way: units[:, column[f"eyeLook{way}{side}"]] * LOOK_DEGREES[way] for way in LOOK_DEGREES}
        out[:, eye, 0] = sign * (turned["Out"] - turned["In"])
        out[:, eye, 1] = turned["Up"] - turned["Down"]
    return out


def _hold(values: Array, state: NDArray[np.uint8]) -> None:
    """Where somebody is absent: the last known values, or at the beginning the first; changes `values`."""
    there = np.flatnonzero(state != ABSENT)
    before = np.searchsorted(there, np.arange(len(state)), side="right") - 1
    values[:] = values[there[np.maximum(before, 0)]]


def _step(times: Array) -> float:
    return float(np.median(np.diff(times))) if len(times) > 1 else 0.0


def smooth(
    times: Array,
    values: Array,
    weights: Array | None = None,
    *,
    floor: Array | float = 0.0,
    groups: Sequence[Sequence[int]] = (),
    strength: float = 1.0,
) -> Array:
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
