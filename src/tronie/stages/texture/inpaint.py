"""Texture completion: colours for what the photo does not show, mirrored or filled, and how they are mixed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.geometry import smoothstep
from tronie.head.model import HeadModel
from tronie.stages.texture.atlas import SurfaceFacts
from tronie.stages.texture.evening import evening
from tronie.stages.texture.glasses import glasses
from tronie.stages.texture.lids import LidSkin
from tronie.stages.texture.lips import LipSkin
from tronie.stages.texture.mesh_filters import MeshGraph, dimmed, fold_shade
from tronie.stages.texture.segment import FEW, Matter, PhotoSamples, judge, teeth, tone_of
from tronie.stages.texture.skin_fit import SkinFit, fit_skin, skin_basis
from tronie.stages.texture.skin_model import colour_of, opponent
from tronie.stages.texture.visibility import Visibility, soften
from tronie.stages.texture.white_balance import colourful

Ints = NDArray[np.int32]


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
    even: Array | None
    """(V, 3) factors that even out light from one side; None where the sides agree."""
    grain: float
    """Deviation of the skin's lightness within a few millimetres, as a share, as the photo shows it."""


def complete(
    samples: PhotoSamples,
    model: HeadModel,
    level: int,
    facts: SurfaceFacts,
    gap_mm: float = 0.0,
    bald: bool = False,
    under: Callable[[], Array | None] | None = None,
    lids: LidSkin | None = None,
    lips: LipSkin | None = None,
) -> Recipe:
    """Decide at the control mesh's resolution what is seen, mirrored and filled, and with which colours.

    `gap_mm` says how far the lips are parted in the photo. A `bald` head has no hair on its scalp, whoever it is.
    What grows ends where it is not `under` (C,) a surface of hair, which is asked for late. Of `lids` and `lips` only
    what the photo shows is believed.
    """
    count = len(model.mean)
    matrix = model.level(level).matrix
    graph = MeshGraph(facts.control_start, facts.control_edges, facts.steps)
    view, colour = samples.view, samples.colour.rgb
    seg = judge(samples, model, facts, matrix)
    skin = seg.skin
    grows = _grown(graph, model, facts, seg) if not bald else np.zeros(count, np.float32)
    parted = np.clip((gap_mm - 0.8) / 1.5, 0, 1)
    no_teeth = graph.eroded(1 - parted * teeth(samples.colour, skin) * facts.lips)
    own = _own(graph, matrix, facts, seg, bald)
    if under is not None and (covered := under()) is not None:
        grows = np.minimum(grows, graph.smoothed(covered, 1))
    held = _held(view, facts, graph, seg, grows) * no_teeth
    confidence: Any = view.facing * own * np.clip(np.asarray(matrix @ held.astype(np.float32)), 0, 1)
    if lids is not None:
        confidence = confidence * (1 - lids.hidden)
    if lips is not None:
        confidence = confidence * (1 - lips.hidden)

    base = skin_basis(model, level)
    seen, mirrored = _shares(confidence, view, facts)
    said = None
    if base is not None:
        believed = seen[:count] ** 2 * np.maximum(facts.inner, _plain(graph, seg)) * seg.bare[:count]
        said = fit_skin(base, samples.colour.opponent, believed, view.normals, colourful(skin))
        # Shade beside hanging hair, far darker than skin in this light would be, is left out too.
        shade_of_hair = (
            facts.cheek
            * (1 - seg.bearded)
            * np.maximum(smoothstep(-said.off, 3.0, 6.0) * (1 - seg.skinlike), smoothstep(-said.off, 4.0, 6.0))
        )
        confidence = confidence * np.clip(1 - np.asarray(matrix @ shade_of_hair.astype(np.float32)), 0, 1)
        frame = glasses(samples, model, level, said.fitted, seen)
        if frame is not None:
            confidence = confidence * (1 - frame)
        seen, mirrored = _shares(confidence, view, facts, frame)
    other = confidence[facts.mirror]

    twin = colour[model.mirror]
    both = np.minimum(confidence, other)[:count]
    ratio = np.clip(np.log((colour + 8) / (twin + 8)), -0.8, 0.8)
    nothing = np.zeros_like(ratio)
    gain = np.exp(graph.membrane(6 * np.sqrt(both), ratio, np.full(count, 0.01, np.float32), nothing, 40))

    s, m = seen[:count, None], mirrored[:count, None]
    known = (s + m)[:, 0]
    mixed = (s * colour + m * np.clip(twin * gain, 0, 255)) / np.maximum(s + m, 1e-6)
    # What is carried on into the unseen must be typical: no strand of hair, no glow of the background, no beard.
    plain = _plain(graph, seg)
    evidence = known**2 * np.maximum(4 * np.maximum(plain, facts.lips * no_teeth), 0.01)
    if lids is not None:
        evidence = evidence * lids.sure
    if said is None:
        red, _ = tone_of(
            samples.colour,
            view.facing[:count] * view.outline[:count] * facts.lips * (no_teeth > 0.8),
            0.85 * skin,
            (0.1, 0.1, 0.1),
        )
        # Far from anything seen the fill tends to the person's own tone.
        tone = np.where(facts.lips[:, None], red, skin * (1 - 0.06 * facts.neck[:, None]))
        fill = graph.membrane(evidence, mixed, np.where(facts.lips, 0.3, 0.03), tone, 60)
        bare: Any = np.asarray(matrix @ fill.astype(np.float32)) * fold_shade(facts.openness, colourful(skin))
    else:
        bare = _continued(graph, matrix, said, mixed, evidence, colourful(skin))

    if lids is not None:
        bare = lids.filled(bare, mixed, known**2, skin, colourful(skin))
    if lips is not None:
        bare = lips.filled(bare, mixed, known**2 * no_teeth, skin, colourful(skin))
    whole = known[:, None] * mixed + (1 - known[:, None]) * bare[:count]
    hairy = np.maximum(grows * facts.hairy, seg.hair[:count])
    even = evening(graph, model, facts, whole, (1 - hairy) * ~facts.lips)
    thin = np.full(count, 0.04, np.float32)
    locks: Any = np.broadcast_to(seg.locks, mixed.shape)
    if grows.any():
        strands = 4 * known**2 * smoothstep(seg.hair[:count], 0.6, 0.9) * facts.crest
        locks = graph.membrane(strands, mixed, thin, locks, 40)
    dense: Any = matrix @ np.column_stack([gain, locks, grows]).astype(np.float32)
    return Recipe(
        seen=seen,
        mirrored=mirrored,
        gain=dense[:, :3],
        fill=np.clip(bare, 0, 255).astype(np.float32),
        hair=np.clip(dense[:, 3:6], 0, 255) * dimmed(facts.openness, 0.6),
        grown=np.clip(dense[:, 6], 0, 1),
        skin=skin,
        statistical=said is not None,
        even=None if even is None else np.asarray(matrix @ even.astype(np.float32)),
        grain=_grain(seg, seen[:count] * facts.inner * plain),
    )


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


