"""Segmentation by colour, at vertices: skin, hair, teeth, cloth, background."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tronie.arrays import Array
from tronie.geometry import smoothstep
from tronie.head.model import HeadModel
from tronie.stages.texture.atlas import SurfaceFacts
from tronie.stages.texture.skin_model import Colours, opponent
from tronie.stages.texture.visibility import Visibility, blurred_colours
from tronie.types import Photo

FEW = 6
"""Control vertices, some 8 mm apart: the least from which a colour is taken."""
TUFT_MM = 6.0
"""Over which colours are averaged where hair is told from skin, and photos from each other."""
FALLBACK_SKIN = np.array([190.0, 150.0, 130.0], dtype=np.float32)
"""Where a photo shows no usable skin at all."""


@dataclass(frozen=True, eq=False)
class PhotoSamples:
    """What one photo shows at the control vertices (C,): looked up once, and handed on to all that judges it."""

    photo: Photo
    view: Visibility
    colour: Colours
    """(C, 3) averaged over 3 mm."""
    tuft: Colours
    """(C, 3) averaged over TUFT_MM, as hair is judged."""
    busy: Array
    """(C,) how much finer detail there is."""


def sample_photo(photo: Photo, view: Visibility, count: int) -> PhotoSamples:
    """At the first `count` vertices, those of the control mesh."""
    colour, fine, tuft = (blurred_colours(photo, view, view.pixels[:count], mm) for mm in (3.0, 0.8, TUFT_MM))
    busy = np.abs(np.log((fine.mean(-1) + 12) / (colour.mean(-1) + 12)))
    return PhotoSamples(photo, view, Colours.of(colour), Colours.of(tuft), busy)


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What each control vertex (C,) is in the photo, 0..1: skin, hair, or what is behind and before them."""

    samples: PhotoSamples
    skin: Array
    """(3,) the person's skin, robustly."""
    skinlike: Array
    hair: Array
    """(3,)."""
    hairlike: Array
    full: float
    """How full the hair is, 0 (bald) to 1."""
    ground: Array
    """What has the colour of the background behind it, or is cloth beside hair."""
    bearded: float
    """How far the chin has a beard, 0..1."""


def segment_photo(samples: PhotoSamples, model: HeadModel, facts: SurfaceFacts) -> Segmentation:
    count = len(model.mean)
    colour, tuft, view = samples.colour, samples.tuft, samples.view
    facing, outline = view.facing[:count], view.outline[:count]
    face = facing * outline * facts.inner
    skin, skin_spread = tone_of(colour, face * bright(colour.rgb, face), FALLBACK_SKIN, (0.12, 0.04, 0.04))
    skinlike = tone_likeness(colour, skin, skin_spread * [3.5, 2.6, 2.6])
    ground = like_behind(samples, facts)
    dyed = cloth(tuft, skin) * (facts.hairy > 0.3)
    natural = facing * (1 - ground) * (1 - dyed)
    if ((natural * outline > 0.4) & facts.temples).sum() < FEW:  # all of it is cloth
        dyed, natural = np.zeros_like(dyed), facing * (1 - ground)
    hair, hairlike, full = hair_of(tuft, natural, outline, skinlike, skin, samples.busy, facts)
    ground = np.maximum(ground, dyed)
    chin = np.abs(model.mean[:, 0]) < 22
    chin &= facts.inner & (np.abs(model.mean[:, 1] + 90) < 10) & (facing * outline > 0.4)
    bearded = ramp(1 - float(skinlike[chin].mean()), 0.45, 0.65) if chin.any() else 1.0
    return Segmentation(samples, skin, skinlike, hair, hairlike * (1 - ground), full, ground, bearded)


