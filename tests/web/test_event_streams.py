"""Streams of events: whole, resumed, shared by servers, and gone when nobody listens."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("sqlalchemy")

from service_fixture import RETENTION, Stage, report, stage

from tronie.service.job_table import JobTable
from tronie.web import follower
from tronie.web.follower import Follower


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as made:
        yield made


def events_of(text: str) -> list[tuple[int | None, str, Any]]:
    """Number, name and data of all events of a stream."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "event" in lines:
            number = int(lines["id"]) if "id" in lines else None
            found.append((number, lines["event"], json.loads(lines["data"])))
    return found


def told(here: Stage, count: int = 7) -> str:
    """The stream of a job that told so much and is done."""
    url: str = here.send().json()["links"]["events"]
    claim = here.begin()
    for k in range(count):
        here.table.tell(claim, [{"event": "advanced", "stage": "fit", "done": k, "upload": 0}])
    here.finish(claim)
    return url


def test_a_stream_tells_everything_and_ends(here: Stage) -> None:
    answer = here.client.get(told(here))
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert answer.text.startswith("retry: ")
    *events, last = events_of(answer.text)
    assert [number for number, _, _ in events] == list(range(1, 8))
    assert events[3] == (4, "advanced", {"stage": "fit", "done": 3, "upload": 0})
    assert last == (None, "state", {"state": "done", "place": None, "reason": None})


def test_it_is_taken_up_again_behind_any_number(here: Stage) -> None:
    url = told(here)
    for headers, query in (({"Last-Event-ID": "5"}, ""), ({}, "?after=5"), ({"Last-Event-ID": "5"}, "?after=1")):
        numbers = [number for number, _, _ in events_of(here.client.get(url + query, headers=headers).text)]
        assert numbers == [6, 7, None]
    for strange in ("x", "", "-1", "٣", "1e3"):
        assert len(events_of(here.client.get(url, headers={"Last-Event-ID": strange.encode()}).text)) == 8
    for beyond in ("999", "9" * 30):
        assert len(events_of(here.client.get(url, headers={"Last-Event-ID": beyond}).text)) == 1


def test_more_events_than_one_look_takes(here: Stage) -> None:
    url = here.send().json()["links"]["events"]
    claim = here.begin()
    here.table.tell(claim, [{"event": "note", "text": str(k)} for k in range(4500)])
    here.finish(claim)
    events = events_of(here.client.get(url).text)
    assert [number for number, _, _ in events[:-1]] == list(range(1, 4501))
    assert events[-1][1] == "state"


def test_places_in_the_queue_and_failure_are_told(here: Stage) -> None:
    first, second = (here.send().json()["links"] for _ in range(2))
    found: list[str] = []
    listener = threading.Thread(target=lambda: found.append(here.client.get(second["events"]).text))
    listener.start()
    time.sleep(0.4)
    here.client.delete(first["self"])
    time.sleep(0.4)
    claim = here.begin()
    time.sleep(0.4)
    here.table.finish(claim, "failed", reason="It was too dark.", retention=RETENTION)
    listener.join()
    states = [(data["state"], data["place"]) for _, name, data in events_of(found[0]) if name == "state"]
    assert states == [("queued", 1), ("queued", 0), ("running", None), ("failed", None)]
    assert events_of(found[0])[-1][2]["reason"] == "It was too dark."


def test_the_stream_of_a_deleted_job_ends(here: Stage) -> None:
    links = here.send().json()["links"]
    found: list[str] = []
    listener = threading.Thread(target=lambda: found.append(here.client.get(links["events"]).text))
    listener.start()
    time.sleep(0.3)
    here.client.delete(links["self"])
    listener.join(5)
    assert not listener.is_alive()
    assert here.client.get(links["events"]).status_code == 404


def test_another_server_of_the_same_queue_tells_the_same(tmp_path: Path) -> None:
    with stage(tmp_path) as one, stage(tmp_path) as other:
        url = told(one)
        assert events_of(other.client.get(url).text) == events_of(one.client.get(url).text)


def test_all_streams_are_fed_by_one_look(here: Stage) -> None:
    """Twenty listeners of four jobs: asked is once a tick, and everybody hears all of its job."""
    jobs = [here.send().json()["id"] for _ in range(4)]
    looks = []

    class Counted(JobTable):
        def news(self, after: Any, limit: int = 2000) -> Any:
            looks.append(dict(after))
            return super().news(after, limit)

    table = Counted.open(here.config.database_url)

    async def listen(follow: Follower, job: str) -> list[int]:
        heard = []
        async for news in follow.follow(job, "somebody"):
            assert news is not None
            heard += [number for number, _ in news.events]
            if news.state == "done" and not news.more:
                break
        return heard

    async def all_of_them() -> list[list[int]]:
        follow = Follower(table, tick=0.05)
        listeners = [asyncio.create_task(listen(follow, jobs[k % 4])) for k in range(20)]
        await asyncio.sleep(0.3)
        for _ in jobs:
            claim = await asyncio.to_thread(here.begin)
            for k in range(3):
                await asyncio.to_thread(here.table.tell, claim, [{"event": "note", "text": str(k)}])
            done = await asyncio.to_thread(here.table.finish, claim, "done", report=report(), retention=RETENTION)
            assert done
        heard = await asyncio.gather(*listeners)
        assert follow.streams == 0
        await follow.close()
        return heard

    began = time.monotonic()
    assert asyncio.run(all_of_them()) == [[1, 2, 3]] * 20
    assert len(looks) <= (time.monotonic() - began) / 0.05 + 2
    table.close()


def test_streams_are_bounded_and_counted(here: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "MOST_EACH", 1)
    url = here.send().json()["links"]["events"]
    listener = threading.Thread(target=here.client.get, args=(url,))
    listener.start()
    time.sleep(0.3)
    assert "tronie_streams 1.0" in here.client.get("/metrics").text
    answer = here.client.get(url)
    assert (answer.status_code, "Retry-After" in answer.headers) == (429, True)
    here.client.delete(url.removesuffix("/events"))
    listener.join(5)
    assert "tronie_streams 0.0" in here.client.get("/metrics").text


def test_a_quiet_stream_shows_that_it_lives(here: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "QUIET", 0.05)
    links = here.send().json()["links"]

    async def listen() -> list[Any]:
        follow = Follower(here.table, tick=0.01)
        heard = []
        async for news in follow.follow(links["self"].rpartition("/")[2], "somebody"):
            heard.append(news)
            if len(heard) == 3:
                break
        await follow.close()
        return heard

    first, *more = asyncio.run(listen())
    assert first is not None
    assert more == [None, None]
