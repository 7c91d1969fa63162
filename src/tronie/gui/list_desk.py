"""What is done with many photos of the list at once: exported, put on a sheet, taken away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from tronie.gui.batch import Batch
from tronie.gui.client import Queue
from tronie.gui.i18n import tr
from tronie.gui.session import WindowSession
from tronie.gui.shelf import Shelf
from tronie.service import batch_tasks, photo_tasks

if TYPE_CHECKING:
    from tronie.settings import Settings

How = Callable[[], "tuple[Path, set[str], Settings, bool]"]
"""Where and what is written: the folder, names of outputs, settings, and whether older files are replaced."""


class ListDesk(QObject):
    """Joins the list, the queue and the session."""

    def __init__(self, shelf: Shelf, session: WindowSession, how: How) -> None:
        super().__init__(shelf)
        self.batch = Batch(session.bench, self)
        self._shelf, self._session, self._how = shelf, session, how
        self._line = Queue(session.bench, "sheet", self)
        self._line.done.connect(self._written)
        self._line.failed.connect(lambda _, text: session.said.emit(text))
        self.batch.noted.connect(shelf.photos.say)
        self.batch.progressed.connect(shelf.show_progress)
        self.batch.ended.connect(session.said)
        shelf.exporting.connect(self.export)
        shelf.removed.connect(self._removed)
        shelf.stopping.connect(self.batch.cancel)
        shelf.sheet.connect(self.ask_sheet)

    def export(self, paths: list[Path]) -> None:
        """The files of these photos and clips, one after the other."""
        paths = [path for path in paths if path not in self._session.people]  # of those, Export this face
        self.batch.start(paths, self._shelf.photos.all_paths(), self._session.moving, self._how())

    def _removed(self, paths: list[Path]) -> None:
        self.batch.drop(paths)
        self._session.drop(paths)
        self._line.submit(("forget",), photo_tasks.forget, paths)

    def ask_sheet(self) -> None:
        """A contact sheet of what the list shows, where the user wants it."""
        start = str(self._how()[0] / "sheet.jpg")
        if name := QFileDialog.getSaveFileName(self._shelf, tr("Contact sheet"), start, "JPEG (*.jpg)")[0]:
            self.write_sheet(Path(name).with_suffix(".jpg"))

    def write_sheet(self, target: Path) -> None:
        paths = self._shelf.photos.paths()
        names = self.batch.names(self._shelf.photos.all_paths())
        photos = [(path, names[path]) for path in paths]
        self._session.said.emit(tr("Writing …"))
        self._line.submit(("sheet", target), batch_tasks.overview, photos, self._how()[0], target)

    def _written(self, key: Any, files: Any) -> None:
        if key[0] == "sheet" and files:
            self._session.said.emit(tr("Written to {path}").format(path=files[0]))
