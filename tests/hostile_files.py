"""A folder of files that mean harm, or would without meaning it, beside good ones; written anew for each test.

`write_good` and `write_hostile` give the names they wrote. Nothing here is larger than some hundred kilobytes on disk.
"""

from __future__ import annotations

import io
import os
import socket
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from places import TESTS

HEIC = TESTS / "io" / "tiny.heic"
FORMATS = {
    "jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "bmp": "BMP", "tif": "TIFF", "ppm": "PPM",
    "jp2": "JPEG2000", "avif": "AVIF",
}  # fmt: skip
VIDEOS = ("mp4", "mov", "avi", "webm", "mkv", "mpg", "ts", "wmv", "flv", "3gp", "ogv", "y4m", "h264", "hevc", "ivf")
File = tuple[str, bytes]


def write_good(folder: Path, face: Image.Image) -> list[str]:
    """One photo of a face in fourteen forms."""
    rgb = np.asarray(face)
    clear = face.copy()
    clear.putalpha(255)
    pictures = {
        "good.jpg": face,
        "good.png": face,
        "good.webp": face,
        "good.bmp": face,
        "good.tif": face,
        "good.ppm": face,
        "good.jp2": face,
        "good.avif": face,
        "grey.jpg": face.convert("L"),
        "cmyk.jpg": face.convert("CMYK"),
        "palette.gif": face.quantize(256),
        "clear.png": clear,
    }
    for name, picture in pictures.items():
        picture.save(folder / name)
    cv2.imwrite(str(folder / "deep.png"), np.ascontiguousarray(rgb[..., ::-1]).astype(np.uint16) * 257)
    face.save(folder / "disguised.png", format="JPEG")
    return [*pictures, "deep.png", "disguised.png"]


def write_hostile(folder: Path) -> list[str]:
    """All kinds; names of what is not there on this system (pipes, sockets, links) are left out."""
    names = []
    for name, data in (*damaged(), *bombs(), *oddities(), *clips()):
        with suppress(OSError):  # names that this file system does not take
            (folder / name).write_bytes(data)
            names.append(name)
    return [*names, *_no_files(folder)]


def encoded(array: np.ndarray, kind: str, **kwargs: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind, **kwargs)
    return buffer.getvalue()


