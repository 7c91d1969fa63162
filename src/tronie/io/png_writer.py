"""A PNG writer for large, already smooth pictures: a fifth of the time of libpng at its fastest.

PNG (ISO/IEC 15948) is a filter of each row, then DEFLATE (RFC 1951). Photographic rows hold few repetitions worth
searching for, so the search is left out: bytes become Huffman codes, and only runs of one byte become a match.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Image
from tronie.runtime.jit import jit

SUB, UP, PAETH = 1, 2, 4
END_OF_BLOCK = 256
BLOCK = 16
"""Bytes looked at together: they are all one run, or all single codes."""
SAMPLE = 4
"""The codes are made from every fourth stretch of STRETCH bytes: 0.2 % longer files, in a quarter of the time."""
STRETCH = 300 * BLOCK
LONGEST_CODE = 15
FIVE, LOW = np.uint64(5), np.uint64(31)
"""A word is a code above the five bits of its length."""
CODE_LENGTH_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)


def encode_png(
    image: Image,
    palette: NDArray[np.uint8] | None = None,
    texts: dict[str, str] | None = None,
    chunks: Sequence[bytes] = (),
) -> bytes:
    """(H, W) grey or indices into `palette` (n, 3), (H, W, 3) RGB or (H, W, 4) RGBA as a PNG; `texts`: tEXt chunks, and
    other `chunks` that are made already."""
    pixels = np.ascontiguousarray(image)
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    fits = pixels.dtype == np.uint8 and channels in (1, 3, 4) and pixels.size > 0
    if not fits or (palette is not None and channels > 1):
        raise ValueError("a PNG is made of uint8 (H, W), (H, W, 3) or (H, W, 4)")
    height, width = pixels.shape[:2]
    color = 3 if palette is not None else {1: 0, 3: 2, 4: 6}[channels]
    rows = np.empty((height, 1 + width * channels), dtype=np.uint8)
    _filter(pixels.reshape(height, -1), channels, UP if channels == 1 else PAETH, rows)
    parts = [b"\x89PNG\r\n\x1a\n", _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0))]
    if palette is not None:
        parts.append(_chunk(b"PLTE", np.ascontiguousarray(palette, dtype=np.uint8).tobytes()))
    for key, text in (texts or {}).items():
        parts.append(text_chunk(key, text))
    parts += [*chunks, _chunk(b"IDAT", deflate(rows.reshape(-1))), _chunk(b"IEND", b"")]
    return b"".join(parts)


def text_chunk(key: str, text: str) -> bytes:
    """A tEXt chunk: what a reader may show of the file."""
    return _chunk(b"tEXt", key.encode("latin-1") + b"\0" + text.encode("latin-1", errors="replace"))


def xmp_chunk(source_type: str, description: str) -> bytes:
    """XMP (ISO 16684-1) in an iTXt chunk: a description, and of what kind of source a picture is (IPTC 2.0)."""
    packet = (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
        f"<Iptc4xmpExt:DigitalSourceType>{escape(source_type)}</Iptc4xmpExt:DigitalSourceType>"
        f'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{escape(description)}</rdf:li></rdf:Alt>'
        '</dc:description></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    )
    return _chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet.encode())


def _chunk(kind: bytes, data: bytes) -> bytes:
    return b"".join([struct.pack(">I", len(data)), kind, data, struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))])


def deflate(data: NDArray[np.uint8]) -> bytes:
    """(N,) bytes as a zlib stream (RFC 1950): one block with Huffman codes of its own."""
    counts = np.zeros(286, dtype=np.int64)
    _count(data, SAMPLE if len(data) > 20 * SAMPLE * STRETCH else 1, _LENGTH_SYMBOL, counts)
    # What was not sampled may occur all the same: every byte, the lengths of runs and the end need a code.
    counts[:256] += 1
    counts[_RUN_SYMBOLS] += 1
    counts[END_OF_BLOCK] = 1
    lengths = code_lengths(counts)
    words = _words(canonical(lengths), lengths.astype(np.uint64))
    # A match is its length's code, the extra bits, and one bit, 0, for the distance.
    code, bits = words[_LENGTH_SYMBOL] >> FIVE, words[_LENGTH_SYMBOL] & LOW
    matches = _words(code | (_LENGTH_REST << bits), bits + _LENGTH_EXTRA + np.uint64(1))
    header, start = _block_header(lengths)
    # Every word that counts is written, so the memory need not be cleared, nor is what is not used ever touched.
    out = np.empty((len(header) + len(data) * LONGEST_CODE // 8) // 8 + 16, dtype=np.uint64)
    at = start // 64
    out[: at + 1] = np.frombuffer(header.ljust(8 * at + 8, b"\0"), dtype="<u8")
    end = _emit(data, words, _pairs(words[:256]), matches, out, at, np.uint64(start % 64))
    body = out.astype("<u8", copy=False).view(np.uint8).data[: (end + 7) // 8]
    return b"".join([b"\x78\x01", body, struct.pack(">I", _adler(data))])


def code_lengths(counts: NDArray[np.int64], longest: int = LONGEST_CODE) -> NDArray[np.uint8]:
    """Bits of the best prefix code, none above `longest`, of each symbol; 0 where it does not occur.

    Package-merge (Larmore & Hirschberg 1990): a symbol of length n is a coin of each of the values 2^-1 .. 2^-n;
    the cheapest coins worth (symbols - 1) are bought, by merging pairs from the smallest value upwards.
    """
    used = np.flatnonzero(counts)
    lengths = np.zeros(len(counts), dtype=np.uint8)
    if len(used) < 2:
        lengths[used] = 1
        return lengths
    order = used[np.argsort(counts[used], kind="stable")]
    cost = counts[order].astype(np.int64)
    pairs = cost[:0]
    merged = []  # of each value from the smallest: which of its coins, by cost, are pairs of smaller ones
    for _ in range(longest):
        both = np.concatenate([cost, pairs])
        rank = np.argsort(both, kind="stable")
        both = both[rank]
        merged.append(rank >= len(cost))
        pairs = both[0 : len(both) - 1 : 2] + both[1::2]
    bought = 2 * len(order) - 2
    for is_pair in reversed(merged):
        smaller = int(is_pair[:bought].sum())
        lengths[order[: bought - smaller]] += 1
        bought = 2 * smaller
    return lengths


def canonical(lengths: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The codes that belong to the lengths (RFC 1951, 3.2.2), bits reversed as the stream wants them."""
    codes = np.zeros(len(lengths), dtype=np.uint64)
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    # A code is the one before it plus one, lengthened: each takes 2^-length of all that can be said.
    share = 1 << (LONGEST_CODE - lengths[order].astype(np.int64))
    first = np.cumsum(share) - share
    reverse = ((first[:, None] >> np.arange(LONGEST_CODE)) & 1) << np.arange(LONGEST_CODE - 1, -1, -1)
    codes[order] = reverse.sum(axis=1)
    return codes


