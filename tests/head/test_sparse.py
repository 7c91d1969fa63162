"""The sparse matrices say what dense ones say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tronie.head.subdivide import Sparse

pairs = st.integers(1, 9)


def made(rng: np.random.Generator, rows: int, columns: int) -> tuple[Sparse, np.ndarray]:
    """A matrix with places named more than once, and with empty rows; sparse and dense."""
    count = rng.integers(0, rows * columns + 1)
    i, j, w = rng.integers(0, rows, count), rng.integers(0, columns, count), rng.integers(-2, 3, count) * 0.5
    dense = np.zeros((rows, columns))
    np.add.at(dense, (i, j), w)
    return Sparse.of(i, j, w, (rows, columns)), dense


@given(pairs, pairs, pairs, st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_products_and_rows_equal_those_of_dense_matrices(n: int, m: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    (a, dense_a), (b, dense_b) = made(rng, n, m), made(rng, m, k)
    x, y, rows = rng.normal(size=m), rng.normal(size=(m, 2)), rng.integers(0, n, 5)
    assert np.allclose(a @ x, dense_a @ x)
    assert np.allclose(a @ y, dense_a @ y)
    assert np.allclose(a[rows] @ y, dense_a[rows] @ y)
    assert np.allclose(a.after(b) @ np.eye(k), dense_a @ dense_b)
    assert a.shape == dense_a.shape
    assert len(a.weight) == np.count_nonzero(dense_a)


def test_the_identity_changes_nothing_and_single_precision_stays_single() -> None:
    x = np.arange(6, dtype=np.float32).reshape(3, 2)
    assert (Sparse.identity(3) @ x).dtype == np.float32
    assert np.array_equal(Sparse.identity(3) @ x, x)
    assert (Sparse.identity(3) @ x.astype(float)).dtype == np.float64


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        Sparse.identity(3) @ np.ones(4)
