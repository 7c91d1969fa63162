"""Lips that meet at rest: the body's are parted by a slit through which the teeth would show."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from training.head.mpfb import Body
from training.head.skin_mesh import Skin
from tronie.head.subdivide import catmull_clark

GAP = 0.1
"""mm left between the lips: less than shows, and no pressing into each other, which would draw a jagged line."""
OPENED = 0.2
"""mm at most by which lips that press into each other are parted in one of the rounds; more is no pressing but one
lip standing before the other."""
CORNER = 0.05
"""mm per round, the same near the corners of the mouth."""
FADE = 5.0
"""mm above and below the slit over which the motion dies out."""


def lip_loop(skin: Skin) -> np.ndarray:
    """Skin vertices where the lips turn into the mouth's lining."""
    return np.intersect1d(np.unique(skin.quads[skin.lining]), np.unique(skin.quads[~skin.lining]))


def lower_side(body: Body, skin: Skin) -> np.ndarray:
    """(S,) bool: what goes down with the jaw more than the corners of the mouth do."""
    drop = body.target(body.units / "jawOpen.target")[skin.source, 1]
    v, loop = body.vertices[skin.source], lip_loop(skin)
    far = np.abs(v[loop, 0]).max()
    corner = drop[loop][np.abs(v[loop, 0]) > far - 0.5].mean()
    limit = np.interp(np.abs(v[:, 0]), [0, far], [drop[loop].min() / 2, corner])
    return np.asarray(drop < limit)


def slit(body: Body, skin: Skin, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """|x| (n,), height of the middle (n,) and opening (n,) mm of the slit as seen from the front, subdivided once."""
    step, _ = catmull_clark(skin.quads.astype(np.int32), len(vertices))
    fine = step @ vertices
    lower = step @ lower_side(body, skin).astype(float) > 0.5
    ring = vertices[lip_loop(skin)]
    half = np.abs(ring[:, 0]).max()
    box = (fine[:, 2] > ring[:, 2].min() - 4) & (np.abs(fine[:, 1] - np.median(ring[:, 1])) < 7)
    edges = np.linspace(0, half, 13)
    middle, gap = np.zeros((2, len(edges) - 1))
    for k, (a, b) in enumerate(pairwise(edges)):
        column = box & (np.abs(fine[:, 0]) >= a - 1) & (np.abs(fine[:, 0]) <= b + 1)
        top, bottom = fine[column & ~lower, 1].min(), fine[column & lower, 1].max()
        middle[k], gap[k] = (top + bottom) / 2, top - bottom
    return (edges[:-1] + edges[1:]) / 2, middle, gap


def close_lips(body: Body, skin: Skin) -> np.ndarray:
    """(S, 3) mm to add to the skin at rest."""
    v = body.vertices[skin.source]
    lower = lower_side(body, skin)
    ring = v[lip_loop(skin)]
    half = np.abs(ring[:, 0]).max()
    out = np.zeros_like(v)
    for _ in range(3):
        x, middle, gap = slit(body, skin, v + out)
        a = np.abs(v[:, 0])
        line = np.interp(a, x, middle)
        wanted = np.where(x < 0.8 * half, np.maximum(gap - GAP, -OPENED) / 2, 0)
        wanted[x >= 0.8 * half] = CORNER  # beside the corners the lips stand one before the other: no gap to measure
        amount = np.interp(a, x, wanted) * np.clip((half + 1.5 - a) / 2.5, 0, 1)
        front = np.clip((v[:, 2] - ring[:, 2].min() + 10) / 8, 0, 1)
        out[:, 1] += np.where(lower, 1.0, -1.0) * amount * np.exp(-(((v[:, 1] - line) / FADE) ** 2)) * front
    return out
