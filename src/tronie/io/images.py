"""Photos in: any common file or array -> an upright RGB `Photo`. Every refusal is one sentence that names the file."""

from __future__ import annotations

import math
import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image as pil

from tronie.arrays import Image
from tronie.errors import InputError
from tronie.io.decode import ORIENTATION, decode, decode_jxl, opener, quiet_pillow
from tronie.io.jxl_reader import can_read, is_jxl
from tronie.io.kinds import RAW, known
from tronie.io.limits import Limits
from tronie.io.live_photos import NOTE, holds_clip
from tronie.io.paths import leads_nowhere
from tronie.io.pixels import rgb_from_array
from tronie.types import Photo

# The focal length in pixels, as far as a photo's EXIF tells it.

FOCAL_LENGTH, FOCAL_35MM = 0x920A, 0xA405
PLANE_X_RESOLUTION, PLANE_UNIT = 0xA20E, 0xA210
PIXEL_WIDTH, PIXEL_HEIGHT = 0xA002, 0xA003
DIAGONAL_35MM = math.hypot(36, 24)
"""Of the film frame that 35 mm equivalents refer to (CIPA DCG-001: equal angles over the diagonal)."""
UNIT_MM = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
PLAUSIBLE = (0.3, 40.0)
"""Focal length / longer side: from a 12 mm fisheye's to a 1,400 mm telescope's."""


def focal_pixels(tags: Mapping[int, Any], width: int, height: int) -> float | None:
    """EXIF tags and the size, pixels, of the picture as it will be used -> focal length in its pixels, or None.

    The picture may be scaled or turned against what the camera took, but not cropped: where the recorded size has
    other proportions, nothing can be said.
    """
    longer, shorter = max(width, height), min(width, height)
    taken_width, taken_height = _number(tags.get(PIXEL_WIDTH)) or 0.0, _number(tags.get(PIXEL_HEIGHT)) or 0.0
    if taken_width and taken_height:
        taken_longer, taken_shorter = max(taken_width, taken_height), min(taken_width, taken_height)
        # Two pixels of slack: encoders round to whole blocks.
        if abs(taken_shorter / taken_longer * longer - shorter) > 2 + 0.01 * longer:
            return None

    candidates = []
    equivalent = _number(tags.get(FOCAL_35MM))
    if equivalent:
        candidates.append(equivalent / DIAGONAL_35MM * math.hypot(width, height))
    focal, density = _number(tags.get(FOCAL_LENGTH)), _number(tags.get(PLANE_X_RESOLUTION))
    unit = UNIT_MM.get(int(_number(tags.get(PLANE_UNIT)) or 2))
    if focal and density and unit and taken_width and taken_height:
        candidates.append(focal * density / unit * longer / max(taken_width, taken_height))
    return next((f for f in candidates if PLAUSIBLE[0] <= f / longer <= PLAUSIBLE[1]), None)


def _number(value: Any) -> float | None:
    """A positive finite number, or None; EXIF rationals may be 0/0."""
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) and number > 0 else None


TURNS: dict[int, Callable[[Image], Image]] = {
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.transpose(1, 0, 2),
    6: lambda image: np.rot90(image, -1),
    7: lambda image: np.rot90(image, 2).transpose(1, 0, 2),
    8: lambda image: np.rot90(image, 1),
}
"""EXIF orientation -> what turns the picture upright."""


WORDS = re.compile(r"[A-Za-z][a-z]*( [A-Za-z0-9()',%-]+){1,15}")
"""A short sentence."""


def read_photo(path: str | Path, limits: Limits | None = None) -> Photo:
    """One photo file, upright, in sRGB. Raises InputError."""
    source, file = str(path), Path(path)
    limits = limits or Limits.default()
    try:
        mode = file.stat().st_mode
    except FileNotFoundError:
        raise InputError(f"{source} {leads_nowhere(file) or 'does not exist'}.") from None
    except (OSError, ValueError) as error:
        if wrong := leads_nowhere(file):
            raise InputError(f"{source} {wrong}.") from None
        raise InputError(f"{source} cannot be read: {_reason(error)}.") from None
    if stat.S_ISDIR(mode):
        raise InputError(f"{source} is a folder, not a photo.")
    if not stat.S_ISREG(mode):
        raise InputError(f"{source} is not an ordinary file.")
    try:
        with file.open("rb") as stream, quiet_pillow():
            return _read(stream, file, source, limits)
    except InputError:
        raise
    except MemoryError:
        raise InputError(f"{source} needs more memory than there is.") from None
    except OSError as error:
        if error.errno is not None:
            raise InputError(f"{source} cannot be read: {_reason(error)}.") from None
        raise InputError(f"{source} is damaged or cut off{_detail(error)}.") from None
    except Exception as error:  # decoders raise SyntaxError, struct.error, EOFError, ... on damaged files
        raise InputError(f"{source} is damaged or cut off{_detail(error)}.") from None


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
    kind = known(file.suffix.lower())
    if kind is RAW:  # whatever a TIFF reader would make of it
        raise InputError(f"{source} is a {kind.name} file, which is not read; {kind.advice} first.")
    reader = opener(head)
    jxl = is_jxl(head)
    if jxl and not can_read():
        raise InputError(f"{source} is a JPEG XL; pip install 'tronie[jxl]' reads it.")
    if reader is None and kind is not None and not jxl:
        raise InputError(f"{source} is of a kind that is not read ({kind.name}: {kind.advice}).")
    if reader is None and not jxl:
        raise InputError(f"{source} is not a photo, or of a kind that is not supported.")
    limits.check_file(os.fstat(stream.fileno()).st_size, source, whole=False)
    decoded = decode_jxl(stream, source, limits) if reader is None else decode(stream, reader, source, limits)
    turn = TURNS.get(decoded.exif.get(ORIENTATION, 1))
    image = decoded.image if turn is None else np.ascontiguousarray(turn(decoded.image))
    height, width = image.shape[:2]
    notes, taken = decoded.notes, decoded.taken
    if holds_clip(stream):
        notes += (NOTE,)
    scale = max(taken) / max(width, height)
    if scale > 1:
        notes += (f"{taken[0]}x{taken[1]} pixels were reduced to {width}x{height}",)
    focal = focal_pixels(_camera(decoded.exif), width, height)
    return Photo(image, name=file.stem, source=source, focal=focal, scale=scale, notes=notes)


def _camera(exif: pil.Exif) -> dict[int, Any]:
    try:
        return dict(exif.get_ifd(0x8769))
    except Exception:  # damaged EXIF is no EXIF
        return {}


def _reason(error: OSError | ValueError) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()).rstrip(".").lower() or type(error).__name__


def _detail(error: Exception) -> str:
    """What a decoder says of a damaged file, in brackets, where it is made of words; nothing where it is a number, a
    name or a place in its own code."""
    text = " ".join(str(error).split()).rstrip(".")
    said = isinstance(error, (OSError, SyntaxError, ValueError, EOFError)) and WORDS.fullmatch(text)
    return f" ({text[:1].lower()}{text[1:]})" if said else ""
