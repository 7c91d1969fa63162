"""The list of stages, applied to photos. Models are loaded once; a face's trouble stays with that face."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from tronie.errors import sentence
from tronie.geometry import Camera
from tronie.pipelines.engines import engine_info
from tronie.pipelines.model_usage import enhancers_used, models_used, on_devices
from tronie.pipelines.models import Models
from tronie.pipelines.multiview import (
    add_light_and_portrait,
    bearded,
    face_texture,
    segmented,
    texture_side,
    under_hair,
    with_hair,
    with_neck,
    with_portrait,
)
from tronie.pipelines.telling import Corner, faces_found, job_of, tell_of_devices
from tronie.runtime.forks import about_to_work
from tronie.runtime.job import FaceFinished, Job
from tronie.runtime.logs import logger
from tronie.runtime.threads import beside, single_blas_thread, spread
from tronie.settings import Settings
from tronie.stages.fit.camera import guess_camera
from tronie.stages.fit.engine_info import Engine
from tronie.stages.fit.regressor import NEARNESS_SIGMA
from tronie.stages.letterbox import Framed, picture_in, shifted_box
from tronie.stages.quality import face_warnings
from tronie.types import Enhanced, Face, Photo, Result, Unmeasured

if TYPE_CHECKING:
    from tronie.stages.finder import Marked

log = logger(__name__)

Each = Callable[[Photo, Face], Face]
Settled = Literal["texture", "head"]
Ahead = Callable[[Photo, Face, Settled], object]
"""Gets a face of which so much is as it will be; see `tronie.export.outputs.SETTLED`."""

CAMERA_FACES, CAMERA_FACE_SIZE = 5, 60.0
"""The camera is estimated from at most so many faces, of at least so many pixels."""
FACES_AT_ONCE = 2
"""More would cost 150 MB each."""


class Pipeline(Models):
    """Load once, run many: `Pipeline(settings).run("photo.jpg")`.

    `threads` is the number of CPU threads of the inference runtime and of what is painted, 0 for their own choice. The
    models are loaded on first use. An instance belongs to one thread at a time. `enhancer` takes the place of the one
    that `settings.enhance.mode` means, unless that is `off`.
    """

    def run(
        self,
        source: str | Path | NDArray[Any] | Photo,
        *,
        each: Each | None = None,
        ahead: Ahead | None = None,
        job: Job | None = None,
    ) -> Result:
        """Find and reconstruct every face of one photo; with several threads several at once.

        `each` gets every face as soon as it is finished, and gives back what the result is to keep of it: the
        textures of a crowd need not be in memory together. `ahead` gets a photo's only face before that: when
        its texture, and again when all but its portrait is as it will be. `job` is told of the stages: `read`,
        `detect`, `landmarks`, `camera`, `enhance`, and of each face `segment`, `fit`, `hair`, `texture`, `light`,
        `frontal`; between them of the faces that are found.
        Raises InputError when the photo cannot be read, Cancelled when the job is, TronieError in a process that was
        forked off one in which photos had been done. What goes wrong with one face is
        that face's `error`.
        """
        about_to_work()
        with single_blas_thread():
            return self._run(source, each, ahead, job_of(source, job))

    def _run(
        self,
        source: str | Path | NDArray[Any] | Photo,
        each: Each | None,
        ahead: Ahead | None,
        job: Job,
        corner: Corner | None = None,
    ) -> Result:
        whole = job.part()
        with whole.stage("read"):
            photo = source if isinstance(source, Photo) else read_source(source, self.settings)
        if not (framed := self._framed(photo)).without_bars:
            return self._run_within(framed, each, ahead, job, whole.timings, corner)
        found, unmeasured, camera = self._found(photo, whole)
        job.emit(faces_found(found, photo, corner, job.source))
        pasted: list[Enhanced] = []

        def ready() -> Iterator[Face]:
            for face in self._segmented(photo, self._enhanced(photo, found, whole), whole):
                if face.enhanced is not None and "enhanced_photo" in self.settings.wanted:
                    pasted.append(face.enhanced)
                yield face

        # Much of a face's work lets go of the interpreter's lock, and no face depends on another.
        alone = ahead if len(found) == 1 else None
        finish = partial(self._finish, photo, camera=camera, engine=None, job=job, ahead=alone)
        finished = spread(finish, ready(), min(self._threads, len(found), FACES_AT_ONCE), waiting=0)
        faces = [each(photo, face) if each else face for face in finished]
        enhanced = None
        if pasted:
            from tronie.stages.enhance.paste import whole_photo

            with whole.stage("enhance"):
                enhanced = whole_photo(photo, pasted)
        tell_of_devices(job)
        return Result(photo, tuple(faces), whole.timings, enhanced, unmeasured)

    def _run_within(
        self,
        framed: Framed,
        each: Each | None,
        ahead: Ahead | None,
        job: Job,
        reading: Mapping[str, float],
        corner: Corner | None,
    ) -> Result:
        """The same where bars stand around the picture: they are no part of it."""
        photo, (x0, y0, *_) = framed.photo, framed.box
        left, top, *all_of_it = corner or (0, 0, photo.image.shape[1], photo.image.shape[0])

        def outer(_: Photo, face: Face) -> Face:
            face = framed.outwards(face)
            return each(photo, face) if each else face

        def before(_: Photo, face: Face, settled: Settled) -> None:
            if ahead:
                ahead(photo, framed.outwards(face), settled)

        inner = self._run(framed.picture, outer, before, job, (left + x0, top + y0, *all_of_it))
        return replace(
            inner,
            photo=photo,
            timings={**inner.timings, **reading},
            enhanced_photo=None if inner.enhanced_photo is None else framed.laid_in(inner.enhanced_photo),
            unmeasured=tuple(replace(one, detection=shifted_box(one.detection, x0, y0)) for one in inner.unmeasured),
        )

    def find(self, photo: Photo, job: Job | None = None) -> tuple[list[Face], Camera]:
        """The faces of a photo with their landmarks, largest first and nothing more, and its camera."""
        faces, _, camera = self.find_all(photo, job)
        return faces, camera

    def find_all(self, photo: Photo, job: Job | None = None) -> tuple[list[Face], tuple[Unmeasured, ...], Camera]:
        """The same, with those that were seen but could not be measured."""
        about_to_work()
        framed = self._framed(photo)
        with single_blas_thread():
            faces, unmeasured, camera = self._found(framed.picture, job_of(photo, job))
        lost = tuple(replace(one, detection=shifted_box(one.detection, *framed.box[:2])) for one in unmeasured)
        return [framed.outwards(face) for face in faces], lost, framed.camera_outwards(camera)

    def _found(self, photo: Photo, job: Job) -> tuple[list[Face], tuple[Unmeasured, ...], Camera]:
        from tronie.stages.finder import Finder

        finder = Finder(photo.image, self.settings, self.detector, self.net)
        with job.stage("detect"):
            detections = finder.detect()
        with job.stage("landmarks"):
            found = finder.mark(detections)
        tell_of_devices(job)
        size = (photo.image.shape[1], photo.image.shape[0])
        with job.stage("camera"):
            focal = self.settings.fit.focal or photo.focal
            nearness = [] if focal else self._nearness(found.faces)
            camera = guess_camera(size, focal, [face.detection for face in found.faces], nearness)
        engine, models = self.settings.fit.engine, models_used(self.settings, enhance=False)
        faces = [
            Face(i, face.detection, crop=face.crop, landmarks=face.landmarks, engine=engine, models=models)
            for i, face in enumerate(found.faces, start=1)
        ]
        return faces, found.unmeasured, camera

    def _enhanced(self, photo: Photo, faces: list[Face], job: Job) -> Iterator[Face]:
        """The faces, the small ones with detail; some at a time, so that a crowd's need not be in memory together."""
        enhancer, settings = self.enhancer, self.settings.enhance
        if enhancer is None:
            yield from faces
            return
        from tronie.stages.enhance.stage import BATCH, enhance

        for start in range(0, len(faces), BATCH):
            with job.stage("enhance"):
                some = enhance(photo, faces[start : start + BATCH], enhancer, self.net, settings)
            for face in some:
                used = () if face.enhanced is None else enhancers_used(face.enhanced.name)
                yield replace(face, models=(*face.models, *used))

    def _segmented(self, photo: Photo, faces: Iterator[Face], job: Job) -> Iterator[Face]:
        """The faces of a group, segmented as many at a time as the net works on at once; those that are not are later,
        one by one."""
        first = list(islice(faces, 2))
        if len(first) < 2 or not self.settings.runs("texture") or (step := min(self.segmenter.together, 8)) < 2:
            yield from chain(first, faces)
            return
        faces = chain(first, faces)
        while some := list(islice(faces, step)):
            marked = [face for face in some if face.landmarks is not None]
            with job.stage("segment"), suppress(Exception):  # what fails here fails again for the face that it is of
                found = self.segmenter.segment(photo.image, [m for face in marked if (m := face.landmarks) is not None])
                shares = {face.index: one for face, one in zip(marked, found, strict=True)}
                some = [replace(face, segmentation=shares.get(face.index)) for face in some]
            yield from some

    def _nearness(self, faces: Sequence[Marked]) -> list[tuple[float, float, float]]:
        """What the largest faces' own perspective says of the camera; see `guess_camera`."""
        said = []
        for face in faces[:CAMERA_FACES]:
            if face.landmarks.features is not None and face.detection.size >= CAMERA_FACE_SIZE:
                with suppress(ValueError):
                    said.append((*self.calibration.nearness_of(self.model, face.landmarks), NEARNESS_SIGMA))
        return said

    def finish(
        self, photo: Photo, face: Face, camera: Camera, engine: Engine | None = None, job: Job | None = None
    ) -> Face:
        """Everything after the landmarks, for one face; an exception becomes the face's error. `engine` takes the place
        of the settings' own. Bars around the picture are as what lies outside of it."""
        framed, job = self._framed(photo), job_of(photo, job)
        if framed.without_bars:
            return self._finish(photo, face, camera, engine, job)
        inner = self._finish(framed.picture, framed.inwards(face), framed.camera_inwards(camera), engine, job)
        return framed.outwards(inner)

    def _framed(self, photo: Photo) -> Framed:
        """A photo, with bars only for engines that do not see the whole of it."""
        whole = (0, 0, photo.image.shape[1], photo.image.shape[0])
        return Framed(photo, whole if engine_info(self.settings.fit.engine).sees_bars else picture_in(photo.image))

    def _finish(
        self, photo: Photo, face: Face, camera: Camera, engine: Engine | None, job: Job, ahead: Ahead | None = None
    ) -> Face:
        settings, part = self.settings, job.part(face=face.index)
        try:
            if settings.runs("texture") and face.segmentation is None:  # the fit asks it where turned faces end
                with part.stage("segment"):
                    face = segmented(face, photo, self.segmenter)
            with part.stage("fit"):
                face = (engine or self.engine).fit(photo, face, camera)
            head = face.head
            face = replace(face, warnings=(*face.warnings, *face_warnings(photo, face)))
            if settings.runs("texture") and head is not None and face.fit is not None:
                (face,) = bearded(face, photo, settings.hair)
                with beside(partial(self._haired, photo, face, part), self._threads) as haired:
                    with part.stage("texture"):
                        side = texture_side([face], settings.texture)
                        made = face_texture(
                            photo, face, settings, side, threads=self._threads, under=lambda: under_hair(haired())
                        )
                    face = replace(haired(), texture=made.texture)
                if ahead:
                    ahead(photo, face, "texture")
                face = add_light_and_portrait(face, photo, settings, part, self._threads, ahead)
            elif head is not None:
                face = with_neck(face, photo, settings)
        except Exception as error:
            log.exception("face %d of %s failed", face.index, photo.source)
            face = replace(face, error=sentence(error))
        face = replace(face, models=on_devices(face.models, settings.compute.device))
        job.emit(FaceFinished(face.index, face.error, job.source))
        return replace(face, timings=part.timings)

    def refit(self, photo: Photo, face: Face, pins: Mapping[int, tuple[float, float]], job: Job | None = None) -> Face:
        """A finished face of `photo` corrected as by `tronie.refit`, with all that is made from its head made anew. An
        exception becomes the face's error. Raises InputError for a face that cannot be corrected."""
        from tronie.pipelines.refit import repinned
        from tronie.stages.fit.engine import PinnedFit

        face = repinned(face, pins)
        assert face.fit is not None
        bare = replace(
            face, hair=None, shells=(), bust=None, texture=None, folds=None, albedo=None, detail=None, portrait=None,
            warnings=(), error=None,
        )  # fmt: skip
        with single_blas_thread():
            return self.finish(photo, bare, face.fit.camera, PinnedFit(), job)

    def portrait(self, photo: Photo, face: Face) -> Face:
        """A finished face of `photo` with its portrait made anew, for other `settings.portrait`; it needs a texture."""
        framed = self._framed(photo)
        with single_blas_thread():
            inner = with_portrait(framed.inwards(face), framed.picture, self.settings.portrait, self._threads)
        return replace(face, portrait=inner.portrait)

    def _haired(self, photo: Photo, face: Face, job: Job) -> Face:
        if not self.settings.runs("hair"):
            return face
        with job.stage("hair"):
            return with_hair(face, [(photo, face)], self.settings.hair)


def reconstruct(
    source: str | Path | NDArray[Any] | Photo, settings: Settings | None = None, *, job: Job | None = None
) -> Result:
    """Every face of one photo (a path, or an RGB array); see `Pipeline.run`."""
    return Pipeline(settings).run(source, job=job)


def read_source(source: str | Path | NDArray[Any], settings: Settings) -> Photo:
    """Raises InputError."""
    from tronie.io.images import photo_from_array, read_photo
    from tronie.io.limits import Limits

    if isinstance(source, np.ndarray):
        return photo_from_array(source)
    return read_photo(source, Limits.of_megapixels(settings.read.max_megapixels))