def tone_of(colour: Colours, weight: Array, fallback: Array, floor: tuple[float, float, float]) -> tuple[Array, Array]:
    """Median colour (3,) of the well seen (N, 3) and its spread (3,) in `opponent` terms, at least `floor`."""
    pick = weight > 0.4
    if pick.sum() < FEW:
        return np.asarray(fallback, dtype=np.float32), np.asarray(floor, dtype=np.float32) * 1.5
    middle = np.median(colour.rgb[pick], axis=0)
    width = 1.5 * np.median(np.abs(colour.opponent[pick] - opponent(middle[None])), axis=0)
    spread_of: Array = np.clip(width, floor, np.multiply(floor, 2.5)).astype(np.float32)
    return middle.astype(np.float32), spread_of


def like_behind(samples: PhotoSamples, facts: SurfaceFacts) -> Array:
    """(N,) 1 where a vertex of the crest has the colour of what lies well outside the head in its direction: the
    background, seen past a skull that is smaller than the fitted one. Dark colours are not judged: black hair before
    a dark wall is hair."""
    photo, view, colour = samples.photo, samples.view, samples.tuft
    points = view.pixels[: len(colour.rgb)]
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
        d = (colour.opponent - opponent(blurred_colours(photo, whole, beyond, 6.0))) / np.array([0.45, 0.12, 0.12])
        like = np.maximum(like, known * (1 - smoothstep(np.sqrt((d**2).sum(-1)), 0.7, 1.3)))
    return np.asarray(like * smoothstep(colour.rgb.mean(-1), 45, 80) * facts.crest)


def teeth(colour: Colours, skin: Array) -> Array:
    """(N,) 1 for what is light and less red than skin: teeth, where a slip of the fit would put them on the lips."""
    seen, usual = colour.opponent, opponent(skin)
    return smoothstep(usual[1] - seen[:, 1], 0.06, 0.16) * smoothstep(seen[:, 0] - usual[0], -0.5, -0.2)


def cloth(colour: Colours, skin: Array) -> Array:
    """(N,) 1 for strong colours that neither hair nor skin (3,) has: scarves and hats. Dark ones are not judged."""
    _, red, yellow = np.moveaxis(colour.opponent - opponent(skin), -1, 0)
    strange = np.maximum(
        np.maximum(smoothstep(red, 0.25, 0.45), smoothstep(-red, 0.75, 0.95)), smoothstep(-yellow, 0.6, 0.8)
    )
    return np.asarray(strange * smoothstep(colour.rgb.max(-1), 60, 90))


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


def tone_likeness(colour: Colours, tone: Array, reach: Array) -> Array:
    """(N,) 1 for colours well within `reach` (3,) of the tone in `opponent` terms, 0 beyond it."""
    d = (colour.opponent - opponent(tone[None])) / reach
    return 1 - smoothstep(np.sqrt((d**2).sum(-1)), 0.7, 1.3)


