"""A job from list of photos to finished manifest: what to do, what to skip, and the doing."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tronie.errors import Cancelled
from tronie.io.inputs import RefusedInput, stamp
from tronie.jobs.manifest import Manifest, written
from tronie.jobs.worker import Work
from tronie.pipelines.outcome import Outcome, Task
from tronie.runtime.atomic_files import sweep
from tronie.runtime.child_process import Crash
from tronie.runtime.job import Job
from tronie.runtime.processes import run_in_processes

Start = Callable[[Job], Callable[[Task], Outcome]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a job has to do."""

    tasks: tuple[Task, ...]
    skipped: tuple[Path, ...]
    """Photos that were done before with the same settings."""
    problems: tuple[RefusedInput, ...]
    """Photos that are not touched, because something else is where their outputs would go."""


def make_plan(
    paths: Sequence[Path], manifest: Manifest, *, overwrite: bool = False, is_clip: Callable[[Path], bool] | None = None
) -> Plan:
    """Decide for every photo: do it, skip it, or leave it alone because it would overwrite something. `is_clip` says
    which are videos."""
    known = {record.name for record in manifest.records.values()}
    manifest.claim(paths)
    tasks, skipped, problems = [], [], []
    for path in paths:
        key = manifest.key(path)
        record = manifest.records[key]
        folder = manifest.out / record.name
        exists = os.path.lexists(folder)
        same = record.settings == manifest.fingerprint and (record.size, record.modified) == stamp(path)
        done = record.status == "no_face" or (record.status == "ok" and exists)
        if done and same and not overwrite:
            skipped.append(path)
            continue
        ours = record.name in known and manifest.left_over(record)
        if exists and not overwrite and not ours:
            why = _refusal(folder, record.status, record.settings == manifest.fingerprint)
            problems.append(RefusedInput(str(path), why))
            if record.status == "pending":  # it never became part of the job
                del manifest.records[key]
            continue
        manifest.reopen(path)
        clip = is_clip is not None and is_clip(path)
        tasks.append(Task(str(path), manifest.out, record.name, overwrite=overwrite or ours, clip=clip))
    return Plan(tuple(tasks), tuple(skipped), tuple(problems))


def _refusal(folder: Path, status: str, same_settings: bool) -> str:
    if status == "pending":
        return f"{folder} exists already and is not from this job; --overwrite replaces it, -o chooses another folder"
    why = "from another version of this photo" if same_settings else "made with other settings"
    return f"{folder} exists already, {why}; --overwrite replaces it, -o chooses another folder"


def run_job(
    plan: Plan,
    manifest: Manifest,
    start: Work | Start,
    *,
    workers: int = 1,
    apart: bool = False,
    job: Job | None = None,
) -> Iterator[Outcome]:
    """Do the tasks of a plan, yielding what became of each as it finishes; the manifest is kept true.

    One worker works in this process, unless it is to be `apart`: there a file that ends or breaks a decoder, or is
    beyond its bounds, costs no other. `job` is told of every stage of every task, and of every outcome. Once it drains
    the photos in work are finished (not videos, which take long) and no other begins; their records stay `pending`.
    Raises Cancelled.
    """
    job = job or Job()
    with written(manifest):
        if plan.tasks:
            # On disk before the work begins: should this process be killed, the next run knows which outputs are its.
            manifest.write()
        answers = (
            _apart(plan.tasks, start, min(workers, len(plan.tasks)), job)
            if apart or min(workers, len(plan.tasks)) > 1
            else _here(plan.tasks, start, job)
        )
        with closing(answers):
            for outcome in answers:
                manifest.finish(outcome)
                job.emit(outcome)
                yield outcome


def _here(tasks: tuple[Task, ...], start: Work | Start, job: Job) -> Generator[Outcome, None, None]:
    work = start(job) if tasks and not job.draining else None
    for task in tasks:
        if work is None or job.draining:
            return
        try:
            outcome = work(task)
        except Cancelled:
            job.check()
            return  # it is a video, of which nothing is kept
        yield outcome


def _apart(tasks: tuple[Task, ...], start: Work | Start, workers: int, job: Job) -> Generator[Outcome, None, None]:
    # A single worker may use every core.
    answers = run_in_processes(
        start,
        tasks,
        workers,
        threads=1 if workers > 1 else 0,
        job=job,
        limit=start.limit if isinstance(start, Work) else lambda event: None,
        quiet=True,
    )
    with closing(answers):
        for task, answer in answers:
            if isinstance(answer, Crash):
                sweep(task.out)  # what the process that was lost had half written
                more = f" (--{answer.bound} allows more)" if answer.bound else ""
                yield Outcome(task.source, task.folder, "error", reason=f"Not finished: {answer.reason}{more}.")
            else:
                yield answer
