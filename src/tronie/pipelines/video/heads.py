"""From what a clip shows of its people to their heads and the films of them talking; several people at a time."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tronie.errors import InputError, sentence
from tronie.head.model import Head
from tronie.io.video.writer import default_format, write_movie
from tronie.pipelines.model_usage import enhancers_used, models_used, on_devices
from tronie.pipelines.multiview import (
    Shot,
    add_light_and_portrait,
    bearded,
    seen_hair,
    segmented,
    select_views,
    suits_portrait,
    textured,
    usual_level,
    with_hair,
)
from tronie.pipelines.video.collect import Collected
from tronie.pipelines.video.films import talking, ticks
from tronie.pipelines.video.posed_head import KnownFit, PosableHead, face_of, head_at_rest
from tronie.pipelines.video.solve import ClipPerson, solve_person
from tronie.runtime.hardware import cores
from tronie.runtime.job import Job
from tronie.runtime.logs import logger
from tronie.runtime.threads import spread
from tronie.stages.letterbox import Box, moved_camera, picture_in, shifted, within
from tronie.stages.quality import face_warnings
from tronie.types import Face, Landmarks, Photo

if TYPE_CHECKING:
    from tronie.geometry import Camera
    from tronie.pipelines.photo import Pipeline
    from tronie.pipelines.video.keyframes import Keyframe

log = logger(__name__)

PAINTED = 4
"""A texture is made of at most so many frames, which show different sides."""


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """Somebody's head, with all that its files need."""

    person: ClipPerson
    face: Face
    photo: Photo
    """The frame that suits a portrait best."""
    head: PosableHead
    films: tuple[str, ...]
    """Names of those that lie in the person's folder."""


def heads(
    found: Collected, pipeline: Pipeline, camera: Camera, folder: Path, failed: list[str], job: Job
) -> Generator[Made | None, None, None]:
    """Everybody's, in their order; `folder` gets a folder for each. While one is made, the next is solved in this
    thread. None for those who fail, who are told of in `failed`. `job` is told of the stages `solve`, `head` and
    `talking`, whose steps are frames."""
    settings = pipeline.settings.video
    threads = pipeline.threads or cores()
    each = max(1, threads // max(len(found.people), 1))

    def solved() -> Iterator[ClipPerson | None]:
        for number, tracks in enumerate(found.people, start=1):
            with job.part(face=number).stage("solve"):
                person: ClipPerson | None
                try:
                    person = solve_person(
                        number,
                        tracks,
                        found,
                        pipeline.model,
                        pipeline.calibration,
                        camera,
                        bridge=settings.bridge,
                        strength=settings.smooth,
                        neutral=settings.neutral,
                        warp=pipeline.settings.fit.warp,
                    )
                except ValueError as error:
                    failed.append(f"person {number}: {error}")
                    person = None
            yield person

    def make(person: ClipPerson | None) -> Made | None:
        if person is None:
            return None
        level, model = usual_level(pipeline.model, pipeline.settings), pipeline.model
        part = job.part(face=person.number)
        with part.stage("head"):
            try:
                face, photo = finished(person, found, pipeline, camera, level)
            except (InputError, ValueError) as error:
                failed.append(f"person {person.number}: {error}")
                return None
            neutral = head_at_rest(model, person, level)
            posable = PosableHead.of(Head(model, level, neutral, neutral))
            place = folder / f"face-{person.number}"
            place.mkdir()
        if face.texture is None or "talking_film" not in pipeline.settings.wanted:
            return Made(person, face, photo, posable, ())
        name, fps = f"frontal.{default_format()}", found.info.fps
        with part.stage("talking", len(ticks(person.motion.time, fps))) as stage:
            pictures = talking(posable, face.texture, person.motion, fps, each, face.shells)
            write_movie(place / name, stage.each(pictures), fps, sound=found.info.sound)
        return Made(person, face, photo, posable, (name,))

    with closing(spread(make, solved(), threads)) as everybody:
        yield from everybody


def finished(
    person: ClipPerson, found: Collected, pipeline: Pipeline, camera: Camera, level: int
) -> tuple[Face, Photo]:
    """The person's head in the frame that suits a portrait best; its texture is made of several frames. What goes wrong
    is the face's `error`."""
    settings = pipeline.settings
    engine = KnownFit(pipeline.model, pipeline.calibration, person, level)
    shots = person.shots[:PAINTED]
    photos = [
        replace(
            shot.photo(found.info.name, found.info.source),
            notes=(f"frame {shot.frame} of a video, at {shot.time:.2f} s",),
        )
        for shot in shots
    ]
    box = x0, y0, x1, y1 = picture_in([photo.image for photo in photos]) if photos else (0, 0, 1, 1)
    inner = x1 - x0, y1 - y0  # bars around the picture are as what lies outside of it
    lens = moved_camera(camera, -x0, -y0, inner)
    painted: list[Shot] = []
    kept: list[Photo] = []
    for shot, whole in zip(shots, photos, strict=True):
        photo = within(whole, box)
        with suppress(ValueError, np.linalg.LinAlgError):
            face = shifted(face_of(person, shot, whole), -x0, -y0, inner)
            face = engine.fit(photo, finer(face, photo, pipeline), lens)
            painted.append(Shot(photo, replace(face, warnings=face_warnings(photo, face)), lens))
            kept.append(whole)
    if not painted:
        raise InputError("no frame shows the face well enough")
    main = max(range(len(painted)), key=lambda k: suits_portrait(painted[k]))
    photo, face = painted[main].photo, painted[main].face
    if settings.runs("texture"):
        try:
            mouth = None if person.mouth is None else mouth_of(person.mouth, box)
            views = select_views(painted, main)
            for k in views:
                painted[k] = replace(painted[k], face=segmented(painted[k].face, painted[k].photo, pipeline.segmenter))
            faces = bearded(painted[main].face, photo, settings.hair, [shot.face for shot in painted])[1:]
            painted = [replace(shot, face=face) for shot, face in zip(painted, faces, strict=True)]
            fused = textured(painted, views, settings, mouth)
            face = replace(painted[main].face, texture=fused.texture)
            if settings.runs("hair"):
                face = with_hair(face, seen_hair(painted, views), settings.hair)
            face = add_light_and_portrait(face, photo, settings)
        except Exception as error:
            log.exception("face %d of %s failed", person.number, found.info.source)
            face = replace(face, error=sentence(error))
    return shifted(face, x0, y0, camera.size), kept[main]


def mouth_of(shot: Keyframe, box: Box) -> tuple[Photo, Landmarks]:
    """A frame that shows the teeth, and its landmarks, in the pixels of the part that is picture."""
    marks = replace(shot.landmarks, points=shot.landmarks.points - np.array([box[0], box[1], 0.0]), mirrored=None)
    return within(shot.photo("mouth", ""), box), marks


def finer(face: Face, photo: Photo, pipeline: Pipeline) -> Face:
    """The face with super-resolution's detail where it is small, and with the models that it owes itself to."""
    models = models_used(pipeline.settings, enhance=False)
    if pipeline.enhancer is not None:
        from tronie.stages.enhance.stage import enhance

        (face,) = enhance(photo, [face], pipeline.enhancer, pipeline.net, pipeline.settings.enhance)
    if face.enhanced is not None:
        models = (*models, *enhancers_used(face.enhanced.name))
    return replace(face, models=on_devices(models, pipeline.settings.compute.device))
