"""Colours for what the photo does not show: the mirrored side's balance, the fill, and how the three are mixed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.head.model import HeadModel
from tronie.texture.mesh import least, smooth, spread
from tronie.texture.parts import colourful
from tronie.texture.seen import View, blurred_colours, step
from tronie.texture.surface import Surface
from tronie.types import Photo

Array = NDArray[np.floating[Any]]
Ints = NDArray[np.int32]

FALLBACK_SKIN = np.array([190.0, 150.0, 130.0], dtype=np.float32)
"""Where a photo shows no usable skin at all."""
FEW = 6
"""Control vertices, some 8 mm apart: the least from which a colour is taken."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Per vertex of the level (V,): colour = seen S + mirrored gain M + (1 - seen - mirrored) (fill under hair)."""

    seen: Array
    mirrored: Array
    gain: Array
    """(V, 3) factor on the mirrored colour."""
    fill: Array
    """(V, 3) sRGB 0..255 of bare skin."""
    hair: Array
    """(V, 3) sRGB 0..255 of hair."""
    grown: Array
    """(V,) 0..1: how thick hair grows there, if it is within the hairline."""
    skin: Array
    """(3,) the person's skin in this photo's light, robustly."""


@dataclass(frozen=True, slots=True)
class Graph:
    """The edges of a control mesh, along which values spread; as if they were as long as those of our own head."""

    start: Ints
    edges: Ints
    steps: int
    """Edges that make one of our own head's."""

    def least(self, values: Array) -> Array:
        for _ in range(self.steps):
            values = least(self.start, self.edges, values)
        return values

    def smooth(self, values: Array, times: int) -> Array:
        return smooth(self.start, self.edges, values, times * self.steps**2)

    def spread(self, weight: Array, data: Array, prior_weight: Array, prior: Array, sweeps: int) -> Array:
        share = 1 / self.steps**2
        return spread(
            self.start, self.edges, share * weight, data, share * prior_weight, prior, sweeps * self.steps
        )  # fmt: skip


