"""PyTorch's checkpoint files (.pth, .pt), read without PyTorch and without running anything that stands in them.

Two formats: since PyTorch 1.6 a zip archive (`*/data.pkl` and one file `*/data/KEY` for each storage); before, five
pickles one after the other (magic number, version, machine, content, keys of the storages) and the storages' bytes.
Nothing is read or made that is larger than what the file really holds.
"""

from __future__ import annotations

import io
import math
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tronie.formats.archive import content as unpacked
from tronie.formats.archive import opened
from tronie.formats.pickle import Global, Machine, Storage, Tensor
from tronie.formats.safety import Budget, Refused, reading

MAGIC = 0x1950A86A20F9469CFC6C
"""First number of the older format."""
VERSION = 1001
PICKLED = 100_000_000
"""Bytes that the pickle may take, without the tensors' numbers. SPARNet's takes 10 million."""
DEPTH_LIMIT = 50
"""Containers inside containers."""
SHARING_LIMIT = 8
"""How often the bytes of a file may be used by its tensors, on average. Tied weights use them twice."""


def read_checkpoint(file: Path) -> Any:
    """What a checkpoint holds: dicts, lists, tuples, numbers, strings, bytes, bools, None, and tensors as read-only
    arrays (bfloat16 as float32), which share memory where the tensors did. Raises WeightsError."""
    with reading(file, "a checkpoint of PyTorch") as budget, file.open("rb") as stream:
        pickled = replace(budget, bytes=min(budget.bytes, PICKLED))
        if stream.peek(4)[:4] == b"PK\x03\x04":
            return _read_zip(stream, pickled, budget)
        return _read_legacy(stream, pickled, budget)


def find_numbers(content: object, anchor: str, depth: int = 3) -> dict[str, NDArray[Any]]:
    """The arrays of a net in what a checkpoint holds, known by the name `anchor` of one of them: also inside other
    dicts (to `depth` of them), and under names that begin with `module.` or the like. Empty when there is none."""
    waiting: list[object] = [content]
    seen: set[int] = set()
    for _ in range(depth + 1):
        # A dict may be in many others; it is looked at once.
        new = {id(value): value for value in waiting if isinstance(value, dict) and id(value) not in seen}
        for one in new.values():
            for key in one:
                if isinstance(key, str) and (key == anchor or key.endswith("." + anchor)):
                    prefix = key.removesuffix(anchor)
                    return {
                        name.removeprefix(prefix): value
                        for name, value in one.items()
                        if isinstance(name, str) and name.startswith(prefix) and isinstance(value, np.ndarray)
                    }
        seen.update(new)
        waiting = [inner for one in new.values() for inner in one.values()]
    return {}


@dataclass(slots=True)
class _TensorResolver:
    """Puts arrays in the place of tensors, and fresh containers in the place of the pickle's."""

    read: Callable[[Storage], bytes | bytearray]
    """Takes what it reads from the budget."""
    budget: Budget
    left: int
    """Bytes that all tensors together may still have, each counted as if it shared its numbers with no other."""
    storages: dict[str, tuple[Storage, NDArray[Any]]] = field(default_factory=dict)
    done: dict[int, Any] = field(default_factory=dict)

    def resolve(self, value: Any, depth: int = 0) -> Any:
        if depth > DEPTH_LIMIT:
            raise Refused("its dicts are nested too deeply")
        if isinstance(value, Storage | Global):
            raise Refused("it holds more than tensors, dicts, lists, numbers and texts")
        if not isinstance(value, dict | list | tuple | Tensor):
            return value
        # What is used twice is made once: else a small file could describe an endless tree.
        if id(value) not in self.done:
            made: Any
            if isinstance(value, Tensor):
                made = self.array(value)
            elif isinstance(value, dict):
                made = {key: self.resolve(inner, depth + 1) for key, inner in value.items()}
            else:
                made = type(value)([self.resolve(inner, depth + 1) for inner in value])
            self.done[id(value)] = made
        return self.done[id(value)]

    def array(self, tensor: Tensor) -> NDArray[Any]:
        storage = tensor.storage
        if storage.key not in self.storages:
            if storage.dtype == "bfloat16":  # becomes twice as large
                self.budget.take(2 * storage.bytes)
            data = self.read(storage)
            if len(data) != storage.bytes:
                raise Refused("it is damaged: a tensor is longer or shorter than it says")
            self.storages[storage.key] = (storage, _numbers(data, storage.dtype))
        known, numbers = self.storages[storage.key]
        if known != storage:
            raise Refused("it describes the same numbers in two ways")
        self.left -= math.prod(tensor.shape) * storage.bytes // max(storage.count, 1)
        if self.left < 0:
            raise Refused("its tensors claim far more numbers than the file holds")
        if 0 in tensor.shape:
            return np.zeros(tensor.shape, numbers.dtype)
        strides = [s * numbers.itemsize for s in tensor.strides]
        return np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, strides, writeable=False)


