"""What a picture of a face shows: its light is told in stops, and can be brought to another picture's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tronie.color import linear_to_srgb, srgb_to_linear
from tronie.stages.face_parts import (
    BLINKS,
    FaceLight,
    UsualLight,
    in_light_of,
    light_of,
    openings,
    shows_lids,
    skin_of,
    unrest,
)
from tronie.stages.texture.iris import LID_LEFT, LID_RIGHT
from tronie.types import DOUBTS, Landmarks, Photo

RNG = np.random.default_rng(2)
POINTS = np.column_stack([RNG.uniform(20, 180, (478, 2)), np.zeros(478)])
MARKS = Landmarks(POINTS, np.zeros(52), 1.0)
FACE = np.clip(np.array([150.0, 112.0, 96.0]) + RNG.normal(0, 12, (200, 200, 1)), 0, 255).astype(np.uint8)


def exposed(image: np.ndarray, gain: tuple[float, float, float]) -> np.ndarray:
    return np.rint(linear_to_srgb(np.clip(srgb_to_linear(image) * gain, 0, 1))).astype(np.uint8)


@settings(max_examples=30, deadline=None)
@given(st.floats(-2, 1), st.floats(-0.3, 0.3), st.floats(-0.3, 0.3))
def test_exposure_and_white_balance_are_taken_back(stops: float, red: float, blue: float) -> None:
    gain = tuple(float(2**stops * np.exp(c)) for c in (red, 0, blue))
    shown = exposed(FACE, gain)  # type: ignore[arg-type]
    back = in_light_of(Photo(shown), MARKS, skin_of(FACE, POINTS)).image
    unclipped = shown.max(axis=2) < 250
    assert np.abs(back.astype(float) - FACE)[unclipped].mean() < 2.5


def test_a_stop_is_a_stop_and_what_is_clipped_is_told() -> None:
    usual = light_of(FACE, POINTS)
    assert light_of(exposed(FACE, (0.5, 0.5, 0.5)), POINTS).level == pytest.approx(usual.level - 1, abs=0.05)
    assert usual.clipped == 0
    assert light_of(exposed(FACE, (8, 8, 8)), POINTS).clipped > 0.9


@given(st.floats(-8, 0), st.floats(-8, 0), st.floats(0, 1))
def test_the_farther_from_the_usual_light_the_less_it_stands_for_it(level: float, usual: float, clipped: float) -> None:
    light = FaceLight(level, clipped)
    assert 0 <= light.like(usual) <= light.like(level) <= 1
    assert light.like(usual) >= light.like(usual + np.sign(usual - level))
    assert FaceLight(usual).like(usual) == 1


@given(st.lists(st.floats(-10, 0), min_size=1, max_size=50), st.integers(0, 50))
def test_the_usual_light_is_the_median_however_it_was_put_together(levels: list[float], cut: int) -> None:
    parts = [UsualLight(), UsualLight()]
    for k, level in enumerate(levels):
        parts[k >= cut].add(FaceLight(level))
    level = UsualLight.of(parts).level
    assert level is not None
    assert np.median(levels) - 10 <= level <= np.median(levels) + 10
    middle = sorted(levels)[(len(levels) - 1) // 2]
    assert level == pytest.approx(middle, abs=UsualLight.STEP)
    assert UsualLight.of([]).level is None


def test_lids_are_seen_when_eyes_are_shut_and_nothing_is_before_them() -> None:
    def eyes(high: float, cover: float = 0.0, blink: float = 1.0) -> Landmarks:
        points = POINTS.copy()
        for marks, x in ((LID_RIGHT, 60), (LID_LEFT, 140)):
            turn = np.linspace(np.pi, 3 * np.pi, 16, endpoint=False)
            sign = 1 if marks is LID_RIGHT else -1
            points[list(marks), :2] = np.column_stack([x + sign * 15 * np.cos(turn), 100 - high * 15 * np.sin(turn)])
        doubts = np.zeros(len(DOUBTS))
        doubts[DOUBTS.index("eye_left")] = cover
        scores = np.zeros(52)
        scores[BLINKS] = blink
        return Landmarks(points, scores, 1.0, doubts=doubts)

    assert openings(eyes(0.5)) == pytest.approx([0.77 * 0.5] * 2, rel=0.05)
    assert shows_lids(eyes(0.05)) > 0.9
    assert shows_lids(eyes(0.05)) > shows_lids(eyes(0.05, blink=0.6)) > shows_lids(eyes(0.05, blink=0.3))
    assert shows_lids(eyes(0.4)) == 0
    assert shows_lids(eyes(0.05, cover=0.95)) < 0.1


def test_narrow_eyes_are_at_rest_and_winking_ones_are_not() -> None:
    def face(left: float, right: float) -> Landmarks:
        points = np.zeros((478, 3))
        points[:, :2] = 100
        points[10, 1], points[152, 1] = 20, 180
        for marks, x, high in ((LID_RIGHT, 60, right), (LID_LEFT, 140, left)):
            turn = np.linspace(np.pi, 3 * np.pi, 16, endpoint=False)
            points[list(marks), :2] = np.column_stack([x + 15 * np.cos(turn), 80 - high * 15 * np.sin(turn)])
        return Landmarks(points, np.zeros(52), 1.0)

    assert unrest(face(0.5, 0.5)) == 0
    assert unrest(face(0.22, 0.22)) < 0.05
    assert unrest(face(0.3, 0.05)) > 0.9
