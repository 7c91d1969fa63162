"""The photo with its faces: boxes to click, zoom with the wheel, pan by dragging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QPainter, QPalette, QPen, QPixmap
from PySide6.QtWidgets import (
    QFrame,
    QGraphicsItem,
    QGraphicsPixmapItem,
    QGraphicsRectItem,
    QGraphicsScene,
    QGraphicsView,
    QWidget,
)

from tronie.arrays import Image
from tronie.gui.i18n import tr
from tronie.gui.image_widgets import qimage
from tronie.gui.plain import plain

if TYPE_CHECKING:
    from tronie.service.messages import Card

WAITING = QColor(176, 180, 188)
GOOD, DOUBTFUL, BAD = QColor(62, 190, 110), QColor(240, 170, 40), QColor(232, 76, 70)
FARTHEST, NEAREST = 0.5, 40.0
"""Zoom: of the size that fits, and pixels of the screen per pixel of the photo."""


def color_of(face: Card) -> QColor:
    return WAITING if face.waiting else BAD if face.error else DOUBTFUL if face.warnings else GOOD


def sentences(face: Card) -> list[str]:
    """What there is to say against a face, in plain words."""
    said = [text[:1].upper() + text[1:] + "." for text in map(plain, face.warnings)]
    return [tr("This face could not be finished: {error}").format(error=face.error), *said] if face.error else said


class _Box(QGraphicsRectItem):
    """A face's box, with number and confidence at its upper left, which stay readable at any zoom."""

    def __init__(self, face: Card, color: QColor | None = None) -> None:
        x0, y0, x1, y1 = face.box
        super().__init__(QRectF(x0, y0, x1 - x0, y1 - y0))
        self.face, self.chosen = face, False
        self.color = color or color_of(face)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip("\n".join([tr("Face {n}").format(n=face.index), *sentences(face)]))
        # Nothing is filled, but the whole box can be clicked.
        self.setBrush(QBrush(QColor(0, 0, 0, 1)))
        self.setZValue(1000 - face.index)

    def choose(self, chosen: bool) -> None:
        self.chosen = chosen
        self.setZValue(2000 if chosen else 1000 - self.face.index)
        self.prepareGeometryChange()
        self.update()

    def _zoom(self) -> float:
        views = self.scene().views() if self.scene() is not None else []
        return max(views[0].transform().m11(), 1e-6) if views else 1.0

    def boundingRect(self) -> QRectF:
        room = 150 / self._zoom()
        return self.rect().adjusted(-8, -room, room, 8)

    def paint(self, painter: Any, option: Any, widget: Any = None) -> None:
        zoom, color = self._zoom(), self.color
        fine = painter.device().devicePixelRatioF()  # a cosmetic pen counts the screen's own pixels
        for tint, width in ((QColor(0, 0, 0, 110), 4.5 if self.chosen else 3), (color, 3.5 if self.chosen else 1.6)):
            pen = QPen(tint, width * fine)
            pen.setCosmetic(True)
            if self.face.waiting:
                pen.setStyle(Qt.PenStyle.DashLine)
            painter.setPen(pen)
            painter.drawRect(self.rect())
        painter.save()
        painter.translate(self.rect().topLeft())
        painter.scale(1 / zoom, 1 / zoom)
        small = self.rect().width() * zoom < 44 and not self.chosen
        text = str(self.face.index) if small else f"{self.face.index}  {100 * self.face.score:.0f} %"
        if self.face.warnings or self.face.error:
            text += "  !"
        metrics = painter.fontMetrics()
        area = QRectF(-2, -metrics.height() - 5, metrics.horizontalAdvance(text) + 10, metrics.height() + 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawRoundedRect(area, 3, 3)
        painter.setPen(QColor(20, 20, 20))
        painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter), text)
        painter.restore()


