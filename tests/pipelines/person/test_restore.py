"""A small face among a person's photos gets help from a large one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from places import EXAMPLES

from tronie.export.records import face_record
from tronie.io.images import photo_from_array, read_photo
from tronie.pipelines.person.reconstruct import reconstruct_shots
from tronie.pipelines.person.restore import COLOURS, MOST, files, helpers, restored
from tronie.pipelines.photo import Pipeline
from tronie.pipelines.shot import Shot
from tronie.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline(Settings(), 1)


@pytest.fixture(scope="module")
def shots(pipeline: Pipeline) -> tuple[Shot, ...]:
    """The same face large, and a quarter as large, blurred and noisy."""
    large = read_photo(EXAMPLES / "astronaut.jpg")
    blurred = Image.fromarray(cv2.GaussianBlur(large.image, (0, 0), 1.5))
    quarter = np.asarray(blurred.resize(tuple(n // 4 for n in blurred.size), Image.Resampling.BICUBIC))
    noise = np.random.default_rng(1).normal(0, 6, quarter.shape)
    small = photo_from_array((quarter + noise).clip(0, 255).astype(np.uint8), "small")
    seen = []
    for photo in (large, small):
        faces, camera = pipeline.find(photo)
        seen.append(Shot(photo, faces[0], camera))
    bare = Settings(only="mesh")
    return reconstruct_shots(pipeline.model, pipeline.calibration, seen, bare, segmenter=pipeline.segmenter).shots


@pytest.fixture(scope="module")
def done(pipeline: Pipeline, shots: tuple[Shot, ...]) -> list[Shot]:
    assert pipeline.enhancer is not None
    return restored(shots, pipeline.settings.enhance, pipeline.enhancer, pipeline.net, pipeline.segmenter)


def test_only_the_small_face_is_helped_and_by_the_large_one(shots: tuple[Shot, ...], done: list[Shot]) -> None:
    assert helpers(shots, 1) == [0]
    assert helpers(shots, 0) == []
    assert done[0].face.enhanced is None
    found = done[1].face.enhanced
    assert found is not None
    assert found.borrowed is not None
    assert found.borrowed.photos == (shots[0].photo.source,)
    assert done[1].face.landmarks is shots[1].face.landmarks
    assert len(COLOURS) == MOST + 1


def test_a_photo_helps_its_own_small_copy(pipeline: Pipeline, shots: tuple[Shot, ...], done: list[Shot]) -> None:
    """Nearer to what the large photo shows there than without."""
    from tronie.geometry import Similarity
    from tronie.stages.enhance.stage import enhance
    from tronie.stages.landmarks.align import aligned_crop

    assert pipeline.enhancer is not None
    (alone,) = enhance(shots[1].photo, [shots[1].face], pipeline.enhancer, pipeline.net, pipeline.settings.enhance)
    helped, plain = done[1].face.enhanced, alone.enhanced
    assert helped is not None
    assert plain is not None
    side, small = len(helped.after), helped.to_photo
    square = Similarity(4 * side * small.a, 4 * side * small.b, 4 * small.tx, 4 * small.ty)
    truth = aligned_crop(shots[0].photo.image, square, side).image.astype(float)
    inner = slice(side // 4, -side // 4)
    with_it, without = (((one.after - truth)[inner, inner] ** 2).mean() for one in (helped, plain))
    assert with_it < 0.7 * without


def test_files_and_records_say_what_was_lent(tmp_path: Path, done: list[Shot]) -> None:
    written = dict(files(done, frozenset({"enhanced", "enhanced_photo"})))
    assert set(written) == {"crop-2.png", "enhanced-2.png", "lent-2.png", "enhanced_photo-2.png"}
    (tmp_path / "lent.png").write_bytes(written["lent-2.png"])
    with Image.open(tmp_path / "lent.png") as picture:
        assert set(np.unique(np.asarray(picture))) == {0, 1}
    record = face_record(done[1].photo, done[1].face, "small", [])
    assert record.enhancement is not None
    assert record.enhancement.references == [done[0].photo.source]
    assert 0.1 < (record.enhancement.lent or 0) < 0.9
    assert dict(files(done, frozenset())) == {}
