"""A process that is kept from task to task, and what becomes of it when a task does it harm."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from odd_worker import MEGA, Odd, limit_of
from test_processes import Double, Dying, Unable

from tronie.errors import Cancelled
from tronie.runtime.child_process import Crash, Limit, WorkerError
from tronie.runtime.hardware import resident
from tronie.runtime.job import Advanced, Event, Job
from tronie.runtime.warm_process import WarmProcess


@dataclass(frozen=True)
class Other:
    def __call__(self, job: Job) -> Callable[[str], str]:
        return another


def another(task: str) -> str:
    return "another"


@dataclass(frozen=True)
class Sleeping:
    def __call__(self, job: Job) -> Callable[[str], str]:
        time.sleep(60)
        return another


@pytest.fixture
def odd() -> Iterator[WarmProcess[str, str]]:
    with WarmProcess(Odd(), limit=limit_of) as process:
        yield process


def number(answer: str | Crash) -> int:
    """Of the process that gave it."""
    assert isinstance(answer, str)
    return int(answer.split()[-1])


def test_it_is_kept_until_a_task_does_it_harm_and_then_begun_anew(odd: WarmProcess[str, str]) -> None:
    job = Job()
    first = number(odd.do("a", job))
    assert first == number(odd.do("b", job)) != os.getpid()
    assert odd.do("stuck", job) == Crash("reading it took more than 1 s", "timeout")
    second = number(odd.do("c", job))
    assert first != second == number(odd.do("slow but sure", job))


@pytest.mark.skipif(resident(os.getpid()) is None, reason="this system does not tell how large a process is")
def test_one_that_grows_is_ended_and_one_that_stays_large_makes_room() -> None:
    with WarmProcess(Odd(), limit=limit_of, most=200 * MEGA) as odd:
        assert odd.do("large", Job()) == Crash("it took more than 0.4 GB of memory", "memory")
        assert number(odd.do("swollen", Job())) != number(odd.do("a", Job()))


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_crash_costs_one_task() -> None:
    with WarmProcess(Double()) as double:
        assert [double.do(task, Job()) for task in (1, 2)] == [2, 4]
        crash = double.do(13, Job())
        assert isinstance(crash, Crash)
        assert "SIGKILL" in crash.reason
        assert double.do(3, Job()) == 6


def test_a_cancelled_task_ends_with_its_process(odd: WarmProcess[str, str]) -> None:
    heard: list[Event] = []
    job = Job(heard.append)
    before = number(odd.do("a", job))
    threading.Timer(0.3, job.cancel).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        odd.do("film", job)
    assert time.monotonic() - began < 5
    assert any(isinstance(event, Advanced) for event in heard)
    assert number(odd.do("a", Job())) != before


def test_one_that_was_lost_between_tasks_costs_nothing(odd: WarmProcess[str, str]) -> None:
    import signal

    lost = number(odd.do("a", Job()))
    os.kill(lost, signal.SIGTERM)
    time.sleep(0.2)
    assert number(odd.do("b", Job())) != lost


def test_what_does_not_start_is_an_error() -> None:
    with pytest.raises(WorkerError, match="weights are missing"):
        WarmProcess(Unable()).do(1, Job())
    with pytest.raises(WorkerError, match="does not start"):
        WarmProcess(Dying()).do(1, Job())
    with pytest.raises(WorkerError, match="a start took more than"):
        WarmProcess(Sleeping(), starting=Limit(0.0, None, "a start")).do("a", Job())


def test_who_takes_the_place_of_another_may_begin_otherwise() -> None:
    with WarmProcess(Odd(), again=Other(), limit=limit_of) as odd:
        assert isinstance(odd.do("a", Job()), str)
        assert isinstance(odd.do("stuck", Job()), Crash)
        assert odd.do("a", Job()) == "another"


def test_closing_it_ends_it(odd: WarmProcess[str, str]) -> None:
    lost = number(odd.do("a", Job()))
    odd.close()
    assert not resident(lost)
