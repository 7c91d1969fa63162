"""The recogniser: the same person stays near, others are far."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from places import EXAMPLES

from tronie.arrays import Image
from tronie.errors import WeightsError
from tronie.geometry import Similarity
from tronie.io.images import read_photo
from tronie.settings import DetectSettings
from tronie.stages.detect import make_detector
from tronie.stages.detect.search import detect_faces
from tronie.stages.landmarks import recognizer as identity
from tronie.stages.landmarks.align import FFHQ_TEMPLATE, FIVE, aligned_crop, aligned_square
from tronie.stages.landmarks.net import LandmarkNet

real = pytest.mark.skipif(not identity.available(), reason="needs the extra identity")


def test_distance_of_many_at_once() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 5, 128))
    d = identity.distance(a, b)
    assert d.shape == (5,)
    assert np.allclose(d, identity.distance(b, a))
    assert d[2] == pytest.approx(float(np.sqrt(((a[2] - b[2]) ** 2).sum())))
    assert identity.distance(a[0], a[0]) == 0


def test_without_the_extra_one_sentence_says_what_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tronie.runtime.dlib_models.available", lambda: False)
    with pytest.raises(WeightsError, match=r'pip install "tronie\[identity\]"'):
        identity.embedding(np.zeros((1, 64, 64, 3), np.uint8))


def test_a_chip_is_one_warp_from_the_photo() -> None:
    # A photo that says its own places: red is x, green is y, in units of two pixels.
    y, x = np.mgrid[:400, :500] // 2
    photo = np.stack([x, y, np.zeros_like(x)], axis=-1).astype(np.uint8)
    points = np.zeros((478, 3))
    turned = Similarity(150 * np.cos(0.2), 150 * np.sin(0.2), 160.0, 90.0)
    points[list(FIVE), :2] = turned.apply(FFHQ_TEMPLATE)
    chip = identity.chip_of(photo, points)
    assert chip.shape == (150, 150, 3)
    square = identity.chip_square(points)
    for column, row in ((10, 20), (75, 75), (130, 40)):
        place = square.apply((np.array([column, row]) + 0.5) / 150)
        assert np.abs(chip[row, column, :2] - (place / 2 - 0.5)).max() < 1
    # The whole lies in the aligned crop, and the points where dlib has them.
    assert np.allclose(square.apply([[0.5, 0.5]]), turned.apply(identity.CHIP_IN_ALIGNED.apply([[0.5, 0.5]])))
    where = square.inverse().apply(points[list(FIVE), :2])
    assert np.abs(where - (identity.DLIB_FACE + 0.25) / 1.5).max() < 0.02


@pytest.fixture(scope="module")
def people() -> Image:
    """Four people of the group and the astronaut, aligned: (5, 256, 256, 3)."""
    crops = []
    net, detector = LandmarkNet(1), make_detector("centerface")
    for name, count in (("astronaut.jpg", 1), ("group.jpg", 4)):
        image = read_photo(EXAMPLES / name).image
        for _, landmarks in net.detect(image, detect_faces(image, DetectSettings(max_faces=count), detector)):
            crops.append(aligned_crop(image, aligned_square(landmarks.points), 256).image)
    return np.stack(crops)


@real
def test_near_to_oneself_and_far_from_others(people: Image) -> None:
    own = identity.embedding(people)
    assert own.shape == (5, 128)
    between = identity.distance(own[:, None], own[None])
    least = between[np.triu_indices(5, 1)].min()
    mirrored = identity.distance(own, identity.embedding(people[:, :, ::-1]))
    assert mirrored.max() < 0.3 < 0.5 < least
    # A crop of another size is the same person.
    small = np.stack([cv2.resize(crop, (128, 128), interpolation=cv2.INTER_AREA) for crop in people[:2]])
    assert identity.distance(own[:2], identity.embedding(small)).max() < 0.3


@real
def test_nobody() -> None:
    assert identity.embedding(np.zeros((0, 256, 256, 3), np.uint8)).shape == (0, 128)
