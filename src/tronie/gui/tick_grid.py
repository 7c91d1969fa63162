"""Boxes to tick, in as many columns as there is room for."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QGridLayout, QWidget

MOST = 4
"""Columns."""


class TickGrid(QWidget):
    """Row by row, those that are not hidden."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(3)
        self._ticks: list[QWidget] = []

    def add(self, tick: QWidget) -> None:
        self._ticks.append(tick)
        tick.setParent(self)
        self.arrange()

    def clear(self) -> None:
        for tick in self._ticks:
            tick.hide()
            tick.deleteLater()
        self._ticks.clear()

    def arrange(self) -> None:
        """After some were hidden or shown, too."""
        shown = [tick for tick in self._ticks if not tick.isHidden()]
        for tick in self._ticks:
            self._grid.removeWidget(tick)
        columns = self._columns()
        for k, tick in enumerate(shown):
            self._grid.addWidget(tick, k // columns, k % columns)
        for k in range(MOST):
            self._grid.setColumnStretch(k, int(k < columns))

    def _widest(self) -> int:
        return max((tick.sizeHint().width() for tick in self._ticks), default=1)

    def _columns(self) -> int:
        step = self._widest() + self._grid.horizontalSpacing()
        return min(MOST, max(1, (self.width() + self._grid.horizontalSpacing()) // step))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._widest(), super().minimumSizeHint().height())

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self.arrange()
