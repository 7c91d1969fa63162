"""Which units of expression are drawn as curves."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from tronie.gui.i18n import spoken, tr

USUAL_CURVES = ("jawOpen", "eyeBlinkLeft", "mouthSmileLeft")
"""Chosen at first."""
MOST = 6
"""Curves at a time: more cannot be told apart."""


class CurveMenu(QPushButton):
    """A button with all units in it, part of the face by part."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("Curves"), parent)
        self.actions_of: dict[str, QAction] = {}
        self._names: tuple[str, ...] = ()
        self.setMenu(QMenu(self))

    def offer(self, names: Sequence[str]) -> None:
        """The units that there are; what was chosen before stays chosen."""
        if tuple(names) == self._names:
            return
        before = [name for name, action in self.actions_of.items() if action.isChecked()] or USUAL_CURVES
        self._names = tuple(names)
        menu = self.menu()
        menu.clear()
        self.actions_of.clear()
        inside: dict[str, QMenu] = {}
        titles = {"eye": tr("Eyes"), "brow": tr("Brows"), "jaw": tr("Jaw"), "mouth": tr("Mouth")}
        for name in names:
            part = next((part for part in titles if name.startswith(part)), "")
            if part not in inside:
                inside[part] = menu.addMenu(titles.get(part) or tr("Cheeks, nose, tongue"))
            action = self.actions_of[name] = QAction(spoken(name), self)
            inside[part].addAction(action)
            action.setCheckable(True)
            action.setChecked(name in before)
            action.toggled.connect(self._changed)
        menu.addSeparator()
        menu.addAction(tr("No curves")).triggered.connect(self._clear)
        self._changed()

    def chosen(self) -> dict[str, str]:
        """Name -> what it is called, of the units that are drawn."""
        return {name: spoken(name) for name, action in self.actions_of.items() if action.isChecked()}

    def _clear(self) -> None:
        for action in self.actions_of.values():
            action.setChecked(False)

    def _changed(self) -> None:
        full = len(self.chosen()) >= MOST
        for action in self.actions_of.values():
            action.setEnabled(action.isChecked() or not full)
        self.changed.emit()
