"""PNG files taken apart by ourselves (ISO/IEC 15948): what is told beside the pixels, and pixels of 16 bits.

Chunks that have nothing to do with the picture are stepped over, however large or broken they are. Pictures of 16 bits
are decoded row by row and averaged on the way, so that a large one is never in memory whole.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tronie.io.pixels import LARGEST
from tronie.runtime.jit import jit

MAGIC, END = b"\x89PNG\r\n\x1a\n", b"\0\0\0\0IEND\xaeB`\x82"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Colour type -> numbers of a pixel."""
NEEDED = (b"IHDR", b"PLTE", b"tRNS", b"IDAT")
TOLD = (b"IHDR", b"sBIT", b"cICP", b"iCCP", b"tRNS", b"eXIf", b"tEXt", b"zTXt", b"iTXt")
"""What Pillow is shown of a file; the rest is read here or not at all."""
MOST_CHUNKS = 1_000_000
SMALL = 1_000_000
"""Bytes of a chunk that is taken into memory."""
BAND_BYTES = 8_000_000
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Adam7: first x and y, steps in x and y."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Where a chunk lies in the file."""

    kind: bytes
    start: int
    """Of its length, eight bytes before its data."""
    length: int
    """Of its data."""


@dataclass(frozen=True, slots=True)
class Png:
    """A PNG but for its pixels."""

    size: tuple[int, int]
    """Width, height, pixels."""
    depth: int
    """Bits of a number."""
    color: int
    """Colour type: a key of CHANNELS."""
    interlaced: bool
    chunks: tuple[Chunk, ...]
    """Those that are needed, in order."""
    bits: int | None = None
    """Significant bits (sBIT)."""
    coding: tuple[int, int] | None = None
    """Code points of primaries and transfer function (cICP)."""
    profile: bytes | None = None
    key: tuple[int, ...] | None = None
    """The colour that is see-through (tRNS of 16 bits)."""
    exif: bytes | None = None
    xmp: bytes | None = None

    @property
    def channels(self) -> int:
        return CHANNELS[self.color]


def take_apart(stream: BinaryIO) -> Png:
    """What a PNG says; raises ValueError for what is none."""
    stream.seek(0)
    if stream.read(8) != MAGIC:
        raise ValueError("no PNG signature")
    header: tuple[Any, ...] | None = None
    chunks: list[Chunk] = []
    told: dict[bytes, bytes] = {}
    for _ in range(MOST_CHUNKS):
        start = stream.tell()
        head = stream.read(8)
        if len(head) < 8:
            break
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IEND":
            break
        small = length <= (LARGEST if kind == b"iCCP" else SMALL)
        if kind in TOLD and small:
            body = stream.read(length)
            if kind == b"IHDR" and header is None:
                header = struct.unpack(">IIBBBBB", body[:13])
            elif kind == b"iTXt":
                if body.startswith(b"XML:com.adobe.xmp\0\0"):
                    told[kind] = body
            elif kind in (b"tEXt", b"zTXt"):
                if (exif := _exif_in_text(kind, body)) is not None:
                    told.setdefault(b"eXIf", exif)
            else:
                told[kind] = body
        if kind in NEEDED and (small or kind == b"IDAT"):
            chunks.append(Chunk(kind, start, length))
        stream.seek(start + length + 12)
    if header is None or header[3] not in CHANNELS:
        raise ValueError("no PNG header")
    width, height, depth, color, _, _, interlace = header
    sbit, cicp, trns = told.get(b"sBIT"), told.get(b"cICP"), told.get(b"tRNS")
    return Png(
        size=(width, height),
        depth=depth,
        color=color,
        interlaced=bool(interlace),
        chunks=tuple(chunks),
        bits=max(sbit) if sbit else None,
        coding=(cicp[0], cicp[1]) if cicp and len(cicp) == 4 else None,
        profile=_profile(told.get(b"iCCP")),
        key=struct.unpack(f">{len(trns) // 2}H", trns) if trns and color in (0, 2) and len(trns) in (2, 6) else None,
        exif=told.get(b"eXIf"),
        xmp=told.get(b"iTXt"),
    )


