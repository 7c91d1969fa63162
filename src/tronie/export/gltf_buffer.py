"""The binary side of glTF 2.0: buffer views, accessors, and the container of a .glb."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Json = dict[str, Any]

UNSIGNED_BYTE, UNSIGNED_SHORT, UNSIGNED_INT, FLOAT = 5121, 5123, 5125, 5126
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963

Kind = tuple[type[Any], int]
"""A type of vertex numbers: NumPy's and glTF's."""


class Buffer:
    """Grows the binary buffer, its views and its accessors."""

    def __init__(self, length: int = 0, views: int = 0, accessors: int = 0) -> None:
        self.chunks: list[memoryview] = []
        self.views: list[Json] = []
        self.accessors: list[Json] = []
        self.length = length
        self._first_view, self._first_accessor = views, accessors

    def add(self, data: NDArray[Any] | bytes, target: int | None = None) -> int:
        """Append with padding to 4 bytes; the number of the new view."""
        chunk = memoryview(data if isinstance(data, bytes) else np.ascontiguousarray(data).data).cast("B")
        view: Json = {"buffer": 0, "byteOffset": self.length, "byteLength": len(chunk)}
        if target is not None:
            view["target"] = target
        padding = -len(chunk) % 4
        self.chunks += [chunk, memoryview(b"\0" * padding)] if padding else [chunk]
        self.views.append(view)
        self.length += len(chunk) + padding
        return self._first_view + len(self.views) - 1

    def _say(self, accessor: Json) -> int:
        self.accessors.append(accessor)
        return self._first_accessor + len(self.accessors) - 1

    def attribute(self, rows: NDArray[Any], bounds: bool = False, normalized: bool = False) -> int:
        """A vertex attribute (N,) or (N, k) of float32, or (N, 4) of uint8; the number of its accessor."""
        values = rows if rows.ndim == 2 else rows[:, None]
        count, width = values.shape
        accessor: Json = {"count": count, "type": "SCALAR" if width == 1 else f"VEC{width}"}
        if values.dtype == np.uint8:
            accessor |= {"componentType": UNSIGNED_BYTE} | ({"normalized": True} if normalized else {})
        else:
            values = np.asarray(values, dtype=np.float32)
            accessor["componentType"] = FLOAT
        accessor["bufferView"] = self.add(values, ARRAY_BUFFER)
        return self._say(accessor | (extent(values) if bounds else {}))

    def indices(self, rows: NDArray[Any], kind: Kind) -> int:
        view = self.add(rows.astype(kind[0]), ELEMENT_ARRAY_BUFFER)
        return self._say({"bufferView": view, "componentType": kind[1], "count": rows.size, "type": "SCALAR"})

    def series(self, rows: NDArray[Any], bounds: bool = False) -> int:
        """Numbers (T,) or (T, k) of an animation; the number of their accessor."""
        values = np.ascontiguousarray(rows if rows.ndim == 2 else rows[:, None], dtype=np.float32)
        count, width = values.shape
        accessor: Json = {
            "bufferView": self.add(values), "componentType": FLOAT, "count": count,
            "type": "SCALAR" if width == 1 else f"VEC{width}",
        }  # fmt: skip
        return self._say(accessor | (extent(values) if bounds else {}))

    def matrices(self, rows: NDArray[Any]) -> int:
        """(N, 4, 4), which glTF stores by columns."""
        view = self.add(np.ascontiguousarray(rows.transpose(0, 2, 1), dtype=np.float32))
        return self._say({"bufferView": view, "componentType": FLOAT, "count": len(rows), "type": "MAT4"})

    def sparse(self, rows: NDArray[np.float32], kind: Kind, bounds: bool = True) -> int:
        """Displacements (N, 3), of which only the rows that are not zero are stored.

        Where none is, one (zero) row still is: legal either way, but some readers expect at least one.
        """
        moved = np.flatnonzero(rows.any(axis=1))
        if not len(moved):
            moved = np.zeros(1, dtype=np.int64)
        accessor: Json = {"componentType": FLOAT, "count": len(rows), "type": "VEC3"}
        accessor |= extent(rows) if bounds else {}
        accessor["sparse"] = {
            "count": len(moved),
            "indices": {"bufferView": self.add(moved.astype(kind[0])), "componentType": kind[1]},
            "values": {"bufferView": self.add(rows[moved])},
        }
        return self._say(accessor)


def index_kind(vertices: int) -> Kind:
    """Of vertex numbers. The largest number of a type is reserved (primitive restart)."""
    return (np.uint16, UNSIGNED_SHORT) if vertices < 65535 else (np.uint32, UNSIGNED_INT)


def extent(rows: NDArray[Any]) -> Json:
    """Exact least and greatest of each column: float32 numbers survive as float64 text."""
    return {"min": rows.min(axis=0).astype(float).tolist(), "max": rows.max(axis=0).astype(float).tolist()}


def container(document: Json, length: int) -> Iterator[memoryview]:
    """The header, the JSON chunk and the head of the binary chunk (glTF 2.0, section 4.4)."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", errors="replace")
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + length
    yield memoryview(struct.pack("<4sII", b"glTF", 2, total))
    yield memoryview(struct.pack("<I4s", len(text), b"JSON"))
    yield memoryview(text)
    yield memoryview(struct.pack("<I4s", length, b"BIN\0"))
