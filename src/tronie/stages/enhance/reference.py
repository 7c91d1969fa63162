"""A small face helped by other photos of the person: what they lend it is believed where it explains the photo.

No net was trained for this. What a reference shows (`lend`) is brought to the light of the restored face, moved onto it
by a smooth flow, made as small as the photo, and compared with it place by place: where it explains the photo hardly
worse than the restored face does, its detail is taken. So the photo's own expression, gaze, glasses and beard stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.color import LUMA
from tronie.geometry import smoothstep
from tronie.raster.rasterizer import rasterize
from tronie.stages.enhance.enhancer import Restored
from tronie.stages.enhance.lend import FINER, Flat, HeadInPhoto, Lent, alike, lend, parts, worn_glasses
from tronie.types import Borrowed, Crop

LIGHT = 36.0
"""Pixels, of crops of 256: what varies more slowly is light, and the photo's own."""
FLOW_BLUR, FLOW_SMOOTH, FARTHEST = 1.4, 5.0, 8.0
"""Pixels likewise: detail that the flow does not look at, over which it is smooth, how far it goes at most."""
LOCAL = 0.025
"""Spread of the window in which a reference has to explain the photo, by the crop's side."""
NOISE = 9.0
"""Squared grey levels that are always forgiven."""
WORSE = (3.0, 12.0)
"""How much worse than the restored face, in its own squared errors, a reference may explain the photo: in full, and at
all."""
WORST, ENOUGH = 0.35, (0.15, 0.5)
"""Quantile of that over an eye or between the lips, and between which values such a part begins to be taken."""
DETAIL = 3.5
"""Pixels, of crops of 256: finer is detail."""
DOUBTED = (0.38, 0.54)
"""An enhancer's doubt by the strength of a reference's detail, grey levels both, up to which nothing is lent, and from
which all: of clean faces made four times smaller it is 0.35 in the median, eight times 0.52, of worn ones 0.72."""
BANDS = (1.0, 2.0, 4.0, 8.0, 16.0)
TAKEN = (1.0, 1.0, 0.9, 0.5, 0.3)
"""Share of a reference's detail that is taken, between these spreads in pixels; the photo knows the coarser better."""
REGION, CHOICE = 8.0, 8
"""Pixels, of crops of 256, around which references are compared, and the power of their trust there in the shares of
several: high, so that what two of them show a little apart is not seen twice."""
FARTHEST_PERSON = 0.6
"""Distance of embeddings beyond which a reference shows somebody else."""
COVER, COVER_BY_DISTANCE, NEAR = 0.32, 1.5, 0.4
"""Share of the face's structure where a reference has to explain the photo, for one whose embedding is within NEAR; the
further it is, the more."""
COARSE, SLOW, AROUND = 3.0, 14.0, 6.0
"""Pixels, of crops of 256: structure that such a photo still shows lies between the first two, and is averaged over the
third."""

Embed = Callable[[list[Image]], Array]


@dataclass(frozen=True, eq=False)
class References:
    """A face's fitted head, and the same head in other photos of the person."""

    own: HeadInPhoto
    others: tuple[HeadInPhoto, ...]
    triangles: NDArray[np.int32]
    """(T, 3) of the head."""


@dataclass(frozen=True, eq=False)
class Guided:
    """A restored face with what the references lent it."""

    image: Image
    """(S, S, 3)."""
    borrowed: Borrowed
    """From those that lent anything; the others were refused."""


