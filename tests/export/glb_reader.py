"""A reader of glTF binary that owes nothing to the writer, and where Khronos' validator is."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np

NUMBERS = {5121: "u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTH = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


def parse(data: bytes) -> tuple[dict[str, Any], bytes]:
    """An independent reader of the container."""
    magic, version, total = struct.unpack_from("<4sII", data)
    assert (magic, version, total) == (b"glTF", 2, len(data))
    length, kind = struct.unpack_from("<I4s", data, 12)
    assert kind == b"JSON"
    assert length % 4 == 0
    document = json.loads(data[20 : 20 + length])
    binary_length, kind = struct.unpack_from("<I4s", data, 20 + length)
    assert kind == b"BIN\0"
    binary = data[28 + length :]
    assert binary_length == len(binary) == document["buffers"][0]["byteLength"]
    return document, binary


def read(document: dict[str, Any], binary: bytes, number: int) -> np.ndarray:
    """An accessor with its sparse part, and its bounds checked."""
    accessor = document["accessors"][number]

    def view(index: int, component: int, count: int, width: int) -> np.ndarray:
        place = document["bufferViews"][index]
        assert place["byteOffset"] % 4 == 0
        piece = binary[place["byteOffset"] : place["byteOffset"] + place["byteLength"]]
        return np.frombuffer(piece, NUMBERS[component]).reshape(count, width)

    width = WIDTH[accessor["type"]]
    if "bufferView" in accessor:
        values = view(accessor["bufferView"], accessor["componentType"], accessor["count"], width)
    else:
        values = np.zeros((accessor["count"], width), NUMBERS[accessor["componentType"]])
    if sparse := accessor.get("sparse"):
        rows = view(sparse["indices"]["bufferView"], sparse["indices"]["componentType"], sparse["count"], 1)[:, 0]
        assert (np.diff(rows.astype(int)) > 0).all()
        values = values.copy()
        values[rows] = view(sparse["values"]["bufferView"], accessor["componentType"], sparse["count"], width)
    if "min" in accessor:
        assert np.array_equal(values.min(axis=0), np.float32(accessor["min"]))
        assert np.array_equal(values.max(axis=0), np.float32(accessor["max"]))
    return values
