"""Changes of a file that know nothing of its format: flipped bits, cuts, lengths that lie, parts swapped, repeated."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

LARGEST = 200_000
"""Bytes beyond which no file grows."""
ODD = (0, 1, -1, 2, 3, 4, 7, 8, 16, 127, 128, 255, 256, 1000, 32767, 32768, 65535, 65536, 1 << 20, (1 << 24) - 1,
       (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 40, (1 << 63) - 1, (1 << 64) - 1)  # fmt: skip
"""Numbers at which readers break."""
WORDS = (b"\0", b"\xff" * 4, b"../../outside", b"nan", b"-inf", b"1e999", b"9" * 400, b"%d", b"\xed\xa0\x80", b"\n",
         b'"', b"[" * 3000, b'{"a":' * 3000, b"PK\x05\x06", b"\x1b[31m", b"\xe2\x80\xae")  # fmt: skip
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
WORD = re.compile(rb"[A-Za-z_]{3,}")
Mutator = Callable[[Random, bytearray, Sequence[bytes]], bytearray]


def mutated(rng: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """`data` changed in some places; parts may come from `others`."""
    made = bytearray(data)
    # Most of the time few changes: a file that is wrong everywhere is refused at its first byte.
    for _ in range(min(1 + int(rng.expovariate(0.7)), 12)):
        made = rng.choice(MUTATORS)(rng, made, others)[:LARGEST]
    return bytes(made)


def _place(rng: Random, data: Sequence[int]) -> int:
    """Somewhere; often near the beginning or the end, where headers and lists are."""
    length = len(data)
    match rng.randrange(4):
        case 0:
            return rng.randrange(min(length, 64) + 1)
        case 1:
            return length - rng.randrange(min(length, 64) + 1)
    return rng.randrange(length + 1)


def _part(rng: Random, data: Sequence[int]) -> tuple[int, int]:
    """Beginning and end of a part, mostly a short one."""
    begin = _place(rng, data)
    return begin, min(len(data), begin + (1 << rng.randrange(13)))


def _bit(rng: Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    if data:
        data[min(_place(rng, data), len(data) - 1)] ^= 1 << rng.randrange(8)
    return data


def _byte(rng: Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    if data:
        data[min(_place(rng, data), len(data) - 1)] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
    return data


def _integer(rng: Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    """A number of 2, 4 or 8 bytes that is at the edge of what there is."""
    size, order = rng.choice((2, 4, 4, 8)), rng.choice(("big", "little"))
    at = _place(rng, data)
    value = rng.choice((*ODD, len(data), len(data) - at, rng.getrandbits(8 * size)))
    return _written(data, at, value, size, order)


def _length(rng: Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    """A number that may be a length, because so many bytes and more follow, made to lie."""
    for _ in range(20):
        at, size, order = _place(rng, data), rng.choice((2, 4)), rng.choice(("big", "little"))
        told = int.from_bytes(data[at : at + size], order)
        if 3 < told <= len(data) - at:
            lie = rng.choice((told + 1, told - 1, 2 * told, 0, told // 2, len(data) - at, *ODD))
            return _written(data, at, lie, size, order)
    return data


def _written(data: bytearray, at: int, value: int, size: int, order: str) -> bytearray:
    data[at : at + size] = (value % (1 << 8 * size)).to_bytes(size, "big" if order == "big" else "little")
    return data


def _cut(rng: Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    return data[: _place(rng, data)]


def _removed(rng: Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    begin, end = _part(rng, data)
    del data[begin:end]
    return data


def _repeated(rng: Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    begin, end = _part(rng, data)
    times = rng.choice((2, 3, 10, 300))
    data[begin:end] = data[begin:end] * min(times, max(1, LARGEST // max(1, end - begin)))
    return data


def _swapped(rng: Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    (a, b), (c, d) = sorted((_part(rng, data), _part(rng, data)))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:] if b <= c else data


def _spliced(rng: Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    """A part of another file in the place of one of this."""
    if others:
        other = rng.choice(others)
        (a, b), (c, d) = _part(rng, data), _part(rng, other)
        data[a:b] = other[c:d]
    return data


def _noise(rng: Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    begin, end = _part(rng, data)
    data[begin:end] = rng.randbytes(end - begin)
    return data


def _word(rng: Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    at = _place(rng, data)
    data[at : at + rng.choice((0, 1, 8))] = rng.choice(WORDS)
    return data


def _spelled(rng: Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    """A number in a text."""
    found = [m.span() for m in NUMBER.finditer(data[:20_000])]
    if found:
        begin, end = rng.choice(found)
        data[begin:end] = rng.choice((*(str(n).encode() for n in ODD), b"1e999", b"-0.0", b"9" * 5000, b""))
    return data


def _renamed(rng: Random, data: bytearray, others: Sequence[bytes]) -> bytearray:
    """A word in the place of another one of the file."""
    found = [m.span() for m in WORD.finditer(data[:20_000])]
    if found:
        (a, b), (c, d) = rng.choice(found), rng.choice(found)
        data[a:b] = data[c:d]
    return data


MUTATORS: tuple[Mutator, ...] = (
    _bit, _byte, _integer, _integer, _length, _length, _cut, _removed, _repeated, _swapped, _spliced, _noise, _word,
    _spelled, _renamed,
)  # fmt: skip
