"""Fit of the statistical model of skin to a photo: the likeliest skin and light behind what is seen of a head."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tronie.arrays import Array
from tronie.head.harmonics import plain_basis
from tronie.head.model import HeadModel, default_head
from tronie.runtime.kept import kept
from tronie.stages.texture.atlas import surface_facts
from tronie.stages.texture.mesh_filters import fold_shade
from tronie.stages.texture.skin_model import SkinModel, default_skin

TOGETHER = 0.12
"""Weight of a vertex's say: neighbours err together, so a thousand of them do not know a thousand times as much."""
EVEN = 0.7
"""Light is believed to be so much more even than in the portraits: of 0.6 to 2.2 this says most of hidden halves."""
FAR = 3.0
"""Deviations from which on a vertex loses its say."""
ROUNDS = 4
MOST = 2500
"""So many vertices are enough for some seventy unknowns."""


@dataclass(frozen=True, eq=False)
class SkinBasis:
    """The model of skin at the vertices of a head's level."""

    mean: Array
    """(V, 3) in the terms of `skin_model.opponent`, the folds' darkness included."""
    modes: Array
    """(3, V, K)."""
    noise: Array
    """(V, 3)."""
    skin: SkinModel


@dataclass(frozen=True, eq=False)
class SkinFit:
    """The likeliest skin, in this photo's light."""

    fitted: Array
    """(V, 3) in the terms of `skin_model.opponent`."""
    off: Array
    """(C,) deviations by which a control vertex's lightness differs from it, signed."""


@lru_cache(maxsize=2)
def skin_basis(model: HeadModel, level: int) -> SkinBasis | None:
    """None where the model's atlas is another than the one that the skin was learned on."""
    return SkinBasis(*_at_vertices(model, level), default_skin()) if model is default_head() else None


@kept
def _at_vertices(model: HeadModel, level: int) -> tuple[Array, Array, Array]:
    """The same arrays, of the skin that the package carries."""
    skin, mesh = default_skin(), model.level(level)
    # A vertex on a seam has several places in the atlas: their mean is nobody's seam.
    corners = mesh.triangle_part == 0
    key = np.unique(mesh.triangles[corners].ravel().astype(np.int64) * len(mesh.uv) + mesh.triangle_uv[corners].ravel())
    pairs = np.stack(np.divmod(key, len(mesh.uv)), axis=1)
    count = mesh.matrix.shape[0]
    uses = np.maximum(np.bincount(pairs[:, 0], minlength=count), 1).astype(np.float32)
    first = np.searchsorted(pairs[:, 0], np.arange(count))

    def at_vertices(values: Array) -> Array:
        """(P, k) at the pairs -> (V, k)."""
        total = np.add.reduceat(np.concatenate([values, np.zeros_like(values[:1])]), first, axis=0)
        return np.where((np.bincount(pairs[:, 0], minlength=count) > 0)[:, None], total / uses[:, None], 0)

    mean, modes, noise = skin.at(mesh.uv[pairs[:, 1]])
    dark = np.log(fold_shade(surface_facts(model, level).openness, 1.0))
    dark = np.stack([dark.mean(-1), dark[:, 0] - dark[:, 1], dark[:, 1] - dark[:, 2]], axis=1)
    return (
        (at_vertices(mean) + dark).astype(np.float32),
        np.stack([at_vertices(m) for m in modes]).astype(np.float32),
        np.maximum(at_vertices(noise), 0.02).astype(np.float32),
    )


def fit_skin(base: SkinBasis, seen: Array, weight: Array, normals: Array, colourful: float) -> SkinFit:
    """Maximum a posteriori coefficients of skin, slow light and exposure, robustly.

    `seen` (C, 3) what the photo shows at the first C vertices, in the terms of `skin_model.opponent`; `weight` (C,)
    0..1 how far it is believed; `normals` (V, 3) in the camera's frame; `colourful` 0 for a grey photo to 1. A vertex's
    weight falls with its distance r in deviations as 1 / (1 + (r / FAR)^2)^2 (Geman and McClure 1987).
    """
    skin, count, modes = base.skin, len(seen), base.modes.shape[2]
    pick = np.flatnonzero(weight > 0.05)
    pick = pick[:: max(1, -(-len(pick) // MOST))]
    light = plain_basis(normals)
    # Unknowns: modes, eight of lightness's light, three of each hue's, one exposure of each channel.
    designs, slots = [], []
    for channel in range(3):
        own = light if channel == 0 else light[:, :4]
        deviation = skin.light if channel == 0 else skin.hue_light[channel - 1]
        scaled = own * np.concatenate([[1.0], EVEN * deviation[1:]]).astype(np.float32)
        start = modes + (0, 9, 13)[channel]
        designs.append(np.concatenate([base.modes[channel], scaled], axis=1))
        slots.append(np.r_[0:modes, start : start + own.shape[1]])
    total = modes + 17
    prior = np.ones(total)
    prior[[modes, modes + 9, modes + 13]] = 0.5
    difference = seen[pick] - base.mean[pick]
    believed = TOGETHER * weight[pick, None] * np.array([1, colourful, colourful]) / base.noise[pick] ** 2
    robust = np.ones(len(pick))
    solution = np.zeros(total)
    picked = [design[pick] for design in designs]
    for _ in range(ROUNDS):
        system, right = np.diag(prior), np.zeros(total)
        for channel, (rows, slot) in enumerate(zip(picked, slots, strict=True)):
            weighed = rows * (believed[:, channel] * robust).astype(np.float32)[:, None]
            system[np.ix_(slot, slot)] += weighed.T @ rows
            right[slot] += weighed.T @ difference[:, channel].astype(np.float32)
        solution = np.linalg.solve(system, right)
        own = picked[0] @ solution[slots[0]].astype(np.float32)
        off = (difference[:, 0] - own) / base.noise[pick, 0]
        robust = 1 / (1 + (off / FAR) ** 2) ** 2
    fitted = base.mean + np.stack(
        [d @ solution[s].astype(np.float32) for d, s in zip(designs, slots, strict=True)], axis=1
    )
    off_all = (seen[:, 0] - fitted[:count, 0]) / base.noise[:count, 0]
    return SkinFit(fitted, off_all)
