"""Ctrl-C and the system's wish to end, turned into wishes that a job knows."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

from tronie.runtime.job import Job


@dataclass(slots=True)
class Interrupted:
    """Whether the user has asked to end."""

    signal: int = 0
    """The number of the first signal that came, 0 while none has."""

    @property
    def code(self) -> int:
        """The exit code of a command that was ended."""
        return 128 + (self.signal or signal.SIGINT)


@contextmanager
def interrupting(job: Job, say: Callable[[], None]) -> Iterator[Interrupted]:
    """The first Ctrl-C or SIGTERM has the job drain (`say` is called, the work in hand may finish); the second cancels
    it, and interrupts what this thread is at.

    Signals can only be caught in the main thread; elsewhere nothing changes.
    """
    caught = Interrupted()
    if threading.current_thread() is not threading.main_thread():
        yield caught
        return

    def react(number: int, frame: FrameType | None) -> None:
        if caught.signal:
            job.cancel()
            raise KeyboardInterrupt
        caught.signal = number
        job.drain()
        say()

    before: dict[int, Any] = {
        number: signal.signal(number, react)
        for number in (signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) is not signal.SIG_IGN  # started by `nohup` or in the background of a script
    }
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
