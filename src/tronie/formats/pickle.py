"""A pickle reader for PyTorch's checkpoints that runs nothing of what stands in the file.

A pickle is a small program for a stack machine, and Python's own reader would call whatever function it names. This
machine knows only what plain checkpoints need: dicts, lists, tuples, numbers, strings, and descriptions of tensors.
The first other thing ends the reading. (`tronie.formats.numpy_pickle` is the same for pickles of numpy's arrays.)
"""

from __future__ import annotations

import math
import pickletools
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np

from tronie.formats.safety import Budget, Refused

STEP = 300
"""Bytes that an operation may take: each byte of a pickle may be one, and make a dict, put an item into it, or remember
it under a number."""
LINE = 1 << 16
"""Bytes of the longest line; names of classes are such."""
ITEM = 64
"""Bytes that an item of a list counts for where lists are copied."""
DTYPES = {
    "FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "BFloat16Storage": "bfloat16",
    "LongStorage": "<i8", "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "i1", "ByteStorage": "u1",
    "BoolStorage": "bool", "ComplexFloatStorage": "<c8", "ComplexDoubleStorage": "<c16",
}  # fmt: skip
"""Kinds of storages. numpy has no bfloat16: those become float32."""


@dataclass(frozen=True, slots=True)
class Storage:
    """A block of numbers, not yet read."""

    key: str
    dtype: str
    count: int

    @property
    def bytes(self) -> int:
        return self.count * (2 if self.dtype == "bfloat16" else np.dtype(self.dtype).itemsize)


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A view of a storage; offset and strides in elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(slots=True)
class Global:
    """The name of a class or function that the pickle may call."""

    make: Callable[..., Any] | None
    storage: str = ""


def _whole(value: object, limit: int = 1 << 48) -> int:
    if type(value) is not int or not 0 <= value <= limit:
        raise Refused("it holds a tensor of an impossible size")
    return value


def _tensor(storage: object, offset: object, shape: object, strides: object, *more: object) -> Tensor:
    if more[2:] and any(more[2:]):  # behind "needs a gradient" and hooks: conjugated or negated on use
        raise Refused("it holds a tensor of an unusual kind")
    if not isinstance(storage, Storage) or not isinstance(shape, tuple) or not isinstance(strides, tuple):
        raise Refused("it holds a tensor that is not described as PyTorch does")
    if len(shape) != len(strides) or len(shape) > 16:
        raise Refused("it holds a tensor of an impossible size")
    made = Tensor(storage, _whole(offset), tuple(map(_whole, shape)), tuple(map(_whole, strides)))
    last = made.offset + sum((n - 1) * s for n, s in zip(made.shape, made.strides, strict=True))
    if math.prod(n for n in made.shape if n) > 1 << 48 or (0 not in made.shape and last >= storage.count):
        raise Refused("it holds a tensor that is larger than its bytes")
    return made


def _parameter(tensor: object, *_: object) -> Tensor:
    if not isinstance(tensor, Tensor):
        raise Refused("it holds a tensor that is not described as PyTorch does")
    return tensor


def _ordered(pairs: object = ()) -> dict[Any, Any]:
    made: dict[Any, Any] = {}
    if not isinstance(pairs, list | tuple) or not all(isinstance(p, list | tuple) and len(p) == 2 for p in pairs):
        raise Refused("it holds a broken dict")
    _fill(made, [x for pair in pairs for x in pair])
    return made


def _size(shape: object = ()) -> tuple[Any, ...]:
    if not isinstance(shape, list | tuple):
        raise Refused("it holds a broken size")
    return tuple(shape)


CALLS: dict[str, Callable[..., Any]] = {
    "collections OrderedDict": _ordered,
    "torch Size": _size,
    "torch._utils _rebuild_tensor": _tensor,
    "torch._utils _rebuild_tensor_v2": _tensor,
    "torch._utils _rebuild_parameter": _parameter,
}
"""Everything a checkpoint may call, as this module does it."""


