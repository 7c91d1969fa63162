"""What a run does again and what it lets be, what it says it would do, and how it ends where it cannot write."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from fake_job import FakePipeline, bind, contents, job, made, manifest

from tronie import cli
from tronie.cli.run import How, run_photos
from tronie.errors import DiskError, OutputError
from tronie.export.fingerprint import scope
from tronie.jobs import index
from tronie.jobs.place import Folder
from tronie.jobs.shards import Shard
from tronie.pipelines.outcome import Outcome, Task
from tronie.runtime.atomic_files import explain
from tronie.runtime.job import Job
from tronie.settings import Settings


def relevant(settings: Settings, *, no_face: bool = False) -> str:
    return scope(settings, moves=False, no_face=no_face)


# Done before


def test_a_file_that_only_looks_newer_is_done(photos, tmp_path) -> None:
    folder, out = photos("a.jpg", "b.jpg"), tmp_path / "out"
    job(folder, out=out)
    before = made(out)
    os.utime(folder / "a.jpg", ns=(0, 4_000_000_000_000_000_000))  # a clock that was set
    assert job(folder, out=out) == 0
    assert made(out) == before
    assert manifest(out)["a.jpg"]["modified"] == 4_000_000_000_000_000_000
    shutil.copytree(folder, tmp_path / "copied")
    shutil.rmtree(folder)
    assert job(tmp_path / "copied", out=out) == 0
    assert made(out) == before


def test_what_is_left_is_done_with_as_many_threads_as_all(photos, tmp_path, monkeypatch) -> None:
    """What nets say hangs on it, and what was killed and goes on has to end as if nothing had been."""
    folder, threads = photos(*(f"{number}.jpg" for number in range(12))), []
    job(folder, out=tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / "3")
    monkeypatch.setattr("tronie.cli.run.default_workers", lambda many: min(2, many // 4 or 1))
    monkeypatch.setattr("tronie.cli.run.run_job", lambda plan, manifest, work, **_: threads.append(work.threads) or ())
    run_photos([str(folder)], tmp_path / "all", Settings())
    run_photos([str(folder)], tmp_path / "out", Settings())
    run_photos([str(folder)], tmp_path / "part", Settings(), How(shard=Shard(3, 9)))
    run_photos([str(folder / "3.jpg")], tmp_path / "alone", Settings())
    assert threads == [1, 1, 1, 0]


def test_update_does_again_what_has_changed_and_nothing_else(photos, tmp_path, capsys) -> None:
    folder, out = photos("a.jpg", "b.jpg", "empty.jpg"), tmp_path / "out"
    job(folder, out=out)
    before = made(out)
    (folder / "a.jpg").write_bytes(b"another")
    assert job(folder, out=out, update=True) == 0
    after = made(out)
    assert after["a"] != before["a"]
    assert after["b"] == before["b"]
    shutil.rmtree(out / "b")
    (out / "b").mkdir()
    (out / "b" / "letter.txt").write_text("mine")
    (folder / "b.jpg").write_bytes(b"another")
    capsys.readouterr()
    job(folder, out=out, update=True)
    assert "--overwrite" in capsys.readouterr().err
    assert (out / "b" / "letter.txt").read_text() == "mine"


def test_a_setting_concerns_what_hangs_on_it(photos, tmp_path) -> None:
    folder, out = photos("a.jpg", "empty.jpg"), tmp_path / "out"
    job(folder, out=out)
    before = contents(out)
    video = Settings.model_validate({"video": {"smooth": 2.0}})
    assert job(folder, out=out, settings=video) == 0
    after = contents(out)
    assert after["manifest.json"]["inputs"] == before["manifest.json"]["inputs"]
    larger = Settings.model_validate({"texture": {"size": 512}})
    assert relevant(larger) != relevant(Settings())
    assert relevant(larger, no_face=True) == relevant(Settings(), no_face=True)
    assert job(folder, out=out, settings=larger, update=True) == 0
    assert [r["settings"] == before["manifest.json"]["fingerprint"] for r in manifest(out).values()] == [False, True]


@pytest.mark.parametrize(
    ("change", "concerns"),
    [
        ({"portrait": {"size": 256}}, {"portrait"}),
        ({"texture": {"size": 512}}, {"portrait", "texture"}),
        ({"export": {"rig": True}}, {"texture", "mesh"}),
        ({"video": {"every": 3}}, set()),
        ({"detect": {"min_face": 30}}, {"portrait", "texture", "mesh", "no face"}),
    ],
)
def test_settings_of_stages_that_do_not_run_do_not_count(change: dict[str, object], concerns: set[str]) -> None:
    for only in ("mesh", "texture", "portrait"):
        one, other = Settings(only=only), Settings.model_validate({"only": only, **change})
        assert (relevant(one) != relevant(other)) is (only in concerns), only
    one, other = Settings(), Settings.model_validate(change)
    assert (relevant(one, no_face=True) != relevant(other, no_face=True)) is ("no face" in concerns)
    assert scope(one, moves=True, no_face=False) != scope(other, moves=True, no_face=False)


# Saying what would be done


def test_a_dry_run_writes_nothing_and_tells_the_truth(photos, tmp_path, capsys) -> None:
    folder, out = photos("a.jpg", "b.jpg", "bad.jpg"), tmp_path / "out"
    assert job(folder, out=out, dry=True) == 0
    assert "3 photos to do" in capsys.readouterr().out
    assert not out.exists()
    job(folder, out=out)
    photos("c.jpg")
    (folder / "b.jpg").write_bytes(b"another")
    before = contents(out)
    capsys.readouterr()
    assert job(folder, out=out, dry=True, as_json="records") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(Path(r["source"]).name, r["action"]) for r in lines[:-1]] == [
        ("a.jpg", "skip"),
        ("b.jpg", "refuse"),
        ("bad.jpg", "redo"),
        ("c.jpg", "do"),
    ]
    assert lines[-1]["plan"] == {"do": 1, "redo": 1, "skip": 1, "refuse": 1}
    assert job(folder, out=out, dry=True, update=True, detail="verbose") == 0
    assert "2 of them again, 1 done before" in capsys.readouterr().out
    assert contents(out) == before


def test_the_end_tells_errors_by_kind(photos, tmp_path, capsys) -> None:
    folder = photos("a.jpg", "bad.jpg", "bad2.jpg", "bug.jpg")
    assert job(folder, out=tmp_path / "out") == 0
    assert "3 failed (unreadable 2, inside 1)" in capsys.readouterr().out
    assert job(folder, out=tmp_path / "again", as_json="records") == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["errors"] == {"unreadable": 2, "inside": 1}


# Where nothing can be written


@dataclass(frozen=True)
class Full:
    """The disk is full from the second photo on."""

    def __call__(self, job: Job) -> Callable[[Task], Outcome]:
        work = bind(FakePipeline())

        def do(task: Task) -> Outcome:
            if task.name == "a":
                return work(task)
            error = explain(task.folder, OSError(errno.ENOSPC, "No space left on device"))
            return Outcome(task.source, task.folder, "error", reason=str(error), trouble="disk")

        return do


def test_a_full_disk_ends_the_run_and_a_rerun_completes_it(photos, tmp_path, capsys) -> None:
    folder, out = photos("a.jpg", "b.jpg", "c.jpg", "d.jpg"), tmp_path / "out"
    assert run_photos([str(folder)], out, Settings(), How(start=Full(), workers=1)) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert "the disk is full" in said[0]
    assert "Stopped with 2 photos left" in said[1]
    assert [r["status"] for r in manifest(out).values()] == ["ok", "error", "pending", "pending"]
    assert job(folder, out=out) == 0
    job(folder, out=tmp_path / "undisturbed")
    assert contents(out) == contents(tmp_path / "undisturbed")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
def test_a_ledger_that_cannot_be_written_is_one_sentence(photos, tmp_path, capsys, monkeypatch, number) -> None:
    folder, out = photos("a.jpg"), tmp_path / "out"
    replace = os.replace

    def full(one: object, other: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", full)
    assert cli.execute(["run", str(folder), "-o", str(out)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not list(out.iterdir())
    monkeypatch.setattr(os, "replace", replace)
    assert job(folder, out=out) == 0
    assert isinstance(explain(out, OSError(number, "")), DiskError)


# The table of faces


def test_the_table_has_a_row_for_each_face(photos, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    folder = photos("a.jpg", "doubtful.jpg", "empty.jpg", "half.jpg")
    job(folder, out=out)
    capsys.readouterr()
    assert cli.execute(["index", str(out)]) == 0
    assert "index.csv" in capsys.readouterr().out
    rows = list(csv.DictReader((out / "index.csv").read_text().splitlines()))
    faces = [row["folder"] for row in rows]
    assert faces == [str(p.parent.relative_to(out)) for p in sorted(out.glob("*/face-*/face.json"))]
    assert rows[0]["photo"].endswith("a.jpg")
    assert float(rows[0]["score"]) == 0.9
    doubtful = next(row for row in rows if row["folder"] == "doubtful/face-2")
    assert set(doubtful["warnings"].split()) == {"small", "turned"}
    assert job(folder, out=out) == 0  # it is in nobody's way
    (out / "a" / "face-1" / "face.json").write_text("[" * 100_000)
    assert index.write_index(Folder(out), tmp_path / "faces.csv") == len(rows) - 1
    assert cli.execute(["index", str(out), "-o", "faces.xlsx"]) == 2
    assert cli.execute(["index", str(tmp_path / "none")]) == 1


def test_the_table_as_parquet_says_the_same(photos, tmp_path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    out = tmp_path / "out"
    job(photos("a.jpg", "half.jpg"), out=out)
    index.write_index(Folder(out), tmp_path / "faces.parquet")
    assert parquet.read_table(tmp_path / "faces.parquet").to_pylist() == list(index.rows(Folder(out)))


def test_no_table_of_what_is_no_folder_of_outputs(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="knows of photos"):
        index.write_index(Folder(tmp_path), tmp_path / "index.csv")
    assert not list(tmp_path.iterdir())
