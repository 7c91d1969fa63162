"""Folds of the skin as relief of the head: nasolabial folds, bags under the eyes, jowls, lines of forehead and chin.

A head model knows smooth faces only, so without them old people are mannequins wherever nobody sees the texture. A
fold is darker than the skin around it, because it sees less of the sky (Langer & Zucker 1994), the more the steeper its
sides are: so in each band of widths the logarithm of brightness tells the depth by that width. What the model's own
shape explains of the brightness is taken out first. To that come the folds that every face gets with age, along curves
on the mean head, the deeper the darker they are in the photo and the more the skin is lined as a whole. It all works
on the mesh's vertices, where no atlas has seams.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.color import LUMINANCE
from tronie.geometry import smoothstep, transform
from tronie.head.model import Head, HeadModel
from tronie.head.surface import Same, quad_vertex_normals, reduced
from tronie.stages.texture.atlas import SurfaceFacts, surface_facts
from tronie.stages.texture.mesh_filters import smoothed
from tronie.stages.texture.segment import shares_at
from tronie.types import PROVENANCE, Fit, Folds, Segmentation, Texture

SIDE = 512
"""Of the texture that is looked at; a texel of it is about 0.8 mm on the face."""
ROUNDS = (1, 3, 8, 24)
"""Averages with the neighbours (2.5 mm) after which bands of an octave and a half end."""
INWARD = 6
"""Averages after which the border of what is skin is felt too far in to be believed."""
WIDTH_MM = (1.6, 2.7, 4.5)
"""Of the folds in the bands between; what is broader belongs to the model."""
FAINT = (0.03, 0.02, 0.02)
"""Logarithm of brightness in each band that is no fold yet."""
DEEPEST_MM, HIGHEST_MM = 5.0, 3.0
SMOOTH_MM, LINED_MM = 0.05, 0.55
"""Root mean square of the relief of smooth and of lined skin. Photos differ more in contrast than faces do in depth."""
SLOPES = 24.0
"""mm of depth at most for a change of the logarithm by 1 over a width of 1 mm: what is next to flat stays so."""
FINE_SHARE = (-0.73, -0.42)
"""Logarithm of the contrast of narrow bands over that of the broadest, where lined skin begins and where it is certain:
it tells 94 % of the pairs right of 42 people of 60 to 90 and 37 of 30 to 50 years."""
PLAIN = (0.0015, 0.004)
"""Contrast of the narrowest band below which a picture is no photo of skin, but drawn, or blurred."""
BEARING = 0.15
"""Change of the logarithm of brightness that the model's shape leaves; much more says nothing of its light."""
KEPT_BROW = 0.2
"""How much of the relief is left where brows are."""
ONE_SIDED = 0.4
"""How much of what differs between the sides is relief; the rest are shadows, and marks of the skin."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A fold that faces get with age, on both sides of the mean head."""

    points: tuple[tuple[float, float], ...]
    """mm to the side and up, seen from the front."""
    deep: float
    """mm, at a usual contrast of fully lined skin."""
    wide: float
    """mm (sigma) of the dent."""
    bulge: tuple[float, float, float]
    """mm high, mm off the curve (below 0: on the other side), mm wide: of the skin that hangs over the fold."""
    usual: float
    """Contrast across it with old people: the dark of the dent, of the RMS of the face's own contrast."""


CURVES = (
    Curve(((20, -36), (25, -44), (31, -53), (36, -63), (39, -72)), 3.6, 2.2, (2.4, 8.0, 5.0), 0.95),
    Curve(((30, -77), (33, -85), (35, -95)), 3, 2.2, (3, 9.0, 6.0), 0.5),
    Curve(((13, -12), (20, -16.5), (29, -19.5), (38, -20.5), (46, -18.5)), 2.1, 1.8, (2, 5.0, 2.6), 0.35),
    Curve(((51, 3), (60, 9)), 1.2, 1.5, (0.45, 4.0, 2.0), 0.4),
    Curve(((53, -3), (63, -4)), 1.2, 1.5, (0.45, 4.0, 2.0), 0.5),
    Curve(((51, -8), (61, -14)), 1.2, 1.5, (0.45, 4.0, 2.0), 0.4),
    Curve(((0, 33), (20, 35), (38, 33)), 1.2, 1.8, (0.6, 4.5, 2.2), 0.25),
    Curve(((0, 41), (20, 43), (38, 41)), 1.2, 1.8, (0.6, 4.5, 2.2), 0.2),
    Curve(((0, 49), (20, 51), (36, 49)), 0.9, 1.8, (0.45, 4.5, 2.2), 0.2),
    Curve(((6, 10), (6.5, 18), (7, 26)), 1.4, 1.6, (0.6, -4.5, 2.2), 0.2),
)
"""Nasolabial and marionette folds, bags, crow's feet, the forehead's lines, those between the brows."""
LEAST_SHARE, MOST_SHARE = 0.3, 1.5
"""Of a curve's depth, whatever its contrast: skin that is lined everywhere is not smooth there."""
REACH_MM = 26.0
"""From a curve, beyond which it does nothing."""
OFFSETS_MM = (-3.0, -1.5, 0.0, 1.5, 3.0)
"""By which a person's fold may lie beside the mean head's."""

