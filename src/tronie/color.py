"""Pictures of any colour coding -> sRGB: transfer functions, primaries and the tone curve for high dynamic range.

Codings are named by their code points (ITU-T H.273, "CICP"), as AVIF, HEIC, PNG and videos carry them. Light is counted
in units of diffuse white: 203 cd/m2 for PQ and HLG (ITU-R BT.2408), the greatest value of everything else. What is
brighter than white in a picture is rolled off by the curve of ITU-R BT.2390; what is not stays as it is, so a picture
without highlights comes out as its version in sRGB would.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tronie.arrays import Image
from tronie.runtime.jit import fast_jit

Floats = NDArray[np.float64]

BT709, BT2020, DISPLAY_P3 = 1, 9, 12
"""Code points of primaries."""
LINEAR, SRGB, PQ, HLG = 8, 13, 16, 18
"""Code points of transfer functions."""

D65, ILLUMINANT_C, DCI, EQUAL = (0.3127, 0.3290), (0.310, 0.316), (0.314, 0.351), (1 / 3, 1 / 3)
PRIMARIES: dict[int, tuple[tuple[float, float], ...]] = {
    1: ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), D65),  # BT.709, sRGB
    4: ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), ILLUMINANT_C),  # NTSC 1953
    5: ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), D65),  # BT.601, 625 lines
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), D65),  # BT.601, 525 lines
    7: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), D65),  # SMPTE 240
    8: ((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), ILLUMINANT_C),  # film
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), D65),  # BT.2020, BT.2100
    10: ((1.0, 0.0), (0.0, 1.0), (0.0, 0.0), EQUAL),  # CIE XYZ
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), DCI),  # P3 of cinemas
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), D65),  # Display P3
    22: ((0.630, 0.340), (0.295, 0.605), (0.155, 0.077), D65),  # EBU 3213
}
"""Code point -> chromaticities (x, y) of red, green, blue and white (H.273, table 2). Others are taken for BT.709."""

GAMMAS = {4: 2.2, 5: 2.8, 17: 2.6}
"""Code point -> exponent of a transfer function that is a power."""
# 1, 6, 7, 11 to 15 were made to be seen on ordinary screens: shown, as by most programs, as if they were sRGB.

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
"""Of linear red, green and blue in the primaries of BT.709 and sRGB: how much each adds to what looks light."""
LUMA = np.array([0.299, 0.587, 0.114])
"""The same of coded red, green and blue (ITU-R BT.601), as files and old filters have it."""
WHITE = 203.0
"""Diffuse white of PQ and HLG, cd/m2 (BT.2408)."""
HLG_PEAK, HLG_GAMMA = 1000.0, 1.2
"""The screen that HLG is shown on, cd/m2, and its system gamma (BT.2100, table 5)."""
PEAK_SHARE, PEAK_SAMPLES = 0.9995, 200_000
"""A picture's peak is what this share of its pixels stays below, looked up at about so many of them."""
CURVE_STEPS, SRGB_STEPS = 4096, 65535
STRIP = 128
"""Rows that are converted at a time."""


def is_srgb(primaries: int, transfer: int) -> bool:
    """Whether a picture of this coding can be shown as it is; so can one whose coding is not told (2)."""
    return primaries not in PRIMARIES.keys() - {BT709} and not _is_special(transfer)


def is_hdr(transfer: int) -> bool:
    """Whether a transfer function knows light beyond white."""
    return transfer in (PQ, HLG)


def to_srgb(
    rgb: NDArray[Any], primaries: int, transfer: int, *, peak: float | None = None, top: int | None = None
) -> Image:
    """(H, W, 3) R'G'B' of a coding, full range, as uint8, uint16 or floats 0..1 -> RGB uint8 in sRGB.

    `top` is the code of 1.0 (1023 for ten bits in uint16; default: the greatest number of the type). `peak` is the
    brightest light, in units of white, that highlights are rolled off to make room for; default: of this picture.
    Frames of a clip should share one (`peak_of`), or they flicker.
    """
    top = top or _top(rgb)
    high = np.float32(peak_of(rgb, primaries, transfer, top=top) if peak is None else peak)
    light = decoded(np.arange(top + 1) / top, transfer).astype(np.float32)
    matrix = to_bt709(primaries).astype(np.float32)
    weights = (luminance(primaries) if transfer == HLG else np.zeros(3)).astype(np.float32)
    out = np.empty(rgb.shape, dtype=np.uint8)
    for start in range(0, len(rgb), STRIP):
        rows = slice(start, start + STRIP)
        _convert(_codes(rgb[rows]), light, weights, matrix, high, _gains(float(high)), _srgb_codes(), out[rows])
    return out


