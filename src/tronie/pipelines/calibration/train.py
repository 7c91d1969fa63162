"""A calibration for a head model, learned with NumPy from what the landmark net saw of its people.

The shape features (`Landmarks.features`) and the first hidden layer are those of our own head's calibration, for they
read a face, not a model; what is learned is how to say it in this model's terms. It begins with a ridge regression on
both, and goes on by gradient descent (Adam; Kingma & Ba 2015) through all layers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.head.model import HeadModel
from tronie.pipelines.calibration.targets import Scales, Targets, spreads, targets_of
from tronie.stages.fit.basis import landmark_basis
from tronie.stages.fit.regressor import CAMERA_FEATURES, Calibration

Array = NDArray[Any]

RIDGE = 2e-3
"""Price of the first solution's weights, by the mean square of what they multiply."""
EPOCHS, BATCH, RATE, DECAY = 30, 256, 1e-3, 1e-4
MOMENTS, TINY = (0.9, 0.999), 1e-8
NET_DROP = 0.1
"""Share of inputs that are hidden at random in each step, so that it does not lean on few."""


@dataclass(slots=True)
class Layers:
    """silu(x @ hidden + hidden_bias) @ out + x @ direct + bias, in standardised numbers."""

    hidden: Array
    hidden_bias: Array
    out: Array
    direct: Array
    bias: Array

    def inner(self, x: Array) -> tuple[Array, Array]:
        """What the hidden layer gets (n, H), and what it makes of it."""
        h = x @ self.hidden + self.hidden_bias
        return h, h / (1 + np.exp(-h))

    def __call__(self, x: Array) -> Array:
        return np.asarray(self.inner(x)[1] @ self.out + x @ self.direct + self.bias)

    def copy(self) -> Layers:
        return Layers(*(getattr(self, name).copy() for name in self.__dataclass_fields__))


@dataclass(frozen=True, slots=True)
class Figures:
    """How well it does on held-out people, for the card."""

    learned: int
    """Pictures learned from (mirror images count)."""
    held_out: int
    error_mm: float
    """RMS distance of corresponding vertices of the inner face without similarity, mean over pictures."""
    mean_head_mm: float
    share: float
    """error_mm / mean_head_mm."""
    share_to_30: float
    """The same for |yaw| below 30 degrees, and"""
    share_beyond: float
    turn: tuple[float, float, float]
    """Degrees RMS about the head's x, y and z."""
    expression_r: float
    """Correlation over the pictures, mean of the 30 units that move the face furthest."""


def learn(
    model: HeadModel,
    data: Mapping[str, Array],
    held: NDArray[np.bool_],
    start: Calibration,
    *,
    seed: int = 0,
    tick: Callable[[], None] = lambda: None,
) -> tuple[Calibration, Figures]:
    """`data` has the arrays of `look.Sample` by name, `held` (N,) are those not to learn from. `start` is our own
    head's calibration. `tick` is called after each of EPOCHS passes."""
    targets = targets_of(data, landmark_basis(model))
    learned = np.flatnonzero(~held)
    scales = scales_of(targets, model, learned, start)
    x = np.concatenate([data["features"], scales.told(targets)], axis=1).astype(np.float32)
    goal, k = scales.goal(targets), len(model.identity)
    main, extra = goal[:, : k + 59], goal[:, k + 59 :]
    inputs = input_scale(scales, x.shape[1])
    layers = first(x[learned], main[learned], begun(start, inputs, scales), blind(x.shape[1]))
    weight = scales.weights(model)[: k + 59]
    layers = descended(layers, x, main, learned, np.flatnonzero(held), weight, k, seed, tick)
    points = ridge(x[learned], extra[learned])
    said = layers(x[held])
    off = np.linalg.norm(layers(x[learned])[:, :k] - main[learned][:, :k], axis=1)
    doubter = ridge(layers.inner(x[learned])[1], np.log(off + 1e-3)[:, None])
    doubter[-1] -= affine(layers.inner(x[held])[1], doubter).mean()
    doubter = np.repeat(doubter, 2, axis=1)  # its pose and all its shapes are as sure as each other
    doubt, rows = affine(layers.inner(x[held])[1], doubter), np.flatnonzero(held)
    wide = spreads(said, affine(x[held], points), doubt, scales, targets, rows, np.zeros(len(held), bool), model)
    return calibration(layers, doubter, scales, inputs, wide), figures(said, scales, targets, rows, len(learned), model)


