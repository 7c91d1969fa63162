"""The whole window without the process beside it: what fits where, what opens, what can be taken back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", reason="the window needs the extra gui", exc_type=ImportError)
pytest.importorskip("pytestqt", reason="these tests need pytest-qt")

from PySide6.QtCore import QMimeData, QPointF, QSettings, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialogButtonBox, QLabel, QMenu, QPushButton, QWidget

from tronie.gui.app import make_application, use_language
from tronie.gui.person_menu import fill_person_menu
from tronie.gui.welcome import SAMPLE
from tronie.gui.window import Window
from tronie.head.arkit import ARKIT_UNITS
from tronie.outputs import OUTPUTS
from tronie.service.messages import (
    About,
    Card,
    FramePassed,
    FrameShown,
    PhotoState,
    PreviewImages,
    Sitter,
    Summary,
    Track,
    Tracked,
)

SMALL = 900, 600


def made(qtbot, tmp_path, language: str = "en") -> Window:
    """A window that has been told what there is, and whose work goes nowhere: `sent` has it."""
    make_application()
    use_language(language)
    window = Window(QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat))
    qtbot.addWidget(window)
    window.sent = []
    window.session.bench.send = lambda *message: window.sent.append(message)
    photo = {name: output.text for name, output in OUTPUTS.items() if "photo" in output.of}
    clip = {name: output.text for name, output in OUTPUTS.items() if name not in photo and "clip" in output.of}
    window.resize(*SMALL)
    window.show()
    window._begun(About(photo, clip, (".jpg", ".mp4")))
    return window


@pytest.fixture
def window(qtbot, tmp_path):
    return made(qtbot, tmp_path)


def asked(window: Window) -> list[str]:
    """Names of the jobs that were sent."""
    return [message[3].__name__ for message in window.sent if message[0] == "do"]


def show_photo(window: Window, path: Path, faces: int = 2) -> None:
    """As if a photo had been done."""
    session = window.session
    window._found([path], [])
    window.photo.show_photo(np.zeros((300, 400, 3), np.uint8))
    for k in range(1, faces + 1):
        card = session.cards[k] = Card(k, (50.0 * k, 50, 50.0 * k + 40, 100), 0.9)
        session.carded.emit(card)
    session.summary = Summary(faces)
    if faces:
        presets = {"smile": {"mouthSmileLeft": 0.5}, "jaw open": {"jawOpen": 0.8}}
        session.pictures.headed.emit(Sitter(session.key, ARKIT_UNITS, {"jawOpen": 0.2}, presets=presets), "")
        grey = np.full((64, 64, 3), 128, np.uint8)
        session.pictures.looked.emit(PreviewImages(grey, grey, grey, grey, grey, grey, 2.0, "tronie"), "")


def show_clip(window: Window, path: Path) -> None:
    """As if a clip had been followed."""
    count, session = 30, window.session
    session.moving.add(path)
    window._found([path], [])
    window.player._told((path, False), FrameShown(4, 4 / 25, np.zeros((90, 160, 3), np.uint8), count))
    person = [
        Track(
            number, path.with_suffix("") / f"face-{number}", ("seen",) * count, np.tile([10.0, 10, 40, 60], (count, 1)),
            np.zeros((count, 2)), ARKIT_UNITS, np.full((count, 52), 0.3), np.ones(count),
        )
        for number in (1, 2)
    ]  # fmt: skip
    session.show_tracked(Tracked(path.with_suffix(""), tuple(person)))


def cut(window: Window) -> list[str]:
    """Texts that are wider than what shows them."""
    found = []
    for widget in window.findChildren(QWidget):
        if not isinstance(widget, (QPushButton, QCheckBox, QComboBox, QLabel)):
            continue
        if not widget.isVisible() or (isinstance(widget, QLabel) and (widget.wordWrap() or widget is window.stage)):
            continue
        is_box = isinstance(widget, QComboBox)
        texts = [widget.itemText(k) for k in range(widget.count())] if is_box else [widget.text()]
        room = widget.width() - (24 if is_box else 22 if isinstance(widget, QCheckBox) else 0)
        if isinstance(widget, QPushButton):
            room -= 24 if widget.menu() is not None else 6
        found += [text for text in texts if widget.fontMetrics().horizontalAdvance(text.replace("&", "")) > room]
    return found


@pytest.mark.parametrize("language", ["en", "ko"])
def test_nothing_is_cut_in_a_small_window(qtbot, tmp_path, language) -> None:
    window = made(qtbot, tmp_path, language)

    def rest() -> None:
        """Layouts ask each other for room, event by event."""
        for _ in range(6):
            qtbot.wait(1)

    rest()
    shown = {"empty": cut(window)}
    for name, show in (("photo", show_photo), ("clip", show_clip)):
        show(window, tmp_path / f"{name}.x")
        for tab in range(window.tabs.count()):
            window.tabs.setCurrentIndex(tab)
            rest()
            shown[f"{name}, {window.tabs.tabText(tab)}"] = cut(window)
        window.tabs.setCurrentIndex(0)
        window.correction.edit(True)
        rest()
        shown[f"{name}, correcting"] = cut(window)
        window.correction.edit(False)
    assert (window.width(), window.height()) == SMALL
    assert {where: texts for where, texts in shown.items() if texts} == {}
    assert window.photo.width() > 300
    use_language("en")


def test_what_is_dropped_and_the_sample_are_opened(window, tmp_path) -> None:
    urls = QMimeData()
    urls.setUrls([QUrl.fromLocalFile(str(tmp_path / "a.jpg")), QUrl("https://example.org/b.jpg")])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, urls, buttons, keys))
    assert window.sent[-1][4] == ([str(tmp_path / "a.jpg")],)
    window.welcome.buttons["sample"].click()
    assert asked(window)[-2:] == ["find", "find"]
    assert window.sent[-1][4] == ([str(SAMPLE)],)
    assert window.welcome.isVisible()
    show_photo(window, tmp_path / "a.jpg")
    assert not window.welcome.isVisible()
    window.photos.choose(tmp_path / "a.jpg")
    window.shelf.remove_selected()
    assert window.welcome.isVisible()


def test_what_can_be_done_hangs_on_what_is_shown(window, tmp_path) -> None:
    def enabled() -> set[bool]:
        return {action.isEnabled() for action in window.face_actions}

    assert enabled() == {False}
    show_photo(window, tmp_path / "a.jpg")
    assert enabled() == {True}
    assert window.faces.currentRow() == 0
    show_photo(window, tmp_path / "b.jpg", faces=0)
    assert enabled() == {False}
    show_photo(window, tmp_path / "c.jpg", faces=1)  # after several faces and none
    assert window.session.index == 1
    assert window.photos.selected() == [tmp_path / "c.jpg"]


def test_settings_and_portraits_are_taken_back(window, tmp_path) -> None:
    show_photo(window, tmp_path / "a.jpg")
    first = window.settings
    other = first.model_copy(update={"detect": first.detect.model_copy(update={"max_faces": 3})})
    window.set_settings(other)
    assert window.settings == other
    window.changes.undo()
    assert window.settings == first
    window.changes.redo()
    assert window.settings == other
    crop = window.portrait.fields["crop"].widget
    before = crop.currentIndex()
    crop.setCurrentIndex(1 - before)
    changed = window.settings.portrait.crop
    assert changed != first.portrait.crop
    window.changes.undo()
    assert window.settings.portrait.crop == first.portrait.crop
    assert window.portrait.fields["crop"].widget.currentIndex() == before
    window.changes.redo()
    assert window.settings.portrait.crop == changed


def test_an_expression_is_taken_back_where_it_was_made(window, tmp_path) -> None:
    show_photo(window, tmp_path / "a.jpg")
    window.head.sliders["browInnerUp"].setValue(80)
    assert window.head.view.view.weights == {"jawOpen": 0.2, "browInnerUp": 0.8}
    window.changes.undo()
    assert window.head.view.view.weights == {"jawOpen": 0.2}
    window.changes.redo()
    window.faces.choose(2)
    window.changes.undo()  # of the face that is not shown: the window goes there
    assert window.session.index == 1


def test_one_head_is_made_of_the_selected_photos(window, tmp_path) -> None:
    paths = [tmp_path / f"{name}.jpg" for name in "abc"]
    for path in paths:
        show_photo(window, path, 1)
    window.one_person()
    assert "Select several photos" in window.stage.text()
    for path in paths[:2]:
        window.photos.item_of(path).setSelected(True)
    window.photos.item_of(paths[2]).setSelected(False)
    window.session.pins[paths[1], 1] = {4: (1.0, 2.0)}
    window.one_person()
    job = window.sent[-1] if window.sent[-1][3].__name__ == "open_person" else window.sent[-2]
    assert job[3].__name__ == "open_person"
    assert job[4][1:3] == (tuple(paths[:2]), {1: {4: (1.0, 2.0)}})  # with what was put right in one of them
    assert window.photos.currentItem().text().startswith("a and 1 more")
    window.one_person()
    assert window.photos.count() == 4  # selected alone it is no photo


def test_the_menu_of_a_clips_person_puts_right_who_is_who(window, tmp_path) -> None:
    show_clip(window, tmp_path / "talk.mp4")
    menu = QMenu()
    fill_person_menu(menu, window.desk)
    same, split, _, back = menu.actions()
    assert [action.text() for action in same.menu().actions()] == ["Person 2"]
    assert not back.isEnabled()
    same.menu().actions()[0].trigger()
    assert window.sent[-1][4][3] == (("merge", 1, 2),)
    split.trigger()
    assert window.sent[-1][4][3] == (("split", 1, 4),)


def test_a_clips_times_follow_while_it_is_tracked(window, tmp_path) -> None:
    show_clip(window, tmp_path / "talk.mp4")
    window.player.pass_by(26)
    assert window.player.time.text().startswith("00:00:01:01")
    assert window.player.timeline.index == 26


def test_boxes_are_live_while_a_clip_is_tracked(window, qtbot, tmp_path) -> None:
    path = tmp_path / "talk.mp4"
    window.session.moving.add(path)
    window._found([path], [])
    window.player._told((path, False), FrameShown(0, 0.0, np.zeros((90, 160, 3), np.uint8), 30))
    window.player.track.click()
    assert asked(window)[-1] == "follow"
    assert window.stop_button.isVisible()
    small = np.zeros((45, 80, 3), np.uint8)
    window.session._told(("clip", path), FramePassed(7, small, (160, 90), (Card(1, (20.0, 10.0, 60.0, 70.0), 0.8),)))
    assert window.photo.sceneRect().width() == 160  # the frame's own size
    assert window.photo.boxes[1].rect().right() == 60
    assert window.player.timeline.index == 7
    # Nothing can be asked for meanwhile that would end it.
    jobs = asked(window)
    qtbot.mouseClick(window.player.timeline, Qt.MouseButton.LeftButton)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    window.player.play.click()
    assert not any(action.isEnabled() for action in window.clip_menu.actions())
    assert asked(window) == jobs
    number = next(message[2] for message in window.sent if message[0] == "do" and message[3].__name__ == "follow")
    window.session.bench.said.emit(number, "stopped", None)
    window.player.play.click()
    assert asked(window)[-1] == "play"


def test_all_of_the_list_is_exported_and_put_on_a_sheet(window, tmp_path) -> None:
    for name in "ab":
        show_photo(window, tmp_path / f"{name}.jpg", 1)
    window.shelf.export_all()
    assert asked(window).count("work_off") == 1  # one after the other
    assert window.photos.state(tmp_path / "a.jpg") is PhotoState.WORKING
    assert window.photos.state(tmp_path / "b.jpg") is PhotoState.WAITING
    number = next(message[2] for message in window.sent if message[0] == "do" and message[3].__name__ == "work_off")
    window.session.bench.said.emit(number, "failed", "The disk is full.")
    assert asked(window).count("work_off") == 2
    assert window.photos.state(tmp_path / "a.jpg") is PhotoState.FAILED
    window.list_desk.write_sheet(tmp_path / "sheet.jpg")
    assert window.sent[-1][4][0] == [(tmp_path / "a.jpg", "a"), (tmp_path / "b.jpg", "b")]
    window.session.bench.said.emit(window.sent[-1][2], "done", [tmp_path / "sheet.jpg"])
    assert "sheet.jpg" in window.stage.text()


def test_qts_own_buttons_speak_korean_too(qtbot, tmp_path) -> None:
    made(qtbot, tmp_path, "ko")
    box = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel | QDialogButtonBox.StandardButton.RestoreDefaults)
    qtbot.addWidget(box)
    assert [button.text() for button in box.buttons()] == ["취소", "기본값 복원"]
    use_language("en")


def test_a_failure_takes_the_place_of_what_was_shown(window, tmp_path) -> None:
    path = tmp_path / "a.jpg"
    window._found([path], [])
    assert window.head.view.hint == "The faces are being worked on …"
    window.session._failed(("photo", path), f"{path} is damaged or cut off.")
    for said in (window.head.view.hint, window.photo.hint, window.stage.text()):
        assert said == "a.jpg is damaged or cut off."
    assert window.photos.state(path) is PhotoState.FAILED
    assert window.windowTitle() == "a.jpg – tronie"
