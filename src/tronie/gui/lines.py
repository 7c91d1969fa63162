"""Work beside the window: a thread that does one job after the other, tells how far it is, and can be stopped."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QThread, Signal

from tronie.errors import Stopped, TronieError

Tell = Callable[[Any], None]
Job = Callable[[Tell], Any]
"""Gets a function that passes anything on to the window; that function raises Stopped when the job is to end."""


class Line(QThread):
    """Jobs with a key each. What comes of them arrives as signals in the window's own thread."""

    told = Signal(object, object)
    """Key, and what the job told on its way."""
    done = Signal(object, object)
    """Key and result."""
    failed = Signal(object, str)
    """Key and one sentence."""
    stopped = Signal(object)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._waiting: deque[tuple[Any, Job]] = deque()
        self._change = threading.Condition()
        self._closing = False
        self._stop: threading.Event | None = None
        """Of the job in work."""
        self.setObjectName("tronie")

    def submit(self, key: Any, job: Job, *, alone: bool = False) -> None:
        """Do a job after those that wait; `alone`: in their place (the one in work goes on)."""
        with self._change:
            if alone:
                self._waiting.clear()
            self._waiting.append((key, job))
            self._change.notify()
        if not self.isRunning():
            self.start()

    @property
    def busy(self) -> bool:
        with self._change:
            return bool(self._waiting) or self._stop is not None

    def cancel(self) -> None:
        """Forget what waits, and stop what is in work at its next step."""
        with self._change:
            waiting = [key for key, _ in self._waiting]
            self._waiting.clear()
            if self._stop is not None:
                self._stop.set()
        for key in waiting:
            self.stopped.emit(key)

    def close(self) -> None:
        """Cancel, and wait until the thread has ended: a file being written is finished or taken back."""
        with self._change:
            self._closing = True
            self._waiting.clear()
            if self._stop is not None:
                self._stop.set()
            self._change.notify()
        self.wait()

    def run(self) -> None:
        while True:
            with self._change:
                while not self._waiting and not self._closing:
                    self._change.wait()
                if self._closing:
                    return
                key, job = self._waiting.popleft()
                stop = self._stop = threading.Event()

            def tell(what: Any, key: Any = key, stop: threading.Event = stop) -> None:
                if stop.is_set():
                    raise Stopped("It was cancelled.")
                self.told.emit(key, what)

            try:
                result = job(tell)
            except Stopped:
                said: tuple[Any, ...] = (self.stopped, key)
            except TronieError as error:
                said = (self.failed, key, str(error))
            except MemoryError:
                said = (self.failed, key, "There is not enough memory for this.")
            except Exception as error:
                said = (self.failed, key, f"This went wrong: {type(error).__name__}: {error}")
            else:
                said = (self.done, key, result)
            with self._change:
                self._stop = None
            said[0].emit(*said[1:])
