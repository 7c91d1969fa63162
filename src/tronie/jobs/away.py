"""Photos and outputs that lie in a store, one at a time on the machine that does them: a photo is brought into a
temporary folder, done there, and what was made is brought to its place."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from tronie.errors import InputError, TronieError, trouble
from tronie.io.limits import Limits
from tronie.io.paths import is_address, safe_name
from tronie.io.store import Store, Version
from tronie.io.video.clip import named_clip
from tronie.jobs.bucket import publish
from tronie.jobs.worker import Bounded, Work
from tronie.pipelines.outcome import Outcome, Task
from tronie.runtime.atomic_files import scratch
from tronie.runtime.child_process import Limit
from tronie.runtime.job import Event, Job

SPARE = 1_000_000_000
"""Bytes of the temporary disk that are left free."""
ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}")


@dataclass(frozen=True, slots=True)
class Away:
    """A recipe for a worker whose photos or outputs are elsewhere."""

    work: Callable[[Job], Callable[[Task], Outcome]]
    """For a photo that is here."""

    def __call__(self, job: Job) -> Callable[[Task], Outcome]:
        work = self.work(job)
        settings = self.work.settings if isinstance(self.work, Work) else None
        limits = Limits.of_megapixels(None if settings is None else settings.read.max_megapixels)

        def do(task: Task) -> Outcome:
            try:
                with scratch() as here:
                    return _done(task, here, work, limits, job.part(task.source))
            except TronieError as error:
                why, kind = str(error), trouble(error)
                return Outcome(task.source, task.folder, "error", reason=why, trouble=kind, address=task.address)

        return do

    @property
    def starting(self) -> Limit | None:
        return self.work.starting if isinstance(self.work, Bounded) else None

    def limit(self, event: Event) -> Limit | None:
        return self.work.limit(event) if isinstance(self.work, Bounded) else None


def _done(task: Task, here: Path, work: Callable[[Task], Outcome], limits: Limits, job: Job) -> Outcome:
    inner, version = task, None
    if is_address(task.source):
        local = here / _named(task.source)
        with job.stage("fetch_clip" if task.clip else "fetch"):
            version = _fetched(task.source, local, limits)
        inner = replace(inner, local=str(local))
    if task.store:
        inner = replace(inner, out=here / "out", store="", overwrite=False)
    outcome = work(inner)
    if task.store and outcome.status != "error":
        with job.stage("store"):
            publish(Store.at(task.store), task.name, here / "out", overwrite=task.overwrite)
    if version is not None:
        outcome = replace(outcome, stamp=(version.size, version.modified), content=version.content)
    return _told(outcome, inner, task)


def _fetched(source: str, local: Path, limits: Limits) -> Version:
    """Bring a photo here. What is too large is not even begun. Raises InputError."""
    store = Store.at(source)
    version = store.version()
    if version is None:
        raise InputError(f"{source} is not there any more.")
    if not named_clip(source):
        limits.check_file(version.size, source, whole=False)
    if version.size > shutil.disk_usage(local.parent).free - SPARE:
        raise InputError(f"{source} does not fit on the temporary disk here ({version.size / 1e9:.1f} GB).")
    store.fetch("", local)
    if os.path.getsize(local) != version.size:
        raise InputError(f"{source} changed while it was fetched; run this again when nothing writes to it any more.")
    return version


def _named(source: str) -> str:
    """A name for a file here: nothing of an address but harmless letters and the kind."""
    stem, ending = os.path.splitext(PurePosixPath(source).name)
    return safe_name(stem) + (ending if ENDING.fullmatch(ending) else "")


def _told(outcome: Outcome, inner: Task, task: Task) -> Outcome:
    """The same in the words of who gave the task, who knows of no temporary folder."""
    names = {inner.file: task.source, str(inner.out): task.store or str(task.out)}

    def plain(text: str) -> str:
        for here, there in names.items():
            text = text.replace(here, there)
        return text

    return replace(
        outcome,
        source=task.source,
        folder=task.folder,
        address=task.address,
        reason=None if outcome.reason is None else plain(outcome.reason),
        face_errors=tuple(map(plain, outcome.face_errors)),
        notes=tuple(map(plain, outcome.notes)),
    )
