"""Which detections are believed, and photos that are held in another way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_job import bind
from PIL import Image as Pictures
from places import EXAMPLES

import tronie
from tronie.arrays import Image
from tronie.geometry import Similarity
from tronie.head.model import default_head
from tronie.io.listing import Listing
from tronie.jobs.manifest import Manifest
from tronie.pipelines.outcome import Task
from tronie.stages.finder import Finder, FoundFaces, Marked, merged
from tronie.stages.fit.basis import landmark_basis
from tronie.stages.landmarks.net import LandmarkNet
from tronie.types import Crop, Detection, Landmarks

MESH = tronie.Settings.model_validate({"only": "mesh", "enhance": {"mode": "off"}})
FIVE = [468, 473, 1, 61, 291]


def picture(name: str) -> Image:
    return np.asarray(Pictures.open(EXAMPLES / name).convert("RGB"))


@pytest.fixture(scope="module")
def mesh() -> tronie.Pipeline:
    return tronie.Pipeline(MESH)


def face(score: float = 0.9, presence: float = 1.0, apart: float = 0.02, noise: float = 0.0, turns: int = 0) -> Marked:
    """The mean head seen from the front, 200 pixels high; the detector's points are `apart` box sizes off, the
    landmarks scattered by `noise` of them."""
    points = landmark_basis(default_head()).mean * [1, -1, -1] * 1.5 + [300, 300, 0]
    points = points + np.random.default_rng(0).normal(0, max(noise, 1e-9) * 200, points.shape)
    five = points[FIVE, :2] + [200 * apart, 0]
    detection = Detection((200, 200, 400, 400), five, score)
    marks = Landmarks(points, np.zeros(52), presence)
    return Marked(detection, Crop(np.zeros((8, 8, 3), np.uint8), Similarity(1, 0, 0, 0)), marks, turns)


def test_a_face_that_the_net_doubts_is_believed_where_detector_and_fit_are_sure() -> None:
    assert face(presence=0.9).believed(0.3)
    assert face(presence=0.0, score=0.9).believed(0.3), "a face in profile, or behind a mask"
    assert not face(presence=0.0, score=0.6).believed(0.3), "what a detector takes animals for"
    assert not face(presence=0.0, score=0.9, apart=0.4).believed(0.3)
    assert not face(presence=1.0, score=0.9, apart=0.4).believed(0.3), "the landmarks lie on something else"
    assert not face(presence=0.0, score=0.95, noise=0.2).believed(0.3), "points that form no head"
    assert face(presence=0.0, score=0.6).believed(0.0), "the user wants all"


def test_of_one_face_in_several_turns_what_stands_upright_there_is_taken() -> None:
    lying, upright, other = face(0.8), face(0.95, turns=1), face(0.97, turns=2)
    turned = np.stack([600 - upright.landmarks.points[:, 1], upright.landmarks.points[:, 0]], axis=1)
    upright = replace(upright, landmarks=replace(upright.landmarks, points=turned))
    assert upright.quarters == 1
    assert merged(FoundFaces((lying,)), FoundFaces((other,))).faces == (lying,)  # it does not stand upright there
    again = replace(lying, landmarks=upright.landmarks)
    assert merged(FoundFaces((again,)), FoundFaces((upright,))).faces == (upright,)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_photo_means_the_same_head_however_it_is_held(mesh: tronie.Pipeline, turns: int) -> None:
    image = picture("astronaut.jpg")
    (upright,) = mesh.run(image).faces
    (turned,) = mesh.run(np.ascontiguousarray(np.rot90(image, turns))).faces
    assert upright.head is not None
    assert turned.head is not None
    assert np.linalg.norm(upright.head.neutral - turned.head.neutral, axis=1).max() < 0.2
    assert np.linalg.norm(upright.head.vertices - turned.head.vertices, axis=1).max() < 0.2
    assert upright.fit is not None
    assert turned.fit is not None
    for name in ("yaw", "pitch", "iris_mm", "distance_mm"):
        assert turned.fit.diagnostics[name] == pytest.approx(upright.fit.diagnostics[name], rel=0.02, abs=0.1)


class Lost(LandmarkNet):
    """A landmark net that sees nothing it knows, and says so."""

    def detect(self, image: Image, detections: object) -> list[tuple[Crop, Landmarks]]:
        found = super().detect(image, detections)  # type: ignore[arg-type]
        astray = np.random.default_rng(0).normal(0, 30, (478, 3))
        return [(crop, replace(marks, points=marks.points + astray, presence=0.01)) for crop, marks in found]


def test_a_face_that_was_seen_and_could_not_be_measured_stands_in_the_manifest(tmp_path: Path) -> None:
    pipeline = tronie.Pipeline(MESH)
    pipeline._net = Lost()
    found = Finder(picture("astronaut.jpg"), MESH, pipeline.detector, pipeline.net)
    assert len(found.mark(found.detect()).unmeasured) == 1
    source = EXAMPLES / "astronaut.jpg"
    opened = Manifest.open(tmp_path, MESH)
    opened.claim(Listing.of([source]))
    outcome = bind(pipeline)(Task(str(source), tmp_path, "astronaut"))
    assert outcome.status == "no_face"
    opened.finish(outcome)
    (record,) = opened.records.values()
    assert record.reason == "No face could be measured."
    (seen,) = record.unmeasured
    assert seen.box == pytest.approx(found.detect()[0].box, abs=0.01)
    assert seen.score > 0.8
    assert seen.reason.endswith(".")
