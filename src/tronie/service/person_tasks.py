"""The jobs on several photos of one person, in the process beside the window; see `server`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tronie.service.messages import Opened, Summary
from tronie.service.photo_tasks import card
from tronie.service.server import InterfaceJob

if TYPE_CHECKING:
    from tronie.arrays import Image
    from tronie.pipelines.person.reconstruct import PersonResult
    from tronie.service.workspace import Workspace
    from tronie.settings import Settings

TILE, GAP, GROUND = 420, 8, (38, 39, 42)
"""Pixels of a face in the picture of all photos, and between them."""
ACROSS = 4
"""Photos in a row, at most."""


Pins = Mapping[int, tuple[float, float]]


def open_person(
    workspace: Workspace,
    job: InterfaceJob,
    path: Path,
    photos: Sequence[Path],
    pins: Mapping[int, Pins],
    settings: Settings,
) -> Summary:
    """One head from several photos, unless it is there: `path` is what it is known by, `pins` are landmarks put right,
    by row of `photos`. Tells `Opened`, a picture of the
    photos side by side with the head over each, and a `Card`, whose box is that of the photo that suits best."""
    from tronie.api import reconstruct_person
    from tronie.runtime.jit import telling
    from tronie.types import Result

    known = workspace.people.get(path)
    if workspace.finished(path, settings) is None or known is None or pins_of(known) != by_source(photos, pins):
        with telling(job):
            made = reconstruct_person(
                [str(one) for one in photos], pipeline=workspace.pipeline(settings), pins=pins, job=job
            )
        main = made.shots[made.main].load()
        workspace.begin(path, main, settings)
        workspace.people[path] = made
        face = workspace.put(path, replace(made.face, index=1), settings)
        workspace.results[path] = Result(replace(main, name=path.name), ())
    made, face = workspace.people[path], workspace.faces[path, 1]
    picture, box = side_by_side(made)
    job.emit(Opened(picture, path.name))
    job.emit(replace(card(face), box=box))
    seen = len(made.shots)
    notes = () if seen == len(photos) else (f"{seen} of {len(photos)} photos show a face.",)
    return Summary(1, notes)


def pins_of(made: PersonResult) -> dict[str, Pins]:
    """By the photos' own names."""
    marks = [(shot.photo.source, shot.face.landmarks) for shot in made.shots]
    return {source: dict(found.pins) for source, found in marks if found is not None and found.pins}


def by_source(photos: Sequence[Path], pins: Mapping[int, Pins]) -> dict[str, Pins]:
    return {str(photos[row]): dict(some) for row, some in pins.items() if some}


def side_by_side(made: PersonResult) -> tuple[Image, tuple[float, float, float, float]]:
    """The faces of all photos, each above itself with the common head's wires over it; and the box of the main one."""
    from tronie.render.overlay import cut_out, face_region, overlay

    columns = min(ACROSS, len(made.shots))
    rows = math.ceil(len(made.shots) / columns)
    step = TILE + GAP
    picture = np.empty((2 * rows * step + GAP, columns * step + GAP, 3), np.uint8)
    picture[:] = GROUND
    box = (0.0, 0.0, 0.0, 0.0)
    for k, shot in enumerate(made.shots):
        image, region = shot.load().image, face_region(shot.face)
        y, x = GAP + 2 * (k // columns) * step, GAP + k % columns * step
        picture[y : y + TILE, x : x + TILE] = cut_out(image, region, TILE)
        picture[y + step : y + step + TILE, x : x + TILE] = overlay(image, shot.face, TILE, region)
        if k == made.main:
            scale, (x0, y0, x1, y1) = TILE / region.side, shot.face.box
            left, top = x - region.x * scale, y - region.y * scale
            box = (left + x0 * scale, top + y0 * scale, left + x1 * scale, top + y1 * scale)
    return picture, box
