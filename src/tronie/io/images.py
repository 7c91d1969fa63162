"""Photos in: any common file or array -> an upright RGB `Photo`. Every refusal is one sentence that names the file."""

from __future__ import annotations

import math
import os
import stat
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image as pil

from tronie.errors import InputError
from tronie.io.exif import focal_pixels
from tronie.io.formats import TiffImageFile, opener
from tronie.io.pixels import eight_bits, rgb_from_array, rgb_from_pil
from tronie.types import Image, Photo

IMAGE_SUFFIXES: frozenset[str] = frozenset(
    f".{ending}"
    for ending in (
        *("jpg", "jpeg", "jpe", "jfif", "mpo", "png", "apng", "webp", "gif", "bmp", "dib", "tif", "tiff"),
        *("heic", "heif", "hif", "avif", "jp2", "j2k", "jpx", "ppm", "pgm", "pbm", "pnm"),
    )
)
"""Lower-case endings of the files taken from a folder. Reading itself goes by the content, not by the name."""

RAW_SUFFIXES = frozenset((".cr2", ".cr3", ".nef", ".nrw", ".arw", ".dng", ".orf", ".rw2", ".raf", ".pef", ".srw"))
"""Camera raw files; several look like TIFF but hold only a thumbnail that a TIFF reader could open."""

ORIENTATION = 0x0112
TURNS = {
    2: pil.Transpose.FLIP_LEFT_RIGHT,
    3: pil.Transpose.ROTATE_180,
    4: pil.Transpose.FLIP_TOP_BOTTOM,
    5: pil.Transpose.TRANSPOSE,
    6: pil.Transpose.ROTATE_270,
    7: pil.Transpose.TRANSVERSE,
    8: pil.Transpose.ROTATE_90,
}
"""EXIF orientation -> what turns the picture upright."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a file may be and how large a picture is kept."""

    pixels: int = 120_000_000
    """Most pixels of a file that must be decoded whole (about 4 bytes each while it is read)."""
    reducible: int = 1_000_000_000
    """Most pixels of a baseline JPEG, which can be decoded at 1/2, 1/4 or 1/8."""
    keep: int = 40_000_000
    """Larger pictures are reduced by a whole number until they have at most so many pixels (see Photo.scale)."""

    @classmethod
    def default(cls) -> Limits:
        """`pixels` from TRONIE_MAX_MEGAPIXELS where that is set."""
        try:
            megapixels = float(os.environ["TRONIE_MAX_MEGAPIXELS"])
        except (KeyError, ValueError):
            return cls()
        if not 0 < megapixels < 1e6:
            return cls()
        pixels = int(megapixels * 1e6)
        return cls(pixels=pixels, reducible=max(pixels, cls().reducible))


