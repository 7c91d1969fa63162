"""`tronie run`: inputs, plan, work, and what the user hears of it."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tronie.cli.interrupt import interrupting
from tronie.cli.say import count, say
from tronie.cli.show import Detail, Json, Show
from tronie.errors import Cancelled
from tronie.io.inputs import list_inputs
from tronie.io.kinds import left_out_sentence
from tronie.io.listing import Listing
from tronie.io.video.clip import VIDEO_SUFFIXES, camera_source, named_clip
from tronie.jobs.bucket import place
from tronie.jobs.manifest import Manifest
from tronie.jobs.place import Place
from tronie.jobs.plan import Decision, Plan, Start, make_plan, run_job
from tronie.jobs.shards import Shard, enter, in_gate
from tronie.jobs.worker import Bounds, Work
from tronie.outputs import OUTPUTS
from tronie.pipelines.engines import engine_info
from tronie.runtime.hardware import default_workers
from tronie.runtime.job import Job
from tronie.settings import Settings


@dataclass(frozen=True, slots=True)
class How:
    """How a run is to be done, beside its settings."""

    overwrite: bool = False
    update: bool = False
    dry: bool = False
    """Only say what would be done."""
    shard: Shard | None = None
    recursive: bool = False
    cluster: str | None = None
    """The address of Ray's, whose machines do the work."""
    camera: int | None = None
    sequences: bool = False
    workers: int = 0
    detail: Detail = "normal"
    as_json: Json | None = None
    bounds: Bounds | None = None
    start: Start | None = None
    """Replaces the pipeline, for tests."""


USUAL = How()


def run_photos(photos: list[str], out: str | Path, settings: Settings, asked: How = USUAL) -> int:
    """Do the photos that the arguments stand for, as `How` says; the exit code."""
    with place(out) as where:
        return _run(photos, where, settings, asked)


def _run(photos: list[str], out: Place, settings: Settings, asked: How) -> int:
    from tronie.io.kinds import IMAGE_SUFFIXES

    began = time.monotonic()
    if asked.cluster is not None:
        from tronie.jobs.ray_connection import check

        check()
    listing = list_inputs(
        photos,
        IMAGE_SUFFIXES if settings.job == "restore" else IMAGE_SUFFIXES | VIDEO_SUFFIXES,
        recursive=asked.recursive,
        exclude=out.address,
        sequences=asked.sequences,
        part=lambda place: asked.shard is None or asked.shard.holds(place),
    )
    if asked.camera is not None:
        source = camera_source(asked.camera)
        listing.files[source] = source
    if asked.dry:
        return _would(listing, out, settings, asked)
    with ExitStack() as held:
        plan, manifest = None, None
        if listing.own:
            out.prepare()
            with in_gate(out):
                enter(held, out, asked.shard)
                plan, manifest = _planned(listing, out, settings, asked)
                manifest.write()
        try:
            return _do(listing, plan, manifest, out, settings, asked, began)
        finally:
            if manifest is not None:
                out.sweep()  # who is ended in the middle of a photo leaves what he had begun
                manifest.settle()


def _planned(
    listing: Listing, out: Place, settings: Settings, asked: How, tell: Callable[[Decision], object] | None = None
) -> tuple[Plan, Manifest]:
    manifest = Manifest.open(out, settings, overwrite=asked.overwrite, shard=asked.shard, only_look=asked.dry)
    manifest.left_out = dict(listing.left_out)
    over, update = asked.overwrite, asked.update
    return make_plan(listing, manifest, overwrite=over, update=update, is_clip=named_clip, tell=tell), manifest


def _would(listing: Listing, out: Place, settings: Settings, asked: How) -> int:
    """Say what a run would do, and write nothing."""
    show, counts = Show(0, asked.detail, asked.as_json), Counter[str]()

    def tell(decision: Decision) -> None:
        counts[decision.action] += 1
        show.decision(decision, out.shown(decision.name))

    for problem in listing.problems:
        show.refuse(problem.source, problem.reason)
    _planned(listing, out, settings, asked, tell)
    show.decided(counts, out.address)
    return 0 if counts["do"] + counts["redo"] + counts["skip"] else 1


def _do(
    listing: Listing,
    plan: Plan | None,
    manifest: Manifest | None,
    out: Place,
    settings: Settings,
    asked: How,
    began: float,
) -> int:
    """The same, with the folder of outputs, or our part of it, to ourselves."""
    total = 0 if plan is None else len(plan.tasks)
    if total and any(OUTPUTS[name].extra for name in settings.wanted):
        from tronie.export.outputs import check

        check(settings.wanted)
    crew = _crew(listing, asked)
    workers = min(crew, max(total, 1))
    inner = workers == 1 and asked.cluster is None
    with Show(total, asked.detail, asked.as_json, inner=inner) as show:
        _before(show, listing, plan)
        for text in engine_info(settings.fit.engine).notices():
            show.note(text)

        job, finished, ended, full = Job(show), 0, False, False
        ending = "Stopping when the photos in work are finished; Ctrl-C again stops at once."
        with interrupting(job, ending) as interrupted:
            try:
                if plan is not None and manifest is not None:
                    # A single worker may use every core; 0 leaves the choice to the pipeline. What nets say hangs on
                    # it, in the fourth digit: so it is one for all files, however many of them are left to do.
                    threads = 1 if crew > 1 or asked.cluster is not None else 0
                    usual = Work(settings, threads=threads, bounds=asked.bounds or Bounds())
                    work, apart, cluster = asked.start or usual, asked.start is None, asked.cluster
                    if out.store or listing.versions:
                        from tronie.jobs.away import Away

                        work = Away(work)
                    hands = workers if cluster is None else asked.workers
                    answers = run_job(plan, manifest, work, workers=hands, apart=apart, cluster=cluster, job=job)
                    for outcome in answers:
                        finished += 1
                        full = full or outcome.trouble == "disk"
            except (Cancelled, KeyboardInterrupt):
                ended = True
            ended = ended or interrupted.signal != 0
    if listing.files or asked.as_json:
        show.summary(time.monotonic() - began, out.address)
    if (ended or full) and finished < total:
        left = count(total - finished, "photo")
        command = "the same command without --overwrite" if asked.overwrite else "the same command again"
        why = "" if ended else ": nothing can be written there any more"
        say(f"Stopped with {left} left{why}; what is finished is kept. To go on, run {command}.", problem=True)
    if ended and finished < total:
        return interrupted.code
    empty = asked.shard is not None and listing.files and not listing.own
    return 0 if (show.tally.worked or empty) and not full else 1


def _crew(listing: Listing, asked: How) -> int:
    """How many processes would do all files of the job, those that are done or another part's too."""
    if asked.camera is not None:
        return 1
    if asked.workers:
        return asked.workers
    clips = sum(os.path.splitext(path)[1].lower() in VIDEO_SUFFIXES for path in listing.files.values())
    return default_workers(max(len(listing.files), 4 * clips if clips > 1 else 0))


def _before(show: Show, listing: Listing, plan: Plan | None) -> None:
    """Tell what can be told before the work begins."""
    for problem in (*listing.problems, *(() if plan is None else plan.problems)):
        show.refuse(problem.source, problem.reason)
    show.tally.left_out = dict(listing.left_out)
    if told := left_out_sentence(listing.left_out):
        show.note(told)
    if plan is None:
        return
    show.tally.skipped = plan.skipped
    if plan.skipped and len(plan.tasks):
        show.note(f"{count(plan.skipped, 'photo')} done before with the same settings; --overwrite does them again.")
