"""`tronie person` on a portrait, its mirror image and a broken file: what is written, said, kept and refused."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from places import EXAMPLES
from typer.testing import CliRunner

from tronie.cli.app import app
from tronie.cli.person import person
from tronie.errors import Cancelled
from tronie.export.records import PersonRecord
from tronie.pipelines.person import job as people_job
from tronie.pipelines.person.grouping import find_faces
from tronie.pipelines.person.job import PersonDone, make_people
from tronie.pipelines.person.reconstruct import reconstruct_shots
from tronie.pipelines.photo import Pipeline
from tronie.runtime.job import Event, Job
from tronie.settings import Settings

EXAMPLE = EXAMPLES / "astronaut.jpg"
FAST = ["--texture-size", "512", "--frontal-size", "256"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    with Image.open(EXAMPLE) as picture:
        image = np.asarray(picture.convert("RGB"))
    Image.fromarray(image).save(folder / "a.png")
    Image.fromarray(np.clip(image[:, ::-1] * [0.8, 0.85, 0.9], 0, 255).astype(np.uint8)).save(folder / "b.png")
    (folder / "broken.jpg").write_bytes(b"no picture")
    Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(folder / "wall.png")
    return folder


@pytest.fixture(scope="module")
def done(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    out = tmp_path_factory.mktemp("out") / "person"
    result = CliRunner().invoke(app, ["person", str(photos), "-o", str(out), *FAST])
    assert result.exit_code == 0, result.output
    return out, result.stdout, result.stderr


def test_one_head_is_made_of_all_photos(done: tuple[Path, str, str], photos: Path) -> None:
    out, said, _ = done
    place = out / "person-1"
    names = {path.name for path in place.iterdir()}
    assert {"head.glb", "head.obj", "texture.png", "photos.png", "frontal.png", "sheet.jpg", "face.json"} <= names
    assert "2 photos" in said
    record = json.loads((place / "person.json").read_text())
    PersonRecord.model_validate(record)
    assert [Path(p["source"]).name for p in record["photos"]] == ["a.png", "b.png"]
    assert record["spread"][1]["sigma_mm"] <= record["spread"][0]["sigma_mm"]  # a mirror image may say nothing new
    assert len({tuple(p["fit"]["identity"]) for p in record["photos"]}) == 1
    assert record["photos"][0]["fit"]["pose"] != record["photos"][1]["fit"]["pose"]
    assert sum(p["main"] for p in record["photos"]) == 1
    assert set(record["files"]) | {"person.json"} == names
    assert (out / "people.txt").exists()
    assert (out / "people.jpg").exists()


def test_a_bad_photo_is_one_sentence(done: tuple[Path, str, str]) -> None:
    _, _, trouble = done
    lines = [line for line in trouble.splitlines() if "broken" in line or "wall" in line]
    assert len(lines) == 2
    assert all(line.endswith(".") for line in lines)


def test_what_is_done_is_kept_and_other_photos_are_refused(done: tuple[Path, str, str], photos: Path) -> None:
    out, _, _ = done
    before = (out / "person-1" / "person.json").stat().st_mtime_ns
    again = CliRunner().invoke(app, ["person", str(photos), "-o", str(out), *FAST])
    assert again.exit_code == 0
    assert "done already" in again.stderr
    other = CliRunner().invoke(app, ["person", str(photos / "a.png"), "-o", str(out), *FAST])
    assert other.exit_code == 1
    assert "--overwrite" in other.stderr
    assert (out / "person-1" / "person.json").stat().st_mtime_ns == before


def test_the_user_says_who_is_who(photos: Path, tmp_path: Path) -> None:
    file, out = tmp_path / "people.txt", tmp_path / "out"
    file.write_text(f"{photos / 'a.png'}\t1\tanna\n{photos / 'b.png'}\t1\t-\n{photos / 'broken.jpg'}\t1\tanna\n")
    arguments = ["person", str(photos), "-o", str(out), "--people", str(file), "--only", "mesh"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    record = json.loads((out / "anna" / "person.json").read_text())
    assert [Path(p["source"]).name for p in record["photos"]] == ["a.png"]
    assert "texture.png" not in record["files"]
    file.write_text(f"{photos / 'a.png'}\t7\tanna\n")
    wrong = CliRunner().invoke(app, arguments)
    assert wrong.exit_code == 1
    assert "face 7" in wrong.stderr


def test_a_stop_leaves_nothing_half_done(photos: Path) -> None:
    pipeline = Pipeline(Settings())
    (found,) = find_faces(pipeline, [photos / "a.png"])
    arguments = pipeline.model, pipeline.calibration, found.shots, pipeline.settings
    for wish in ("drain", "cancel"):
        job = Job()
        getattr(job, wish)()
        with pytest.raises(Cancelled):
            reconstruct_shots(*arguments, job=job)
        with pytest.raises(Cancelled):
            find_faces(pipeline, [photos / "a.png"], job)


def test_once_it_drains_no_other_person_is_begun(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people_job, "_one", lambda name, shots, folder, *_: PersonDone(name, str(folder), "ok", 1))
    said = tmp_path / "people.txt"
    said.write_text(f"{photos / 'a.png'}\t1\tanna\n{photos / 'b.png'}\t1\tbert\n")
    done: list[str] = []

    def hear(event: Event) -> None:
        if isinstance(event, PersonDone):
            done.append(event.name)
            if event.name == last:
                job.drain()

    for last, kept in (("anna", ["anna"]), ("bert", ["anna", "bert"])):
        done.clear()
        job = Job(hear)
        with pytest.raises(Cancelled) if last == "anna" else nullcontext():
            make_people([photos / "a.png", photos / "b.png"], tmp_path / "out", Settings(), people=said, job=job)
        assert done == kept


def test_who_asks_to_end_when_all_is_done_hears_that_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def make(*_: object, job: Job, **__: object) -> tuple[PersonDone, ...]:
        job.drain()
        return (PersonDone("1", str(tmp_path / "1"), "ok", 2),)

    monkeypatch.setattr(people_job, "make_people", make)
    assert person(["a.jpg"], tmp_path, Settings()) == 0
    said = capsys.readouterr()
    assert "1 head" in said.out
    assert "Stopped" not in said.err


def test_photos_beyond_the_memory_are_read_again(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tronie.pipelines.person.grouping.KEPT_PIXELS", 10)
    (found,) = find_faces(Pipeline(Settings()), [photos / "a.png"])
    assert found.shots[0].photo.image.size == 0
    assert found.shots[0].load().image.shape == (512, 512, 3)


def test_no_face_at_all_is_said(photos: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["person", str(photos / "wall.png"), "-o", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "no face" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_folder_of_two_people_is_two_and_a_doubt_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    group = Image.open(EXAMPLE.parent / "group.jpg").convert("RGB")
    woman = Image.open(EXAMPLE).convert("RGB")
    width, height = group.size
    man = group.crop((int(0.27 * width), int(0.5 * height), int(0.4 * width), int(0.85 * height)))
    man = man.resize((4 * man.width, 4 * man.height), Image.Resampling.LANCZOS)
    for name, picture in (("a", woman), ("b", man)):
        picture.save(folder / f"{name}1.png")
        picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / f"{name}2.png")
    out = tmp_path / "out"
    assert CliRunner().invoke(app, ["person", str(folder), "-o", str(out), *FAST]).exit_code == 0
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == ["person-1", "person-2"]
    given = [str(folder / name) for name in ("a1.png", "a2.png", "b1.png")]
    result = CliRunner().invoke(app, ["person", *given, "-o", str(tmp_path / "one"), *FAST])
    assert result.exit_code == 0
    assert "b1 may show somebody else" in result.stderr
