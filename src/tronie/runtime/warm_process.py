"""One process that is kept from task to task, so that what it has loaded is there for the next one."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Generic, TypeVar, cast

from tronie.errors import Cancelled
from tronie.runtime import logs
from tronie.runtime.child_process import TICK, Child, Crash, Limit, WorkerError, launch
from tronie.runtime.job import Event, Job

T = TypeVar("T")
R = TypeVar("R")

FALSE_STARTS = 3
"""So often in a row a process may end before it is ready; then it is an error."""


class WarmProcess(Generic[T, R]):
    """Does one task after the other in a process of its own, which is begun anew whenever it was lost.

    `start` runs once in each process and gives the function that does a task, as in `run_in_processes`; so do `limit`,
    `threads` and `quiet`. `again` takes its place once a process has come to be ready. `starting` is the limit until
    the first event that has another. A process that holds more than `most` bytes after a task makes room for a fresh
    one. An instance belongs to one thread, which must live as long as the process shall: on Linux that ends with the
    thread that began it.
    """

    def __init__(
        self,
        start: Callable[[Job], Callable[[T], R]],
        *,
        again: Callable[[Job], Callable[[T], R]] | None = None,
        limit: Callable[[Event], Limit | None] = lambda event: None,
        starting: Limit | None = None,
        most: int | None = None,
        threads: int = 0,
        quiet: bool = True,
    ) -> None:
        self._start, self._again, self._limit, self._starting, self._most = start, again or start, limit, starting, most
        self._threads, self._quiet = threads, quiet
        self._child: Child[T] | None = None
        self._false_starts = 0

    def begin(self) -> None:
        """Have the process begun, unless it is; nothing is waited for."""
        if self._child is None:
            self._child = launch(self._start, self._threads, self._quiet)
            self._child.expect(self._starting)

    def ready(self, seconds: float = 0.0, hear: Callable[[Event], object] | None = None) -> bool:
        """Whether the process waits for a task, after at most so long; `hear` is told what it tells meanwhile. It is
        begun anew where it has ended. Raises WorkerError where it does not come to be ready."""
        self.begin()
        child = self._child
        assert child is not None
        while not child.ready or child.inbox.poll():
            trouble: Crash | None = None
            if child.inbox.poll(seconds):
                kind, value = child.listen()
            elif (trouble := child.trouble()) is not None:
                child.process.kill()
                kind, value = "gone", None
            else:
                return False
            if kind == "gone":
                self._child, ended = None, child.collect()
                self._false_starts += not child.ready
                if self._false_starts >= FALSE_STARTS:
                    self._false_starts = 0
                    raise WorkerError(
                        f"The process for the work does not start: {trouble.reason if trouble else ended}."
                    )
                self.begin()
                return False
            if kind == "failed":
                self.close()
                raise WorkerError(value)
            if kind == "ready":
                child.ready, child.limit, self._false_starts = True, None, 0
                self._start = self._again
            else:
                self._heard(child, kind, value, hear)
        return True

    def do(self, task: T, job: Job, longest: float | None = None) -> R | Crash:
        """One task; waits until it is done, at most `longest` seconds. `job` is told what the process tells. Once it is
        cancelled, the process is ended, a fresh one begins, and Cancelled is raised. Raises WorkerError where no
        process comes to be ready."""
        while not self.ready(TICK, job.emit):
            job.check()
        child = self._child
        assert child is not None
        if not child.give(task):  # it was lost while it had nothing to do
            self.begin_anew()
            return self.do(task, job, longest)
        began = time.monotonic()
        while True:
            if job.cancelled:
                self.begin_anew()
                raise Cancelled
            kind, value = child.listen() if child.inbox.poll(TICK) else ("silent", None)
            # Asked also of one that talks all the time.
            if kind not in ("gone", "done"):
                trouble = child.trouble()
                if longest is not None and time.monotonic() > began + longest:
                    trouble = Crash(f"it took more than {longest:g} s in all", "timeout")
                if trouble is not None:
                    child.process.kill()
                    return self._lost(child, trouble)
            if kind == "gone":
                return self._lost(child, None)
            if kind in ("done", "stopped"):
                child.task = child.limit = None
                if self._most is not None and child.holds() > self._most:
                    self.begin_anew()
                if kind == "stopped":
                    raise Cancelled
                return cast(R, value)
            self._heard(child, kind, value, job.emit)

    def begin_anew(self) -> None:
        """End the process at once, whatever it does, and begin a fresh one."""
        self.close()
        self.begin()

    def close(self) -> None:
        """End the process at once, and wait until it has."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()

    def __enter__(self) -> WarmProcess[T, R]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _lost(self, child: Child[T], trouble: Crash | None) -> Crash:
        self._child = None
        ended = child.collect()
        self.begin()
        return trouble or Crash(ended)

    def _heard(self, child: Child[T], kind: str, value: Any, hear: Callable[[Event], object] | None) -> None:
        if kind == "event":
            child.expect(self._limit(value))
            if hear is not None:
                hear(value)
        elif kind == "log":
            logs.relay(value)
