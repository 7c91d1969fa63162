"""Photos done on many machines, in a pool of Ray's actors; only tasks and what became of them travel.

Each actor keeps one process of ours beside it, in which the models are loaded once and whose bounds hold as on one
machine: a file that hangs or breaks a decoder costs that process, not the actor. Whoever does a photo writes its files
where they belong, so all machines have to see the folders of photos and of outputs at the same paths. The ledger is
written by the process that gives the tasks alone, once it has heard that a photo's files are there.
"""

from __future__ import annotations

import contextlib
import math
import os
import platform
import re
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from tronie.errors import Cancelled, TronieError
from tronie.io.paths import is_address
from tronie.io.store import Store
from tronie.jobs.place import Place
from tronie.jobs.ray_connection import card_share, connected
from tronie.jobs.worker import Bounded, not_finished
from tronie.pipelines.outcome import Outcome, Task
from tronie.runtime.child_process import TICK, Crash, WorkerError
from tronie.runtime.job import Job, Note
from tronie.runtime.processes import run_in_processes
from tronie.version import __version__

Begin = Callable[[Job], Callable[[Task], Outcome]]

PATIENCE = 5.0
"""Seconds that actors have to end their processes once the work is over."""
SILENCE = 20.0
"""Seconds without any actor after which the user is told what is waited for."""
CALLS = 3
"""That an actor answers at a time: a photo, the wish to finish, the wish to end."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an actor cannot work: what would go wrong with every photo alike."""

    reason: str
    """One sentence."""


@dataclass(frozen=True, slots=True)
class Common:
    """What all machines have to have in common."""

    folder: str
    """The folder in which the run was begun: paths may be relative to it."""
    sign: str
    """Something in the folder of outputs that is there only while this run lasts."""
    photo: str
    """One of the photos, as a path."""
    version: str = __version__

    def missing(self) -> str | None:
        """What this machine lacks, as a sentence."""
        here = _here()
        if self.version != __version__:
            return f"{here} has tronie {__version__}, not {self.version}; install the same on all."
        with contextlib.suppress(OSError):  # it matters to relative paths only, which are then not found
            os.chdir(self.folder)
        for place, told in ((self.sign, os.path.dirname(self.sign)), (self.photo, self.photo)):
            if not _seen(place):
                return (
                    f"{here} does not see this run's {told}; --cluster wants disks that all machines share, or a store."
                )
        return None


class Actor:
    """What Ray runs on a core of some machine; its methods are called from there one by one."""

    def __init__(self, start: Begin, common: Common) -> None:
        self._start, self._common = start, common
        self._job, self._todo = Job(), _Todo()
        self._answers: Generator[tuple[Task, Outcome | Crash], None, None] | None = None
        # The system ends a process of ours with the thread that began it, so that thread is one that stays.
        self._thread = ThreadPoolExecutor(1, "tronie-actor")

    def ready(self) -> Refusal | None:
        """Whether it can work here."""
        try:
            missing = self._common.missing()
        except TronieError as error:
            missing = f"{_here()}: {error}"
        return None if missing is None else Refusal(missing)

    def do(self, task: Task) -> Outcome | Refusal | None:
        """Do one photo; None if it was given up because all is to end."""
        return self._thread.submit(self._do, task).result()

    def drain(self) -> None:
        """The photo in hand is the last one; a video is given up."""
        self._job.drain()

    def end(self) -> None:
        """End the process, at once if it is at work."""
        self._job.cancel()
        self._thread.submit(self._close).result()

    def _do(self, task: Task) -> Outcome | Refusal | None:
        self._todo.items.append(task)
        try:
            answer = next(self._begun(), None)
            if answer is None and not self._job.draining:
                # It was retired after the task before, for the memory that it kept.
                self._close()
                answer = next(self._begun(), None)
        except Cancelled:
            return None
        except TronieError as error:
            return Refusal(str(error))
        if answer is None:
            return None
        return not_finished(task, answer[1]) if isinstance(answer[1], Crash) else answer[1]

    def _begun(self) -> Generator[tuple[Task, Outcome | Crash], None, None]:
        if self._answers is None:
            known = self._start if isinstance(self._start, Bounded) else None
            self._answers = run_in_processes(
                self._start,
                self._todo,
                1,
                job=self._job,
                limit=known.limit if known else lambda event: None,
                starting=known.starting if known else None,
                quiet=True,
            )
        return self._answers

    def _close(self) -> None:
        if self._answers is not None:
            self._answers.close()
            self._answers = None


class _Todo(Iterator[Task]):
    """Ends when it is empty, and goes on when something is added."""

    def __init__(self) -> None:
        self.items: deque[Task] = deque()

    def __next__(self) -> Task:
        if not self.items:
            raise StopIteration
        return self.items.popleft()


@dataclass(frozen=True, slots=True)
class InHand:
    """A photo that was given to an actor."""

    task: Task
    there: bool
    """Whether its folder was there before anybody began with it."""
    lost: bool = False
    """Whether it has cost an actor already."""


