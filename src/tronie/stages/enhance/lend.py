"""What one photo of a head shows, laid over another photo of it: through the fitted head, pixel by pixel.

A pixel of the one photo is a place on the head's surface, and the surface is somewhere in the other photo too, with
that photo's pose and expression (view-dependent texture, Debevec et al. 1996, with a head that moves).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.geometry import Similarity, smoothstep
from tronie.raster.rasterizer import Buffers, interpolate, rasterize
from tronie.shells import Segmentation
from tronie.stages.landmarks.align import aligned_crop, aligned_square
from tronie.stages.landmarks.lines import EYES, LIPS
from tronie.stages.landmarks.squares import sized
from tronie.types import Landmarks, Photo

MATTER = ("hair", "facial_hair", "face", "glasses")
"""Of SEGMENTS, what a head shows of itself. A pixel is lent where both photos show the same of these there."""
FINER = 1.5
"""Side of the crop that is lent from, by that of the one that is lent to."""
BEHIND_MM = 6.0
"""How much further than what the photo shows a place may lie and still be what it shows."""
STRETCHED = (0.05, 0.25)
"""Area in the one photo by that in the other, both aligned, from which on it shows enough of a surface."""
HOLE, ACROSS, EDGE, SOFT = 11, 6.0, 3, 1.5
"""Pixels: holes up to the first are closed (nostrils, folds), by what lies within the second; at borders so much is
left out, and then feathered."""

AROUND_EYE, SEAM = 1.3, 5
"""Of an eye's opening, how much belongs to it; and pixels along the lips that belong to the mouth's."""
OPENED = ((0.1, 0.18), (0.06, 0.14))
"""By how much eyes, and a mouth, may be opened otherwise in a photo that lends them in full, and that does at all."""

Flat = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class HeadInPhoto:
    """A head that was fitted to a photo."""

    photo: Photo
    landmarks: Landmarks
    points: Array
    """(V, 3): x, y photo pixels and depth, mm, of its vertices."""
    segmentation: Segmentation

    def seen(self, side: int, to_photo: Similarity | None = None) -> HeadView:
        """In a crop of `side` pixels, by default the aligned one."""
        if to_photo is None:
            to_photo = sized(aligned_square(self.landmarks.points), side)
        image = aligned_crop(self.photo.image, Similarity(side, 0, 0, 0).then(to_photo), side).image
        at = to_photo.inverse().apply(self.points[:, :2])
        points = np.column_stack([at, self.points[:, 2]]).astype(np.float32)
        marks = to_photo.inverse().apply(self.landmarks.points[:, :2])
        return HeadView(image, points, marks, _shares(self.segmentation, to_photo, side))


@dataclass(frozen=True, eq=False)
class HeadView:
    """The same in a square crop."""

    image: Image
    """(S, S, 3)."""
    points: Flat
    """(V, 3): x, y pixels and depth, mm."""
    marks: Array
    """(478, 2) pixels: its landmarks."""
    shares: Flat
    """(4, S, S) 0..1: how likely each of MATTER is."""


@dataclass(frozen=True, eq=False)
class Lent:
    """What a photo lends another."""

    picture: Flat
    """(S, S, 3) grey levels."""
    trust: Flat
    """(S, S) 0..1: where it shows the same surface, and the same matter."""


def lend(view: HeadView, to: HeadView, triangles: NDArray[np.int32], drawn: Buffers) -> Lent:
    """What `view` shows, laid over `to`; `drawn` are the triangles (T, 3) as `to` has them."""
    import cv2

    def looked_up(picture: NDArray[Any], how: int) -> Any:
        return cv2.remap(picture, x - 0.5, y - 0.5, how, borderMode=cv2.BORDER_REPLICATE)

    deep = view.points[:, 2:]
    at = interpolate(drawn, triangles, np.concatenate([view.points[:, :2] * deep, deep], axis=1))
    depth = np.maximum(at[..., 2], 1e-3)
    inside = drawn.triangle >= 0
    x, y = (np.where(inside, at[..., k] / depth, -1).astype(np.float32) for k in (0, 1))
    side = len(view.image)
    front = np.where(np.isfinite(own := rasterize(view.points, triangles, side, side).depth), own, 0)
    near = cv2.erode(front, np.ones((3, 3)))
    within = (np.minimum(x, y) > 0) & (np.maximum(x, y) < side)
    shown = inside & within & (depth < looked_up(near, cv2.INTER_NEAREST) + BEHIND_MM)
    dense = np.gradient(x, axis=1) * np.gradient(y, axis=0) - np.gradient(x, axis=0) * np.gradient(y, axis=1)
    dense = cv2.GaussianBlur(dense, (0, 0), 2.0) * (len(to.image) / side) ** 2
    trust = (shown * smoothstep(dense, *STRETCHED)).astype(np.float32)
    x, y = _carried_on(x, y, np.asarray(cv2.erode(trust, np.ones((2 * EDGE - 1, 2 * EDGE - 1))), np.float32))
    round_ = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (HOLE, HOLE))
    trust = cv2.morphologyEx(trust, cv2.MORPH_CLOSE, round_) * (inside & within)
    same = [np.minimum(looked_up(a, cv2.INTER_LINEAR), b) for a, b in zip(view.shares, to.shares, strict=True)]
    trust *= np.minimum(np.sum(same, axis=0), 1)
    trust = cv2.GaussianBlur(cv2.erode(trust, np.ones((EDGE, EDGE))), (0, 0), SOFT)
    return Lent(looked_up(view.image, cv2.INTER_CUBIC).astype(np.float32), np.asarray(trust, np.float32))


def _carried_on(x: Flat, y: Flat, known: Flat) -> tuple[Flat, Flat]:
    """A map (S, S) twice, smooth where it is not `known` (S, S), 0..1: what the head has inside nostrils, or behind a
    fold, the photo has otherwise, and it is looked up between their edges."""
    import cv2

    total = cv2.GaussianBlur(known, (0, 0), ACROSS)
    own = np.where(total > 1e-3, known, np.float32(1))
    around = (cv2.GaussianBlur(z * known, (0, 0), ACROSS) / np.maximum(total, 1e-3) for z in (x, y))
    x, y = (np.asarray(z + (1 - own) * (mean - z), np.float32) for z, mean in zip((x, y), around, strict=True))
    return x, y


def parts(view: HeadView) -> Flat:
    """(2, S, S) 0..1, soft at the border: the eyes, and the mouth's opening, which a photo lends whole or not."""
    import cv2

    side = len(view.image)
    masks = []
    for lines, larger, rim in ((EYES, AROUND_EYE, 1), ((LIPS[1],), 1.0, SEAM)):
        mask = np.zeros((side, side), np.float32)
        for line in lines:
            corners = view.marks[list(line)]
            middle = corners.mean(axis=0)
            outline = np.rint(middle + larger * (corners - middle)).astype(np.int32)
            cv2.fillPoly(mask, [outline], 1.0)
            cv2.polylines(mask, [outline], True, 1.0, rim)
        masks.append(cv2.GaussianBlur(mask, (0, 0), SOFT))
    return np.stack(masks)


