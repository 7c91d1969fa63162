"""`tronie render` from the outside: files, exit codes, words."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from samples import make_result

import tronie
from tronie import arrays, cli
from tronie.head.model import HeadModel
from tronie.render import film


@pytest.fixture
def done(tiny_head: HeadModel, tmp_path: Path) -> Path:
    """What a run has left."""
    tronie.save(make_result(tiny_head, faces=2), tmp_path / "out")
    return tmp_path / "out"


def run(*words: object) -> int:
    return cli.execute(["render", *map(str, words)])


def test_films_and_stills_of_a_whole_run(done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "films"
    words = ("-o", out, "--size", 64, "-m", "turntable", "-m", "stills", "--format", "gif", "--seconds", 0.4)
    assert run(done, *words, "--views", "0,-30", "-l", "rim") == 0
    files = {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()}
    assert files == {
        f"someone/face-{k}/{name}" for k in (1, 2) for name in ("turntable.gif", "rim_0.png", "rim_-30.png")
    }
    with Image.open(out / "someone" / "face-1" / "turntable.gif") as film:
        assert (film.n_frames, film.size) == (8, (64, 64))
    assert "6 outputs" in capsys.readouterr().out
    assert run(done, *words, "--views", "0", "-l", "rim") == 1
    assert "--overwrite" in capsys.readouterr().err
    assert run(done / "someone" / "face-2", *words, "--overwrite", "-q") == 0
    assert not capsys.readouterr().out


def test_a_glb_alone_and_a_panorama(done: Path, tmp_path: Path) -> None:
    glb = tmp_path / "alone.glb"
    glb.write_bytes((done / "someone" / "face-1" / "head.glb").read_bytes())
    sky = np.full((8, 16, 3), 30, np.uint8)
    sky[:3] = 250
    Image.fromarray(sky).save(tmp_path / "sky.png")
    assert run(glb, "-o", tmp_path / "x", "-m", "stills", "-l", tmp_path / "sky.png", "--background", "clear") == 0
    picture = np.asarray(Image.open(tmp_path / "x" / "alone" / "sky_0.png"))
    assert picture.shape == (512, 512, 4)
    assert picture[0, 0, 3] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-l", "moon"], "no light 'moon'"),
        (["-l", "missing.hdr"], "Cannot read missing.hdr"),
    ],
)
def test_what_cannot_be_lit(words: list[str], said: str, done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(done, "-o", done.parent / "y", *words) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--mode", "x-ray"],
        ["-m", "dance"],
        ["--views", "left"],
        ["--background", "clear", "--format", "mp4"],
        ["--size", "1"],
    ],
)
def test_wrong_usage(words: list[str], done: Path) -> None:
    assert run(done, *words) == 2


def test_what_is_no_face(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "missing.jpg", tmp_path, "-o", tmp_path / "z") == 1
    said = capsys.readouterr().err
    assert "does not exist" in said
    assert "holds no face" in said
    assert not (tmp_path / "z").exists()


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("presses", [1, 2])
def test_interrupts_end_after_the_film_and_at_once(
    done: Path, tmp_path: Path, presses: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures, out = film.pictures, tmp_path / "films"

    def pressed(shots: list[film.FilmFrame], threads: int = 1) -> Iterator[arrays.Image]:
        for number, picture in enumerate(pictures(shots, threads)):
            if number < presses:
                os.kill(os.getpid(), signal.SIGINT)
            yield picture

    monkeypatch.setattr(film, "pictures", pressed)
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored where the tests run
    try:
        assert run(done, "-o", out, "--size", 64, "--format", "gif", "--seconds", 0.4) == 130
    finally:
        signal.signal(signal.SIGINT, inherited)
    said = capsys.readouterr()
    kept = [out / "someone" / "face-1" / "turntable.gif"] if presses == 1 else []
    assert [path for path in out.rglob("*") if path.is_file()] == kept
    assert "Stopping after this" in said.err
    assert ("To go on, run the command for what is left" if kept else "the same command again") in said.err
    assert ("1 output" in said.out) == bool(kept)
