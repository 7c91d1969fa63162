"""What can be put right about the chosen person of a clip."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from tronie.gui.clip_desk import ClipDesk
from tronie.gui.i18n import tr


def fill_person_menu(menu: QMenu, desk: ClipDesk) -> None:
    """As things are now."""
    menu.clear()
    same = QMenu(tr("The same person as"), menu)
    for number in desk.others:
        _add(same, tr("Person {n}").format(n=number), partial(desk.merge, number))
    same.setEnabled(bool(desk.others))
    menu.addMenu(same)
    _add(menu, tr("Somebody else from this frame on"), desk.split)
    menu.addSeparator()
    _add(menu, tr("Take the last change back"), desk.undo).setEnabled(desk.can_undo)


def _add(menu: QMenu, text: str, what: Callable[[], None]) -> QAction:
    action = QAction(text, menu)
    action.triggered.connect(lambda _=False: what())
    menu.addAction(action)
    return action
