"""The window's parts for themselves."""

from __future__ import annotations

import ast
import os
import time
from pathlib import Path
from typing import Literal, get_args, get_origin

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", reason="the window needs the extra gui", exc_type=ImportError)
pytest.importorskip("pytestqt", reason="these tests need pytest-qt")

from PySide6.QtCore import Qt

from tronie.errors import InputError, sentence
from tronie.gui.client import Bench, Queue
from tronie.gui.forms import Field
from tronie.gui.i18n import spoken
from tronie.gui.image_widgets import BeforeAfter, qimage
from tronie.gui.labels import TITLES, UNITS
from tronie.gui.settings_dialog import SettingsDialog
from tronie.head.arkit import ARKIT_UNITS
from tronie.outputs import OUTPUTS
from tronie.runtime.job import Advanced, Note
from tronie.service.messages import Card
from tronie.settings import DetectSettings, Settings


@pytest.fixture(scope="module")
def bench():
    made = Bench()
    yield made
    made.close()
    assert not made.process.is_alive()


@pytest.fixture
def line(qtbot, bench):
    return Queue(bench, "test")


def test_a_picture_keeps_its_pixels(qtbot) -> None:
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    made = qimage(image)
    got = [[made.pixelColor(x, y).getRgb()[:3] for x in range(7)] for y in range(5)]
    assert np.array_equal(got, image)


def give(workspace, job, what):
    return what


def refuse(workspace, job, sentence):
    raise InputError(sentence)


def stumble(workspace, job):
    raise ValueError("inside")


def go_on(workspace, job):
    while True:
        job.check()
        job.emit(Note("still here"))
        time.sleep(0.01)


def wait_for(workspace, job, path):
    job.emit(Note("begun"))
    while not path.exists():
        time.sleep(0.01)


def die(workspace, job):
    os._exit(3)


def count(workspace, job, most):
    for k in range(most):
        job.emit(Advanced("count", k))
        job.wait(0.5)


def test_jobs_come_back_in_order_and_errors_as_sentences(line, qtbot) -> None:
    said = []
    line.done.connect(lambda key, result: said.append((key, result)))
    line.failed.connect(lambda key, text: said.append((key, text)))
    line.submit(1, give, "one")
    line.submit(2, refuse, "a.jpg is empty.")
    line.submit(3, stumble)
    line.submit(4, give, np.arange(3))
    qtbot.waitUntil(lambda: len(said) == 4, timeout=20_000)
    assert said[0] == (1, "one")
    assert said[1] == (2, "a.jpg is empty.")
    assert said[2] == (3, sentence(ValueError("inside")))
    assert said[3][0] == 4
    assert said[3][1].tolist() == [0, 1, 2]
    assert not line.busy


def test_cancel_stops_at_the_next_step_and_forgets_what_waits(line, qtbot) -> None:
    told, stopped, done = [], [], []
    line.told.connect(lambda key, what: told.append(key))
    line.stopped.connect(stopped.append)
    line.done.connect(lambda key, _: done.append(key))
    line.submit("long", go_on)
    line.submit("waiting", give, 0)
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)
    line.cancel()
    qtbot.waitUntil(lambda: sorted(stopped) == ["long", "waiting"], timeout=20_000)
    assert done == []
    assert not line.busy


def test_alone_takes_the_place_of_what_waits(line, qtbot, tmp_path) -> None:
    done = []
    line.done.connect(lambda key, _: done.append(key))
    with qtbot.waitSignal(line.told, timeout=20_000):
        line.submit(0, wait_for, tmp_path / "go")
    for k in range(1, 6):
        line.submit(k, give, k, alone=True)
    (tmp_path / "go").touch()
    qtbot.waitUntil(lambda: bool(done) and done[-1] == 5, timeout=20_000)
    assert set(done) <= {0, 5}
    assert not line.busy


def test_what_is_told_waits_for_being_taken(line, qtbot) -> None:
    told = []
    line.told.connect(lambda key, what: (told.append(what), line.take()))
    with qtbot.waitSignal(line.done, timeout=20_000):
        line.submit("count", count, 5)
    assert [step.done for step in told] == [0, 1, 2, 3, 4]


def test_another_process_takes_the_place_of_one_that_died(bench, line, qtbot) -> None:
    failed, done = [], []
    line.failed.connect(lambda key, text: failed.append(text))
    line.done.connect(lambda key, result: done.append(result))
    line.submit(1, die)
    line.submit(2, give, "lost")
    qtbot.waitUntil(lambda: len(failed) == 2, timeout=20_000)
    assert all("unexpectedly" in text for text in failed)
    line.submit(3, give, "again")
    qtbot.waitUntil(lambda: done == ["again"], timeout=20_000)


