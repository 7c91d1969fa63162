"""A run that is killed at any moment and given again at once ends as if it had never been killed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from fake_job import contents
from places import TESTS

from tronie.runtime.weights import ASSETS

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals")

FAKE = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from fake_job import Fake
from tronie.cli.run import How, run_photos
from tronie.settings import Settings
if __name__ == "__main__":
    how = How(workers={workers}, start=Fake(), detail="quiet")
    sys.exit(run_photos([sys.argv[1]], Path(sys.argv[2]), Settings(), how))
"""


def killed(command: list[str], seconds: float, environment: dict[str, str]) -> bool:
    """Run a command and kill it after so long; whether it was still there to be killed."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


def check(command: list[str], out: Path, kills: int, temporary: Path) -> int:
    """How often the run was killed before its end; each time it has to come out as without."""
    environment = os.environ | {"TMPDIR": str(temporary)}
    began = time.monotonic()
    subprocess.run(command, check=True, env=environment)
    length = time.monotonic() - began
    expected = contents(out)
    count, draw = 0, random.Random(0)
    for number in range(kills):
        shutil.rmtree(out)
        count += killed(command, length * (number + draw.random()) / kills, environment)
        again = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
        assert (again.returncode, again.stderr) == (0, "")
        assert contents(out) == expected
        assert not list(temporary.iterdir())
    return count


@pytest.fixture
def temporary() -> Any:
    """Short and empty: names of sockets and pipes may lie in it."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_killed_run_comes_out_as_if_it_had_not_been(tmp_path: Path, temporary: Path, workers: int) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    for number in range(6):
        (photos / f"slow{number}.jpg").write_bytes(b"x")
    script = tmp_path / "job.py"
    script.write_text(FAKE.format(tests=str(TESTS), workers=workers))
    assert check([sys.executable, str(script), str(photos), str(out)], out, 2 * workers, temporary) >= 1


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_twenty_kills_of_the_whole_program_leave_no_trace(tmp_path: Path, temporary: Path, workers: str) -> None:
    from PIL import Image

    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    for number in range(4):
        shutil.copy(ASSETS / "selftest.jpg", photos / f"{number}.jpg")
    face = Image.open(ASSETS / "selftest.jpg").convert("RGB")
    face.save(photos / "clip.gif", save_all=True, append_images=[face.rotate(n) for n in range(1, 8)], duration=100)
    command = [sys.executable, "-m", "tronie", "run", str(photos), "-o", str(out), "--workers", workers, "-q"]
    assert check([*command, "--only", "texture", "--texture-size", "512"], out, 20, temporary) >= 15
