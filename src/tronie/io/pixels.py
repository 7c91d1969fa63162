"""Any pixel format -> RGB uint8: depths, alpha, palettes, inks and colour profiles.

Transparency is laid on white, as most programs show it.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image as pil
from PIL import ImageCms

from tronie.errors import InputError
from tronie.types import Image

ALPHA_MODES = ("RGBA", "LA", "PA", "La", "RGBa")
WIDE_MODES = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")


def rgb_from_pil(picture: pil.Image) -> Image:
    """A loaded Pillow image of any mode -> RGB uint8 in sRGB."""
    if picture.mode in WIDE_MODES:
        grey = eight_bits(np.asarray(picture))
        return np.repeat(grey[..., None], 3, axis=2)
    if picture.mode in ALPHA_MODES or "transparency" in picture.info:
        profile = picture.info.get("icc_profile")
        picture = picture.convert("RGBA")
        alpha = picture.getchannel("A")
        opaque = to_srgb(picture.convert("RGB"), profile)
        white = pil.new("RGB", picture.size, (255, 255, 255))
        return np.array(pil.composite(opaque, white, alpha))
    if picture.mode in ("P", "1", "YCbCr", "HSV", "RGBX"):
        profile = picture.info.get("icc_profile")
        picture = picture.convert("RGB")
        picture.info["icc_profile"] = profile
    return np.array(to_srgb(picture, picture.info.get("icc_profile")))


def to_srgb(picture: pil.Image, profile: bytes | None) -> pil.Image:
    """RGB, L, CMYK or LAB -> RGB in sRGB; a profile that does not fit or is damaged is as none."""
    if profile and picture.mode in ("RGB", "L", "CMYK", "LAB"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if picture.mode == "RGB" and "srgb" in ImageCms.getProfileDescription(source).lower():
                return picture
            target = ImageCms.createProfile("sRGB")
            intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
            flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
            made = ImageCms.profileToProfile(picture, source, target, intent, outputMode="RGB", flags=flags)
            if made is not None:
                return made
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
    if picture.mode == "LAB":
        return to_srgb(picture, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes())
    return picture.convert("RGB")


def eight_bits(values: NDArray[Any]) -> Image:
    """Numbers of any depth -> uint8. Floats up to 1 count as 0..1; else the smallest usual range that holds them."""
    if values.dtype == np.uint8:
        return values
    if values.dtype == bool:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype == np.uint16:
        return np.asarray((values.astype(np.uint32) + 128) // 257, dtype=np.uint8)
    floats = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    high = float(floats.max(initial=0.0))
    usual = (1.0, 255.0, 65535.0) if np.issubdtype(values.dtype, np.floating) else (255.0, 65535.0)
    top = next((t for t in usual if high <= t), high)
    return np.asarray(np.rint(floats.clip(0, top) * (255.0 / top)), dtype=np.uint8)


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
    channels = values.shape[2]
    if channels in (2, 4):
        colour, alpha = values[..., :-1].astype(np.uint32), values[..., -1:].astype(np.uint32)
        values = np.asarray((colour * alpha + 255 * (255 - alpha) + 127) // 255, dtype=np.uint8)
    if values.shape[2] == 1:
        return np.repeat(values, 3, axis=2)
    return np.array(values, order="C")


def _as_bytes(values: NDArray[Any]) -> Image:
    if values.dtype in (np.dtype(np.uint8), np.dtype(bool), np.dtype(np.uint16)):
        return eight_bits(values)
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
