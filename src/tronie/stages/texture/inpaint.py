"""Colours for what the photo does not show: the mirrored side's balance, the fill, and how the three are mixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.geometry import smoothstep
from tronie.head.model import HeadModel
from tronie.stages.texture.atlas import SurfaceFacts
from tronie.stages.texture.glasses import glasses
from tronie.stages.texture.mesh_filters import dimmed, fold_shade, least, smooth, spread
from tronie.stages.texture.segment import FEW, bright, cloth, hair_of, like_behind, ramp, teeth, tone_likeness, tone_of
from tronie.stages.texture.skin_fit import SkinFit, fit_skin, skin_basis
from tronie.stages.texture.skin_model import colour_of, opponent
from tronie.stages.texture.visibility import Visibility, blurred_colours
from tronie.stages.texture.white_balance import colourful
from tronie.types import Photo

Ints = NDArray[np.int32]

FALLBACK_SKIN = np.array([190.0, 150.0, 130.0], dtype=np.float32)
"""Where a photo shows no usable skin at all."""


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
    statistical: bool
    """Whether the fill comes from the statistical model of skin."""
    grain: float
    """Deviation of the skin's lightness within a few millimetres, as a share, as the photo shows it."""


@dataclass(frozen=True, slots=True)
class MeshGraph:
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


@dataclass(frozen=True, slots=True)
class Matter:
    """What each control vertex (C,) looks like in the photo."""

    colour: Array
    """(C, 3) averaged over 3 mm."""
    busy: Array
    """How much finer detail there is."""
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


def complete(
    photo: Photo, model: HeadModel, level: int, view: Visibility, facts: SurfaceFacts, gap_mm: float = 0.0
) -> Recipe:
    """Decide at the control mesh's resolution what is seen, mirrored and filled, and with which colours.

    `gap_mm` says how far the lips are parted in the photo.
    """
    count = len(model.mean)
    matrix = model.level(level).matrix
    graph = MeshGraph(facts.control_start, facts.control_edges, facts.steps)
    matter = _matter(photo, model, view, facts)
    colour, skin, full = matter.colour, matter.skin, matter.full
    parted = np.clip((gap_mm - 0.8) / 1.5, 0, 1)
    no_teeth = graph.least(1 - parted * teeth(colour, skin) * facts.lips)
    trust = _trust(model, view, facts, graph, matter) * no_teeth
    confidence: Any = view.facing * np.clip(np.asarray(matrix @ trust.astype(np.float32)), 0, 1)

    base = skin_basis(model, level)
    seen, mirrored = _shares(confidence, view, facts)
    said = None
    if base is not None:
        believed = seen[:count] ** 2 * np.maximum(facts.inner, _plain(graph, matter))
        said = fit_skin(base, opponent(colour), believed, view.normals, colourful(skin))
        # Shade beside hanging hair, far darker than skin in this light would be there, is left out too.
        shade_of_hair = (
            facts.cheek
            * (1 - matter.bearded)
            * np.maximum(smoothstep(-said.off, 3.0, 6.0) * (1 - matter.skinlike), smoothstep(-said.off, 4.0, 6.0))
        )
        confidence = confidence * np.clip(1 - np.asarray(matrix @ shade_of_hair.astype(np.float32)), 0, 1)
        frame = glasses(photo, model, level, view, said.fitted, seen)
        if frame is not None:
            confidence = confidence * (1 - frame)
        seen, mirrored = _shares(confidence, view, facts, frame)
    other = confidence[facts.mirror]

    twin = colour[model.mirror]
    both = np.minimum(confidence, other)[:count]
    ratio = np.clip(np.log((colour + 8) / (twin + 8)), -0.8, 0.8)
    nothing = np.zeros_like(ratio)
    gain = np.exp(graph.spread(6 * np.sqrt(both), ratio, np.full(count, 0.01, np.float32), nothing, 40))

    s, m = seen[:count, None], mirrored[:count, None]
    known = (s + m)[:, 0]
    mixed = (s * colour + m * np.clip(twin * gain, 0, 255)) / np.maximum(s + m, 1e-6)
    # What is carried on into the unseen must be typical: no strand of hair, no glow of the background, no beard.
    plain = _plain(graph, matter)
    evidence = known**2 * np.maximum(4 * np.maximum(plain, facts.lips * no_teeth), 0.01)
    if said is None:
        red, _ = tone_of(
            colour, view.facing[:count] * view.outline[:count] * facts.lips * (no_teeth > 0.8), 0.85 * skin,
            (0.1, 0.1, 0.1),
        )  # fmt: skip
        # Far from anything seen the fill tends to the person's own tone.
        tone = np.where(facts.lips[:, None], red, skin * (1 - 0.06 * facts.neck[:, None]))
        fill = graph.spread(evidence, mixed, np.where(facts.lips, 0.3, 0.03), tone, 60)
        bare: Any = np.asarray(matrix @ fill.astype(np.float32)) * fold_shade(facts.openness, colourful(skin))
    else:
        bare = _continued(graph, matrix, said, mixed, evidence, colourful(skin))

    thin = np.full(count, 0.04, np.float32)
    strands = 4 * known**2 * matter.hairlike * (1 - facts.beard * (1 - facts.hairy))
    locks: Any = np.broadcast_to(matter.hair, mixed.shape)
    locks = graph.spread(strands, mixed, thin, locks, 40) if full > 0 else locks
    judged = 2 * (1 - full**2) * known**2 * facts.scalp * np.maximum(matter.hairlike, matter.skinlike)
    share = (matter.hairlike / np.maximum(matter.hairlike + matter.skinlike, 1e-3))[:, None]
    grows = graph.spread(judged, share, thin, np.full((count, 1), full, np.float32), 30)[:, 0] if full > 0 else thin * 0
    dense: Any = matrix @ np.column_stack([gain, locks, grows]).astype(np.float32)
    return Recipe(
        seen=seen, mirrored=mirrored, gain=dense[:, :3], fill=np.clip(bare, 0, 255).astype(np.float32),
        hair=np.clip(dense[:, 3:6], 0, 255) * dimmed(facts.openness, 0.6), grown=np.clip(dense[:, 6], 0, 1), skin=skin,
        statistical=said is not None, grain=_grain(matter, seen[:count] * facts.inner * plain),
    )  # fmt: skip


