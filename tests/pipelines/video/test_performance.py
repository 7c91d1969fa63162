"""Who is sent, the neutral pose and gains, without a net."""

from __future__ import annotations

import numpy as np
import pytest

from tronie.errors import InputError
from tronie.geometry import HEAD_TO_CAMERA_AXES, euler_degrees, rigid, rotation_from_euler
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import HeadModel
from tronie.pipelines.video.live import LiveFace
from tronie.pipelines.video.performance import NEUTRAL_AT_MOST, Performer, parse_gains

JAW, BLINK = ARKIT_UNITS.index("jawOpen"), ARKIT_UNITS.index("eyeBlinkLeft")


def live_face(
    model: HeadModel,
    number: int = 1,
    size: float = 100.0,
    angles: tuple[float, float, float] = (0, 0, 0),
    **units: float,
) -> LiveFace:
    expression = np.array([units.get(name, 0.0) for name in model.expression_names])
    pose = rigid(rotation_from_euler(*angles), [0, 0, 600])
    gaze = np.array([[4.0, -2.0], [2.0, -2.0]])
    return LiveFace(number, (0, 0, size, size), np.zeros((478, 3)), pose, expression, gaze, 1.0)


def angles_of(turn: np.ndarray) -> tuple[float, float, float]:
    return euler_degrees(HEAD_TO_CAMERA_AXES @ turn)


def test_gains_are_units_and_numbers() -> None:
    assert parse_gains(["browInnerUp=1.5", "JAWOPEN=0", "jawOpen=0.0"]) == {"browInnerUp": 1.5, "jawOpen": 0.0}
    for wrong in (
        "jaw=1",
        "jawOpen",
        "jawOpen=",
        "jawOpen=x",
        "jawOpen=nan",
        "jawOpen=inf",
        "jawOpen=-1",
        "jawOpen=11",
        "=1",
    ):
        with pytest.raises(InputError, match=r"\."):
            parse_gains([wrong])
    with pytest.raises(InputError, match="two gains"):
        parse_gains(["jawOpen=1", "jawOpen=2"])


def test_a_face_at_rest_counts_as_nothing_once_it_was_looked_at(tiny_head: HeadModel) -> None:
    performer = Performer(tiny_head, rest_for=1.0)
    resting = {"jawOpen": 0.2, "angles": (12.0, 6.0, -3.0)}
    for k in range(31):
        assert performer.calibrating
        blink = {"eyeBlinkLeft": 1.0} if 10 <= k < 14 else {}  # that does not count
        found = performer.next([live_face(tiny_head, **resting, **blink)], k / 30)  # type: ignore[arg-type]
    assert not performer.calibrating
    assert found is not None
    assert found.units == pytest.approx(0)
    assert found.gaze == pytest.approx(0)
    assert np.allclose(found.turn, np.eye(3))
    wide = performer.next([live_face(tiny_head, jawOpen=1.0, eyeBlinkLeft=0.5, angles=(32.0, 6.0, -3.0))], 1.1)
    assert wide is not None
    assert wide.units[JAW] == 1
    assert wide.units[BLINK] == pytest.approx(0.5)
    assert angles_of(wide.turn)[0] == pytest.approx(20, abs=0.5)


def test_eyes_shut_all_the_while_are_not_lost(tiny_head: HeadModel) -> None:
    performer = Performer(tiny_head, rest_for=0.1)
    for k in range(5):
        performer.next([live_face(tiny_head, eyeBlinkLeft=1.0)], k / 30)
    assert performer.neutral is not None
    assert performer.neutral.units[BLINK] == NEUTRAL_AT_MOST
    found = performer.next([live_face(tiny_head, eyeBlinkLeft=1.0)], 1.0)
    assert found is not None
    assert found.units[BLINK] == 1


def test_gains_are_applied_within_bounds(tiny_head: HeadModel) -> None:
    performer = Performer(tiny_head, gains={"jawOpen": 1.5, "eyeBlinkLeft": 3.0})
    found = performer.next([live_face(tiny_head, jawOpen=0.4, eyeBlinkLeft=0.5, mouthSmileLeft=0.3)], 0.0)
    assert found is not None
    assert found.units[JAW] == pytest.approx(0.6)
    assert found.units[BLINK] == 1
    assert found.units[ARKIT_UNITS.index("mouthSmileLeft")] == pytest.approx(0.3)


def test_one_person_is_sent_for_as_long_as_he_is_there(tiny_head: HeadModel) -> None:
    small, large = live_face(tiny_head, 1, 50), live_face(tiny_head, 2, 90)
    performer = Performer(tiny_head, rest_for=0.1)
    assert performer.next([], 0.0) is None
    performer.next([small, large], 0.0)
    assert performer.current == 2
    performer.next([live_face(tiny_head, 1, 200), large], 0.2)
    assert performer.current == 2
    assert not performer.calibrating
    performer.next([small], 0.3)
    assert performer.current == 1
    assert performer.calibrating  # his own face at rest is another one
    only = Performer(tiny_head, person=2)
    assert only.next([small], 0.0) is None
    assert only.next([small, large], 0.1) is not None
