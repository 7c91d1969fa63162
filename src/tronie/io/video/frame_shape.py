"""From stored pictures of a video to those that are looked at: of a size that fits, with square pixels, upright."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tronie.arrays import Image
from tronie.errors import InputError

MOST_PIXELS = 36_000_000
"""Of a frame: 8K (7680x4320) and its relatives in cinemas. A decoder holds up to twenty of them."""
KEEP = 9_500_000
"""Larger frames are reduced by a whole number; 4K stays."""
LONGEST = 16_384
"""Of a side that square pixels would have."""
ASPECTS = 1 / 4, 4.0
"""Of pixels, width by height. What is outside is no aspect that anything is shown with."""


class Window(NamedTuple):
    """The part of the stored pictures that is shown, pixels."""

    left: int
    top: int
    width: int
    height: int


class Pose(NamedTuple):
    """How stored pictures are brought upright: first mirrored, then turned."""

    turns: int = 0
    """Quarters clockwise, 0 to 3."""
    mirrored: bool = False
    """Left for right."""

    @classmethod
    def of(cls, matrix: Sequence[float]) -> Pose:
        """The nearest to the matrix of a track or frame (ISO/IEC 14496-12, 6.2.2), of which the first, second, fourth
        and fifth number count; they tell where a picture's right and its bottom go."""
        a, b, _, c, d = matrix[:5]
        mirrored = a * d < b * c
        if mirrored:
            a, b = -a, -b
        return cls(round(math.atan2(b, a) / (math.pi / 2)) % 4, mirrored)


@dataclass(frozen=True, slots=True)
class Shape:
    """How the stored pictures of a clip become the shown ones."""

    stored: tuple[int, int]
    """Width, height, pixels."""
    size: tuple[int, int]
    """Width, height of what is shown, after turning."""
    pose: Pose
    window: Window | None = None
    """What is shown; None: all."""

    @classmethod
    def of(
        cls,
        source: str,
        stored: tuple[int, int],
        aspect: float | None = None,
        pose: Pose = Pose(),  # noqa: B008 - a value
        window: Window | None = None,
    ) -> Shape:
        """`aspect`: width of a stored pixel by its height, where the file tells. Raises InputError for frames that
        are too large."""
        check_frame(source, *stored)
        if window is not None and (window.left + window.width > stored[0] or window.top + window.height > stored[1]):
            window = None
        width, height = map(float, stored if window is None else (window.width, window.height))
        if aspect is not None and ASPECTS[0] <= aspect <= ASPECTS[1]:  # the finer side stays
            width, height = width * max(aspect, 1.0), height * max(1 / aspect, 1.0)
        shrink = max(1, math.ceil(math.sqrt(width * height / KEEP)), math.ceil(max(width, height) / LONGEST))
        across, down = (max(1, round(side / shrink)) for side in (width, height))
        return cls(stored, (down, across) if pose.turns % 2 else (across, down), pose, window)

    def shown(self, image: Image) -> Image:
        """(H, W, 3) as stored -> as shown."""
        if self.window is not None:
            left, top, width, height = self.window
            image = image[top : top + height, left : left + width]
        across, down = self.size[::-1] if self.pose.turns % 2 else self.size
        image = resized(image, (across, down))
        if self.pose.mirrored:
            image = image[:, ::-1]
        return np.ascontiguousarray(np.rot90(image, -self.pose.turns))

    def notes(self) -> list[str]:
        """What a user should know of it."""
        width, height = self.stored if self.window is None else (self.window.width, self.window.height)
        if self.size[0] * self.size[1] >= width * height:
            return []
        return [f"frames of {width}x{height} pixels were reduced to {self.size[0]}x{self.size[1]}"]


def check_frame(source: str, width: int, height: int) -> None:
    """Raises InputError for frames that no clip has, or that would not fit into memory."""
    if width < 1 or height < 1:
        raise InputError(f"{source} has frames without pixels ({width}x{height}).")
    if width * height > MOST_PIXELS:
        raise InputError(
            f"{source} has frames of {width * height / 1e6:.0f} megapixels and at most {MOST_PIXELS / 1e6:.0f} are "
            "read; make it smaller."
        )


def resized(image: Image, size: tuple[int, int]) -> Image:
    """At another width and height."""
    height, width = image.shape[:2]
    if (width, height) == size:
        return image
    import cv2

    larger = size[0] >= width and size[1] >= height
    how = cv2.INTER_CUBIC if larger else cv2.INTER_AREA
    return np.asarray(cv2.resize(image, size, interpolation=how), dtype=np.uint8)
