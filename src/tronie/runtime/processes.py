"""Worker processes that survive each other: a crash costs only the task that was in work.

`concurrent.futures` breaks the whole pool when one process dies and cannot say on which task; here every worker
has its own pipe, so the parent always knows. A worker gets its next task when it has answered the last one, so
nothing queues up in memory.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, Literal, TypeVar

from tronie.errors import TronieError
from tronie.runtime import logs
from tronie.runtime.hardware import resident
from tronie.runtime.job import Event, Job
from tronie.runtime.pipe import serve

T = TypeVar("T")
R = TypeVar("R")

SINGLE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}
"""Libraries read these when they are loaded, so they must be set before the worker imports anything."""


TICK = 0.1
"""Seconds between two looks at what the processes do."""


class WorkerError(TronieError):
    """No worker process can be brought to work."""


@dataclass(frozen=True, slots=True)
class Crash:
    """The process that worked on a task ended without an answer."""

    reason: str
    """One clause."""
    bound: Literal["", "timeout", "memory"] = ""
    """Which of its bounds it broke."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a process may take for what it does now. If nothing more is heard of it by then, it is stuck."""

    seconds: float | None
    """None: no limit."""
    memory: int | None
    """Bytes; None: no limit."""
    what: str
    """What it does, as the subject of a sentence."""


@dataclass(slots=True)
class _Worker(Generic[T]):
    process: BaseProcess
    inbox: Connection
    """What it says."""
    outbox: Connection
    """What it is told. Two pipes of one direction, for one of both would be a socket."""
    ready: bool = False
    task: T | None = None
    limit: Limit | None = None
    since: float = 0.0
    """When the limit began."""
    least: int | None = None
    """Bytes of memory that it might hold at any step so far."""
    drained: bool = False

    def expect(self, limit: Limit | None) -> None:
        """Put it under a limit; None leaves it under the one that it has."""
        if limit is not None:
            self.limit, self.since = limit, time.monotonic()
            if limit.memory is not None:
                self.least = min(limit.memory, self.least or limit.memory)

    def drain(self) -> None:
        """Tell it that nothing else is to begin."""
        if self.task is not None and not self.drained:
            self.drained = True
            with contextlib.suppress(OSError):
                self.outbox.send(("drain", None))

    def holds(self) -> int:
        """Bytes of memory, 0 where nobody knows."""
        return resident(self.process.pid or 0) or 0

    def trouble(self) -> Crash | None:
        """Why it must be ended; None where all is well."""
        if (limit := self.limit) is None:
            return None
        if limit.seconds is not None and time.monotonic() > self.since + limit.seconds:
            return Crash(f"{limit.what} took more than {limit.seconds:g} s", "timeout")
        if limit.memory is not None and self.holds() > limit.memory:
            return Crash(f"it took more than {limit.memory / 1e9:g} GB of memory", "memory")
        return None

    def close(self) -> None:
        self.inbox.close()
        self.outbox.close()


