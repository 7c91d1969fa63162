"""Clips in the window."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", reason="the window needs the extra gui", exc_type=ImportError)
pytest.importorskip("pytestqt", reason="these tests need pytest-qt")

from PIL import Image as Pillow
from PySide6.QtCore import QPoint, Qt

from tronie.gui.client import Bench
from tronie.gui.player import Player

FRAMES = 12


@pytest.fixture
def clip(tmp_path):
    """Each frame is brighter than the one before."""
    pictures = [Pillow.fromarray(np.full((40, 60, 3), 10 + 15 * k, np.uint8)) for k in range(FRAMES)]
    path = tmp_path / "clip.webp"
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=50, lossless=True)
    return path


@pytest.fixture(scope="module")
def bench():
    made = Bench()
    yield made
    made.close()


@pytest.fixture
def player(qtbot, clip, bench):
    made = Player(bench)
    qtbot.addWidget(made)
    made.resize(1000, 500)  # wide enough for the length beside the time
    made.show()
    made.open(clip)
    qtbot.waitUntil(lambda: made.frame is not None, timeout=30_000)
    yield made
    made.pause()


def _bright(player: Player) -> int:
    return int(player.frame.image.mean())


def test_it_opens_at_the_first_frame_and_steps_both_ways(player, qtbot) -> None:
    assert _bright(player) == 10
    for by, index in ((1, 1), (1, 2), (-1, 1)):
        player.step(by)
        qtbot.waitUntil(lambda index=index: player.frame.index == index, timeout=10_000)
        assert _bright(player) == 10 + 15 * index


def test_it_plays_to_the_end_and_then_pauses(player, qtbot) -> None:
    seen = []
    player.shown.connect(lambda frame: seen.append(frame.index))
    player.play.click()
    qtbot.waitUntil(lambda: player.frame.index == FRAMES - 1, timeout=20_000)
    qtbot.waitUntil(lambda: not player._playing, timeout=10_000)
    assert seen == list(range(1, FRAMES))


def test_a_click_on_the_timeline_seeks_and_the_shown_frame_is_the_one_to_reconstruct(player, qtbot) -> None:
    wanted = []
    player.wanted.connect(lambda: wanted.append(player.frame.index))
    player.timeline.show_frame(0, FRAMES)
    at = QPoint(round(player.timeline.x_of(7)), 11)
    qtbot.mouseClick(player.timeline, Qt.MouseButton.LeftButton, pos=at)
    qtbot.waitUntil(lambda: player.frame.index == 7, timeout=10_000)
    player.capture.click()
    assert wanted == [7]
    assert _bright(player) == 10 + 15 * 7
    assert player.time.text().startswith("00:00:00:07 / ")
    assert player.number.text().startswith("frame 8 of ")


def test_only_the_marked_part_is_played(player, qtbot) -> None:
    seen = []
    player.timeline.show_frame(0, FRAMES)
    player.timeline.mark(3, 6)
    player.shown.connect(lambda frame: seen.append(frame.index))
    player.play.click()
    qtbot.waitUntil(lambda: len(seen) >= 4 and not player._playing, timeout=20_000)
    assert seen == [3, 4, 5, 6]
    assert player.track.text() == "Track marked part"


def test_beyond_the_end_is_the_last_frame(player, qtbot) -> None:
    player._ask(99)
    qtbot.waitUntil(lambda: player.frame.index == FRAMES - 1, timeout=10_000)
