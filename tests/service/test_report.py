"""What is told of a result's files, whatever a worker has left in its folder."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tronie.pipelines.outcome import Outcome
from tronie.service.report import DAMAGED, LARGEST, report_of
from tronie.service.stored import FaceReport, Upload

UPLOAD = Upload("a.jpg", "001.jpg", "photo", 9, "0", 30, 20)
FINE = {"box": [1, 2, 3, 4], "score": 0.9, "error": None, "warnings": ["small: 9 pixels"], "more": {"of": 1}}


def told(folder: Path) -> tuple[FaceReport, ...]:
    return report_of(folder, [UPLOAD], [Outcome("001.jpg", folder / "a", "ok")]).photos[0].faces


def face(folder: Path, text: str | bytes) -> Path:
    place = folder / "a" / "face-1"
    place.mkdir(parents=True, exist_ok=True)
    (place / "face.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    return place


def test_a_face_is_told_as_it_was_written(tmp_path: Path) -> None:
    face(tmp_path, json.dumps(FINE))
    (found,) = told(tmp_path)
    assert (found.box, found.score, found.warnings) == ((1, 2, 3, 4), 0.9, ("small: 9 pixels",))
    assert found.files == {"face.json": "a/face-1/face.json"}


@pytest.mark.parametrize(
    "change",
    [{"box": [1, 2]}, {"box": "abcd"}, {"box": 3}, {"box": [1, 2, 3, {}]}, {"score": "much"}, {"score": [1]},
     {"error": 5}, {"error": {"a": 1}}, {"warnings": 7}, {"warnings": [1]}, {"warnings": {"a": 1}}],
)  # fmt: skip
def test_what_is_no_record_of_a_face_costs_its_sentence_only(tmp_path: Path, change: dict[str, Any]) -> None:
    face(tmp_path, json.dumps(FINE | change))
    (found,) = told(tmp_path)
    assert (found.error, found.box, found.warnings) == (DAMAGED, None, ())
    assert list(found.files) == ["face.json"]


@pytest.mark.parametrize("text", [b"", b"[]", b"[" * 100_000, b"\xff", b" " * (LARGEST + 1), b'{"a": 1}'])
def test_files_that_say_nothing_of_a_face(tmp_path: Path, text: bytes) -> None:
    face(tmp_path, text)
    (found,) = told(tmp_path)
    assert (found.index, found.box, found.error) == (1, None, None)


@pytest.mark.parametrize("people", [5, "a", [1, "b"], [{"index": [1]}], [{}], [{"index": 1, "error": 7}]])
def test_records_of_clips_are_not_believed(tmp_path: Path, people: object) -> None:
    face(tmp_path, json.dumps(FINE))
    (tmp_path / "a" / "clip.json").write_text(json.dumps({"people": people}))
    assert told(tmp_path)[0].error in (None, DAMAGED)


@pytest.mark.skipif(os.name == "nt", reason="links and pipes")
def test_links_and_pipes_are_no_results(tmp_path: Path) -> None:
    place = face(tmp_path, b"")
    secret = tmp_path.parent / "secret.json"
    secret.write_text(json.dumps(FINE | {"error": "the secret"}))
    (place / "face.json").unlink()
    (place / "face.json").symlink_to(secret)
    os.mkfifo(place / "head.glb")
    (place / "head.ply").write_bytes(b"x")
    (found,) = told(tmp_path)
    assert found == FaceReport(1, None, files={"head.ply": "a/face-1/head.ply"})
