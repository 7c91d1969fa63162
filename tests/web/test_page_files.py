"""The page and its files: typed, packed, never older than they are, and nothing else of the package."""

from __future__ import annotations

import base64
import gzip
import hashlib
from pathlib import Path

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("sqlalchemy")

from service_fixture import stage

from tronie.web import assets
from tronie.web.assets import Shelf, policy_of

MAP = '{"imports": {"three": "/viewer/vendor/three.module.min.js"}}'
PAGE = f'<!doctype html><script src="/page/a.js"></script>\n<script type="importmap">{MAP}</script>'


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    made = {name: tmp_path / name for name in ("page", "viewer")}
    for folder in made.values():
        (folder / "parts").mkdir(parents=True)
    (made["page"] / "index.html").write_text(PAGE)
    (made["page"] / "main.js").write_text("export const a = 1;\n" * 200)
    (made["page"] / "parts" / "b.css").write_text("a {}")
    (tmp_path / "secret.txt").write_text("secret")
    (made["page"] / "link.txt").symlink_to(tmp_path / "secret.txt")
    monkeypatch.setattr(assets, "SHELF", Shelf(made))
    return made


def test_the_page_may_run_its_import_map_and_its_own_scripts_only(tmp_path: Path, folders: dict[str, Path]) -> None:
    with stage(tmp_path) as here:
        answer = here.client.get("/")
    digest = base64.b64encode(hashlib.sha256(MAP.encode()).digest()).decode()
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert answer.text == PAGE
    assert policy["script-src"] == f"'self' 'sha256-{digest}'"
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert not any("unsafe" in value or "http" in value or "*" in value for value in policy.values())


def test_files_are_typed_packed_and_asked_for_anew(tmp_path: Path, folders: dict[str, Path]) -> None:
    path = folders["page"] / "main.js"
    with stage(tmp_path) as here:
        answer = here.client.get("/page/main.js")
        assert answer.text == path.read_text()
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer.headers["Content-Encoding"] == "gzip"
        assert int(answer.headers["Content-Length"]) < 200
        assert (
            here.client.get("/page/main.js", headers={"Accept-Encoding": "br"}).headers.get("Content-Encoding") is None
        )
        known = {"If-None-Match": answer.headers["ETag"]}
        assert here.client.get("/page/main.js", headers=known).status_code == 304
        assert here.client.head("/page/main.js").content == b""
        assert here.client.get("/page/parts/b.css").headers["Content-Type"] == "text/css; charset=utf-8"
        path.write_text("export const a = 2;")
        assert here.client.get("/page/main.js", headers=known).text == "export const a = 2;"


def test_nothing_else_is_there(tmp_path: Path, folders: dict[str, Path]) -> None:
    (folders["page"] / ".hidden").write_text("secret")
    names = ("none.js", "", "parts", "parts/", "../secret.txt", "%2e%2e/secret.txt", "..%2fsecret.txt", "link.txt")
    more = (".hidden", "main.js/", "/etc/passwd", "parts/../../secret.txt", "main.js%00", "C:/secret.txt", "a b", "%ff")
    with stage(tmp_path) as here:
        for name in (*names, *more):
            answer = here.client.get(f"/page/{name}")
            assert (answer.status_code, "secret" in answer.text) == (404, False), name


def test_without_its_folders_the_service_still_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "SHELF", Shelf({name: tmp_path / "none" / name for name in ("page", "viewer")}))
    with stage(tmp_path) as here:
        assert here.client.get("/").status_code == 200
        assert here.client.get("/viewer/viewer.js").status_code == 404
        assert here.client.get("/favicon.ico").status_code == 204


def test_the_real_page_has_no_script_that_its_policy_forbids() -> None:
    page = assets.FOLDERS["page"] / "index.html"
    if not page.exists():
        pytest.skip("there is no page yet")
    text = page.read_text(encoding="utf-8")
    assert text.count("'sha256-") == 0
    assert policy_of(text).count("'sha256-") <= 1
    for forbidden in (" style=", " onclick=", " onload=", "<style", "javascript:"):
        assert forbidden not in text


def test_packing_is_the_same_each_time() -> None:
    one, two = (assets._asset("a.js", b"x" * 5000, (0, 0)) for _ in range(2))
    assert one == two
    assert one.packed is not None
    assert gzip.decompress(one.packed) == one.data
