"""The window's parts for themselves."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", reason="the window needs the extra gui", exc_type=ImportError)
pytest.importorskip("pytestqt", reason="these tests need pytest-qt")

from PySide6.QtCore import Qt

from tronie.errors import InputError
from tronie.gui.forms import Field
from tronie.gui.lines import Line
from tronie.gui.pictures import BeforeAfter, qimage
from tronie.gui.settings_dialog import SettingsDialog
from tronie.gui.words import spoken
from tronie.settings import DetectSettings, Settings


@pytest.fixture
def line(qtbot):
    made = Line()
    yield made
    made.close()


def test_a_picture_keeps_its_pixels(qtbot) -> None:
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    made = qimage(image)
    got = [[made.pixelColor(x, y).getRgb()[:3] for x in range(7)] for y in range(5)]
    assert np.array_equal(got, image)


def test_jobs_come_back_in_order_and_errors_as_sentences(line, qtbot) -> None:
    said = []
    line.done.connect(lambda key, result: said.append((key, result)))
    line.failed.connect(lambda key, text: said.append((key, text)))

    def bad(tell):
        raise InputError("a.jpg is empty.")

    def broken(tell):
        raise ValueError("inside")

    line.submit(1, lambda tell: "one")
    line.submit(2, bad)
    line.submit(3, broken)
    line.submit(4, lambda tell: "four")
    qtbot.waitUntil(lambda: len(said) == 4)
    assert said[0] == (1, "one")
    assert said[1] == (2, "a.jpg is empty.")
    assert said[2] == (3, "This went wrong: ValueError: inside")
    assert said[3] == (4, "four")


def test_cancel_stops_at_the_next_step_and_forgets_what_waits(line, qtbot) -> None:
    begun, stopped, done = threading.Event(), [], []
    line.stopped.connect(stopped.append)
    line.done.connect(lambda key, _: done.append(key))

    def job(tell):
        begun.set()
        while True:
            tell("still here")

    line.submit("long", job)
    line.submit("waiting", lambda tell: None)
    assert begun.wait(10)
    line.cancel()
    qtbot.waitUntil(lambda: sorted(stopped) == ["long", "waiting"])
    assert done == []
    assert not line.busy


def test_alone_takes_the_place_of_what_waits(line, qtbot) -> None:
    go, done = threading.Event(), []
    line.done.connect(lambda key, _: done.append(key))
    line.submit(0, lambda tell: go.wait(10))
    for k in range(1, 6):
        line.submit(k, lambda tell: None, alone=True)
    go.set()
    qtbot.waitUntil(lambda: bool(done) and done[-1] == 5)
    assert set(done) <= {0, 5}


def test_the_settings_dialog_gives_back_what_it_was_given(qtbot) -> None:
    tree = {"detect": {"min_face": 33.5, "max_faces": 4}, "head": {"subdivide": 0}, "frontal": {"crop": "passport"},
            "fit": {"focal": 900.0}, "export": {"rig": True}, "only": "texture"}  # fmt: skip
    for settings in (Settings(), Settings.model_validate(tree)):
        dialog = SettingsDialog(settings)
        qtbot.addWidget(dialog)
        dialog._accept()
        assert dialog.message.text() == ""
        assert dialog.settings == settings


def test_a_field_has_the_bounds_of_its_setting(qtbot) -> None:
    field = Field("detect.min_score", DetectSettings.model_fields["min_score"], 0.5)
    qtbot.addWidget(field.widget)
    assert (field.widget.minimum(), field.widget.maximum(), field.value) == (0, 1, 0.5)
    assert field.widget.toolTip() == DetectSettings.model_fields["min_score"].description


def test_the_border_between_two_pictures_follows_the_mouse_and_the_keys(qtbot) -> None:
    widget = BeforeAfter()
    qtbot.addWidget(widget)
    widget.resize(200, 200)
    widget.show_pair(np.full((50, 50, 3), 255, np.uint8), np.zeros((50, 50, 3), np.uint8))
    widget.show()
    place = widget.place().toRect()
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=place.center())
    assert widget.share == pytest.approx(0.5, abs=0.02)
    shot = widget.grab().toImage()
    y = place.top() + 3 * place.height() // 4
    assert shot.pixelColor(place.left() + place.width() // 4, y).red() == 255
    assert shot.pixelColor(place.left() + 3 * place.width() // 4, y).red() == 0
    before = widget.share
    qtbot.keyClick(widget, Qt.Key.Key_Right)
    assert widget.share > before


def test_names_are_words() -> None:
    assert spoken("mouthSmileLeft") == "Mouth smile left"
    assert spoken("min_face") == "Min face"


@pytest.fixture
def window(qtbot, tmp_path):
    from PySide6.QtCore import QSettings

    from tronie.gui.app import make_application, use_language
    from tronie.gui.window import Window

    make_application()
    use_language("en")
    made = Window(QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat))
    made.show()
    yield made
    made.close()
    use_language("en")


def _action(window, key):
    from PySide6.QtGui import QAction, QKeySequence

    return next(a for a in window.findChildren(QAction) if a.shortcut() == QKeySequence(key))


def test_shortcuts_open_their_dialogs_and_belong_to_one_action_each(window, qtbot) -> None:
    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QDialog

    keys = [a.shortcut().toString() for a in window.findChildren(QAction) if not a.shortcut().isEmpty()]
    assert len(keys) == len(set(keys))
    for key, title in (("Ctrl+,", "Settings"), ("Ctrl+M", "Models"), ("F1", "Keyboard shortcuts")):
        _action(window, key).trigger()
        dialogs = [d for d in window.findChildren(QDialog) if d.isVisible()]
        assert [d.windowTitle() for d in dialogs] == [title]
        dialogs[0].close()
        qtbot.waitUntil(lambda: not [d for d in window.findChildren(QDialog) if d.isVisible()])


def test_the_table_of_models_has_every_licence(window, qtbot) -> None:
    from tronie.gui.models_dialog import ModelsDialog
    from tronie.weights import WEIGHTS

    dialog = ModelsDialog(window.files, window)
    shown = {dialog.table.item(k, 0).text(): dialog.table.item(k, 3).text() for k in range(dialog.table.rowCount())}
    assert {name: w.licence for name, w in WEIGHTS.items()}.items() <= shown.items()
    dialog.bring("sparnet", Path("/nowhere/net.pth"))
    qtbot.waitUntil(lambda: "does not exist" in dialog.message.text(), timeout=10_000)
    assert dialog.button.isEnabled()


def test_a_face_that_failed_is_marked_with_why(qtbot) -> None:
    from tronie.gui.lists import FaceList
    from tronie.gui.photo_view import BAD, DOUBTFUL, GOOD, PhotoView, color_of
    from tronie.types import Detection, Face

    found = Detection((10, 10, 60, 60), np.zeros((5, 2)), 0.87)
    good = Face(1, found)
    small = Face(2, found, warnings=("small: 12 pixels between the eyes",))
    failed = Face(3, found, error="ValueError: no such thing")
    assert [color_of(face) for face in (good, small, failed)] == [GOOD, DOUBTFUL, BAD]
    faces, photo = FaceList(), PhotoView()
    qtbot.addWidget(faces)
    qtbot.addWidget(photo)
    photo.show_photo(np.zeros((80, 80, 3), np.uint8))
    for face in (good, small, failed):
        faces.add(face)
        photo.add_face(face)
    assert faces.item(0).text() == "Face 1   87 %"
    assert "Small: 12 pixels" in faces.item(1).text()
    assert "could not be finished: ValueError: no such thing" in faces.item(2).text()
    assert "12 pixels" in photo.boxes[2].toolTip()


def test_korean_says_everything_that_the_window_says(qtbot) -> None:
    import re

    import tronie.gui
    from tronie.gui.app import make_application, use_language
    from tronie.gui.korean import KOREAN
    from tronie.gui.words import tr

    sources = Path(tronie.gui.__file__).parent.glob("*.py")
    call = re.compile(r"""\btr\(\s*["']([^"']+(?:'[^"']*)?)["']\s*\)""")
    said = {text for file in sources for text in call.findall(file.read_text())}
    assert len(said) > 80
    assert sorted(said - set(KOREAN)) == []
    for text, korean in KOREAN.items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", korean)), text
    make_application()
    use_language("ko_KR")
    assert tr("Head") == KOREAN["Head"]
    use_language("en")
    assert tr("Head") == "Head"


def test_none_is_never_used_up(qtbot) -> None:
    """Each call that returns nothing takes a reference to None in some versions of PySide6."""
    import sys

    from tronie.gui.app import make_application

    make_application()
    assert sys.version_info >= (3, 12) or sys.getrefcount(None) > 1 << 30


def test_pictures_laid_down_are_the_same(tmp_path) -> None:
    from tronie.gui.work import laid_down
    from tronie.types import Detection, Face, Frontal, Texture

    random = np.random.default_rng(0)
    picture = random.integers(0, 256, (65, 33, 3), dtype=np.uint8)
    mask = random.integers(0, 9, (65, 33), dtype=np.uint8)
    face = Face(
        1, Detection((0, 0, 9, 9), np.zeros((5, 2)), 0.9), texture=Texture(picture, mask),
        frontal=Frontal(picture[::-1], None, mask, None),
    )  # fmt: skip
    down = laid_down(face)
    assert np.array_equal(down.texture.image, picture)
    assert np.array_equal(down.texture.provenance, mask)
    assert np.array_equal(down.frontal.image, picture[::-1])
    assert down.frontal.neutral is None
    assert type(down.texture.image) is np.ndarray


def test_without_a_screen_there_is_a_sentence_and_no_abort(monkeypatch) -> None:
    import sys

    from tronie.errors import TronieError
    from tronie.gui.app import check_screen

    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(TronieError, match="no screen"):
        check_screen()
