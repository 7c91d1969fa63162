"""The process beside the window, in which everything that takes time is done. No Qt here.

The window's lines (`tronie.gui.client`) send it jobs: module-level functions of a `Desk`, a `Tell` and what was given
along. Every line has a thread of its own and does one job after the other. The process ends when its connection does,
so none is left however the window ended; what was being written is taken back first.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from tronie.errors import Stopped, TronieError

PATIENCE = 10.0
"""Seconds that jobs have to come to their next step when the window has gone."""

Send = Callable[[tuple[int, str, Any]], None]
"""Of a job's number, what kind of thing is said of it, and the thing."""


class Tell:
    """Passes anything on to the window; raises Stopped when the job is to end."""

    def __init__(self, number: int, send: Send) -> None:
        self._number, self._send = number, send
        self._stop, self._taken = threading.Event(), threading.Event()

    def __call__(self, what: Any) -> None:
        if self._stop.is_set():
            raise Stopped("It was cancelled.")
        self._taken.clear()
        self._send((self._number, "told", what))

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def stop(self) -> None:
        self._stop.set()
        self._taken.set()

    def take(self) -> None:
        """The window has what was told last."""
        self._taken.set()

    def wait(self, seconds: float) -> None:
        """Until the window has taken what was told last, at most so long."""
        self._taken.wait(seconds)


class Hand(threading.Thread):
    """Does the jobs of one line."""

    def __init__(self, name: str, desk: Any, send: Send) -> None:
        super().__init__(name=f"tronie-{name}", daemon=True)
        self._desk, self._send = desk, send
        self._waiting: deque[tuple[int, Callable[..., Any], tuple[Any, ...]]] = deque()
        self._change = threading.Condition()
        self._tell: Tell | None = None
        self._closing = False

    def add(self, number: int, function: Callable[..., Any], given: tuple[Any, ...], alone: bool) -> None:
        with self._change:
            if alone:
                self._drop("dropped")
            self._waiting.append((number, function, given))
            self._change.notify()

    def cancel(self, close: bool = False) -> None:
        """Forget what waits, and stop what is in work at its next step."""
        with self._change:
            self._closing |= close
            self._drop("stopped")
            if self._tell is not None:
                self._tell.stop()
            self._change.notify()

    def take(self) -> None:
        with self._change:
            if self._tell is not None:
                self._tell.take()

    def _drop(self, said: str) -> None:
        for number, *_ in self._waiting:
            self._send((number, said, None))
        self._waiting.clear()

    def run(self) -> None:
        while True:
            with self._change:
                self._tell = None
                while not self._waiting and not self._closing:
                    self._change.wait()
                if self._closing:
                    return
                number, function, given = self._waiting.popleft()
                tell = self._tell = Tell(number, self._send)
            self._send((number, *outcome(function, self._desk, tell, given)))


def outcome(function: Callable[..., Any], desk: Any, tell: Tell, given: tuple[Any, ...]) -> tuple[str, Any]:
    """What came of a job: `done` with its result, `failed` with a sentence, or `stopped`."""
    try:
        return "done", function(desk, tell, *given)
    except Stopped:
        return "stopped", None
    except TronieError as error:
        return "failed", str(error)
    except MemoryError:
        return "failed", "There is not enough memory for this."
    except Exception as error:
        return "failed", f"This went wrong: {type(error).__name__}: {error}"


def serve(connection: Connection) -> None:
    """Do what the connection says until it ends."""
    from tronie.service.workspace import Desk

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the window's
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    desk, hands, lock = Desk(), dict[str, Hand](), threading.Lock()

    def send(message: tuple[int, str, Any]) -> None:
        with lock:
            try:
                connection.send(message)
            except (OSError, ValueError):  # nobody listens any more
                return
            except Exception as error:  # what cannot be packed
                connection.send((message[0], "failed", f"This went wrong: {type(error).__name__}: {error}"))

    try:
        while True:
            what, line, *more = connection.recv()
            if what == "quit":
                break
            hand = hands.get(line)
            if what == "do":
                if hand is None:
                    hand = hands[line] = Hand(line, desk, send)
                    hand.start()
                hand.add(*more)
            elif hand is not None:
                hand.cancel() if what == "cancel" else hand.take()
    except (EOFError, OSError):
        pass
    for hand in hands.values():
        hand.cancel(close=True)
    for hand in hands.values():
        hand.join(PATIENCE)
    desk.close()
    os._exit(0)  # threads that still compute are not waited for
