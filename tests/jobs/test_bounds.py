"""What one file may take: processes that are stuck, too large or left alone are ended, and only their task is lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from mmap import mmap
from pathlib import Path
from typing import Any

import pytest
from odd_worker import MEGA, Odd, limit_of

from tronie.jobs.worker import Bounds, Work
from tronie.runtime import child_process
from tronie.runtime import process_ids as process
from tronie.runtime.child_process import Child, Crash
from tronie.runtime.hardware import bound, resident
from tronie.runtime.job import Advanced, CompilingKernels, Event, FacesFound, FoundFace, Job, StageBegan
from tronie.runtime.model_store import keep, new_record
from tronie.runtime.processes import run_in_processes
from tronie.runtime.weights import ASSETS
from tronie.settings import Settings

if sys.platform == "linux":
    import resource

posix = pytest.mark.skipif(os.name == "nt", reason="signals")


def test_a_stuck_worker_costs_only_its_task() -> None:
    answers = dict(run_in_processes(Odd(), ["a", "stuck", "slow but sure", "patient", "b"], 1, limit=limit_of))
    assert answers["stuck"] == Crash("reading it took more than 1 s", "timeout")
    assert all(isinstance(answers[task], str) for task in ("a", "slow but sure", "patient", "b"))
    assert answers["a"].split()[-1] != answers["b"].split()[-1]


@pytest.mark.skipif(resident(os.getpid()) is None, reason="this system does not tell how large a process is")
def test_a_worker_that_grows_too_large_costs_only_its_task() -> None:
    answers = dict(run_in_processes(Odd(), ["a", "large", "b", "swollen", "c"], 1, limit=limit_of))
    assert answers["large"] == Crash("it took more than 0.4 GB of memory", "memory")
    assert all(isinstance(answers[task], str) for task in ("a", "b", "swollen", "c"))
    # One that does not give back what it took makes room for a fresh one.
    assert answers["c"].split()[-1] != answers["swollen"].split()[-1]


@pytest.mark.skipif(sys.platform != "linux", reason="this system refuses no memory")
def test_what_is_asked_for_at_once_is_refused_and_the_process_stays() -> None:
    answers = dict(run_in_processes(Odd(), ["a", "leaping", "b"], 1, limit=limit_of))
    assert [answers["leaping"], answers["b"]] == [
        f"refused {answers['a'].split()[-1]}",
        f"b {answers['a'].split()[-1]}",
    ]
    mine = resource.getrlimit(resource.RLIMIT_DATA)
    bound(None, MEGA)
    assert resource.getrlimit(resource.RLIMIT_DATA) == mine


def test_memory_is_told_in_sensible_numbers() -> None:
    before = resident(os.getpid())
    if before is None:
        pytest.skip("this system does not tell")
    # Not from numpy's allocator, which may have as much at hand.
    kept = mmap(-1, 64 * MEGA)
    for _ in range(64):
        kept.write(bytes([1]) * MEGA)
    after = resident(os.getpid())
    assert after is not None
    assert 50 * MEGA < after - before < 200 * MEGA
    kept.close()
    assert not resident(2**22 + 1)


class Clock:
    now = 1000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(child_process.time, "monotonic", lambda: clock.now)
    return clock


class Nobody:
    """A process and its pipes, of which nothing is heard."""

    pid = 0

    def send(self, value: object) -> None:
        pass


def told(clock: Clock, *steps: tuple[float, Event]) -> Crash | None:
    """What a process is ended for that has been given a file, and tells these events so many seconds apart."""
    nobody: Any = Nobody()
    work, child = Work(Settings(), bounds=Bounds(100, None)), Child[str](nobody, nobody, nobody)
    clock.now += 500
    child.give("a")
    child.expect(work.starting)
    for seconds, event in steps:
        clock.now += seconds
        if (trouble := child.trouble()) is not None:
            return trouble
        child.expect(work.limit(event))
    return None


READ, FIT, END = StageBegan("read"), StageBegan("fit", face=1), StageBegan("files")


def faces(count: int) -> FacesFound:
    return FacesFound(9, 9, tuple(FoundFace(k, (0, 0, 1, 1), 0.9) for k in range(1, count + 1)))


def test_the_time_of_a_photo_is_that_of_the_whole_file(clock: Clock) -> None:
    steps = [(30, READ), (30, StageBegan("detect")), (5, faces(1)), (30, FIT)]
    assert told(clock, *steps, (4, END)) is None
    late = "it took more than 100 s, the last of them for the step `fit`"
    assert told(clock, *steps, (6, END)) == Crash(late, "timeout")
    assert told(clock, (1, READ), (100, FIT)) == Crash(late.replace("the step `fit`", "reading it"), "timeout")


def test_many_faces_and_kernels_to_compile_take_longer(clock: Clock) -> None:
    group = [(50, READ), (10, faces(29)), *[(25, FIT)] * 29]
    assert told(clock, *group) is None
    assert told(clock, *group, *[(25, FIT)] * 2) == Crash(
        "it took more than 800 s, the last of them for the step `fit`", "timeout"
    )
    assert told(clock, (90, CompilingKernels("a")), (30, END)) is None


def test_videos_have_time_by_steps(clock: Clock) -> None:
    frames = [(90, Advanced("follow", k)) for k in range(1, 50)] + [(90, Advanced("follow", 50, 50))]
    begun = [(10, StageBegan("open")), (1, StageBegan("follow", 60))]
    assert told(clock, *begun, *frames, (490, StageBegan("light", face=1)), (90, END), (490, END)) is None
    assert told(clock, *begun, (9, frames[0][1]), (101, END)) == Crash("a frame took more than 100 s", "timeout")


def test_what_is_in_work_hears_that_it_is_not_wanted_any_more() -> None:
    seen: list[Event] = []

    def hear(event: Event) -> None:
        seen.append(event)
        if isinstance(event, Advanced):
            job.drain()

    job = Job(hear)
    for _ in run_in_processes(Odd(), ["film", "a"], 1, job=job):
        pytest.fail("a task that was given up has an answer")
    assert seen[0] == StageBegan("filming")


def test_decoders_own_words_are_kept_off_the_terminal(capfd) -> None:
    assert len(dict(run_in_processes(Odd(), ["noisy"], 1, quiet=True))) == 1
    assert capfd.readouterr().err == ""
    assert len(dict(run_in_processes(Odd(), ["noisy"], 1))) == 1
    assert "libpng" in capfd.readouterr().err


ALONE = """
import os, sys, time
from pathlib import Path
from tronie.runtime.processes import run_in_processes
class Work:
    def __call__(self, line):
        return wait
