"""A worker of the queue: every job that it claims ends, whatever its files do, and nothing of it is half there."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tronie.runtime import process_ids
from tronie.service.config import ServiceConfig
from tronie.service.storage import Storage
from tronie.service.stored import ENDED, NewJob, StoredJob, TableError, Upload

pytest.importorskip("sqlalchemy")

from toy_bench import toy_process

from tronie.service import runner as runners
from tronie.service.job_table import JobTable
from tronie.service.runner import Runner
from tronie.service.worker_names import release_lost, worker_name


class Place:
    """A table, a data folder, and a worker in a thread."""

    def __init__(self, data: Path) -> None:
        self.config = ServiceConfig(data=data, lease=2)
        self.storage = Storage(data)
        self.table = JobTable.open(self.config.database_url)
        self.runner: Runner | None = None
        self.thread: threading.Thread | None = None

    def add(self, *contents: str, settings: dict[str, Any] | None = None) -> str:
        id, spool = secrets.token_urlsafe(16), self.storage.spool()
        uploads = []
        for number, content in enumerate(contents, 1):
            (spool / f"{number:03d}.jpg").write_text(content)
            uploads.append(Upload("../a photo.jpg", f"{number:03d}.jpg", "photo", len(content), "", 640, 480))
        self.storage.receive(id, spool)
        self.table.add(NewJob(id, "me", settings or {}, tuple(uploads)), key=None, most=99, most_each=99)
        return id

    def start(self) -> None:
        ready = threading.Event()

        def run() -> None:
            self.runner = Runner(self.table, self.storage, self.config, toy_process())
            ready.set()
            self.runner.run()

        self.thread = threading.Thread(target=run)
        self.thread.start()
        assert ready.wait(30)

    def stop(self) -> None:
        if self.runner is not None and self.thread is not None:
            self.runner.stop()
            self.thread.join(30)
            assert not self.thread.is_alive()

    def wait(self, until: Callable[[], object], seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, "it never came"
            time.sleep(0.02)

    def job(self, id: str) -> StoredJob:
        job = self.table.get(id)
        assert job is not None
        return job

    def end(self, id: str) -> StoredJob:
        self.wait(lambda: self.job(id).state in ENDED)
        return self.job(id)

    def folders(self, id: str) -> set[str]:
        return {path.name for path in self.storage.folder(id).iterdir()}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """With a worker that is there for all."""
    place = Place(tmp_path_factory.mktemp("place") / "data")
    place.start()
    yield place
    place.stop()
    place.table.close()


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Place]:
    """Without a worker, for one test."""
    place = Place(tmp_path / "data")
    yield place
    place.stop()
    place.table.close()


def test_a_job_is_done_and_reported_to_the_last_byte(place: Place) -> None:
    job = place.end(place.add("good", "bad", "crash", "good"))
    assert (job.state, job.reason, job.attempts) == ("done", None, 1)
    assert job.report is not None
    assert [photo.status for photo in job.report.photos] == ["ok", "error", "error", "ok"]
    reasons = [photo.reason or "" for photo in job.report.photos]
    assert reasons[1] == "a photo-2: ../a photo.jpg is odd."
    assert reasons[2].startswith("Not finished: the process was ended by SIGKILL")
    photo = job.report.photos[3]
    assert (photo.upload, photo.width, photo.height, photo.notes) == (3, 640, 480, ("a note",))
    assert dict(photo.files) == {"sheet.jpg": "a photo-4/sheet.jpg"}
    (face,) = photo.faces
    assert (face.index, face.box, face.score, face.warnings) == (1, (1, 2, 30, 40), 0.5, ("turned far away",))
    assert face.files["head.glb"] == "a photo-4/face-1/head.glb"
    for file in job.report.files:
        path = place.storage.file(job, file.name)
        assert path is not None
        assert path.stat().st_size == file.bytes
        assert hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256
    assert place.folders(job.id) == {"inputs", job.result}
    assert not [name for name in (place.storage.result(job) or Path()).iterdir() if name.name.startswith(".")]


def test_events_are_of_uploads_and_steps_are_not_told_one_by_one(place: Place) -> None:
    job = place.end(place.add("good", "good"))
    events = [event for _, event in place.table.events(job.id)]
    assert [event["upload"] for event in events if event["event"] == "stage_began"] == [0, 1]
    assert not any("source" in event for event in events)
    steps = [event["done"] for event in events if event["event"] == "advanced" and event["upload"] == 0]
    assert steps[-1] == 1000
    assert len(steps) < 50


def test_where_nothing_works_the_job_has_failed_with_one_sentence(place: Place) -> None:
    one, two, wrong = place.add("bad"), place.add("bad", "bad"), place.add("good", settings={"nonsense": 1})
    job = place.end(one)
    assert (job.state, job.reason) == ("failed", "a photo: ../a photo.jpg is odd.")
    assert "None of the 2 files" in (place.end(two).reason or "")
    assert place.end(wrong).reason == "There is no such setting."
    for id in (one, two, wrong):
        place.wait(lambda id=id: place.folders(id) == {"inputs"})  # it is cleared once the job has ended
    assert job.report is not None
    assert job.report.files == ()


def test_what_is_stuck_is_ended(place: Place) -> None:
    job = place.end(place.add("stuck"))
    assert (job.state, job.reason) == ("failed", "Not finished: a step took more than 0.5 s.")
    assert place.end(place.add("good")).state == "done"


def test_cancelled_and_deleted_jobs_end_soon_and_leave_nothing(place: Place) -> None:
    cancelled, deleted = place.add("slow"), place.add("slow")
    place.wait(lambda: place.table.events(cancelled))
    began = time.monotonic()
    assert place.table.cancel(cancelled)
    assert place.end(cancelled).state == "cancelled"
    place.wait(lambda: place.table.events(deleted))
    place.table.delete(deleted)
    place.storage.remove(deleted)
    assert place.end(place.add("good")).state == "done"
    assert time.monotonic() - began < 20
    assert place.folders(cancelled) == {"inputs"}
    assert not place.storage.folder(deleted).exists()


def test_a_worker_that_ends_gives_its_job_back(alone: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runners, "GRACE", 0.2)
    alone.start()
    id = alone.add("slow")
    alone.wait(lambda: alone.table.events(id))
    alone.stop()
    job = alone.job(id)
    assert (job.state, job.attempts, alone.folders(id)) == ("queued", 0, {"inputs"})


@pytest.mark.slow
def test_a_lease_is_kept_while_the_work_is_silent_and_the_database_away_for_a_while(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    renew, calls = JobTable.renew, iter(range(1000))

    def sometimes(*given: Any) -> Any:
        if next(calls) % 3 == 1:
            raise TableError("The database does not answer.")
        return renew(*given)

    monkeypatch.setattr(JobTable, "renew", sometimes)
    id = place.add("slow")  # more than two leases
    place.wait(lambda: place.job(id).state == "running")
    other = worker_name() + "0"
    while place.job(id).state == "running":
        assert place.table.claim(other, 2, 2) is None
        time.sleep(0.05)
    assert (place.job(id).state, place.job(id).attempts) == ("done", 1)


def test_workers_of_this_machine_that_do_not_run_lose_their_jobs_at_once(alone: Place) -> None:
    ids = [alone.add("good") for _ in range(3)]
    names = (f"{process_ids.here()}-99999999.5", "elsewhere-99999999.5", worker_name())
    for name in names:
        alone.table.seen(name, ready=True, busy=True, version="1")
        assert alone.table.claim(name, 30, 2) is not None
    assert release_lost(alone.table) == 1
    assert sorted(alone.job(id).state for id in ids) == ["queued", "running", "running"]
