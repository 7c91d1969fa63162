"""Scratches, folds, tears, rims of stains and dust of old photographs: a small net finds them, `infill` fills them.

A false scratch across an eye or a pair of glasses does more harm than one that is missed, so where faces are given the
net has to be surer there, and what lies wholly within such a place (a catchlight, a glint, a tooth) is believed never.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.runtime import weights
from tronie.runtime.inference import Session
from tronie.shells import Segmentation
from tronie.stages.enhance.infill import fill
from tronie.stages.landmarks.lines import EYES, LIPS, OVAL
from tronie.types import Landmarks

__all__ = ["DamageNet", "fill", "find"]

LARGEST = 4_000_000
"""Pixels of the picture that is looked at; larger photos are made smaller for it."""
SMALLEST = 224
"""Shorter side of a picture, at least, that is looked at halved, too: what is wide is narrower there."""
COARSE = 2.0
"""How much less is believed each time the picture is halved, on the scale of logits: hands and ties are narrow then."""
TILE, MARGIN, CELL = 640, 64, 16
"""Side of the parts that the net sees one after the other, with so many pixels around each of them in it, and what
their sides are multiples of."""
SURE, LIKELY = 0.93, 0.25
"""What is likely is damage where it hangs together with what is sure."""
FEW = 3.0
"""Pixels, weighed by how likely each is, of the smallest damage."""
WIDEST = 0.015
"""Width of damage that is believed, at most, by the shorter side of the picture, but at least `LEAST` pixels: what is
wider may as well be a collar or the sky, and nothing beside it tells what was there."""
LEAST = 11
PLACES = {"face": ((OVAL,), 1.0, 1.5), "eyes": (EYES, 1.9, 2.5), "lips": (LIPS[:1], 1.3, 2.5)}
"""Parts of faces: their lines, how many times as large as these they are, and how much less likely damage is there, on
the scale of logits."""
DOUBT = {"glasses": 2.5, "hair": 0.7, "facial_hair": 1.0}
"""The same, of matter."""
DELICATE = ("eyes", "lips", "glasses")
WITHIN = 0.7
"""Share of its pixels by which damage is within something delicate."""


class DamageNet:
    """The net, loaded on first use."""

    def __init__(self, threads: int = 1, device: str = "cpu") -> None:
        """`device` is one of the settings'."""
        self._net = Session(weights.path("damage"), threads, device=device)

    def load(self) -> None:
        """Load it now."""
        self._net.load()

    def likely(self, photo: Image) -> Array:
        """How likely each pixel of an RGB picture (H, W, 3) is damaged: (H, W) float32 0..1. At its own size."""
        found = np.zeros(photo.shape[:2], np.float32)
        for rows, columns in _tiles(photo.shape[:2]):
            part = photo[rows.around, columns.around]
            h, w = part.shape[:2]
            whole = np.pad(part, ((0, -h % CELL), (0, -w % CELL), (0, 0)), mode="edge")
            planes = whole.transpose(2, 0, 1)[None].astype(np.float32) / 255
            said = self._net.run({"image": planes})["damage"][0, 0]
            found[rows.own, columns.own] = said[rows.inside, columns.inside]
        return found


class _Span:
    """A part of one axis: what is its own, what is seen around it, and where the first lies within the second."""

    def __init__(self, start: int, end: int, length: int) -> None:
        first = max(start - MARGIN, 0)
        self.own = slice(start, end)
        self.around = slice(first, min(end + MARGIN, length))
        self.inside = slice(start - first, end - first)


def _tiles(shape: tuple[int, ...]) -> Iterator[tuple[_Span, _Span]]:
    step = TILE - 2 * MARGIN
    spans = [[_Span(k, min(k + step, side), side) for k in range(0, side, step)] for side in shape]
    yield from ((rows, columns) for rows in spans[0] for columns in spans[1])


@cache
def _usual_net() -> DamageNet:
    return DamageNet()


