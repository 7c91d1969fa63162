"""What a face detector is."""

from __future__ import annotations

from typing import Protocol

from tronie.arrays import Image
from tronie.types import Detection


class Detector(Protocol):
    """Finds faces in a picture at the scale it is given; `detect_faces` brings the photo to the right scales."""

    @property
    def finest(self) -> float:
        """Smallest face, pixels, that it finds nearly always."""

    @property
    def sure(self) -> float:
        """Smallest face, pixels, that it finds with a full score; at least `finest`."""

    @property
    def coarsest(self) -> float:
        """Largest face, pixels, that it finds reliably."""

    @property
    def turns(self) -> tuple[float, ...]:
        """Degrees by which to turn a picture in which it found nothing."""

    def detect(self, image: Image) -> list[Detection]:
        """RGB (H, W, 3) -> faces in pixels of `image`, in any order, scores so scaled that 0.5 is a good threshold."""
