"""Absolute scale: how large the head is in the flesh, for people's irises differ less in size than their heads do."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tronie.arrays import Array
from tronie.head.model import HeadModel

IRIS_MM = 11.7
"""Horizontal visible iris diameter of adults (Rüfer et al. 2005: 11.7 +- 0.4)."""
IRIS_BIAS = 0.066
"""Logarithm of how much too wide the landmark net draws irises: median over 2,600 renders within 20 degrees of yaw."""
IRIS_SIGMA, SIZE_SIGMA = 0.08, 0.04
"""Spread of the logarithm of the diameter around that (0.07 measured, 0.04 among people), and of people's head size."""
IRIS_PEOPLE = 0.04
"""The part of IRIS_SIGMA that is the person's own, the same in every photo."""
ADULT_SPREAD = 0.06
"""Spread of what adults' irises ask for in photographs, heads and irises together: 0.044 among 150 official portraits,
0.057 among 39 others."""
CHILDREN, CHILD_SIZE, CHILD_SIGMA = 0.05, -0.14, 0.06
"""How often a face is a child's, and the logarithm of how much smaller than an adult's it is then: the inner face by
about a fifth at three years, a tenth at eight, while the iris is an adult's, nearly, from two years on."""
LEFT_MM = 0.3
"""What may be left of a growth by SIZE_SIGMA weighs as much as one standard deviation of a person."""
SMALLEST = -0.35
"""The least that irises may ask for, a small child's."""
LARGEST_YAW, LEAST_PIXELS, MOST_BLINK = 20.0, 8.0, 0.5
"""Beyond these an iris tells nothing."""
_ENDS = ((469, 471, 470, 472), (474, 476, 475, 477))


def iris_diameter(points: Array) -> float:
    """Pixels: mean over both irises of the larger of the two measured diameters."""
    p = points[:, :2]
    spans = [max(np.linalg.norm(p[a] - p[b]), np.linalg.norm(p[c] - p[d])) for a, b, c, d in _ENDS]
    return float(np.mean(spans))


def iris_mm(points: Array, pixel_mm: float) -> float:
    """How wide the irises are on a head that is seen with so many millimetres to a pixel, without what the net draws
    too wide: IRIS_MM of adults, more of children, whose heads are smaller than they are taken for."""
    return iris_diameter(points) * pixel_mm * float(np.exp(-IRIS_BIAS))


def iris_growth(points: Array, scale: float, yaw: float, blink: float) -> float:
    """Logarithm of the growth that the irises ask of a head which projects with `scale` pixels per mm.

    Already weighed against how much heads vary; 0 where the irises tell nothing. `yaw` in degrees, `blink` 0..1.
    """
    asked = iris_asks(points, scale, yaw, blink)
    return 0.0 if asked is None else weighed(asked, IRIS_SIGMA)


def weighed(asked: float, noise: float) -> float:
    """The growth (logarithm) to expect where irises ask for `asked`, which says a head's size up to `noise`: the mean
    over what an adult and what a child would have."""
    adult = SIZE_SIGMA**2 / (SIZE_SIGMA**2 + noise**2) * asked
    child = CHILD_SIZE + CHILD_SIGMA**2 / (CHILD_SIGMA**2 + IRIS_PEOPLE**2) * (asked - CHILD_SIZE)
    share = childlike(asked)
    return float((1 - share) * adult + share * min(child, adult))


def childlike(asked: float) -> float:
    """0..1: how likely a face is a child's, by what its irises ask for."""
    spread = np.hypot(CHILD_SIGMA, IRIS_PEOPLE)
    child = CHILDREN * np.exp(-(((asked - CHILD_SIZE) / spread) ** 2) / 2) / spread
    adult = (1 - CHILDREN) * np.exp(-((asked / ADULT_SPREAD) ** 2) / 2) / ADULT_SPREAD
    return float(child / (child + adult)) if asked < 0 else 0.0


def iris_asks(points: Array, scale: float, yaw: float, blink: float) -> float | None:
    """`iris_growth` before it is weighed; None where the irises tell nothing."""
    if not iris_tells(points, yaw, blink):
        return None
    asked = np.log(IRIS_MM * scale / iris_diameter(points)) + IRIS_BIAS
    return float(np.clip(asked, SMALLEST, 3 * IRIS_SIGMA))


def iris_tells(points: Array, yaw: float, blink: float) -> bool:
    """Whether the irises are seen well enough. `yaw` in degrees, `blink` 0..1."""
    return abs(yaw) <= LARGEST_YAW and iris_diameter(points) >= LEAST_PIXELS and blink <= MOST_BLINK


@lru_cache(maxsize=4)
def growth_direction(model: HeadModel) -> Array:
    """(K,) identity that makes the face larger by the factor e per unit, as nearly as the model's people allow."""
    inner = model.mean[model.inner_face].astype(np.float64)
    fields = model.identity[:, model.inner_face].reshape(len(model.identity), -1).astype(np.float64)
    shifts = np.array([np.broadcast_to(axis, inner.shape).ravel() for axis in np.eye(3)])
    system = np.concatenate([fields, shifts])
    price = np.diag(np.r_[np.full(len(fields), LEFT_MM**2 * len(inner)), np.full(3, 1e-6)])
    return np.asarray(np.linalg.solve(system @ system.T + price, system @ inner.ravel())[: len(fields)])


@lru_cache(maxsize=4)
def size_of(model: HeadModel) -> Array:
    """(K,) by which the logarithm of the face's size grows per unit of each component, to first order."""
    inner = model.mean[model.inner_face].astype(np.float64)
    inner -= inner.mean(axis=0)
    fields = model.identity[:, model.inner_face].reshape(len(model.identity), -1).astype(np.float64)
    return np.asarray(fields @ inner.ravel() / (inner**2).sum())


def similarity_free(model: HeadModel) -> Array:
    """(K, K) Gram matrix, mm^2, of identity over the inner face with rigid motion and scale projected out."""
    v = model.mean[model.inner_face].astype(float)
    v -= v.mean(axis=0)
    moves = [np.broadcast_to(e, v.shape).ravel() for e in np.eye(3)]
    moves += [np.cross(e, v).ravel() for e in np.eye(3)] + [v.ravel()]
    q, _ = np.linalg.qr(np.array(moves).T)
    b = model.identity[:, model.inner_face].reshape(len(model.identity), -1).astype(float)
    b = b - (b @ q) @ q.T
    return np.asarray(b @ b.T / len(v))
