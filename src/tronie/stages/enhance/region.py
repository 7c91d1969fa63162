"""The region of a photo around an enhanced face, upsampled so that it can hold the detail.

Texture, portrait and landmarks are made from it as they would be from the whole photo.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tronie.geometry import Camera, Similarity
from tronie.shells import Segmentation
from tronie.stages.enhance.paste import enlarged, paste, pasted_square
from tronie.stages.landmarks.net import square_from_landmarks
from tronie.types import Enhanced, Fit, Landmarks, Photo

REACH = 2.2
"""Side of the part by that of the landmark net's crop (some 28 cm): the head, and around it the background that the
texture compares with hair."""
LONGEST = 2048
"""Pixels: the part is not enlarged beyond this."""
COARSE_MM = 0.85
"""Of a face per pixel: from here on smaller pictures show all that there is. What our own net enlarges has 1 mm."""


@dataclass(frozen=True, slots=True)
class FaceRegion:
    """An upright, enlarged part of a photo."""

    photo: Photo
    to_photo: Similarity
    """Its pixels -> the whole photo's; no turn."""

    def fit(self, fit: Fit) -> Fit:
        """The fit as the part's camera has it."""
        camera, (x, y) = fit.camera, self.to_photo.inverse().apply(fit.camera.center)
        size = (self.photo.image.shape[1], self.photo.image.shape[0])
        focal = camera.focal / self.to_photo.scale
        return replace(fit, camera=Camera(focal, (float(x), float(y)), size, camera.aspect))

    def landmarks(self, landmarks: Landmarks) -> Landmarks:
        """Landmarks of the whole photo in the part's pixels."""
        return moved_landmarks(landmarks, self.to_photo.inverse())

    def segmentation(self, segmentation: Segmentation) -> Segmentation:
        """The same, of the part's pixels."""
        return replace(segmentation, to_photo=segmentation.to_photo.then(self.to_photo.inverse()))

    def square(self, enhanced: Enhanced) -> Similarity:
        """The part's pixels -> 0..1 where at least half of what was enhanced was pasted."""
        return self.to_photo.then(pasted_square(enhanced))


def finest_mm(fit: Fit, enhanced: Enhanced | None) -> float:
    """Millimetres of a face per pixel: of the photo, or of what super-resolution made of it."""
    pixel_mm = float(fit.head_to_camera[2, 3] / fit.camera.focal)
    return pixel_mm / enhanced.factor if enhanced is not None and enhanced.accepted else pixel_mm


def cut_region(photo: Photo, landmarks: Landmarks, enhanced: Enhanced) -> FaceRegion:
    """The part of `photo` with the head, at least as fine as the crop, with what was enhanced in it."""
    height, width = photo.image.shape[:2]
    square = square_from_landmarks(landmarks.points)
    center, half = square.apply([0.5, 0.5]), REACH * square.scale / 2
    x0, y0 = np.clip(np.floor(center - half), 0, [width - 1, height - 1]).astype(int).tolist()
    x1, y1 = np.clip(np.ceil(center + half), [x0 + 1, y0 + 1], [width, height]).astype(int).tolist()
    # A crop hardly finer than the photo needs no part twice as fine.
    factor = int(np.clip(np.ceil(enhanced.factor - 0.2), 1, max(1, LONGEST // max(x1 - x0, y1 - y0))))
    image = enlarged(photo.image[y0:y1, x0:x1], factor)
    to_photo = Similarity(1 / factor, 0, float(x0), float(y0))
    paste(image, to_photo, enhanced)
    return FaceRegion(replace(photo, image=image, focal=None), to_photo)


def moved_landmarks(landmarks: Landmarks, by: Similarity) -> Landmarks:
    """Landmarks in the pixels that `by` (a scale and a shift, no turn) leads to."""
    points, seen = (
        None if p is None else np.concatenate([by.apply(p[:, :2]), p[:, 2:] * by.scale], axis=1)
        for p in (landmarks.points, landmarks.seen)
    )
    assert points is not None
    pins = {row: (float(points[row, 0]), float(points[row, 1])) for row in landmarks.pins}
    # The mirror image lies in a picture mirrored about x = 0.
    mirror = Similarity(by.a, by.b, -by.tx, by.ty)
    other = landmarks.mirrored
    other = None if other is None else moved_landmarks(other, mirror)
    return replace(landmarks, points=points, mirrored=other, pins=pins, seen=seen)