def _numbers(data: bytes | bytearray, dtype: str) -> NDArray[Any]:
    if dtype == "bfloat16":  # the upper half of a float32
        upper = np.frombuffer(data, "<u2").astype(np.uint32)
        return np.asarray(upper << 16, dtype=np.uint32).view(np.float32)
    if dtype == "bool":
        return np.asarray(np.frombuffer(data, np.uint8) != 0)
    return np.frombuffer(data, dtype)


def _read_zip(stream: IO[bytes], pickled: Budget, budget: Budget) -> Any:
    size = stream.seek(0, 2)
    with opened(stream) as archive:
        names = {info.filename: info for info in archive.infolist()}
        root = next((name.removesuffix("data.pkl") for name in names if name.endswith("data.pkl")), None)
        if root is None:
            raise Refused("it is a zip archive, but not a checkpoint of PyTorch")
        if f"{root}constants.pkl" in names:
            raise Refused("it holds a network with its program (TorchScript), not only numbers")

        def part(name: str, of: Budget, most: int = PICKLED) -> bytearray:
            info = names.get(root + name)
            if info is None:
                raise Refused("it is damaged: a tensor is missing")
            # PyTorch compresses nothing.
            if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
                raise Refused("its parts are compressed, which PyTorch does not do")
            if info.file_size > most:
                raise Refused("it is damaged: its parts are larger than they may be")
            return unpacked(archive, info, of)

        if f"{root}byteorder" in names and part("byteorder", pickled) != b"little":
            raise Refused("it is from a machine with another byte order")
        content = Machine(pickled).run(io.BytesIO(part("data.pkl", pickled)))
        return _TensorResolver(lambda s: part(f"data/{s.key}", budget, s.bytes), budget, SHARING_LIMIT * size).resolve(
            content
        )


def _read_legacy(stream: IO[bytes], pickled: Budget, budget: Budget) -> Any:
    if stream.read(1) != b"\x80" or stream.seek(0) or Machine(pickled).run(stream) != MAGIC:
        raise Refused("it is damaged or not a checkpoint of PyTorch")
    if Machine(pickled).run(stream) != VERSION:
        raise Refused("it has an unknown version of PyTorch's older format")
    machine = Machine(pickled).run(stream)
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise Refused("it is from a machine with another byte order")
    unresolved = Machine(pickled).run(stream)
    keys = Machine(pickled).run(stream)
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys) or len(set(keys)) != len(keys):
        raise Refused("its list of tensors is broken")
    wanted = _storages(unresolved)
    places: dict[str, int] = {}
    position = stream.tell()
    end = stream.seek(0, 2)
    for key in keys:
        # The count is written before the bytes; their size is known from the pickle only.
        if key not in wanted:
            raise Refused("its list of tensors is broken")
        stream.seek(position)
        (count,) = struct.unpack("<q", stream.read(8))
        if count != wanted[key].count or position + 8 + wanted[key].bytes > end:
            raise Refused("it is damaged: a tensor is longer or shorter than it says")
        places[key] = position + 8
        position += 8 + wanted[key].bytes
    if position != end:
        raise Refused("it is damaged: it is longer than it says")

    def read(storage: Storage) -> bytes:
        if storage.key not in places:
            raise Refused("it is damaged: a tensor is missing")
        budget.take(storage.bytes)
        stream.seek(places[storage.key])
        return stream.read(storage.bytes)

    return _TensorResolver(read, budget, SHARING_LIMIT * end).resolve(unresolved)


def _storages(content: Any) -> dict[str, Storage]:
    """All storages of tensors in `content` by their keys."""
    found: dict[str, Storage] = {}
    seen: set[int] = set()
    waiting = [content]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Tensor):
            found[value.storage.key] = value.storage
        elif isinstance(value, dict | list | tuple) and id(value) not in seen:
            seen.add(id(value))
            waiting.extend(value.values() if isinstance(value, dict) else value)
    return found
