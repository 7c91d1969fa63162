"""The fit over the photo: lines of the face, and the points that can be taken and put where they belong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsObject

from tronie.gui.i18n import tr

if TYPE_CHECKING:
    from tronie.service.messages import BentFit

LINE, POINT, PIN, HALO = QColor(150, 225, 255), QColor(255, 255, 255), QColor(255, 176, 46), QColor(0, 0, 0, 130)
HINT = "Drag a point to where it belongs. A click holds it there, a right click lets it go."
GRAB = 11.0
"""So near a point, in points of the screen, it can be taken."""
MOVED = 3.0
"""A shorter way is a click."""
ROOM = 40.0
"""Around the face, in pixels of the photo, that belongs to it."""


class FitLayer(QGraphicsObject):
    """`moving` tells pins while a point is dragged, `placed` those when it is let go."""

    moving = Signal(object)
    placed = Signal(object, str)
    """And what was done, in words."""

    def __init__(self, bent: BentFit) -> None:
        super().__init__()
        self.bent = bent
        self.pins = dict(bent.pins)
        self.held: int | None = None
        """The landmark that is dragged."""
        self.near: int | None = None
        """The one below the pointer."""
        self._pressed, self._moved = QPointF(), False
        self.setAcceptHoverEvents(True)
        self.setAcceptedMouseButtons(Qt.MouseButton.LeftButton | Qt.MouseButton.RightButton)
        self.setZValue(5000)
        self.setToolTip(tr(HINT))

    def show_fit(self, bent: BentFit) -> None:
        self.prepareGeometryChange()
        self.bent = bent
        if self.held is None:
            self.pins = dict(bent.pins)
        self.update()

    def place(self, row: int) -> QPointF:
        """Where a point is shown: a pin where it was put."""
        x, y = self.pins.get(row, self.bent.points[row])
        return QPointF(float(x), float(y))

    def boundingRect(self) -> QRectF:
        low, high = self.bent.points.min(axis=0) - ROOM, self.bent.points.max(axis=0) + ROOM
        for x, y in self.pins.values():
            low, high = np.minimum(low, (x - ROOM, y - ROOM)), np.maximum(high, (x + ROOM, y + ROOM))
        return QRectF(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))

    def _zoom(self) -> float:
        views = self.scene().views() if self.scene() is not None else []
        return max(views[0].transform().m11(), 1e-6) if views else 1.0

    def grabbed(self, at: QPointF) -> int | None:
        """The point that a press there takes: the nearest one, pins first."""
        rows = [*self.bent.handles, *(row for row in self.pins if row not in self.bent.handles)]
        places = np.array([(p.x(), p.y()) for p in map(self.place, rows)])
        off = np.linalg.norm(places - (at.x(), at.y()), axis=1) * self._zoom()
        off = np.where([row in self.pins for row in rows], off - GRAB / 3, off)
        best = int(off.argmin())
        return rows[best] if off[best] <= GRAB else None

    def paint(self, painter: Any, option: Any, widget: Any = None) -> None:
        zoom, points = self._zoom(), self.bent.points
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chains = [(line, True) for line in self.bent.closed] + [(line, False) for line in self.bent.lines]
        fine = painter.device().devicePixelRatioF()
        for color, width in ((HALO, 2.6), (LINE, 1.2)):
            pen = QPen(color, width * fine)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for rows, closed in chains:
                shape = QPolygonF([QPointF(float(x), float(y)) for x, y in points[list(rows)]])
                painter.drawPolygon(shape) if closed else painter.drawPolyline(shape)
        crowded = 1.0 if zoom * self._span() > 260 else 0.7
        painter.setPen(QPen(HALO, 1.0 / zoom))
        painter.setBrush(POINT)
        for row in self.bent.handles:
            if row not in self.pins:
                radius = (4.2 if row == self.near else 2.4 * crowded) / zoom
                painter.drawEllipse(self.place(row), radius, radius)
        for row in self.pins:
            at, radius = self.place(row), (6.5 if row in (self.held, self.near) else 5.0) / zoom
            painter.setPen(QPen(QColor(30, 30, 30), 1.4 / zoom))
            painter.setBrush(PIN)
            painter.drawEllipse(at, radius, radius)
            painter.setBrush(QColor(30, 30, 30))
            painter.drawEllipse(at, 1.2 / zoom, 1.2 / zoom)

    def _span(self) -> float:
        return float(np.ptp(self.bent.points[:, 0]))

    def hoverMoveEvent(self, event: Any) -> None:
        near = self.grabbed(event.pos())
        if near != self.near:
            self.near = near
            self.setCursor(Qt.CursorShape.PointingHandCursor if near is not None else Qt.CursorShape.ArrowCursor)
            self.update()

    def hoverLeaveEvent(self, event: Any) -> None:
        self.near = None
        self.update()

    def mousePressEvent(self, event: Any) -> None:
        row = self.grabbed(event.pos())
        if row is None:
            event.ignore()  # the photo is moved, or another face chosen
            return
        if event.button() == Qt.MouseButton.RightButton:
            if row in self.pins:
                del self.pins[row]
                self.placed.emit(dict(self.pins), tr("Let a point go"))
            return
        self.held, self._pressed, self._moved = row, event.pos(), False
        self._start = self.place(row)
        self.update()

    def mouseMoveEvent(self, event: Any) -> None:
        if self.held is None:
            return
        by = event.pos() - self._pressed
        self._moved |= (abs(by.x()) + abs(by.y())) * self._zoom() > MOVED
        if self._moved:
            self.prepareGeometryChange()
            at = self._start + by
            self.pins[self.held] = (at.x(), at.y())
            self.update()
            self.moving.emit(dict(self.pins))

    def mouseReleaseEvent(self, event: Any) -> None:
        if self.held is None:
            return
        row, self.held = self.held, None
        if self._moved:
            self.placed.emit(dict(self.pins), tr("Move a point"))
        elif row not in self.pins:
            self.pins[row] = (self._start.x(), self._start.y())
            self.placed.emit(dict(self.pins), tr("Hold a point"))
        self.update()

    def nudge(self, row: int, dx: float, dy: float) -> None:
        """Move a point by so many pixels of the photo."""
        at = self.place(row)
        self.pins[row] = (at.x() + dx, at.y() + dy)
        self.placed.emit(dict(self.pins), tr("Move a point"))
