"""What a face enhancer is."""

from __future__ import annotations

from typing import Protocol

from tronie.arrays import Image


class Enhancer(Protocol):
    """Puts detail into aligned crops of faces (see `tronie.stages.landmarks.align`)."""

    @property
    def name(self) -> str: ...

    @property
    def side(self) -> int:
        """Side of what it gives back, pixels."""

    def wants(self, pixels: float) -> int:
        """Side of the crop to hand in for a face that the photo shows `pixels` wide (its whole aligned crop). The crop
        is cut out of the photo at that size: bicubic where that enlarges it."""

    def restore(self, crops: Image) -> Image:
        """(N, k, k, 3) RGB uint8, k as `wants` says -> (N, side, side, 3). One call may hold many faces."""
