"""Clips of a few frames, within bars, whose mouth is open in one frame; and portraits alone."""

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
from tronie.pipelines.video.keyframes import Keyframes, light_between, parted
from tronie.pipelines.video.observation import Seen
from tronie.settings import Settings
from tronie.types import Landmarks

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


def mouths(open_by: float, inside: int) -> tuple[np.ndarray, Landmarks]:
    """A picture and landmarks of lips that are so far apart, shares of a face of 200 pixels, with such grey between."""
    image = np.full((256, 256, 3), 150, np.uint8)
    points = np.zeros((478, 3))
    points[:, :2] = 128
    points[10, 1], points[152, 1] = 28, 228
    for row, numbers in ((0, (81, 82, 13, 312, 311)), (1, (178, 87, 14, 317, 402))):
        for k, number in enumerate(numbers):
            points[number, :2] = 108 + 10 * k, 170 + row * 200 * open_by
    points[[50, 280], :2] = (70, 130), (186, 130)
    image[170 : 170 + max(1, int(200 * open_by)), 100:156] = inside
    return image, Landmarks(points, np.zeros(52), 1.0)


def test_the_frame_that_shows_the_teeth_decides_their_colour(tmp_path: Path) -> None:
    shots = Keyframes(tmp_path, None)  # type: ignore[arg-type]
    looks = [(0.0, 90), (0.05, 30), (0.06, 210), (0.07, 20), (0.05, 200)]
    for k, (open_by, inside) in enumerate(looks):
        image, marks = mouths(open_by, inside)
        assert parted(marks) == pytest.approx(min(open_by / 0.08, 1.0))
        seen = Seen(
            0,
            10 * k,
            k / 25,
            marks,
            None,
            (28.0, 28.0, 228.0, 228.0),
            1.0,
            0.0,
            1.0,
            np.zeros((2, 2, 3)),  # type: ignore[arg-type]
        )
        shots._offer_mouth(image, seen)
    best = shots.mouth([0])
    assert best is not None
    assert best.frame == 20
    assert light_between(*mouths(0.06, 210)) > 5 * light_between(*mouths(0.06, 30))
    assert len(list(tmp_path.iterdir())) == 1
    shots.forget(0, 15)
    assert shots.mouth([0]) is None
    assert list(tmp_path.iterdir()) == []


def test_teeth_are_painted_as_another_frame_shows_them() -> None:
    from tronie.head.model import default_head
    from tronie.stages.texture.mouth import part_colours, patterns
    from tronie.types import Photo

    model = default_head()
    skin = np.array([190.0, 150.0, 130.0], np.float32)
    shut = mouths(0.0, 90)
    image, marks = mouths(0.06, 0)
    image[170:182, 100:156] = (224, 222, 216)  # white, where warm skin would make them likely to be warm
    crowns = patterns(model, 0)[2]
    alone = part_colours(model, 0, skin, Photo(shut[0]), shut[1])[crowns].mean(axis=0)
    shown = part_colours(model, 0, skin, Photo(shut[0]), shut[1], mouth=(Photo(image), marks))[crowns].mean(axis=0)
    assert shown[0] - shown[2] < alone[0] - alone[2] - 20
