"""The worker's end of a process of the pool: what it is told, what it says, and that it ends when nobody listens."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from tronie.errors import TronieError

T = TypeVar("T")
R = TypeVar("R")

OFTEN = 0.2
"""Seconds between two things of one kind that are said."""


@dataclass(slots=True)
class Line:
    """From whoever does a task to whoever gave it. This one reaches nobody."""

    def expect(self, seconds: float | None, what: str, most_bytes: int | None = None) -> None:
        """If nothing else is said within so many seconds (None: ever), the process is stuck: `what` is what it does.
        Until then it will not hold more than `most_bytes` of memory (None: nobody knows)."""

    def progress(self, what: str, done: int, total: int | None) -> None:
        """How much is done, of how much (None: nobody knows)."""

    def stopping(self) -> bool:
        """Whether the work is not wanted any more."""
        return False


@dataclass(slots=True)
class Pipes(Line):
    """A line to another process."""

    told: Connection
    said: Connection
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _last: tuple[str, float] = ("", 0.0)

    def expect(self, seconds: float | None, what: str, most_bytes: int | None = None) -> None:
        # A step of the same kind gets its time anew, but need not be told of a thousand times a second.
        now = time.monotonic()
        if self._last[0] != what or now - self._last[1] > OFTEN:
            self._last = what, now
            self.send("expect", (seconds, what, most_bytes))

    def progress(self, what: str, done: int, total: int | None) -> None:
        self.send("progress", (what, done, total))

    def stopping(self) -> bool:
        try:
            return self.told.poll()  # while a task is in work nothing else is sent
        except OSError:
            return True

    def send(self, kind: str, value: Any) -> None:
        with self._lock, contextlib.suppress(BrokenPipeError):
            self.said.send((kind, value))


def serve(told: Connection, said: Connection, start: Callable[[Line], Callable[[T], R]], quiet: bool) -> None:
    """The life of a worker process. `quiet` keeps back what decoders write to stderr of their own accord."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_parent()
    if quiet:
        _hush()
    line = Pipes(told, said)
    try:
        function = start(line)
    except TronieError as error:
        line.send("failed", str(error))
        return
    except Exception as error:
        if not quiet:
            raise
        line.send("failed", f"The worker processes do not start: {type(error).__name__}: {error}.")
        return
    line.send("ready", None)
    while True:
        try:
            message = told.recv()
        except (EOFError, OSError):  # the parent is gone
            return
        if message is None:
            return
        kind, task = message
        if kind != "task":  # a wish to stop that came too late
            continue
        try:
            answer = function(task)
        except KeyboardInterrupt:
            line.send("stopped", None)
        else:
            line.send("done", answer)


def _end_with_parent() -> None:
    """Should the parent be killed, end at once: a worker that went on would write beside the next run's."""
    parent = parent_process()
    if parent is None:
        return
    if sys.platform == "linux":  # also while a decoder holds the interpreter's lock
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="tronie-parent", daemon=True).start()


def _hush() -> None:
    """stderr to nowhere, beneath Python too: libpng, FFmpeg and OpenCV write to its number."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
