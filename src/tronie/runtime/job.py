"""A piece of long work as others see it: what it is at, how far, how long that took; and how it is asked to end.

job = Job(print)
with job.stage("painting", total=len(photos)) as stage:
    for photo in stage.each(photos):
        paint(photo)
job.timings  # {"painting": 1.25}
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import TypeVar

from tronie.errors import Cancelled

T = TypeVar("T")


class Event:
    """Something that a job tells: a small value that does not change and that can be sent to another process."""

    __slots__ = ()


Listen = Callable[[Event], object]


@dataclass(frozen=True, slots=True)
class StageBegan(Event):
    """A stage of the work begins."""

    stage: str
    """Its name."""
    total: int | None = None
    """How many steps it has; null where nobody knows, or where it is not counted."""
    done: int = 0
    """How many of them were done before."""
    source: str = ""
    """The photo, video or person that it is about, as it was given; empty for what is about all of them."""
    face: int = 0
    """Number of the face or of the video's person, from 1; 0 for what is about the whole source."""


@dataclass(frozen=True, slots=True)
class Advanced(Event):
    """A stage has come further."""

    stage: str
    """Its name."""
    done: int
    """How many of its steps are done."""
    total: int | None = None
    """Of how many; null where nobody knows."""
    source: str = ""
    """As of the stage's beginning."""
    face: int = 0
    """As of the stage's beginning."""


@dataclass(frozen=True, slots=True)
class StageEnded(Event):
    """A stage is over, because it is done or because it failed or was given up."""

    stage: str
    """Its name."""
    seconds: float
    """How long it took."""
    source: str = ""
    """As of the stage's beginning."""
    face: int = 0
    """As of the stage's beginning."""


@dataclass(frozen=True, slots=True)
class FoundFace:
    """A face of `FacesFound`."""

    index: int
    """Its number, from 1: what the events of its stages call it."""
    box: tuple[float, float, float, float]
    """Left, top, right, bottom in pixels of the photo; it may reach beyond the border."""
    score: float
    """The detector's, 0..1."""


@dataclass(frozen=True, slots=True)
class FacesFound(Event):
    """The faces of a photo are found and numbered, before any of them is worked on."""

    width: int
    height: int
    """Of the photo as it is used: pixels, upright."""
    faces: tuple[FoundFace, ...]
    """Largest first."""
    source: str = ""
    """The photo, as it was given."""


@dataclass(frozen=True, slots=True)
class FaceFinished(Event):
    """All stages of a face are over; its files may not be written yet."""

    face: int
    """Its number, from 1."""
    error: str | None = None
    """Why there is no result of it."""
    source: str = ""
    """Its photo, as it was given."""


@dataclass(frozen=True, slots=True)
class CompilingKernels(Event):
    """A numeric kernel is compiled, once on a machine; how many there will be is not known before."""

    kernel: str
    """Its name."""


@dataclass(frozen=True, slots=True)
class Note(Event):
    """Something that the user should know of."""

    text: str
    """One sentence or more."""


@dataclass(frozen=True, slots=True)
class Problem(Event):
    """Something that went wrong, or that is doubtful; the work goes on."""

    text: str
    """One sentence or more."""


