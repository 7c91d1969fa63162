"""A job from list of photos to finished manifest: what to do, what to skip, and the doing."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Literal

from tronie.errors import Cancelled
from tronie.export.records import InputRecord
from tronie.io.inputs import stamp
from tronie.io.listing import Listing, RefusedInput
from tronie.jobs.manifest import Manifest, same_file, written
from tronie.jobs.worker import Bounded, not_finished
from tronie.pipelines.outcome import Outcome, Task
from tronie.runtime.child_process import Crash
from tronie.runtime.compilers import Compilers
from tronie.runtime.job import Job
from tronie.runtime.processes import run_in_processes

Start = Callable[[Job], Callable[[Task], Outcome]]


Action = Literal["do", "redo", "skip", "refuse"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to become of one photo."""

    path: str
    action: Action
    name: str
    """Of the folder of its outputs."""
    reason: str = ""
    """Why it is done again or refused: one clause."""


@dataclass(slots=True)
class Tasks:
    """The photos to do, each made into a task when its turn comes: there may be a million."""

    manifest: Manifest
    overwrite: bool
    _paths: dict[str, str] = field(default_factory=dict)
    """Identity -> path."""
    _ours: set[str] = field(default_factory=set)
    """Those whose folder is there and may be replaced."""
    _clips: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self._paths)

    def __iter__(self) -> Iterator[Task]:
        for key, path in self._paths.items():
            self.manifest.hold(path, key)
            over, clip = self.overwrite or key in self._ours, key in self._clips
            where, name = self.manifest.place, self.manifest.records[key].name
            yield Task(path, where.work, name, overwrite=over, clip=clip, store=where.store)

    def add(self, key: str, path: str, ours: bool, clip: bool) -> None:
        self._paths[key] = path
        if ours:
            self._ours.add(key)
        if clip:
            self._clips.add(key)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a job has to do."""

    tasks: Tasks
    skipped: int
    """Photos that were done before with the same settings, as far as these concern them."""
    problems: tuple[RefusedInput, ...]
    """Photos that are not touched, because something else is where their outputs would go."""


def make_plan(
    listing: Listing,
    manifest: Manifest,
    *,
    overwrite: bool = False,
    update: bool = False,
    is_clip: Callable[[str], bool] | None = None,
    tell: Callable[[Decision], object] | None = None,
) -> Plan:
    """Decide for every photo: do it, skip it, or leave it alone because it would overwrite something. `update` does
    again what this program made of another version of the photo or with other settings; `overwrite` does all again.
    `is_clip` says which are videos. No photo is decoded; of one that is older or newer than its record, but as long,
    the content is compared."""
    manifest.claim(listing)
    tasks, skipped, problems = Tasks(manifest, overwrite), 0, []
    for key, path in listing.files.items():
        if key in listing.elsewhere:
            continue
        record = manifest.records[key]
        exists, stored = manifest.place.has(record.name), listing.versions.get(key)
        done = record.status == "no_face" or (record.status == "ok" and exists)
        same = same_settings = False
        if key not in manifest.fresh:
            same_settings = _same_settings(record, manifest, path)
            same = done and same_settings and same_file(record, path, stored)
        if done and same and not overwrite:
            skipped += 1
            now = stamp(path) if stored is None else stored[:2]
            if (record.size, record.modified) != now:  # the next run need not read it
                manifest.records[key] = record.model_copy(update={"size": now[0], "modified": now[1]})
            if tell is not None:
                tell(Decision(path, "skip", record.name))
            continue
        known = exists and key not in manifest.fresh
        ours = known and (manifest.left_over(record) or (update and manifest.ours(record)))
        if exists and not overwrite and not ours:
            why = _refusal(manifest.place.shown(record.name), record.status, same_settings)
            problems.append(RefusedInput(path, why))
            if record.status == "pending":  # it never became part of the job
                del manifest.records[key]
            if tell is not None:
                tell(Decision(path, "refuse", record.name, why))
            continue
        manifest.reopen(key, record)
        tasks.add(key, path, ours, is_clip is not None and is_clip(path))
        if tell is not None:
            why = "made with other settings" if not same_settings else "" if same else "the photo has changed"
            tell(_decision(path, record, key in manifest.fresh, done, why))
    return Plan(tasks, skipped, tuple(problems))


def _same_settings(record: InputRecord, manifest: Manifest, path: str) -> bool:
    if record.depends is None:  # of an earlier version
        return record.settings == manifest.fingerprint
    return record.settings == manifest.fingerprint or record.depends == manifest.scope(path, record.status)


def _decision(path: str, record: InputRecord, fresh: bool, done: bool, change: str) -> Decision:
    if fresh or record.status == "pending":
        return Decision(path, "do", record.name)
    if record.status == "error":
        return Decision(path, "redo", record.name, "it failed before")
    if not done:
        return Decision(path, "redo", record.name, "its outputs are gone")
    return Decision(path, "redo", record.name, change or "asked for")


def _refusal(folder: str, status: str, same_settings: bool) -> str:
    if status == "pending":
        return f"{folder} exists already and is not from this job; --overwrite replaces it, -o chooses another folder"
    why = "from another version of this photo" if same_settings else "made with other settings"
    return (
        f"{folder} exists already, {why}; --update does what has changed again, --overwrite replaces all, "
        "-o chooses another folder"
    )


def run_job(
    plan: Plan,
    manifest: Manifest,
    start: Start,
    *,
    workers: int = 1,
    apart: bool = False,
    cluster: str | None = None,
    job: Job | None = None,
) -> Iterator[Outcome]:
    """Do the tasks of a plan, yielding what became of each as it finishes; the manifest is kept true.

    One worker works in this process, unless it is to be `apart`: there a file that ends or breaks a decoder, or is
    beyond its bounds, costs no other. With the address of a Ray `cluster` the workers are there (0: one for each core).
    `job` is told of every stage of every task (not by a cluster), and of every outcome. Once it drains the photos in
    work are finished (not videos, which take long) and no other begins; their records stay `pending`. Where nothing can
    be written any more (the disk is full) it drains by itself. Raises Cancelled.
    """
    job = job or Job()
    with written(manifest):
        if len(plan.tasks):
            # On disk before the work begins: should this process be killed, the next run knows which outputs are its.
            manifest.write()
        most = len(plan.tasks)
        if cluster is not None and most:
            from tronie.jobs.cluster import on_cluster

            device = manifest.settings.compute.device

            answers = on_cluster(
                cluster, plan.tasks, start, manifest.place, most=most, workers=workers, device=device, job=job
            )
        elif apart or min(workers, most) > 1:
            answers = _apart(plan.tasks, start, min(workers, most), job)
        else:
            answers = _here(plan.tasks, start, job)
        with closing(answers):
            for outcome in answers:
                manifest.finish(outcome)
                job.emit(outcome)
                if outcome.trouble == "disk":
                    job.drain()  # each of the others would cost its time and end alike
                yield outcome


def _here(tasks: Tasks, start: Start, job: Job) -> Generator[Outcome, None, None]:
    work = start(job) if len(tasks) and not job.draining else None
    for task in tasks:
        if work is None or job.draining:
            return
        try:
            outcome = work(task)
        except Cancelled:
            job.check()
            return  # it is a video, of which nothing is kept
        yield outcome


def _apart(tasks: Tasks, start: Start, workers: int, job: Job) -> Generator[Outcome, None, None]:
    with Compilers(workers) as compilers:
        answers = run_in_processes(
            start,
            tasks,
            workers,
            threads=1 if workers > 1 else 0,  # a single worker may use every core
            job=job.part(listen=compilers.hear),
            limit=start.limit if isinstance(start, Bounded) else lambda event: None,
            starting=start.starting if isinstance(start, Bounded) else None,
            quiet=True,
        )
        with closing(answers):
            for task, answer in answers:
                yield not_finished(task, answer) if isinstance(answer, Crash) else answer
