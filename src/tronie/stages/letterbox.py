"""The picture within a photo: bars that a film, a telephone or a screenshot has put around it are no part of it.

A bar is of one colour and ends along a straight line at which the whole picture begins at once. A plain background
ends where the figure before it begins, bit by bit: that is no bar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.geometry import Camera
from tronie.types import Crop, Detection, Face, Fit, Landmarks, Photo

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in whole pixels."""

NOISE = 6.0, 24.0
"""Grey levels by which a bar's pixels may differ from its colour after compression: little beside a dark film, much
beside the edges of a bright photo."""
LETTERED, PURE = 0.2, 0.03
"""Shares of a bar's line that something may stand in (a clock, subtitles), and of most of its lines."""
BEGUN = 0.6
"""Share of a line that differs from the bar where the picture begins."""
RINGING, SHORE = 16, 8
"""Pixels in which compression blurs a bar's end, and those before, in which it shows already."""
FLAT, STEP = 3.0, 8.0
"""Mean difference from its colour, grey levels, of a bar's lines at most, and of the picture's first ones at least."""
SAMPLED = 400
"""Pixels of a line that are looked at, or somewhat more."""
LEAST_BAR, LEAST_LEFT = 2, 0.2
"""A bar's pixels at least, and of each side what must be left."""


def picture_in(images: Image | Sequence[Image]) -> Box:
    """The part of a photo, or of several frames of a clip (of one size), that is picture."""
    frames = [images] if isinstance(images, np.ndarray) else list(images)
    height, width = frames[0].shape[:2]
    x0, y0, x1, y1 = 0, 0, width, height
    for _ in range(2):  # with the bars at the sides gone, those above and below may show, and the other way round
        part = [frame[y0:y1, x0:x1] for frame in frames]
        top = _bar(part)
        bottom = _bar([p[::-1] for p in part])
        y0, y1 = y0 + top, y1 - bottom
        part = [frame[y0:y1, x0:x1].transpose(1, 0, 2) for frame in frames]
        left = _bar(part)
        right = _bar([p[::-1] for p in part])
        x0, x1 = x0 + left, x1 - right
        if x1 - x0 < LEAST_LEFT * width or y1 - y0 < LEAST_LEFT * height:
            return 0, 0, width, height
    return x0, y0, x1, y1


