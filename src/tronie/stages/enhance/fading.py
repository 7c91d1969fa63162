"""Fading and yellowing of old photographs taken back: what is told of them by the photo's darkest and lightest places.

Silver and dyes fade: what was black becomes grey or brown, what was white darker and yellow, so the darkest and the
lightest colours tell of it where they should be black and white. They need not be: it may be night, or foggy, or an
evening. So colour photos are changed only where nothing in them is dark and this is tinted as dyes fade; grey
ones, which old prints mostly are, more freely. Curves are straight between two levels and lose nothing outside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tronie.arrays import Array, Image
from tronie.color import LUMA
from tronie.geometry import smoothstep

SIDE = 400
"""Pixels of the longer side of what is looked at: grain is averaged out there."""
MARGIN = 0.03
"""Share of each side that is not looked at: scanners' edges, shadows of the mount."""
DARKEST, LIGHTEST = 0.3, 99.3
"""Percentiles of lightness beyond which a pixel is among the darkest and the lightest."""
DEEPEST = 0.05
"""Percentile of the very darkest, pupils and nostrils: they tell a faded photo from one of pale things."""
BLACK, WHITE = 12.0, 242.0
"""Grey levels that a faded photo's darkest and lightest places are brought to."""
LIFTED = 22.0, 38.0
"""Grey levels of the deepest places: of a photo that is not faded at most, of a faded one at least."""
COLOURED = 3.0, 0.85
"""Grey levels by which these are higher in a photo with colours, and how much of its fading is taken back at most."""
DIM = 236.0, 216.0
"""Of the lightest places of a grey photo, the same."""
TINTED = 0.05, 0.17
"""Logarithm of a ratio of two colours of the darkest or the lightest places: of black or white, and of what only fading
makes of it."""
STEEPEST = 2.2
"""No curve is steeper: what has faded further is noise."""
ONE_HUE = 0.075, 0.13
"""Spread of hues among pixels that are equally light, as logarithms: of a grey or toned photo at most, of a coloured
one at least (nine photos of ten within 0.06; coloured ones from 0.15)."""
WIDE = 2.2
"""Times that what is spread among nearly all pixels."""
BINS = 24
"""In which pixels are equally light."""
YELLOWED, ONE_RED = (0.5, 0.6), (0.09, 0.14)
"""Mean hue of blue from which on paper and varnish have swallowed it in blotches, and spread of the red that a print of
one hue still has then."""
SOFT = 24.0
"""Grey levels added before logarithms: hues of dark places are noise."""


@dataclass(frozen=True, slots=True)
class Fading:
    """What has become of a photo's tones, and the curves that take it back."""

    monochrome: float
    """0 for a photo with colours to 1 for a grey or toned one."""
    toned: bool
    """It has one hue: sepia, yellow paper, a blue print."""
    black: Array
    """(3,) sRGB of its darkest places."""
    white: Array
    """(3,) of its lightest."""
    amount: float
    """0..1: how far it is taken for faded."""
    curves: Image
    """(3, 256) what each level of each channel becomes; of a grey photo all are of its lightness."""
    keeps_tone: bool
    """The one hue of a toned photo is left to it."""

    @property
    def changes(self) -> bool:
        """Whether anything becomes of it."""
        return bool((self.curves != np.arange(256)).any()) or (self.toned and not self.keeps_tone)


def find_fading(photo: Image, unknown: Array | None = None, *, keep_tone: bool = False) -> Fading:
    """Of (H, W, 3); `unknown` (H, W) 0..1 says what of it is damaged and tells nothing."""
    pixels = _looked_at(photo, unknown)
    hue, spread, red = _hues(pixels)
    stained = _step(-float(hue[1]), *YELLOWED) * (1 - _step(red, *ONE_RED))
    grey = max(1 - _step(spread, *ONE_HUE), stained)
    light = pixels @ LUMA
    deepest, low, high = np.percentile(light, [DEEPEST, DARKEST, LIGHTEST])
    black, white = pixels[light <= low].mean(axis=0), pixels[light >= high].mean(axis=0)
    toned = grey > 0 and float(np.abs(hue).max()) > 0.03
    more, most = (1 - grey) * COLOURED[0], 1 - (1 - grey) * (1 - COLOURED[1])
    lift = _step(deepest, LIFTED[0] + more, LIFTED[1] + more)
    amount = most * lift * max(grey, _faded_tint(black), _faded_tint(white))
    dim = max(amount, grey * _step(-float(white @ LUMA), -DIM[0], -DIM[1]))
    ends = np.stack([black, white])
    if grey >= 0.5:
        ends = np.repeat((ends @ LUMA)[:, None], 3, axis=1)
    wanted = _wanted(ends, amount, dim)
    return Fading(grey, toned, black, white, max(amount, dim), _curves(ends, wanted), keep_tone)