def read_photo(path: str | Path, limits: Limits | None = None) -> Photo:
    """One photo file, upright, in sRGB. Raises InputError."""
    source, file = str(path), Path(path)
    limits = limits or Limits.default()
    try:
        mode = file.stat().st_mode
    except FileNotFoundError:
        raise InputError(f"{source} does not exist.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{source} cannot be read: {_reason(error)}.") from None
    if stat.S_ISDIR(mode):
        raise InputError(f"{source} is a folder, not a photo.")
    if not stat.S_ISREG(mode):
        raise InputError(f"{source} is not an ordinary file.")
    try:
        with file.open("rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns about odd metadata; the picture is what counts here
            return _read(stream, file, source, limits)
    except InputError:
        raise
    except MemoryError:
        raise InputError(f"{source} needs more memory than there is.") from None
    except OSError as error:
        if error.errno is not None:
            raise InputError(f"{source} cannot be read: {_reason(error)}.") from None
        raise InputError(f"{source} is damaged or cut off ({_reason(error)}).") from None
    except Exception as error:  # decoders raise SyntaxError, struct.error, EOFError, ... on damaged files
        raise InputError(f"{source} is damaged or cut off ({_reason(error)}).") from None


def photo_from_array(array: ArrayLike, name: str = "photo") -> Photo:
    """(H, W), (H, W, 1 to 4) of uint8, uint16, bool, float 0..1 or integers 0..255, RGB order -> Photo.

    The fourth (or second) channel is opacity; see-through parts become white. Raises InputError.
    """
    return Photo(rgb_from_array(array), name=name)


def _read(stream: BinaryIO, file: Path, source: str, limits: Limits) -> Photo:
    head = stream.read(32)
    stream.seek(0)
    if not head:
        raise InputError(f"{source} is empty (0 bytes).")
    if file.suffix.lower() in RAW_SUFFIXES:
        raise InputError(f"{source} is a camera raw file; export it as JPEG or TIFF first.")
    reader = opener(head)
    if reader is None:
        raise InputError(f"{source} is not a photo, or of a kind that is not supported.")
    try:
        picture = reader(stream)
    except Exception:
        if reader is TiffImageFile:
            return Photo(_deep_tiff(stream, source, limits), name=file.stem, source=source)
        raise
    with picture:
        taken = picture.size
        _check_size(picture, source, limits)
        shrink = max(1, math.ceil(math.sqrt(taken[0] * taken[1] / limits.keep)))
        if shrink > 1 and picture.format == "JPEG":
            power = min(8, 1 << (shrink - 1).bit_length())
            picture.draft(None, (taken[0] // power, taken[1] // power))
        notes = _notes(picture)
        picture.load()
        left = max(1, math.ceil(math.sqrt(picture.size[0] * picture.size[1] / limits.keep)))
        small = _plain(picture).reduce(left) if left > 1 else picture
        small.info.update(picture.info)
        # After loading: some readers have turned the picture by then and say so here.
        turn = TURNS.get(picture.getexif().get(ORIENTATION, 1))
        image = rgb_from_pil(small.transpose(turn) if turn is not None else small)
        height, width = image.shape[:2]
        scale = max(taken) / max(width, height)
        if scale > 1:
            notes += (f"{taken[0]}x{taken[1]} pixels were reduced to {width}x{height}",)
        return Photo(
            image,
            name=file.stem,
            source=source,
            focal=focal_pixels(_exif(picture), width, height),
            scale=scale,
            notes=notes,
        )


def _check_size(picture: pil.Image, source: str, limits: Limits) -> None:
    width, height = picture.size
    if width < 1 or height < 1:
        raise InputError(f"{source} has no pixels ({width}x{height}).")
    # A progressive JPEG keeps all its coefficients in memory, whatever size is asked for.
    reducible = picture.format == "JPEG" and not picture.info.get("progressive")
    allowed = max(limits.reducible, limits.pixels) if reducible else limits.pixels
    if width * height > allowed:
        raise InputError(
            f"{source} has {width * height / 1e6:.0f} megapixels and at most {allowed / 1e6:.0f} are read; "
            "make it smaller, or set the environment variable TRONIE_MAX_MEGAPIXELS higher."
        )


def _plain(picture: pil.Image) -> pil.Image:
    """A mode that can be averaged."""
    if picture.mode in ("P", "1"):
        return picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    return picture


def _notes(picture: pil.Image) -> tuple[str, ...]:
    frames = getattr(picture, "n_frames", 1)
    if frames <= 1:
        return ()
    if picture.format == "TIFF":
        return (f"only the first of {frames} pages was used",)
    return (f"only the first of {frames} frames was used",) if getattr(picture, "is_animated", True) else ()


def _exif(picture: pil.Image) -> dict[int, Any]:
    try:
        return dict(picture.getexif().get_ifd(0x8769))
    except Exception:  # damaged EXIF is no EXIF
        return {}


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()).rstrip(".").lower() or type(error).__name__


def _deep_tiff(stream: BinaryIO, source: str, limits: Limits) -> Image:
    """TIFFs that Pillow does not know: several channels of 16 or 32 bits or of floats."""
    import cv2
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    stream.seek(0)
    tags = ImageFileDirectory_v2(stream.read(8))
    stream.seek(tags.next)
    tags.load(stream)
    width, height = int(tags[256]), int(tags[257])
    if width * height > limits.pixels // 4:  # decoded at up to 16 bytes a pixel
        raise InputError(
            f"{source} has {width * height / 1e6:.0f} megapixels and at most {limits.pixels / 4e6:.0f} are read of "
            "TIFFs with deep colours; make it smaller, or set the environment variable TRONIE_MAX_MEGAPIXELS higher."
        )
    stream.seek(0)
    values = cv2.imdecode(np.frombuffer(stream.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None:
        raise InputError(f"{source} is a TIFF of a kind that is not supported.")
    values = eight_bits(values)
    if values.ndim == 3 and values.shape[2] >= 3:  # OpenCV has blue first
        values = values[..., [2, 1, 0, *range(3, values.shape[2])]]
    return rgb_from_array(values)
