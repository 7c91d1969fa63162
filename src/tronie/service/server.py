"""The process beside the window, in which everything that takes time is done. No Qt here.

The window's queues (`tronie.gui.client`) send it work: module-level functions of a `Workspace`, a job and what was
given along. Every queue has a thread of its own and does one thing after the other. The process ends when its
connection does, so none is left however the window ended; what was being written is taken back first.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from tronie.errors import Cancelled, sentence
from tronie.runtime import logs
from tronie.runtime.job import Event, Job
from tronie.runtime.logs import logger

log = logger(__name__)

PATIENCE = 10.0
"""Seconds that jobs have to come to their next step when the window has gone."""

Send = Callable[[tuple[int, str, Any]], None]
"""Of a job's number, what kind of thing is said of it, and the thing."""


class InterfaceJob(Job):
    """Whose events go to an interface; it may wait until the last one has been shown."""

    def __init__(self, number: int, send: Send) -> None:
        super().__init__(lambda event: send((number, "told", event)))
        self._taken = threading.Event()

    def emit(self, event: Event) -> None:
        self._taken.clear()
        super().emit(event)

    def cancel(self) -> None:
        super().cancel()
        self._taken.set()

    def take(self) -> None:
        """The interface has what was told last."""
        self._taken.set()

    def wait(self, seconds: float) -> None:
        """Until the interface has taken what was told last, at most so long. Raises Cancelled."""
        self.check()
        self._taken.wait(seconds)
        self.check()


class Worker(threading.Thread):
    """Does what is in one queue."""

    def __init__(self, name: str, workspace: Any, send: Send) -> None:
        super().__init__(name=f"tronie-{name}", daemon=True)
        self._workspace, self._send = workspace, send
        self._waiting: deque[tuple[int, Callable[..., Any], tuple[Any, ...]]] = deque()
        self._change = threading.Condition()
        self._job: InterfaceJob | None = None
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
            if self._job is not None:
                self._job.cancel()
            self._change.notify()

    def take(self) -> None:
        with self._change:
            if self._job is not None:
                self._job.take()

    def _drop(self, said: str) -> None:
        for number, *_ in self._waiting:
            self._send((number, said, None))
        self._waiting.clear()

    def run(self) -> None:
        while True:
            with self._change:
                self._job = None
                while not self._waiting and not self._closing:
                    self._change.wait()
                if self._closing:
                    return
                number, function, given = self._waiting.popleft()
                job = self._job = InterfaceJob(number, self._send)
            self._send((number, *outcome(function, self._workspace, job, given)))


def outcome(function: Callable[..., Any], workspace: Any, job: Job, given: tuple[Any, ...]) -> tuple[str, Any]:
    """What came of it: `done` with its result, `failed` with a sentence, or `stopped`."""
    try:
        return "done", function(workspace, job, *given)
    except Cancelled:
        return "stopped", None
    except Exception as error:
        log.exception("%s failed", function.__name__)
        return "failed", sentence(error)


def serve(connection: Connection) -> None:
    """Do what the connection says until it ends."""
    from tronie.service.workspace import Workspace

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the window's
    logs.start()
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    workspace, workers, lock = Workspace(), dict[str, Worker](), threading.Lock()

    def send(message: tuple[int, str, Any]) -> None:
        with lock:
            try:
                connection.send(message)
            except (OSError, ValueError):  # nobody listens any more
                return
            except Exception as error:  # what cannot be packed
                log.exception("a result cannot be sent")
                connection.send((message[0], "failed", sentence(error)))

    try:
        while True:
            what, name, *more = connection.recv()
            if what == "quit":
                break
            worker = workers.get(name)
            if what == "do":
                if worker is None:
                    worker = workers[name] = Worker(name, workspace, send)
                    worker.start()
                worker.add(*more)
            elif worker is not None:
                worker.cancel() if what == "cancel" else worker.take()
    except (EOFError, OSError):
        pass
    for worker in workers.values():
        worker.cancel(close=True)
    for worker in workers.values():
        worker.join(PATIENCE)
    workspace.close()
    os._exit(0)  # threads that still compute are not waited for
