"""The program's icon, drawn: a head with its lines."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QLinearGradient, QPainter, QPainterPath, QPen, QPixmap

SIZES = (16, 24, 32, 48, 64, 128, 256)


def icon() -> QIcon:
    made = QIcon()
    for size in SIZES:
        made.addPixmap(_drawn(size))
    return made


def _drawn(size: int) -> QPixmap:
    picture = QPixmap(size, size)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(size / 24, size / 24)
    ground = QLinearGradient(0, 0, 0, 24)
    ground.setColorAt(0, QColor("#4a9be8"))
    ground.setColorAt(1, QColor("#1f5fae"))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRoundedRect(QRectF(0.5, 0.5, 23, 23), 5.2, 5.2)
    head = QPainterPath(QPointF(12, 3.4))
    head.cubicTo(8.2, 3.4, 6, 6.1, 6, 9.9)
    head.cubicTo(6, 15, 8.8, 20.6, 12, 20.6)
    head.cubicTo(15.2, 20.6, 18, 15, 18, 9.9)
    head.cubicTo(18, 6.1, 15.8, 3.4, 12, 3.4)
    lines = QPainterPath(QPointF(12, 3.4))
    lines.lineTo(12, 20.6)
    lines.moveTo(6.1, 10.5)
    lines.cubicTo(9.8, 12.1, 14.2, 12.1, 17.9, 10.5)
    painter.setBrush(QColor(255, 255, 255, 40))
    painter.setPen(QPen(QColor("white"), 1.5))
    painter.drawPath(head)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(255, 255, 255, 190), 1.1))
    painter.drawPath(lines)
    painter.end()
    return picture
