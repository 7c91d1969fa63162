"""Changes that leave the frame of a file whole: of a value in JSON, of a chunk with its checksum, of what a zip holds.

Without them nearly all inputs end at a checksum or at the first bracket. Each raises ValueError for a file that is not
of its kind.
"""

from __future__ import annotations

import io
import json
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

from fuzz.mutate import ODD, mutated

DEEP = 5000
Structure = Callable[[Random, bytes], bytes]


def json_tree(rng: Random, data: bytes) -> bytes:
    """One to three values of a JSON text: another kind, another number, gone, twice, or nested deeply."""
    tree = json.loads(data)
    for _ in range(rng.choice((1, 1, 2, 3))):
        tree = _in_tree(rng, tree)
    text = json.dumps(tree)
    if rng.random() < 0.05:
        text = text.replace("null", rng.choice(("NaN", "1e999", "[" * DEEP + "]" * DEEP, "9" * 5000)), 1)
    return text.encode()


def _in_tree(rng: Random, tree: Any) -> Any:
    places = _places(tree)
    if not places:
        return _odd_value(rng, tree)
    holder, key = rng.choice(places)
    match rng.randrange(6):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, list):
            holder[key:key] = [holder[key]] * rng.choice((1, 2, 50))
        case 2:
            other, at = rng.choice(places)
            holder[key] = json.loads(json.dumps(other[at])) if _there(other, at) else None
        case _:
            holder[key] = _odd_value(rng, holder[key])
    return tree


def _there(holder: Any, key: Any) -> bool:
    return key in holder if isinstance(holder, dict) else key < len(holder)


