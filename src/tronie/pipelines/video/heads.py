"""From what a clip shows of its people to their heads and the films of them talking; several people at a time."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tronie.errors import InputError, sentence
from tronie.io.video.writer import default_format, write_movie
from tronie.pipelines.gather import COVERED, covered, gathered
from tronie.pipelines.model_usage import enhancers_used, models_used, on_devices
from tronie.pipelines.multiview import (
    add_light_and_portrait,
    bearded,
    main_shot,
    seen_hair,
    segmented,
    select_views,
    textured,
    usual_level,
    with_hair,
)
from tronie.pipelines.shot import Shot
from tronie.pipelines.video.collect import Collected
from tronie.pipelines.video.films import talking, ticks
from tronie.pipelines.video.posed_head import KnownFit, PosableHead, face_of, head_at_rest
from tronie.pipelines.video.solve import ClipPerson, solve_person
from tronie.runtime.hardware import cores
from tronie.runtime.job import Job
from tronie.runtime.logs import logger
from tronie.runtime.threads import spread
from tronie.stages.letterbox import moved_camera, picture_in, shifted, within
from tronie.stages.quality import face_warnings
from tronie.types import Face, Photo

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
            posable = PosableHead.of(head_at_rest(model, person, level))
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
    settings, info = pipeline.settings, found.info
    engine = KnownFit(pipeline.model, pipeline.calibration, person, level)
    textures = settings.runs("texture")

    def photo_of(frame: Keyframe) -> Photo:
        told = f"frame {frame.frame} of a video, at {frame.time:.2f} s"
        return replace(frame.photo(info.name, info.source), notes=(told,))

    box = picture_in([photo_of(frame).image for frame in person.shots[:PAINTED]]) if person.shots else (0, 0, 1, 1)
    x0, y0, x1, y1 = box  # bars around the picture are as what lies outside of it
    inner = x1 - x0, y1 - y0
    lens = moved_camera(camera, -x0, -y0, inner)

    def looked(frame: Keyframe, fine: bool, most: float = 1.0) -> Shot | None:
        """None where the frame does not fit, or more than that share of the face is covered."""
        whole = photo_of(frame)
        photo = within(whole, box)
        face = shifted(face_of(person, frame, whole), -x0, -y0, inner)
        face = segmented(face, photo, pipeline.segmenter) if textures else face
        if covered(face) > most:
            return None
        with suppress(ValueError, np.linalg.LinAlgError):
            face = engine.fit(photo, finer(face, photo, pipeline) if fine else face, lens)
            return Shot(photo, replace(face, warnings=face_warnings(photo, face)), lens)
        return None

    def some(most: float) -> list[tuple[Keyframe, Shot]]:
        seen = ((frame, looked(frame, fine=True, most=most)) for frame in person.shots)
        return list(islice(((frame, shot) for frame, shot in seen if shot is not None), PAINTED))

    pairs = some(COVERED) or some(1.0)
    if not pairs:
        raise InputError("no frame shows the face well enough")
    shots = [shot for _, shot in pairs]
    main = main_shot(shots, None)
    face, photo = shots[main].face, shots[main].photo
    if textures:
        try:
            painted = select_views(shots, main)
            shots += [shot for part in person.parts.values() if (shot := looked(part, fine=False)) is not None]
            lent = gathered(shots, main)
            faces = bearded(face, photo, settings.hair, [shot.face for shot in shots])[1:]
            shots = [replace(shot, face=face) for shot, face in zip(shots, faces, strict=True)]
            face = replace(shots[main].face, texture=textured(shots, painted, settings, lent).texture)
            if settings.runs("hair"):
                face = with_hair(face, seen_hair(shots, painted), settings.hair)
            face = add_light_and_portrait(face, photo, settings)
        except Exception as error:
            log.exception("face %d of %s failed", person.number, info.source)
            face = replace(face, error=sentence(error))
    return shifted(face, x0, y0, camera.size), photo_of(pairs[main][0])


def finer(face: Face, photo: Photo, pipeline: Pipeline) -> Face:
    """The face with super-resolution's detail where it is small, and with the models that it owes itself to."""
    models = models_used(pipeline.settings, enhance=False)
    if pipeline.enhancer is not None:
        from tronie.stages.enhance.stage import enhance

        (face,) = enhance(photo, [face], pipeline.enhancer, pipeline.net, pipeline.settings.enhance)
    if face.enhanced is not None:
        models = (*models, *enhancers_used(face.enhanced.name))
    return replace(face, models=on_devices(models, pipeline.settings.compute.device))
