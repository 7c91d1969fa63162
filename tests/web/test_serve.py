"""`tronie serve`: an address at once, one sentence where it cannot be, and nothing left behind."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from pathlib import Path

import httpx
import pytest
from running import Running, below, workers
from typer.testing import CliRunner

pytest.importorskip("uvicorn")

from tronie.cli.app import app
from tronie.runtime.weights import ASSETS
from tronie.service.config import ServiceConfig
from tronie.web import serve as serving
from tronie.web.serve import ServeError, check_extra, is_loopback, link, listen

linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")


def test_a_free_port_is_found_and_a_taken_one_told() -> None:
    with listen("127.0.0.1", 0) as one:
        port = one.getsockname()[1]
        assert link(one, "127.0.0.1") == f"http://127.0.0.1:{port}/"
        assert link(one, "::1", "secret") == f"http://[::1]:{port}/#token=secret"
        assert "0.0.0.0" not in link(one, "0.0.0.0")
        with pytest.raises(ServeError, match=f"Port {port} is in use already"):
            listen("127.0.0.1", port)
    with listen("127.0.0.1", port):  # free again at once
        pass


def test_addresses_that_are_not_here_are_told() -> None:
    for host in ("198.51.100.7", "no.such.host.invalid"):
        with pytest.raises(ServeError, match=f"no address {host}"):
            listen(host, 0)


@pytest.mark.parametrize(
    ("host", "alone"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("127.9.9.9", True), ("0.0.0.0", False), ("::", False),
     ("192.168.1.5", False), ("example.org", False), ("", False)],
)  # fmt: skip
def test_who_else_may_come(host: str, alone: bool) -> None:
    assert is_loopback(host) is alone


def test_a_missing_extra_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = ServiceConfig(data=tmp_path, database="postgres://host/name")
    check_extra(config)
    for missing, extra in (("psycopg", "postgres"), ("fastapi", "web")):
        monkeypatch.setattr(serving, "find_spec", lambda name, missing=missing: None if name == missing else name)
        with pytest.raises(ServeError, match=rf"tronie\[{extra}\]"):
            check_extra(config)


def test_wrong_usage_is_told(tmp_path: Path) -> None:
    run = CliRunner()
    for arguments, sentence in (
        (["--worker"], "--worker wants the --database"),
        (["--token", "short"], "eight signs"),
        (["--token-file", str(tmp_path / "none")], "cannot be read"),
    ):
        result = run.invoke(app, ["serve", *arguments])
        assert result.exit_code in (1, 2)
        assert sentence in result.output
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = run.invoke(app, ["serve", "--port", str(taken.getsockname()[1]), "--data", str(tmp_path / "data")])
    assert result.exit_code == 1
    assert "in use already" in result.output


def gone(processes: list[int]) -> None:
    """Wait until they are."""
    end = time.monotonic() + 10
    while left := [process for process in processes if Path("/proc", str(process)).exists()]:
        assert time.monotonic() < end, left
        time.sleep(0.05)


@linux
def test_it_ends_in_peace_and_leaves_nothing(tmp_path: Path) -> None:
    """Without workers: they take a while to load."""
    running = Running(tmp_path / "log", "--port", "0", "--workers", "0", "--data", str(tmp_path / "data"))
    try:
        address = running.address()
        assert httpx.get(f"{address}/v1/info").json()["token_needed"] is False
        assert httpx.get(f"{address}/readyz").status_code == 503
        others = below(running.process.pid)
        assert running.end(signal.SIGINT) == 0
        assert "Traceback" not in running.said
        gone(others)
    finally:
        running.end()


@linux
def test_strangers_want_a_token_and_one_is_made(tmp_path: Path) -> None:
    running = Running(
        tmp_path / "log", "--host", "0.0.0.0", "--port", "0", "--workers", "0", "--data", str(tmp_path / "data")
    )
    try:
        port = running.address().rpartition(":")[2]
        here = f"http://127.0.0.1:{port}"
        assert httpx.get(f"{here}/v1/jobs").status_code == 401
        token = running.said.partition("#token=")[2].split()[0]
        assert len(token) >= 32
        assert httpx.get(f"{here}/v1/jobs", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    finally:
        running.end(signal.SIGTERM)


@linux
@pytest.mark.slow
def test_workers_are_begun_anew_and_end_with_the_server(tmp_path: Path) -> None:
    running = Running(tmp_path / "log", "--port", "0", "--data", str(tmp_path / "data"))
    try:
        running.address()

        def worker(other_than: int = 0) -> int:
            end = time.monotonic() + 60
            while not (found := [pid for pid in workers(running.process.pid) if pid != other_than]):
                assert time.monotonic() < end
                time.sleep(0.05)
            return found[0]

        first = worker()
        os.kill(first, signal.SIGKILL)
        second = worker(first)
        others = below(running.process.pid)
        assert second in others
        running.end(signal.SIGKILL)
        gone(others)
    finally:
        running.end()


@linux
@pytest.mark.slow
def test_a_machine_that_only_works_does_the_jobs_of_another(tmp_path: Path) -> None:
    """They share a database and a folder."""
    data = tmp_path / "data"
    page = Running(tmp_path / "page", "--port", "0", "--workers", "0", "--data", str(data))
    other = None
    try:
        address = page.address()
        database = f"sqlite:///{data / 'tronie.sqlite3'}"
        other = Running(tmp_path / "other", "--worker", "--database", database, "--data", str(data))
        files = {"files": ("me.jpg", (ASSETS / "selftest.jpg").read_bytes())}
        job = httpx.post(f"{address}/v1/jobs", files=files, data={"settings": '{"only": "mesh"}'}, timeout=60).json()
        end = time.monotonic() + 300
        while (state := httpx.get(f"{address}{job['links']['self']}", timeout=60).json()["state"]) != "done":
            assert state in ("queued", "running"), page.said + other.said
            assert time.monotonic() < end, page.said + other.said
            time.sleep(0.2)
        assert other.end(signal.SIGTERM) == 0
        assert httpx.get(f"{address}/readyz").status_code == 503
    finally:
        page.end()
        if other is not None:
            other.end()
