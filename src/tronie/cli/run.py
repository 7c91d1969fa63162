"""`tronie run`: inputs, plan, work, and what the user hears of it."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from tronie.cli.interrupt import interrupting
from tronie.cli.say import count, say
from tronie.cli.show import Detail, Json, Show
from tronie.errors import Cancelled
from tronie.io.inputs import Inputs, find_inputs
from tronie.io.kinds import left_out_sentence
from tronie.io.video.clip import named_clip
from tronie.jobs.manifest import Manifest
from tronie.jobs.plan import Plan, Start, make_plan, run_job
from tronie.jobs.worker import Bounds, Work
from tronie.outputs import OUTPUTS
from tronie.pipelines.engines import engine_info
from tronie.runtime.atomic_files import make_folder, sweep
from tronie.runtime.folder_lock import locked
from tronie.runtime.hardware import default_workers
from tronie.runtime.job import Job
from tronie.settings import Settings


def run_photos(
    photos: list[str],
    out: Path,
    settings: Settings,
    *,
    overwrite: bool = False,
    recursive: bool = False,
    camera: int | None = None,
    sequences: bool = False,
    workers: int = 0,
    detail: Detail = "normal",
    as_json: Json | None = None,
    bounds: Bounds | None = None,
    start: Start | None = None,
) -> int:
    """Do the photos that the arguments stand for; the exit code. `start` replaces the pipeline, for tests."""
    from tronie.io.images import IMAGE_SUFFIXES
    from tronie.io.video.clip import VIDEO_SUFFIXES, camera_source

    began = time.monotonic()
    suffixes = IMAGE_SUFFIXES | VIDEO_SUFFIXES
    inputs = find_inputs(photos, suffixes, recursive=recursive, exclude=out, sequences=sequences)
    if camera is not None:
        inputs = replace(inputs, paths=(*inputs.paths, Path(camera_source(camera))))
    with locked(make_folder(out)) if inputs.paths else nullcontext():
        return _do(inputs, out, settings, began, overwrite, workers, camera is not None, detail, as_json, bounds, start)


def _do(
    inputs: Inputs,
    out: Path,
    settings: Settings,
    began: float,
    overwrite: bool,
    workers: int,
    filming: bool,
    detail: Detail,
    as_json: Json | None,
    bounds: Bounds | None,
    start: Start | None,
) -> int:
    """The same, with the folder of outputs to ourselves."""
    plan, manifest = Plan((), (), ()), None
    if inputs.paths:
        manifest = Manifest.open(out, settings, overwrite=overwrite)
        manifest.left_out = dict(inputs.left_out)
        plan = make_plan(inputs.paths, manifest, overwrite=overwrite, is_clip=named_clip)
    if plan.tasks and any(OUTPUTS[name].extra for name in settings.wanted):
        from tronie.export.outputs import check

        check(settings.wanted)
    clips = sum(task.clip for task in plan.tasks)
    wanted = workers or (default_workers(4 * clips) if clips > 1 else default_workers(len(plan.tasks)))
    workers = 1 if filming else min(wanted, max(len(plan.tasks), 1))
    with Show(len(plan.tasks), detail, as_json, inner=workers == 1) as show:
        _before(show, inputs, plan)
        for text in engine_info(settings.fit.engine).notices():
            show.note(text)

        job, finished, ended = Job(show), 0, False
        ending = "Stopping when the photos in work are finished; Ctrl-C again stops at once."
        with interrupting(job, ending) as interrupted:
            try:
                if manifest is not None:
                    # A single worker may use every core; 0 leaves the choice to the pipeline.
                    work = start or Work(settings, threads=1 if workers > 1 else 0, bounds=bounds or Bounds())
                    for _ in run_job(plan, manifest, work, workers=workers, apart=start is None, job=job):
                        finished += 1
            except (Cancelled, KeyboardInterrupt):
                ended = True
            ended = ended or interrupted.signal != 0
    if ended:
        sweep(out)  # the second Ctrl-C ends workers in the middle of a photo
    if inputs.paths or as_json:
        show.summary(time.monotonic() - began, str(out))
    if ended and finished < len(plan.tasks):
        left = count(len(plan.tasks) - finished, "photo")
        command = "the same command without --overwrite" if overwrite else "the same command again"
        say(f"Stopped with {left} left; what is finished is kept. To go on, run {command}.", problem=True)
        return interrupted.code
    return 0 if show.tally.worked else 1


def _before(show: Show, inputs: Inputs, plan: Plan) -> None:
    """Tell what can be told before the work begins."""
    for problem in inputs.problems + plan.problems:
        show.refuse(problem.source, problem.reason)
    show.tally.skipped = len(plan.skipped)
    show.tally.left_out = dict(inputs.left_out)
    if told := left_out_sentence(inputs.left_out):
        show.note(told)
    if plan.skipped and plan.tasks:
        show.note(
            f"{count(len(plan.skipped), 'photo')} done before with the same settings; --overwrite does them again."
        )
