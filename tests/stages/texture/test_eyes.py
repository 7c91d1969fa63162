"""Eyes: colours measured from drawn eyes, and the painted ball."""

from __future__ import annotations

import numpy as np
import pytest

from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import Head, HeadModel, default_head
from tronie.stages.texture.eyes import Opening, eye_paint, eye_texels, openings
from tronie.stages.texture.iris import BROWN, LID_LEFT, LID_RIGHT, EyeLook, eye_look
from tronie.types import Landmarks, Photo

SKIN = np.array([190.0, 150.0, 130.0], np.float32)


def drawn(iris: tuple[int, int, int], radius: float) -> tuple[Photo, Landmarks]:
    """Two eyes with a highlight and a pupil on a skin-coloured picture, which is redder here than
    there as skin is, and their landmarks."""
    points = np.full((478, 3), 300.0)
    image = np.empty((200, 400, 3), np.uint8)
    y, x = np.mgrid[:200, :400] + 0.5
    image[:] = SKIN
    image += np.round(25 * np.stack([np.sin(x / 15), np.sin(x / 22 + y / 9), np.sin(y / 13)], axis=-1)).astype(np.uint8)
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
    np.testing.assert_allclose(look.iris, [iris] * 3, atol=8)
    assert look.sclera.min() > 120


def test_without_a_usable_eye_the_iris_is_brown() -> None:
    photo, landmarks = drawn((90, 120, 150), 1.5)
    for marks in (None, landmarks):
        look = eye_look(photo, marks, SKIN)
        ratio = look.iris / BROWN
        np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-3)


def test_eyes_at_the_border_do_not_fail() -> None:
    photo, landmarks = drawn((90, 120, 150), 14.0)
    landmarks.points[:, 0] -= 130
    assert np.isfinite(eye_look(photo, landmarks, SKIN).iris).all()


def test_the_ball_has_a_pupil_an_iris_and_a_white(tiny_head: HeadModel) -> None:
    where = eye_texels(tiny_head, 1, 512)
    look = EyeLook(np.array([90.0, 120.0, 150.0]), np.array([210.0, 205.0, 200.0]))
    wide = Opening(np.array([-40.0, 40.0]), np.full(2, 30.0), np.full(2, -30.0))
    colour = eye_paint(where, look, (wide, wide)).astype(float)
    level = np.abs(where.angle * np.sin(where.around)) < 0.15
    pupil, iris, white = (
        colour[level & (where.angle > a) & (where.angle < b)].mean(0) for a, b in ((0, 0.2), (0.5, 0.8), (1.2, 1.6))
    )
    assert pupil.mean() < 40 < iris.mean() < white.mean() < 240
    assert iris[2] > iris[0]  # blue stays blue
    # Shaded under the upper lid, reddish in the inner corner.
    x = np.array([-12.0, 0.0, 12.0])
    lids = Opening(x, np.array([0.0, 5.0, 0.0]), np.array([-1.0, -7.0, -1.0]))
    colour = eye_paint(where, look, (lids, lids)).astype(float)
    x, y = where.place.T
    shaded, clear = (np.abs(x - 7) < 1) & (y > 1.6) & (y < 2.6), (np.abs(x - 7) < 1) & (y < 0) & (y > -2)
    assert colour[shaded].mean() < 0.75 * colour[clear].mean()
    covered = (np.abs(x - 7) < 1) & (y > 4.5) & (y < 6)  # light, for the day it is seen
    assert colour[covered].mean() > 0.8 * colour[clear].mean()
    corner = (x < -10) & (x > -12) & (np.abs(y) < 1)
    assert (colour[corner, 0] / colour[corner, 2]).mean() > 1.2 * (colour[clear, 0] / colour[clear, 2]).mean()


