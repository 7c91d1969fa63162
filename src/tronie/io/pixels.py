"""Any pixel format -> RGB uint8: depths, alpha, palettes, inks, colour profiles and codings.

Transparency is laid on white, as most programs show it. Pictures are converted band by band: beside the picture itself
and the result nothing large is in memory.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from PIL import Image as pil
from PIL import ImageCms

from tronie.arrays import Image
from tronie.color import is_srgb, peak_of, to_srgb
from tronie.errors import InputError

# Which number is white in a picture of more than eight bits.

FULL = 16
LOW_BITS = (8, 10, 12)
"""Told by the greatest number alone."""
FOURTEEN, NEARLY = 14, 0.9
"""Told by a greatest number in the last tenth."""
BYTES = 257
"""What eight bits are multiplied by to fill 16."""
FLOAT_LIGHT = 16.0
"""Floats up to this count as 0..1 with highlights above; beyond, as one of the ranges of integers."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How numbers become 0..1."""

    white: float
    """The number that means 1."""
    bits: int | None = None
    """Significant bits, where the numbers use fewer than their type has."""

    def unit(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """0..1, without NaN."""
        floats = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=self.white, neginf=0.0)
        return np.asarray(np.clip(floats / np.float32(self.white), 0, 1), dtype=np.float32)

    def bytes(self, values: NDArray[Any]) -> Image:
        """uint8."""
        if values.dtype == np.uint8 and self.white == 255:
            return values
        if values.dtype == np.uint16:
            white = np.uint32(self.white)
            return np.asarray((np.minimum(values, white) * np.uint32(255) + white // 2) // white, dtype=np.uint8)
        floats = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=self.white, neginf=0.0)
        return np.asarray(np.rint(np.clip(floats / self.white, 0, 1) * 255), dtype=np.uint8)


def integer_scale(dtype: DTypeLike) -> Scale:
    """Of numbers that use the whole range of their type."""
    return Scale(1.0 if np.dtype(dtype) == bool else float(np.iinfo(np.dtype(dtype)).max))


def scale_of(bands: Iterable[NDArray[Any]], stated: int | None = None) -> Scale:
    """The scale of a picture given in bands; `stated`: significant bits that the file claims."""
    high, scaled, kind = 0.0, True, np.dtype(np.uint8)
    for band in bands:
        kind = band.dtype
        if kind.kind == "b" or kind.itemsize == 1:
            return integer_scale(kind)
        whole = np.issubdtype(kind, np.integer)
        high = max(high, float(band.max(initial=0) if whole else np.max(band, where=np.isfinite(band), initial=0)))
        scaled = scaled and whole and not np.any(band % BYTES)
    if np.issubdtype(kind, np.floating) and high <= FLOAT_LIGHT:
        return Scale(1.0)
    if high >= 1 << FULL:
        return Scale(high)
    if np.issubdtype(kind, np.floating):
        return Scale(255.0 if high <= 255 else 65535.0)
    bits = significant_bits(int(high), scaled, stated)
    return Scale(float((1 << bits) - 1), None if bits == FULL else bits)


def significant_bits(high: int, scaled: bool, stated: int | None = None) -> int:
    """The rule above. `high`: the greatest number; `scaled`: whether all are multiples of 257."""
    if scaled:
        return FULL
    if stated is not None:
        return stated if 1 <= stated < FULL and high < 1 << stated else FULL
    for bits in LOW_BITS:
        if high < 1 << bits:
            return bits
    return FOURTEEN if NEARLY * ((1 << FOURTEEN) - 1) <= high < 1 << FOURTEEN else FULL


# Colour profiles (ICC) that files carry.

INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
LARGEST = 16_000_000
"""Bytes of a profile that is looked at; the largest that are sold are a few million."""


class Profile:
    """A profile, as what brings pictures to sRGB; one that does not fit or is damaged is as none."""

    def __init__(self, data: bytes | None) -> None:
        self._source: Any = None
        self._is_srgb = False
        self._transforms: dict[str, Any] = {}
        if data and len(data) <= LARGEST:
            try:
                self._source = ImageCms.ImageCmsProfile(io.BytesIO(data))
                self._is_srgb = "srgb" in ImageCms.getProfileDescription(self._source).lower()
            except (ImageCms.PyCMSError, OSError, ValueError):
                self._source = None

    def apply(self, picture: pil.Image) -> pil.Image:
        """RGB, L, CMYK or LAB -> RGB in sRGB."""
        if picture.mode == "RGB" and (self._source is None or self._is_srgb):
            return picture
        if picture.mode not in self._transforms:
            self._transforms[picture.mode] = self._transform(picture.mode)
        transform = self._transforms[picture.mode]
        if transform is not None:
            done = ImageCms.applyTransform(picture, transform)
            if done is not None:
                return done
        return picture.convert("RGB")

    def _transform(self, mode: str) -> Any:
        sources = [self._source] if self._source is not None and mode in ("RGB", "L", "CMYK", "LAB") else []
        if mode == "LAB":
            sources.append(ImageCms.createProfile("LAB"))
        for source in sources:
            try:
                return ImageCms.buildTransform(
                    source, ImageCms.createProfile("sRGB"), mode, "RGB", INTENT, ImageCms.Flags.BLACKPOINTCOMPENSATION
                )
            except (ImageCms.PyCMSError, OSError, ValueError):
                continue
        return None


def coding_of(data: bytes | None) -> tuple[int, int] | None:
    """The code points of primaries and transfer function that a profile's `cicp` tag states (ICC.1:2022, 9.2.17)."""
    if not data or len(data) < 132:
        return None
    for k in range(min(int.from_bytes(data[128:132], "big"), 200)):
        entry = data[132 + 12 * k : 144 + 12 * k]
        if entry[:4] == b"cicp":
            at = int.from_bytes(entry[4:8], "big")
            body = data[at : at + 12]
            return (body[8], body[9]) if len(body) == 12 and body[:4] == b"cicp" else None
    return None


ALPHA_MODES = ("RGBA", "LA", "PA", "La", "RGBa")
WIDE_MODES = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
BAND = 1_000_000
"""Pixels that are converted at a time."""

Coding = tuple[int, int]
"""Code points of primaries and transfer function, see `tronie.color`."""


def rgb_from_pil(picture: pil.Image, factor: int = 1, coding: Coding | None = None) -> Image:
    """A loaded Pillow image of any mode -> RGB uint8 in sRGB, each pixel the mean of `factor` x `factor`.

    `coding` says what the numbers mean; without it the picture's colour profile does.
    """
    if picture.mode in WIDE_MODES:
        values = np.asarray(picture)[..., None]
        return rgb_from_values(values, scale_of([values]), factor)
    colours: Callable[[pil.Image], pil.Image] = Profile(picture.info.get("icc_profile")).apply
    if coding is not None and not is_srgb(*coding):
        # Every pixel of a small picture is one of the whole.
        small = picture.resize((min(picture.width, 512), min(picture.height, 512)), pil.Resampling.NEAREST)
        colours = partial(_coded, coding=coding, peak=peak_of(np.asarray(small.convert("RGB")), *coding))

    width, height = picture.size
    out = np.empty((-(-height // factor), -(-width // factor), 3), dtype=np.uint8)
    rows = _band_rows(width, factor)
    for top in range(0, height, rows):
        band = picture.crop((0, top, width, min(top + rows, height)))
        band.info.update(picture.info)
        done = _flat(band, factor, colours)
        out[top // factor : top // factor + len(done)] = done
    return out


def _flat(band: pil.Image, factor: int, colours: Callable[[pil.Image], pil.Image]) -> Image:
    """A band in RGB, on white."""
    if band.mode in ALPHA_MODES or "transparency" in band.info:
        band = _reduced(band.convert("RGBA"), factor)
        return on_white(np.asarray(colours(band.convert("RGB"))), np.asarray(band.getchannel("A")))
    if band.mode in ("P", "1", "YCbCr", "HSV", "RGBX"):
        band = band.convert("RGB")
    return np.asarray(colours(_reduced(band, factor)))


def _coded(band: pil.Image, coding: Coding, peak: float) -> pil.Image:
    return pil.fromarray(to_srgb(np.asarray(band.convert("RGB")), *coding, peak=peak))


def _reduced(band: pil.Image, factor: int) -> pil.Image:
    return band.reduce(factor) if factor > 1 else band


def _band_rows(width: int, factor: int) -> int:
    """How many rows are converted at a time: a whole number of reduced ones."""
    return max(1, BAND // (width * factor)) * factor


def rgb_from_values(
    values: NDArray[Any], scale: Scale, factor: int = 1, *, coding: Coding | None = None, profile: bytes | None = None
) -> Image:
    """(H, W, 1 to 4) numbers of any depth, RGB order, with opacity last where there are 2 or 4 -> RGB uint8 in sRGB.

    `coding` says what the numbers mean; without it the profile does.
    """
    height, width, channels = values.shape
    out = np.empty((-(-height // factor), -(-width // factor), 3), dtype=np.uint8)
    rows = _band_rows(width, factor)
    step = max(1, int((height * width / BAND) ** 0.5))
    colour = slice(0, 3 if channels > 2 else 1)
    convert, peak = Profile(profile), None
    special = coding if coding is not None and not is_srgb(*coding) else None
    if special:
        peak = peak_of(_three(scale.unit(values[::step, ::step, colour])), *special)
    for top in range(0, height, rows):
        band = averaged(values[top : top + rows], factor)
        if special:
            rgb = to_srgb(_three(scale.unit(band[..., colour])), *special, peak=peak)
        else:
            rgb = np.asarray(convert.apply(pil.fromarray(_three(scale.bytes(band[..., colour])))))
        if channels in (2, 4):
            rgb = on_white(rgb, scale.bytes(band[..., -1]))
        out[top // factor : top // factor + len(rgb)] = rgb
    return out


def _three(values: NDArray[Any]) -> NDArray[Any]:
    return values if values.shape[2] == 3 else np.repeat(values, 3, axis=2)


def averaged(values: NDArray[Any], factor: int) -> NDArray[Any]:
    """(H, W, C) -> means over factor x factor pixels, in the same type; at the edges the last pixels are repeated."""
    if factor == 1:
        return values
    import cv2

    height, width, channels = values.shape
    down, across = -height % factor, -width % factor
    if down or across:
        values = np.pad(values, ((0, down), (0, across), (0, 0)), mode="edge")
    size = (values.shape[1] // factor, values.shape[0] // factor)
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small).reshape(size[1], size[0], channels)


def on_white(rgb: Image, alpha: Image) -> Image:
    """(H, W, 3) colours and (H, W) opacity -> as seen before white."""
    colour, opacity = rgb.astype(np.uint32), alpha[..., None].astype(np.uint32)
    return np.asarray((colour * opacity + 255 * (255 - opacity) + 127) // 255, dtype=np.uint8)


def rgb_from_array(array: ArrayLike) -> Image:
    """(H, W), (H, W, 1 | 2 | 3 | 4) of bool, uint8, uint16, float 0..1 or integers 0..255 -> a new RGB uint8 array."""
    values = np.asarray(array)
    if values.ndim == 2:
        values = values[..., None]
    if values.ndim != 3 or values.shape[2] not in (1, 2, 3, 4):
        shape = "x".join(map(str, values.shape)) or "a single number"
        raise InputError(f"A picture must be an array of height x width x channels (1 to 4), not {shape}.")
    if 0 in values.shape:
        raise InputError("The picture is empty: one of its sides is 0 pixels.")
    values = _as_bytes(values)
    if values.shape[2] in (2, 4):
        values = on_white(values[..., :-1], values[..., -1])
    if values.shape[2] == 1:
        return np.repeat(values, 3, axis=2)
    return np.array(values, order="C")


def _as_bytes(values: NDArray[Any]) -> Image:
    if values.dtype in (np.dtype(np.uint8), np.dtype(bool), np.dtype(np.uint16)):
        return integer_scale(values.dtype).bytes(values)
    if np.issubdtype(values.dtype, np.floating):
        if not np.isfinite(values).all():
            raise InputError("The picture holds values that are not numbers (NaN or infinite).")
        if values.min() < -0.01 or values.max() > 1.01:
            raise InputError(
                f"A picture of floats must hold 0 to 1, not {values.min():g} to {values.max():g}; "
                "divide it by its white value or convert it to uint8."
            )
        return np.asarray(np.rint(values.clip(0, 1) * 255), dtype=np.uint8)
    if np.issubdtype(values.dtype, np.integer):
        if values.min() < 0 or values.max() > 255:
            raise InputError(f"A picture of {values.dtype} must hold 0 to 255, not {values.min()} to {values.max()}.")
        return values.astype(np.uint8)
    raise InputError(f"A picture cannot be made of {values.dtype} values.")
