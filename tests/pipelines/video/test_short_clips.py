"""Clips of a few frames, within bars; and portraits alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from places import EXAMPLES

from tronie.io.video.clip import have_av
from tronie.outputs import USUAL
from tronie.pipelines.outcome import Task
from tronie.pipelines.photo import Pipeline
from tronie.pipelines.video.job import do_clip
from tronie.settings import Settings

EXAMPLE = EXAMPLES / "astronaut.jpg"
SETTINGS = {
    "texture": {"size": 512},
    "portrait": {"size": 256, "expression": "keep"},
    "head": {"subdivide": 0},
    "enhance": {"mode": "off"},
    "outputs": [name for name in USUAL if not name.endswith("film")],
}


def frames(folder: Path, count: int, bar: int = 0) -> str:
    """The example's face, cut off at the hair, moving a little, between black bars."""
    image = np.asarray(Pillow.open(EXAMPLE).convert("RGB"))[60:300, 80:400]
    for k in range(count):
        framed = np.zeros((240 + 2 * bar, 320, 3), np.uint8)
        framed[bar : bar + 240] = np.roll(image, 2 * k, axis=1)
        Pillow.fromarray(framed).save(folder / f"{k}.png", compress_level=1)
    return str(folder / "%d.png")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_clip_of_few_frames_has_its_face(tmp_path: Path, count: int) -> None:
    pipeline = Pipeline(Settings.model_validate({**SETTINGS, "only": "mesh"}), threads=1)
    outcome = do_clip(pipeline, Task(frames(tmp_path, count), tmp_path / "out", "few", clip=True))
    assert (outcome.status, outcome.faces, outcome.face_errors) == ("ok", 1, ()), outcome
    (person,) = json.loads((tmp_path / "out" / "few" / "clip.json").read_text())["people"]
    assert person["spans"] == [[0, count - 1]]
    rows = (tmp_path / "out" / "few" / "face-1" / "livelink.csv").read_text().splitlines()
    assert len(rows) == 1 + count


def test_bars_are_no_hair_and_portraits_come_alone_with_their_film(tmp_path: Path) -> None:
    made: dict[int, np.ndarray] = {}
    for bar in (0, 50):
        (tmp_path / str(bar)).mkdir()
        pipeline = Pipeline(Settings.model_validate({**SETTINGS, "only": "portrait", "outputs": USUAL}), threads=1)
        outcome = do_clip(pipeline, Task(frames(tmp_path / str(bar), 3, bar), tmp_path / "out", str(bar), clip=True))
        assert outcome.status == "ok", outcome
        place = tmp_path / "out" / str(bar)
        film = "frontal.mp4" if have_av() else "frontal.webm"
        assert {p.name for p in (place / "face-1").iterdir()} == {
            "face.json",
            "frontal.png",
            "frontal_mask.png",
            film,
        }
        assert not list(place.glob("overlay.*"))
        assert film in json.loads((place / "face-1" / "face.json").read_text())["files"]
        made[bar] = np.asarray(Pillow.open(place / "face-1" / "frontal.png").convert("RGB")).astype(int)
    assert np.abs(made[50] - made[0]).mean() < 15  # with the bars in it, 37
    black = [float((picture.max(axis=2) < 12).mean()) for picture in made.values()]
    assert black[1] < black[0] + 0.03
