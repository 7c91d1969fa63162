"""Old photos restored as a job: what is written, what is said of it, and what must not happen."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow
from places import EXAMPLES
from pydantic import ValidationError

import tronie
from tronie.arrays import Image
from tronie.color import LUMA
from tronie.errors import Cancelled, OutputError
from tronie.export.records import SCHEMAS, RestoredRecord
from tronie.io.inputs import list_inputs
from tronie.jobs.manifest import Manifest
from tronie.jobs.plan import make_plan
from tronie.jobs.worker import Work
from tronie.pipelines.outcome import Task
from tronie.pipelines.restore import do_restoration
from tronie.runtime.job import Event, Job, StageBegan
from tronie.settings import Settings
from tronie.stages.enhance.paste import enlarged
from tronie.stages.enhance.restoration import CHANGES


@pytest.fixture(scope="module")
def fine() -> Image:
    """A portrait with some 19 pixels between the eyes, with room around it."""
    image = np.asarray(Pillow.open(EXAMPLES / "astronaut.jpg").convert("RGB"))
    return np.asarray(cv2.resize(image, None, fx=0.32, fy=0.32, interpolation=cv2.INTER_AREA), dtype=np.uint8)


@pytest.fixture(scope="module")
def sepia(fine: Image) -> Image:
    grey = np.repeat((fine @ LUMA)[..., None], 3, axis=-1)
    return np.rint((45 + 0.65 * grey) * np.array([1.0, 0.94, 0.8])).astype(np.uint8)


@pytest.fixture(scope="module")
def pipeline() -> tronie.Pipeline:
    return tronie.Pipeline(Settings.model_validate({"job": "restore", "restore": {"damage": "off"}}))


@pytest.fixture(scope="module")
def restored(pipeline: tronie.Pipeline, sepia: Image) -> tronie.Restoration:
    return tronie.restore(sepia, pipeline=pipeline.with_settings(restore={"colour": True}))


def reduced(image: Image, factor: int) -> Image:
    size = image.shape[1] // factor, image.shape[0] // factor
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def test_a_fine_photo_comes_back_outside_its_faces(pipeline: tronie.Pipeline, fine: Image) -> None:
    made = tronie.restore(fine, pipeline=pipeline)
    assert made.image.shape == (made.factor * fine.shape[0], made.factor * fine.shape[1], 3)
    outside = cv2.erode((made.changes == CHANGES.index("kept")).astype(np.uint8), np.ones((9, 9))) > 0
    assert 0.3 < outside.mean() < 1
    off = np.abs(made.image.astype(int) - enlarged(fine, made.factor))[outside]
    assert off.mean() < 1
    assert np.percentile(off, 99) <= 3
    assert made.colouring is None
    assert len(made.enhanced) == 1


def test_an_old_one_becomes_grey_and_its_face_finer(restored: tronie.Restoration, sepia: Image, fine: Image) -> None:
    assert restored.fading.toned
    assert np.ptp(restored.image.astype(int), axis=-1).max() <= 1
    truth = (fine @ LUMA)[..., None]
    after, before = (float(np.abs(p - truth).mean()) for p in (reduced(restored.image, restored.factor), sepia))
    assert after < 0.6 * before
    assert (restored.changes == CHANGES.index("enhanced")).any()


def test_colours_are_there_only_if_they_are_asked_for(
    restored: tronie.Restoration, pipeline: tronie.Pipeline, sepia: Image, fine: Image
) -> None:
    assert restored.colouring is not None
    assert np.ptp(restored.colouring.image.astype(int), axis=-1).max() > 20
    assert np.abs(restored.colouring.image @ LUMA - restored.image[..., 0]).mean() < 2
    assert tronie.restore(sepia, pipeline=pipeline).colouring is None
    coloured = tronie.restore(fine, pipeline=pipeline.with_settings(restore={"colour": True}))
    assert coloured.colouring is None, "it has colours of its own"


def test_everything_says_what_is_invented(restored: tronie.Restoration, tmp_path: Path) -> None:
    folder = tronie.save(restored, tmp_path, name="old")
    record = json.loads((folder / "restored.json").read_text(encoding="utf-8"))
    SCHEMAS["restored"].validate_python(record)
    assert {path.name for path in folder.iterdir()} == {*record["files"], "restored.json"}
    assert record["colours"]["invented"] is True
    assert record["faces"][0]["enhancement"]["blend"] > 0
    with Pillow.open(folder / "coloured.png") as picture:
        picture.load()
        assert "invented" in picture.info["Comment"]
        assert "compositeWithTrainedAlgorithmicMedia" in picture.info["XML:com.adobe.xmp"]
        assert np.array_equal(np.asarray(picture), restored.colouring.image if restored.colouring else None)
    with Pillow.open(folder / "restored.png") as picture:
        picture.load()
        assert "detail put into 1 face" in picture.info["Comment"]
        assert np.array_equal(np.asarray(picture), restored.image)
    with Pillow.open(folder / "changes.png") as picture:
        assert np.array_equal(np.asarray(picture), restored.changes)
    with pytest.raises(OutputError):
        tronie.save(restored, tmp_path, name="old")
    assert tronie.save(restored, tmp_path, name="old", overwrite=True) == folder
    with pytest.raises(ValidationError):
        RestoredRecord.model_validate({**record, "colours": {"invented": False, "parts": {}}})


@pytest.mark.slow
def test_damage_is_mended_in_old_photos_and_not_looked_for_in_new_ones(
    pipeline: tronie.Pipeline, sepia: Image, fine: Image
) -> None:
    mends = pipeline.with_settings(restore={"damage": "auto"})
    old = enlarged(sepia, 2)
    cv2.line(old, (12, 260), (120, 40), (238, 226, 200), 2, cv2.LINE_AA)
    made = tronie.restore(old, pipeline=mends)
    filled = made.changes[:: made.factor, :: made.factor] == CHANGES.index("filled")
    assert 0 < made.damage < 0.03
    assert filled[40:260, 12:120].sum() > 0.5 * filled.sum()
    assert tronie.restore(fine, pipeline=mends).damage == 0


def test_the_same_photo_is_restored_the_same(
    pipeline: tronie.Pipeline, restored: tronie.Restoration, sepia: Image
) -> None:
    again = tronie.restore(sepia, pipeline=pipeline)
    assert np.array_equal(again.image, restored.image)
    assert np.array_equal(again.changes, restored.changes)


@pytest.mark.slow
def test_twice_is_hardly_more_than_once(pipeline: tronie.Pipeline, restored: tronie.Restoration) -> None:
    once = reduced(restored.image, restored.factor)
    twice = tronie.restore(once, pipeline=pipeline)
    assert np.abs(reduced(twice.image, twice.factor).astype(int) - once).mean() < 4


def test_a_job_tells_of_its_stages_and_is_stopped(pipeline: tronie.Pipeline, sepia: Image) -> None:
    told: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, StageBegan):
            told.append(event.stage)
            if event.stage == "enhance":
                job.cancel()

    job = Job(listen)
    with pytest.raises(Cancelled):
        tronie.restore(sepia, pipeline=pipeline, job=job)
    assert told[:4] == ["read", "damage", "tone", "detect"]


def test_photos_of_a_job_go_on_where_it_ended(pipeline: tronie.Pipeline, sepia: Image, tmp_path: Path) -> None:
    """One photo works, one is no picture; another run skips what is done, other settings do not."""
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    Pillow.fromarray(sepia).save(photos / "good.png")
    (photos / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"junk" * 20)
    listing = list_inputs([str(photos)], {".png"})
    manifest = Manifest.open(out, pipeline.settings)
    plan = make_plan(listing, manifest)
    work = Work(pipeline.settings).with_pipeline(pipeline, Job())
    outcomes = {Path(task.source).name: work(task) for task in plan.tasks}
    for outcome in outcomes.values():
        manifest.finish(outcome)
    assert outcomes["good.png"].status == "ok"
    assert any("Restored with" in note for note in outcomes["good.png"].notes)
    assert outcomes["bad.png"].status == "error"
    assert outcomes["bad.png"].reason
    assert not (out / "bad").exists()
    manifest.write()
    again = make_plan(listing, Manifest.open(out, pipeline.settings))
    assert (again.skipped, [Path(task.source).name for task in again.tasks]) == (1, ["bad.png"])
    other = pipeline.settings.model_copy(
        update={"restore": pipeline.settings.restore.model_copy(update={"colour": True})}
    )
    changed = make_plan(listing, Manifest.open(out, other), update=True)
    assert len(changed.tasks) == 2
    heads = make_plan(listing, Manifest.open(out, Settings()))
    assert [problem.source for problem in heads.problems] == [str(photos / "good.png")]


def test_a_video_is_refused_in_one_sentence(pipeline: tronie.Pipeline, tmp_path: Path) -> None:
    outcome = do_restoration(pipeline, Task("clip.mp4", tmp_path, "clip", clip=True))
    assert (outcome.status, outcome.reason) == ("error", "clip.mp4 is a video; only photos are restored.")


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (64, 3)])
def test_any_size_comes_back(pipeline: tronie.Pipeline, shape: tuple[int, int]) -> None:
    photo = np.full((*shape, 3), 120, np.uint8)
    made = tronie.restore(photo, pipeline=pipeline)
    assert made.image.shape == photo.shape
    assert not made.faces
