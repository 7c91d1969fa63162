"""Intrinsic decomposition of a texture: light and albedo, estimated where the photo shows it, inferred elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.color import LUMINANCE
from tronie.geometry import smoothstep
from tronie.head.harmonics import Light, coefficients_of, directions
from tronie.head.model import Head
from tronie.stages.lighting.samples import Samples, sample
from tronie.stages.lighting.sky import SKY, sky, solve_sky, transfer
from tronie.stages.texture.atlas import surface_facts
from tronie.stages.texture.mesh_filters import MeshGraph
from tronie.stages.texture.white_balance import skin_albedo
from tronie.types import Fit, Texture

BROAD, EVENED = 0.06, 0.8
"""Changes over more than some four edges of the control mesh (20 mm) are slow, and this share of them is light."""


@dataclass(frozen=True, slots=True)
class ShadingEstimate:
    """The light on a head's skin."""

    light: Light
    shading: Array
    """(C, 3) linear light on each control vertex, as the texture shows it: with shadows, highlights, what was carried
    over to parts that the photo does not show."""
    even: Array
    """(C, 3) linear albedo of each, without fine detail."""
    skin: Array
    """(3,) linear albedo of the person's skin."""
    usual: Array
    """(3,) the light on most of the skin; what is not skin (eyes, teeth) was painted in it."""
    shadowed: float
    """Share of the seen skin on which a shadow was found that the sky's light does not explain."""
    monochrome: bool


def estimate_shading(texture: Texture, head: Head, fit: Fit) -> ShadingEstimate:
    model, count = head.model, len(head.model.mean)
    facts = surface_facts(model, head.level)
    graph = MeshGraph(facts.control_start, facts.control_edges, facts.steps)
    s = sample(texture, head, fit, facts)
    arriving = transfer(head, head.vertices)[:count]
    twin = np.asarray(model.mirror, dtype=np.int64)

    hair = graph.smoothed(smoothstep(s.rough, 0.045, 0.08), 2)
    usual = _like_skin(s, facts.inner & ~facts.lips)
    # A grey beard, also where it is too blurred to show strands: on the lower face, over a centimetre, no colour.
    low = facts.beard * smoothstep(-model.mean[:, 1], 42, 52) * (1 - facts.lips)
    warm = np.log(s.colour[:, :1] / s.colour[:, 2:])
    pale = graph.smoothed((_median(warm, s.facing * facts.inner) - warm[:, 0]).astype(np.float32), 4)
    grey = low * smoothstep(pale, 0.2, 0.4)
    hair, usual = np.maximum(hair, grey), usual * (1 - grey)
    weight = s.facing * (0.15 + 0.85 * facts.inner) * (1 - facts.neck) * (1 - facts.hairy)
    rows = np.flatnonzero(np.maximum(weight, weight[twin]) > 0.02)
    place = np.full(count, -1)
    place[rows] = np.arange(len(rows))
    if len(rows) < 30:
        radiance: Array = np.ones((SKY, 3))
    else:
        radiance = solve_sky(arriving[rows], s.colour[rows], weight[rows], place[twin[rows]], usual[rows])
    lit = np.maximum(arriving @ radiance, 0.04 * np.median(arriving @ radiance, axis=0))

    # What remains is the skin's own, or light that the sky does not explain.
    log_light = np.log(lit)
    rest = np.log(s.colour) - log_light
    likely = weight * usual
    tone = _median(rest, likely)
    rest = rest - tone
    shadow = _one_sided(rest, s.facing * (1 - facts.neck), twin, graph, usual)
    own = rest - shadow
    # Strands that are not skin's hue: a beard, brows.
    bare = (1 - facts.lips) * (1 - hair * (1 - usual))
    broad = _broad(own, s.facing * bare, usual, graph)
    own = own - broad
    own, excess = _held(own, s.facing, usual * bare, facts, graph)
    seen_light = log_light + shadow + broad + excess

    total, own = _elsewhere(seen_light, own, s, twin, graph, likely)
    shown = np.exp(tone) * np.exp(np.average(log_light, axis=0, weights=likely + 1e-9))
    skin = skin_albedo(shown, s.monochrome)
    scale = np.log(skin) - tone
    usual_light = np.exp(np.average(seen_light, axis=0, weights=likely + 1e-9) - scale)
    dark = smoothstep(-(shadow @ LUMINANCE), 0.12, 0.3)
    return ShadingEstimate(
        light=_light(radiance * np.exp(-scale)),
        shading=np.exp(total - scale),
        even=_plain(np.exp(own), skin, np.maximum(facts.hairy, hair)),
        skin=skin,
        usual=usual_light,
        shadowed=float(np.average(dark, weights=s.facing + 1e-9)),
        monochrome=s.monochrome,
    )


def _like_skin(s: Samples, where: NDArray[np.bool_]) -> Array:
    """(C,) 0..1: how far each has the hue of most of the face, whatever its light."""
    log = np.log(s.colour)
    hue = np.stack([log[:, 0] - log[:, 1], log[:, 1] - log[:, 2], 0.25 * log.mean(axis=1)], axis=1)
    weight = s.facing * where
    if weight.sum() < 5:
        return np.ones(len(hue))
    middle = _median(hue, weight)
    off = np.abs(hue - middle)
    width = np.maximum(2.5 * _median(off, weight), [0.12, 0.12, 0.1])
    return np.asarray(1 / (1 + ((off / width) ** 2).sum(axis=1)) ** 2)


