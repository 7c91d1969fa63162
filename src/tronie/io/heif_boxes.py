"""How the colours of an AVIF or HEIC file are coded, read from its boxes (ISO/IEC 14496-12, 23008-12).

Only the `meta` box is looked at, as far as it is of a sensible size; what makes no sense ends the search.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MOST_BYTES = 4_000_000
"""Of a `meta` box; those of pictures in thousands of tiles have a few hundred thousand."""
MOST_BOXES = 20_000


@dataclass(frozen=True, slots=True)
class Coded:
    """The main picture's colours."""

    coding: tuple[int, int] | None
    """Code points of primaries and transfer function (`nclx`), where the file gives them."""
    bits: int
    """Of a number."""


def coded(stream: BinaryIO) -> Coded:
    """How the main picture is coded, as far as it can be told."""
    try:
        meta = _meta(stream)
        return Coded(None, 8) if meta is None else _coded(meta)
    except (struct.error, IndexError, OSError, ValueError, OverflowError):
        return Coded(None, 8)


def _meta(stream: BinaryIO) -> bytes | None:
    stream.seek(0)
    for _ in range(MOST_BOXES):
        head = stream.read(16)
        if len(head) < 8:
            return None
        length, kind = struct.unpack_from(">I4s", head)
        header = 8
        if length == 1:
            length, header = struct.unpack_from(">Q", head, 8)[0], 16
        if kind == b"meta":
            stream.seek(header - len(head), 1)
            return stream.read(min(length - header, MOST_BYTES) if length else MOST_BYTES)[4:]
        if length < header:
            return None
        stream.seek(length - len(head), 1)
    return None


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of the boxes in a box."""
    at = count = 0
    while at + 8 <= len(data) and count < MOST_BOXES:
        length, kind = struct.unpack_from(">I4s", data, at)
        header = 8
        if length == 1:
            length, header = struct.unpack_from(">Q", data, at + 8)[0], 16
        length = length or len(data) - at
        if length < header:
            return
        yield kind, data[at + header : at + length]
        at += length
        count += 1


def _coded(meta: bytes) -> Coded:
    """From the main picture's properties, or those of its tiles."""
    inside = dict(_boxes(meta))
    pitm, iprp = inside.get(b"pitm", b""), inside.get(b"iprp", b"")
    main = struct.unpack_from(">I" if pitm[:1] > b"\0" else ">H", pitm, 4)[0] if len(pitm) >= 6 else None
    properties: list[tuple[bytes, bytes]] = []
    owned: list[int] = []
    for kind, content in _boxes(iprp):
        if kind == b"ipco":
            properties = list(_boxes(content))
        elif kind == b"ipma":
            owned += _owned(content, main)
    own = [properties[k - 1] for k in owned if 0 < k <= len(properties)]
    coding, bits = None, 8
    for kind, content in reversed(own if any(kind == b"colr" for kind, _ in own) else [*own, *properties]):
        if kind == b"colr" and content[:4] == b"nclx":
            primaries, transfer = struct.unpack_from(">HH", content, 4)
            coding = primaries, transfer
        elif kind == b"pixi" and len(content) > 5:
            bits = max(content[5 : 5 + content[4]])
    return Coded(coding, bits)


def _owned(ipma: bytes, item: int | None) -> list[int]:
    """Numbers, from 1, of the properties of an item."""
    wide_item, wide_number = ipma[0] > 0, bool(ipma[3] & 1)
    count = struct.unpack_from(">I", ipma, 4)[0]
    at, found = 8, []
    for _ in range(min(count, MOST_BOXES)):
        number = struct.unpack_from(">I" if wide_item else ">H", ipma, at)[0]
        at += 4 if wide_item else 2
        links = ipma[at]
        at += 1
        for _ in range(links):
            link = struct.unpack_from(">H", ipma, at)[0] & 0x7FFF if wide_number else ipma[at] & 0x7F
            at += 2 if wide_number else 1
            if number == item:
                found.append(link)
    return found
