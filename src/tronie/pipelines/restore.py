"""Old photographs restored: damage, fading, grain, faces, and on request colours; one photo after the other."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.errors import InputError, sentence, trouble
from tronie.geometry import Camera
from tronie.pipelines.model_usage import enhancers_used
from tronie.pipelines.multiview import segmented
from tronie.pipelines.outcome import Outcome, Task, numbered
from tronie.pipelines.photo import Pipeline, read_source
from tronie.pipelines.telling import faces_found, job_of
from tronie.runtime.atomic_files import taken
from tronie.runtime.job import Job
from tronie.runtime.logs import logger
from tronie.runtime.threads import single_blas_thread
from tronie.settings import Settings
from tronie.stages.colouring import coloured
from tronie.stages.enhance.fading import find_fading, unfaded
from tronie.stages.enhance.grain import cleaned, find_grain
from tronie.stages.enhance.restoration import Colouring, Restoration, clothes_spared, put_together
from tronie.types import Face, Photo

log = logger(__name__)

GREY = 0.5
"""How sure it has to be that a photo has no colours of its own."""
FADED = 0.3
"""How far a photo with colours has to be faded to be taken for one that may be damaged."""
SEGMENTED = 12
"""Faces, the largest, whose hair and glasses are told from damage."""


def restore(
    source: str | Path | NDArray[Any] | Photo,
    settings: Settings | None = None,
    *,
    pipeline: Pipeline | None = None,
    job: Job | None = None,
) -> Restoration:
    """An old photograph (a path, an RGB array (H, W, 3) or a Photo) restored as `settings.restore` says. A `pipeline`
    with loaded models takes the place of `settings`.

    `job` is told of the stages `read`, `damage`, `tone`, `detect`, `landmarks`, `enhance`, `grain` and `colour`.
    Raises InputError when the photo cannot be read, Cancelled when the job is.
    """
    pipeline = pipeline or Pipeline(settings)
    wanted = pipeline.settings.restore
    whole = job_of(source, job).part()
    with whole.stage("read"):
        photo = source if isinstance(source, Photo) else read_source(source, pipeline.settings)
    with whole.stage("damage"):
        mask, filled = _mended(pipeline, photo, whole)
        whole.check()
    with whole.stage("tone"):
        fading = find_fading(filled, mask, keep_tone=wanted.keep_tone)
        toned = replace(photo, image=unfaded(filled, fading))
    faces, unmeasured, camera = pipeline.find_all(toned, whole)
    whole.emit(faces_found(faces, photo, None, whole.source))
    with whole.stage("grain"):
        grain = find_grain(toned.image)
        clean = cleaned(toned.image, grain)
    faces = _enhanced(pipeline, toned, clean, faces, whole)
    with whole.stage("enhance"):
        crops = [face.enhanced for face in faces if face.enhanced is not None]
        image, changes = put_together(toned.image, clean, mask, crops)
    factor = len(image) // len(photo.image)
    colouring: Colouring | None = None
    if wanted.colour and fading.monochrome >= GREY:
        with whole.stage("colour"):
            colouring = coloured(image, toned, _fitted(pipeline, toned, faces, camera, whole))
    return Restoration(
        photo,
        image,
        factor,
        changes,
        float((mask > 0.5).mean()),
        fading,
        grain,
        tuple(faces),
        unmeasured,
        colouring,
        whole.timings,
    )


def _mended(pipeline: Pipeline, photo: Photo, job: Job) -> tuple[Array, Image]:
    """Where a photo is damaged (H, W), 0..1, and the photo with that filled in."""
    wanted, nothing = pipeline.settings.restore.damage, np.zeros(photo.image.shape[:2], np.float32)
    if wanted == "off":
        return nothing, photo.image
    if wanted == "auto":  # a new photo has no scratches, but white collars and glints that look like some
        found = find_fading(photo.image)
        if found.monochrome < GREY and found.amount < FADED:
            return nothing, photo.image
    from tronie.stages.enhance import damage

    # A glint in an eye is no scratch: what is known of the faces keeps them from being mended.
    faces = [face.landmarks for face in pipeline.find(photo, job)[0] if face.landmarks is not None]
    job.check()
    with single_blas_thread():
        matter = pipeline.segmenter.segment(photo.image, faces[:SEGMENTED]) if faces else []
    job.check()
    mask = clothes_spared(damage.find(photo.image, faces, matter), matter)
    job.check()
    return mask, damage.fill(photo.image, mask) if mask.any() else photo.image


def _fitted(pipeline: Pipeline, photo: Photo, faces: list[Face], camera: Camera, job: Job) -> list[Face]:
    """The faces with a segmentation and a head, as far as they can be had."""
    done = []
    for face in faces:
        job.check()
        with single_blas_thread(), suppress(Exception):  # a face that cannot be fitted has colours too
            face = segmented(face, photo, pipeline.segmenter)
            face = pipeline.engine.fit(photo, face, camera)
        done.append(face)
    return done


def _enhanced(pipeline: Pipeline, toned: Photo, clean: NDArray[Any], faces: list[Face], job: Job) -> list[Face]:
    """The faces, those that are small or soft with detail."""
    enhancer, net, settings = pipeline.enhancer, pipeline.net, pipeline.settings.enhance
    if enhancer is None or not faces:
        return faces
    from tronie.stages.enhance.soft import enhance_soft
    from tronie.stages.enhance.stage import BATCH, enhance

    done: list[Face] = []
    with job.stage("enhance", total=len(faces)) as stage, single_blas_thread():
        for start in range(0, len(faces), BATCH):
            some = enhance(toned, faces[start : start + BATCH], enhancer, net, settings)
            done += enhance_soft(toned, clean, some, enhancer, net, settings)
            stage.advance(len(some))
    return [
        face if face.enhanced is None else replace(face, models=(*face.models, *enhancers_used(face.enhanced.name)))
        for face in done
    ]


def do_restoration(pipeline: Pipeline, task: Task, job: Job | None = None) -> Outcome:
    """Restore one photo and save it; never raises for a reason that lies in the photo or its outputs."""
    from tronie.export.restored import restored_notes, save_restoration

    began = time.perf_counter()
    try:
        taken(task.folder, task.overwrite)
        if task.clip:
            raise InputError(f"{task.source} is a video; only photos are restored.")
        result = restore(task.file, pipeline=pipeline, job=job)
        if task.local:  # a copy that was brought here goes by the name of what it is a copy of
            result = replace(result, photo=replace(result.photo, source=task.source))
        with (job or Job()).stage("files"):
            save_restoration(result, task.out, overwrite=task.overwrite, name=task.name)
    except Exception as error:
        log.exception("%s failed", task.source)
        seconds = time.perf_counter() - began
        return Outcome(task.source, task.folder, "error", 0, 0, seconds, sentence(error), trouble(error))
    return Outcome(
        source=task.source,
        folder=task.folder,
        status="ok",
        faces=len(result.faces),
        enhanced=len(result.enhanced),
        seconds=time.perf_counter() - began,
        notes=(*result.photo.notes, *restored_notes(result, wanted_colour=pipeline.settings.restore.colour)),
        warnings=numbered(result.faces),
        unmeasured=result.unmeasured,
        timings=result.timings,
    )
