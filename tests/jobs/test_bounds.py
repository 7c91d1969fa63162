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

import pytest
from odd_worker import MEGA, Odd, limit_of

from tronie.jobs.worker import Bounds
from tronie.runtime import process_ids as process
from tronie.runtime.child_process import Crash
from tronie.runtime.hardware import resident
from tronie.runtime.job import Advanced, Event, Job, StageBegan
from tronie.runtime.model_store import keep, new_record
from tronie.runtime.processes import run_in_processes
from tronie.runtime.weights import ASSETS
from tronie.settings import Settings

posix = pytest.mark.skipif(os.name == "nt", reason="signals")


def test_a_stuck_worker_costs_only_its_task() -> None:
    answers = dict(run_in_processes(Odd(), ["a", "stuck", "slow but sure", "patient", "b"], 1, limit=limit_of))
    assert answers["stuck"] == Crash("reading it took more than 0.3 s", "timeout")
    assert all(isinstance(answers[task], str) for task in ("a", "slow but sure", "patient", "b"))
    assert answers["a"].split()[-1] != answers["b"].split()[-1]


@pytest.mark.skipif(resident(os.getpid()) is None, reason="this system does not tell how large a process is")
def test_a_worker_that_grows_too_large_costs_only_its_task() -> None:
    answers = dict(run_in_processes(Odd(), ["a", "large", "b", "swollen", "c"], 1, limit=limit_of))
    assert answers["large"] == Crash("it took more than 0.4 GB of memory", "memory")
    assert all(isinstance(answers[task], str) for task in ("a", "b", "swollen", "c"))
    # One that does not give back what it took makes room for a fresh one.
    assert answers["c"].split()[-1] != answers["swollen"].split()[-1]


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
    for name in ("a", "b-hang", "c", "d-grow", "e"):
        shutil.copy(ASSETS / "selftest.jpg", photos / f"{name}.jpg")
    (site / "sitecustomize.py").write_text(HANG)
    paths = os.pathsep.join([str(site), *(entry for entry in sys.path if entry)])
    command = ["run", str(photos), "-o", str(out), "--workers", workers, "--timeout", "20", "--only", "mesh", "--json"]
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
        "b-hang": "Not finished: reading it took more than 20 s (--timeout allows more).",
        "d-grow": "Not finished: it took more than 2 GB of memory (--memory allows more).",
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
