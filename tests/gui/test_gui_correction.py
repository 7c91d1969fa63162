"""Correcting a fit in the window: points that are dragged, held and let go, and changes that are taken back."""

from __future__ import annotations

import numpy as np
import pytest
from places import EXAMPLES

pytest.importorskip("PySide6.QtWidgets", reason="the window needs the extra gui", exc_type=ImportError)
pytest.importorskip("pytestqt", reason="these tests need pytest-qt")

from PySide6.QtCore import QPoint, QPointF, QRectF, QSettings, Qt
from PySide6.QtGui import QUndoStack

from tronie.gui import undo
from tronie.gui.app import make_application, use_language
from tronie.gui.fit_layer import FitLayer, HeadLayer
from tronie.gui.fit_points import FitPoints, _seen_parts
from tronie.gui.photo_view import PhotoView
from tronie.gui.undo import Change, push
from tronie.service.messages import BentFit, ShownLandmarks

LONG = 180_000


@pytest.fixture
def view(qtbot):
    made = PhotoView()
    qtbot.addWidget(made)
    made.resize(400, 400)
    made.show_photo(np.zeros((100, 100, 3), np.uint8))
    made.show()
    return made


@pytest.fixture
def layer(view):
    points = np.column_stack([np.linspace(10, 90, 478), np.full(478, 50.0)]).astype(np.float32)
    bent = BentFit(("photo", 1), points, {}, {}, ((0, 100, 200),), ((200, 300),), (0, 100, 200, 300))
    made = FitLayer(FitPoints(bent, view))
    view.show_layer(made)
    return made


def _at(view, layer, row, dx=0, dy=0):
    return view.mapFromScene(layer.place(row)) + QPoint(dx, dy)


def _press(qtbot, view, place, button=Qt.MouseButton.LeftButton):
    qtbot.mousePress(view.viewport(), button, pos=place)


def _release(qtbot, view, place, button=Qt.MouseButton.LeftButton):
    qtbot.mouseRelease(view.viewport(), button, pos=place)


def test_a_point_is_dragged_held_and_let_go(qtbot, view, layer) -> None:
    moving, placed = [], []
    layer.points.moving.connect(moving.append)
    layer.points.placed.connect(lambda pins, text: placed.append((pins, text)))
    before, zoom = layer.place(100), view.transform().m11()
    start = _at(view, layer, 100, 2, 1)
    _press(qtbot, view, start)
    assert layer.points.held == 100
    qtbot.mouseMove(view.viewport(), start + QPoint(20, -12))
    assert list(moving[-1]) == [100]
    _release(qtbot, view, start + QPoint(20, -12))
    pins, text = placed[-1]
    assert text == "Move a point"
    assert pins[100] == pytest.approx((before.x() + 20 / zoom, before.y() - 12 / zoom), abs=0.3)
    # A click holds another one where it is; a right click lets the first go.
    _press(qtbot, view, _at(view, layer, 300))
    _release(qtbot, view, _at(view, layer, 300))
    assert placed[-1][0][300] == pytest.approx(
        (layer.points.bent.points[300, 0], layer.points.bent.points[300, 1]), abs=1e-3
    )
    _press(qtbot, view, _at(view, layer, 100), Qt.MouseButton.RightButton)
    _release(qtbot, view, _at(view, layer, 100), Qt.MouseButton.RightButton)
    assert list(placed[-1][0]) == [300]


def test_a_press_beside_all_points_is_the_photos(qtbot, view, layer) -> None:
    place = _at(view, layer, 100, 0, 40)
    _press(qtbot, view, place)
    assert layer.points.held is None
    assert layer.grabbed(QPointF(50, 90)) is None


def test_a_point_that_is_held_stays_below_the_hand(view, layer) -> None:
    layer.points.held = 0
    layer.points.pins = {0: (5.0, 5.0)}
    layer.points.show_fit(BentFit(("photo", 1), layer.points.bent.points + 9, {}, {}, (), (), (0, 100)))
    assert (layer.place(0).x(), layer.place(0).y()) == (5, 5)


@pytest.fixture
def head(layer):
    """The same points on the head: drawn at half size, each of its pixels two of the photo; those from 250 on are
    hidden."""
    places = layer.points.bent.points * 2
    shown = ShownLandmarks(places, np.arange(478) < 250, np.tile(np.float32([[0.25, 0], [0, 0.5]]), (478, 1, 1)))
    made = HeadLayer(layer.points)
    made.lie(shown, QRectF(30, 10, 200, 200), 400)
    return made


def _on_head(layer, row, dx=0.0, dy=0.0):
    return QPointF(30 + layer.points.bent.points[row, 0] + dx, 10 + layer.points.bent.points[row, 1] + dy)


def test_a_point_is_dragged_on_the_head_and_moves_in_the_photo(layer, head) -> None:
    moving, placed = [], []
    layer.points.moving.connect(moving.append)
    layer.points.placed.connect(lambda pins, text: placed.append((pins, text)))
    before = layer.place(100)
    assert head.press(_on_head(layer, 100, 2, 1), Qt.MouseButton.LeftButton)
    assert head.move(_on_head(layer, 100, 22, -9))
    assert moving[-1][100] == pytest.approx((before.x() + 20 * 0.5, before.y() - 10 * 1.0), abs=1e-3)
    # Below the hand as long as it is held, whatever the head does.
    x, y = head._places()[100]
    assert (x, y) == pytest.approx((_on_head(layer, 100, 20, -10).x(), _on_head(layer, 100, 20, -10).y()), abs=1e-3)
    assert head.release()
    assert placed[-1] == (moving[-1], "Move a point")
    assert not head.move(QPointF(0, 0))
    # A click holds, a right click lets go.
    assert head.press(_on_head(layer, 0), Qt.MouseButton.LeftButton)
    head.release()
    assert placed[-1][1] == "Hold a point"
    assert head.press(_on_head(layer, 0), Qt.MouseButton.RightButton)
    assert list(placed[-1][0]) == [100]


