"""Files of a result: ranges, ETags, names, archives."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("sqlalchemy")

from service_fixture import FILES, Stage, stage

from tronie.web import archive

GLB = FILES["party/face-1/head.glb"]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("results"), requests_per_minute=100_000) as made:
        yield made


@pytest.fixture(scope="module")
def url(here: Stage) -> str:
    found: str = here.done()["photos"][0]["faces"][0]["files"]["head.glb"]
    return found


def test_a_file_is_whole_typed_and_named(here: Stage, url: str) -> None:
    answer = here.client.get(url)
    assert answer.content == GLB
    assert answer.headers["Content-Type"] == "model/gltf-binary"
    assert "Content-Disposition" not in answer.headers
    saved = here.client.get(f"{url}?download=1").headers["Content-Disposition"]
    assert saved == "attachment; filename=\"party-face-1-head.glb\"; filename*=UTF-8''party-face-1-head.glb"
    head = here.client.head(url)
    assert (head.content, head.headers["Content-Length"]) == (b"", str(len(GLB)))
    assert head.headers["ETag"] == answer.headers["ETag"]


@pytest.mark.parametrize(
    ("asked", "begin", "end"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=10-", 10, None),
        ("bytes=-5", -5, None),
        ("bytes=-999999", 0, None),
        ("bytes=5-999999", 5, None),
        ("bytes=0-0", 0, 1),
        ("bytes = 0 - 9", 0, 10),
    ],
)
def test_parts(here: Stage, url: str, asked: str, begin: int, end: int | None) -> None:
    answer = here.client.get(url, headers={"Range": asked})
    part = GLB[begin:end]
    first = range(len(GLB))[begin:end][0]
    assert (answer.status_code, answer.content) == (206, part)
    assert answer.headers["Content-Range"] == f"bytes {first}-{first + len(part) - 1}/{len(GLB)}"
    assert answer.headers["Content-Length"] == str(len(part))


@pytest.mark.parametrize(
    "asked", ["bytes=9-3", "bytes=-", "lines=1-2", "bytes=0-1,4-5", "bytes=a-b", "bytes", "bytes=٣-"]
)
def test_what_is_no_range_is_the_whole_file(here: Stage, url: str, asked: str) -> None:
    answer = here.client.get(url, headers={"Range": asked.encode()})
    assert (answer.status_code, answer.content) == (200, GLB)


@pytest.mark.parametrize("asked", ["bytes=999999-", "bytes=-0", f"bytes={'9' * 5000}-"])
def test_parts_that_are_not_there(here: Stage, url: str, asked: str) -> None:
    answer = here.client.get(url, headers={"Range": asked})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{len(GLB)}")
    assert list(answer.json()) == ["error"]


def test_what_is_known_is_not_sent_again(here: Stage, url: str) -> None:
    etag = here.client.get(url).headers["ETag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = here.client.get(url, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)
    assert here.client.get(url, headers={"If-None-Match": '"other"'}).status_code == 200
    part = {"Range": "bytes=0-1"}
    assert here.client.get(url, headers=part | {"If-Range": etag}).status_code == 206
    assert here.client.get(url, headers=part | {"If-Range": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "head.glb",
        "party/face-1",
        "party/face-9/head.glb",
        "../inputs/001.jpg",
        "..%2f..%2finputs%2f001.jpg",
        "%2e%2e/%2e%2e/tronie.sqlite3",
        "/etc/passwd",
        "party/face-1/head.glb%00",
        "party//face-1/head.glb",
        "party\\face-1\\head.glb",
        "%ff",
    ],
)
def test_names_that_the_report_does_not_have(here: Stage, url: str, name: str) -> None:
    answer = here.client.get(f"{url.partition('/files/')[0]}/files/{name}")
    assert (answer.status_code, list(answer.json())) == (404, ["error"])


def test_pages_are_saved_and_never_shown(here: Stage) -> None:
    answer = here.client.get(here.done()["photos"][0]["files"]["page.html"])
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_a_file_that_is_gone_is_not_there(here: Stage) -> None:
    job = here.done()
    url = job["photos"][0]["faces"][0]["files"]["head.glb"]
    for path in (here.config.data / "jobs" / job["id"]).rglob("head.glb"):
        path.unlink()
    assert here.client.get(url).status_code == 404
    assert here.client.get(f"{url.partition('/files/')[0]}/archive").status_code == 404


def unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as made:
        assert made.testzip() is None
        return {name: made.read(name) for name in made.namelist()}


def test_archives(here: Stage) -> None:
    record = here.done(name="Größe.jpg")
    url = record["links"]["archive"]
    whole = here.client.get(url)
    assert unpacked(whole.content) == FILES
    assert whole.headers["Content-Length"] == str(len(whole.content))
    assert whole.headers["Content-Type"] == "application/zip"
    assert (
        whole.headers["Content-Disposition"]
        == "attachment; filename=\"Gr__e.zip\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.zip"
    )
    assert here.client.get(url).content == whole.content
    assert here.client.get(url, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304
    head = here.client.head(url)
    assert (head.content, head.headers["Content-Length"]) == (b"", whole.headers["Content-Length"])

    one = here.client.get(url, params={"what": "obj", "upload": 0, "face": 1})
    assert set(unpacked(one.content)) == {"head.obj", "head.mtl", "texture.png"}
    assert 'filename="Gr__e-face-1-obj.zip"' in one.headers["Content-Disposition"]
    face = unpacked(here.client.get(url, params={"upload": 0, "face": 2}).content)
    assert face == {"head.glb": FILES["party/face-2/head.glb"]}
    assert set(unpacked(here.client.get(url, params={"upload": 0}).content)) == set(FILES)
    for wrong in ({"face": 7}, {"upload": 3}, {"what": "obj", "face": 2}):
        assert here.client.get(url, params=wrong).status_code == 404
    for wrong in ({"face": "x"}, {"what": "all"}, {"upload": -1}):
        assert here.client.get(url, params=wrong).status_code == 422


def test_an_archive_has_the_size_that_was_said_before(tmp_path: Path) -> None:
    entries = []
    for name, data in {"a.txt": b"a" * 300_000, "leer": b"", "ü/한국.bin": b"xyz"}.items():
        path = tmp_path / str(len(entries))
        path.write_bytes(data)
        entries.append(archive.Entry(name, path, len(data)))
    data = b"".join(archive.pack(entries))
    assert len(data) == archive.size(entries)
    assert unpacked(data) == {entry.name: entry.path.read_bytes() for entry in entries}
    assert b"".join(archive.pack([])) == b"PK\x05\x06" + bytes(18)


def test_archives_of_many_gigabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "FULL32", 1000)  # as if numbers from there on needed the larger form
    monkeypatch.setattr(archive, "FULL16", 2)
    sizes = {"small": 10, "large": 5000, "behind": 20}
    entries = []
    for name, size in sizes.items():
        (tmp_path / name).write_bytes(b"x" * size)
        entries.append(archive.Entry(name, tmp_path / name, size))
    data = b"".join(archive.pack(entries))
    assert len(data) == archive.size(entries)
    assert data.count(b"PK\x06\x06") == data.count(b"PK\x06\x07") == 1
