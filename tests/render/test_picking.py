"""Landmarks in a picture of a head: what hides them, and what moving them means in the photo."""

from __future__ import annotations

import numpy as np
import pytest

from tronie.geometry import Camera, rigid, rotation_from_euler, transform
from tronie.render.picking import photo_moves, seen_points

PHOTO = Camera(1400.0, (300.0, 280.0), (640, 480))
PHOTO_POSE = rigid(rotation_from_euler(12, -5, 8), np.array([20.0, -10.0, 700.0]))
VIEW = Camera(900.0, (200.0, 150.0), (400, 300))


def view(yaw: float, pitch: float = 0.0):
    """The photo's head turned further by so much."""
    return rigid(rotation_from_euler(12 + yaw, -5 + pitch, 8), np.array([0.0, 0.0, 1150.0]))


@pytest.fixture
def points():
    return np.random.default_rng(3).uniform(-60, 60, (40, 3))


def test_in_the_photos_own_view_a_move_is_the_same_move(points) -> None:
    moves = photo_moves(points, PHOTO, PHOTO_POSE, PHOTO, PHOTO_POSE)
    np.testing.assert_allclose(moves, np.tile(np.eye(2), (len(points), 1, 1)), atol=1e-9)


@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (40, 10), (-60, -20)])
def test_a_landmark_that_moves_as_the_photo_says_lies_below_the_hand(points, yaw, pitch) -> None:
    """There and back: moved parallel to the photo by what a step of the hand means there, it is a step further in the
    view."""
    pose, step = view(yaw, pitch), np.array([0.3, -0.2])
    by = photo_moves(points, VIEW, pose, PHOTO, PHOTO_POSE) @ step
    in_photo = transform(PHOTO_POSE, points)
    moved = PHOTO.unproject(PHOTO.project(in_photo) + by, in_photo[:, 2])
    head = transform(np.linalg.inv(PHOTO_POSE), moved)
    off = VIEW.project(transform(pose, head)) - VIEW.project(transform(pose, points))
    np.testing.assert_allclose(off, np.tile(step, (len(points), 1)), atol=0.01)


def test_from_the_side_depth_moves_nothing_and_height_still_does(points) -> None:
    straight = rigid(rotation_from_euler(0, 0, 0), np.array([0.0, 0.0, 700.0]))
    side = rigid(rotation_from_euler(90, 0, 0), np.array([0.0, 0.0, 1150.0]))
    points = points / 6  # near the middle, where it is the side for all
    moves = photo_moves(points, VIEW, side, PHOTO, straight)
    height = moves @ (0.0, 1.0)
    assert np.abs(moves @ (1.0, 0.0)).max() < 0.1 * height[:, 1].min()
    expected = (PHOTO.focal / transform(straight, points)[:, 2]) / (VIEW.focal / transform(side, points)[:, 2])
    np.testing.assert_allclose(height[:, 1], expected, rtol=0.02)


def test_what_lies_behind_the_head_is_not_seen() -> None:
    corners = np.array([[x, y, z] for x in (-50, 50) for y in (-50, 50) for z in (-50, 50)], float)
    faces = [(0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1), (2, 3, 7), (2, 7, 6), (0, 2, 6),
             (0, 6, 4), (1, 5, 7), (1, 7, 3)]  # fmt: skip
    points = np.array([[0, 0, 50.0], [0, 0, -50.0], [50.0, 0, 0], [0, 0, 53.0]])
    triangles = np.array(faces, np.int32)
    for yaw, seen in ((0, [True, False, False, True]), (180, [False, True, False, False])):
        pose = rigid(rotation_from_euler(yaw, 0, 0), np.array([0.0, 0.0, 1000.0]))
        assert seen_points(points, corners, triangles, VIEW, pose, both_sides=True).tolist() == seen
    turned = rigid(rotation_from_euler(-45, 0, 0), np.array([0.0, 0.0, 1000.0]))
    assert seen_points(points, corners, triangles, VIEW, turned, both_sides=True)[2]