@dataclass(slots=True)
class Actors:
    """The actors, and what each is at: each is asked one thing at a time, so that no photo waits behind another."""

    ray: Any
    """The library."""
    make: Callable[[], Any]
    """Begin another actor."""
    asked: dict[Any, tuple[Any, InHand | None]] = field(default_factory=dict)
    """What Ray will answer -> who does, and with which photo; none while it begins."""

    @property
    def at_work(self) -> bool:
        """Whether any has a photo in hand."""
        return any(photo for _, photo in self.asked.values())

    def begin(self) -> None:
        actor = self.make()
        self.asked[actor.ready.remote()] = (actor, None)

    def give(self, actor: Any, photo: InHand) -> None:
        self.asked[actor.do.remote(photo.task)] = (actor, photo)

    def heard(self) -> list[tuple[Any, InHand | None, Any]]:
        """Who has answered what; an exception in place of the answer where the actor or its machine was lost."""
        if not self.asked:
            return []
        said = []
        for ref in self.ray.wait(list(self.asked), timeout=TICK)[0]:
            actor, photo = self.asked.pop(ref)
            try:
                value = self.ray.get(ref)
            except self.ray.exceptions.RayError as error:
                self.dismiss(actor)
                value = error
            said.append((actor, photo, value))
        return said

    def dismiss(self, actor: Any) -> None:
        with contextlib.suppress(Exception):
            self.ray.kill(actor)

    def drain(self) -> None:
        for actor, photo in self.asked.values():
            if photo is not None:
                actor.drain.remote()

    def end(self, idle: Iterable[Any] = ()) -> None:
        """End all of them, wherever they are."""
        actors = [actor for actor, _ in self.asked.values()] + list(idle)
        with contextlib.suppress(Exception):  # the cluster itself may be gone
            busy = [actor.end.remote() for actor, photo in self.asked.values() if photo is not None]
            busy += [actor.end.remote() for actor in idle]
            if busy:
                self.ray.wait(busy, num_returns=len(busy), timeout=PATIENCE)
        for actor in actors:
            self.dismiss(actor)


def on_cluster(
    address: str,
    tasks: Iterable[Task],
    start: Begin,
    out: Place,
    *,
    most: int,
    workers: int = 0,
    device: str = "auto",
    job: Job,
) -> Generator[Outcome, None, None]:
    """Do tasks, at `most` so many, on the cluster at an address; what became of each as it finishes, in any order.
    `workers` 0 is one for each core that the cluster has now. `device` is the settings', on which nets run."""
    with connected(address, min(workers, most)) as ray, out.sign() as sign:
        count = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        cards = card_share(ray.nodes(), device)
        yield from in_actors(ray, tasks, start, sign, workers=min(count, most), cards=cards, job=job)


def in_actors(
    ray: Any, tasks: Iterable[Task], start: Begin, sign: str, *, workers: int, cards: float = 0.0, job: Job
) -> Generator[Outcome, None, None]:
    """Do tasks in so many actors. One that is lost, with its machine or without, is replaced and costs the photo in its
    hands, which is tried once more. Each has a core, and `cards` of a graphics card. Draining and cancelling are as in
    `run_in_processes`."""
    todo, again, drained = iter(tasks), deque[InHand](), False

    def following() -> InHand | None:
        if drained:
            return None
        if again:
            return again.popleft()
        for task in todo:
            return InHand(task, os.path.lexists(task.folder))
        return None

    drained = job.draining
    if (first := following()) is None:
        return
    again.append(first)
    kind = ray.remote(Actor).options(
        num_cpus=1,
        num_gpus=cards,
        max_restarts=0,
        max_task_retries=0,
        max_concurrency=CALLS,
        scheduling_strategy="SPREAD",
    )
    source = first.task.source
    common = Common(os.getcwd(), sign, source if _seen(source) else sign)
    pool, false_starts, ended, idle = Actors(ray, lambda: kind.remote(start, common)), 0, False, list[Any]()
    told = time.monotonic() + SILENCE
    try:
        for _ in range(workers):
            pool.begin()
        while pool.at_work or not (ended or drained):
            job.check()
            if job.draining and not drained:
                drained = True
                pool.drain()
            if time.monotonic() > told:
                told = math.inf
                job.emit(Note("The cluster has no free core yet; waiting for one."))
            for actor, photo, value in pool.heard():
                if isinstance(value, Refusal):
                    raise WorkerError(value.reason)
                if not isinstance(value, Exception):
                    told, false_starts = math.inf, 0
                    idle.append(actor)
                    if isinstance(value, Outcome):
                        yield value
                    continue
                false_starts = 0 if photo else false_starts + 1
                if false_starts > workers:
                    raise WorkerError(f"The cluster's actors do not start: {_clause(value)}.")
                if photo is not None and photo.lost:
                    reason = f"the machine or the process that did it was lost, twice ({_clause(value)})"
                    yield not_finished(photo.task, Crash(reason))
                elif photo is not None:
                    # What the lost one may have finished is ours; what was there before is not.
                    over = photo.task.overwrite or not photo.there
                    again.append(replace(photo, task=replace(photo.task, overwrite=over), lost=True))
                    ended = False
                if not (ended or drained):
                    pool.begin()
            while idle and not (ended or drained):
                if (given := following()) is None:
                    ended = True
                else:
                    pool.give(idle.pop(), given)
    finally:
        pool.end(idle)


def _here() -> str:
    return f"The cluster's machine {platform.node()}"


def _seen(place: str) -> bool:
    """Whether there is something of that path or address. Raises InputError where a store cannot be asked."""
    return Store.at(place).version() is not None if is_address(place) else os.path.lexists(place)


def _clause(error: Exception) -> str:
    """What Ray says of a loss: its first line, or the last of a traceback, which is the exception."""
    text = re.sub(r"\x1b\[[\d;]*m", "", str(error))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    line = lines[-1 if "Traceback" in text or "creation task" in text else 0] if lines else type(error).__name__
    return line.rstrip(".")