def peak_of(rgb: NDArray[Any], primaries: int, transfer: int, *, top: int | None = None) -> float:
    """The brightest light of a picture as `to_srgb` takes it, in units of white; at least 1."""
    if not is_hdr(transfer) or rgb.size == 0:
        return 1.0
    step = max(1, int((rgb.shape[0] * rgb.shape[1] / PEAK_SAMPLES) ** 0.5))
    light = linear(_codes(rgb[::step, ::step]) / (top or _top(rgb)), primaries, transfer)
    return max(1.0, float(np.quantile(light.max(axis=-1), PEAK_SHARE)))


def linear(rgb: ArrayLike, primaries: int, transfer: int) -> Floats:
    """(..., 3) R'G'B' 0..1 -> light in BT.709 primaries, in units of white; negative where sRGB lacks a colour."""
    values = decoded(rgb, transfer)
    if transfer == HLG:
        values = values * np.maximum(values @ luminance(primaries), 0)[..., None] ** (HLG_GAMMA - 1)
        values = values * (HLG_PEAK / WHITE)
    return values @ to_bt709(primaries).T


def decoded(values: ArrayLike, transfer: int) -> Floats:
    """R', G' or B' 0..1 -> linear light in units of white; of HLG the light of the scene, 0..1."""
    e = np.clip(np.asarray(values, dtype=np.float64), 0, 1)
    if transfer == PQ:
        return pq_decode(e) / WHITE
    if transfer == HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073  # BT.2100, table 5
        return np.where(e <= 0.5, e * e / 3, (np.exp((e - c) / a) + b) / 12)
    if transfer == LINEAR:
        return e
    if transfer in GAMMAS:
        return e ** GAMMAS[transfer]
    return srgb_decode(e)


def srgb_decode(coded: ArrayLike) -> NDArray[Any]:
    """sRGB 0..1 -> linear light 0..1 (IEC 61966-2-1); floats keep their precision."""
    e = np.asarray(coded)
    return np.where(e <= 0.04045, e / 12.92, ((e + 0.055) / 1.055) ** 2.4)


def srgb_encode(light: ArrayLike) -> Floats:
    """Linear light 0..1 -> sRGB 0..1 (IEC 61966-2-1)."""
    c = np.clip(np.asarray(light, dtype=np.float64), 0, 1)
    return np.where(c <= 0.0031308, 12.92 * c, 1.055 * c ** (1 / 2.4) - 0.055)


def srgb_to_linear(values: ArrayLike) -> Floats:
    """sRGB 0..255 -> linear light 0..1."""
    return srgb_decode(np.asarray(values, dtype=np.float64) / 255)


def linear_to_srgb(light: ArrayLike) -> Floats:
    """Linear light 0..1 -> sRGB 0..255; what is beyond is clipped."""
    return 255 * srgb_encode(light)


M1, M2, C1, C2, C3 = 2610 / 16384, 2523 / 4096 * 128, 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32


def pq_decode(values: ArrayLike) -> Floats:
    """PQ 0..1 -> cd/m2 (BT.2100, table 4)."""
    p = np.asarray(values, dtype=np.float64) ** (1 / M2)
    return np.asarray(10_000 * (np.maximum(p - C1, 0) / (C2 - C3 * p)) ** (1 / M1))


def pq_encode(nits: ArrayLike) -> Floats:
    """cd/m2 -> PQ 0..1."""
    y = (np.maximum(np.asarray(nits, dtype=np.float64), 0) / 10_000) ** M1
    return np.asarray(((C1 + C2 * y) / (1 + C3 * y)) ** M2)


def rolled_off(light: ArrayLike, peak: float) -> Floats:
    """Light in units of white -> 0..1 so that `peak` becomes 1: the EETF of BT.2390-10, 5.4.1, black as it is."""
    values = np.maximum(np.asarray(light, dtype=np.float64), 0)
    if peak <= 1:
        return np.minimum(values, 1)
    source = pq_encode(peak * WHITE)
    e1 = np.minimum(pq_encode(values * WHITE) / source, 1)
    highest = pq_encode(WHITE) / source
    knee = 1.5 * highest - 0.5
    t = np.maximum(e1 - knee, 0) / (1 - knee)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * highest
    return np.where(e1 < knee, values, np.minimum(pq_decode(spline * source) / WHITE, 1))


