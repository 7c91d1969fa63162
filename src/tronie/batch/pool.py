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
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Generic, TypeVar

from tronie.errors import TronieError

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


class WorkerError(TronieError):
    """No worker process can be brought to work."""


@dataclass(frozen=True, slots=True)
class Crash:
    """The process that worked on a task ended without an answer."""

    reason: str
    """One clause."""


@dataclass(slots=True)
class _Worker(Generic[T]):
    process: BaseProcess
    inbox: Connection
    """What it says."""
    outbox: Connection
    """What it is told. Two pipes of one direction, for one of both would be a socket."""
    ready: bool = False
    task: T | None = None

    def close(self) -> None:
        self.inbox.close()
        self.outbox.close()


def run_in_processes(
    start: Callable[[], Callable[[T], R]],
    tasks: Iterable[T],
    workers: int,
    *,
    stopping: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[T, R | Crash]]:
    """Work through `tasks` in `workers` processes, yielding (task, answer) as they finish, in any order.

    `start` runs once in each process and returns the function that does one task; it, the tasks and the answers
    must be picklable. The function should not raise; if it does, the process counts as crashed. Once `stopping()`
    is true no new task is handed out, and the iterator ends when those in work are done. Leaving the iterator
    early ends the processes at once.
    """
    todo = iter(tasks)
    waiting: list[T] = []  # at most one task, drawn from `todo` to see whether there is more to do
    crew: list[_Worker[T]] = []
    retired: list[_Worker[T]] = []
    false_starts = 0

    def more() -> bool:
        if not stopping() and not waiting:
            waiting.extend(_take(todo))
        return bool(waiting) and not stopping()

    try:
        crew.extend(_launch(start) for _ in range(workers if more() else 0))
        while crew:
            for worker in [w for w in crew if w.task is None and (w.ready or not more())]:
                if more():
                    _hand(worker, waiting)
                else:
                    crew.remove(worker)
                    retired.append(worker)
                    _dismiss(worker)
            for pipe in wait([w.inbox for w in crew]) if crew else []:
                worker = next(w for w in crew if w.inbox is pipe)
                try:
                    kind, value = worker.inbox.recv()
                except (EOFError, OSError):
                    crew.remove(worker)
                    reason = _end(worker)
                    false_starts = false_starts + 1 if worker.task is None else 0
                    if worker.task is not None:
                        yield worker.task, Crash(reason)
                    elif false_starts > workers:
                        raise WorkerError(f"The worker processes do not start: {reason}.") from None
                    if more():
                        crew.append(_launch(start))
                    continue
                if kind == "failed":
                    raise WorkerError(value)
                false_starts = 0
                worker.ready = True
                if kind == "done" and worker.task is not None:
                    task, worker.task = worker.task, None
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


def _take(items: Iterator[T]) -> list[T]:
    """The next item as a list, or an empty one at the end."""
    for item in items:
        return [item]
    return []


def _launch(start: Callable[[], Callable[[T], R]]) -> _Worker[T]:
    # `spawn` everywhere: a fork would copy the threads' locks of numpy, OpenCV and ONNX Runtime in any state.
    context = multiprocessing.get_context("spawn")
    inbox, said = context.Pipe(duplex=False)
    told, outbox = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(told, said, start), daemon=True)
    with _environment(SINGLE_THREAD), _interrupt_ignored():
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


def _work(told: Connection, said: Connection, start: Callable[[], Callable[[T], R]]) -> None:
    """The life of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        function = start()
    except TronieError as error:
        said.send(("failed", str(error)))
        return
    said.send(("ready", None))
    while True:
        try:
            task = told.recv()
        except (EOFError, OSError):  # the parent is gone
            return
        if task is None:
            return
        said.send(("done", function(task)))


def _hand(worker: _Worker[T], waiting: list[T]) -> None:
    """Give the waiting task to an idle worker."""
    try:
        worker.outbox.send(waiting[0])
    except OSError:
        return  # it died while idle, which its pipe will tell; the task stays for another
    worker.task = waiting.pop()


def _dismiss(worker: _Worker[T]) -> None:
    """Let a worker end that has nothing more to do."""
    if not worker.ready:  # still loading: do not wait for it
        worker.process.terminate()
    with contextlib.suppress(OSError):
        worker.outbox.send(None)


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
