"""JPEG XL (ISO/IEC 18181): its header by ourselves, its pixels by the extra `jxl` (imagecodecs, which has libjxl).

The header is read first, so that a file that claims a huge picture is refused before a decoder sees it, and because the
decoder does not say how its colours are coded.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tronie.color import DISPLAY_P3

CODESTREAM, CONTAINER = b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"
RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
MOST_BOXES, LARGEST_BOX = 1000, 1 << 40
HEADER = 4096
"""Bytes of the codestream in which the header is looked for."""


@dataclass(frozen=True, slots=True)
class Jxl:
    """What a JPEG XL says of itself."""

    size: tuple[int, int]
    """Width, height as stored, pixels."""
    coding: tuple[int, int] | None
    """Code points of primaries and transfer function; None where they are told otherwise or not at all."""
    exif: bytes | None


def is_jxl(head: bytes) -> bool:
    return head.startswith((CODESTREAM, CONTAINER))


def can_read() -> bool:
    """Whether the extra is installed."""
    return find_spec("imagecodecs") is not None


def jxl_header(stream: BinaryIO) -> Jxl:
    """Raises ValueError where it makes no sense."""
    stream.seek(0)
    exif = None
    start = stream.read(12)
    if start.startswith(CODESTREAM):
        stream.seek(0)
        code = stream.read(HEADER)
    else:
        code = b""
        for _ in range(MOST_BOXES):
            head = stream.read(8)
            if len(head) < 8:
                break
            length, kind = struct.unpack(">I4s", head)
            behind = 8
            if length == 1:
                length, behind = struct.unpack(">Q", stream.read(8))[0], 16
            place = stream.tell()
            if kind in (b"jxlc", b"jxlp") and not code:
                code = stream.read(HEADER)[4 if kind == b"jxlp" else 0 :]
            elif kind == b"Exif" and behind <= length < 1_000_000:
                exif = stream.read(length - behind)[4:]
            if not behind <= length < LARGEST_BOX:
                break
            stream.seek(place + length - behind)
    if not code.startswith(CODESTREAM):
        raise ValueError("no JPEG XL codestream")
    bits = _Bits(code[2:])
    size = _size(bits)
    return Jxl(size, _coding(bits), exif)


def jxl_pixels(stream: BinaryIO) -> NDArray[Any]:
    """(H, W, 1 to 4) uint8, uint16 or floats 0..1, upright; of several frames the first."""
    import imagecodecs

    stream.seek(0)
    values = np.asarray(imagecodecs.jpegxl_decode(stream.read(), index=0, numthreads=1))
    return values[..., None] if values.ndim == 2 else values


class _Bits:
    """Numbers of some bits, the lowest first."""

    def __init__(self, data: bytes) -> None:
        self._number, self._left = int.from_bytes(data, "little"), 8 * len(data)

    def take(self, count: int) -> int:
        if count > self._left:
            raise ValueError("the header ends early")
        value = self._number & ((1 << count) - 1)
        self._number >>= count
        self._left -= count
        return value

    def choice(self, *ways: tuple[int, int]) -> int:
        """U32: two bits choose one of four (bits, offset)."""
        count, offset = ways[self.take(2)]
        return offset + self.take(count)

    def enum(self) -> int:
        return self.choice((0, 0), (0, 1), (4, 2), (6, 18))


def _size(bits: _Bits) -> tuple[int, int]:
    small = bits.take(1)

    def side() -> int:
        return 8 * (1 + bits.take(5)) if small else bits.choice((9, 1), (13, 1), (18, 1), (30, 1))

    height = side()
    ratio = bits.take(3)
    if ratio:
        across, down = RATIOS[ratio - 1]
        return height * across // down, height
    return side(), height


def _coding(bits: _Bits) -> tuple[int, int] | None:
    """From the image metadata; None where they hold what is rare."""
    if bits.take(1):  # all as usual
        return None
    if bits.take(1):
        bits.take(3)  # orientation: the decoder turns the picture
        if bits.take(1):
            _size(bits)
        if bits.take(2):  # a preview, an animation
            return None
    _depth(bits)
    bits.take(1)
    for _ in range(bits.choice((0, 0), (0, 1), (4, 2), (12, 1))):
        if not bits.take(1):  # something else than plain opacity
            return None
    bits.take(1)
    if bits.take(1):  # sRGB
        return None
    if bits.take(1) or bits.enum() > 1:  # a profile; neither colour nor grey
        return None
    white, primaries = bits.enum(), bits.enum()
    if bits.take(1):  # a power
        return None
    known = {(1, 1): 1, (1, 9): 9, (1, 11): DISPLAY_P3, (11, 11): 11}
    return (known[white, primaries], bits.enum()) if (white, primaries) in known else None


def _depth(bits: _Bits) -> None:
    if bits.take(1):
        bits.choice((0, 32), (0, 16), (0, 24), (6, 1))
        bits.take(4)
    else:
        bits.choice((0, 8), (0, 10), (0, 12), (6, 1))
