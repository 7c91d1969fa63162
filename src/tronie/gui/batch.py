"""The queue: photos and clips of the list whose files are written one after the other, beside what the window shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from tronie.gui.client import Bench, Queue
from tronie.gui.i18n import tr
from tronie.gui.plain import plain
from tronie.io.paths import unique_names
from tronie.service import batch_tasks
from tronie.service.messages import PhotoState

if TYPE_CHECKING:
    from tronie.settings import Settings


class Batch(QObject):
    """One at a time is sent to the other process, so that what costs it its life is told apart from the rest."""

    noted = Signal(object, str, object, object)
    """As the session's: a path, a sentence, a PhotoState, how many faces."""
    progressed = Signal(int, int)
    """How many are done, and of how many."""
    ended = Signal(str)
    """All are done, with one sentence."""

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._line = Queue(bench, "batch", self)
        self._line.done.connect(self._done)
        self._line.failed.connect(self._failed)
        self._line.stopped.connect(self._stopped)
        self._waiting: list[Path] = []
        self._running: Path | None = None
        self._finished = self._bad = 0
        self._names: dict[Any, str] = {}
        self._clips: frozenset[Path] = frozenset()
        self._how: tuple[Path, set[str], Settings, bool] | None = None

    @property
    def busy(self) -> bool:
        return self._running is not None or bool(self._waiting)

    def names(self, paths: Sequence[Path]) -> dict[Path, str]:
        """The folder of each photo's files."""
        return {Path(path): name for path, name in unique_names(paths).items()}

    def start(
        self,
        paths: Sequence[Path],
        everything: Sequence[Path],
        clips: set[Path],
        how: tuple[Path, set[str], Settings, bool],
    ) -> None:
        """Queue some of `everything` in the list after what is waiting. `how`: the folder, names of outputs, settings,
        and whether what was exported before is replaced."""
        if not self.busy:
            self._finished = self._bad = 0
        self._names, self._clips, self._how = dict(self.names(everything)), frozenset(clips), how
        for path in paths:
            if path != self._running and path not in self._waiting:
                self._waiting.append(path)
                self.noted.emit(path, tr("Waiting"), PhotoState.WAITING, None)
        self._next()

    def drop(self, paths: Sequence[Path]) -> None:
        """What was taken from the list is not done any more."""
        gone = set(paths)
        self._waiting = [path for path in self._waiting if path not in gone]
        if self._running in gone:
            self._line.cancel()

    def cancel(self) -> None:
        """Nothing else is begun, and what is in work is given up."""
        waiting, self._waiting = self._waiting, []
        for path in waiting:
            self.noted.emit(path, "", PhotoState.NEW, None)
        self._line.cancel()

    def _next(self) -> None:
        self.progressed.emit(self._finished, self._finished + len(self._waiting) + (self._running is not None))
        if self._running is not None or self._how is None:
            return
        if not self._waiting:
            return
        self._running = path = self._waiting.pop(0)
        folder, outputs, settings, overwrite = self._how
        self.noted.emit(path, tr("Exporting …"), PhotoState.WORKING, None)
        name, clip = self._names[path], path in self._clips
        self._line.submit(path, batch_tasks.work_off, path, folder, name, outputs, settings, overwrite, clip)

    def _over(self) -> None:
        self._running, self._finished = None, self._finished + 1
        self._next()
        if not self.busy:
            text = tr("{n} of {count} exported").format(n=self._finished - self._bad, count=self._finished)
            self.ended.emit(text)

    def _done(self, path: Path, outcome: Any) -> None:
        if outcome.status == "error":
            self._failed(path, plain(outcome.reason or "") or tr("It could not be done."))
            return
        state = PhotoState.DONE if outcome.faces else PhotoState.EMPTY
        count = outcome.faces
        faces = tr("1 face") if count == 1 else tr("{n} faces").format(n=count)
        text = tr("No face was found.") if not count else tr("Exported: {n}").format(n=faces)
        self.noted.emit(path, text, state, count)
        self._over()

    def _failed(self, path: Path, sentence: str) -> None:
        self._bad += 1
        self.noted.emit(path, sentence, PhotoState.FAILED, None)
        self._over()

    def _stopped(self, path: Path) -> None:
        self.noted.emit(path, tr("Cancelled."), PhotoState.NEW, None)
        self._bad += 1
        self._over()
