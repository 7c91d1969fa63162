"""MATLAB's files (.mat, version 5 to 7): arrays of numbers, read without running or believing anything, and written.

A file is a header of 128 bytes and then one element for each variable, possibly compressed by zlib. An element is a tag
(type, bytes) and its data; a variable's holds flags, shape, name and numbers as elements of their own. Cells, texts and
structures are passed over, and an error if they are asked for.
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.formats.safety import Budget, Refused, inflate, reading

STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
"""Types of data elements."""
MATRIX, COMPRESSED = 14, 15
CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
"""Kinds of variables: MATLAB stores doubles that are small whole numbers as such."""
VARIABLE = 20
"""Steps that a variable counts for."""
PEEK = 4096
"""Bytes of a compressed variable that are unpacked to see what it is."""


@dataclass(frozen=True, slots=True)
class _Variable:
    """What stands before a variable's numbers."""

    name: str
    shape: tuple[int, ...]
    kind: int
    """Key of CLASSES, or something else than numbers."""
    imaginary: bool
    start: int
    """Where the numbers' own tag begins."""


def read_mat(file: Path, names: Collection[str] | None = None, budget: Budget | None = None) -> dict[str, NDArray[Any]]:
    """The variables of a file that are numbers, or those of `names` that are there. Raises WeightsError."""
    with (
        reading(file, "a file of MATLAB", budget) as budget,
        file.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        return dict(_variables(content, names, budget))


def _variables(content: mmap.mmap, names: Collection[str] | None, budget: Budget) -> Iterator[tuple[str, NDArray[Any]]]:
    if content[:8] == b"\x89HDF\r\n\x1a\n" or content[512:520] == b"\x89HDF\r\n\x1a\n":
        raise Refused("it is of MATLAB's version 7.3; save it with the option -v7")
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
    if order is None or len(content) < 128:
        raise Refused("it is damaged or not a file of MATLAB")
    position, end = 128, len(content)
    while position < end:
        budget.step(VARIABLE)
        kind, size, start, position = _tag(content, position, order)
        if start + size > end:
            raise Refused("it is damaged: it ends too early")
        if kind == COMPRESSED:
            position = start + size
            whole = memoryview(content)
            packed = whole[start:position]
            try:
                found = _packed(packed, names, order, budget)
            finally:
                packed.release()
                whole.release()
        elif kind == MATRIX:
            found = _unpacked(content, start, start + size, names, order, budget)
        else:
            raise Refused("it is damaged or not a file of MATLAB")
        if found is not None:
            yield found


def _tag(data: Any, position: int, order: str) -> tuple[int, int, int, int]:
    """Type and bytes of an element, where its data begin, and the next one. Up to 4 bytes fit into the tag itself."""
    kind, size = struct.unpack_from(f"{order}II", data, position)
    if kind >> 16:
        return kind & 0xFFFF, kind >> 16, position + 4, position + 8
    return kind, size, position + 8, position + 8 + size + -size % 8


def _head(data: Any, start: int, order: str) -> _Variable:
    """The flags, shape and name of a variable, whose content begins at `start`."""
    kind, size, at, following = _tag(data, start, order)
    if (kind, size) != (6, 8):
        raise Refused("it is damaged or not a file of MATLAB")
    (flags,) = struct.unpack_from(f"{order}I", data, at)
    kind, size, at, following = _tag(data, following, order)
    if kind != 5 or not 8 <= size <= 128:
        raise Refused("it is damaged or not a file of MATLAB")
    shape = struct.unpack_from(f"{order}{size // 4}i", data, at)
    kind, length, at, following = _tag(data, following, order)
    if kind not in (1, 2, 16) or length > 64 or min(shape) < 0:
        raise Refused("it is damaged or not a file of MATLAB")
    name = bytes(data[at : at + length]).decode("ascii", "replace")
    return _Variable(name, shape, flags & 0xFF, bool(flags & 0x800), following)


def _wanted(variable: _Variable, names: Collection[str] | None) -> bool:
    """Whether the numbers of a variable are to be read. What is asked for must be numbers."""
    numbers = variable.kind in CLASSES and not variable.imaginary
    if names is not None and variable.name in names and not numbers:
        raise Refused(f"its {variable.name} is not an array of numbers")
    return numbers and (names is None or variable.name in names)


def _unpacked(
    content: mmap.mmap, start: int, end: int, names: Collection[str] | None, order: str, budget: Budget
) -> tuple[str, NDArray[Any]] | None:
    variable = _head(content, start, order)
    if not _wanted(variable, names):
        return None
    kind, size, at = _numbers_tag(variable, content, order, budget)
    if at + size > end:
        raise Refused("it is damaged: it ends too early")
    return variable.name, _numbers(variable, kind, content[at : at + size], order)


def _packed(
    packed: memoryview, names: Collection[str] | None, order: str, budget: Budget
) -> tuple[str, NDArray[Any]] | None:
    """Unpack no more than is needed to see what it is, then no more than what that says it is."""
    first = inflate(packed, PEEK, budget)
    kind, _, start, _ = _tag(first, 0, order)
    if kind != MATRIX:
        raise Refused("it is damaged or not a file of MATLAB")
    variable = _head(first, start, order)
    if not _wanted(variable, names):
        return None
    kind, size, at = _numbers_tag(variable, first, order, budget)
    data = inflate(packed, at + size, budget)
    if len(data) < at + size:
        raise Refused("it is damaged: it ends too early")
    return variable.name, _numbers(variable, kind, memoryview(data)[at : at + size], order)


def _numbers_tag(variable: _Variable, data: Any, order: str, budget: Budget) -> tuple[int, int, int]:
    """Type and bytes of a variable's numbers, and where they begin. They are as many as its shape says, and taken from
    the budget as they are stored and as they are used."""
    kind, size, at, _ = _tag(data, variable.start, order)
    if kind not in STORED:
        raise Refused("it is damaged or not a file of MATLAB")
    if size != math.prod(variable.shape) * np.dtype(STORED[kind]).itemsize:
        raise Refused(f"it is damaged: its {variable.name} is longer or shorter than it says")
    made = np.dtype(CLASSES[variable.kind])
    budget.take(size + (0 if made == STORED[kind] else math.prod(variable.shape) * made.itemsize))
    return kind, size, at


def _numbers(variable: _Variable, kind: int, data: bytes | memoryview, order: str) -> NDArray[Any]:
    values = np.frombuffer(data, dtype=order + STORED[kind])
    with np.errstate(all="ignore"):  # numbers beyond what the variable's class can hold
        return values.astype(CLASSES[variable.kind], copy=False).reshape(variable.shape, order="F")


def mat_bytes(variables: Mapping[str, NDArray[Any]]) -> bytes:
    """A file of version 5 with these arrays of numbers, not compressed. Those of less than 2 axes become rows."""
    parts = [b"MATLAB 5.0 MAT-file, written by tronie".ljust(116) + bytes(8) + struct.pack("<H2s", 0x0100, b"IM")]
    for name, value in variables.items():
        array = np.atleast_2d(value)
        array = array.astype(np.uint8) if array.dtype == bool else array
        code = array.dtype.str[1:]
        kinds = [k for k, v in CLASSES.items() if v == code]
        if not kinds or not name.isidentifier() or not name.isascii() or len(name) > 31:
            raise ValueError(f"{name} ({array.dtype}) cannot be written to a file of MATLAB")
        stored = next(k for k, v in STORED.items() if v == code)
        body = b"".join(
            (
                _element(6, struct.pack("<II", kinds[0], 0)),
                _element(5, np.asarray(array.shape, dtype="<i4").tobytes()),
                _element(1, name.encode()),
                _element(stored, array.astype(f"<{code}", copy=False).tobytes(order="F")),
            )
        )
        parts.append(_element(MATRIX, body))
    return b"".join(parts)


def _element(kind: int, data: bytes) -> bytes:
    return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)
