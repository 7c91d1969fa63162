"""What the HTTP service answers, as pydantic models: they are checked, and /openapi.json is made of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tronie.service.stored import Kind, State


class Answer(BaseModel):
    """Every field stands in every answer."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class ErrorRecord(Answer):
    """What every answer from 400 on has."""

    error: str = Field(description="One sentence for a person.", examples=["There is no such job."])


class UploadRecord(Answer):
    """A file that was sent."""

    name: str = Field(description="As its sender called it.", examples=["party.jpg"])
    kind: Kind
    bytes: int
    width: int = Field(description="Pixels, upright.")
    height: int
    seconds: float | None = Field(None, description="Of a clip, where its header tells.")
    preview: str = Field(description="URL of a small JPEG of it.")


class FaceRecord(Answer):
    """A face of a photo, or a person of a clip."""

    index: int = Field(description="Its number, from 1.")
    box: tuple[float, float, float, float] | None = Field(
        None, description="Left, top, right, bottom in pixels of the photo; null for a person of a clip."
    )
    score: float | None = Field(None, description="Of the detection, 0 to 1.")
    error: str | None = Field(None, description="Why there is no result of it, in one sentence.")
    warnings: list[str] = Field([], description="What is doubtful about it, in sentences.")
    files: dict[str, str] = Field({}, description="Name of a file -> its URL.")


class PhotoRecord(Answer):
    """What became of one upload."""

    upload: int = Field(description="Its place among the job's uploads, from 0.")
    status: Literal["ok", "no_face", "error"]
    reason: str | None = Field(None, description="One sentence for an error.")
    notes: list[str] = []
    seconds: float = Field(description="That the work took.")
    width: int = Field(description="Pixels of the photo upright: what boxes are in.")
    height: int
    faces: list[FaceRecord] = []
    files: dict[str, str] = Field({}, description="Of the whole photo: name of a file -> its URL.")


class LinksRecord(Answer):
    """Where to go from a job."""

    self: str
    events: str
    archive: str


class JobRecord(Answer):
    """A job."""

    id: str = Field(description="Unguessable: who knows it and may ask the service sees the job.")
    state: State
    place: int | None = Field(None, description="How many jobs come before it; null unless it is queued.")
    created: datetime
    started: datetime | None = None
    ended: datetime | None = None
    expires: datetime | None = Field(None, description="When it and its files are deleted; null until it has ended.")
    reason: str | None = Field(None, description="Why it failed, in one sentence.")
    settings: dict[str, Any] = Field(description="The whole tree of settings that it is done with.")
    parent: str | None = Field(None, description="The job whose uploads it uses again.")
    uploads: list[UploadRecord]
    photos: list[PhotoRecord] = Field([], description="What came of each upload; empty until the job is done.")
    bytes: int = Field(0, description="Of all files of the result.")
    links: LinksRecord


class JobsRecord(Answer):
    """Some jobs, newest first."""

    jobs: list[JobRecord]
    next: str | None = Field(None, description="URL of older ones; null where there are none.")


class OutputRecord(Answer):
    """Something that a job can write."""

    name: str = Field(description="As in `outputs` of the settings.")
    text: str = Field(description="What it is, in one sentence.")
    files: list[str]
    usual: bool = Field(description="Whether it is written where nobody chooses.")
    of: list[str] = Field(description="What it is made of: photo, clip.")
    available: bool = Field(description="Whether all that it wants is installed.")


class LimitsRecord(Answer):
    """What the service takes."""

    bytes: int = Field(description="Of one request.")
    files: int = Field(description="Of one job.")
    megapixels: float = Field(description="Of one photo or frame.")
    seconds: float = Field(description="Of one clip.")
    waiting: int = Field(description="Jobs of one client in the queue.")
    requests_per_minute: int
    uploads_per_minute: int


class InfoRecord(Answer):
    """What a page or a program should know before its first job."""

    version: str
    ready: bool = Field(description="Whether a worker is warm.")
    token_needed: bool = Field(description="Whether this request would have had to bear a token to do more.")
    signed_in: bool = Field(description="Whether it did bear one.")
    limits: LimitsRecord
    retention_seconds: float = Field(description="For which a finished job is kept.")
    outputs: list[OutputRecord]
    settings: dict[str, Any] = Field(description="JSON schema of the settings; choices stand in it as `enum`.")
    suffixes: list[str] = Field(description="Endings of files that are read.", examples=[[".jpg", ".mp4"]])


class ModelRecord(Answer):
    """A model file."""

    name: str
    purpose: str
    licence: str
    commercial_use: bool
    origin: str
    installed: bool
    vendored: bool = Field(description="Whether it comes with tronie.")
    calibrated: bool | None = Field(None, description="Of a head: whether the fit has learnt it; else null.")


class ModelsRecord(Answer):
    """The models in use, and those that the owner of the service may bring along."""

    models: list[ModelRecord]
    bring: list[ModelRecord]


class HealthRecord(Answer):
    """The server answers."""

    ok: Literal[True] = True


class ReadyRecord(Answer):
    """A worker is warm."""

    ready: Literal[True] = True
    workers: int = Field(description="That are warm.")


class SessionRequest(BaseModel):
    """A token, once, for a cookie."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: str = Field(min_length=1, max_length=1000)
