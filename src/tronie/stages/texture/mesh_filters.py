"""Filters over a mesh's edges, where no atlas has seams, and how dark a mesh's folds are.

The low frequencies of a texture live on vertices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.geometry import smoothstep
from tronie.runtime.jit import jit

Ints = NDArray[np.int32]

RELAX = np.float32(1.8)
"""Of successive over-relaxation."""


def screened_membrane(
    start: Ints, edges: Ints, weight: Array, data: Array, prior_weight: Array, prior: Array, sweeps: int
) -> Array:
    """Screened membrane over a graph: x (N, k) that minimises, over vertices i and edges ij,

        sum_i weight_i |x_i - data_i|^2 + prior_weight_i |x_i - prior_i|^2 + sum_ij |x_i - x_j|^2 / 2.

    Successive over-relaxation; far from any data x goes to the prior within about prior_weight^-0.5 edges.
    """
    known = weight[:, None] * data + prior_weight[:, None] * prior
    x = (known / (weight + prior_weight + 1e-9)[:, None]).astype(np.float32)
    joined = np.flatnonzero(np.diff(start))  # the others are where they belong
    share = (1 / (weight + prior_weight + np.maximum(np.diff(start), 1))).astype(np.float32)
    for k in range(0, x.shape[1], 3):
        three, own = np.zeros((2, len(x), 3), np.float32)
        three[:, : x.shape[1] - k], own[:, : x.shape[1] - k] = x[:, k : k + 3], known[:, k : k + 3]
        _relax(joined, start, edges, own, share, three, sweeps, RELAX)
        x[:, k : k + 3] = three[:, : x.shape[1] - k]
    return x


def smoothed(start: Ints, edges: Ints, values: Array, times: int) -> Array:
    """Values (N,) averaged with their neighbours' mean, several times."""
    x = np.ascontiguousarray(values, dtype=np.float32)
    for _ in range(times):
        x = _average(start, edges, x)
    return x


def eroded(start: Ints, edges: Ints, values: Array) -> Array:
    """The least of each value (N,) and its neighbours': shrinks regions by a ring."""
    return np.asarray(_least(start, edges, np.ascontiguousarray(values, dtype=np.float32)))


def part_of(start: Ints, edges: Ints, kept: NDArray[np.bool_]) -> tuple[Ints, Ints, Ints]:
    """The part of a graph that is `kept` (N,): its vertices (n,), where each one's edges start (n + 1,), and what is at
    their other ends, by their places among these vertices."""
    rows = np.flatnonzero(kept).astype(np.int32)
    row = np.cumsum(kept) - 1
    owner = np.repeat(np.arange(len(kept)), np.diff(start))
    within = kept[owner] & kept[edges]
    counts = np.bincount(row[owner[within]], minlength=len(rows))
    return rows, np.append(0, np.cumsum(counts)).astype(np.int32), row[edges[within]].astype(np.int32)


@dataclass(frozen=True, slots=True)
class MeshGraph:
    """The edges of a control mesh, along which values spread; as if they were as long as those of our own head."""

    start: Ints
    edges: Ints
    steps: int
    """Edges that make one of our own head's."""

    def eroded(self, values: Array) -> Array:
        for _ in range(self.steps):
            values = eroded(self.start, self.edges, values)
        return values

    def smoothed(self, values: Array, times: int) -> Array:
        return smoothed(self.start, self.edges, values, times * self.steps**2)

    def membrane(self, weight: Array, data: Array, prior_weight: Array, prior: Array, sweeps: int) -> Array:
        share = 1 / self.steps**2
        return screened_membrane(
            self.start, self.edges, share * weight, data, share * prior_weight, prior, sweeps * self.steps
        )


@jit
def _relax(joined: Any, start: Any, edges: Any, known: Any, share: Any, x: Any, sweeps: int, omega: Any) -> None:
    """Three channels at once, which so stay in registers: a loop over them takes twice the time."""
    count = joined.shape[0]
    for sweep in range(sweeps):
        for step in range(count):
            i = joined[step if sweep % 2 == 0 else count - 1 - step]
            a, b, c = known[i, 0], known[i, 1], known[i, 2]
            for e in range(start[i], start[i + 1]):
                j = edges[e]
                a, b, c = a + x[j, 0], b + x[j, 1], c + x[j, 2]
            x[i, 0] += omega * (share[i] * a - x[i, 0])
            x[i, 1] += omega * (share[i] * b - x[i, 1])
            x[i, 2] += omega * (share[i] * c - x[i, 2])


@jit
def _average(start: Any, edges: Any, x: Any) -> Any:
    out = x.copy()
    for i in range(x.shape[0]):
        n = start[i + 1] - start[i]
        if n > 0:
            s = np.float32(0)
            for e in range(start[i], start[i + 1]):
                s += x[edges[e]]
            out[i] = np.float32(0.5) * x[i] + np.float32(0.5) * s / n
    return out


@jit
def _least(start: Any, edges: Any, x: Any) -> Any:
    out = x.copy()
    for i in range(x.shape[0]):
        for e in range(start[i], start[i + 1]):
            if x[edges[e]] < out[i]:
                out[i] = x[edges[e]]
    return out


def dimmed(openness: Array, depth: float) -> Array:
    """(V, 1) light that reaches a vertex in folds, behind the ear and below the chin; openness (V,) 0..1."""
    return np.asarray(1 - depth * (1 - np.clip(openness[:, None] / 0.96, 0, 1) ** 1.3))


def fold_shade(openness: Array, red: float) -> Array:
    """(V, 3) factors that darken what little light reaches: the ear's folds, nostrils, the inside of the lips; and
    redden it by `red` 0 (a grey photo) to 1, because light that has been through skin is red."""
    dark = 1 - smoothstep(openness, 0.05, 0.55)[:, None]
    folds = dimmed(openness, 0.75) ** (1 + red * np.array([0.0, 0.45, 0.55], np.float32))
    # Not black: an opening mouth shows what the lips hide at rest.
    least = 0.46 - red * np.array([0.0, 0.13, 0.13])
    return np.asarray(np.maximum(folds * (1 - dark * (0.35 + red * np.array([0.0, 0.1, 0.1]))), least))
