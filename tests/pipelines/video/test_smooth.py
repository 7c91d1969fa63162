"""Smoothing keeps what moves, where and when it moves, and removes what only trembles."""

from __future__ import annotations

import numpy as np
import pytest

from tronie.pipelines.video.motion import OneEuro, noise_of, smooth

TIMES = np.arange(120) / 30


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
    quiet = smooth(TIMES, 50 + noise)
    assert quiet[10:-10].std() < 0.4
    assert np.abs(np.diff(quiet[10:-10], axis=0)).mean() < 0.15
    assert np.array_equal(smooth(TIMES, noise, strength=0), noise)


def test_motion_comes_neither_late_nor_early() -> None:
    rng = np.random.default_rng(3)
    truth = 10 * np.sin(2 * np.pi * 0.8 * TIMES)
    out = smooth(TIMES, (truth + rng.normal(0, 0.3, 120))[:, None])[:, 0]
    late = np.roll(truth, 1)
    assert lag(late[5:-5], truth[5:-5]) == pytest.approx(1, abs=0.05)
    assert abs(lag(out[5:-5], truth[5:-5])) < 0.1
    assert np.abs(out - truth).mean() < 0.25


def test_a_blink_is_kept() -> None:
    rng = np.random.default_rng(4)
    blink = np.clip(1 - np.abs(TIMES - 2.0) / 0.1, 0, None)
    out = smooth(TIMES, (blink + rng.normal(0, 0.02, 120))[:, None])[:, 0]
    assert out.max() > 0.75
    assert out.argmax() == blink.argmax()
    assert np.abs(out[:45]).max() < 0.05


def test_frames_without_weight_are_told_by_their_neighbours() -> None:
    truth = 5 * np.sin(2 * np.pi * 0.4 * TIMES)
    values, weights = truth.copy(), np.ones(120)
    values[60:63], weights[60:63] = 40.0, 0.0
    out = smooth(TIMES, values[:, None], weights, floor=0.2)[:, 0]
    assert np.abs(out - truth)[55:68].max() < 0.6


def test_columns_of_a_group_share_their_width() -> None:
    rng = np.random.default_rng(5)
    step = np.where(TIMES > 2, 10.0, 0.0)
    values = np.stack([step, np.zeros(120)], axis=1) + rng.normal(0, 0.1, (120, 2))
    alone, together = smooth(TIMES, values), smooth(TIMES, values, groups=[(0, 1)])
    near = slice(56, 66)
    assert np.abs(together[near, 1] - values[near, 1]).mean() < np.abs(alone[near, 1] - values[near, 1]).mean()


def test_noise_is_told_from_motion() -> None:
    rng = np.random.default_rng(6)
    signal = 20 * np.sin(2 * np.pi * 0.5 * np.arange(400) / 30) + rng.normal(0, 0.5, 400)
    assert noise_of(signal[:, None])[0] == pytest.approx(0.5, rel=0.15)


def test_the_one_euro_filter_is_steady_at_rest_and_quick_in_motion() -> None:
    rng = np.random.default_rng(7)
    filtered, out = OneEuro(cutoff=1.0, opening=0.05), []
    truth = np.where(TIMES < 2, 0.0, 60 * (TIMES - 2))
    for time, value in zip(TIMES, truth + rng.normal(0, 0.5, 120), strict=True):
        now, filtered = filtered.next(float(time), np.array([value]))
        out.append(now[0])
    assert np.std(out[20:60]) < 0.3
    assert abs(out[-1] - truth[-1]) < 60 / 30 * 3  # at most three frames behind
