"""Laws of the calibration, on made-up weights, and what the shipped one promises."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tronie.geometry import rotation_from_euler, rotation_matrix
from tronie.head.arkit import MIRRORED_UNITS
from tronie.head.model import default_head
from tronie.stages.fit.basis import WeakPerspective, from_axis, landmark_basis, mirror_map, weak_perspective
from tronie.stages.fit.camera import REACH, guess_camera
from tronie.stages.fit.regressor import (
    CAMERA_FEATURES,
    LARGEST_DOUBT,
    STRANGER,
    Calibration,
    Prediction,
    default_calibration,
    levelled,
)
from tronie.stages.landmarks.net import FEATURES
from tronie.types import Detection, Landmarks

GROUPS = 3
NEARNESS = -2 - GROUPS
"""Its place among the outputs."""


def invented(components: int = 4, vertices: int = 7) -> Calibration:
    rng = np.random.default_rng(0)
    count, outputs = FEATURES + 5 + 11 + 52, components + 60 + GROUPS
    direct = rng.normal(size=(count, outputs)) / 50
    direct[FEATURES + 5 :][CAMERA_FEATURES, NEARNESS] = 0
    out = rng.normal(size=(6, outputs)) / 50
    out[:, NEARNESS] = 0
    return Calibration(
        mean=rng.normal(size=1434),
        components=rng.normal(size=(1434, 5)) / 50,
        hidden=rng.normal(size=(count, 6)) / 50,
        hidden_bias=rng.normal(size=6),
        out=out,
        direct=direct,
        bias=rng.normal(size=outputs),
        mode_sigma=rng.random(components),
        spread=rng.random((GROUPS, vertices)),
        pose_yaw=np.array([0.0, 30.0, 60.0]),
        pose_sigma=rng.random((3, 4)),
        point_weight=np.ones(478),
    )


def tilted(aligned: WeakPerspective, angle: float) -> WeakPerspective:
    """The same face in a picture turned by `angle` radians about the origin."""
    turn = rotation_matrix([0, 0, angle])
    return replace(aligned, rotation=turn @ aligned.rotation, center=turn[:2, :2] @ aligned.center)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-40, 40))
@settings(max_examples=30, deadline=None)
def test_a_tilted_picture_gives_the_same_person_in_a_tilted_pose(a: float, b: float, yaw: float) -> None:
    rng = np.random.default_rng(1)
    face = WeakPerspective(rotation_from_euler(yaw, 5, 0), 2.0, np.array([30.0, 40.0]), rng.normal(size=(478, 3)))
    inner, scores = rng.normal(size=FEATURES), rng.random(52)
    first, second = (invented().predict(tilted(face, t), inner, scores, 900.0) for t in (a, a + b))
    turn = rotation_matrix([0, 0, b])
    assert np.allclose(second.identity, first.identity)
    assert np.allclose(second.expression, first.expression)
    assert np.allclose(second.rotation, turn @ first.rotation)
    assert np.allclose(second.origin, (turn @ [*first.origin, 0])[:2])
    level = levelled(tilted(face, a).rotation)[0]
    assert np.arctan2(level[1, 0], level[0, 0]) == pytest.approx(0.0)


def test_the_poses_spread_is_interpolated_over_yaw() -> None:
    made = invented()
    face = WeakPerspective(rotation_from_euler(15, 0, 0), 2.0, np.zeros(2), np.zeros((478, 3)))
    told = made.predict(face, np.zeros(FEATURES), np.zeros(52), 900.0)
    doubt = told.pose_sigma / ((made.pose_sigma[0] + made.pose_sigma[1]) / 2)
    assert np.allclose(doubt, doubt[0])  # how sure the answer is scales the whole of it
    assert abs(np.log(doubt[0] / STRANGER)) <= LARGEST_DOUBT + 1e-9


def test_a_vertex_is_as_sure_as_the_shapes_that_move_it() -> None:
    made = replace(invented(), bias=np.zeros(4 + 60 + GROUPS))
    face = WeakPerspective(rotation_from_euler(15, 0, 0), 2.0, np.zeros(2), np.zeros((478, 3)))

    def told(group: int, log: float) -> Prediction:
        bias = np.zeros(4 + 60 + GROUPS)
        bias[4 + 60 + group] = log
        own = {"hidden": 0 * made.hidden, "direct": 0 * made.direct, "out": 0 * made.out, "hidden_bias": np.zeros(6)}
        return replace(made, bias=bias, **own).predict(face, np.zeros(FEATURES), np.zeros(52), 900.0)

    usual = told(0, 0.0)
    assert np.allclose(usual.sigma_mm, STRANGER * np.sqrt((made.spread**2).sum(axis=0)))
    assert np.allclose(usual.mode_sigma, STRANGER * made.mode_sigma)
    for group in range(GROUPS):
        sure = told(group, -0.5)
        assert (sure.sigma_mm < usual.sigma_mm).all()
        narrower = np.flatnonzero(sure.mode_sigma < usual.mode_sigma)
        assert set(narrower) == {k for k in range(4) if min(k, GROUPS - 1) == group}


def test_the_nearness_does_not_see_the_assumed_camera() -> None:
    made, rng = invented(), np.random.default_rng(2)
    face = WeakPerspective(rotation_from_euler(15, -10, 0), 2.0, np.zeros(2), rng.normal(size=(478, 3)))
    inner, scores = rng.normal(size=FEATURES), rng.random(52)
    said = made.nearness(face, inner, scores)
    for nearness in (0.3, 3.0):
        f = made.features(face, inner, scores, nearness)
        h = f @ made.hidden + made.hidden_bias
        whole = (h / (1 + np.exp(-h))) @ made.out + f @ made.direct + made.bias
        assert whole[NEARNESS] == pytest.approx(said)


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
    told = shipped.predict(weak_perspective(points, picture), np.zeros(FEATURES), np.zeros(52), 1500.0)
    assert told.identity.shape == (len(model.identity),)
    assert told.expression.shape == (52,)
    assert told.sigma_mm.shape == (len(model.mean),)
    assert shipped.point_weight.shape == (478,)
    nearness = -2 - len(shipped.spread)
    assert not shipped.out[:, nearness].any()  # it goes past the hidden layer ...
    assert not shipped.direct[len(shipped.direct) - 63 :][CAMERA_FEATURES, nearness].any()  # ... and past the camera
    assert 1.5 < told.scale < 2.6


def mirrored(landmarks: Landmarks) -> Landmarks:
    """What a net without preferences would say of the photo mirrored about x = 0."""
    points = landmarks.points * [-1, 1, 1]
    return replace(landmarks, points=points[OTHER_POINT], scores=landmarks.scores[list(MIRRORED_UNITS)])


def other_points() -> list[int]:
    points = landmark_basis(default_head()).mean
    gap = np.linalg.norm(points[:, None] * [-1, 1, 1] - points[None], axis=2)
    return [int(k) for k in gap.argmin(axis=1)]


OTHER_POINT = other_points()


@given(st.floats(-40, 40), st.floats(-20, 20), st.integers(0, 5))
@settings(max_examples=15, deadline=None)
def test_the_mirrored_photo_gives_the_mirrored_answer(yaw: float, pitch: float, seed: int) -> None:
    """With the mirror image heard too, left and right are treated alike, whatever was learned."""
    model, rng = default_head(), np.random.default_rng(seed)
    points = landmark_basis(model).mean @ rotation_from_euler(yaw, pitch, 3).T * 2 + rng.normal(size=(478, 3))
    one = Landmarks(points + np.array([300, 200, 0]), rng.random(52), 1.0, rng.normal(size=FEATURES))
    two = replace(mirrored(one), features=rng.normal(size=FEATURES))
    shipped = default_calibration()
    told = shipped.read(model, replace(one, mirrored=two), 900.0)
    swapped = shipped.read(model, replace(two, mirrored=one), 900.0)
    flip = np.array([-1.0, 1.0, 1.0])
    assert np.allclose(swapped.identity, told.identity @ mirror_map(model), atol=1e-3)
    assert np.allclose(swapped.expression, told.expression[list(MIRRORED_UNITS)])
    assert np.allclose(swapped.rotation, told.rotation * flip * flip[:, None], atol=1e-6)
    assert np.allclose(swapped.origin, told.origin * [-1, 1])
    assert swapped.scale == pytest.approx(told.scale)


def test_several_faces_say_as_much_as_one() -> None:
    face = Detection((0, 0, 300, 400), np.zeros((5, 2)), 1.0)
    one = guess_camera((640, 480), None, [face], [(2.0, 2.0, 0.4)]).focal
    assert guess_camera((640, 480), None, [face], [(2.0, 2.0, 0.4)] * 6).focal == pytest.approx(one)
    nearest = guess_camera((640, 480), None, [], [(9.0, 99.0, 0.01)]).focal
    assert nearest == pytest.approx(640 * 50 / 36 * np.exp(REACH[0]))
