"""Which reader opens a file, told by its first bytes.

Named readers only: `PIL.Image.open` would also try dozens of exotic formats, among them some that start other
programs, and its guard against huge pictures is a global that other code may have changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from PIL import Image as pil
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

__all__ = [
    "OPENERS", "Jpeg2KImageFile", "Opener", "PngImageFile", "TiffImageFile", "WebPImageFile", "is_isobmff", "opener",
]  # fmt: skip

Opener = Callable[[BinaryIO], pil.Image]

OPENERS: dict[bytes, Opener] = {
    b"\xff\xd8\xff": JpegImageFile,
    b"\x89PNG\r\n\x1a\n": PngImageFile,
    b"GIF87a": GifImageFile,
    b"GIF89a": GifImageFile,
    b"BM": BmpImageFile,
    b"II*\0": TiffImageFile,
    b"MM\0*": TiffImageFile,
    b"II+\0": TiffImageFile,
    b"MM\0+": TiffImageFile,
    b"\0\0\0\x0cjP  \r\n\x87\n": Jpeg2KImageFile,
    b"\xff\x4f\xff\x51": Jpeg2KImageFile,
}
"""First bytes -> reader, for the formats with a fixed signature."""


def opener(head: bytes) -> Opener | None:
    """The first 32 bytes of a file -> what opens it; None for an unknown kind."""
    if head[4:8] == b"ftyp":
        brands = {head[i : i + 4] for i in (8, *range(16, len(head), 4))}
        return AvifImageFile if brands & {b"avif", b"avis"} else _open_heif
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WebPImageFile
    if head[:1] == b"P" and head[1:2] in (b"1", b"2", b"3", b"4", b"5", b"6", b"f") and head[2:3].isspace():
        return PpmImageFile
    return next((reader for magic, reader in OPENERS.items() if head.startswith(magic)), None)


def is_isobmff(opener: Opener) -> bool:
    """Whether what it opens is made of boxes: AVIF and HEIC."""
    return opener in (AvifImageFile, _open_heif)


def _open_heif(stream: BinaryIO) -> pil.Image:
    from pi_heif import HeifImageFile

    picture: pil.Image = HeifImageFile(stream)
    return picture
