"""What follows from a model alone, kept on disk from one process to the next.

A function under `kept` is worked out once for an installation: it takes what has a `digest`, then numbers, and nothing
else decides what it says. A file is taken for what it says only where the code is that which wrote it; one that is
broken, cut off or another's is worked out anew, and where none can be written all goes on without.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import types
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import cache, wraps
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from tronie.errors import OutputError
from tronie.runtime.atomic_files import make_folder, sweep, write_file
from tronie.runtime.weights import home
from tronie.version import __version__

MOST = 4
"""Folders of models, or of versions of the code, that stay; the oldest go."""

F = TypeVar("F", bound=Callable[..., Any])


class Model(Protocol):
    """What facts are of."""

    @property
    def digest(self) -> str:
        """Of all that it holds: two that say the same are the same. Empty: nothing is kept of it."""


def kept(function: F) -> F:
    """A function of a model and of numbers, which reads what an earlier process has worked out.

    What it gives is made of arrays, numbers, texts, tuples, dicts and dataclasses of these, as its annotation says.
    Arrays have their values one after the other in memory, whether they were read or worked out.
    """
    name = f"{function.__module__}.{function.__qualname__}"

    @wraps(function)
    def remembered(model: Model, *numbers: int) -> Any:
        place = _folder(model.digest) if model.digest else None
        if place is None:
            return function(model, *numbers)
        file = place / f"{'-'.join([name, *map(str, numbers)])}.facts"
        kind = get_type_hints(function)["return"]
        with suppress(Exception):  # whatever is wrong with it: it is worked out once more
            return unpacked(kind, file.read_bytes())
        data = packed(function(model, *numbers))
        with suppress(OutputError):
            _make_room(file.parent)
            write_file(file, data)
        return unpacked(kind, data)

    return cast(F, remembered)


def folder() -> Path:
    """Of all that is kept; not made here."""
    if os.environ.get("TRONIE_HOME") or sys.platform == "win32":
        return home() / "facts"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "tronie" / "facts"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tronie" / "facts"


def packed(value: Any) -> bytes:
    """A value as bytes: their checksum, a line that says how it is built, and its arrays."""
    arrays: list[NDArray[Any]] = []
    line = json.dumps(_built(value, arrays)).encode() + b"\n"
    body = BytesIO()
    for array in arrays:
        np.lib.format.write_array(body, array, version=(1, 0), allow_pickle=False)
    rest = line + body.getvalue()
    return zlib.crc32(rest).to_bytes(4, "big") + rest


def unpacked(kind: Any, data: bytes) -> Any:
    """The value, which is of this type. Raises what Python does where the bytes are not of such a one."""
    if len(data) < 5 or zlib.crc32(memoryview(data)[4:]) != int.from_bytes(data[:4], "big"):
        raise ValueError("not what was written")
    stream = BytesIO(data)
    stream.seek(4)
    how = json.loads(stream.readline())
    arrays = []
    while stream.tell() < len(data):
        arrays.append(np.lib.format.read_array(stream, allow_pickle=False))
    return _rebuilt(kind, how, arrays)


def _built(value: Any, arrays: list[NDArray[Any]]) -> Any:
    if isinstance(value, np.ndarray):
        flags = value.flags
        arrays.append(value if flags.c_contiguous or flags.f_contiguous else np.ascontiguousarray(value))
        return len(arrays) - 1
    if is_dataclass(value) and not isinstance(value, type):
        return [_built(getattr(value, field.name), arrays) for field in fields(value)]
    if isinstance(value, tuple):
        return [_built(one, arrays) for one in value]
    if isinstance(value, dict):
        return {name: _built(one, arrays) for name, one in value.items()}
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise TypeError(f"{type(value).__name__} is not kept")


def _rebuilt(kind: Any, how: Any, arrays: list[NDArray[Any]]) -> Any:
    kind = getattr(kind, "__value__", kind)  # NDArray is a named alias since NumPy 2.5
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return None if how is None else _rebuilt(next(one for one in inner if one is not type(None)), how, arrays)
    if origin is np.ndarray:
        return arrays[how]
    if origin is tuple:
        each = (inner[0],) * len(how) if inner[1:] == (...,) else inner
        return tuple(_rebuilt(one, part, arrays) for one, part in zip(each, how, strict=True))
    if origin is dict:
        return {name: _rebuilt(inner[1], part, arrays) for name, part in how.items()}
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        parts = zip(fields(kind), how, strict=True)
        return cast(Any, kind)(*[_rebuilt(hints[field.name], part, arrays) for field, part in parts])
    if type(how) is not kind:
        raise TypeError(f"{type(how).__name__} instead of {kind.__name__}")
    return how


def _folder(digest: str) -> Path | None:
    """None for a user without a home, or a package that is no folder."""
    try:
        return folder() / f"{digest}-{_code()}"
    except (OSError, RuntimeError):
        return None


@cache
def _code() -> str:
    """Of the package that runs: what another version, or one with a file that was changed since, says may differ."""
    about = [__version__, np.__version__, sys.version]
    places = [os.path.dirname(os.path.dirname(__file__))]
    for place in places:
        for entry in sorted(os.scandir(place), key=lambda entry: entry.name):
            if entry.is_dir():
                places += [entry.path] if entry.name != "__pycache__" else []
            else:
                stat = entry.stat()
                about.append(f"{entry.path[len(places[0]) :]} {stat.st_size} {stat.st_mtime_ns}")
    return hashlib.blake2b("\n".join(about).encode(), digest_size=8).hexdigest()


def _make_room(place: Path) -> None:
    """Make a folder for facts; where that is a new one, those that were the first to come go. Raises OutputError."""
    if place.is_dir():
        return
    make_folder(place)
    sweep(place.parent)
    with suppress(OSError):
        there = sorted((one for one in place.parent.iterdir() if one.is_dir()), key=lambda one: one.stat().st_mtime)
        for old in there[:-MOST]:
            shutil.rmtree(old, ignore_errors=True)
