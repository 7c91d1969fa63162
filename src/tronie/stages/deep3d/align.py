"""The crop that the net wants: 224 x 224, the face upright enough and of one size, by five points as published."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tronie.arrays import Array, Image
from tronie.geometry import Similarity

SIDE = 224
"""Side of the crop, pixels."""
SIZE = 102.0
"""Pixels of the crop per unit of POINTS."""
POINTS = np.array(
    [
        [-0.3114865720272064, 0.29036077857017517, 0.13377952575683594],
        [0.30979886651039124, 0.289720356464386, 0.1317952573299408],
        [0.003253498813137412, -0.04617932438850403, 0.5524424314498901],
        [-0.25216928124427795, -0.3813391625881195, 0.22405731678009033],
        [0.24846619367599487, -0.38128235936164856, 0.22235769033432007],
    ]
)
"""(5, 3): eye at image left, at image right, nose tip, mouth corner left, right, of a standard face; x right, y up."""
LEAST, MOST = 1e-3, 1e3
"""Bounds of the scale: beyond them the five points are no face."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """The crop, and its map to the photo."""

    image: Image
    """(224, 224, 3) RGB; black beyond the photo."""
    points: Array
    """(5, 2) pixels of the crop, centres at whole numbers, y down, as the published files have them."""
    scale: float
    """Pixels of the resized picture per pixel of the one that was aligned."""
    shift: Array
    """(2,) pixels of that picture, y up: where the standard face's origin lies."""
    resized: tuple[int, int]
    """Width and height of the whole picture at the crop's scale."""
    corner: tuple[int, int]
    """Left and upper edge of the crop in it."""
    aligned: tuple[int, int]
    """Width and height of the picture that the face was cut out of: the photo, or an enlarged part of it."""
    photo: tuple[int, int]
    """Width and height of the photo."""
    part: Similarity | None = None
    """Pixels of that part -> pixels of the photo (no turn); None where the photo itself was aligned."""

    @property
    def stretch(self) -> Array:
        """(2,) photo pixels per crop pixel in x and y. They differ a little: the resized photo has whole pixels."""
        scale = 1.0 if self.part is None else self.part.scale
        return np.asarray(np.array(self.aligned) / np.array(self.resized) * scale)

    def to_photo(self, points: ArrayLike) -> Array:
        """Crop -> photo, (..., 2), both with pixel centres at +0.5."""
        there = (np.asarray(points) + np.array(self.corner)) * np.array(self.aligned) / np.array(self.resized)
        return np.asarray(there if self.part is None else self.part.apply(there))


def align(image: Image, points: ArrayLike) -> Aligned:
    """Cut a face out of a photo.

    `points` (5, 2) in the order of POINTS, pixels with centres at whole numbers, y down. Raises ValueError when they
    are no face.
    """
    height, width = image.shape[:2]
    p = np.array(points, dtype=np.float64)
    if p.shape != (5, 2) or not np.isfinite(p).all():
        raise ValueError("five points are needed, with finite coordinates")
    p[:, 1] = height - 1 - p[:, 1]
    size, shift = _weak_perspective(p)
    scale = SIZE / size if size > 0 else np.inf
    if not LEAST < scale < MOST:
        raise ValueError("the five points are no face")
    w, h = int(width * scale), int(height * scale)
    if min(w, h) < 1:
        raise ValueError("the five points are no face")
    left = int(w / 2 - SIDE / 2 + (shift[0] - width / 2) * scale)
    top = int(h / 2 - SIDE / 2 + (height / 2 - shift[1]) * scale)
    moved = (p - shift + np.array([width, height]) / 2) * scale - (np.array([w, h]) / 2 - SIDE / 2)
    moved[:, 1] = SIDE - 1 - moved[:, 1]
    crop = _resized_crop(image, (w, h), (left, top))
    return Aligned(crop, moved, float(scale), shift, (w, h), (left, top), (width, height), (width, height))


def _weak_perspective(points: Array) -> tuple[float, Array]:
    """Size and shift of the affine map of POINTS that comes nearest to `points` (5, 2)."""
    solution = np.linalg.lstsq(np.column_stack([POINTS, np.ones(5)]), points, rcond=None)[0]
    return float(np.linalg.norm(solution[:3], axis=0).mean()), solution[3]


def _resized_crop(image: Image, size: tuple[int, int], corner: tuple[int, int]) -> Image:
    """The crop of the photo resized by Pillow's bicubic filter. Only the crop is computed: a small face of a large
    photo needs no picture of a gigapixel."""
    from PIL import Image as Pictures

    crop = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
    (w, h), (left, top) = size, corner
    x0, x1, y0, y1 = max(left, 0), min(left + SIDE, w), max(top, 0), min(top + SIDE, h)
    if x0 >= x1 or y0 >= y1:
        return crop
    x, y = image.shape[1] / w, image.shape[0] / h
    box = (x0 * x, y0 * y, min(x1 * x, image.shape[1]), min(y1 * y, image.shape[0]))
    part = Pictures.fromarray(image).resize((x1 - x0, y1 - y0), Pictures.Resampling.BICUBIC, box)
    crop[y0 - top : y1 - top, x0 - left : x1 - left] = np.asarray(part)
    return crop
