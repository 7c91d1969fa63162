"""Panoramas for `lights.surrounding`, from files."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.color import srgb_decode
from tronie.errors import InputError
from tronie.formats.safety import Budget, Refused, reading
from tronie.io.png_reader import MAGIC, plain_png, take_apart

MOST_PIXELS = 8192 * 4096
"""Far more than light has any use for: it is reduced to a hundred columns."""
RADIANCE = re.compile(
    rb"#\?(?:RADIANCE|RGBE)\n(?:[^\n]{0,120}\n){0,60}?\n-Y (?P<height>\d{1,9}) \+X (?P<width>\d{1,9})\n"
)
"""The head of a .hdr, with lines that OpenCV takes for lines too."""


def read_panorama(path: Path) -> Array:
    """(H, W, 3) float32 linear RGB of a Radiance .hdr, or of a PNG, JPEG or WebP in sRGB. Raises InputError."""
    with reading(path, "a panorama", error=InputError):
        image = _decoded(path.read_bytes())
    image = np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image[..., 2::-1]
    if image.dtype == np.float32:
        return np.ascontiguousarray(image, dtype=np.float32)
    c = image.astype(np.float32) / (65535.0 if image.dtype == np.uint16 else 255.0)
    return np.asarray(srgb_decode(c), dtype=np.float32)


def _decoded(data: bytes) -> NDArray[Any]:
    """As OpenCV gives it, once it is known to be no larger than it may."""
    import cv2

    from tronie.io.decode import quiet_opencv

    size = _size(data)
    if size is None:
        raise Refused("a panorama should be a .hdr, .png, .jpg or .webp picture")
    Budget(pixels=MOST_PIXELS).picture(size)
    if data.startswith(MAGIC):
        data = _sound_png(data)
    try:
        with quiet_opencv():
            flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
            image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        image = None
    if image is None:
        raise Refused("it is damaged or cut off")
    return np.asarray(image)


def _sound_png(data: bytes) -> bytes:
    """A PNG without what is no part of the picture: OpenCV makes room for whatever length a chunk claims."""
    stream = io.BytesIO(data)
    png = take_apart(stream)
    if any(chunk.start + 12 + chunk.length > len(data) for chunk in png.chunks):
        raise Refused("it is damaged or cut off")
    return plain_png(stream, png).read()


def _size(data: bytes) -> tuple[int, int] | None:
    """Width and height, as far as the file tells before it is decoded."""
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile
    from PIL.WebPImagePlugin import WebPImageFile

    from tronie.io.decode import opener, quiet_pillow
    from tronie.io.frames import scan

    if told := RADIANCE.match(data[:8192]):
        return int(told["width"]), int(told["height"])
    stream, reader = io.BytesIO(data), opener(data[:32])
    if reader is JpegImageFile:
        with quiet_pillow(), reader(stream) as picture:
            return picture.size
    # The others say it in their first bytes; to open a WebP takes the memory for all of it.
    found = scan(stream) if reader in (PngImageFile, WebPImageFile) else None
    return None if found is None or not found.pixels else found.size
