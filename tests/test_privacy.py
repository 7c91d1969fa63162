"""Nothing leaves the machine, and nothing is written but the outputs and the compiled kernels."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tronie
from tronie.runtime.weights import ASSETS

PACKAGE = Path(tronie.__file__).parent

SITE = """
import os, sys
PACKAGE, OUT, LOG = {package!r}, {out!r}, {log!r}

def note(event, args):
    if event.startswith("socket.") and event not in ("socket.gethostname",):
        said = f"{{event}} {{args[1:]}}"
    elif event == "open" and isinstance(args[0], (str, bytes)) and isinstance(args[2], int) and args[2] & 3:
        path = os.path.abspath(os.fsdecode(args[0]))
        if path.startswith((OUT, PACKAGE, LOG, "/dev/")) or path.startswith(os.environ["TMPDIR"]):
            return
        said = f"open {{path}}"
    else:
        return
    with open(LOG, "a") as file:
        file.write(said + "\\n")

sys.addaudithook(note)
"""
"""A sitecustomize.py that writes down sockets and files opened for writing, in every process of a job."""


def imports_of(file: Path) -> set[str]:
    """The top-level packages that a module imports anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def test_the_runtime_is_imported_at_one_place_only() -> None:
    places = {
        file.relative_to(PACKAGE).as_posix() for file in PACKAGE.rglob("*.py") if "onnxruntime" in imports_of(file)
    }
    assert places == {"runtime/inference.py"}


def test_no_module_speaks_to_a_network() -> None:
    """What the package itself could open a connection with. (The window's process is spoken to through a pipe; the web
    service is spoken to by others.)"""
    speaking = {"socket", "ssl", "http", "urllib", "requests", "httpx", "aiohttp", "ftplib", "smtplib", "webbrowser"}
    files = [file for file in PACKAGE.rglob("*.py") if PACKAGE / "web" not in file.parents]
    files.remove(PACKAGE / "cli" / "view.py")  # it has a browser open a file
    files.remove(PACKAGE / "jobs" / "ray_connection.py")  # it looks whether a cluster that was named is there
    files.remove(PACKAGE / "runtime" / "datagrams.py")  # what `tronie live` sends to where it is told to
    assert {file.name: found for file in files if (found := imports_of(file) & speaking)} == {}


def test_packets_are_only_sent_and_only_by_one_command() -> None:
    file = PACKAGE / "runtime" / "datagrams.py"
    calls = {node.attr for node in ast.walk(ast.parse(file.read_bytes())) if isinstance(node, ast.Attribute)}
    assert calls.isdisjoint({"bind", "listen", "accept", "recv", "recvfrom", "recv_into", "connect"})
    users = {path.name for path in PACKAGE.rglob("*.py") if "runtime.datagrams" in path.read_text(encoding="utf-8")}
    assert users == {"live.py"}


