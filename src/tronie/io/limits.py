"""How large files and pictures may be, so that no file costs more memory than a worker has."""

from __future__ import annotations

import os
from dataclasses import dataclass

from tronie.errors import InputError

HIGHER = "allow more with --max-megapixels, or with the environment variable TRONIE_MAX_MEGAPIXELS"
COSTS = {"WEBP": 16, "AVIF": 12, "HEIF": 12, "JPEG2000": 20, "JXL": 24}
"""Bytes of memory for each pixel while a reader decodes a format, measured."""
MODE_COSTS = {"F": 12, "I": 12, "I;16": 6}
"""The same of other formats, by Pillow's mode."""
USUAL_COST = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a file may be and how large a picture is kept."""

    pixels: int = 120_000_000
    """Most pixels of a file that must be decoded whole."""
    reducible: int = 1_000_000_000
    """Most pixels of a baseline JPEG, which can be decoded at 1/2, 1/4 or 1/8."""
    keep: int = 40_000_000
    """Larger pictures are reduced by a whole number until they have at most so many pixels (see Photo.scale)."""
    side: int = 30_000
    """So are longer ones: OpenCV addresses no more than 32,767 pixels of a side."""
    memory: int | None = 750_000_000
    """Most bytes for the decoded pixels of a file: fewer pixels are read of formats that take much. None: any."""
    file: int = 1_500_000_000
    """Most bytes of a file that is read piece by piece."""
    whole: int = 400_000_000
    """Most bytes of a file that its reader takes in whole."""

    @classmethod
    def default(cls) -> Limits:
        """Those of TRONIE_MAX_MEGAPIXELS where that is set, else the usual ones."""
        try:
            megapixels = float(os.environ["TRONIE_MAX_MEGAPIXELS"])
        except (KeyError, ValueError):
            return cls()
        return cls.of_megapixels(megapixels) if 0 < megapixels < 1e6 else cls()

    @classmethod
    def of_megapixels(cls, megapixels: float | None) -> Limits:
        """At most so many in a file, as a setting says; None: the default. Whoever allows more than usual has the
        memory."""
        if megapixels is None:
            return cls.default()
        usual, pixels = cls(), int(megapixels * 1e6)
        if pixels <= usual.pixels:
            return cls(pixels=pixels, reducible=max(pixels, usual.reducible))
        return cls(
            pixels=pixels,
            reducible=max(pixels, usual.reducible),
            memory=None,
            file=usual.file * pixels // usual.pixels,
            whole=usual.whole * pixels // usual.pixels,
        )

    def check_size(self, size: tuple[int, int], source: str, cost: float, kind: str = "") -> None:
        """Refuse a picture of too many pixels, given the bytes that each takes. `kind`: a clause that says of what."""
        width, height = size
        if width < 1 or height < 1:
            raise InputError(f"{source} has no pixels ({width}x{height}).")
        allowed = self.pixels if self.memory is None else min(self.pixels, int(self.memory / cost))
        self.refuse_above(allowed, size, source, kind)

    def refuse_above(self, allowed: int, size: tuple[int, int], source: str, kind: str = "") -> None:
        pixels = size[0] * size[1]
        if pixels > allowed:
            raise InputError(
                f"{source} has {_megapixels(pixels)} megapixels and at most {_megapixels(allowed)} are read{kind}; "
                f"make it smaller, or {HIGHER}."
            )

    def check_file(self, length: int, source: str, whole: bool) -> None:
        """Refuse a file of too many bytes."""
        allowed = self.whole if whole else self.file
        if length > allowed:
            raise InputError(
                f"{source} is a file of {length / 1e9:.1f} GB and at most {allowed / 1e9:.1f} GB are read of its kind; "
                f"make it smaller, or {HIGHER}."
            )


def _megapixels(pixels: int) -> str:
    return f"{pixels / 1e6:.0f}" if pixels >= 10_000_000 else f"{pixels / 1e6:.1f}"
