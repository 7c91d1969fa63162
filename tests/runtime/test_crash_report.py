"""A report of a mistake tells what it needs to be mended, and nothing of whom it happened to."""

from __future__ import annotations

import getpass
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fake_job import job
from hypothesis import given
from hypothesis import strategies as st

from tronie import cli
from tronie.errors import InputError, sentence, unexpected
from tronie.runtime import crash_report, logs
from tronie.runtime.child_process import Child, Limit
from tronie.runtime.crash_report import KEPT, VARIABLE, without_names, write

ENDINGS = (".jpg", ".png", ".heic", ".mp4", ".npz")
SHAPES = ("/home/{}/{}", "{}/{}", "C:\\Users\\{}\\{}", "/{}/Ä b/{}")
NAMES = st.text("abcdefghijklmnopqrstuvwxyzäöü-", min_size=5, max_size=12).filter(lambda name: "-" not in name[::4])


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "reports"
    monkeypatch.setenv(VARIABLE, str(folder))
    monkeypatch.delenv(crash_report.ABOUT, raising=False)
    return folder


def fails(text: str) -> Exception:
    try:
        try:
            np.zeros(3)[7]
        except IndexError as cause:
            raise ValueError(text) from cause
    except ValueError as error:
        return error


@given(
    NAMES, NAMES, st.sampled_from(ENDINGS), st.sampled_from(["/home/{}/{}", "{}/{}", "C:\\Users\\{}\\{}", "/{}/Ä b/{}"])
)
def test_of_paths_the_ending_is_left(folder: str, name: str, ending: str, shape: str) -> None:
    path = shape.format(folder, name) + ending
    for text in (f"cannot read '{path}'", f'"{path}" is odd', str(FileNotFoundError(2, "No such file", path))):
        said = without_names(text)
        assert folder not in said
        assert name not in said
        assert ending in said
    if " " not in path:
        assert not {folder, name} & set(without_names(f"cannot read {path}: odd").replace("<", " ").split())
        assert name not in without_names(f"photo {name}{ending} failed")


def test_home_user_and_machine_have_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "annamaria")
    assert "annamaria" not in without_names("of annamaria, AnnaMaria's")
    assert str(Path.home()) not in without_names(f"in {Path.home()} and {Path.home()}/x")
    assert getpass.getuser() not in without_names(f"{Path.home()}/{getpass.getuser()}/y").split("/")


def test_no_numbers_of_a_picture() -> None:
    picture = np.random.default_rng(0).integers(100, 255, (8, 8, 3))
    said = without_names(f"cannot use {picture!r}")
    assert sum(str(value) in said for value in np.unique(picture)) < 3
    assert len(without_names("x" * 10_000)) < 600


def test_a_report_says_where_and_with_what(reports: Path) -> None:
    crash_report.about(command=crash_report.options_of(["run", "anna.jpg", "--hair=none", "-o", "anna"]))
    crash_report.about(settings={"hair": {"mode": "none"}})
    file = write(fails("shapes (3,) and (4,) of /home/anna/me.png"), "tronie.pipelines.photo: face %d of %s failed")
    assert file is not None
    text = file.read_text(encoding="utf-8")
    assert "ValueError: shapes (3,) and (4,) of <file>.png" in text
    assert text.index("IndexError") < text.index("ValueError:")
    assert "test_crash_report.py:" in text
    assert "np.zeros(3)[7]" not in text  # this file belongs to no package
    assert "... ... --hair -o ..." in text
    assert "'mode': 'none'" in text
    assert f"numpy {np.__version__}" in text
    assert not {"anna", str(Path(__file__).parent), str(Path.home()) + os.sep} & {*text.split()}
    assert "anna" not in text


def test_the_same_mistake_is_one_file_and_old_ones_go(reports: Path) -> None:
    files = {write(fails(f"number {number}"), "test") for number in range(3)}
    assert len(files) == 1
    for number in range(KEPT + 5):
        (reports / f"crash-{number:08}.txt").write_text("")
        os.utime(reports / f"crash-{number:08}.txt", (number, number))
    (file,) = files
    assert file is not None
    file.unlink()
    assert write(fails("again"), "test") == file
    assert len(list(reports.iterdir())) == KEPT
    assert crash_report.since(1e6) == [file]


def test_only_mistakes_are_reported(reports: Path) -> None:
    logs.start()
    log = logs.logger("tronie.test")
    for error in (InputError("no"), MemoryError(), OSError(28, "No space left"), KeyboardInterrupt()):
        assert not unexpected(error)
        log.error("expected", exc_info=error)
    assert not reports.exists()
    log.error("a mistake", exc_info=fails("x"))
    log.error("told by another process")
    assert len(list(reports.iterdir())) == 1


def test_nothing_stops_where_no_report_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "file" / "reports"))
    assert write(fails("x"), "test") is None
    assert crash_report.since(0) == []
    monkeypatch.setenv(VARIABLE, "0")
    assert write(fails("x"), "test") is None


def test_the_command_line_says_where_it_is(reports: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    def run_photos(*args: object, **kwargs: object) -> int:
        raise RuntimeError("/home/anna/secret.jpg")

    monkeypatch.setattr("tronie.cli.run.run_photos", run_photos)
    assert cli.execute(["run", "anna.jpg", "--hair", "none"]) == 1
    (file,) = reports.iterdir()
    assert f"A report of it, with no picture in it, is in {file}; nothing was sent." in capsys.readouterr().err
    assert "anna" not in file.read_text(encoding="utf-8")
    assert "'hair': {'mode': 'none'}" in file.read_text(encoding="utf-8")


def test_workers_report_too(photos, tmp_path: Path, reports: Path, capsys) -> None:
    logs.start()
    assert job(photos("a.jpg", "bug.jpg"), out=tmp_path / "out") == 0
    assert sentence(ValueError("a mistake of ours")) in capsys.readouterr().err
    (file,) = reports.iterdir()
    text = file.read_text(encoding="utf-8")
    assert "ValueError: a mistake" in text
    assert "bug.jpg" not in text


@pytest.mark.skipif(sys.platform == "win32", reason="processes end by signals on POSIX only")
def test_a_process_that_went_wrong_beneath_python_is_reported(reports: Path) -> None:
    logs.start()
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGABRT):
        process = SimpleNamespace(exitcode=-number, join=lambda seconds: None)
        pipe = SimpleNamespace(close=lambda: None)
        child: Any = Child(process, pipe, pipe, limit=Limit(1.0, None, "finding faces"))  # type: ignore[arg-type]
        assert signal.Signals(number).name in child.collect()
    texts = [file.read_text(encoding="utf-8") for file in reports.iterdir()]
    assert len(texts) == 2
    assert all("finding faces" in text for text in texts)
    assert any("ended by SIGSEGV" in text for text in texts)


def test_a_library_keeps_to_itself(reports: Path) -> None:
    code = "import logging, tronie.pipelines.photo as p\ntry: 1/0\nexcept ZeroDivisionError: p.log.exception('odd')"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert not reports.exists()