def guided(
    restored: Restored, base: Image, given: Image, crop: Crop, marks: Array, references: References, embed: Embed
) -> Guided | None:
    """`base` (S, S, 3) with the detail of the references; None where all are refused, or have nothing to add.

    `restored` is what the enhancer says of the face, `given` (k, k, 3) what the photo shows of it, `crop` the same in
    (S, S, 3), `marks` (478, 2) landmarks of `base` in its pixels. `embed` is the recogniser's.
    """
    own = replace(references.own.seen(len(crop.image), crop.to_photo), marks=marks)
    drawn = rasterize(own.points, references.triangles, len(base), len(base))
    side = round(FINER * len(base))
    views = [other.seen(side) for other in references.others]
    apart = distances(restored.faithful, [view.image for view in views], len(given), embed)
    whole, weight = parts(own), structure(restored.faithful)
    helpers: list[Lent] = []
    photos: list[str] = []
    for other, view, distance in zip(references.others, views, apart, strict=True):
        if distance > FARTHEST_PERSON:
            continue
        lent = lend(view, own, references.triangles, drawn)
        found = believed(lent, restored.faithful, given, zip(whole, alike(view, own), strict=True))
        cover = float((found.trust * weight).sum() / max((lent.trust * weight).sum(), 1.0))
        wanted = 1.0 if restored.doubt is None else unknown(lent, restored.doubt)
        if cover >= COVER + COVER_BY_DISTANCE * max(distance - NEAR, 0) and wanted > 0:
            helpers.append(replace(found, trust=found.trust * np.float32(wanted)))
            photos.append(other.photo.source)
    if not helpers:
        return None
    image, trust, source = fused(base, helpers, [*whole, worn_glasses(own)])
    return Guided(image, Borrowed(tuple(photos), np.asarray(np.rint(255 * trust), np.uint8), source))


def distances(restored: Image, references: Sequence[Image], pixels: int, embed: Embed) -> Array:
    """(n,) of the recogniser, each reference made as small as the photo shows the face: `pixels` along a side."""
    import cv2

    whole = restored.shape[:2]
    small = (cv2.resize(image, (pixels, pixels), interpolation=cv2.INTER_AREA) for image in references)
    same_size = [np.asarray(cv2.resize(image, whole, interpolation=cv2.INTER_CUBIC), np.uint8) for image in small]
    known = embed([restored, *same_size])
    return np.asarray(np.linalg.norm(known[1:] - known[0], axis=1))


def believed(lent: Lent, restored: Image, given: Image, whole: Iterable[tuple[Flat, float]]) -> Lent:
    """What a reference lends in the light of the restored face, moved onto it, and trusted where it explains the
    photo. Each of the `parts` of the face (S, S) is trusted if it does so all over it, as far as the part looks `alike`
    in both, 0..1."""
    like = restored.astype(np.float32)
    lit = Lent(lent.picture + _mean(like - lent.picture, lent.trust, LIGHT), lent.trust)
    moved = _onto(lit, like)
    picture = moved.picture + _mean(like - moved.picture, moved.trust, LIGHT)
    share = explains(picture, like, given)
    for part, same in whole:
        if (inside := (part > 0.5) & (moved.trust > 0.5)).any():
            all_of_it = same * smoothstep(np.quantile(share[inside], WORST, keepdims=True), *ENOUGH)
            share += part * (np.float32(all_of_it) - share)
    return Lent(picture, moved.trust * share)


def explains(picture: Flat, restored: Flat, given: Image) -> Flat:
    """(S, S) 0..1: where a picture, made as small as the photo, explains it hardly worse than the restored face."""
    import cv2

    pixels = len(given)

    def error(image: Flat) -> Flat:
        small = cv2.resize(image, (pixels, pixels), interpolation=cv2.INTER_AREA)
        squared = ((small - given) @ LUMA.astype(np.float32)) ** 2
        return np.asarray(cv2.GaussianBlur(squared, (0, 0), LOCAL * pixels), np.float32) + NOISE

    share = 1 - smoothstep(error(picture) / error(restored) - 1, *WORSE)
    return np.asarray(cv2.resize(share.astype(np.float32), restored.shape[:2], interpolation=cv2.INTER_LINEAR))


def structure(restored: Image) -> Flat:
    """(S, S) grey levels: how much of its structure a face has at each place. Most is at brows, eyes, nose and mouth,
    which tell people apart; cheeks are explained by everybody's."""
    import cv2

    grey = restored.astype(np.float32) @ LUMA.astype(np.float32)
    fine, slow = (cv2.GaussianBlur(grey, (0, 0), spread) for spread in (COARSE, SLOW))
    return np.asarray(np.sqrt(cv2.GaussianBlur((fine - slow) ** 2, (0, 0), AROUND)), np.float32)


