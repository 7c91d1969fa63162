"""Twenty real jobs through `tronie serve`, whose workers and server are killed meanwhile: every one ends, none is lost,
none is there twice, and no result is half there."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from postgres import each_database, running_postgres  # noqa: F401
from running import Running, workers

from tronie.runtime.weights import ASSETS
from tronie.service.storage import Storage

pytest.importorskip("uvicorn")

from tronie.service.job_table import JobTable

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc"),
]
JOBS, WORKER_KILLS, SERVER_KILLS = 20, 4, 2
SETTINGS = '{"only": "texture", "texture": {"size": 512}, "enhance": {"mode": "off"}}'


class Service:
    """A server that is begun again whenever it was killed, and a client that asks again until it has an answer."""

    def __init__(self, database: str, folder: Path) -> None:
        url = database.replace("+psycopg", "")
        given = ["--database", url] if url.startswith("postgres") else []
        self.arguments = ["--port", "0", "--workers", "2", "--data", str(folder / "data"), *given]
        self.log = folder / "log"
        self.begin()

    def begin(self) -> None:
        self.log.unlink(missing_ok=True)
        self.running = Running(self.log, *self.arguments)
        self.address = self.running.address(120)

    def send(self, number: int) -> str:
        """The id of a job of the photo."""
        photo = (ASSETS / "selftest.jpg").read_bytes()
        while True:
            with suppress(httpx.HTTPError):
                answer = httpx.post(
                    f"{self.address}/v1/jobs",
                    files={"files": (f"{number}.jpg", photo)},
                    data={"settings": SETTINGS},
                    headers={"Idempotency-Key": f"job {number}"},
                    timeout=120,
                )
                assert answer.status_code in (200, 201), answer.text
                return str(answer.json()["id"])
            time.sleep(0.1)

    def jobs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.get(f"{self.address}/v1/jobs?limit=100", timeout=120).json()["jobs"]
        return found

    def running_jobs(self) -> int:
        return sum(job["state"] == "running" for job in self.jobs())

    def ended(self) -> int:
        return sum(job["state"] in ("done", "failed", "cancelled") for job in self.jobs())

    def busy(self, ended: int) -> None:
        """Wait until so many jobs have ended and somebody is at another one, or all have ended."""
        end = time.monotonic() + 300
        while (self.ended() < ended or not self.running_jobs()) and self.ended() < JOBS:
            assert time.monotonic() < end, self.running.said
            time.sleep(0.05)

    def kill_worker(self) -> None:
        if found := workers(self.running.process.pid):
            with suppress(ProcessLookupError):
                os.kill(random.choice(found), signal.SIGKILL)


def test_workers_and_servers_are_killed_in_the_middle(database: str, tmp_path: Path) -> None:
    draw = random.Random(0)
    service = Service(database, tmp_path)
    try:
        began = time.monotonic()
        ids = [service.send(number) for number in range(JOBS)]
        kills = ["worker"] * WORKER_KILLS + ["server"] * SERVER_KILLS
        draw.shuffle(kills)
        done = 0
        for number, who in enumerate(kills):
            service.busy(2 * number)  # or the same job would be hit twice
            time.sleep(draw.random())
            if service.ended() == JOBS:
                break
            done += 1
            if who == "worker":
                service.kill_worker()
            else:
                service.running.end(signal.SIGKILL)
                service.begin()
                assert service.send(0) == ids[0]  # a client that asks once more
        end = time.monotonic() + 600
        while service.ended() < JOBS:
            assert time.monotonic() < end, service.running.said
            time.sleep(0.2)
        took = time.monotonic() - began
        jobs = service.jobs()
        assert sorted(job["id"] for job in jobs) == sorted(ids)
        service.running.end(signal.SIGTERM)
    finally:
        service.running.end()
    table, storage = JobTable.open(database_of(database, tmp_path)), Storage(tmp_path / "data")
    try:
        states = [check(table, storage, id) for id in ids]
        again = sum(attempts > 1 for _, attempts in states)
        print(f"{done} kills, {took:.0f} s, {again} jobs begun again, {[s for s, _ in states].count('done')} done")
        assert done == len(kills)
        storage.sweep(table.folders(), young=-1, stale=-1)
        for id in ids:
            job = table.get(id)
            assert job is not None
            assert {path.name for path in storage.folder(id).iterdir()} == {"inputs", job.result} - {None}
    finally:
        table.close()


def database_of(database: str, folder: Path) -> str:
    return database if database.startswith("postgres") else f"sqlite:///{folder / 'data' / 'tronie.sqlite3'}"


def check(table: JobTable, storage: Storage, id: str) -> tuple[str, int]:
    """State and attempts of a job, which is whole."""
    job = table.get(id)
    assert job is not None
    assert job.attempts in (1, 2)
    if job.state == "failed":  # its worker was killed both times
        assert job.attempts == 2
        assert "ended unexpectedly" in (job.reason or "")
        return job.state, job.attempts
    assert job.state == "done"
    assert job.report is not None
    (photo,) = job.report.photos
    assert photo.status == "ok"
    assert len(photo.faces) == 1
    assert {"head.glb", "head.obj", "texture.png", "face.json"} <= set(photo.faces[0].files)
    folder = storage.result(job)
    assert folder is not None
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == {file.name for file in job.report.files}
    for file in job.report.files:
        path = storage.file(job, file.name)
        assert path is not None
        assert path.stat().st_size == file.bytes
        assert hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256
    return job.state, job.attempts
