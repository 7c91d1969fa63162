"""What a user made the faces do, to be taken back and kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoStack

from tronie.gui.i18n import spoken, tr
from tronie.gui.undo import Change, push

if TYPE_CHECKING:
    from tronie.gui.expression_panel import Weights
    from tronie.gui.head_panel import HeadPanel
    from tronie.gui.session import WindowSession


class ExpressionChanges(QObject):
    """What a user made a face do, for undoing; it is kept while other faces are looked at."""

    elsewhere = Signal(object)
    """The key of a face that is not shown, and was changed."""

    def __init__(self, session: WindowSession, head: HeadPanel, stack: QUndoStack) -> None:
        super().__init__(session)
        self._session, self._head, self._stack = session, head, stack
        self._kept: dict[tuple[Path, int], Weights] = {}
        head.expression.edited.connect(self._edited)

    def _edited(self, before: Weights, after: Weights, what: str) -> None:
        key = self._session.key
        self._head.show_expression()
        if key is None or not key[1]:
            return  # of a clip the next frame tells
        self._kept[key] = after
        text = tr("Move {what}").format(what=spoken(what))
        made = Change(text, lambda value: self._put(key, value), before, after, what=(key, what), done=True)
        push(self._stack, made)

    def _put(self, key: tuple[Path, int], weights: Weights) -> None:
        self._kept[key] = weights
        if key == self._session.key:
            self._head.express(weights)
        else:
            self.elsewhere.emit(key)

    def bring_back(self) -> None:
        """A head is shown that may have been changed before."""
        if (key := self._session.key) in self._kept:
            self._head.express(self._kept[key])

    def forget(self) -> None:
        """The face's own expression has become another one."""
        if self._session.key is not None:
            self._kept.pop(self._session.key, None)
