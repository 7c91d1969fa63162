"""Folds of the skin as relief of the head: nasolabial folds, bags under the eyes, jowls, lines of forehead and chin.

A head model knows smooth faces only, so without them old people are mannequins wherever nobody sees the texture. A
fold is darker than the skin around it, because it sees less of the sky (Langer & Zucker 1994), the more the steeper its
sides are: so in each band of widths the logarithm of brightness tells the depth by that width. What the model's own
shape explains of the brightness is taken out first. To that come the folds that every face gets with age, along curves
on the mean head, the deeper the darker they are in the photo and the more the skin is lined as a whole. It all works
on the mesh's vertices, where no atlas has seams.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.color import LUMINANCE
from tronie.geometry import smoothstep, transform
from tronie.head.model import Head
from tronie.head.surface import quad_vertex_normals
from tronie.shells import SEGMENTS, Segmentation
from tronie.stages.lighting.fold_places import CURVES, OFFSETS_MM, Curve, Path, Places, bell, places
from tronie.stages.texture.mesh_filters import smoothed
from tronie.stages.texture.segment import shares_at
from tronie.types import PROVENANCE, Fit, Folds, Photo, Texture

TAPS = (-0.0027, -0.0009, 0.0009, 0.0027)
"""Where a texture is looked up around a vertex, of its side: over some 2 mm of the face."""
ROUNDS = (1, 3, 8, 24)
"""Averages with the neighbours (2.5 mm) after which bands of an octave and a half end."""
INWARD = (0.55, 0.9)
"""Share of skin around a place, after the averages of the third band, at which it is too near to the border of what is
skin to be believed, and at which it is far enough within."""
WIDTH_MM = (1.6, 2.7, 4.5)
"""Of the folds in the bands between; what is broader belongs to the model."""
FAINT = (0.03, 0.02, 0.02)
"""Logarithm of brightness in each band that is no fold yet."""
DEEPEST_MM, HIGHEST_MM = 5.0, 3.0
SMOOTH_MM, LINED_MM = 0.05, 0.55
"""Root mean square of the relief of smooth and of lined skin. Photos differ more in contrast than faces do in depth."""
SLOPES = 24.0
"""mm of depth at most for a change of the logarithm by 1 over a width of 1 mm: what is next to flat stays so."""
FINE_SHARE = (-0.62, -0.38)
"""Logarithm of the contrast of narrow bands over the broadest, where lined skin begins and where it is certain."""
GREY = 0.2
"""By how much less contrast will do under grey hair. Of the pairs of 42 people of 60 to 90 and 37 of 30 to 50 years the
contrast alone tells 95 % right, both 98 %."""
HAIR_LIGHT, HAIR_COLOURFUL = (0.35, 0.6), (0.5, 0.9)
"""Luminance and saturation of hair, by the skin's, between which it becomes light, and no longer grey."""
LIKELY, ENOUGH = 0.8, 30
"""Share at which a pixel is taken for hair or skin, and how many tell a colour."""
PLAIN = (0.0015, 0.004)
"""Contrast of the narrowest band below which a picture is no photo of skin, but drawn, or blurred."""
BEARING = 0.15
"""Change of the logarithm of brightness that the model's shape leaves; much more says nothing of its light."""
ONE_SIDED = 0.4
"""How much of what differs between the sides is relief; the rest are shadows, and marks of the skin."""
LEAST_SHARE, MOST_SHARE = 0.3, 1.5
"""Of a curve's depth, whatever its contrast: skin that is lined everywhere is not smooth there."""
LEAST_SEEN = 0.1
"""Of the face's skin: less tells nothing."""
SHOWN = ("seen", "mirrored", "enhanced")
NO_SKIN = ("facial_hair", "hair", "glasses", "covering", "other", "clothes")


