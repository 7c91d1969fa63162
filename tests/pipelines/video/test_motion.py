"""The course of a head: holes are bridged, absences held, cuts respected, turns recovered. Smoothing keeps what moves,
where and when it moves, and removes what only trembles."""

from __future__ import annotations

import numpy as np
import pytest

from tronie.geometry import Camera, euler_degrees, rotation_from_euler
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import HeadModel
from tronie.pipelines.video.motion import (
    ABSENT,
    BRIDGED,
    SEEN,
    Motion,
    OneEuro,
    Raw,
    gaze_of,
    make_motion,
    noise_of,
    pieces,
    smooth,
)

CAMERA = Camera(800.0, (320.0, 240.0), (640, 480))
TIMES = np.arange(90) / 30
STEADY = np.arange(120) / 30


def raw(frames: np.ndarray, noise: float = 0.0) -> Raw:
    rng = np.random.default_rng(0)
    yaw = 20 * np.sin(frames / 12) + noise * rng.normal(size=len(frames))
    rotation = np.array([rotation_from_euler(float(y), 3.0, -2.0) for y in yaw])
    place = np.stack([frames * 2.0 - 80, np.zeros(len(frames)), 700 + frames * 1.0], axis=1)
    units = np.zeros((len(frames), len(ARKIT_UNITS)))
    units[:, ARKIT_UNITS.index("jawOpen")] = 0.3 + 0.2 * np.sin(frames / 9)
    boxes = np.tile([10.0, 10.0, 60.0, 70.0], (len(frames), 1))
    return Raw(frames, rotation, place, units, np.full(len(frames), 0.9), boxes)


def made(model: HeadModel, frames: np.ndarray, cuts: tuple[int, ...] = (), noise: float = 0.0) -> Motion:
    return make_motion(raw(frames, noise), TIMES, cuts, CAMERA, model)


def test_a_whole_course_is_what_it_was(tiny_head: HeadModel) -> None:
    found = made(tiny_head, np.arange(90))
    assert (found.state == SEEN).all()
    yaw = [euler_degrees(m[:3, :3])[0] for m in found.head_to_camera]
    assert np.allclose(yaw, 20 * np.sin(np.arange(90) / 12), atol=0.3)
    assert np.allclose(found.head_to_camera[:, 0, 3], np.arange(90) * 2.0 - 80, atol=0.3)
    assert found.spans == [(0, 89)]


def test_jitter_becomes_less(tiny_head: HeadModel) -> None:
    def tremble(motion: Motion) -> float:
        yaw = np.array([euler_degrees(m[:3, :3])[0] for m in motion.head_to_camera])
        return float(np.abs(np.diff(yaw, n=2)).mean())

    rough = make_motion(raw(np.arange(90), 0.5), TIMES, (), CAMERA, tiny_head, strength=0)
    assert tremble(made(tiny_head, np.arange(90), noise=0.5)) < 0.25 * tremble(rough)


def test_a_short_hole_is_bridged_and_a_long_one_is_not(tiny_head: HeadModel) -> None:
    frames = np.r_[0:30, 40:50, 80:90]
    found = made(tiny_head, frames)
    assert (found.state[30:40] == BRIDGED).all()
    assert (found.state[50:80] == ABSENT).all()
    assert found.spans == [(0, 49), (80, 89)]
    assert (found.confidence[30:40] == 0).all()
    assert np.allclose(found.head_to_camera[30:40, 0, 3], np.arange(30, 40) * 2.0 - 80, atol=1.5)
    # Absent: it stays as it was last.
    assert np.array_equal(found.head_to_camera[60], found.head_to_camera[49])


def test_nothing_is_smoothed_across_a_cut() -> None:
    assert pieces(np.arange(20), TIMES, [], 0.5) == [(0, 19)]
    assert pieces(np.arange(20), TIMES, [8], 0.5) == [(0, 7), (8, 19)]
    assert pieces(np.r_[0:5, 9:12], TIMES, [7], 0.5) == [(0, 4), (9, 11)]


def test_gaze_follows_the_units(tiny_head: HeadModel) -> None:
    units = np.zeros((2, len(ARKIT_UNITS)))
    units[0, [ARKIT_UNITS.index("eyeLookOutLeft"), ARKIT_UNITS.index("eyeLookInRight")]] = 0.5  # to the subject's left
    units[1, [ARKIT_UNITS.index("eyeLookUpLeft"), ARKIT_UNITS.index("eyeLookUpRight")]] = 0.4
    gaze = gaze_of(units, tiny_head)
    assert (gaze[0, :, 0] > 5).all()
    assert np.allclose(gaze[0, :, 1], 0)
    assert (gaze[1, :, 1] > 3).all()


