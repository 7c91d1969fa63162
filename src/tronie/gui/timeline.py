"""A clip from its first frame to its last: where it is, which part of it counts, who is seen when, and the curves of
what faces do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from tronie.arrays import Array
from tronie.gui.i18n import tr

if TYPE_CHECKING:
    from tronie.service.messages import Track

EDGE = 10
"""Points at both ends, so that the first and the last frame can be seen."""
HANDLE = 7
"""So near to a mark the mouse takes hold of it, points."""
GROOVE, STAY = 22, 5
"""Heights: of the bar with the marks, and of a person's stays below it."""
MOST_PEOPLE = 6
"""Whose stays are drawn."""
PEOPLE = tuple(map(QColor, ("#3fa7f0", "#f0a03c", "#5cc46a", "#d66fd0", "#e8615c", "#38bdb1", "#b59a3c", "#8d83ec")))
"""Colours of people, and of curves."""


def person_color(number: int) -> QColor:
    return PEOPLE[(number - 1) % len(PEOPLE)]


class FrameAxis(QWidget):
    """Something whose width is a clip."""

    sought = Signal(int)
    """The frame at which the mouse is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.count, self.index = 1, 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_frame(self, index: int, count: int) -> None:
        self.index, self.count = index, max(count, index + 1)
        self.update()

    def x_of(self, frame: float) -> float:
        return EDGE + frame * (self.width() - 2 * EDGE) / max(self.count - 1, 1)

    def frame_at(self, x: float) -> int:
        share = (x - EDGE) / max(self.width() - 2 * EDGE, 1)
        return int(min(max(round(share * (self.count - 1)), 0), self.count - 1))

    def mousePressEvent(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.sought.emit(self.frame_at(event.position().x()))

    def mouseMoveEvent(self, event: Any) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.sought.emit(self.frame_at(event.position().x()))

    def _ink(self, alpha: float) -> QColor:
        ink = QColor(self.palette().color(QPalette.ColorRole.WindowText))
        ink.setAlphaF(alpha)
        return ink

    def _playhead(self, painter: QPainter) -> None:
        x = self.x_of(self.index)
        painter.setPen(QPen(self._ink(0.9), 1.5))
        painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))


class Timeline(FrameAxis):
    """Click or drag to seek; drag the marks at its ends for the part that counts. `marked` tells that it changed."""

    marked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.first: int | None = None
        """The first frame of the part that counts; None: from the beginning."""
        self.last: int | None = None
        """The last one; None: to the end."""
        self._people: Sequence[Track] = ()
        self._held = ""
        self.setMouseTracking(True)
        self.setFixedHeight(GROOVE)
        self.setAccessibleName(tr("Timeline"))
        self.setToolTip(tr("Click to go there. I and O mark the part that is played and tracked."))

    @property
    def span(self) -> tuple[int, int]:
        """First and last frame of the part that counts."""
        return self.first or 0, self.count - 1 if self.last is None else min(self.last, self.count - 1)

    @property
    def whole(self) -> bool:
        return self.first is None and self.last is None

    def show_people(self, people: Sequence[Track]) -> None:
        self._people = people[:MOST_PEOPLE]
        self.setFixedHeight(GROOVE + (STAY + 2) * len(self._people) + 2 * bool(people))
        self.update()

    def mark(self, first: int | None, last: int | None) -> None:
        """The part that counts. Marks that lie across each other push each other away."""
        if first is not None and last is not None and first > last:
            first, last = (first, None) if first != self.first else (None, last)
        self.first = first if first else None
        self.last = None if last is None or last >= self.count - 1 else last
        self.update()
        self.marked.emit()

    def _handle_at(self, at: QPointF) -> str:
        if at.y() > GROOVE:
            return ""
        first, last = map(self.x_of, self.span)
        near, side = min((abs(at.x() - first), "first"), (abs(at.x() - last), "last"))
        here = abs(at.x() - self.x_of(self.index))
        return side if near <= HANDLE and (at.y() < GROOVE / 2 or here > near) else ""

    def mousePressEvent(self, event: Any) -> None:
        self._held = self._handle_at(event.position()) if event.button() == Qt.MouseButton.LeftButton else ""
        if not self._held:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: Any) -> None:
        if not event.buttons():
            over = self._handle_at(event.position())
            self.setCursor(Qt.CursorShape.SizeHorCursor if over else Qt.CursorShape.ArrowCursor)
        elif self._held == "first":
            self.mark(min(self.frame_at(event.position().x()), self.span[1]), self.last)
        elif self._held == "last":
            self.mark(self.first, max(self.frame_at(event.position().x()), self.span[0]))
        else:
            super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: Any) -> None:
        self._held = ""

    def paintEvent(self, event: Any) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        accent = self.palette().color(QPalette.ColorRole.Highlight)
        top, high = GROOVE / 2 - 3, 6.0
        left, right = self.x_of(0), self.x_of(self.count - 1)
        first, last = map(self.x_of, self.span)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._ink(0.18))
        painter.drawRoundedRect(QRectF(left, top, right - left, high), 3, 3)
        soft = QColor(accent)
        soft.setAlphaF(0.45)
        painter.setBrush(soft)
        painter.drawRoundedRect(QRectF(first, top, max(last - first, 1), high), 3, 3)
        at = min(max(self.x_of(self.index), first), last)
        painter.setBrush(accent)
        painter.drawRoundedRect(QRectF(first, top, max(at - first, 0), high), 3, 3)
        painter.setBrush(self._ink(0.75))
        for x, way in ((first, 1), (last, -1)):
            shape = [(0, 1), (-5 * way, 1), (-5 * way, GROOVE - 1), (0, GROOVE - 1)]
            painter.drawPolygon(QPolygonF([QPointF(x + dx, y) for dx, y in shape]))
        for row, track in enumerate(self._people):
            self._stays(painter, track, GROOVE + 2 + row * (STAY + 2))
        self._playhead(painter)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Window), 1.5))
        painter.setBrush(accent)
        painter.drawEllipse(QPointF(self.x_of(self.index), GROOVE / 2), 7, 7)

    def _stays(self, painter: QPainter, track: Track, top: int) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(person_color(track.number))
        for first, last in track.stays:
            x = self.x_of(first)
            painter.drawRect(QRectF(x, top, max(self.x_of(last) - x, 2), STAY))


class Curves(FrameAxis):
    """The course of some units; where they are is read off at the frame that is shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lines: dict[str, Array] = {}
        """By what they are called: (T,) values, in their range as 0..1."""
        self.first = 0
        """The frame that the first value is of."""
        self.setFixedHeight(96)
        self.setAccessibleName(tr("Curves"))

    def sizeHint(self) -> QSize:
        return QSize(300, 96)

    def show_lines(self, lines: dict[str, Array], first: int = 0) -> None:
        self.lines, self.first = lines, first
        self.update()

    def paintEvent(self, event: Any) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), self.palette().color(QPalette.ColorRole.Base))
        metrics = painter.fontMetrics()
        head = metrics.height() + 6
        low, high = self.height() - 5.0, float(head)
        painter.setPen(QPen(self._ink(0.15), 1))
        for share in (0.0, 0.5, 1.0):
            y = low + share * (high - low)
            painter.drawLine(QPointF(EDGE, y), QPointF(self.width() - EDGE, y))
        x = EDGE
        for k, (name, values) in enumerate(self.lines.items()):
            color = person_color(k + 1)
            painter.setPen(QPen(color, 1.5))
            for part in _unbroken(values):
                step = max(1, len(part) // max(2 * self.width(), 1))
                points = [QPointF(self.x_of(self.first + t), low + values[t] * (high - low)) for t in part[::step]]
                painter.drawPolyline(QPolygonF(points))
            at = self.index - self.first
            value = values[at] if 0 <= at < len(values) else np.nan
            text = name if np.isnan(value) else f"{name} {value:.2f}"
            room = self.width() - EDGE - x
            if room > 40:
                painter.fillRect(QRectF(x, 7, 8, 8), color)
                painter.setPen(self._ink(0.9))
                shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(room - 12))
                painter.drawText(QPointF(x + 12, 2 + metrics.ascent()), shown)
                x += 12 + metrics.horizontalAdvance(f"{name} 0.00") + 14
        if not self.lines:
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), tr("Choose curves to see them here."))
        self._playhead(painter)


def _unbroken(values: Array) -> list[NDArray[np.intp]]:
    """Numbers of the values that are there, run by run."""
    there = np.flatnonzero(~np.isnan(values))
    return [run for run in np.split(there, np.flatnonzero(np.diff(there) > 1) + 1) if len(run)]
