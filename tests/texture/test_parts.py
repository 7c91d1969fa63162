"""Eyes: colours measured from drawn eyes, and the painted ball."""

from __future__ import annotations

import numpy as np
import pytest

from tronie.head.model import HeadModel
from tronie.texture.parts import BROWN, LID_LEFT, LID_RIGHT, EyeLook, eye_look, eye_paint, eye_texels
from tronie.types import Landmarks, Photo

SKIN = np.array([190.0, 150.0, 130.0], np.float32)


def drawn(iris: tuple[int, int, int], radius: float) -> tuple[Photo, Landmarks]:
    """Two eyes with a highlight and a pupil on a skin-coloured picture, and their landmarks."""
    points = np.full((478, 3), 300.0)
    image = np.empty((200, 400, 3), np.uint8)
    image[:] = SKIN
    y, x = np.mgrid[:200, :400] + 0.5
    for lid, first, cx in ((LID_RIGHT, 468, 120.0), (LID_LEFT, 473, 280.0)):
        a = np.linspace(0, 2 * np.pi, len(lid), endpoint=False)
        points[list(lid), :2] = np.stack([cx + 2.4 * radius * np.cos(a), 100 + 0.9 * radius * np.sin(a)], axis=1)
        points[first, :2] = cx, 100
        points[first + 1 : first + 5, :2] = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]]) * radius + [cx, 100]
        opening = ((x - cx) / (2.4 * radius)) ** 2 + ((y - 100) / (0.9 * radius)) ** 2 < 1
        r = np.hypot(x - cx, y - 100) / radius
        image[opening] = (225, 215, 210)
        image[opening & (r < 1)] = iris
        image[opening & (r < 0.35)] = (8, 8, 8)
        image[np.hypot(x - cx + 0.4 * radius, y - 100 + 0.3 * radius) < 0.15 * radius] = 255
    return Photo(image), Landmarks(points, np.zeros(52), 1.0)


@pytest.mark.parametrize("iris", [(90, 120, 150), (70, 45, 30), (100, 120, 80)])
def test_the_iris_colour_is_found(iris: tuple[int, int, int]) -> None:
    look = eye_look(*drawn(iris, 14.0), SKIN)
    np.testing.assert_allclose(look.iris, iris, atol=8)
    assert look.sclera.min() > 120


def test_without_a_usable_eye_the_iris_is_brown() -> None:
    photo, landmarks = drawn((90, 120, 150), 1.5)
    for marks in (None, landmarks):
        look = eye_look(photo, marks, SKIN)
        ratio = look.iris / BROWN
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-3)


def test_eyes_at_the_border_do_not_fail() -> None:
    photo, landmarks = drawn((90, 120, 150), 14.0)
    landmarks.points[:, 0] -= 130
    assert np.isfinite(eye_look(photo, landmarks, SKIN).iris).all()


def test_the_ball_has_a_pupil_an_iris_and_a_white(tiny_head: HeadModel) -> None:
    where = eye_texels(tiny_head, 1, 512)
    look = EyeLook(np.array([90.0, 120.0, 150.0]), np.array([210.0, 205.0, 200.0]))
    colour = eye_paint(where, look).astype(float)
    level = np.abs(where.height) < 0.1
    pupil, iris, white = (colour[level & (where.angle > a) & (where.angle < b)].mean(0)
                          for a, b in ((0, 0.2), (0.5, 0.8), (1.2, 1.6)))  # fmt: skip
    assert pupil.mean() < 40 < iris.mean() < white.mean() < 215
    assert iris[2] > iris[0]  # blue stays blue
    # Shaded under the upper lid.
    ring = (where.angle > 1.3) & (where.angle < 1.5)
    assert colour[ring & (where.height > 0.5)].mean() < 0.8 * colour[ring & level].mean()
