"""A clip's timeline and curves, for themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", reason="the window needs the extra gui", exc_type=ImportError)
pytest.importorskip("pytestqt", reason="these tests need pytest-qt")

from PySide6.QtCore import QPoint, Qt

from tronie.gui.curve_menu import MOST, USUAL_CURVES, CurveMenu
from tronie.gui.timeline import GROOVE, Curves, Timeline, person_color
from tronie.head.arkit import ARKIT_UNITS
from tronie.service.messages import Track

FRAMES = 100


def _person(number: int = 1, first: int = 0, gap: tuple[int, int] = (40, 60)) -> Track:
    state = ["seen"] * FRAMES
    state[gap[0] : gap[1]] = ["absent"] * (gap[1] - gap[0])
    weights = np.tile(np.linspace(0, 1, FRAMES)[:, None], (1, len(ARKIT_UNITS))).astype(np.float32)
    box = np.tile(np.array([10.0, 10, 60, 60]), (FRAMES, 1))
    return Track(
        number,
        Path("face-1"),
        tuple(state),
        box,
        np.zeros((FRAMES, 2)),
        ARKIT_UNITS,
        weights,
        np.ones(FRAMES),
        first=first,
    )


@pytest.fixture
def timeline(qtbot):
    made = Timeline()
    qtbot.addWidget(made)
    made.resize(420, GROOVE)
    made.show_frame(0, FRAMES)
    made.show()
    return made


def test_frames_and_places_are_each_others_inverse(timeline) -> None:
    assert [timeline.frame_at(timeline.x_of(k)) for k in range(FRAMES)] == list(range(FRAMES))
    assert (timeline.frame_at(-50), timeline.frame_at(5000)) == (0, FRAMES - 1)


def test_it_seeks_where_it_is_clicked_and_while_it_is_dragged(timeline, qtbot) -> None:
    sought = []
    timeline.sought.connect(sought.append)
    for frame in (70, 20):
        at = QPoint(round(timeline.x_of(frame)), GROOVE // 2)
        qtbot.mousePress(timeline, Qt.MouseButton.LeftButton, pos=at)
        qtbot.mouseRelease(timeline, Qt.MouseButton.LeftButton, pos=at)
    assert np.abs(np.array(sought) - [70, 20]).max() <= 0.5


def test_marks_hold_a_part_and_never_cross(timeline) -> None:
    told = []
    timeline.marked.connect(lambda: told.append(timeline.span))
    assert timeline.whole
    timeline.mark(30, 60)
    assert (timeline.span, timeline.whole) == ((30, 60), False)
    timeline.mark(80, 60)  # the beginning behind the end: the end gives way
    assert timeline.span == (80, FRAMES - 1)
    timeline.mark(80, 20)
    assert timeline.span == (0, 20)
    timeline.mark(None, None)
    assert timeline.whole
    assert told == [(30, 60), (80, 99), (0, 20), (0, 99)]


def test_a_mark_is_dragged_without_seeking(timeline, qtbot) -> None:
    sought = []
    timeline.sought.connect(sought.append)
    timeline.show_frame(50, FRAMES)
    start, end = (QPoint(round(timeline.x_of(frame)), 4) for frame in (0, 25))
    qtbot.mousePress(timeline, Qt.MouseButton.LeftButton, pos=start)
    timeline.mouseMoveEvent(_moved(end))
    qtbot.mouseRelease(timeline, Qt.MouseButton.LeftButton, pos=end)
    assert timeline.span[0] in (24, 25, 26)
    assert sought == []


def _moved(at: QPoint):
    from PySide6.QtCore import QEvent, QPointF
    from PySide6.QtGui import QMouseEvent

    button, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    return QMouseEvent(QEvent.Type.MouseMove, QPointF(at), QPointF(at), button, button, none)


def test_stays_are_drawn_where_people_are(timeline) -> None:
    timeline.show_people([_person()])
    shot = timeline.grab().toImage()
    y = GROOVE + 4
    there, gone = (shot.pixelColor(round(timeline.x_of(frame)), y).name() for frame in (20, 50))
    assert there == person_color(1).name()
    assert gone != there
    assert _person(first=7).stays == [(7, 46), (67, 106)]


def test_a_person_of_a_part_is_found_by_the_clips_own_frames() -> None:
    track = _person(first=7)
    assert track.card(6) is None
    assert track.card(7) is not None
    assert track.card(7 + 50) is None
    assert track.expression(7 + 99)["jawOpen"] == pytest.approx(1.0)


def test_curves_are_broken_where_nobody_is(qtbot) -> None:
    made = Curves()
    qtbot.addWidget(made)
    made.resize(420, 96)
    made.show_frame(0, FRAMES)
    values = np.full(FRAMES, 0.5)
    values[40:60] = np.nan
    made.show_lines({"Jaw open": values})
    shot = made.grab().toImage()

    def painted(frame: int) -> bool:
        x = round(made.x_of(frame))
        return any(shot.pixelColor(x, y).name() == person_color(1).name() for y in range(30, 96))

    assert painted(20)
    assert not painted(50)


def test_units_are_chosen_and_not_more_than_can_be_told_apart(qtbot) -> None:
    menu = CurveMenu()
    qtbot.addWidget(menu)
    menu.offer(ARKIT_UNITS)
    assert set(menu.chosen()) == set(USUAL_CURVES)
    assert len(menu.actions_of) == len(ARKIT_UNITS)
    for name in ARKIT_UNITS:
        if menu.actions_of[name].isEnabled():
            menu.actions_of[name].setChecked(True)
    assert len(menu.chosen()) == MOST
    menu.actions_of["jawOpen"].setChecked(False)
    assert all(action.isEnabled() for action in menu.actions_of.values())
