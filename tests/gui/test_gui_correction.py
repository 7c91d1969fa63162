"""Correcting a fit in the window: points that are dragged, held and let go, and changes that are taken back."""

from __future__ import annotations

import numpy as np
import pytest
from places import EXAMPLES

pytest.importorskip("PySide6.QtWidgets", reason="the window needs the extra gui", exc_type=ImportError)
pytest.importorskip("pytestqt", reason="these tests need pytest-qt")

from PySide6.QtCore import QPoint, QPointF, QSettings, Qt
from PySide6.QtGui import QUndoStack

from tronie.gui.app import make_application, use_language
from tronie.gui.fit_layer import FitLayer
from tronie.gui.photo_view import PhotoView
from tronie.gui.undo import change
from tronie.service.messages import BentFit

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
    made = FitLayer(BentFit(("photo", 1), points, {}, {}, ((0, 100, 200),), ((200, 300),), (0, 100, 200, 300)))
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
    layer.moving.connect(moving.append)
    layer.placed.connect(lambda pins, text: placed.append((pins, text)))
    before, zoom = layer.place(100), view.transform().m11()
    start = _at(view, layer, 100, 2, 1)
    _press(qtbot, view, start)
    assert layer.held == 100
    qtbot.mouseMove(view.viewport(), start + QPoint(20, -12))
    assert list(moving[-1]) == [100]
    _release(qtbot, view, start + QPoint(20, -12))
    pins, text = placed[-1]
    assert text == "Move a point"
    assert pins[100] == pytest.approx((before.x() + 20 / zoom, before.y() - 12 / zoom), abs=0.3)
    # A click holds another one where it is; a right click lets the first go.
    _press(qtbot, view, _at(view, layer, 300))
    _release(qtbot, view, _at(view, layer, 300))
    assert placed[-1][0][300] == pytest.approx((layer.bent.points[300, 0], layer.bent.points[300, 1]), abs=1e-3)
    _press(qtbot, view, _at(view, layer, 100), Qt.MouseButton.RightButton)
    assert list(placed[-1][0]) == [300]


def test_a_press_beside_all_points_is_the_photos(qtbot, view, layer) -> None:
    place = _at(view, layer, 100, 0, 40)
    _press(qtbot, view, place)
    assert layer.held is None
    assert layer.grabbed(QPointF(50, 90)) is None


def test_a_point_that_is_held_stays_below_the_hand(view, layer) -> None:
    layer.held = 0
    layer.pins = {0: (5.0, 5.0)}
    layer.show_fit(BentFit(("photo", 1), layer.bent.points + 9, {}, {}, (), (), (0, 100)))
    assert (layer.place(0).x(), layer.place(0).y()) == (5, 5)


def test_changes_are_taken_back_and_done_again(qtbot) -> None:
    stack, values = QUndoStack(), [0]
    change(stack, "to one", values.append, 0, 1)
    change(stack, "to one", values.append, 1, 1)
    change(stack, "slide", values.append, 1, 2, what="slider")
    change(stack, "slide", values.append, 2, 5, what="slider")
    change(stack, "slide", values.append, 0, 3, what="another slider")
    assert stack.count() == 3
    for wanted in (0, 1, 0):
        stack.undo()
        assert values[-1] == wanted
    assert not stack.canUndo()
    for wanted in (1, 5, 3):
        stack.redo()
        assert values[-1] == wanted


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
    qtbot.waitUntil(lambda: window.correction.layer is not None, timeout=LONG)
    layer, key = window.correction.layer, window.correction.key
    first = layer.bent.points.copy()
    start = _at(window.photo, layer, 61)
    _press(qtbot, window.photo, start)
    for k in range(1, 8):
        qtbot.mouseMove(window.photo.viewport(), start + QPoint(-2 * k, -k))
        qtbot.wait(30)
    _release(qtbot, window.photo, start + QPoint(-14, -7))
    wanted = window.correction.pins[key][61]
    qtbot.waitUntil(lambda: np.hypot(*(layer.bent.points[61] - wanted)) < 0.6, timeout=LONG)
    assert window.correction.seconds
    qtbot.waitUntil(lambda: window.session.working, timeout=LONG)
    qtbot.waitUntil(lambda: not window.session.working, timeout=LONG)
    assert window.session.cards[1].pinned
    window.changes.undo()
    qtbot.waitUntil(lambda: np.abs(layer.bent.points - first).max() < 0.1, timeout=LONG)
    qtbot.waitUntil(lambda: not window.session.working and not window.session.cards[1].pinned, timeout=LONG)
    window.close()