def _find(module: object, name: object) -> Global:
    if module == "torch" and isinstance(name, str) and name in DTYPES:
        return Global(None, DTYPES[name])
    if make := CALLS.get(f"{module} {name}"):
        return Global(make)
    full = f"{module}.{name}"
    raise Refused(
        f"it wants to use {full[:80]!r}, and only tensors, dicts, lists, numbers and texts are allowed; "
        "save the network's state_dict alone"
    )


def _fill(target: dict[Any, Any], items: list[Any]) -> None:
    for key, value in zip(items[::2], items[1::2], strict=True):
        # Nothing else: the hash of a tuple of tuples of the same tuples could take forever, and that of large whole
        # numbers can be the same for as many as one likes, which would make the dict slow.
        if not isinstance(key, str | int | float | bytes | None) or (type(key) is int and abs(key) >> 60):
            raise Refused("it holds a dict with unusual keys")
        target[key] = value


def _persistent(pid: object) -> Storage:
    """A storage: ("storage", class, key, device, count), in old files with a sixth part."""
    if isinstance(pid, tuple) and pid and pid[0] == "module":
        raise Refused("it holds a whole network with its program, not only numbers; save its state_dict alone")
    if not isinstance(pid, tuple) or len(pid) not in (5, 6) or pid[0] != "storage" or any(pid[5:]):
        raise Refused("it holds a tensor that is not described as PyTorch does")
    _, kind, key, _, count = pid[:5]
    if not isinstance(kind, Global) or not kind.storage or not isinstance(key, str):
        raise Refused("it holds a tensor that is not described as PyTorch does")
    return Storage(key, kind.storage, _whole(count))


MARK = object()
"""Lies on the stack where a list of items begins."""


@dataclass(slots=True)
class _Accounted:
    """A stream that asks the budget before it reads."""

    stream: IO[bytes]
    budget: Budget

    def read(self, size: int) -> bytes:
        self.budget.take(size)
        return self.stream.read(size)

    def readline(self) -> bytes:
        return self.stream.readline(LINE)

    def tell(self) -> int:
        return self.stream.tell()


@dataclass(slots=True)
class Machine:
    """The stack machine of pickle, without its dangerous parts."""

    budget: Budget
    """Calls take from it too: their arguments may be the same long text or list again and again."""
    stack: list[Any] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)

    def find(self, module: object, name: object) -> Any:
        """What stands for a class or function that the pickle names; Refused where it may not name it."""
        return _find(module, name)

    def step(self, opcode: str) -> Callable[[Any, Any], None] | None:
        """What an operation does; None for one that only puts its argument on the stack, or is unknown."""
        return STEPS.get(opcode)

    def run(self, stream: IO[bytes]) -> Any:
        """One pickle from `stream`, which is left behind its end."""
        read: Any = _Accounted(stream, self.budget)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd signs in texts, which are read and go no further
            for opcode, argument, _ in pickletools.genops(read):
                self.budget.step()
                self.budget.take(STEP + (sys.getsizeof(argument) if isinstance(argument, str | bytes) else 0))
                if opcode.name == "STOP":
                    return self.pop()
                if step := self.step(opcode.name):
                    step(self, argument)
                elif opcode.name in PLAIN:
                    self.stack.append(argument)
                else:
                    raise Refused(f"it holds more than numbers (the pickle operation {opcode.name})")
        raise Refused("it ends too early")

    def pop(self) -> Any:
        if not self.stack or self.stack[-1] is MARK:
            raise Refused("its list of tensors is broken")
        return self.stack.pop()

    def to_mark(self) -> list[Any]:
        items: list[Any] = []
        while self.stack and self.stack[-1] is not MARK:
            items.append(self.stack.pop())
        if not self.stack:
            raise Refused("its list of tensors is broken")
        self.stack.pop()
        items.reverse()
        return items

    def top(self, kind: type) -> Any:
        if not self.stack or not isinstance(self.stack[-1], kind):
            raise Refused("its list of tensors is broken")
        return self.stack[-1]

    def push_tuple(self, count: int) -> None:
        items = [self.pop() for _ in range(count)]
        self.stack.append(tuple(items[::-1]))

    def get(self, index: int) -> None:
        if index not in self.memo:
            raise Refused("its list of tensors is broken")
        self.stack.append(self.memo[index])

    def put(self, index: int) -> None:
        if not self.stack or self.stack[-1] is MARK:
            raise Refused("its list of tensors is broken")
        self.memo[index] = self.stack[-1]

    def call(self) -> None:
        arguments, function = self.pop(), self.pop()
        if not isinstance(function, Global) or function.make is None or not isinstance(arguments, tuple):
            raise Refused("it holds more than numbers")
        self.spend(arguments)
        try:
            self.stack.append(function.make(*arguments))
        except TypeError:  # too many or too few arguments
            raise Refused("it holds a tensor that is not described as PyTorch does") from None

    def spend(self, arguments: tuple[Any, ...]) -> None:
        """Account for arguments that are about to be copied."""
        for value in arguments:
            if isinstance(value, str | bytes | list | tuple | dict):
                self.budget.take(len(value) * (1 if isinstance(value, str | bytes) else ITEM))

    def build(self) -> None:
        """State of an object. Only dicts have some (versions of layers, which nothing here needs)."""
        self.pop()
        self.top(dict)

    def set_items(self, items: list[Any]) -> None:
        if len(items) % 2:
            raise Refused("it holds a broken dict")
        _fill(self.top(dict), items)

    def extend(self, items: list[Any]) -> None:
        self.top(list).extend(items)

    def find_on_stack(self) -> None:
        name, module = self.pop(), self.pop()
        self.stack.append(self.find(module, name))


