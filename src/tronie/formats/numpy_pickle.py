"""Pickles of numpy's arrays (.pkl), read without running anything that stands in them.

Face models are often published so: a dict of arrays, some of them wrapped in classes of packages that nobody has any
more (chumpy) or that would be much to install for one matrix (scipy.sparse). Here an array is put together from its
bytes, a wrapped one is taken out of its wrapping, and every other class named in the file ends the reading.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.formats.pickle import Global, Machine
from tronie.formats.safety import Budget, Refused, reading

LARGEST = 150_000_000
"""Bytes of a file. FLAME's has 53 million; a text may take four times the bytes that it has in the file."""
DEPTH = 16
"""Wrappings inside wrappings."""
KNOWN = re.compile(r"chumpy(\.\w+)* \w+|scipy\.sparse(\.\w+)* \w+_(matrix|array)|(__builtin__|builtins) (object|set)")
"""Classes whose objects may be in a file: they are kept as a name and a state."""
NUMBERS = re.compile(r"[biuf](1|2|4|8)|[SU]\d{1,4}")
"""Kinds of arrays that are read; others (of objects) are passed over."""


@dataclass(slots=True, eq=False)
class ForeignObject:
    """An object of a foreign class: its name and what the pickle says of it."""

    name: str
    state: Any = None


@dataclass(slots=True, eq=False)
class ForeignDtype:
    """A numpy dtype."""

    code: str


@dataclass(slots=True, eq=False)
class ForeignArray:
    """An array; the pickle tells its content after its place."""

    array: NDArray[Any] | None = None


def read_array_pickle(file: Path, budget: Budget | None = None) -> Any:
    """What a file holds, a dict as a rule: arrays, numbers, texts, and dicts, lists and tuples of them; sparse matrices
    are made dense, foreign objects without an array become None. Raises WeightsError."""
    with reading(file, "a pickle of arrays", budget, LARGEST) as budget, file.open("rb") as stream:
        return _ArrayResolver(budget).resolve(_ArrayMachine(budget).run(stream))


@dataclass(slots=True)
class _ArrayMachine(Machine):
    def find(self, module: object, name: object) -> Any:
        full = f"{module} {name}"
        if make := CALLS.get(full.replace("numpy._core.", "numpy.core.")):
            return Global(make)
        if full == "numpy ndarray" or KNOWN.fullmatch(full):
            return ForeignObject(full)
        raise Refused(f"it wants to use {full.replace(' ', '.')[:80]!r}, and only arrays of numbers are allowed")

    def step(self, opcode: str) -> Callable[[Any, Any], None] | None:
        return MORE_STEPS.get(opcode) or Machine.step(self, opcode)

    def call(self) -> None:
        # A class is called only where a Python 2 pickle makes a set: its content is not needed.
        if len(self.stack) > 1 and isinstance(self.stack[-2], ForeignObject):
            self.new_object()
        else:
            Machine.call(self)

    def new_object(self) -> None:
        arguments, kind = self.pop(), self.pop()
        if not isinstance(kind, ForeignObject) or not isinstance(arguments, tuple):
            raise Refused("it holds more than arrays of numbers")
        self.stack.append(ForeignObject(kind.name))

    def build(self) -> None:
        state = self.pop()
        target = self.top(object)
        if isinstance(target, ForeignArray):
            self.spend(state if isinstance(state, tuple) else ())
            target.array = _array(state)
        elif isinstance(target, ForeignDtype):
            target.code = _ordered(target.code, state)
        elif isinstance(target, ForeignObject):
            target.state = state
        elif not isinstance(target, dict):
            raise Refused("it holds more than arrays of numbers")


MORE_STEPS: dict[str, Callable[[Any, Any], None]] = {
    "NEWOBJ": lambda m, a: m.new_object(),
    "EMPTY_SET": lambda m, a: m.stack.append([]),
    "ADDITEMS": lambda m, a: m.extend(m.to_mark()),
    "BYTEARRAY8": lambda m, a: m.stack.append(bytes(a)),
    "POP": lambda m, a: m.stack.pop() if m.stack else m.pop(),
}


def _reconstruct(kind: object, shape: object, code: object) -> ForeignArray:
    return ForeignArray()


def _reconstructor(kind: object, base: object, state: object) -> ForeignObject:
    if not isinstance(kind, ForeignObject):
        raise Refused("it holds more than arrays of numbers")
    return ForeignObject(kind.name)


def _dtype(code: object, *_: object) -> ForeignDtype:
    if not isinstance(code, str) or not re.fullmatch(r"\w{1,8}", code):
        raise Refused("it holds an array of an unknown kind")
    return ForeignDtype(code)


def _encode(text: object, coding: object) -> bytes:
    if not isinstance(text, str) or coding not in ("latin1", "latin-1"):
        raise Refused("it holds more than arrays of numbers")
    return text.encode("latin-1")


def _scalar(kind: object, data: object = b"") -> Any:
    array = _array((1, (), kind, False, data))
    return None if array is None else array.item()


def _from_buffer(data: object, kind: object, shape: object, order: object) -> ForeignArray:
    return ForeignArray(_array((1, shape, kind, order == "F", data)))


