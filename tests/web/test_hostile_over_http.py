"""What means harm, sent over HTTP to the real look at files: each is refused in one sentence, and nothing stays."""

from __future__ import annotations

import gc
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("sqlalchemy")

import uvicorn
from hostile_uploads import hostile_uploads
from places import EXAMPLES
from service_fixture import Stage, stage

from tronie.runtime.hardware import resident
from tronie.service.uploads import Inspector
from tronie.web import patience
from tronie.web.patience import PatientProtocol

PHOTO = (EXAMPLES / "astronaut.jpg").read_bytes()


@pytest.mark.slow
def test_sixty_uploads_that_mean_harm(tmp_path: Path) -> None:
    made: list[Inspector] = []

    def real(config: object) -> Inspector:
        made.append(Inspector(config))  # type: ignore[arg-type]
        return made[0]

    limits = {"file_seconds": 10, "file_memory": 1, "uploads_per_minute": 1000, "max_waiting_each": 1000}
    with stage(tmp_path, real, **limits) as here:
        assert here.send(PHOTO).status_code == 201
        gc.collect()
        before, statuses = resident(os.getpid()), []
        for file in (uploads := hostile_uploads()):
            sent = {"files": (file.name, file.data, file.type)}
            answer = here.client.post("/v1/jobs", files=sent)
            statuses.append(answer.status_code)
            assert answer.status_code in (400, 413, 415, 422), (file.name, answer.text)
            assert list(answer.json()) == ["error"], file.name
            said = answer.json()["error"]
            assert said.endswith("."), said
            assert said.isprintable(), said
            assert str(tmp_path) not in said
            assert not list((here.config.data / "spool").iterdir()), file.name
        assert len(uploads) >= 60
        assert {413, 415, 422} <= set(statuses)
        # All of them in one form, and good ones among them.
        mixed = [("files", ("a.jpg", PHOTO)), *(("files", (one.name[:50], one.data)) for one in uploads[:15])]
        assert here.client.post("/v1/jobs", files=mixed).status_code in (413, 415, 422)
        assert here.send(PHOTO).status_code == 201
        assert len(list((here.config.data / "jobs").iterdir())) == 2
        gc.collect()
        after = resident(os.getpid())
        assert after is None or before is None or after - before < 60_000_000
    made[0].close()


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Stage, tuple[str, int]]]:
    monkeypatch.setattr(patience, "LONGEST", 0.5)
    with stage(tmp_path) as here, socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(here.client.app, http=PatientProtocol, log_level="critical", lifespan="off")
        )
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield here, listening.getsockname()
        server.should_exit = True
        thread.join()


def test_who_sends_no_request_is_not_waited_for(address: tuple[Stage, tuple[str, int]]) -> None:
    for sent in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "):
        with socket.create_connection(address[1], 5) as line:
            line.sendall(sent)
            assert line.recv(100) == b""


def test_who_asks_slowly_again_is_not_waited_for_either(address: tuple[Stage, tuple[str, int]]) -> None:
    with socket.create_connection(address[1], 5) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        said = b""
        while b'{"ok":true}' not in said:
            said += line.recv(10_000)
        line.sendall(b"GET /heal")
        assert line.recv(100) == b""


def test_an_upload_that_breaks_off_leaves_nothing(address: tuple[Stage, tuple[str, int]]) -> None:
    here, place = address
    head = (
        b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        b"Content-Length: 100000000\r\n\r\n"
        b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n'
    )
    with socket.create_connection(place, 5) as line:
        line.sendall(head + b"photo" * 1_000_000)
        spool = here.config.data / "spool"
        until = time.monotonic() + 5
        while not any(path.stat().st_size for path in spool.glob("*/*")) and time.monotonic() < until:
            time.sleep(0.02)
        assert list(spool.glob("*/001"))
    until = time.monotonic() + 5
    while list(spool.iterdir()) and time.monotonic() < until:
        time.sleep(0.02)
    assert here.left() == []


def test_a_listener_that_goes_is_noticed(address: tuple[Stage, tuple[str, int]]) -> None:
    here, place = address
    url = here.send().json()["links"]["events"]
    with socket.create_connection(place, 5) as line:
        line.sendall(f"GET {url} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert b"200 OK" in line.recv(10_000)  # which comes before the stream begins
        assert streams_become(here, 1)
    assert streams_become(here, 0)


def streams_become(here: Stage, count: int) -> bool:
    """Whether so many are followed within 5 seconds."""
    until = time.monotonic() + 5
    while here.client.app.state.served.follower.streams != count and time.monotonic() < until:
        time.sleep(0.02)
    return bool(here.client.app.state.served.follower.streams == count)