def scales_of(targets: Targets, model: HeadModel, learned: Array, start: Calibration) -> Scales:
    """With the principal directions that the first hidden layer knows."""
    own = Scales.of(targets, model, learned)
    return Scales(**{**{n: getattr(own, n) for n in own.__dataclass_fields__}, "components": start.components})


def input_scale(scales: Scales, count: int) -> Array:
    """(F,) by which the world's numbers are multiplied before they go in; features go in as they are."""
    told = scales.told_scale
    return np.concatenate([np.ones(count - len(told)), told])


def blind(count: int) -> NDArray[np.bool_]:
    """(F,) the inputs that the nearness may not see: those that know the assumed camera."""
    out = np.zeros(count, dtype=bool)
    out[count - 52 - 11 : count - 52][CAMERA_FEATURES] = True
    return out


def begun(start: Calibration, inputs: Array, scales: Scales) -> Layers:
    """Our own head's hidden layer, and nothing after it."""
    outputs = len(scales.root) + 59
    hidden = (start.hidden / inputs[:, None]).astype(np.float32)
    shape = (hidden.shape[1], outputs)
    direct = np.zeros((len(hidden), outputs), np.float32)
    return Layers(hidden, start.hidden_bias.astype(np.float32), np.zeros(shape, np.float32), direct, direct[0].copy())


def ridge(x: Array, y: Array) -> Array:
    """(F + 1, m) weights, the constant last, of least squares from x (n, F) to y (n, m); RIDGE holds them small."""
    x = np.concatenate([x, np.ones((len(x), 1), x.dtype)], axis=1)
    gram = (x.T @ x).astype(np.float64)
    price = RIDGE * np.diag(gram) + 1e-6 * len(x)
    price[-1] = 0
    return np.linalg.solve(gram + np.diag(price), (x.T @ y).astype(np.float64)).astype(np.float32)


def affine(x: Array, weights: Array) -> Array:
    """x (n, F) through `ridge`'s weights."""
    return np.asarray(x @ weights[:-1] + weights[-1])


def first(x: Array, y: Array, layers: Layers, hidden_from: NDArray[np.bool_]) -> Layers:
    """The last layer by ridge regression, both of its paths at once."""
    h = layers.inner(x)[1]
    found = ridge(np.concatenate([x, h], axis=1), y)
    count = x.shape[1]
    layers.direct, layers.out, layers.bias = found[:count], found[count:-1], found[-1]
    seeing = ridge(x[:, ~hidden_from], y[:, -1:])
    layers.direct[:, -1], layers.out[:, -1], layers.bias[-1] = 0, 0, seeing[-1, 0]
    layers.direct[~hidden_from, -1] = seeing[:-1, 0]
    return layers


