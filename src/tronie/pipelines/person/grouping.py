"""Which faces are whose: faces of photos, grouped by a recogniser, and the text file in which the user corrects it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.errors import InputError, TronieError
from tronie.io.inputs import stamp
from tronie.io.paths import identity as same_file
from tronie.pipelines.photo import Pipeline
from tronie.pipelines.shot import Shot
from tronie.runtime.job import Job, Problem
from tronie.stages.landmarks import recognizer

KEPT_PIXELS = 150_000_000
"""So many pixels of photos are kept in memory; what is beyond is read again when its texture is wanted."""
SAME = 0.55
"""Mean distance of the recogniser's embeddings between two groups up to which they are one person. Its own limit for
two single pictures is 0.6; on 40 portraits a face and its mirror image are 0.17 apart, two people 0.77."""
NOBODY = "-"
HEADER = """# Which face is whose: photo, number of the face in it, person; separated by tabs.
# Change the persons (any short names; - leaves a face out) and run again with --people and this file.
"""


@dataclass(frozen=True, eq=False)
class Found:
    """One photo with its faces."""

    path: Path
    shots: tuple[Shot, ...]
    """Largest face first; empty where it shows nobody or cannot be read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of people.txt."""

    photo: str
    """As the photo's path was given."""
    face: int
    """1-based, largest first."""
    person: str


def find_faces(pipeline: Pipeline, paths: Sequence[Path], job: Job | None = None) -> list[Found]:
    """Of every photo. One that cannot be read, or that shows nobody, is told of as a problem. The stage `faces` has a
    step for every photo. Raises Cancelled when the job is, or when it drains before the last photo."""
    from tronie.io.images import read_photo
    from tronie.io.limits import Limits

    job, limits = job or Job(), Limits.of_megapixels(pipeline.settings.read.max_megapixels)
    found: list[Found] = []
    kept = 0
    with job.stage("faces", total=len(paths)) as stage:
        for path in paths:
            job.check(new=True)
            part, before = job.part(str(path)), stamp(path)
            try:
                with part.stage("read"):
                    photo = read_photo(path, limits)
                faces, camera = pipeline.find(photo, part)
                if not faces:
                    raise InputError(f"There is no face in {path}.")
            except TronieError as error:
                job.emit(Problem(str(error)))
                found.append(Found(path, ()))
            else:
                kept += photo.image.shape[0] * photo.image.shape[1]
                if kept > KEPT_PIXELS:
                    photo = replace(photo, image=np.zeros((0, 0, 3), np.uint8))
                found.append(Found(path, tuple(Shot(photo, face, camera, before, limits) for face in faces)))
            stage.advance()
    return found


def embeddings(shots: Sequence[Shot]) -> np.ndarray:
    """(N, 128) of the recogniser."""
    return np.array([_embedding(shot) for shot in shots]).reshape(len(shots), 128)


def _embedding(shot: Shot) -> Array:
    marks = shot.face.landmarks
    assert marks is not None
    known = marks.embedding
    return recognizer.embedding_of(shot.load().image, marks) if known is None else known


def group(embeddings: Array, photos: Sequence[int], same: float = SAME) -> NDArray[np.intp]:
    """(N, D) embeddings of faces in photos (N,) -> number of each face's person, 0 for the largest group, then by first
    appearance.

    Agglomerative, average linkage (Sokal & Michener 1958): the two nearest groups are joined until they are further
    apart than `same`. Two faces of one photo are never one person.
    """
    count = len(embeddings)
    if not count:
        return np.zeros(0, dtype=np.intp)
    e = np.asarray(embeddings, dtype=np.float64)
    distance = np.sqrt(np.maximum(((e[:, None] - e[None]) ** 2).sum(axis=2), 0))
    at = np.asarray(photos)
    distance[at[:, None] == at[None]] = np.inf
    groups = [[k] for k in range(count)]
    weight = np.ones(count)
    while len(groups) > 1:
        i, j = sorted(divmod(int(np.argmin(distance)), len(groups)))
        if not distance[i, j] <= same:
            break
        merged = (weight[i] * distance[i] + weight[j] * distance[j]) / (weight[i] + weight[j])
        distance[i], distance[:, i] = merged, merged
        distance[i, i] = np.inf
        distance = np.delete(np.delete(distance, j, 0), j, 1)
        weight[i] += weight[j]
        weight = np.delete(weight, j)
        groups[i] += groups.pop(j)
    groups.sort(key=lambda g: (-len(g), min(g)))
    out = np.zeros(count, dtype=np.intp)
    for number, members in enumerate(groups):
        out[members] = number
    return out


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


def as_said(found: Sequence[Found], entries: Sequence[Entry], source: str) -> dict[str, list[Shot]]:
    """As the user's file has it. Raises InputError."""
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


def to_text(entries: Sequence[Entry]) -> str:
    """What people.txt holds. A photo with a tab or a line break in its name is left out."""
    rows = [f"{e.photo}\t{e.face}\t{e.person}\n" for e in entries if not set("\t\r\n") & set(e.photo)]
    return HEADER + "".join(rows)


def from_text(text: str, source: str = "people.txt") -> tuple[Entry, ...]:
    """Inverse of `to_text`; spaces may stand for the tabs. Raises InputError with the line that cannot be read."""
    entries = []
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parts = line.rstrip().split("\t") if line.count("\t") >= 2 else line.rsplit(maxsplit=2)
        if len(parts) != 3 or not parts[1].strip().isdecimal() or not parts[2].strip():
            raise InputError(f"Cannot read {source}: line {number} should be photo, number of the face, person.")
        entries.append(Entry(parts[0].strip(), int(parts[1]), parts[2].strip()))
    return tuple(entries)


def read_people(path: Path) -> tuple[Entry, ...]:
    """Raises InputError."""
    try:
        return from_text(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise InputError(f"Cannot read {path}: {reason}.") from error


def by_person(
    entries: Sequence[Entry], faces: Mapping[str, int], source: str = "people.txt"
) -> dict[str, list[tuple[str, int]]]:
    """Person -> (photo, face) of what the user said; `faces` is how many each photo has. Raises InputError for a photo
    or face that is not there. A photo's other ways to write its path are the caller's to resolve."""
    out: dict[str, list[tuple[str, int]]] = {}
    for entry in entries:
        if entry.person == NOBODY:
            continue
        if entry.photo not in faces:
            raise InputError(f"{source} speaks of {entry.photo}, which is not among the photos.")
        if not 1 <= entry.face <= faces[entry.photo]:
            raise InputError(f"{source} speaks of face {entry.face} of {entry.photo}, which has {faces[entry.photo]}.")
        members = out.setdefault(entry.person, [])
        if any(photo == entry.photo for photo, _ in members):
            raise InputError(f"{source} has {entry.person} twice in {entry.photo}.")
        members.append((entry.photo, entry.face))
    return out
