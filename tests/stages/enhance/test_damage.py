"""Damage: what is filled keeps off what is whole, and hangs on nothing that is lost; a drawn scratch is found, and a
portrait without any is left alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tronie.arrays import Array, Image
from tronie.io.images import read_photo
from tronie.runtime import weights
from tronie.stages.enhance import infill
from tronie.stages.enhance.damage import MARGIN, TILE, DamageNet, _tiles, fill, find, judged

NOWHERE = np.zeros((40, 60), bool)


@pytest.fixture(scope="module")
def net() -> DamageNet:
    return DamageNet()


@pytest.fixture(scope="module")
def portrait() -> Image:
    return read_photo(weights.path("selftest")).image


def striped(height: int = 48, width: int = 64) -> Image:
    """Diagonal waves, some rows and columns of them lost."""
    y, x = np.mgrid[:height, :width]
    wave = 128 + 90 * np.sin((x + y) * 2 * np.pi / 8)
    return np.repeat(wave[..., None], 3, axis=2).astype(np.uint8)


def bar(shape: tuple[int, ...], columns: slice) -> Array:
    mask = np.zeros(shape[:2], np.float32)
    mask[8:-8, columns] = 1
    return mask


@settings(max_examples=20, deadline=None)
@given(arrays(np.float32, (30, 37), elements=st.sampled_from([0.0, 0.0, 0.0, 0.2, 0.7, 1.0])), st.integers(0, 9))
def test_what_is_whole_stays(mask: Array, seed: int) -> None:
    photo = np.random.default_rng(seed).integers(0, 256, (30, 37, 3), dtype=np.uint8)
    filled = fill(photo, mask)
    assert filled.dtype == np.uint8
    np.testing.assert_array_equal(filled[mask == 0], photo[mask == 0])


@pytest.mark.parametrize("limit", [10**9, 1000])
def test_what_is_lost_has_no_say(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(infill, "LARGEST", limit)
    monkeypatch.setattr(infill, "TILE", 20)
    photo, mask = striped(), bar((48, 64), slice(20, 27))
    other = np.where(mask[..., None] > 0, 255 - photo, photo).astype(np.uint8)
    np.testing.assert_array_equal(fill(photo, mask), fill(other, mask))


@pytest.mark.parametrize("limit", [10**9, 1000])
def test_one_colour_is_filled_with_it(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(infill, "LARGEST", limit)
    monkeypatch.setattr(infill, "TILE", 20)
    photo = np.full((48, 64, 3), (90, 140, 200), np.uint8)
    mask = bar(photo.shape, slice(15, 40))
    lost = np.where(mask[..., None] > 0, 255, photo).astype(np.uint8)
    assert np.abs(fill(lost, mask).astype(int) - photo).max() <= 1


def test_a_pattern_goes_on() -> None:
    photo = striped()
    mask = bar(photo.shape, slice(28, 37))
    lost = np.where(mask[..., None] > 0, 255, photo).astype(np.uint8)
    smooth = cv2.inpaint(lost, mask.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    errors = [float(np.abs(x.astype(float) - photo)[mask > 0].mean()) for x in (fill(lost, mask), smooth)]
    assert errors[0] < 0.5 * errors[1]


def test_no_mask_and_nothing_but_mask() -> None:
    photo = striped()
    for mask in (np.zeros(photo.shape[:2]), np.ones(photo.shape[:2])):
        np.testing.assert_array_equal(fill(photo, mask), photo)


def test_the_smooth_beginning_stays_within_what_is_known() -> None:
    photo = striped().astype(np.float32)
    hole = bar(photo.shape, slice(10, 50)) > 0
    found = infill.spread(photo, hole)
    np.testing.assert_array_equal(found[~hole], photo[~hole])
    assert photo[~hole].min() - 1e-3 <= found.min()
    assert found.max() <= photo[~hole].max() + 1e-3


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_tiles_are_the_picture_once(height: int, width: int) -> None:
    rows = {(r.own.start, r.own.stop) for r, _ in _tiles((height, width))}
    assert sum(stop - start for start, stop in rows) == height
    for r, c in _tiles((height, width)):
        for span, side in ((r, height), (c, width)):
            assert 0 <= span.around.start <= span.own.start < span.own.stop <= span.around.stop <= side
            assert span.around.stop - span.around.start <= TILE
            assert span.own.start - span.around.start in (0, MARGIN)


def test_likely_damage_wants_a_sure_pixel() -> None:
    likely = np.zeros((40, 60), np.float32)
    likely[10, 5:30] = 0.6
    assert not judged(likely, NOWHERE).any()
    likely[10, 29] = 0.99
    assert (judged(likely, NOWHERE)[10, 5:30] > 0.5).all()
    assert not judged(likely, NOWHERE, 0.9 * likely).any()


def test_a_line_through_an_eye_is_believed_and_a_glint_in_it_not() -> None:
    eye = NOWHERE.copy()
    eye[15:25, 20:35] = True
    glint, line = (np.zeros((40, 60), np.float32) for _ in range(2))
    glint[18:21, 25:28] = 1
    line[20, 5:55] = 1
    assert not judged(glint, eye).any()
    assert judged(glint, NOWHERE)[19, 26] == 1
    assert (judged(line, eye)[20, 5:55] == 1).all()


def test_what_is_wide_is_a_thing_and_no_damage() -> None:
    likely = np.zeros((80, 120), np.float32)
    likely[20:60, 30:70] = 1
    assert not judged(likely, np.zeros(likely.shape, bool)).any()
    likely[40, 75:] = 1  # but a scratch that leads up to it is
    mask = judged(likely, np.zeros(likely.shape, bool))
    assert (mask[40, 80:] == 1).all()
    assert not mask[30:50, 40:60].any()


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (17, 16), (230, 90)])
def test_any_size_is_looked_at(net: DamageNet, shape: tuple[int, int]) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    mask = find(photo, net=net)
    assert mask.shape == shape
    assert mask.dtype == np.float32
    assert mask.min() >= 0
    assert mask.max() <= 1


def test_a_drawn_scratch_is_found_and_mended(net: DamageNet, portrait: Image) -> None:
    whole = find(portrait, net=net)
    assert (whole > 0).mean() < 0.006  # gleams on the helmet
    assert not whole[15:140, 95:230].any()  # head and hair
    h, w = portrait.shape[:2]
    y = np.linspace(0.03, 0.43, 60)  # on the wall beside her
    line = np.column_stack([(0.2 + 0.02 * np.sin(20 * y)) * w, y * h]).astype(np.int32)
    lost = np.zeros((h, w), np.uint8)
    cv2.polylines(lost, [line], False, 255, 1, cv2.LINE_AA)
    photo = (portrait + (lost[..., None] / 255) * (250.0 - portrait)).astype(np.uint8)
    mask = find(photo, net=net)
    assert (mask[lost > 200] >= 0.5).mean() > 0.6
    mended = fill(photo, mask)
    errors = [np.abs(x.astype(float) - portrait)[lost > 100].mean() for x in (mended, photo)]
    assert errors[0] < 0.4 * errors[1]
    np.testing.assert_array_equal(mended, fill(photo, mask))