def test_the_settings_dialog_gives_back_what_it_was_given(qtbot) -> None:
    tree = {
        "detect": {"min_face": 33.5, "max_faces": 4},
        "head": {"subdivide": 0},
        "portrait": {"crop": "passport"},
        "fit": {"focal": 900.0},
        "export": {"rig": True},
        "only": "texture",
    }
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


def test_the_table_of_models_has_every_licence_and_what_can_be_imported(window, qtbot) -> None:
    from tronie.gui.models_dialog import ModelsDialog
    from tronie.importers.catalog import catalog

    dialog = ModelsDialog(Queue(window.session.bench, "models"), window)
    qtbot.waitUntil(dialog.button.isEnabled, timeout=60_000)
    rows, bring = catalog()
    shown = [tuple(dialog.table.item(k, c).text() for c in (0, 3, 5)) for k in range(dialog.table.rowCount())]
    assert shown == [(row["name"], row["licence"], row["origin"]) for row in rows + bring]
    # A click into a row chooses what is to be imported, and says which files from where.
    last = dialog.table.rowCount() - 1
    dialog.table.selectRow(last)
    assert dialog.kind.currentText() == bring[-1]["name"]
    assert bring[-1]["files"][0] in dialog.origin.text()
    assert bring[-1]["origin"] in dialog.origin.text()
    dialog.bring("sparnet", Path("/nowhere/net.pth"))
    qtbot.waitUntil(lambda: "does not exist" in dialog.message.text(), timeout=10_000)
    assert dialog.button.isEnabled()


def test_a_face_that_failed_is_marked_with_why(qtbot) -> None:
    from tronie.gui.photo_view import BAD, DOUBTFUL, GOOD, PhotoView, color_of
    from tronie.gui.sidebar import FaceList

    box = (10, 10, 60, 60)
    good = Card(1, box, 0.87)
    small = Card(2, box, 0.87, ("small: 12 pixels between the eyes",))
    failed = Card(3, box, 0.87, error="ValueError: no such thing")
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


def test_another_photo_begins_with_no_face_chosen(qtbot) -> None:
    from tronie.gui.sidebar import FaceList

    faces, chosen = FaceList(), []
    qtbot.addWidget(faces)
    for k in range(1, 6):
        faces.add(Card(k, (0, 0, 9, 9), 0.9))
    faces.choose(1)
    faces.chosen.connect(chosen.append)
    faces.clear()
    assert chosen == []
    faces.add(Card(1, (0, 0, 9, 9), 0.9))
    faces.choose(1)
    assert chosen == [1]


def test_boxes_come_and_go_while_the_window_is_resized(qtbot) -> None:
    """Their labels keep their size at any zoom, and so their bounds change with it: that must not lose one."""
    from tronie.gui.app import keep_singletons
    from tronie.gui.photo_view import PhotoView

    keep_singletons()
    photo = PhotoView()
    qtbot.addWidget(photo)
    photo.show_photo(np.zeros((560, 770, 3), np.uint8))
    photo.show()
    for step in range(6):
        for k in range(1, 8):
            photo.add_face(Card(k, (90 * k, 60 * k, 90 * k + 60, 60 * k + 80), 0.9, waiting=bool(step % 2)))
        photo.resize(300 + 150 * (step % 3), 250 + 40 * step)
        photo.grab()
    assert len(photo.scene().items()) == 1 + 7


def _of_settings(model, branch=""):
    """Titles and explanations of all settings."""
    for name, info in model.model_fields.items():
        if hasattr(info.annotation, "model_fields"):
            yield spoken(name)
            yield from _of_settings(info.annotation, f"{name}.")
        else:
            yield TITLES[branch + name]
            yield UNITS.get(branch + name, TITLES[branch + name])
            yield info.description
            for kind in (info.annotation, *get_args(info.annotation)):
                if get_origin(kind) is Literal:
                    yield from (spoken(choice) for choice in get_args(kind) if isinstance(choice, str))


