"""How many frames a picture file holds, how large they are and how long each is shown, told from the file's structure.

Nothing is decoded, and what a file claims is not believed: frames are counted where they lie, up to a limit. So the
question costs milliseconds and no memory, however large the pictures would be.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MOST_FRAMES = 20_000
"""Frames or pages counted at most."""
MOST_STEPS = 2_000_000
"""Blocks of a file looked at, at most; a few seconds' worth."""


@dataclass(frozen=True, slots=True)
class Frames:
    """What a file holds."""

    size: tuple[int, int]
    """Width and height, pixels, that every frame fits in; (0, 0) where only pages were counted."""
    delays: tuple[float, ...]
    """Seconds that each frame is shown, as the file says; 0 for pages."""

    @property
    def count(self) -> int:
        return len(self.delays)

    @property
    def pixels(self) -> int:
        """Of one frame."""
        return self.size[0] * self.size[1]


def scan(stream: BinaryIO) -> Frames | None:
    """The frames of a GIF, WebP or PNG, the pages of a TIFF; None for other kinds. The stream is left anywhere."""
    stream.seek(0)
    head = stream.read(16)
    stream.seek(0)
    if head[:4] == b"GIF8":
        return _collect(_gif(stream))
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _collect(_webp(stream))
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return _collect(_png(stream))
    if head[:2] in (b"II", b"MM") and head[2:4] in (b"*\0", b"\0*", b"+\0", b"\0+"):
        return _collect(_tiff(stream))
    return None


Found = tuple[int, int, float | None]
"""Right and bottom edge of something found, and the seconds that it is shown if it is a frame."""


def _collect(found: Iterator[Found]) -> Frames:
    """What was found before the file ends, breaks off or makes no more sense."""
    width = height = 0
    delays: list[float] = []
    try:
        for right, bottom, delay in found:
            width, height = max(width, right), max(height, bottom)
            if delay is not None:
                delays.append(delay)
            if len(delays) >= MOST_FRAMES:
                break
    except (struct.error, IndexError, OSError, ValueError, OverflowError):
        pass  # broken off
    return Frames((width, height), tuple(delays))


def _gif(stream: BinaryIO) -> Iterator[Found]:
    """GIF89a, appendix A."""
    head = stream.read(13)
    yield (*struct.unpack_from("<HH", head, 6), None)
    stream.read(_table(head[10]))
    delay, steps = 0.0, 0
    while True:
        kind = stream.read(1)[0]
        if kind == 0x21:
            label = stream.read(1)[0]
            length = stream.read(1)[0]
            block = stream.read(length)
            if label == 0xF9:
                delay = struct.unpack_from("<H", block, 1)[0] / 100
            if not length:
                continue
        elif kind == 0x2C:
            x, y, width, height, flags = struct.unpack("<HHHHB", stream.read(9))
            stream.read(_table(flags) + 1)
            yield x + width, y + height, delay
            delay = 0.0
        else:
            return
        while length := stream.read(1)[0]:
            stream.read(length)
            steps += 1
            if steps > MOST_STEPS:
                return


def _table(flags: int) -> int:
    """Bytes of a colour table."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _webp(stream: BinaryIO) -> Iterator[Found]:
    """WebP container specification: VP8X has the canvas, each ANMF is a frame, a file without them is one."""
    stream.seek(12)
    for _ in range(MOST_STEPS):
        kind, length = struct.unpack("<4sI", stream.read(8))
        body = stream.read(min(length, 16))
        if kind == b"VP8X":
            yield _uint24(body, 4) + 1, _uint24(body, 7) + 1, None
        elif kind == b"ANMF":
            right, bottom = (2 * _uint24(body, 3 * k) + _uint24(body, 3 * k + 6) + 1 for k in (0, 1))
            yield right, bottom, _uint24(body, 12) / 1000
        elif kind == b"VP8L":
            bits = struct.unpack_from("<I", body, 1)[0]
            yield (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, 0.0
        elif kind == b"VP8 ":
            width, height = struct.unpack_from("<HH", body, 6)
            yield width & 0x3FFF, height & 0x3FFF, 0.0
        stream.seek(length - len(body) + length % 2, 1)


def _uint24(data: bytes, at: int) -> int:
    return data[at] | data[at + 1] << 8 | data[at + 2] << 16


def _png(stream: BinaryIO) -> Iterator[Found]:
    """PNG, third edition: each fcTL is a frame; without one the picture is."""
    stream.seek(8)
    frames = 0
    for _ in range(MOST_STEPS):
        length, kind = struct.unpack(">I4s", stream.read(8))
        body = stream.read(min(length, 26))
        if kind == b"IHDR":
            yield (*struct.unpack_from(">II", body), None)
        elif kind == b"fcTL":
            width, height, x, y, share, whole = struct.unpack_from(">IIIIHH", body, 4)
            frames += 1
            yield x + width, y + height, share / (whole or 100)
        elif kind == b"IEND":
            break
        stream.seek(length - len(body) + 4, 1)
    if not frames:
        yield 0, 0, 0.0


def _tiff(stream: BinaryIO) -> Iterator[Found]:
    """TIFF 6.0 and BigTIFF: the chain of directories, as far as it does not come back to itself."""
    head = stream.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = head[2:4] in (b"+\0", b"\0+")
    offset = struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)[0]
    seen: set[int] = set()
    while offset and offset not in seen:
        seen.add(offset)
        stream.seek(offset)
        count = struct.unpack(order + ("Q" if big else "H"), stream.read(8 if big else 2))[0]
        stream.seek(count * (20 if big else 12), 1)
        yield 0, 0, 0.0
        offset = struct.unpack(order + ("Q" if big else "I"), stream.read(8 if big else 4))[0]