def wait(task):
    Path(sys.argv[1] if len(sys.argv) > 1 else task).write_text(str(os.getpid()))
    time.sleep(60)
if __name__ == "__main__":
    list(run_in_processes(Work(), [sys.argv[1]], 1))
"""


@posix
def test_a_worker_does_not_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    script, told = tmp_path / "job.py", tmp_path / "pid"
    script.write_text(ALONE)
    parent = subprocess.Popen([sys.executable, str(script), str(told)], stderr=subprocess.DEVNULL)
    limit = time.monotonic() + 30
    while not (told.exists() and told.read_text()) and time.monotonic() < limit:
        time.sleep(0.02)
    worker = int(told.read_text())
    assert process.born(worker)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    limit = time.monotonic() + 5
    while process.born(worker) and time.monotonic() < limit:
        time.sleep(0.01)
    assert not process.born(worker)


HANG = """
import sys, time
from importlib.machinery import PathFinder
class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        spec = super().find_spec(name, path, target)
        if name == "tronie.io.images" and spec is not None:
            load = spec.loader.exec_module
            def exec_module(module):
                load(module)
                read = module.read_photo
                def slow(file, *rest):
                    if "b-hang" in str(file):
                        time.sleep(300)
                    if "d-grow" in str(file):
                        kept = bytearray(b"x") * 2_500_000_000
                        time.sleep(300)
                    if "f-leap" in str(file):
                        kept = bytearray(b"x") * 20_000_000_000
                    return read(file, *rest)
                module.read_photo = slow
            spec.loader.exec_module = exec_module
        return spec
sys.meta_path.insert(0, Finder)
"""
"""A sitecustomize.py with which photos of some names hang their decoder, or fill the memory."""


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_photo_that_hangs_its_decoder_costs_no_other(tmp_path: Path, workers: str) -> None:
    photos, out, site = tmp_path / "photos", tmp_path / "out", tmp_path / "site"
    photos.mkdir()
    site.mkdir()
    for name in ("a", "b-hang", "c", "d-grow", "e", "f-leap"):
        shutil.copy(ASSETS / "selftest.jpg", photos / f"{name}.jpg")
    (site / "sitecustomize.py").write_text(HANG)
    paths = os.pathsep.join([str(site), *(entry for entry in sys.path if entry)])
    command = ["run", str(photos), "-o", str(out), "--workers", workers, "--timeout", "40", "--only", "mesh", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "tronie", *command],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    reasons = {Path(r["source"]).stem: r["reason"] for r in records if "source" in r}
    assert reasons == {
        "a": None,
        "c": None,
        "e": None,
        "b-hang": "Not finished: it took more than 40 s, the last of them for reading it (--timeout allows more).",
        "d-grow": "Not finished: it took more than 2 GB of memory (--memory allows more).",
        "f-leap": "There is not enough memory for it.",
    }
    assert done.stderr == ""
    assert sorted(path.name for path in out.iterdir()) == ["a", "c", "e", "manifest.json"]


def test_a_large_net_of_the_users_own_is_allowed_its_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRONIE_HOME", str(tmp_path / "home"))
    (tmp_path / "net.pth").write_bytes(b"")
    record = new_record(
        "sparnet-hd", "sparnet", tmp_path / "net.pth", purpose="p", licence="l", commercial_use=False, origin="o"
    )
    keep(record, b"0" * 50_000_000)
    assert Bounds.usual_memory(Settings()) == 2
    chosen = Settings.model_validate({"enhance": {"mode": "sparnet-hd"}})
    assert Bounds.usual_memory(chosen) == pytest.approx(2.3)
