"""Whether a person has hair on the skull, and of which colour."""

from __future__ import annotations

import numpy as np

from tronie.arrays import Array
from tronie.stages.texture.atlas import Surface
from tronie.stages.texture.segment import FEW, likeness, ramp, tone_of
from tronie.stages.texture.skin_model import opponent


def hair_of(
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
        redness = opponent(colour)[:, 1]
        source = pick & (redness <= np.quantile(redness[pick], 0.4))
    # The darker part: the sky shines on hair, and short black hair looks grey where it does.
    light = colour.mean(-1)
    source &= light <= np.quantile(light[source], 0.65 if light[source].mean() < 0.6 * skin.mean() else 0.4)
    hair, width = tone_of(colour, source.astype(np.float64), skin, (0.3, 0.08, 0.08))
    lighter, redder, _ = np.median(opponent(colour[other if other.any() else pick]), axis=0) - opponent(skin)
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
        lighter, redder, _ = np.median(opponent(colour[fringe]), axis=0) - opponent(skin)
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
        redness = opponent(colour)[:, 1]
        less = ramp(float(opponent(skin)[1] - np.median(redness[within])), 0.06, 0.13)
        if max(ramp(rough, 0.055, 0.075), ramp(rough, 0.044, 0.052) * less) > 0.5:
            pick = within & (redness <= np.median(redness[within]))
            if np.median(light[within]) < skin.mean():  # dark strands, with skin between them
                pick = within & (light <= np.quantile(light[within], 0.2))
            hair, width = tone_of(colour, pick.astype(np.float64), skin, (0.3, 0.08, 0.08))
            full, grey = 0.8, less
    if full < 0.3:  # wisps on a bald head are worse than none
        return skin, skinlike, 0.0
    like = likeness(colour, hair, width * [3.0, 2.0, 2.0])
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
