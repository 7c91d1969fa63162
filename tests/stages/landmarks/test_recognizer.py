"""The recogniser: the same person stays near, others are far."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from places import EXAMPLES

from tronie.arrays import Image
from tronie.geometry import Similarity
from tronie.io.images import read_photo
from tronie.runtime import dlib_models
from tronie.settings import DetectSettings
from tronie.stages.detect import make_detector
from tronie.stages.detect.search import detect_faces
from tronie.stages.landmarks import recognizer as identity
from tronie.stages.landmarks.align import FFHQ_TEMPLATE, FIVE, aligned_crop, aligned_square
from tronie.stages.landmarks.net import LandmarkNet


def test_distance_of_many_at_once() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 5, 128))
    d = identity.distance(a, b)
    assert d.shape == (5,)
    assert np.allclose(d, identity.distance(b, a))
    assert d[2] == pytest.approx(float(np.sqrt(((a[2] - b[2]) ** 2).sum())))
    assert identity.distance(a[0], a[0]) == 0


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


def test_chips_of_the_photo_and_of_the_crop_are_one(people: Image) -> None:
    points = np.zeros((478, 3))
    points[list(FIVE), :2] = 256 * FFHQ_TEMPLATE
    straight = np.stack([identity.chip_of(crop, points) for crop in people])
    assert np.array_equal(straight, np.stack([identity.chip_of_aligned(crop) for crop in people]))
    assert np.allclose(identity.embedding_of_chips(straight), identity.embedding(people), atol=1e-4)
    # Many at once say what one alone says.
    assert np.allclose(identity.embedding_of_chips(straight[3:4]), identity.embedding(people)[3:4], atol=1e-3)


def test_it_is_dlibs(people: Image) -> None:
    dlib = pytest.importorskip("dlib", reason="needs the extra dlib")
    place = dlib_models.folder()
    file = None if place is None else place / "dlib_face_recognition_resnet_model_v1.dat"
    if file is None or not file.is_file():
        pytest.skip("needs the extra dlib")
    points = [dlib.point(round(x), round(y)) for x, y in (FFHQ_TEMPLATE * 256 - 0.5).tolist()]
    shape = dlib.full_object_detection(dlib.rectangle(0, 0, 255, 255), points)
    chips = [dlib.get_face_chip(np.ascontiguousarray(crop), shape, identity.CHIP, identity.PADDING) for crop in people]
    theirs = np.array(dlib.face_recognition_model_v1(str(file)).compute_face_descriptor(chips))
    assert identity.distance(identity.embedding_of_chips(np.stack(chips)), theirs).max() < 0.03
    assert identity.distance(identity.embedding(people), theirs).max() < 0.05


def test_landmarks_bring_the_embedding_along() -> None:
    net, detector = LandmarkNet(1), make_detector("centerface")
    image = read_photo(EXAMPLES / "astronaut.jpg").image
    ((_, marks),) = net.detect(image, detect_faces(image, DetectSettings(max_faces=1), detector))
    assert marks.embedding is not None
    bare = replace(marks, embedding=None)
    assert np.allclose(identity.embedding_of(image, bare), marks.embedding, atol=1e-3)
    assert identity.embedding_of(image[:0], marks) is marks.embedding  # nothing is looked at again
    assert marks.mirrored is not None
    assert marks.mirrored.embedding is not None
    assert identity.distance(marks.embedding, marks.mirrored.embedding) < 0.3
    # Threads share the work and say the same.
    chips = np.stack([identity.chip_of(image, marks.points), identity.mirrored_chip_of(image, marks.mirrored.points)])
    one, two = (identity.activations(chips, threads)["embedding"] for threads in (1, 2))
    assert np.allclose(one, two, atol=1e-3)


def test_nobody() -> None:
    assert identity.embedding(np.zeros((0, 256, 256, 3), np.uint8)).shape == (0, 128)


def test_a_mirrored_photos_chip_needs_no_mirrored_photo() -> None:
    rng = np.random.default_rng(0)
    image = cv2.GaussianBlur(rng.integers(0, 256, (300, 400, 3), np.uint8), (0, 0), 4)
    points = np.zeros((478, 2))
    points[list(FIVE)] = 150 * FFHQ_TEMPLATE + [90.0, 60.0] + rng.normal(0, 5, (5, 2))
    there = identity.mirrored_chip_of(image, points * [-1, 1])
    whole = np.ascontiguousarray(image[:, ::-1])
    assert np.abs(there.astype(int) - identity.chip_of(whole, points * [-1, 1] + [400, 0])).max() <= 2
