"""The lists of photos and of a photo's faces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QStyle, QWidget

from tronie.arrays import Image
from tronie.gui.i18n import tr
from tronie.gui.image_widgets import qimage
from tronie.gui.photo_view import BAD, color_of, sentences

if TYPE_CHECKING:
    from tronie.service.messages import Card, Track

ICON = 76
"""Side of the thumbnails in the list, points."""
LOWEST, HIGHEST = 44, 150
"""Of the list of faces, points."""
KEY = Qt.ItemDataRole.UserRole


class PhotoList(QListWidget):
    """`chosen` tells the path of the photo that was selected."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setIconSize(QSize(ICON, ICON))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrap(True)
        self.setSpacing(2)
        self.setUniformItemSizes(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMinimumWidth(150)
        self.currentItemChanged.connect(lambda item, _: item is not None and self.chosen.emit(item.data(KEY)))

    def item_of(self, path: Path) -> QListWidgetItem | None:
        for row in range(self.count()):
            if self.item(row).data(KEY) == path:
                return self.item(row)
        return None

    def add(self, path: Path) -> bool:
        """Whether the photo was not there before."""
        if self.item_of(path) is not None:
            return False
        item = QListWidgetItem(self.style().standardIcon(QStyle.StandardPixmap.SP_FileIcon), path.name)
        item.setData(KEY, path)
        item.setToolTip(str(path))
        # Narrower than the list: names are cut to its width then, and nothing has to be scrolled sideways.
        item.setSizeHint(QSize(ICON, ICON + 6))
        self.addItem(item)
        return True

    def show_thumbnail(self, path: Path, image: Image) -> None:
        if (item := self.item_of(path)) is not None:
            picture = QPixmap.fromImage(qimage(image))
            icon = QIcon(picture)
            icon.addPixmap(picture, QIcon.Mode.Selected)  # or Qt would tint it
            item.setIcon(icon)

    def say(self, path: Path, text: str, bad: bool = False) -> None:
        """One sentence below a photo's name."""
        if (item := self.item_of(path)) is None:
            return
        item.setText(f"{path.name}\n{text}" if text else path.name)
        # A sentence may need more lines than a thumbnail is high.
        room = max(60, self.viewport().width() - ICON - 24)
        area = self.fontMetrics().boundingRect(0, 0, room, 9999, int(Qt.TextFlag.TextWordWrap), item.text())
        item.setSizeHint(QSize(ICON, max(ICON, area.height()) + 6))
        item.setToolTip(f"{path}\n{text}")
        if bad:
            item.setForeground(BAD)
            item.setIcon(self.style().standardIcon(QStyle.StandardPixmap.SP_MessageBoxWarning))

    def choose(self, path: Path) -> None:
        if (item := self.item_of(path)) is not None:
            self.setCurrentItem(item)


class FaceList(QListWidget):
    """`chosen` tells which face was selected, by its index."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setFixedHeight(LOWEST)
        self.currentItemChanged.connect(lambda item, _: item is not None and self.chosen.emit(item.data(KEY)))

    def clear(self) -> None:
        super().clear()
        self.setFixedHeight(LOWEST)

    def add(self, face: Card) -> None:
        said = sentences(face)
        text = tr("Face {n}").format(n=face.index) + f"   {100 * face.score:.0f} %"
        item = QListWidgetItem("   ".join([text, *said]))
        item.setData(KEY, face.index)
        swatch = QPixmap(12, 12)
        swatch.fill(color_of(face))
        item.setIcon(QIcon(swatch))
        self.addItem(item)
        self._grow()

    def add_track(self, track: Track) -> None:
        """A person of a clip."""
        text = tr("Person {n}").format(n=track.number)
        seen = tr("seen in {share} % of the frames").format(share=round(100 * track.share))
        item = QListWidgetItem("   ".join([text, seen, *track.warnings]))
        item.setData(KEY, track.number)
        self.addItem(item)
        self._grow()

    def _grow(self) -> None:
        rows = sum(self.sizeHintForRow(row) for row in range(self.count()))
        self.setFixedHeight(min(HIGHEST, max(LOWEST, rows + 2 * self.frameWidth() + 4)))

    def choose(self, index: int) -> None:
        for row in range(self.count()):
            if self.item(row).data(KEY) == index:
                self.setCurrentRow(row)

    def step(self, by: int) -> None:
        if self.count():
            self.setCurrentRow((self.currentRow() + by) % self.count())
