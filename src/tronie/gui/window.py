"""The main window: photos at the left, the photo with its faces, and what was made of the selected face."""

from __future__ import annotations

import threading
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSettings, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QUndoStack
from PySide6.QtWidgets import (
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from tronie.gui import menus
from tronie.gui.client import Queue
from tronie.gui.clip_desk import ClipDesk
from tronie.gui.export_panel import ExportPanel
from tronie.gui.expression_changes import ExpressionChanges
from tronie.gui.fit_editor import CorrectBar, FitEditor
from tronie.gui.head_panel import HeadPanel
from tronie.gui.i18n import tr
from tronie.gui.image_widgets import qimage
from tronie.gui.list_desk import ListDesk
from tronie.gui.person_menu import fill_person_menu
from tronie.gui.photo_list import PhotoList
from tronie.gui.photo_view import PhotoView
from tronie.gui.player import Player
from tronie.gui.portrait_panel import EnhancedPanel, PortraitPanel
from tronie.gui.progress import Progress
from tronie.gui.session import WindowSession
from tronie.gui.shelf import Shelf
from tronie.gui.sidebar import FaceList
from tronie.gui.theme import use_scheme
from tronie.gui.timeline import person_color
from tronie.gui.undo import Change, push
from tronie.gui.welcome import SAMPLE, Welcome
from tronie.io.paths import typed
from tronie.service.messages import (
    About,
    Card,
    FramePassed,
    FrameShown,
    Opened,
    PhotoState,
    PreviewImages,
    Sitter,
    Summary,
    Tracked,
)

if TYPE_CHECKING:
    from tronie.settings import PortraitSettings, Settings


class Window(menus.Commanded):
    """`kept` is what is remembered from one time to the next."""

    def __init__(self, kept: QSettings) -> None:
        super().__init__(kept)
        self.session = WindowSession(lambda: self.settings, self)
        self.desk = ClipDesk(self.session, self)
        self._settings: Settings | None = None
        self._about: About | None = None
        self._waiting: list[str] = []
        """What is to be opened when the process beside the window is there."""
        self._build()
        self._connect()
        if (geometry := kept.value("geometry")) is not None:
            self.restoreGeometry(geometry)
        self._cleared("")
        self.head.show_sitter(None, tr("Heads appear here."))
        # What takes long to import is fetched when the window is there.
        QTimer.singleShot(50, self._later)

    def _build(self) -> None:
        self.setWindowTitle("tronie")
        self.resize(1280, 800)
        bench = self.session.bench
        self.photos, self.photo, self.faces = PhotoList(), PhotoView(), FaceList()
        self.shelf = Shelf(self.photos)
        self.list_desk = ListDesk(self.shelf, self.session, self._how_to_export)
        self.head, self.portrait, self.enhanced = HeadPanel(bench), PortraitPanel(), EnhancedPanel()
        self.exports, self.player = ExportPanel(self.copy_portrait), Player(bench)
        self.changes = QUndoStack(self)
        self.correction = FitEditor(self.session, self.photo, self.head, self.changes)
        self.expressions = ExpressionChanges(self.session, self.head, self.changes)
        if (folder := self.kept.value("folder")) is not None:
            self.exports.folder.setText(str(folder))
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.photo, 1)
        column.addWidget(CorrectBar(self.correction))
        column.addWidget(self.player)
        column.addWidget(self.faces)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        for page, title in (
            (self.head, tr("Head")),
            (self.portrait, tr("Portrait")),
            (self.enhanced, tr("Enhanced")),
            (self.exports, tr("Export")),
        ):
            self.tabs.addTab(page, title)
        split = QSplitter(Qt.Orientation.Horizontal)
        for widget, stretch in ((self.shelf, 0), (middle, 3), (self.tabs, 2)):
            split.addWidget(widget)
            split.setStretchFactor(split.count() - 1, stretch)
        split.setSizes([210, 590, 480])
        split.setCollapsible(1, False)
        self.setCentralWidget(split)
        self.progress = Progress(self.statusBar(), self.session.cancel)
        self.stage, self.stop_button = self.progress.text, self.progress.stop
        self.welcome = Welcome(self.photo)
        self.welcome.asked.connect(self._welcomed)
        menus.build(self)
        self.fill_recent()

    def _connect(self) -> None:
        said, player = self.session, self.player
        said.begun.connect(self._begun)
        said.found.connect(self._found)
        said.thumbnail.connect(self.photos.show_thumbnail)
        said.noted.connect(self.photos.say)
        said.cleared.connect(self._cleared)
        said.opened.connect(self._opened)
        said.carded.connect(self._carded)
        said.refitted.connect(self._refitted)
        self.correction.elsewhere.connect(self._go_to)
        self.correction.followed.connect(self.expressions.forget)
        self.expressions.elsewhere.connect(self._go_to)
        said.finished.connect(self._finished)
        said.headed.connect(self._headed)
        said.looked.connect(self._looked)
        said.followed.connect(self._followed)
        said.filmed.connect(lambda picture: self.photo.show_frame(picture.image))
        said.saved.connect(self._saved)
        said.lent.connect(self.exports.lend)
        said.said.connect(self.say)
        said.stepped.connect(self.progress.step)
        said.compiling.connect(self.progress.compile)
        said.spotted.connect(self.photo.add_face)
        said.busied.connect(self._busy)
        self.photos.chosen.connect(self.open)
        self.photos.changed.connect(lambda: self.welcome.setVisible(not self.photos.count()))
        self.photo.chosen.connect(self.faces.choose)
        self.faces.chosen.connect(self._choose)
        self.portrait.wanted.connect(self._frontal_options)
        self.exports.wanted.connect(self.export)
        self.exports.drag.asked.connect(lambda: said.lend(self.exports.options(self.settings.export)))
        player.shown.connect(self._frame)
        player.wanted.connect(said.capture)
        player.tracking.connect(self._track)
        player.failed.connect(self._unplayable)
        player.person.menu().aboutToShow.connect(lambda: fill_person_menu(player.person.menu(), self.desk))
        said.passed.connect(self._passed)
        self.desk.besides.connect(self.head.show_beside)
        self.head.beside.currentIndexChanged.connect(lambda: self.desk.beside(self.head.beside.currentData()))

    def _later(self) -> None:
        # The interpreter goes from thread to thread, so that the window answers while it reads them.
        threading.Thread(target=lambda: import_module("tronie.gui.forms"), daemon=True).start()
        self.session.begin()

    def _begun(self, about: About) -> None:
        self._about = about
        self.suffixes = about.suffixes
        self._show_options()
        if self._waiting:
            self.add(self._waiting)

    def _show_options(self) -> None:
        if self._about is not None:
            self.portrait.set_options(self.settings.portrait)
            self.exports.set_options(self._about.outputs, self.settings.export, self._about.films)

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
        push(self.changes, Change(tr("Change the settings"), self._use_settings, self.settings, settings))

    def _use_settings(self, settings: Settings) -> None:
        self._settings = settings
        self.kept.setValue("settings", settings.model_dump_json())
        self._show_options()
        if self.session.path is not None:
            self.open(self.session.path)

    # What the session says

    def open(self, path: Path) -> None:
        self.setWindowTitle(f"{path.name} – tronie")
        self.welcome.hide()
        self.session.open(path)
        moves = path in self.session.moving
        self.player.open(path if moves else None)
        self.enable_clip(moves)
        if moves:
            self.session.look_up(typed(self.exports.folder.text()))

    def _found(self, paths: list[Path], problems: list[str]) -> None:
        new = [path for path in paths if self.photos.add(path)]
        for path in new:
            self.session.picture_of(path)
        if paths:
            self.photos.choose((new or paths)[0])

    def _cleared(self, why: str) -> None:
        self.faces.clear()
        self.player.show_tracked(None)
        self.exports.speak_of(clip=False)
        self.exports.enable(False)
        self.exports.say("")
        self.tabs.setTabEnabled(2, False)
        if why:
            self.photo.show_photo(None, why)

    def _opened(self, what: Opened) -> None:
        self.photo.show_photo(what.image)

    def _carded(self, card: Card) -> None:
        self.photo.add_face(card)
        self.faces.add(card)
        if self.session.index is None:
            self.faces.choose(card.index)

    def _refitted(self, key: tuple[Path, int], card: Card) -> None:
        if key[0] == self.session.path:
            self.photo.add_face(card)
            self.photo.choose(self.session.index or 0)
            self.exports.lend(None)

    def _go_to(self, key: tuple[Path, int]) -> None:
        """Show another face."""
        if key[0] == self.session.path:
            self.faces.choose(key[1])
        else:
            self.photos.choose(key[0])

    def _finished(self, summary: Summary) -> None:
        if not summary.count:
            self.head.show_sitter(None, tr("No face was found."))

    def _unplayable(self, why: str) -> None:
        if self.player.path is not None:
            self.photos.say(self.player.path, why, PhotoState.FAILED)
        self._cleared(why)

    def _choose(self, index: int) -> None:
        self.photo.choose(index)
        self.session.choose(index)
        self.player.show_person(self.session.track)

    def _headed(self, sitter: Sitter | None, why: str) -> None:
        self.head.show_sitter(sitter, why)
        self.expressions.bring_back()
        self.exports.enable(sitter is not None)
        self._follow_head()

    def _looked(self, looks: PreviewImages | None, why: str) -> None:
        self.head.show_looks(looks)
        self.desk.beside(self.head.beside.currentData())
        self.portrait.show_looks(looks, why)
        self.enhanced.show_looks(looks)
        self.tabs.setTabEnabled(2, looks is not None and looks.large is not None)

    def _followed(self, tracked: Tracked) -> None:
        self.faces.clear()
        self.player.show_tracked(tracked)
        self.exports.target = tracked.folder
        self.exports.speak_of(clip=True)
        for track in tracked.people:
            self.faces.add_track(track)
        if tracked.people:
            self.faces.choose(tracked.people[0].number)
        if self.player.frame is not None:
            self._frame(self.player.frame)

    def _frame(self, picture: FrameShown) -> None:
        """A clip's frame, as it plays."""
        self.session.at(picture)
        self.photo.show_frame(picture.image)
        if self.session.tracked is not None:
            for card in self.session.cards.values():
                self.photo.add_face(card, person_color(card.index))
            if self.session.index is not None:
                self.photo.choose(self.session.index)
            self._follow_head()

    def _follow_head(self) -> None:
        """The head of a clip's person moves as in the frame that is shown."""
        track, frame = self.session.track, self.session.frame
        if track is not None and frame >= 0 and track.card(frame) is not None:
            self.head.follow(track.expression(frame), track.pose(frame))
            self.desk.beside(self.head.beside.currentData())

    def _track(self) -> None:
        player = self.player
        span = None if player.timeline.whole else player.timeline.span
        self.desk.follow(typed(self.exports.folder.text()), self.exports.replace.isChecked(), span, player.frame)

    def _passed(self, what: FramePassed) -> None:
        """A frame of the clip that is being followed, with whom was found in it."""
        self.photo.show_frame(what.image, what.size)
        for card in what.faces:
            self.photo.add_face(card)
        self.player.pass_by(what.index + (self.player.timeline.first or 0))

    def _busy(self, busy: bool) -> None:
        self.progress.busy(busy)
        self.stop_action.setEnabled(busy)

    def say(self, text: str) -> None:
        self.progress.say(text)

    def _saved(self, folder: Path | None, sentence: str) -> None:
        self.exports.target = folder or self.exports.target
        self.exports.say(sentence)

    # What the user does

    def film(self, source: str = "camera:0") -> None:
        """The camera, live."""
        self.player.open(None)
        self.photos.add(Path(source))
        self.session.film(Path(source))

    def add(self, given: list[str]) -> None:
        """Files and folders into the list; the first new photo is opened."""
        if given and self._about is None:
            self._waiting += given
        elif given:
            self.remember(given)
            self.session.add(given)

    def _welcomed(self, way: str) -> None:
        if way == "photos":
            self.ask_photos()
        elif way == "folder":
            self.ask_folder()
        else:
            self.add([str(SAMPLE)])

    def one_person(self) -> None:
        """One head of the photos that are selected in the list."""
        photos = [p for p in self.photos.selected() if p not in self.session.moving and p not in self.session.people]
        if len(photos) < 2:
            self.say(tr("Select several photos of one person in the list first (Ctrl or Shift and a click)."))
            return
        path = self.session.one_person(photos)
        if self.photos.add(path):
            self.session.picture_of(photos[0], path)
        self.photos.choose(path)

    def _frontal_options(self) -> None:
        before = self.settings.portrait
        after = self.portrait.options(before)
        push(self.changes, Change(tr("Change the portrait"), self._use_frontal, before, after))

    def _use_frontal(self, frontal: PortraitSettings) -> None:
        self._settings = self.settings.model_copy(update={"portrait": frontal})
        self.kept.setValue("settings", self._settings.model_dump_json())
        if self.portrait.options(frontal) != frontal:
            self.portrait.set_options(frontal)
        self.session.frontal_changed()

    def _how_to_export(self) -> tuple[Path, set[str], Settings, bool]:
        settings = self.settings.model_copy(update={"export": self.exports.options(self.settings.export)})
        folder = typed(self.exports.folder.text())
        self.kept.setValue("folder", str(folder))
        return folder, self.exports.outputs(clip=True), settings, self.exports.replace.isChecked()

    def export(self, everything: bool) -> None:
        """Write the selected face, or all of the photo's."""
        self.tabs.setCurrentWidget(self.exports)
        known = self.session.tracked is not None or self.session.summary is not None
        if not known or (self.session.key is None and not everything):
            self.exports.say(tr("There is nothing to export yet."))
            return
        self._settings = self.settings.model_copy(update={"export": self.exports.options(self.settings.export)})
        folder = typed(self.exports.folder.text())
        self.kept.setValue("folder", str(folder))
        self.exports.say(tr("Writing …"))
        self.session.save(everything, folder, self.exports.outputs(), self.exports.replace.isChecked())

    def copy_portrait(self) -> None:
        looks = self.portrait.looks
        if looks is not None and looks.after is not None:
            QGuiApplication.clipboard().setImage(qimage(looks.after))
            self.exports.say(tr("The portrait is in the clipboard."))

    def ask_settings(self) -> None:
        from tronie.gui.settings_dialog import SettingsDialog

        dialog = SettingsDialog(self.settings, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.set_settings(dialog.settings))
        dialog.open()

    def show_models(self) -> None:
        from tronie.gui.models_dialog import ModelsDialog

        dialog = ModelsDialog(Queue(self.session.bench, "models", self), self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    # Colours, keys, the end

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
        self.session.close()
        super().closeEvent(event)
