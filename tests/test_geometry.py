"""Similarities form a group, Euler angles mean what they say, the camera undoes itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tronie.geometry import (
    Camera,
    Similarity,
    euler_degrees,
    facing_degrees,
    rigid,
    rotation_from_euler,
    rotation_matrix,
    rotation_vector,
    transform,
)

number = st.floats(-100, 100)
similarity = st.builds(
    lambda s, r, x, y: Similarity(s * np.cos(r), s * np.sin(r), x, y),
    st.floats(0.01, 100),
    st.floats(-7, 7),
    number,
    number,
)
POINTS = np.random.default_rng(0).normal(size=(6, 2)) * 50


@given(similarity)
def test_inverse_after_forward_is_identity(map_: Similarity) -> None:
    assert np.allclose(map_.inverse().apply(map_.apply(POINTS)), POINTS, atol=1e-6)
    assert map_.inverse().scale == pytest.approx(1 / map_.scale)


@given(similarity)
def test_fitting_recovers_the_similarity(map_: Similarity) -> None:
    found = Similarity.from_points(POINTS, map_.apply(POINTS))
    assert np.allclose(found.matrix, map_.matrix, rtol=1e-6, atol=1e-6)


def test_fitting_is_least_squares_without_reflection() -> None:
    rng = np.random.default_rng(1)
    target = POINTS + rng.normal(size=POINTS.shape)
    best = Similarity.from_points(POINTS, target)
    error = ((best.apply(POINTS) - target) ** 2).sum()
    for _ in range(50):
        a, b, x, y = np.array([best.a, best.b, best.tx, best.ty]) + rng.normal(size=4) * 0.01
        assert ((Similarity(a, b, x, y).apply(POINTS) - target) ** 2).sum() >= error
    with pytest.raises(ValueError, match="coincide"):
        Similarity.from_points(np.ones((3, 2)), np.ones((3, 2)))


@given(st.tuples(number, number, number))
def test_rotations_are_orthonormal_and_turn_back(vector: tuple[float, float, float]) -> None:
    r = rotation_matrix(vector)
    assert np.allclose(r @ r.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(r) == pytest.approx(1)
    assert np.allclose(rotation_matrix(-np.array(vector)), r.T, atol=1e-9)


@given(st.floats(-179, 179), st.floats(-85, 85), st.floats(-179, 179))
def test_euler_round_trip(yaw: float, pitch: float, roll: float) -> None:
    assert np.allclose(euler_degrees(rotation_from_euler(yaw, pitch, roll)), (yaw, pitch, roll), atol=1e-6)


def test_euler_signs() -> None:
    nose, crown = np.array([0, 0, 1.0]), np.array([0, 1.0, 0])
    assert (rotation_from_euler(30, 0, 0) @ nose)[0] > 0  # yaw: towards the image's right
    assert (rotation_from_euler(0, 30, 0) @ nose)[1] < 0  # pitch: looks up, image y points down
    assert (rotation_from_euler(0, 0, 30) @ crown)[0] < 0  # roll: counter-clockwise, the crown goes to the left
    assert (rotation_from_euler(0, 0, 0) @ nose)[2] < 0  # looks into the camera


@given(number, number, st.floats(1, 5000), st.floats(10, 5000))
def test_unproject_undoes_project(x: float, y: float, z: float, focal: float) -> None:
    camera = Camera(focal, (320.0, 240.0), (640, 480))
    point = np.array([x, y, z])
    assume(abs(x) < 50 * z and abs(y) < 50 * z)
    assert np.allclose(camera.unproject(camera.project(point), z), point, atol=1e-6 * (1 + z))


def test_rigid_and_transform() -> None:
    r = rotation_from_euler(10, 20, 30)
    points = np.random.default_rng(2).normal(size=(5, 3))
    assert np.allclose(transform(rigid(r, [1, 2, 3]), points), points @ r.T + [1, 2, 3])


@given(st.lists(st.floats(-1.7, 1.7), min_size=3, max_size=3))
def test_rotation_vectors_come_back(vector: list[float]) -> None:
    assert np.allclose(rotation_vector(rotation_matrix(vector)), vector, atol=1e-7)


@given(st.floats(-60, 60), st.floats(-40, 40), st.floats(-20, 20), st.floats(-3.2, 3.2))
def test_where_a_face_looks_does_not_depend_on_how_the_photo_is_held(
    yaw: float, pitch: float, roll: float, turn: float
) -> None:
    rotation = rotation_from_euler(yaw, pitch, roll)
    held = rotation_matrix([0.0, 0.0, turn]) @ rotation
    assert np.allclose(facing_degrees(held), facing_degrees(rotation), atol=1e-6)
    if abs(roll) < 1e-9:
        assert np.allclose(facing_degrees(rotation_from_euler(yaw, 0, 0)), (yaw, 0), atol=1e-6)
