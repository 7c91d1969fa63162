"""Matting: how much of a portrait's pixels is the person, and which colour the person has at the edge.

What is person a segmentation of the photo says, with an edge a few millimetres wide. Within it a pixel's colour lies
between what the person and what the background look like right there, and how far between is its opacity (as in Chuang
et al. 2001, with one colour for each); where both look alike the picture's own edges lead it (guided filter, He et al.
2013).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import smoothstep

BAND_MM = 5.0
"""On both sides of the edge, in which opacity is asked of the colours."""
AROUND_MM = 9.0
"""Spread over which the colours of person and background are averaged there."""
APART = 38.0
"""sRGB levels between both from which on colours have most of the say."""
NEAR_MM = 18.0
"""Around the head: what is taken for hair where no segmentation says it."""
SHOULDERS_MM, SLOPE = 130.0, 1.1
"""Below the eyes, where the neck's width ends; how fast they widen from there."""


@dataclass(frozen=True, eq=False)
class Matte:
    """Of a portrait (H, W, 3)."""

    person: Array
    """(H, W) float32 0..1: opacity."""
    near: Array
    """(h, w, 3) float32 0..255, over the whole but coarser: the person's colours, carried on beyond the edge."""
    far: Array
    """(h, w, 3) the same of what is behind."""


def guessed_person(head: Array, eyes: tuple[float, float], cell_mm: float) -> Array:
    """(h, w) 0..1 over cells of the portrait without a segmentation: the `head` (h, w) 0..1 with some hair around it,
    neck and shoulders where people have them. `eyes` are in cells."""
    import cv2

    rows, columns = head.shape
    y, x = np.mgrid[:rows, :columns] + 0.5
    right, down = (x - eyes[0]) * cell_mm, (y - eyes[1]) * cell_mm
    inside = (head > 0.5).astype(np.uint8)
    out = np.asarray(cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)) * cell_mm
    broad = 60 + SLOPE * (down - SHOULDERS_MM) - np.abs(right)
    body = smoothstep(down, SHOULDERS_MM - 10, SHOULDERS_MM + 15) * smoothstep(broad, -12, 12)
    neck = smoothstep(-np.abs(right), -50, -35) * smoothstep(down, 60, 70)
    return np.maximum(np.maximum(1 - smoothstep(out, 0.3 * NEAR_MM, NEAR_MM), body), neck)


def matte(picture: Image, likely: Array, head: Array, cell_mm: float) -> Matte:
    """Of a portrait (H, W, 3), `likely` (h, w) 0..1 saying over its cells what is person and `head` (h, w) where the
    head is."""
    import cv2

    rows, columns = likely.shape
    low = np.asarray(cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)).astype(np.float32)
    # One piece, that of the head: no neighbours.
    _, pieces = cv2.connectedComponents((likely > 0.5).astype(np.uint8))
    inside = (head > 0.5) & (pieces > 0)
    if inside.any():
        own = (pieces == np.bincount(pieces[inside]).argmax()).astype(np.uint8)
        likely = likely * cv2.dilate(own, np.ones((3, 3), np.uint8), iterations=2)
    radius = max(round(BAND_MM / cell_mm), 1)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    sure = [
        np.asarray(cv2.erode((np.asarray(x) > 0.9).astype(np.uint8), disc), np.float32) for x in (likely, 1 - likely)
    ]
    near, far = (_carried_on(low, s, AROUND_MM / cell_mm) for s in sure)
    size = (picture.shape[1], picture.shape[0])
    share = guided(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255, likely)
    person = np.asarray(cv2.resize(sure[0], size, interpolation=cv2.INTER_LINEAR), np.float32)
    known = np.asarray(cv2.resize(sure[0] + sure[1], size, interpolation=cv2.INTER_LINEAR))
    edge = known < 0.999
    wide = cv2.resize(np.dstack([near, far, likely.astype(np.float32)]), size, interpolation=cv2.INTER_LINEAR)
    said: Array = np.asarray(wide, np.float32)[edge]
    across = said[:, :3] - said[:, 3:6]
    distance = (across**2).sum(axis=1)
    between = ((picture[edge] - said[:, 3:6]) * across).sum(axis=1) / (distance + 1)
    # No further from the segmentation than that is unsure.
    bounds = smoothstep(said[:, 6], 0.55, 0.97), smoothstep(said[:, 6], 0.03, 0.45)
    telling = distance / (distance + APART**2)
    person[edge] = np.clip(share[edge] + telling * (between - share[edge]), *bounds)
    return Matte(person, near, far)


