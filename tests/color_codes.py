"""Light as files of any colour space code it, to be read back."""

from __future__ import annotations

import numpy as np

from tronie.color import HLG, HLG_GAMMA, HLG_PEAK, LINEAR, PQ, WHITE, luminance, pq_encode, srgb_encode, to_bt709


def encoded(light: np.ndarray, primaries: int, transfer: int) -> np.ndarray:
    """Light in BT.709 primaries, units of white -> R'G'B' 0..1: `linear` backwards."""
    values = np.maximum(light @ np.linalg.inv(to_bt709(primaries)).T, 0)
    if transfer == PQ:
        return pq_encode(values * WHITE)
    if transfer == LINEAR:
        return values
    if transfer == HLG:
        shown = values * WHITE / HLG_PEAK
        y = np.maximum(shown @ luminance(primaries), 1e-9)[..., None]
        scene = shown * y ** (1 / HLG_GAMMA - 1)
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        return np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c)
    return srgb_encode(values)
