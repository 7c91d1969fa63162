"""What each vertex is in the photo: skin, hair, beard, or what is behind and before them; and the colours of both.

A segmentation of the photo says it, where there is one. Without it colour does, much more simply.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.geometry import smoothstep
from tronie.head.model import HeadModel
from tronie.raster.compositing import sampled
from tronie.shells import Segmentation
from tronie.stages.texture.atlas import SurfaceFacts
from tronie.stages.texture.skin_model import Colours, opponent
from tronie.stages.texture.synthesis import hairline_distance
from tronie.stages.texture.visibility import Visibility, blurred_colours
from tronie.types import Photo

FEW = 6
"""Control vertices, some 8 mm apart: the least from which a colour is taken."""
TUFT_MM = 6.0
"""Over which colours are averaged where photos are compared with each other."""
FALLBACK_SKIN = np.array([190.0, 150.0, 130.0], dtype=np.float32)
"""Where a photo shows no usable skin at all."""
SURE = 0.7
"""Share of a segmentation from which on a pixel's colour is taken for that of hair."""
THIN = (0.45, 0.14, 0.16)
"""Reach in the terms of `opponent` within which a thin line around a bare skull has the skin's colour."""
STANDING_MM = (6.0, 14.0)
"""How far outside of the skull's outline hair is looked for."""
BALD = 0.2
"""Share of the scalp with hair below which there is none: wisps on a bald head are worse than none."""


@dataclass(frozen=True, eq=False)
class PhotoSamples:
    """What one photo shows at the control vertices (C,): looked up once, and handed on to all that judges it."""

    photo: Photo
    view: Visibility
    colour: Colours
    """(C, 3) averaged over 3 mm."""
    tuft: Colours
    """(C, 3) averaged over TUFT_MM."""
    busy: Array
    """(C,) how much finer detail there is."""
    segmentation: Segmentation | None = None
    """Of this photo."""


def sample_photo(photo: Photo, view: Visibility, count: int, segmentation: Segmentation | None = None) -> PhotoSamples:
    """At the first `count` vertices, those of the control mesh."""
    colour, fine, tuft = (blurred_colours(photo, view, view.pixels[:count], mm) for mm in (3.0, 0.8, TUFT_MM))
    busy = np.abs(np.log((fine.mean(-1) + 12) / (colour.mean(-1) + 12)))
    return PhotoSamples(photo, view, Colours.of(colour), Colours.of(tuft), busy, segmentation)


@dataclass(frozen=True, eq=False)
class Matter:
    """What each vertex of the level (V,) is in the photo, 0..1; those of the control mesh come first."""

    samples: PhotoSamples
    bare: Array
    """Skin, eyes, mouth, ears."""
    hair: Array
    beard: Array
    glasses: Array
    hidden: Array
    """Coverings, clothes, hands, and what else is before the head."""
    skin: Array
    """(3,) the person's skin, robustly."""
    skinlike: Array
    """(C,) what has the colour of skin, and is skin."""
    locks: Array
    """(3,) the colour of the hair."""
    grows: Array
    """(C,) 0..1: how thick hair grows on the scalp, as far as the photo tells."""
    told: Array
    """(C,) 0..1: how far it does."""
    usual: Array
    """(C,) 0..1: how thick it grows most likely where the photo does not tell."""
    bearded: float
    """How far the chin has a beard, 0..1."""


