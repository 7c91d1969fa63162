"""The main window: photos at the left, the photo with its faces, and what was made of the selected face."""

from __future__ import annotations

import threading
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSettings, Qt, QTimer

from tronie.gui import menus
from tronie.gui.commands import Commanded
from tronie.gui.i18n import tr
from tronie.gui.person_menu import fill_person_menu
from tronie.gui.timeline import person_color
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
    pass


class Window(Commanded):
    """`kept` is what is remembered from one time to the next."""

    def __init__(self, kept: QSettings) -> None:
        super().__init__(kept)
        menus.build(self)
        self.fill_recent()
        self._connect()
        if (geometry := kept.value("geometry")) is not None:
            self.restoreGeometry(geometry)
        self._cleared("")
        self.head.show_sitter(None, tr("Heads appear here."))
        # What takes long to import is fetched when the window is there.
        QTimer.singleShot(50, self._later)

    def _connect(self) -> None:
        said, player = self.session, self.player
        self.welcome.asked.connect(self.welcomed)
        said.intake.begun.connect(self._begun)
        said.intake.found.connect(self._found)
        said.intake.thumbnail.connect(self.photos.show_thumbnail)
        said.noted.connect(self.photos.say)
        said.cleared.connect(self._cleared)
        said.opened.connect(self._opened)
        said.carded.connect(self._carded)
        said.refitted.connect(self._refitted)
        self.correction.elsewhere.connect(self._go_to)
        self.correction.followed.connect(self.expressions.forget)
        self.expressions.elsewhere.connect(self._go_to)
        said.finished.connect(self._finished)
        said.pictures.headed.connect(self._headed)
        said.pictures.looked.connect(self._looked)
        said.followed.connect(self._followed)
        said.filmed.connect(lambda picture: self.photo.show_frame(picture.image))
        said.files.saved.connect(self._saved)
        said.files.lent.connect(self._lent)
        said.said.connect(self.say)
        said.stepped.connect(self.progress.step)
        said.compiling.connect(self.progress.compile)
        said.spotted.connect(self.photo.add_face)
        said.busied.connect(self._busy)
        self.photos.chosen.connect(self.open)
        self.photos.changed.connect(lambda: self.welcome.setVisible(not self.photos.count()))
        self.photo.chosen.connect(self.faces.choose)
        self.faces.chosen.connect(self._choose)
        self.portrait.wanted.connect(self.choose_portrait)
        self.exports.wanted.connect(self.export)
        self.exports.copy.clicked.connect(self.copy_portrait)
        self.exports.drag.asked.connect(self._lend)
        player.shown.connect(self._frame)
        player.wanted.connect(said.capture)
        player.tracking.connect(self.track)
        player.failed.connect(self._unplayable)
        player.person.menu().aboutToShow.connect(lambda: fill_person_menu(player.person.menu(), self.desk))
        said.passed.connect(self._passed)
        self.desk.besides.connect(self.head.show_beside)
        self.head.beside.currentIndexChanged.connect(lambda: self.desk.beside(self.head.beside.currentData()))

    def _later(self) -> None:
        # The interpreter goes from thread to thread, so that the window answers while it reads them.
        threading.Thread(target=lambda: import_module("tronie.gui.forms"), daemon=True).start()
        self.session.intake.begin()

    # What the session says

    def _begun(self, about: About) -> None:
        self.about = about
        self.suffixes = about.suffixes
        self.show_options()
        if self._waiting:
            self.add(self._waiting)

    def _found(self, paths: list[Path], problems: list[str]) -> None:
        new = [path for path in paths if self.photos.add(path)]
        for path in new:
            self.session.intake.picture_of(path)
        if paths:
            self.photos.choose((new or paths)[0])

    def _cleared(self, why: str) -> None:
        self.faces.clear()
        self.player.show_tracked(None)
        self.exports.speak_of(clip=False)
        self.enable_face(False)
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
        self.enable_face(sitter is not None)
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

    def _passed(self, what: FramePassed) -> None:
        """A frame of the clip that is being followed, with whom was found in it."""
        self.photo.show_frame(what.image, what.size)
        for card in what.faces:
            self.photo.add_face(card)
        self.player.pass_by(what.index + (self.player.timeline.first or 0))

    def _busy(self, busy: bool) -> None:
        self.progress.busy(busy)
        self.player.hold(self.session.following)
        self.enable_clip(self.player.path is not None and not self.session.following)
        self.stop_action.setEnabled(busy)

    def _lend(self) -> None:
        if self.session.key is not None:
            self.session.files.lend(self.session.key, self.exports.options(self.settings.export))

    def _lent(self, key: tuple[Path, int], path: Path) -> None:
        if key == self.session.key:
            self.exports.lend(path)

    def _saved(self, folder: Path | None, sentence: str) -> None:
        self.exports.target = folder or self.exports.target
        self.exports.say(sentence)

    # Colours, keys, the end

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