class PhotoView(QGraphicsView):
    """`chosen` tells which face was clicked, by its index."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        scene = QGraphicsScene(self)
        # Boxes keep the size of their labels at any zoom: an index by place would lose hold of them.
        scene.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        self.setScene(scene)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.FullViewportUpdate)
        self.setDragMode(QGraphicsView.DragMode.ScrollHandDrag)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.AnchorUnderMouse)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.AnchorViewCenter)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumSize(240, 120)
        self.setAcceptDrops(False)
        self.boxes: dict[int, _Box] = {}
        self.layer: QGraphicsItem | None = None
        """Over the photo and its boxes."""
        self.hint = ""
        self._pressed: QPointF | None = None
        self._fitted = True

    def show_photo(self, image: Image | None, hint: str = "") -> None:
        """Another photo, without faces yet; None and why there is none."""
        self._show(None if image is None else QPixmap.fromImage(qimage(image)), hint)

    def _show(self, picture: QPixmap | None, hint: str = "") -> None:
        self.show_layer(None)
        self.scene().clear()
        self.boxes.clear()
        self.hint = "" if picture is not None else hint
        if picture is not None:
            item = self.scene().addPixmap(picture)
            item.setTransformationMode(Qt.TransformationMode.SmoothTransformation)
            self.setSceneRect(QRectF(item.pixmap().rect()))
            self.fit()
        self.viewport().update()

    def show_frame(self, image: Image, size: tuple[int, int] | None = None) -> None:
        """Another frame of a clip, without its faces: place and zoom stay. `size` is its own where it was reduced."""
        picture = QPixmap.fromImage(qimage(image))
        if size is not None and (picture.width(), picture.height()) != size:
            picture = picture.scaled(*size)
        items = [item for item in self.scene().items() if isinstance(item, QGraphicsPixmapItem)]
        if not items or items[0].pixmap().size() != picture.size():
            self._show(picture)
            return
        self.show_layer(None)
        items[0].setPixmap(picture)
        for box in self.boxes.values():
            self.scene().removeItem(box)
        self.boxes.clear()

    def add_face(self, face: Card, color: QColor | None = None) -> None:
        """`color` instead of the one that says how sure it is."""
        if face.index in self.boxes:
            self.scene().removeItem(self.boxes[face.index])
        self.boxes[face.index] = box = _Box(face, color)
        self.scene().addItem(box)

    def show_layer(self, layer: QGraphicsItem | None) -> None:
        """Something over the photo and its boxes, in the photo's pixels; None takes it away."""
        if self.layer is not None:
            self.scene().removeItem(self.layer)
        self.layer = layer
        for box in self.boxes.values():
            box.setVisible(layer is None or not box.chosen)
        if layer is not None:
            self.scene().addItem(layer)

    def choose(self, index: int) -> None:
        """Mark one face, and bring it into sight."""
        for own, box in self.boxes.items():
            box.choose(own == index)
            box.setVisible(self.layer is None or own != index)
        if index in self.boxes and not self._fitted:
            self.ensureVisible(self.boxes[index])

    def fit(self) -> None:
        self._fitted = True
        self.fitInView(self.sceneRect().adjusted(-2, -2, 2, 2), Qt.AspectRatioMode.KeepAspectRatio)

    def look_at_face(self, index: int) -> None:
        """Bring one face near."""
        if index in self.boxes:
            rect = self.boxes[index].rect()
            room = 0.3 * max(rect.width(), rect.height())
            self.fitInView(rect.adjusted(-room, -room, room, room), Qt.AspectRatioMode.KeepAspectRatio)
            self._fitted = False

    def zoom(self, factor: float) -> None:
        now, rect = self.transform().m11(), self.sceneRect()
        if rect.isEmpty():
            return
        fits = min(self.viewport().width() / rect.width(), self.viewport().height() / rect.height())
        factor = min(max(now * factor, FARTHEST * fits), max(NEAREST, fits)) / now
        self.scale(factor, factor)
        self._fitted = False

    def wheelEvent(self, event: Any) -> None:
        self.zoom(1.0015 ** event.angleDelta().y())

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        if self._fitted and self.scene().items():
            self.fit()

    def mousePressEvent(self, event: Any) -> None:
        self._pressed = event.position()
        super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: Any) -> None:
        super().mouseReleaseEvent(event)
        if self._pressed is not None and (event.position() - self._pressed).manhattanLength() < 5:
            for item in self.items(event.position().toPoint()):
                if isinstance(item, _Box) and item.rect().contains(self.mapToScene(event.position().toPoint())):
                    self.chosen.emit(item.face.index)
                    break
        self._pressed = None

    def mouseDoubleClickEvent(self, event: Any) -> None:
        self.fit()

    def keyPressEvent(self, event: Any) -> None:
        """Keys are the window's: arrows choose faces and do not scroll."""
        event.ignore()

    def paintEvent(self, event: Any) -> None:
        super().paintEvent(event)
        if self.hint:
            painter = QPainter(self.viewport())
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.viewport().rect().adjusted(30, 30, -30, -30), int(flags), self.hint)
