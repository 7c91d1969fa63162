"""Squares of a photo as pictures of their own: what nets look at."""

from __future__ import annotations

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import Similarity


def square(center: Array, side: float, roll: float) -> Similarity:
    """Pixels of a unit square [0, 1]^2 -> photo, turned by `roll` radians (positive: clockwise in the image)."""
    a, b = side * np.cos(roll), side * np.sin(roll)
    corner = np.asarray(center, dtype=np.float64) - [(a - b) / 2, (a + b) / 2]
    return Similarity(float(a), float(b), float(corner[0]), float(corner[1]))


def sized(unit: Similarity, side: int) -> Similarity:
    """Unit square -> photo, turned into `side` x `side` pixels -> photo."""
    return Similarity(unit.a / side, unit.b / side, unit.tx, unit.ty)


def cut(image: Image, to_photo: Similarity, side: int) -> Image:
    """RGB photo -> (side, side, 3): crop pixel p shows photo pixel to_photo(p). Averages over area when it shrinks;
    beyond the photo its border is repeated."""
    import cv2

    corners = to_photo.apply([[0, 0], [side, 0], [side, side], [0, side]])
    h, w = image.shape[:2]
    margin = to_photo.scale + 2
    x0, y0 = np.clip(np.floor(corners.min(axis=0) - margin), 0, [w - 1, h - 1]).astype(int)
    x1, y1 = np.clip(np.ceil(corners.max(axis=0) + margin), [x0 + 1, y0 + 1], [w, h]).astype(int)
    part = image[y0:y1, x0:x1]
    shrink = to_photo.scale
    fx = fy = 1.0
    if shrink > 1.25:
        size = max(round((x1 - x0) / shrink), 1), max(round((y1 - y0) / shrink), 1)
        fx, fy = size[0] / (x1 - x0), size[1] / (y1 - y0)
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA))
    matrix = to_photo.matrix.astype(np.float64)
    matrix[:, 2] -= [x0, y0]
    matrix *= np.array([[fx], [fy]])
    # OpenCV puts pixel centres at whole numbers: shift by half a pixel on both sides.
    matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(part, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE))
