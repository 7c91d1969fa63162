"""`tronie models calibrate`: what the user hears of it."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from tronie.cli.say import plain, say
from tronie.cli.show import duration
from tronie.importers.heads.calibrated import calibrated
from tronie.pipelines.calibration.job import Stopped, calibrate

STAGES = {
    "landmarks": "finding where the landmarks lie on it",
    "textures": "reading the skins of the photos",
    "pictures": "drawing random people and looking at them",
    "learning": "learning",
}
EVERY = 30.0
"""Seconds between two lines where no terminal shows a bar."""


class Bars:
    """A bar for each stage on a terminal, else a line now and then."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._text, self._total, self._done, self._said, self._began, self._at_start = "", 0, 0, 0.0, 0.0, 0
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
            from rich.progress import TimeRemainingColumn as Left

            console = Console(stderr=True)
            columns = (
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                Left(),
            )
            self._bar = Progress(*columns, console=console)

    def __enter__(self) -> Bars:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def stage(self, text: str, total: int, done: int = 0) -> None:
        self._text, self._total, self._done, self._at_start = STAGES[text], total, done, done
        self._began = self._said = time.monotonic()
        if self._bar is not None:
            self._task = self._bar.add_task(self._text, total=total, completed=done)
        else:
            self.note(f"{self._text}: {done} of {total}")

    def advance(self) -> None:
        self._done += 1
        if self._bar is not None:
            self._bar.advance(self._task)
        elif time.monotonic() - self._said > EVERY:
            self._said = time.monotonic()
            left = (self._said - self._began) / (self._done - self._at_start) * (self._total - self._done)
            self.note(f"{self._text}: {self._done} of {self._total}, {duration(left)} left")

    def note(self, text: str) -> None:
        if self._bar is not None:
            self._bar.console.print(plain(text), markup=False, highlight=False, soft_wrap=True)
        else:
            say(text, problem=True)


def calibrate_head(name: str, pictures: int, photos: list[Path], workers: int, overwrite: bool) -> int:
    """Calibrate; the exit code."""
    from tronie.cli.interrupt import stop_on_signals
    from tronie.io.images import IMAGE_SUFFIXES
    from tronie.io.inputs import find_inputs

    if (done := calibrated().get(name)) is not None and not overwrite:
        say(f"{name} is calibrated already ({described(done.card)}); --overwrite does it again.")
        return 0
    skins = find_inputs([str(p) for p in photos], IMAGE_SUFFIXES).paths if photos else ()
    began = time.monotonic()
    bars = Bars()
    with bars, stop_on_signals(lambda: bars.note("Stopping when the pictures in work are finished.")) as stop:
        try:
            result = calibrate(
                name, bars, pictures=pictures, photos=list(skins), workers=workers, stopping=lambda: stop.requested
            )
        except KeyboardInterrupt:
            result = Stopped(0, 0)
    if isinstance(result, Stopped):
        say("Stopped; what is finished is kept. To go on, run the same command again.", problem=True)
        return 128 + (stop.signal or 2)
    say(f"{name} is calibrated, in {duration(time.monotonic() - began)}: {described(result.card)}.")
    say(f"Use it with: tronie run PHOTO --head {name}")
    return 0


def described(card: dict[str, Any]) -> str:
    """Its figures in a few words."""
    f = card.get("held_out_figures", {})
    return (
        f"on people it had not seen its error is {f.get('error_mm', 0):.2f} mm, "
        f"{100 * f.get('share', 0):.0f} % of the mean head's"
    )
