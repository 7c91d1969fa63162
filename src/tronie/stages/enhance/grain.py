"""Grain, noise and JPEG's artefacts lightened: in three bands of detail what is no stronger than the noise is taken
back, locally, and a share of it is left, for a photo without any grain looks like wax.

Bands of the a trous transform with the B3 spline (Starck, Murtagh and Fadili 2010), in each the local Wiener filter
(Lee 1980); the noise of a band is what the quietest parts of the photo show of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tronie.arrays import Array, Image

BANDS = 3
SPLINE = np.array([1, 4, 6, 4, 1], np.float32) / 16
AROUND = 4
"""Pixels over which a band's variance is taken, times its step."""
QUIET = 0.08
"""Share of the photo's places, the quietest, whose noise is taken for that of all: elsewhere there is detail."""
CLIPPED = 8.0, 247.0
"""Grey levels beyond which noise is cut off and tells nothing."""
LOCAL = 1.4
"""The quietest places' variance lies below the mean by this factor, since it is taken of few pixels."""
LEFT = 0.35, 0.15
"""Share of the noise that is left, of lightness and of colour."""
CLEAN = 0.8, 1.6
"""Grey levels of noise: below the first nothing is done, from the second on all."""
COARSER = 1.5, 0.8
"""Times the noise of the finer band that the second and the third may have: more is the picture."""
LOUDEST = 9.0
"""More is taken for texture."""
TILE = 1024
"""Pixels of a side that are worked on at once, and"""
REACH = 48
"""around them those that have a say."""


@dataclass(frozen=True, slots=True)
class Grain:
    """What noise a photo has: deviations in grey levels."""

    light: tuple[float, ...]
    """Of lightness, band by band from the finest."""
    colour: tuple[float, ...]
    """Of both differences of colour together, the same."""

    @property
    def level(self) -> float:
        """Of all bands of lightness together, grey levels."""
        return float(np.sqrt(sum(s * s for s in self.light)))

    @property
    def changes(self) -> bool:
        return self.level > CLEAN[0]


def find_grain(photo: Image) -> Grain:
    """Of (H, W, 3), by a part in its middle where it is large."""
    height, width = photo.shape[:2]
    most = 2 * TILE
    y, x = max(0, (height - most) // 2), max(0, (width - most) // 2)
    planes = _planes(photo[y : y + most, x : x + most])
    known = ((planes[0] > CLIPPED[0]) & (planes[0] < CLIPPED[1])).astype(np.float32)
    found = [_noises(plane, known) for plane in planes]
    colour = tuple(float(np.hypot(a, b)) for a, b in zip(found[1], found[2], strict=True))
    return Grain(tuple(found[0]), colour)


def cleaned(photo: Image, grain: Grain) -> Image:
    """(H, W, 3) with less of its grain; the same picture where there is too little to be seen."""
    if not grain.changes:
        return photo
    out = np.empty_like(photo)
    height, width = photo.shape[:2]
    for y in range(0, height, TILE):
        for x in range(0, width, TILE):
            y0, x0 = max(y - REACH, 0), max(x - REACH, 0)
            part = photo[y0 : y + TILE + REACH, x0 : x + TILE + REACH]
            done = _cleaned(part, grain)
            out[y : y + TILE, x : x + TILE] = done[y - y0 : y - y0 + TILE, x - x0 : x - x0 + TILE]
    return out


def _cleaned(part: Image, grain: Grain) -> Image:
    planes = _planes(part)
    share = float(np.clip((grain.level - CLEAN[0]) / (CLEAN[1] - CLEAN[0]), 0, 1))
    for k, plane in enumerate(planes):
        noise, left = (grain.light, LEFT[0]) if k == 0 else (tuple(s / np.sqrt(2) for s in grain.colour), LEFT[1])
        if not any(noise):
            continue
        bands, rest = _bands(plane)
        for (band, step), sigma in zip(bands, noise, strict=True):
            power = np.maximum(_mean(band * band, AROUND * step), 1e-6)
            quiet = np.minimum(sigma**2 / power, 1)
            rest = rest + band * (1 - np.float32(share * (1 - left)) * quiet)
        planes[k] = rest
    light, red, blue = planes
    rgb = np.stack([light + red, light - 0.509 * red - 0.194 * blue, light + blue], axis=-1)
    return np.asarray(np.clip(np.rint(rgb), 0, 255), dtype=np.uint8)


def _planes(photo: Image) -> list[Array]:
    """Lightness, red and blue above it: (H, W) float32 each. A grey photo's last two are 0."""
    r, g, b = (photo[..., k].astype(np.float32) for k in range(3))
    light = 0.299 * r + 0.587 * g + 0.114 * b
    return [light, r - light, b - light]


def _bands(plane: Array) -> tuple[list[tuple[Array, int]], Array]:
    """Detail from the finest on, each with its step, and what is left."""
    import cv2

    found = []
    for level in range(BANDS):
        step = 2**level
        kernel = np.zeros(4 * step + 1, np.float32)
        kernel[::step] = SPLINE
        smooth: Any = cv2.sepFilter2D(plane, -1, kernel, kernel, borderType=cv2.BORDER_REFLECT)
        found.append((plane - smooth, step))
        plane = smooth
    return found, plane


def _noises(plane: Array, known: Array) -> list[float]:
    """Deviation of the noise of each band where it is known (H, W)."""
    found: list[float] = []
    for (band, step), most in zip(_bands(plane)[0], (np.inf, *COARSER), strict=True):
        found.append(min(_noise(band, step, known), most * found[-1] if found else LOUDEST))
    return found


def _noise(band: Array, step: int, known: Array) -> float:
    """Deviation of a band in the quietest places."""
    around = AROUND * step
    places = np.s_[around // 2 :: around, around // 2 :: around]
    variance = _mean(band * band, around)[places][_mean(known, around)[places] > 0.9]
    return float(np.sqrt(LOCAL * np.quantile(variance, QUIET))) if variance.size else 0.0


def _mean(values: Array, radius: int) -> Array:
    import cv2

    side = 2 * radius + 1
    return np.asarray(cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT))
