"""Radiance pictures (.hdr): light in linear colour without an upper end, four bytes a pixel (Ward 1991)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def hdr(picture: ArrayLike, remark: str = "") -> bytes:
    """A picture (H, W, 3) of linear colours >= 0 as a file: red, green, blue share an exponent. Not compressed.

    A colour's largest part is exact to 0.4 %, the others to 0.4 % of the largest.
    """
    p = np.nan_to_num(np.maximum(np.asarray(picture, dtype=np.float64), 0))
    high = p.max(axis=-1)
    fraction, exponent = np.frexp(high)
    # A fraction that would round up to 256 belongs to the next exponent.
    exponent = exponent + (fraction * 256 >= 255.5)
    dark = high < 1e-32
    scale = np.where(dark, 0.0, np.ldexp(256.0, -np.where(dark, 0, exponent)))
    pixels = np.empty((*p.shape[:2], 4), np.uint8)
    pixels[..., :3] = np.minimum(p * scale[..., None] + 0.5, 255)
    pixels[..., 3] = np.where(dark, 0, exponent + 128)
    lines = ["#?RADIANCE", *([f"# {remark}"] if remark else []), "FORMAT=32-bit_rle_rgbe", "", ""]
    return "\n".join(lines).encode() + f"-Y {p.shape[0]} +X {p.shape[1]}\n".encode() + pixels.tobytes()