def complete(photo: Photo, model: HeadModel, level: int, view: View, facts: Surface, gap_mm: float = 0.0) -> Recipe:
    """Decide at the control mesh's resolution what is seen, mirrored and filled, and with which colours.

    `gap_mm` says how far the lips are parted in the photo.
    """
    count = len(model.mean)
    matrix = model.level(level).matrix
    graph = Graph(facts.control_start, facts.control_edges, facts.steps)
    colour = blurred_colours(photo, view, view.pixels[:count], 3.0)
    fine = blurred_colours(photo, view, view.pixels[:count], 0.8)
    busy = np.abs(np.log((fine.mean(-1) + 12) / (colour.mean(-1) + 12)))
    facing, outline, interior = (a[:count] for a in (view.facing, view.outline, view.interior))
    face = facing * outline * facts.inner
    skin, skin_spread = _tone(colour, face * _bright(colour, face), FALLBACK_SKIN, (0.12, 0.04, 0.04))
    skinlike = _likeness(colour, skin, skin_spread * [3.5, 2.6, 2.6])
    tuft = blurred_colours(photo, view, view.pixels[:count], 6.0)
    ground = _like_behind(photo, view, tuft, facts)
    hair, hairlike, full = _hair(tuft, facing * (1 - ground), outline, skinlike, skin, busy, facts)
    hairlike = hairlike * (1 - ground)
    # Near the outline (and on the neck, where clothes are met) only what looks like skin or hair is believed, and
    # nothing next to what does not. On the crest hair is believed right up to the outline, because it stands out from
    # the skull; single strands or glints do not count there.
    # A beard is believed where the chin has one; else hair on the cheeks hangs down from the head and is left out.
    chin = np.abs(model.mean[:, 0]) < 22
    chin &= facts.inner & (np.abs(model.mean[:, 1] + 90) < 10) & (facing * outline > 0.4)
    bearded = _ramp(1 - float(skinlike[chin].mean()), 0.1, 0.35) if chin.any() else 1.0
    hanging = facts.cheek * (1 - bearded) * (1 - skinlike) * hairlike
    bare: Any = skinlike + (np.maximum(skinlike, hairlike) - skinlike) * facts.beard * np.maximum(bearded, facts.hairy)
    bare = graph.least(np.where(facts.neck > 0.02, graph.least(bare), bare))
    grown = step(graph.smooth(np.maximum(skinlike, hairlike), 2), 0.3, 0.6)
    clear = graph.least(graph.least(1 - ground))
    usual = (bare + (grown - bare) * facts.crest) * clear
    inland = interior * (1 - facts.neck) * graph.least(1 - hanging)
    like = graph.smooth(1 - (1 - inland) * (1 - usual), 2)
    grown = step(graph.smooth(hairlike, 2), 0.3, 0.6)
    parted = np.clip((gap_mm - 0.8) / 1.5, 0, 1)
    no_teeth = graph.least(1 - parted * _teeth(colour, skin) * facts.lips)
    # A bald skull's fit is only guessed, and its rim mirrors the sky: less of it is believed.
    shy = facts.crest * (1 - full)
    held = np.maximum(
        outline + shy * (np.minimum(outline, step(interior, 0.05, 0.6)) - outline), facts.crest * grown * full
    )
    held = held * no_teeth
    trust = np.asarray(matrix @ (like * held).astype(np.float32))
    confidence: Any = view.facing * np.clip(trust, 0, 1)

    other = confidence[facts.mirror]
    # A poor view of the inner face is better than an invention.
    view_only = view.facing * view.outline
    best = np.maximum(view_only, view_only[facts.mirror])
    enough = np.where(facts.inner_level, np.clip(best, 0.25, 0.6), 0.6)
    seen = step(confidence / enough, 0.08, 1.0)
    mirrored = (1 - seen) * step(other / enough, 0.08, 1.0) * step((other - confidence) / enough, 0.0, 0.5)

    twin = colour[model.mirror]
    both = np.minimum(confidence, other)[:count]
    ratio = np.clip(np.log((colour + 8) / (twin + 8)), -0.8, 0.8)
    nothing = np.zeros_like(ratio)
    gain = np.exp(graph.spread(6 * np.sqrt(both), ratio, np.full(count, 0.01, np.float32), nothing, 40))

    s, m = seen[:count, None], mirrored[:count, None]
    known = (s + m)[:, 0]
    mixed = (s * colour + m * np.clip(twin * gain, 0, 255)) / np.maximum(s + m, 1e-6)
    # What is carried on into the unseen must be typical: no strand of hair, no glow of the background, no beard. Far
    # from anything seen the fill tends to the person's own tone.
    tone = skin * (1 - 0.06 * facts.neck[:, None])
    red, _ = _tone(colour, facing * facts.lips * (no_teeth > 0.8), 0.85 * skin, (0.1, 0.1, 0.1))
    tone = np.where(facts.lips[:, None], red, tone)
    screen = np.where(facts.lips, 0.3, 0.03)
    plain = graph.least(skinlike * (1 - step(busy, 0.05, 0.12)))
    evidence = known**2 * np.maximum(4 * np.maximum(plain, facts.lips * no_teeth), 0.01)
    fill = graph.spread(evidence, mixed, screen, tone, 60)
    thin = np.full(count, 0.04, np.float32)
    strands = 4 * known**2 * hairlike * (1 - facts.beard * (1 - facts.hairy))
    locks: Any = np.broadcast_to(hair, mixed.shape)
    locks = graph.spread(strands, mixed, thin, locks, 40) if full > 0 else locks
    judged = 2 * (1 - full**2) * known**2 * facts.scalp * np.maximum(hairlike, skinlike)
    share = (hairlike / np.maximum(hairlike + skinlike, 1e-3))[:, None]
    grows = graph.spread(judged, share, thin, np.full((count, 1), full, np.float32), 30)[:, 0] if full > 0 else thin * 0
    dense: Any = matrix @ np.column_stack([gain, fill, locks, grows]).astype(np.float32)
    return Recipe(
        seen=seen, mirrored=mirrored, gain=dense[:, :3], fill=_shaded(dense[:, 3:6], facts.openness),
        hair=np.clip(dense[:, 6:9], 0, 255) * _dimmed(facts.openness, 0.6), grown=np.clip(dense[:, 9], 0, 1), skin=skin,
    )  # fmt: skip


