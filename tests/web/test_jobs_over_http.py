"""The life of a job over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("sqlalchemy")

from service_fixture import Stage, stage, worker


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One that has no job, before and after each test."""
    with stage(tmp_path_factory.mktemp("empty"), uploads_per_minute=100_000) as made:
        yield made


def test_a_job_from_the_upload_to_its_deletion(here: Stage) -> None:
    answer = here.client.post(
        "/v1/jobs",
        files=[("files", ("../../Große Feier.JPG", b"photo one")), ("files", ("b.png", b"photo two"))],
        data={"settings": json.dumps({"portrait": {"crop": "passport"}})},
    )
    assert answer.status_code == 201
    record = answer.json()
    assert answer.headers["Location"] == record["links"]["self"] == f"/v1/jobs/{record['id']}"
    assert record["state"] == "queued"
    assert record["place"] == 0
    assert [upload["name"] for upload in record["uploads"]] == ["Große Feier.JPG", "b.png"]
    assert here.inspector.seen == [("001", "Große Feier.JPG"), ("002", "b.png")]
    assert record["settings"]["portrait"]["crop"] == "passport"
    assert record["settings"]["texture"]["size"] == "auto"
    assert here.client.get(record["uploads"][1]["preview"]).content == b"\xff\xd8preview"

    claim = here.begin()
    assert here.client.get(record["links"]["self"]).json()["state"] == "running"
    assert here.client.get(record["links"]["archive"]).status_code == 404
    here.finish(claim)
    done = here.client.get(record["links"]["self"]).json()
    assert (done["state"], done["expires"] > done["ended"] > done["created"]) == ("done", True)
    face = done["photos"][0]["faces"][0]
    assert face["box"] == [10, 20, 110, 140]
    assert here.client.get(face["files"]["head.glb"]).status_code == 200
    assert here.client.get("/v1/jobs").json()["jobs"] == [done]

    assert here.client.delete(record["links"]["self"]).status_code == 204
    for url in (record["links"]["self"], face["files"]["head.glb"], record["uploads"][0]["preview"]):
        assert here.client.get(url).status_code == 404
    assert here.client.delete(record["links"]["self"]).status_code == 404
    assert here.client.get("/v1/jobs").json()["jobs"] == []
    assert here.left() == []


def test_a_worker_beside_it_is_followed_to_the_end(here: Stage) -> None:
    with worker(here, 0.3):
        record = here.send().json()
        events = here.client.get(record["links"]["events"]).text
    names = [line[7:] for line in events.splitlines() if line.startswith("event: ")]
    assert [name for name in names if name != "state"] == ["stage_began", "stage_ended"]
    assert names[-1] == "state"
    assert events.rstrip().endswith('"state": "done", "place": null, "reason": null}')


def test_jobs_are_listed_newest_first_and_in_pages(here: Stage) -> None:
    ids = [here.send().json()["id"] for _ in range(5)]
    page = here.client.get("/v1/jobs", params={"limit": 2}).json()
    found = [job["id"] for job in page["jobs"]]
    while page["next"]:
        page = here.client.get(page["next"]).json()
        found += [job["id"] for job in page["jobs"]]
    assert found == ids[::-1]


def test_a_waiting_job_that_is_cancelled_keeps_its_record(here: Stage) -> None:
    record = here.send().json()
    assert here.client.post(f"{record['links']['self']}/cancel").json()["state"] == "cancelled"
    assert here.client.get(record["links"]["self"]).json()["state"] == "cancelled"
    assert here.client.post(f"{record['links']['self']}/cancel").json()["state"] == "cancelled"


def test_the_worker_learns_that_a_running_job_is_cancelled_or_deleted(here: Stage) -> None:
    first, second = here.send().json(), here.send().json()
    one, two = here.begin(), here.begin()
    here.client.post(f"{first['links']['self']}/cancel")
    here.client.delete(second["links"]["self"])
    assert here.table.renew(one, 30) == "cancelled"
    assert here.table.renew(two, 30) == "lost"


