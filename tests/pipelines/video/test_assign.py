"""The Hungarian method finds what SciPy's finds, and leaves out what costs too much."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tronie.pipelines.video.track import assign

sparse = pytest.importorskip("scipy.optimize")


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 10_000))
def test_the_total_is_the_least(rows: int, columns: int, seed: int) -> None:
    cost = np.random.default_rng(seed).normal(size=(rows, columns)) * 5
    pairs = assign(cost)
    row, column = sparse.linear_sum_assignment(cost)
    assert len(pairs) == min(rows, columns)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert sum(cost[pair] for pair in pairs) == pytest.approx(cost[row, column].sum())


def test_what_costs_too_much_is_left_alone_and_bends_nothing() -> None:
    cost = np.array([[0.1, 0.5], [0.2, 9.0]])
    assert assign(cost) == [(0, 1), (1, 0)]
    assert assign(cost, 0.45) == [(0, 0)]
    assert assign(np.array([[np.inf, 1.0], [np.inf, 2.0]])) == [(0, 1)]
    assert assign(np.zeros((0, 3))) == []