@lru_cache
def to_bt709(primaries: int) -> Floats:
    """(3, 3) linear RGB of these primaries -> linear RGB of BT.709; another white is adapted (Bradford)."""
    if primaries not in PRIMARIES or PRIMARIES[primaries] == PRIMARIES[BT709]:
        return np.eye(3)
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    here, there = (bradford @ _xyz(PRIMARIES[p][3]) for p in (primaries, BT709))
    adapt = np.linalg.inv(bradford) @ np.diag(there / here) @ bradford
    return np.asarray(np.linalg.inv(_to_xyz(BT709)) @ adapt @ _to_xyz(primaries))


def luminance(primaries: int) -> Floats:
    """(3,) What red, green and blue light of these primaries add to luminance; their sum is 1."""
    return np.asarray(_to_xyz(primaries if primaries in PRIMARIES else BT709)[1])


@lru_cache
def _to_xyz(primaries: int) -> Floats:
    *rgb, white = (_xyz(xy) for xy in PRIMARIES[primaries])
    columns = np.stack(rgb, axis=1)
    return np.asarray(columns * np.linalg.solve(columns, white))


def _xyz(xy: tuple[float, float]) -> Floats:
    """Of luminance 1; primaries without luminance keep their direction."""
    x, y = xy
    return np.array([x, y, 1 - x - y]) / (y or 1.0)


def _is_special(transfer: int) -> bool:
    return transfer in GAMMAS or transfer in (LINEAR, PQ, HLG)


def _top(rgb: NDArray[Any]) -> int:
    return 255 if rgb.dtype == np.uint8 else 65535


def _codes(rgb: NDArray[Any]) -> NDArray[np.uint16]:
    """Contiguous uint16 of any of the types that are taken: the kernel is compiled once."""
    if np.issubdtype(rgb.dtype, np.floating):
        rgb = np.rint(np.clip(np.nan_to_num(rgb), 0, 1) * 65535)
    return np.ascontiguousarray(rgb, dtype=np.uint16)


@lru_cache(maxsize=8)
def _gains(peak: float) -> NDArray[np.float32]:
    """(CURVE_STEPS + 1,) What light is multiplied by, over the square root of light / peak from 0 to 1."""
    light = np.linspace(0, 1, CURVE_STEPS + 1)[1:] ** 2 * peak
    gains = rolled_off(light, peak) / light
    return np.concatenate([gains[:1], gains]).astype(np.float32)


@lru_cache(maxsize=1)
def _srgb_codes() -> Image:
    """(SRGB_STEPS + 1,) sRGB bytes over linear light 0..1."""
    return np.rint(255 * srgb_encode(np.linspace(0, 1, SRGB_STEPS + 1))).astype(np.uint8)


@fast_jit
def _convert(codes: Any, light: Any, weights: Any, matrix: Any, peak: Any, gains: Any, srgb: Any, out: Any) -> None:
    """`linear`, `rolled_off` by the greatest of red, green and blue (so hues stay), and `srgb_encode`."""
    zero, one, steps = np.float32(0), np.float32(1), np.float32(srgb.shape[0] - 1)
    last = np.float32(gains.shape[0] - 1)
    ootf = weights[0] + weights[1] + weights[2] > 0
    top = light.shape[0] - 1
    for i in range(codes.shape[0]):
        for j in range(codes.shape[1]):
            r, g, b = light[min(codes[i, j, 0], top)], light[min(codes[i, j, 1], top)], light[min(codes[i, j, 2], top)]
            if ootf:
                y = weights[0] * r + weights[1] * g + weights[2] * b
                factor = np.float32(HLG_PEAK / WHITE) * max(y, zero) ** np.float32(HLG_GAMMA - 1)
                r, g, b = r * factor, g * factor, b * factor
            red = matrix[0, 0] * r + matrix[0, 1] * g + matrix[0, 2] * b
            green = matrix[1, 0] * r + matrix[1, 1] * g + matrix[1, 2] * b
            blue = matrix[2, 0] * r + matrix[2, 1] * g + matrix[2, 2] * b
            high = max(red, green, blue)
            gain = one
            if peak > one:
                at = np.sqrt(min(max(high, zero) / peak, one)) * last
                low = min(int(at), gains.shape[0] - 2)
                gain = gains[low] + (at - np.float32(low)) * (gains[low + 1] - gains[low])
            out[i, j, 0] = srgb[int(min(max(red * gain, zero), one) * steps + np.float32(0.5))]
            out[i, j, 1] = srgb[int(min(max(green * gain, zero), one) * steps + np.float32(0.5))]
            out[i, j, 2] = srgb[int(min(max(blue * gain, zero), one) * steps + np.float32(0.5))]
