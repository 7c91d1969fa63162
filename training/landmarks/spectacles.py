"""Glasses as geometry on random faces: rims, bridge, temples as thin tubes, and lenses that tint or hide."""

from __future__ import annotations

import numpy as np

from tronie.pipelines.calibration.layers import Layer
from tronie.raster.cutouts import Cutout

EYES = ((33, 133, 159, 145), (263, 362, 386, 374))
"""Of the 478 points, right and left: outer and inner corner, upper and lower lid."""
TEMPLES = (127, 356)
NASION = 168
AROUND = 28
"""Corners of a rim."""
METALS = np.array(
    [(25, 22, 20), (60, 40, 28), (150, 120, 70), (150, 150, 155), (70, 72, 80), (120, 30, 30), (200, 190, 175)]
)


def glasses(points: np.ndarray, rng: np.random.Generator) -> list[Layer]:
    """Those of a face whose points (478, 3) mm are given."""
    frame = METALS[int(rng.integers(len(METALS)))] * rng.uniform(0.5, 1.2) * rng.uniform(0.9, 1.1, 3)
    thick = float(np.exp(rng.uniform(np.log(0.8), np.log(4.5))))
    tilt, wrap = np.radians(rng.uniform(2, 14)), np.radians(rng.uniform(0, 10))
    power = rng.uniform(2, 4.5)
    half = np.array([rng.uniform(21, 30), 0.0])
    half[1] = half[0] * rng.uniform(0.55, 1.0)
    forward, lower = rng.uniform(11, 17), rng.uniform(-4, 5)
    nose = points[NASION]
    apart = rng.uniform(7, 10)
    tubes, lenses, hinges = [], [], []
    for eye, sign in zip(EYES, (-1.0, 1.0), strict=True):
        corners = points[list(eye)]
        middle = corners.mean(axis=0)
        x = nose[0] + sign * max(abs(middle[0] - nose[0]), apart + half[0])
        centre = np.array([x, middle[1] - lower, max(corners[:, 2].max() + forward * 0.8, nose[2] + 1.5)])
        t = np.linspace(0, 2 * np.pi, AROUND, endpoint=False)
        a = half[0] * np.sign(np.cos(t)) * np.abs(np.cos(t)) ** (2 / power)
        b = half[1] * np.sign(np.sin(t)) * np.abs(np.sin(t)) ** (2 / power)
        b = np.where(b < 0, b * (1 - 0.12 * sign * a / half[0]), b)
        back = -np.tan(wrap) * np.maximum(sign * a, 0) + np.tan(tilt) * b
        rim = centre + np.column_stack([a, b, back])
        tubes.append(np.concatenate([rim, rim[:1]]))
        lenses.append(np.concatenate([rim, centre[None]]))
        aside = np.array([sign * half[0], half[1] * rng.uniform(0.2, 0.7), -np.tan(wrap) * half[0]])
        hinges.append((centre + aside, sign))
    inner = [rim[np.abs(rim[:, 0] - nose[0]).argmin()] + [0, rng.uniform(1, 5), 0] for rim in tubes]
    arch = (inner[0] + inner[1]) / 2 + [0, rng.uniform(0, 3), 2]
    bare = rng.random() < 0.12  # rimless
    drawn = [] if bare else [(rim, thick) for rim in tubes]
    drawn.append((np.array([inner[0], arch, inner[1]]), max(0.8 * thick, 1.0)))
    for (hinge, sign), temple in zip(hinges, TEMPLES, strict=True):
        ear = points[temple]
        end = np.array([ear[0] + sign * 6, max(ear[1] + 4, hinge[1] - 12), ear[2] - 28])
        bend = np.array([ear[0] + sign * 5, end[1], ear[2] - 4])
        knee = hinge + np.array([sign * 3, 0, -4])
        drawn.append((np.array([hinge, knee, bend, end]), max(thick, 1.2)))
    out = [_tubes(drawn, frame)]
    dark = rng.random() < 0.3
    opacity = rng.uniform(0.7, 1.0) if dark else rng.uniform(0.0, 0.22)
    if opacity > 0.03:
        colour = rng.uniform(5, 60, 3) if dark else rng.uniform(120, 255) * rng.uniform(0.85, 1, 3)
        out.append(_lenses(lenses, np.clip(colour, 0, 255), float(opacity)))
    return out


def _plain(colour: np.ndarray) -> np.ndarray:
    image = np.full((32, 32, 4), 255, np.uint8)
    image[..., :3] = np.clip(colour, 0, 255)
    return image


def _tubes(paths: list[tuple[np.ndarray, float]], colour: np.ndarray) -> Layer:
    """Lines of some thickness, four corners all along."""
    vertices, triangles, start = [], [], 0
    for path, thick in paths:
        along = np.gradient(path, axis=0)
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
        side = np.cross(along, np.where(np.abs(along[:, 2:]) > 0.8, [[0.0, 1, 0]], [[0.0, 0, 1]]))
        side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-6)
        over = np.cross(side, along)
        ring = np.stack([side, over, -side, -over], axis=1) * (thick / 2)
        vertices.append((path[:, None] + ring).reshape(-1, 3))
        i = np.arange(len(path) - 1)[:, None] * 4 + start
        k = np.arange(4)[None]
        a, b = (i + k).ravel(), (i + (k + 1) % 4).ravel()
        triangles += [np.column_stack([a, b, b + 4]), np.column_stack([a, b + 4, a + 4])]
        start += 4 * len(path)
    return _layer(np.concatenate(vertices), np.concatenate(triangles), colour, 1.0)


def _lenses(fans: list[np.ndarray], colour: np.ndarray, opacity: float) -> Layer:
    i = np.arange(AROUND)
    fan = np.column_stack([i, (i + 1) % AROUND, np.full(AROUND, AROUND)])
    triangles = np.concatenate([fan + k * (AROUND + 1) for k in range(len(fans))])
    return _layer(np.concatenate(fans), triangles, colour, opacity)


def _layer(vertices: np.ndarray, triangles: np.ndarray, colour: np.ndarray, opacity: float) -> Layer:
    uv = np.full((len(vertices), 2), 0.5, np.float32)
    cutout = Cutout.of(triangles.astype(np.int32), uv, _plain(colour))
    return Layer(vertices.astype(np.float32), cutout, None, opacity)
