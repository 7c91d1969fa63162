"""Inputs, processes and signals of a batch, with small stand-ins for the pipeline."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tronie.cli.interrupt import interrupting
from tronie.errors import TronieError
from tronie.io.inputs import find_inputs
from tronie.io.kinds import left_out_sentence
from tronie.io.paths import identity
from tronie.runtime import hardware as machine
from tronie.runtime.hardware import WORKER_BYTES, cores, default_workers, memory
from tronie.runtime.job import Event, Job, Note
from tronie.runtime.processes import SINGLE_THREAD, Crash, WorkerError, run_in_processes

SUFFIXES = frozenset({".jpg", ".png"})


def make(folder: Path, *names: str) -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return paths


# Inputs


def test_compiled_kernels_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "__file__", str(tmp_path / "runtime" / "hardware.py"))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    assert machine.kernels_missing()
    monkeypatch.setenv("NUMBA_CACHE_DIR", "anywhere")
    assert not machine.kernels_missing()
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    (tmp_path / "raster" / "__pycache__").mkdir(parents=True)
    (tmp_path / "raster" / "__pycache__" / "rasterizer.snap-1.nbi").touch()
    assert not machine.kernels_missing()


def test_a_folder_gives_its_photos_sorted_and_nothing_else(tmp_path: Path) -> None:
    make(tmp_path, "b.jpg", "a.PNG", "notes.txt", "._a.png", "deep/c.jpg")
    assert [p.name for p in find_inputs([tmp_path], SUFFIXES).paths] == ["a.PNG", "b.jpg"]


def test_recursive_looks_below_but_not_into_the_outputs(tmp_path: Path) -> None:
    make(tmp_path, "b.jpg", "deep/er/c.jpg", ".hidden/d.jpg", "out/b/face-1/texture.png")
    found = find_inputs([tmp_path], SUFFIXES, recursive=True, exclude=tmp_path / "out")
    assert [p.name for p in found.paths] == ["b.jpg", "c.jpg"]


def test_what_is_left_out_is_counted_by_kind(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    names = (
        "a.jpg",
        "b.jxl",
        "c.PSD",
        "d.psd",
        "e.NEF",
        "notes.txt",
        "a.xmp",
        ".hidden.psd",
        "README",
        "f.x\x1b[0m",
        "in/g.svg",
    )
    for name in names:
        (tmp_path / name).touch()
    found = find_inputs([tmp_path, tmp_path / "*", tmp_path / "b.jxl"], SUFFIXES)
    assert [path.name for path in found.paths] == ["a.jpg", "b.jxl"]  # the second was asked for by its name
    assert found.left_out == {".psd": 2, ".nef": 1, "no ending": 1, "others": 1, ".svg": 1}
    text = left_out_sentence(found.left_out)
    assert text is not None
    assert text.startswith("6 files were left out, of kinds that are not read: 2 .psd (")
    assert "1 .nef (camera raw: export as JPEG or TIFF)" in text
    assert "\x1b" not in text
    assert find_inputs([tmp_path], SUFFIXES, recursive=True).left_out[".svg"] == 1
    assert find_inputs([tmp_path / "*.jpg"], SUFFIXES).left_out == {}
    assert left_out_sentence({}) is None


def test_a_file_is_taken_once_however_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (a,) = make(tmp_path, "a.jpg")
    monkeypatch.chdir(tmp_path)
    found = find_inputs([a, "a.jpg", "./a.jpg", tmp_path, "*.jpg", f"../{tmp_path.name}/a.jpg"], SUFFIXES)
    assert found.paths == (a,)
    assert not found.problems


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_is_the_file_it_points_to(tmp_path: Path) -> None:
    (a,) = make(tmp_path, "a.jpg")
    (tmp_path / "b.jpg").symlink_to(a)
    assert len(find_inputs([tmp_path], SUFFIXES).paths) == 1


def test_patterns_are_expanded_where_the_shell_did_not(tmp_path: Path) -> None:
    make(tmp_path, "x/a.jpg", "x/b.txt", "y/c.png", "y/d.jfif", "top.jpg")

    def names(*patterns: str) -> list[str]:
        return [p.name for p in find_inputs([str(tmp_path / pattern) for pattern in patterns], SUFFIXES).paths]

    assert names("x/*") == ["a.jpg"]
    assert names("*") == ["top.jpg", "a.jpg", "c.png"]
    assert names("**/*.jpg") == ["top.jpg", "a.jpg"]
    assert names("y/*.jfif") == ["d.jfif"]
    assert names("?/[ac].*") == ["a.jpg", "c.png"]


def test_a_name_that_looks_like_a_pattern_is_a_file_if_it_exists(tmp_path: Path) -> None:
    odd, _ = make(tmp_path, "a[1].jpg", "a1.jpg")
    assert find_inputs([odd], SUFFIXES).paths == (odd,)


def test_each_argument_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    make(tmp_path, "a.txt", "deep/b.jpg")
    arguments = [str(tmp_path), str(tmp_path / "none.jpg"), str(tmp_path / "*.png"), "nul\0l.jpg", "x" * 5000]
    found = find_inputs(arguments, SUFFIXES)
    assert not found.paths
    assert [p.source for p in found.problems] == arguments
    assert "--recursive" in found.problems[0].reason
    assert found.problems[1].reason == "no such file or folder"
    assert found.problems[2].reason == "no photo matches"


def test_a_named_file_is_taken_whatever_its_suffix(tmp_path: Path) -> None:
    (path,) = make(tmp_path, "notes.txt")
    assert find_inputs([path], SUFFIXES).paths == (path,)


names = st.text(alphabet="ab1[]-*é .", min_size=1, max_size=6).map(lambda s: f"x{s}x.jpg")


@settings(max_examples=40, deadline=None)
@given(st.sets(names, min_size=1, max_size=6))
def test_a_folder_its_files_and_their_glob_are_the_same_inputs(tmp_path_factory: pytest.TempPathFactory, files) -> None:
    if os.name == "nt":
        files = {name.replace("*", "_") for name in files}
    folder = tmp_path_factory.mktemp("inputs")
    paths = make(folder, *files)
    by_folder = find_inputs([folder], SUFFIXES)
    by_name = find_inputs(sorted(paths), SUFFIXES)
    by_pattern = find_inputs([folder / "*.jpg"], SUFFIXES)
    assert by_folder == by_name == by_pattern
    assert {identity(p) for p in by_folder.paths} == {identity(p) for p in paths}


# Processes


@dataclass(frozen=True)
class Double:
    """A worker that doubles numbers; some numbers do it harm."""

    def __call__(self, job: Job) -> Callable[[int], int]:
        return double


def double(number: int) -> int:
    if number == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 14:
        raise RuntimeError("a mistake in the worker")
    if number == 15:
        os._exit(7)
    if number > 1000:
        time.sleep(60)
    return 2 * number


@dataclass(frozen=True)
class Unable:
    def __call__(self, job: Job) -> Callable[[int], int]:
        raise TronieError("The weights are missing.")


@dataclass(frozen=True)
class Dying:
    def __call__(self, job: Job) -> Callable[[int], int]:
        os._exit(3)


@dataclass(frozen=True)
class Environment:
    def __call__(self, job: Job) -> Callable[[str], str | None]:
        return os.environ.get


def test_every_task_is_answered_once() -> None:
    answers = dict(run_in_processes(Double(), range(10), 2))
    assert answers == {number: 2 * number for number in range(10)}


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_crash_costs_only_its_own_task() -> None:
    tasks = [1, 13, 2, 15, 3, 14, 4, 5]
    answers = dict(run_in_processes(Double(), tasks, 2))
    assert set(answers) == set(tasks)
    crashes = {task: answer.reason for task, answer in answers.items() if isinstance(answer, Crash)}
    assert set(crashes) == {13, 14, 15}
    assert "SIGKILL" in crashes[13]
    assert "memory" in crashes[13]
    assert "7" in crashes[15]
    assert all(answers[n] == 2 * n for n in (1, 2, 3, 4, 5))


def test_no_task_starts_no_process() -> None:
    assert list(run_in_processes(Double(), [], 4)) == []


def test_workers_that_cannot_load_say_why() -> None:
    with pytest.raises(WorkerError, match="weights are missing"):
        list(run_in_processes(Unable(), [1], 1))


def test_workers_that_die_at_the_start_do_not_loop_for_ever() -> None:
    with pytest.raises(WorkerError, match="do not start"):
        list(run_in_processes(Dying(), [1, 2], 1))


def test_draining_finishes_what_is_in_work_and_hands_out_no_more() -> None:
    done, job = [], Job()
    for task, _ in run_in_processes(Double(), range(100), 2, job=job):
        done.append(task)
        if len(done) == 3:
            job.drain()
    assert 3 <= len(done) <= 5


def test_leaving_early_ends_the_processes() -> None:
    began = time.monotonic()
    running = run_in_processes(Double(), [1, 5000, 5001], 2)
    next(running)
    running.close()
    assert time.monotonic() - began < 30


def test_workers_have_one_thread_and_the_parent_keeps_its_environment() -> None:
    before = dict(os.environ)
    answers = dict(run_in_processes(Environment(), list(SINGLE_THREAD), 1))
    assert set(answers.values()) == {"1"}
    assert dict(os.environ) == before


# Machine


def test_the_machine_is_told_in_sensible_numbers() -> None:
    total, free = memory()
    assert cores() >= 1
    assert total is None or free is None or 0 < free <= total


@given(st.integers(0, 10_000), st.integers(1, 256), st.integers(0, 10**12))
def test_the_default_number_of_workers_is_bounded_by_all_it_needs(photos: int, cpus: int, free: int) -> None:
    workers = default_workers(photos, cpus=cpus, free=free)
    assert 1 <= workers <= cpus
    assert workers == 1 or (workers * WORKER_BYTES <= free and workers * 4 <= photos)


# Signals


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_the_first_interrupt_drains_and_the_second_cancels() -> None:
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored where the tests run
    told: list[Event] = []
    before = signal.getsignal(signal.SIGINT)
    job = Job(told.append)
    with interrupting(job, "Stopping.") as interrupted:
        assert not job.draining
        os.kill(os.getpid(), signal.SIGINT)
        assert job.draining
        assert not job.cancelled
        assert interrupted.signal == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert job.cancelled
    assert interrupted.code == 130
    assert told == [Note("Stopping.")]
    assert signal.getsignal(signal.SIGINT) is before
    signal.signal(signal.SIGINT, inherited)


def test_outside_the_main_thread_signals_are_left_alone() -> None:
    seen: list[bool] = []

    def body() -> None:
        with interrupting(Job(), "Stopping.") as interrupted:
            seen.append(interrupted.signal != 0)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert seen == [False]
