"""What the boxes of an MP4 or QuickTime file say of its pictures (ISO/IEC 14496-12), for a reader that does not tell.

A file is not to be trusted: only `moov` is read, up to `MOST_BYTES`, every length is held against what there is, and
what makes no sense is as if it were not there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MOST_BYTES, MOST_BOXES, MOST_EDITS = 64 << 20, 4096, 10_000
SAMPLE_ENTRY, VISUAL_ENTRY = 8, 78
"""Bytes before the entries of `stsd`, and before the boxes in one of pictures."""


@dataclass(frozen=True, slots=True)
class TrackInfo:
    """Of the first track of pictures."""

    seconds: float | None = None
    """How long its edit list shows it."""
    coding: tuple[int, int] | None = None
    """Code points of primaries and transfer function (ITU-T H.273)."""


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
            return TrackInfo(_edited(track, movie), _coding(track))
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


def _coding(track: memoryview) -> tuple[int, int] | None:
    kinds = _first(track, b"mdia", b"minf", b"stbl", b"stsd")
    entry = None if kinds is None else next(_boxes(kinds[SAMPLE_ENTRY:]), None)
    for kind, inner in () if entry is None else _boxes(entry[1][VISUAL_ENTRY:]):
        if kind == b"colr" and bytes(inner[:4]) in (b"nclx", b"nclc"):
            primaries, transfer = struct.unpack_from(">HH", inner, 4)
            return primaries, transfer
    return None
