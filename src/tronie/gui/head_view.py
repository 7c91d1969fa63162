"""The head from all sides, drawn by the library's own rasteriser in a thread beside the window: no GPU is needed.

While something moves, pictures are small and coarse; when it rests, the last one is made in full.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QLinearGradient, QPainter, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

from tronie.gui.client import Bench, Queue
from tronie.gui.fit_layer import HeadLayer
from tronie.gui.i18n import spoken, tr
from tronie.gui.image_widgets import qimage
from tronie.service import photo_tasks
from tronie.service.messages import HeadPicture, ShownLandmarks, Sitter, Viewpoint

STILL_PIXELS = 1100
"""Most pixels of the shorter side of a picture at rest."""
MOVING_PIXELS = (300.0, 900.0)
"""The same of a picture in motion: as many as this machine draws in MOVING_SECONDS, within these bounds."""
MOVING_SECONDS = 1 / 32
MOVING_SAMPLES, STILL_SAMPLES = 1, 3
"""Per pixel and axis."""
REST_MS = 180
"""How long nothing may change before the full picture is made."""
TURN = 0.45
"""Degrees of the head per point of the mouse."""
SPIN_MS, SPIN = 33, 1.6
"""The turntable: a picture at most so often, degrees each."""


class HeadView(QWidget):
    """Drag to turn, wheel to zoom, drag with the right button (or with Ctrl) to move the light."""

    changed = Signal()
    """Somebody has turned the head or moved the light."""

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line = Queue(bench, "view", self)
        self.line.done.connect(self._drawn)
        self.line.failed.connect(self._failed)
        self.sitter: Sitter | None = None
        self.view = Viewpoint()
        self.hint = ""
        self.image: QImage | None = None
        self.landmarks: ShownLandmarks | None = None
        """Of that picture."""
        self.layer: HeadLayer | None = None
        """Points that a hand may take."""
        self.pictures = 0
        """How many have been shown, for measuring."""
        self._since = 0.0
        self._pixels = 420.0
        """Of the shorter side of the next picture in motion."""
        self._asked: tuple[Any, ...] | None = None
        self._wanted: tuple[Any, ...] | None = None
        self._last: QPointF | None = None
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(lambda: self._ask(False))
        self._spin = QTimer(self, interval=SPIN_MS)
        self._spin.timeout.connect(self._turn_on)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 200)

    def sizeHint(self) -> QSize:
        return QSize(440, 440)

    def show_sitter(self, sitter: Sitter | None, hint: str = "") -> None:
        """Another head; None, and why there is none."""
        self.sitter, self.hint, self._wanted = sitter, hint, None
        if sitter is None:
            self.image = self.landmarks = None
            self._asked = None
            self._rest.stop()
        else:
            self.look_at()
        self.update()

    def look_at(self, **changes: Any) -> None:
        """Change the view: first a quick picture, then a good one."""
        self.view = replace(self.view, **changes)
        if self.sitter is not None and self.isVisible():
            self._ask(True)
            self._rest.start()

    def show_layer(self, layer: HeadLayer | None) -> None:
        """Points over the head; None takes them away."""
        self.layer = layer
        if layer is not None:
            layer.points.changed.connect(self.update)
        self.setMouseTracking(layer is not None)
        self.unsetCursor()
        self.look_at(landmarks=layer is not None)
        self.update()

    def reset(self) -> None:
        self.look_at(yaw=0.0, pitch=0.0, zoom=Viewpoint().zoom, lamp=None)

    @property
    def spinning(self) -> bool:
        return self._spin.isActive()

    def spin(self, on: bool) -> None:
        if on:
            self._spin.start()
        else:
            self._spin.stop()

    def _turn_on(self) -> None:
        if self._asked is None and self.isVisible():
            self.look_at(yaw=(self.view.yaw + SPIN + 180) % 360 - 180)

    def _ask(self, moving: bool) -> None:
        """One picture at a time is in work; what is wanted meanwhile is made next, and only the newest of it."""
        if self.sitter is None:
            return
        wanted = (self.sitter, self.view, moving)
        if self._asked is not None:
            self._wanted = wanted
            return
        self._asked, self._wanted = wanted, None
        ratio = self.devicePixelRatioF()
        width, height = self.width() * ratio, self.height() * ratio
        most = self._pixels if moving else STILL_PIXELS
        scale = min(1.0, most / max(1.0, min(width, height)))
        size = (max(16, round(width * scale)), max(16, round(height * scale)))
        samples = MOVING_SAMPLES if moving else STILL_SAMPLES
        self._since = time.perf_counter()
        self.line.submit(wanted, photo_tasks.picture, self.sitter.key, self.view, size, samples)

    def _drawn(self, key: Any, picture: HeadPicture) -> None:
        self._asked = None
        if key[2]:
            self._suit(min(picture.image.shape[:2]), time.perf_counter() - self._since)
        if key[0] is self.sitter:
            self.image, self.landmarks = qimage(picture.image), picture.landmarks
            self.pictures += 1
            self.update()
        if self._wanted is not None:
            self._ask(self._wanted[2])

    def _suit(self, side: int, seconds: float) -> None:
        """Pictures in motion become as large as there is time for; half of the way each, for times vary."""
        wanted = side * (MOVING_SECONDS / max(seconds, 1e-3)) ** 0.5
        low, high = MOVING_PIXELS
        self._pixels = min(max((self._pixels + min(wanted, 1.3 * self._pixels)) / 2, low), high)

    def _failed(self, key: Any, sentence: str) -> None:
        self._asked = None
        self.show_sitter(None, sentence)

    def paintEvent(self, event: Any) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.image is None:
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(24, 24, -24, -24), int(flags), self.hint)
            return
        # While the window is being resized the old picture has another shape: it is shown whole.
        size = self.image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatioByExpanding)
        left, top = (self.width() - size.width()) / 2, (self.height() - size.height()) / 2
        place = QRectF(left, top, size.width(), size.height())
        painter.drawImage(place, self.image)
        if self.layer is not None:
            self.layer.lie(self.landmarks, place, self.image.width())
            self.layer.paint(painter)
        if self.view.mode in ("provenance", "uncertainty"):
            self._legend(painter)

    def _legend(self, painter: QPainter) -> None:
        metrics = painter.fontMetrics()
        row = metrics.height() + 3
        ink = QColor(235, 235, 235) if self.view.dark else QColor(40, 40, 40)
        sitter = self.sitter
        if sitter is None:
            return
        if self.view.mode == "uncertainty":
            bar = QRect(10, self.height() - 10 - row - 10, 150, 10)
            fade = QLinearGradient(bar.left(), 0, bar.right(), 0)
            for k, colour in enumerate(sitter.heat):
                fade.setColorAt(k / max(len(sitter.heat) - 1, 1), QColor(*colour))
            painter.fillRect(bar, fade)
            painter.setPen(ink)
            text = tr("0 to {mm} mm of standard deviation").format(mm=f"{sitter.uncertain_mm:g}")
            painter.drawText(10, self.height() - 10 - metrics.descent(), text)
            return
        for k, (name, colour) in enumerate(sitter.legend):
            y = self.height() - 8 - row * (len(sitter.legend) - k)
            painter.fillRect(QRect(10, y + 3, row - 8, row - 8), QColor(*colour))
            painter.setPen(ink)
            painter.drawText(10 + row, y + metrics.ascent(), spoken(name))

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self.look_at()

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self.look_at()

    def mousePressEvent(self, event: Any) -> None:
        if self.layer is None or not self.layer.press(event.position(), event.button()):
            self._last = event.position()

    def mouseReleaseEvent(self, event: Any) -> None:
        self._last = None
        if self.layer is not None:
            self.layer.release()

    def mouseMoveEvent(self, event: Any) -> None:
        if self.layer is not None and self._last is None:
            if not self.layer.move(event.position()):
                self.layer.hover(event.position())
                near = self.layer.points.near is not None
                self.setCursor(Qt.CursorShape.PointingHandCursor if near else Qt.CursorShape.ArrowCursor)
            return
        if self._last is None:
            return
        moved = event.position() - self._last
        self._last = event.position()
        lit = event.buttons() & Qt.MouseButton.RightButton or event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if lit:
            right, up = self.view.lamp or (-30.0, 35.0)
            up = min(85.0, max(-85.0, up - TURN * moved.y()))
            self.look_at(lamp=((right + TURN * moved.x() + 180) % 360 - 180, up))
        else:
            self.turn(TURN * moved.x(), -TURN * moved.y())
        self.changed.emit()

    def turn(self, yaw: float, pitch: float) -> None:
        """By so many degrees."""
        self.look_at(yaw=(self.view.yaw + yaw + 180) % 360 - 180, pitch=min(80.0, max(-80.0, self.view.pitch + pitch)))

    def leaveEvent(self, event: Any) -> None:
        if self.layer is not None:
            self.layer.hover(None)

    def mouseDoubleClickEvent(self, event: Any) -> None:
        if self.layer is not None and self.layer.grabbed(event.position()) is not None:
            return
        self.reset()
        self.changed.emit()

    def wheelEvent(self, event: Any) -> None:
        self.look_at(zoom=min(6.0, max(0.5, self.view.zoom * 1.0015 ** event.angleDelta().y())))

    def keyPressEvent(self, event: Any) -> None:
        turns = {
            Qt.Key.Key_Left: (-8, 0),
            Qt.Key.Key_Right: (8, 0),
            Qt.Key.Key_Up: (0, 8),
            Qt.Key.Key_Down: (0, -8),
        }
        if event.key() in turns:
            self.turn(*turns[event.key()])
        else:
            super().keyPressEvent(event)
