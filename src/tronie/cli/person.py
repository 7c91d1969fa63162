"""`tronie person`: photos of one person, or of several, into one head each; what the user hears of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tronie.cli.interrupt import interrupting
from tronie.cli.progress import Bars, JsonLines
from tronie.cli.say import count, duration, hushed, say, say_json
from tronie.errors import Cancelled, TronieError
from tronie.pipelines.engines import engine_info
from tronie.runtime.job import Event, Job
from tronie.runtime.logs import debugging
from tronie.settings import Settings

if TYPE_CHECKING:
    from tronie.pipelines.person.job import PersonDone

STAGES = {"faces": "finding the faces", "people": "making the heads", "texture": "painting the texture"}


def person(
    photos: list[str],
    out: Path,
    settings: Settings,
    *,
    people: Path | None = None,
    overwrite: bool = False,
    recursive: bool = False,
    quiet: bool = False,
    events: bool = False,
) -> int:
    """Do the people in the photos; the exit code. `events`: all that happens as lines of JSON."""
    if engine_info(settings.fit.engine).photos_only:
        say(f"tronie person does not work with the engine {settings.fit.engine}.", problem=True)
        return 2
    from tronie.pipelines.person.job import make_people

    began = time.monotonic()
    done: tuple[PersonDone, ...] = ()
    with nullcontext() if debugging() else hushed(), JsonLines() if events else Bars(STAGES, quiet) as shown:
        job, stopped = Job(_listener(shown, quiet, events)), False
        with interrupting(job, "Stopping after this photo; Ctrl-C again stops at once.") as ended:
            try:
                done = make_people(
                    photos, out, settings, people=people, overwrite=overwrite, recursive=recursive, job=job
                )
            except TronieError as error:
                shown.say(str(error))
            except (Cancelled, KeyboardInterrupt):
                stopped = True
        if stopped:
            shown.say("Stopped. People who are finished are kept; the same command goes on.")
            return ended.code
        if done and not quiet:
            made = count(sum(one.status == "ok" for one in done), "head")
            shown.say(f"{made} in {duration(time.monotonic() - began)}. Outputs: {out}", problem=False)
    return 0 if done and all(one.status != "error" for one in done) else 1


def _listener(shown: Bars | JsonLines, quiet: bool, events: bool) -> Callable[[Event], None]:
    from tronie.pipelines.person.job import PersonDone

    def hear(event: Event) -> None:
        if not isinstance(event, PersonDone):
            shown(event)
        elif events:
            say_json({"event": "person_done", **asdict(event)})
        elif (text := _sentence(event)) and (event.status == "error" or not quiet):
            shown.say(text, problem=event.status != "ok")

    return hear


def _sentence(one: PersonDone) -> str:
    if one.status == "error":
        return one.reason or "failed"
    if one.status == "kept":
        return f"{one.folder} is done already; --overwrite does it again."
    first, last = one.spread_mm or (0.0, 0.0)
    return f"{one.folder}  {count(one.photos, 'photo')}, spread {first:.2f} -> {last:.2f} mm"