def unknown(lent: Lent, doubt: Array) -> float:
    """0..1: how much of a reference's detail an enhancer does not know, by its doubt (S, S): none where it is sure."""
    import cv2

    grey, total = lent.picture @ LUMA.astype(np.float32), max(float(lent.trust.sum()), 1.0)
    detail = grey - cv2.GaussianBlur(grey, (0, 0), DETAIL)
    strength = float(np.sqrt((detail**2 * lent.trust).sum() / total))
    doubted = float((doubt * lent.trust).sum()) / total
    return float(smoothstep(np.asarray(doubted / max(strength, 1e-3)), *DOUBTED))


def fused(base: Image, lent: Sequence[Lent], regions: Sequence[Flat] = ()) -> tuple[Image, Flat, Image]:
    """`base` with the detail of all, how much of it is theirs (S, S), and whose most of it is (S, S). Each of the
    `regions` (S, S), 0..1, is lent by one of them."""
    import cv2

    trust = np.stack([one.trust for one in lent]) + np.float32(1e-6)
    around = np.stack([cv2.GaussianBlur(x, (0, 0), REGION) for x in trust]) * trust
    for region in regions:
        level = (around * region).sum(axis=(1, 2)) / max(float(region.sum()), 1.0)
        around += region * (level[:, None, None] - around)
    shares = (around / np.maximum(around.max(axis=0), 1e-9)) ** CHOICE + np.float32(1e-9)
    shares = np.stack([cv2.GaussianBlur(x, (0, 0), 3.0) for x in shares / shares.sum(axis=0)])
    picture = sum(share[..., None] * one.picture for share, one in zip(shares, lent, strict=True))
    amount = np.asarray((shares * trust).sum(axis=0).clip(0, 1), np.float32)
    change = picture - base.astype(np.float32)
    levels = [change, *(_mean(change, amount, spread) for spread in BANDS)]
    detail = sum(taken * (fine - coarse) for taken, fine, coarse in zip(TAKEN, levels, levels[1:], strict=False))
    image = np.asarray(np.rint((base + amount[..., None] * detail).clip(0, 255)), np.uint8)
    return image, amount, shares.argmax(axis=0).astype(np.uint8)


def _mean(values: Flat, weight: Flat, spread: float) -> Flat:
    """Weighted mean around every pixel of (S, S, 3), none where there is no weight near."""
    import cv2

    total = cv2.GaussianBlur(weight, (0, 0), spread)
    mean = cv2.GaussianBlur(values * weight[..., None], (0, 0), spread) / np.maximum(total, 1e-3)[..., None]
    return np.asarray(mean, np.float32)


def _onto(lent: Lent, like: Flat) -> Lent:
    """Moved onto a picture of the same by a smooth flow (DIS, Kroeger et al. 2016) between both, evened in contrast."""
    import cv2

    there, here = (_evened(picture) for picture in (lent.picture, like))
    there = np.where(lent.trust > 0.3, there, here)
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    dis.setFinestScale(1)
    found = np.asarray(dis.calc(here, there, np.zeros((*here.shape, 2), np.float32)), np.float32)
    flow = cv2.GaussianBlur(found, (0, 0), FLOW_SMOOTH)
    far = np.linalg.norm(flow, axis=2)
    flow *= np.minimum(1, FARTHEST / np.maximum(far, 1e-3))[..., None]
    rows, columns = np.indices(far.shape, dtype=np.float32)
    x, y = columns + flow[..., 0], rows + flow[..., 1]
    picture = cv2.remap(lent.picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    trust = cv2.remap(lent.trust, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return Lent(np.asarray(picture, np.float32), np.asarray(trust, np.float32).clip(0, 1))


def _evened(picture: Flat) -> Image:
    """(S, S) uint8: lightness without its slow course, of about the same contrast everywhere."""
    import cv2

    grey = cv2.GaussianBlur(picture @ LUMA.astype(np.float32), (0, 0), FLOW_BLUR)
    rest = grey - cv2.GaussianBlur(grey, (0, 0), 16)
    spread = np.sqrt(cv2.GaussianBlur(rest**2, (0, 0), 16) + 9)
    return np.asarray((128 + 40 * rest / spread).clip(0, 255), np.uint8)
