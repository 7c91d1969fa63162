"""Files that mean harm cost themselves one sentence, and nobody else anything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import pytest
from hostile_files import write_good, write_hostile
from PIL import Image

import tronie
from tronie.errors import InputError
from tronie.io.images import read_photo
from tronie.io.video import is_clip

FACE = Path(tronie.__file__).parent / "assets" / "selftest.jpg"
MOST_MEGABYTES = 2000
SLOW_TO_READ = ("zeros_10000.png", "zeros_deep.png", "zeros_1bit.png", "many.gif", "frames.gif", "large_frames.gif")
"""Large pictures indeed; the whole test has them."""


def is_sentence(text: str) -> bool:
    clean = text.isprintable() and text.endswith((".", ")")) and len(text) < 800
    return clean and "Internal error" not in text and "Traceback" not in text


def test_each_is_a_photo_or_a_sentence(tmp_path: Path) -> None:
    """Without faces, in this process; told whether it is a clip as in planning."""
    names = write_hostile(tmp_path)
    assert len(names) >= 150
    for name in names:
        path = tmp_path / name
        if name in SLOW_TO_READ or is_clip(path):
            continue
        tracemalloc.start()
        try:
            assert read_photo(path).image.shape[2] == 3
        except InputError as error:
            said = str(error).replace(str(path), "IT")
        else:
            said = "It was read."
        finally:
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert is_sentence(said), (name, said)
        assert most < 300_000_000, name


def resident(pid: int) -> float:
    """Megabytes of the largest of a process and those that it began."""
    most, parents = 0.0, {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry)] = (int(stat[1]), int(stat[21]) * os.sysconf("SC_PAGE_SIZE") / 1e6)
    for one, (_, size) in parents.items():
        above: int | None = one
        while above is not None and above != pid:
            above = parents[above][0] if above in parents else None
        if above == pid:
            most = max(most, size)
    return most


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory of processes is read from /proc")
def test_a_folder_full_of_them(tmp_path: Path) -> None:
    """The command line, with processes: good photos done, a sentence for each other, no process above 2 GB."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    good = write_good(folder, Image.open(FACE))
    hostile = write_hostile(folder)
    assert (len(good), len(hostile) >= 150) == (14, True)
    command = [
        sys.executable,
        "-m",
        "tronie",
        "run",
        os.fspath(folder),
        "-o",
        os.fspath(out),
        "--workers",
        "2",
        "--json",
    ]
    began, most = time.monotonic(), 0.0
    with (tmp_path / "said").open("wb") as said, (tmp_path / "complained").open("wb") as complained:
        job = subprocess.Popen(command, stdout=said, stderr=complained, stdin=subprocess.DEVNULL)
        done = threading.Event()

        def watch() -> None:
            nonlocal most
            while not done.wait(0.05):
                most = max(most, resident(job.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        job.wait()
        done.set()
        watcher.join()
    print(f"{time.monotonic() - began:.0f} s, largest process {most:.0f} MB")
    lines = [json.loads(line) for line in (tmp_path / "said").read_text().splitlines()]
    records = {line["source"]: line for line in lines if "source" in line}
    assert job.returncode == 0
    assert "Traceback" not in (tmp_path / "complained").read_text(errors="replace")
    for name in good:
        assert records[str(folder / name)]["status"] == "ok", records[str(folder / name)]
        assert records[str(folder / name)]["faces"] == 1
    for name in hostile:
        record = records.get(os.fspath(folder / name))
        assert record is not None, name
        assert record["status"] in ("ok", "no_face", "error")
        if record["status"] == "error":
            assert is_sentence(record["reason"].replace(record["source"], "IT")), record
    assert most < MOST_MEGABYTES