def find_folds(
    texture: Texture, head: Head, fit: Fit, segmentation: Segmentation | None, photo: Photo | None = None
) -> Folds | None:
    """From the texture that was made of the photo of `fit`; None for a mask, for a model without landmarks, and where
    the photo shows too little skin. Grey hair in `photo` makes lines likelier."""
    model, mesh = head.model, head.model.level(head.level)
    if model.is_mask or not len(mesh.embedding478[0]):
        return None
    place = places(model, head.level)
    light, shown = _looked_up(texture, place.uv)
    trust = (shown * place.bare * _skin_share(head.vertices[place.vertex], fit, segmentation)).astype(np.float32)
    if float(trust.sum()) < LEAST_SEEN * float(place.bare.sum()):
        return None
    light = light - _explained(
        light, trust, quad_vertex_normals(head.vertices, mesh.quads)[place.vertex], place.openness
    )
    bands, inward = _bands(light, trust, place)
    grey = 0.0 if photo is None or segmentation is None else grey_hair(photo, segmentation)
    lined = _lined(bands, trust, place.regions, grey)
    # At the border of what is skin a band holds what lies beyond.
    within = trust * place.no_brow * smoothstep(inward, *INWARD)
    depth = smoothed(place.start, place.edges, within * _by_contrast(bands), 1)
    usual = float(np.sqrt((depth**2).sum() / max(float(within.sum()), 1e-6)))
    depth *= np.float32(min((SMOOTH_MM + (LINED_MM - SMOOTH_MM) * lined) / max(usual, 1e-6), SLOPES))
    contrast = np.sum(bands, axis=0)
    contrast /= max(float(np.sqrt((trust * contrast**2).sum() / trust.sum())), 1e-6)
    for curve, path in zip(CURVES, place.paths, strict=True):
        near = path.row
        depth[near] += lined * within[near] * _along(curve, path, contrast[near], trust[near])
    own = (1 + ONE_SIDED) / 2
    depth = own * depth + (1 - own) * depth[place.mirror]
    out = np.zeros(len(head.vertices), np.float32)
    out[place.vertex] = np.where(
        depth < 0, DEEPEST_MM * np.tanh(depth / DEEPEST_MM), HIGHEST_MM * np.tanh(depth / HIGHEST_MM)
    )
    return Folds(out, lined)


def with_folds(head: Head, folds: Folds) -> Head:
    """The head with folds, in the photo's expression and at rest."""
    quads = head.model.level(head.level).quads
    vertices, neutral = (v + folds.out[:, None] * quad_vertex_normals(v, quads) for v in (head.vertices, head.neutral))
    return replace(head, vertices=vertices, neutral=neutral)


def grey_hair(photo: Photo, segmentation: Segmentation) -> float:
    """0..1: whether the hair is as light as it is in age, and has less colour than the skin; 0 where none is seen."""
    hair, skin = (_colour(photo, segmentation, name) for name in ("hair", "face"))
    if hair is None or skin is None:
        return 0.0
    light = np.array((hair @ LUMINANCE) / max(float(skin @ LUMINANCE), 1.0))
    saturation, usual = (float((c.max() - c.min()) / max(c.max(), 1.0)) for c in (hair, skin))
    colourful = np.array(saturation / max(usual, 0.05))
    return float(smoothstep(light, *HAIR_LIGHT) * (1 - smoothstep(colourful, *HAIR_COLOURFUL)))


def _colour(photo: Photo, segmentation: Segmentation, name: str) -> Array | None:
    """(3,) sRGB 0..255, the median of the photo where it shows that; None where it shows little of it."""
    found = segmentation.shares[SEGMENTS.index(name), ::2, ::2] > 255 * LIKELY
    spots = segmentation.to_photo.apply(2 * np.argwhere(found)[:, ::-1] + 0.5)
    column, row = np.floor(spots).astype(np.int64).T
    height, width = photo.image.shape[:2]
    inside = (column >= 0) & (row >= 0) & (column < width) & (row < height)
    if int(inside.sum()) < ENOUGH:
        return None
    return np.asarray(np.median(photo.image[row[inside], column[inside]], axis=0), dtype=np.float64)


def _looked_up(texture: Texture, uv: Array) -> tuple[Array, Array]:
    """Logarithm of brightness (n,) around places (n, 2) of a texture, and 0..1 whether a photo shows them."""
    import cv2

    side = len(texture.image)
    taps = np.array([(x, y) for y in TAPS for x in TAPS], dtype=np.float32)
    x, y = (np.ascontiguousarray(v) for v in np.moveaxis((uv[:, None] + taps) * side - np.float32(0.5), -1, 0))
    colours = cv2.remap(texture.image, x, y, cv2.INTER_LINEAR).reshape(*x.shape, 3).astype(np.float32)
    light = np.log((colours @ LUMINANCE.astype(np.float32)).mean(axis=1) + 8)
    step = np.float32(len(texture.provenance) / side)
    known = np.isin(np.arange(256), [PROVENANCE.index(name) for name in SHOWN])
    shown = known[cv2.remap(texture.provenance, x * step, y * step, cv2.INTER_NEAREST)].mean(axis=1)
    return np.asarray(light, dtype=np.float32), np.asarray(shown, dtype=np.float32)


