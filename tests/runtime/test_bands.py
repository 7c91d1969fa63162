"""Bands cover every row once, whatever their number; what goes wrong in one of them is told."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tronie.runtime.threads import even, in_bands


@given(st.integers(1, 200), st.integers(0, 12))
def test_every_row_is_made_once(height: int, bands: int) -> None:
    rows = np.zeros(height, int)

    def work(first: int, last: int) -> None:
        rows[first:last] += 1

    edges = even(height, bands)
    in_bands(work, edges)
    assert (rows == 1).all()
    assert max(np.diff(edges)) - min(np.diff(edges)) <= 1
    assert len(edges) - 1 == max(1, min(bands, height))


def test_one_band_stays_in_its_thread_and_others_get_their_own() -> None:
    names: list[str] = []
    in_bands(lambda first, last: names.append(threading.current_thread().name), [0, 5])
    assert names == [threading.current_thread().name]
    in_bands(lambda first, last: names.append(threading.current_thread().name), [0, 5, 9])
    assert names.count(threading.current_thread().name) == 2


@pytest.mark.parametrize("bad", [0, 4, 8])
def test_an_error_in_any_band_is_raised(bad: int) -> None:
    def work(first: int, last: int) -> None:
        if first == bad:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        in_bands(work, [0, 4, 8, 12])