def _dimmed(openness: Array, depth: float) -> Array:
    """(V, 1) light that reaches a vertex in folds, behind the ear and below the chin."""
    return np.asarray(1 - depth * (1 - np.clip(openness[:, None] / 0.96, 0, 1) ** 1.3))


def _shaded(fill: Array, openness: Array) -> Array:
    """Darken what little light reaches: the ear's folds, nostrils, the inside of the lips; and redden it, because
    light that has been through skin is red."""
    dark = 1 - step(openness, 0.05, 0.55)[:, None]
    red = colourful(np.median(fill, axis=0))
    folds = _dimmed(openness, 0.75) ** (1 + red * np.array([0.0, 0.45, 0.55], np.float32))
    # Not black: an opening mouth shows what the lips hide at rest.
    least = 0.46 - red * np.array([0.0, 0.13, 0.13])
    light = np.maximum(folds * (1 - dark * (0.35 + red * np.array([0.0, 0.1, 0.1]))), least)
    return np.asarray(np.clip(fill * light, 0, 255), dtype=np.float32)


def _tone(colour: Array, weight: Array, fallback: Array, floor: tuple[float, float, float]) -> tuple[Array, Array]:
    """Median colour (3,) of the well seen (N, 3) and its spread (3,) in `_opponent` terms, at least `floor`."""
    pick = weight > 0.4
    if pick.sum() < FEW:
        return np.asarray(fallback, dtype=np.float32), np.asarray(floor, dtype=np.float32) * 1.5
    values = colour[pick]
    middle = np.median(values, axis=0)
    width = 1.5 * np.median(np.abs(_opponent(values) - _opponent(middle[None])), axis=0)
    spread_of: Array = np.clip(width, floor, np.multiply(floor, 2.5)).astype(np.float32)
    return middle.astype(np.float32), spread_of


def _like_behind(photo: Photo, view: View, colour: Array, facts: Surface) -> Array:
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
        d = (_opponent(colour) - _opponent(blurred_colours(photo, whole, beyond, 6.0))) / np.array([0.45, 0.12, 0.12])
        like = np.maximum(like, known * (1 - step(np.sqrt((d**2).sum(-1)), 0.7, 1.3)))
    return np.asarray(like * step(colour.mean(-1), 45, 80) * facts.crest)


def _teeth(colour: Array, skin: Array) -> Array:
    """(N,) 1 for what is light and less red than skin: teeth, where a slip of the fit would put them on the lips."""
    seen, usual = _opponent(colour), _opponent(skin)
    return step(usual[1] - seen[:, 1], 0.06, 0.16) * step(seen[:, 0] - usual[0], -0.5, -0.2)


def _bright(colour: Array, weight: Array) -> Array:
    """(N,) 1 for the lighter part of what is well seen, without the lightest: no beard, brow or shadow, no glint."""
    light = colour.mean(-1)
    pick = weight > 0.4
    if pick.sum() < FEW:
        return np.ones(len(colour))
    low, high = np.quantile(light[pick], [0.4, 0.92])
    return np.asarray((light >= low) & (light <= high), dtype=np.float64)


