"""`--json events`: every line of a whole run is of a known kind, and they come in an order that makes sense."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest
from fake_job import job as run
from PIL import Image
from places import DOCS, EXAMPLES
from typer.testing import CliRunner

from tronie.cli.app import app
from tronie.cli.progress import Bars
from tronie.cli.show import Show
from tronie.export import events
from tronie.export.records import schema
from tronie.importers.heads.calibrated import Calibrated
from tronie.pipelines.calibration import job as calibration
from tronie.pipelines.person.job import PersonDone
from tronie.runtime.job import Advanced, Event, Job, Note, Problem, StageBegan
from tronie.runtime.model_store import Imported

FAST = ["--texture-size", "512", "--frontal-size", "256"]


def lines(text: str) -> list[dict[str, Any]]:
    """Those of a run, each of which the schema knows."""
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(json.loads(schema("events")))
    found = [json.loads(line) for line in text.splitlines()]
    for line in found:
        validator.validate(line)
        events.EVENTS.validate_python(line)
    return found


def check_order(found: list[dict[str, Any]]) -> None:
    """Of each source and face, stages lie in one another like brackets, and steps are counted up."""
    open_: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for line in found:
        key = line.get("source", ""), line.get("face", 0)
        if line["event"] == "stage_began":
            open_.setdefault(key, []).append(dict(line))
        elif line["event"] == "advanced":
            (stage,) = [known for known in open_[key] if known["stage"] == line["stage"]]
            assert line["done"] > stage["done"]
            assert line["total"] is None or line["done"] <= line["total"] == stage["total"]
            stage["done"] = line["done"]
        elif line["event"] == "stage_ended":
            assert open_[key].pop()["stage"] == line["stage"]
    assert not any(open_.values())


def test_every_event_of_a_job_has_its_line() -> None:
    for event, record in events._OF.items():
        assert {"event", *(field.name for field in fields(event))} == set(record.model_fields), event  # type: ignore[arg-type]
    assert {"event", *(field.name for field in fields(PersonDone))} == set(events.PersonDoneRecord.model_fields)
    assert (DOCS / "schemas" / "events.schema.json").read_text(encoding="utf-8") == schema("events")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_tells_of_each_photo_in_order(photos, tmp_path: Path, capsys, workers: int) -> None:
    folder = photos("a.jpg", "bad.jpg", "empty.jpg", "half.jpg", "noted.jpg", "b.jpg", "c.jpg", "d.jpg")
    missing = tmp_path / "none.jpg"
    assert run(folder, missing, out=tmp_path / "out", workers=workers, as_json="events") == 0
    found = lines(capsys.readouterr().out)
    check_order(found)
    done = {line["source"]: line for line in found if line["event"] == "photo_done"}
    assert {Path(source).name for source in done} == {path.name for path in [*folder.iterdir(), missing]}
    assert done[str(missing)]["folder"] is None
    assert found[-1]["event"] == "summary"
    assert found[-1]["summary"]["failed"] == 2
    for source in set(done) - {str(missing)}:
        own = [line["event"] for line in found if line.get("source") == source]
        assert own == ["stage_began", "stage_ended", "photo_done"]


def test_the_words_of_the_option(photos, tmp_path: Path) -> None:
    folder = photos("bad.jpg")
    (folder / "bad.jpg").write_bytes(b"no picture")
    for said, kinds in (
        (["--json", "events"], {"stage_began", "stage_ended", "photo_done", "summary"}),
        (["--json=events"], {"stage_began", "stage_ended", "photo_done", "summary"}),
        (["--json"], {None}),
    ):
        out = CliRunner().invoke(app, ["run", str(folder), "-o", str(tmp_path / "out"), *said]).stdout
        assert {json.loads(line).get("event") for line in out.splitlines()} == kinds
    assert CliRunner().invoke(app, ["person", "x.jpg", "--json", "nothing"]).exit_code == 2


@pytest.mark.slow
def test_a_person_from_photos_to_files(tmp_path: Path) -> None:
    with Image.open(EXAMPLES / "astronaut.jpg") as picture:
        picture.save(tmp_path / "a.png")
        picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "b.png")
    given = [str(tmp_path / name) for name in ("a.png", "b.png")]
    result = CliRunner().invoke(app, ["person", *given, "-o", str(tmp_path / "out"), *FAST, "--json", "events"])
    assert result.exit_code == 0, result.output
    found = lines(result.stdout)
    check_order(found)
    assert found[-1]["event"] != "summary"
    (one,) = [line for line in found if line["event"] == "person_done"]
    assert (one["status"], one["photos"]) == ("ok", 2)
    assert one["spread_mm"][1] < one["spread_mm"][0]
    begun = [line["stage"] for line in found if line["event"] == "stage_began" and line["source"] in ("", "1")]
    wanted = ["faces", "recognise", "people", "fit", "texture", "frontal", "files"]
    assert [stage for stage in begun if stage in wanted] == wanted
    faces = [line["done"] for line in found if line["event"] == "advanced" and line["stage"] == "faces"]
    assert faces == [1, 2]


@pytest.mark.slow
def test_rendering_tells_of_its_films(tmp_path: Path) -> None:
    arguments = ["render", str(EXAMPLES / "astronaut.jpg"), "-o", str(tmp_path), "--size", "64", "--seconds", "0.2"]
    result = CliRunner().invoke(app, [*arguments, "--fps", "20", "--format", "png", "--json", "events"])
    assert result.exit_code == 0, result.output
    found = lines(result.stdout)
    check_order(found)
    (film,) = [line for line in found if line["event"] == "file_done"]
    steps = [line for line in found if line["event"] == "advanced"]
    assert [step["done"] for step in steps] == list(range(1, 5))
    assert Path(film["path"]).is_dir()


@dataclass(frozen=True)
class Painted:
    """Shards of pictures without any."""

    work: Path
    seed: int
    shard: int

    def __call__(self, job: Job) -> Callable[[int], int]:
        def shard(number: int) -> int:
            calibration.shard_file(self.work, number).touch()
            return self.shard

        return shard


def test_calibrating_tells_of_its_stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = Imported("gnm", "gnm", "p", "CC0-1.0", True, "o", "gnm.npz", "", 0, "2026-01-01", 1, ".npz")
    (tmp_path / "card.json").write_text('{"held_out_figures": {"error_mm": 1.5, "share": 0.5, "other": 2}}')

    def finish(record: Imported, work: Path, count: int, seed: int, pictures: int, job: Job) -> None:
        with job.stage("learning", 2) as stage:
            for _ in stage.each(range(2)):
                assert len(list(work.glob("shard-*"))) == count == 20

    monkeypatch.setenv("TRONIE_HOME", str(tmp_path))
    monkeypatch.setattr(calibration, "imported_head", lambda name: record)
    monkeypatch.setattr(calibration, "made_of", lambda record: {})
    monkeypatch.setattr(calibration, "prepare", lambda record, work, job: None)
    monkeypatch.setattr(calibration, "Painter", Painted)
    monkeypatch.setattr(calibration, "finish", finish)
    monkeypatch.setattr(calibration, "find", lambda name: Calibrated(record, tmp_path))
    result = CliRunner().invoke(
        app, ["models", "calibrate", "gnm", "--pictures", "2000", "-j", "1", "--json", "events"]
    )
    assert result.exit_code == 0, result.output
    found = lines(result.stdout)
    check_order(found)
    assert [line["stage"] for line in found if line["event"] == "stage_began"] == ["pictures", "learning"]
    steps = [line["done"] for line in found if line["event"] == "advanced" and line["stage"] == "pictures"]
    assert steps == list(range(1, 21))
    assert found[-1] == {"event": "calibrated", "name": "gnm", "error_mm": 1.5, "share": 0.5}


def test_without_a_terminal_bars_are_lines() -> None:
    err = io.StringIO()
    heard: list[Event] = [
        StageBegan("faces", 3),
        Advanced("faces", 1, 3),
        StageBegan("fit"),
        StageBegan("unknown", 3),
        Problem("oh"),
    ]
    with Bars({"faces": "finding the faces"}, err=err) as bars:
        job = Job(bars)
        for event in heard:
            job.emit(event)
    assert err.getvalue() == "finding the faces: 0 of 3\noh\n"


@pytest.mark.parametrize("as_json", [None, "records", "events"])
def test_notes_are_told_once(as_json, capsys) -> None:
    with Show(1, as_json=as_json) as show:
        show(Note("listen"))
    said = capsys.readouterr()
    assert (said.out + said.err).count("listen") == 1
