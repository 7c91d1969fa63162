"""What a face enhancer is."""

from __future__ import annotations

from typing import Protocol

from tronie.types import Image


class Enhancer(Protocol):
    """Puts detail into aligned crops of faces (see `tronie.enhance.align`)."""

    @property
    def name(self) -> str: ...

    @property
    def side(self) -> int:
        """Side of the crops it works on, pixels. A smaller face is first enlarged to it (bicubic)."""

    def restore(self, crops: Image) -> Image:
        """(N, side, side, 3) RGB uint8 -> the same, restored. One call may hold many faces."""
