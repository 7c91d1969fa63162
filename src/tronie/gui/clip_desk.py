"""What can be done with the people of a clip that was followed; no widgets here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from tronie.gui.client import Queue
from tronie.gui.i18n import tr
from tronie.gui.session import WindowSession
from tronie.service import clip_people, clip_tasks
from tronie.service.messages import FrameShown, Tracked


class ClipDesk(QObject):
    """Beside the session, whose clip and chosen person it works on."""

    besides = Signal(object)
    """The person's part of the frame that is shown, or None."""

    def __init__(self, session: WindowSession, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._line = Queue(session.bench, "beside", self)
        self._line.done.connect(self._seen)
        self._known = Queue(session.bench, "known", self)
        self._known.done.connect(self._found)
        self._known.failed.connect(lambda _, text: session.said.emit(text))

    def look_up(self, folder: Path) -> None:
        """Whether the clip was followed into this folder before."""
        self._known.submit(self._session.path, clip_tasks.look_up, self._session.path, folder)

    def _found(self, path: Any, tracked: Tracked | None) -> None:
        session = self._session
        if path == session.path and tracked is not None and session.tracked is None and not session.working:
            session.show_tracked(tracked)

    def follow(self, folder: Path, overwrite: bool, span: tuple[int, int] | None, frame: FrameShown | None) -> None:
        """Everybody in the frames of `span`, or in the whole clip. Times lie between frames, so that rounding moves
        none in or out."""
        part = {}
        if span is not None and frame is not None:
            first, last = span
            part = {"start": max(0.0, (first - 0.5) / frame.fps), "seconds": (last - first + 0.5) / frame.fps}
        self._session.follow(folder, overwrite, part)

    @property
    def others(self) -> list[int]:
        """Numbers of the people beside the chosen one."""
        tracked = self._session.tracked
        people = () if tracked is None else tracked.people
        return [track.number for track in people if track.number != self._session.index]

    @property
    def can_undo(self) -> bool:
        return self._session.tracked is not None and bool(self._session.tracked.edits)

    def merge(self, other: int) -> None:
        """The chosen person is the same as another."""
        if self._session.track is not None:
            self._edit(("merge", self._session.track.number, other))

    def split(self) -> None:
        """From the frame that is shown on, the chosen person is somebody else."""
        if (track := self._session.track) is not None:
            self._edit(("split", track.number, self._session.frame - track.first))

    def undo(self) -> None:
        """Take the last edit back."""
        if self._session.tracked is not None and self.can_undo:
            self._session.said.emit(tr("Making the heads") + " …")
            self._session.regroup(self._session.tracked.edits[:-1])

    def _edit(self, edit: tuple[str, int, int]) -> None:
        tracked = self._session.tracked
        assert tracked is not None
        self._session.said.emit(tr("Making the heads") + " …")
        self._session.regroup((*tracked.edits, edit))

    def beside(self, what: str) -> None:
        """Ask for the chosen person's part of the frame: `before`, or with the head over it: `overlay`."""
        session = self._session
        if what and session.track is not None and session.path is not None and session.frame >= 0:
            key = session.key, session.frame
            wires = what == "overlay"
            self._line.submit(
                key, clip_people.beside, session.path, session.track.folder, session.frame, wires, alone=True
            )

    def _seen(self, key: Any, picture: Any) -> None:
        if key[0] == self._session.key and picture is not None:
            self.besides.emit(picture)
