"""One photo of a job: reconstructed, and saved."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from tronie.errors import sentence, trouble
from tronie.pipelines.outcome import Outcome, Status, Task, numbered
from tronie.pipelines.photo import Ahead, Each
from tronie.runtime.job import Job
from tronie.runtime.logs import logger
from tronie.settings import Settings
from tronie.types import Photo, Result

log = logger(__name__)


class Runner(Protocol):
    """What `do_photo` needs of a `Pipeline`."""

    def run(
        self, photo: str | Path, /, *, each: Each | None = None, ahead: Ahead | None = None, job: Job | None = None
    ) -> Result: ...


def do_photo(
    runner: Runner, task: Task, settings: Settings | None = None, threads: int = 0, job: Job | None = None
) -> Outcome:
    """Reconstruct one photo and save it; never raises for a reason that lies in the photo or its outputs."""
    from tronie.export.writer import photo_folder

    began, settings = time.perf_counter(), settings or Settings()

    def own(photo: Photo) -> Photo:
        """A copy that was brought here goes by the name of what it is a copy of."""
        return replace(photo, source=task.source) if task.local else photo

    try:
        with photo_folder(
            task.out,
            task.name,
            overwrite=task.overwrite,
            outputs=settings.wanted,
            export=settings.export,
            threads=threads,
        ) as writer:
            result = runner.run(
                task.file,
                each=lambda photo, face: writer.add(own(photo), face),
                ahead=lambda photo, face, settled: writer.begin(own(photo), face, settled),
                job=job,
            )
            result = replace(result, photo=own(result.photo))
            writer.finish(result)
    except Exception as error:
        log.exception("%s failed", task.source)
        taken = time.perf_counter() - began
        return Outcome(task.source, task.folder, "error", 0, 0, taken, sentence(error), trouble(error))
    errors = tuple(f"face {face.index}: {face.error}" for face in result.faces if face.error)
    timings = dict(result.timings)
    for face in result.faces:
        for stage, seconds in face.timings.items():
            timings[stage] = timings.get(stage, 0.0) + seconds
    timings["files"] = writer.seconds
    status: Status = "ok" if len(errors) < len(result.faces) else "error" if errors else "no_face"
    return Outcome(
        source=task.source,
        folder=task.folder,
        status=status,
        faces=len(result.faces),
        enhanced=sum(face.enhanced is not None and face.enhanced.accepted for face in result.faces),
        seconds=time.perf_counter() - began,
        reason=errors[0] if status == "error" else None,
        trouble="faces" if status == "error" else None,
        face_errors=errors,
        notes=result.photo.notes,
        warnings=numbered(result.faces),
        unmeasured=result.unmeasured,
        timings=timings,
    )
