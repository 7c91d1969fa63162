"""The white of a photo: what colour skin may have, and so what of a face's colour is its skin's and what the light's.

What the library paints into a photo takes the hue of the photo's light, or the one hue of a grey or toned photo.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tronie.arrays import Array
from tronie.color import LUMINANCE, linear_to_srgb, srgb_to_linear
from tronie.types import Landmarks, Photo

LIGHT_SKIN, DARK_SKIN = (200, 148, 123), (120, 80, 62)
"""sRGB of the two skins on the colour checker (McCamy et al. 1976): averages over many people. Skin lies near the line
through them in logarithms of linear colour, because it is mostly how much melanin there is that differs."""
MIDDLE, WIDTH = np.log(0.22), 0.6
"""Logarithm of the luminance of people's skin, and its spread."""
USUAL_LIGHT, EXPOSURE = np.log(0.85), 0.35
"""Spread of the logarithm of the light that falls on faces in photos, around 1: photographers expose for them."""
NATURAL, USUAL, ODD = 0.15, 0.12, 0.45
"""Logarithms of colour ratios: how far skin lies from the line, the light of a well balanced photo from white, and
from where on it must be the light."""
SIDE = 48
"""Pixels of a face that is looked at for colours: small enough that the noise in a lossy file's chroma is gone."""
FEW = 50
"""Pixels: fewer do not tell whether a photo has one hue."""
ONE_HUE, MANY_HUES = 0.2, 0.3
"""Spread of the hue, as logarithms of colour ratios, of what is equally bright in a face: in toned pictures at most the
first (JPEG at quality 70 included; 0.1 is usual), in colour photos at least the second (0.56)."""
BELIEVED = 0.5
"""Share of what skin says of the light's hue that is true of teeth, over 75 smiles in two collections: people's skins
differ as well. A strong cast is the light's alone."""
PALE = 0.2
"""Logarithm of a ratio: light is not believed to be bluer than that while skin in it is warm."""


@dataclass(frozen=True, slots=True)
class Tint:
    """How the white of the photo's light looks, and whether the photo has colours at all."""

    white: Array
    """(3,) linear, luminance 1."""
    colourful: float
    """0 for a grey or toned photo to 1."""

    def of(self, linear: Array) -> Array:
        """Linear colours (..., 3) under white light -> in this photo, of the same luminance each."""
        light = linear @ LUMINANCE
        hue: Array = linear * self.white
        hue = hue * (light / np.maximum(hue @ LUMINANCE, 1e-6))[..., None]
        grey = light[..., None] * self.white
        return np.asarray(grey + self.colourful * (hue - grey), dtype=np.float32)


def skin_albedo(shown: Array, monochrome: bool = False) -> Array:
    """Linear colour (3,) of a face as the photo shows it -> that of its skin: the likeliest, with both priors.

    `shown` divided by it is the light. A monochrome photo's skin is grey, and its tint is the light's.
    """
    shown = np.maximum(shown, 1e-4)
    luminance = float(np.log(shown @ LUMINANCE))
    trust = WIDTH**2 / (WIDTH**2 + EXPOSURE**2)
    wanted = MIDDLE + trust * (luminance - USUAL_LIGHT - MIDDLE)
    if monochrome:
        return np.full(3, np.exp(wanted))
    light, dark = (np.log(srgb_to_linear(c)) for c in (LIGHT_SKIN, DARK_SKIN))
    ends = [float(np.log(np.exp(c) @ LUMINANCE)) for c in (light, dark)]
    usual = light + (dark - light) * (wanted - ends[0]) / (ends[1] - ends[0])
    odd = np.log(shown) - luminance - usual + np.log(np.exp(usual) @ LUMINANCE)
    # Within what is natural the two share it; the farther off, the more it is the light.
    share = NATURAL**2 / (NATURAL**2 + USUAL**2) / (1 + (float(np.abs(odd).max()) / ODD) ** 4)
    albedo = np.exp(usual + share * odd)
    return np.asarray(np.minimum(albedo * np.exp(wanted) / (albedo @ LUMINANCE), 0.92))


def tint_of(skin: Array, photo: Photo | None = None, landmarks: Landmarks | None = None) -> Tint:
    """Of the photo whose skin (3,) is, sRGB 0..255; without the photo a grey skin alone says that it is grey."""
    shown = srgb_to_linear(np.maximum(skin, 1))
    share = colourful(skin)
    if share > 0 and photo is not None and landmarks is not None:
        share *= _many_hues(_face(photo, landmarks), float(skin.mean()))
    hue = np.log(shown / (shown @ LUMINANCE))
    if share > 0:
        light = shown / skin_albedo(shown)
        cast = np.log(light / (light @ LUMINANCE))
        cast *= BELIEVED + (1 - BELIEVED) * min(float(np.abs(cast).max()), 1.0)
        # In a pale photo skin has less colour than skins have, which is no blue light: where skin is warm, white is.
        warm = hue - hue[1]
        cast = cast - cast[1]
        cast[0] = max(cast[0], min(warm[0], -PALE))
        cast[2] = min(cast[2], max(warm[2], PALE))
        hue = share * cast + (1 - share) * warm
    white = np.exp(hue)
    return Tint(white / (white @ LUMINANCE), share)


def _many_hues(pixels: Array, light: float) -> float:
    """0 for sRGB pixels (n, 3) of a grey or toned photo whose skin is as light as that, 0..255, to 1: in a toned one
    how light a pixel is says what hue it has, along a line between logarithms."""
    some = pixels[(pixels.min(axis=1) > 0.12 * light) & (pixels.max(axis=1) < 245)].astype(np.float64)
    if len(some) < FEW:
        return 1.0
    log = np.log(some + 0.15 * light)
    hue = np.stack([log[:, 0] - log[:, 1], log[:, 2] - log[:, 1]], axis=1)
    line = np.stack([np.ones(len(log)), log.mean(axis=1)], axis=1)
    rest = hue - line @ np.linalg.lstsq(line, hue, rcond=None)[0]
    low, high = np.quantile(rest, [0.02, 0.98], axis=0)
    return float(np.clip(((high - low).max() - ONE_HUE) / (MANY_HUES - ONE_HUE), 0, 1))


def colourful(skin: Array) -> float:
    """0 for a grey photo to 1, judged by its skin (3,)."""
    return float(np.clip((skin.max() - skin.min()) / max(float(skin.max()), 1.0) / 0.06, 0.0, 1.0))


def toned(colours: Array, tint: Tint) -> Array:
    """Painted sRGB colours (..., 3), 0..255, in the light's hue already: as they are, or in the one hue of a toned
    photo; float32."""
    grey = linear_to_srgb((srgb_to_linear(colours) @ LUMINANCE)[..., None] * tint.white)
    return np.asarray(grey + tint.colourful * (colours - grey), dtype=np.float32)


def _face(photo: Photo, landmarks: Landmarks) -> Array:
    """(n, 3) the face, small: lips, eyes and skin differ in hue."""
    import cv2

    points = landmarks.points[:, :2]
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return np.zeros((0, 3))
    height, width = photo.image.shape[:2]
    x0, y0 = np.clip(np.floor(points.min(axis=0)), 0, [width, height]).astype(int)
    x1, y1 = np.clip(np.ceil(points.max(axis=0)), 0, [width, height]).astype(int)
    crop = photo.image[y0:y1, x0:x1]
    if not crop.size:
        return np.zeros((0, 3))
    scale = min(SIDE / max(crop.shape[:2]), 1.0)
    size = max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale))
    return np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA).reshape(-1, 3))