class Job:
    """One piece of long work. Whoever does it tells of it here; whoever wants it listens, and may ask it to end.

    Any thread may do either: `listen` is called by whichever thread has something to tell, never by two at a time.
    There are two ways to ask: after `drain` what is in hand is finished and nothing else begun, `cancel` makes `check`
    raise Cancelled. The beginning of a stage and every step of it are checks.
    """

    def __init__(self, listen: Listen | None = None) -> None:
        self.source, self.face = "", 0
        """What it is about; see StageBegan."""
        self.timings: dict[str, float] = {}
        """Stage -> seconds, its parts' stages too. Of threads that work side by side it is the sum."""
        self._listen = listen
        self._parent: Job | None = None
        self._finishes = True
        self._cancelled = self._draining = False
        self._open: list[Stage] = []
        self._lock = threading.RLock()

    def part(
        self,
        source: str | None = None,
        face: int | None = None,
        *,
        finishes: bool = True,
        listen: Listen | None = None,
    ) -> Job:
        """The job of one photo, face, ... of this one, with timings of its own. What it tells, `listen` hears and this
        one tells, and what ends this one ends it. Unless it `finishes`, a wish to drain cancels it: for work of which
        nothing is kept."""
        part = Job(listen)
        part.source = self.source if source is None else source
        part.face = self.face if face is None else face
        part._parent, part._finishes, part._lock = self, finishes, self._lock
        return part

    def stage(self, name: str, total: int | None = None, done: int = 0) -> Stage:
        """A context in which a stage of the work is done: it is told and timed. Stages may lie in one another, and
        several threads may be in them."""
        return Stage(self, name, total, done)

    def advance(self, count: int = 1) -> None:
        """So many more steps are done of the innermost stage: the one that this thread began last, or if it began none,
        the one that any began last."""
        self.check()
        with self._lock:
            here = threading.get_ident()
            stage = next((s for s in reversed(self._open) if s.thread == here), None)
            stage = stage or (self._open[-1] if self._open else None)
        if stage is None:
            raise ValueError("no stage is open")
        stage.advance(count)

    def emit(self, event: Event) -> None:
        """Tell it."""
        with self._lock:
            if type(event) is StageEnded:
                self.timings[event.stage] = self.timings.get(event.stage, 0.0) + event.seconds
            if self._listen is not None:
                self._listen(event)
            if self._parent is not None:
                self._parent.emit(event)

    @property
    def listens(self) -> bool:
        """Whether anybody hears what is told."""
        return self._listen is not None or (self._parent is not None and self._parent.listens)

    def cancel(self) -> None:
        """Have the work end at its next check."""
        self._cancelled = True

    def drain(self) -> None:
        """Have what is in hand finished, and nothing else begun."""
        self._draining = True

    @property
    def cancelled(self) -> bool:
        """Whether it is to end now."""
        if self._cancelled or (not self._finishes and self.draining):
            return True
        return self._parent is not None and self._parent.cancelled

    @property
    def draining(self) -> bool:
        """Whether nothing new is to begin."""
        return self._draining or self._cancelled or (self._parent is not None and self._parent.draining)

    def check(self, *, new: bool = False) -> None:
        """Raise Cancelled if the work is to end; if something `new` would begin now, also if it is to drain."""
        if self.cancelled or (new and self.draining):
            raise Cancelled


class Stage:
    """A stage of a job while it lasts."""

    __slots__ = ("_began", "_done", "_job", "_told", "name", "thread", "total")

    def __init__(self, job: Job, name: str, total: int | None, done: int) -> None:
        self.name, self.total, self.thread = name, total, 0
        self._job, self._done, self._told, self._began = job, done, False, 0.0

    def advance(self, count: int = 1) -> None:
        """So many more steps are done."""
        job = self._job
        job.check()
        with job._lock:
            self._done += count
            if self._told:
                job.emit(Advanced(self.name, self._done, self.total, job.source, job.face))

    def each(self, items: Iterable[T]) -> Generator[T, None, None]:
        """The same items, each of which is a step. A generator of them is closed with this one, however that ends."""
        try:
            for item in items:
                self.advance()
                yield item
        finally:
            if (close := getattr(items, "close", None)) is not None:
                close()

    def __enter__(self) -> Stage:
        job = self._job
        job.check()
        with job._lock:
            self._told = job.listens
            self.thread = threading.get_ident()
            if self._told:
                job.emit(StageBegan(self.name, self.total, self._done, job.source, job.face))
            job._open.append(self)  # at the end: should a listener raise, it has not begun
        self._began = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds, job = time.perf_counter() - self._began, self._job
        with job._lock:
            job._open.remove(self)
            job.emit(StageEnded(self.name, seconds, job.source, job.face))
