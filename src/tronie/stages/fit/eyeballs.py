"""Eyeballs that lids shut over: where a fitted head's lids lie too near to them, they go back a little."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tronie.arrays import Array
from tronie.head.lids import lids_of, ring_field
from tronie.head.model import Head, HeadModel, Ints, sphere_center
from tronie.runtime.kept import kept

LEAST_MM, FURTHEST_MM = 0.3, 1.5
"""Between a shut lid's vertices and the ball, at least: its faces are flat between them. How far a ball goes back."""
FIRST, LAST = 1.5, 8.0
"""Rings outside of the lashes' roots, between which a shut lid lies over the ball."""


@dataclass(frozen=True, eq=False)
class _Eye:
    lid: Ints
    """Vertices of the upper lid, and"""
    shuts: Array
    """(n, 3) mm how they move as it shuts."""
    ball: Ints
    """Control vertices of the ball."""
    whole: Ints
    """All of its vertices at the level."""


def behind_lids(head: Head) -> Head:
    """The head with eyeballs that do not come through its shut lids; as it was where they do not."""
    vertices, neutral = head.vertices, head.neutral
    for eye in _eyes(head.model, head.level):
        ball = head.neutral[eye.ball].astype(np.float64)
        centre = sphere_center(ball)
        spokes = ball - centre
        radius = np.linalg.norm(spokes, axis=1)
        lid = head.neutral[eye.lid] + eye.shuts - centre
        far = np.linalg.norm(lid, axis=1)
        towards = (lid @ (spokes / radius[:, None]).T).argmax(axis=1)
        lack = LEAST_MM - float((far - radius[towards]).min())
        if lack > 0:
            back = np.zeros((len(neutral), 1), np.float32)
            back[eye.whole] = min(lack, FURTHEST_MM)
            move = back * np.array([0, 0, -1], np.float32)
            vertices, neutral = vertices + move, neutral + move
    return head if neutral is head.neutral else Head(head.model, head.level, vertices, neutral)


@lru_cache(maxsize=4)
@kept
def _eyes(model: HeadModel, level: int) -> tuple[_Eye, ...]:
    """None of a model without lids."""
    both = lids_of(model)
    if both is None:
        return ()
    mesh = model.level(level)
    ring, upper = ring_field(model, level)
    out = ring - both[0].root
    across = np.asarray(mesh.matrix @ model.mean[:, :1].astype(np.float32))[:, 0]
    eyes = []
    for side, lids in enumerate(both):
        lid = np.flatnonzero((out > FIRST) & (out < LAST) & (upper > 0.6) & (across * (1 - 2 * side) > 0))
        shuts = mesh.apply(model.expression[model.expression_names.index(lids.unit)])[lid]
        whole = np.unique(mesh.triangles[mesh.triangle_part == 1 + side])
        ball = model.vertices_of(("eye_left", "eye_right")[side])
        eyes.append(_Eye(lid.astype(np.int32), shuts, ball, whole.astype(np.int32)))
    return tuple(eyes)
