"""What docs/service.md shows can be run as it stands."""

from __future__ import annotations

import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from places import DOCS

pytest.importorskip("fastapi")
pytest.importorskip("sqlalchemy")

import httpx
from service_fixture import stage, worker

TEXT = (DOCS / "service.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def test_the_example_in_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = BLOCKS
    monkeypatch.chdir(tmp_path)
    Path("photo.jpg").write_bytes(b"photo of somebody")
    with stage(tmp_path) as here, worker(here):
        monkeypatch.setattr(httpx, "Client", lambda **given: nullcontext(here.client))
        names: dict[str, Any] = {}
        exec(compile(text, "example", "exec"), names)
    assert names["job"]["state"] == "done"
    assert names["head"].startswith(b"glTF")


def test_every_address_that_it_names_is_there(tmp_path: Path) -> None:
    with stage(tmp_path) as here:
        known = here.client.get("/openapi.json").json()["paths"]
    shapes = {re.sub(r"\{[^}]*\}", "X", path) for path in known}
    named = {re.sub(r"\b(ID|NAME)\b", "X", path) for path in re.findall(r"/v1/[\w/]+", TEXT)}
    assert named <= shapes
