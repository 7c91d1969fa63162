"""The data folder: what is served, what is swept and what is left alone; and the quota."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tronie.errors import InputError
from tronie.service.storage import Storage
from tronie.service.stored import NewJob, QuotaFull, Report, ResultFile, StoredJob, Upload

UPLOAD = Upload("../../etc/passwd", "001.jpg", "photo", 1000, "00", 30, 40)
NAMES = ("sheet.jpg", "face-1/head.glb", "link.jpg", "linked/head.glb", "../inputs/001.jpg", "/etc/passwd", "face-1")
JOB = StoredJob(
    "job",
    "A",
    "done",
    {},
    (UPLOAD,),
    0.0,
    result="token",
    report=Report((), tuple(ResultFile(n, 4, "") for n in NAMES)),
)


@pytest.fixture(name="storage")
def made(tmp_path: Path) -> Storage:
    storage = Storage(tmp_path / "data")
    fill(storage, "job", "token")
    return storage


def fill(storage: Storage, id: str, token: str) -> None:
    spooled = storage.spool()
    (spooled / "001.jpg").write_bytes(b"i" * 1000)
    storage.receive(id, spooled)
    folder = storage.attempt(id, token)
    (folder / "face-1").mkdir()
    (folder / "face-1" / "head.glb").write_bytes(b"glTF")
    (folder / "sheet.jpg").write_bytes(b"JPEG")


def test_only_what_the_report_lists_is_served_and_no_link(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "head.glb").write_bytes(b"secret")
    folder = storage.attempt("job", "token")
    (folder / "link.jpg").symlink_to(tmp_path / "secret" / "head.glb")
    (folder / "linked").symlink_to(tmp_path / "secret")
    (folder / "unlisted").write_bytes(b"")
    served = {name for name in (*NAMES, "unlisted", "", ".", "face-1/../sheet.jpg") if storage.file(JOB, name)}
    assert served == {"sheet.jpg", "face-1/head.glb"}
    assert storage.input(JOB, 0) == storage.inputs(JOB) / "001.jpg"
    assert storage.preview(JOB, 0) == storage.inputs(JOB) / "001.preview.jpg"
    assert storage.input(JOB, 1) is storage.preview(JOB, -1) is None
    # Removing and counting stay inside, too.
    assert storage.used() < 2000
    assert storage.remove("job")
    assert (tmp_path / "secret" / "head.glb").read_bytes() == b"secret"


@pytest.mark.parametrize("id", ["", ".", "..", "a/b", "../job", "a\0", "x" * 65, "ä", "job\n"])
def test_what_is_no_id_becomes_no_path(storage: Storage, id: str) -> None:
    for use in (storage.remove, storage.folder, lambda id: storage.attempt("job", id)):
        with pytest.raises(InputError):
            use(id)


def test_all_is_its_owners_alone(storage: Storage) -> None:
    storage.seal(storage.folder("job"))
    for path in (storage.data, *storage.data.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_removing_leaves_nothing(storage: Storage) -> None:
    assert storage.remove("job")
    assert storage.file(JOB, "sheet.jpg") is None
    assert not [path for path in storage.data.rglob("*") if path.is_file()]
    assert not storage.remove("job")


def test_sweeping_takes_what_nobody_knows(storage: Storage) -> None:
    fill(storage, "unknown", "token")
    (storage.attempt("job", "lost") / "head.glb").write_bytes(b"")
    (storage.spool() / "part").write_bytes(b"")
    (storage.trash / "half").mkdir()
    (storage.jobs / "stray").symlink_to("/etc")
    known = {"job": frozenset({"token"})}
    assert storage.sweep(known) == 0, "young ones are left alone"
    assert not [*storage.trash.iterdir()]
    old = storage.data.stat().st_mtime - 7200
    for path in storage.data.rglob("*"):
        os.utime(path, (old, old), follow_symlinks=False)
    assert storage.sweep(known) == 4
    left = {str(path.relative_to(storage.data)) for path in storage.data.rglob("*") if not path.is_dir()}
    assert left == {"jobs/job/inputs/001.jpg", "jobs/job/token/sheet.jpg", "jobs/job/token/face-1/head.glb"}


def test_many_may_sweep_while_others_write(storage: Storage) -> None:
    errors: list[BaseException] = []
    done = threading.Event()

    def sweep() -> None:
        try:
            while not done.is_set():
                storage.sweep({"job": frozenset({"token"})}, young=3600, stale=-1)
                storage.used()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=sweep) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(30):
        folder = storage.attempt(f"job-{number}", "token") / "face-1"
        folder.mkdir()
        (folder / "head.glb").write_bytes(b"")
        assert (folder / "head.glb").exists()
        assert storage.remove(f"job-{number}")
    done.set()
    for thread in threads:
        thread.join()
    assert not errors


def test_a_quota_is_kept_at_the_cost_of_the_oldest(storage: Storage, tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    from tronie.service.housekeeping import delete_job, keep_house, make_room
    from tronie.service.job_table import JobTable

    table = JobTable.open(f"sqlite:///{tmp_path / 'jobs.sqlite3'}")
    for number in range(5):
        id = f"job-{number}"
        fill(storage, id, "token")
        table.add(NewJob(id, "A", {}, (UPLOAD,)), key=None, most=9, most_each=9)
    for _ in range(4):
        claim = table.claim("worker", 60, 2)
        assert claim is not None
        if claim.job.id != "job-1":  # which goes on
            table.finish(claim, "done", report=Report((), (ResultFile("x", 100, ""),)), retention=60)
    assert table.stored_bytes() == 5300
    make_room(table, storage, 700, 6000)
    assert len(table.ids()) == 5
    make_room(table, storage, 1000, 6000)
    assert table.ids() == {"job-1", "job-2", "job-3", "job-4"}
    assert not storage.folder("job-0").exists()
    make_room(table, storage, 2900, 6000)
    assert table.ids() == {"job-1", "job-3", "job-4"}
    with pytest.raises(QuotaFull):
        make_room(table, storage, 4500, 6000)
    assert table.ids() == {"job-1", "job-4"}, "those that run or wait stay"
    with pytest.raises(QuotaFull):
        make_room(table, storage, 6001, 6000)
    assert table.counts() == {"queued": 1, "running": 1, "done": 0, "failed": 0, "cancelled": 0}

    assert not delete_job(table, storage, "job-1", ended=True)
    assert delete_job(table, storage, "job-1")
    assert table.cancel("job-4")
    keep_house(table, storage, 10)
    assert table.ids() == set()
    assert not (storage.jobs / "job-4").exists()
    table.close()


def test_what_is_over_goes_when_the_house_is_kept(storage: Storage, tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    from tronie.service.housekeeping import keep_house
    from tronie.service.job_table import JobTable

    table = JobTable.open(f"sqlite:///{tmp_path / 'jobs.sqlite3'}", retention=-1)
    fill(storage, "expired", "token")
    table.add(NewJob("expired", "A", {}, (UPLOAD,)), key=None, most=9, most_each=9)
    table.cancel("expired")
    assert keep_house(table, storage, 10**9) == 1
    assert table.get("expired") is None
    assert not storage.folder("expired").exists()
    assert storage.folder("job").exists(), "young"
    table.close()
