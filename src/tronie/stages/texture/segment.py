"""What a colour may be: skin, teeth, background."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tronie.arrays import Array
from tronie.stages.texture.atlas import Surface
from tronie.stages.texture.light import step
from tronie.stages.texture.skin_model import opponent
from tronie.stages.texture.visibility import View, blurred_colours
from tronie.types import Photo

FEW = 6
"""Control vertices, some 8 mm apart: the least from which a colour is taken."""


def tone_of(colour: Array, weight: Array, fallback: Array, floor: tuple[float, float, float]) -> tuple[Array, Array]:
    """Median colour (3,) of the well seen (N, 3) and its spread (3,) in `_opponent` terms, at least `floor`."""
    pick = weight > 0.4
    if pick.sum() < FEW:
        return np.asarray(fallback, dtype=np.float32), np.asarray(floor, dtype=np.float32) * 1.5
    values = colour[pick]
    middle = np.median(values, axis=0)
    width = 1.5 * np.median(np.abs(opponent(values) - opponent(middle[None])), axis=0)
    spread_of: Array = np.clip(width, floor, np.multiply(floor, 2.5)).astype(np.float32)
    return middle.astype(np.float32), spread_of


def like_behind(photo: Photo, view: View, colour: Array, facts: Surface) -> Array:
    """(N,) 1 where a vertex of the crest has the colour of what lies well outside the head in its direction: the
    background, seen past a skull that is smaller than the fitted one. Dark colours are not judged: black hair before
    a dark wall is hair."""
    points = view.pixels[: len(colour)]
    centre = points[facts.inner].mean(axis=0)
    height, width = photo.image.shape[:2]
    whole = replace(view, box=(0, 0, width, height))
    like = np.zeros(len(points))
    arm = points - centre
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(arm > 0, ([width, height] - centre) / arm, -centre / arm)
    room = 0.97 * np.nan_to_num(room, nan=1e3, posinf=1e3, neginf=1e3).min(axis=1)
    # The head's own reach in each of 48 directions around its middle, of which the sample must be clear.
    length = np.hypot(arm[:, 0], arm[:, 1])
    sector = ((np.arctan2(arm[:, 1], arm[:, 0]) / (2 * np.pi) + 0.5) * 48).astype(int) % 48
    extent = np.zeros(48)
    np.maximum.at(extent, sector, length)
    clear = extent[sector] + 6.0 / view.pixel_mm
    for reach in (1.5, 1.9):
        factor = np.minimum(np.maximum(reach, clear / np.maximum(length, 1e-6)), room)
        known = factor * length >= clear - 1e-3
        beyond = centre + factor[:, None] * arm
        d = (opponent(colour) - opponent(blurred_colours(photo, whole, beyond, 6.0))) / np.array([0.45, 0.12, 0.12])
        like = np.maximum(like, known * (1 - step(np.sqrt((d**2).sum(-1)), 0.7, 1.3)))
    return np.asarray(like * step(colour.mean(-1), 45, 80) * facts.crest)


def teeth(colour: Array, skin: Array) -> Array:
    """(N,) 1 for what is light and less red than skin: teeth, where a slip of the fit would put them on the lips."""
    seen, usual = opponent(colour), opponent(skin)
    return step(usual[1] - seen[:, 1], 0.06, 0.16) * step(seen[:, 0] - usual[0], -0.5, -0.2)


def cloth(colour: Array, skin: Array) -> Array:
    """(N,) 1 for strong colours that neither hair nor skin (3,) has: scarves and hats. Dark ones are not judged."""
    _, red, yellow = np.moveaxis(opponent(colour) - opponent(skin), -1, 0)
    strange = np.maximum(np.maximum(step(red, 0.25, 0.45), step(-red, 0.75, 0.95)), step(-yellow, 0.6, 0.8))
    return np.asarray(strange * step(colour.max(-1), 60, 90))


def bright(colour: Array, weight: Array) -> Array:
    """(N,) 1 for the lighter part of what is well seen, without the lightest: no beard, brow or shadow, no glint."""
    light = colour.mean(-1)
    pick = weight > 0.4
    if pick.sum() < FEW:
        return np.ones(len(colour))
    low, high = np.quantile(light[pick], [0.4, 0.92])
    return np.asarray((light >= low) & (light <= high), dtype=np.float64)


def ramp(x: float, low: float, high: float) -> float:
    return float(np.clip((x - low) / (high - low), 0, 1))


def likeness(colour: Array, tone: Array, reach: Array) -> Array:
    """(N,) 1 for colours well within `reach` (3,) of the tone in `_opponent` terms, 0 beyond it."""
    d = (opponent(colour) - opponent(tone[None])) / reach
    return 1 - step(np.sqrt((d**2).sum(-1)), 0.7, 1.3)