def _block_header(lengths: NDArray[np.uint8]) -> tuple[bytes, int]:
    """The first bits of a last block with dynamic codes (RFC 1951, 3.2.7): bytes, and how many bits count.

    The only distance is 1 (code 0, one bit). The code lengths are written plainly, each by a code of its own.
    """
    sequence = np.append(lengths, 1)
    meta = code_lengths(np.bincount(sequence, minlength=19), 7)
    numbers = [1, 2, len(lengths) - 257, 0, 15, *meta[list(CODE_LENGTH_ORDER)], *canonical(meta)[sequence]]
    sizes = [1, 2, 5, 5, 4, *([3] * 19), *meta[sequence]]
    bits = np.asarray(numbers, np.int64)[:, None] >> np.arange(7) & 1
    stream = bits[np.arange(7) < np.asarray(sizes)[:, None]].astype(np.uint8)
    return np.packbits(stream, bitorder="little").tobytes(), len(stream)


def _words(codes: NDArray[np.uint64], lengths: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Codes with their lengths in the lowest five bits."""
    return (codes << FIVE) | lengths


def _pairs(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The words of any two bytes that follow each other, the first the lower: (65536,)."""
    one, two = words[None, :], words[:, None]
    length = one & LOW
    return _words((one >> FIVE) | ((two >> FIVE) << length), length + (two & LOW)).reshape(-1)


def _length_tables() -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.uint64]]:
    """For match lengths 0..258: symbol, number of extra bits, their value (RFC 1951, 3.2.5)."""
    symbol, extra, rest = np.zeros(259, np.int64), np.zeros(259, np.uint64), np.zeros(259, np.uint64)
    length = 3
    for code in range(257, 285):
        bits = max((code - 261) // 4, 0)
        for k in range(1 << bits):
            if length + k <= 258:
                symbol[length + k], extra[length + k], rest[length + k] = code, bits, k
        length += 1 << bits
    symbol[258], extra[258], rest[258] = 285, 0, 0
    return symbol, extra, rest


_LENGTH_SYMBOL, _LENGTH_EXTRA, _LENGTH_REST = _length_tables()
_RUN_SYMBOLS = np.unique(_LENGTH_SYMBOL[BLOCK::BLOCK])


@jit
def _filter(pixels: Any, step: int, kind: int, out: Any) -> None:
    """PNG's row filters; the first row has zeros above it, the first pixel zeros at its left."""
    height, width = pixels.shape
    for i in range(height):
        row = out[i]
        row[0] = kind
        if i == 0:
            row[0] = SUB
            for x in range(step):
                row[1 + x] = pixels[0, x]
            for x in range(step, width):
                row[1 + x] = pixels[0, x] - pixels[0, x - step]
            continue
        now, above = pixels[i], pixels[i - 1]
        if kind == UP:
            for x in range(width):
                row[1 + x] = now[x] - above[x]
            continue
        for x in range(step):
            row[1 + x] = now[x] - above[x]
        # Paeth picks of left, above and above-left the nearest to left + above - corner. In bytes, with no branch and
        # without a wider number, the compiler makes vectors of it: 1.3 ms for 12 MB instead of 26.
        ahead, after, left, top, corner = row[1 + step :], now[step:], now[:-step], above[step:], above[:-step]
        for x in range(width - step):
            a, b, c = left[x], top[x], corner[x]
            to_a, to_b = np.uint8(max(b, c) - min(b, c)), np.uint8(max(a, c) - min(a, c))
            near, far = min(to_a, to_b), max(to_a, to_b)
            between = c > min(a, b) and c < max(a, b) and np.uint8(far - near) < near
            ahead[x] = np.uint8(after[x] - (c if between else (a if to_a <= to_b else b)))


@jit
def _run(data: Any, i: int) -> int:
    """How many whole blocks from `i` on repeat the byte before `i`, in bytes, up to 256.

    Only blocks, because asking at every byte costs more time (a branch that cannot be foretold) than the shorter
    runs save room: 5 % in a photo.
    """
    last = data[i - 1]
    n = 0
    while n < 256 and i + n + BLOCK <= data.shape[0]:
        other = np.uint8(0)
        for byte in data[i + n : i + n + BLOCK]:
            other |= byte ^ last
        if other:
            return n
        n += BLOCK
    return n


@jit
def _count(data: Any, every: int, symbol: Any, counts: Any) -> None:
    """How often each literal and length symbol occurs in one of `every` stretches.

    Four tables, so that equal neighbours do not wait for each other.
    """
    tables = np.zeros((4, 256), np.int64)
    for begin in range(1, data.shape[0], every * STRETCH):
        end = min(begin + STRETCH, data.shape[0])
        i = begin
        while i + BLOCK <= end:
            n = _run(data, i)
            if n:
                counts[symbol[n]] += 1
                i += n
                continue
            for k in range(i, i + BLOCK, 4):
                tables[0, data[k]] += 1
                tables[1, data[k + 1]] += 1
                tables[2, data[k + 2]] += 1
                tables[3, data[k + 3]] += 1
            i += BLOCK
    for number in range(256):  # one by one: what numba says of slices that do not match takes it two seconds to compile
        counts[number] += tables[0, number] + tables[1, number] + tables[2, number] + tables[3, number]


@jit
def _emit(data: Any, words: Any, pairs: Any, matches: Any, out: Any, at: Any, filled: Any) -> Any:
    """Write all symbols from bit `filled` of word `at` on, and the end of the block; the length so far in bits.

    `words` holds for each symbol its code and, in the lowest five bits, the code's length; `pairs` the same for any
    two bytes, `matches` for each match length (with its extra bits and the distance).
    """
    i = min(1, data.shape[0])
    bits = out[at]
    for k in range(i):
        at, bits, filled = _put(words[data[k]] >> FIVE, words[data[k]] & LOW, out, at, bits, filled)
    while i + BLOCK <= data.shape[0]:
        n = _run(data, i)
        if n:
            at, bits, filled = _put(matches[n] >> FIVE, matches[n] & LOW, out, at, bits, filled)
            i += n
            continue
        for k in range(i, i + BLOCK, 4):
            one = pairs[np.uint64(data[k]) | (np.uint64(data[k + 1]) << np.uint64(8))]
            two = pairs[np.uint64(data[k + 2]) | (np.uint64(data[k + 3]) << np.uint64(8))]
            code, length = (one >> FIVE) | ((two >> FIVE) << (one & LOW)), (one & LOW) + (two & LOW)
            at, bits, filled = _put(code, length, out, at, bits, filled)
        i += BLOCK
    for k in range(i, data.shape[0] + 1):
        word = words[data[k]] if k < data.shape[0] else words[END_OF_BLOCK]
        at, bits, filled = _put(word >> FIVE, word & LOW, out, at, bits, filled)
    out[at] = bits
    return at * 64 + np.int64(filled)


@jit
def _put(code: Any, length: Any, out: Any, at: Any, bits: Any, filled: Any) -> Any:
    """`bits`, of which the lowest `filled` count (fewer than 64), with a code of up to 60 bits behind them. The word is
    stored in any case, and begun anew where it is full: a branch would be foretold wrongly too often."""
    bits |= code << filled
    out[at] = bits
    filled += length
    full = filled >> np.uint64(6)
    filled &= np.uint64(63)
    return at + np.int64(full), (code >> (length - filled)) if full else bits, filled


@jit
def _adler(data: Any) -> Any:
    """The checksum of RFC 1950: as zlib's, in a third of the time."""
    a, b, base = np.uint64(1), np.uint64(0), np.uint64(65521)
    for begin in range(0, data.shape[0], 4096):  # as many as the sums of 32 bits have room for
        part = data[begin : begin + 4096]
        count = np.uint32(part.shape[0])
        plain, weighted = np.uint32(0), np.uint32(0)
        for k in range(part.shape[0]):
            byte = np.uint32(part[k])
            plain += byte
            weighted += np.uint32(count - np.uint32(k)) * byte
        b = (b + np.uint64(count) * a + np.uint64(weighted)) % base
        a = (a + np.uint64(plain)) % base
    return (b << np.uint64(16)) | a
