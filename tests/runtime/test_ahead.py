"""What is made ahead comes in order and whole, its errors too, and ends when nobody wants it any more."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from tronie.runtime.ahead import ahead, spread
from tronie.runtime.job import Clock, Told, watched


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


def test_watched_items_are_counted_together_until_somebody_wishes_to_end() -> None:
    heard: list[tuple[str, int, int | None]] = []
    told = Told(lambda *said: heard.append(said))
    assert list(watched("ab", "talking", 3, told, lambda: False)) == ["a", "b"]
    assert list(watched("cd", "talking", 3, told, lambda: False)) == ["c", "d"]
    assert heard == [("talking", n, 3) for n in (1, 2, 3, 3)]
    with pytest.raises(KeyboardInterrupt):
        list(watched("ef", "talking", 3, told, lambda: True))


def test_a_clock_adds_up_what_threads_spend() -> None:
    clock = Clock()
    for _ in range(2):
        with clock("a"):
            time.sleep(0.01)
    assert 0.02 <= clock.seconds["a"] < 1.0
