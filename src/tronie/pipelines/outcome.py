"""What is to be done with one photo, and what became of it, small enough to be sent between processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tronie.errors import Trouble
from tronie.io.inputs import Stamp
from tronie.runtime.job import Event

if TYPE_CHECKING:
    from tronie.types import Caution, Face, Unmeasured

Status = Literal["ok", "no_face", "error"]


@dataclass(frozen=True, slots=True)
class Task:
    """One photo to do."""

    source: str
    """Its path as the user gave it, or its address in a store."""
    out: Path
    """The folder of the job; where outputs go to a store, one for what is on its way there."""
    name: str
    """The folder of this photo's outputs inside `out`."""
    overwrite: bool = False
    """Whether that folder may exist already."""
    clip: bool = False
    """Whether its name says that it is a video, to be followed through time."""
    store: str = ""
    """Where all outputs go, if that is a store."""
    local: str = ""
    """The copy of it that was brought here, if it lies in a store."""

    @property
    def folder(self) -> Path:
        return self.out / self.name

    @property
    def address(self) -> str:
        """Where its outputs are to be in a store."""
        return f"{self.store}/{self.name}" if self.store else ""

    @property
    def file(self) -> str:
        """What is read."""
        return self.local or self.source


@dataclass(frozen=True, slots=True)
class Outcome(Event):
    """What became of one photo."""

    source: str
    folder: Path
    status: Status
    faces: int = 0
    """Faces found, with those that could not be finished."""
    enhanced: int = 0
    """Faces that super-resolution put detail into."""
    seconds: float = 0.0
    """From reading the photo to the last file."""
    reason: str | None = None
    """One sentence for an error."""
    trouble: Trouble | None = None
    """The kind of that error."""
    face_errors: tuple[str, ...] = ()
    """One sentence for each face that could not be finished."""
    notes: tuple[str, ...] = ()
    """What reading the photo did that its owner should know (only the first frame used, ...)."""
    warnings: tuple[tuple[int, Caution], ...] = ()
    """What is doubtful about the faces, each with its face's number."""
    unmeasured: tuple[Unmeasured, ...] = ()
    """Faces that were seen but could not be measured."""
    timings: Mapping[str, float] = field(default_factory=dict)
    """Stage -> seconds, of the photo and summed over its faces."""
    stamp: Stamp = (None, None)
    """Of the file as it was before it was read: that version was worked on."""
    content: str | None = None
    """What tells its content from another's; None of what is large or no file."""
    address: str = ""
    """Of its outputs, where they are in a store."""

    @property
    def place(self) -> str:
        """Where its outputs are."""
        return self.address or str(self.folder)

    @property
    def remarks(self) -> list[str]:
        """Notes and warnings as sentences."""
        return [*self.notes, *(f"face {number}: {caution}" for number, caution in self.warnings)]

    @property
    def warned(self) -> dict[str, list[int]]:
        """Code of a warning -> numbers of the faces that have it."""
        found: dict[str, list[int]] = {}
        for number, caution in self.warnings:
            if number not in found.setdefault(caution.code, []):
                found[caution.code].append(number)
        return found


def numbered(faces: Iterable[Face]) -> tuple[tuple[int, Caution], ...]:
    """The warnings of a photo's faces, for its outcome."""
    return tuple((face.index, caution) for face in faces for caution in face.warnings)
