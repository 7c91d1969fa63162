"""Fading taken back: what is faded comes back, what is not stays, and a curve loses nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from places import EXAMPLES

from tronie.arrays import Image
from tronie.color import LUMA
from tronie.stages.enhance.fading import find_fading, unfaded


@pytest.fixture(scope="module")
def fine() -> Image:
    return np.asarray(Pillow.open(EXAMPLES / "astronaut.jpg").convert("RGB").reduce(2))


def grey(photo: Image) -> Image:
    return np.repeat(np.rint(photo @ LUMA).astype(np.uint8)[..., None], 3, axis=-1)


def faded(photo: Image, tint: tuple[float, float, float] = (1.0, 0.94, 0.8)) -> Image:
    return np.rint((45 + 0.65 * photo.astype(np.float32)) * np.array(tint)).astype(np.uint8)


def off(one: Image, other: Image) -> float:
    return float(np.abs(one.astype(np.float32) - other).mean())


def restored(photo: Image, *, keep_tone: bool = False) -> Image:
    return unfaded(photo, find_fading(photo, keep_tone=keep_tone))


def test_a_fine_photo_is_left_alone(fine: Image) -> None:
    assert restored(fine) is fine
    assert off(restored(grey(fine)), grey(fine)) < 1


@pytest.mark.parametrize(
    "make", [lambda p: (p * 0.3).astype(np.uint8), lambda p: (255 - (255 - p) * 0.9).astype(np.uint8)]
)
def test_dark_and_light_photos_stay_dark_and_light(fine: Image, make: object) -> None:
    photo = make(fine)  # type: ignore[operator]
    assert off(restored(photo), photo) < 1


def test_haze_is_no_fading(fine: Image) -> None:
    """Far things in blue air have no black either."""
    hazy = np.rint(fine * 0.55 + np.array([70.0, 82.0, 100.0])).clip(0, 255).astype(np.uint8)
    assert off(restored(hazy), hazy) < 1


@pytest.mark.parametrize("tint", [(1.0, 0.94, 0.8), (1.0, 0.85, 0.92)])
def test_a_faded_photo_comes_back(fine: Image, tint: tuple[float, float, float]) -> None:
    old = faded(fine, tint)
    found = find_fading(old)
    assert found.monochrome == 0
    assert found.amount > 0.5
    assert off(unfaded(old, found), fine) < 0.45 * off(old, fine)


def test_sepia_becomes_grey_or_stays_sepia(fine: Image) -> None:
    old = faded(grey(fine))
    found = find_fading(old)
    assert found.monochrome == 1
    assert found.toned
    plain = unfaded(old, found)
    assert np.ptp(plain.astype(int), axis=-1).max() == 0
    assert off(plain, grey(fine)) < 12
    kept = restored(old, keep_tone=True).astype(int)
    middle = kept[(plain[..., 0] > 80) & (plain[..., 0] < 180)]
    assert (middle[:, 0] - middle[:, 2]).mean() > 15
    assert off(kept.mean(axis=-1), plain[..., 0]) < 20


def test_colours_are_not_taken_for_a_tone(fine: Image) -> None:
    """Not even where most of a photo is grey: a tenth of it has colours."""
    photo = grey(fine)
    photo[:, :60] = fine[:, :60]
    assert not np.array_equal(restored(photo)[:, :60].min(axis=-1), restored(photo)[:, :60].max(axis=-1))


def test_twice_is_hardly_more_than_once(fine: Image) -> None:
    for old in (faded(fine), faded(grey(fine))):
        once = restored(old)
        assert off(restored(once), once) < 4


def test_what_is_damaged_has_no_say(fine: Image) -> None:
    old = faded(grey(fine))
    scratched, mask = old.copy(), np.zeros(old.shape[:2], np.float32)
    scratched[100:112], scratched[:, 200:206], mask[100:112], mask[:, 200:206] = 255, 0, 1, 1
    with_it, without = find_fading(scratched, mask), find_fading(old)
    assert np.abs(with_it.curves.astype(int) - without.curves).max() <= 4


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_curves_rise_and_reach_both_ends(seed: int, keep: bool) -> None:
    rng = np.random.default_rng(seed)
    low, high = np.sort(rng.integers(0, 256, 2))
    photo = rng.integers(low, high + 1, (24, 31, 3)).astype(np.uint8)
    found = find_fading(photo, keep_tone=keep)
    assert (np.diff(found.curves.astype(int), axis=1) >= 0).all()
    assert (found.curves[:, 0] == 0).all()
    assert (found.curves[:, -1] == 255).all()
    assert unfaded(photo, found).shape == photo.shape


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (700, 2)])
def test_any_size_will_do(shape: tuple[int, int]) -> None:
    photo = np.full((*shape, 3), 90, np.uint8)
    assert unfaded(photo, find_fading(photo)).shape == photo.shape
