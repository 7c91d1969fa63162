"""One clip from path to files: OUT/NAME/face-1/head.glb with its motion, tables, films; whole or not at all."""

from __future__ import annotations

import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tronie.batch.machine import cores
from tronie.batch.worker import Outcome, Task, debugging, explain
from tronie.errors import InputError
from tronie.io.movie import default_format, write_movie
from tronie.io.outputs import Moving, Writer, photo_folder
from tronie.io.records import to_json
from tronie.person.stage import Shot as Painted
from tronie.person.stage import dressed, suits_portrait, textured, to_paint
from tronie.quality import face_warnings
from tronie.types import Face, Head, Photo, Result, Texture
from tronie.used import models_used
from tronie.video.clip import CAMERA, Clip, ClipInfo, Frame, open_clip
from tronie.video.collect import Collected, Progress, collect
from tronie.video.films import steady, talking, wired
from tronie.video.head_of import HeldFit, Puppet, face_of, head_at_rest
from tronie.video.montage import montage
from tronie.video.motion import Motion
from tronie.video.records import PersonRecord, clip_record, person_record
from tronie.video.solve import Person, camera_of, solve_person
from tronie.video.tables import course, files

if TYPE_CHECKING:
    from tronie.geometry import Camera
    from tronie.pipeline import Pipeline


PAINTED = 4
"""A texture is made of at most so many frames, which show different sides."""


@dataclass(slots=True)
class Clock:
    """Seconds by what they were spent on."""

    seconds: dict[str, float] = field(default_factory=dict)
    _since: float = field(default_factory=time.perf_counter)

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._since
        self._since = now


def do_clip(
    pipeline: Pipeline, task: Task, *, progress: Progress | None = None, stopping: Callable[[], bool] = lambda: False
) -> Outcome:
    """Follow, solve and save one clip; never raises for a reason that lies in the clip or its outputs.

    Once `stopping()` is true a camera's film ends, and what was seen is finished and kept; of a file's, which can be
    read again, nothing is: KeyboardInterrupt.
    """
    from tronie.pipeline import single_blas_thread

    began, clock = time.perf_counter(), Clock()
    try:
        clip = open_clip(task.source, fps=pipeline.settings.video.fps)
        try:
            with single_blas_thread(), tempfile.TemporaryDirectory(prefix="tronie-clip-") as work:
                done = _do(clip, pipeline, task, Path(work), clock, progress, stopping)
        finally:
            clip.close()
    except Exception as error:
        if debugging():
            traceback.print_exc(file=sys.stderr)
        return Outcome(task.source, task.folder, "error", seconds=time.perf_counter() - began, reason=explain(error))
    faces, notes = done
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
        warnings=tuple(f"face {face.index}: {text}" for face in faces for text in face.warnings),
        timings=clock.seconds,
    )


def _do(
    clip: Clip, pipeline: Pipeline, task: Task, work: Path, clock: Clock, progress: Progress | None,
    stopping: Callable[[], bool],
) -> tuple[list[Face], tuple[str, ...]]:  # fmt: skip
    settings = pipeline.settings
    if settings.fit.engine != "calibrated":
        raise InputError(f"--engine {settings.fit.engine} works on photos only; leave it out for videos.")
    limited = Limited(clip, settings.video.seconds)
    found = collect(limited, pipeline, work, every=settings.video.every, progress=progress, stopping=stopping)
    if found.stopped and not task.source.startswith(CAMERA):
        raise KeyboardInterrupt
    clock.lap("follow")
    if not found.times:
        raise InputError(f"{task.source} holds no picture that can be read.")
    found, poor = _well_seen(found)
    notes = (*found.notes, *poor)
    camera = camera_of(found, pipeline.model, pipeline.calibration, settings.fit.focal)
    people, failed = [], []
    for number, tracks in enumerate(found.people, start=1):
        try:
            people.append(
                solve_person(
                    number, tracks, found, pipeline.model, pipeline.calibration, camera,
                    bridge=settings.video.bridge, strength=settings.video.smooth, warp=settings.fit.warp,
                )
            )  # fmt: skip
        except ValueError as error:
            failed.append(f"person {number}: {error}")
        if progress is not None:
            progress("solving", number, len(found.people))
    clock.lap("solve")
    with photo_folder(task.out, task.name, overwrite=task.overwrite, export=settings.export) as writer:
        faces = _save(found, people, pipeline, task, camera, writer, clock, (*notes, *failed), progress)
    return faces, (*notes, *failed)


def _well_seen(found: Collected) -> tuple[Collected, tuple[str, ...]]:
    """The same without people whom no frame shows well enough for a head, and what to say of them."""
    people = [tracks for tracks in found.people if found.shots.best(tracks, 1)]
    poor = len(found.people) - len(people)
    if not poor:
        return found, ()
    who = "1 person was" if poor == 1 else f"{poor} people were"
    return replace(found, people=people), (f"{who} left out: no frame shows the face well enough",)


