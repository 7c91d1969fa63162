"""Bands cover every row once; what is made ahead comes in order and whole; what goes wrong in a thread is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tronie.runtime.threads import ahead, beside, even, in_bands, spread


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


def test_items_made_ahead_are_the_same() -> None:
    assert list(ahead(iter(range(50)), 3)) == list(range(50))
    assert list(ahead(ahead(iter(range(20))), 2)) == list(range(20))


def test_an_error_is_raised_where_the_items_are_used_and_after_those_before_it() -> None:
    def broken() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("third")

    items = ahead(broken())
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(ValueError, match="third"):
        next(items)


def test_it_ends_and_cleans_up_when_nobody_wants_more() -> None:
    ended = threading.Event()

    def endless() -> Iterator[int]:
        try:
            k = 0
            while True:
                yield (k := k + 1)
        finally:
            ended.set()

    with closing(ahead(endless(), 2)) as items:
        assert [next(items), next(items)] == [1, 2]
    assert ended.wait(5)
    assert not [t for t in threading.enumerate() if t.name == "tronie-ahead"]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_spread_work_comes_back_in_order(threads: int) -> None:
    def slow(k: int) -> int:
        time.sleep(0.002 * (k % 3))
        return k * k

    assert list(spread(slow, range(20), threads)) == [k * k for k in range(20)]


def test_spread_begins_no_more_than_is_wanted_soon() -> None:
    begun: list[int] = []
    results = spread(lambda k: begun.append(k) or k, range(100), 3)
    assert next(results) == 0
    assert len(begun) <= 5
    results.close()


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_done_beside_is_waited_for_and_its_error_raised(threads: int) -> None:
    with beside(threading.get_ident, threads) as where:
        assert (where() == threading.get_ident()) == (threads == 1)
        assert where() == where()
    with pytest.raises(ZeroDivisionError), beside(lambda: 1 // 0, threads) as never:
        never()


def test_what_is_done_beside_has_ended_when_the_rest_fails() -> None:
    ended: list[bool] = []

    def slow() -> None:
        time.sleep(0.02)
        ended.append(True)

    with pytest.raises(KeyError), beside(slow, 2):
        raise KeyError
    assert ended
