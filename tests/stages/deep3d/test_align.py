"""The aligned crop is the published one."""

from __future__ import annotations

import json

import numpy as np
import pytest
import vectors
from numpy.testing import assert_allclose
from PIL import Image

from tronie.stages.deep3d.align import POINTS, SIDE, SIZE, align

recorded = pytest.mark.skipif(
    not (vectors.VECTORS / "align.json").is_file(), reason="needs the recorded answers in ../shared/vectors"
)


@pytest.fixture
def photo() -> np.ndarray:
    y, x = np.mgrid[:280, :320]
    return np.stack([x * 255 // 319, y * 255 // 279, (x * y) % 256], axis=2).astype(np.uint8)


@recorded
@pytest.mark.parametrize("number", [0, 1])
def test_numbers_are_the_recorded_ones(number: int) -> None:
    known = json.loads((vectors.VECTORS / "align.json").read_text())
    case = known["cases"][number]
    assert_allclose(known["lm3D_5_points"]["xyz"], POINTS, rtol=1e-7)
    width, height = case["image_size_WH"]
    found = align(np.zeros((height, width, 3), np.uint8), case["points_in_image_y_down"])
    assert_allclose(found.scale, case["scale_s"], rtol=1e-9)
    assert_allclose(found.shift, case["POS_t"], rtol=1e-9)
    assert list(found.resized) == case["resized_WH"]
    assert [*found.corner, found.corner[0] + SIDE, found.corner[1] + SIDE] == case["crop_left_up_right_below"]
    assert_allclose(found.points, case["aligned_points_y_down_223_minus"], atol=1e-6)


@recorded
@pytest.mark.parametrize("number", [0, 1])
def test_crops_are_the_recorded_ones(number: int) -> None:
    """The recording does not name its picture; these formulas were read off its crops."""
    case = json.loads((vectors.VECTORS / "align.json").read_text())["cases"][number]
    with np.load(vectors.VECTORS / "align.npz") as file:
        known, means = file[f"crop{number}_strided8"], file[f"crop{number}_mean_c"]
    width, height = case["image_size_WH"]
    y, x = np.mgrid[:height, :width]
    waves = [127.5 + 100 * np.sin(0.03 * x + 0.01 * y), 127.5 + 100 * np.cos(0.02 * x - 0.025 * y)]
    picture = np.rint(np.stack([*waves, 255 * (x + y) / (width + height)], axis=2))
    found = align(picture.astype(np.uint8), case["points_in_image_y_down"]).image
    assert np.abs(found[::8, ::8].astype(int) - known).max() <= 1
    assert_allclose(found.mean((0, 1)), means, atol=0.02)


def _whole_way(image: np.ndarray, size: tuple[int, int], corner: tuple[int, int]) -> np.ndarray:
    """Resize everything, then crop, as the published program does."""
    left, top = corner
    whole = Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(whole.crop((left, top, left + SIDE, top + SIDE)))


@pytest.mark.parametrize(
    "points",
    [
        [[118.5, 112.25], [190.75, 108.5], [157, 152], [126.25, 190.5], [188.5, 187]],
        [[20, 30], [60, 34], [41, 50], [22, 70], [58, 72]],
        [[290, 240], [315, 240], [303, 255], [291, 270], [314, 271]],
    ],
)
def test_a_part_of_the_photo_is_enough(photo: np.ndarray, points: list[list[float]]) -> None:
    found = align(photo, points)
    other = _whole_way(photo, found.resized, found.corner)
    assert np.abs(found.image.astype(int) - other).max() <= 1
    assert (found.image != other).mean() < 0.01


def test_standard_points_lie_where_they_should() -> None:
    """A face seen from the front at 1.9 pixels of the photo per pixel of the crop; at 2 the size of the resized photo,
    cut down to whole pixels, would hang on the last digit of the scale."""
    points = POINTS[:, :2] * [1, -1] * SIZE * 1.9 + [400, 500]
    found = align(np.zeros((1000, 800, 3), np.uint8), points)
    assert_allclose(found.scale, 1 / 1.9, rtol=1e-3)  # the fit also moves with depth, not at all here
    assert_allclose(found.points, POINTS[:, :2] * [1, -1] * SIZE + 111.5, atol=1.1)
    # Both ways of counting pixels, and the corner that was cut down to a whole number: a pixel of the crop.
    assert_allclose(found.to_photo(found.points + 0.5), points + 0.5, atol=2.1)


def test_the_map_to_the_photo_fits_the_picture(photo: np.ndarray) -> None:
    found = align(photo, [[118.5, 112.25], [190.75, 108.5], [157, 152], [126.25, 190.5], [188.5, 187]])
    inside = np.array([[60.5, 70.5], [150.5, 160.5], [200.5, 40.5]])
    x, y = (found.to_photo(inside) - 0.5).T
    seen = found.image[inside[:, 1].astype(int), inside[:, 0].astype(int), :2]
    assert_allclose(seen, np.stack([x * 255 / 319, y * 255 / 279], axis=1), atol=1.5)


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((5, 2)),
        np.zeros((4, 2)),
        np.full((5, 2), np.nan),
        POINTS[:, :2] * 1e7,
        POINTS[:, :2] * 1e-7,
    ],
)
def test_what_is_no_face_is_refused(photo: np.ndarray, points: np.ndarray) -> None:
    with pytest.raises(ValueError, match="five points"):
        align(photo, points)


def test_beyond_the_photo_is_black(photo: np.ndarray) -> None:
    found = align(photo + 1, POINTS[:, :2] * [1, -1] * 102 + [10, 140])
    assert (found.image[:, : -found.corner[0]] == 0).all()