def _median(values: Array, weight: Array) -> Array:
    """Weighted, of each column."""
    out = []
    for column in values.T:
        order = np.argsort(column)
        total = np.cumsum(weight[order])
        out.append(column[order[np.searchsorted(total, total[-1] / 2)]] if total[-1] > 0 else np.median(column))
    return np.asarray(out)


def _one_sided(rest: Array, trust: Array, twin: NDArray[np.int64], graph: MeshGraph, usual: Array) -> Array:
    """(C, 3) what is darker or lighter than its twin on the other side, over some millimetres: shadows, highlights.

    Skin is the same on both sides, so of two twins the one nearer to most of the skin is believed.
    """
    light = rest @ LUMINANCE
    belief = trust / (1 + (light / 0.15) ** 2) ** 2
    other = belief[twin]
    same = (belief[:, None] * rest + other[:, None] * rest[twin]) / np.maximum(belief + other, 1e-6)[:, None]
    # What is as dark as that on one side only is a lock of hair, the rim of glasses.
    hidden = smoothstep(-np.minimum(light, light[twin]), 0.9, 1.5)
    both = np.minimum(trust, trust[twin]) * (1 - graph.smoothed(hidden, 1))
    found = (rest - same).astype(np.float32)
    count = len(rest)
    return np.asarray(
        graph.membrane(3 * both, found, np.full(count, 0.05, np.float32), np.zeros_like(found), 30), dtype=np.float64
    )


def _broad(own: Array, trust: Array, usual: Array, graph: MeshGraph) -> Array:
    """(C, 3) slow changes on what is skin: of its brightness, by mistakes of the shape and by shine, and of its hue,
    because photos are more colourful in the shade and light that has been through skin is red."""
    light = own @ LUMINANCE
    hue = own - light[:, None]
    # A beard is less colourful than skin, never more.
    rich = np.where(hue[:, 0] > hue[:, 2], 1.0, usual)
    slow = []
    for weight, data in ((usual / (1 + (light / 0.3) ** 4), light[:, None]), (4 * rich, hue)):
        d = np.ascontiguousarray(data, dtype=np.float32)
        w = (BROAD * trust * weight).astype(np.float32)
        slow.append(graph.membrane(w, d, np.full(len(own), 0.003, np.float32), np.zeros_like(d), 40))
    return np.asarray(EVENED * (slow[0] + slow[1]), dtype=np.float64)


def _held(own: Array, trust: Array, usual: Array, facts: Any, graph: MeshGraph) -> tuple[Array, Array]:
    """Albedo (C, 3) without what is lighter than skin can be, and that light: at grazing angles a small slip of the
    shape is a large one of the light. White hair is not skin, and stays."""
    light = own @ LUMINANCE
    skin = np.asarray(graph.smoothed((usual * (1 - facts.hairy)).astype(np.float32), 1), dtype=np.float64)
    room = 0.06 + 0.1 * trust
    over = np.maximum(light - room, 0) * skin * 0.8
    return own - over[:, None], over[:, None] * np.ones(3)


def _plain(own: Array, skin: Array, hairy: Array) -> Array:
    """(C, 3) linear albedo without broad highlights: not lighter than skin, nor of less colour there."""
    light = own @ (LUMINANCE * skin) / (LUMINANCE @ skin)
    glow = (smoothstep(light, 0.95, 1.1) * (1 - hairy))[:, None]
    return np.asarray(skin * (own + glow * (np.minimum(light, 1.05)[:, None] - own)), dtype=np.float64)


def _elsewhere(
    seen_light: Array, own: Array, s: Samples, twin: NDArray[np.int64], graph: MeshGraph, likely: Array
) -> tuple[Array, Array]:
    """Light (C, 3) and albedo (C, 3), logarithms, also where the texture was mirrored or filled.

    What was mirrored has its twin's albedo; what else it shows is light. What was filled continues the colours around
    it, and so the light on them.
    """
    log = np.log(s.colour)
    count = len(log)
    middle = np.average(seen_light, axis=0, weights=likely + 1e-9)
    filled_light = graph.membrane(
        (4 * s.seen**2).astype(np.float32),
        seen_light.astype(np.float32),
        np.full(count, 0.03, np.float32),
        np.broadcast_to(middle, log.shape).astype(np.float32),
        60,
    )
    m = (s.mirrored * s.seen[twin])[:, None]
    f = s.seen[:, None]
    mirrored_light = seen_light[twin] + log - log[twin]
    total = f * seen_light + (1 - f) * (m * mirrored_light + (1 - m) * filled_light)
    return np.asarray(total), np.asarray(log - total)


def _light(radiance: Array) -> Light:
    """From the sky's directions to a smooth map."""
    d, angle = directions()
    near = np.exp((d @ sky().T - 1) / (1 - np.cos(np.radians(16))))
    # Each direction gives what it has to the pixels around it, none is lost.
    near /= (near * angle[..., None]).sum(axis=(0, 1)) / (4 * np.pi / SKY)
    environment = (near @ radiance).astype(np.float32)
    return Light(coefficients_of(environment), environment)
