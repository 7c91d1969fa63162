"""Face alignment for super-resolution: five points on the template that the nets of this field were trained with."""

from __future__ import annotations

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import Similarity
from tronie.stages.landmarks.squares import cut, sized
from tronie.types import Crop

FFHQ_TEMPLATE = np.array(
    [
        [0.67067605, 0.47717164],
        [0.57302468, 0.48202545],
        [0.32999110, 0.47694155],
        [0.42719483, 0.48194679],
        [0.50154142, 0.66260259],
    ]
)
"""(5, 2) shares of the crop's side: outer and inner corner of the eye at the image's right, of the eye at its left,
base of the nose (Karras et al. 2019, as used with dlib's five points by Chen et al. 2020)."""

FIVE = (263, 362, 33, 133, 2)
"""The same points among the 478 landmarks."""


def aligned_square(points: Array) -> Similarity:
    """Unit square -> photo of the aligned crop of a face with landmarks (478, 2+)."""
    return Similarity.from_points(FFHQ_TEMPLATE, np.asarray(points)[list(FIVE), :2])


def aligned_crop(image: Image, square: Similarity, side: int) -> Crop:
    """The part of an RGB photo below `square`, `side` x `side` pixels: bicubic where it is enlarged, area average where
    it shrinks; beyond the photo its border is repeated."""
    import cv2

    to_photo = sized(square, side)
    if to_photo.scale > 1:
        return Crop(cut(image, to_photo, side), to_photo)
    matrix = to_photo.matrix.copy()
    matrix[:, 2] += matrix[:, :2].sum(axis=1) / 2 - 0.5  # OpenCV counts pixels from their centres
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    cropped = cv2.warpAffine(image, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return Crop(np.asarray(cropped, dtype=np.uint8), to_photo)