def plain_png(stream: BinaryIO, png: Png) -> BinaryIO:
    """The same picture as a file that holds nothing else; its IDAT data are read when they are asked for."""
    return io.BufferedReader(_Excerpt(stream, png.chunks))


class _Excerpt(io.RawIOBase):
    """Signature, chosen chunks and an end, as one file."""

    def __init__(self, stream: BinaryIO, chunks: tuple[Chunk, ...]) -> None:
        self._stream = stream
        self._parts: list[tuple[int, bytes | int, int]] = []
        """Where each part begins here; its bytes, or where it begins in the file; its length."""
        self._at = self._length = 0
        self._add(MAGIC, len(MAGIC))
        for chunk in chunks:
            self._add(chunk.start, chunk.length + 12)
        self._add(END, len(END))
        self._part = 0

    def _add(self, part: bytes | int, length: int) -> None:
        self._parts.append((self._length, part, length))
        self._length += length

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = max(0, offset + (0, self._at, self._length)[whence])
        self._part = 0
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        while self._part < len(self._parts):
            begin, what, length = self._parts[self._part]
            if self._at < begin + length:
                inside = self._at - begin
                wanted = min(len(buffer), length - inside)
                if isinstance(what, bytes):
                    data = what[inside : inside + wanted]
                else:
                    self._stream.seek(what + inside)
                    data = self._stream.read(wanted)
                buffer[: len(data)] = data
                self._at += len(data)
                return len(data)
            self._part += 1
        return 0


