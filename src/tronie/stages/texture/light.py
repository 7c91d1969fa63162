"""Light that varies slowly over a head, as spherical harmonics of its normals, and how dark its folds are."""

from __future__ import annotations

import numpy as np

from tronie.arrays import Array


def harmonics(normals: Array) -> Array:
    """(N, 9) float32: the real spherical harmonics up to the second order of unit vectors (N, 3), without their
    constants, the first 1 (Ramamoorthi and Hanrahan 2001, "An efficient representation for irradiance environment
    maps": these hold all but a percent of what diffuse light does)."""
    x, y, z = np.asarray(normals, dtype=np.float32).T
    return np.stack([np.ones_like(x), x, y, z, x * y, y * z, x * z, x * x - y * y, 3 * z * z - 1], axis=-1)


def step(x: Array, low: float, high: float) -> Array:
    """Smooth step from 0 at `low` to 1 at `high`."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)


def dimmed(openness: Array, depth: float) -> Array:
    """(V, 1) light that reaches a vertex in folds, behind the ear and below the chin; openness (V,) 0..1."""
    return np.asarray(1 - depth * (1 - np.clip(openness[:, None] / 0.96, 0, 1) ** 1.3))


def shade(openness: Array, red: float) -> Array:
    """(V, 3) factors that darken what little light reaches: the ear's folds, nostrils, the inside of the lips; and
    redden it by `red` 0 (a grey photo) to 1, because light that has been through skin is red."""
    dark = 1 - step(openness, 0.05, 0.55)[:, None]
    folds = dimmed(openness, 0.75) ** (1 + red * np.array([0.0, 0.45, 0.55], np.float32))
    # Not black: an opening mouth shows what the lips hide at rest.
    least = 0.46 - red * np.array([0.0, 0.13, 0.13])
    return np.asarray(np.maximum(folds * (1 - dark * (0.35 + red * np.array([0.0, 0.1, 0.1]))), least))
