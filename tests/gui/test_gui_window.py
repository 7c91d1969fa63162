"""The window, driven as a user drives it; what is asserted is what the user would see."""

from __future__ import annotations

from pathlib import Path

import pytest
from places import EXAMPLES

pytest.importorskip("PySide6.QtWidgets", reason="the window needs the extra gui", exc_type=ImportError)
pytest.importorskip("pytestqt", reason="these tests need pytest-qt")

from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtGui import QGuiApplication

from tronie.gui.app import make_application, use_language
from tronie.gui.theme import use_scheme
from tronie.gui.window import Window
from tronie.outputs import USUAL

GROUP = EXAMPLES / "group.jpg"
LONG = 180_000
"""Milliseconds that a photo may take on a busy machine, compiling included."""


@pytest.fixture
def window(qtbot, tmp_path):
    make_application()
    use_scheme("light")
    use_language("en")
    kept = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    made = Window(kept)
    made.exports.folder.setText(str(tmp_path / "out"))
    made.show()
    qtbot.waitUntil(lambda: bool(made.exports.ticks), timeout=20_000)
    yield made
    made.close()


def _faces(window: Window) -> list[str]:
    return [window.faces.item(k).text() for k in range(window.faces.count())]


def test_a_group_from_opening_to_the_exported_head(window, qtbot, tmp_path) -> None:
    if not GROUP.exists():
        pytest.skip("the examples lie in the repository, not in the package")
    # Three faces will do, without portraits: the test is to be quick.
    tree = {"detect": {"max_faces": 3}, "texture": {"size": 512}, "enhance": {"mode": "off"}, "only": "texture"}
    window.set_settings(type(window.settings).model_validate(tree))
    window.add([str(GROUP)])
    qtbot.waitUntil(lambda: window.stop_button.isVisible(), timeout=20_000)
    qtbot.waitUntil(lambda: window.session.summary is not None, timeout=LONG)
    assert window.stage.text() == "3 faces"
    assert not window.stop_button.isVisible()
    assert [text.split("   ")[0] for text in _faces(window)] == ["Face 1", "Face 2", "Face 3"]
    assert sorted(window.photo.boxes) == [1, 2, 3]

    # A click into the second face's box.
    box = window.photo.boxes[2]
    at = window.photo.mapFromScene(box.rect().center())
    qtbot.mouseClick(window.photo.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert box.chosen
    assert not window.photo.boxes[1].chosen
    assert window.faces.currentItem().text().startswith("Face 2")
    view = window.head.view
    qtbot.waitUntil(lambda: view.image is not None, timeout=LONG)

    def settled() -> bool:
        return view.sitter is not None and view._asked is None and not view._rest.isActive()

    qtbot.waitUntil(settled, timeout=LONG)
    before = view.image
    window.head.sliders["jawOpen"].setValue(100)
    qtbot.waitUntil(lambda: settled() and view.image != before, timeout=LONG)
    opened = view.image
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    qtbot.mouseMove(view, QPoint(180, 100))
    view.turn(36, 0)
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(180, 100))
    qtbot.waitUntil(lambda: settled() and view.image != opened, timeout=LONG)

    for name, tick in window.exports.ticks.items():
        tick.setChecked(name == "glb")
    # With the keyboard, while the folder is being typed.
    window.tabs.setCurrentWidget(window.exports)
    window.activateWindow()
    window.exports.folder.setFocus()
    qtbot.waitUntil(window.exports.folder.hasFocus, timeout=10_000)
    qtbot.keyClick(window.exports.folder, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    glb = tmp_path / "out" / "group" / "face-2" / "head.glb"
    qtbot.waitUntil(lambda: "Written to" in window.exports.message.text(), timeout=LONG)
    assert glb.read_bytes()[:4] == b"glTF"
    assert not (tmp_path / "out" / "group" / "face-1").exists()
    # Once more, without leave to replace: told in words, and nothing is lost.
    window.exports.one.click()
    qtbot.waitUntil(lambda: "exists already" in window.exports.message.text(), timeout=LONG)
    assert glb.exists()
    qtbot.waitUntil(lambda: window.exports.drag.data() is not None, timeout=LONG)
    dragged = window.exports.drag.data()
    assert Path(dragged.urls()[0].toLocalFile()).read_bytes()[:4] == b"glTF"


def test_cancelling_says_so_and_leaves_nothing_in_work(window, qtbot) -> None:
    if not GROUP.exists():
        pytest.skip("the examples lie in the repository, not in the package")
    window.add([str(GROUP)])
    qtbot.waitUntil(lambda: window.stop_button.isVisible(), timeout=20_000)
    window.stop_button.click()
    qtbot.waitUntil(lambda: not window.session.working and window.stage.text() == "Cancelled.", timeout=LONG)
    assert window.session.summary is None
    assert "Cancelled." in window.photos.item(0).text()
    assert not window.stop_button.isVisible()


@pytest.mark.slow
def test_closing_during_a_run_leaves_no_process_and_no_file(window, qtbot, tmp_path) -> None:
    window.add([str(GROUP)])
    qtbot.waitUntil(lambda: window.faces.count() > 0, timeout=LONG)
    window.session.save(False, tmp_path / "out", {"glb", "texture"}, False)
    process = window.session.bench.process
    window.close()
    assert not process.is_alive()
    left = list((tmp_path / "out").rglob("*")) if (tmp_path / "out").exists() else []
    assert left == [] or (tmp_path / "out" / "group" / "face-1" / "head.glb").exists()
    assert not [path for path in left if path.name.startswith(".")]


def test_a_broken_file_is_one_sentence_in_the_list(window, qtbot, tmp_path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
    window.add([str(broken)])
    qtbot.waitUntil(lambda: window.photos.count() == 1 and "damaged" in window.photos.item(0).text(), timeout=LONG)
    assert window.photos.item(0).text().count("\n") == 1
    qtbot.waitUntil(lambda: "damaged" in window.photo.hint, timeout=LONG)
    assert "damaged" in window.head.view.hint
    assert window.windowTitle().startswith("broken.jpg")
    assert window.photos.selected() == [broken]
    assert not any(action.isEnabled() for action in window.face_actions)
    assert not window.exports.one.isEnabled()


def test_a_folder_without_photos_is_told(window, qtbot, tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    window.add([str(tmp_path / "empty")])
    qtbot.waitUntil(lambda: "no photo in this folder" in window.stage.text(), timeout=20_000)
    assert window.photos.count() == 0
    assert str(tmp_path / "empty") in [action.text() for action in window.recent.actions()]


@pytest.fixture
def clip(tmp_path):
    """The example's face slides through ten frames of a moving picture."""
    from PIL import Image as Pillow

    if not (GROUP.parent / "astronaut.jpg").exists():
        pytest.skip("the examples lie in the repository, not in the package")
    whole = Pillow.open(GROUP.parent / "astronaut.jpg").convert("RGB").resize((400, 400))
    frames = [whole.crop((4 * k, 0, 4 * k + 320, 300)) for k in range(10)]
    path = tmp_path / "slide.webp"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=50, quality=95)
    return path


QUICK = {
    "texture": {"size": 512},
    "portrait": {"size": 256},
    "head": {"subdivide": 0},
    "enhance": {"mode": "off"},
    "outputs": [name for name in USUAL if not name.endswith("film")],
}


def test_a_clip_is_followed_and_its_head_moves_with_the_frames(window, qtbot, tmp_path, clip) -> None:
    window.set_settings(type(window.settings).model_validate(QUICK))
    window.add([str(clip)])
    qtbot.waitUntil(lambda: window.player.frame is not None, timeout=LONG)
    # One frame for itself first.
    window.player.capture.click()
    qtbot.waitUntil(lambda: window.session.summary is not None, timeout=LONG)
    assert _faces(window)[0].startswith("Face 1")
    window.player.step(1)
    qtbot.waitUntil(lambda: window.player.frame.index == 1 and not _faces(window), timeout=LONG)
    # Then all of them.
    window.player.track.click()
    qtbot.waitUntil(lambda: window.session.tracked is not None, timeout=LONG)
    assert _faces(window)[0].startswith("Person 1   seen in 100 %")
    assert (tmp_path / "out" / "slide" / "face-1" / "livelink.csv").exists()
    qtbot.waitUntil(lambda: window.head.view.sitter is not None, timeout=LONG)
    assert sorted(window.photo.boxes) == [1]
    shown = []
    for index in (0, 9, 5):
        window.player.seek(index)
        qtbot.waitUntil(lambda index=index: window.player.frame.index == index, timeout=LONG)
        shown.append((window.photo.boxes[1].rect().center().x(), window.head.view.view.yaw))
    assert shown[0][0] > shown[2][0] > shown[1][0]  # the crop moves to the right, the face to the left
    assert len({yaw for _, yaw in shown}) == 3
    # The portrait, the frame beside the head, and the files: as of a photo's face.
    qtbot.waitUntil(lambda: window.portrait.looks is not None, timeout=LONG)
    assert window.portrait.looks.after is not None
    window.head.beside.setCurrentIndex(2)
    qtbot.waitUntil(lambda: window.head.aside.picture is not None, timeout=LONG)
    window.exports.folder.setText(str(tmp_path / "elsewhere"))
    for name, tick in window.exports.ticks.items():
        tick.setChecked(name in ("glb", "motion", "ply", "html"))  # the last was not made with the clip
    window.export(False)
    qtbot.waitUntil(lambda: "Written to" in window.exports.message.text(), timeout=LONG)
    written = {path.name for path in (tmp_path / "elsewhere" / "slide" / "face-1").iterdir()}
    assert {"head.glb", "head.ply", "head.html", "livelink.csv", "frames.csv", "face.json"} <= written
    assert "frontal.png" not in written
    window.copy_portrait()
    assert not QGuiApplication.clipboard().image().isNull()
    # Opened again it is known.
    window.exports.folder.setText(str(tmp_path / "out"))
    window.session.tracked = None
    window.open(clip)
    qtbot.waitUntil(lambda: window.session.tracked is not None, timeout=LONG)
    assert _faces(window)[0].startswith("Person 1")


@pytest.mark.slow
def test_people_are_put_right_by_hand(window, qtbot, tmp_path, clip) -> None:
    from PIL import Image as Pillow
    from PIL import ImageSequence

    frames = [frame.convert("RGB") for frame in ImageSequence.Iterator(Pillow.open(clip))]
    frames = [*frames, *frames[-2::-1], *frames[1:]]  # no two alike in a row: they would be one
    frames[0].save(clip, save_all=True, append_images=frames[1:], duration=50, quality=95)
    window.set_settings(type(window.settings).model_validate(QUICK))
    window.add([str(clip)])
    qtbot.waitUntil(lambda: window.player.frame is not None, timeout=LONG)
    window.player.track.click()
    qtbot.waitUntil(lambda: window.session.tracked is not None, timeout=LONG)

    def people() -> list[list[tuple[int, int]]]:
        return [track.stays for track in window.session.tracked.people]

    assert people() == [[(0, 27)]]
    assert not window.desk.can_undo

    def split(frame: int) -> None:
        window.player.seek(frame)
        qtbot.waitUntil(lambda: window.session.frame == frame, timeout=LONG)
        window.desk.split()

    split(27)  # one frame, and none of those that are kept for heads
    qtbot.waitUntil(lambda: "No frame from here on shows the face well" in window.stage.text(), timeout=LONG)
    assert people() == [[(0, 27)]]
    split(8)
    qtbot.waitUntil(lambda: len(people()) == 2, timeout=LONG)
    assert people() == [[(0, 7)], [(8, 27)]]
    assert (tmp_path / "out" / "slide" / "face-2" / "head.glb").exists()
    window.desk.merge(2)
    qtbot.waitUntil(lambda: len(people()) == 1, timeout=LONG)
    window.desk.undo()
    qtbot.waitUntil(lambda: len(people()) == 2, timeout=LONG)
    window.desk.undo()
    qtbot.waitUntil(lambda: people() == [[(0, 27)]] and not window.desk.can_undo, timeout=LONG)


def test_following_a_clip_can_be_cancelled(window, qtbot, tmp_path, clip) -> None:
    window.set_settings(type(window.settings).model_validate(QUICK))
    window.add([str(clip)])
    qtbot.waitUntil(lambda: window.player.frame is not None, timeout=LONG)
    window.player.track.click()
    window.stop_button.click()
    qtbot.waitUntil(lambda: not window.session.working and window.stage.text() == "Cancelled.", timeout=LONG)
    assert window.session.tracked is None
    assert not (tmp_path / "out" / "slide").exists()


def test_a_camera_is_shown_with_heads_until_it_ends(window, qtbot, clip) -> None:
    shown = []
    window.session.filmed.connect(shown.append)
    window.film(str(clip))  # in a camera's place
    qtbot.waitUntil(lambda: window.stage.text() == "The camera has ended.", timeout=LONG)
    assert [picture.index for picture in shown] == list(range(10))
    assert not window.stop_button.isVisible()


def test_a_camera_that_is_not_there_is_one_sentence(window, qtbot) -> None:
    window.film("camera:97")
    qtbot.waitUntil(lambda: "Camera 97 cannot be opened" in window.stage.text(), timeout=LONG)
