"""Colour codings: every curve against its inverse, every matrix against white; pictures come back as they were."""

from __future__ import annotations

import numpy as np
import pytest
from color_codes import encoded

from tronie.color import (
    BT709,
    BT2020,
    DISPLAY_P3,
    HLG,
    LINEAR,
    PQ,
    PRIMARIES,
    SRGB,
    WHITE,
    decoded,
    is_srgb,
    linear,
    luminance,
    peak_of,
    pq_decode,
    pq_encode,
    rolled_off,
    srgb_encode,
    to_bt709,
    to_srgb,
)

RNG = np.random.default_rng(7)


def picture(height: int = 40, width: int = 50) -> np.ndarray:
    """RGB uint8 with all sorts of colours, some of them sRGB's purest."""
    image = RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)
    image[:2] = np.eye(3, dtype=np.uint8)[np.arange(width) % 3] * 255
    image[2], image[3] = 0, 255
    return image


def test_known_levels() -> None:
    """Levels that BT.2408 and SMPTE 2084 give: PQ 58 % is 203 cd/m2, 75 % of it 1,000; HLG 75 % is 203, 100 % 1,000."""
    assert pq_decode([0.0, 0.5806, 0.7518, 1.0]) == pytest.approx([0, 203, 1000, 10_000], rel=2e-3, abs=1e-6)
    grey = linear(np.array([[0.75] * 3, [1.0] * 3]), BT2020, HLG) * WHITE
    assert grey[:, 1] == pytest.approx([203, 1000], rel=3e-3)


def test_pq_forth_and_back() -> None:
    nits = np.geomspace(0.01, 10_000, 50)
    assert pq_decode(pq_encode(nits)) == pytest.approx(nits, rel=1e-6)


@pytest.mark.parametrize("primaries", sorted(PRIMARIES))
def test_white_stays_white(primaries: int) -> None:
    assert to_bt709(primaries) @ np.ones(3) == pytest.approx(np.ones(3), abs=1e-9)
    assert luminance(primaries).sum() == pytest.approx(1)


def test_published_matrices() -> None:
    """BT.2020 to BT.709 as in BT.2087, Display P3 to sRGB as published with it."""
    bt2087 = [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
    assert to_bt709(BT2020) == pytest.approx(np.array(bt2087), abs=1e-4)
    p3 = [[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]]
    assert to_bt709(DISPLAY_P3) == pytest.approx(np.array(p3), abs=2e-3)
    assert luminance(BT2020) == pytest.approx([0.2627, 0.6780, 0.0593], abs=1e-4)


@pytest.mark.parametrize("transfer", [SRGB, PQ, HLG, LINEAR])
@pytest.mark.parametrize("primaries", [BT709, BT2020, DISPLAY_P3])
def test_what_has_no_highlights_comes_back(primaries: int, transfer: int) -> None:
    """sRGB put into a wide coding is the same sRGB again, to what the numbers' steps allow."""
    image = picture()
    coded = encoded(decoded(image / 255, SRGB), primaries, transfer)
    for values, top in ((coded, None), (np.rint(coded * 65535).astype(np.uint16), None)):
        off = to_srgb(values, primaries, transfer, top=top).astype(int) - image
        assert np.abs(off).max() <= 2
    ten = to_srgb(np.rint(coded * 1023).astype(np.uint16), primaries, transfer, top=1023)
    assert np.abs(ten.astype(int) - image).mean() < (6 if transfer == LINEAR else 1)


def test_eight_bits_of_srgb_stay_as_they_are() -> None:
    image = picture()
    assert np.array_equal(to_srgb(image, BT709, SRGB), image)


def test_highlights_are_rolled_off() -> None:
    """The curve grows, never brightens, leaves the dark alone, and ends at white."""
    light = np.linspace(0, 6, 600)
    out = rolled_off(light, 5.0)
    assert (np.diff(out[light <= 5]) > 0).all()
    assert (out <= light + 1e-9).all()
    assert out[light >= 5] == pytest.approx(1.0, abs=1e-6)
    assert np.array_equal(out[:20], light[:20])
    assert np.array_equal(rolled_off(light, 1.0), np.minimum(light, 1))


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_fast_equals_slow(transfer: int) -> None:
    codes = RNG.integers(0, 1024, (130, 7, 3)).astype(np.uint16)
    peak = peak_of(codes, BT2020, transfer, top=1023)
    light = linear(codes / 1023, BT2020, transfer)
    high = np.maximum(light.max(axis=-1, keepdims=True), 1e-9)
    slow = 255 * srgb_encode(light * rolled_off(high, peak) / high)
    assert np.abs(to_srgb(codes, BT2020, transfer, top=1023) - slow).max() < 1.1
    assert peak > 2


def test_a_highlight_keeps_its_hue_and_its_surroundings() -> None:
    """A lamp in the picture: skin around it stays within a tenth, the lamp keeps red > green > blue."""
    light = np.tile([0.30, 0.16, 0.10], (100, 100, 1))
    light[:10, :10] = [4.0, 2.5, 1.0]
    image = to_srgb(encoded(light, BT2020, PQ), BT2020, PQ)
    assert image[50, 50].astype(float) == pytest.approx(255 * srgb_encode([0.30, 0.16, 0.10]), rel=0.1)
    red, green, blue = image[0, 0].astype(int)
    assert red >= 253
    assert red > green > blue


def test_which_codings_need_nothing() -> None:
    assert is_srgb(BT709, SRGB)
    assert is_srgb(2, 2)
    assert is_srgb(BT709, 1)
    assert not is_srgb(BT2020, SRGB)
    assert not is_srgb(BT709, PQ)
    assert not is_srgb(2, HLG)


def test_strange_numbers() -> None:
    odd = np.array([[[np.nan, np.inf, -np.inf], [2.0, -1.0, 0.5]]])
    assert to_srgb(odd, 250, 99).shape == (1, 2, 3)
    assert to_srgb(np.full((1, 1, 3), 60000, np.uint16), BT2020, PQ, top=1023).max() == 255
    assert to_srgb(np.zeros((0, 4, 3), np.uint16), BT2020, PQ).shape == (0, 4, 3)
