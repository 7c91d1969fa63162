"""One picture file of any kind -> its pixels in sRGB as they lie in the file, and what it says of them."""

from __future__ import annotations

import math
import os
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image as pil
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from tronie.arrays import Image
from tronie.color import HLG, PQ, is_hdr
from tronie.errors import InputError
from tronie.io.frames import scan
from tronie.io.heif_boxes import coded
from tronie.io.jxl_reader import jxl_header, jxl_pixels
from tronie.io.limits import COSTS, MODE_COSTS, USUAL_COST, Limits
from tronie.io.pixels import (
    WIDE_MODES,
    Coding,
    Scale,
    coding_of,
    integer_scale,
    rgb_from_pil,
    rgb_from_values,
    scale_of,
)
from tronie.io.png_reader import Png, deep_pixels, plain_png, take_apart


@contextmanager
def quiet_opencv() -> Iterator[None]:
    """OpenCV's warnings kept back: what matters of them is said in one sentence. Its FFmpeg looks at a variable when it
    is first used, which is here unless the caller has used it before."""
    import cv2

    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    log: Any = getattr(cv2.utils, "logging", cv2)  # where it is since 4.13, and before
    before = log.getLogLevel()
    log.setLogLevel(0)
    try:
        yield
    finally:
        log.setLogLevel(before)


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Pillow's warnings of odd metadata kept back: the picture is what counts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


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


ORIENTATION = 0x0112
WIDTH, HEIGHT, BITS, PHOTOMETRIC, DESCRIPTION, SAMPLES, MAX_SAMPLE = 256, 257, 258, 262, 270, 277, 281
ICC, WHITE_LEVEL = 34675, 50717
"""Tags of TIFF and DNG."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture as it lies in its file."""

    image: Image
    """(H, W, 3) RGB uint8, sRGB; reduced if the file holds more than is kept, not turned yet."""
    taken: tuple[int, int]
    """Width and height in the file, pixels."""
    exif: pil.Exif
    notes: tuple[str, ...] = ()


def decode(stream: BinaryIO, opener: Opener, source: str, limits: Limits) -> Decoded:
    """Raises InputError for what is refused, and whatever the decoders raise for what is damaged."""
    found = scan(stream)
    if found is not None and found.pixels:
        # Before a reader sets its canvas up.
        limits.check_size(found.size, source, COSTS["WEBP"] if opener is WebPImageFile else 1)
    stream.seek(0)
    if opener is PngImageFile:
        decoded = _png(stream, source, limits)
    elif opener is TiffImageFile:
        decoded = _tiff(stream, source, limits)
    elif is_isobmff(opener):
        decoded = _isobmff(stream, opener, source, limits)
    else:
        if opener is WebPImageFile or opener is Jpeg2KImageFile:  # taken into memory whole
            limits.check_file(stream.seek(0, 2), source, whole=True)
            stream.seek(0)
        # Where a box of JPEG 2000 lies about its length, a file would ask for that much memory.
        with opener(BytesIO(stream.read()) if opener is Jpeg2KImageFile else stream) as picture:
            decoded = _picture(picture, source, limits)
    if found is not None and found.count > 1:
        what = "frames" if found.pixels else "pages"
        note = f"only the first of {found.count} {what} was used"
        decoded = Decoded(decoded.image, decoded.taken, decoded.exif, (note, *decoded.notes))
    return decoded


def factor_for(size: tuple[int, int], limits: Limits) -> int:
    """By what whole number a picture is reduced so that it can be kept."""
    pixels = math.ceil(math.sqrt(size[0] * size[1] / limits.keep))
    return max(1, pixels, math.ceil(max(size) / limits.side))


