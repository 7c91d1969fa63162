"""How a run is told: results to stdout, problems to stderr, a progress bar where a person looks on."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Literal

from tronie.cli.progress import COMPILING, json_line, progress_bar
from tronie.cli.say import count, duration, plain, say, say_json
from tronie.pipelines.outcome import Outcome
from tronie.runtime.job import Advanced, CompilingKernels, Event, Note, Problem, StageBegan

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from tronie.jobs.plan import Decision

Detail = Literal["quiet", "normal", "verbose"]
Json = Literal["records", "events"]
"""A line for each photo, or for all that happens."""

PLANNED = {"redo": "of them again", "skip": "done before", "refuse": "not touched"}
"""What may become of photos, as a dry run says it."""
DOING = {"follow": "following", "solve": "solving", "head": "heads", "overlay": "drawing"}
"""What stages of videos are called on the bar, where it is not by their names."""
WHY = {"not_written": "not written", "disk": "disk full or read-only", "faces": "no face finished"}
"""What kinds of errors are called, where it is not by their names."""
EVERY = 30.0
"""Seconds between two lines that say how far a run is, where no terminal shows a bar."""
MOST_WARNINGS = 6
"""That are shown of one photo, unless more is wanted: a crowd has hundreds."""


@dataclass(slots=True)
class Tally:
    """Counts of a run."""

    ok: int = 0
    no_face: int = 0
    failed: int = 0
    skipped: int = 0
    faces: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    """Files of kinds that are not read, by their ending."""
    warned: Counter[str] = field(default_factory=Counter)
    """Faces by the code of a warning."""
    errors: Counter[str] = field(default_factory=Counter)
    """Photos that failed, by kind."""

    @property
    def done(self) -> int:
        return self.ok + self.no_face + self.failed

    def add(self, outcome: Outcome) -> None:
        self.faces += outcome.faces
        self.warned.update({code: len(faces) for code, faces in outcome.warned.items()})
        self.ok += outcome.status == "ok"
        self.no_face += outcome.status == "no_face"
        self.failed += outcome.status == "error"
        if outcome.status == "error":
            self.errors[outcome.trouble or "inside"] += 1

    @property
    def worked(self) -> bool:
        """A photo without a face is a result too, and so is one that an earlier run has done."""
        return self.ok + self.no_face + self.skipped > 0

    def sentence(self, seconds: float) -> str:
        done = self.ok + self.no_face
        parts = [f"{count(done, 'photo')} done, {count(self.faces, 'face')}"]
        if self.no_face:
            parts.append(f"{self.no_face} without a face")
        if self.skipped:
            parts.append(f"{self.skipped} done before")
        if self.failed:
            kinds = ", ".join(f"{WHY.get(kind, kind)} {number}" for kind, number in self.errors.most_common())
            parts.append(f"{self.failed} failed" + (f" ({kinds})" if kinds else ""))
        pace = f" ({done / seconds:.1f} photos/s)" if done > 1 and seconds > 0 else ""
        return f"{', '.join(parts)} in {duration(seconds)}{pace}"


@dataclass(slots=True)
class Show(AbstractContextManager["Show"]):
    """Tells a run as lines, or as lines of JSON, with a bar below them on a terminal; it listens to the job."""

    total: int
    detail: Detail = "normal"
    as_json: Json | None = None
    inner: bool = True
    """Whether a bar shows how far the video in work is: not where there are several."""
    out: IO[str] = field(default_factory=lambda: sys.stdout)
    err: IO[str] = field(default_factory=lambda: sys.stderr)
    tally: Tally = field(default_factory=Tally)
    _bar: Progress | None = None
    _task: TaskID | None = None
    _began: float = field(default_factory=time.monotonic)
    _said: float = field(default_factory=time.monotonic)
    """When it was last told how far the run is."""
    _kernels: int = 0
    """How many were compiled."""
    _inner: TaskID | None = None
    """The bar of a video, and"""
    _doing: str = ""
    """what it is about."""
    _noted: set[str] = field(default_factory=set)
    _steps: dict[tuple[str, int], Advanced] = field(default_factory=dict)
    """The last of each of its stages and people."""

    def __enter__(self) -> Show:
        if self.err.isatty() and self.detail != "quiet" and not self.as_json and self.total:
            self._start_bar()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _start_bar(self) -> None:
        self._bar = progress_bar(self.err)
        self._bar.start()
        self._task = self._bar.add_task("loading", total=self.total)

    def __call__(self, event: Event) -> None:
        if isinstance(event, Outcome):
            self.outcome(event)
        elif self.as_json == "events":
            json_line(event)
        elif isinstance(event, Note):
            if event.text not in self._noted:  # each of some processes may have found it out
                self._noted.add(event.text)
                self.note(event.text)
        elif isinstance(event, Problem):
            self._print(event.text, problem=True)
        elif isinstance(event, CompilingKernels):
            self._compiling()
        elif isinstance(event, StageBegan) and self.inner and event.total is not None:
            self._advance(Advanced(event.stage, event.done, event.total, event.source, event.face))
        elif isinstance(event, Advanced) and self.inner:
            self._advance(event)

    def _compiling(self) -> None:
        """Kernels that are compiled at the first use of an option are told everywhere, once."""
        self._kernels += 1
        if self._kernels == 1 and not self.as_json:
            self.note(COMPILING)
        self._show("compiling numeric kernels", self._kernels, None)

    def _advance(self, event: Advanced) -> None:
        """How far the video in work is, all people that are in work at once together."""
        self._steps[event.stage, event.face] = event
        steps = [known for (stage, _), known in self._steps.items() if stage == event.stage]
        totals = [known.total for known in steps if known.total is not None]
        total = sum(totals) if len(totals) == len(steps) else None
        self._show(event.stage, sum(known.done for known in steps), total)

    def _show(self, what: str, done: int, total: int | None) -> None:
        """On a terminal, with the time that is left."""
        if self._bar is None:
            return
        if self._inner is None:
            self._inner = self._bar.add_task(what, total=total)
        elif self._doing != what:
            self._bar.reset(self._inner, total=total)
        self._doing = what
        self._bar.update(self._inner, completed=done, total=total, description=DOING.get(what, what))

    def outcome(self, outcome: Outcome) -> None:
        """One photo is finished."""
        self.tally.add(outcome)
        if self._bar is not None and self._inner is not None:
            self._bar.remove_task(self._inner)
            self._inner = None
            self._steps.clear()
        if self._bar is not None and self._task is not None:
            about = f"{count(self.tally.faces, 'face')}, {self._pace():.1f} photos/s"
            self._bar.update(self._task, advance=1, description=about)
        self._how_far()
        if self.as_json:
            self._write_json("photo_done", outcome_record(outcome))
            return
        if outcome.status == "error":
            self.problem(outcome.source, outcome.reason or "failed")
        # With a bar, single results would only scroll past; a handful of photos are worth a line each.
        elif self.detail == "verbose" or (self.detail == "normal" and (self._bar is None or self.total <= 5)):
            faces = count(outcome.faces, "face") if outcome.faces else "no face"
            if outcome.unmeasured:
                faces += f", {len(outcome.unmeasured)} seen that could not be measured"
            self._print(f"{outcome.source}  {faces}  {outcome.seconds:.2f} s  {outcome.place}")
            self._print_warnings(outcome)
        if self.detail == "verbose" and outcome.timings:
            self._print("    " + ", ".join(f"{stage} {seconds:.3f}" for stage, seconds in outcome.timings.items()))
        if outcome.status != "error":
            for text in outcome.face_errors:
                self.problem(outcome.source, text)
            for text in outcome.notes if self.detail != "quiet" else ():
                self.problem(outcome.source, text)

    def _pace(self) -> float:
        """Photos a second until now."""
        return self.tally.done / max(time.monotonic() - self._began, 1e-3)

    def _how_far(self) -> None:
        """A line now and then where there is no bar."""
        now = time.monotonic()
        if self._bar is None and not self.as_json and self.total > self.tally.done and now > self._said + EVERY:
            self._said, pace = now, self._pace()
            left = duration((self.total - self.tally.done) / pace)
            self.note(f"{self.tally.done} of {self.total} photos, {pace:.1f} photos/s, {left} left")

    def decision(self, decision: Decision, folder: str) -> None:
        """What a run would do with one photo."""
        if self.as_json:
            record = {"source": decision.path, "action": decision.action, "reason": decision.reason or None}
            self._write_json("photo_planned", {**record, "folder": folder})
        elif decision.action == "refuse":
            self.problem(decision.path, decision.reason)
        elif self.detail == "verbose":
            why = f" ({decision.reason})" if decision.reason else ""
            self._print(f"{decision.action}  {decision.path}  {folder}{why}")

    def decided(self, counts: Mapping[str, int], folder: str) -> None:
        """What a run would do in all."""
        if self.as_json:
            every = {action: counts.get(action, 0) for action in ("do", "redo", "skip", "refuse")}
            self._write_json("plan", {"plan": every, "folder": folder})
            return
        parts = [f"{count(counts.get('do', 0) + counts.get('redo', 0), 'photo')} to do"]
        parts += [f"{counts[action]} {text}" for action, text in PLANNED.items() if counts.get(action)]
        self._print(f"{', '.join(parts)}. Nothing was written. Outputs would be in {folder}")

    def _print_warnings(self, outcome: Outcome) -> None:
        said = [f"    face {number}: {caution}" for number, caution in outcome.warnings]
        most = len(said) if self.detail == "verbose" else MOST_WARNINGS
        for text in said[:most]:
            self._print(text)
        if len(said) > most:
            self._print(f"    and {count(len(said) - most, 'warning')} more, in manifest.json")

    def problem(self, source: str, reason: str) -> None:
        """Something that the user should know of, in one line."""
        reason = " ".join(reason.split())
        self._print(reason if source in reason else f"{source}: {reason}", problem=True)

    def refuse(self, source: str, reason: str) -> None:
        """An argument that is not even tried: it counts as failed."""
        self.tally.failed += 1
        if self.as_json:
            self._write_json("photo_done", self._refused(source, reason))
        else:
            self._print(f"{source}: {reason}", problem=True)

    def _refused(self, source: str, reason: str) -> dict[str, Any]:
        record = {"source": source, "status": "error", "reason": reason}
        if self.as_json == "events":
            from tronie.export.events import PhotoDoneRecord

            return PhotoDoneRecord.model_validate(record).model_dump(exclude={"event"})
        return record

    def note(self, text: str) -> None:
        """A remark that only quiet runs leave out."""
        if self.as_json == "events":
            json_line(Note(text))
        elif self.detail != "quiet":
            self._print(text, problem=True)

    def summary(self, seconds: float, folder: str) -> None:
        if self.as_json:
            # `failed` counts arguments too that were not tried.
            counts = {name: getattr(self.tally, name) for name in ("ok", "no_face", "failed", "skipped", "faces")}
            more = {
                "warned": dict(self.tally.warned),
                "errors": dict(self.tally.errors),
                "left_out": self.tally.left_out,
                "seconds": round(seconds, 3),
                "folder": folder,
            }
            self._write_json("summary", {"summary": counts, **more})
        elif self.detail != "quiet":
            self._print(f"{self.tally.sentence(seconds)}. Outputs: {folder}")
            if self.tally.warned:
                codes = ", ".join(f"{code} {number}" for code, number in self.tally.warned.most_common())
                self._print(f"Faces with warnings: {codes}")

    def _print(self, text: str, *, problem: bool = False) -> None:
        stream = self.err if problem else self.out
        if self._bar is not None and stream.isatty():
            from rich.text import Text

            self._bar.console.print(Text(plain(text), style="red" if problem else ""), soft_wrap=True)
        else:
            say(text, stream=stream)

    def _write_json(self, event: str, record: dict[str, Any]) -> None:
        say_json({"event": event, **record} if self.as_json == "events" else record, stream=self.out)


def outcome_record(outcome: Outcome) -> dict[str, Any]:
    """One line of `--json`."""
    from tronie.export.records import unmeasured_records

    return {
        "source": outcome.source,
        "status": outcome.status,
        "faces": outcome.faces,
        "seconds": round(outcome.seconds, 3),
        "reason": outcome.reason,
        "trouble": outcome.trouble,
        "face_errors": list(outcome.face_errors),
        "warnings": outcome.remarks,
        "warned": outcome.warned,
        "unmeasured": [record.model_dump() for record in unmeasured_records(outcome.unmeasured)],
        "folder": outcome.place,
    }