def _bar(frames: Sequence[Image]) -> int:
    """Rows of a bar above (H, W, 3) frames, those included in which it fades into the picture."""
    across = max(1, frames[0].shape[1] // SAMPLED)
    frames = [frame[:, ::across] for frame in frames]
    count, first = len(frames[0]), frames[0]
    if count < 2 * RINGING or first.shape[1] < 2:
        return 0
    colour = np.median(first[:LEAST_BAR].reshape(-1, first.shape[2]), axis=0).astype(np.int16)
    if _differing(frames, colour, 0, LEAST_BAR)[0].max() > LETTERED:
        return 0  # as nearly always
    return max(_ends(*_differing(frames, colour, 0, count, noise)) for noise in NOISE)


def _ends(shares: Array, means: Array) -> int:
    """Where a bar's rows, of which `_differing` told, end and the picture begins; 0 where there is no bar."""
    inside = shares > LETTERED
    begin = int(inside.argmax()) if inside.any() else 0
    if begin < LEAST_BAR or np.median(shares[:begin]) > PURE:
        return 0
    steps = means[begin + 1 : begin + RINGING] - means[begin - 1 : begin + RINGING - 2]
    edge = begin + int(steps.argmax()) if len(steps) else len(means)
    after = slice(edge + 1, edge + 1 + RINGING)
    if not len(shares[after]) or np.median(shares[after]) < BEGUN:
        return 0
    full, near = float(np.median(means[after])), float(np.median(means[max(begin - SHORE, 0) : begin]))
    if np.median(means[:begin]) > FLAT or full < max(STEP, 4 * near) or steps.max() < full / 2:
        return 0  # a sky or a wall, which turns darker or lighter bit by bit
    fading = means[edge - 1 : edge + 4] < 0.7 * full
    return edge - 1 + (int(fading.argmin()) if not fading.all() else 4)


def _differing(
    frames: Sequence[Image], colour: NDArray[np.int16], start: int, stop: int, noise: float = NOISE[0]
) -> tuple[Array, Array]:
    """Of each row the share of pixels that are not of the colour in some frame, and the mean of how far."""
    away = np.zeros((stop - start, frames[0].shape[1]), np.uint8)
    for frame in frames:
        off = np.abs(frame[start:stop].astype(np.int16) - colour).max(axis=2)
        np.maximum(away, off.astype(np.uint8), out=away)
    return (away > noise).mean(axis=1), away.mean(axis=1)


@dataclass(frozen=True)
class Framed:
    """A photo and the picture within it, and the ways between the pixels of the two."""

    photo: Photo
    box: Box
    """Of the picture."""

    @property
    def without_bars(self) -> bool:
        return is_whole(self.box, self.photo.image)

    @cached_property
    def picture(self) -> Photo:
        return within(self.photo, self.box)

    def inwards(self, face: Face) -> Face:
        """A face of the photo as the picture has it."""
        return shifted(face, -self.box[0], -self.box[1], _size(self.picture))

    def outwards(self, face: Face) -> Face:
        """A face of the picture as the photo has it."""
        return shifted(face, *self.box[:2], _size(self.photo))

    def camera_inwards(self, camera: Camera) -> Camera:
        return moved_camera(camera, -self.box[0], -self.box[1], _size(self.picture))

    def camera_outwards(self, camera: Camera) -> Camera:
        return moved_camera(camera, *self.box[:2], _size(self.photo))

    def laid_in(self, larger: Image) -> Image:
        """The photo with its bars, as many times enlarged as the picture is in `larger`."""
        x0, y0, x1, y1 = self.box
        fold = len(larger) // (y1 - y0)
        out = self.photo.image.repeat(fold, axis=0).repeat(fold, axis=1)
        out[fold * y0 : fold * y1, fold * x0 : fold * x1] = larger
        return out


def _size(photo: Photo) -> tuple[int, int]:
    return photo.image.shape[1], photo.image.shape[0]


def is_whole(box: Box, image: Image) -> bool:
    return box == (0, 0, image.shape[1], image.shape[0])


def within(photo: Photo, box: Box) -> Photo:
    """The part alone."""
    x0, y0, x1, y1 = box
    return replace(photo, image=np.ascontiguousarray(photo.image[y0:y1, x0:x1]))


def moved_camera(camera: Camera, dx: float, dy: float, size: tuple[int, int]) -> Camera:
    """The same for a picture of another size (width, height) in which the old one's corner lies at (dx, dy)."""
    return replace(camera, center=(camera.center[0] + dx, camera.center[1] + dy), size=size)


def shifted(face: Face, dx: float, dy: float, size: tuple[int, int]) -> Face:
    """The face as it is in a picture of another size, in which the old one's corner lies at (dx, dy)."""
    crop, landmarks, fit, enhanced = face.crop, face.landmarks, face.fit, face.enhanced
    parts = face.segmentation
    return replace(
        face,
        detection=shifted_box(face.detection, dx, dy),
        crop=None if crop is None else Crop(crop.image, _carried(crop.to_photo, dx, dy)),
        landmarks=None if landmarks is None else _landmarks(landmarks, dx, dy),
        fit=None if fit is None else _fit(fit, dx, dy, size),
        segmentation=None if parts is None else replace(parts, to_photo=_carried(parts.to_photo, dx, dy)),
        points68=None if face.points68 is None else face.points68 + np.array([dx, dy]),
        enhanced=None if enhanced is None else replace(enhanced, to_photo=_carried(enhanced.to_photo, dx, dy)),
    )


def shifted_box(found: Detection, dx: float, dy: float) -> Detection:
    """The detection in such a picture."""
    x0, y0, x1, y1 = found.box
    return replace(found, box=(x0 + dx, y0 + dy, x1 + dx, y1 + dy), points=found.points + np.array([dx, dy]))


def _fit(fit: Fit, dx: float, dy: float, size: tuple[int, int]) -> Fit:
    before = None if fit.unpinned is None else _fit(fit.unpinned, dx, dy, size)
    return replace(fit, camera=moved_camera(fit.camera, dx, dy, size), unpinned=before)


def _landmarks(marks: Landmarks, dx: float, dy: float) -> Landmarks:
    mirrored = None if marks.mirrored is None else _landmarks(marks.mirrored, -dx, dy)
    by = np.array([dx, dy, 0.0])
    seen = None if marks.seen is None else marks.seen + by
    pins = {row: (x + dx, y + dy) for row, (x, y) in marks.pins.items()}
    return replace(marks, points=marks.points + by, mirrored=mirrored, pins=pins, seen=seen)


def _carried(to_photo: Any, dx: float, dy: float) -> Any:
    return replace(to_photo, tx=to_photo.tx + dx, ty=to_photo.ty + dy)
