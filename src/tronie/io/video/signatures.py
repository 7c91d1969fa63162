"""Which kind of video a file is by its first bytes, and whether the end of it is missing.

FFmpeg guesses by content too, but it also knows playlists, lists of other files and scripts, which a stranger's file
must not be: what is none of these kinds is not given to it.
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

HEAD = 512
"""Bytes that `container_of` wants."""
PICTURES = frozenset(
    (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
)
"""Brands of files that are made of the same boxes as videos, and are pictures."""
RAW_BRAND = b"crx "
MOST_BOXES = 10_000


def container_of(head: bytes) -> str | None:
    """The first bytes of a file -> the usual ending of its kind of video, without the dot; None where it is none."""
    kind = head[4:8]
    if kind == b"ftyp":
        brand = head[8:12]
        if brand in PICTURES or brand in (RAW_BRAND, b"jxl ", b"jp2 "):
            return None
        return "mov" if brand == b"qt  " else "3gp" if brand[:2] == b"3g" else "mp4"
    if kind in (b"moov", b"mdat", b"wide", b"pnot"):
        return "mov"
    if head[:4] == b"\x1aE\xdf\xa3":
        return "webm" if b"webm" in head[:64] else "mkv"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    if head[:4] == b"OggS":
        return "ogv"
    if head[:3] == b"FLV":
        return "flv"
    if head[:8] == b"\x30\x26\xb2\x75\x8e\x66\xcf\x11":
        return "wmv"
    if head[:4] == b"\0\0\1\xba":
        return "mpg"
    for start in (0, 4):
        if len(head) > start + 376 and all(head[start + packet * (188 + start)] == 0x47 for packet in range(2)):
            return "ts" if not start else "mts"
    return None


def cut_off(stream: BinaryIO) -> bool:
    """Whether a video says that it is longer than its file. Kinds that do not say are taken for whole."""
    length = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    head = stream.read(HEAD)
    try:
        if head[:4] == b"RIFF":
            size = int(struct.unpack_from("<I", head, 4)[0])
            return size + 8 > length + 1 and size != 0xFFFFFFFF
        if head[:4] == b"\x1aE\xdf\xa3":
            return _matroska(head, length)
        if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"pnot"):
            return _boxes(stream, length)
    except (struct.error, IndexError):
        return True
    return False


def _boxes(stream: BinaryIO, length: int) -> bool:
    """ISO/IEC 14496-12, 4.2: the boxes of the file itself, one of which says what is in it."""
    at, told = 0, False
    for _ in range(MOST_BOXES):
        if at >= length:
            return at > length or not told
        stream.seek(at)
        size, kind = struct.unpack(">I4s", stream.read(8))
        if size == 1:
            size = struct.unpack(">Q", stream.read(8))[0]
        elif size == 0:  # to the end
            size = length - at
        if size < 8:
            # Zeros are left behind the last box by some cameras.
            return not told
        at += size
        told = told or kind == b"moov"
    return at > length or not told


def _matroska(head: bytes, length: int) -> bool:
    """RFC 8794: an element is its name, its size and its content; the second one is the whole segment."""
    at = 4
    size, at = _number(head, at)
    at += size
    if head[at : at + 4] != b"\x18\x53\x80\x67":
        return True
    wide = 8 - head[at + 4].bit_length() + 1
    size, at = _number(head, at + 4)
    unknown = size == (1 << 7 * wide) - 1
    return not unknown and at + size > length


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of 1 to 8 bytes, and where it ends."""
    wide = 8 - data[at].bit_length() + 1
    if wide > 8:
        raise IndexError(at)
    value = int.from_bytes(data[at : at + wide]) & ((1 << 7 * wide) - 1)
    if len(data) < at + wide:
        raise IndexError(at)
    return value, at + wide
