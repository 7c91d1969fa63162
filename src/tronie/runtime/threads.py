"""Work of several threads: parts of a picture, generators that go on while their results are used, many items."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

T = TypeVar("T")
R = TypeVar("R")

PATIENCE = 0.2
"""Seconds after which a thread whose result nobody takes looks whether it is still wanted."""
LATE = 0.1
"""Seconds that an item may come after it was due before the later ones are put off."""


def in_bands(work: Callable[[int, int], object], edges: Sequence[int]) -> None:
    """Call `work(first, last)` for the rows between neighbouring edges, all but the first band in threads of their own:
    kernels let go of the interpreter's lock.

    An exception of any band is raised when all have ended.
    """
    pairs = list(pairwise(edges))
    if len(pairs) == 1:
        work(*pairs[0])
        return
    with ThreadPoolExecutor(len(pairs) - 1) as pool:
        others = [pool.submit(work, first, last) for first, last in pairs[1:]]
        work(*pairs[0])
    for other in others:
        other.result()


def even(height: int, bands: int) -> list[int]:
    """Edges of bands of equal height, at least one."""
    count = max(1, min(bands, height))
    return [height * k // count for k in range(count + 1)]


def ahead(items: Iterable[T], count: int = 4) -> Generator[T, None, None]:
    """The same items, made by a thread of its own up to `count` ahead of their use; its exception is raised here.

    When this generator is closed, the thread ends with the item at hand, and is waited for.
    """
    ready: queue.Queue[T | _Failed | _Ended] = queue.Queue(count)
    enough = threading.Event()

    def give(item: T | _Failed | _Ended) -> bool:
        while not enough.is_set():
            try:
                ready.put(item, timeout=PATIENCE)
                return True
            except queue.Full:
                continue
        return False

    def make() -> None:
        try:
            for item in items:
                if not give(item):
                    break
            give(_Ended())
        except BaseException as error:
            give(_Failed(error))
        finally:
            close = getattr(items, "close", None)  # what it waits for, it lets go of in the thread that ran it
            if close is not None and enough.is_set():
                close()

    maker = threading.Thread(target=make, name="tronie-ahead", daemon=True)
    maker.start()
    try:
        while not isinstance(item := ready.get(), _Ended):
            if isinstance(item, _Failed):
                raise item.error
            yield item
    finally:
        enough.set()
        maker.join()


def newest(
    items: Iterable[T], due: Callable[[T], float] | None = None, *, ended: Callable[[], bool] = lambda: False
) -> Generator[T, None, None]:
    """Of items that a thread of its own makes, always the last one: whoever is slow misses some and is never behind.

    `due` says of an item how many seconds after the first it is to come, for those that would come too fast; where they
    come too late, all later ones do. Its exception is raised here; it is over as well once `ended` says so.
    """
    changed, enough = threading.Condition(), threading.Event()
    waiting: list[T | _Failed | _Ended] = []

    def give(item: T | _Failed | _Ended) -> None:
        with changed:
            if isinstance(item, (_Failed, _Ended)):
                waiting.append(item)  # after the last one, which is not missed
            else:
                waiting[:] = [item]
            changed.notify()

    def make() -> None:
        began: float | None = None
        try:
            for item in items:
                if due is not None:
                    at, now = due(item), time.monotonic()
                    began = max(now - at - LATE, now - at if began is None else began)
                    enough.wait(max(0.0, began + at - now))
                if enough.is_set():
                    return
                give(item)
            give(_Ended())
        except BaseException as error:
            give(_Failed(error))

    maker = threading.Thread(target=make, name="tronie-newest", daemon=True)
    maker.start()
    try:
        while True:
            with changed:
                while not waiting:
                    if ended():
                        return
                    changed.wait(PATIENCE)
                item = waiting.pop(0)
            if isinstance(item, _Failed):
                raise item.error
            if isinstance(item, _Ended) or ended():
                return
            yield item
    finally:
        enough.set()
        maker.join(10 * PATIENCE)  # a camera that hangs is not waited for


def spread(work: Callable[[T], R], items: Iterable[T], threads: int, *, waiting: int = 1) -> Generator[R, None, None]:
    """`work` of every item, in their order, several at a time in threads; no more are begun than soon are wanted.
    Without any `waiting`, one of the threads rests while a result is used: it is the user's thread that works then."""
    if threads < 2:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(threads, "tronie-spread") as pool:
        running: deque[Future[R]] = deque()
        try:
            for item in items:
                running.append(pool.submit(work, item))
                if len(running) >= threads + waiting:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            for future in running:
                future.cancel()


@contextmanager
def beside(work: Callable[[], R], threads: int) -> Iterator[Callable[[], R]]:
    """What waits for `work` and gives its result, or raises its exception: it is done in a thread of its own while this
    context lasts, with one thread before it begins."""
    if threads < 2:
        done = work()
        yield lambda: done
        return
    with ThreadPoolExecutor(1, "tronie-beside") as pool:
        yield pool.submit(work).result


@cache
def _blas() -> ThreadpoolController:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def single_blas_thread() -> AbstractContextManager[Any]:
    """No BLAS threads inside: on the fit's small matrices two threads took 0.5 s where one takes 0.01 s."""
    limit: AbstractContextManager[Any] = _blas().limit(limits=1, user_api="blas")
    return limit


class _Ended:
    pass


class _Failed:
    def __init__(self, error: BaseException) -> None:
        self.error = error