def unfaded(photo: Image, fading: Fading) -> Image:
    """(H, W, 3) with its tones as `fading` says: where that changes nothing, the same picture."""
    if not fading.changes:
        return photo
    curved = np.stack([fading.curves[k][photo[..., k]] for k in range(3)], axis=-1)
    if fading.keeps_tone or not fading.toned:
        return curved
    grey = np.rint(curved @ LUMA.astype(np.float32))[..., None]
    if fading.monochrome >= 1:
        return np.repeat(grey.astype(np.uint8), 3, axis=-1)
    mixed = curved + np.float32(fading.monochrome) * (grey - curved)
    return np.asarray(np.clip(np.rint(mixed), 0, 255), dtype=np.uint8)


def _looked_at(photo: Image, unknown: Array | None) -> Array:
    """(N, 3) float32: the pixels of the photo made small, without its margins."""
    import cv2

    height, width = photo.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    known = np.ones(small.shape[:2], bool)
    if unknown is not None:
        known = cv2.resize(unknown.astype(np.float32), size, interpolation=cv2.INTER_AREA) < 0.1
    y, x = (int(MARGIN * side) for side in small.shape[:2])
    inner = np.s_[y : small.shape[0] - y, x : small.shape[1] - x]
    found = small[inner][known[inner]]
    return found if len(found) > 50 else small.reshape(-1, 3)


def _hues(pixels: Array) -> tuple[Array, float, float]:
    """The mean hue (2,), red and blue against green as logarithms, and how far it differs among pixels of one
    lightness; and how far the red alone does, among most."""
    some = pixels[(pixels.max(axis=1) < 250) & (pixels.min(axis=1) > 4)].astype(np.float64)
    if len(some) < 50:
        some = pixels.astype(np.float64)
    log = np.log(some + SOFT)
    hue = np.stack([log[:, 0] - log[:, 1], log[:, 2] - log[:, 1]], axis=1)
    alike = np.array_split(hue[np.argsort(log.mean(axis=1), kind="stable")], min(BINS, len(hue)))
    rest = np.concatenate([some - np.median(some, axis=0) for some in alike])
    low, q10, q90, high = np.quantile(rest, [0.02, 0.1, 0.9, 0.98], axis=0)
    return hue.mean(axis=0), float(max((q90 - q10).max(), (high - low).max() / WIDE)), float((q90 - q10)[0])


def _faded_tint(end: Array) -> float:
    """0..1: whether the darkest or the lightest places have a colour that fading gives them: any but the blue of
    haze."""
    log = np.log(end + SOFT)
    red, blue = float(log[0] - log[1]), float(log[2] - log[1])
    if red < 0 < blue:
        return 0.0
    return _step(max(red - blue, abs(red), blue), *TINTED)


def _step(value: float, low: float, high: float) -> float:
    return float(smoothstep(np.array(value), low, high))


def _wanted(ends: Array, amount: float, dim: float) -> Array:
    """(2, 3) levels that the darkest and the lightest places are to have."""
    black, white = ends
    low = black + amount * np.minimum(BLACK - black, 0)
    high = white + dim * np.maximum(WHITE - white, 0)
    room = STEEPEST * np.maximum(white - black, 1)
    over = np.maximum(high - low - room, 0)
    return np.stack([low + over / 2, high - over / 2])


def _curves(ends: Array, wanted: Array) -> Image:
    levels = np.arange(256)
    made = [np.interp(levels, [0, b, w, 255], [0, x, y, 255]) for b, w, x, y in zip(*ends, *wanted, strict=True)]
    return np.asarray(np.clip(np.rint(made), 0, 255), dtype=np.uint8)