def test_a_repeated_request_is_one_job(here: Stage) -> None:
    key = {"Idempotency-Key": "once"}
    first, again = here.send(headers=key), here.send(headers=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert here.send(headers={"Idempotency-Key": "twice"}).status_code == 201
    assert len(list((here.config.data / "jobs").iterdir())) == 2
    assert not list((here.config.data / "spool").iterdir())


def test_uploads_are_used_again_with_other_settings(here: Stage) -> None:
    parent = here.done()
    asked = {"again": parent["id"], "settings": '{"only": "portrait"}'}
    child = here.client.post("/v1/jobs", files={"again": (None, asked["again"]), "settings": (None, asked["settings"])})
    assert child.status_code == 201
    record = child.json()
    assert (record["parent"], record["settings"]["only"]) == (parent["id"], "portrait")
    assert here.client.get(record["uploads"][0]["preview"]).status_code == 200
    assert [job["id"] for job in here.client.get("/v1/jobs").json()["jobs"]] == [parent["id"]]
    assert len(here.client.get("/v1/jobs?children=true").json()["jobs"]) == 2
    here.client.delete(parent["links"]["self"])
    assert here.client.get(record["links"]["self"]).status_code == 404
    assert here.left() == []


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ({}, 422),
        ({"settings": (None, "{}")}, 422),
        ({"files": ("a.jpg", b"photo"), "settings": (None, "[]")}, 422),
        ({"files": ("a.jpg", b"photo"), "settings": (None, "{")}, 422),
        ({"files": ("a.jpg", b"photo"), "settings": (None, "[" * 100_000)}, 422),
        ({"files": ("a.jpg", b"photo"), "settings": (None, '{"texture": {"size": 3}}')}, 422),
        ({"files": ("a.jpg", b"photo"), "settings": (None, '{"outputs": ["NaN"], "fit": {"focal": NaN}}')}, 422),
        ({"files": ("a.jpg", b"photo"), "settings": (None, b"\xff\xfe")}, 422),
        ({"files": ("a.jpg", b"photo"), "settings": (None, "x" * 300_000)}, 413),
        ({"files": ("a.jpg", b"photo"), "more": (None, "x")}, 422),
        ({"other": ("a.jpg", b"photo")}, 422),
        ({"files": ("a.jpg", b"photo"), "again": (None, "a" * 22)}, 422),
        ({"again": (None, "a" * 22)}, 404),
        ({"again": (None, "../../x")}, 404),
        ({"files": ("a.jpg", b"bomb")}, 413),
        ({"files": ("a.jpg", b"text")}, 422),
        ({"files": ("a.jpg", b"")}, 415),
    ],
)
def test_what_cannot_be_done_is_refused_and_leaves_nothing(empty: Stage, parts: dict, status: int) -> None:
    answer = empty.client.post("/v1/jobs", files=parts or {"": (None, "")})
    assert answer.status_code == (400 if not parts else status), answer.text
    assert list(answer.json()) == ["error"]
    assert answer.json()["error"].endswith(".")
    assert empty.left() == []


def test_one_bad_file_refuses_the_job_and_is_named(here: Stage) -> None:
    files = [("files", ("good.jpg", b"photo")), ("files", ("bad.jpg", b"nothing"))]
    answer = here.client.post("/v1/jobs", files=files)
    assert (answer.status_code, answer.json()) == (422, {"error": "bad.jpg cannot be read."})
    assert here.left() == []
    assert 'tronie_uploads_refused_total{kind="unreadable"} 1.0' in here.client.get("/metrics").text


def test_no_more_files_than_agreed(tmp_path: Path) -> None:
    with stage(tmp_path, max_files=2) as here:
        files = [("files", (f"{k}.jpg", b"photo")) for k in range(3)]
        assert here.client.post("/v1/jobs", files=files).status_code == 413
        assert here.left() == []


def test_no_more_bytes_than_agreed_counted_or_said(tmp_path: Path) -> None:
    with stage(tmp_path, max_bytes=50_000) as here:
        assert here.send(b"photo" + bytes(40_000)).status_code == 201
        large = b"photo" + bytes(2_000_000)
        assert here.send(large).status_code == 413
        form = (
            b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n' + large + b"\r\n--x--\r\n"
        )
        pieces = (form[k : k + 65536] for k in range(0, len(form), 65536))
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        assert here.client.post("/v1/jobs", content=pieces, headers=kind).status_code == 413
        assert not list((here.config.data / "spool").iterdir())


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("multipart/form-data", b"", 400),
        ("multipart/form-data; boundary=x", b"", 400),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disp", 400),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="files"\r\n\r\nph', 400),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n", 400),
        ("multipart/form-data; boundary=x", b"--x\r\n" + b"A: b\r\n" * 100 + b"\r\n\r\n--x--\r\n", 400),
        ("multipart/form-data; boundary=x", b"--x\r\nA: " + b"b" * 10_000 + b"\r\n\r\n\r\n--x--\r\n", 400),
        ("multipart/form-data; boundary=" + "x" * 1000, b"", 400),
    ],
)  # fmt: skip
def test_forms_that_are_none(empty: Stage, kind: str, body: bytes, status: int) -> None:
    answer = empty.client.post("/v1/jobs", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["error"]
    assert empty.left() == []


def test_uploads_that_come_in_at_once_are_bounded(empty: Stage) -> None:
    receiving = empty.client.app.state.served.receiving
    receiving["address:127.0.0.1"] = 10
    answer = empty.send()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    receiving.clear()
    assert empty.send(b"nothing").status_code == 422
    assert not receiving


def test_a_full_queue_and_a_full_disk(tmp_path: Path) -> None:
    with stage(tmp_path, max_waiting_each=1, quota=1000) as here:
        assert here.send(b"photo" + bytes(2000)).status_code == 507
        assert here.send().status_code == 201
        full = here.send()
        assert (full.status_code, int(full.headers["Retry-After"]) > 0) == (429, True)
        assert len(list((here.config.data / "jobs").iterdir())) == 1