def _picture(
    picture: pil.Image, source: str, limits: Limits, *, coding: Coding | None = None, stated: int | None = None
) -> Decoded:
    """What Pillow opened, not loaded yet. `stated`: significant bits that the file claims."""
    taken, kind = picture.size, str(picture.format or "")
    # A progressive JPEG keeps all its coefficients in memory, whatever size is asked for.
    if kind == "JPEG" and not picture.info.get("progressive"):
        limits.refuse_above(max(limits.reducible, limits.pixels), taken, source)
    else:
        limits.check_size(taken, source, _cost(picture), f" of {kind}" if kind in COSTS else "")
    factor = factor_for(taken, limits)
    if factor > 1 and kind == "JPEG":
        power = min(8, 1 << (factor - 1).bit_length())
        picture.draft(None, (taken[0] // power, taken[1] // power))
    picture.load()
    # After loading: some readers have turned the picture by then and say so here.
    exif, profile, left = picture.getexif(), picture.info.get("icc_profile"), factor_for(picture.size, limits)
    coding = coding or coding_of(profile)
    if picture.mode in WIDE_MODES:
        values = np.asarray(picture)[..., None]
        return _deep(values, taken, exif, left, coding=coding, stated=stated)
    return Decoded(rgb_from_pil(picture, left, coding), taken, exif, _hdr_notes(coding))


def _cost(picture: pil.Image) -> float:
    """Bytes of memory for each pixel while Pillow decodes it."""
    if layers := getattr(picture, "layer", None):  # a progressive JPEG: its coefficients are kept as well
        blocks = [int(h * v) for _, h, v, *_ in layers]
        return 4 + 2 * sum(blocks) / max(blocks)
    return COSTS.get(str(picture.format), MODE_COSTS.get(picture.mode, USUAL_COST))


def decode_jxl(stream: BinaryIO, source: str, limits: Limits) -> Decoded:
    """JPEG XL, where the extra is installed."""
    limits.check_file(stream.seek(0, 2), source, whole=True)
    header = jxl_header(stream)
    limits.check_size(header.size, source, COSTS["JXL"], " of JPEG XL")
    values = jxl_pixels(stream)
    exif = pil.Exif()
    if header.exif:
        exif.load(header.exif)
    exif[ORIENTATION] = 1  # the decoder has turned it
    scale = Scale(1.0) if np.issubdtype(values.dtype, np.floating) else integer_scale(values.dtype)
    taken = (values.shape[1], values.shape[0])
    return _deep(values, taken, exif, factor_for(taken, limits), coding=header.coding, scale=scale)


def _png(stream: BinaryIO, source: str, limits: Limits) -> Decoded:
    png = take_apart(stream)
    coding = png.coding or coding_of(png.profile)
    if png.depth == 16:
        return _deep_png(stream, png, coding, source, limits)
    with PngImageFile(plain_png(stream, png)) as picture:
        # A coding beats a profile (PNG, third edition, 4.3).
        picture.info.update(_told(png))
        return _picture(picture, source, limits, coding=coding)


def _told(png: Png) -> dict[str, Any]:
    told = {"icc_profile": png.profile, "exif": png.exif, "xmp": png.xmp}
    return {key: value for key, value in told.items() if value}


def _deep_png(stream: BinaryIO, png: Png, coding: Coding | None, source: str, limits: Limits) -> Decoded:
    channels = png.channels + (png.key is not None)
    factor = factor_for(png.size, limits)
    # Row by row only the reduced picture is in memory.
    limits.check_size(png.size, source, 2 * channels if png.interlaced else 2 * channels / factor**2)
    values = deep_pixels(stream, png, factor)
    holder = pil.new("L", (1, 1))  # Pillow knows how EXIF and XMP go together
    holder.info.update(_told(png))
    return _deep(values, png.size, holder.getexif(), coding=coding, profile=png.profile, stated=png.bits)


def _deep(
    values: NDArray[Any],
    taken: tuple[int, int],
    exif: pil.Exif,
    factor: int = 1,
    *,
    coding: Coding | None = None,
    profile: bytes | None = None,
    stated: int | None = None,
    scale: Scale | None = None,
) -> Decoded:
    """Numbers of more than eight bits. `scale`: where it is known what is white; else it is told by the numbers."""
    colour = values[..., : 3 if values.shape[2] > 2 else 1]
    if scale is None:
        scale = scale_of((colour[top : top + 256] for top in range(0, len(colour), 256)), stated)
    image = rgb_from_values(values, scale, factor, coding=coding, profile=profile)
    notes = (f"its numbers have {scale.bits} bits in 16; they were brought to the whole range",) if scale.bits else ()
    return Decoded(image, taken, exif, (*notes, *_hdr_notes(coding)))


def _tiff(stream: BinaryIO, source: str, limits: Limits) -> Decoded:
    """By Pillow, or where that does not know the kind, or would cut it to eight bits, by OpenCV."""
    try:
        picture: pil.Image | None = TiffImageFile(stream)
    except Exception:
        picture = None
    tags: Any = _tags(stream) if picture is None else getattr(picture, "tag_v2", {})
    bits = tags.get(BITS, 1)
    deep = max(bits if isinstance(bits, tuple) else (bits,)) > 8 and tags.get(PHOTOMETRIC) in (0, 1, 2)
    if deep and (picture is None or picture.mode in ("RGB", "RGBA", "RGBX")):
        decoded = _deep_tiff(stream, tags, source, limits)
        if decoded is not None:
            return decoded
    if picture is None:
        raise InputError(f"{source} is damaged, or a TIFF of a kind that is not supported.")
    with picture:
        return _picture(picture, source, limits, stated=_stated_bits(tags))


def _tags(stream: BinaryIO) -> Any:
    """The first directory of a TIFF that Pillow does not open."""
    stream.seek(0)
    tags = ImageFileDirectory_v2(stream.read(8))
    stream.seek(tags.next)
    tags.load(stream)
    return tags


def _stated_bits(tags: Any) -> int | None:
    """Significant bits that a TIFF, DNG or OME-TIFF claims."""
    bits = tags.get(BITS, 16)
    own = int(max(bits)) if isinstance(bits, tuple) else int(bits)
    if own < 16:
        return own
    ome = re.search(r'SignificantBits="(\d{1,2})"', str(tags.get(DESCRIPTION, ""))[:100_000])
    if ome:
        return int(ome[1])
    for tag in (MAX_SAMPLE, WHITE_LEVEL):
        value = tags.get(tag)
        highest = max(value) if isinstance(value, tuple) and value else value
        if isinstance(highest, int) and 255 <= highest < 65535:
            return highest.bit_length()
    return None


def _deep_tiff(stream: BinaryIO, tags: Any, source: str, limits: Limits) -> Decoded | None:
    """Several channels of 16 or 32 bits or of floats; None where OpenCV does not know the kind."""
    import cv2

    size = int(tags[WIDTH]), int(tags[HEIGHT])
    limits.check_file(stream.seek(0, 2), source, whole=True)
    limits.check_size(size, source, _deep_cost(tags), " of TIFFs with deep colours")
    stream.seek(0)
    with quiet_opencv():
        values = cv2.imdecode(np.frombuffer(stream.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.shape[:2] != size[::-1]:
        return None
    values = _red_first(values.reshape(*values.shape[:2], -1))
    exif = pil.Exif()
    exif[ORIENTATION] = tags.get(ORIENTATION, 1)
    return _deep(
        values[..., :4], size, exif, factor_for(size, limits), profile=tags.get(ICC), stated=_stated_bits(tags)
    )


def _red_first(values: NDArray[Any]) -> NDArray[Any]:
    """OpenCV's order of colours turned round, in place."""
    if values.shape[2] >= 3:
        for row in values:
            row[:, :3] = row[:, 2::-1].copy()
    return values


def _deep_cost(tags: Any) -> float:
    """Bytes of a pixel in the file and in OpenCV."""
    bits = tags.get(BITS, 16)
    deepest = int(max(bits) if isinstance(bits, tuple) else bits)
    return deepest / 4 * max(3, int(tags.get(SAMPLES, 1)))


def _isobmff(stream: BinaryIO, opener: Opener, source: str, limits: Limits) -> Decoded:
    """AVIF and HEIC."""
    limits.check_file(stream.seek(0, 2), source, whole=True)
    found = coded(stream)
    stream.seek(0)
    with opener(stream) as picture:
        limits.check_size(picture.size, source, COSTS[str(picture.format)], f" of {picture.format}")
        coding = found.coding
        # Of a picture with both, the profile says what its colours are (ISO/IEC 23000-22, 7.3.6.4); but profiles have
        # no good words for high dynamic range.
        if coding and not is_hdr(coding[1]) and picture.info.get("icc_profile"):
            coding = None
        if coding and is_hdr(coding[1]) and found.bits > 8:
            avif = picture.format == "AVIF"
            limits.check_size(picture.size, source, COSTS[str(picture.format)] + 12, " of high dynamic range")
            values = _deep_avif(stream, picture.size) if avif else _deep_heif(stream)
            if values is not None:
                taken, scale = picture.size, Scale((1 << found.bits) - 1)
                exif = picture.getexif()
                if not avif:  # libheif has turned it
                    exif[ORIENTATION] = 1
                return _deep(values, taken, exif, factor_for(taken, limits), coding=coding, scale=scale)
        return _picture(picture, source, limits, coding=coding)


def _deep_avif(stream: BinaryIO, size: tuple[int, int]) -> NDArray[np.uint16] | None:
    """(H, W, 3 | 4) with all the bits of an AVIF; None where OpenCV has no decoder for it."""
    import cv2

    stream.seek(0)
    with quiet_opencv():
        values = cv2.imdecode(np.frombuffer(stream.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16 or values.ndim != 3 or values.shape[:2] != size[::-1]:
        return None
    return _red_first(values)


def _deep_heif(stream: BinaryIO) -> NDArray[np.uint16] | None:
    """(H, W, 3 | 4) with all the bits of a HEIC."""
    from pi_heif import HeifFile

    stream.seek(0)
    file = HeifFile(stream, convert_hdr_to_8bit=False, hdr_to_16bit=False)
    values = np.array(file[file.primary_index])  # a copy: the file owns its memory
    return values if values.dtype == np.uint16 and values.ndim == 3 else None


def _hdr_notes(coding: Coding | None) -> tuple[str, ...]:
    kinds = {PQ: "PQ", HLG: "HLG"}
    return (f"its high dynamic range ({kinds[coding[1]]}) was brought to sRGB",) if coding and is_hdr(coding[1]) else ()
