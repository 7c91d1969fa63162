"""Correcting a fit: points over the photo, the fit that follows them, the head that is made anew when they rest."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QUndoStack
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from tronie.gui.client import Queue
from tronie.gui.fit_layer import HINT, FitLayer, HeadLayer
from tronie.gui.fit_points import FitPoints
from tronie.gui.i18n import tr
from tronie.gui.undo import Change, push
from tronie.service import fit_tasks

if TYPE_CHECKING:
    from tronie.gui.head_panel import HeadPanel
    from tronie.gui.photo_view import PhotoView
    from tronie.gui.session import WindowSession
    from tronie.service.messages import BentFit, Card, Sitter

REST_MS = 700
"""Points that were not moved for so long are believed: texture and portrait are made anew."""
Key = tuple[Path, int]
Pins = dict[int, tuple[float, float]]


class FitEditor(QObject):
    """Between the points over the photo and what the session, the head and the list of changes have to know of them."""

    switched = Signal(bool)
    """Whether points are to be shown."""
    hinted = Signal(str)
    """What to do with them, or why there are none."""
    pinnable = Signal(bool)
    """Whether there can be any."""
    followed = Signal()
    """The head has another shape now, and the expression that goes with it."""
    elsewhere = Signal(object)
    """The key of a face that is not shown, and was changed by undoing."""

    def __init__(self, session: WindowSession, photo: PhotoView, head: HeadPanel, stack: QUndoStack) -> None:
        super().__init__(session)
        self._session, self._photo, self._head, self._stack = session, photo, head, stack
        self._line = Queue(session.bench, "fits", self)
        self._line.told.connect(self._told)
        self._line.done.connect(self._done)
        self._line.failed.connect(self._failed)
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._settle)
        self._unsettled: dict[Key, Pins] = {}
        self.points: FitPoints | None = None
        """Of the face that is shown, while they are shown."""
        self._layer: FitLayer | None = None
        self.key: Key | None = None
        self.on = False
        self.seconds: list[float] = []
        """From a move to the fit that follows being there, of the last ones."""
        session.pictures.headed.connect(self._headed)
        session.carded.connect(self._carded)
        session.refitted.connect(self._refitted)

    def edit(self, on: bool) -> None:
        """Whether points are shown to be moved."""
        if on != self.on:
            self.on = on
            self._look(self.key)
            self.switched.emit(on)
            if not on:
                self._photo.fit()

    def _headed(self, sitter: Sitter | None, why: str) -> None:
        """Another face was chosen, or its head is there now."""
        key = None if sitter is None or self._why_not() else self._session.key
        self.hinted.emit(self._why_not() or ("" if key else why) or tr(HINT))
        self.pinnable.emit(key is not None)
        if key != self.key or self.points is None:
            self._look(key)

    def _why_not(self) -> str:
        """Why the face that is shown cannot be corrected."""
        session = self._session
        if session.track is not None:
            return tr("Reconstruct this frame first (Ctrl+R), then correct that.")
        if session.path in session.people:
            return tr("Correct the single photos, then open this head again.")
        return ""

    def _look(self, key: Key | None) -> None:
        self.key = key
        self._clear()
        if self.on and key is not None:
            self._line.submit((key, 0.0), fit_tasks.bend, key, None)

    def _carded(self, card: Card) -> None:
        """A face that was made anew from its photo gets its pins back."""
        key: Any = (self._session.path, card.index)
        if self._session.pins.get(key) and not card.pinned:
            self._unsettled[key] = self._session.pins[key]
            self._rest.start()

    def _refitted(self, key: Key, card: Card) -> None:
        if key == self.key and card.error:
            self._session.said.emit(card.error)

    def _clear(self) -> None:
        self._photo.show_layer(None)
        self._head.view.show_layer(None)
        for old in (self._layer, self.points):
            if old is not None:
                old.deleteLater()
        self._layer = self.points = None

    def put(self, key: Key, pins: Pins) -> None:
        """A face's pins from now on."""
        self._session.pins[key] = pins
        self._unsettled[key] = pins
        self._line.submit((key, time.perf_counter()), fit_tasks.bend, key, pins)
        self._rest.start()
        if key != self.key:
            self.elsewhere.emit(key)

    def release(self) -> None:
        """No pins any more."""
        if self.key is not None:
            self._change({}, tr("Let all points go"))

    def _change(self, pins: Pins, text: str) -> None:
        key = self.key
        assert key is not None
        push(self._stack, Change(text, lambda value: self.put(key, value), self._session.pins.get(key, {}), pins))

    def _drag(self, pins: Pins) -> None:
        self._rest.stop()
        self._session.stop_refit()
        self._line.submit((self.key, time.perf_counter()), fit_tasks.bend, self.key, pins, alone=True)

    def _settle(self) -> None:
        """The points rest: all else is made anew from the corrected heads."""
        if self.points is not None and self.points.held is not None:
            return
        waiting, self._unsettled = self._unsettled, {}
        self._session.stop_refit()
        for key, pins in waiting.items():
            self._session.refit(key, pins)

    def _told(self, key: Any, bent: BentFit) -> None:
        place, since = key
        if place != self.key:
            return
        if self.on and self.points is None:
            self.points = FitPoints(bent, self)
            self.points.moving.connect(self._drag)
            self.points.placed.connect(self._change)
            self._layer = FitLayer(self.points)
            self._photo.show_layer(self._layer)
            self._photo.look_at_face(place[1])
            self._head.view.show_layer(HeadLayer(self.points))
        elif self.points is not None:
            self.points.show_fit(bent)
        if since:
            self.seconds = [*self.seconds[-99:], time.perf_counter() - since]

    def _done(self, key: Any, bent: BentFit) -> None:
        """The head has followed."""
        place, since = key
        if place == self.key and since:
            self._head.express(bent.weights)
            self.followed.emit()

    def _failed(self, key: Any, sentence: str) -> None:
        if key[0] == self.key:
            self._session.said.emit(sentence)


class CorrectBar(QFrame):
    """What is said below the photo while a fit is corrected."""

    def __init__(self, editor: FitEditor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hint = QLabel(tr(HINT))
        editor.hinted.connect(self.hint.setText)
        self.hint.setWordWrap(True)
        self.clear = QPushButton(tr("Let all points go"))
        self.clear.clicked.connect(editor.release)
        self.done = QPushButton(tr("Done"))
        self.done.clicked.connect(lambda: editor.edit(False))
        editor.switched.connect(self.setVisible)
        editor.pinnable.connect(self.clear.setVisible)
        self.hide()
        layout, buttons = QVBoxLayout(self), QHBoxLayout()
        layout.setContentsMargins(8, 4, 4, 4)
        buttons.addStretch(1)
        buttons.addWidget(self.clear)
        buttons.addWidget(self.done)
        layout.addWidget(self.hint)
        layout.addLayout(buttons)
