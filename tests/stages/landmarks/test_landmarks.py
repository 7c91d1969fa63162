"""Crops own their map; landmarks follow the photo when it is turned, scaled, shifted or mirrored."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import EXAMPLES

from tronie.arrays import Image
from tronie.geometry import Similarity
from tronie.head.arkit import ARKIT_UNITS
from tronie.io.images import read_photo
from tronie.settings import DetectSettings
from tronie.stages.detect import make_detector
from tronie.stages.detect.search import detect_faces
from tronie.stages.landmarks.net import (
    BLENDSHAPE_LANDMARKS,
    EYE_LEFT,
    EYE_RIGHT,
    NET_UNITS,
    LandmarkNet,
    square_from_detection,
    square_from_landmarks,
)
from tronie.stages.landmarks.squares import cut, sized, square
from tronie.types import Crop, Detection, Landmarks


@pytest.fixture(scope="module")
def net() -> LandmarkNet:
    return LandmarkNet(1)


@pytest.fixture(scope="module")
def astronaut() -> Image:
    return read_photo(EXAMPLES / "astronaut.jpg").image


def first(image: Image, net: LandmarkNet) -> tuple[Detection, Crop, Landmarks]:
    detection = detect_faces(image, DetectSettings(), make_detector("centerface", 1))[0]
    crop, landmarks = net.detect(image, detection)[0]
    return detection, crop, landmarks


def rms(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(((a[:, :2] - b[:, :2]) ** 2).sum(axis=1).mean()))


def test_tables() -> None:
    assert len(BLENDSHAPE_LANDMARKS) == len(set(BLENDSHAPE_LANDMARKS)) == 146
    assert set(ARKIT_UNITS) - set(NET_UNITS) == {"tongueOut"}
    assert set(NET_UNITS) - set(ARKIT_UNITS) == {"_neutral"}


@given(st.floats(-500, 500), st.floats(-500, 500), st.floats(1, 900), st.floats(-3.1, 3.1))
def test_squares_have_the_centre_side_and_roll_asked_for(x: float, y: float, side: float, roll: float) -> None:
    unit = square(np.array([x, y]), side, roll)
    assert np.allclose(unit.apply([0.5, 0.5]), (x, y), atol=1e-9 * (1 + side))
    assert unit.scale == pytest.approx(side)
    assert np.arctan2(unit.b, unit.a) == pytest.approx(roll)
    assert np.allclose(sized(unit, 100).apply([100, 100]), unit.apply([1, 1]))


@given(st.floats(-3.1, 3.1), st.floats(0.1, 10), st.floats(-500, 500))
def test_the_first_square_turns_with_the_face(roll: float, scale: float, shift: float) -> None:
    points = np.array([[-10.0, -10], [10, -10], [0, 0], [-8, 10], [8, 10]])
    turn = Similarity(scale * np.cos(roll), scale * np.sin(roll), shift, -shift)
    x, y = turn.apply([0, 0])
    half = 20 * scale
    unit = square_from_detection(Detection((x - half, y - half, x + half, y + half), turn.apply(points), 1.0))
    upright = square_from_detection(Detection((-20, -20, 20, 20), points, 1.0))
    corners = [[0, 0], [1, 0], [1, 1], [0, 1]]
    assert np.allclose(unit.apply(corners), turn.apply(upright.apply(corners)), atol=1e-6 * (1 + abs(shift) + scale))


def test_cutting_copies_pixels_exactly_at_scale_one() -> None:
    image = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    assert np.array_equal(cut(image, Similarity(1, 0, 20, 10), 32), image[10:42, 20:52])


def test_cutting_averages_when_it_shrinks() -> None:
    image = np.zeros((256, 256, 3), np.uint8)
    image[::2, ::2] = image[1::2, 1::2] = 200  # a checkerboard: 100 on average
    for side in (32, 64, 100):
        small = cut(image, Similarity(256 / side, 0, 0, 0), side)
        assert np.abs(small[4:-4, 4:-4].astype(int) - 100).max() <= 8


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0, 3.7])
def test_cutting_puts_things_where_the_map_says(scale: float) -> None:
    """The centroid of a soft spot, turned and scaled."""
    yy, xx = np.mgrid[0:300, 0:300] + 0.5
    spot = np.array([170.3, 120.8])
    image = (255 * np.exp(-((xx - spot[0]) ** 2 + (yy - spot[1]) ** 2) / 400)).astype(np.uint8)[..., None].repeat(3, 2)
    side = round(150 / scale)
    unit = square(np.array([160.0, 130.0]), 150.0, 0.6)
    to_photo = sized(unit, side)
    crop = cut(image, to_photo, side)[..., 0].astype(float)
    cy, cx = np.mgrid[0:side, 0:side] + 0.5
    found = np.array([(crop * cx).sum(), (crop * cy).sum()]) / crop.sum()
    assert np.allclose(to_photo.apply(found), spot, atol=0.3)


def test_a_crop_far_outside_repeats_the_border() -> None:
    image = np.full((20, 30, 3), 7, np.uint8)
    for place in (-500.0, 0.0, 500.0):
        assert (cut(image, Similarity(3, 1, place, place), 64) == 7).all()


def test_the_astronaut(net: LandmarkNet, astronaut: Image) -> None:
    detection, crop, landmarks = first(astronaut, net)
    assert landmarks.points.shape == (478, 3)
    assert landmarks.scores.shape == (52,)
    assert landmarks.presence > 0.99
    assert ((landmarks.scores >= 0) & (landmarks.scores <= 1)).all()
    score = dict(zip(ARKIT_UNITS, landmarks.scores, strict=True))
    assert score["mouthSmileLeft"] > 0.5 > score["jawOpen"]
    assert score["mouthSmileRight"] > 0.5 > score["tongueOut"]
    # The subject's right eye is at image left; the nose is nearer to the camera than the ears.
    assert landmarks.points[EYE_RIGHT, 0] < landmarks.points[EYE_LEFT, 0]
    assert landmarks.points[1, 2] < landmarks.points[[234, 454], 2].min()
    assert np.linalg.norm(landmarks.points[468, :2] - detection.points[0]) < 0.06 * detection.size
    assert np.linalg.norm(landmarks.points[473, :2] - detection.points[1]) < 0.06 * detection.size
    # The crop holds the whole face, upright, and shows the photo where it says.
    inside = crop.to_photo.inverse().apply(landmarks.points[:, :2])
    side = crop.image.shape[0]
    assert crop.image.shape == (side, side, 3)
    assert 64 <= side <= 512
    assert (inside > 0.05 * side).all()
    assert (inside < 0.95 * side).all()
    assert abs(inside[EYE_LEFT, 1] - inside[EYE_RIGHT, 1]) < 0.02 * side
    nose = np.round(inside[1]).astype(int)
    there = np.round(landmarks.points[1, :2]).astype(int)
    patch = astronaut[there[1] - 2 : there[1] + 2, there[0] - 2 : there[0] + 2].mean(axis=(0, 1))
    assert np.allclose(
        crop.image[nose[1] - 2 : nose[1] + 2, nose[0] - 2 : nose[0] + 2].mean(axis=(0, 1)), patch, atol=15
    )


@pytest.mark.parametrize("degrees", [-45, -20, 30, 45])
def test_landmarks_turn_with_the_photo(net: LandmarkNet, astronaut: Image, degrees: float) -> None:
    detection, _, upright = first(astronaut, net)
    matrix = cv2.getRotationMatrix2D((226 - 0.5, 118 - 0.5), degrees, 1)
    _, _, turned = first(cv2.warpAffine(astronaut, matrix, (512, 512)), net)
    expected = (upright.points[:, :2] - 0.5) @ matrix[:, :2].T + matrix[:, 2] + 0.5
    assert rms(turned.points, expected) < 0.02 * detection.size
    assert np.abs(turned.scores - upright.scores).mean() < 0.03
    # Turning in the plane leaves depth alone.
    assert np.allclose(turned.points[:, 2], upright.points[:, 2], atol=0.06 * detection.size)


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_landmarks_scale_with_the_photo(net: LandmarkNet, astronaut: Image, scale: float) -> None:
    detection, _, reference = first(astronaut, net)
    image = cv2.resize(
        astronaut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    )
    _, _, scaled = first(image, net)
    assert np.abs(scaled.points / scale - reference.points).max() < 0.08 * detection.size
    assert rms(scaled.points / scale, reference.points) < 0.02 * detection.size


def test_a_mirrored_photo_swaps_left_and_right(net: LandmarkNet, astronaut: Image) -> None:
    detection, _, seen = first(astronaut, net)
    _, _, mirrored = first(np.ascontiguousarray(astronaut[:, ::-1]), net)
    for right, left in ((33, 263), (133, 362), (61, 291), (234, 454), (468, 473)):
        expected = [512 - seen.points[left, 0], seen.points[left, 1]]
        assert np.linalg.norm(mirrored.points[right, :2] - expected) < 0.03 * detection.size
    swap = [u.replace("Left", "@").replace("Right", "Left").replace("@", "Right") for u in ARKIT_UNITS]
    swapped = mirrored.scores[[ARKIT_UNITS.index(u) for u in swap]]
    assert np.abs(swapped - seen.scores).mean() < 0.05


def test_a_wink_of_the_subjects_left_eye(net: LandmarkNet, astronaut: Image) -> None:
    """Pull the upper lid at image right down: eyeBlinkLeft must rise, eyeBlinkRight stay."""
    image = cv2.resize(astronaut[30:230, 120:320], (800, 800), interpolation=cv2.INTER_CUBIC)
    _, _, before = first(image, net)
    p = before.points
    brow, lid, lower = p[282, 1], p[386, 1], p[374, 1]
    yy, xx = np.mgrid[0:800, 0:800].astype(np.float32)
    new = lower - 1
    pulled = np.where(
        yy < new,
        brow + (yy - brow) * (lid - brow) / (new - brow),
        lid + (yy - new) * (lower - lid) / max(lower - new, 1),
    )
    inside = (xx > p[362, 0] - 5) & (xx < p[263, 0] + 5) & (yy > brow) & (yy < lower)
    wink = cv2.remap(image, xx, np.where(inside, pulled, yy).astype(np.float32), cv2.INTER_LINEAR)
    _, _, after = first(wink, net)
    left, right = ARKIT_UNITS.index("eyeBlinkLeft"), ARKIT_UNITS.index("eyeBlinkRight")
    assert after.scores[left] - before.scores[left] > 0.1
    assert abs(after.scores[right] - before.scores[right]) < 0.1


def test_many_faces_equal_one_by_one(net: LandmarkNet) -> None:
    image = read_photo(EXAMPLES / "group.jpg").image
    faces = detect_faces(image, DetectSettings(), make_detector("centerface", 1))
    faces = (*faces, *faces[:3])  # more than one batch
    together = net.detect(image, faces)
    assert len(together) == 11
    for face, (crop, landmarks) in zip(faces, together, strict=True):
        alone_crop, alone = net.detect(image, face)[0]
        assert rms(alone.points, landmarks.points) < 0.01
        assert np.allclose(alone.scores, landmarks.scores, atol=1e-3)
        assert np.abs(alone_crop.image.astype(int) - crop.image).max() <= 2
    assert net.detect(image, []) == []


def test_refining_stays_where_it_is(net: LandmarkNet, astronaut: Image) -> None:
    detection, _, landmarks = first(astronaut, net)
    ((_, again),) = net.refine(astronaut, [landmarks.points])
    assert rms(again.points, landmarks.points) < 0.01 * detection.size
    assert net.refine(astronaut, []) == []


def test_no_face_has_no_presence(net: LandmarkNet) -> None:
    points = np.array([[80.0, 80], [120, 80], [100, 100], [85, 120], [115, 120]])
    nothing = Detection((60, 50, 140, 150), points, 1.0)
    for image in (np.full((200, 200, 3), 128, np.uint8), np.zeros((1, 1, 3), np.uint8)):
        assert net.detect(image, nothing)[0][1].presence < 0.3


def test_square_from_landmarks_is_level_and_roomy() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(478, 3)) * [40, 50, 30] + [300, 200, 0]
    points[EYE_RIGHT, :2], points[EYE_LEFT, :2] = (280, 190), (320, 210)
    unit = square_from_landmarks(points)
    inside = unit.inverse().apply(points[:, :2])
    assert inside[EYE_RIGHT, 1] == pytest.approx(inside[EYE_LEFT, 1])
    assert np.ptp(inside, axis=0).max() == pytest.approx(1 / 1.5)
    assert np.allclose((inside.min(axis=0) + inside.max(axis=0)) / 2, 0.5)
