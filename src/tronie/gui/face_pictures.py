"""The chosen face's head and pictures, as soon as they can be had; no widgets here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from tronie.gui.client import Bench, Queue
from tronie.gui.i18n import tr
from tronie.service import photo_tasks
from tronie.service.messages import PreviewImages, Sitter

if TYPE_CHECKING:
    from tronie.settings import PortraitSettings


class FacePictures(QObject):
    """Asks for those of one face at a time, and forgets what comes of another."""

    headed = Signal(object, str)
    """The face's Sitter, or None and why."""
    looked = Signal(object, str)
    """Its PreviewImages, or None and why."""
    stale = Signal()
    """The portrait was made with other options."""

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.key: tuple[Path, int] | None = None
        self._shapes, self._looks = Queue(bench, "shapes", self), Queue(bench, "looks", self)
        self._shapes.done.connect(self._shaped)
        self._shapes.failed.connect(lambda key, why: key == self.key and self.headed.emit(None, why))
        self._looks.done.connect(self._seen)
        self._looks.failed.connect(lambda key, why: key == self.key and self.looked.emit(None, why))

    @property
    def busy(self) -> bool:
        return self._shapes.busy or self._looks.busy

    def show_none(self, why: str) -> None:
        self.key = None
        self.headed.emit(None, why)
        self.looked.emit(None, why)

    def show_face(self, key: tuple[Path, int], portrait: PortraitSettings) -> None:
        """Of another face, with a portrait of these options."""
        self.key = key
        self.headed.emit(None, tr("Preparing the head …"))
        self.renew(portrait)

    def renew(self, portrait: PortraitSettings) -> None:
        """The same face, made anew."""
        if (key := self.key) is not None:
            self._shapes.submit(key, photo_tasks.sitter, key, alone=True)
            self._looks.submit(key, photo_tasks.looks, key, portrait, alone=True)

    def show_looks(self, key: Any, looks: PreviewImages) -> None:
        if key == self.key:
            why = tr("The settings ask for no portrait (Settings, General).") if looks.after is None else ""
            self.looked.emit(looks, why)

    def _shaped(self, key: Any, sitter: Sitter) -> None:
        if key == self.key:
            self.headed.emit(sitter, "")

    def _seen(self, key: Any, looks: PreviewImages) -> None:
        self.show_looks(key, looks)
        if key == self.key and looks.stale:
            self.stale.emit()
