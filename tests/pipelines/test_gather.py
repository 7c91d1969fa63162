"""What is taken from other pictures of a person: teeth from those that show them, in the first one's light; and nothing
from a face with a hand before it."""

from __future__ import annotations

import numpy as np
import pytest

from tronie.arrays import Array, Image
from tronie.geometry import Camera, Similarity
from tronie.pipelines.gather import COVERED, covered, gathered, lights
from tronie.pipelines.multiview import main_shot
from tronie.pipelines.shot import Shot
from tronie.shells import SEGMENTS, Segmentation
from tronie.stages.face_parts import BLINKS
from tronie.stages.landmarks.lines import OVAL
from tronie.stages.texture.iris import LID_LEFT, LID_RIGHT
from tronie.types import Crop, Detection, Face, Fit, Landmarks, Photo

SIDE = 256
GRAIN = np.random.default_rng(3).normal(0, 6, (SIDE, SIDE, 1))
BLINK = np.isin(np.arange(52), BLINKS)
CAMERA = Camera(900.0, (128.0, 128.0), (SIDE, SIDE))


def shot(lips: float = 0.0, eyes: float = 0.45, light: float = 1.0, hand: float = 0.0) -> Shot:
    """A face whose lips are apart, showing white, whose eyes are so far open, with a hand before that share of it."""
    points = np.zeros((478, 3))
    points[:, :2] = 128
    turn = np.linspace(0, 2 * np.pi, len(OVAL), endpoint=False)
    points[list(OVAL), :2] = np.column_stack([128 + 80 * np.sin(turn), 128 - 100 * np.cos(turn)])
    points[10, :2], points[152, :2] = (128, 28), (128, 228)
    for row, numbers in ((0, (81, 82, 13, 312, 311)), (1, (178, 87, 14, 317, 402))):
        for k, number in enumerate(numbers):
            points[number, :2] = 108 + 10 * k, 170 + row * 200 * lips
    for marks, x, sign in ((LID_RIGHT, 90, 1), (LID_LEFT, 166, -1)):
        around = np.linspace(np.pi, 3 * np.pi, 16, endpoint=False)
        points[list(marks), :2] = np.column_stack([x + sign * 18 * np.cos(around), 100 - eyes * 18 * np.sin(around)])
    image = np.clip(np.array([150.0, 112.0, 96.0]) + GRAIN, 0, 255)
    image[170 : 170 + int(200 * lips), 100:156] = (222, 216, 205)
    image = np.clip(image * light, 0, 255).astype(np.uint8)
    face = Face(
        1,
        Detection((48, 28, 208, 228), np.zeros((5, 2)), 1.0),
        crop=Crop(image, Similarity(1, 0, 0, 0)),
        landmarks=Landmarks(points, np.full(52, 0.7 * (eyes < 0.1)) * BLINK, 1.0),
        fit=Fit(np.zeros(5), {}, np.eye(4), CAMERA, np.zeros((10, 3)), diagnostics={"yaw": 0.0, "pitch": 0.0}),
        segmentation=matter(hand),
    )
    return Shot(Photo(image), face, CAMERA)


def matter(hand: float) -> Segmentation:
    """A face everywhere, the lower part of it behind a hand."""
    label = np.full((64, 64), SEGMENTS.index("face"))
    label[int(64 * (1 - hand)) :] = SEGMENTS.index("body")
    shares = (np.arange(len(SEGMENTS))[:, None, None] == label) * np.uint8(255)
    return Segmentation(shares.astype(np.uint8), Similarity(4, 0, 0, 0))


def skin(image: Image) -> Array:
    return np.median(image[40:80, 90:160].reshape(-1, 3), axis=0)


@pytest.mark.parametrize("light", [0.7, 1.0, 1.3])
def test_teeth_come_from_where_they_are_seen_in_the_first_ones_light(light: float) -> None:
    shots = [shot(), shot(lips=0.07, light=light), shot(eyes=0.02)]
    found = gathered(shots, 0)
    assert len(found.teeth) == 1
    (photo, marks), own = found.teeth[0], shots[0].photo.image
    assert photo.image.shape[0] <= SIDE
    middle = marks.points[[13, 14], :2].mean(axis=0).astype(int)
    assert photo.image[middle[1], middle[0]].mean() > 1.3 * skin(own).mean()
    whole = gathered([shots[0], shots[1]], 0).teeth[0][0].image
    np.testing.assert_allclose(np.median(whole.reshape(-1, 3), axis=0), np.median(own.reshape(-1, 3), axis=0), atol=4)
    assert found.lids == 2
    assert found.views((0,)) == (0, 2)
    assert found.views((0, 2)) == (0, 2)


def test_nothing_is_taken_where_the_first_shows_it_best() -> None:
    found = gathered([shot(), shot(eyes=0.3)], 0)
    assert (found.teeth, found.eyes, found.lids) == ((), None, None)


def test_light_far_from_the_usual_counts_less() -> None:
    usual, dark = lights([shot(), shot(), shot(light=0.3), shot()])[1:3]
    assert usual > 0.95
    assert dark < 0.3


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5])
def test_a_hand_before_a_face_is_seen_and_another_picture_preferred(share: float) -> None:
    shots = [shot(hand=share), shot()]
    assert (covered(shots[0].face) > COVERED) == (share > 0)
    assert main_shot(shots, None) == (1 if share else 0)
