"""The points by which a hand corrects a fit: which are held where, and how they look, on the photo and on the head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from tronie.arrays import Array
from tronie.gui.i18n import tr

if TYPE_CHECKING:
    from tronie.service.messages import BentFit

LINE, POINT, PIN, HALO = QColor(150, 225, 255), QColor(255, 255, 255), QColor(255, 176, 46), QColor(0, 0, 0, 130)
DARK = QColor(30, 30, 30)
GRAB = 11.0
"""So near a point, in points of the screen, it can be taken."""
MOVED = 3.0
"""A shorter way is a click."""
CROWDED = 260
"""Points of the screen: the points of a face that is narrower are drawn smaller."""


class FitPoints(QObject):
    """`moving` tells pins while a point is dragged, `placed` those when it is let go; `changed`: to be drawn."""

    moving = Signal(object)
    placed = Signal(object, str)
    """And what was done, in words."""
    changed = Signal()

    def __init__(self, bent: BentFit, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.bent = bent
        self.pins = dict(bent.pins)
        self.held: int | None = None
        """The landmark that is dragged."""
        self.near: int | None = None
        """The one below the pointer."""
        self._start, self._moved = (0.0, 0.0), False

    def show_fit(self, bent: BentFit) -> None:
        self.bent = bent
        if self.held is None:
            self.pins = dict(bent.pins)
        self.changed.emit()

    @property
    def rows(self) -> list[int]:
        """Landmarks that can be taken."""
        return [*self.bent.handles, *(row for row in self.pins if row not in self.bent.handles)]

    def in_photo(self, row: int) -> tuple[float, float]:
        """Where a point is: a pin where it was put."""
        x, y = self.pins.get(row, self.bent.points[row])
        return float(x), float(y)

    def nearest(self, places: Array, at: QPointF, seen: NDArray[np.bool_] | None = None) -> int | None:
        """The point that a press `at` takes, pins first; `places` (478, 2) in points of the screen."""
        rows = np.array([row for row in self.rows if seen is None or seen[row]], dtype=int)
        if not len(rows):
            return None
        off = np.linalg.norm(places[rows] - (at.x(), at.y()), axis=1)
        off = np.where([row in self.pins for row in rows], off - GRAB / 3, off)
        best = int(off.argmin())
        return int(rows[best]) if off[best] <= GRAB else None

    def hover(self, row: int | None) -> None:
        if row != self.near:
            self.near = row
            self.changed.emit()

    def take(self, row: int) -> None:
        self.held, self._start, self._moved = row, self.in_photo(row), False
        self.changed.emit()

    def drag(self, dx: float, dy: float, way: float) -> None:
        """So many pixels of the photo from where it was taken; `way` is how far the hand went, in points of the
        screen."""
        if self.held is None:
            return
        self._moved |= way > MOVED
        if self._moved:
            self.pins[self.held] = (self._start[0] + dx, self._start[1] + dy)
            self.changed.emit()
            self.moving.emit(dict(self.pins))

    def drop(self) -> None:
        """The hand lets go: a point that was not moved is held where it is."""
        row, self.held = self.held, None
        if row is not None and self._moved:
            self.placed.emit(dict(self.pins), tr("Move a point"))
        elif row is not None and row not in self.pins:
            self.pins[row] = self._start
            self.placed.emit(dict(self.pins), tr("Hold a point"))
        self.changed.emit()

    def free(self, row: int) -> None:
        """A point goes where the fit has it."""
        if self.pins.pop(row, None) is not None:
            self.placed.emit(dict(self.pins), tr("Let a point go"))

    def press(self, row: int | None, button: Qt.MouseButton) -> bool:
        """The hand presses at a point; whether that is meant for it."""
        if row is None:
            return False
        if button == Qt.MouseButton.RightButton:
            self.free(row)
        else:
            self.take(row)
        return True

    def paint(self, painter: QPainter, places: Array, zoom: float, seen: NDArray[np.bool_] | None = None) -> None:
        """Lines and points; `places` (478, 2) are the painter's, of which one is `zoom` points of the screen."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        device: Any = painter.device()
        fine = device.devicePixelRatioF()  # a cosmetic pen counts the screen's own pixels
        shapes = [part for rows in self._chains() for part in _seen_parts(rows, seen)]
        for color, width in ((HALO, 2.6), (LINE, 1.2)):
            pen = QPen(color, width * fine)
            pen.setCosmetic(True)
            painter.setPen(pen)
            for rows in shapes:
                painter.drawPolyline(QPolygonF([QPointF(float(x), float(y)) for x, y in places[rows]]))
        crowded = 1.0 if zoom * float(np.ptp(places[:, 0])) > CROWDED else 0.7
        painter.setPen(QPen(HALO, 1.0 / zoom))
        painter.setBrush(POINT)
        for row in self.rows:
            if row not in self.pins and (seen is None or seen[row]):
                radius = (4.2 if row == self.near else 2.4 * crowded) / zoom
                painter.drawEllipse(_point(places[row]), radius, radius)
        for row in self.pins:
            if seen is None or seen[row] or row == self.held:
                self._paint_pin(painter, _point(places[row]), row, zoom)

    def _paint_pin(self, painter: QPainter, at: QPointF, row: int, zoom: float) -> None:
        radius = (6.5 if row in (self.held, self.near) else 5.0) / zoom
        painter.setPen(QPen(DARK, 1.4 / zoom))
        painter.setBrush(PIN)
        painter.drawEllipse(at, radius, radius)
        painter.setBrush(DARK)
        painter.drawEllipse(at, 1.2 / zoom, 1.2 / zoom)

    def _chains(self) -> list[list[int]]:
        """Landmarks along each line; those of closed ones return."""
        return [[*rows, rows[0]] for rows in self.bent.closed] + [list(rows) for rows in self.bent.lines]


def _seen_parts(rows: list[int], seen: NDArray[np.bool_] | None) -> list[list[int]]:
    """The stretches of a line that are seen."""
    if seen is None:
        return [rows]
    parts: list[list[int]] = [[]]
    for row in rows:
        if seen[row]:
            parts[-1].append(row)
        elif parts[-1]:
            parts.append([])
    return [part for part in parts if len(part) > 1]


def _point(place: Array) -> QPointF:
    return QPointF(float(place[0]), float(place[1]))
