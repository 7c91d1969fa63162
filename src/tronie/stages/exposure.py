"""How a face is exposed, measured in its own pixels: a dark room behind it, or dark skin, is no dark picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tronie.arrays import Array, Image
from tronie.types import Crop, Landmarks

OVAL: tuple[int, ...] = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
BRIDGE, CHIN, FOREHEAD = 6, 152, 10
EYES = (33, 133, 362, 263)
"""Indices of the 478 points."""
SIDE = 64
"""Pixels of the crop at which light is measured: noise has gone there, and highlights smaller than a pixel."""
FULL, WHITE = 253, 250
"""8-bit values from which a channel counts as clipped, and all of them as white."""
BLACK, MOSTLY = 20, 0.75
NIGHT, DUSK, LAMP = 45.0, 75.0, 110.0
"""The face is too dark when its lightest parts (95 %) stay below NIGHT, or so much of it (MOSTLY) below BLACK; already
below DUSK where nothing around it is lighter than LAMP either, so that it is not just a dark skin. The lightest parts
of 800 portraits of all skins lie between 114 and 253."""
BURNT_ANY, BURNT_ALL = 0.25, 0.12
"""It is burnt out when one channel is clipped in so much of it (0.09 at most in the 800), or all of them (0.06)."""
EYE_BAND = 0.16
"""Half height of what is left out where eyes are covered, by the face's height."""


@dataclass(frozen=True, slots=True)
class Exposure:
    level: float
    """0..255: 95th percentile of luma in the face."""
    around: float
    """The same, 99th percentile, with what is around the face."""
    black: float
    """0..1: share of the face that is nearly black."""
    clipped: float
    """0..1: share with a channel at its end."""
    white: float
    """0..1: share with all of them there."""

    @property
    def too_dark(self) -> bool:
        return self.level < NIGHT or (self.level < DUSK and self.around < LAMP) or self.black > MOSTLY

    @property
    def burnt_out(self) -> bool:
        return self.clipped > BURNT_ANY or self.white > BURNT_ALL


def exposure(crop: Crop, landmarks: Landmarks, *, mouth: bool = False, eyes: bool = False) -> Exposure | None:
    """None where too little of the face is left to tell. With `mouth` or `eyes` these are covered: what lies there,
    a white mask or a black bar, is no part of the face."""
    import cv2

    side = crop.image.shape[0]
    small = min(side, SIDE)
    points = crop.to_photo.inverse().apply(landmarks.points[:, :2]) * (small / side)
    image = np.asarray(cv2.resize(crop.image, (small, small), interpolation=cv2.INTER_AREA))
    inside = face_mask(points, small, mouth=mouth, eyes=eyes)
    if inside.sum() < small:
        return None
    luma, pixels = image @ np.array([0.299, 0.587, 0.114]), image[inside]
    return Exposure(
        float(np.percentile(luma[inside], 95)), float(np.percentile(luma, 99)), float((luma[inside] < BLACK).mean()),
        float((pixels.max(axis=1) >= FULL).mean()), float((pixels.min(axis=1) >= WHITE).mean()),
    )  # fmt: skip


def face_mask(points: Array, side: int, *, mouth: bool, eyes: bool) -> Image:
    """(side, side) bool: the inside of the face's oval, without what is covered."""
    import cv2

    mask = np.zeros((side, side), np.uint8)
    cv2.fillPoly(mask, [np.round(points[list(OVAL)]).astype(np.int32)], 1)
    down = points[CHIN] - points[FOREHEAD]
    height = float(np.linalg.norm(down)) + 1e-6
    y, x = np.mgrid[:side, :side] + 0.5

    def depth(place: Array) -> Array:
        """How far below a place each pixel lies, in face heights."""
        return np.asarray(((x - place[0]) * down[0] + (y - place[1]) * down[1]) / height**2)

    inside = mask > 0
    if mouth:
        inside &= depth(points[BRIDGE]) < 0
    if eyes:
        inside &= np.abs(depth(points[list(EYES)].mean(axis=0))) > EYE_BAND
    return np.asarray(inside)