def _save(
    found: Collected, people: Sequence[Person], pipeline: Pipeline, task: Task, camera: Camera, writer: Writer,
    clock: Clock, notes: tuple[str, ...], progress: Progress | None,
) -> list[Face]:  # fmt: skip
    settings, level, fps = pipeline.settings, _level(pipeline), found.info.fps
    puppets: dict[int, tuple[Puppet, Motion]] = {}
    faces: list[Face] = []
    records: list[PersonRecord] = []
    views: list[tuple[Photo, Face]] = []
    together = cores()  # so many at a time: the textures of a crowd need not be in memory together
    for start in range(0, len(people), together):
        whole: list[tuple[Person, Face, Photo]] = []
        for person in people[start : start + together]:
            face, photo = finished(person, found, pipeline, camera, level)
            whole.append((person, face, photo))
            neutral = head_at_rest(pipeline.model, person, level)
            puppets[person.number] = Puppet.of(Head(pipeline.model, level, neutral, neutral)), person.motion
            (writer.work / f"face-{person.number}").mkdir()
        clock.lap("head")
        talked = _talking(whole, puppets, writer.work, fps) if settings.video.talking and settings.only is None else {}
        clock.lap("talking")
        for person, face, photo in whole:
            tables = files(person.motion, pipeline.model, fps)
            moving = Moving(course(person.motion, camera, task.name), tables, talked.get(person.number, ()))
            small = writer.add(photo, face, moving)
            views.append((photo, small))
            faces.append(small)
            written = sorted(path.name for path in (writer.work / f"face-{person.number}").iterdir())
            records.append(person_record(person, face, len(found.people[person.number - 1]), written))
        if progress is not None:
            progress("heads", len(faces), len(people))
        clock.lap("files")
    films = []
    if settings.video.overlay and not task.source.startswith(CAMERA) and people:
        name = f"overlay.{default_format()}"
        again = open_clip(task.source, fps=settings.video.fps)
        try:
            shown = steady(_first(again.frames(), len(found.times)), fps)
            total = len(found.times)

            def told(count: int) -> None:
                if progress is not None:
                    progress("drawing", min(count, total), total)

            write_movie(writer.work / name, wired(shown, puppets, camera, told), fps)
        finally:
            again.close()
        films.append(name)
        clock.lap("overlay")
    stage, montaged = montage(views, task.name, task.source)
    if stage is not None:
        writer.finish(Result(stage, tuple(montaged)))
    record = clip_record(task.name, found.info, found.times, found.cuts, notes, camera, records, films)
    (writer.work / "clip.json").write_bytes(to_json(record))
    clock.lap("files")
    return faces


def _talking(
    whole: Sequence[tuple[Person, Face, Photo]], puppets: Mapping[int, tuple[Puppet, Motion]], work: Path, fps: float
) -> dict[int, tuple[str, ...]]:
    """The films of the talking heads, one in each thread; names by person."""
    from concurrent.futures import ThreadPoolExecutor

    name = f"frontal.{default_format()}"

    def film(number: int, texture: Texture) -> int:
        puppet, motion = puppets[number]
        return write_movie(work / f"face-{number}" / name, talking(puppet, texture, motion, fps), fps)

    wanted = [(person.number, face.texture) for person, face, _ in whole if face.texture is not None]
    with ThreadPoolExecutor(max(len(wanted), 1)) as pool:
        done = [(number, pool.submit(film, number, texture)) for number, texture in wanted]
        return {number: (name,) for number, running in done if running.result()}


def finished(person: Person, found: Collected, pipeline: Pipeline, camera: Camera, level: int) -> tuple[Face, Photo]:
    """The person's head in the frame that suits a portrait best; its texture is made of several frames. What goes wrong
    is the face's `error`."""
    settings = pipeline.settings
    engine = HeldFit(pipeline.model, pipeline.calibration, person, level)
    models = models_used(settings, enhance=False)
    painted: list[Painted] = []
    for shot in person.shots[:PAINTED]:
        photo = replace(
            shot.photo(found.info.name, found.info.source),
            notes=(f"frame {shot.frame} of a video, at {shot.time:.2f} s",),
        )
        with suppress(ValueError, np.linalg.LinAlgError):
            face = engine.fit(photo, replace(face_of(person, shot, photo), models=models), camera)
            painted.append(Painted(photo, replace(face, warnings=face_warnings(photo, face)), camera))
    if not painted:
        raise InputError("no frame shows the face well enough")
    main = max(range(len(painted)), key=lambda k: suits_portrait(painted[k]))
    photo, face = painted[main].photo, painted[main].face
    if settings.only == "mesh":
        return face, photo
    try:
        fused = textured(painted, to_paint(painted, main), settings, lambda: False)
        assert fused is not None  # nobody stopped it
        return dressed(replace(face, texture=fused.texture), photo, settings), photo
    except Exception as error:
        return replace(face, error=f"{type(error).__name__}: {error}"), photo


class Limited:
    """A clip of which only the first seconds are read."""

    def __init__(self, clip: Clip, seconds: float | None) -> None:
        self._clip, self._seconds, self._info = clip, seconds, clip.info
        if seconds is not None:
            most = int(seconds * clip.info.fps)
            self._info = replace(self._info, frames=min(most, self._info.frames or most))

    @property
    def info(self) -> ClipInfo:
        return self._info

    @property
    def notes(self) -> tuple[str, ...]:
        return self._clip.notes

    def frames(self) -> Iterator[Frame]:
        for frame in self._clip.frames():
            if self._seconds is not None and frame.time >= self._seconds:
                return
            yield frame

    def close(self) -> None:
        self._clip.close()


def _first(frames: Iterator[Frame], count: int) -> Iterator[Frame]:
    for frame in frames:
        if frame.index >= count:
            return
        yield frame


def _level(pipeline: Pipeline) -> int:
    wanted, model = pipeline.settings.head.subdivide, pipeline.model
    return model.usual_level if wanted is None else min(wanted, model.levels[-1])
