"""From the user's photos to the people in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tronie.errors import TronieError
from tronie.io.inputs import stamp
from tronie.pipelines.multiview import Shot
from tronie.pipelines.person.grouping import Entry, by_person, group
from tronie.pipelines.photo import Pipeline
from tronie.stages.landmarks import recognizer
from tronie.stages.landmarks.align import aligned_crop, aligned_square

ALIGNED = 256
"""Side of what the recogniser sees, pixels."""
KEPT_PIXELS = 150_000_000
"""So many pixels of photos are kept in memory; what is beyond is read again when its texture is wanted."""


@dataclass(frozen=True, eq=False)
class Found:
    """One photo with its faces, or why there are none."""

    path: Path
    shots: tuple[Shot, ...]
    """Largest face first."""
    problem: str | None = None


def find_faces(pipeline: Pipeline, paths: Sequence[Path], stopping: Callable[[], bool]) -> Iterator[Found]:
    """One by one; a photo that cannot be read is a sentence."""
    from tronie.io.images import read_photo

    kept = 0
    for path in paths:
        if stopping():
            return
        before = stamp(path)
        try:
            photo = read_photo(path)
            faces, camera = pipeline.find(photo)
        except TronieError as error:
            yield Found(path, (), str(error))
            continue
        if not faces:
            yield Found(path, (), f"There is no face in {path}.")
            continue
        kept += photo.image.shape[0] * photo.image.shape[1]
        if kept > KEPT_PIXELS:
            photo = replace(photo, image=np.zeros((0, 0, 3), np.uint8))
        yield Found(path, tuple(Shot(photo, face, camera, before) for face in faces))


def embeddings(shots: Sequence[Shot]) -> np.ndarray:
    """(N, 128) of the recogniser; needs the extra `identity`."""
    crops = []
    for shot in shots:
        assert shot.face.landmarks is not None
        photo = shot.load()
        crops.append(aligned_crop(photo.image, aligned_square(shot.face.landmarks.points), ALIGNED).image)
    return recognizer.embedding(np.stack(crops))


def largest(found: Sequence[Found]) -> dict[str, list[Shot]]:
    """One person: the largest face of every photo."""
    return {"1": [f.shots[0] for f in found if f.shots]}


def grouped(found: Sequence[Found]) -> dict[str, list[Shot]]:
    """All faces by person, `1` being whom most photos show."""
    shots = [shot for f in found for shot in f.shots]
    photos = [k for k, f in enumerate(found) for _ in f.shots]
    numbers = group(embeddings(shots), photos)
    out: dict[str, list[Shot]] = {}
    for number, shot in sorted(zip(numbers.tolist(), shots, strict=True), key=lambda pair: pair[0]):
        out.setdefault(str(number + 1), []).append(shot)
    return out


def said(found: Sequence[Found], entries: Sequence[Entry], source: str) -> dict[str, list[Shot]]:
    """As the user's file has it. Raises InputError."""
    from tronie.io.paths import identity as same_file

    at = {same_file(f.path): f for f in found if f.shots}
    entries = [replace(e, photo=same_file(e.photo)) for e in entries]
    # Of a photo that could not be read the file may still speak.
    lost = {same_file(f.path) for f in found if not f.shots}
    entries = [e for e in entries if e.photo not in lost]
    people = by_person(entries, {key: len(f.shots) for key, f in at.items()}, source)
    return {name: [at[photo].shots[face - 1] for photo, face in members] for name, members in people.items()}


def entries_of(people: dict[str, list[Shot]], found: Sequence[Found]) -> list[Entry]:
    """Of every face that was found, in the order of the photos; those of nobody have `-`."""
    who = {id(shot): name for name, shots in people.items() for shot in shots}
    return [Entry(str(f.path), shot.face.index, who.get(id(shot), "-")) for f in found for shot in f.shots]
