"""The main window: photos at the left, the photo with its faces, and what was made of the selected face."""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSettings, Qt, QTimer
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import (
    QFileDialog,
    QLabel,
    QMainWindow,
    QMenu,
    QProgressBar,
    QPushButton,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from tronie.gui import menus, work
from tronie.gui.app import use_scheme
from tronie.gui.export_panel import ExportPanel
from tronie.gui.head_panel import HeadPanel
from tronie.gui.lines import Line
from tronie.gui.lists import FaceList, PhotoList
from tronie.gui.photo_view import PhotoView
from tronie.gui.pictures import qimage
from tronie.gui.player import Player
from tronie.gui.portrait_panel import EnhancedPanel, PortraitPanel
from tronie.gui.words import tr

if TYPE_CHECKING:
    from tronie.render.figure import Figure
    from tronie.settings import FrontalSettings, Settings
    from tronie.types import Face, Photo, Result
    from tronie.video.clip import Frame

KEPT_FACES = 24
"""Results are kept until they hold more faces: about 26 MB each."""
RECENT = 10


class Window(QMainWindow):
    """`kept` is what is remembered from one time to the next."""

    recent: QMenu
    stop_action: QAction

    def __init__(self, kept: QSettings) -> None:
        super().__init__()
        self.kept = kept
        self.work, self.files, self.thumbs, self.shapes = (Line(self) for _ in range(4))
        self.jobs = work.Work()
        self.results: OrderedDict[Path, Result] = OrderedDict()
        self.figures: OrderedDict[tuple[Path, int], Figure] = OrderedDict()
        self.portraits: dict[tuple[Path, int], FrontalSettings] = {}
        """What each portrait was made with."""
        self.path: Path | None = None
        self.opened: Photo | None = None
        self.shown: dict[int, Face] = {}
        self.index: int | None = None
        self._settings: Settings | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._build()
        for line, done in (
            (self.work, self._worked), (self.files, self._filed), (self.thumbs, self._listed),
            (self.shapes, self._shaped),
        ):  # fmt: skip
            line.done.connect(done)
            line.failed.connect(self._failed)
        self.work.told.connect(self._told)
        self.work.stopped.connect(self._stopped)
        self.files.stopped.connect(self._stopped)
        if (geometry := kept.value("geometry")) is not None:
            self.restoreGeometry(geometry)
        self._hint()
        # What takes long to import is fetched when the window is there.
        QTimer.singleShot(50, self._later)

    def _build(self) -> None:
        self.setWindowTitle("tronie")
        self.setAcceptDrops(True)
        self.resize(1280, 800)
        self.photos, self.photo, self.faces = PhotoList(), PhotoView(), FaceList()
        self.head, self.portrait, self.enhanced = HeadPanel(), PortraitPanel(), EnhancedPanel()
        self.exports = ExportPanel(self._drag_file, self.copy_portrait)
        self.player = Player()
        self.player.shown.connect(self._frame)
        self.player.wanted.connect(self._frame_faces)
        self.player.failed.connect(lambda text: self._failed(("photo", self.path), text))
        self.photos.chosen.connect(self.open_photo)
        self.photo.chosen.connect(self.faces.choose)
        self.faces.chosen.connect(self.choose)
        self.portrait.wanted.connect(self._frontal_options)
        self.exports.wanted.connect(self.export)
        if (folder := self.kept.value("folder")) is not None:
            self.exports.folder.setText(str(folder))
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.photo, 1)
        column.addWidget(self.player)
        column.addWidget(self.faces)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        for page, title in (
            (self.head, tr("Head")), (self.portrait, tr("Portrait")), (self.enhanced, tr("Enhanced")),
            (self.exports, tr("Export")),
        ):  # fmt: skip
            self.tabs.addTab(page, title)
        split = QSplitter(Qt.Orientation.Horizontal)
        for widget, stretch in ((self.photos, 0), (middle, 3), (self.tabs, 2)):
            split.addWidget(widget)
            split.setStretchFactor(split.count() - 1, stretch)
        split.setSizes([210, 590, 480])
        split.setCollapsible(1, False)
        self.setCentralWidget(split)
        self.stage, self.progress = QLabel(), QProgressBar()
        self.progress.setFixedWidth(160)
        self.progress.setTextVisible(False)
        self.progress.hide()
        self.stop_button = QPushButton(tr("Cancel"))
        self.stop_button.clicked.connect(self.cancel)
        self.stop_button.hide()
        self.statusBar().addWidget(self.stage, 1)
        self.statusBar().addPermanentWidget(self.progress)
        self.statusBar().addPermanentWidget(self.stop_button)
        menus.build(self)
        self._fill_recent()

    def _later(self) -> None:
        from tronie.io.outputs import FORMATS

        settings = self.settings
        self.portrait.set_options(settings.frontal)
        self.exports.set_options(FORMATS, settings.export)

    @property
    def settings(self) -> Settings:
        """The library's settings as the user left them."""
        if self._settings is None:
            from pydantic import ValidationError

            from tronie.settings import Settings

            try:
                self._settings = Settings.model_validate_json(str(self.kept.value("settings", "{}")))
            except ValidationError:  # of another version
                self._settings = Settings()
        return self._settings

    def set_settings(self, settings: Settings) -> None:
        """Use other settings: what was made with the old ones is made again."""
        if settings == self.settings:
            return
        self._settings = settings
        self.kept.setValue("settings", settings.model_dump_json())
        self._later()
        self.results.clear()
        self.figures.clear()
        self.portraits.clear()
        if self.path is not None:
            self.open_photo(self.path)

    # Photos

    def ask_photos(self) -> None:
        from tronie.io.images import IMAGE_SUFFIXES
        from tronie.video.clip import VIDEO_SUFFIXES

        kinds = " ".join(f"*{suffix}" for suffix in sorted(IMAGE_SUFFIXES | VIDEO_SUFFIXES))
        title = f"{tr('Photos and videos')} ({kinds});;{tr('All files')} (*)"
        files, _ = QFileDialog.getOpenFileNames(self, tr("Open photos"), self._last_folder(), title)
        self.add(files)

    def ask_folder(self) -> None:
        if folder := QFileDialog.getExistingDirectory(self, tr("Open folder"), self._last_folder()):
            self.add([folder])

    def _last_folder(self) -> str:
        recent = self._recent()
        return str(Path(recent[0]).parent) if recent else ""

    def add(self, given: list[str]) -> None:
        """Files and folders into the list; the first new photo is opened."""
        if given:
            self._remember(given)
            self.say(tr("Looking for photos …"))
            self.thumbs.submit(("find", tuple(given)), lambda tell: work.photo_paths(given))

    def _listed(self, key: Any, result: Any) -> None:
        if key[0] == "thumb":
            self.photos.show_thumbnail(key[1], result)
            return
        paths, problems = result
        self.say(" ".join(problems))
        new = [path for path in paths if self.photos.add(path)]
        for path in new:
            self.thumbs.submit(("thumb", path), work.thumbnail(path))
        if paths:
            self.photos.choose((new or paths)[0])

    def open_photo(self, path: Path) -> None:
        """Show a photo, and do its faces unless that is done."""
        self.work.cancel()
        self.path = path
        self.player.open(None)
        self._no_faces()
        if work.is_clip(path):
            self.photo.show_photo(None, tr("Reading {name} …").format(name=path.name))
            self.player.open(path)
            return
        if (result := self.results.get(path)) is not None:
            self.results.move_to_end(path)
            self._show_photo(result.photo)
            for face in result.faces:
                self._add_face(face)
            self._summary(result)
            return
        self.photo.show_photo(None, tr("Reading {name} …").format(name=path.name))
        self.work.submit(("photo", path), self.jobs.photo(path, self.settings))
        self._busy(True)

    def _no_faces(self) -> None:
        self.opened, self.index = None, None
        self.shown = {}
        self.faces.clear()
        self._show_face()

    def _frame(self, frame: Frame) -> None:
        """A clip's frame, as it plays."""
        if self.shown or self.work.busy:
            self.work.cancel()
            self._no_faces()
        if self.path is not None:
            self.results.pop(self.path, None)
        self.photo.show_frame(frame.image)

    def _frame_faces(self, frame: Frame) -> None:
        """Reconstruct the frame that is shown."""
        from tronie.types import Photo

        path = self.path
        assert path is not None
        self.player.pause()
        self._no_faces()
        for key in [key for key in self.figures if key[0] == path]:
            del self.figures[key]
        photo = Photo(frame.image, name=f"{path.stem}-{frame.index:05d}", source=str(path))
        self.work.submit(("photo", path), self.jobs.photo(photo, self.settings))
        self._busy(True)

    def _show_photo(self, photo: Photo) -> None:
        self.opened = photo
        self.photo.show_photo(photo.image)
        self.setWindowTitle(f"{photo.name} – tronie")

    def _add_face(self, face: Face) -> None:
        self.shown[face.index] = face
        self.photo.add_face(face)
        self.faces.add(face)
        if self.index is None:
            self.faces.choose(face.index)

    def _summary(self, result: Result) -> None:
        count = len(result.faces)
        text = (
            tr("No face was found.") if not count else tr("1 face") if count == 1 else tr("{n} faces").format(n=count)
        )
        self.photos.say(result_path(self, result), text)
        notes = "; ".join(result.photo.notes)
        self.say("   ".join(filter(None, (text, notes))))
        if not count:
            self._hint()

    # What the lines say

    def _told(self, key: Any, what: Any) -> None:
        if key[0] != "photo" or key[1] != self.path:
            if isinstance(what, work.Stage) and key[0] == "portrait":
                self.say(tr("Making the portrait …"))
            return
        if isinstance(what, work.Stage):
            text = stage_text(what.name)
            self.say(tr("Face {n}: {stage} …").format(n=what.face + 1, stage=text) if what.face else f"{text} …")
        elif hasattr(what, "image") and hasattr(what, "source"):
            self._show_photo(what)
        else:
            self.portraits[(key[1], what.index)] = self.settings.frontal
            self._add_face(what)

    def _worked(self, key: Any, result: Any) -> None:
        self._busy(self.work.busy)
        if key[0] == "portrait":
            self._new_portrait(key[1], result)
            return
        path = key[1]
        self.results[path] = result
        while len(self.results) > 1 and sum(len(r.faces) for r in self.results.values()) > KEPT_FACES:
            self.results.popitem(last=False)
        if path == self.path:
            self._summary(result)

    def _failed(self, key: Any, sentence: str) -> None:
        self._busy(self.work.busy or self.files.busy)
        if key[0] in ("photo", "thumb"):
            self.photos.say(key[1], sentence, bad=True)
            if key[1] == self.path:
                self.photo.show_photo(None, sentence)
                self.say(sentence)
        elif key[0] == "shape":
            self.head.show_figure(None, sentence)
        else:
            self.say(sentence)
            if key[0] in ("save", "drag"):
                self.exports.say(sentence)

    def _stopped(self, key: Any) -> None:
        busy = self.work.busy or self.files.busy
        self._busy(busy)
        if key[0] == "photo" and key[1] == self.path and not busy:
            self.photos.say(key[1], tr("Cancelled."))
            self.say(tr("Cancelled."))
            if self.opened is None:
                self.photo.show_photo(None, tr("Cancelled."))
        elif key[0] == "save":
            self.exports.say(tr("Cancelled; nothing was written."))

    def cancel(self) -> None:
        """Stop what is in work at its next step."""
        self.work.cancel()
        self.files.cancel()

    def _busy(self, busy: bool) -> None:
        self.progress.setRange(0, 0 if busy else 1)
        self.progress.setVisible(busy)
        self.stop_button.setVisible(busy)
        self.stop_action.setEnabled(busy)

    def say(self, text: str) -> None:
        self.stage.setText(text)
        self.stage.setToolTip(text)

    # The selected face

    @property
    def face(self) -> Face | None:
        return None if self.index is None else self.shown.get(self.index)

    def choose(self, index: int) -> None:
        self.index = index
        self.photo.choose(index)
        self._show_face()

    def _show_face(self) -> None:
        face, path = self.face, self.path
        self.exports.enable(face is not None and face.head is not None)
        hint = self._why_nothing(face)
        self.portrait.show_face(self.opened, face, hint)
        self.enhanced.show_face(face)
        self.tabs.setTabEnabled(2, face is not None and face.enhanced is not None)
        if face is None or path is None or face.head is None:
            self.head.show_figure(None, hint)
            return
        key = (path, face.index)
        if (figure := self.figures.get(key)) is not None:
            self.head.show_figure(figure)
        else:
            self.head.show_figure(None, tr("Preparing the head …"))
            self.shapes.submit(("shape", key, face), work.figure(face), alone=True)
        if face.frontal is not None and self.portraits.get(key, self.settings.frontal) != self.settings.frontal:
            self._make_portrait(face)

    def _why_nothing(self, face: Face | None) -> str:
        if face is None:
            return tr("Select a face in the photo.") if self.path is not None else tr("Heads appear here.")
        if face.error:
            return tr("This face could not be finished: {error}").format(error=face.error)
        return tr("The settings ask for no portrait (Settings, General).")

    def _shaped(self, key: Any, figure: Any) -> None:
        place = key[1]
        self.figures[place] = figure
        while len(self.figures) > 3:
            self.figures.popitem(last=False)
        if place == (self.path, self.index):
            self.head.show_figure(figure)

    def _frontal_options(self) -> None:
        frontal = self.portrait.options(self.settings.frontal)
        if frontal == self.settings.frontal:
            return
        self._settings = self.settings.model_copy(update={"frontal": frontal})
        self.kept.setValue("settings", self._settings.model_dump_json())
        if (face := self.face) is not None and face.frontal is not None:
            self._make_portrait(face)

    def _make_portrait(self, face: Face) -> None:
        if self.path is not None and self.opened is not None:
            key = ("portrait", (self.path, face.index), self.settings.frontal)
            self.work.submit(key, self.jobs.portrait(self.opened, face, self.settings))
            self._busy(True)

    def _new_portrait(self, place: tuple[Path, int], face: Face) -> None:
        path, index = place
        if (result := self.results.get(path)) is not None:
            faces = tuple(face if f.index == index else f for f in result.faces)
            self.results[path] = replace(result, faces=faces)
        self.portraits[place] = self.settings.frontal
        if path == self.path and index in self.shown:
            self.shown[index] = face
            if index == self.index:
                self.portrait.show_face(self.opened, face)
        self.say("")

    # Files out

    def export(self, everything: bool) -> None:
        """Write the selected face, or all of the photo's."""
        self.tabs.setCurrentWidget(self.exports)
        face, result = self.face, self.result()
        if result is None or (face is None and not everything):
            self.exports.say(tr("There is nothing to export yet."))
            return
        if face is not None and not everything:
            result = work.only(result, face)
        self._settings = self.settings.model_copy(update={"export": self.exports.options(self.settings.export)})
        folder = Path(self.exports.folder.text()).expanduser()
        self.kept.setValue("folder", str(folder))
        formats, replaced = self.exports.formats(), self.exports.replace.isChecked()
        self.exports.say(tr("Writing …"))
        self.files.submit(("save", folder), work.save(result, folder, formats, self.settings, replaced))
        self._busy(True)

    def result(self) -> Result | None:
        """Of the photo that is shown, as far as it is finished."""
        return None if self.path is None else self.results.get(self.path)

    def _filed(self, key: Any, path: Any) -> None:
        self._busy(self.work.busy)
        if key[0] == "save":
            self.exports.target = path
            self.exports.say(tr("Written to {path}").format(path=path))

    def _drag_file(self) -> Path | None:
        """head.glb of the selected face, in a folder that goes when the window closes."""
        face, photo = self.face, self.opened
        if face is None or photo is None:
            return None
        from tronie.errors import TronieError
        from tronie.io.outputs import save_result
        from tronie.types import Result

        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="tronie-")
        try:
            folder = save_result(
                Result(photo, (face,)), Path(self._scratch.name), overwrite=True, formats={"glb"},
                export=self.exports.options(self.settings.export),
            )  # fmt: skip
        except TronieError as error:
            self.exports.say(str(error))
            return None
        return folder / f"face-{face.index}" / "head.glb"

    def copy_portrait(self) -> None:
        face = self.face
        if face is not None and face.frontal is not None:
            QGuiApplication.clipboard().setImage(qimage(face.frontal.image))
            self.exports.say(tr("The portrait is in the clipboard."))

    # The rest

    def ask_settings(self) -> None:
        from tronie.gui.settings_dialog import SettingsDialog

        dialog = SettingsDialog(self.settings, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.set_settings(dialog.settings))
        dialog.open()

    def show_models(self) -> None:
        from tronie.gui.models_dialog import ModelsDialog

        dialog = ModelsDialog(self.files, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def color(self, scheme: str) -> None:
        self.kept.setValue("scheme", scheme)
        use_scheme(scheme)

    def changeEvent(self, event: Any) -> None:
        super().changeEvent(event)
        if event.type() == event.Type.PaletteChange:
            self._match_colors()

    def _match_colors(self) -> None:
        dark = self.palette().window().color().lightness() < 128
        if hasattr(self, "head") and self.head.view.view.dark != dark:
            self.head.view.look_at(dark=dark)

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self._match_colors()

    def _hint(self) -> None:
        if self.path is None:
            self.photo.show_photo(None, tr("Drop photos or folders here, or press Ctrl+O."))
            self.tabs.setTabEnabled(2, False)
        self.head.show_figure(None, tr("No face was found.") if self.path else tr("Heads appear here."))

    def _recent(self) -> list[str]:
        value: Any = self.kept.value("recent", [])
        return [value] if isinstance(value, str) else [str(one) for one in value or []]

    def _remember(self, given: list[str]) -> None:
        new = [str(Path(one).absolute()) for one in given]
        self.kept.setValue("recent", list(dict.fromkeys([*new, *self._recent()]))[:RECENT])
        self._fill_recent()

    def _fill_recent(self) -> None:
        self.recent.clear()
        for path in self._recent():
            action: Any = self.recent.addAction(path)
            action.triggered.connect(lambda _=False, path=path: self.add([path]))
        self.recent.setEnabled(not self.recent.isEmpty())

    def dragEnterEvent(self, event: Any) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: Any) -> None:
        self.add([url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()])
        event.acceptProposedAction()

    def keyPressEvent(self, event: Any) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.key() in steps:
            self.faces.step(steps[event.key()])
        elif event.key() == Qt.Key.Key_Space:
            if self.player.isVisible():
                self.player.toggle()
            else:
                self.head.turning.toggle()
        elif event.key() == Qt.Key.Key_Home:
            self.head.view.reset()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: Any) -> None:
        """Out of sight at once; then what is in work is stopped, and what is being written finished or taken back."""
        self.kept.setValue("geometry", self.saveGeometry())
        self.hide()
        self.cancel()
        for line in (self.work, self.files, self.thumbs, self.shapes):
            line.close()
        self.head.view.close_line()
        self.player.close_line()
        if self._scratch is not None:
            with suppress(OSError):
                self._scratch.cleanup()
        super().closeEvent(event)


def stage_text(name: str) -> str:
    """What a stage does, in plain words."""
    known = {
        "read": tr("Reading the photo"), "load": tr("Loading the models"), "detect": tr("Finding faces"),
        "landmarks": tr("Finding eyes, nose and mouth"), "camera": tr("Guessing the camera"),
        "enhance": tr("Enhancing small faces"), "fit": tr("Fitting the head"), "texture": tr("Painting the texture"),
        "light": tr("Taking the light out"), "frontal": tr("Making the portrait"),
    }  # fmt: skip
    return known.get(name, name)


def result_path(window: Window, result: Result) -> Path:
    """The path in the list that a result belongs to."""
    return next((path for path, one in window.results.items() if one is result), Path(result.photo.source))
