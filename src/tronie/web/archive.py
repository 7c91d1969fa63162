"""Several files of a result as one zip archive, made while it is sent: nothing is packed, nothing written to disk.

The files are packed already (textures, glTF), so they are stored as they are; then the size of the archive is known
before its first byte, and the same result is the same archive. A file's checksum stands before it in the archive, so
each is read twice; the system has it in memory the second time.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PIECE = 1 << 18
"""Bytes that are read at once."""
UTF8 = 1 << 11
"""The flag for names in UTF-8."""
DAY = (1980 - 1980) << 9 | 1 << 5 | 1
"""The first day that the format knows: when something was made is nobody's business."""
FULL32, FULL16 = 0xFFFF_FFFF, 0xFFFF
"""Stands where a number is too large and follows in the larger form (zip64)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the archive."""

    name: str
    """In the archive."""
    path: Path
    bytes: int

    @property
    def large(self) -> bool:
        return self.bytes >= FULL32


def size(entries: Sequence[Entry]) -> int:
    """Bytes of the whole archive."""
    place = directory = 0
    for entry in entries:
        directory += len(_listed(entry, 0, place))
        place += len(_header(entry, 0)) + entry.bytes
    return place + directory + len(_end(len(entries), place, directory))


def pack(entries: Sequence[Entry]) -> Generator[bytes, None, None]:
    """The archive, piece by piece. Raises OSError where a file is gone, or no longer as long as it was."""
    place, listed = 0, []
    for entry in entries:
        checksum = 0
        for piece in _pieces(entry):
            checksum = zlib.crc32(piece, checksum)
        listed.append(_listed(entry, checksum, place))
        header = _header(entry, checksum)
        yield header
        yield from _pieces(entry)
        place += len(header) + entry.bytes
    directory = b"".join(listed)
    yield directory + _end(len(entries), place, len(directory))


def _pieces(entry: Entry) -> Iterator[bytes]:
    left = entry.bytes
    with entry.path.open("rb") as file:
        while left:
            piece = file.read(min(PIECE, left))
            if not piece:
                raise OSError(f"{entry.name} is shorter than it was")
            left -= len(piece)
            yield piece


def _header(entry: Entry, checksum: int) -> bytes:
    """What stands before a file."""
    name = entry.name.encode()
    extra = struct.pack("<HHQQ", 1, 16, entry.bytes, entry.bytes) if entry.large else b""
    length = FULL32 if entry.large else entry.bytes
    version = 45 if entry.large else 20
    fixed = struct.pack(
        "<IHHHHHIIIHH", 0x04034B50, version, UTF8, 0, 0, DAY, checksum, length, length, len(name), len(extra)
    )
    return fixed + name + extra


def _listed(entry: Entry, checksum: int, place: int) -> bytes:
    """What stands of a file in the directory at the end."""
    name, far = entry.name.encode(), place >= FULL32
    more = (struct.pack("<QQ", entry.bytes, entry.bytes) if entry.large else b"") + (
        struct.pack("<Q", place) if far else b""
    )
    extra = struct.pack("<HH", 1, len(more)) + more if more else b""
    length = FULL32 if entry.large else entry.bytes
    version = 45 if more else 20
    made, mode = 3 << 8 | version, 0o100644 << 16  # as on Unix: a plain file, readable
    fixed = struct.pack(
        "<IHHHHHHIIIHHHHHII",
        0x02014B50,
        made,
        version,
        UTF8,
        0,
        0,
        DAY,
        checksum,
        length,
        length,
        len(name),
        len(extra),
        0,
        0,
        0,
        mode,
        min(place, FULL32),
    )
    return fixed + name + extra


def _end(count: int, place: int, length: int) -> bytes:
    """What stands behind the directory, which begins at `place`."""
    large = b""
    if count >= FULL16 or place >= FULL32 or length >= FULL32:
        large = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, count, count, length, place)
        large += struct.pack("<IIQI", 0x07064B50, 0, place + length, 1)
    few = min(count, FULL16)
    return large + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, few, few, min(length, FULL32), min(place, FULL32), 0)
