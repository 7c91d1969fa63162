"""Principal components of maps with gaps: halves go together again, and what is hidden is found."""

from __future__ import annotations

import numpy as np

from training.skin.train import Data, Parts, learn, smooth_mean

SIDE = 16


def test_halves_go_together_again() -> None:
    rng = np.random.default_rng(0)
    inside = np.ones((SIDE, SIDE), bool)
    inside[:, :3] = inside[:, -3:] = False
    parts = Parts(inside)
    light = rng.normal(size=(4, SIDE, SIDE)) * inside
    coarse = inside.reshape(8, 2, 8, 2).any(axis=(1, 3))
    hues = rng.normal(size=(4, 8, 8, 2)) * coarse[..., None]
    back = parts.join(*parts.split(light, hues))
    np.testing.assert_allclose(back[0], light, atol=1e-6)
    np.testing.assert_allclose(back[1], hues, atol=1e-6)


def test_hidden_quarters_are_found_from_what_faces_have_in_common() -> None:
    rng = np.random.default_rng(1)
    inside = np.ones((SIDE, SIDE), bool)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5 + 0.5 / SIDE
    # Even and odd in the mirror, as skins are on the whole.
    waves = np.stack([np.cos(2 * x), np.sin(3 * x) * np.cos(y), np.cos(3 * x) * np.sin(2 * y), np.sin(2 * x) * y])
    mean = 0.3 * np.cos(5 * x) + 4
    mean = (mean + mean[:, ::-1]) / 2
    people, score = 60, rng.normal(size=(60, 4)) * [1.0, 0.7, 0.5, 0.4]
    light = mean + np.tensordot(score, waves, 1) + 0.01 * rng.normal(size=(people, SIDE, SIDE))
    hues = np.stack([light, 0.2 * light], axis=-1)[:, ::2, ::2]
    weight = np.ones_like(light)
    for k in range(people):
        i, j = rng.integers(0, 2, 2) * SIDE // 2
        weight[k, i : i + 8, j : j + 8] = 0
    data = Data(*(a.astype(np.float32) for a in (light, hues, weight, weight[:, ::2, ::2])))
    centre, modes, odd, noise, scores = learn(data, np.dstack([mean, mean, 0.2 * mean]), inside, 8)
    parts = Parts(inside)
    assert noise.min() > 0
    rest = [(scores * (odd == o)) @ modes for o in (0, 1)]
    guess = parts.join(rest[0] + centre, rest[1])[0]
    hidden = weight == 0
    tone = np.array([np.median((a - mean)[w > 0]) for a, w in zip(light, weight, strict=True)])
    plain = np.abs(mean + tone[:, None, None] - light)[hidden].mean()
    assert np.abs(guess - light)[hidden].mean() < 0.5 * plain


def test_a_mean_with_gaps_is_filled_smoothly_and_kept_where_it_is_known() -> None:
    truth = np.full((32, 32, 1), 2.0, np.float32)
    weight = np.zeros((32, 32), np.float32)
    weight[:, :20] = 300
    np.testing.assert_allclose(smooth_mean(truth * weight[..., None], weight), truth, atol=1e-3)
