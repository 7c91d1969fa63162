"""The list of photos and clips: each with its thumbnail, what is known of it, and how far it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QItemSelectionModel, QRect, QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QKeySequence, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from tronie.arrays import Image
from tronie.gui.image_widgets import qimage
from tronie.gui.photo_view import BAD, DOUBTFUL, GOOD
from tronie.service.messages import PhotoState

ICON = 64
"""Side of the thumbnails in the list, points."""
NARROW = 190
"""Thumbnails in narrower lists are smaller: names need the room."""
MARGIN, DOT = 6, 10
LINES = 3
"""Of the sentence below a name; the tool tip has all of it."""
KEY = Qt.ItemDataRole.UserRole
STATE, SAID, FACES, ADDED = (Qt.ItemDataRole(KEY + k) for k in range(1, 5))
COLORS: dict[PhotoState, QColor] = {
    PhotoState.WAITING: QColor(130, 134, 142),
    PhotoState.WORKING: QColor(124, 199, 255),
    PhotoState.DONE: GOOD,
    PhotoState.EMPTY: DOUBTFUL,
    PhotoState.FAILED: BAD,
}
"""Of the dots; what nothing was done with has none."""


def _date(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


SORTS: dict[str, Callable[[QListWidgetItem], Any]] = {
    "added": lambda item: item.data(ADDED),
    "name": lambda item: item.data(KEY).name.lower(),
    "date": lambda item: -_date(item.data(KEY)),
    "state": lambda item: list(PhotoState).index(item.data(STATE)),
    "faces": lambda item: -(item.data(FACES) or 0),
}
"""What the list can be sorted by."""


class _Row(QStyledItemDelegate):
    """A thumbnail; beside it the name, the sentence, and a dot for the state."""

    def sizeHint(self, option: Any, index: Any) -> QSize:
        return QSize(ICON, ICON + 2 * MARGIN)  # narrower than the list: nothing has to be scrolled sideways

    def paint(self, painter: QPainter, option: Any, index: Any) -> None:
        shown = QStyleOptionViewItem(option)
        self.initStyleOption(shown, index)
        view: Any = shown.widget
        icon = QIcon(shown.icon)  # what is given is the option's own, which is emptied next
        shown.icon, shown.text = QIcon(), ""
        view.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, shown, painter, view)
        chosen = bool(shown.state & QStyle.StateFlag.State_Selected)
        roles = QPalette.ColorRole
        ink = shown.palette.color(roles.HighlightedText if chosen else roles.Text)
        faint = QColor(ink)
        faint.setAlphaF(0.75)
        rect, state = shown.rect, index.data(STATE)
        side = ICON if rect.width() > NARROW else ICON * 2 // 3
        place = QRect(rect.left() + MARGIN, rect.top() + MARGIN + (ICON - side) // 2, side, side)
        icon.paint(painter, place)
        if state in COLORS:
            painter.save()
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QColor(20, 20, 20, 160))
            painter.setBrush(COLORS[state])
            painter.drawEllipse(QRectF(place.right() - DOT + 2, place.bottom() - DOT + 2, DOT, DOT))
            painter.restore()
        left = place.right() + 2 * MARGIN
        room = QRect(left, rect.top() + MARGIN, max(10, rect.right() - MARGIN - left), ICON)
        metrics = shown.fontMetrics
        painter.setPen(ink)
        name = metrics.elidedText(index.data(KEY).name, Qt.TextElideMode.ElideMiddle, room.width())
        painter.drawText(room, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop), name)
        if said := index.data(SAID):
            painter.setPen(BAD if state is PhotoState.FAILED and not chosen else faint)
            # Letters that come from another font may be higher than the font's own.
            step = max(metrics.lineSpacing(), metrics.boundingRect(said).height())
            below = room.adjusted(0, step + 2, 0, MARGIN)
            for line in _lines(said, metrics, below.width(), min(LINES, below.height() // step)):
                painter.drawText(below, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop), line)
                below.adjust(0, step, 0, 0)


def _lines(text: str, metrics: Any, width: int, most: int = LINES) -> list[str]:
    """At most so many, the last one cut where there is more."""
    words, lines = text.split(), [""]
    while words:
        longer = f"{lines[-1]} {words[0]}".strip()
        if metrics.horizontalAdvance(longer) > width and lines[-1]:
            if len(lines) >= most:
                break
            lines.append("")
            continue
        lines[-1] = longer
        words.pop(0)
    rest = " ".join([lines[-1], *words])
    return [metrics.elidedText(line, Qt.TextElideMode.ElideRight, width) for line in [*lines[:-1], rest]]


class PhotoList(QListWidget):
    """`chosen` tells the path of the photo that was clicked; several may be selected with Ctrl and Shift. `removing`
    asks to take the selected ones from the list."""

    chosen = Signal(object)
    removing = Signal()
    changed = Signal()
    """What is in the list, or how far it is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.order = "added"
        self._words: list[str] = []
        self._states: frozenset[PhotoState] = frozenset(PhotoState)
        self._count = 0
        self.setIconSize(QSize(ICON, ICON))
        self.setItemDelegate(_Row(self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setMinimumWidth(150)
        self.currentItemChanged.connect(lambda item, _: item is not None and self.chosen.emit(item.data(KEY)))

    def item_of(self, path: Path) -> QListWidgetItem | None:
        return next((item for item in self._items() if item.data(KEY) == path), None)

    def _items(self) -> list[QListWidgetItem]:
        return [self.item(row) for row in range(self.count())]

    def all_paths(self) -> list[Path]:
        """As they were added: what they are named after does not hang on how the list is sorted."""
        return [item.data(KEY) for item in sorted(self._items(), key=SORTS["added"])]

    def paths(self) -> list[Path]:
        """All that are shown, in their order."""
        return [item.data(KEY) for item in self._items() if not item.isHidden()]

    def selected(self) -> list[Path]:
        """In the order of the list."""
        return [item.data(KEY) for item in self._items() if item.isSelected() and not item.isHidden()]

    def state(self, path: Path) -> PhotoState:
        item = self.item_of(path)
        return PhotoState.NEW if item is None else item.data(STATE)

    def add(self, path: Path) -> bool:
        """Whether the photo was not there before."""
        if self.item_of(path) is not None:
            return False
        item = QListWidgetItem(self.style().standardIcon(QStyle.StandardPixmap.SP_FileIcon), path.name)
        item.setData(KEY, path)
        item.setData(STATE, PhotoState.NEW)
        item.setData(ADDED, self._count)
        item.setToolTip(str(path))
        self._count += 1
        self.addItem(item)
        self._sift(item)
        self.changed.emit()
        return True

    def remove(self, paths: list[Path]) -> None:
        """Take some from the list; the next one is chosen in the place of one that was."""
        gone = set(paths)
        current = self.currentItem()
        if current is not None and current.data(KEY) in gone:
            rows = [row for row in range(self.count()) if self.item(row).data(KEY) not in gone]
            rows = [row for row in rows if not self.item(row).isHidden()]
            here = self.currentRow()
            near = min(rows, key=lambda row: (abs(row - here), row < here), default=None)
            self._open(None if near is None else self.item(near))
        for item in self._items():
            if item.data(KEY) in gone:
                self.takeItem(self.row(item))
        self.changed.emit()

    def show_thumbnail(self, path: Path, image: Image) -> None:
        if (item := self.item_of(path)) is not None:
            picture = QPixmap.fromImage(qimage(image))
            icon = QIcon(picture)
            icon.addPixmap(picture, QIcon.Mode.Selected)  # or Qt would tint it
            item.setIcon(icon)

    def say(self, path: Path, text: str, state: PhotoState, faces: int | None = None) -> None:
        """One sentence below a photo's name, and how far it is."""
        if (item := self.item_of(path)) is None:
            return
        text = text.replace(str(path), path.name)
        said = "…" + text.removeprefix(path.name) if text.startswith(path.name) else text  # it stands above
        item.setText(f"{path.name}\n{text}" if text else path.name)
        item.setToolTip(f"{path}\n{text}" if text else str(path))
        item.setData(SAID, said)
        item.setData(STATE, state)
        if faces is not None:
            item.setData(FACES, faces)
        self._sift(item)
        self.changed.emit()

    def choose(self, path: Path) -> None:
        if (item := self.item_of(path)) is not None:
            self._open(item)

    def _open(self, item: QListWidgetItem | None) -> None:
        """Choose one and no other: by itself Qt would add it to those that are selected."""
        if item is None:
            self.setCurrentItem(None)
        else:
            self.setCurrentItem(item, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def sort_by(self, order: str) -> None:
        """By one of SORTS."""
        self.order = order
        current, selected = self.currentItem(), set(self.selected())
        with QSignalBlocker(self):
            items = [self.takeItem(0) for _ in range(self.count())]
            for item in sorted(items, key=SORTS[order]):
                self.addItem(item)
                self._sift(item)
                item.setSelected(item.data(KEY) in selected)
            if current is not None:
                self.setCurrentItem(current, QItemSelectionModel.SelectionFlag.NoUpdate)
        self.changed.emit()

    def sift(self, text: str, states: frozenset[PhotoState] | None = None) -> None:
        """Show only those whose name or sentence has every word, in one of these states."""
        self._words = text.lower().split()
        self._states = frozenset(PhotoState) if states is None else states
        for item in self._items():
            self._sift(item)
        self.changed.emit()

    def _sift(self, item: QListWidgetItem) -> None:
        said = item.text().lower()
        item.setHidden(not (item.data(STATE) in self._states and all(word in said for word in self._words)))

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        if (item := self.currentItem()) is not None:
            self.scrollToItem(item)

    def event(self, event: Any) -> bool:
        """The Delete key is the list's where it has the focus, whatever the window makes of it."""
        if event.type() == QEvent.Type.KeyPress and event.matches(QKeySequence.StandardKey.Delete):
            self.removing.emit()
            return True
        return bool(super().event(event))