LEAST_SEEN = 0.1
"""Of the face's skin: less tells nothing."""
SHOWN = ("seen", "mirrored", "enhanced")
NO_SKIN = ("facial_hair", "hair", "glasses", "covering", "other", "clothes")
EYES = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
EYES_OTHER = (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249)
LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409)
LIPS_ENDS = (61, 291)
NOSTRILS = (98, 327, 2, 64, 294, 240, 460, 97, 326)
CLEAR_MM = ((EYES + EYES_OTHER, 5.5), (LIPS, 4.5), (LIPS_ENDS, 9.0), (NOSTRILS, 7.0))
"""MediaPipe's landmarks around lids, lips and nostrils, which are dark without being folds, and so many mm around."""


def find_folds(texture: Texture, head: Head, fit: Fit, segmentation: Segmentation | None) -> Folds | None:
    """From the texture that was made of the photo of `fit`; None for a mask, for a model without landmarks, and where
    the photo shows too little skin."""

    model, mesh = head.model, head.model.level(head.level)
    if model.is_mask or not len(mesh.embedding478[0]):
        return None
    facts, place = surface_facts(model, head.level), _places(Same(model), head.level)
    light, shown = _looked_up(texture, place.uv)
    trust = (shown * place.bare * _skin_share(head, fit, segmentation)).astype(np.float32)
    if float(trust.sum()) < LEAST_SEEN * float(place.bare.sum()):
        return None
    light -= _explained(light, trust, quad_vertex_normals(head.vertices, mesh.quads), facts.openness)
    bands = _bands(light, trust, facts)
    lined = _lined(bands, trust, place.regions)
    # At the border of what is skin a band holds what lies beyond.
    within = trust * place.no_brow * smoothstep(smoothed(facts.start, facts.edges, trust, INWARD), 0.55, 0.9)
    depth = smoothed(facts.start, facts.edges, within * _by_contrast(bands), 1)
    usual = float(np.sqrt((depth**2).sum() / max(float(within.sum()), 1e-6)))
    depth *= np.float32(min((SMOOTH_MM + (LINED_MM - SMOOTH_MM) * lined) / max(usual, 1e-6), SLOPES))
    contrast = np.sum(bands, axis=0)
    contrast /= max(float(np.sqrt((trust * contrast**2).sum() / trust.sum())), 1e-6)
    for curve, (near, off) in zip(CURVES, place.curves, strict=True):
        depth[near] += lined * within[near] * _along(curve, off, contrast[near], trust[near])
    own = (1 + ONE_SIDED) / 2
    depth = own * depth + (1 - own) * depth[facts.mirror]
    out = np.where(depth < 0, DEEPEST_MM * np.tanh(depth / DEEPEST_MM), HIGHEST_MM * np.tanh(depth / HIGHEST_MM))
    return Folds(out.astype(np.float32), lined)


def _looked_up(texture: Texture, uv: Array) -> tuple[Array, Array]:
    """Logarithm of brightness (V,) at places (V, 2) of a texture, and 0..1 whether a photo shows them."""
    import cv2

    small = reduced(texture.image, SIDE)
    side = len(small)
    kinds = cv2.resize(texture.provenance, (side, side), interpolation=cv2.INTER_NEAREST)
    light: Array = np.log(small.astype(np.float32) @ LUMINANCE.astype(np.float32) + 8)
    shown = np.isin(kinds, [PROVENANCE.index(name) for name in SHOWN]).astype(np.float32)
    x, y = (np.ascontiguousarray(uv[:, k : k + 1] * side - 0.5, dtype=np.float32) for k in (0, 1))
    both = [cv2.remap(p, x, y, cv2.INTER_LINEAR)[:, 0] for p in (cv2.GaussianBlur(light, (0, 0), 1.0), shown)]
    return np.asarray(both[0], np.float32), np.asarray(both[1], np.float32)


