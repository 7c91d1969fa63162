"""One clip from path to files: OUT/NAME/face-1/head.glb with its motion, tables, films; whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tronie.errors import InputError, sentence, trouble
from tronie.export.records import to_json
from tronie.export.schemas import ClipPersonRecord
from tronie.export.writer import Moving, Writer, photo_folder
from tronie.io.limits import Limits
from tronie.io.paths import safe_name
from tronie.io.video import open_clip
from tronie.io.video.clip import CAMERA, Clip, Limited
from tronie.io.video.writer import default_format, write_movie
from tronie.pipelines.engines import engine_info
from tronie.pipelines.outcome import Outcome, Task, numbered
from tronie.pipelines.video.collect import Collected, Watch, collect
from tronie.pipelines.video.films import montage, steady, ticks, wired
from tronie.pipelines.video.heads import heads
from tronie.pipelines.video.motion import Motion
from tronie.pipelines.video.posed_head import PosableHead
from tronie.pipelines.video.records import clip_record, person_record
from tronie.pipelines.video.solve import camera_of
from tronie.pipelines.video.tables import course, files
from tronie.runtime.atomic_files import scratch
from tronie.runtime.hardware import cores
from tronie.runtime.job import Job
from tronie.runtime.logs import logger
from tronie.runtime.threads import ahead
from tronie.types import Face, Photo, Result

if TYPE_CHECKING:
    from tronie.geometry import Camera
    from tronie.pipelines.photo import Pipeline
    from tronie.settings import Settings

log = logger(__name__)


def do_clip(pipeline: Pipeline, task: Task, job: Job | None = None) -> Outcome:
    """`reconstruct_video` for one clip of many: never raises for a reason that lies in the clip or its outputs."""
    began = time.perf_counter()
    job = (job or Job()).part(task.source)
    try:
        clip = _reconstruct(task, pipeline, job)
    except Exception as error:
        log.exception("%s failed", task.source)
        taken = time.perf_counter() - began
        return Outcome(task.source, task.folder, "error", 0, 0, taken, sentence(error), trouble(error))
    faces = clip.faces
    errors = tuple(f"face {face.index}: {face.error}" for face in faces if face.error)
    return Outcome(
        source=task.source,
        folder=task.folder,
        status="ok" if len(errors) < len(faces) else "error" if errors else "no_face",
        faces=len(faces),
        seconds=time.perf_counter() - began,
        reason=errors[0] if faces and len(errors) == len(faces) else None,
        trouble="faces" if faces and len(errors) == len(faces) else None,
        face_errors=errors,
        notes=clip.notes,
        warnings=numbered(faces),
        timings=job.timings,
    )


@dataclass(frozen=True, slots=True, eq=False)
class VideoResult:
    """What came of a video; all else is in its files."""

    folder: Path
    faces: tuple[Face, ...]
    """Of each person the best frame's face, without its large pictures."""
    notes: tuple[str, ...]
    """What its owner should know of the video and of people who could not be done."""


def reconstruct_video(
    source: str | Path,
    out: str | Path,
    settings: Settings | None = None,
    *,
    name: str | None = None,
    overwrite: bool = False,
    pipeline: Pipeline | None = None,
    job: Job | None = None,
) -> VideoResult:
    """Follow, solve and save everybody in a video: the files are in the folder `name` of `out`.

    `source` is a video file, a folder or pattern of pictures, or `camera:0`. A `pipeline` with loaded models takes the
    place of `settings`. Raises InputError for what cannot be read, OutputError for what cannot be written.

    `job` is told of the stages `follow` (whose steps are frames; their number may not be known), `heads` (people), of
    each person `solve`, `head` and `talking` (frames of the film), then `overlay` (frames) and `files`; `solve`, `head`
    and `talking` mix, in several threads. Once it drains, a camera's film ends, and what was seen is finished and kept;
    of a file, which can be read again, nothing is: Cancelled, at any time until the last film is drawn.
    Its timings are of threads that work side by side: their sum is more than the time that passed.
    """
    from tronie.pipelines.photo import Pipeline

    source = str(source)
    task = Task(source, Path(out), name or safe_name(Path(source).stem), overwrite, clip=True)
    return _reconstruct(task, pipeline or Pipeline(settings), job or Job())


def _reconstruct(task: Task, pipeline: Pipeline, job: Job) -> VideoResult:
    # Not in the system's temporary folder, where a killed run would leave it.
    with scratch(task.out) as work:
        return make_clip(follow_clip(task, pipeline, work, job), pipeline, task, job)


def follow_clip(task: Task, pipeline: Pipeline, work: Path, job: Job, watch: Watch | None = None) -> Collected:
    """The first half of `reconstruct_video`: who is seen where. `work`, an empty folder, has to stay for `make_clip`;
    `watch` gets every frame as it goes by, with the faces in it."""
    from tronie.runtime.threads import single_blas_thread

    settings = pipeline.settings
    if engine_info(settings.fit.engine).photos_only:
        raise InputError(f"--engine {settings.fit.engine} works on photos only; leave it out for videos.")
    job = _part(task, job)
    with closing(open_source(task.file, settings)) as clip, single_blas_thread():
        found = collect(clip, pipeline, work, every=settings.video.every, job=job, watch=watch)
    if not found.times:
        raise InputError(f"{task.source} holds no picture that can be read.")
    if task.local:  # it goes by the name of what it is a copy of
        found = replace(found, info=replace(found.info, source=task.source))
    return _well_seen(found)


