"""What a worker does with one photo or video, and what it may take."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from tronie.io.inputs import content, stamp
from tronie.pipelines.outcome import Outcome, Task
from tronie.runtime.atomic_files import sweep
from tronie.runtime.child_process import Crash, Limit
from tronie.runtime.hardware import give_back_memory
from tronie.runtime.job import Advanced, CompilingKernels, Event, FacesFound, Job, StageBegan

if TYPE_CHECKING:
    from tronie.pipelines.photo import Pipeline
    from tronie.settings import Settings

NET_IN_USE = 6
"""Times its file that a net takes while it works: SPARNet's of 343 MB, on 512 x 512 pixels, 1.9 GB."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What reading one file may take before its process is ended, so that it costs no other."""

    seconds: float | None = 120.0
    """For a photo, from its first byte to its last file; for the next frame of a video."""
    memory: float | None = 2.0
    """Gigabytes, to be decoded."""

    @staticmethod
    def usual_memory(settings: Settings) -> float:
        """Gigabytes that are allowed where nobody says how many: more where the user's own net enhances faces, which
        may be much larger than ours."""
        from tronie.runtime.model_store import imported

        net = imported().get(settings.enhance.mode)
        return 2.0 + (0.0 if net is None else round(NET_IN_USE * net.bytes / 1e9, 1))


LONGER = 0.25
"""Of a photo's seconds, so many more for each face after the first, and for each kernel that has to be compiled."""
STEPS = 5
"""Times these seconds that a process may take to load, and a step of a video that is no frame."""
READING, STEP, CLIP = 1, 2, 3
"""How many times these gigabytes something may take: a photo of 38 megapixels with a texture of 4096 took 2.4 GB; of a
video many frames are in work, and 30 of 3840x2160 pixels took 1.9 GB."""
TRIMMED = 10
"""Files after which a process gives memory back: it takes 10 ms, and saves some 100 MB."""
CLIP_STAGES = frozenset(("fetch_clip", "follow", "solve", "heads", "head", "talking", "overlay", "files"))
"""What `do_clip` tells of, and what brings clips here; steps of `follow` are frames."""


@runtime_checkable
class Bounded(Protocol):
    """A recipe for a worker that says what it may take."""

    @property
    def starting(self) -> Limit | None:
        """What a process may take until it first says what it does: to load, and to begin with a file."""

    def limit(self, event: Event) -> Limit | None:
        """What a process may take once its job has told this."""


@dataclass(frozen=True, slots=True)
class Work:
    """A recipe for a worker, small enough to be sent to another process: call it there to load the pipeline."""

    settings: Settings
    threads: int = 1
    bounds: Bounds = Bounds(None, None)

    def __call__(self, job: Job) -> Callable[[Task], Outcome]:
        import cv2

        from tronie.pipelines.photo import Pipeline

        if self.threads:
            cv2.setNumThreads(self.threads)  # OpenCV does not read the variables that the others read
        pipeline = Pipeline(self.settings, threads=self.threads)
        # A missing model file ends the job here with one sentence, not every photo with the same one.
        _ = pipeline.detector, pipeline.net, pipeline.enhancer
        if self.settings.job == "heads" or self.settings.restore.colour:
            _ = pipeline.engine
        pipeline.load_ahead()
        return self.with_pipeline(pipeline, job)

    def with_pipeline(self, pipeline: Pipeline, job: Job) -> Callable[[Task], Outcome]:
        """The same with a pipeline that is there already, of these settings."""
        from tronie.pipelines.photo_task import do_photo
        from tronie.pipelines.restore import do_restoration

        done = count(1)

        def work(task: Task) -> Outcome:
            if next(done) % TRIMMED == 0:
                give_back_memory()
            part = job.part(task.source)
            if self.settings.job == "restore":
                return do_restoration(pipeline, task, part)
            with part.stage("open"):
                from tronie.io.video import is_clip
                from tronie.runtime.jit import telling

                clip = task.clip or (os.path.isfile(task.file) and is_clip(task.file))
            with telling(job):
                if clip:
                    from tronie.pipelines.video.job import do_clip

                    return do_clip(pipeline, task, part)
                return do_photo(pipeline, task, self.settings, self.threads, part)

        return steady(work)

    @property
    def starting(self) -> Limit | None:
        """What a process may take until it first says what it does: to load, and to begin with a file."""
        return self._limit(STEPS, STEP, "beginning", whole=True) if self.bounds.seconds is not None else None

    def limit(self, event: Event) -> Limit | None:
        """What a process may take once its job has told this. Photos have their time as a whole, videos by steps."""
        if isinstance(event, CompilingKernels):
            return self._limit(1, STEP, "compiling", whole=True, longer=1)
        if isinstance(event, FacesFound):
            return self._limit(1, STEP, "what follows", whole=True, longer=len(event.faces) - 1)
        if isinstance(event, Advanced) and event.stage == "follow" and event.done != event.total:
            return self._limit(1, CLIP, "a frame")
        if not isinstance(event, StageBegan | Advanced):
            return None
        what = f"the step `{event.stage}`"
        if event.stage in CLIP_STAGES:
            return self._limit(STEPS, CLIP, what)
        if event.stage in ("open", "read"):
            return self._limit(1, READING, "reading it", whole=True)
        return self._limit(1, STEP, what, whole=True)

    def _limit(self, seconds: float, memory: float, what: str, *, whole: bool = False, longer: int = 0) -> Limit:
        """`seconds` and `memory` as shares of what a file may take."""
        most, size = self.bounds.seconds, self.bounds.memory
        return Limit(
            None if most is None else seconds * most,
            None if size is None else int(memory * size * 1e9),
            what,
            whole,
            LONGER * max(longer, 0) * (most or 0.0),
        )


def not_finished(task: Task, crash: Crash) -> Outcome:
    """What became of a photo whose process was lost."""
    sweep(task.out)  # what that process had half written
    more = f" (--{crash.bound} allows more)" if crash.bound else ""
    reason = f"Not finished: {crash.reason.removesuffix('.')}{more}."
    trouble = crash.bound or "crashed"
    return Outcome(task.source, task.folder, "error", reason=reason, trouble=trouble, address=task.address)


def steady(work: Callable[[Task], Outcome]) -> Callable[[Task], Outcome]:
    """The same, which goes by one version of the file: if it was replaced meanwhile, it is done once more. A file that
    does not come to rest is an error, so that no result is taken for that of another picture."""

    def settled(task: Task) -> Outcome:
        there = os.path.lexists(task.folder)
        for again in (False, True):
            # What the first attempt has written is ours; what was there before is not.
            now = replace(task, overwrite=True) if again and not there else task
            before, held = stamp(task.file), content(task.file)
            outcome = replace(work(now), stamp=before, content=held)
            if stamp(task.file) == before:
                return outcome
        reason = f"{task.source} changed while it was worked on; run this again when nothing writes to it any more."
        return replace(outcome, status="error", reason=reason, trouble="changed")

    return settled