def noise(height: int = 48, width: int = 56, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, color: int = 2, depth: int = 8, rows: bytes | None = None, *more: bytes) -> bytes:
    """A PNG of any claimed size; its rows are zeros unless given."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    if rows is None:
        packer = zlib.compressobj(9)
        row = bytes(1 + width * channels * depth // 8)
        rows = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def damaged() -> Iterator[File]:
    """Every format: empty, zeros, text, cut off at several places, with bytes changed."""
    whole = {ending: encoded(noise(), kind) for ending, kind in FORMATS.items()} | {"heic": HEIC.read_bytes()}
    rng = np.random.default_rng(1)
    for ending, data in whole.items():
        yield f"empty.{ending}", b""
        yield f"zeros.{ending}", bytes(5000)
        yield f"text.{ending}", b"Dear reader, this is not a picture. " * 40
        for share in (10, 50, 90):
            yield f"cut{share}.{ending}", data[: len(data) * share // 100]
        for number in range(3):
            changed = bytearray(data)
            for place in rng.integers(0, len(data), 12):
                changed[place] = rng.integers(0, 256)
            yield f"changed{number}.{ending}", bytes(changed)
        yield f"magic.{ending}", data[:16] + rng.bytes(3000)


def gif(width: int, height: int, frames: int) -> bytes:
    one = b"\x21\xf9\x04\0\x04\0\0\0" + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff" + one * frames + b";"


def webp(width: int, height: int, frames: int) -> bytes:
    body = b"VP8X" + struct.pack("<II", 10, 2) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body += (b"ANMF" + struct.pack("<I", 16) + bytes(16)) * frames
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def tiff(entries: dict[int, tuple[int, int, int]], behind: bytes = b"", following: int = 0) -> bytes:
    body = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in sorted(entries.items()))
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + struct.pack("<I", following) + behind


def strip(width: int, height: int, bits: int = 8) -> dict[int, tuple[int, int, int]]:
    return {
        256: (4, 1, width),
        257: (4, 1, height),
        258: (3, 1, bits),
        259: (3, 1, 1),
        262: (3, 1, 1),
        273: (4, 1, 8),
        277: (3, 1, 1),
        278: (4, 1, height),
        279: (4, 1, width * height % (1 << 32)),
    }


def bombs() -> Iterator[File]:
    """Small files that claim, or are, a lot."""
    yield "huge.gif", gif(65535, 65535, 60)
    yield "wide.gif", gif(60_000, 400, 60)
    yield "many.gif", gif(2500, 2500, 400)
    yield "large_frames.gif", gif(4000, 4000, 400)
    yield "frames.gif", gif(30, 30, 60_000)
    yield "huge.webp", webp(16_383, 16_383, 40)
    yield "moving.webp", webp(16_000_000, 3, 40)
    yield "square.png", png(30_000, 30_000, 2, 8, b"")
    yield "claims.png", png(4_000_000_000, 4_000_000_000, 6, 16, b"")
    yield "zeros_10000.png", png(10_000, 10_000, 0, 8)
    yield "zeros_deep.png", png(6_000, 5_000, 6, 16)
    yield "zeros_1bit.png", png(20_000, 20_000, 0, 1)
    still = encoded(noise(), "PNG")
    bomb = zlib.compress(bytes(30_000_000))
    for name, extra in {
        "text": chunk(b"tEXt", b"Comment\0" + b"x" * 300_000),
        "ztxt": chunk(b"zTXt", b"Comment\0\0" + bomb),
        "itxt": chunk(b"iTXt", b"Comment\0\1\0\0\0" + bomb),
        "icc": chunk(b"iCCP", b"p\0\0" + bomb),
        "exif": chunk(b"eXIf", b"MM\0*\0\0\0\x08\xff\xff" + bytes(60_000)),
        "chunks": chunk(b"teSt", b"") * 9000,
        "frames": chunk(b"acTL", struct.pack(">II", 1 << 30, 0)),
        "sbit": chunk(b"sBIT", b"\0\0\0"),
    }.items():
        yield f"beside_{name}.png", still[:33] + extra + still[33:]
    apng = bytearray(b"")
    frames = [Image.fromarray(np.full((30, 30, 3), 9 * k, np.uint8)) for k in range(8)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:], duration=100)
    apng[:] = buffer.getvalue()
    apng[16:24] = struct.pack(">II", 50_000, 50_000)
    yield "canvas.apng", bytes(apng)
    bmp = bytearray(encoded(noise(), "BMP"))
    for name, size in {"large": (30_000, 30_000), "negative": (-5, 7), "most": (2**31 - 1, 2**31 - 1)}.items():
        bmp[18:26] = struct.pack("<ii", *size)
        yield f"{name}.bmp", bytes(bmp)
    yield "large.ppm", b"P6 30000 30000 255\n" + bytes(100)
    yield "digits.ppm", b"P6 " + b"9" * 4000 + b" 1 255\n"
    yield "float.ppm", b"Pf 4 4 nan\n" + bytes(64)
    yield "large.tif", tiff(strip(60_000, 60_000), bytes(50))
    yield "pixels.tif", tiff(strip(2**32 - 1, 2**32 - 1))
    yield "circle.tif", tiff(strip(4, 4), bytes(16), following=8)
    yield "tags.tif", tiff({256: (4, 2**31, 8), 257: (4, 1, 4)})
    yield "nothing.tif", tiff({})
    yield "depth.tif", tiff(strip(4, 4, 64), bytes(128))
    pages = b"".join(struct.pack("<HI", 0, 8 + 6 * (k + 1)) for k in range(20_000))
    yield "pages.tif", b"II*\0" + struct.pack("<I", 8) + pages
    jpeg = bytearray(encoded(noise(), "JPEG"))
    at = jpeg.index(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = struct.pack(">HH", 65_535, 65_535)
    yield "large.jpg", bytes(jpeg)
    jpeg[at + 5 : at + 9] = struct.pack(">HH", 0, 0)
    yield "none.jpg", bytes(jpeg)
    yield "segments.jpg", b"\xff\xd8" + (b"\xff\xe1\xff\xff" + bytes(65_533)) * 8 + encoded(noise(), "JPEG")[2:]
    jp2 = bytearray(encoded(noise(), "JPEG2000"))
    at = jp2.index(b"ihdr")
    jp2[at + 4 : at + 12] = struct.pack(">II", 60_000, 60_000)
    yield "large.jp2", bytes(jp2)
    for ending, data in {"avif": encoded(noise(), "AVIF"), "heic": HEIC.read_bytes()}.items():
        changed = bytearray(data)
        at = changed.index(b"ispe")
        changed[at + 8 : at + 16] = struct.pack(">II", 60_000, 60_000)
        yield f"large.{ending}", bytes(changed)
        yield f"boxes.{ending}", data[:32] + struct.pack(">I4s", 0xFFFFFFF0, b"meta") + data[40:]


def oddities() -> Iterator[File]:
    """Pictures that are legal, or nearly, and unusual."""
    for width, height in ((1, 1), (1, 5000), (5000, 1), (60_000, 2), (2, 60_000)):
        yield f"strip_{width}x{height}.png", png(width, height)
    for number, value in enumerate((np.nan, np.inf, -np.inf, 1e30, -5.0)):
        buffer = io.BytesIO()
        Image.fromarray(np.full((20, 20), value, np.float32)).save(buffer, "TIFF")
        yield f"float{number}.tif", buffer.getvalue()
    deep = np.full((20, 20, 3), 0.5, np.float32)
    deep[3:9] = np.nan
    yield "nan.tif", cv2.imencode(".tif", deep)[1].tobytes()
    for name, mode in {"lab": "LAB", "cmyk": "CMYK", "ycc": "YCbCr"}.items():
        buffer = io.BytesIO()
        Image.fromarray(noise()).convert(mode).save(buffer, "TIFF")
        yield f"{name}.tif", buffer.getvalue()
    yield "clear.webp", encoded(np.zeros((30, 30, 4), np.uint8), "WEBP")
    yield "short_palette.png", png(8, 8, 3, 8, zlib.compress((b"\0" + b"\xff" * 8) * 8), chunk(b"PLTE", b"\1\2\3"))
    yield "no_palette.png", png(8, 8, 3, 8)
    yield "filter.png", png(8, 8, 2, 16, zlib.compress((b"\x09" + bytes(48)) * 8))
    yield "coding.png", png(8, 8, 2, 16, None, chunk(b"cICP", b"\xfe\xfe\xfe\xfe"))
    yield "-o.jpg", encoded(noise(), "JPEG")
    yield "red\x1b[31m\x07.jpg", b"no picture"
    yield "line\nbreak.jpg", b"no picture"
    yield "\u202egpj.jpg", b"no picture"
    yield "x" * 240 + ".jpg", b"no picture"
    yield "a[1]*?.jpg", encoded(noise(), "JPEG")
    yield "raw.dng.tif", b"II*\0" + bytes(64)


def clips() -> Iterator[File]:
    """Videos that are none, break off, or claim a lot."""
    rng = np.random.default_rng(2)
    for ending in VIDEOS:
        yield f"noise.{ending}", rng.bytes(4000)
    yield "empty.mp4", b""
    yield "text.mov", b"this is no video " * 50
    yield "huge.y4m", b"YUV4MPEG2 W60000 H60000 F25:1\nFRAME\n" + bytes(1000)
    yield "rate.y4m", b"YUV4MPEG2 W16 H16 F0:0\n" + (b"FRAME\n" + bytes(384)) * 3
    yield "head.mkv", b"\x1aE\xdf\xa3\x01\xff\xff\xff\xff\xff\xff\xff" + rng.bytes(500)
    yield "boxes.mp4", struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + struct.pack(">I4s", 0xFFFFFFFF, b"moov")
    nested = b""
    for _ in range(400):
        nested = struct.pack(">I4s", len(nested) + 8, b"moov") + nested
    yield "nested.mp4", struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + nested


def motion_jpeg(folder: Path) -> list[str]:
    """A real film of noise, cut, changed and with another size in its head; where OpenCV writes none, nothing."""
    path = folder / "whole.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 24, (64, 48))
    for _ in range(8):
        writer.write(noise(48, 64))
    writer.release()
    if not path.exists():
        return []
    data = path.read_bytes()
    lie = bytearray(data)
    at = lie.index(b"strf") + 12
    lie[at : at + 8] = struct.pack("<ii", 60_000, 60_000)
    changed = bytearray(data)
    for place in np.random.default_rng(3).integers(300, len(data), 60):
        changed[place] ^= 85
    made: dict[str, Callable[[], bytes] | bytes] = {
        "cut.avi": data[: len(data) // 2],
        "lie.avi": bytes(lie),
        "changed.avi": bytes(changed),
    }
    for name, content in made.items():
        assert isinstance(content, bytes)
        (folder / name).write_bytes(content)
    return ["whole.avi", *made]


def _no_files(folder: Path) -> list[str]:
    """What has the name of a photo and is no file."""
    names = motion_jpeg(folder)
    (folder / "folder.jpg").mkdir()
    with suppress(OSError, AttributeError, NotImplementedError):
        os.mkfifo(folder / "pipe.jpg")
        os.mkfifo(folder / "pipe.mp4")
        names += ["pipe.jpg", "pipe.mp4"]
    with suppress(OSError, NotImplementedError):
        os.symlink(folder / "loop.jpg", folder / "loop.jpg")
        os.symlink(folder / "nowhere", folder / "dangling.png")
        names += ["loop.jpg", "dangling.png"]
    with suppress(OSError, AttributeError):
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(os.fspath(folder / "socket.jpg"))
        names.append("socket.jpg")
    return names