# Smoothing


def lag(signal: np.ndarray, truth: np.ndarray) -> float:
    """Frames by which a signal comes late: the shift of the truth that is nearest to it."""
    slope = np.gradient(truth)
    return float(-((signal - truth) * slope).sum() / (slope**2).sum())


def test_a_parabola_stays_what_it_is_also_at_uneven_times() -> None:
    rng = np.random.default_rng(1)
    times = np.cumsum(rng.uniform(0.02, 0.05, 80))
    values = np.stack([3 + 2 * times - times**2, np.full(80, 7.0)], axis=1)
    # The first and last ones are drawn a little towards their neighbours' mean.
    assert np.allclose(smooth(times, values, floor=0.05)[15:-15], values[15:-15], atol=3e-3)


def test_a_still_face_is_still() -> None:
    noise = np.random.default_rng(2).normal(0, 1.0, (120, 6))
    quiet = smooth(STEADY, 50 + noise)
    assert quiet[10:-10].std() < 0.4
    assert np.abs(np.diff(quiet[10:-10], axis=0)).mean() < 0.15
    assert np.array_equal(smooth(STEADY, noise, strength=0), noise)


def test_motion_comes_neither_late_nor_early() -> None:
    rng = np.random.default_rng(3)
    truth = 10 * np.sin(2 * np.pi * 0.8 * STEADY)
    out = smooth(STEADY, (truth + rng.normal(0, 0.3, 120))[:, None])[:, 0]
    late = np.roll(truth, 1)
    assert lag(late[5:-5], truth[5:-5]) == pytest.approx(1, abs=0.05)
    assert abs(lag(out[5:-5], truth[5:-5])) < 0.1
    assert np.abs(out - truth).mean() < 0.25


def test_a_blink_is_kept() -> None:
    rng = np.random.default_rng(4)
    blink = np.clip(1 - np.abs(STEADY - 2.0) / 0.1, 0, None)
    out = smooth(STEADY, (blink + rng.normal(0, 0.02, 120))[:, None])[:, 0]
    assert out.max() > 0.75
    assert out.argmax() == blink.argmax()
    assert np.abs(out[:45]).max() < 0.05


def test_frames_without_weight_are_told_by_their_neighbours() -> None:
    truth = 5 * np.sin(2 * np.pi * 0.4 * STEADY)
    values, weights = truth.copy(), np.ones(120)
    values[60:63], weights[60:63] = 40.0, 0.0
    out = smooth(STEADY, values[:, None], weights, floor=0.2)[:, 0]
    assert np.abs(out - truth)[55:68].max() < 0.6


def test_columns_of_a_group_share_their_width() -> None:
    rng = np.random.default_rng(5)
    step = np.where(STEADY > 2, 10.0, 0.0)
    values = np.stack([step, np.zeros(120)], axis=1) + rng.normal(0, 0.1, (120, 2))
    alone, together = smooth(STEADY, values), smooth(STEADY, values, groups=[(0, 1)])
    near = slice(56, 66)
    assert np.abs(together[near, 1] - values[near, 1]).mean() < np.abs(alone[near, 1] - values[near, 1]).mean()


def test_noise_is_told_from_motion() -> None:
    rng = np.random.default_rng(6)
    signal = 20 * np.sin(2 * np.pi * 0.5 * np.arange(400) / 30) + rng.normal(0, 0.5, 400)
    assert noise_of(signal[:, None])[0] == pytest.approx(0.5, rel=0.15)


def test_the_one_euro_filter_is_steady_at_rest_and_quick_in_motion() -> None:
    rng = np.random.default_rng(7)
    filtered, out = OneEuro(cutoff=1.0, opening=0.05), []
    truth = np.where(STEADY < 2, 0.0, 60 * (STEADY - 2))
    for time, value in zip(STEADY, truth + rng.normal(0, 0.5, 120), strict=True):
        now, filtered = filtered.next(float(time), np.array([value]))
        out.append(now[0])
    assert np.std(out[20:60]) < 0.3
    assert abs(out[-1] - truth[-1]) < 60 / 30 * 3  # at most three frames behind