def _plain(graph: MeshGraph, seg: Matter) -> Array:
    """(C,) 0..1: skin without strands, well away from what is none."""
    return graph.eroded(seg.skinlike * (1 - smoothstep(seg.samples.busy, 0.05, 0.12)))


def _grown(graph: MeshGraph, model: HeadModel, facts: SurfaceFacts, seg: Matter) -> Array:
    """(C,) 0..1: how thick hair grows, place by place where the photo tells; behind as it is at the edge of what is
    seen, and on the other side of the head."""
    other = 0.3 * seg.told[model.mirror] * (1 - seg.told)
    weight = seg.told + other
    data = (seg.told * seg.grows + other * seg.grows[model.mirror]) / np.maximum(weight, 1e-6)
    away = np.full(len(weight), 0.006, np.float32)
    spread = graph.membrane(2 * weight**2, data[:, None], away, seg.usual[:, None], 60)[:, 0]
    return np.asarray(smoothstep(spread, 0.2, 0.65) * (seg.usual.max(initial=0) > 0), dtype=np.float32)


def _own(graph: MeshGraph, matrix: Any, facts: SurfaceFacts, seg: Matter, bald: bool) -> Array:
    """(V,) 0..1: how far what is seen is the head's own: its skin and beard, and hair where hair grows; not what hangs
    over cheek, ear and neck, nor what is before or behind the head."""
    place = np.column_stack([np.maximum(facts.hairy, facts.crest) * (1 - facts.ears), facts.beard])
    grown, beard = np.clip(np.asarray(matrix @ place.astype(np.float32)), 0, 1).T
    # Collars and straps are fine, and the neck is where the fit is least sure.
    neck = (facts.neck * (1 - graph.eroded(graph.eroded(seg.skinlike)))).astype(np.float32)[:, None]
    bare = seg.bare * np.clip(1 - np.asarray(matrix @ neck)[:, 0], 0, 1)
    # Behind lenses there is a face; what of them is in its way is judged by itself.
    own = bare + seg.glasses + seg.beard * beard + (0.0 if bald else 1.0) * seg.hair * grown
    own = smoothstep(own, 0.4, 0.75)
    if bald:  # single strands around the hair go too, and its shade
        far = 1 - smoothstep(seg.hair[: len(facts.neck)], 0.05, 0.3)
        for _ in range(3):
            far = graph.eroded(far)
        own = own * np.clip(np.asarray(matrix @ far.astype(np.float32)[:, None])[:, 0], 0, 1)
    return soften(own, facts)