def hair_of(
    colour: Colours, view: Array, outline: Array, skinlike: Array, skin: Array, busy: Array, facts: SurfaceFacts
) -> tuple[Array, Array, float]:
    """The hair's colour (3,), how much each vertex looks like it (N,), and how full the hair is, 0 (bald) to 1."""
    weight = view * outline
    pick = weight * (facts.scalp > 0.6) > 0.4
    if not facts.scalp.any():
        return skin, np.zeros(len(colour.rgb)), 0.0  # a mask: no hair grows on it
    if pick.sum() < FEW:
        return 0.4 * skin, np.zeros(len(colour.rgb)), 1.0  # a cut-off photo: most people have hair
    other = pick & (skinlike < 0.5)
    share = float(other.sum() / pick.sum())
    source = (weight * (facts.hairy > 0.8) > 0.4) & (skinlike < 0.5)
    if source.sum() < max(0.2 * pick.sum(), FEW):
        # What of skin and hair is in view is hardly told apart: the less red half is hair.
        redness = colour.opponent[:, 1]
        source = pick & (redness <= np.quantile(redness[pick], 0.4))
    # The darker part: the sky shines on hair, and short black hair looks grey where it does.
    light = colour.rgb.mean(-1)
    source &= light <= np.quantile(light[source], 0.65 if light[source].mean() < 0.6 * skin.mean() else 0.4)
    hair, width = tone_of(colour, source.astype(np.float64), skin, (0.3, 0.08, 0.08))
    lighter, redder, _ = np.median(colour.opponent[other if other.any() else pick], axis=0) - opponent(skin)
    dark, grey = _dark_hair(lighter, redder), _grey_hair(lighter, redder)
    unlike = max(dark, grey) * ramp(share, 0.15, 0.3)
    if lighter < 0 and share > 0.4:
        # Strands show; where all of the scalp is unlike skin, fewer of them will do.
        strands = 0.04 - 0.02 * ramp(share, 0.6, 0.9)
        unlike = max(unlike, ramp(float(busy[other].mean()), strands, strands + 0.025))
    full = ramp(unlike, 0.25, 0.7)
    sides = (view > 0.1) & facts.temples
    fringe = sides & (skinlike < 0.5)
    if full < 0.8 and fringe.sum() >= FEW:
        # Grey at the temples, even at the outline, speaks for hair; where it is bare above shows below, place by place.
        lighter, redder, _ = np.median(colour.opponent[fringe], axis=0) - opponent(skin)
        share, rough = float(fringe.sum() / sides.sum()), float(busy[fringe].mean())
        fine = ramp(-redder, 0.2, 0.26) * ramp(share, 0.55, 0.65)  # short or white hair shows no strands
        strands = max(ramp(rough, 0.03, 0.045), fine) * (1 - ramp(lighter, 0.54, 0.62))
        if ramp(share, 0.4, 0.55) * ramp(-redder, 0.1, 0.18) * strands > 0.5:
            hair, width = tone_of(colour, fringe.astype(np.float64), skin, (0.3, 0.08, 0.08))
            full, grey = 0.8, 1.0
    within = (view > 0.15) & (facts.hairy > 0.7)
    if full < 0.8 and within.sum() >= FEW:
        # Of 200 portraits no bald one has so much fine contrast within the hairline, or nearly so much where it is
        # less red than skin as well.
        rough = float(busy[within].mean())
        redness = colour.opponent[:, 1]
        less = ramp(float(opponent(skin)[1] - np.median(redness[within])), 0.06, 0.13)
        if max(ramp(rough, 0.055, 0.075), ramp(rough, 0.044, 0.052) * less) > 0.5:
            pick = within & (redness <= np.median(redness[within]))
            if np.median(light[within]) < skin.mean():  # dark strands, with skin between them
                pick = within & (light <= np.quantile(light[within], 0.2))
            hair, width = tone_of(colour, pick.astype(np.float64), skin, (0.3, 0.08, 0.08))
            full, grey = 0.8, less
    if full < 0.3:  # wisps on a bald head are worse than none
        return skin, skinlike, 0.0
    like = tone_likeness(colour, hair, width * [3.0, 2.0, 2.0])
    # Scarves and hats have colours no hair has: keep their lightness and the nearest natural hue.
    light, red, yellow = opponent(hair)
    light = min(light, opponent(skin)[0] + 0.2)  # not a glare's
    natural_red, natural_yellow = np.clip(red, 0.02, 0.36), np.clip(yellow, 0.02, 0.5)
    if grey > dark:
        natural_red, natural_yellow = 0.6 * natural_red, 0.75 * natural_yellow
    green = light + (natural_yellow - natural_red) / 3
    natural = np.exp(np.array([green + natural_red, green, green - natural_yellow])) - 12
    return np.maximum(natural, 0).astype(np.float32), like, float(full)


def _dark_hair(light: float, red: float) -> float:
    """Hair is darker than skin by more than skin in the shade, which turns redder as it darkens."""
    return ramp(-light - 2 * max(red, 0.0), 0.3, 0.6)


def _grey_hair(light: float, red: float) -> float:
    """Less red than skin; what is also much lighter is the sky's glare on a bald head."""
    return ramp(-red, 0.1, 0.18) * (1 - ramp(light, 0.25, 0.5))