def descended(
    layers: Layers,
    x: Array,
    y: Array,
    learned: Array,
    held: Array,
    weight: Array,
    k: int,
    seed: int,
    tick: Callable[[], None],
) -> Layers:
    """The layers after EPOCHS passes, or as they were when they did best on the held-out pictures' identities."""
    rng = np.random.default_rng(seed)
    names = tuple(layers.__dataclass_fields__)
    first_moment = {n: np.zeros_like(getattr(layers, n)) for n in names}
    second_moment = {n: np.zeros_like(getattr(layers, n)) for n in names}
    weight = weight.copy()
    weight[-1] = 0  # the nearness stays as it is
    best, best_error = layers.copy(), judged(layers, x, y, held, weight)
    steps, total = 0, EPOCHS * (len(learned) // BATCH)
    for _ in range(EPOCHS):
        order = rng.permutation(learned)
        for at in range(0, len(order) - BATCH + 1, BATCH):
            rows = order[at : at + BATCH]
            steps += 1
            rate = RATE * 0.5 * (1 + np.cos(np.pi * steps / total)) * min(1.0, steps / 200)
            gradients = slopes(layers, x[rows], y[rows], weight, rng)
            for name in names:
                g, value = gradients[name], getattr(layers, name)
                m, v = first_moment[name], second_moment[name]
                m += (1 - MOMENTS[0]) * (g - m)
                v += (1 - MOMENTS[1]) * (g * g - v)
                size = np.sqrt(v / (1 - MOMENTS[1] ** steps)) + TINY
                value -= (rate / (1 - MOMENTS[0] ** steps) * m / size).astype(np.float32)
                if value.ndim > 1:
                    value *= np.float32(1 - rate * DECAY)
        error = judged(layers, x, y, held, weight)
        if error < best_error:
            best, best_error = layers.copy(), error
        tick()
    return best


def slopes(layers: Layers, x: Array, y: Array, weight: Array, rng: np.random.Generator) -> dict[str, Array]:
    """Gradients of the mean weighted squared error; some of the inputs are hidden."""
    keep = (rng.random(x.shape, dtype=np.float32) >= NET_DROP).astype(np.float32) / np.float32(1 - NET_DROP)
    x = x * keep
    h, a = layers.inner(x)
    back = 2 / len(x) * weight * (a @ layers.out + x @ layers.direct + layers.bias - y)
    sigmoid = 1 / (1 + np.exp(-h))
    through = (back @ layers.out.T) * (sigmoid * (1 + h * (1 - sigmoid)))
    return {
        "hidden": x.T @ through,
        "hidden_bias": through.sum(axis=0),
        "out": a.T @ back,
        "direct": x.T @ back,
        "bias": back.sum(axis=0),
    }


def judged(layers: Layers, x: Array, y: Array, rows: Array, weight: Array) -> float:
    """Mean weighted squared error of some rows."""
    return float((((layers(x[rows]) - y[rows]) ** 2) @ weight).mean())


def calibration(
    layers: Layers, doubter: Array, scales: Scales, inputs: Array, wide: Mapping[str, Array]
) -> Calibration:
    """The tables for numbers of the world."""
    k = len(scales.root)
    back = np.linalg.inv(scales.root)

    def natural(table: Array) -> Array:
        return np.concatenate([table[..., :k] @ back, table[..., k:] * scales.rest_scale], axis=-1)

    out = np.concatenate([natural(layers.out), doubter[:-1]], axis=1)
    direct = natural(layers.direct) * inputs[:, None]
    bias = natural(layers.bias)
    bias[k:] += scales.rest_mean
    return Calibration(
        mean=scales.mean,
        components=scales.components,
        hidden=layers.hidden * inputs[:, None],
        hidden_bias=layers.hidden_bias,
        out=out,
        direct=np.concatenate([direct, np.zeros((len(direct), doubter.shape[1]))], axis=1),
        bias=np.concatenate([bias, doubter[-1]]),
        units=None,
        **wide,
    )


def figures(said: Array, scales: Scales, targets: Targets, rows: Array, learned: int, model: HeadModel) -> Figures:
    """Held-out errors."""
    k, true, yaw = len(scales.root), targets.y[rows], targets.yaw[rows]
    base = np.linalg.norm(true[:, :k] @ scales.root, axis=1)
    error = np.linalg.norm(said[:, :k] - true[:, :k] @ scales.root, axis=1)
    near, far = yaw < 30, yaw >= 30
    natural = scales.natural(said)
    turn = np.degrees(np.sqrt(((natural - true)[:, k + 52 : k + 55] ** 2).mean(axis=0)))
    furthest = np.argsort(-np.linalg.norm(model.expression, axis=2)[:, model.inner_face].mean(axis=1))[:30]
    both = [(natural[:, k + i], true[:, k + i]) for i in furthest if true[:, k + i].std() > 0]
    return Figures(
        learned,
        len(rows),
        float(error.mean()),
        float(base.mean()),
        share(error, base),
        share(error[near], base[near]),
        share(error[far], base[far]),
        (float(turn[0]), float(turn[1]), float(turn[2])),
        float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in both])) if both else 0.0,
    )


def share(error: Array, base: Array) -> float:
    return float(error.mean() / base.mean()) if len(error) else 0.0
