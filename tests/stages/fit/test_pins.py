"""A fit that is corrected by hand goes where the hand says, and nowhere else."""

from dataclasses import replace

import numpy as np
import pytest

from tronie.errors import InputError
from tronie.geometry import Camera, rotation_from_euler
from tronie.pipelines.engines import load_head
from tronie.pipelines.refit import refit
from tronie.settings import Settings
from tronie.stages.fit.engine import make_head
from tronie.stages.fit.map_fit import fit_landmarks
from tronie.stages.fit.pins import landmarks_shown
from tronie.stages.letterbox import shifted
from tronie.types import Detection, Face, Landmarks

CAMERA = Camera(900.0, (320.0, 240.0), (640, 480))
NOSE, CHIN, CORNER = 1, 152, 61


@pytest.fixture(scope="module")
def face() -> Face:
    model, _ = load_head(Settings().head.name)
    level, random = model.level(1), np.random.default_rng(0)
    points = level.points478(level.apply(model.shape(random.normal(size=len(model.identity)) * 0.5)).astype(float))
    p = points @ rotation_from_euler(12, -5, 3).T + [20, -10, 800.0]
    uv = CAMERA.project(p) + random.normal(size=(478, 2))
    marks = Landmarks(np.column_stack([uv, p[:, 2] - 800]), np.zeros(52), 1.0)
    fit = fit_landmarks(model, marks, CAMERA, 150.0)
    found = Detection((200, 100, 400, 350), np.zeros((5, 2)), 0.9)
    return Face(1, found, landmarks=marks, fit=fit, head=make_head(model, fit, 1))


def shown(face: Face):  # type: ignore[no-untyped-def]
    return landmarks_shown(face.head.model, face.fit)


def pin_at(face: Face, row: int, by=(0.0, 0.0)) -> dict[int, tuple[float, float]]:  # type: ignore[no-untyped-def]
    x, y = shown(face)[row] + by
    return {row: (float(x), float(y))}


def test_a_pin_where_its_landmark_lies_bends_nothing(face) -> None:
    same = refit(face, pin_at(face, NOSE) | pin_at(face, CHIN))
    assert np.abs(same.head.vertices - face.head.vertices).max() < 0.01
    assert np.abs(same.fit.head_to_camera - face.fit.head_to_camera).max() < 1e-4


@pytest.mark.parametrize("row", [NOSE, CHIN, CORNER])
def test_the_head_follows_a_pin_and_stays_elsewhere(face, row) -> None:
    pins = pin_at(face, row, (7.0, 5.0))
    made = refit(face, pins)
    off = np.linalg.norm(shown(made) - shown(face), axis=1)
    assert np.linalg.norm(shown(made)[row] - pins[row]) < 0.5
    assert np.median(off) < 0.2 * off[row]
    # Nowhere does the surface at rest move further than the landmark, which moved by 8.6 pixels of 0.9 mm.
    assert np.linalg.norm(made.head.neutral - face.head.neutral, axis=1).max() < 8
    assert tuple(made.landmarks.points[row, :2]) == pins[row]
    assert made.landmarks.pins == pins


def test_a_second_pin_holds_its_place(face) -> None:
    held, pulled = pin_at(face, CORNER), pin_at(face, CHIN, (0, 9))
    free, made = (np.linalg.norm(shown(refit(face, p))[CORNER] - held[CORNER]) for p in (pulled, pulled | held))
    assert made < 0.5
    assert made < 0.5 * free


def test_pins_are_no_history(face) -> None:
    """The order in which they were set leaves no trace, and without them all is as it was."""
    one, two = pin_at(face, NOSE, (5, 0)), pin_at(face, CHIN, (0, 6))
    straight = refit(face, one | two)
    around = refit(refit(refit(face, two), one), two | one)
    assert np.abs(straight.head.vertices - around.head.vertices).max() < 1e-3
    back = refit(around, {})
    assert back.fit is face.fit
    assert np.abs(back.head.vertices - face.head.vertices).max() < 1e-3
    assert np.array_equal(back.landmarks.points, face.landmarks.points)
    assert back.landmarks.seen is None


def test_what_else_a_head_has_moves_along(face) -> None:
    beard = np.zeros_like(face.head.vertices)
    beard[::7] = 0.8
    bearded = replace(face, head=replace(face.head, vertices=face.head.vertices + beard))
    pins = pin_at(face, CHIN, (3, 3))
    difference = refit(bearded, pins).head.vertices - refit(face, pins).head.vertices
    assert np.abs(difference - beard).max() < 1e-3


def test_pins_move_with_the_photo(face) -> None:
    made = shifted(refit(face, pin_at(face, NOSE, (5, 0))), 30, 40, (700, 560))
    x, y = pin_at(face, NOSE, (5, 0))[NOSE]
    assert made.landmarks.pins[NOSE] == pytest.approx((x + 30, y + 40))
    back = refit(made, {})
    assert shown(back) == pytest.approx(shown(face) + np.array([30, 40]))


def test_what_cannot_be_corrected_is_said(face) -> None:
    with pytest.raises(InputError, match="fitted"):
        refit(replace(face, fit=None), {1: (0, 0)})
    for pins in ({478: (0.0, 0.0)}, {-1: (0.0, 0.0)}, {1: (float("nan"), 0.0)}):
        with pytest.raises(ValueError, match="no landmark"):
            refit(face, pins)
