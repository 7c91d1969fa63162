"""Files as answers: ranges (RFC 9110, 14), ETag, HEAD, and never a page that could run."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tronie.io.paths import safe_name
from tronie.web.refusals import Refused

PIECE = 1 << 18
"""Bytes that are read at once."""
TYPES = {
    ".glb": "model/gltf-binary",
    ".gltf": "model/gltf+json",
    ".usdz": "model/vnd.usdz+zip",
    ".obj": "model/obj",
    ".mtl": "model/mtl",
    ".ply": "application/octet-stream",
    ".bvh": "text/plain; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".html": "text/html; charset=utf-8",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".zip": "application/zip",
}
"""By a file's ending; anything else is plain bytes."""
SHOWN = ("image/", "video/", "model/", "application/json", "text/csv", "text/plain")
"""What a browser may show where it is; the rest is only saved, pages above all."""
_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


def media_type(name: str) -> str:
    return TYPES.get(PurePosixPath(name).suffix.lower(), "application/octet-stream")


def saved_as(name: str) -> str:
    """The header for a file that is to be saved: a name that all systems take, in ASCII and in full."""
    stem, dot, ending = name.replace("/", "-").rpartition(".")
    safe = f"{safe_name(stem)}.{ending}" if dot else safe_name(name.replace("/", "-"))
    plain = re.sub(r'[^ -~]|["\\%]', "_", safe)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"


def unchanged(request: Request, etag: str) -> bool:
    """Whether the client says that it has this already."""
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in given.split(",")]


async def file_answer(
    request: Request, path: Path, *, etag: str, name: str, download: bool = False, headers: Mapping[str, str] = {}
) -> Response:
    """A file, or a part of it. `etag` is with its quotes; `name` is for the type and for saving it."""
    kind = media_type(name)
    sent = {"ETag": etag, "Accept-Ranges": "bytes", **headers}
    if download or not kind.startswith(SHOWN):
        sent["Content-Disposition"] = saved_as(name)
    if unchanged(request, etag):
        return Response(status_code=304, headers=sent)
    try:
        file = await asyncio.to_thread(path.open, "rb")
    except OSError:
        raise Refused(404, "The file is not there any more.") from None
    size = os.fstat(file.fileno()).st_size
    try:
        part = _part(request, size, etag)
    except Refused:
        file.close()
        raise
    begin, end = part or (0, size)
    if part is not None:
        sent["Content-Range"] = f"bytes {begin}-{end - 1}/{size}"
    sent["Content-Length"] = str(end - begin)
    status = 200 if part is None else 206
    if request.method == "HEAD":
        file.close()
        return Response(status_code=status, headers=sent, media_type=kind)
    return StreamingResponse(_pieces(file, begin, end), status, sent, kind)


def _part(request: Request, size: int, etag: str) -> tuple[int, int] | None:
    """First byte and the one behind the last of the part that is asked for; None: all of it, which is also an answer to
    several ranges, to other units, and to what is no range. Raises Refused for what is not there."""
    match = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    if match is None or request.headers.get("if-range", etag) != etag:
        return None
    # Numbers without end cost time to read; no file has that many bytes.
    first, last = (number[:20] for number in match.groups())
    if not (first or last) or (first and last and int(last) < int(first)):
        return None
    begin = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if begin >= end:
        raise Refused(416, "The file has no such part.", headers={"Content-Range": f"bytes */{size}"})
    return begin, end


async def _pieces(file: BinaryIO, begin: int, end: int) -> AsyncIterator[bytes]:
    try:
        file.seek(begin)
        while begin < end:
            piece = await asyncio.to_thread(file.read, min(PIECE, end - begin))
            if not piece:
                return
            begin += len(piece)
            yield piece
    finally:
        file.close()
