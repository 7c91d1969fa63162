"""Work on many: the list, and the queue that writes files."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", reason="the window needs the extra gui", exc_type=ImportError)
pytest.importorskip("pytestqt", reason="these tests need pytest-qt")

from PySide6.QtCore import Qt

from tronie.errors import InputError
from tronie.export.overview import COLUMNS, ROWS, Row, pages
from tronie.gui import batch as batch_module
from tronie.gui.batch import Batch
from tronie.gui.client import Bench
from tronie.gui.photo_list import SAID, SORTS, PhotoList
from tronie.gui.shelf import SHOWN, Shelf
from tronie.pipelines.outcome import Outcome
from tronie.service.messages import PhotoState
from tronie.settings import Settings

NAMES = ("Zoe.jpg", "anna.jpg", "mia.mp4", "broken.png")


@pytest.fixture
def shelf(qtbot, tmp_path):
    made = Shelf(PhotoList())
    qtbot.addWidget(made)
    made.resize(210, 500)
    made.show()
    for name in NAMES:
        made.photos.add(tmp_path / name)
    made.photos.say(tmp_path / "Zoe.jpg", "3 faces", PhotoState.DONE, 3)
    made.photos.say(tmp_path / "anna.jpg", "1 face", PhotoState.DONE, 1)
    made.photos.say(tmp_path / "broken.png", "The file is damaged.", PhotoState.FAILED)
    return made


def shown(shelf: Shelf) -> list[str]:
    return [path.name for path in shelf.photos.paths()]


def test_the_list_is_sorted_and_nothing_gets_lost(shelf) -> None:
    for order in SORTS:
        shelf.sorting[order].setChecked(True)
        assert sorted(shown(shelf)) == sorted(NAMES)
    shelf.sorting["name"].setChecked(True)
    assert shown(shelf) == ["anna.jpg", "broken.png", "mia.mp4", "Zoe.jpg"]
    shelf.sorting["faces"].setChecked(True)
    assert shown(shelf)[:2] == ["Zoe.jpg", "anna.jpg"]
    shelf.sorting["state"].setChecked(True)
    assert shown(shelf)[0] == "broken.png"
    shelf.sorting["added"].setChecked(True)
    assert tuple(shown(shelf)) == NAMES


def test_sorting_keeps_what_is_chosen_and_opens_nothing(shelf) -> None:
    shelf.photos.setCurrentRow(0)
    opened = []
    shelf.photos.chosen.connect(opened.append)
    shelf.sorting["name"].setChecked(True)
    assert opened == []
    assert [path.name for path in shelf.photos.selected()] == ["Zoe.jpg"]
    assert shelf.photos.currentItem().text().startswith("Zoe.jpg")


def test_words_and_states_are_found(shelf, qtbot) -> None:
    qtbot.keyClicks(shelf.filter, "an")
    assert shown(shelf) == ["anna.jpg"]
    shelf.filter.setText("damaged")  # in its sentence
    assert shown(shelf) == ["broken.png"]
    shelf.filter.clear()
    shelf.showing["done"].setChecked(True)
    assert shown(shelf) == ["Zoe.jpg", "anna.jpg"]
    assert shelf.count.text() == "2 of 4"
    shelf.showing["failed"].setChecked(True)
    assert shown(shelf) == ["broken.png"]
    states = set().union(*(states or () for states in SHOWN.values()))
    assert states == set(PhotoState)  # none is in no part


def test_delete_takes_the_selected_away_and_the_next_is_opened(shelf, qtbot, tmp_path) -> None:
    removed, opened = [], []
    shelf.removed.connect(removed.append)
    shelf.photos.setCurrentRow(1)
    shelf.photos.chosen.connect(opened.append)
    qtbot.keyClick(shelf.photos, Qt.Key.Key_Delete)
    assert removed == [[tmp_path / "anna.jpg"]]
    assert opened == [tmp_path / "mia.mp4"]
    shelf.photos.selectAll()
    qtbot.keyClick(shelf.photos, Qt.Key.Key_Delete)
    assert shelf.photos.count() == 0
    assert not shelf.export.isEnabled()


def test_what_is_opened_is_selected_alone(shelf, tmp_path) -> None:
    """Delete takes all that are selected."""
    for name in NAMES:
        shelf.photos.choose(tmp_path / name)
        assert shelf.photos.selected() == [tmp_path / name]
    shelf.photos.choose(tmp_path / "anna.jpg")
    shelf.remove_selected()
    assert [path.name for path in shelf.photos.selected()] == ["mia.mp4"]


def test_a_sentence_does_not_repeat_the_name_above_it(shelf, tmp_path) -> None:
    path = tmp_path / "broken.png"
    shelf.photos.say(path, f"{path} is damaged or cut off.", PhotoState.FAILED)
    assert shelf.photos.item_of(path).data(SAID) == "… is damaged or cut off."
    assert "broken.png is damaged" in shelf.photos.item_of(path).toolTip()


def test_the_context_menu_is_of_the_selected_ones(shelf, tmp_path) -> None:
    asked, removed = [], []
    shelf.exporting.connect(asked.append)
    shelf.removed.connect(removed.append)
    assert shelf.context_menu() is None
    for row in (0, 2):
        shelf.photos.item(row).setSelected(True)
    actions = shelf.context_menu().actions()
    assert actions[0].text() == "Export these 2"
    actions[0].trigger()
    actions[-1].trigger()
    assert asked == removed == [[tmp_path / "Zoe.jpg", tmp_path / "mia.mp4"]]
    assert shown(shelf) == ["anna.jpg", "broken.png"]


def write(workspace, job, path, folder, name, outputs, settings, overwrite, clip):
    if "broken" in path.name:
        raise InputError("broken.png is damaged.")
    while "slow" in path.name:
        job.check()
        time.sleep(0.01)
    (folder / f"{name}.txt").write_text(str(clip))
    return Outcome(str(path), folder / name, "ok", 2)


@pytest.fixture(scope="module")
def bench():
    made = Bench()
    yield made
    made.close()


@pytest.fixture
def queue(qtbot, bench, monkeypatch):
    monkeypatch.setattr(batch_module, "batch_tasks", SimpleNamespace(work_off=write))
    return Batch(bench)


def test_one_that_fails_does_not_stop_the_others(queue, qtbot, tmp_path) -> None:
    paths = [tmp_path / "a.jpg", tmp_path / "broken.png", tmp_path / "b" / "a.jpg", tmp_path / "m.mp4"]
    states: dict[Path, list[PhotoState]] = {path: [] for path in paths}
    queue.noted.connect(lambda path, text, state, faces: states[path].append(state))
    steps = []
    queue.progressed.connect(lambda done, total: steps.append((done, total)))
    with qtbot.waitSignal(queue.ended, timeout=60_000) as ended:
        queue.start(paths, paths, {paths[3]}, (tmp_path, {"glb"}, Settings(), False))
    assert ended.args == ["3 of 4 exported"]
    assert states[paths[0]] == [PhotoState.WAITING, PhotoState.WORKING, PhotoState.DONE]
    assert states[paths[1]][-1] is PhotoState.FAILED
    assert steps[0] == (0, 4)
    assert steps[-1] == (4, 4)
    # Two of one name have a folder each, and what moves is known to.
    assert {file.name: file.read_text() for file in tmp_path.glob("*.txt")} == {
        "a.txt": "False",
        "a-2.txt": "False",
        "m.txt": "True",
    }


def test_stopping_gives_up_what_is_in_work_and_what_waits(queue, qtbot, tmp_path) -> None:
    paths = [tmp_path / "slow.jpg", tmp_path / "c.jpg"]
    last: dict[Path, PhotoState] = {}
    queue.noted.connect(lambda path, text, state, faces: last.update({path: state}))
    queue.start(paths, paths, set(), (tmp_path, {"glb"}, Settings(), False))
    qtbot.waitUntil(lambda: last[paths[0]] is PhotoState.WORKING, timeout=60_000)
    with qtbot.waitSignal(queue.ended, timeout=60_000):
        queue.cancel()
    assert set(last.values()) == {PhotoState.NEW}
    assert not (tmp_path / "c.txt").exists()
    assert not queue.busy


def test_a_sheet_of_many_has_a_tile_for_each_picture() -> None:
    red, blue = (np.full((40, 30, 3), color, np.uint8) for color in ((200, 0, 0), (0, 0, 200)))
    rows = [Row(f"{k}.jpg", red, (blue,) * (k % 3), k % 3) for k in range(COLUMNS * ROWS + 1)]
    made = pages([*rows, Row("gone.jpg", None, (), 0)])
    assert len(made) == 2
    counts = [int((page == color).all(axis=-1).sum()) for page in made for color in ((200, 0, 0), (0, 0, 200))]
    assert counts[0] // counts[2] == COLUMNS * ROWS
    assert counts[1] > 0
