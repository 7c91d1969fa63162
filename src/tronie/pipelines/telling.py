"""What a pipeline tells a job of while it works."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.runtime.devices import untold
from tronie.runtime.job import FacesFound, FoundFace, Job, Note
from tronie.types import Face, Photo

Corner = tuple[int, int, int, int]
"""Where the picture's corner lies in the photo, and the photo's width and height."""


def job_of(source: str | Path | NDArray[Any] | Photo, job: Job | None) -> Job:
    """A photo's part of a job; who has a name for it already keeps that."""
    job = job or Job()
    name = source.source if isinstance(source, Photo) else "" if isinstance(source, np.ndarray) else str(source)
    return job if job.source else job.part(name)


def tell_of_devices(job: Job) -> None:
    for text in untold():
        job.emit(Note(text))


def faces_found(faces: Sequence[Face], photo: Photo, corner: Corner | None, source: str) -> FacesFound:
    """What is told of the faces before they are worked on, in pixels of the whole photo."""
    x, y, width, height = corner or (0, 0, photo.image.shape[1], photo.image.shape[0])
    found = []
    for face in faces:
        x0, y0, x1, y1 = map(float, face.detection.box)
        box = round(x0 + x, 2), round(y0 + y, 2), round(x1 + x, 2), round(y1 + y, 2)
        found.append(FoundFace(face.index, box, round(float(face.detection.score), 4)))
    return FacesFound(width, height, tuple(found), source)
