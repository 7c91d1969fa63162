"""Heads as a page carries them: what of a .glb is the same in all of them, and what a browser can do without."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from tronie.errors import InputError
from tronie.export.gltf_document import Json, container
from tronie.runtime.json_text import parsed

WORTH = 32 << 10
"""Bytes of a picture below which it stays a PNG."""
QUALITY = 90
"""Of a picture with transparency as WebP: a quarter of the PNG's bytes; its alpha stays exact."""


def split_glb(name: str, data: bytes, has_provenance: bool) -> tuple[bytes, bytes]:
    """A .glb as all that is before its binary chunk's content, and that, whose length stays as it is. `has_provenance`:
    the page has a picture of that, so the vertices need not tell it. Raises InputError."""
    wrong = InputError(f"Cannot read {name}: it is no .glb, or damaged.")
    if len(data) < 28 or data[:4] != b"glTF" or data[16:20] != b"JSON":
        raise wrong
    (length,) = struct.unpack_from("<I", data, 12)
    begin = 28 + length
    try:
        document = parsed(data[20 : 20 + length])
    except ValueError:
        raise wrong from None
    if begin > len(data) or not isinstance(document, dict):
        raise wrong
    lists = [document.get(kind) or [] for kind in ("buffers", "images")]
    if not all(isinstance(each, list) for each in lists) or not isinstance(document.get("asset") or {}, dict):
        raise wrong
    parts = [part for each in lists for part in each]
    if any(not isinstance(part, dict) or "uri" in part for part in parts):
        raise InputError(f"Cannot show {name}: it refers to other files.")
    if not str((document.get("asset") or {}).get("generator", "")).startswith("tronie"):
        return data[:begin], data[begin:]
    try:
        binary = _slim(document, data[begin:], has_provenance)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError):  # somebody changed it: as it is then
        return data[:begin], data[begin:]
    return b"".join(container(document, len(binary))), binary


def same_beginning(binaries: Sequence[bytes]) -> int:
    """How many bytes at the beginning are the same in all."""
    length = min((len(binary) for binary in binaries), default=0)
    if len(binaries) < 2:
        return length
    first = np.frombuffer(binaries[0], np.uint8, length)
    for binary in binaries[1:]:
        other = np.frombuffer(binary, np.uint8, length)
        if len(apart := np.flatnonzero(first[:length] != other[:length])):
            length = int(apart[0])
    return length


def _slim(document: Json, binary: bytes, has_provenance: bool) -> bytes:
    """What is left out becomes zeros, which are packed into nothing: so no other place in the file changes."""
    out = bytearray(binary)

    def place(view: Any) -> slice:
        begin = int(view.get("byteOffset", 0))
        return slice(begin, begin + int(view["byteLength"]))

    # Browsers find tangents from the texture's place well enough.
    unwanted = {"TANGENT", "_PROVENANCE"} if has_provenance else {"TANGENT"}
    for mesh in document["meshes"]:
        for primitive in mesh["primitives"]:
            for key in unwanted & set(primitive["attributes"]):
                accessor = document["accessors"][primitive["attributes"].pop(key)]
                where = place(document["bufferViews"][accessor["bufferView"]])
                out[where] = bytes(where.stop - where.start)
    for image in document.get("images", ()):
        view = document["bufferViews"][image["bufferView"]]
        where = place(view)
        size = where.stop - where.start
        if image["mimeType"] != "image/png" or size < WORTH:
            continue
        smaller = _webp(bytes(out[where]))
        if smaller is not None and len(smaller) < size:
            out[where] = smaller.ljust(size, b"\0")
            view["byteLength"] = len(smaller)
            image["mimeType"] = "image/webp"
    return bytes(out)


def _webp(data: bytes) -> bytes | None:
    """A PNG with transparency as WebP, with the colours that go on where it is clear; None for another picture."""
    import io

    from PIL import Image as Pillow

    with Pillow.open(io.BytesIO(data), formats=("PNG",)) as image:
        if image.mode != "RGBA":
            return None
        packed = io.BytesIO()
        image.save(packed, "WEBP", quality=QUALITY, method=4, exact=True)
    return packed.getvalue()
