"""Which faces are whose: grouping by a recogniser, and the text file in which the user may correct it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.errors import InputError

SAME = 0.55
"""Mean distance of the recogniser's embeddings between two groups up to which they are one person. Its own limit for
two single pictures is 0.6; on 40 portraits a face and its mirror image are 0.17 apart, two people 0.77."""
NOBODY = "-"
HEADER = """# Which face is whose: photo, number of the face in it, person; separated by tabs.
# Change the persons (any short names; - leaves a face out) and run again with --people and this file.
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of people.txt."""

    photo: str
    """As the photo's path was given."""
    face: int
    """1-based, largest first."""
    person: str


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
