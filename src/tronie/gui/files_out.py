"""Files of faces, written for the user; no widgets here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from tronie.gui.client import Bench, Queue
from tronie.gui.i18n import tr
from tronie.gui.plain import plain
from tronie.service import photo_tasks

if TYPE_CHECKING:
    from tronie.settings import ExportSettings


class FilesOut(QObject):
    """Writes them one after the other."""

    saved = Signal(object, str)
    """A folder or None, and a sentence."""
    lent = Signal(object, object)
    """The key of a face, and its head.glb, ready to be dragged."""
    changed = Signal()
    """Something has begun or ended."""
    said = Signal(str)

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._line = Queue(bench, "files", self)
        self._line.done.connect(self._done)
        self._line.failed.connect(self._failed)
        self._line.stopped.connect(self._stopped)

    @property
    def busy(self) -> bool:
        return self._line.busy

    def cancel(self) -> None:
        self._line.cancel()

    def save(self, folder: Path, task: Any, *given: Any) -> None:
        """Have a task write into a folder."""
        self._line.submit(("save", folder), task, *given)
        self.changed.emit()

    def lend(self, key: tuple[Path, int], export: ExportSettings) -> None:
        """Have head.glb of a face ready."""
        self._line.submit(("lend", key), photo_tasks.lend, key, export)

    def _done(self, key: Any, made: Any) -> None:
        self.changed.emit()
        if key[0] == "lend":
            self.lent.emit(key[1], made)
            return
        path, more = made if isinstance(made, tuple) else (made, "")
        said = tr("Written to {path}").format(path=path), plain(more)
        self.saved.emit(path, "   ".join(filter(None, said)))

    def _failed(self, key: Any, sentence: str) -> None:
        self.changed.emit()
        self.said.emit(sentence)
        self.saved.emit(None, sentence)

    def _stopped(self, key: Any) -> None:
        self.changed.emit()
        if key[0] == "save":
            self.saved.emit(None, tr("Cancelled; nothing was written."))
