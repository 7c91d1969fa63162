"""Fields over rays that close round the head."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tronie.stages.hair.ring import blurred, closed, depth_within, normals, relaxed, widest
from tronie.stages.hair.scaffold import rays


@given(st.floats(-50, 50), st.integers(0, 2**31 - 1))
def test_what_is_even_stays_even(value: float, seed: int) -> None:
    weight = closed(np.random.default_rng(seed).random((48, 96)))
    even = np.full(weight.shape, value)
    np.testing.assert_allclose(relaxed(even, weight, value, 0.1), value, atol=1e-3 * (1 + abs(value)))
    np.testing.assert_allclose(blurred(even), value, atol=1e-4 * (1 + abs(value)))


@given(st.integers(1, 95))
def test_no_column_is_special(shift: int) -> None:
    rng = np.random.default_rng(3)
    value, weight = rng.random((48, 96)), (rng.random((48, 96)) > 0.9).astype(float)
    turned = np.roll(value, 8 * shift, axis=1), np.roll(weight, 8 * shift, axis=1)
    one = relaxed(closed(value), closed(weight), 0.5, 0.01)[:, :-1]
    two = relaxed(closed(turned[0]), closed(turned[1]), 0.5, 0.01)[:, :-1]
    assert np.abs(np.roll(one, 8 * shift, axis=1) - two)[2:].max() < 0.06
    for smooth in (blurred, widest):
        one, two = smooth(closed(value))[:, :-1], smooth(closed(turned[0]))[:, :-1]
        np.testing.assert_allclose(np.roll(one, 8 * shift, axis=1), two, atol=1e-5)


def test_values_spread_between_what_is_known() -> None:
    weight, value = np.zeros((48, 97)), np.zeros((48, 97))
    weight[:, 24], value[:, 24] = 100, 10
    weight[:, 72], value[:, 72] = 100, 20
    found = relaxed(value, weight, 0.0, 0.0)
    np.testing.assert_allclose(found[24, [24, 48, 72, 96]], [10, 15, 20, 15], atol=0.8)


def test_depth_grows_across_the_seam() -> None:
    covered = np.zeros((48, 97), bool)
    covered[:, :10] = covered[:, 87:] = True
    depth = depth_within(covered)
    assert depth[24, 0] == depth[24, 96] > depth[24, 8] > 0 == depth[24, 48]


def test_normals_point_outwards() -> None:
    offset, direction = rays(49)
    n = normals(offset + 80 * direction)
    assert ((n * direction).sum(-1) > 0.95).all()