def worn_glasses(view: HeadView) -> Flat:
    """(S, S) 0..1: where glasses are, and a little around."""
    import cv2

    return np.asarray(cv2.GaussianBlur(2 * view.shares[MATTER.index("glasses")], (0, 0), 2 * SOFT).clip(0, 1))


def alike(view: HeadView, to: HeadView) -> Array:
    """(2,) 0..1: how alike eyes and mouth are opened in both; of the eyes the one that is less."""
    (eyes, mouth), (others, other) = _openings(view.marks), _openings(to.marks)
    apart = np.abs(eyes - others).max(), abs(mouth - other)
    return np.array([1 - smoothstep(np.asarray(x), *limits) for x, limits in zip(apart, OPENED, strict=True)])


def _openings(marks: Array) -> tuple[Array, float]:
    """Of both eyes (2,) and the mouth: area between the lids or lips, by the square of its width."""
    found = []
    for line in (*EYES, LIPS[1]):
        x, y = marks[list(line)].T
        area = 0.5 * abs(float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()))
        across = len(line) // 2
        found.append(area / max(float((x[across] - x[0]) ** 2 + (y[across] - y[0]) ** 2), 1e-9))
    return np.array(found[:2]), found[2]


def _shares(found: Segmentation, to_photo: Similarity, side: int) -> Flat:
    """(4, side, side) of MATTER in a crop."""
    import cv2

    matrix = to_photo.then(found.to_photo.inverse()).matrix
    matrix[:, 2] += matrix[:, :2].sum(axis=1) / 2 - 0.5  # OpenCV counts pixels from their centres
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.stack([cv2.warpAffine(found.share(name), matrix, (side, side), flags=flags) for name in MATTER])
