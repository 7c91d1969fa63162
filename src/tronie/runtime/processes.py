"""Worker processes that survive each other: a crash costs only the task that was in work.

`concurrent.futures` breaks the whole pool when one process dies and cannot say on which task; here every worker
has its own pipe, so the parent always knows. A worker gets its next task when it has answered the last one, so
nothing queues up in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from multiprocessing.connection import wait
from typing import Any, TypeVar

from tronie.runtime import logs
from tronie.runtime.child_process import TICK, Child, Crash, Limit, WorkerError, launch
from tronie.runtime.job import Event, Job

T = TypeVar("T")
R = TypeVar("R")


def run_in_processes(
    start: Callable[[Job], Callable[[T], R]],
    tasks: Iterable[T],
    workers: int,
    *,
    threads: int = 1,
    job: Job | None = None,
    limit: Callable[[Event], Limit | None] = lambda event: None,
    starting: Limit | None = None,
    quiet: bool = False,
) -> Generator[tuple[T, R | Crash], None, None]:
    """Work through `tasks` in `workers` processes, yielding (task, answer) as they finish, in any order.

    `start` runs once in each process and returns the function that does one task; it, the tasks and the answers
    must be picklable. The function should not raise; if it does, the process counts as crashed. `start` is given the
    process's own job: what that tells, `job` tells, each process's events in their order. `limit` says of an event what
    its process may take from then on (None: as before); one that takes more is ended: that costs its task. `starting`
    is the limit until a process is ready, and of a task until its first event. `threads` 1 keeps libraries from
    starting more. `quiet` keeps the processes' stderr back. What they log, this process hears.

    Once `job` drains no new task is handed out, the processes' jobs drain too, and the iterator ends when what is in
    work is done (a function that raises Cancelled then gives no answer). Once it is cancelled, and when the iterator is
    left early, the processes are ended at once.
    """
    job = job or Job()
    todo = iter(tasks)
    waiting: list[T] = []  # at most one task, drawn from `todo` to see whether there is more to do
    crew: list[Child[T]] = []
    retired: list[Child[T]] = []
    false_starts = 0

    def more() -> bool:
        if not job.draining and not waiting:
            waiting.extend(_take(todo))
        return bool(waiting) and not job.draining

    def begin() -> Child[T]:
        child: Child[T] = launch(start, threads, quiet)
        child.expect(starting)
        return child

    try:
        crew.extend(begin() for _ in range(workers if more() else 0))
        while crew:
            job.check()
            for worker in [w for w in crew if w.task is None and (w.ready or not more())]:
                if more():
                    _hand(worker, waiting, starting)
                else:
                    crew.remove(worker)
                    retired.append(worker)
                    worker.dismiss()
            if job.draining:
                for worker in crew:
                    worker.drain()
            heard = wait([w.inbox for w in crew], TICK) if crew else []
            value: Any
            for worker in [w for w in crew if w.inbox in heard or w.task is not None or not w.ready]:
                if worker.inbox not in heard:
                    if (trouble := worker.trouble()) is None:
                        continue
                    worker.process.kill()
                    kind, value = "gone", trouble
                else:
                    kind, value = worker.listen()
                if kind == "gone":
                    crew.remove(worker)
                    ended = worker.collect()
                    false_starts = false_starts + 1 if worker.task is None else 0
                    if worker.task is not None:
                        yield worker.task, value or Crash(ended)
                    elif false_starts > workers:
                        raise WorkerError(f"The worker processes do not start: {value.reason if value else ended}.")
                    if more():
                        crew.append(begin())
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
                if not worker.ready:
                    worker.ready, worker.limit = True, None
                if kind in ("done", "stopped") and worker.task is not None:
                    task, worker.task, worker.limit = worker.task, None, None
                    if worker.least is not None and worker.holds() > worker.least / 2:
                        # What it has not given back would count against the next one.
                        crew.remove(worker)
                        retired.append(worker)
                        worker.dismiss()
                        if more():
                            crew.append(begin())
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


def _take(items: Iterator[T]) -> list[T]:
    """The next item as a list, or an empty one at the end."""
    for item in items:
        return [item]
    return []


def _hand(worker: Child[T], waiting: list[T], limit: Limit | None) -> None:
    """Give the waiting task to an idle worker; it stays for another where that one has died."""
    if worker.give(waiting[0]):
        waiting.pop()
        worker.expect(limit)
