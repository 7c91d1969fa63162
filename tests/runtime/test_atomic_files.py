"""Files and folders are there wholly or not at all, and trouble is one sentence."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tronie.errors import OutputError
from tronie.runtime import atomic_files as atomic
from tronie.runtime.atomic_files import PREFIX, make_folder, new_folder, sweep, write_file
from tronie.runtime.process_ids import mark


def entries(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    write_file(tmp_path / "a", b"one")
    write_file(tmp_path / "a", [b"tw", memoryview(b"o")])
    assert (tmp_path / "a").read_bytes() == b"two"
    with pytest.raises(OutputError, match="exists already"):
        write_file(tmp_path / "a", b"three", overwrite=False)
    assert (tmp_path / "a").read_bytes() == b"two"
    assert entries(tmp_path) == ["a"]


def test_a_file_that_fails_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_file(tmp_path / "a", b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OutputError, match=r"a: the disk is full\.$"):
        write_file(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert entries(tmp_path) == ["a"]


def test_a_folder_appears_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "b"
    with new_folder(target) as work:
        (work / "x").write_text("1")
        assert not target.exists()
        assert work.parent == target.parent
    assert (target / "x").read_text() == "1"
    assert entries(target.parent) == ["b"]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, ValueError])
@pytest.mark.parametrize("before", [False, True])
def test_a_broken_block_leaves_nothing(tmp_path: Path, kind: type[BaseException], before: bool) -> None:
    if before:
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "old").write_text("old")
    with pytest.raises(kind), new_folder(tmp_path / "b", overwrite=True) as work:  # noqa: PT012
        (work / "x").write_text("1")
        raise kind
    assert entries(tmp_path) == (["b"] if before else [])
    assert not before or (tmp_path / "b" / "old").read_text() == "old"


def test_nothing_is_overwritten_unless_asked(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "old").write_text("old")
    with pytest.raises(OutputError, match="exists already; use --overwrite"), new_folder(tmp_path / "b"):
        pytest.fail("the block must not run")
    with new_folder(tmp_path / "b", overwrite=True) as work:
        (work / "new").write_text("new")
    assert entries(tmp_path / "b") == ["new"]
    assert entries(tmp_path) == ["b"]


def test_a_folder_that_came_meanwhile_is_kept(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="exists already"), new_folder(tmp_path / "b") as work:  # noqa: PT012
        (work / "x").write_text("1")
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "theirs").write_text("2")
    assert entries(tmp_path / "b") == ["theirs"]
    assert entries(tmp_path) == ["b"]


def test_the_old_folder_comes_back_if_the_new_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "old").write_text("old")
    rename, calls = os.rename, []

    def second_fails(a: Path, b: Path) -> None:
        calls.append(a)
        if len(calls) == 2:
            raise OSError(errno.EACCES, "Permission denied")
        rename(a, b)

    monkeypatch.setattr(os, "rename", second_fails)
    with pytest.raises(OutputError, match="no permission"), new_folder(tmp_path / "b", overwrite=True) as work:
        (work / "new").write_text("new")
    assert entries(tmp_path / "b") == ["old"]
    assert entries(tmp_path) == ["b"]


def test_an_output_that_is_a_file_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    for attempt in (tmp_path / "f", tmp_path / "f" / "g"):
        with pytest.raises(OutputError) as caught:
            make_folder(attempt)
        assert str(caught.value).count(".") == str(attempt).count(".") + 1
        assert "file, not a folder" in str(caught.value)
    with pytest.raises(OutputError, match="file, not a folder"), new_folder(tmp_path / "f" / "b"):
        pass
    with pytest.raises(OutputError, match="name is too long"), new_folder(tmp_path / ("x" * 300)):
        pass


def test_sweep_takes_only_what_dead_processes_left(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead, alive = f"{PREFIX}{ended.pid}-0-abc", f"{PREFIX}{mark()}-0-abc"
    for name in (f"{dead}.part", f"{dead}.old", f"{alive}.part"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_text("")
    (tmp_path / f"{dead}1.part").write_text("")
    (tmp_path / ".tronie-note").write_text("the user's")
    if os.name == "nt":
        pytest.skip("Windows does not tell")
    assert sweep(tmp_path) == 3
    assert entries(tmp_path) == sorted([f"{alive}.part", ".tronie-note"])
    assert sweep(tmp_path / "missing") == 0


def test_temporary_names_never_meet(tmp_path: Path) -> None:
    names = {atomic._temporary(tmp_path / "x", "part") for _ in range(100)}
    assert len(names) == 100