def _places(tree: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting and len(found) < 5000:
        value = waiting.pop()
        keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
        found += [(value, key) for key in keys]
        waiting += [value[key] for key in keys]
    return found


def _odd_value(rng: Random, value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and rng.random() < 0.6:
        return rng.choice((*ODD, value + 1, value - 1, -value, 2 * value))
    return rng.choice(
        (None, True, 0, -1, 1.5, 1e308, 10**30, "", "a" * 3000, "../../outside", "\0", "\ud800", "\u202e", "<b>", [],
         {}, [[]], {"": None}, [0] * 1000, [value], {"a": value})
    )  # fmt: skip


def chunks(rng: Random, data: bytes) -> bytes:
    """Of a PNG: a chunk changed, gone, twice, or in another place; checksums are right, and pixels stay packed."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("no PNG")
    found, at = [], 8
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        found.append((kind, data[at + 8 : at + 8 + length]))
        at += length + 12
    k = rng.randrange(len(found))
    kind, body = found[k]
    match rng.randrange(7):
        case 0:
            found.pop(k)
        case 1:
            found.insert(rng.randrange(len(found)), found[k])
        case 2:
            found[k] = (bytes(b ^ (32 * (rng.random() < 0.2)) for b in kind), body)
        case 3 if kind == b"IDAT":
            try:
                found[k] = (kind, zlib.compress(mutated(rng, zlib.decompress(body), ())))
            except zlib.error as error:
                raise ValueError("no pixels") from error
        case _:
            found[k] = (kind, mutated(rng, body, ()))
    out = [struct.pack(">I4s", len(b), n) + b + struct.pack(">I", zlib.crc32(n + b)) for n, b in found]
    return data[:8] + b"".join(out)


def boxes(rng: Random, data: bytes) -> bytes:
    """Of an MP4, HEIC or AVIF: something inside a box, the lengths of the boxes around it kept true."""
    holders = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"iprp", b"ipco", b"dinf")
    found, at = [], 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if not 8 <= length <= len(data) - at:
            break
        found.append([kind, data[at + 8 : at + length]])
        at += length
    if not found:
        raise ValueError("no boxes")
    k = rng.randrange(len(found))
    kind, body = found[k]
    match rng.randrange(6):
        case 0:
            found.pop(k)
        case 1:
            found.insert(rng.randrange(len(found)), found[k])
        case 2 if kind == b"meta":
            found[k][1] = body[:4] + boxes(rng, body[4:])
        case 2 | 3 | 4 if kind in holders:
            found[k][1] = boxes(rng, body)
        case _:
            found[k][1] = mutated(rng, body, ())
    return b"".join(struct.pack(">I4s", len(b) + 8, n) + b for n, b in found) + data[at:]


def zip_of(inside: Structure | None = None) -> Structure:
    """Of a zip archive (npz too): one of its files changed, by `inside` where that can, gone, twice, or renamed."""

    def change(rng: Random, data: bytes) -> bytes:
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                files = [(info.filename, archive.read(info)) for info in archive.infolist()]
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, zlib.error, EOFError) as error:
            raise ValueError("no zip") from error
        if not files:
            raise ValueError("an empty zip")
        k = rng.randrange(len(files))
        name, body = files[k]
        match rng.randrange(8):
            case 0:
                files.pop(k)
            case 1:
                files[k] = (files[rng.randrange(len(files))][0], body)
            case 2:
                files[k] = (mutated(rng, name.encode(), ()).decode("utf-8", "replace").replace("\0", "")[:500], body)
            case _:
                files[k] = (name, either(rng, body, inside))
        out = io.BytesIO()
        with (
            warnings.catch_warnings(),
            zipfile.ZipFile(out, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive,
        ):
            warnings.simplefilter("ignore")  # two files of one name are what is wanted
            for name, body in files:
                archive.writestr(name or "_", body)
        return out.getvalue()

    return change


def either(rng: Random, data: bytes, structure: Structure | None) -> bytes:
    """By `structure` where there is one that can, else anywhere."""
    if structure is not None and rng.random() < 0.6:
        try:
            return structure(rng, data)
        except (ValueError, RecursionError, LookupError, struct.error):
            pass
    return mutated(rng, data, ())


def npy(rng: Random, data: bytes) -> bytes:
    """Of a numpy array: its shape, its kind of numbers, or the numbers."""
    if data[:6] != b"\x93NUMPY":
        raise ValueError("no array")
    wide = 2 if data[6] == 1 else 4
    length = int.from_bytes(data[8 : 8 + wide], "little")
    head, body = data[8 + wide : 8 + wide + length], data[8 + wide + length :]
    match rng.randrange(4):
        case 0:
            kinds = (
                b"'<f8'",
                b"'<i8'",
                b"'|b1'",
                b"'<c16'",
                b"'|O'",
                b"'<U3'",
                b"'|S0'",
                b"'<M8[s]'",
                b"[('a','<f4')]",
            )
            begin, end = head.index(b"'descr': ") + 9, head.index(b", 'fortran")
            head = head[:begin] + rng.choice(kinds) + head[end:]
        case 1 | 2:
            begin, end = head.index(b"'shape': ") + 9, head.rindex(b")") + 1
            count = max(1, len(body) // 8)
            shapes = (b"()", b"(0,)", b"(-1,)", b"(1,)", b"(%d,)" % count, b"(1,%d)" % count, b"(%d,1)" % count,
                      b"(99999999999,99999999999)", b"(1,)*99", b"((1,),)", b"(True,)")  # fmt: skip
            head = head[:begin] + rng.choice(shapes) + head[end:]
        case _:
            odd = rng.choice((b"\xff" * 8, b"\0" * 8, struct.pack("<d", float("nan")), struct.pack("<d", 1e300)))
            body = odd * (len(body) // 8) + body[len(body) // 8 * 8 :] if rng.random() < 0.3 else mutated(rng, body, ())
    return data[:8] + len(head).to_bytes(wide, "little") + head + body


def glb(rng: Random, data: bytes) -> bytes:
    """Of a binary glTF: its JSON, or its numbers; the lengths of both are right."""
    if data[:4] != b"glTF":
        raise ValueError("no glTF")
    (length,) = struct.unpack_from("<I", data, 12)
    text, rest = data[20 : 20 + length], data[20 + length :]
    if rng.random() < 0.75:
        text = json_tree(rng, text)
    elif len(rest) > 8:
        body = mutated(rng, rest[8:], ())
        rest = struct.pack("<I", len(body)) + rest[4:8] + body
    text += b" " * (-len(text) % 4)
    return data[:8] + struct.pack("<III", 20 + len(text) + len(rest), len(text), 0x4E4F534A) + text + rest
