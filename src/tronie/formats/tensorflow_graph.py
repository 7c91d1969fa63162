"""TensorFlow 1's frozen graphs (.pb), read without TensorFlow: nodes, their attributes, their constants.

The file is one protocol buffer message (GraphDef). Its wire format is a list of fields, each a number with a kind and
a value; what is not needed is passed over. A graph is data: nothing in it is run here.
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.formats.safety import Budget, Refused, reading

DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 4: "u1", 5: "<i2", 6: "i1", 9: "<i8", 10: "?", 19: "<f2"}
"""TensorFlow's numbers for kinds of numbers."""
LARGEST = 160_000_000
"""Bytes of a graph, and of all constants that are made of it. Deep3D's have 96 million."""
SPELLED = 64
"""Bytes that a number takes which is spelled out in as few as it needs. Graphs of nets spell shapes and axes only."""

Bytes = memoryview
"""A part of the file."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """The value of an attribute: of several kinds, one is there."""

    text: str | None = None
    whole: int | None = None
    real: float | None = None
    truth: bool | None = None
    dtype: int | None = None
    list: tuple[int, ...] = ()
    """Whole numbers."""
    tensor: NDArray[Any] | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """An operation."""

    name: str
    op: str
    inputs: tuple[str, ...]
    """Names of nodes (`name`, or `name:1` for a second output), those that only order the execution left out."""
    attributes: dict[str, Attribute] = field(default_factory=dict)


def read_graph(file: Path, budget: Budget | None = None) -> dict[str, Node]:
    """The nodes of a frozen graph by name. Raises WeightsError."""
    with reading(file, "a graph of TensorFlow", budget, LARGEST) as budget, file.open("rb") as stream:
        # Not closed by hand: while an error is under way its traceback still looks into it.
        content = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        return parse_graph(memoryview(content), budget)


def parse_graph(data: Bytes, budget: Budget) -> dict[str, Node]:
    """The nodes of a serialised GraphDef by name. Raises Refused, ValueError or IndexError."""
    reader = _Reader(budget)
    nodes: dict[str, Node] = {}
    for number, value in reader.fields(data):
        if number == 1:
            node = reader.node(_part(value))
            if node.name in nodes:
                raise Refused("it is damaged or not a graph of TensorFlow")
            nodes[node.name] = node
    if not nodes:
        raise Refused("it is damaged or not a graph of TensorFlow")
    return nodes


def _varint(data: Bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
        if shift > 63:
            raise Refused("it is damaged or not a graph of TensorFlow")


def _part(value: int | Bytes) -> Bytes:
    if isinstance(value, int):
        raise Refused("it is damaged or not a graph of TensorFlow")
    return value


def _whole(value: int | Bytes) -> int:
    """A signed number."""
    if not isinstance(value, int):
        raise Refused("it is damaged or not a graph of TensorFlow")
    return value - (1 << 64) if value >> 63 else value


@dataclass(slots=True)
class _Reader:
    budget: Budget

    def fields(self, data: Bytes) -> Iterator[tuple[int, int | Bytes]]:
        """Number and value of each field of a message: whole numbers, or bytes (of fixed-size numbers as well)."""
        at = 0
        while at < len(data):
            self.budget.step()
            key, at = _varint(data, at)
            match key & 7:
                case 0:
                    value, at = _varint(data, at)
                    yield key >> 3, value
                    continue
                case 1:
                    size = 8
                case 2:
                    size, at = _varint(data, at)
                case 5:
                    size = 4
                case _:
                    raise Refused("it is damaged or not a graph of TensorFlow")
            if at + size > len(data):
                raise Refused("it is damaged: it ends too early")
            yield key >> 3, data[at : at + size]
            at += size

    def wholes(self, value: int | Bytes) -> list[int]:
        """One number, or several packed into bytes."""
        count = 1 if isinstance(value, int) else len(value)
        self.budget.take(SPELLED * count)
        self.budget.step(count)
        if isinstance(value, int):
            return [_whole(value)]
        found, at = [], 0
        while at < len(value):
            number, at = _varint(value, at)
            found.append(_whole(number))
        return found

    def text(self, value: int | Bytes) -> str:
        self.budget.take(4 * len(_part(value)))
        return bytes(_part(value)).decode("utf-8", "replace")

    def node(self, data: Bytes) -> Node:
        name, op, inputs, attributes = "", "", [], {}
        for number, value in self.fields(data):
            match number:
                case 1:
                    name = self.text(value)
                case 2:
                    op = self.text(value)
                case 3:
                    inputs.append(self.text(value))
                case 5:
                    entry = dict(self.fields(_part(value)))
                    attributes[self.text(entry.get(1, memoryview(b"")))] = self.attribute(
                        _part(entry.get(2, memoryview(b"")))
                    )
        inputs = [i.removesuffix(":0") for i in inputs if not i.startswith("^")]
        return Node(name, op, tuple(inputs), attributes)

    def attribute(self, data: Bytes) -> Attribute:
        for number, value in self.fields(data):
            match number:
                case 1:
                    return Attribute(
                        list=tuple(n for k, v in self.fields(_part(value)) if k == 3 for n in self.wholes(v))
                    )
                case 2:
                    return Attribute(text=self.text(value))
                case 3:
                    return Attribute(whole=_whole(value))
                case 4:
                    return Attribute(real=struct.unpack("<f", _part(value))[0])
                case 5:
                    return Attribute(truth=bool(value))
                case 6:
                    return Attribute(dtype=_whole(value))
                case 8:
                    return Attribute(tensor=self.tensor(_part(value)))
        return Attribute()

    def tensor(self, data: Bytes) -> NDArray[Any] | None:
        """A constant; None for kinds that are not numbers."""
        dtype = ""
        content: Bytes | None = None
        shape: tuple[int, ...] = ()
        several: list[NDArray[Any]] = []
        for number, value in self.fields(data):
            match number:
                case 1:
                    dtype = DTYPES.get(_whole(value), "")
                case 2:
                    shape = self.shape(_part(value))
                case 4:
                    content = _part(value)  # a view: nothing is made
                case 5 | 6:
                    several.append(np.frombuffer(_part(value), "<f4" if number == 5 else "<f8"))
                case 7 | 10 | 11:
                    several.append(np.array(self.wholes(value)))
        if not dtype:
            return None
        count = math.prod(shape)
        if content:
            values = np.frombuffer(content, dtype)
        elif several:
            given = sum(map(len, several))
            self.budget.take(8 * given)
            values = np.concatenate(several).astype(dtype)
            if 0 < given < count:  # the last one counts for the rest
                self.budget.take(count * values.itemsize)
                values = np.concatenate([values, np.broadcast_to(values[-1:], count - given)])
        else:
            values = np.zeros(0, dtype)
        if len(values) != count:
            raise Refused("it is damaged: a constant is longer or shorter than it says")
        return values.reshape(shape)

    def shape(self, data: Bytes) -> tuple[int, ...]:
        found = []
        for number, value in self.fields(data):
            if number == 2:
                sizes = [_whole(v) for k, v in self.fields(_part(value)) if k == 1]
                found.append(sizes[-1] if sizes else 0)
        if any(not 0 <= size < 1 << 40 for size in found) or len(found) > 16:
            raise Refused("it is damaged: a constant has an impossible shape")
        return tuple(found)
