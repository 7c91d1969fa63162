"""Photos with a short clip of the moment, as a part of the photo's file or as a film beside it: the photo counts.

Apple's live photos are an `IMG_1.HEIC` (or JPEG) and an `IMG_1.MOV`, both with one identifier; Android's motion photos
have an MP4 behind the JPEG, told of in its XMP, or in a box of the HEIC.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Collection
from typing import BinaryIO

STILLS = frozenset((".heic", ".heif", ".jpg", ".jpeg"))
FILM = ".mov"
"""Endings of the two files of a live photo."""
IDENTIFIER = b"com.apple.quicktime.content.identifier"
"""What a film that belongs to a photo has in its index."""
INDEX = 1 << 19
"""Bytes at the beginning and at the end of a film in which its index is looked for."""
WORDS = (b"MotionPhoto", b"MicroVideo")
"""In the XMP of JPEG files with a film behind them."""
XMP = 1 << 18
"""Bytes at the beginning in which that stands: it is one segment of 64 kB, behind thumbnails and the like."""
BOX = b"mpvd"
"""That of a HEIC in which the film is."""
MOST_BOXES = 1000
NOTE = "a short clip of the moment is part of its file; the photo was used"


def belongs_to_photo(path: str, beside: Collection[str]) -> bool:
    """Whether a film is the clip of a live photo that is among other paths, written alike."""
    stem, ending = os.path.splitext(path)
    if ending.lower() != FILM or not any(stem + e in beside or stem + e.upper() in beside for e in STILLS):
        return False
    try:
        with open(path, "rb") as file:
            if IDENTIFIER in file.read(INDEX):
                return True
            file.seek(max(file.seek(0, os.SEEK_END) - INDEX, 0))
            return IDENTIFIER in file.read(INDEX)
    except OSError:
        return False


def holds_clip(stream: BinaryIO) -> bool:
    """Whether a photo's file has such a clip in it; where the stream is then does not matter."""
    stream.seek(0)
    head = stream.read(XMP)
    if head[:2] == b"\xff\xd8":
        return any(word in head for word in WORDS)
    if head[4:8] != b"ftyp":
        return False
    at = 0
    for _ in range(MOST_BOXES):
        stream.seek(at)
        box = stream.read(16)
        if len(box) < 8:
            return False
        size, kind = struct.unpack_from(">I4s", box)
        if kind == BOX:
            return True
        if size == 1 and len(box) == 16:
            (size,) = struct.unpack_from(">Q", box, 8)
        if size < 8:
            return False
        at += size
    return False
