"""The pictures of docs/gui.md: the window with the example photos. docs/images/make_gui.py [FOLDER]

FOLDER: no pictures for the page, but everything that the window shows, in sizes and colours, to be looked at:
[--sizes 900x600,1440x900] [--schemes light,dark] [--language en] [--scale 1] [--only WORD]

Wants no screen (QT_QPA_PLATFORM is offscreen where nothing else is said), and a font with Korean letters.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parents[1] / "examples"
SECONDS = 300.0
"""That one thing may take on a busy machine."""


@dataclass(frozen=True)
class Shot:
    """What a picture on the page shows: a state of the walk, and how."""

    state: str
    size: tuple[int, int]
    scheme: str = "light"
    language: str = "en"
    scale: int = 1


PAGE = {
    "gui-head": Shot("head-beside", (1440, 900)),
    "gui-clip": Shot("clip-tracked", (1440, 900), "dark"),
    "gui-clip-small": Shot("clip-export", (900, 600), "dark", "ko", 2),
    "gui-correct": Shot("correct-head", (1440, 900)),
    "gui-list": Shot("list", (900, 600)),
    "gui-person": Shot("person", (1440, 900)),
    "gui-portrait": Shot("portrait", (900, 600), "light", "ko", 2),
}


def film(path: Path) -> Path:
    """Two of the group, seen through a camera that sways and for a while turns away from one of them."""
    photo = cv2.resize(cv2.imread(str(EXAMPLES / "group.jpg")), None, fx=2.2, fy=2.2, interpolation=cv2.INTER_CUBIC)
    width, height, frames = 960, 540, 72
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 24, (width, height))
    for k in range(frames):
        t = k / (frames - 1)
        away = np.exp(-(((t - 0.72) / 0.1) ** 2))
        x = 690 + 25 * np.sin(9 * t) - 300 * away
        move = np.array([[1.0, 0.0, -x], [0.0, 1.0, -400 + 14 * np.cos(7 * t)]])
        turn = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), 2.5 * np.sin(6 * t), 1.0), [0, 0, 1]])
        frame = cv2.warpAffine(
            photo, (turn @ np.vstack([move, [0, 0, 1]]))[:2], (width, height), flags=cv2.INTER_LINEAR
        )
        writer.write(frame)
    writer.release()
    return path


class Walk:
    """Through the window, as a user goes."""

    def __init__(self, folder: Path, language: str) -> None:
        from PySide6.QtCore import QSettings

        from tronie.gui.app import make_application, use_language
        from tronie.gui.window import Window

        self.folder = folder
        self.app = make_application()
        use_language(language)
        self.window = Window(QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat))
        self.window.exports.folder.setText("tronie-out")
        self.window.show()

    def until(self, ready: Callable[[], Any], what: str = "") -> None:
        end = time.monotonic() + SECONDS
        while not ready():
            self.app.processEvents()
            time.sleep(0.002)
            if time.monotonic() > end:
                raise TimeoutError(f"{what} {self.window.stage.text()}")

    def rest(self, seconds: float = 0.5) -> None:
        """Until the pictures are made and nothing moves any more."""
        view, pictures = self.window.head.view, self.window.session.pictures
        end = time.monotonic() + seconds
        while (
            time.monotonic() < end
            or pictures.busy
            or (view.sitter is not None and view.isVisible() and (view._asked or view._rest.isActive()))
        ):
            self.app.processEvents()
            time.sleep(0.002)

    def open(self, *paths: Path) -> None:
        window = self.window
        window.add([str(path) for path in paths])
        self.until(lambda: window.session.path == paths[0])
        self.until(lambda: window.session.summary is not None and not window.session.working, "a photo")
        self.rest()

    def states(self, wanted: Callable[[str], bool]) -> Iterator[tuple[str, Any]]:
        """Name and widget of everything there is to see."""
        window = self.window
        head, session = window.head, window.session
        yield "welcome", window
        self.until(lambda: bool(window.exports.ticks))
        window.set_settings(window.settings.model_copy(update={}))
        tree = {"detect": {"max_faces": 5}}
        window.set_settings(type(window.settings).model_validate(tree))
        window.add([str(EXAMPLES / "group.jpg")])
        self.until(lambda: len(window.photo.boxes) > 3)
        if wanted("working"):
            yield "working", window
        self.until(lambda: session.summary is not None and not session.working)
        window.faces.choose(2)
        self.rest()
        yield "head", window
        head.beside.setCurrentIndex(2)
        self.rest()
        yield "head-beside", window
        for k, name in ((1, "portrait"), (2, "enhanced"), (3, "export")):
            window.tabs.setCurrentIndex(k)
            self.rest()
            yield name, window
        window.tabs.setCurrentIndex(0)
        head.beside.setCurrentIndex(0)
        for mode in ("provenance", "uncertainty"):
            head.mode.setCurrentIndex(head.mode.findData(mode))
            self.rest()
            yield mode, window
        head.mode.setCurrentIndex(0)
        yield from self.correcting()
        broken = self.folder / "a photo with a long name that somebody cut off.jpg"
        broken.write_bytes((EXAMPLES / "group.jpg").read_bytes()[:4000])
        nobody = self.folder / "nobody.png"
        cv2.imwrite(str(nobody), np.full((300, 400, 3), (150, 190, 200), np.uint8))
        window.add([str(nobody)])
        self.until(lambda: window.photos.item_of(nobody) and session.path == nobody and not session.working)
        self.rest()
        yield "nobody", window
        window.add([str(broken)])
        self.until(
            lambda: (
                (window.photos.item_of(broken) and "damaged" in window.photos.item_of(broken).toolTip())
                or (not session.working and session.path == broken)
            )
        )
        self.rest()
        yield "broken", window
        yield from self.person()
        yield from self.clip(wanted)
        yield from self.dialogs()

    def correcting(self) -> Iterator[tuple[str, Any]]:
        window = self.window
        self.open(EXAMPLES / "astronaut.jpg")
        window.correction.edit(True)
        self.until(lambda: window.correction.points is not None)
        self.rest()
        yield "correct", window
        self.window.head.beside.setCurrentIndex(0)
        self.pull(window.photo.viewport(), self.on_photo(61), (-12, -8))
        self.rest(2)
        self.until(lambda: not window.session.working)
        self.rest()
        yield "correct-photo", window
        window.head.view.look_at(yaw=-32.0, pitch=4.0)
        self.rest()
        self.pull(window.head.view, self.on_head(4), (-window.head.view.width() // 30, 2), let_go=False)
        self.rest()
        yield "correct-head", window
        window.head.view.layer.release()
        window.correction.release()
        self.rest(2)
        self.until(lambda: not window.session.working)
        window.correction.edit(False)
        window.head.view.reset()
        self.rest()

    def on_photo(self, row: int) -> Any:
        return self.window.photo.mapFromScene(self.window.photo.layer.place(row))

    def on_head(self, row: int) -> Any:
        from PySide6.QtCore import QPoint

        x, y = self.window.head.view.layer._places()[row]
        return QPoint(round(x), round(y))

    def pull(self, widget: Any, start: Any, by: tuple[int, int], let_go: bool = True) -> None:
        """A point with the mouse, in ten steps."""
        from PySide6.QtCore import QPoint, Qt
        from PySide6.QtTest import QTest

        QTest.mousePress(widget, Qt.MouseButton.LeftButton, pos=start)
        for k in range(1, 11):
            at = start + QPoint(round(by[0] * k / 10), round(by[1] * k / 10))
            QTest.mouseMove(widget, at)
            self.rest(0.1)
        if let_go:
            QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=at)

    def person(self) -> Iterator[tuple[str, Any]]:
        from tronie.gui.welcome import SAMPLE

        window = self.window
        self.open(SAMPLE)
        for path in window.photos.all_paths():
            window.photos.item_of(path).setSelected(path in (SAMPLE, EXAMPLES / "astronaut.jpg"))
        window.one_person()
        self.until(lambda: window.session.summary is not None and not window.session.working)
        self.rest()
        yield "person", window

    def clip(self, wanted: Callable[[str], bool]) -> Iterator[tuple[str, Any]]:
        window, path = self.window, film(self.folder / "talk.mp4")
        window.exports.folder.setText(str(self.folder / "out"))
        window.add([str(path)])
        self.until(lambda: window.player.frame is not None and window.player.path == path)
        self.rest()
        yield "clip", window
        window.player.track.click()
        if wanted("tracking"):
            self.until(lambda: len(window.photo.boxes) > 1)
            yield "tracking", window
        self.until(lambda: window.session.tracked is not None)
        window.player.seek(12)
        window.player.mark_in()
        window.player.seek(60)
        window.player.mark_out()
        window.player.seek(30)
        window.head.beside.setCurrentIndex(2)
        self.until(lambda: window.session.frame == 30)
        self.rest(1)
        window.exports.folder.setText("tronie-out")
        window.say("")  # where it was written is no matter here
        yield "clip-tracked", window
        window.tabs.setCurrentIndex(3)
        self.rest()
        yield "clip-export", window
        window.tabs.setCurrentIndex(1)
        self.rest()
        yield "clip-portrait", window
        window.tabs.setCurrentIndex(0)
        window.head.beside.setCurrentIndex(0)
        window.photos.choose(EXAMPLES / "group.jpg")
        self.until(lambda: window.session.summary is not None and not window.session.working)
        window.faces.choose(2)
        self.rest()
        yield "list", window

    def dialogs(self) -> Iterator[tuple[str, Any]]:
        from PySide6.QtWidgets import QDialog

        from tronie.gui import menus
        from tronie.gui.models_dialog import ModelsDialog
        from tronie.gui.settings_dialog import SettingsDialog

        window = self.window

        def opened(what: Callable[[], Any], kind: type[QDialog] = QDialog) -> Any:
            before = set(window.findChildren(kind))
            what()
            made = next(d for d in window.findChildren(kind) if d not in before)
            self.rest(0.3)
            return made

        settings = opened(window.ask_settings, SettingsDialog)
        for row in range(settings.names.count()):
            settings.names.setCurrentRow(row)
            self.rest(0.1)
            yield f"settings-{row}", settings
        settings.reject()
        models = opened(window.show_models, ModelsDialog)
        self.until(lambda: models.table.rowCount())
        self.rest(0.3)
        yield "models", models
        models.reject()
        for name, what in (("keys", menus.shortcuts), ("about", menus.show_about)):
            box = opened(lambda what=what: what(window))
            yield name, box
            box.reject()
        for action in window.menuBar().actions():
            menu = action.menu()
            if menu is not None:
                menu.popup(window.mapToGlobal(window.rect().topLeft()))
                self.rest(0.1)
                yield f"menu-{window.menuBar().actions().index(action)}", menu
                menu.hide()


def walk(given: argparse.Namespace) -> None:
    """Everything, in one language and scale."""
    from PySide6.QtWidgets import QMainWindow

    from tronie.gui.theme import use_scheme

    sizes = [tuple(map(int, size.split("x"))) for size in given.sizes.split(",")]
    with tempfile.TemporaryDirectory() as scratch:
        made = Walk(Path(scratch), given.language)
        made.window.resize(*sizes[0])
        for name, widget in made.states(lambda name: given.only in name):
            print(name, flush=True)
            if given.only not in name:
                continue
            for scheme in given.schemes.split(","):
                use_scheme(scheme)
                for size in sizes if isinstance(widget, QMainWindow) else sizes[:1]:
                    if isinstance(widget, QMainWindow):
                        widget.resize(*size)
                    made.rest(0.1)
                    label = f"{name}-{size[0]}-{scheme}-{given.language}-{given.scale}.png"
                    widget.grab().save(str(given.folder / label))
        made.window.close()


def page(language: str, scale: int) -> None:
    """The page's pictures of one language and scale."""
    from tronie.gui.theme import use_scheme

    shots = {name: shot for name, shot in PAGE.items() if (shot.language, shot.scale) == (language, scale)}
    wanted = {shot.state for shot in shots.values()}
    with tempfile.TemporaryDirectory() as scratch:
        made = Walk(Path(scratch), language)
        window = made.window
        window.resize(*max(shot.size for shot in shots.values()))
        use_scheme("light")
        for state, _ in made.states(wanted.__contains__):
            for name, shot in shots.items():
                if shot.state == state:
                    size = window.size()
                    use_scheme(shot.scheme)
                    window.resize(*shot.size)
                    made.rest()
                    window.grab().save(str(HERE / f"{name}.jpg"), "JPG", 82)
                    print(name, flush=True)
                    window.resize(size)
            wanted.discard(state)
            if not wanted:
                break
        window.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--sizes", default="900x600,1440x900")
    parser.add_argument("--schemes", default="light,dark")
    parser.add_argument("--language", default="en")
    parser.add_argument("--scale", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--page", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ["QT_SCALE_FACTOR"] = str(given.scale)
    if given.page:
        page(given.language, given.scale)
    elif given.folder is None:
        for language, scale in sorted({(shot.language, shot.scale) for shot in PAGE.values()}):
            how = "--page", "--language", language, "--scale", str(scale)
            subprocess.run([sys.executable, __file__, *how], check=True)
    else:
        given.folder.mkdir(parents=True, exist_ok=True)
        walk(given)


if __name__ == "__main__":
    main()
