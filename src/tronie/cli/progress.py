"""How far a job is: bars where a person looks on, else a line now and then; or every event as a line of JSON."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, TYPE_CHECKING

from tronie.cli.say import duration, plain, say, say_json
from tronie.runtime.job import Advanced, CompilingKernels, Event, Note, Problem, StageBegan, StageEnded

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

EVERY = 30.0
"""Seconds between two lines where no terminal shows a bar."""
COMPILING = (
    "Compiling numeric kernels, once: some 15 seconds for the first photo, about a minute with many options. "
    "(`tronie doctor --warm` does it beforehand.)"
)


def progress_bar(stream: IO[str]) -> Progress:
    """A bar with a count and the time left, which vanishes at the end."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(file=stream),
        transient=True,
    )


def json_line(event: Event) -> None:
    """One event as a line of JSON; of those that a command has for itself the command tells."""
    from tronie.export.events import event_line

    if (line := event_line(event)) is not None:
        say_json(line)


class JsonLines(AbstractContextManager["JsonLines"]):
    """Every event as a line of JSON on stdout, and what else there is to say on stderr."""

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, event: Event) -> None:
        json_line(event)

    def say(self, text: str, *, problem: bool = True) -> None:
        if problem:
            say(text, problem=True)


@dataclass(slots=True)
class Bars(AbstractContextManager["Bars"]):
    """A bar for every stage that is counted, on a terminal; else a line when it begins and now and then. Notes and
    problems stand above."""

    texts: Mapping[str, str]
    """What stages do, in a few words. Others are not shown."""
    quiet: bool = False
    """Problems only."""
    lines: bool = True
    """Whether lines take the place of bars where there is no terminal."""
    err: IO[str] = field(default_factory=lambda: sys.stderr)
    _bar: Progress | None = None
    _stages: dict[tuple[str, str, int], _Shown] = field(default_factory=dict)
    """By stage, source and face."""
    _compiling: bool = False

    def __enter__(self) -> Bars:
        if self.err.isatty() and not self.quiet:
            self._bar = progress_bar(self.err)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, Problem):
            self.say(event.text)
        elif self.quiet:
            return
        elif isinstance(event, Note):
            self.say(event.text)
        elif isinstance(event, CompilingKernels) and not self._compiling:
            self._compiling = True
            self.say(COMPILING)
        elif isinstance(event, StageBegan) and event.stage in self.texts and event.total is not None:
            self._begin(event)
        elif isinstance(event, Advanced):
            self._advance(event)
        elif isinstance(event, StageEnded):
            shown = self._stages.pop((event.stage, event.source, event.face), None)
            if shown is not None and self._bar is not None and shown.task is not None:
                self._bar.remove_task(shown.task)

    def _begin(self, event: StageBegan) -> None:
        text, now, task = self.texts[event.stage], time.monotonic(), None
        if self._bar is not None:
            task = self._bar.add_task(text, total=event.total, completed=event.done)
        elif self.lines and (event.total or 0) > 1:
            say(f"{text}: {event.done} of {event.total}", stream=self.err)
        self._stages[event.stage, event.source, event.face] = _Shown(text, task, event.done, now, now)

    def _advance(self, event: Advanced) -> None:
        shown = self._stages.get((event.stage, event.source, event.face))
        if shown is None:
            return
        now = time.monotonic()
        if self._bar is not None and shown.task is not None:
            self._bar.update(shown.task, completed=event.done)
        elif self.lines and now - shown.said > EVERY and event.total is not None:
            shown.said = now
            left = (now - shown.began) / (event.done - shown.at_start) * (event.total - event.done)
            say(f"{shown.text}: {event.done} of {event.total}, {duration(left)} left", stream=self.err)

    def say(self, text: str, *, problem: bool = True) -> None:
        """A line above the bars: a result to stdout, all else to stderr."""
        stream = self.err if problem else sys.stdout
        if self._bar is not None and stream.isatty():
            self._bar.console.print(plain(text), markup=False, highlight=False, soft_wrap=True)
        else:
            say(text, stream=stream)


@dataclass(slots=True)
class _Shown:
    text: str
    task: TaskID | None
    at_start: int
    began: float
    said: float
