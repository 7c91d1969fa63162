"""Which number is white in a picture of more than eight bits.

Cameras, scanners and microscopes put 10, 12 or 14 bits into files of 16. Most programs scale them to the whole range;
some leave them in the low bits, where they look black. The rule, for numbers of 16 bits:

1. Where the file states its bits (PNG's sBIT, TIFF's BitsPerSample, MaxSampleValue, DNG's WhiteLevel, OME's
   SignificantBits) and no number needs more, white is the greatest number of so many bits.
2. Where it states nothing, the numbers themselves tell: none above 4,095 means 12 bits, none above 1,023 ten, none
   above 255 eight, for a photograph whose brightest pixel is at six hundredths of white shows nothing. The greatest
   between 14,745 and 16,383, which is the last tenth of 14 bits, means 14 bits; below that it may well be a dark
   photograph.
3. Numbers that are all multiples of 257 are eight bits scaled up already, and a dark picture of them stays dark.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tronie.arrays import Image

FULL = 16
LOW_BITS = (8, 10, 12)
"""Told by the greatest number alone."""
FOURTEEN, NEARLY = 14, 0.9
"""Told by a greatest number in the last tenth."""
BYTES = 257
"""What eight bits are multiplied by to fill 16."""
FLOAT_LIGHT = 16.0
"""Floats up to this count as 0..1 with highlights above; beyond, as one of the ranges of integers."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How numbers become 0..1."""

    white: float
    """The number that means 1."""
    bits: int | None = None
    """Significant bits, where the numbers use fewer than their type has."""

    def unit(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """0..1, without NaN."""
        floats = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=self.white, neginf=0.0)
        return np.asarray(np.clip(floats / np.float32(self.white), 0, 1), dtype=np.float32)

    def bytes(self, values: NDArray[Any]) -> Image:
        """uint8."""
        if values.dtype == np.uint8 and self.white == 255:
            return values
        if values.dtype == np.uint16:
            white = np.uint32(self.white)
            return np.asarray((np.minimum(values, white) * np.uint32(255) + white // 2) // white, dtype=np.uint8)
        floats = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=self.white, neginf=0.0)
        return np.asarray(np.rint(np.clip(floats / self.white, 0, 1) * 255), dtype=np.uint8)


def integer_scale(dtype: DTypeLike) -> Scale:
    """Of numbers that use the whole range of their type."""
    return Scale(1.0 if np.dtype(dtype) == bool else float(np.iinfo(np.dtype(dtype)).max))


def scale_of(bands: Iterable[NDArray[Any]], stated: int | None = None) -> Scale:
    """The scale of a picture given in bands; `stated`: significant bits that the file claims."""
    high, scaled, kind = 0.0, True, np.dtype(np.uint8)
    for band in bands:
        kind = band.dtype
        if kind.kind == "b" or kind.itemsize == 1:
            return integer_scale(kind)
        whole = np.issubdtype(kind, np.integer)
        high = max(high, float(band.max(initial=0) if whole else np.max(band, where=np.isfinite(band), initial=0)))
        scaled = scaled and whole and not np.any(band % BYTES)
    if np.issubdtype(kind, np.floating) and high <= FLOAT_LIGHT:
        return Scale(1.0)
    if high >= 1 << FULL:
        return Scale(high)
    if np.issubdtype(kind, np.floating):
        return Scale(255.0 if high <= 255 else 65535.0)
    bits = significant_bits(int(high), scaled, stated)
    return Scale(float((1 << bits) - 1), None if bits == FULL else bits)


def significant_bits(high: int, scaled: bool, stated: int | None = None) -> int:
    """The rule above. `high`: the greatest number; `scaled`: whether all are multiples of 257."""
    if scaled:
        return FULL
    if stated is not None:
        return stated if 1 <= stated < FULL and high < 1 << stated else FULL
    for bits in LOW_BITS:
        if high < 1 << bits:
            return bits
    return FOURTEEN if NEARLY * ((1 << FOURTEEN) - 1) <= high < 1 << FOURTEEN else FULL
