"""One clip from path to files: OUT/NAME/face-1/head.glb with its motion, tables, films; whole or not at all."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from tronie.errors import InputError
from tronie.export.records import to_json
from tronie.export.schemas import ClipPersonRecord
from tronie.export.writer import Moving, Writer, photo_folder
from tronie.io.video import open_clip
from tronie.io.video.clip import CAMERA, Clip, Limited
from tronie.io.video.writer import default_format, write_movie
from tronie.pipelines.outcome import Outcome, Task, debugging, explain, numbered
from tronie.pipelines.video.collect import Collected, collect
from tronie.pipelines.video.films import steady, wired
from tronie.pipelines.video.heads import heads
from tronie.pipelines.video.montage import montage
from tronie.pipelines.video.motion import Motion
from tronie.pipelines.video.posed_head import Puppet
from tronie.pipelines.video.records import clip_record, person_record
from tronie.pipelines.video.solve import camera_of
from tronie.pipelines.video.tables import course, files
from tronie.runtime.ahead import ahead
from tronie.runtime.atomic_files import scratch
from tronie.runtime.hardware import cores
from tronie.runtime.job import Clock, Progress, Told, watched
from tronie.types import Face, Photo, Result

if TYPE_CHECKING:
    from tronie.geometry import Camera
    from tronie.pipelines.photo import Pipeline


def do_clip(
    pipeline: Pipeline, task: Task, *, progress: Progress | None = None, stopping: Callable[[], bool] = lambda: False
) -> Outcome:
    """Follow, solve and save one clip; never raises for a reason that lies in the clip or its outputs.

    `progress(what, done, of)` is told `following` (frames; `of` is None where the file does not say how many there
    are), `solving` and `heads` (people), `talking` (frames of all people's films) and `drawing` (frames of the
    overlay). Several threads call it, never two at a time; `solving`, `heads` and `talking` mix.
    `stopping()` is asked at every frame. Once it is true a camera's film ends, and what was seen is finished and kept;
    of a file's, which can be read again, nothing is: KeyboardInterrupt, at any time until the last film is drawn.
    The outcome's timings are of threads that work side by side: their sum is more than its seconds.
    """
    from tronie.pipelines.photo import single_blas_thread

    began, clock = time.perf_counter(), Clock()
    try:
        clip = open_clip(task.source, fps=pipeline.settings.video.fps)
        with (
            closing(clip),
            single_blas_thread(),
            scratch(task.out) as work,  # not in the system's temporary folder, where a killed run would leave it
        ):
            faces, notes = _do(clip, pipeline, task, work, clock, Told(progress), stopping)
    except Exception as error:
        if debugging():
            traceback.print_exc(file=sys.stderr)
        return Outcome(task.source, task.folder, "error", seconds=time.perf_counter() - began, reason=explain(error))
    errors = tuple(f"face {face.index}: {face.error}" for face in faces if face.error)
    return Outcome(
        source=task.source,
        folder=task.folder,
        status="ok" if len(errors) < len(faces) else "error" if errors else "no_face",
        faces=len(faces),
        seconds=time.perf_counter() - began,
        reason=errors[0] if faces and len(errors) == len(faces) else None,
        face_errors=errors,
        notes=notes,
        warnings=numbered(faces),
        timings=clock.seconds,
    )


def _do(
    clip: Clip, pipeline: Pipeline, task: Task, work: Path, clock: Clock, told: Told, stopping: Callable[[], bool]
) -> tuple[list[Face], tuple[str, ...]]:  # fmt: skip
    settings = pipeline.settings
    if settings.fit.engine != "calibrated":
        raise InputError(f"--engine {settings.fit.engine} works on photos only; leave it out for videos.")
    limited = Limited(clip, settings.video.seconds)
    told("following", 0, limited.info.frames)
    with clock("follow"):
        found = collect(limited, pipeline, work, every=settings.video.every, progress=told, stopping=stopping)
    camera_film = task.source.startswith(CAMERA)
    if found.stopped and not camera_film:
        raise KeyboardInterrupt

    def cancelled() -> bool:
        return not camera_film and stopping()

    if not found.times:
        raise InputError(f"{task.source} holds no picture that can be read.")
    found, poor = _well_seen(found)
    notes = (*found.notes, *poor)
    camera = camera_of(found, pipeline.model, pipeline.calibration, settings.fit.focal)
    with photo_folder(
        task.out, task.name, overwrite=task.overwrite, outputs=settings.wanted, export=settings.export
    ) as writer:
        faces, more = _save(found, pipeline, task, camera, writer, clock, notes, told, cancelled)
    return faces, (*notes, *more)


def _well_seen(found: Collected) -> tuple[Collected, tuple[str, ...]]:
    """The same without people whom no frame shows well enough for a head, and what to say of them."""
    people = [tracks for tracks in found.people if found.shots.best(tracks, 1)]
    poor = len(found.people) - len(people)
    if not poor:
        return found, ()
    who = "1 person was" if poor == 1 else f"{poor} people were"
    return replace(found, people=people), (f"{who} left out: no frame shows the face well enough",)


def _save(
    found: Collected, pipeline: Pipeline, task: Task, camera: Camera, writer: Writer, clock: Clock,
    notes: tuple[str, ...], told: Told, cancelled: Callable[[], bool],
) -> tuple[list[Face], tuple[str, ...]]:  # fmt: skip
    """Everybody's files, and those of the clip; the faces and what else is to be said."""
    settings, fps = pipeline.settings, found.info.fps
    puppets: dict[int, tuple[Puppet, Motion]] = {}
    faces: list[Face] = []
    records: list[ClipPersonRecord] = []
    views: list[tuple[Photo, Face]] = []
    failed: list[str] = []
    for made in heads(found, pipeline, camera, writer.work, clock, failed, told, cancelled):
        with clock("files"):
            person, face = made.person, made.face
            puppets[person.number] = made.puppet, person.motion
            tables = files(person.motion, pipeline.model, fps) if "motion" in settings.wanted else {}
            moving = Moving(course(person.motion, camera, task.name), tables, made.films)
            small = writer.add(made.photo, face, moving)
            views.append((made.photo, small))
            faces.append(small)
            written = sorted(path.name for path in (writer.work / f"face-{person.number}").iterdir())
            records.append(person_record(person, face, len(found.people[person.number - 1]), written))
        told("heads", len(faces), len(found.people))
    films = []
    filmed = "overlay_film" in settings.wanted and not task.source.startswith(CAMERA)
    if filmed and puppets:
        films.append(f"overlay.{default_format()}")
        with clock("overlay"):
            _overlay(found, pipeline, task, puppets, camera, writer.work / films[0], told, cancelled)
    with clock("files"):
        stage, montaged = montage(views, task.name, task.source)
        if stage is not None:
            writer.finish(Result(stage, tuple(montaged)))
        everything = (*notes, *failed)
        record = clip_record(task.name, found.info, found.times, found.cuts, everything, camera, records, films)
        (writer.work / "clip.json").write_bytes(to_json(record))
    return faces, tuple(failed)


def _overlay(
    found: Collected, pipeline: Pipeline, task: Task, puppets: Mapping[int, tuple[Puppet, Motion]], camera: Camera,
    path: Path, told: Told, cancelled: Callable[[], bool],
) -> None:  # fmt: skip
    """The film of the heads over the clip, which is read again."""
    total, threads = len(found.times), pipeline.threads or cores()
    with closing(open_clip(task.source, fps=pipeline.settings.video.fps)) as again:
        frames = takewhile(lambda frame: frame.index < total, again.frames())
        with closing(ahead(steady(frames, found.info.fps))) as shown:
            pictures = wired(shown, puppets, camera, threads)
            watched_pictures = watched(pictures, "drawing", total, told, cancelled)
            write_movie(path, watched_pictures, found.info.fps, sound=found.info.sound)
