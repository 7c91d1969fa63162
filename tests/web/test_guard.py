"""Who may ask, from where, how often: a page elsewhere can do nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("sqlalchemy")

from service_fixture import HOME, Stage, stage

from tronie.service.stored import TableError
from tronie.web.credentials import Credentials
from tronie.web.rates import Rate

OWN = {"Origin": HOME, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    often = {"requests_per_minute": 100_000, "uploads_per_minute": 100_000, "max_waiting_each": 1000}
    with stage(tmp_path_factory.mktemp("guard"), names=("Heads.example",), **often) as made:
        yield made


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8765", 200),
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("[::1]:8765", 200),
        ("127.8.8.8", 200),
        ("heads.example", 200),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("192.168.1.7:8765", 403),
        ("localhost@evil.example", 403),
        ("evil.example/localhost", 403),
        ("localhost:port", 403),
        ("", 403),
        ("[::1", 403),
    ],
)
def test_only_our_own_names_are_answered_to(here: Stage, host: str, status: int) -> None:
    for path in ("/", "/v1/jobs", "/healthz", "/page/none.js"):
        answer = here.client.get(path, headers={"Host": host})
        assert (answer.status_code == 403) == (status == 403)


@pytest.mark.parametrize(
    ("headers", "reads", "writes"),
    [
        ({}, True, True),  # a program
        (OWN, True, True),
        ({"Origin": HOME}, True, True),
        ({"Sec-Fetch-Site": "none"}, True, True),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, True, True),
        ({"Origin": "null"}, False, False),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, False, False),
        ({"Origin": "http://evil.example"}, False, False),
        ({"Origin": "http://127.0.0.1:9999"}, False, False),
        ({"Origin": "http://localhost:8765"}, False, False),
        ({"Origin": f"{HOME}.evil.example"}, False, False),
        ({"Origin": f"{HOME}/x"}, False, False),
        ({"Origin": "file://127.0.0.1:8765"}, False, False),
        ({"Origin": HOME, "Sec-Fetch-Site": "cross-site"}, False, False),
        ({"Sec-Fetch-Site": "same-site"}, False, False),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, False, False),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, False, False),
    ],
)
def test_pages_of_others_can_neither_read_nor_write(
    here: Stage, headers: dict[str, str], reads: bool, writes: bool
) -> None:
    record = here.send().json()
    assert (here.client.get("/v1/jobs", headers=headers).status_code == 200) == reads
    assert (here.client.get(record["links"]["events"] + "?after=-1", headers=headers).status_code == 422) == reads
    assert (here.send(headers=headers).status_code == 201) == writes
    cancel = here.client.post(f"{record['links']['self']}/cancel", headers=headers)
    assert (cancel.status_code == 200) == writes
    assert (here.client.delete(record["links"]["self"], headers=headers).status_code == 204) == writes


def test_a_link_elsewhere_may_lead_to_the_page_and_nowhere_else(tmp_path: Path) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    with stage(tmp_path) as here:
        assert here.client.get("/", headers=link).status_code == 200
        assert here.client.get("/", headers=link | {"Sec-Fetch-Dest": "iframe"}).status_code == 403
        assert here.client.post("/", headers=link).status_code == 403
        assert here.client.get("/v1/info", headers=link).status_code == 403


def test_no_origin_is_ever_allowed_in(tmp_path: Path) -> None:
    asks = {"Origin": "http://evil.example", "Access-Control-Request-Method": "DELETE"}
    with stage(tmp_path) as here:
        for answer in (here.client.options("/v1/jobs", headers=asks), here.client.get("/v1/info", headers=OWN)):
            assert not [name for name in answer.headers if name.startswith("access-control")]


def test_with_tokens_everything_but_the_page_wants_one(tmp_path: Path) -> None:
    with stage(tmp_path, tokens=("first secret", "second")) as here:
        here.ready()
        for path in ("/", "/healthz", "/readyz", "/v1/info"):
            assert here.client.get(path).status_code == 200, path
        assert here.client.get("/page/none.js").status_code == 404
        paths = ("/v1/jobs", "/v1/models", "/metrics", "/openapi.json", "/v1/jobs/x/archive", "/docs", "/nowhere")
        for path in paths:
            answer = here.client.get(path)
            assert (answer.status_code, answer.headers["WWW-Authenticate"][:6]) == (401, "Bearer"), path
        assert here.send().status_code == 401
        assert here.client.delete("/v1/jobs/x").status_code == 401
        assert here.left() == []
        for wrong in ("Bearer first", "Bearer first secret2", "Basic first secret", "first secret", "Bearer "):
            assert here.client.get("/v1/jobs", headers={"Authorization": wrong}).status_code == 401
        assert here.client.get("/v1/info").json()["token_needed"] is True
        bearer = {"Authorization": "Bearer first secret"}
        assert here.client.get("/v1/info", headers=bearer).json()["token_needed"] is False
        assert here.client.get("/v1/models", headers=bearer).status_code == 200


def test_jobs_are_their_bearers_alone(tmp_path: Path) -> None:
    with stage(tmp_path, tokens=("one", "two")) as here:
        one, two = ({"Authorization": f"Bearer {token}"} for token in ("one", "two"))
        record = here.send(headers=one).json()
        here.finish(here.begin())
        urls = (record["links"]["self"], record["links"]["archive"], record["links"]["events"])
        urls = (*urls, record["uploads"][0]["preview"], f"{record['links']['self']}/files/party/face-1/head.glb")
        for url in urls:
            assert here.client.get(url, headers=two).status_code == 404
            assert here.client.get(url, headers=one).status_code == 200
        assert here.client.delete(record["links"]["self"], headers=two).status_code == 404
        assert here.client.post(f"{record['links']['self']}/cancel", headers=two).status_code == 404
        again = {"again": (None, record["id"])}
        assert here.client.post("/v1/jobs", files=again, headers=two).status_code == 404
        assert here.client.get("/v1/jobs", headers=two).json()["jobs"] == []
        key = {"Idempotency-Key": "k"}
        first = here.send(headers=one | key).json()
        assert here.send(headers=two | key).json()["id"] != first["id"]


def test_a_browser_gets_a_cookie_for_a_token(tmp_path: Path) -> None:
    with stage(tmp_path, tokens=("secret",)) as here:
        assert here.client.post("/v1/session", json={"token": "wrong"}).status_code == 401
        answer = here.client.post("/v1/session", json={"token": "secret"}, headers=OWN)
        assert answer.status_code == 204
        said = answer.headers["Set-Cookie"].lower()
        assert "httponly" in said
        assert "samesite=strict" in said
        assert "secret" not in said
        assert here.client.get("/v1/jobs").status_code == 200
        assert here.client.get("/v1/info").json() | {"token_needed": False, "signed_in": True} == (
            here.client.get("/v1/info").json()
        )
        assert here.client.delete("/v1/session").status_code == 204
        assert here.client.get("/v1/jobs").status_code == 401
        evil = {"Origin": "http://evil.example"}
        assert here.client.post("/v1/session", json={"token": "secret"}, headers=evil).status_code == 403


def test_wrong_tokens_keep_nobody_out_who_has_a_long_one_or_a_cookie(tmp_path: Path) -> None:
    with stage(tmp_path, tokens=("x" * 32, "y" * 40)) as here:
        for k in range(30):
            assert here.client.post("/v1/session", json={"token": str(k)}).status_code == 401
        assert here.client.get("/v1/jobs", headers={"Authorization": f"Bearer {'y' * 40}"}).status_code == 200
    with stage(tmp_path, tokens=("short",)) as here:
        assert here.client.post("/v1/session", json={"token": "short"}).status_code == 204
        for k in range(30):
            here.client.get("/v1/jobs", headers={"Authorization": f"Bearer {k}"})
        assert here.client.get("/v1/jobs", headers={"Authorization": "Bearer short"}).status_code == 429
        assert here.client.get("/v1/jobs").status_code == 200


def test_tokens_cannot_be_guessed_at_leisure(tmp_path: Path) -> None:
    with stage(tmp_path, tokens=("secret",)) as here:
        answers = [here.client.post("/v1/session", json={"token": str(k)}).status_code for k in range(30)]
        assert set(answers) == {401, 429}
        assert answers == sorted(answers)
        late = here.client.get("/v1/jobs", headers={"Authorization": "Bearer secret"})
        assert (late.status_code, int(late.headers["Retry-After"]) > 0) == (429, True)


def test_cookies_end_and_belong_to_a_token() -> None:
    now = 1000.0
    doors = Credentials(("secret",), lambda: now)
    cookie = doors.cookie("secret")
    assert cookie is not None
    assert doors.by_cookie(cookie) == doors.by_token("secret")
    end, _, seal = cookie.partition(".")
    for false in (f"{int(end) + 1}.{seal}", f"{end}.{seal[:-1]}x", end, "", ".", f"-1.{seal}", f"٣.{seal}", "9" * 400):
        assert doors.by_cookie(false) is None
    assert Credentials(("other",), lambda: now).by_cookie(cookie) is None
    now = float(end) + 1
    assert doors.by_cookie(cookie) is None
    assert not Credentials(()).needed


def test_a_bucket_empties_and_fills_again() -> None:
    now = 0.0
    rate = Rate(60, lambda: now)
    assert [rate.take("a") for _ in range(60)] == [0.0] * 60
    assert rate.take("a") == pytest.approx(1)
    assert rate.take("b") == 0
    now = 2.5
    assert [rate.take("a") > 0 for _ in range(3)] == [False, False, True]


def test_requests_and_uploads_are_counted_apart(tmp_path: Path) -> None:
    with stage(tmp_path, uploads_per_minute=2, requests_per_minute=20) as here:
        assert [here.send().status_code for _ in range(3)] == [201, 201, 429]
        answers = [here.client.get("/v1/jobs") for _ in range(20)]
        assert answers[0].status_code == 200
        assert answers[-1].status_code == 429
        assert int(answers[-1].headers["Retry-After"]) >= 1
        assert here.client.get("/healthz").status_code == 200


def test_headers_and_bodies_have_a_size(tmp_path: Path) -> None:
    with stage(tmp_path) as here:
        assert here.client.get("/v1/jobs", headers={"X": "x" * 40_000}).status_code == 431
        assert here.client.post("/v1/session", content=b"x" * 100_000).status_code == 413
        pieces = (b"x" * 10_000 for _ in range(10))
        assert here.client.post("/v1/session", content=pieces).status_code in (400, 413)
        for length in ("9" * 5000, "-1", "many"):
            assert here.client.post("/v1/session", headers={"Content-Length": length}).status_code == 413


def test_every_answer_bears_the_same_guards(tmp_path: Path) -> None:
    with stage(tmp_path) as here:
        record = here.done()
        links, ask = record["links"], here.client.get
        answers = {
            "record": (ask(links["self"]), 200),
            "file": (ask(record["photos"][0]["files"]["sheet.jpg"]), 200),
            "part": (ask(record["photos"][0]["files"]["sheet.jpg"], headers={"Range": "bytes=0-1"}), 206),
            "archive": (ask(links["archive"]), 200),
            "events": (ask(links["events"]), 200),
            "page": (ask("/"), 200),
            "nothing": (ask("/nothing"), 404),
            "no job": (ask("/v1/jobs/x"), 404),
            "not so": (here.client.put("/v1/jobs"), 405),
            "not here": (here.client.post("/"), 405),
            "no form": (here.client.post("/v1/jobs", content=b"x"), 415),
            "no number": (ask("/v1/jobs?limit=x"), 422),
            "stranger": (ask("/", headers={"Host": "evil.example"}), 403),
            "deleted": (here.client.delete(links["self"]), 204),
        }
        for what, (answer, status) in answers.items():
            assert answer.status_code == status, what
            headers = answer.headers
            assert headers["X-Content-Type-Options"] == "nosniff", what
            assert headers["Referrer-Policy"] == "no-referrer", what
            assert headers["Cross-Origin-Resource-Policy"] == "same-origin", what
            assert headers["Cross-Origin-Opener-Policy"] == "same-origin", what
            assert "camera=(self)" in headers["Permissions-Policy"], what
            assert "default-src 'none'" in headers["Content-Security-Policy"], what
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], what
            assert headers["Cache-Control"] == ("no-cache" if what == "page" else "private, no-store"), what
            if status >= 400:
                assert list(answer.json()) == ["error"], what
                assert answer.json()["error"].endswith("."), what


def test_what_can_be_done_is_told(here: Stage) -> None:
    can = {"/v1/jobs": "GET, POST", "/v1/jobs/x": "DELETE, GET", "/": "GET, HEAD", "/v1/session": "DELETE, POST"}
    for path, methods in can.items():
        answer = here.client.patch(path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, methods)


def test_what_nobody_foresaw_says_nothing_of_the_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with stage(tmp_path) as here:

        def fail(*_: object, **__: object) -> None:
            raise RuntimeError("the secret of /home/somebody")

        monkeypatch.setattr(here.table, "recent", fail)
        answer = here.client.get("/v1/jobs")
        assert answer.status_code == 500
        assert "secret" not in answer.text
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        monkeypatch.setattr(here.inspector, "look", fail)
        assert here.send().status_code == 500
        assert here.left() == []


def test_a_database_that_is_away_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise TableError("The database postgresql://somebody@host cannot be used.")

    with stage(tmp_path) as here:
        monkeypatch.setattr(here.table, "recent", fail)
        monkeypatch.setattr(here.table, "workers", fail)
        for path in ("/v1/jobs", "/readyz", "/v1/info"):
            answer = here.client.get(path)
            assert (answer.status_code, "somebody" in answer.text) == (503, False)
        assert here.client.get("/healthz").status_code == 200