def make_clip(
    found: Collected,
    pipeline: Pipeline,
    task: Task,
    job: Job,
    made: Callable[[Photo, Face], object] | None = None,
) -> VideoResult:
    """The second half: everybody's head and motion, as files. `made` gets each face with the frame it is of."""
    from tronie.runtime.threads import single_blas_thread

    settings, job = pipeline.settings, _part(task, job)
    with single_blas_thread():
        camera = camera_of(found, pipeline.model, pipeline.calibration, settings.fit.focal)
        with photo_folder(
            task.out, task.name, overwrite=task.overwrite, outputs=settings.wanted, export=settings.export
        ) as writer:
            faces, more = _save(found, pipeline, task, camera, writer, job, made)
    return VideoResult(task.folder, tuple(faces), (*found.notes, *more))


def _part(task: Task, job: Job) -> Job:
    return job.part(task.source, finishes=task.source.startswith(CAMERA))


def _well_seen(found: Collected) -> Collected:
    """The same without people whom no frame shows well enough for a head, of whom a note tells."""
    people = [tracks for tracks in found.people if found.shots.best(tracks, 1)]
    poor = len(found.people) - len(people)
    if not poor:
        return found
    who = "1 person was" if poor == 1 else f"{poor} people were"
    note = f"{who} left out: no frame shows the face well enough"
    return replace(found, people=people, notes=(*found.notes, note))


def _save(
    found: Collected,
    pipeline: Pipeline,
    task: Task,
    camera: Camera,
    writer: Writer,
    job: Job,
    told: Callable[[Photo, Face], object] | None,
) -> tuple[list[Face], tuple[str, ...]]:
    """Everybody's files, and those of the clip; the faces and what else is to be said."""
    settings, fps = pipeline.settings, found.info.fps
    moving_heads: dict[int, tuple[PosableHead, Motion]] = {}
    faces: list[Face] = []
    records: list[ClipPersonRecord] = []
    views: list[tuple[Photo, Face]] = []
    failed: list[str] = []
    everybody = heads(found, pipeline, camera, writer.work, failed, job)
    with job.stage("heads", len(found.people)) as stage, closing(everybody):
        for made in everybody:
            if made is None:
                stage.advance()
                continue
            person, face = made.person, made.face
            if told is not None:
                told(made.photo, face)
            with job.part(face=person.number).stage("files"):
                moving_heads[person.number] = made.head, person.motion
                tables = files(person.motion, person.own, pipeline.model, fps) if "motion" in settings.wanted else {}
                moving = Moving(course(person.motion, person.own, camera, task.name), tables, made.films)
                small = writer.add(made.photo, face, moving)
                views.append((made.photo, small))
                faces.append(small)
                written = sorted(path.name for path in (writer.work / f"face-{person.number}").iterdir())
                tracks = len(found.people[person.number - 1])
                records.append(person_record(person, pipeline.model, face, tracks, written))
            stage.advance()
    films = []
    filmed = "overlay_film" in settings.wanted and not task.source.startswith(CAMERA)
    if filmed and moving_heads:
        films.append(f"overlay.{default_format()}")
        _overlay(found, pipeline, task, moving_heads, camera, writer.work / films[0], job)
    with job.stage("files"):
        photo, montaged = montage(views, task.name, task.source)
        if photo is not None:
            writer.finish(Result(photo, tuple(montaged)))
        notes = (*found.notes, *failed)
        record = clip_record(task.name, found, notes, camera, records, films)
        (writer.work / "clip.json").write_bytes(to_json(record))
    return faces, tuple(failed)


def _overlay(
    found: Collected,
    pipeline: Pipeline,
    task: Task,
    people: Mapping[int, tuple[PosableHead, Motion]],
    camera: Camera,
    path: Path,
    job: Job,
) -> None:
    """The film of the heads over the clip, which is read again."""
    count, threads = len(found.times), pipeline.threads or cores()
    with (
        job.stage("overlay", len(ticks(np.array(found.times), found.info.fps))) as stage,
        closing(open_source(task.file, pipeline.settings)) as again,
    ):
        frames = takewhile(lambda frame: frame.index < count, again.frames())
        with closing(ahead(steady(frames, found.info.fps))) as shown:
            pictures = stage.each(wired(shown, people, camera, threads))
            write_movie(path, pictures, found.info.fps, sound=found.info.sound)


def open_source(source: str, settings: Settings) -> Clip:
    """A video, pictures or a camera, as the settings want them read: the part that they ask for."""
    video = settings.video
    clip = open_clip(source, fps=video.fps, limits=Limits.of_megapixels(settings.read.max_megapixels))
    return Limited(clip, video.seconds, video.start or 0.0)