class Strange:
    """A folder to live in that is empty, and what is found in it afterwards."""

    def __init__(self, folder: Path) -> None:
        self.home, self.temporary, self.work = folder / "home", folder / "tmp", folder / "cwd"
        for place in (self.home, self.temporary, self.work):
            place.mkdir()
        self.log, site = folder / "log.txt", folder / "site"
        site.mkdir()
        (site / "sitecustomize.py").write_text(
            SITE.format(package=str(PACKAGE), out=str(folder / "out"), log=str(self.log))
        )
        paths = [str(site), *(entry for entry in sys.path if entry)]
        kept = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "NUMBA_CACHE_DIR")
        self.environment = {name: os.environ[name] for name in kept if name in os.environ} | {
            "HOME": str(self.home),
            "USERPROFILE": str(self.home),
            "LOCALAPPDATA": str(self.home / "local"),
            "APPDATA": str(self.home / "roaming"),
            "TMPDIR": str(self.temporary),
            "TEMP": str(self.temporary),
            "TMP": str(self.temporary),
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def start(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *command],
            env=self.environment,
            cwd=self.work,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def strays(self) -> list[str]:
        places = (self.home, self.temporary, self.work)
        files = [str(path) for place in places for path in place.rglob("*") if not path.is_dir()]
        return files + (self.log.read_text().splitlines() if self.log.exists() else [])


@pytest.fixture
def strange(tmp_path: Path) -> Strange:
    return Strange(tmp_path)


def family(process: int) -> set[int]:
    """A process and all that it began (Linux)."""
    found = {process}
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            for child in task.read_text().split():
                found |= family(int(child))
        except OSError:
            continue
    return found


def opened(process: int) -> set[str]:
    """Sockets that a process and all that it began hold open, and files outside the system's (Linux)."""
    found = set()
    for one in family(process):
        for link in Path(f"/proc/{one}/fd").glob("*"):
            try:
                found.add(os.readlink(link))
            except OSError:
                continue
    return {target for target in found if target.startswith("socket:") or "onnxruntime.db" in target}


def watched(process: subprocess.Popen[str], seconds: float) -> tuple[str, str, set[str]]:
    """What a process said, and what it and its children held open at any time."""
    seen: set[str] = set()
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        if sys.platform == "linux":
            seen |= opened(process.pid)
        time.sleep(0.02)
    out, err = process.communicate(timeout=10)
    return out, err, seen


LIBRARY = """
import os, sys, time
if "first" in sys.argv:
    os.environ["ORT_DISABLE_TELEMETRY"] = "0"  # somebody's shell says otherwise
from tronie.runtime.inference import Session
Session({net!r}).load()
time.sleep(float(sys.argv[1]))
"""


@pytest.mark.parametrize("how", ["plain", "first"])
def test_the_runtime_leaves_no_trace_in_library_use(strange: Strange, how: str) -> None:
    process = strange.start("-c", LIBRARY.format(net=str(ASSETS / "blendshapes.onnx")), "0.3", how)
    _, errors, seen = watched(process, 60)
    assert process.returncode == 0, errors
    assert (strange.strays(), seen) == ([], set())


POOL = """
from dataclasses import dataclass
from tronie.runtime.processes import run_in_processes
@dataclass(frozen=True)
class Loader:
    def __call__(self, line):
        from tronie.runtime.inference import Session
        Session({net!r}).load()
        return str
if __name__ == "__main__":
    print(sorted(answer for _, answer in run_in_processes(Loader(), [1, 2], 2)))
"""


def test_worker_processes_leave_no_trace_and_open_no_socket(strange: Strange, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(POOL.format(net=str(ASSETS / "blendshapes.onnx")))
    process = strange.start(str(script))
    said, errors, seen = watched(process, 60)
    assert said == "['1', '2']\n", errors
    assert (strange.strays(), seen) == ([], set())


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_whole_job_leaves_nothing_outside_its_folder(strange: Strange, tmp_path: Path, workers: str) -> None:
    from PIL import Image

    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    for number in range(3):
        shutil.copy(ASSETS / "selftest.jpg", photos / f"{number}.jpg")
    face = Image.open(ASSETS / "selftest.jpg").convert("RGB")
    face.save(photos / "clip.gif", save_all=True, append_images=[face.rotate(n) for n in range(1, 8)], duration=100)
    command = ["run", str(photos), "-o", str(out), "--workers", workers, "--albedo", "--detail", "--rig", "--json"]
    process = strange.start("-m", "tronie", *command)
    said, errors, seen = watched(process, 500)
    assert process.returncode == 0, errors
    assert json.loads(said.splitlines()[-1])["summary"]["ok"] == 4
    assert (strange.strays(), seen) == ([], set())


@pytest.mark.slow
def test_nothing_is_sent_later_either(strange: Strange) -> None:
    """The runtime's first report is due half a minute after it is loaded."""
    process = strange.start("-c", LIBRARY.format(net=str(ASSETS / "blendshapes.onnx")), "100", "plain")
    _, errors, seen = watched(process, 150)
    assert process.returncode == 0, errors
    assert (strange.strays(), seen) == ([], set())
