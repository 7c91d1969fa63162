"""The view of a restored photo: what it asks for, what it shows, what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets")

from PySide6.QtCore import QObject, Signal

from tronie.gui.image_widgets import qimage
from tronie.gui.restore_dialog import RestoreDialog, what_was_done
from tronie.service import restore_tasks
from tronie.service.messages import RestoredLooks
from tronie.service.server import InterfaceJob
from tronie.service.workspace import Workspace
from tronie.settings import Settings

BEFORE, AFTER, COLOURED = (np.full((40, 60, 3), level, np.uint8) for level in (60, 120, 200))


class Line(QObject):
    """A queue of which the test is the other side."""

    told, done, failed = Signal(object, object), Signal(object, object), Signal(object, str)

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[Any, Any, tuple[Any, ...]]] = []
        self.busy = False

    def submit(self, key: Any, function: Any, *given: Any) -> None:
        self.asked.append((key, function, given))
        self.busy = True

    def cancel(self) -> None:
        self.busy = False

    def answer(self, number: int, result: Any) -> None:
        self.busy = False
        self.done.emit(self.asked[number][0], result)


def looks(**options: Any) -> RestoredLooks:
    facts = {"filled": 0.021, "faded": True, "untoned": True, "grain": False, "faces": 2, "factor": 2}
    return RestoredLooks(BEFORE, AFTER, **{"coloured": None, **facts, **options})


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def dialog(line: Line, qtbot, tmp_path: Path) -> RestoreDialog:
    made = RestoreDialog(line, Path("old.jpg"), Settings(), tmp_path, False)  # type: ignore[arg-type]
    qtbot.addWidget(made)
    return made


def test_before_and_after_are_shown_when_they_are_there(dialog: RestoreDialog, line: Line) -> None:
    (key, function, given), *_ = line.asked
    assert function is restore_tasks.restore_photo
    assert given == (Path("old.jpg"), key[1])
    assert key[1].job == "restore"
    assert not dialog.save.isEnabled()
    line.answer(0, looks())
    assert dialog.compare.before == qimage(BEFORE)
    assert dialog.compare.after == qimage(AFTER)
    assert dialog.save.isEnabled()
    assert "2.1 %" in dialog.note.text()
    assert "colours" not in dialog.note.text()


def test_another_wish_is_another_restoration(dialog: RestoreDialog, line: Line) -> None:
    dialog.colour.setChecked(True)
    assert line.asked[-1][0][1].restore.colour
    line.answer(0, looks())
    assert dialog.looks is None, "what was asked for before is not shown"
    line.answer(1, looks(coloured=COLOURED))
    assert dialog.compare.after == qimage(COLOURED)
    assert "The colours are invented." in dialog.note.text()
    dialog.save.click()
    assert line.asked[-1][1] is restore_tasks.save_restored
    assert not dialog.save.isEnabled()


def test_what_goes_wrong_is_said(dialog: RestoreDialog, line: Line) -> None:
    line.failed.emit(line.asked[0][0], "old.jpg is empty.")
    assert dialog.note.text() == "old.jpg is empty."
    assert not dialog.save.isEnabled()


def test_nothing_done_is_said_too() -> None:
    nothing = looks(filled=0.0, faded=False, untoned=False, faces=0, factor=1)
    assert what_was_done(nothing, wanted_colour=False) == "Nothing had to be restored."
    assert "colours of its own" in what_was_done(nothing, wanted_colour=True)


def test_the_work_itself(tmp_path: Path) -> None:
    from PIL import Image as Pillow

    y, x = np.mgrid[:90, :120]
    old = np.rint((50 + 0.6 * ((3 * x + 5 * y) % 250))[..., None] * np.array([1, 0.93, 0.8])).astype(np.uint8)
    Pillow.fromarray(old).save(tmp_path / "old.png")
    workspace, job = Workspace(), InterfaceJob(1, lambda told: None)
    settings = Settings.model_validate({"job": "restore", "restore": {"damage": "off"}})
    made = restore_tasks.restore_photo(workspace, job, tmp_path / "old.png", settings)
    assert (made.faded, made.untoned, made.faces, made.coloured) == (True, True, 0, None)
    assert np.array_equal(made.before, old)
    folder = restore_tasks.save_restored(workspace, job, tmp_path / "old.png", tmp_path / "out", False)
    assert (folder / "restored.png").exists()
    workspace.close()
