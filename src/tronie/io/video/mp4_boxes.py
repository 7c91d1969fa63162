"""What the boxes of an MP4 or QuickTime file say of its pictures (ISO/IEC 14496-12), for a reader that does not tell.

A file is not to be trusted: only `moov` is read, up to `MOST_BYTES`, every length is held against what there is, and
what makes no sense is as if it were not there.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tronie.io.video.frame_shape import Pose, Window

MOST_BYTES, MOST_BOXES, MOST_EDITS = 64 << 20, 4096, 10_000
SAMPLE_ENTRY, VISUAL_SIZE, VISUAL_ENTRY = 8, 24, 78
"""Bytes before the entries of `stsd`, before width and height in one of pictures, and before the boxes in it."""


@dataclass(frozen=True, slots=True)
class TrackInfo:
    """Of the first track of pictures."""

    seconds: float | None = None
    """How long its edit list shows it."""
    coding: tuple[int, int] | None = None
    """Code points of primaries and transfer function (ITU-T H.273)."""
    pose: Pose | None = None
    """How its matrix turns and mirrors it."""
    window: Window | None = None
    """The clean aperture: what is shown of the stored pictures."""
    aspect: float | None = None
    """Of a track with such a window: width of a pixel by its height."""


def track_info(path: str | Path) -> TrackInfo:
    """Nothing of a file of another kind."""
    try:
        with Path(path).open("rb") as file:
            moov = _moov(file)
    except OSError:
        return TrackInfo()
    if moov is None:
        return TrackInfo()
    try:
        return _told(moov)
    except (struct.error, ValueError):
        return TrackInfo()


def _moov(file: BinaryIO) -> memoryview | None:
    """The index, wherever in the file it lies."""
    for _ in range(MOST_BOXES):
        head = file.read(16)
        if len(head) < 8:
            return None
        size, kind, skipped = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1 and len(head) == 16:
            size, skipped = int.from_bytes(head[8:], "big"), 16
        if not kind.isalpha() or (size < skipped and size != 0):
            return None
        if kind == b"moov":
            if size == 0 or size > MOST_BYTES:
                return None
            file.seek(skipped - len(head), 1)
            return memoryview(file.read(size - skipped))
        if size == 0:
            return None
        file.seek(size - len(head), 1)
    return None


def _boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Name and contents of the boxes that lie side by side."""
    at = 0
    for _ in range(MOST_BOXES):
        if at + 8 > len(data):
            return
        size, kind, skipped = int.from_bytes(data[at : at + 4], "big"), bytes(data[at + 4 : at + 8]), 8
        if size == 1 and at + 16 <= len(data):
            size, skipped = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        if size == 0:
            size = len(data) - at
        if size < skipped:
            return
        yield kind, data[at + skipped : at + size]
        at += size


def _first(data: memoryview, *path: bytes) -> memoryview | None:
    for kind in path:
        found = next((inner for name, inner in _boxes(data) if name == kind), None)
        if found is None:
            return None
        data = found
    return data


def _told(moov: memoryview) -> TrackInfo:
    movie = _first(moov, b"mvhd")
    for kind, track in _boxes(moov):
        handler = _first(track, b"mdia", b"hdlr") if kind == b"trak" else None
        if handler is not None and bytes(handler[8:12]) == b"vide":
            pose, shown = _header(track)
            kinds = _first(track, b"mdia", b"minf", b"stbl", b"stsd")
            _, entry = next(_boxes(kinds[SAMPLE_ENTRY:]), (b"", None)) if kinds is not None else (b"", None)
            if entry is None:
                return TrackInfo(_edited(track, movie), None, pose)
            window = _window(entry)
            aspect = None if window is None else _aspect(entry, window, shown)
            return TrackInfo(_edited(track, movie), _coding(entry), pose, window, aspect)
    return TrackInfo()


def _edited(track: memoryview, movie: memoryview | None) -> float | None:
    """Seconds that the edit list shows of the track's own pictures."""
    edits = _first(track, b"edts", b"elst")
    if edits is None or movie is None:
        return None
    (scale,) = struct.unpack_from(">I", movie, 20 if movie[0] == 1 else 12)
    count = min(struct.unpack_from(">I", edits, 4)[0], MOST_EDITS)
    entry = struct.Struct(">QqI" if edits[0] == 1 else ">IiI")
    shown = 0
    for k in range(count):
        length, begins, rate = entry.unpack_from(edits, 8 + k * entry.size)
        if begins >= 0 and rate == 1 << 16:  # others wait, or hold a picture
            shown += length
    return shown / scale if shown and scale else None


def _header(track: memoryview) -> tuple[Pose | None, tuple[int, int]]:
    """How the track stands, and the width and height that it is shown with, in 1/65536 pixels."""
    head = _first(track, b"tkhd")
    if head is None:
        return None, (0, 0)
    *matrix, width, height = struct.unpack_from(">9i2I", head, 52 if head[0] == 1 else 40)
    return Pose.of(matrix), (width, height)


def _coding(entry: memoryview) -> tuple[int, int] | None:
    for kind, inner in _boxes(entry[VISUAL_ENTRY:]):
        if kind == b"colr" and bytes(inner[:4]) in (b"nclx", b"nclc"):
            primaries, transfer = struct.unpack_from(">HH", inner, 4)
            return primaries, transfer
    return None


def _window(entry: memoryview) -> Window | None:
    """`clap` (ISO/IEC 14496-12, 12.1.4): a width, a height, and how far its middle lies off the picture's."""
    box = _first(entry[VISUAL_ENTRY:], b"clap")
    if box is None:
        return None
    numbers = struct.unpack_from(">8i", box)
    if min(numbers[1::2]) < 1:
        return None
    stored = struct.unpack_from(">HH", entry, VISUAL_SIZE)
    wide, high, off_x, off_y = (a / b for a, b in zip(numbers[::2], numbers[1::2], strict=True))
    size = round(wide), round(high)
    corner = round((stored[0] - wide) / 2 + off_x), round((stored[1] - high) / 2 + off_y)
    inside = all(a >= 0 and 0 < b <= c - a for a, b, c in zip(corner, size, stored, strict=True))
    return Window(*corner, *size) if inside else None


def _aspect(entry: memoryview, window: Window, shown: tuple[int, int]) -> float | None:
    """Of a pixel: as `pasp` says, or else as the track's size asks for, which some writers give of the window and some
    of the whole picture: what makes pixels squarer."""
    box = _first(entry[VISUAL_ENTRY:], b"pasp")
    if box is not None:
        across, down = struct.unpack_from(">II", box)
        return across / down if across and down else None
    sizes = struct.unpack_from(">HH", entry, VISUAL_SIZE), (window.width, window.height)
    ways = [shown[0] * high / (shown[1] * wide) for wide, high in sizes if shown[1] * wide and shown[0] * high]
    return min(ways, key=lambda way: abs(math.log(way)), default=None)
