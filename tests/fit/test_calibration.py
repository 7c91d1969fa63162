"""Laws of the calibration, on made-up weights, and what the shipped one promises."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tronie.fit.basis import Aligned, align, from_axis, landmark_basis
from tronie.fit.calibration import MOST_TILT, Calibration, default_calibration, upright_pose
from tronie.fit.camera import guess_camera
from tronie.geometry import rotation_from_euler, rotation_matrix
from tronie.head.model import default_head
from tronie.types import Detection


def invented(components: int = 4, vertices: int = 7) -> Calibration:
    rng = np.random.default_rng(0)
    return Calibration(
        mean=rng.normal(size=1434), components=rng.normal(size=(1434, 5)) / 50, inner_mean=np.zeros(2048),
        inner_scale=np.ones(2048), weight=rng.normal(size=(5 + 11 + 2048, components + 59)) / 50,
        sigma_yaw=np.array([0.0, 30.0, 60.0]), sigma=np.arange(3 * vertices, dtype=float).reshape(3, vertices),
    )  # fmt: skip


def tilted(aligned: Aligned, angle: float) -> Aligned:
    """The same face in a picture turned by `angle` radians about the origin."""
    turn = rotation_matrix([0, 0, angle])
    return replace(aligned, rotation=turn @ aligned.rotation, center=turn[:2, :2] @ aligned.center)


@given(st.floats(0.3, 1.2), st.floats(0.3, 1.2), st.floats(-40, 40))
@settings(max_examples=30, deadline=None)
def test_a_tilted_picture_gives_the_same_person_in_a_tilted_pose(a: float, b: float, yaw: float) -> None:
    rng = np.random.default_rng(1)
    face = Aligned(rotation_from_euler(yaw, 5, 0), 2.0, np.array([30.0, 40.0]), rng.normal(size=(478, 3)))
    inner = rng.normal(size=2048)
    # Beyond the tilt of training every further turn of the picture only turns the answer.
    first, second = (invented().predict(tilted(face, t), inner, 900.0) for t in (a + MOST_TILT, a + b + MOST_TILT))
    turn = rotation_matrix([0, 0, b])
    assert np.allclose(second.identity, first.identity)
    assert np.allclose(second.expression, first.expression)
    assert np.allclose(second.rotation, turn @ first.rotation)
    assert np.allclose(second.origin, (turn @ [*first.origin, 0])[:2])
    level = upright_pose(tilted(face, a + MOST_TILT).rotation)[0]
    assert np.arctan2(level[1, 0], level[0, 0]) == pytest.approx(MOST_TILT)


def test_the_spread_is_interpolated_over_yaw() -> None:
    made = invented()
    face = Aligned(rotation_from_euler(15, 0, 0), 2.0, np.zeros(2), np.zeros((478, 3)))
    sigma = made.predict(face, np.zeros(2048), 900.0).sigma_mm
    assert np.allclose(sigma, (made.sigma[0] + made.sigma[1]) / 2)


def test_a_shortest_turn_brings_the_axis_onto_the_point() -> None:
    for point in ([0.0, 0, 5], [1.0, -2, 7], [-3.0, 0.1, 2]):
        ray = np.array(point) / np.linalg.norm(point)
        assert np.allclose(from_axis(np.array(point)) @ [0, 0, 1], ray)


def test_the_faces_perspective_moves_the_guessed_camera() -> None:
    face = Detection((0, 0, 300, 400), np.zeros((5, 2)), 1.0)
    plain = guess_camera((640, 480), None, [face]).focal
    near = guess_camera((640, 480), None, [face], [(2.0, 3.0, 0.3)]).focal
    far = guess_camera((640, 480), None, [face], [(2.0, 0.3, 0.3)]).focal
    assert near < plain < far
    assert guess_camera((640, 480), 777.0, [face], [(2.0, 3.0, 0.3)]).focal == 777.0


def test_the_shipped_calibration_fits_the_shipped_head() -> None:
    model, shipped = default_head(), default_calibration()
    points = landmark_basis(model).mean
    picture = np.column_stack([points[:, 0], -points[:, 1], -points[:, 2]]) * 2 + [300, 300, 0]
    told = shipped.predict(align(points, picture), shipped.inner_mean, 1500.0)
    assert told.identity.shape == (len(model.identity),)
    assert told.expression.shape == (52,)
    assert told.sigma_mm.shape == (len(model.mean),)
    assert 1.5 < told.scale < 2.6