CALLS: dict[str, Callable[..., Any]] = {
    "numpy.core.multiarray _reconstruct": _reconstruct,
    "numpy.core.multiarray scalar": _scalar,
    "numpy.core.numeric _frombuffer": _from_buffer,
    "numpy dtype": _dtype,
    "copy_reg _reconstructor": _reconstructor,
    "copyreg _reconstructor": _reconstructor,
    "_codecs encode": _encode,
    "__builtin__ bytes": lambda: b"",  # how protocol 2 writes no bytes at all
}
"""Everything a file may call, as this module does it."""


def _ordered(code: str, state: object) -> str:
    """The dtype with its byte order, as its pickled state tells it."""
    if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", ">", "|", "="):
        raise Refused("it holds an array of an unknown kind")
    return (">" if state[1] == ">" else "<") + code.lstrip("<>|=")


def _array(state: object) -> NDArray[Any] | None:
    """An array from its pickled state; None for one of objects. Nothing is made that is larger than its bytes."""
    if not isinstance(state, tuple) or len(state) != 5:
        raise Refused("it holds an array that is not described as numpy does")
    _, shape, kind, fortran, data = state
    if not isinstance(kind, ForeignDtype) or not isinstance(shape, tuple) or len(shape) > 8:
        raise Refused("it holds an array that is not described as numpy does")
    if any(type(n) is not int or not 0 <= n < 1 << 40 for n in shape):
        raise Refused("it holds an array of an impossible size")
    if not NUMBERS.fullmatch(kind.code.lstrip("<>|=")):
        return None
    if isinstance(data, str):  # how bytes of Python 2 are read
        data = data.encode("latin-1")
    if not isinstance(data, bytes):
        raise Refused("it holds an array that is not described as numpy does")
    try:
        dtype = np.dtype(kind.code)
    except TypeError:  # such as f1
        raise Refused("it holds an array of an unknown kind") from None
    if math.prod(shape) * dtype.itemsize != len(data):
        raise Refused("it is damaged: an array is longer or shorter than it says")
    values = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
    return values if dtype.byteorder != ">" else values.astype(dtype.newbyteorder("<"))


@dataclass(slots=True)
class _ArrayResolver:
    """Takes arrays out of what the pickle wrapped them in."""

    budget: Budget
    """Of which sparse matrices take what they become."""
    done: dict[int, Any] = field(default_factory=dict)
    """By the id of the foreign object: the same one may be there many times."""

    def resolve(self, value: Any, depth: int = 0) -> Any:
        if depth > DEPTH:
            raise Refused("it is nested too deeply")
        if isinstance(value, ForeignArray):
            return value.array
        if isinstance(value, ForeignObject):
            if id(value) not in self.done:
                self.done[id(value)] = self.unwrap(value, depth + 1)
            return self.done[id(value)]
        if isinstance(value, dict) and depth == 0:
            return {key: self.resolve(inner, depth + 1) for key, inner in value.items()}
        # Deeper containers are of no use, and one that holds itself or another twice could go on for ever.
        return value if isinstance(value, str | int | float | bytes) else None

    def unwrap(self, record: ForeignObject, depth: int) -> Any:
        """The array inside a foreign object; None where there is none."""
        state = record.state if isinstance(record.state, dict) else {}
        if record.name.startswith("chumpy"):
            # A plain variable of chumpy is its x; an expression would have to be computed.
            return self.resolve(state.get("x"), depth)
        if record.name.startswith("scipy"):
            return _dense(record.name, state, self.budget)
        return None


def _dense(name: str, state: dict[Any, Any], budget: Budget) -> NDArray[Any]:
    """A compressed sparse matrix by columns (csc) or rows (csr), written out: (rows, columns) float64."""
    shape = state.get("_shape", state.get("shape"))
    shells = [state.get(key) for key in ("data", "indices", "indptr")]
    data, indices, starts = (shell.array if isinstance(shell, ForeignArray) else None for shell in shells)
    by_column = name.split(" ")[1].startswith("csc")
    if not (by_column or name.split(" ")[1].startswith("csr")) or data is None or indices is None or starts is None:
        raise Refused("it holds a sparse matrix of an unknown kind")
    kinds = [array.dtype.kind in wanted for array, wanted in ((data, "biuf"), (indices, "iu"), (starts, "iu"))]
    if not all(kinds) or not data.ndim == indices.ndim == starts.ndim == 1:
        raise Refused("it holds a sparse matrix that is not described as scipy does")
    if not isinstance(shape, tuple) or len(shape) != 2 or any(type(n) is not int or n < 0 for n in shape):
        raise Refused("it holds a sparse matrix of an impossible size")
    major, minor = shape[::-1] if by_column else shape
    counts = starts[1:].astype(np.int64) - starts[:-1].astype(np.int64)
    fits = len(starts) == major + 1 and len(data) == len(indices) == counts.sum() and (counts >= 0).all()
    if not fits or (len(indices) and not 0 <= indices.min() <= indices.max() < minor):
        raise Refused("it holds a sparse matrix of an impossible size")
    budget.take(8 * major * minor)
    out = np.zeros((major, minor), dtype=np.float64)
    np.add.at(out, (np.repeat(np.arange(major), counts), indices), data)
    return out.T if by_column else out
