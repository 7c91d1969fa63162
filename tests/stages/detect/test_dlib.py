"""dlib's detector: how its answers become ours, with a stand-in for dlib, and the real one where it is installed."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import EXAMPLES

from tronie.arrays import Image
from tronie.errors import WeightsError
from tronie.geometry import Similarity
from tronie.io.images import read_photo
from tronie.runtime import dlib_models
from tronie.settings import DetectSettings
from tronie.stages.detect import make_detector
from tronie.stages.detect.dlib import Dlib, box_from_rectangle, rectangle_from_box, score
from tronie.stages.detect.search import detect_faces
from tronie.stages.landmarks.align import FFHQ_TEMPLATE

real = pytest.mark.skipif(not dlib_models.available(), reason="needs the extra dlib")


@dataclass(frozen=True)
class Rectangle:
    """Like dlib's: whole pixels, the last row and column belong to it."""

    a: int
    b: int
    c: int
    d: int

    def left(self) -> int:
        return self.a

    def top(self) -> int:
        return self.b

    def right(self) -> int:
        return self.c

    def bottom(self) -> int:
        return self.d


@dataclass(frozen=True)
class Point:
    x: int
    y: int


@dataclass(frozen=True)
class Shape:
    points: tuple[Point, ...]

    def parts(self) -> tuple[Point, ...]:
        return self.points


@dataclass(frozen=True)
class Found:
    rect: Rectangle
    confidence: float


class Fake:
    """Stands for a `Model` that gives the same answer to everybody."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.asked: list[tuple[object, ...]] = []

    def run(self, *arguments: object, method: str = "__call__") -> object:
        self.asked.append(arguments)
        return self.answer


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    class Module:
        rectangle = Rectangle

    monkeypatch.setattr("tronie.stages.detect.dlib.dlib", lambda: Module)


def test_five_points_of_two_predictors(stand_in: None) -> None:
    five = Shape((Point(90, 40), Point(80, 42), Point(50, 41), Point(60, 43), Point(70, 66)))
    all68 = Shape(tuple(Point(k, 2 * k) for k in range(68)))
    faces = [Found(Rectangle(30, 20, 109, 99), 0.2), Found(Rectangle(130, 20, 209, 99), 1.05)]
    fakes = Fake(faces), Fake(five), Fake(all68)
    detector = Dlib(*fakes)  # type: ignore[arg-type]
    found = detector.detect(np.zeros((200, 300, 3), np.uint8)[:, ::2])
    assert [d.score for d in found] == sorted((d.score for d in found), reverse=True)
    eye_left, eye_right, nose, mouth_left, mouth_right = found[0].points
    assert eye_left.tolist() == [55.5, 42.5]
    assert eye_right.tolist() == [85.5, 41.5]
    assert (nose.tolist(), mouth_left.tolist(), mouth_right.tolist()) == ([30.5, 60.5], [48.5, 96.5], [54.5, 108.5])
    # The official order is the predictor's own, and it is asked about dlib's rectangle, not about our box.
    official = detector.five_points(np.zeros((200, 300, 3), np.uint8), found[0].box)
    assert official.tolist() == [[90.5, 40.5], [80.5, 42.5], [50.5, 41.5], [60.5, 43.5], [70.5, 66.5]]
    assert fakes[1].asked[-1][1] == faces[1].rect
    picture = fakes[0].asked[0][0]
    assert isinstance(picture, np.ndarray)
    assert picture.flags.c_contiguous  # dlib reads memory, not strides


@given(st.integers(-50, 4000), st.integers(-50, 4000), st.integers(20, 2000))
def test_boxes_there_and_back(left: int, top: int, side: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tronie.stages.detect.dlib.dlib", lambda: type("Module", (), {"rectangle": Rectangle}))
        rectangle = Rectangle(left, top, left + side - 1, top + side - 1)
        assert rectangle_from_box(box_from_rectangle(rectangle)) == rectangle


def test_scores_grow_from_nought_to_one() -> None:
    values = [score(c) for c in np.linspace(0, 3, 50)]
    assert values[0] == 0
    assert all(a < b < 1 for a, b in pairwise(values))


def test_without_the_extra_one_sentence_says_what_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tronie.runtime.dlib_models.available", lambda: False)
    with pytest.raises(WeightsError, match=r'pip install "tronie\[dlib\]"'):
        make_detector("dlib")


def test_travels_to_worker_processes() -> None:
    model = dlib_models.Model("five_points")
    copy = pickle.loads(pickle.dumps(model))
    assert copy.name == model.name


@pytest.fixture(scope="module")
def astronaut() -> Image:
    return np.ascontiguousarray(read_photo(EXAMPLES / "astronaut.jpg").image[:256, 96:352])


@real
def test_the_astronaut(astronaut: Image) -> None:
    detector = make_detector("dlib")
    assert isinstance(detector, Dlib)
    (face,) = detect_faces(astronaut, DetectSettings(min_face=90), detector)
    left_eye, right_eye, nose, left_mouth, right_mouth = face.points
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
    (other,) = detect_faces(astronaut, DetectSettings(), make_detector("centerface"))
    assert np.abs(face.points[:3] - other.points[:3]).max() < 0.06 * other.size
    # The official five lie on the official template.
    five = detector.five_points(astronaut, face.box)
    aligned = Similarity.from_points(FFHQ_TEMPLATE, five)
    assert np.abs(aligned.inverse().apply(five) - FFHQ_TEMPLATE).max() < 0.03


@real
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (3, 3), (120, 160)])
def test_nothing_there(shape: tuple[int, int]) -> None:
    assert make_detector("dlib").detect(np.full((*shape, 3), 128, np.uint8)) == []


def test_a_dlib_that_cannot_be_loaded_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> object:
        raise ImportError("libsomething.so is missing")

    monkeypatch.setattr(dlib_models, "available", lambda: True)
    monkeypatch.setattr(dlib_models.importlib, "import_module", broken)
    with pytest.raises(WeightsError, match=r"cannot be loaded \(libsomething.so is missing\); reinstall"):
        make_detector("dlib")
