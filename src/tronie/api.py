"""What a program asks for in one call, where that takes more than one pipeline has."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.errors import InputError
from tronie.export.restored import save_restoration
from tronie.export.writer import save as save_photo
from tronie.pipelines.person.files import save_person
from tronie.pipelines.person.reconstruct import PersonResult, reconstruct_shots
from tronie.pipelines.photo import Pipeline
from tronie.pipelines.shot import Shot
from tronie.runtime.job import Job
from tronie.runtime.threads import single_blas_thread
from tronie.settings import Settings
from tronie.stages.enhance.restoration import Restoration
from tronie.types import Photo, Result


def reconstruct_person(
    photos: Sequence[str | Path | NDArray[Any] | Photo],
    settings: Settings | None = None,
    *,
    pipeline: Pipeline | None = None,
    pins: Mapping[int, Mapping[int, tuple[float, float]]] | None = None,
    job: Job | None = None,
) -> PersonResult:
    """One head, texture and portrait from several photos of one person: paths, or RGB arrays (H, W, 3) uint8.

    The largest face of each photo is taken for the person's; photos without a face are left out. A `pipeline` with
    loaded models takes the place of `settings`. `pins`: by row of `photos`, landmarks put right, as by `refit`. `job`
    is told of the stages `faces` (whose steps are photos), `fit`, `texture`, `light` and `frontal`. Raises InputError
    for a photo that cannot be read, or when no photo has a face; Cancelled when the job is, or when it drains before
    all photos of the texture are looked at.
    """
    from tronie.io.images import photo_from_array, read_photo
    from tronie.io.limits import Limits

    pipeline, job = pipeline or Pipeline(settings), job or Job()
    limits = Limits.of_megapixels(pipeline.settings.read.max_megapixels)
    shots: list[Shot] = []
    rows: list[int] = []
    with single_blas_thread():
        with job.stage("faces", total=len(photos)) as stage:
            for row, one in enumerate(photos):
                job.check(new=True)
                if isinstance(one, np.ndarray):
                    photo = photo_from_array(one, f"photo-{row + 1}")
                else:
                    photo = one if isinstance(one, Photo) else read_photo(one, limits)
                faces, camera = pipeline.find(photo, job.part(photo.source))
                shots += [Shot(photo, face, camera) for face in faces[:1]]
                rows += [row] * len(faces[:1])
                stage.advance()
        if not shots:
            raise InputError("There is no face in any of the photos.")
        try:
            return reconstruct_shots(
                pipeline.model,
                pipeline.calibration,
                shots,
                pipeline.settings,
                segmenter=pipeline.segmenter,
                enhancer=pipeline.enhancer,
                net=pipeline.net,
                pins={shot: pins[row] for shot, row in enumerate(rows) if pins and row in pins},
                job=job,
            )
        except ValueError as error:
            raise InputError(f"The faces make no person: {error}.") from error


def save(
    result: Result | PersonResult | Restoration,
    folder: str | Path,
    *,
    overwrite: bool = False,
    outputs: Collection[str] | None = None,
    name: str | None = None,
) -> Path:
    """Write what was made below `folder`, and return where: of a photo `folder / name` with a folder for each face,
    of a person the person's own, of a restored photo `folder / name`; `name` is by default the photo's, or `person`.

    The folder appears when all of it is written. If it is there already, it is replaced with `overwrite`, else
    OutputError is raised before anything is done. `outputs` are names of docs/outputs.md: by default all that a photo's
    result has, of a person those of its settings; of a restored photo all are written. Raises OutputError with one
    sentence when something cannot be written, ValueError for an unknown output.
    """
    if isinstance(result, Result):
        return save_photo(result, Path(folder), overwrite=overwrite, outputs=outputs, name=name)
    if isinstance(result, Restoration):
        return save_restoration(result, Path(folder), overwrite=overwrite, name=name)
    settings = result.settings
    if outputs is not None:
        settings = Settings.model_validate(
            settings.model_dump(exclude_unset=True) | {"outputs": tuple(outputs), "only": None}
        )
    name = name or "person"
    return save_person(result, Path(folder) / name, name, settings, overwrite=overwrite)
