"""`tronie run`: inputs, plan, work, and what the user hears of it."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

from tronie.batch.inputs import Inputs, find_inputs
from tronie.batch.job import Plan, Start, make_plan, run_job
from tronie.batch.ledger import Ledger
from tronie.batch.machine import default_workers, kernels_missing
from tronie.batch.stop import stop_on_signals
from tronie.batch.worker import Work
from tronie.cli.show import Detail, Show, count
from tronie.io.atomic import sweep
from tronie.settings import Settings


def run_photos(
    photos: list[str],
    out: Path,
    settings: Settings,
    *,
    overwrite: bool = False,
    recursive: bool = False,
    workers: int = 0,
    detail: Detail = "normal",
    as_json: bool = False,
    start: Start | None = None,
) -> int:
    """Do the photos that the arguments stand for; the exit code. `start` replaces the pipeline, for tests."""
    from tronie.io.images import IMAGE_SUFFIXES

    began = time.monotonic()
    inputs = find_inputs(photos, IMAGE_SUFFIXES, recursive=recursive, exclude=out)
    plan, ledger = Plan((), (), ()), None
    if inputs.paths:
        ledger = Ledger.open(out, settings, overwrite=overwrite)
        plan = make_plan(inputs.paths, ledger, overwrite=overwrite)
    workers = min(workers or default_workers(len(plan.tasks)), max(len(plan.tasks), 1))
    with Show(len(plan.tasks), detail, as_json) as show:
        _before(show, inputs, plan)
        if settings.fit.engine == "deep3d":
            from tronie.deep3d.stage import notices

            for text in notices():
                show.note(text)
        if plan.tasks and start is None and kernels_missing():
            show.note("This is the first run: compiling the numeric kernels takes some 15 seconds, once.")

        def say() -> None:
            show.note("Stopping when the photos in work are finished; Ctrl-C again stops at once.")

        interrupted = finished = 0
        with stop_on_signals(say) as stop:
            try:
                if ledger is not None:
                    # In this process the pipeline may use every core; 0 leaves the choice to it.
                    source = start or Work(settings, threads=1 if workers > 1 else 0)
                    for outcome in run_job(plan, ledger, source, workers=workers, stopping=lambda: stop.requested):
                        show.outcome(outcome)
                        finished += 1
            except KeyboardInterrupt:
                interrupted = signal.SIGINT
            interrupted = interrupted or stop.signal
    if interrupted:
        sweep(out)  # the second Ctrl-C ends workers in the middle of a photo
    if inputs.paths or as_json:
        show.summary(time.monotonic() - began, str(out))
    if interrupted and finished < len(plan.tasks):
        left = count(len(plan.tasks) - finished, "photo")
        command = "the same command without --overwrite" if overwrite else "the same command again"
        print(f"Stopped with {left} left; what is finished is kept. To go on, run {command}.", file=sys.stderr)
        return 128 + interrupted
    return 0 if show.tally.worked else 1


def _before(show: Show, inputs: Inputs, plan: Plan) -> None:
    """Tell what can be told before the work begins."""
    for problem in inputs.problems + plan.problems:
        show.refuse(problem.source, problem.reason)
    show.tally.skipped = len(plan.skipped)
    if plan.skipped and plan.tasks:
        show.note(
            f"{count(len(plan.skipped), 'photo')} done before with the same settings; --overwrite does them again."
        )