def test_korean_says_everything_that_the_window_says(qtbot) -> None:
    import re

    import tronie.gui
    from tronie.gui.app import make_application, use_language
    from tronie.gui.i18n import tr
    from tronie.gui.korean import KOREAN
    from tronie.gui.sentences import SENTENCES

    sources = Path(tronie.gui.__file__).parent.glob("*.py")
    call = re.compile(r"""\btr\(\s*["']([^"']+(?:'[^"']*)?)["']\s*\)""")
    said = {text for file in sources for text in call.findall(file.read_text())}
    assert len(said) > 80
    assert sorted(said - set(KOREAN)) == []
    for text, korean in KOREAN.items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", korean)), text
    assert [text for text in SENTENCES if text not in KOREAN] == []
    untold = [text for text in _of_settings(Settings) if text not in KOREAN]
    assert untold == []
    outputs = [text for output in OUTPUTS.values() for text in (spoken(output.name), output.text)]
    assert [text for text in outputs if text not in KOREAN] == []
    assert [name for name in map(spoken, ARKIT_UNITS) if name not in KOREAN] == []
    make_application()
    use_language("ko_KR")
    assert tr("Head") == KOREAN["Head"]
    use_language("en")
    assert tr("Head") == "Head"


@pytest.mark.parametrize("one", [None, True, False])
def test_none_and_truth_are_never_used_up(qtbot, one) -> None:
    """Calls take references to them in some versions of PySide6."""
    import sys

    from tronie.gui.app import make_application

    make_application()
    assert sys.version_info >= (3, 12) or sys.getrefcount(one) > 1 << 30


def test_pictures_laid_down_are_the_same(tmp_path) -> None:
    from tronie.service.workspace import spill_to_disk
    from tronie.types import Detection, Face, Portrait, Texture

    random = np.random.default_rng(0)
    picture = random.integers(0, 256, (65, 33, 3), dtype=np.uint8)
    mask = random.integers(0, 9, (65, 33), dtype=np.uint8)
    face = Face(
        1,
        Detection((0, 0, 9, 9), np.zeros((5, 2)), 0.9),
        texture=Texture(picture, mask),
        portrait=Portrait(picture[::-1], None, mask, None),
    )
    down = spill_to_disk(face)
    assert np.array_equal(down.texture.image, picture)
    assert np.array_equal(down.texture.provenance, mask)
    assert np.array_equal(down.portrait.image, picture[::-1])
    assert down.portrait.neutral is None
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


ROOMS = (
    "io/images.py", "io/limits.py", "io/paths.py", "io/video", "pipelines/refit.py", "pipelines/engines.py",
    "pipelines/video/hand_edits.py", "pipelines/video/heads.py", "pipelines/video/job.py", "runtime/inference.py",
    "runtime/weights.py", "service/clip_folder.py", "service/clip_people.py", "service/clip_tasks.py",
    "service/fit_tasks.py", "service/photo_tasks.py", "stages/detect", "stages/quality.py",
)  # fmt: skip
"""Whose sentences come into the window."""
SAID = {"InputError", "OutputError", "TronieError", "WeightsError", "Caution"}
ELSEWHERE = ("A camera has a number",)
"""Said of what the window never asks for."""
CHOICES = {
    "left left.": ("x.jpg does not exist.", "x.jpg is a link to y, which is not there."),
    "left is damaged or cut offleft.": ("x.jpg is damaged or cut off.", "x.jpg is damaged or cut off (no end)."),
    "No frame left shows the face well enough for a head.": (
        "No frame before shows the face well enough for a head.",
        "No frame from here on shows the face well enough for a head.",
    ),
    "turned by left degrees: left is invented": (
        "turned by 52 degrees: the far side is invented",
        "turned by 70 degrees: most of the portrait is invented",
    ),
    "tilted left by left degrees": ("tilted up by 40 degrees", "tilted down by 40 degrees"),
}
"""Where a gap is one of some clauses: with those."""


def _text(node: ast.AST) -> str:
    """What a call says, with a word in each gap."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_text, node.values))
    return "allow more with --x" if isinstance(node, ast.FormattedValue) and "HIGHER" in ast.unparse(node) else "left"


def test_what_the_library_says_is_known_in_other_languages() -> None:
    """What is missing belongs into gui/sentences.py, and its Korean into gui/korean_errors.py."""
    import tronie
    from tronie.gui.plain import PATTERNS, here

    top, untold = Path(tronie.__file__).parent, []
    for room in ROOMS:
        for file in [top / room] if room.endswith(".py") else sorted((top / room).glob("*.py")):
            for call in ast.walk(ast.parse(file.read_text())):
                if not isinstance(call, ast.Call) or getattr(call.func, "id", "") not in SAID or not call.args:
                    continue
                said = call.args[-1] if call.func.id == "Caution" else call.args[0]
                if isinstance(said, (ast.Constant, ast.JoinedStr)):
                    for text in CHOICES.get(_text(said), (here(_text(said)),)):
                        known = any(pattern.fullmatch(text) for pattern, _ in PATTERNS)
                        untold += [] if known or text.startswith(ELSEWHERE) else [f"{room}: {text}"]
    assert untold == []
