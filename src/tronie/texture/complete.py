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
    confidence = view.confidence.copy()
    colour = blurred_colours(photo, view, view.pixels[:count], 3.0)
    skin, spread_of_skin = _skin_tone(colour, confidence[:count], facts)
    # Clothes, hair and background where the neck should be differ from skin in hue or by a lot of light.
    skinlike = _likeness(colour, skin, spread_of_skin)
    trust = 1 - facts.neck * (1 - skinlike)
    for _ in range(2):
        trust = np.where(facts.neck > 0.02, least(facts.control_start, facts.control_edges, trust), trust)
    trust = smooth(facts.control_start, facts.control_edges, trust, 2)
    confidence *= np.clip(np.asarray(matrix @ trust.astype(np.float32)), 0, 1)

    other = confidence[facts.mirror]
    seen = step(confidence, 0.05, 0.6)
    mirrored = (1 - seen) * step(other, 0.05, 0.6) * step(other - confidence, 0.0, 0.3)

    twin = colour[model.mirror]
    both = np.minimum(confidence, other)[:count]
    ratio = np.clip(np.log((colour + 8) / (twin + 8)), -0.8, 0.8)
    nothing = np.zeros_like(ratio)
    log_gain = spread(
        facts.control_start, facts.control_edges, 2 * both, ratio, np.full(count, 0.01, np.float32), nothing, 40
    )
    gain = np.exp(log_gain)

    s, m = seen[:count, None], mirrored[:count, None]
    known = (s + m)[:, 0]
    mixed = (s * colour + m * np.clip(twin * gain, 0, 255)) / np.maximum(s + m, 1e-6)
    tone = _prior(mixed, known, skin, facts)
    # What is carried on into the unseen must not be a strand of hair or the background's glow.
    evidence = 4 * known**2 * np.maximum(skinlike, np.maximum(facts.scalp, 0.02))
    fill = spread(
        facts.control_start, facts.control_edges, evidence, mixed, np.full(count, 0.012, np.float32), tone, 80
    )
    return Recipe(
        seen=seen, mirrored=mirrored, gain=np.asarray(matrix @ gain, dtype=np.float32),
        fill=_shaded(np.asarray(matrix @ fill, dtype=np.float32), facts.openness), skin=skin,
    )  # fmt: skip


def _shaded(fill: Array, openness: Array) -> Array:
    """Darken what little light reaches: nostrils, the inside of the lips, behind the lids; and redden it."""
    dark = 1 - step(openness, 0.05, 0.55)[:, None]
    return np.clip(fill * (1 - dark * np.array([0.5, 0.62, 0.62], np.float32)), 0, 255)


def _skin_tone(colour: Array, confidence: Array, facts: Surface) -> tuple[Array, Array]:
    """Median colour (3,) of the well seen inner face and its spread in log colour (3,)."""
    pick = facts.inner & (confidence > 0.5)
    if pick.sum() < 20:
        pick = confidence > 0.2
    if pick.sum() < 20:
        return FALLBACK_SKIN, np.full(3, 0.2, np.float32)
    values = colour[pick]
    middle = np.median(values, axis=0)
    spread_of = 1.5 * np.median(np.abs(_opponent(values) - _opponent(middle[None])), axis=0)
    return middle.astype(np.float32), np.maximum(spread_of, [0.12, 0.04, 0.04]).astype(np.float32)


def _opponent(colour: Array) -> Array:
    """Log lightness, red against green, green against blue."""
    log = np.log(colour + 12)
    return np.stack([log.mean(-1), log[..., 0] - log[..., 1], log[..., 1] - log[..., 2]], axis=-1)


def _likeness(colour: Array, skin: Array, spread_of: Array) -> Array:
    """(N,) 1 for skin-like colours, 0 for others; skin in its own shadow passes."""
    d = (_opponent(colour) - _opponent(skin[None])) / (spread_of * [5.0, 3.0, 3.0])
    return 1 - step(np.sqrt((d**2).sum(-1)), 0.7, 1.3)


def _prior(mixed: Array, known: Array, skin: Array, facts: Surface) -> Array:
    """(C, 3): what the fill tends to far from anything seen: the hair's colour on the scalp, else skin."""
    hair = _weighted_median(mixed, known * (facts.scalp > 0.7), 8.0)
    tone = skin[None] * (1 - 0.12 * facts.neck[:, None])
    if hair is not None:
        tone = tone + facts.scalp[:, None] * (hair[None] - tone)
    return np.asarray(tone, dtype=np.float32)


def _weighted_median(values: Array, weight: Array, least: float) -> Array | None:
    """Per channel, None where the weights sum to less than `least`."""
    pick = weight > 0.05
    if weight[pick].sum() < least:
        return None
    v, w = values[pick], weight[pick]
    out = np.empty(v.shape[1], dtype=np.float32)
    for k in range(v.shape[1]):
        order = np.argsort(v[:, k])
        total = np.cumsum(w[order])
        out[k] = v[order[np.searchsorted(total, 0.5 * total[-1])], k]
    return out