PLAIN = frozenset(
    {
        "BININT",
        "BININT1",
        "BININT2",
        "LONG1",
        "LONG4",
        "BINFLOAT",
        "BINUNICODE",
        "SHORT_BINUNICODE",
        "BINUNICODE8",
        "BINSTRING",
        "SHORT_BINSTRING",
        "BINBYTES",
        "SHORT_BINBYTES",
        "BINBYTES8",
    }
)
"""Operations that put their argument on the stack."""

STEPS: dict[str, Callable[[Machine, Any], None]] = {
    "PROTO": lambda m, a: None,
    "FRAME": lambda m, a: None,
    "MARK": lambda m, a: m.stack.append(MARK),
    "NONE": lambda m, a: m.stack.append(None),
    "NEWTRUE": lambda m, a: m.stack.append(True),
    "NEWFALSE": lambda m, a: m.stack.append(False),
    "EMPTY_DICT": lambda m, a: m.stack.append({}),
    "EMPTY_LIST": lambda m, a: m.stack.append([]),
    "EMPTY_TUPLE": lambda m, a: m.stack.append(()),
    "TUPLE": lambda m, a: m.stack.append(tuple(m.to_mark())),
    "TUPLE1": lambda m, a: m.push_tuple(1),
    "TUPLE2": lambda m, a: m.push_tuple(2),
    "TUPLE3": lambda m, a: m.push_tuple(3),
    "APPEND": lambda m, a: m.extend([m.pop()]),
    "APPENDS": lambda m, a: m.extend(m.to_mark()),
    "SETITEM": lambda m, a: m.set_items([m.pop(), m.pop()][::-1]),
    "SETITEMS": lambda m, a: m.set_items(m.to_mark()),
    "GLOBAL": lambda m, a: m.stack.append(m.find(*a.split(" ", 1))),
    "STACK_GLOBAL": lambda m, a: m.find_on_stack(),
    "REDUCE": lambda m, a: m.call(),
    "BUILD": lambda m, a: m.build(),
    "BINPERSID": lambda m, a: m.stack.append(_persistent(m.pop())),
    "BINGET": lambda m, a: m.get(a),
    "LONG_BINGET": lambda m, a: m.get(a),
    "BINPUT": lambda m, a: m.put(a),
    "LONG_BINPUT": lambda m, a: m.put(a),
    "MEMOIZE": lambda m, a: m.put(len(m.memo)),
}
"""Operations that do more."""
