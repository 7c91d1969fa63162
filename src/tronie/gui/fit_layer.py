"""The points of a fit over the photo, and on the head beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QGraphicsObject

from tronie.arrays import Array
from tronie.gui.fit_points import DARK, FitPoints
from tronie.gui.i18n import tr

if TYPE_CHECKING:
    from tronie.service.messages import ShownLandmarks

HINT = "Drag points on the photo or on the head. A click holds one, a right click lets it go."
ROOM = 40.0
"""Around the face, in pixels of the photo, that belongs to it."""


class FitLayer(QGraphicsObject):
    """Over the photo, in its pixels."""

    def __init__(self, points: FitPoints) -> None:
        super().__init__()
        self.points = points
        self._pressed = QPointF()
        points.changed.connect(self._changed)
        self.setAcceptHoverEvents(True)
        self.setAcceptedMouseButtons(Qt.MouseButton.LeftButton | Qt.MouseButton.RightButton)
        self.setZValue(5000)
        self.setToolTip(tr(HINT))

    def _changed(self) -> None:
        near = self.points.near is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if near else Qt.CursorShape.ArrowCursor)
        self.prepareGeometryChange()
        self.update()

    def place(self, row: int) -> QPointF:
        return QPointF(*self.points.in_photo(row))

    def _places(self) -> Array:
        places = self.points.bent.points.astype(float)
        for row, place in self.points.pins.items():
            places[row] = place
        return places

    def boundingRect(self) -> QRectF:
        places = self._places()
        low, high = places.min(axis=0) - ROOM, places.max(axis=0) + ROOM
        return QRectF(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))

    def _zoom(self) -> float:
        views = self.scene().views() if self.scene() is not None else []
        return max(views[0].transform().m11(), 1e-6) if views else 1.0

    def grabbed(self, at: QPointF) -> int | None:
        """The point that a press there takes."""
        zoom = self._zoom()
        return self.points.nearest(self._places() * zoom, at * zoom)

    def paint(self, painter: Any, option: Any, widget: Any = None) -> None:
        self.points.paint(painter, self._places(), self._zoom())

    def hoverMoveEvent(self, event: Any) -> None:
        self.points.hover(self.grabbed(event.pos()))

    def hoverLeaveEvent(self, event: Any) -> None:
        self.points.hover(None)

    def mousePressEvent(self, event: Any) -> None:
        self._pressed = event.pos()
        if not self.points.press(self.grabbed(event.pos()), event.button()):
            event.ignore()  # the photo is moved, or another face chosen

    def mouseMoveEvent(self, event: Any) -> None:
        by = event.pos() - self._pressed
        self.points.drag(by.x(), by.y(), (abs(by.x()) + abs(by.y())) * self._zoom())

    def mouseReleaseEvent(self, event: Any) -> None:
        self.points.drop()


class HeadLayer:
    """On the head, in the points of the widget that shows it."""

    def __init__(self, points: FitPoints, landmarks: ShownLandmarks | None = None) -> None:
        self.points = points
        self.landmarks = landmarks
        """Of the picture that is shown."""
        self._corner, self._scale = QPointF(), 1.0
        self._pressed, self._by = QPointF(), QPointF()
        self._start, self._to_photo = QPointF(), np.eye(2)
        """Where the point that is dragged was taken, and pixels of the photo by points of the screen."""
        self._holding = False

    def lie(self, landmarks: ShownLandmarks | None, place: QRectF, width: int) -> None:
        """Another picture, `width` pixels wide, is shown in this place."""
        self.landmarks, self._corner, self._scale = landmarks, place.topLeft(), place.width() / max(width, 1)

    def _places(self) -> Array:
        assert self.landmarks is not None
        places = self.landmarks.places * self._scale + (self._corner.x(), self._corner.y())
        if self._holding and self.points.held is not None:
            hand = self._start + self._by
            places[self.points.held] = hand.x(), hand.y()
        return np.asarray(places)

    def grabbed(self, at: QPointF) -> int | None:
        if self.landmarks is None:
            return None
        return self.points.nearest(self._places(), at, self.landmarks.seen)

    def paint(self, painter: QPainter) -> None:
        if self.landmarks is None:
            return
        if self._holding and self.points.held is not None:
            # A photo says nothing about depth: where the hand is and where the head follows to may differ.
            x, y = self.landmarks.places[self.points.held] * self._scale
            painter.setPen(QPen(DARK, 1.2, Qt.PenStyle.DotLine))
            painter.drawLine(QLineF(self._start + self._by, self._corner + QPointF(float(x), float(y))))
        self.points.paint(painter, self._places(), 1.0, self.landmarks.seen)

    def hover(self, at: QPointF | None) -> None:
        self.points.hover(None if at is None else self.grabbed(at))

    def press(self, at: QPointF, button: Qt.MouseButton) -> bool:
        """Whether a press is meant for a point."""
        row = self.grabbed(at)
        if row is None or self.landmarks is None:
            return False
        x, y = self._places()[row]
        self._start, self._pressed, self._by = QPointF(float(x), float(y)), at, QPointF()
        self._to_photo = self.landmarks.to_photo[row] / self._scale
        self.points.press(row, button)
        self._holding = self.points.held is not None
        return True

    def move(self, at: QPointF) -> bool:
        """Whether a point goes with the hand."""
        if not self._holding:
            return False
        self._by = by = at - self._pressed
        dx, dy = self._to_photo @ (by.x(), by.y())
        self.points.drag(float(dx), float(dy), by.manhattanLength())
        return True

    def release(self) -> bool:
        held, self._holding = self._holding, False
        if held:
            self.points.drop()
        return held
