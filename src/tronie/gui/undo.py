"""What a user changed, one step after the other, to be taken back and done again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtGui import QUndoCommand, QUndoStack

Value = TypeVar("Value")


class Change(QUndoCommand):
    """A value that was another one before. Changes of the same `what`, not None, one right after the other, become
    one."""

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
        self._done = done

    def redo(self) -> None:
        if not self._done:
            self._apply(self.after)
        self._done = False

    def undo(self) -> None:
        self._apply(self.before)

    def id(self) -> int:
        return -1 if self.what is None else hash(self.what) & 0x3FFFFFFF

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, Change) or other.what != self.what:
            return False
        self.after = other.after
        self.setObsolete(self.before == self.after)
        return True


def change(
    stack: QUndoStack,
    text: str,
    apply: Callable[[Value], None],
    before: Value,
    after: Value,
    *,
    what: Any = None,
    done: bool = False,
) -> None:
    """Do a change that can be taken back, unless it is none; arguments as in `Change`."""
    if before != after:
        stack.push(Change(text, apply, before, after, what, done))