def cut_out(picture: Image, made: Matte) -> Image:
    """(H, W, 4): the person alone, alpha not multiplied in; at the edge in its own colours, without the background."""
    import cv2

    size = (picture.shape[1], picture.shape[0])
    alpha = made.person
    out = np.dstack([picture, np.rint(255 * alpha).astype(np.uint8)])
    there = (alpha > 0.01).astype(np.uint8)
    # Two pixels further, for whoever makes the picture smaller; the rest is empty.
    wider = cv2.dilate(there, np.ones((5, 5), np.uint8))
    out[wider == 0] = 0
    edge = (wider > 0) & (alpha < 0.995)
    wide = cv2.resize(np.dstack([made.near, made.far]), size, interpolation=cv2.INTER_LINEAR)
    colours, a = np.asarray(wide, np.float32)[edge], alpha[edge][:, None]
    own = (picture[edge] - (1 - a) * colours[:, 3:]) / np.maximum(a, 0.15)
    own = colours[:, :3] + smoothstep(a, 0.1, 0.7) * (own - colours[:, :3])
    out[edge, :3] = np.clip(own + 0.5, 0, 255)
    return np.asarray(out, dtype=np.uint8)


def laid_over(front: Image, ground: Image) -> Image:
    """(H, W, 3): what is (H, W, 4) before another background."""
    alpha = front[..., 3:].astype(np.float32) / 255
    return np.asarray(ground + alpha * (front[..., :3].astype(np.float32) - ground) + 0.5).astype(np.uint8)


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


def _carried_on(colours: Array, known: Array, sigma: float) -> Array:
    """(h, w, 3) the colours where they are `known` (h, w), averaged over `sigma` cells, and the nearest ones beyond."""
    import cv2

    if not known.any():
        return np.broadcast_to(colours.mean(axis=(0, 1)), colours.shape).astype(np.float32)
    rows, columns = known.shape
    weighed: Any = np.dstack([colours * known[..., None], known])
    total = cv2.GaussianBlur(weighed, (0, 0), sigma)
    # Further away in ever coarser pictures, the last of one pixel.
    small = weighed
    for weight in (1e-3, 1e-6, 1e-9):
        small = cv2.resize(
            small, (max(small.shape[1] // 4, 1), max(small.shape[0] // 4, 1)), interpolation=cv2.INTER_AREA
        )
        soft = cv2.GaussianBlur(small, (0, 0), sigma)
        total += np.float32(weight) * cv2.resize(soft, (columns, rows), interpolation=cv2.INTER_LINEAR)
    total += np.float32(1e-12) * weighed.mean(axis=(0, 1))
    return np.asarray(total[..., :3] / total[..., 3:], dtype=np.float32)


def guided(guide: Array, coarse: Array, smooth: float = 2e-3) -> Array:
    """Coarse values (h, w) along the edges of a guide (H, W) 0..1; coefficients at the coarse size."""
    import cv2

    rows, columns = coarse.shape
    low = np.asarray(cv2.resize(guide, (columns, rows), interpolation=cv2.INTER_AREA))
    coarse = coarse.astype(np.float32)
    box = (7, 7)
    mean_i, mean_p = cv2.blur(low, box), cv2.blur(coarse, box)
    covariance = cv2.blur(low * coarse, box) - mean_i * mean_p
    a = covariance / (cv2.blur(low * low, box) - mean_i**2 + smooth)
    b = mean_p - a * mean_i
    size = (guide.shape[1], guide.shape[0])
    a, b = (cv2.resize(cv2.blur(c, box), size, interpolation=cv2.INTER_LINEAR) for c in (a, b))
    return np.asarray(np.clip(1.15 * (a * guide + b - 0.5) + 0.5, 0, 1), np.float32)
