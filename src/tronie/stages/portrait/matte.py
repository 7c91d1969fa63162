"""Matting: a soft matte grown from the known head, good enough to blur what is behind the person.

It is not good enough to cut somebody out: on 12 portraits three lost their shoulders to a wall of the same colour and
three took a piece of background along. So shoulders are where shoulders are, and what is kept sharp by mistake lies
next to the person.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import smoothstep

ROWS = 192
"""Height of the picture in which it is decided."""
ROUNDS = 2
"""Of GrabCut (Rother, Kolmogorov and Blake 2004)."""
NEAR_MM, HAIR_MM = 25.0, (70.0, 120.0)
"""Around the head: what is taken for hair at first, and over which even what looks like it counts less and less."""
SHOULDERS_MM, SLOPE = 130.0, 1.1
"""Below the eyes, where the neck's width ends; how fast they widen from there."""


def matte(picture: Image, head: Array, eyes: tuple[float, float], per_mm: float) -> Array:
    """(H, W) float32 0..1 of a portrait (H, W, 3) whose `head` (h, w) 0..1, without the neck, is known.

    Two mixtures of colours, the person's and the background's, cut from each other where the picture has edges;
    then led along the picture's own edges (guided filter, He et al. 2013).
    """
    import cv2

    height, width = picture.shape[:2]
    rows, columns = ROWS, max(round(ROWS * width / height), 8)
    small = np.asarray(cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    known = np.asarray(cv2.resize(head.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA))
    cell = height / rows / per_mm
    y, x = np.mgrid[:rows, :columns] + 0.5
    right, down = x * cell - eyes[0] / per_mm, y * cell - eyes[1] / per_mm
    inside = (known > 0.5).astype(np.uint8)
    out = np.asarray(cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)) * cell
    deep = np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, 5)) * cell
    broad = 60 + SLOPE * (down - SHOULDERS_MM) - np.abs(right)
    body = smoothstep(down, SHOULDERS_MM - 10, SHOULDERS_MM + 15) * smoothstep(broad, -12, 12)
    labels = np.full((rows, columns), cv2.GC_PR_BGD, np.uint8)
    labels[(out < NEAR_MM) | (body > 0.5)] = cv2.GC_PR_FGD
    labels[(out > HAIR_MM[1]) & (body < 0.5)] = cv2.GC_BGD
    labels[(deep > 6) | ((np.abs(right) < 28) & (down > 60) & (down < 150))] = cv2.GC_FGD
    cv2.setRNGSeed(0)  # the mixtures start at random
    cv2.grabCut(small, labels, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), ROUNDS, cv2.GC_INIT_WITH_MASK)
    person = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    # One piece: that of the head.
    _, pieces = cv2.connectedComponents(person)
    person = (pieces == np.bincount(pieces[(deep > 6) & (pieces > 0)], minlength=2).argmax()).astype(np.float32)
    person = np.maximum(person * (1 - smoothstep(out, *HAIR_MM)), body)
    edge: Array = np.asarray(cv2.GaussianBlur(person, (0, 0), 0.8), np.float32)
    guide = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    return _guided(guide, edge)


def blurred(picture: Image, person: Array, sigma: float) -> Image:
    """(H, W, 3) with what is not the person (H, W) 0..1 out of focus; the person's colours do not bleed into it."""
    import cv2

    reduction = 4
    size = (picture.shape[1] // reduction, picture.shape[0] // reduction)
    rest: Any = 1 - person
    back = np.asarray(cv2.resize(rest, size, interpolation=cv2.INTER_AREA)) + np.float32(1e-3)
    low = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)
    soft = cv2.GaussianBlur(np.dstack([low * back[..., None], back]), (0, 0), sigma / reduction)
    even: Any = soft[..., :3] / soft[..., 3:]
    far = cv2.resize(even, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(picture * person[..., None] + far * (1 - person[..., None]) + 0.5).astype(np.uint8)


def _guided(guide: Array, coarse: Array, smooth: float = 2e-3) -> Array:
    """Coarse values (h, w) along the edges of a guide (H, W) 0..1; coefficients at the coarse size."""
    import cv2

    rows, columns = coarse.shape
    low = np.asarray(cv2.resize(guide, (columns, rows), interpolation=cv2.INTER_AREA))
    box = (7, 7)
    mean_i, mean_p = cv2.blur(low, box), cv2.blur(coarse, box)
    covariance = cv2.blur(low * coarse, box) - mean_i * mean_p
    a = covariance / (cv2.blur(low * low, box) - mean_i**2 + smooth)
    b = mean_p - a * mean_i
    size = (guide.shape[1], guide.shape[0])
    a, b = (cv2.resize(cv2.blur(c, box), size, interpolation=cv2.INTER_LINEAR) for c in (a, b))
    return np.asarray(np.clip(1.15 * (a * guide + b - 0.5) + 0.5, 0, 1), np.float32)