def judge(samples: PhotoSamples, model: HeadModel, facts: SurfaceFacts, matrix: Any) -> Matter:
    """`matrix` leads from the control mesh to the level."""
    count = len(model.mean)
    colour, view = samples.colour, samples.view
    facing, outline = view.facing[:count], view.outline[:count]
    face = facing * outline * facts.inner
    if samples.segmentation is None:
        bare, hair = _by_colour(samples, facts, matrix, face)
        beard, glasses, hidden = np.zeros_like(bare), np.zeros_like(bare), np.zeros_like(bare)
    else:
        bare, hair, beard, glasses, hidden = _looked_up(samples.segmentation, view.pixels, facts.inner_level)
    known = face * (bare[:count] > 0.6)
    known = known if (known > 0.4).sum() >= FEW else face
    skin, spread = tone_of(colour, known * bright(colour.rgb, known), FALLBACK_SKIN, (0.12, 0.04, 0.04))
    skinlike = tone_likeness(colour, skin, spread * [3.5, 2.6, 2.6]) * bare[:count]
    locks = _locks(samples, skin, hair[:count] * facing * facts.scalp, facts)
    ahead, outward = bare[:count], hair[:count]
    told = facing * facts.scalp * np.clip(ahead + outward, 0, 1)
    if samples.segmentation is not None:
        rim, beyond = _beyond(samples.segmentation, view, facts, count)
        if (_mean(outward, told) or 0.0) < BALD:  # all that is told of it is a thin line around the skull
            unlike = 1 - float(tone_likeness(Colours.of(locks[None]), skin, np.asarray(THIN))[0])
            beyond, outward = unlike * beyond, unlike * outward
        outward = np.maximum(outward, rim * beyond)
        told = np.maximum(told, rim * facts.scalp * np.maximum(beyond, ahead))
    grows = outward / np.maximum(np.maximum(ahead * (1 - outward), 0) + outward, 1e-3)
    # The crown goes on as the part of the top that lies furthest from the hairline.
    above = _mean(grows, told * ~facts.temples * smoothstep(hairline_distance(model.mean), 5.0, 45.0) ** 2)
    beside = _mean(grows, told * facts.temples)
    if above is None or beside is None:  # a cut-off photo, a hat: most people have hair
        above = beside = next((x for x in (above, beside) if x is not None), 1.0)
    usual = np.where(facts.fringe, max(above, beside), above)
    if max(above, beside) < BALD or not facts.scalp.any():
        grows, usual = np.zeros_like(grows), np.zeros_like(usual)
    chin = np.abs(model.mean[:, 0]) < 22
    chin &= facts.inner & (np.abs(model.mean[:, 1] + 90) < 10) & (facing * outline > 0.4)
    hairless = skinlike if samples.segmentation is None else 1 - beard[:count] - hair[:count]
    bearded = ramp(1 - float(hairless[chin].mean()), 0.45, 0.65) if chin.any() else 1.0
    return Matter(samples, bare, hair, beard, glasses, hidden, skin, skinlike, locks, grows, told, usual, bearded)


def shares_at(segmentation: Segmentation, pixels: Array, *groups: tuple[str, ...]) -> tuple[Array, ...]:
    """(N,) 0..1 for each group of segments: how likely what the photo has at pixels (N, 2) is one of them."""
    rows = np.stack([np.clip(255 * segmentation.share(*names), 0, 255) for names in groups], axis=-1)
    at = segmentation.to_photo.inverse().apply(np.nan_to_num(pixels, posinf=0, neginf=0))
    # No more than four channels at once are looked up.
    found = [sampled(np.ascontiguousarray(rows[..., k : k + 4]), at) for k in range(0, len(groups), 4)]
    return tuple(np.concatenate(found, axis=1).T / np.float32(255))


def _looked_up(segmentation: Segmentation, pixels: Array, inner: NDArray[np.bool_]) -> tuple[Array, ...]:
    face, body, hair, beard, glasses, hidden = shares_at(
        segmentation,
        pixels,
        ("face",),
        ("body",),
        ("hair",),
        ("facial_hair",),
        ("glasses",),
        ("covering", "clothes", "other"),
    )
    hand = body * inner  # the body's skin is no part of a face: it is before it
    return face + body - hand, hair, beard, glasses, hidden + hand


def _beyond(segmentation: Segmentation, view: Visibility, facts: SurfaceFacts, count: int) -> tuple[Array, Array]:
    """How far each of the first vertices (C,) is one of the skull's outline in the photo, 0..1, and whether hair stands
    out from it there: what is left of hair at temples and crown lies outside of the skull."""
    points, normals = view.camera_points[:count], view.normals[:count]
    cosine = -(normals * points).sum(axis=1) / np.maximum(np.linalg.norm(points, axis=1), 1e-6)
    rim = (1 - smoothstep(np.abs(cosine - 0.05), 0.2, 0.4)) * (points[:, 2] > 1)
    out = normals[:, :2] / view.pixel_mm
    found = [shares_at(segmentation, view.pixels[:count] + mm * out, ("hair",))[0] for mm in STANDING_MM]
    # Above, a thin line is as much as a bald head has.
    return rim, np.where(facts.fringe, np.max(found, axis=0), np.min(found, axis=0))


