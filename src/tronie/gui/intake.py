"""What the library offers, what files and folders stand for, and thumbnails of it; no widgets here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from tronie.gui.client import Bench, Queue
from tronie.gui.i18n import tr
from tronie.gui.plain import plain
from tronie.service import photo_tasks


class Intake(QObject):
    """Looks for photos and clips."""

    begun = Signal(object)
    """About."""
    found = Signal(object, object)
    """New paths, and sentences for what cannot be used."""
    thumbnail = Signal(object, object)
    unreadable = Signal(object, str)
    """A path of which there is no thumbnail, and why."""
    said = Signal(str)

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.moving: set[Path] = set()
        """Paths that are clips."""
        self._line = Queue(bench, "thumbs", self)
        self._line.done.connect(self._done)
        self._line.failed.connect(self._failed)

    def begin(self) -> None:
        """Start the process beside the window."""
        self._line.submit(("about",), photo_tasks.about)

    def add(self, given: Sequence[str]) -> None:
        """Look for photos and clips in files and folders."""
        self.said.emit(tr("Looking for photos …"))
        self._line.submit(("find",), photo_tasks.find, list(given))

    def picture_of(self, path: Path, shown: Path | None = None) -> None:
        """Ask for a thumbnail; `shown` is what it stands for, by default the path itself."""
        self._line.submit(("thumb", shown or path), photo_tasks.thumbnail, path)

    def _done(self, key: Any, result: Any) -> None:
        if key[0] == "thumb":
            self.thumbnail.emit(key[1], result)
        elif key[0] == "about":
            self.begun.emit(result)
        else:
            paths, problems = result
            self.moving |= {path for path, moves in paths if moves}
            problems = [plain(problem) for problem in problems]
            self.said.emit(" ".join(problems))
            self.found.emit([path for path, _ in paths], problems)

    def _failed(self, key: Any, sentence: str) -> None:
        if key[0] == "thumb":
            self.unreadable.emit(key[1], sentence)
        else:
            self.said.emit(sentence)
