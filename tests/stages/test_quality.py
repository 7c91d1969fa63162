"""Warnings: a sentence for people, beside it a code for a batch."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import PIL.Image as Pillow
import pytest
from places import DOCS, EXAMPLES, SHARED
from samples import make_face

import tronie
from tronie.arrays import Image
from tronie.head.model import default_head
from tronie.pipelines.outcome import Outcome, numbered
from tronie.settings import Settings
from tronie.stages.quality import CODES, face_warnings
from tronie.types import DOUBTS, Caution, Face, Photo

PACKAGE = Path(tronie.__file__).parent
FILES = DOCS / "files.md"
MESH = Settings(only="mesh")
NEW = {"too_dark", "burnt_out", "mouth_covered", "eye_covered", "eyes_covered", "drawing", "child"}


def codes_said() -> set[str]:
    """Every code that stands in a call of `Caution`, or is the value of a `code`, in the package."""
    said: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            parts: list[ast.AST] = []
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Caution":
                parts = list(node.args[:1])
            elif isinstance(node, ast.Assign) and path.name == "quality.py" and ast.unparse(node.targets[0]) == "code":
                parts = [node.value]
            said |= {str(c.value) for part in parts for c in ast.walk(part) if isinstance(c, ast.Constant)}
    return said


def test_every_code_is_registered_and_every_registered_code_is_said() -> None:
    assert codes_said() == set(CODES)


def test_codes_are_plain_words() -> None:
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in CODES)


def test_the_documentation_knows_every_code() -> None:
    listed = re.findall(r"^\| `([a-z_]+)` \|", FILES.read_text(encoding="utf-8"), re.MULTILINE)
    assert [code for code in listed if code in CODES] == list(CODES)


def face_at(yaw: float) -> Face:
    face = make_face(default_head(), yaw=yaw, texture=False)
    assert face.fit is not None
    fit = replace(face.fit, diagnostics={"yaw": yaw, "pitch": 0.0, "rms": 0.01})
    rng = np.random.default_rng(0)
    assert face.crop is not None
    crop = replace(face.crop, image=rng.integers(60, 190, (256, 256, 3), dtype=np.uint8))
    return replace(face, fit=fit, crop=crop, warnings=())


@pytest.mark.parametrize(("yaw", "codes"), [(0.0, set()), (-70.0, {"turned"})])
def test_a_turned_face_is_told_by_code_and_sentence(yaw: float, codes: set[str]) -> None:
    photo = Photo(np.zeros((240, 320, 3), np.uint8))
    said = [c for c in face_warnings(photo, face_at(yaw)) if c.code == "turned"]
    assert {c.code for c in said} == codes
    assert all("70 degrees" in str(c) for c in said)


def test_an_outcome_counts_the_faces_of_each_code() -> None:
    faces = [
        replace(make_face(default_head(), k, texture=False), warnings=tuple(Caution(c, f"it is {c}") for c in codes))
        for k, codes in enumerate((["small", "turned"], [], ["small"]), start=1)
    ]
    outcome = Outcome("a.jpg", Path("a"), "ok", notes=("only one frame",), warnings=numbered(faces))
    assert outcome.warned == {"small": [1, 3], "turned": [1]}
    assert outcome.remarks == ["only one frame", "face 1: it is small", "face 1: it is turned", "face 3: it is small"]


def doubtful(yaw: float = 0.0, **doubts: float) -> set[str]:
    """The codes of a face of which the net says so."""
    face = face_at(yaw)
    assert face.landmarks is not None
    marks = replace(face.landmarks, doubts=np.array([doubts.get(name, 0.02) for name in DOUBTS]))
    photo = Photo(np.zeros((240, 320, 3), np.uint8))
    return {c.code for c in face_warnings(photo, replace(face, landmarks=marks))} & {
        "mouth_covered",
        "eye_covered",
        "eyes_covered",
        "drawing",
    }


def test_what_the_net_is_sure_of_is_said() -> None:
    assert doubtful() == set()
    assert doubtful(mouth=0.9) == {"mouth_covered"}
    assert doubtful(eye_left=0.9) == doubtful(eye_right=0.8) == {"eye_covered"}
    assert doubtful(eye_left=0.9, eye_right=0.7, mouth=0.6) == {"eyes_covered", "mouth_covered"}
    assert doubtful(drawing=0.8) == {"drawing"}


def test_an_eye_that_is_turned_away_is_not_covered() -> None:
    assert doubtful(yaw=60, eye_left=0.9) == doubtful(yaw=-60, eye_right=0.9) == set()
    assert doubtful(yaw=60, eye_right=0.9) == {"eye_covered"}


@pytest.mark.parametrize(
    ("iris", "blink", "codes"), [(11.7, 0, set()), (12.8, 0, set()), (14.2, 0, {"child"}), (14.2, 0.9, set())]
)
def test_irises_too_wide_for_an_adult_are_a_childs_unless_they_are_not_seen(
    iris: float, blink: float, codes: set[str]
) -> None:
    face = face_at(0.0)
    assert face.fit is not None
    assert face.landmarks is not None
    scores = np.full(52, blink)
    points = face.landmarks.points * 4
    fit = replace(face.fit, diagnostics={**face.fit.diagnostics, "iris_mm": iris})
    face = replace(face, fit=fit, landmarks=replace(face.landmarks, points=points, scores=scores))
    said = face_warnings(Photo(np.zeros((960, 1280, 3), np.uint8)), face)
    assert {c.code for c in said} & {"child"} == codes


# With the net: a portrait, and the same with something painted over it


@pytest.fixture(scope="module")
def pipeline() -> tronie.Pipeline:
    return tronie.Pipeline(MESH)


@pytest.fixture(scope="module")
def portrait(pipeline: tronie.Pipeline) -> tuple[Image, Face]:
    image = np.asarray(Pillow.open(EXAMPLES / "astronaut.jpg").convert("RGB"))
    return image, pipeline.run(image).faces[0]


def over(
    image: Image, face: Face, parts: dict[str, tuple[int, ...]], colour: tuple[int, int, int], grow: float
) -> Image:
    """`colour` over an ellipse about each group of landmarks, so many times as large as it."""
    assert face.landmarks is not None
    made = image.copy()
    for group in parts.values():
        points = face.landmarks.points[list(group), :2]
        half = np.maximum(np.ptp(points, axis=0) / 2 * grow, 0.06 * face.detection.size)
        centre = (points.max(axis=0) + points.min(axis=0)) / 2
        cv2.ellipse(made, centre.astype(int).tolist(), half.astype(int).tolist(), 0, 0, 360, colour, -1, cv2.LINE_AA)
    return made


MOUTH, LEFT, RIGHT = (61, 291, 0, 17), (362, 263, 386, 374), (33, 133, 159, 145)
MASK = (2, 152, 172, 397, 58, 288)


@pytest.mark.parametrize(
    ("parts", "colour", "grow", "codes"),
    [
        ({}, (0, 0, 0), 1.0, set()),
        ({"mask": MASK}, (150, 190, 215), 1.15, {"mouth_covered"}),
        pytest.param({"mask": MASK}, (20, 20, 22), 1.15, {"mouth_covered"}, marks=pytest.mark.slow),
        ({"left": LEFT}, (10, 10, 10), 1.5, {"eye_covered"}),
        pytest.param({"right": RIGHT}, (15, 12, 10), 1.5, {"eye_covered"}, marks=pytest.mark.slow),
        ({"left": LEFT, "right": RIGHT}, (8, 8, 8), 1.5, {"eyes_covered"}),
        pytest.param({"bar": LEFT + RIGHT}, (0, 0, 0), 1.2, {"eyes_covered"}, marks=pytest.mark.slow),
    ],
)
def test_what_is_painted_over_a_portrait_is_told_and_nothing_else(
    pipeline: tronie.Pipeline,
    portrait: tuple[Image, Face],
    parts: dict[str, tuple[int, ...]],
    colour: tuple[int, int, int],
    grow: float,
    codes: set[str],
) -> None:
    made = over(*portrait, parts, colour, grow)
    faces = pipeline.run(made).faces
    assert faces
    assert {c.code for c in faces[0].warnings} & NEW == codes


def cartoon(image: Image) -> Image:
    """A few flat brightnesses, with ink where they change."""
    smooth = image
    for _ in range(4):
        smooth = np.asarray(cv2.bilateralFilter(smooth, 9, 50, 9), np.uint8)
    hsv = cv2.cvtColor(smooth, cv2.COLOR_RGB2HSV)
    hsv[..., 2] = hsv[..., 2] // 50 * 50 + 25
    flat = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    ink = cv2.GaussianBlur(grey, (0, 0), 1.0) - cv2.GaussianBlur(grey, (0, 0), 1.8) < -2.5
    flat[ink] = 20
    return np.asarray(flat, np.uint8)


def test_a_cartoon_of_the_portrait_is_told(pipeline: tronie.Pipeline, portrait: tuple[Image, Face]) -> None:
    faces = pipeline.run(cartoon(portrait[0])).faces
    assert faces
    assert "drawing" in {c.code for c in faces[0].warnings}


@pytest.mark.parametrize(("light", "codes"), [(0.1, {"too_dark"}), (0.7, set()), (3.0, {"burnt_out"})])
def test_light_of_the_portrait(
    pipeline: tronie.Pipeline, portrait: tuple[Image, Face], light: float, codes: set[str]
) -> None:
    made = (portrait[0] * light).clip(0, 255).astype(np.uint8)
    faces = pipeline.run(made).faces
    assert faces
    assert {c.code for c in faces[0].warnings} & {"too_dark", "burnt_out"} == codes


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("mask.jpg", {"mouth_covered"}),
        ("eyepatch.jpg", {"eye_covered"}),
        ("blackbar.jpg", {"eyes_covered"}),
        ("lowlight.jpg", {"too_dark"}),
        ("roll000_male20.jpg", set()),
        ("grey_hair_bw_female52.jpg", set()),
    ],
)
def test_cases(pipeline: tronie.Pipeline, name: str, codes: set[str]) -> None:
    path = SHARED / "cases" / name
    if not path.exists():
        pytest.skip("the small inputs that came out wrong are not here")
    faces = pipeline.run(path).faces
    assert faces
    assert {c.code for c in faces[0].warnings} & NEW == codes
