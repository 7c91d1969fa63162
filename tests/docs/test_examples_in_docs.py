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

PAGES = (ROOT / "README.md", *sorted(DOCS.glob("*.md")))
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES_SHOWN = [
    pytest.param(text, id=f"{page.name}-{number}")
    for page in PAGES
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
    Path("OUT/manifest.json").write_text(json.dumps({"inputs": [{"name": "a", "status": "ok", "warned": {}}]}))
    # What the text around the examples takes for granted.
    names: dict[str, Any] = {
        "json": json,
        "Path": Path,
        "result": result,
        "paths": ["photo.jpg"],
        "crops": np.zeros((1, 64, 64, 3), np.uint8),
        "camera": [(photo, 0.0)],
    }
    exec(compile(text, "example", "exec"), names)
