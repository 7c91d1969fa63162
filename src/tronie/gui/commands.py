"""What a user can ask the window for, by menus, buttons and keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QMenu

from tronie.gui.client import Queue
from tronie.gui.i18n import tr
from tronie.gui.image_widgets import qimage
from tronie.gui.layout import Layout
from tronie.gui.list_desk import ListDesk
from tronie.gui.theme import use_scheme
from tronie.gui.undo import Change, push
from tronie.gui.welcome import SAMPLE
from tronie.io.paths import typed

if TYPE_CHECKING:
    from tronie.service.messages import About
    from tronie.settings import PortraitSettings, Settings


class Commanded(Layout):
    """A window with all that the menus command."""

    stop_action: QAction
    clip_menu: QMenu
    face_actions: tuple[QAction, ...]
    """What can be done with the chosen face only."""

    def __init__(self, kept: QSettings) -> None:
        super().__init__(kept)
        self.about: About | None = None
        """What the library offers, when the process beside the window is there."""
        self._waiting: list[str] = []
        """What is to be opened then."""
        self.list_desk = ListDesk(self.shelf, self.session, self.how_to_export)

    # What is opened

    def add(self, given: list[str]) -> None:
        """Files and folders into the list; the first new photo is opened."""
        if given and self.about is None:
            self._waiting += given
        elif given:
            self.remember(given)
            self.session.intake.add(given)

    def welcomed(self, way: str) -> None:
        if way == "photos":
            self.ask_photos()
        elif way == "folder":
            self.ask_folder()
        else:
            self.add([str(SAMPLE)])

    def open(self, path: Path) -> None:
        self.setWindowTitle(f"{path.name} – tronie")
        self.welcome.hide()
        self.session.open(path)
        moves = path in self.session.moving
        self.player.open(path if moves else None)
        self.enable_clip(moves)
        if moves:
            self.desk.look_up(typed(self.exports.folder.text()))

    def film(self, source: str = "camera:0") -> None:
        """The camera, live."""
        self.player.open(None)
        self.photos.add(Path(source))
        self.session.film(Path(source))

    def one_person(self) -> None:
        """One head of the photos that are selected in the list."""
        photos = [p for p in self.photos.selected() if p not in self.session.moving and p not in self.session.people]
        if len(photos) < 2:
            self.say(tr("Select several photos of one person in the list first (Ctrl or Shift and a click)."))
            return
        path = self.session.one_person(photos)
        if self.photos.add(path):
            self.session.intake.picture_of(photos[0], path)
        self.photos.choose(path)

    def track(self) -> None:
        player = self.player
        span = None if player.timeline.whole else player.timeline.span
        self.desk.follow(typed(self.exports.folder.text()), self.exports.replace.isChecked(), span, player.frame)

    # Settings

    def set_settings(self, settings: Settings) -> None:
        """Use other settings: what was made with the old ones is made again."""
        push(self.changes, Change(tr("Change the settings"), self._use_settings, self.settings, settings))

    def _use_settings(self, settings: Settings) -> None:
        self.keep_settings(settings)
        self.show_options()
        if self.session.path is not None:
            self.open(self.session.path)

    def show_options(self) -> None:
        if self.about is not None:
            self.portrait.set_options(self.settings.portrait)
            self.exports.set_options(self.about.outputs, self.settings.export, self.about.films)

    def choose_portrait(self) -> None:
        before = self.settings.portrait
        after = self.portrait.options(before)
        push(self.changes, Change(tr("Change the portrait"), self._use_frontal, before, after))

    def _use_frontal(self, frontal: PortraitSettings) -> None:
        self.keep_settings(self.settings.model_copy(update={"portrait": frontal}))
        if self.portrait.options(frontal) != frontal:
            self.portrait.set_options(frontal)
        self.session.frontal_changed()

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

    def ask_restore(self) -> None:
        """The photo that is shown, restored: before and after."""
        from tronie.gui.restore_dialog import RestoreDialog

        path = self.session.path
        if path is None or path in self.session.moving or path in self.session.people:
            self.say(tr("Open a photo first."))
            return
        folder, replaces = typed(self.exports.folder.text()), self.exports.replace.isChecked()
        line = Queue(self.session.bench, "batch", self)
        dialog = RestoreDialog(line, path, self.settings, folder, replaces, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def color(self, scheme: str) -> None:
        self.kept.setValue("scheme", scheme)
        use_scheme(scheme)

    # Files out

    def how_to_export(self) -> tuple[Path, set[str], Settings, bool]:
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

    def enable_clip(self, on: bool) -> None:
        """Whether a clip is there for its menu's commands."""
        for action in self.clip_menu.actions():
            action.setEnabled(on)

    def enable_face(self, on: bool) -> None:
        """Whether a head is there to be exported and corrected."""
        self.exports.enable(on)
        for action in self.face_actions:
            action.setEnabled(on)

    def say(self, text: str) -> None:
        self.progress.say(text)
