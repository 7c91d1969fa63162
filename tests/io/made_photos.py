"""Small pictures for the tests of readers, and what they ask of an answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import ImageCms

from tronie.errors import InputError
from tronie.io.images import Limits, read_photo

HEIC = Path(__file__).parent / "tiny.heic"
COLORS = np.array([[(220, 40, 40), (40, 200, 60)], [(40, 60, 220), (240, 240, 240)]], np.uint8)


def quarters(height: int = 48, width: int = 64) -> np.ndarray:
    """Red, green / blue, white: every turn and flip of it looks different."""
    return COLORS[np.arange(height)[:, None] * 2 // height, np.arange(width)[None] * 2 // width]


def close(a: np.ndarray, b: np.ndarray, within: float) -> bool:
    """Same size and equal away from the edges between the quarters."""
    return a.shape == b.shape and float(np.median(np.abs(a.astype(int) - b.astype(int)))) <= within


def refused(path: Path | str, *words: str, limits: Limits | None = None) -> None:
    """One sentence that names the file and holds the words."""
    with pytest.raises(InputError) as caught:
        read_photo(path, limits)
    text = str(caught.value)
    assert Path(path).name in text
    assert "\n" not in text
    assert text.endswith(".")
    for word in words:
        assert word in text


def swapped_profile() -> bytes:
    """An ICC profile like sRGB but with the red and green primaries swapped (and no `sRGB` in its name)."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    swapped = bytearray(profile)
    swapped[red : red + 4], swapped[green : green + 4] = b"gXYZ", b"rXYZ"
    start = swapped.index("sRGB".encode("utf-16-be"))
    swapped[start : start + 8] = "test".encode("utf-16-be")
    return bytes(swapped)
