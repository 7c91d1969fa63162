"""What else is in a picture: backgrounds, hair and shoulders behind the head, strands and glasses before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Image

Array = NDArray[Any]


HAIR = np.array(
    [(20, 16, 14), (44, 31, 24), (84, 58, 38), (150, 112, 70), (205, 175, 128), (150, 147, 144), (110, 48, 26)]
)
OVAL_TOP, CHIN, CHEEKS = 10, 152, (127, 356)
TEMPLES = (127, 356)
EYES = ((33, 133), (362, 263))
"""Indices of the 478 points: outer and inner corners."""


def random_background(side: int, scraps: Sequence[Image], rng: np.random.Generator) -> Image:
    """(side, side, 3): plain, a gradient, shapes, or blurred scraps of anything, in loud or in quiet colours."""
    image = _background(side, scraps, rng)
    if rng.random() < 0.3:
        return image
    middle, strong, colour = rng.uniform(30, 230), rng.uniform(0.2, 0.9), rng.uniform(0, 0.35)
    mix = np.eye(3) * colour + np.full((3, 3), (strong - colour) / 3)
    return np.asarray(cv2.transform(image, np.column_stack([mix, np.full(3, middle * (1 - strong))])), dtype=np.uint8)


def _background(side: int, scraps: Sequence[Image], rng: np.random.Generator) -> Image:
    kind = rng.random()
    if kind < 0.2:
        return np.broadcast_to(rng.integers(0, 256, 3, dtype=np.uint8), (side, side, 3)).copy()
    if kind < 0.45:
        small = rng.integers(0, 256, (rng.integers(2, 5), rng.integers(2, 5), 3)).astype(np.uint8)
        return np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC))
    if kind < 0.75:
        out = np.empty((side, side, 3), np.uint8)
        out[:] = rng.integers(0, 256, 3)
        for _ in range(rng.integers(2, 14)):
            x, y, w, h = (int(n) for n in (*rng.integers(0, side, 2), *rng.integers(8, side // 2, 2)))
            colour = tuple(int(c) for c in rng.integers(0, 256, 3))
            if rng.random() < 0.6:
                cv2.rectangle(out, (x, y), (x + w, y + h), colour, -1)
            else:
                cv2.circle(out, (x, y), w // 2, colour, -1)
        return np.asarray(cv2.GaussianBlur(out, (0, 0), rng.uniform(0.5, 8)))
    scrap = scraps[int(rng.integers(len(scraps)))]
    y, x = rng.integers(0, scrap.shape[0] // 2, 2)
    small = scrap[y : y + scrap.shape[0] // 2, x : x + scrap.shape[0] // 2][:: rng.choice([1, 8, 16])]
    return np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC))


def behind(image: Image, points: Array, rng: np.random.Generator, hair: float = 0.55) -> Image:
    """Shoulders and, as often as `hair` says, hair painted onto a background; `points` (478, 2) are where the face will
    be."""
    top, chin = points[OVAL_TOP], points[CHIN]
    down = chin - top
    height = float(np.linalg.norm(down))
    width = float(np.abs(points[CHEEKS[0], 0] - points[CHEEKS[1], 0])) + 0.35 * height
    middle = points[:468].mean(axis=0)
    if rng.random() < 0.7:
        low = chin[1] + rng.uniform(0.1, 0.4) * height
        left, right = rng.uniform(0.2, 0.6, 2)
        body = np.array([(-1.6, 4), (-1.5, left), (-0.4, 0), (0.4, 0), (1.5, right), (1.6, 4)])
        shape = body * [width, height] + [middle[0], low]
        cv2.fillPoly(image, [shape.astype(np.int32)], tuple(int(c) for c in rng.integers(0, 250, 3)))
    if rng.random() < hair:
        colour = HAIR[rng.integers(len(HAIR))] * rng.uniform(0.6, 1.2)
        fullness, fall = rng.uniform(0.5, 0.85), rng.uniform(-0.1, 1.1)
        centre = top + down * 0.3
        blob = np.zeros(image.shape[:2], np.uint8)
        axes = int(width * fullness), int(height * rng.uniform(0.75, 1.0))
        cv2.ellipse(blob, (int(centre[0]), int(centre[1])), axes, 0, 0, 360, 255, -1)
        if fall > 0:
            low = int(centre[1] + height * (0.4 + fall))
            cv2.rectangle(blob, (int(centre[0]) - axes[0], int(centre[1])), (int(centre[0]) + axes[0], low), 255, -1)
        _blend(image, cv2.GaussianBlur(blob, (0, 0), rng.uniform(0.8, 5)), _strands(image.shape, colour, rng))
    return image


def before(image: Image, points: Array, rng: np.random.Generator) -> Image:
    """Now and then a fringe, strands beside the face, glasses, a hand's or scarf's worth of something."""
    height = float(np.linalg.norm(points[CHIN] - points[OVAL_TOP]))
    middle = points[:468].mean(axis=0)
    if rng.random() < 0.18:  # fringe
        mask = np.zeros(image.shape[:2], np.uint8)
        edge = points[OVAL_TOP] + (points[9] - points[OVAL_TOP]) * rng.uniform(0.1, 0.9)
        xs = np.linspace(middle[0] - 0.6 * height, middle[0] + 0.6 * height, 12)
        ys = edge[1] + rng.normal(0, 0.03 * height, 12) + ((xs - middle[0]) / height) ** 2 * 0.3 * height
        curve = np.concatenate([np.stack([xs, ys], 1), [[xs[-1], edge[1] - height], [xs[0], edge[1] - height]]])
        cv2.fillPoly(mask, [curve.astype(np.int32)], 255)
        colour = HAIR[rng.integers(len(HAIR))] * rng.uniform(0.6, 1.2)
        _blend(image, cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.8, 3)), _strands(image.shape, colour, rng))
    if rng.random() < 0.18:  # strands beside the face
        colour = HAIR[rng.integers(len(HAIR))] * rng.uniform(0.6, 1.2)
        mask = np.zeros(image.shape[:2], np.uint8)
        for cheek in CHEEKS if rng.random() < 0.7 else CHEEKS[:1]:
            inwards = (middle[0] - points[cheek, 0]) * rng.uniform(-0.1, 0.35)
            x = points[cheek, 0] + inwards
            far = x - np.sign(middle[0] - points[cheek, 0] + 1e-6) * 0.8 * height
            rows = np.linspace(points[OVAL_TOP, 1] - 0.2 * height, points[CHIN, 1] + rng.uniform(-0.4, 0.6) * height, 8)
            near = np.stack([x + rng.normal(0, 0.03 * height, 8), rows], 1)
            curve = np.concatenate([near, [[far, rows[-1]], [far, rows[0]]]])
            cv2.fillPoly(mask, [curve.astype(np.int32)], 255)
        _blend(image, cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.8, 3)), _strands(image.shape, colour, rng))
    if rng.random() < 0.12:
        _glasses(image, points, height, rng)
    return image


def _glasses(image: Image, points: Array, height: float, rng: np.random.Generator) -> None:
    drawn = image.copy()
    colour = tuple(int(c) for c in rng.integers(0, 130, 3))
    thick = max(int(height * rng.uniform(0.008, 0.03)), 1)
    size = rng.uniform(0.75, 1.05)
    centres = []
    for outer, inner in EYES:
        across = points[inner] - points[outer]
        half = float(np.linalg.norm(across)) * size
        centre = (points[inner] + points[outer]) / 2 + [0, 0.02 * height]
        angle = float(np.degrees(np.arctan2(across[1], across[0])))
        axes = int(half), int(max(float(half), 0.13 * height) * rng.uniform(0.6, 0.9))
        if rng.random() < 0.15:
            cv2.ellipse(drawn, (int(centre[0]), int(centre[1])), axes, angle, 0, 360, colour, -1)
        cv2.ellipse(drawn, (int(centre[0]), int(centre[1])), axes, angle, 0, 360, colour, thick, cv2.LINE_AA)
        centres.append((centre, axes[0], float(np.sign(across[0])) or 1.0))
    for (centre, reach, sign), temple in zip(centres, TEMPLES, strict=True):
        start = centre - [sign * reach, 0]
        cv2.line(drawn, start.astype(int).tolist(), points[temple].astype(int).tolist(), colour, thick, cv2.LINE_AA)
    left, right = ((c + np.array([sign * reach, 0])).astype(int).tolist() for c, reach, sign in centres)
    cv2.line(drawn, left, right, colour, thick, cv2.LINE_AA)
    share = rng.uniform(0.6, 1)
    image[:] = (drawn * share + image * (1 - share)).astype(np.uint8)


def _strands(shape: tuple[int, ...], colour: Array, rng: np.random.Generator) -> Array:
    """(H, W, 3) hair: upright streaks of about one colour."""
    streaks = cv2.GaussianBlur(rng.normal(0, 1, shape[:2]).astype(np.float32), (0, 0), 1.0, sigmaY=12.0)
    streaks = streaks / (streaks.std() + 1e-6)
    return np.asarray(np.clip(colour * (1 + rng.uniform(0.05, 0.35) * streaks[..., None]), 0, 255))


def _blend(image: Image, mask: Array, paint: Array) -> None:
    alpha = mask[..., None].astype(np.float32) / 255
    image[:] = (image * (1 - alpha) + paint * alpha).astype(np.uint8)