def _hair(
    colour: Array, view: Array, outline: Array, skinlike: Array, skin: Array, busy: Array, facts: Surface
) -> tuple[Array, Array, float]:
    """The hair's colour (3,), how much each vertex looks like it (N,), and how full the hair is, 0 (bald) to 1."""
    weight = view * outline
    pick = weight * (facts.scalp > 0.6) > 0.4
    if not facts.scalp.any():
        return skin, np.zeros(len(colour)), 0.0  # a mask: no hair grows on it
    if pick.sum() < FEW:
        return 0.4 * skin, np.zeros(len(colour)), 1.0  # a cut-off photo: most people have hair
    other = pick & (skinlike < 0.5)
    share = float(other.sum() / pick.sum())
    source = (weight * (facts.hairy > 0.8) > 0.4) & (skinlike < 0.5)
    if source.sum() < max(0.2 * pick.sum(), FEW):
        # What of skin and hair is in view is hardly told apart: the less red half is hair.
        redness = _opponent(colour)[:, 1]
        source = pick & (redness <= np.quantile(redness[pick], 0.4))
    # The darker part: the sky shines on hair.
    light = colour.mean(-1)
    source &= light <= np.quantile(light[source], 0.65)
    hair, width = _tone(colour, source.astype(np.float64), skin, (0.3, 0.08, 0.08))
    lighter, redder, _ = np.median(_opponent(colour[other if other.any() else pick]), axis=0) - _opponent(skin)
    dark, grey = _dark_hair(lighter, redder), _grey_hair(lighter, redder)
    unlike = max(dark, grey) * _ramp(share, 0.15, 0.3)
    if lighter < 0 and share > 0.4:
        # Strands show; where all of the scalp is unlike skin, fewer of them will do.
        strands = 0.04 - 0.02 * _ramp(share, 0.6, 0.9)
        unlike = max(unlike, _ramp(float(busy[other].mean()), strands, strands + 0.025))
    full = _ramp(unlike, 0.25, 0.7)
    sides = (view > 0.1) & facts.temples
    fringe = sides & (skinlike < 0.5)
    if full < 0.8 and fringe.sum() >= FEW:
        # Grey at the temples, even at the outline, speaks for hair; where it is bare above shows below, place by place.
        lighter, redder, _ = np.median(_opponent(colour[fringe]), axis=0) - _opponent(skin)
        rough = _ramp(float(busy[fringe].mean()), 0.03, 0.045) * (1 - _ramp(lighter, 0.54, 0.62))
        if _ramp(float(fringe.sum() / sides.sum()), 0.5, 0.65) * _ramp(-redder, 0.1, 0.18) * rough > 0.5:
            hair, width = _tone(colour, fringe.astype(np.float64), skin, (0.3, 0.08, 0.08))
            full, grey = 0.8, 1.0
    if full < 0.3:  # wisps on a bald head are worse than none
        return skin, skinlike, 0.0
    like = _likeness(colour, hair, width * [3.0, 2.0, 2.0])
    # Scarves and hats have colours no hair has: keep their lightness and the nearest natural hue.
    light, red, yellow = _opponent(hair)
    light = min(light, _opponent(skin)[0] + 0.2)  # not a glare's
    natural_red, natural_yellow = np.clip(red, 0.02, 0.36), np.clip(yellow, 0.02, 0.5)
    if grey > dark:
        natural_red, natural_yellow = 0.6 * natural_red, 0.75 * natural_yellow
    green = light + (natural_yellow - natural_red) / 3
    natural = np.exp(np.array([green + natural_red, green, green - natural_yellow])) - 12
    return np.maximum(natural, 0).astype(np.float32), like, float(full)


def _dark_hair(light: float, red: float) -> float:
    """Hair is darker than skin by more than skin in the shade, which turns redder as it darkens."""
    return _ramp(-light - 2 * max(red, 0.0), 0.3, 0.6)


def _grey_hair(light: float, red: float) -> float:
    """Less red than skin; what is also much lighter is the sky's glare on a bald head."""
    return _ramp(-red, 0.1, 0.18) * (1 - _ramp(light, 0.25, 0.5))


def _ramp(x: float, low: float, high: float) -> float:
    return float(np.clip((x - low) / (high - low), 0, 1))


def _opponent(colour: Array) -> Array:
    """Log lightness, red against green, green against blue."""
    log = np.log(colour + 12)
    return np.stack([log.mean(-1), log[..., 0] - log[..., 1], log[..., 1] - log[..., 2]], axis=-1)


def _likeness(colour: Array, tone: Array, reach: Array) -> Array:
    """(N,) 1 for colours well within `reach` (3,) of the tone in `_opponent` terms, 0 beyond it."""
    d = (_opponent(colour) - _opponent(tone[None])) / reach
    return 1 - step(np.sqrt((d**2).sum(-1)), 0.7, 1.3)
