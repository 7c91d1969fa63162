"""The page at / and the files it asks for: /page/... and /viewer/..., from the package itself."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import mimetypes
import re
import threading
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from tronie.web.answers import unchanged
from tronie.web.refusals import Refused

router = APIRouter(include_in_schema=False)

PACKAGE = Path(__file__).parents[1]
FOLDERS = {"page": PACKAGE / "web" / "page", "viewer": PACKAGE / "export" / "viewer"}
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain; charset=utf-8",
}
SMALL = 1024
"""Bytes below which packing saves nothing."""
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*", re.ASCII)
_INLINE = re.compile(r"<script(?![^>]*\bsrc\s*=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)
MISSING = "<!doctype html><html lang=en><meta charset=utf-8><title>tronie</title><p>The page is not installed."


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent."""

    stamp: tuple[int, int]
    """Of the file: when it was changed, and its size."""
    data: bytes
    packed: bytes | None
    """With gzip, where that saves something."""
    etag: str
    kind: str
    policy: str
    """What it may load and do, if it is a page or a worker."""


class Shelf:
    """Assets that were asked for once are kept; they are a few megabytes together."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self.folders = folders
        self._kept: dict[Path, Asset] = {}
        self._lock = threading.Lock()

    def get(self, folder: str, name: str) -> Asset | None:
        if not _NAME.fullmatch(name):
            return None
        root = self.folders[folder].resolve()
        path = root / name
        try:
            status = path.stat()
            if not path.is_file() or not path.resolve().is_relative_to(root) or path.suffix == ".py":
                return None
            stamp = status.st_mtime_ns, status.st_size
            with self._lock:
                kept = self._kept.get(path)
                if kept is None or kept.stamp != stamp:
                    kept = self._kept[path] = _asset(name, path.read_bytes(), stamp)
            return kept
        except OSError:
            return None


def _asset(name: str, data: bytes, stamp: tuple[int, int]) -> Asset:
    suffix = Path(name).suffix.lower()
    kind = TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    text = kind.startswith("text/") or suffix in (".json", ".svg", ".wasm", ".webmanifest")
    packed = gzip.compress(data, 6, mtime=0) if text and len(data) > SMALL else None
    policy = policy_of(data.decode("utf-8", "replace") if suffix == ".html" else "")
    return Asset(stamp, data, packed, f'"{hashlib.sha256(data).hexdigest()[:32]}"', kind, policy)


def policy_of(page: str) -> str:
    """The content security policy of a page: everything from here, and of inline scripts those that it has now."""
    digests = (hashlib.sha256(script.encode()).digest() for script in _INLINE.findall(page))
    inline = "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self'{inline}",
            "style-src 'self'",
            "img-src 'self' blob: data:",
            "connect-src 'self' blob:",
            "media-src 'self' blob:",
            "font-src 'self'",
            "worker-src 'self'",
            "manifest-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


SHELF = Shelf(FOLDERS)


@router.api_route("/", methods=["GET", "HEAD"])
async def page(request: Request) -> Response:
    asset = await asyncio.to_thread(SHELF.get, "page", "index.html")
    return _answer(request, asset or _asset("index.html", MISSING.encode(), (0, 0)))


@router.api_route("/favicon.ico", methods=["GET", "HEAD"])
async def icon(request: Request) -> Response:
    for name in ("favicon.ico", "icon.svg", "favicon.svg"):
        if (asset := await asyncio.to_thread(SHELF.get, "page", name)) is not None:
            return _answer(request, asset)
    return Response(status_code=204)


@router.api_route("/page/{name:path}", methods=["GET", "HEAD"])
async def page_file(request: Request, name: str) -> Response:
    return await _file(request, "page", name)


@router.api_route("/viewer/{name:path}", methods=["GET", "HEAD"])
async def viewer_file(request: Request, name: str) -> Response:
    return await _file(request, "viewer", name)


async def _file(request: Request, folder: str, name: str) -> Response:
    asset = await asyncio.to_thread(SHELF.get, folder, name)
    if asset is None:
        raise Refused(404, "There is no such file.")
    return _answer(request, asset)


def _answer(request: Request, asset: Asset) -> Response:
    # A browser keeps it and asks each time whether it still holds: names stay when tronie is updated.
    headers = {
        "ETag": asset.etag,
        "Cache-Control": "no-cache",
        "Content-Security-Policy": asset.policy,
        "Vary": "Accept-Encoding",
    }
    if unchanged(request, asset.etag):
        return Response(status_code=304, headers=headers)
    data = asset.data
    if asset.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        data, headers["Content-Encoding"] = asset.packed, "gzip"
    response = Response(data, headers=headers, media_type=asset.kind)
    if request.method == "HEAD":
        response.body = b""
    return response
