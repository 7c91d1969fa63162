"""The recogniser: the same person stays near, others are far."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from places import EXAMPLES

from tronie.arrays import Image
from tronie.errors import WeightsError
from tronie.io.images import read_photo
from tronie.settings import DetectSettings
from tronie.stages.detect import make_detector
from tronie.stages.detect.search import detect_faces
from tronie.stages.landmarks import recognizer as identity
from tronie.stages.landmarks.align import aligned_crop, aligned_square
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
