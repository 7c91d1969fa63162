"""The job table where it meets the world: several threads and processes, rows that are broken, databases that are not
as they should be."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy")

import sqlalchemy as sa
from places import ROOT
from postgres import each_database, running_postgres  # noqa: F401

from tronie.errors import InputError
from tronie.service.database import EVENTS, JOBS, QUEUE
from tronie.service.job_table import JobTable
from tronie.service.stored import NewJob, TableError, Upload
from tronie.service.stored_rows import BROKEN

UPLOADS = (Upload("a.jpg", "001.jpg", "photo", 10, "00", 30, 40),)


@pytest.fixture(name="table")
def opened(database: str) -> Iterator[JobTable]:
    table = JobTable.open(database)
    yield table
    table.close()


def add(table: JobTable, id: str, client: str = "A", key: str | None = None) -> tuple[str, bool]:
    job, made = table.add(NewJob(id, client, {}, UPLOADS), key=key, most=1000, most_each=1000)
    return job.id, made


def test_many_at_once_neither_lose_nor_double_a_job(table: JobTable) -> None:
    barrier = threading.Barrier(4)

    def client(number: int) -> None:
        barrier.wait()
        for i in range(10):
            add(table, f"job-{number}-{i}", str(number))
            # All say the same at the same time: one of them adds it.
            twice.append(add(table, f"twice-{number}-{i}", "all", f"key {i}"))

    def worker(number: int) -> None:
        while (claim := table.claim(f"worker {number}", 60, 2)) is not None:
            claimed.append(claim.job.id)
            assert table.tell(claim, [{"event": "note"}])
            assert table.finish(claim, "done", retention=60)

    twice: list[tuple[str, bool]] = []
    claimed: list[str] = []
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(client, range(4)))
        list(threads.map(worker, range(4)))
    made = [id for id, new in twice if new]
    assert len(made) == 10
    assert {id for id, _ in twice} == set(made)
    assert sorted(claimed) == sorted([f"job-{n}-{i}" for n in range(4) for i in range(10)] + made)


def test_a_list_survives_a_broken_row(table: JobTable) -> None:
    for id in ("good", "settings", "uploads", "report", "state"):
        add(table, id)
    broken = {
        "settings": {"settings": "[1]"},
        "uploads": {"uploads": '[{"name": "a", "path": "/etc/passwd"}]'},
        "report": {"report": '{"photos": ["no"]}'},
        "state": {"state": "dreaming"},
    }
    with table._writing() as connection:
        for id, values in broken.items():
            connection.execute(sa.update(JOBS).where(JOBS.c.id == id).values(**values))
    found = {job.id: job for job in table.recent("A")}
    assert {id for id, job in found.items() if job.reason == BROKEN and job.state == "failed"} == set(broken)
    # Nor does it stop those who wait behind it.
    claim = table.claim("worker", 60, 2)
    assert claim is not None
    assert claim.job.id == "good"
    assert table.claim("worker", 60, 2) is None
    assert all(table.delete(id) for id in broken)


def test_a_broken_event_is_a_clear_error(table: JobTable) -> None:
    add(table, "job")
    with table._writing() as connection:
        connection.execute(sa.insert(EVENTS).values(job="job", number=1, data="{"))
    with pytest.raises(TableError, match="JSON"):
        table.events("job")


def test_news_of_many_jobs_come_with_one_look(table: JobTable) -> None:
    for id in ("first", "second", "third"):
        add(table, id)
    claim = table.claim("worker", 60, 2)
    assert claim is not None
    table.tell(claim, [{"event": "note", "text": str(k)} for k in range(5)])
    with table._writing() as connection:
        connection.execute(sa.update(EVENTS).where(EVENTS.c.number == 5).values(data="{"))
    news = table.news({"first": 2, "second": 0, "third": 7, "gone": 0})
    assert set(news) == {"first", "second", "third"}
    stands = [(news[id].state, news[id].place) for id in ("first", "second", "third")]
    assert stands == [("running", None), ("queued", 0), ("queued", 1)]
    assert [number for number, _ in news["first"].events] == [3, 4, 5]
    assert [event["event"] for _, event in news["first"].events] == ["note", "note", "problem"]
    assert not any(one.more for one in news.values())
    few = table.news({"first": 0}, limit=3)["first"]
    assert (len(few.events), few.more) == (3, True)
    assert table.news({}) == {}
    table.finish(claim, "done", retention=60)
    assert table.news({"first": 5})["first"].state == "done"
    ((waited, took),) = table.durations()
    assert waited >= 0
    assert took >= 0


def test_strangers_see_nothing_and_use_nothing(table: JobTable) -> None:
    add(table, "mine")
    assert table.get("mine", "A") is not None
    assert table.get("mine", "B") is None
    assert table.recent("B", before="mine") == []
    assert add(table, "keyed", key="key") == ("keyed", True)
    assert table.repeated("B", "key") is None
    assert (known := table.repeated("A", "key")) is not None
    assert known.id == "keyed"
    with pytest.raises(InputError):
        table.add(NewJob("child", "B", {}, UPLOADS, "mine"), key=None, most=9, most_each=9)


def test_pages_of_a_list_are_all_of_it(table: JobTable) -> None:
    ids = [f"{number:02}" for number in range(10)]
    for id in ids:
        add(table, id)
    pages, last = [], None
    while page := table.recent("A", limit=3, before=last):
        pages += [job.id for job in page]
        last = page[-1].id
    assert sorted(pages) == ids
    assert [job.created for job in table.recent("A")] == sorted((j.created for j in table.recent("A")), reverse=True)


def test_files_that_are_used_again_stay_as_long(table: JobTable) -> None:
    add(table, "parent")
    first = table.claim("worker", 60, 2)
    assert first is not None
    assert table.finish(first, "done", retention=-1)
    assert table.expired() == ["parent"]
    table.add(NewJob("child", "A", {}, UPLOADS, "parent"), key=None, most=9, most_each=9)
    assert table.expired() == []
    assert table.oldest() == []
    second = table.claim("worker", 60, 2)
    assert second is not None
    assert table.finish(second, "done", retention=60)
    assert table.expired() == []
    parent, child = table.get("parent"), table.get("child")
    assert parent is not None
    assert child is not None
    assert parent.expires == child.expires
    assert table.oldest() == ["parent", "child"]
    assert table.stored_bytes() == 10  # the same file


def test_workers_are_known_for_a_while(table: JobTable) -> None:
    table.seen("one", ready=False, busy=False, version="1")
    table.seen("one", ready=True, busy=True, version="1")
    table.seen("two", ready=False, busy=False, version="2")
    assert [(w.name, w.ready, w.busy, w.version) for w in table.workers(60)] == [
        ("one", True, True, "1"),
        ("two", False, False, "2"),
    ]
    assert table.workers(-1) == []
    table.release("two")
    assert [worker.name for worker in table.workers(60)] == ["one"]


def test_the_clock_is_the_time(table: JobTable) -> None:
    add(table, "job")
    job = table.get("job")
    assert job is not None
    assert job.created == pytest.approx(time.time(), abs=5)


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_database_may_go_and_come_again(table: JobTable) -> None:
    add(table, "job")
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tronie'"
    with pytest.raises(TableError), table._reading() as connection:
        connection.execute(sa.text(end))  # its own connection too
    assert table.claim("worker", 60, 2) is not None


def test_another_version_is_told(database: str) -> None:
    table = JobTable.open(database)
    for version, age in ((99, "newer"), (0, "older")):
        with table._writing() as connection:
            connection.execute(sa.update(QUEUE).values(version=version))
        with pytest.raises(TableError, match=age):
            JobTable.open(database)
    table.close()


def test_what_is_no_database_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "letter").write_text("Dear Sir or Madam, " * 100)
    for url in (
        f"sqlite:///{tmp_path / 'letter'}",
        f"sqlite:///{tmp_path / 'letter' / 'file'}",
        "sqlite://",
        "mysql://host/name",
        "nonsense",
        "postgresql://somebody:secret@127.0.0.1:1/nothing",
    ):
        with pytest.raises(TableError) as error:
            JobTable.open(url)
        assert str(error.value).endswith(".")
        assert "secret" not in str(error.value)
        assert "\n" not in str(error.value)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(TableError, match=r"pip install 'tronie\[postgres\]'"):
        JobTable.open("postgresql://somebody@127.0.0.1:1/nothing")


def test_nobody_else_reads_sqlites_files(tmp_path: Path) -> None:
    table = JobTable.open(f"sqlite:///{tmp_path / 'data' / 'jobs.sqlite3'}")
    add(table, "job")
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "data").iterdir()} == {0o600}
    table.close()


def test_what_is_deleted_is_not_in_sqlites_files_either(tmp_path: Path) -> None:
    table = JobTable.open(f"sqlite:///{tmp_path / 'jobs.sqlite3'}")
    upload = Upload("Aunt Gertrude.jpg", "001.jpg", "photo", 10, "00", 30, 40)
    table.add(NewJob("job", "address:192.0.2.77", {}, (upload,)), key=None, most=9, most_each=9)
    assert any(b"Gertrude" in path.read_bytes() for path in tmp_path.iterdir())
    table.delete("job")
    table.tidy()
    for path in tmp_path.iterdir():
        assert b"Gertrude" not in path.read_bytes()
        assert b"192.0.2.77" not in path.read_bytes()
    table.close()


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)], indirect=True)
def test_servers_may_start_at_the_same_time(database: str) -> None:
    code = "import sys; from tronie.service.job_table import JobTable; JobTable.open(sys.argv[1]).counts()"
    environment = {"PYTHONPATH": str(ROOT / "src"), "PATH": ""}
    starts = [subprocess.Popen([sys.executable, "-c", code, database], env=environment) for _ in range(3)]
    assert [process.wait() for process in starts] == [0, 0, 0]
