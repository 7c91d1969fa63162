"""What came of a job: its files, previews of what was sent, archives of several files."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response, StreamingResponse

from tronie.io.paths import safe_name
from tronie.outputs import OUTPUTS
from tronie.service.stored import Report, ResultFile, StoredJob
from tronie.web import archive
from tronie.web.answers import file_answer, saved_as, unchanged
from tronie.web.documents import file_of, refuses
from tronie.web.refusals import Refused
from tronie.web.served import Client, JobId, Served, Service

router = APIRouter(tags=["results"])

NO_FILE = "The job has no such file."
Download = Annotated[bool, Query(description="Whether a browser is to save it rather than show it.")]
FILE: dict[int | str, dict[str, Any]] = {
    200: file_of("The file.", "model/gltf-binary", "model/vnd.usdz+zip", "image/jpeg", "image/png", "*/*"),
    206: file_of("The part of it that `Range` asks for."),
    304: {"description": "It is as `If-None-Match` says."},
}


async def _job(service: Served, id: str, client: str) -> StoredJob:
    job = await asyncio.to_thread(service.table.get, id, client)
    if job is None:
        raise Refused(404, "There is no such job.")
    return job


@router.head("/v1/jobs/{id}/files/{name:path}", include_in_schema=False)
@router.get(
    "/v1/jobs/{id}/files/{name:path}",
    operation_id="get_file",
    response_class=Response,
    responses={**FILE, **refuses(404, 416)},
)
async def file(
    request: Request,
    id: JobId,
    name: Annotated[str, Path(description="As the job's record has it.", max_length=500)],
    service: Service,
    client: Client,
    download: Download = False,
) -> Response:
    """One file of a result. Its ETag is its SHA-256; ranges are answered."""
    job = await _job(service, id, client)
    entry = next((entry for entry in job.report.files if entry.name == name), None) if job.report else None
    path = None if entry is None else await asyncio.to_thread(service.storage.file, job, name)
    if entry is None or path is None:
        raise Refused(404, NO_FILE)
    return await file_answer(request, path, etag=f'"{entry.sha256}"', name=name, download=download)


@router.head("/v1/jobs/{id}/uploads/{number}/preview.jpg", include_in_schema=False)
@router.get(
    "/v1/jobs/{id}/uploads/{number}/preview.jpg",
    operation_id="get_preview",
    response_class=Response,
    responses={**FILE, 200: file_of("A JPEG.", "image/jpeg"), **refuses(404, 416)},
)
async def preview(
    request: Request,
    id: JobId,
    number: Annotated[int, Path(ge=0, le=9999, description="Of the upload, from 0.")],
    service: Service,
    client: Client,
) -> Response:
    """A small picture of what was sent; there from the beginning."""
    job = await _job(service, id, client)
    path = await asyncio.to_thread(service.storage.preview, job, number) if number < len(job.uploads) else None
    if path is None:
        raise Refused(404, NO_FILE)
    # A preview is made of the upload alone and never changes.
    etag = f'"{job.uploads[number].sha256}-preview"'
    return await file_answer(request, path, etag=etag, name="preview.jpg")


@router.head("/v1/jobs/{id}/archive", include_in_schema=False)
@router.get(
    "/v1/jobs/{id}/archive",
    operation_id="get_archive",
    response_class=Response,
    responses={
        200: file_of("The archive.", "application/zip"),
        304: {"description": "It is as `If-None-Match` says."},
        **refuses(404),
    },
)
async def zipped(
    request: Request,
    id: JobId,
    service: Service,
    client: Client,
    what: Annotated[
        Literal["everything", "obj"], Query(description="`obj`: head.obj with the material and the textures it names.")
    ] = "everything",
    upload: Annotated[int | None, Query(ge=0, le=9999, description="Only what came of this upload.")] = None,
    face: Annotated[int | None, Query(ge=1, le=99999, description="Only this face, or person, of the upload.")] = None,
) -> Response:
    """Files of a result as a zip archive. The same result is the same archive, byte for byte."""
    job = await _job(service, id, client)
    chosen = _chosen(job.report, what, upload, face) if job.report else {}
    if not chosen:
        raise Refused(404, "The job has no such files.")
    etag = _etag(chosen)
    stem = safe_name(job.uploads[upload or 0].name.rpartition(".")[0]) if job.uploads else "tronie"
    parts = [stem, *([f"face-{face}"] if face else []), *(["obj"] if what == "obj" else [])]
    headers = {"ETag": etag, "Content-Disposition": saved_as("-".join(parts) + ".zip")}
    if unchanged(request, etag):
        return Response(status_code=304, headers=headers)
    entries = await asyncio.to_thread(_entries, service, job, chosen)
    headers["Content-Length"] = str(archive.size(entries))
    if request.method == "HEAD":
        return Response(headers=headers, media_type="application/zip")
    return StreamingResponse(_sent(entries), 200, headers, "application/zip")


def _chosen(report: Report, what: str, upload: int | None, face: int | None) -> dict[str, ResultFile]:
    """Name in the archive -> file."""
    files = {entry.name: entry for entry in report.files}
    if what == "everything" and upload is None and face is None:
        return files
    obj = {name for output in ("obj", *OUTPUTS["obj"].brings) for name in OUTPUTS[output].files}
    chosen = {}
    for photo in report.photos:
        if upload is not None and photo.upload != upload:
            continue
        faces = [one for one in photo.faces if face is None or one.index == face]
        labelled = [pair for one in faces for pair in one.files.items() if what == "everything" or pair[0] in obj]
        if face is None and what == "everything":
            labelled += photo.files.items()
        for label, name in labelled:
            if name in files:
                chosen[label if face is not None and upload is not None else name] = files[name]
    return chosen


def _entries(service: Served, job: StoredJob, chosen: dict[str, ResultFile]) -> list[archive.Entry]:
    entries = []
    for name, file in sorted(chosen.items()):
        path = service.storage.file(job, file.name)
        if path is None:
            raise Refused(404, NO_FILE)
        entries.append(archive.Entry(name, path, file.bytes))
    return entries


def _etag(chosen: dict[str, ResultFile]) -> str:
    lines = "".join(f"{name}\n{file.sha256}\n" for name, file in sorted(chosen.items()))
    return f'"{hashlib.sha256(lines.encode()).hexdigest()}"'


async def _sent(entries: Sequence[archive.Entry]) -> AsyncIterator[bytes]:
    pieces = archive.pack(entries)
    try:
        while piece := await asyncio.to_thread(_some, pieces):
            yield piece
    finally:
        pieces.close()


def _some(pieces: Iterator[bytes]) -> bytes:
    """Pieces together, so that small files do not each cost a change of threads; nothing at the end."""
    gathered = bytearray()
    for piece in pieces:
        gathered += piece
        if len(gathered) >= archive.PIECE:
            break
    return bytes(gathered)
