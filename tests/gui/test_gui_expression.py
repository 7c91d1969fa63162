"""The sliders of a head's movements, and what is there before the first photo."""

from __future__ import annotations

import pytest

pytest.importorskip("PySide6.QtWidgets", reason="the window needs the extra gui", exc_type=ImportError)
pytest.importorskip("pytestqt", reason="these tests need pytest-qt")

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMainWindow, QWidget

from tronie.gui.expression_panel import ExpressionPanel, other_side
from tronie.gui.icon import icon
from tronie.gui.plain import plain
from tronie.gui.progress import Progress
from tronie.gui.welcome import SAMPLE, Welcome
from tronie.head.arkit import ARKIT_UNITS
from tronie.runtime.job import Advanced
from tronie.service.messages import Sitter


@pytest.fixture
def panel(qtbot):
    made = ExpressionPanel()
    qtbot.addWidget(made)
    made.resize(420, 300)
    made.show()
    made.show_sitter(Sitter(("a", 1), ARKIT_UNITS, {"jawOpen": 0.2}, presets={"smile": {"mouthSmileLeft": 0.8}}))
    return made


def test_every_movement_has_a_slider_and_its_number(panel) -> None:
    assert tuple(panel.sliders) == tuple(panel.values) == ARKIT_UNITS
    panel.values["browInnerUp"].setValue(40)
    assert panel.sliders["browInnerUp"].value() == 40
    panel.sliders["browInnerUp"].setValue(70)
    assert panel.values["browInnerUp"].value() == 70
    assert panel.weights() == {"jawOpen": 0.2, "browInnerUp": 0.7}


def test_both_sides_move_together(panel) -> None:
    told = []
    panel.edited.connect(lambda before, after, what: told.append((before, after, what)))
    panel.both.setChecked(True)
    panel.sliders["eyeBlinkLeft"].setValue(60)
    panel.sliders["jawOpen"].setValue(30)
    assert told[0] == ({"jawOpen": 0.2}, {"jawOpen": 0.2, "eyeBlinkLeft": 0.6, "eyeBlinkRight": 0.6}, "eyeBlinkLeft")
    assert told[1][2] == "jawOpen"
    for name in ARKIT_UNITS:
        other = other_side(name)
        assert other is None or (other in ARKIT_UNITS and other_side(other) == name)


def test_the_way_back(panel, qtbot) -> None:
    panel.sliders["jawOpen"].setValue(90)
    panel.sliders["cheekPuff"].setValue(50)
    qtbot.mouseDClick(panel.sliders["jawOpen"], Qt.MouseButton.LeftButton)
    assert panel.weights() == {"jawOpen": 0.2, "cheekPuff": 0.5}
    panel.presets.setCurrentIndex(2)
    panel.presets.activated.emit(2)
    assert panel.weights() == {"mouthSmileLeft": 0.8}
    panel.back.click()
    assert panel.weights() == {"jawOpen": 0.2}


def test_a_search_leaves_what_it_names(panel) -> None:
    panel.filter.setText("smile left")
    assert [name for name, slider in panel.sliders.items() if slider.isVisible()] == ["mouthSmileLeft"]
    panel.filter.setText("no such thing")
    assert panel._none.isVisible()
    panel.filter.clear()
    assert not panel._none.isVisible()


def test_an_empty_window_offers_a_sample(qtbot) -> None:
    ground, asked = QWidget(), []
    qtbot.addWidget(ground)
    welcome = Welcome(ground)
    welcome.asked.connect(asked.append)
    ground.resize(500, 400)
    ground.show()
    assert welcome.size() == ground.size()
    for button in welcome.buttons.values():
        button.click()
    assert asked == ["photos", "folder", "sample"]
    assert SAMPLE.read_bytes()[:2] == b"\xff\xd8"
    assert not icon().pixmap(32, 32).isNull()


def test_compiling_is_told_with_a_bar_until_the_next_stage(qtbot) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    progress = Progress(window.statusBar(), lambda: None)
    window.show()
    progress.busy(True)
    progress.compile()
    assert "about 15 s" in progress.text.text()
    qtbot.waitUntil(lambda: progress.bar.value() > 0, timeout=5000)
    progress.say("Fitting the head …")
    assert progress.text.text() == "Fitting the head …"
    assert progress.bar.maximum() == 0
    progress.step(Advanced("files", 2, 4))
    assert (progress.bar.value(), progress.bar.maximum()) == (2, 4)
    progress.busy(False)
    assert not progress.bar.isVisible()


def test_sentences_advise_what_there_is_in_the_window() -> None:
    said = plain("Cannot write /a/b: it exists already; use --overwrite to replace it.")
    assert said == "Cannot write /a/b: it exists already; tick “Replace what was exported before”."
    assert "--" not in plain("a has 200 megapixels and at most 100 are read; make it smaller, or allow more with --y.")
    assert plain("Something new.") == "Something new."
