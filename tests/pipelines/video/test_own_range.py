"""Somebody's own rest and range: what is always there counts as nothing, what moves goes to 1, noise stays small."""

from __future__ import annotations

import numpy as np
import pytest

from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import HeadModel
from tronie.pipelines.video.motion import SEEN, Motion
from tronie.pipelines.video.own_range import FULL, LEAST_SHARE, USUAL_REST_AT_MOST, OwnRange

UNIT = {name: k for k, name in enumerate(ARKIT_UNITS)}


def motion(seconds: float, **units: object) -> Motion:
    """At 30 frames a second; a unit is a number or a course (T,)."""
    count = round(30 * seconds)
    values = np.zeros((count, 52))
    for name, course in units.items():
        values[:, UNIT[name]] = course
    nothing = np.zeros((count, 1))
    state, sure = np.full(count, SEEN, np.uint8), np.ones(count)
    return Motion(np.arange(count) / 30, state, sure, nothing, values, nothing, nothing)


def blinking(seconds: float, rest: float, shut: float) -> np.ndarray:
    course = np.full(round(30 * seconds), rest)
    for start in range(20, len(course) - 6, 60):
        course[start : start + 6] = shut
    return course


def test_what_is_always_there_counts_as_nothing(tiny_head: HeadModel) -> None:
    found = motion(20, mouthSmileLeft=0.2, eyeLookUpLeft=0.2)
    said = OwnRange.of(found, tiny_head).applied(found.expression)
    assert said[:, UNIT["mouthSmileLeft"]].max() < 0.03
    assert np.allclose(said[:, UNIT["eyeLookUpLeft"]], 0.2)  # gaze has no rest


def test_who_smiles_all_the_time_smiles(tiny_head: HeadModel) -> None:
    found = motion(20, mouthSmileLeft=0.8)
    said = OwnRange.of(found, tiny_head).applied(found.expression)
    assert said[:, UNIT["mouthSmileLeft"]].min() > 0.79 - USUAL_REST_AT_MOST


def test_blinks_shut_the_eyes(tiny_head: HeadModel) -> None:
    course = blinking(20, 0.2, 0.75)
    found = motion(20, eyeBlinkLeft=course)
    said = OwnRange.of(found, tiny_head).applied(found.expression)[:, UNIT["eyeBlinkLeft"]]
    assert said[course > 0.5].min() > 0.9
    assert said[course < 0.5].max() < 0.05


@pytest.mark.parametrize("seconds", [0.5, 20, 2000])
def test_noise_is_not_made_larger(tiny_head: HeadModel, seconds: float) -> None:
    noise = np.clip(0.04 + 0.02 * np.random.default_rng(0).normal(size=round(30 * seconds)), 0, 1)
    found = motion(seconds, jawOpen=noise)
    said = OwnRange.of(found, tiny_head).applied(found.expression)[:, UNIT["jawOpen"]]
    assert said.std() <= noise.std() + 1e-9
    assert said.mean() <= noise.mean()


def test_a_short_clip_says_little(tiny_head: HeadModel) -> None:
    rests = []
    for seconds in (0.2, 1, 5, 60):
        found = motion(seconds, mouthSmileLeft=0.2)
        rests.append(OwnRange.of(found, tiny_head).rest[UNIT["mouthSmileLeft"]])
    assert rests == sorted(rests)
    assert rests[0] < 0.03
    assert rests[-1] > 0.18


def test_a_small_range_becomes_larger_within_bounds(tiny_head: HeadModel) -> None:
    course = 0.4 * np.maximum(np.sin(np.arange(9000) / 40), 0)
    found = motion(300, mouthPucker=course)
    said = OwnRange.of(found, tiny_head).applied(found.expression)[:, UNIT["mouthPucker"]]
    assert course.max() < said.max() <= course.max() / (LEAST_SHARE * FULL["mouthPucker"] - USUAL_REST_AT_MOST)
    assert (np.diff(said) * np.diff(course) >= 0).all()


def test_a_whole_range_changes_nothing(tiny_head: HeadModel) -> None:
    values = np.random.default_rng(1).uniform(0, 1, (10, 52))
    assert np.array_equal(OwnRange.whole(tiny_head).applied(values), values)


def test_what_fits_say_too_weakly_becomes_stronger_than_what_they_say_well(tiny_head: HeadModel) -> None:
    course = 0.45 * np.maximum(np.sin(np.arange(900) / 40), 0)
    found = motion(30, cheekPuff=course, mouthSmileLeft=course)
    said = OwnRange.of(found, tiny_head).applied(found.expression).max(axis=0)
    assert said[UNIT["cheekPuff"]] > 0.85
    assert course.max() < said[UNIT["mouthSmileLeft"]] < said[UNIT["cheekPuff"]]
