"""A process for a photo may begin before anyone knows what it is to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tronie.cli import _one_photo
from tronie.runtime import child_process
from tronie.runtime.child_process import begin_early, launch
from tronie.runtime.job import Job
from tronie.runtime.processes import run_in_processes


def _nothing() -> None:
    pass


def _fails() -> None:
    raise ValueError("of no importance")


def _start(job: Job) -> object:
    return lambda task: task + 1


def test_only_a_single_file_has_a_process_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.jpg", "b.jpg"):
        Path(name).touch()
    Path("out").mkdir()
    assert _one_photo(["run", "a.jpg", "-o", "out"])
    for arguments in (
        [], ["run"], ["run", "a.jpg", "b.jpg"], ["run", "out"], ["run", "none.jpg"], ["doctor", "a.jpg"],
        ["run", "a.jpg", "--dry-run"], ["run", "-h", "a.jpg"], ["run", "a.jpg", "--cluster", "local"],
    ):  # fmt: skip
        assert not _one_photo(arguments)


@pytest.mark.parametrize("prepare", [_nothing, _fails])
def test_it_is_taken_by_the_first_that_fits(prepare: object) -> None:
    begin_early(prepare)  # type: ignore[arg-type]
    (early,) = child_process._early
    answers = run_in_processes(_start, iter([1]), 1, threads=0, quiet=True)  # type: ignore[arg-type]
    assert list(answers) == [(1, 2)]
    assert not child_process._early
    early.process.join(5)
    assert early.process.exitcode == 0


def test_one_that_has_ended_meanwhile_is_replaced() -> None:
    begin_early(_nothing)
    (early,) = child_process._early
    early.process.kill()
    early.process.join()
    answers = run_in_processes(_start, iter([1]), 1, threads=0, quiet=True)  # type: ignore[arg-type]
    assert list(answers) == [(1, 2)]


def test_one_that_nobody_wants_ends_with_the_process_that_began_it() -> None:
    begin_early(_nothing)
    other = launch(_start, 1, True)  # type: ignore[arg-type]  # of a single thread: it is another one
    (early,) = child_process._early
    assert other is not early
    other.kill()
    child_process._early.clear()
    early.close()
    early.process.join(20)
    assert early.process.exitcode == 0
