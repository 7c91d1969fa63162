"""The process that does a worker's jobs: it keeps its models from one to the next, and may be lost at any time."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tronie.errors import TronieError
from tronie.jobs.worker import READING, STEP, Bounds, Work
from tronie.pipelines.outcome import Outcome, Task
from tronie.runtime.child_process import Limit
from tronie.runtime.job import CompilingKernels, Event, Job, StageBegan
from tronie.runtime.warm_process import WarmProcess
from tronie.service.config import ServiceConfig
from tronie.settings import Settings

if TYPE_CHECKING:
    from tronie.pipelines.photo import Pipeline

WARM_UP = "warm_up"
STARTING = 900.0
"""Seconds that a start may take in which all kernels are compiled."""
KEPT = 1_500_000_000
"""Bytes that the process may hold on to between two uploads; models and their buffers take about half."""
LONGEST = 30
"""Times the seconds of a file that one upload may take in all, however many faces or frames it has."""


@dataclass(frozen=True, slots=True)
class Order:
    """One upload to do."""

    settings: Settings
    task: Task
    """Its source is relative to `inputs`, so that results tell nothing of this machine."""
    inputs: Path


@dataclass(frozen=True, slots=True)
class Bench:
    """The recipe of the process."""

    bounds: Bounds
    warm: bool = True
    """Whether it does a small portrait before the first job."""

    def __call__(self, job: Job) -> Callable[[Order], Outcome]:
        from tronie.pipelines.photo import Pipeline
        from tronie.runtime.jit import telling

        pipeline = Pipeline()
        if self.warm:
            with telling(job):
                warm_up(pipeline, job)

        def work(order: Order) -> Outcome:
            nonlocal pipeline
            task = order.task
            try:
                os.chdir(order.inputs)
                pipeline = pipeline.with_settings(order.settings)
                _ = pipeline.detector, pipeline.net, pipeline.enhancer, pipeline.engine
                return Work(order.settings, bounds=self.bounds).with_pipeline(pipeline, job)(task)
            except TronieError as error:
                return Outcome(task.source, task.folder, "error", reason=str(error))
            finally:
                os.chdir(Path(__file__).anchor)  # the folder may be deleted

        return work


def warm_up(pipeline: Pipeline, job: Job) -> None:
    """Load the nets, and reconstruct the small portrait that comes with the package, to the last file: kernels are
    compiled or read. Small pictures go through the same kernels as large ones, and the enhancer has none."""
    from tronie.pipelines.photo_task import do_photo
    from tronie.runtime.atomic_files import scratch

    photo = Path(__file__).parents[1] / "assets" / "selftest.jpg"
    with job.stage(WARM_UP), scratch() as folder:
        pipeline.net.load()
        pipeline.segmenter.load()
        _ = pipeline.detector, pipeline.enhancer, pipeline.engine
        small = pipeline.with_settings(enhance={"mode": "off"}, texture={"size": 512}, portrait={"size": 256})
        do_photo(small, Task(str(photo), folder, "warm"), small.settings, job=Job())


def limits(bounds: Bounds) -> Callable[[Event], Limit | None]:
    """What the process may take once it has told an event; to get ready it has time enough to compile all kernels."""
    work = Work(Settings(), bounds=bounds)

    def limit(event: Event) -> Limit | None:
        if isinstance(event, StageBegan) and event.stage == WARM_UP:
            return None
        found = work.limit(event)
        return replace(found, seconds=STARTING) if found and isinstance(event, CompilingKernels) else found

    return limit


def bench_process(config: ServiceConfig) -> WarmProcess[Order, Outcome]:
    """The process of one worker, which belongs to the thread that calls this."""
    bounds = Bounds(config.file_seconds, config.file_memory)
    starting = Limit(STARTING, int(STEP * config.file_memory * 1e9), "getting ready", whole=True)
    kept = max(KEPT, int(READING * config.file_memory * 1e9 * 0.75))
    # One that takes the place of another is wanted soon, and finds the kernels compiled.
    again = Bench(bounds, warm=False)
    return WarmProcess(Bench(bounds), again=again, limit=limits(bounds), starting=starting, most=kept)
