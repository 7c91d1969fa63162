"""A clip from file to files, with the real nets: the example's face slides through the picture."""

from __future__ import annotations

import csv
import json
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from places import DOCS, EXAMPLES

from tronie.cli import execute
from tronie.errors import Cancelled
from tronie.export.records import schema
from tronie.io.listing import Listing
from tronie.io.video import is_clip
from tronie.jobs.manifest import Manifest
from tronie.jobs.plan import make_plan, run_job
from tronie.jobs.worker import Work
from tronie.outputs import USUAL
from tronie.pipelines.outcome import Task
from tronie.pipelines.photo import Pipeline
from tronie.pipelines.video.job import do_clip
from tronie.pipelines.video.live import Live
from tronie.runtime.job import Advanced, Event, Job, StageBegan
from tronie.settings import Settings

EXAMPLE = EXAMPLES / "astronaut.jpg"
FRAMES = 14
SETTINGS = Settings.model_validate(
    {
        "texture": {"size": 512},
        "portrait": {"size": 256},
        "head": {"subdivide": 0},
        "enhance": {"mode": "off"},
        "outputs": [name for name in USUAL if not name.endswith("film")],
    }
)


def picture(k: int) -> np.ndarray:
    """The example at a quarter of a megapixel, moved by 3 pixels a frame."""
    image = Pillow.open(EXAMPLE).convert("RGB").resize((400, 400), Pillow.Resampling.LANCZOS)
    return np.ascontiguousarray(np.roll(np.asarray(image), 3 * k, axis=1)[:300, 40:360])


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shot")
    for k in range(FRAMES):
        Pillow.fromarray(picture(k)).save(folder / f"{k:03d}.png", compress_level=1)
    return folder


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline(SETTINGS, threads=1)


