"""Colours for what the photo does not show: the mirrored side's balance, the fill, and how the three are mixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.head.model import HeadModel
from tronie.texture.mesh import least, smooth, spread
from tronie.texture.seen import View, blurred_colours, step
from tronie.texture.surface import Surface
from tronie.types import Photo

Array = NDArray[np.floating[Any]]

FALLBACK_SKIN = np.array([190.0, 150.0, 130.0], dtype=np.float32)
"""Where a photo shows no usable skin at all."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Per vertex of the level (V,): colour = seen S + mirrored gain M + (1 - seen - mirrored) fill."""

    seen: Array
    mirrored: Array
    gain: Array
    """(V, 3) factor on the mirrored colour."""
    fill: Array
    """(V, 3) sRGB 0..255."""
    skin: Array
    """(3,) the person's skin in this photo's light, robustly."""


def complete(photo: Photo, model: HeadModel, level: int, view: View, facts: Surface) -> Recipe:
    """Decide at the control mesh's resolution what is seen, mirrored and filled, and with which colours."""
    count = len(model.mean)
    matrix = model.level(level).matrix
    graph = facts.control_start, facts.control_edges
    colour = blurred_colours(photo, view, view.pixels[:count], 3.0)
    facing, outline, interior = (a[:count] for a in (view.facing, view.outline, view.interior))
    skin, skin_spread = _tone(colour, facing * outline * facts.inner, FALLBACK_SKIN, (0.12, 0.04, 0.04))
    skinlike = _likeness(colour, skin, skin_spread * [3.5, 2.6, 2.6])
    hair, hair_spread = _hair(colour, facing * outline * (facts.scalp > 0.6), skinlike, skin)
    hairlike = _likeness(colour, hair, hair_spread * [2.0, 1.6, 1.6])
    # Near the outline (and on the neck, where clothes are met) only what looks like skin or hair is believed; hair
    # is believed right up to the outline, because it stands out from the skull.
    usual = skinlike + (np.maximum(skinlike, hairlike) - skinlike) * facts.hairy
    like: Any = 1 - (1 - interior * (1 - facts.neck)) * (1 - usual)
    like = smooth(*graph, least(*graph, np.where(facts.neck > 0.02, least(*graph, like), like)), 2)
    held = np.maximum(outline, facts.scalp * hairlike)
    trust = np.asarray(matrix @ (like * held).astype(np.float32))
    confidence: Any = view.facing * np.clip(trust, 0, 1)

    other = confidence[facts.mirror]
    seen = step(confidence, 0.05, 0.6)
    mirrored = (1 - seen) * step(other, 0.05, 0.6) * step(other - confidence, 0.0, 0.3)

    twin = colour[model.mirror]
    both = np.minimum(confidence, other)[:count]
    ratio = np.clip(np.log((colour + 8) / (twin + 8)), -0.8, 0.8)
    nothing = np.zeros_like(ratio)
    gain = np.exp(spread(*graph, 6 * np.sqrt(both), ratio, np.full(count, 0.01, np.float32), nothing, 40))

    s, m = seen[:count, None], mirrored[:count, None]
    known = (s + m)[:, 0]
    mixed = (s * colour + m * np.clip(twin * gain, 0, 255)) / np.maximum(s + m, 1e-6)
    # Far from anything seen the fill tends to hair on the scalp, to skin elsewhere. What is carried on into the
    # unseen must be typical: no strand of hair, no glow of the background.
    tone = skin * (1 - 0.12 * facts.neck[:, None])
    tone = tone + facts.scalp[:, None] * (hair - tone)
    evidence = 4 * known**2 * np.maximum(skinlike, np.maximum(facts.scalp * hairlike, 0.02))
    fill = spread(*graph, evidence, mixed, np.full(count, 0.03, np.float32), tone, 80)
    return Recipe(
        seen=seen, mirrored=mirrored, gain=np.asarray(matrix @ gain, dtype=np.float32),
        fill=_shaded(np.asarray(matrix @ fill, dtype=np.float32), facts.openness), skin=skin,
    )  # fmt: skip


def _shaded(fill: Array, openness: Array) -> Array:
    """Darken what little light reaches: nostrils, the inside of the lips, behind the lids; and redden it."""
    dark = 1 - step(openness, 0.05, 0.55)[:, None]
    return np.clip(fill * (1 - dark * np.array([0.5, 0.62, 0.62], np.float32)), 0, 255)


def _tone(colour: Array, weight: Array, fallback: Array, floor: tuple[float, float, float]) -> tuple[Array, Array]:
    """Median colour (3,) of the well seen (N, 3) and its spread (3,) in `_opponent` terms, at least `floor`."""
    pick = weight > 0.4
    if pick.sum() < 12:
        return np.asarray(fallback, dtype=np.float32), np.asarray(floor, dtype=np.float32) * 1.5
    values = colour[pick]
    middle = np.median(values, axis=0)
    width = 1.5 * np.median(np.abs(_opponent(values) - _opponent(middle[None])), axis=0)
    spread_of: Array = np.clip(width, floor, np.multiply(floor, 2.5)).astype(np.float32)
    return middle.astype(np.float32), spread_of


def _hair(colour: Array, weight: Array, skinlike: Array, skin: Array) -> tuple[Array, Array]:
    """As `_tone` for the scalp: of what is not skin there, unless that is next to nothing (the bald)."""
    floor = (0.2, 0.05, 0.05)
    other = weight * (skinlike < 0.5)
    few = (other > 0.4).sum() < 0.2 * (weight > 0.4).sum()
    if few:
        # The crown of a bald head mirrors the sky; its own colour is that of the face.
        return skin, np.asarray(floor, dtype=np.float32)
    tone, width = _tone(colour, other, skin, floor)
    # Scarves and hats have colours no hair has: keep their lightness and the nearest natural hue.
    light, red, yellow = _opponent(tone)
    red, yellow = np.clip(red, 0.02, 0.36), np.clip(yellow, 0.02, 0.5)
    green = light + (yellow - red) / 3
    return np.maximum(np.exp(np.array([green + red, green, green - yellow])) - 12, 0).astype(np.float32), width


def _opponent(colour: Array) -> Array:
    """Log lightness, red against green, green against blue."""
    log = np.log(colour + 12)
    return np.stack([log.mean(-1), log[..., 0] - log[..., 1], log[..., 1] - log[..., 2]], axis=-1)


def _likeness(colour: Array, tone: Array, reach: Array) -> Array:
    """(N,) 1 for colours well within `reach` (3,) of the tone in `_opponent` terms, 0 beyond it."""
    d = (_opponent(colour) - _opponent(tone[None])) / reach
    return 1 - step(np.sqrt((d**2).sum(-1)), 0.7, 1.3)
