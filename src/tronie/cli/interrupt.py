"""Ctrl-C and the system's wish to end, turned into wishes that a job knows."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

from tronie.runtime.job import Job, Note

PATIENCE = 2.0
"""Seconds that the last note has to be told, should whoever listens be slow."""


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
def interrupting(job: Job, text: str) -> Iterator[Interrupted]:
    """The first Ctrl-C or SIGTERM has the job drain (it tells `text`, the work in hand may finish); the second cancels
    it, and interrupts what this thread is at.

    Signals can only be caught in the main thread; elsewhere nothing changes.
    """
    caught = Interrupted()
    if threading.current_thread() is not threading.main_thread():
        yield caught
        return

    # A signal may come while this thread is telling something itself: another one has to wait until that is told.
    notes: queue.SimpleQueue[Note | None] = queue.SimpleQueue()

    def tell() -> None:
        for note in iter(notes.get, None):
            job.emit(note)

    teller, over = threading.Thread(target=tell, name="tronie-interrupt", daemon=True), False

    def react(number: int, frame: FrameType | None) -> None:
        if caught.signal:
            job.cancel()
            if not over:
                raise KeyboardInterrupt
            return
        caught.signal = number
        job.drain()
        notes.put(Note(text))

    before: dict[int, Any] = {
        number: signal.signal(number, react)
        for number in (signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) is not signal.SIG_IGN  # started by `nohup` or in the background of a script
    }
    teller.start()
    try:
        yield caught
    finally:
        over = True
        notes.put(None)
        teller.join(PATIENCE)
        for number, handler in before.items():
            signal.signal(number, handler)
