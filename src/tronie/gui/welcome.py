"""What is there before the first photo is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from tronie.gui.i18n import tr
from tronie.gui.icon import icon

SAMPLE = Path(__file__).parent / "sample.jpg"
"""Eileen Collins, a picture of NASA in the public domain."""


class Welcome(QWidget):
    """Over the middle of an empty window. `asked` tells which way was chosen: photos, folder or sample."""

    asked = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        picture, title, text = QLabel(), QLabel(tr("Faces of photos and videos as 3D heads")), QLabel()
        picture.setPixmap(icon().pixmap(72, 72))
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 1.35)
        title.setFont(font)
        text.setText(tr("Drop photos, videos or folders here."))
        text.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        layout = QVBoxLayout(self)
        layout.addStretch(1)
        for label in (picture, title, text):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setWordWrap(label is not picture)
            layout.addWidget(label)
        layout.addSpacing(10)
        self.buttons: dict[str, QPushButton] = {}
        for name, said in (
            ("photos", tr("Open photos …")),
            ("folder", tr("Open folder …")),
            ("sample", tr("Try it with a sample photo")),
        ):
            button = self.buttons[name] = QPushButton(said)
            button.setMinimumWidth(220)
            button.clicked.connect(lambda _=False, name=name: self.asked.emit(name))
            layout.addWidget(button, 0, Qt.AlignmentFlag.AlignCenter)
        layout.addStretch(2)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        parent.installEventFilter(self)
        self.resize(parent.size())

    def eventFilter(self, watched: Any, event: Any) -> bool:
        if event.type() == event.Type.Resize:
            self.resize(event.size())
        return False