def _skin_share(head: Head, fit: Fit, segmentation: Segmentation | None) -> Array:
    """(V,) 0..1: how likely the photo has skin there, as far as it tells."""
    if segmentation is None:
        return np.ones(len(head.vertices), np.float32)
    pixels = fit.camera.project(transform(fit.head_to_camera, head.vertices.astype(np.float64)))
    (other,) = shares_at(segmentation, pixels.astype(np.float32), NO_SKIN)
    return np.asarray(1 - smoothstep(other, 0.1, 0.4), dtype=np.float32)


def _bands(light: Array, trust: Array, facts: SurfaceFacts) -> list[Array]:
    """(V,) of each width: what averages over ROUNDS leave, of trusted vertices only."""
    levels: list[Array] = [light]
    above: Array = light * trust
    below, done = trust, 0
    for rounds in ROUNDS:
        above = smoothed(facts.start, facts.edges, above, rounds - done)
        below = smoothed(facts.start, facts.edges, below, rounds - done)
        done = rounds
        levels.append(np.where(below > 0.02, above / np.maximum(below, 0.02), 0))
    return [upper - lower for upper, lower in pairwise(levels)]


def _by_contrast(bands: list[Array]) -> Array:
    """(V,) depth by the brightness alone, mm up to a factor."""
    depth = np.zeros(len(bands[0]), np.float32)
    for width, band, faint in zip(WIDTH_MM, bands, FAINT, strict=False):
        depth += np.float32(width) * np.sign(band) * np.maximum(np.abs(band) - np.float32(faint), 0)
    return depth


def _along(curve: Curve, off: Array, contrast: Array, trust: Array) -> Array:
    """(n,) mm of relief `off` (n,) mm from a curve, on fully lined skin; `contrast` (n,) is that of the photo, in units
    of the face's RMS."""

    def mean(middle: float, wide: float) -> float:
        weight = trust * _bell(off - middle, wide)
        return float((weight * contrast).sum() / (weight.sum() + 1e-6))

    dark = [0.5 * (mean(at + 6, 2) + mean(at - 6, 2)) - mean(at, 1.6) for at in OFFSETS_MM]
    best = int(np.argmax(dark))
    share = float(np.clip(LEAST_SHARE + (1 - LEAST_SHARE) * dark[best] / curve.usual, LEAST_SHARE, MOST_SHARE))
    high, beside, wide = curve.bulge
    here = off - OFFSETS_MM[best]
    return share * (high * _bell(here - beside, wide) - curve.deep * _bell(here, curve.wide))


def _bell(off: Array, wide: float) -> Array:
    return np.asarray(np.exp(-0.5 * (off / wide) ** 2))


def with_folds(head: Head, folds: Folds) -> Head:
    """The head with folds, in the photo's expression and at rest."""
    quads = head.model.level(head.level).quads
    vertices, neutral = (v + folds.out[:, None] * quad_vertex_normals(v, quads) for v in (head.vertices, head.neutral))
    return replace(head, vertices=vertices, neutral=neutral)


@dataclass(frozen=True, eq=False)
class _Places:
    """What holds for everybody, over the (V,) vertices of a level."""

    uv: Array
    """(V, 2)."""
    bare: Array
    """(V,) 0..1: skin of the face, away from lids, lips and nostrils."""
    no_brow: Array
    """(V,) 1, and less where brows are."""
    regions: tuple[NDArray[np.bool_], ...]
    """(V,) each: forehead, glabella, temples' corners of the eyes, under the eyes, cheeks, jowls, chin."""
    curves: tuple[tuple[NDArray[np.int64], Array], ...]
    """Of each of CURVES the vertices (n,) around, and by how many mm (n,) they are off: above 0 outwards, upwards."""


