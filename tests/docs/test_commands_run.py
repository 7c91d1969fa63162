"""All that README.md and docs/ show of `tronie` does what it says: every command is given to it, word by word.

Left out are those that want what nobody can bring along for a test: models of others, a camera, a window, a server that
goes on for ever, a bucket, a variable that a cluster sets.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands_shown import SHOWN
from places import EXAMPLES, ROOT

from tronie.io.images import read_photo
from tronie.io.video.writer import write_movie

WANTS_MORE = {"sparnet-hd", "flame-2023", "ict-facekit", "deep3d", "import", "gui", "serve", "live", "--camera"}
WANTS_MORE |= {"--cluster", "--usd", "--install-completion"}
"""A word that says so. (`--usd` is an extra; completion changes the shell.)"""
COMMANDS = [
    pytest.param(words, id=f"{page.name}: {' '.join(words)}"[:90])
    for words, page in {tuple(words): page for page, words in SHOWN if words[0] == "tronie"}.items()
    if not WANTS_MORE & set(words) and not any("$" in word or "://" in word for word in words)
]
HOLIDAY = ("holiday/1.jpg", "holiday/2.jpg")
RESULTS = ("tronie-out/photo", "out/astronaut", "game/photo", "family/group")
"""What commands before have made, for those that go on with it."""
WHOLE = ("out", "heads")
"""Folders of outputs, with their manifest, for tables of all faces."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that the commands name."""
    folder = tmp_path_factory.mktemp("shown") / "inputs"
    shutil.copytree(EXAMPLES, folder / "examples", ignore=shutil.ignore_patterns("service"))
    portrait, group = EXAMPLES / "astronaut.jpg", EXAMPLES / "group.jpg"
    several = [f"anna-{number}.jpg" for number in (1, 2, 3)]
    for name in ("photo.jpg", "a.jpg", "b.jpg", "c.jpg", *several, "photos/1.jpg", "more/1.heic", *HOLIDAY):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(portrait, folder / name)
    shutil.copy(group, folder)
    image = read_photo(portrait).image
    (folder / "films").mkdir()
    write_movie(folder / "clip.mp4", [np.roll(image, 2 * step, 1) for step in range(12)], 24.0)
    shutil.copy(folder / "clip.mp4", folder / "films")
    (folder / "shot").mkdir()
    for number in range(6):
        shutil.copy(portrait, folder / "shot" / f"{number:04d}.png")
    (folder / "holiday" / "people.txt").write_text("".join(f"{name}\t1\tanna\n" for name in HOLIDAY), encoding="utf-8")
    tronie(["run", "photo.jpg", "--albedo"], folder)
    for result in RESULTS[1:]:
        shutil.copytree(folder / RESULTS[0], folder / result)
    for out in WHOLE:
        shutil.copytree(folder / Path(RESULTS[0]).parent, folder / out, dirs_exist_ok=True)
    shutil.copy(folder / RESULTS[0] / "face-1" / "head.glb", folder)
    shutil.copy(folder / RESULTS[0] / "face-1" / "light.hdr", folder / "park.hdr")
    return folder


def tronie(words: list[str], folder: Path) -> None:
    quiet = {"BROWSER": "true", "TRONIE_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "tronie", *words]
    done = subprocess.run(command, cwd=folder, env=os.environ | quiet, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("words", COMMANDS)
def test_it_works(words: tuple[str, ...], inputs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    shutil.copytree(inputs, folder, copy_function=os.link)
    for result in (*RESULTS, *WHOLE) if words[1] in ("run", "person") else ():
        shutil.rmtree(folder / result, ignore_errors=True)
    names = [word for word in words[2:] if "*" not in word]
    more = [path for word in words[2:] if "*" in word for path in map(str, folder.glob(word))]
    tronie([words[1], *names, *more], folder)
    if "-o" in words and "--dry-run" not in words:
        assert (folder / words[words.index("-o") + 1]).exists()
    shutil.rmtree(folder)
