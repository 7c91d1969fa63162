"""POST /v1/jobs: files are received, looked at, and put into the queue; of what is refused nothing stays."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Header, Request, Response
from starlette.requests import ClientDisconnect

from tronie.errors import InputError, TronieError
from tronie.runtime.logs import logger
from tronie.service.asked import settings_of
from tronie.service.config import MEGA
from tronie.service.housekeeping import FULL, make_room
from tronie.service.stored import NewJob, QueueFull, QuotaFull, StoredJob, TableError, Upload, UploadRefused
from tronie.web.documents import links, refuses
from tronie.web.forms import Form, SentFile, receive
from tronie.web.records import JobRecord
from tronie.web.refusals import Refused
from tronie.web.served import Client, Served, Service, job_id
from tronie.web.views import job_record

log = logger(__name__)
router = APIRouter(tags=["jobs"])

FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "files": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "description": "Photos and clips; all are done with the same settings.",
                        },
                        "settings": {
                            "type": "string",
                            "contentMediaType": "application/json",
                            "description": "Part of the tree of settings; /v1/info has its schema.",
                            "example": '{"portrait": {"crop": "passport"}}',
                        },
                        "again": {
                            "type": "string",
                            "example": "YK00QUSHQT13flhzT5OmZg",
                            "description": "In place of files: a job whose uploads are used again. The new job is its "
                            "child and goes with it.",
                        },
                    },
                    "anyOf": [{"required": ["files"]}, {"required": ["again"]}],
                    "additionalProperties": False,
                }
            }
        },
    }
}
STATUS = {"too_large": 413, "unknown_type": 415, "unreadable": 422}
"""Why a file is refused -> the status of the answer."""
AT_ONCE, AT_ONCE_EACH = 32, 10
"""Uploads that come in at a time: of everybody, of one client."""
SPARE = 200 * MEGA
"""Bytes of the disk that uploads leave free."""


@router.post(
    "/v1/jobs",
    operation_id="send_job",
    status_code=201,
    response_model=JobRecord,
    openapi_extra=FORM,
    responses={
        201: {"links": links("get_job", "follow_job", "cancel_job", "delete_job", "get_archive")},
        200: {"model": JobRecord, "description": "The job that the same Idempotency-Key made before."},
        **refuses(400, 404, 413, 415, 422, 507),
    },
)
async def send(
    request: Request,
    response: Response,
    service: Service,
    client: Client,
    idempotency_key: Annotated[
        str | None, Header(max_length=200, description="Of your making: a repeated request is one job.")
    ] = None,
) -> JobRecord:
    """Put files into the queue as one job. If one of them is no good, the whole job is refused and its sentence says
    which one."""
    await asyncio.to_thread(_check_room, service, request.headers.get("content-length"))
    async with _spool(service, client) as folder:
        try:
            content_type = request.headers.get("content-type", "")
            form = await receive(content_type, request.stream(), folder, most_files=service.config.max_files)
        except OSError as error:
            log.error("an upload cannot be written: %s", error)
            raise Refused(507, FULL) from None
        except ClientDisconnect:
            raise Refused(400, "The request was broken off.") from None
        job = await _job(service, client, form, folder)
        if await request.is_disconnected():
            raise Refused(400, "The request was broken off.")  # nobody would know the job's id
        stored, new = await asyncio.to_thread(_accept, service, job, idempotency_key, folder)
    if not new:
        response.status_code = 200
    response.headers["Location"] = f"/v1/jobs/{stored.id}"
    return job_record(stored)


@asynccontextmanager
async def _spool(service: Served, client: str) -> AsyncIterator[Path]:
    """A folder for one request's files; what is still in it at the end goes, however that comes."""
    coming = service.receiving
    if coming[client] >= AT_ONCE_EACH or coming.total() >= AT_ONCE:
        raise Refused(429, "Too many uploads are coming in at once; try again in a moment.", wait=5)
    coming[client] += 1
    try:
        folder = await asyncio.to_thread(service.storage.spool)
        try:
            yield folder
        finally:
            with anyio.CancelScope(shield=True):
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    finally:
        coming[client] -= 1
        if not coming[client]:
            del coming[client]


def _check_room(service: Served, length: str | None) -> None:
    """Refuse before anything is received what would not find room."""
    free = shutil.disk_usage(service.storage.data).free
    if int(length or 0) + SPARE > free:
        raise Refused(507, FULL)


async def _job(service: Served, client: str, form: Form, folder: Path) -> NewJob:
    """What the form asks for. Raises Refused."""
    for name in form.fields:
        if name not in ("settings", "again"):
            raise Refused(422, f"The form has a field {name[:40]!r}, but only files, settings and again are known.")
    settings = _settings(service, form.fields.get("settings") or "{}")
    id = secrets.token_urlsafe(16)
    if again := form.fields.get("again"):
        if form.files:
            raise Refused(422, "A job has either files or again.")
        parent = await asyncio.to_thread(service.table.get, job_id(again), client)
        if parent is None:
            raise Refused(404, "There is no such job.")
        return NewJob(id, client, settings, parent.uploads, parent.id)
    if not form.files:
        raise Refused(422, "The form has no files.")
    async with service.looking:
        uploads = [await asyncio.to_thread(_look, service, *numbered, folder) for numbered in enumerate(form.files, 1)]
    return NewJob(id, client, settings, tuple(uploads))


def _settings(service: Served, text: str) -> Mapping[str, Any]:
    def no_number(name: str) -> None:
        raise ValueError(name)

    try:
        tree = json.loads(text, parse_constant=no_number)
    except (ValueError, RecursionError):
        raise Refused(422, "The settings are no JSON.") from None
    if not isinstance(tree, dict):
        raise Refused(422, "The settings must be an object.")
    try:
        return settings_of(tree, service.config).model_dump(mode="json")
    except TronieError as error:
        raise Refused(422, str(error)) from None


def _look(service: Served, number: int, sent: SentFile, folder: Path) -> Upload:
    """What a file is. Raises Refused."""
    try:
        upload = service.inspector.look(sent.path, sent.name, number, folder / f"{number:03d}.preview.jpg")
    except UploadRefused as error:
        service.metrics.refused.labels(error.wrong).inc()
        raise Refused(STATUS[error.wrong], str(error)) from None
    sent.path.rename(folder / upload.file)
    service.metrics.received.inc(upload.bytes)
    return upload


def _accept(service: Served, job: NewJob, key: str | None, folder: Path) -> tuple[StoredJob, bool]:
    """Into the queue; the files first, so that no worker can come before them."""
    config, table, storage = service.config, service.table, service.storage
    # Before room is made, which might be made of that very job.
    if key is not None and (known := table.repeated(job.client, key)) is not None:
        return known, False
    try:
        if job.parent is None:
            make_room(table, storage, sum(upload.bytes for upload in job.uploads), config.quota)
            storage.receive(job.id, folder)
        stored, new = table.add(job, key=key, most=config.max_waiting, most_each=config.max_waiting_each)
    except TableError:
        raise  # it may be in the table for all that; if it is not, the files are swept
    except BaseException as error:
        storage.remove(job.id)
        if isinstance(error, QuotaFull):
            raise Refused(507, str(error)) from None
        if isinstance(error, QueueFull):
            raise Refused(429, str(error), wait=30) from None
        if isinstance(error, InputError):
            raise Refused(404, str(error)) from None
        raise
    if not new:
        storage.remove(job.id)
    return stored, new