@lru_cache(maxsize=2)
def _places(key: Same, level: int) -> _Places:
    model: HeadModel = key.value
    mesh, facts = model.level(level), surface_facts(model, level)
    mean = mesh.apply(model.mean)
    worn = mesh.triangle_part == 0
    row = np.zeros(len(mean), np.int64)
    row[mesh.triangles[worn]] = mesh.triangle_uv[worn]
    hidden = np.maximum.reduce([facts.hairy, facts.neck, facts.ears, 0.9 * facts.lips])
    bare = facts.skin * (1 - np.clip(np.asarray(mesh.matrix @ hidden.astype(np.float32)), 0, 1))
    near = np.flatnonzero(bare > 0)
    points = mesh.points478(mean)
    for names, clear in CLEAR_MM:
        off = np.linalg.norm(mean[near, None] - points[list(names)][None], axis=2).min(axis=1)
        bare[near] *= smoothstep(off, 0.6 * clear, 1.2 * clear)
    brow = np.clip(np.asarray(mesh.matrix @ facts.brows), 0, 1)
    side, up, ahead = np.abs(mean[:, 0]), mean[:, 1], mean[:, 2]

    def box(inner: float, outer: float, low: float, high: float) -> NDArray[np.bool_]:
        return np.asarray((side >= inner) & (side < outer) & (up > low) & (up < high) & (bare > 0))

    regions = (
        box(0, 45, 30, 62), box(0, 10, 8, 28) & (ahead > -10), box(44, 62, -14, 14), box(15, 46, -26, -8),
        box(35, 58, -60, -22), box(18, 40, -100, -64), box(36, 60, -95, -58), box(0, 18, -105, -72),
    )  # fmt: skip
    flat = np.column_stack([side, up])
    curves = []
    for curve in CURVES:
        off = _off(flat, np.array(curve.points))
        around = np.flatnonzero((np.abs(off) < REACH_MM) & (bare > 0) & (ahead > -40))
        curves.append((around, off[around].astype(np.float32)))
    no_brow = (1 - (1 - KEPT_BROW) * brow).astype(np.float32)
    return _Places(mesh.uv[row], bare.astype(np.float32), no_brow, regions, tuple(curves))


def _off(points: Array, curve: Array) -> Array:
    """(V,) distance of points (V, 2) from a polyline (n, 2), negative to the right of its direction."""
    best, side = np.full(len(points), np.inf), np.ones(len(points))
    for start, end in pairwise(curve):
        along = end - start
        share = np.clip((points - start) @ along / (along @ along), 0, 1)
        away = points - (start + share[:, None] * along)
        length = np.linalg.norm(away, axis=1)
        nearer = length < best
        best = np.where(nearer, length, best)
        side = np.where(nearer, np.where(along[0] * away[:, 1] - along[1] * away[:, 0] < 0, -1.0, 1.0), side)
    return np.asarray(best * side)


def _explained(light: Array, trust: Array, normals: Array, openness: Array) -> Array:
    """(V,) what a smooth light (harmonics up to the second order of the normals) and the model's own folds make of the
    logarithm of brightness; least squares whose rows lose weight the less they agree (Cauchy)."""
    x, y, z = normals.T
    columns = [np.ones(len(x)), x, y, z, x * y, y * z, x * z, x * x - y * y, 3 * z * z - 1, np.log(openness + 0.1)]
    rows = np.column_stack(columns).astype(np.float64)
    weight = trust.astype(np.float64)
    found: Array = np.zeros(len(x))
    for _ in range(2):
        normal = rows.T @ (rows * weight[:, None]) + 1e-2 * np.eye(rows.shape[1])
        found = rows @ np.linalg.solve(normal, rows.T @ (weight * light))
        weight = trust / (1 + ((light - found) / BEARING) ** 2)
    return np.asarray(found, dtype=np.float32)


def _lined(bands: list[Array], trust: Array, regions: tuple[NDArray[np.bool_], ...]) -> float:
    """0..1, by how much of the skin's contrast is narrow: whatever light, skin and photo."""
    contrasts = []
    for region in regions:
        weight = trust * region
        if float(weight.sum()) > 5:
            contrasts.append([float((weight * np.abs(bands[k])).sum() / weight.sum()) for k in (0, 1, 3)])
    if not contrasts:
        return 0.0
    narrow, wider, broad = np.log(np.array(contrasts) + 0.003).mean(axis=0)
    there = smoothstep(np.mean(contrasts, axis=0)[:1], *PLAIN)
    return float((there * smoothstep(np.array(0.5 * (narrow + wider) - broad), *FINE_SHARE))[0])
