"""The folder that is worked on, what a run has made, and whether anything else was touched."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

from fuzz import corpus

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
TIMES = frozenset(("seconds", "timings"))
"""Keys of JSON whose values are how long things took, which no two runs have alike."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of ours, in which runs have a home, a temporary folder and a working folder of their own."""

    root: Path

    @property
    def photos(self) -> Path:
        return self.root / "photos"

    @property
    def out(self) -> Path:
        return self.root / "out"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    def begin(
        self, *options: str, out: Path | None = None, said: Any = subprocess.DEVNULL, workers: int = 2
    ) -> subprocess.Popen[bytes]:
        """`tronie run` over the photos."""
        for name in ("home", "tmp", "cwd"):
            (self.root / name).mkdir(exist_ok=True)
        paths = os.pathsep.join([str(Path(__file__).parents[2] / "src"), *(entry for entry in sys.path if entry)])
        environment = os.environ | {
            "HOME": str(self.root / "home"),
            "TMPDIR": str(self.temporary),
            "PYTHONPATH": paths,
        }
        return subprocess.Popen(
            [sys.executable, "-m", "tronie", "run", str(self.photos), "-o", str(out or self.out),
             "--workers", str(workers), *options],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.PIPE if said is subprocess.DEVNULL else (self.root / "complained").open("wb"),
            cwd=self.root / "cwd",
            env=environment,
        )  # fmt: skip

    def fill(self, portraits: Path, good: int, hostile: int, seed: int) -> tuple[list[str], list[str]]:
        """Make the folder of photos; the names of the good ones and of the hostile ones. Copies of a portrait differ by
        a comment that no decoder looks at."""
        self.root.mkdir(parents=True)
        bad = corpus.write(self.photos, hostile, seed) if hostile else []
        Random(seed).shuffle(bad)
        for name in bad[hostile:]:
            _remove(self.photos / name)
        self.photos.mkdir(exist_ok=True)
        found = sorted(path for path in portraits.iterdir() if path.suffix.lower() in SUFFIXES)
        names, letters = [], "abcdefghijklmnopqrstuvwxyz"
        for number, path in zip(range(good), cycle(found), strict=False):
            # Between the others by name, which is the order of work.
            names.append(f"{letters[number % 26]}-portrait-{number:05d}{path.suffix.lower()}")
            (self.photos / names[-1]).write_bytes(path.read_bytes() + b"%d" % number)
        return names, bad[:hostile]

    def outside(self) -> dict[str, tuple[int, ...]]:
        """What lies beside the outputs."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            if self.out not in (path, *path.parents) and path.name not in ("said", "complained"):
                told = path.lstat()
                found[str(path)] = (told.st_mode, told.st_size, told.st_mtime_ns, told.st_ino)
        return found


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink()


def made(out: Path) -> dict[str, str]:
    """Everything in a folder, hidden things too, by its content; records without the seconds that things took."""
    found = {}
    for path in sorted(out.rglob("*")):
        name = str(path.relative_to(out))
        if path.is_file():
            data = path.read_bytes()
            if path.suffix == ".json":
                data = json.dumps(_timeless(json.loads(data))).encode()
            found[name] = hashlib.sha256(data).hexdigest()
        else:
            found[name] = "folder"
    return found


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(each) for key, each in value.items() if key not in TIMES}
    return [_timeless(each) for each in value] if isinstance(value, list) else value


def differences(now: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """The first few names by which two folders differ."""
    return sorted(name for name in now.keys() | before.keys() if now.get(name) != before.get(name))[:5]


def told(records: Sequence[dict[str, Any]], place: Place) -> dict[str, dict[str, Any]]:
    """Name of the file -> its line of `--json`."""
    prefix = f"{place.photos}{os.sep}"
    return {line["source"].removeprefix(prefix): line for line in records if "source" in line}
