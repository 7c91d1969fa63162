"""Laws of the one job: what it tells, how it counts time, how it ends; in one thread, in several, and in processes."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tronie.errors import Cancelled, TronieError
from tronie.runtime.job import (
    Advanced,
    CompilingKernels,
    Event,
    FaceFinished,
    FacesFound,
    FoundFace,
    Job,
    Note,
    Problem,
    StageBegan,
    StageEnded,
)
from tronie.runtime.processes import run_in_processes

EVENTS = [
    StageBegan("fit", 3, 1, "a.jpg", 2),
    Advanced("fit", 2, 3, "a.jpg", 2),
    StageEnded("fit", 0.5, "a.jpg", 2),
    FacesFound(640, 480, (FoundFace(1, (-2.5, 0.0, 60.0, 80.0), 0.9),), "a.jpg"),
    FaceFinished(1, None, "a.jpg"),
    CompilingKernels("blend"),
    Note("n"),
    Problem("p"),
]


def told(events: list[Event]) -> list[Event]:
    """Without the seconds."""
    return [StageEnded(e.stage, 0, e.source, e.face) if isinstance(e, StageEnded) else e for e in events]


@pytest.mark.parametrize("event", EVENTS)
def test_events_are_values_that_can_be_sent(event: Event) -> None:
    assert pickle.loads(pickle.dumps(event)) == event
    assert hash(event) == hash(pickle.loads(pickle.dumps(event)))


def test_a_stage_is_told_counted_and_timed() -> None:
    heard: list[Event] = []
    job = Job(heard.append)
    with job.stage("paint", total=3, done=1) as stage:
        stage.advance()
        job.advance()
    assert told(heard) == [
        StageBegan("paint", 3, 1),
        Advanced("paint", 2, 3),
        Advanced("paint", 3, 3),
        StageEnded("paint", 0),
    ]
    assert set(job.timings) == {"paint"}


def test_the_innermost_stage_of_the_thread_advances() -> None:
    heard: list[Event] = []
    job = Job(heard.append)
    with job.stage("outer", 2):
        with job.stage("inner", 1):
            job.advance()
        job.advance()
        thread = threading.Thread(target=job.advance)  # it has begun none
        thread.start()
        thread.join()
    assert [e for e in heard if isinstance(e, Advanced)] == [
        Advanced("inner", 1, 1),
        Advanced("outer", 1, 2),
        Advanced("outer", 2, 2),
    ]
    with pytest.raises(ValueError, match="no stage"):
        job.advance()


def test_the_time_of_a_stage_holds_that_of_the_stages_in_it() -> None:
    job = Job()
    with job.stage("outer"):
        for _ in range(2):
            with job.stage("inner"):
                time.sleep(0.01)
    assert 0.02 <= job.timings["inner"] <= job.timings["outer"] < 1


def test_the_times_of_parts_are_their_own_and_those_of_the_whole_their_sum() -> None:
    job = Job()
    parts = [job.part("a.jpg", face) for face in (1, 2)]
    for part in parts:
        with part.stage("fit"):
            time.sleep(0.005)
    assert job.timings["fit"] == pytest.approx(sum(part.timings["fit"] for part in parts))
    assert all(0 < part.timings["fit"] < job.timings["fit"] for part in parts)


def test_parts_say_what_they_are_about() -> None:
    heard: list[Event] = []
    job = Job(heard.append)
    with job.part("a.jpg").part(face=2).stage("fit") as stage:
        stage.advance()
    assert told(heard) == [
        StageBegan("fit", None, 0, "a.jpg", 2),
        Advanced("fit", 1, None, "a.jpg", 2),
        StageEnded("fit", 0, "a.jpg", 2),
    ]


def test_a_stage_that_fails_is_over_and_timed() -> None:
    heard: list[Event] = []
    job = Job(heard.append)
    with pytest.raises(TronieError), job.stage("read"):
        raise TronieError("no")
    assert told(heard) == [StageBegan("read"), StageEnded("read", 0)]
    assert "read" in job.timings


def test_a_stage_whose_beginning_cannot_be_told_is_not_open() -> None:
    def hear(event: Event) -> None:
        if isinstance(event, StageBegan) and event.stage == "inner":
            raise OSError("nobody listens")

    job = Job(hear)
    with job.stage("outer", 2) as outer:
        with pytest.raises(OSError, match="nobody"), job.stage("inner"):
            pytest.fail("it began")
        job.advance()
        assert outer._done == 1


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=5))
def test_threads_lose_no_step_and_are_heard_one_at_a_time(counts: list[int]) -> None:
    heard: list[Event] = []
    inside = threading.Lock()

    def hear(event: Event) -> None:
        assert inside.acquire(blocking=False)
        heard.append(event)
        inside.release()

    job = Job(hear)
    with job.stage("draw", sum(counts)) as stage:
        threads = [threading.Thread(target=lambda n=n: [stage.advance() for _ in range(n)]) for n in counts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    done = [event.done for event in heard if isinstance(event, Advanced)]
    assert done == list(range(1, sum(counts) + 1))


def test_cancelling_from_another_thread_ends_the_work_at_its_next_step() -> None:
    steps: list[int] = []
    job = Job()
    begun = threading.Event()

    def cancel() -> None:
        begun.wait(5)
        job.cancel()

    other = threading.Thread(target=cancel)
    other.start()

    def work() -> None:
        with job.stage("follow") as stage:
            for k in stage.each(range(10_000)):
                steps.append(k)
                begun.set()
                if k == 3:
                    other.join()

    # It may have been cancelled before, but not later than in the step in which that is waited for.
    with pytest.raises(Cancelled):
        work()
    assert steps == list(range(len(steps)))
    assert 1 <= len(steps) <= 4


def test_items_are_closed_with_the_steps_that_they_are() -> None:
    ended: list[int] = []

    def items() -> Iterator[int]:
        try:
            yield from range(5)
        finally:
            ended.append(1)

    job = Job()
    with job.stage("draw") as stage:
        steps = stage.each(items())
        assert [next(steps), next(steps)] == [0, 1]
        job.cancel()
        with pytest.raises(Cancelled):
            next(steps)
    assert ended == [1]


def test_a_cancelled_job_begins_no_stage() -> None:
    heard: list[Event] = []
    job = Job(heard.append)
    job.cancel()
    with pytest.raises(Cancelled), job.part("a.jpg").stage("read"):
        pytest.fail("it began")
    assert not heard
    assert not job.timings


def test_no_handler_of_errors_takes_a_cancelled_job_for_one() -> None:
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled), suppress(Exception):
        job.check()


def test_draining_lets_what_is_in_hand_finish_and_nothing_new_begin() -> None:
    job = Job()
    whole, brief = job.part("photo"), job.part("film", finishes=False)
    job.drain()
    with job.stage("write") as stage:
        stage.advance()
    whole.check()
    assert job.draining
    assert whole.draining
    assert not job.cancelled
    with pytest.raises(Cancelled):
        whole.check(new=True)
    with pytest.raises(Cancelled):
        brief.check()


def test_a_part_ends_alone() -> None:
    job = Job()
    part, other = job.part("a"), job.part("b")
    part.cancel()
    assert part.cancelled
    other.check()
    job.check()


# Processes


@dataclass(frozen=True)
class Counting:
    """Counts to ten for every task, slowly."""

    pause: float = 0.0

    def __call__(self, job: Job) -> Callable[[int], int]:
        def work(task: int) -> int:
            with job.part(str(task)).stage("count", 10) as stage:
                for _ in stage.each(range(10)):
                    time.sleep(self.pause)
            return task

        return work


def test_events_of_processes_arrive_whole_and_in_order() -> None:
    heard: list[Event] = []
    job = Job(heard.append)
    assert sorted(answer for _, answer in run_in_processes(Counting(), range(6), 2, job=job)) == list(range(6))
    for task in map(str, range(6)):
        own = [event for event in told(heard) if getattr(event, "source", None) == task]
        steps = [Advanced("count", k, 10, task) for k in range(1, 11)]
        assert own == [StageBegan("count", 10, 0, task), *steps, StageEnded("count", 0, task)]
    assert job.timings["count"] == pytest.approx(sum(e.seconds for e in heard if isinstance(e, StageEnded)))


def test_cancelling_ends_processes_at_once_and_leaves_none() -> None:
    import multiprocessing

    job = Job(lambda event: job.cancel() if isinstance(event, Advanced) else None)
    began = time.monotonic()
    before = {*multiprocessing.active_children(), *threading.enumerate()}
    with pytest.raises(Cancelled):
        list(run_in_processes(Counting(20.0), range(4), 2, job=job))
    assert time.monotonic() - began < 30
    assert before.issuperset(multiprocessing.active_children())
    assert not [t for t in threading.enumerate() if t.name.startswith("tronie") and t not in before]


def test_processes_that_drain_finish_what_is_in_hand() -> None:
    job = Job(lambda event: job.drain() if isinstance(event, Advanced) else None)
    answers = [answer for _, answer in run_in_processes(Counting(0.01), range(50), 2, job=job)]
    assert 1 <= len(answers) <= 2
