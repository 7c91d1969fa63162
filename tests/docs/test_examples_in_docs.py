"""The Python that README.md and docs/ show can be run as it stands."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from places import DOCS, EXAMPLES, ROOT

import tronie
from tronie.arrays import Image
from tronie.io.images import read_photo
from tronie.io.video.writer import write_movie

PAGES = (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
TOUR = DOCS / "python.md"
"""Its examples follow on one another."""
SERVICE = DOCS / "service.md"
"""Its examples want a service: tests/web/test_service_docs.py."""
EXAMPLES_SHOWN = [
    pytest.param(text, id=f"{page.name}-{number}")
    for page in PAGES
    if page not in (TOUR, SERVICE)
    for number, text in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")), start=1)
]


@pytest.fixture(scope="module")
def photo() -> Image:
    return read_photo(EXAMPLES / "astronaut.jpg").image


@pytest.fixture(scope="module")
def result(photo: Image) -> tronie.Result:
    return tronie.reconstruct(photo)


def test_there_are_examples() -> None:
    assert len(EXAMPLES_SHOWN) >= 7


@pytest.mark.parametrize("text", EXAMPLES_SHOWN)
def test_an_example_runs(
    text: str, photo: Image, result: tronie.Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(EXAMPLES / "astronaut.jpg", "photo.jpg")
    Path("OUT").mkdir()
    if '"out"' in text and "save(" not in text:
        tronie.save(result, "out", outputs=["overlay"], name="photo")
    Path("OUT/manifest.json").write_text(json.dumps({"inputs": [{"name": "a", "status": "ok", "warned": {}}]}))
    # What the text around the examples takes for granted.
    names: dict[str, Any] = {
        "tronie": tronie,
        "json": json,
        "Path": Path,
        "result": result,
        "paths": ["photo.jpg"],
        "crops": np.zeros((1, 64, 64, 3), np.uint8),
        "camera": [(photo, 0.0)],
    }
    exec(compile(text, "example", "exec"), names)


def test_the_tour_runs_from_its_beginning_to_its_end(
    photo: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("examples").mkdir()
    shutil.copy(EXAMPLES / "astronaut.jpg", "examples")
    write_movie(tmp_path / "clip.mp4", [photo] * 3, 10.0)
    names: dict[str, Any] = {"camera": [(photo, 0.0)]}
    for number, text in enumerate(BLOCK.findall(TOUR.read_text(encoding="utf-8")), start=1):
        exec(compile(text, f"block {number} of {TOUR.name}", "exec"), names)
    assert Path("out/astronaut/face-1/head.glb").is_file()
    assert Path("out/anna/person/person.json").is_file()
    assert names["picture"].shape == (320, 320, 3)
    assert len(names["clip"].faces) == 1
