"""Bars around a picture are found on every side; backgrounds and skies are none."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageFilter
from places import EXAMPLES

import tronie
from tronie.geometry import Camera, Similarity
from tronie.outputs import USUAL
from tronie.shells import Segmentation
from tronie.stages.letterbox import Box, is_whole, moved_camera, picture_in, shifted, within
from tronie.types import Crop, Detection, Enhanced, Face, Landmarks, Photo


def scene(width: int = 240, height: int = 180, dark: float = 1.0) -> np.ndarray:
    """Something like a photo: slow colours, shapes and noise."""
    rng = np.random.default_rng(5)
    small = rng.uniform(30, 220, (7, 9, 3)).astype(np.uint8)
    slow = np.asarray(Pillow.fromarray(small).resize((width, height), Pillow.Resampling.BICUBIC), float)
    return np.clip(dark * (slow + rng.normal(0, 4, slow.shape)), 0, 255).astype(np.uint8)


def barred(image: np.ndarray, sides: tuple[int, int, int, int], colour: int = 0) -> tuple[np.ndarray, Box]:
    """With bars (left, top, right, bottom) of so many pixels."""
    left, top, right, bottom = sides
    height, width = image.shape[:2]
    out = np.full((height + top + bottom, width + left + right, 3), colour, np.uint8)
    out[top : top + height, left : left + width] = image
    return out, (left, top, left + width, top + height)


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    stream = BytesIO()
    Pillow.fromarray(image).save(stream, "JPEG", quality=quality)
    return np.asarray(Pillow.open(stream).convert("RGB"))


def figure(ground: int, width: int = 200, height: int = 240) -> np.ndarray:
    """A head and shoulders before a plain ground."""
    y, x = np.mgrid[:height, :width]
    head = ((x - 100) / 45) ** 2 + ((y - 95) / 60) ** 2 < 1
    body = ((x - 100) / 95) ** 2 + ((y - 245) / 80) ** 2 < 1
    out = np.full((height, width, 3), ground, np.uint8)
    out[body] = (60, 70, 100)
    out[head] = (205, 160, 140)
    return out


@pytest.mark.parametrize("colour", [0, 255, 16, 120])
@pytest.mark.parametrize("quality", [None, 85, 50])
@pytest.mark.parametrize(
    "sides", [(0, 40, 0, 40), (60, 0, 60, 0), (0, 25, 0, 0), (0, 0, 0, 17), (33, 0, 0, 0), (20, 30, 25, 35)]
)
def test_bars_are_found(colour: int, quality: int | None, sides: tuple[int, int, int, int]) -> None:
    image, true = barred(scene(), sides, colour)
    found = picture_in(jpeg(image, quality) if quality else image)
    for side, (got, wanted) in enumerate(zip(found, true, strict=True)):
        inward = got - wanted if side < 2 else wanted - got
        assert 0 <= inward <= 4, (found, true)  # nothing of a bar is left, and hardly a line is lost


def test_soft_edges_subtitles_and_clocks_are_no_hindrance() -> None:
    image, true = barred(scene(), (0, 40, 0, 40))
    image[230:240, 60:100:3] = 255
    image[4:12, 20:50:2] = 200
    soft = np.asarray(Pillow.fromarray(image).filter(ImageFilter.GaussianBlur(0.8)))
    found = picture_in(soft)
    assert found[0] == 0
    assert true[1] <= found[1] <= true[1] + 3
    assert true[3] - 3 <= found[3] <= true[3]


def test_a_dark_film_tells_its_bars_by_all_its_frames() -> None:
    night = scene(dark=0.01)
    frames = []
    for k in range(5):
        lit = night.copy()
        lit[:, 48 * k : 48 * k + 48] = scene()[:, 48 * k : 48 * k + 48]
        frames.append(barred(lit, (0, 30, 0, 30))[0])
    found = picture_in(frames)
    assert (found[0], found[2]) == (0, 240)
    assert found[1] in range(30, 34)
    assert found[3] in range(206, 211)


@pytest.mark.parametrize("ground", [0, 8, 128, 255])
@pytest.mark.parametrize("quality", [None, 85, 50])
def test_a_plain_ground_is_no_bar(ground: int, quality: int | None) -> None:
    image = figure(ground)
    image = jpeg(image, quality) if quality else image
    assert is_whole(picture_in(image), image)


def test_pictures_without_bars_are_left_whole() -> None:
    y = np.linspace(0, 1, 240)[:, None, None]
    sky = np.clip(70 + 160 * y**2 + np.random.default_rng(1).normal(0, 1, (240, 200, 3)), 0, 255).astype(np.uint8)
    for image in (scene(), scene(dark=0.05), sky, np.zeros((50, 60, 3), np.uint8), scene(3, 2), scene(1, 300)):
        assert is_whole(picture_in(image), image)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_any_picture_has_a_part_that_is_picture(width: int, height: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 2, (height, width, 3), dtype=np.uint8) * np.uint8(255)
    x0, y0, x1, y1 = picture_in(image)
    assert 0 <= x0 < x1 <= width
    assert 0 <= y0 < y1 <= height


def test_a_face_is_carried_there_and_back() -> None:
    marks = Landmarks(np.ones((478, 3)), np.zeros(52), 1.0)
    marks = Landmarks(np.ones((478, 3)), np.zeros(52), 1.0, mirrored=marks)
    picture, turn = np.zeros((4, 4, 3), np.uint8), Similarity(1.0, 0.5, 7.0, 8.0)
    face = Face(
        1,
        Detection((1, 2, 3, 4), np.ones((5, 2)), 0.9),
        Crop(picture, turn),
        marks,
        segmentation=Segmentation(np.zeros((9, 4, 4), np.uint8), turn),
        points68=np.ones((68, 2)),
        enhanced=Enhanced(picture, picture, turn, "net", 2.0, 1.0, 30.0, 1.0, 0.0),
    )
    there = shifted(face, -5, -6, (10, 10))
    assert there.crop is not None
    assert there.crop.to_photo.tx == 2
    assert there.landmarks is not None
    assert there.landmarks.mirrored is not None
    assert there.landmarks.points[0].tolist() == [-4, -5, 1]
    assert there.landmarks.mirrored.points[0].tolist() == [6, -5, 1]  # its x runs the other way
    back = shifted(there, 5, 6, (20, 20))
    assert back.detection.box == face.detection.box
    assert back.enhanced is not None
    assert back.enhanced.to_photo == turn
    assert there.segmentation is not None
    assert there.segmentation.to_photo == there.crop.to_photo
    assert back.segmentation is not None
    assert back.segmentation.to_photo == turn
    assert moved_camera(Camera(100, (5, 5), (10, 10)), 2, 3, (20, 20)) == Camera(100, (7, 8), (20, 20))
    assert within(Photo(scene()), (10, 20, 30, 50)).image.shape == (30, 20, 3)


def test_an_enlarged_photo_keeps_its_bars() -> None:
    settings = tronie.Settings.model_validate({"only": "mesh", "outputs": (*USUAL, "enhanced_photo")})
    face = Pillow.open(EXAMPLES / "astronaut.jpg").convert("RGB").crop((128, 0, 384, 256)).resize((96, 96))
    barred = np.zeros((160, 96, 3), np.uint8)
    barred[32:128] = np.asarray(face)
    result = tronie.Pipeline(settings).run(barred)
    assert result.enhanced_photo is not None
    larger = len(result.enhanced_photo) // len(barred)
    assert larger > 1
    assert result.enhanced_photo.shape == (160 * larger, 96 * larger, 3)
    assert (result.enhanced_photo[: 31 * larger] == 0).all()
    assert result.enhanced_photo[40 * larger : 120 * larger].mean() > 30