def test_what_the_head_hides_cannot_be_taken(layer, head) -> None:
    assert head.grabbed(_on_head(layer, 200)) == 200
    assert head.grabbed(_on_head(layer, 300)) is None
    assert not head.press(_on_head(layer, 300), Qt.MouseButton.LeftButton)


def test_lines_on_the_head_end_where_they_are_hidden(layer) -> None:
    seen = np.ones(478, bool)
    assert _seen_parts([1, 2, 3, 4], seen) == [[1, 2, 3, 4]]
    seen[3] = False
    assert _seen_parts([1, 2, 3, 4, 5], seen) == [[1, 2], [4, 5]]


def test_the_head_view_gives_its_points_the_mouse_first(qtbot, layer, head) -> None:
    from tronie.gui.client import Bench
    from tronie.gui.head_view import HeadView

    view = HeadView(Bench())
    qtbot.addWidget(view)
    view.resize(300, 300)
    view.show_layer(head)
    assert view.view.landmarks
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=_on_head(layer, 100).toPoint())
    assert layer.points.held == 100
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=_on_head(layer, 100).toPoint())
    assert 100 in layer.points.pins
    yaw = view.view.yaw
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(250, 250))  # beside all of them
    qtbot.mouseMove(view, QPoint(290, 250))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(290, 250))
    assert layer.points.held is None
    assert view.view.yaw != yaw
    view.show_layer(None)
    assert not view.view.landmarks


def test_changes_are_taken_back_and_done_again(qtbot, monkeypatch) -> None:
    stack, values = QUndoStack(), [0]

    def change(*how, **more):
        push(stack, Change(*how, **more))

    change("to one", values.append, 0, 1)
    change("to one", values.append, 1, 1)
    change("slide", values.append, 1, 2, what="slider")
    change("slide", values.append, 2, 5, what="slider")
    change("slide", values.append, 0, 3, what="another slider")
    assert stack.count() == 3
    for wanted in (0, 1, 0):
        stack.undo()
        assert values[-1] == wanted
    assert not stack.canUndo()
    for wanted in (1, 5, 3):
        stack.redo()
        assert values[-1] == wanted
    monkeypatch.setattr(undo, "ONE_GO", -1.0)  # taken up again after a while
    change("slide", values.append, 3, 4, what="another slider")
    stack.undo()
    assert values[-1] == 3


@pytest.mark.slow
def test_a_fit_follows_and_the_head_is_made_anew(qtbot, tmp_path) -> None:
    """Until the fit is shown it takes less than 50 ms where the processors are free; here they may be busy."""
    from tronie.gui.window import Window

    photo = EXAMPLES / "astronaut.jpg"
    if not photo.exists():
        pytest.skip("the examples lie in the repository, not in the package")
    make_application()
    use_language("en")
    window = Window(QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat))
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: bool(window.exports.ticks), timeout=LONG)
    tree = {"texture": {"size": 512}, "enhance": {"mode": "off"}, "only": "texture"}
    window.set_settings(type(window.settings).model_validate(tree))
    window.add([str(photo)])
    qtbot.waitUntil(lambda: window.session.summary is not None, timeout=LONG)
    qtbot.waitUntil(lambda: window.correction.key is not None, timeout=LONG)
    window.correction.edit(True)
    qtbot.waitUntil(lambda: window.correction.points is not None, timeout=LONG)
    points, key = window.correction.points, window.correction.key
    first = points.bent.points.copy()
    start = _at(window.photo, window.photo.layer, 61)
    _press(qtbot, window.photo, start)
    for k in range(1, 8):
        qtbot.mouseMove(window.photo.viewport(), start + QPoint(-2 * k, -k))
        qtbot.wait(30)
    _release(qtbot, window.photo, start + QPoint(-14, -7))
    wanted = window.session.pins[key][61]
    qtbot.waitUntil(lambda: np.hypot(*(points.bent.points[61] - wanted)) < 0.6, timeout=LONG)
    assert window.correction.seconds
    qtbot.waitUntil(lambda: window.session.working, timeout=LONG)
    qtbot.waitUntil(lambda: not window.session.working, timeout=LONG)
    assert window.session.cards[1].pinned
    window.changes.undo()
    qtbot.waitUntil(lambda: np.abs(points.bent.points - first).max() < 0.1, timeout=LONG)
    qtbot.waitUntil(lambda: not window.session.working and not window.session.cards[1].pinned, timeout=LONG)
    # The same on the turned head: the landmark goes with the hand, there and in the photo.
    view = window.head.view
    view.look_at(yaw=25.0)

    def settled() -> bool:
        return view.landmarks is not None and view._asked is None and not view._rest.isActive()

    qtbot.waitUntil(settled, timeout=LONG)
    view.grab()
    before, nose = view.layer._places()[4].copy(), points.bent.points[4].copy()
    at = QPoint(*map(round, before))
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=at)
    qtbot.mouseMove(view, at + QPoint(0, -6))
    qtbot.mouseMove(view, at + QPoint(0, -12))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=at + QPoint(0, -12))
    x, y = window.session.pins[key][4]
    assert y < nose[1] - 1
    assert abs(x - nose[0]) < abs(y - nose[1])
    qtbot.waitUntil(lambda: np.hypot(*(points.bent.points[4] - (x, y))) < 0.6, timeout=LONG)

    def went() -> np.ndarray:
        view.grab()
        return view.layer._places()[4] - before

    qtbot.waitUntil(lambda: settled() and np.abs(went() - (0, -12)).max() < 3, timeout=LONG)
    window.close()
