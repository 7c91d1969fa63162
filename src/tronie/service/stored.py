"""The nouns of the web service's queue: what was uploaded, a job as it stands in the table, what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tronie.errors import TronieError

STRICT = {"extra": "forbid"}
"""For pydantic, which reads these nouns from the table: what it does not know is an error."""

State = Literal["queued", "running", "done", "failed", "cancelled"]
ENDED: frozenset[State] = frozenset(("done", "failed", "cancelled"))
Kind = Literal["photo", "clip"]
Wrong = Literal["too_large", "unreadable", "unknown_type"]
"""Of a file that is not taken."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that a client sent, after a look at what is in it."""

    __pydantic_config__ = STRICT

    name: str
    """As the client calls it: shown, and made a safe name of, but never a path."""
    file: str
    """In the job's folder `inputs`: 001.jpg, ..."""
    kind: Kind
    bytes: int
    sha256: str
    width: int
    height: int
    seconds: float | None = None
    """Of a clip, where its header tells."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job that is not yet in the table."""

    id: str
    """Unguessable; its folder has the same name."""
    client: str
    """Whose it is: who may see it, and whose turn it is."""
    settings: Mapping[str, Any]
    """The settings tree, as JSON has it."""
    uploads: tuple[Upload, ...]
    parent: str | None = None
    """The job whose uploads it uses again; it goes with that one."""


@dataclass(frozen=True, slots=True)
class ResultFile:
    """One file of a result."""

    __pydantic_config__ = STRICT

    name: str
    """Relative to the result's folder, with slashes: portrait/face-1/head.glb."""
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class FaceReport:
    """A face of a photo, or a person of a clip."""

    __pydantic_config__ = STRICT

    index: int
    box: tuple[float, float, float, float] | None
    """Left, top, right, bottom in pixels of the photo; None for a person of a clip."""
    score: float | None = None
    error: str | None = None
    warnings: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    """File of the face's folder -> its name in the result: head.glb -> portrait/face-1/head.glb."""


@dataclass(frozen=True, slots=True)
class PhotoReport:
    """What became of one upload."""

    __pydantic_config__ = STRICT

    upload: int
    """Its place among the job's uploads, from 0."""
    status: Literal["ok", "no_face", "error"]
    reason: str | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    width: int = 0
    height: int = 0
    """Of the photo upright, or of the clip's frames: what boxes are in."""
    faces: tuple[FaceReport, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    """Of the whole photo: sheet.jpg -> portrait/sheet.jpg; preview.jpg: a small copy that every browser shows."""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a job."""

    __pydantic_config__ = STRICT

    photos: tuple[PhotoReport, ...] = ()
    files: tuple[ResultFile, ...] = ()
    """All of them."""

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job as the table has it. Times are seconds since 1970, by the database's clock."""

    id: str
    client: str
    state: State
    settings: Mapping[str, Any]
    uploads: tuple[Upload, ...]
    created: float
    place: int | None = None
    """Jobs that come before it; None unless it is queued."""
    attempts: int = 0
    started: float | None = None
    ended: float | None = None
    expires: float | None = None
    """When it and its files go; None while it has not ended."""
    reason: str | None = None
    """One sentence, where it failed."""
    result: str | None = None
    """Name of the result's folder in the job's."""
    report: Report | None = None
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """The right of one worker to do a job, for as long as it renews it."""

    job: StoredJob
    token: str
    """Of this attempt alone; also the name of its folder."""


@dataclass(frozen=True, slots=True)
class News:
    """How a job stands, and what it has told since."""

    state: State
    place: int | None
    reason: str | None
    events: tuple[tuple[int, Mapping[str, Any]], ...] = ()
    """With their numbers, in order."""
    more: bool = False
    """Whether it has told more than these."""


@dataclass(frozen=True, slots=True)
class SeenWorker:
    """A worker that was heard of."""

    name: str
    seen: float
    """When, by the database's clock."""
    ready: bool
    """Whether its models are loaded."""
    busy: bool
    version: str


class QueueFull(TronieError):
    """No more jobs are taken for now."""


class QuotaFull(TronieError):
    """There is no room on the disk that the service may use."""


class TableError(TronieError):
    """The database does not answer, or what it holds is not understood."""


class UploadRefused(TronieError):
    """A file is not taken."""

    def __init__(self, wrong: Wrong, reason: str) -> None:
        super().__init__(reason)
        self.wrong: Wrong = wrong
