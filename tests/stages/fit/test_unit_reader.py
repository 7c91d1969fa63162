"""A lid that follows the eye down is no blink; mirrored eyes say the same; changes are a person's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tronie.geometry import Camera, rigid, transform
from tronie.head.arkit import ARKIT_UNITS, MIRRORED_UNITS
from tronie.head.model import default_head
from tronie.stages.fit.basis import landmark_basis
from tronie.stages.fit.frame_fit import KnownIdentity, fit_frame
from tronie.stages.fit.regressor import default_calibration
from tronie.stages.fit.unit_reader import BLINKS, DOWNS, SIDES, eye_features, lid_and_look
from tronie.stages.landmarks.net import FEATURES
from tronie.types import Landmarks

CAMERA = Camera(900.0, (320.0, 240.0), (640, 480))
SHARE = st.floats(0, 1)


@given(SHARE, SHARE, SHARE)
def test_a_blink_is_what_a_lid_does_beyond_following(lid: float, look: float, other: float) -> None:
    said, down = lid_and_look(lid, look)
    assert 0 <= said <= lid + 1e-12
    assert 0 <= down <= look
    assert lid_and_look(1.0, look) == pytest.approx((1, 0))
    assert lid_and_look(lid, 0.0) == (lid, 0.0)
    assert (lid_and_look(other, look)[0] - said) * (other - lid) >= -1e-6


def test_mirrored_eyes_say_the_same() -> None:
    rng = np.random.default_rng(0)
    points, scores, told = rng.uniform(0, 100, (478, 3)), rng.random(52), rng.random(52)
    mirrored = points.copy()
    for left, right in zip(SIDES["Left"], SIDES["Right"], strict=True):
        mirrored[[left, right]] = points[[right, left]] * [-1, 1, 1]
    swapped = list(MIRRORED_UNITS)
    for side, other in (("Left", "Right"), ("Right", "Left")):
        one = eye_features(side, points, scores, told, (0.2, 0.1))
        assert np.allclose(one, eye_features(other, mirrored, scores[swapped], told[swapped], (-0.2, 0.1)))


def test_the_size_and_place_of_the_picture_do_not_matter() -> None:
    rng = np.random.default_rng(1)
    points, scores, told = rng.uniform(0, 100, (478, 3)), rng.random(52), rng.random(52)
    one = eye_features("Left", points, scores, told, (0.0, 0.0))
    assert np.allclose(one, eye_features("Left", 3 * points + 50, scores, told, (0.0, 0.0)))


def test_only_eyes_are_read_anew_in_a_single_look() -> None:
    reader = default_calibration().units
    assert reader is not None
    rng = np.random.default_rng(2)
    told = rng.random(52)
    said = reader.eyes(told, rng.uniform(0, 100, (478, 3)), rng.random(52), (0.0, 0.0))
    assert set(np.flatnonzero(said != told)) <= {*BLINKS, *DOWNS}
    assert (said[BLINKS] <= told[BLINKS]).all()
    gaze = [name.startswith(("eyeLook", "eyeBlink")) for name in ARKIT_UNITS]
    assert not reader.changes[:, gaze].any()


def test_who_is_as_always_changes_nothing() -> None:
    model, calibration = default_head(), default_calibration()
    points = landmark_basis(model).mean
    pose = rigid(np.diag([1.0, -1.0, -1.0]), np.array([0.0, 0.0, 600.0]))
    seen = transform(pose, points)
    pixels = np.column_stack([CAMERA.project(seen), (seen[:, 2] - seen[:, 2].mean()) * 1.5])
    look = Landmarks(pixels, np.zeros(52), 1.0, np.zeros(FEATURES))
    told = calibration.read(model, look, CAMERA.focal)
    assert told.changes is not None
    plain = KnownIdentity.of(model, calibration, np.zeros(len(model.identity)))
    jaw = np.zeros(52)
    jaw[ARKIT_UNITS.index("jawOpen")] = 0.4
    before, same, wider = (
        fit_frame(replace(plain, usual=usual), look, CAMERA).expression
        for usual in (None, told.changes, told.changes - jaw)
    )
    assert np.allclose(before, same)
    assert wider[jaw > 0][0] > before[jaw > 0][0]