def _by_colour(samples: PhotoSamples, facts: SurfaceFacts, matrix: Any, face: Array) -> tuple[Array, Array]:
    """(V,) skin and hair without a segmentation: skin is what has its colour, and the inner face; hair what of the
    scalp has another one, or fine detail."""
    colour = samples.colour
    skin, spread = tone_of(colour, face * bright(colour.rgb, face), FALLBACK_SKIN, (0.12, 0.04, 0.04))
    like = tone_likeness(colour, skin, spread * [3.5, 2.6, 2.6])
    inland = samples.view.interior[: len(like)] * (1 - facts.neck)
    hairy = np.maximum(facts.scalp, facts.hairy)
    bare = np.where(hairy > 0.5, like * (1 - smoothstep(samples.busy, 0.04, 0.07)), np.maximum(like, inland))
    both = np.column_stack([bare, hairy * (1 - bare)]).astype(np.float32)
    spread_out = np.clip(np.asarray(matrix @ both), 0, 1)
    return spread_out[:, 0], spread_out[:, 1]


def _mean(values: Array, weight: Array) -> float | None:
    """None where too little is seen."""
    total = float(weight.sum())
    return float((values * weight).sum() / total) if total > FEW else None


def _locks(samples: PhotoSamples, skin: Array, weight: Array, facts: SurfaceFacts) -> Array:
    """(3,) sRGB: the median of what is hair in the photo, above the face's middle if there is enough of it; where none
    is seen, the colour of the brows."""
    import cv2

    segmentation, photo, colour = samples.segmentation, samples.photo.image, samples.tuft
    pick = weight > 0.25
    if segmentation is not None:
        side = segmentation.shares.shape[1]
        sure = cv2.erode((segmentation.share("hair") > SURE).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        middle = segmentation.to_photo.inverse().apply(samples.view.pixels[: len(weight)][facts.inner].mean(axis=0))
        high = sure & (np.arange(side)[:, None] < middle[1])
        sure = high if high.sum() > side // 2 else sure
        if sure.sum() > side // 8:
            y, x = np.nonzero(sure)
            at = segmentation.to_photo.apply(np.column_stack([x, y]) + 0.5)
            inside = (at > 0).all(axis=1) & (at < photo.shape[1::-1]).all(axis=1)
            if inside.any():
                return np.asarray(np.median(sampled(photo, at[inside]), axis=0), dtype=np.float32)
    if pick.sum() >= FEW:
        return np.asarray(np.median(colour.rgb[pick], axis=0), dtype=np.float32)
    brows = samples.view.facing[: len(weight)] * facts.brows > 0.4
    if brows.sum() < FEW:
        return np.asarray(0.4 * skin, dtype=np.float32)
    light = samples.colour.rgb.mean(-1)
    dark = brows & (light <= np.quantile(light[brows], 0.15))
    return np.asarray(np.median(samples.colour.rgb[dark], axis=0), dtype=np.float32)


def tone_of(colour: Colours, weight: Array, fallback: Array, floor: tuple[float, float, float]) -> tuple[Array, Array]:
    """Median colour (3,) of the well seen (N, 3) and its spread (3,) in `opponent` terms, at least `floor`."""
    pick = weight > 0.4
    if pick.sum() < FEW:
        return np.asarray(fallback, dtype=np.float32), np.asarray(floor, dtype=np.float32) * 1.5
    middle = np.median(colour.rgb[pick], axis=0)
    width = 1.5 * np.median(np.abs(colour.opponent[pick] - opponent(middle[None])), axis=0)
    spread_of: Array = np.clip(width, floor, np.multiply(floor, 2.5)).astype(np.float32)
    return middle.astype(np.float32), spread_of


def teeth(colour: Colours, skin: Array) -> Array:
    """(N,) 1 for what is light and less red than skin: teeth, where a slip of the fit would put them on the lips."""
    seen, usual = colour.opponent, opponent(skin)
    return smoothstep(usual[1] - seen[:, 1], 0.06, 0.16) * smoothstep(seen[:, 0] - usual[0], -0.5, -0.2)


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