def find(
    photo: Image, faces: Sequence[Landmarks] = (), matter: Sequence[Segmentation] = (), net: DamageNet | None = None
) -> Array:
    """Where an RGB photo (H, W, 3) is damaged: (H, W) float32 0..1, 0 where nothing is to be changed. `faces` are the
    landmarks of its faces, and `matter` segmentations around any of them, in any order."""
    import cv2

    net = net or _usual_net()
    height, width = photo.shape[:2]
    shrink = min(1.0, (LARGEST / (height * width)) ** 0.5)
    shown = photo
    if shrink < 1:
        size = max(round(width * shrink), 1), max(round(height * shrink), 1)
        shown = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA))
    likely = net.likely(shown)
    half, less = shown, 0.0
    while min(half.shape[:2]) >= 2 * SMALLEST:
        size = (half.shape[1] + 1) // 2, (half.shape[0] + 1) // 2
        half = np.asarray(cv2.resize(half, size, interpolation=cv2.INTER_AREA))
        less += COARSE
        enlarged = cv2.resize(_doubted(net.likely(half), less), shown.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        likely = np.maximum(likely, enlarged)
    doubt, delicate = _doubts(shown.shape[:2], shrink, faces, matter)
    mask = judged(likely, delicate, _doubted(likely, doubt))
    if shrink < 1:
        mask = np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR))
    return mask


def _doubted(likely: Array, less: Array | float) -> Array:
    """Likelihoods with so much off their logits."""
    odds = likely * np.exp(-less)
    return np.asarray(odds / (1 - likely + odds + 1e-9), dtype=np.float32)


def judged(likely: Array, delicate: NDArray[np.bool_], surely: Array | None = None) -> Array:
    """(h, w) of likelihoods -> the mask of what is believed, a pixel wider. Damage is a group of likely pixels with a
    sure one among them, as `surely` (h, w) says where that is another likelihood; what is wide is none, nor is a group
    within a `delicate` place (h, w)."""
    import cv2

    some = (likely >= LIKELY).astype(np.uint8)
    radius = max(LEAST, WIDEST * min(likely.shape)) / 2
    deep = cv2.distanceTransform(some, cv2.DIST_L2, 3) > radius
    if deep.any():
        some[cv2.distanceTransform((~deep).astype(np.uint8), cv2.DIST_L2, 3) < radius + 2] = 0
    count, label = cv2.connectedComponents(some, connectivity=8)
    if count < 2:
        return np.zeros(likely.shape, np.float32)
    flat = label.ravel()
    amount = np.bincount(flat, likely.ravel(), count)
    pixels = np.bincount(flat, minlength=count)
    inside = np.bincount(flat, delicate.ravel(), count)
    sure = np.bincount(flat, ((likely if surely is None else surely) >= SURE).ravel(), count)
    kept = (sure >= 1) & (amount >= FEW) & (inside < WITHIN * pixels)
    kept[0] = False
    believed = np.where(kept[label], np.minimum(likely / (2 * LIKELY), 1), 0).astype(np.float32)
    return np.asarray(cv2.dilate(believed, np.ones((3, 3), np.uint8)))


def _doubts(
    shape: tuple[int, ...], scale: float, faces: Sequence[Landmarks], matter: Sequence[Segmentation]
) -> tuple[Array, NDArray[np.bool_]]:
    """(h, w) float32 how much less damage is to be believed, and (h, w) bool of what is delicate, in a picture that
    shows the photo at `scale`."""
    import cv2

    doubt = np.zeros(shape, np.float32)
    delicate = np.zeros(shape, bool)
    for face in faces:
        points = np.asarray(face.points[:, :2] * scale, dtype=np.float64)
        for name, (lines, around, less) in PLACES.items():
            for line in lines:
                outline = points[list(line)]
                middle, reach = outline.mean(axis=0), np.ptp(outline, axis=0).max() * (around - 1) / 2
                away = outline - middle
                grown = middle + away * (1 + reach / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-6))
                place = np.zeros(shape, np.uint8)
                cv2.fillConvexPoly(place, cv2.convexHull(np.rint(grown).astype(np.int32)), 1)
                doubt[place > 0] = np.maximum(doubt[place > 0], less)
                if name in DELICATE:
                    delicate |= place > 0
    for one in matter:
        matrix = one.to_photo.matrix * scale
        matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
        for name, less in DOUBT.items():
            share = cv2.warpAffine(one.share(name), matrix, shape[::-1], flags=cv2.INTER_LINEAR)
            doubt = np.maximum(doubt, share * less)
            if name in DELICATE:
                delicate |= share > 0.35
    return doubt, delicate
