"""What a user changed, one step after the other, to be taken back and done again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from PySide6.QtGui import QUndoCommand, QUndoStack

Value = TypeVar("Value")


ONE_GO = 1.0
"""Seconds: changes of one thing that follow each other faster are one."""


class Change(QUndoCommand, Generic[Value]):
    """A value that was another one before. Changes of the same `what`, not None, in one go become one."""

    def __init__(
        self,
        text: str,
        apply: Callable[[Value], None],
        before: Value,
        after: Value,
        what: Any = None,
        done: bool = False,
    ) -> None:
        """`apply` sets the value; `done`: it has been set already."""
        super().__init__(text)
        self._apply: Callable[[Any], None] = apply
        self.before, self.after, self.what = before, after, what
        self._done, self._since = done, time.monotonic()

    def redo(self) -> None:
        if not self._done:
            self._apply(self.after)
        self._done = False

    def undo(self) -> None:
        self._apply(self.before)

    def id(self) -> int:
        return -1 if self.what is None else hash(self.what) & 0x3FFFFFFF

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, Change) or other.what != self.what or other._since - self._since > ONE_GO:
            return False
        self.after, self._since = other.after, other._since
        self.setObsolete(self.before == self.after)
        return True


def push(stack: QUndoStack, change: Change[Any]) -> None:
    """Do a change that can be taken back, unless it is none."""
    if change.before != change.after:
        stack.push(change)
