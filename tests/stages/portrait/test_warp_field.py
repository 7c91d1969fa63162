"""Membranes, the narrowest direction of a map, and the loop that lays one picture over another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from tronie.arrays import Array
from tronie.stages.portrait.layers import _narrowest, centres, lay
from tronie.stages.portrait.warp_field import membrane, splat


def dense(weight: Array, data: Array, screen: float) -> Array:
    """The same minimum by solving the normal equations."""
    h, w = weight.shape
    index = np.arange(h * w).reshape(h, w)
    system = np.diag(weight.ravel() + screen)
    for a, b in ((index[:-1], index[1:]), (index[:, :-1], index[:, 1:])):
        for p, q in zip(a.ravel(), b.ravel(), strict=True):
            system[[p, q], [p, q]] += 1
            system[p, q] -= 1
            system[q, p] -= 1
    right = (weight[..., None] * data).reshape(h * w, -1)
    return np.asarray(np.linalg.solve(system, right)).reshape(data.shape)


@pytest.mark.parametrize("shape", [(12, 9), (33, 26), (31, 40)])
def test_the_membrane_is_the_least_squares_solution(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    weight = np.where(rng.random(shape) < 0.1, 3.0, 0.0)
    data = rng.normal(size=(*shape, 2)) + 4
    exact = dense(weight, data, 0.02)
    assert np.abs(membrane(weight, data, 0.02) - exact).max() < 0.03 * np.abs(exact).max()


@settings(max_examples=15, deadline=None)
@given(st.integers(8, 50), st.integers(8, 50), st.floats(-30, 30))
def test_a_constant_stays_a_constant(height: int, width: int, value: float) -> None:
    weight = np.zeros((height, width))
    weight[height // 2, width // 3] = 5
    field = membrane(weight, np.full((height, width, 1), value), 0.0)
    assert np.abs(field - value).max() <= 0.1 * abs(value) + 1e-4


def test_splat_means_what_falls_into_a_cell() -> None:
    points = np.array([[0.2, 0.7], [0.9, 0.1], [2.5, 1.5], [9, 9], [-1, 0]])
    weight, mean = splat(points, np.array([[1.0], [3.0], [5.0], [7.0], [7.0]]), np.array([1.0, 3, 1, 1, 1]), 2, 3)
    assert_array_equal(weight, [[4, 0, 0], [0, 0, 1]])
    assert_allclose(mean[..., 0], [[2.5, 0, 0], [0, 0, 5]])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-2, 2), min_size=4, max_size=4))
def test_the_narrowest_direction_is_the_smaller_singular_value(numbers: list[float]) -> None:
    matrix = np.array(numbers).reshape(2, 2)
    place = centres((6, 5), 4.0) @ matrix.T
    expected = np.linalg.svd(matrix, compute_uv=False)[1]
    assert_allclose(np.abs(_narrowest(place, 4.0)), expected, atol=2e-3)


def test_laying_nothing_changes_nothing_and_laying_all_replaces_it() -> None:
    rng = np.random.default_rng(0)
    out = rng.integers(0, 255, (24, 16, 3)).astype(np.uint8)
    source = rng.integers(0, 255, (24, 16, 3)).astype(np.uint8)
    grid = np.zeros((6, 4, 9), np.float32)
    grid[..., :2] = centres((6, 4), 4.0) - 0.5  # each pixel where it is
    grid[..., 8] = 1
    ones, kinds = np.ones((3, 2, 3), np.float32), np.array([1, 2, 3, 7, 6], np.uint8)

    def laid() -> tuple[Array, Array]:
        picture, mask = out.copy(), np.zeros((24, 16), np.uint8)
        lay(picture, source, grid, ones, np.full((6, 4, 3), 50, np.float32), 4, kinds, mask)
        return picture, mask

    picture, mask = laid()
    assert_array_equal(picture, out)
    assert (mask == 1).all()
    grid[..., 2] = 1
    picture, mask = laid()
    inner = np.s_[2:-2, 2:-2]  # the outermost half of the border's cells has no place of its own
    assert_array_equal(picture[inner], source[inner])
    assert (mask == 2).all()
    grid[..., 2], grid[..., 4], grid[..., 8] = 0, 1, 0
    picture, mask = laid()
    assert (picture == 50).all()
    assert (mask == 7).all()
