"""What is written, and where; the head to drag out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QDrag
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QFileDialog,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from tronie.gui.i18n import spoken, tr
from tronie.gui.tick_grid import TickGrid

if TYPE_CHECKING:
    from tronie.gui.forms import Field
    from tronie.settings import ExportSettings

USUAL = ("glb", "portrait", "texture")
"""Ticked at first."""


class DragOut(QLabel):
    """A label that gives a file to whatever it is dragged to; the file is `ready` some time after `asked`."""

    asked = Signal()

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.ready: Path | None = None
        self._pressed: QPointF | None = None
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setFrameShape(QLabel.Shape.StyledPanel)
        self.setMinimumHeight(44)
        self.setCursor(Qt.CursorShape.OpenHandCursor)

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self.ask()

    def ask(self) -> None:
        """Have the file ready, if it can be seen that it may be dragged."""
        if self.isEnabled() and self.ready is None and self.isVisible():
            self.asked.emit()

    def mousePressEvent(self, event: Any) -> None:
        self._pressed = event.position()
        self.ask()

    def mouseMoveEvent(self, event: Any) -> None:
        far = QApplication.startDragDistance()
        if self._pressed is None or (event.position() - self._pressed).manhattanLength() < far:
            return
        self._pressed = None
        data = self.data()
        if data is not None:
            drag = QDrag(self)
            drag.setMimeData(data)
            drag.exec(Qt.DropAction.CopyAction)

    def data(self) -> QMimeData | None:
        """What is dragged: the file's address."""
        if not self.isEnabled() or self.ready is None:
            return None
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(self.ready))])
        return data


class FolderLine(QLineEdit):
    """Leaves Ctrl+E to the window: under X11 a line of text takes it for its own end."""

    def event(self, event: Any) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and event.key() == Qt.Key.Key_E:
            event.ignore()
            return False
        return bool(super().event(event))


class ExportPanel(QWidget):
    """`wanted` asks for an export: of all faces if it is True."""

    wanted = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ticks: dict[str, QCheckBox] = {}
        self.fields: dict[str, Field] = {}
        self._outputs, self._extras = TickGrid(), TickGrid()
        self.folder = FolderLine(str(Path.home() / "tronie-out"))
        browse = QPushButton(tr("Choose …"))
        browse.clicked.connect(self._browse)
        self.replace = QCheckBox(tr("Replace what was exported before"))
        self.one = QPushButton(tr("Export this face"))
        self.one.clicked.connect(lambda: self.wanted.emit(False))
        self.all = QPushButton(tr("Export all faces of the photo"))
        self.all.clicked.connect(lambda: self.wanted.emit(True))
        self.open = QPushButton(tr("Open folder"))
        self.open.clicked.connect(self.open_folder)
        self.copy = QPushButton(tr("Copy portrait"))
        self.copy.setToolTip(tr("The portrait to the clipboard (Ctrl+Shift+C)"))
        self.drag = DragOut(tr("Drag head.glb from here into another program"))
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        choice, inside = QScrollArea(), QWidget()
        choices = QVBoxLayout(inside)
        choices.setContentsMargins(0, 0, 0, 0)
        for title, ticks in ((tr("Files"), self._outputs), (tr("Beside them"), self._extras)):
            group = QGroupBox(title)
            QVBoxLayout(group).addWidget(ticks)
            choices.addWidget(group)
        choices.addStretch(1)
        choice.setWidget(inside)
        choice.setWidgetResizable(True)
        choice.setFrameShape(QScrollArea.Shape.NoFrame)
        choice.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        where = QHBoxLayout()
        where.addWidget(QLabel(tr("Into")))
        where.addWidget(self.folder, 1)
        where.addWidget(browse)
        buttons = QGridLayout()
        for k, button in enumerate((self.one, self.all, self.open, self.copy)):
            buttons.addWidget(button, k // 2, k % 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 6, 4, 4)
        layout.addWidget(choice, 1)
        layout.addLayout(where)
        layout.addWidget(self.replace)
        layout.addLayout(buttons)
        layout.addWidget(self.message)
        layout.addWidget(self.drag)
        self.target: Path | None = None
        """What was written last."""
        self._films: tuple[str, ...] = ()
        self._clip = False
        self.enable(False)

    def set_options(
        self, outputs: Mapping[str, str], settings: ExportSettings, films: Mapping[str, str] | None = None
    ) -> None:
        """The outputs there are, each with what it is, and the settings' values; `films` are those of clips only."""
        from tronie.gui.forms import Field

        if not self.ticks:
            self._films = tuple(films or ())
            for name, text in {**outputs, **(films or {})}.items():
                tick = self.ticks[name] = QCheckBox(spoken(name))
                tick.setToolTip(tr(text))
                tick.setChecked(name in USUAL or name in self._films)
                self._outputs.add(tick)
            self.speak_of(clip=False)
        self._extras.clear()
        for name, info in type(settings).model_fields.items():
            field = self.fields[name] = Field(f"export.{name}", info, getattr(settings, name))
            if isinstance(field.widget, QCheckBox):
                field.widget.setText(field.title)
                field.widget.toggled.connect(lambda: self.lend(None))
            self._extras.add(field.widget)

    def options(self, settings: ExportSettings) -> ExportSettings:
        return settings.model_copy(update={name: field.value for name, field in self.fields.items()})

    def speak_of(self, *, clip: bool) -> None:
        """Of the people of a clip, or of the faces of a photo."""
        self._clip = clip
        self.one.setText(tr("Export this person") if clip else tr("Export this face"))
        self.all.setText(tr("Export everybody in the clip") if clip else tr("Export all faces of the photo"))
        for name in self._films:
            self.ticks[name].setVisible(clip)
        self._outputs.arrange()

    def outputs(self, *, clip: bool | None = None) -> set[str]:
        """The names of those that are ticked; `clip`: also those of clips, whatever is shown."""
        hidden = () if (self._clip if clip is None else clip) else self._films
        return {name for name, tick in self.ticks.items() if tick.isChecked() and name not in hidden}

    def enable(self, on: bool) -> None:
        for widget in (self.one, self.all, self.copy, self.drag):
            widget.setEnabled(on)
        self.lend(None)

    def lend(self, path: Path | None) -> None:
        """The file that may be dragged out; None: it has to be written first."""
        self.drag.ready = path
        self.drag.ask()

    def say(self, text: str) -> None:
        self.message.setText(text)

    def open_folder(self) -> None:
        path = self.target if self.target is not None and self.target.exists() else Path(self.folder.text())
        if path.is_dir():
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
        else:
            self.say(tr("{path} is not there yet.").format(path=path))

    def _browse(self) -> None:
        if chosen := QFileDialog.getExistingDirectory(self, tr("Export into"), self.folder.text()):
            self.folder.setText(chosen)
