"""How a face is exposed: by the face's own pixels, whatever lies around or over it."""

from __future__ import annotations

import numpy as np
import pytest
from samples import make_face

from tronie.arrays import Image
from tronie.geometry import Similarity
from tronie.head.model import default_head
from tronie.stages.quality import Exposure, exposure, face_mask
from tronie.types import Crop, Landmarks

PALE, DARK = (226, 190, 170), (74, 47, 36)


@pytest.fixture(scope="module")
def marks() -> Landmarks:
    """In a photo of 320 x 240 pixels."""
    found = make_face(default_head(), yaw=0.0, texture=False).landmarks
    assert found is not None
    return found


def crop_of(marks: Landmarks, skin: tuple[int, int, int], light: float = 1.0, noise: float = 0.0) -> Crop:
    """A face of one skin, lighter towards one side as faces are, before a grey wall."""
    rng = np.random.default_rng(0)
    inside = face_mask(marks.points[:, :2], 320, mouth=False, eyes=False)
    slope = np.linspace(0.45, 1.6, 320)[None, :, None]
    picture = np.where(inside[..., None], np.array(skin) * slope, 140) * light + rng.normal(0, noise, (320, 320, 3))
    return Crop(picture.clip(0, 255).astype(np.uint8), Similarity(1, 0, 0, 0))


def seen(crop: Crop, marks: Landmarks, **covered: bool) -> Exposure:
    found = exposure(crop, marks, **covered)
    assert found is not None
    return found


@pytest.mark.parametrize("skin", [PALE, DARK])
def test_a_face_in_good_light_is_neither(marks: Landmarks, skin: tuple[int, int, int]) -> None:
    light = seen(crop_of(marks, skin, 0.95), marks)
    assert not light.too_dark
    assert not light.burnt_out


@pytest.mark.parametrize("noise", [0.0, 12.0])
@pytest.mark.parametrize("skin", [PALE, DARK])
def test_next_to_no_light_is_too_dark_with_noise_and_without(
    marks: Landmarks, skin: tuple[int, int, int], noise: float
) -> None:
    assert seen(crop_of(marks, skin, 0.12, noise), marks).too_dark


def test_three_times_too_much_light_is_burnt_out(marks: Landmarks) -> None:
    light = seen(crop_of(marks, PALE, 3.0), marks)
    assert light.burnt_out
    assert not light.too_dark


def painted(crop: Crop, where: Image, value: int) -> Crop:
    image = crop.image.copy()
    image[where] = value
    return Crop(image, crop.to_photo)


def test_what_covers_the_face_is_not_its_skin(marks: Landmarks) -> None:
    points = marks.points[:, :2]
    whole = face_mask(points, 320, mouth=False, eyes=False)
    crop = crop_of(marks, PALE, 0.6)
    mask = whole & ~face_mask(points, 320, mouth=True, eyes=False)
    white = painted(crop, mask, 255)
    assert seen(white, marks).burnt_out
    assert not seen(white, marks, mouth=True).burnt_out
    bar = whole & ~face_mask(points, 320, mouth=False, eyes=True)
    for value in (0, 255):
        light = seen(painted(crop, bar, value), marks, eyes=True)
        assert not light.too_dark
        assert not light.burnt_out


def test_a_face_of_a_few_pixels_tells_nothing(marks: Landmarks) -> None:
    tiny = Crop(np.zeros((4, 4, 3), np.uint8), Similarity(80, 0, 0, 0))
    assert exposure(tiny, marks, mouth=True, eyes=True) is None
