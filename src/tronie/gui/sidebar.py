"""The list of a photo's faces, or of a clip's people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from tronie.gui.i18n import tr
from tronie.gui.photo_list import KEY
from tronie.gui.photo_view import color_of, sentences
from tronie.gui.plain import plain
from tronie.gui.timeline import person_color

if TYPE_CHECKING:
    from tronie.service.messages import Card, Track

LOWEST, HIGHEST = 44, 150
"""Of the list of faces, points."""


class FaceList(QListWidget):
    """`chosen` tells which face was selected, by its index."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setFixedHeight(LOWEST)
        self.hide()
        self.currentItemChanged.connect(lambda item, _: item is not None and self.chosen.emit(item.data(KEY)))

    def clear(self) -> None:
        with QSignalBlocker(self):  # the faces that are left for a moment were not chosen by anybody
            super().clear()
        self.hide()

    def add(self, face: Card) -> None:
        said = sentences(face)
        text = tr("Face {n}").format(n=face.index) + f"   {100 * face.score:.0f} %"
        item = QListWidgetItem("   ".join([text, *said]))
        item.setData(KEY, face.index)
        item.setIcon(_swatch(color_of(face)))
        self.addItem(item)
        self._grow()

    def add_track(self, track: Track) -> None:
        """A person of a clip."""
        text = tr("Person {n}").format(n=track.number)
        seen = tr("seen in {share} % of the frames").format(share=round(100 * track.share))
        item = QListWidgetItem("   ".join([text, seen, *map(plain, track.warnings)]))
        item.setData(KEY, track.number)
        item.setIcon(_swatch(person_color(track.number)))
        self.addItem(item)
        self._grow()

    def _grow(self) -> None:
        self.show()
        rows = sum(self.sizeHintForRow(row) for row in range(self.count()))
        self.setFixedHeight(min(HIGHEST, max(LOWEST, rows + 2 * self.frameWidth() + 4)))

    def choose(self, index: int) -> None:
        for row in range(self.count()):
            if self.item(row).data(KEY) == index:
                self.setCurrentRow(row)

    def step(self, by: int) -> None:
        if self.count():
            self.setCurrentRow((self.currentRow() + by) % self.count())


def _swatch(color: QColor) -> QIcon:
    picture = QPixmap(12, 12)
    picture.fill(QColor(255, 255, 255))  # a border, where rows have the same colour
    painter = QPainter(picture)
    painter.fillRect(1, 1, 10, 10, color)
    painter.end()
    icon = QIcon(picture)
    icon.addPixmap(picture, QIcon.Mode.Selected)  # or Qt would tint it
    return icon
