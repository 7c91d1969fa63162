"""Films are whole or not at all, and hold what was put into them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tronie.cli.options import FORMATS as OFFERED
from tronie.errors import OutputError
from tronie.io.video.writer import FORMATS, write_movie


def frames(count: int = 7, channels: int = 3) -> list[np.ndarray]:
    """A bright square that wanders over a dark ground."""
    out = []
    for k in range(count):
        image = np.full((48, 65, channels), 40, np.uint8)
        if channels == 4:
            image[..., 3] = 0
        image[10:30, 5 * k : 5 * k + 20] = 230
        out.append(image)
    return out


def test_formats_agree() -> None:
    assert OFFERED == FORMATS


@pytest.mark.parametrize("ending", ["mp4", "webm"])
def test_videos_play(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"film.{ending}"
    assert write_movie(path, frames(), 25) == 7
    video = cv2.VideoCapture(str(path))
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(25, rel=0.01)
    read = []
    while (got := video.read())[0]:
        read.append(got[1][..., ::-1])
    assert len(read) == 7
    assert read[0].shape == (48, 64, 3)
    assert np.abs(read[4].astype(int) - frames()[4][:, :64]).mean() < 12
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_gifs_loop(tmp_path: Path) -> None:
    for channels in (3, 4):
        path = tmp_path / f"film{channels}.gif"
        assert write_movie(path, frames(channels=channels), 20, sample=frames(channels=channels)[:2]) == 7
        with Image.open(path) as film:
            assert film.n_frames == 7
            assert film.info["duration"] == 50
            assert film.info["loop"] == 0
            film.seek(3)
            shown = np.asarray(film.convert("RGBA"))
        assert shown[20, 25, :3].min() > 200
        assert shown[40, 40, 3] == (255 if channels == 3 else 0)


def test_pngs_are_exact(tmp_path: Path) -> None:
    assert write_movie(tmp_path / "film.png", iter(frames(channels=4)), 30) == 7
    names = sorted(p.name for p in (tmp_path / "film").iterdir())
    assert names == [f"{k:05d}.png" for k in range(1, 8)]
    assert (np.asarray(Image.open(tmp_path / "film" / names[2])) == frames(channels=4)[2]).all()


@pytest.mark.parametrize("ending", FORMATS)
def test_nothing_is_overwritten_and_nothing_half_is_left(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"film.{ending}"
    write_movie(path, frames(), 25)
    (kept,) = tmp_path.iterdir()
    with pytest.raises(OutputError, match="--overwrite"):
        write_movie(path, frames(), 25)

    def breaking() -> Iterator[np.ndarray]:
        yield from frames(3)
        raise RuntimeError("the power went out")

    size = kept.stat().st_size
    with pytest.raises(RuntimeError, match="power"):
        write_movie(path, breaking(), 25, overwrite=True)
    assert list(tmp_path.iterdir()) == [kept]
    assert kept.stat().st_size == size
    assert write_movie(path, frames(4), 25, overwrite=True) == 4


def test_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="ending"):
        write_movie(tmp_path / "film.avi", frames(), 25)
    with pytest.raises(OutputError, match="no pictures"):
        write_movie(tmp_path / "film.gif", [], 25)
    assert not list(tmp_path.iterdir())
