"""Worker processes: every task is answered once, whatever becomes of its process."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tronie.errors import TronieError
from tronie.runtime.child_process import SINGLE_THREAD, Crash, Limit, WorkerError
from tronie.runtime.job import Job
from tronie.runtime.processes import run_in_processes


@dataclass(frozen=True)
class Double:
    """A worker that doubles numbers; some numbers do it harm."""

    def __call__(self, job: Job) -> Callable[[int], int]:
        return double


def double(number: int) -> int:
    if number == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 14:
        raise RuntimeError("a mistake in the worker")
    if number == 15:
        os._exit(7)
    if number > 1000:
        time.sleep(60)
    return 2 * number


@dataclass(frozen=True)
class Unable:
    def __call__(self, job: Job) -> Callable[[int], int]:
        raise TronieError("The weights are missing.")


@dataclass(frozen=True)
class Dying:
    def __call__(self, job: Job) -> Callable[[int], int]:
        os._exit(3)


@dataclass(frozen=True)
class Environment:
    def __call__(self, job: Job) -> Callable[[str], str | None]:
        return os.environ.get


class Unreadable:
    """What arrives nowhere."""

    def __reduce__(self) -> tuple[Callable[[], object], tuple[()]]:
        return unpacked, ()


def unpacked() -> object:
    raise ValueError("not here")


def test_every_task_is_answered_once() -> None:
    answers = dict(run_in_processes(Double(), range(10), 2))
    assert answers == {number: 2 * number for number in range(10)}


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_crash_costs_only_its_own_task() -> None:
    tasks = [1, 13, 2, 15, 3, 14, 4, 5]
    answers = dict(run_in_processes(Double(), tasks, 2))
    assert set(answers) == set(tasks)
    crashes = {task: answer.reason for task, answer in answers.items() if isinstance(answer, Crash)}
    assert set(crashes) == {13, 14, 15}
    assert "SIGKILL" in crashes[13]
    assert "memory" in crashes[13]
    assert "7" in crashes[15]
    assert all(answers[n] == 2 * n for n in (1, 2, 3, 4, 5))


def test_a_task_that_a_worker_cannot_read_is_not_waited_for() -> None:
    unreadable: Any = Unreadable()
    answers = dict(run_in_processes(Double(), [1, unreadable, 2], 1))
    assert isinstance(answers.pop(unreadable), Crash)
    assert answers == {1: 2, 2: 4}


def test_no_task_starts_no_process() -> None:
    assert list(run_in_processes(Double(), [], 4)) == []


def test_workers_that_cannot_load_say_why() -> None:
    with pytest.raises(WorkerError, match="weights are missing"):
        list(run_in_processes(Unable(), [1], 1))


def test_workers_that_die_at_the_start_do_not_loop_for_ever() -> None:
    with pytest.raises(WorkerError, match="do not start"):
        list(run_in_processes(Dying(), [1, 2], 1))


def test_draining_finishes_what_is_in_work_and_hands_out_no_more() -> None:
    done, job = [], Job()
    for task, _ in run_in_processes(Double(), range(100), 2, job=job):
        done.append(task)
        if len(done) == 3:
            job.drain()
    assert 3 <= len(done) <= 5


def test_leaving_early_ends_the_processes() -> None:
    began = time.monotonic()
    running = run_in_processes(Double(), [1, 5000, 5001], 2)
    next(running)
    running.close()
    assert time.monotonic() - began < 30


def test_workers_have_one_thread_and_the_parent_keeps_its_environment() -> None:
    before = dict(os.environ)
    answers = dict(run_in_processes(Environment(), list(SINGLE_THREAD), 1))
    assert set(answers.values()) == {"1"}
    assert dict(os.environ) == before


@dataclass(frozen=True)
class Stopping:
    """The first process stops while it loads, where that is asked; each tells its number."""

    mark: Path
    loading: bool

    def __call__(self, job: Job) -> Callable[[int], int]:
        if self.loading and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGSTOP)
        return lambda task: os.getpid()


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("loading", [True, False])
def test_a_stopped_process_is_replaced_whatever_it_was_at(tmp_path: Path, loading: bool) -> None:
    """While it loads, and when it is given a task of which it says nothing."""
    began = time.monotonic()
    list(run_in_processes(Stopping(tmp_path, False), [0], 1))
    limit = Limit(1 + 5 * (time.monotonic() - began), None, "beginning")
    answers: list[tuple[int, Any]] = []

    def tasks() -> Iterator[int]:
        yield 1
        if not loading:
            os.kill(answers[-1][1], signal.SIGSTOP)
        yield 2
        yield 3

    for answer in run_in_processes(Stopping(tmp_path / "mark", loading), tasks(), 1, starting=limit):
        answers.append(answer)  # noqa: PERF402 (the tasks look at it)
    assert [task for task, _ in answers] == [1, 2, 3]
    assert [answer.bound for _, answer in answers if isinstance(answer, Crash)] == ([] if loading else ["timeout"])
