"""What is told of a running job, and how long its parts take; both from several threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")

Progress = Callable[[str, int, int | None], None]
"""What is being done, how much of it is done, of how much (None: nobody knows)."""


class Told:
    """A listener that is told things one at a time, by whichever thread."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}

    def __call__(self, what: str, done: int, of: int | None) -> None:
        if self._progress is not None:
            with self._lock:
                self._progress(what, done, of)

    def one(self, what: str, of: int) -> None:
        """One more is done."""
        if self._progress is not None:
            with self._lock:
                self._counts[what] = done = min(self._counts.get(what, 0) + 1, of)
                self._progress(what, done, of)


def watched(
    items: Iterable[T], what: str, of: int, told: Told, cancelled: Callable[[], bool]
) -> Generator[T, None, None]:
    """The same items; each is told of, and KeyboardInterrupt raised once somebody wishes to end."""
    for item in items:
        if cancelled():
            raise KeyboardInterrupt
        told.one(what, of)
        yield item


@dataclass(slots=True)
class Clock:
    """Seconds by what they were spent on."""

    seconds: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began