def _skin_share(vertices: Array, fit: Fit, segmentation: Segmentation | None) -> Array:
    """(n,) 0..1: how likely the photo has skin there, as far as it tells."""
    if segmentation is None:
        return np.ones(len(vertices), np.float32)
    pixels = fit.camera.project(transform(fit.head_to_camera, vertices.astype(np.float64)))
    (other,) = shares_at(segmentation, pixels.astype(np.float32), NO_SKIN)
    return np.asarray(1 - smoothstep(other, 0.1, 0.4), dtype=np.float32)


def _bands(light: Array, trust: Array, place: Places) -> tuple[list[Array], Array]:
    """(n,) of each width: what averages over ROUNDS leave, of trusted vertices only; and the share (n,) of those around
    each, as the third band has it."""
    levels: list[Array] = [light]
    above: Array = light * trust
    below, inward, done = trust, trust, 0
    for rounds in ROUNDS:
        above = smoothed(place.start, place.edges, above, rounds - done)
        below = smoothed(place.start, place.edges, below, rounds - done)
        done = rounds
        inward = below if len(levels) == 3 else inward
        levels.append(np.where(below > 0.02, above / np.maximum(below, 0.02), 0))
    return [upper - lower for upper, lower in pairwise(levels)], inward


def _by_contrast(bands: list[Array]) -> Array:
    """(n,) depth by the brightness alone, mm up to a factor."""
    depth = np.zeros(len(bands[0]), np.float32)
    for width, band, faint in zip(WIDTH_MM, bands, FAINT, strict=False):
        depth += np.float32(width) * np.sign(band) * np.maximum(np.abs(band) - np.float32(faint), 0)
    return depth


def _along(curve: Curve, path: Path, contrast: Array, trust: Array) -> Array:
    """(n,) mm of relief around a curve, on fully lined skin; `contrast` (n,) is that of the photo by the face's RMS."""
    middle, before, after = ((path.weights @ (trust * contrast)) / (path.weights @ trust + 1e-6)).reshape(3, -1)
    dark = 0.5 * (before + after) - middle
    best = int(np.argmax(dark))
    share = float(np.clip(LEAST_SHARE + (1 - LEAST_SHARE) * dark[best] / curve.usual, LEAST_SHARE, MOST_SHARE))
    high, beside, wide = curve.bulge
    here = path.off - OFFSETS_MM[best]
    return np.asarray(share * (high * bell(here - beside, wide) - curve.deep * bell(here, curve.wide)))


def _explained(light: Array, trust: Array, normals: Array, openness: Array) -> Array:
    """(n,) what a smooth light (harmonics up to the second order of the normals) and the model's own folds make of the
    logarithm of brightness; least squares whose rows lose weight the less they agree (Cauchy)."""
    seen = np.flatnonzero(trust > 0)
    (x, y, z), shown, trust = normals[seen].T, light[seen], trust[seen]
    hollow = np.log(openness[seen] + 0.1)
    columns = [np.ones(len(x)), x, y, z, x * y, y * z, x * z, x * x - y * y, 3 * z * z - 1, hollow]
    rows = np.column_stack(columns).astype(np.float64)
    weight = trust.astype(np.float64)
    found: Array = np.zeros(len(x))
    for _ in range(2):
        normal = rows.T @ (rows * weight[:, None]) + 1e-2 * np.eye(rows.shape[1])
        found = rows @ np.linalg.solve(normal, rows.T @ (weight * shown))
        weight = trust / (1 + ((shown - found) / BEARING) ** 2)
    out = np.zeros(len(light), np.float32)
    out[seen] = found
    return out


def _lined(bands: list[Array], trust: Array, regions: tuple[NDArray[np.bool_], ...], grey: float) -> float:
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
    return float((there * smoothstep(np.array(0.5 * (narrow + wider) - broad + GREY * grey), *FINE_SHARE))[0])
