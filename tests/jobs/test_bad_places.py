"""Runs where the disk is small or read-only, where the folder goes away meanwhile, and where the clock is set."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from fake_job import FakePipeline, bind, contents, job, made, manifest

from tronie import cli
from tronie.cli.run import How, run_photos
from tronie.errors import DiskError
from tronie.export.writer import _write
from tronie.pipelines.outcome import Outcome, Task
from tronie.runtime.job import Job
from tronie.settings import Settings

PAGE = 4096


def mounted(*options: str) -> bool:
    done = subprocess.run(["mount", *options], check=False, capture_output=True)
    return done.returncode == 0


@contextmanager
def disk(place: Path, size: int) -> Iterator[Path]:
    """A disk of so many bytes, where this user may have one."""
    place.mkdir()
    if sys.platform != "linux" or not mounted("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)):
        pytest.skip("no disk can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_full_indeed_ends_the_run_and_a_rerun_completes_it(photos, tmp_path, capsys) -> None:
    folder = photos(*(f"{letter}.jpg" for letter in "abcdefgh"))
    job(folder, out=tmp_path / "whole")
    with disk(tmp_path / "disk", 100 * PAGE) as small:
        out, ballast = small / "out", small / "ballast"
        ballast.write_bytes(bytes(76 * PAGE))
        capsys.readouterr()
        with suppress(DiskError):  # where there is no room even for what it wanted to write down at its end
            assert job(folder, out=out) == 1
            assert "Stopped with" in capsys.readouterr().err
        assert 0 < len(made(out)) < 8
        ballast.unlink()
        assert job(folder, out=out) == 0
        assert contents(out) == contents(tmp_path / "whole")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no such file")
def test_outputs_say_that_the_disk_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.open", lambda path, mode: os.fdopen(os.open("/dev/full", os.O_WRONLY), "wb"))
    with pytest.raises(DiskError, match="the disk is full"):
        _write(Path("head.glb"), b"x")


def test_a_read_only_place_for_outputs_is_one_sentence(photos, tmp_path, capsys) -> None:
    folder = photos("a.jpg")
    with disk(tmp_path / "disk", 100 * PAGE) as place:
        (place / "out").mkdir()
        assert mounted("-o", "remount,ro", str(place))
        assert cli.execute(["run", str(folder), "-o", str(place / "out")]) == 1
        assert cli.execute(["run", str(folder), "-o", str(place / "new" / "one")]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert all(line.endswith("the disk is read-only.") for line in said)


def test_photos_may_lie_where_nothing_can_be_written(photos, tmp_path) -> None:
    folder = photos("a.jpg", "b.jpg", "bad.jpg")
    with disk(tmp_path / "disk", 100 * PAGE) as place:
        shutil.copytree(folder, place / "photos")
        assert mounted("-o", "remount,ro", str(place))
        assert job(place / "photos", out=tmp_path / "out") == 0
        before = contents(tmp_path / "out")
        assert job(place / "photos", out=tmp_path / "out") == 0
        assert contents(tmp_path / "out") == before


@dataclass(frozen=True)
class Vanishing:
    """The folder of outputs is taken away after the first photo."""

    out: Path

    def __call__(self, job: Job) -> Callable[[Task], Outcome]:
        work = bind(FakePipeline())

        def do(task: Task) -> Outcome:
            outcome = work(task)
            if task.name == "a":
                self.out.rename(self.out.with_name("elsewhere"))
            return outcome

        return do


def test_a_folder_that_goes_away_costs_what_was_in_it(photos, tmp_path) -> None:
    folder, out = photos("a.jpg", "b.jpg", "c.jpg"), tmp_path / "out"
    run_photos([str(folder)], out, Settings(), How(start=Vanishing(out), workers=1))
    assert not list(tmp_path.rglob(".tronie*.part"))
    job(folder, out=out)
    job(folder, out=tmp_path / "whole")
    assert contents(out) == contents(tmp_path / "whole")


@pytest.mark.parametrize("step", [-86_400.0 * 400, 86_400.0 * 400])
def test_a_clock_that_jumps_all_the_time_changes_nothing(photos, tmp_path, monkeypatch, step: float) -> None:
    folder = photos("a.jpg", "b.jpg", "bad.jpg", "slow.jpg")
    job(folder, out=tmp_path / "whole")
    jumps, now = itertools.count(), time.time
    monkeypatch.setattr(time, "time", lambda: now() + step * (next(jumps) % 3))
    assert job(folder, out=tmp_path / "out") == 0
    for number, path in enumerate(sorted(folder.iterdir())):
        os.utime(path, (now() + step, now() + step * number))
    before = made(tmp_path / "out")
    assert job(folder, out=tmp_path / "out") == 0
    assert made(tmp_path / "out") == before
    told = {name: record["seconds"] for name, record in manifest(tmp_path / "out").items()}
    assert all(isinstance(seconds, float) and 0 <= seconds < 60 for seconds in told.values())


def test_names_that_differ_by_case_alone_get_folders_of_their_own(tmp_path: Path) -> None:
    names = ("a.jpg", "A.jpg", "a.JPG", "A.png", "ä.jpg", "Ä.jpg", "ß.jpg", "SS.jpg")
    for number, name in enumerate(names):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / name).write_bytes(b"x")
    assert job(*(tmp_path / str(number) for number in range(len(names))), out=tmp_path / "out") == 0
    folders = [path.name for path in (tmp_path / "out").iterdir() if path.is_dir()]
    assert len({folder.casefold() for folder in folders}) == len(names) == len(folders)