@pytest.fixture(scope="module")
def made(shot: Path, pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    outcome = do_clip(pipeline, Task(str(shot / "%03d.png"), out, "slide", clip=True))
    assert (outcome.status, outcome.faces, outcome.face_errors) == ("ok", 1, ()), outcome
    return out / "slide"


def test_every_file_is_there(made: Path) -> None:
    face = made / "face-1"
    names = {path.name for path in face.iterdir()}
    wanted = {
        "head.glb",
        "head.obj",
        "texture.png",
        "frontal.png",
        "face.json",
        "frames.csv",
        "livelink.csv",
        "head.bvh",
    }
    assert wanted <= names
    listed = set(json.loads((face / "face.json").read_text())["files"])
    assert listed == names - {"face.json"}
    assert {"clip.json", "sheet.jpg"} <= {path.name for path in made.iterdir()}


def test_clip_json_follows_its_schema_and_tells_every_frame(made: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    data = json.loads((made / "clip.json").read_text())
    jsonschema.validate(data, json.loads(schema("clip")))
    assert (DOCS / "schemas" / "clip.schema.json").read_text() == schema("clip")
    (person,) = data["people"]
    assert len(person["confidence"]) == data["video"]["frames"] == FRAMES
    assert person["spans"] == [[0, FRAMES - 1]]
    assert min(person["confidence"]) > 0.5


def test_the_table_tells_the_motion(made: Path) -> None:
    rows = list(csv.DictReader((made / "face-1" / "frames.csv").open()))
    assert [int(row["frame"]) for row in rows] == list(range(FRAMES))
    assert {row["state"] for row in rows} == {"seen"}
    x = np.array([float(row["x_mm"]) for row in rows])
    yaw = np.array([float(row["yaw"]) for row in rows])
    assert (np.diff(x) > 0).all()  # the face slides to the right
    assert np.std(np.diff(x)) < 0.25 * np.mean(np.diff(x))
    assert np.ptp(yaw) < 7  # as much as the ray to it does: one that looks into the camera all the time


def test_the_head_moves_in_the_file(made: Path) -> None:
    data = (made / "face-1" / "head.glb").read_bytes()
    document = json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")])
    (animation,) = document["animations"]
    assert {channel["target"]["path"] for channel in animation["channels"]} == {"translation", "rotation", "weights"}
    times = document["accessors"][animation["samplers"][0]["input"]]
    assert times["count"] == FRAMES


def test_a_finished_clip_is_skipped_and_a_damaged_one_is_told(shot: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video" * 50)
    opened = Manifest.open(tmp_path / "out", SETTINGS)
    plan = make_plan(Listing.of([broken]), opened, is_clip=is_clip)
    assert [task.clip for task in plan.tasks] == [True]
    (outcome,) = run_job(plan, opened, Work(SETTINGS))
    assert outcome.status == "error"
    assert "broken.mp4" in (outcome.reason or "")
    assert not (tmp_path / "out" / "broken").exists()


def test_a_clip_without_faces_is_a_result(pipeline: Pipeline, tmp_path: Path) -> None:
    for k in range(4):
        Pillow.fromarray(np.full((90, 120, 3), 40 + k, np.uint8)).save(tmp_path / f"{k}.png")
    outcome = do_clip(pipeline, Task(str(tmp_path / "%d.png"), tmp_path / "out", "empty", clip=True))
    assert (outcome.status, outcome.faces) == ("no_face", 0)
    assert json.loads((tmp_path / "out" / "empty" / "clip.json").read_text())["people"] == []


def test_stopping_leaves_nothing_of_a_file_half_read(shot: Path, pipeline: Pipeline, tmp_path: Path) -> None:
    for wish in (Job.drain, Job.cancel):
        heard: list[Event] = []
        job = Job(heard.append)
        wish(job)
        with pytest.raises(Cancelled):
            do_clip(pipeline, Task(str(shot / "%03d.png"), tmp_path, "slide", clip=True), job)
        assert not heard
        assert not list(tmp_path.iterdir())


def test_films_are_made_in_several_threads_and_can_be_ended(shot: Path, tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"outputs": (*SETTINGS.outputs, "talking_film")})
    several = Pipeline(settings, threads=2)
    heard: list[Event] = []
    job = Job(heard.append)
    outcome = do_clip(several, Task(str(shot / "%03d.png"), tmp_path, "slide", clip=True), job)
    assert outcome.status == "ok", outcome
    assert outcome.timings == job.timings
    assert {"follow", "solve", "head", "talking", "files"} <= set(job.timings)
    assert [path.name for path in (tmp_path / "slide" / "face-1").glob("frontal.*[!g]")]
    begun = [event.stage for event in heard if isinstance(event, StageBegan)]
    assert begun == ["follow", "heads", "solve", "head", "talking", "files", "files"]
    steps = [event for event in heard if isinstance(event, Advanced)]
    for stage, person in (("follow", 0), ("talking", 1)):
        counts = [(event.done, event.total) for event in steps if (event.stage, event.face) == (stage, person)]
        assert counts == [(k, FRAMES) for k in range(1, FRAMES + 1)]

    def hear(event: Event) -> None:
        if isinstance(event, Advanced) and event.stage == "talking":
            job.drain()

    job = Job(hear)
    with pytest.raises(Cancelled):
        do_clip(several, Task(str(shot / "%03d.png"), tmp_path, "again", clip=True), job)
    assert [path.name for path in tmp_path.iterdir()] == ["slide"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("tronie-ahead", "tronie-spread"))]


def test_the_command_wants_something_to_look_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["run"]) == 2
    assert "--camera 0" in capsys.readouterr().err


def test_live_faces_keep_their_number_and_follow(pipeline: Pipeline) -> None:
    live = Live(pipeline)
    positions = []
    for k in range(6):
        (face,) = live.step(picture(k), k / 25)
        assert face.number == 1
        positions.append(face.head_to_camera[0, 3])
        assert face.expression.shape == (52,)
        assert face.confidence > 0.5
    assert (np.diff(positions) > 0).all()
    drawn = live.draw(picture(5))
    assert drawn.shape == picture(5).shape
    assert (drawn != picture(5)).any(axis=2).mean() > 0.05
    assert live.head(1) is not None
    assert live.step(np.zeros((300, 320, 3), np.uint8), 1.0) == ()
