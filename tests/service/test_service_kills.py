"""Servers and workers killed in the middle of twenty jobs: every job ends, none is lost, none is done into one result
twice, nothing half-written is published and nothing is left lying."""

from __future__ import annotations

import hashlib
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy")

from places import ROOT, TESTS
from postgres import each_database, running_postgres  # noqa: F401
from toy_service import JOBS

from tronie.service.job_table import JobTable
from tronie.service.storage import Storage
from tronie.service.stored import StoredJob

TOY = TESTS / "service" / "toy_service.py"
Lines = list[list[str]]


class Service:
    """The toy processes, and what they wrote down."""

    def __init__(self, url: str, data: Path) -> None:
        self.url, self.data = url, data
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.deaths = 0

    def start(self, role: str) -> None:
        command = [sys.executable, TOY, role, self.url, self.data]
        with (self.data.parent / f"{role}.txt").open("ab") as said:
            environment = {"PYTHONPATH": f"{ROOT / 'src'}:{TESTS}", "PATH": ""}
            self.processes[role] = subprocess.Popen(command, stdout=said, stderr=said, env=environment)

    def kill(self, role: str) -> None:
        process = self.processes.pop(role)
        assert process.poll() is None, (self.data.parent / f"{role}.txt").read_text()
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.deaths += role != "server"

    def lines(self, word: str) -> Lines:
        log = self.data / "log"
        found = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
        return [words[1:] for words in found if words[0] == word]

    def wait(self, until: Callable[[], bool], seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not until():
            dead = {role: process.poll() for role, process in self.processes.items() if process.poll() is not None}
            assert not dead, "".join((self.data.parent / f"{role}.txt").read_text() for role in dead)
            assert time.monotonic() < end, "it never came"
            time.sleep(0.01)

    def end(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()


def busy(service: Service) -> bool:
    """Whether somebody is in the middle of a job."""
    ended = service.lines("finished") + service.lines("lost")
    return any(line not in ended for line in service.lines("began"))


def check(service: Service, table: JobTable, storage: Storage) -> None:
    jobs = [job for n in range(4) for job in table.recent(f"client {n}", limit=100)]
    assert sorted(job.settings["number"] for job in jobs) == list(range(JOBS)), "lost, or there twice"
    published = Counter(line[0] for line in service.lines("finished"))
    assert not published or max(published.values()) == 1, "published twice"
    for job in jobs:
        assert job.attempts in (1, 2)
        # Only who was killed each time that it was at a job may have kept it from being done.
        assert job.state == "done" or (job.state == "failed" and job.attempts == 2 and service.deaths > 1)
        numbers = [number for number, _ in table.events(job.id)]
        assert numbers == list(range(1, len(numbers) + 1))
        if job.state == "done":
            whole(job, storage)
    storage.sweep(table.folders(), young=-1, stale=-1)
    for job in jobs:
        kept = {path.name for path in storage.folder(job.id).iterdir()}
        assert kept == {"inputs", job.result} - {None}
    assert len(list(storage.jobs.iterdir())) == JOBS
    assert not [*storage.trash.iterdir(), *storage.spool().parent.glob("*/*")]


def whole(job: StoredJob, storage: Storage) -> None:
    assert job.report is not None
    assert len(job.report.files) == 5
    for file in job.report.files:
        path = storage.file(job, file.name)
        assert path is not None
        assert hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256


def over(service: Service, table: JobTable) -> bool:
    counts = table.counts()
    added = {number for number, _ in service.lines("added")}
    return len(added) == JOBS and not counts["queued"] and not counts["running"]


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)], indirect=True)
def test_a_worker_and_the_server_are_killed(database: str, tmp_path: Path) -> None:
    storage = Storage(tmp_path / "data")
    service = Service(database, storage.data)
    table = JobTable.open(database)
    try:
        for role in ("server", "one", "two"):
            service.start(role)
        service.wait(lambda: len(service.lines("began")) >= 3 and busy(service))
        service.kill("one")
        service.kill("server")
        assert not over(service, table)
        service.start("server")
        service.start("three")
        service.wait(lambda: over(service, table))
        service.end()
        check(service, table, storage)
    finally:
        service.end()
        table.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_killed_again_and_again(database: str, tmp_path: Path, seed: int) -> None:
    storage = Storage(tmp_path / "data")
    service = Service(database, storage.data)
    table = JobTable.open(database)
    chance = random.Random(seed)
    try:
        for role in ("server", "one", "two", "three"):
            service.start(role)
        for _ in range(6):
            service.wait(lambda: busy(service) or over(service, table))
            time.sleep(chance.uniform(0, 0.3))
            role = chance.choice(sorted(service.processes))
            service.kill(role)
            service.start(role)
        service.wait(lambda: over(service, table))
        service.end()
        check(service, table, storage)
    finally:
        service.end()
        table.close()