def run_in_processes(
    start: Callable[[Job], Callable[[T], R]],
    tasks: Iterable[T],
    workers: int,
    *,
    threads: int = 1,
    job: Job | None = None,
    limit: Callable[[Event], Limit | None] = lambda event: None,
    quiet: bool = False,
) -> Generator[tuple[T, R | Crash], None, None]:
    """Work through `tasks` in `workers` processes, yielding (task, answer) as they finish, in any order.

    `start` runs once in each process and returns the function that does one task; it, the tasks and the answers
    must be picklable. The function should not raise; if it does, the process counts as crashed. `start` is given the
    process's own job: what that tells, `job` tells, each process's events in their order. `limit` says of an event what
    its process may take from then on (None: as before); one that takes more is ended, which costs its task. `threads` 1
    keeps libraries from starting more. `quiet` keeps the processes' stderr back. What they log, this process hears.

    Once `job` drains no new task is handed out, the processes' jobs drain too, and the iterator ends when what is in
    work is done (a function that raises Cancelled then gives no answer). Once it is cancelled, and when the iterator is
    left early, the processes are ended at once.
    """
    job = job or Job()
    todo = iter(tasks)
    waiting: list[T] = []  # at most one task, drawn from `todo` to see whether there is more to do
    crew: list[_Worker[T]] = []
    retired: list[_Worker[T]] = []
    false_starts = 0

    def more() -> bool:
        if not job.draining and not waiting:
            waiting.extend(_take(todo))
        return bool(waiting) and not job.draining

    def launch() -> _Worker[T]:
        return _launch(start, threads, quiet)

    try:
        crew.extend(launch() for _ in range(workers if more() else 0))
        while crew:
            job.check()
            for worker in [w for w in crew if w.task is None and (w.ready or not more())]:
                if more():
                    _hand(worker, waiting)
                else:
                    crew.remove(worker)
                    retired.append(worker)
                    _dismiss(worker)
            if job.draining:
                for worker in crew:
                    worker.drain()
            heard = wait([w.inbox for w in crew], TICK) if crew else []
            value: Any
            for worker in [w for w in crew if w.inbox in heard or w.task is not None]:
                if worker.inbox not in heard:
                    if (trouble := worker.trouble()) is None:
                        continue
                    worker.process.kill()
                    kind, value = "gone", trouble
                else:
                    kind, value = _listen(worker)
                if kind == "gone":
                    crew.remove(worker)
                    ended = _end(worker)
                    false_starts = false_starts + 1 if worker.task is None else 0
                    if worker.task is not None:
                        yield worker.task, value or Crash(ended)
                    elif false_starts > workers:
                        raise WorkerError(f"The worker processes do not start: {ended}.") from None
                    if more():
                        crew.append(launch())
                    continue
                if kind == "failed":
                    raise WorkerError(value)
                if kind == "event":
                    worker.expect(limit(value))
                    job.emit(value)
                    continue
                if kind == "log":
                    logs.relay(value)
                    continue
                false_starts = 0
                worker.ready = True
                if kind in ("done", "stopped") and worker.task is not None:
                    task, worker.task, worker.limit = worker.task, None, None
                    if worker.least is not None and worker.holds() > worker.least / 2:
                        # What it has not given back would count against the next one.
                        crew.remove(worker)
                        retired.append(worker)
                        _dismiss(worker)
                        if more():
                            crew.append(launch())
                    if kind == "done":
                        yield task, value
    finally:
        for worker in crew:
            worker.process.terminate()
        for worker in crew + retired:
            worker.process.join(5)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.close()


def _listen(worker: _Worker[T]) -> tuple[str, Any]:
    """What a worker says; `gone` when it will never say anything again."""
    try:
        kind, value = worker.inbox.recv()
    except (EOFError, OSError):
        return "gone", None
    return kind, value


def _take(items: Iterator[T]) -> list[T]:
    """The next item as a list, or an empty one at the end."""
    for item in items:
        return [item]
    return []


def _launch(start: Callable[[Job], Callable[[T], R]], threads: int, quiet: bool) -> _Worker[T]:
    # `spawn` everywhere: a fork would copy the threads' locks of numpy, OpenCV and ONNX Runtime in any state.
    context = multiprocessing.get_context("spawn")
    inbox, said = context.Pipe(duplex=False)
    told, outbox = context.Pipe(duplex=False)
    process = context.Process(target=serve, args=(told, said, start, quiet, logs.heard()), daemon=True)
    with _environment(SINGLE_THREAD if threads == 1 else {}), _interrupt_ignored():
        process.start()
    told.close()
    said.close()
    return _Worker(process, inbox, outbox)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _interrupt_ignored() -> Iterator[None]:
    """Children inherit an ignored Ctrl-C: only the parent reacts to it, and decides when they end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _hand(worker: _Worker[T], waiting: list[T]) -> None:
    """Give the waiting task to an idle worker."""
    try:
        worker.outbox.send(("task", waiting[0]))
    except OSError:
        return  # it died while idle, which its pipe will tell; the task stays for another
    worker.task = waiting.pop()


def _dismiss(worker: _Worker[T]) -> None:
    """Let a worker end that has nothing more to do."""
    if not worker.ready:  # still loading: do not wait for it
        worker.process.terminate()
    with contextlib.suppress(OSError):
        worker.outbox.send(("end", None))


def _end(worker: _Worker[T]) -> str:
    """Collect a dead worker; how it ended, as a clause."""
    worker.close()
    worker.process.join(5)
    code = worker.process.exitcode
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        hint = ", perhaps for lack of memory" if name == "SIGKILL" else ""
        return f"the process was ended by {name}{hint}"
    return f"the process ended by itself (exit code {code})"