def _shares(
    confidence: Array, view: Visibility, facts: SurfaceFacts, hidden: Array | None = None
) -> tuple[Array, Array]:
    """What of each vertex (V,) is seen, and what mirrored; `hidden` (V,) lies behind something that is no skin."""
    other = confidence[facts.mirror]
    # A poor view of the inner face is better than an invention.
    view_only = view.facing * view.outline
    best = np.maximum(view_only, view_only[facts.mirror])
    enough = np.where(facts.inner_level, np.clip(best, 0.25, 0.6), 0.6)
    seen = smoothstep(confidence / enough, 0.08, 1.0)
    mirrored = (1 - seen) * smoothstep(other / enough, 0.08, 1.0) * smoothstep((other - confidence) / enough, 0.0, 0.5)
    if hidden is not None:  # what the frame hides would be mirrored from beside it, where the light is another
        mirrored = mirrored * (1 - hidden)
    return seen, mirrored


def _plain(graph: MeshGraph, matter: Matter) -> Array:
    """(C,) 0..1: skin without strands, well away from what is none."""
    return graph.least(matter.skinlike * (1 - smoothstep(matter.busy, 0.05, 0.12)))


def _matter(photo: Photo, model: HeadModel, view: Visibility, facts: SurfaceFacts) -> Matter:
    count = len(model.mean)
    colour = blurred_colours(photo, view, view.pixels[:count], 3.0)
    fine = blurred_colours(photo, view, view.pixels[:count], 0.8)
    busy = np.abs(np.log((fine.mean(-1) + 12) / (colour.mean(-1) + 12)))
    facing, outline = view.facing[:count], view.outline[:count]
    face = facing * outline * facts.inner
    skin, skin_spread = tone_of(colour, face * bright(colour, face), FALLBACK_SKIN, (0.12, 0.04, 0.04))
    skinlike = tone_likeness(colour, skin, skin_spread * [3.5, 2.6, 2.6])
    tuft = blurred_colours(photo, view, view.pixels[:count], 6.0)
    ground = like_behind(photo, view, tuft, facts)
    dyed = cloth(tuft, skin) * (facts.hairy > 0.3)
    natural = facing * (1 - ground) * (1 - dyed)
    if ((natural * outline > 0.4) & facts.temples).sum() < FEW:  # all of it is cloth
        dyed, natural = np.zeros_like(dyed), facing * (1 - ground)
    hair, hairlike, full = hair_of(tuft, natural, outline, skinlike, skin, busy, facts)
    ground = np.maximum(ground, dyed)
    chin = np.abs(model.mean[:, 0]) < 22
    chin &= facts.inner & (np.abs(model.mean[:, 1] + 90) < 10) & (facing * outline > 0.4)
    bearded = ramp(1 - float(skinlike[chin].mean()), 0.45, 0.65) if chin.any() else 1.0
    return Matter(colour, busy, skin, skinlike, hair, hairlike * (1 - ground), full, ground, bearded)


