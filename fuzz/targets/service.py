"""The HTTP service: whole requests, as they come off the wire, straight into the application."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from fuzz.law import is_sentence
from fuzz.target import Target

OFTEN = {"requests_per_minute": 10**9, "uploads_per_minute": 10**9, "max_waiting_each": 50, "max_waiting": 50}
HOST = b"Host: 127.0.0.1:8765\r\n"
ROUTES = (
    "/healthz", "/v1/info", "/v1/models", "/v1/jobs?limit=2&children=true", "/v1/jobs?before=x", "/v1/jobs/x",
    "/v1/jobs/x/files/party/face-1/head.glb?download=true", "/v1/jobs/x/archive?what=obj&upload=0&face=1",
    "/v1/jobs/x/uploads/0/preview.jpg", "/openapi.json", "/page/%2e%2e/x", "/viewer/main.js", "/metrics",
)  # fmt: skip
_open: dict[Path, tuple[Any, asyncio.Runner, ExitStack]] = {}
"""Folder -> the service in it, the loop in which it answers (of this thread, which is watched), what closes them."""


def _requests() -> Iterator[bytes]:
    for route in ROUTES:
        yield b"GET " + route.encode() + b" HTTP/1.1\r\n" + HOST + b"Range: bytes=0-9\r\nIf-None-Match: x\r\n\r\n"
    form = (
        b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
        b'photo one\r\n--x\r\nContent-Disposition: form-data; name="settings"\r\n\r\n{"texture": {"size": 512}}\r\n'
        b"--x--\r\n"
    )
    head = b"POST /v1/jobs HTTP/1.1\r\n" + HOST + b"Content-Type: multipart/form-data; boundary=x\r\n"
    yield head + b"Idempotency-Key: k\r\nContent-Length: %d\r\n\r\n" % len(form) + form
    again = b'--x\r\nContent-Disposition: form-data; name="again"\r\n\r\nx\r\n--x--\r\n'
    yield head + b"Content-Length: %d\r\n\r\n" % len(again) + again
    body = b'{"token": "a"}'
    kind = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    yield b"POST /v1/session HTTP/1.1\r\n" + HOST + b"Cookie: tronie_session=1.a\r\n" + kind + body
    yield b"DELETE /v1/jobs/x HTTP/1.1\r\n" + HOST + b"Authorization: Bearer a\r\nOrigin: http://127.0.0.1:8765\r\n\r\n"
    yield b"POST /v1/jobs/x/cancel HTTP/1.1\r\n" + HOST + b"Sec-Fetch-Site: same-origin\r\n\r\n"


def _service(folder: Path) -> Any:
    if folder not in _open:
        from service_fixture import stage

        stack = ExitStack()
        here = stack.enter_context(stage(folder, **OFTEN))
        _open[folder] = here, stack.enter_context(asyncio.Runner()), stack
    return _open[folder]


def _parsed(data: bytes) -> tuple[dict[str, Any], bytes]:
    """A request as a server hands it on; h11 and httptools refuse more than this does."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    method, target, *_ = (*first.split(b" "), b"", b"")
    path, _, query = target.partition(b"?")
    headers = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "root_path": ""}
    scope |= {"method": method.decode("latin-1").upper(), "path": unquote_to_bytes(path).decode("utf-8", "replace")}
    scope |= {"raw_path": path, "query_string": query, "headers": headers}
    return scope | {"client": ("127.0.0.1", 5000), "server": ("127.0.0.1", 8765)}, body


async def _answer(app: Any, scope: dict[str, Any], body: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
    coming = [body[k : k + 1000] for k in range(0, len(body), 1000)] or [b""]
    said: list[bytes] = []
    started: dict[str, Any] = {}

    async def receive() -> dict[str, Any]:
        if coming:
            return {"type": "http.request", "body": coming.pop(0), "more_body": bool(coming)}
        await asyncio.sleep(0)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            started.update(message)
        else:
            said.append(message.get("body", b""))

    async with asyncio.timeout(20):
        await app(scope, receive, send)
    return started["status"], dict(started["headers"]), b"".join(said)


def _request(path: Path) -> None:
    here, runner, _ = _service(path.parent)
    scope, body = _parsed(path.read_bytes())
    status, headers, text = runner.run(_answer(here.client.app, scope, body))
    assert status < 500 or status == 507, (status, text[:200])
    assert headers[b"x-content-type-options"] == b"nosniff"
    if status >= 400 and scope["method"] != "HEAD":
        told = json.loads(text)
        assert list(told) == ["error"], told
        assert is_sentence(told["error"]), told
        assert str(path.parent) not in told["error"]
    assert not list((here.config.data / "spool").iterdir())


TARGETS = (Target("http", _requests, _request, needs=("fastapi", "sqlalchemy", "multipart", "prometheus_client")),)