def deep_pixels(stream: BinaryIO, png: Png, factor: int = 1) -> NDArray[np.uint16]:
    """(H, W, 1 to 4) of a PNG of 16 bits, each the mean of factor x factor pixels (of one, if it is interlaced).

    A see-through colour becomes opacity. Raises ValueError or zlib.error where the file is damaged.
    """
    width, height = png.size
    extra = 1 if png.key is not None else 0
    rows = _Rows(stream, png)
    if png.interlaced:
        out = np.zeros((height, width, png.channels + extra), np.uint16)
        for x, y, dx, dy in PASSES:
            inner = out[y::dy, x::dx]
            if inner.size:
                for top, band in rows.bands(inner.shape[1], inner.shape[0], 1):
                    inner[top : top + len(band)] = _with_key(band, png.key)
        return np.ascontiguousarray(out[::factor, ::factor])
    from tronie.io.pixels import averaged

    out = np.empty((-(-height // factor), -(-width // factor), png.channels + extra), np.uint16)
    for top, band in rows.bands(width, height, factor):
        small = averaged(_with_key(band, png.key), factor)
        out[top // factor : top // factor + len(small)] = small
    return out


def _with_key(band: NDArray[np.uint16], key: tuple[int, ...] | None) -> NDArray[np.uint16]:
    if key is None:
        return band
    alpha = np.where((band == np.array(key[: band.shape[2]], np.uint16)).all(axis=2), 0, 65535).astype(np.uint16)
    return np.dstack([band, alpha])


class _Rows:
    """The stream of filtered rows in the IDAT chunks."""

    def __init__(self, stream: BinaryIO, png: Png) -> None:
        self._stream, self._step = stream, 2 * png.channels
        self._chunks = [chunk for chunk in png.chunks if chunk.kind == b"IDAT"]
        self._inflate = zlib.decompressobj()
        self._rest = b""
        self._at = (0, 0)
        """Chunk, and place in its data."""

    def bands(self, width: int, height: int, factor: int) -> Iterator[tuple[int, NDArray[np.uint16]]]:
        """First row and (n, width, channels) of some rows at a time; n is a multiple of `factor`, but for the end."""
        stride = 1 + width * self._step
        count = max(1, BAND_BYTES // (stride * factor)) * factor
        above = np.zeros(stride - 1, np.uint8)
        for top in range(0, height, count):
            n = min(count, height - top)
            rows = np.frombuffer(self._take(n * stride), np.uint8).reshape(n, stride)
            if rows[:, 0].max() > 4:
                raise ValueError("unknown filter")
            plain = np.empty((n, stride - 1), np.uint8)
            _unfilter(rows, above, self._step, plain)
            above = plain[-1]
            yield top, plain.view(">u2").astype(np.uint16).reshape(n, width, -1)

    def _take(self, count: int) -> bytearray:
        out = bytearray()
        while len(out) < count:
            data = self._rest or self._compressed()
            if self._inflate.eof or not data:  # at its end zlib may still name a tail
                raise ValueError("its picture data end early")
            out += self._inflate.decompress(data, count - len(out))
            self._rest = self._inflate.unconsumed_tail
        return out

    def _compressed(self) -> bytes:
        number, place = self._at
        while number < len(self._chunks):
            chunk = self._chunks[number]
            if place < chunk.length:
                self._stream.seek(chunk.start + 8 + place)
                data = self._stream.read(min(1 << 16, chunk.length - place))
                self._at = (number, place + len(data)) if data else (number + 1, 0)
                if data:
                    return data
            number, place = number + 1, 0
            self._at = (number, 0)
        return b""


@jit
def _unfilter(rows: Any, above: Any, step: int, out: Any) -> None:
    """PNG's filters backwards: none, sub, up, average, Paeth. The row above the first is `above`."""
    for i in range(rows.shape[0]):
        kind, row, now = rows[i, 0], rows[i, 1:], out[i]
        before = above if i == 0 else out[i - 1]
        length = row.shape[0]
        if kind == 0:
            for x in range(length):
                now[x] = row[x]
        elif kind == 1:
            for x in range(step):
                now[x] = row[x]
            for x in range(step, length):
                now[x] = np.uint8(row[x] + now[x - step])
        elif kind == 2:
            for x in range(length):
                now[x] = np.uint8(row[x] + before[x])
        elif kind == 3:
            for x in range(step):
                now[x] = np.uint8(row[x] + (before[x] >> 1))
            for x in range(step, length):
                now[x] = np.uint8(row[x] + ((np.int32(now[x - step]) + np.int32(before[x])) >> 1))
        else:
            for x in range(step):
                now[x] = np.uint8(row[x] + before[x])
            for x in range(step, length):
                left, top, corner = np.int32(now[x - step]), np.int32(before[x]), np.int32(before[x - step])
                a, b, c = abs(top - corner), abs(left - corner), abs(left + top - 2 * corner)
                now[x] = np.uint8(row[x] + (left if a <= b and a <= c else (top if b <= c else corner)))


def _profile(body: bytes | None) -> bytes | None:
    """The ICC profile of an iCCP chunk."""
    if body is None:
        return None
    _, _, packed = body.partition(b"\0")
    return _inflated(packed[1:], LARGEST)


def _exif_in_text(kind: bytes, body: bytes) -> bytes | None:
    """EXIF as ImageMagick writes it: as hexadecimal text."""
    keyword, _, text = body.partition(b"\0")
    if keyword not in (b"Raw profile type exif", b"Raw profile type APP1"):
        return None
    plain = _inflated(text[1:], SMALL) if kind == b"zTXt" else text
    try:
        data = bytes.fromhex(b"".join((plain or b"").split(b"\n")[3:]).decode("ascii"))
    except ValueError:
        return None
    return data or None


def _inflated(packed: bytes, most: int) -> bytes | None:
    """What a stream unpacks to, if that is no more than `most` bytes and sound."""
    inflate = zlib.decompressobj()
    try:
        data = inflate.decompress(packed, most)
    except zlib.error:
        return None
    return data if inflate.eof else None
