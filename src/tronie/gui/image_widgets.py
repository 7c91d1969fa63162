"""Arrays as Qt's pictures, and a widget that compares two."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from tronie.arrays import Image
from tronie.gui.i18n import tr

STEP = 0.02
"""Of the width, by which an arrow key moves the border between two pictures."""


def qimage(image: Image) -> QImage:
    """(H, W, 3) RGB or (H, W, 4) RGBA -> a picture that owns its pixels."""
    height, width, channels = image.shape
    kind = QImage.Format.Format_RGB888 if channels == 3 else QImage.Format.Format_RGBA8888
    return QImage(image.tobytes(), width, height, channels * width, kind).copy()


class BeforeAfter(QWidget):
    """Two pictures, one over the other, and a border between them that can be dragged."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.before: QImage | None = None
        self.after: QImage | None = None
        self.share = 0.5
        """Of the width that shows `before`."""
        self.hint = ""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 160)

    def sizeHint(self) -> QSize:
        return QSize(480, 480)

    def show_pair(self, before: Image | None, after: Image | None, hint: str = "") -> None:
        """None for what there is not; `hint` says why there is nothing."""
        self.before = None if before is None else qimage(before)
        self.after = None if after is None else qimage(after)
        self.hint = hint
        self.update()

    def set_share(self, share: float) -> None:
        self.share = min(1.0, max(0.0, share))
        self.update()

    def place(self) -> QRectF:
        """Where the picture lies: as large as fits."""
        picture = self.after or self.before
        if picture is None:
            return QRectF(self.rect())
        return _fitted(self.rect(), picture)

    def paintEvent(self, event: Any) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.after is None and self.before is None:
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(24, 24, -24, -24), int(flags), self.hint)
            return
        place = self.place()
        if self.after is not None:
            _draw(painter, place, self.after)
        if self.before is None or self.after is None:
            return
        x = place.left() + place.width() * self.share
        painter.save()
        painter.setClipRect(QRectF(place.left(), place.top(), x - place.left(), place.height()))
        _draw(painter, place, self.before)
        painter.restore()
        painter.setPen(QPen(QColor(255, 255, 255, 230), 2))
        painter.drawLine(QPointF(x, place.top()), QPointF(x, place.bottom()))
        painter.setBrush(QColor(255, 255, 255, 235))
        painter.setPen(QPen(QColor(60, 60, 60), 1.5))
        middle = QPointF(x, place.center().y())
        painter.drawEllipse(middle, 13, 13)
        for side in (-1, 1):
            tip = middle + QPointF(side * 8, 0)
            painter.drawLine(tip, tip + QPointF(-side * 4, -4))
            painter.drawLine(tip, tip + QPointF(-side * 4, 4))
        _tag(painter, place, tr("Before"), left=True)
        _tag(painter, place, tr("After"), left=False)

    def _drag(self, x: float) -> None:
        place = self.place()
        self.set_share((x - place.left()) / max(place.width(), 1))

    def mousePressEvent(self, event: Any) -> None:
        self._drag(event.position().x())

    def mouseMoveEvent(self, event: Any) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._drag(event.position().x())

    def keyPressEvent(self, event: Any) -> None:
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.set_share(self.share + (STEP if event.key() == Qt.Key.Key_Right else -STEP))
        else:
            super().keyPressEvent(event)


class Aside(QWidget):
    """One picture, as large as fits."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture: QImage | None = None
        self.setMinimumSize(160, 160)

    def show_picture(self, image: Image | None) -> None:
        self.picture = None if image is None else qimage(image)
        self.update()

    def paintEvent(self, event: Any) -> None:
        if self.picture is not None:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            _draw(painter, _fitted(self.rect(), self.picture), self.picture)


def _fitted(room: QRect, picture: QImage) -> QRectF:
    """In the middle of the room, as large as fits."""
    scale = min(room.width() / picture.width(), room.height() / picture.height())
    w, h = picture.width() * scale, picture.height() * scale
    return QRectF((room.width() - w) / 2, (room.height() - h) / 2, w, h)


def _draw(painter: QPainter, place: QRectF, picture: QImage) -> None:
    """Reduced in one go first: Qt's own smooth drawing looks at four pixels only."""
    ratio = painter.device().devicePixelRatioF()
    size = QSize(max(1, round(place.width() * ratio)), max(1, round(place.height() * ratio)))
    if size.width() < picture.width():
        mode = Qt.TransformationMode.SmoothTransformation
        picture = picture.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, mode)
    painter.drawImage(place, picture)


def _tag(painter: QPainter, place: QRectF, text: str, left: bool) -> None:
    box = painter.fontMetrics().boundingRect(text)
    w, h = box.width() + 14, box.height() + 6
    x = place.left() + 8 if left else place.right() - 8 - w
    area = QRectF(x, place.top() + 8, w, h)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(0, 0, 0, 140))
    painter.drawRoundedRect(area, 4, 4)
    painter.setPen(QColor(255, 255, 255))
    painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter), text)