def test_the_lids_of_a_head_are_found_and_close_over_the_ball() -> None:
    model = default_head()
    mesh = model.level(1)
    rest = mesh.apply(model.mean)
    down = mesh.apply(model.expression[[ARKIT_UNITS.index(f"eyeBlink{s}") for s in ("Left", "Right")]]).sum(axis=0)
    left, right = openings(Head(model, 1, rest, rest))
    for one in (left, right):
        assert one.x[0] < -9 < 9 < one.x[-1]
        middle = np.abs(one.x) < 5
        assert (one.upper[middle] > 1).all()
        assert (one.lower[middle] < -4).all()
    np.testing.assert_allclose(left.upper, right.upper, atol=0.6)  # a symmetrical head
    narrow = rest + 0.4 * down
    squint = openings(Head(model, 1, narrow, narrow))[0]
    assert (squint.upper - squint.lower).max() < (left.upper - left.lower).max() - 2
    # Lids that are narrowed in the photo only give way at rest.
    wide = openings(Head(model, 1, narrow, rest))[0]
    np.testing.assert_allclose(wide.upper - wide.lower, left.upper - left.lower, atol=0.6)
    # A turned ball sees the same lids displaced.
    up = mesh.apply(model.expression[ARKIT_UNITS.index("eyeLookUpLeft")])
    ball = np.unique(mesh.triangles[mesh.triangle_part == 1])
    turned = rest.copy()
    turned[ball] += up[ball]
    at = np.linspace(-4, 4, 9)
    raised = openings(Head(model, 1, turned, turned))[0]
    assert (np.interp(at, raised.x, raised.upper) < np.interp(at, left.x, left.upper) - 2).all()


def test_rings_of_the_iris_are_found_and_painted_in_order(tiny_head: HeadModel) -> None:
    photo, landmarks = drawn((90, 120, 150), 20.0)
    y, x = np.mgrid[:200, :400] + 0.5
    for cx in (120.0, 280.0):
        r = np.hypot(x - cx, y - 100) / 20
        photo.image[(r > 0.35) & (r < 0.55)] = (150, 110, 60)
    look = eye_look(photo, landmarks, SKIN)
    assert look.iris[0, 0] > look.iris[2, 0] + 20  # brown within, blue without
    assert look.iris[2, 2] > look.iris[0, 2] + 30
    where = eye_texels(tiny_head, 1, 512)
    colour = eye_paint(where, look).astype(float)
    low = np.sin(where.around) < -0.5  # away from the catchlight
    within, without = (colour[low & (np.abs(where.angle - r) < 0.08)].mean(axis=0) for r in (0.46, 0.75))
    assert within[0] / within[2] > 1.3 * without[0] / without[2]


@pytest.mark.parametrize("place", [(0.4, 0.3), (-0.4, 0.2)])
def test_the_catchlight_is_where_the_photo_has_it(tiny_head: HeadModel, place: tuple[float, float]) -> None:
    photo, landmarks = drawn((60, 45, 40), 20.0)
    y, x = np.mgrid[:200, :400] + 0.5
    for cx in (120.0, 280.0):
        photo.image[np.hypot(x - cx + 8, y - 94) < 4] = (60, 45, 40)  # drawn's own
        photo.image[np.hypot(x - cx - 20 * place[0], y - 100 + 20 * place[1]) < 3] = 255
    look = eye_look(photo, landmarks, SKIN)
    np.testing.assert_allclose(look.light, place, atol=0.06)
    where = eye_texels(tiny_head, 1, 1024)
    colour = eye_paint(where, look).astype(float).mean(axis=1)
    inside = where.angle < 0.8
    best = np.flatnonzero(inside)[colour[inside].argmax()]
    found = where.across[best], where.angle[best] * np.sin(where.around[best])
    np.testing.assert_allclose(found, place, atol=0.2)


def test_a_dull_iris_has_no_catchlight_of_its_own() -> None:
    photo, landmarks = drawn((90, 120, 150), 14.0)
    photo.image[(photo.image == 255).all(axis=-1)] = (90, 120, 150)
    assert eye_look(photo, landmarks, SKIN).glint is None