def _trust(model: HeadModel, view: Visibility, facts: SurfaceFacts, graph: MeshGraph, matter: Matter) -> Array:
    """(C,) 0..1: how far what is seen there is the head's own.

    Near the outline (and on the neck, where clothes are met) only what looks like skin or hair is believed, and
    nothing next to what does not. On the crest hair is believed right up to the outline, because it stands out from
    the skull; single strands or glints do not count there.
    """
    count = len(model.mean)
    outline, interior = view.outline[:count], view.interior[:count]
    skinlike, hairlike, ground, full = matter.skinlike, matter.hairlike, matter.ground, matter.full
    # A beard is believed where the chin has one; else hair on the cheeks hangs down from the head and is left out.
    skin_light, bearded = float(matter.skin.mean()), matter.bearded
    dark = smoothstep(np.log((skin_light + 12) / (matter.colour.mean(-1) + 12)), 0.5, 0.9)
    hanging = facts.cheek * (1 - bearded) * (1 - skinlike) * np.maximum(hairlike, dark)
    bare: Any = skinlike + (np.maximum(skinlike, hairlike) - skinlike) * facts.beard * np.maximum(bearded, facts.hairy)
    bare = graph.least(np.where(facts.neck > 0.02, graph.least(bare), bare))
    grown = smoothstep(graph.smooth(np.maximum(skinlike, hairlike), 2), 0.3, 0.6)
    clear = graph.least(graph.least(1 - ground))
    usual = (bare + (grown - bare) * facts.crest) * clear
    inland = interior * (1 - facts.neck) * graph.least(1 - hanging)
    like = graph.smooth(1 - (1 - inland) * (1 - usual), 2)
    grown = smoothstep(graph.smooth(hairlike, 2), 0.3, 0.6)
    # A bald skull's fit is only guessed, and its rim mirrors the sky: less of it is believed.
    shy = facts.crest * (1 - full)
    held = np.maximum(
        outline + shy * (np.minimum(outline, smoothstep(interior, 0.05, 0.6)) - outline), facts.crest * grown * full
    )
    return np.asarray(like * held)


def _grain(matter: Matter, weight: Array) -> float:
    """As rough as the skin is where it is well seen. `busy` holds the part of it between 0.8 and 3 mm, 0.6 of the
    pattern's deviation; a quarter of a normal deviate's sizes are below 0.32, and wrinkles are not among them. Half
    of that is taken: on sides that are seen at a slant it shows more."""
    pick = weight > 0.5
    quarter = float(np.quantile(matter.busy[pick], 0.25)) if pick.sum() >= FEW else 0.002
    return float(np.clip(0.5 * quarter / 0.32 / 0.6, 0.005, 0.02))


def _continued(graph: MeshGraph, matrix: Any, said: SkinFit, mixed: Array, evidence: Array, colour: float) -> Array:
    """(V, 3) sRGB: the likeliest skin, bent to what is known (C, 3) by a smooth field that dies out away from it: a
    membrane in the logarithm, so the model's gradients stay (Perez et al. 2003, "Poisson image editing")."""
    count = len(mixed)
    usual = said.fitted.copy()
    usual[:, 1:] *= colour
    rest = np.clip(opponent(mixed) - usual[:count], -0.7, 0.7)
    sure = evidence / (1 + (said.off / 4) ** 2) ** 2
    bent = graph.spread(sure, rest, np.full(count, 0.015, np.float32), np.zeros_like(rest), 60)
    return colour_of(usual + np.asarray(matrix @ bent.astype(np.float32)))
