"""Grain lightened: noise goes, edges stay, nothing is done where there is nothing, and tiles do not show."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as Pillow
from places import EXAMPLES

from tronie.arrays import Image
from tronie.stages.enhance import grain
from tronie.stages.enhance.grain import cleaned, find_grain


@pytest.fixture(scope="module")
def fine() -> Image:
    return np.asarray(Pillow.open(EXAMPLES / "astronaut.jpg").convert("RGB"))


def grained(photo: Image, sigma: float) -> Image:
    noise = np.random.default_rng(1).normal(0, sigma, photo.shape[:2])[..., None]
    return np.clip(np.rint(photo + noise), 0, 255).astype(np.uint8)


def off(one: Image, other: Image) -> float:
    return float(np.sqrt(((one.astype(np.float32) - other) ** 2).mean()))


def test_a_clean_photo_hardly_changes(fine: Image) -> None:
    assert np.abs(cleaned(fine, find_grain(fine)).astype(int) - fine).max() <= 3
    flat = np.full((40, 50, 3), 77, np.uint8)
    assert cleaned(flat, find_grain(flat)) is flat


@pytest.mark.parametrize("sigma", [4.0, 8.0])
def test_noise_becomes_less_and_is_not_all_gone(fine: Image, sigma: float) -> None:
    noisy = grained(fine, sigma)
    found = find_grain(noisy)
    assert found.level == pytest.approx(sigma, rel=0.35)
    after = cleaned(noisy, found)
    assert off(after, fine) < 0.85 * off(noisy, fine)
    flat = grained(np.full((90, 90, 3), 120, np.uint8), sigma)
    left = cleaned(flat, find_grain(flat)).astype(float)[..., 0].std()
    assert 0.2 * sigma < left < 0.6 * sigma


def test_edges_stay_sharp() -> None:
    photo = np.full((128, 128, 3), 60, np.uint8)
    photo[:, 64:] = 190
    after = cleaned(grained(photo, 5), find_grain(grained(photo, 5))).astype(float).mean(axis=2)
    step = after[:, 64:66].mean() - after[:, 62:64].mean()
    assert step > 0.93 * 130


def test_a_grey_photo_stays_grey(fine: Image) -> None:
    grey = np.repeat(grained(fine, 6).mean(axis=2).astype(np.uint8)[..., None], 3, axis=-1)
    after = cleaned(grey, find_grain(grey)).astype(int)
    assert np.ptp(after, axis=-1).max() <= 1


def test_tiles_do_not_show(fine: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    noisy = grained(fine, 5)
    found = find_grain(noisy)
    whole = cleaned(noisy, found)
    monkeypatch.setattr(grain, "TILE", 150)
    assert np.abs(cleaned(noisy, found).astype(int) - whole).max() <= 1


@pytest.mark.parametrize("shape", [(1, 1), (2, 90), (33, 5)])
def test_any_size_will_do(shape: tuple[int, int]) -> None:
    photo = np.random.default_rng(2).integers(0, 255, (*shape, 3)).astype(np.uint8)
    assert cleaned(photo, find_grain(photo)).shape == photo.shape
