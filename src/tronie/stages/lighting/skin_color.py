"""What colour skin may have, and so what of a face's colour is its skin's and what the light's."""

from __future__ import annotations

from typing import Any

import numpy as np

from tronie.arrays import Array

LIGHT_SKIN, DARK_SKIN = (200, 148, 123), (120, 80, 62)
"""sRGB of the two skins on the colour checker (McCamy et al. 1976): averages over many people. Skin lies near the line
through them in logarithms of linear colour, because it is mostly how much melanin there is that differs."""
LUMA = np.array([0.2126, 0.7152, 0.0722])
MIDDLE, WIDTH = np.log(0.22), 0.6
"""Logarithm of the luminance of people's skin, and its spread."""
USUAL_LIGHT, EXPOSURE = np.log(0.85), 0.35
"""Spread of the logarithm of the light that falls on faces in photos, around 1: photographers expose for them."""
NATURAL, USUAL, ODD = 0.15, 0.12, 0.45
"""Logarithms of colour ratios: how far skin lies from the line, the light of a well balanced photo from white, and
from where on it must be the light."""


def srgb_to_linear(values: Any) -> Array:
    """0..255 -> 0..1."""
    s = np.asarray(values, dtype=np.float64) / 255
    return np.asarray(np.where(s <= 0.04045, s / 12.92, ((s + 0.055) / 1.055) ** 2.4))


def linear_to_srgb(values: Any) -> Array:
    """0..1 -> 0..255 float; what is beyond is clipped."""
    x = np.clip(np.asarray(values, dtype=np.float64), 0, 1)
    return np.asarray(255 * np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055))


def skin_albedo(shown: Array, monochrome: bool = False) -> Array:
    """Linear colour (3,) of a face as the photo shows it -> that of its skin: the likeliest, with both priors.

    `shown` divided by it is the light. A monochrome photo's skin is grey, and its tint is the light's.
    """
    shown = np.maximum(shown, 1e-4)
    luminance = float(np.log(shown @ LUMA))
    trust = WIDTH**2 / (WIDTH**2 + EXPOSURE**2)
    wanted = MIDDLE + trust * (luminance - USUAL_LIGHT - MIDDLE)
    if monochrome:
        return np.full(3, np.exp(wanted))
    light, dark = (np.log(srgb_to_linear(c)) for c in (LIGHT_SKIN, DARK_SKIN))
    ends = [float(np.log(np.exp(c) @ LUMA)) for c in (light, dark)]
    usual = light + (dark - light) * (wanted - ends[0]) / (ends[1] - ends[0])
    odd = np.log(shown) - luminance - usual + np.log(np.exp(usual) @ LUMA)
    # Within what is natural the two share it; the farther off, the more it is the light.
    share = NATURAL**2 / (NATURAL**2 + USUAL**2) / (1 + (float(np.abs(odd).max()) / ODD) ** 4)
    albedo = np.exp(usual + share * odd)
    return np.asarray(np.minimum(albedo * np.exp(wanted) / (albedo @ LUMA), 0.92))