def _held(view: Visibility, facts: SurfaceFacts, graph: MeshGraph, seg: Matter, grows: Array) -> Array:
    """(C,) 0..1: how far within the outline a vertex has to be for the photo to be believed.

    Near the outline only what has the colour of skin, or is hair or beard, is believed: no gleam, no shade of hair.
    Hair is believed right up to it, because it stands out from the skull; a bald skull's fit is only guessed, and its
    rim mirrors the sky: less of it is believed."""
    count = len(grows)
    outline, interior = view.outline[:count], view.interior[:count]
    shy = facts.crest * (1 - grows)
    grown = seg.hair[:count] * np.maximum(facts.hairy, facts.crest) * (1 - facts.ears)
    usual = graph.eroded(np.maximum(seg.skinlike, np.maximum(grown, seg.beard[:count])).astype(np.float32))
    like = graph.smoothed(1 - (1 - interior) * (1 - usual), 2)
    hair = smoothstep(graph.smoothed(seg.hair[:count], 2), 0.3, 0.6)
    within = outline + shy * (np.minimum(outline, smoothstep(interior, 0.05, 0.6)) - outline)
    return np.asarray(like * np.maximum(within, facts.crest * hair * grows))


def _grain(seg: Matter, weight: Array) -> float:
    """As rough as the skin is where it is well seen. `busy` holds the part of it between 0.8 and 3 mm, 0.6 of the
    pattern's deviation; a quarter of a normal deviate's sizes are below 0.32, and wrinkles are not among them. Half
    of that is taken: on sides that are seen at a slant it shows more."""
    pick = weight > 0.5
    quarter = float(np.quantile(seg.samples.busy[pick], 0.25)) if pick.sum() >= FEW else 0.002
    return float(np.clip(0.5 * quarter / 0.32 / 0.6, 0.005, 0.02))


def _continued(graph: MeshGraph, matrix: Any, said: SkinFit, mixed: Array, evidence: Array, colour: float) -> Array:
    """(V, 3) sRGB: the likeliest skin, bent to what is known (C, 3) by a smooth field that dies out away from it: a
    membrane in the logarithm, so the model's gradients stay (Perez et al. 2003, "Poisson image editing")."""
    count = len(mixed)
    usual = said.fitted.copy()
    usual[:, 1:] *= colour
    rest = np.clip(opponent(mixed) - usual[:count], -0.7, 0.7)
    sure = evidence / (1 + (said.off / 4) ** 2) ** 2
    bent = graph.membrane(sure, rest, np.full(count, 0.015, np.float32), np.zeros_like(rest), 60)
    return colour_of(usual + np.asarray(matrix @ bent.astype(np.float32)))
