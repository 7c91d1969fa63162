"""Ctrl-C and the system's wish to end, turned into a question that can be asked between two photos."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any


@dataclass(slots=True)
class Stop:
    """Whether the user has asked to stop."""

    signal: int = 0
    """The number of the first signal that came, 0 while none has."""

    @property
    def requested(self) -> bool:
        return self.signal != 0


@contextmanager
def stop_on_signals(say: Callable[[], None]) -> Iterator[Stop]:
    """Catch the first Ctrl-C or SIGTERM (`say` is called, the work in hand may finish); the second interrupts.

    Signals can only be caught in the main thread; elsewhere the value never changes.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def react(number: int, frame: FrameType | None) -> None:
        if stop.requested:
            raise KeyboardInterrupt
        stop.signal = number
        say()

    before: dict[int, Any] = {
        number: signal.signal(number, react)
        for number in (signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) is not signal.SIG_IGN  # started by `nohup` or in the background of a script
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
