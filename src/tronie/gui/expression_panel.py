"""A slider and a number for each of a head's movements, with search, both sides at once, presets, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from tronie.gui.i18n import spoken, tr

if TYPE_CHECKING:
    from tronie.service.messages import Sitter

Weights = dict[str, float]


def other_side(name: str) -> str | None:
    """`mouthSmileLeft` -> `mouthSmileRight`, and the other way; None for what has no side."""
    for this, that in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(this):
            return name[: -len(this)] + that
    return None


class ExpressionSlider(QSlider):
    """A double click brings it back."""

    reset = Signal()

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setRange(0, 100)
        self.setMinimumWidth(60)

    def mouseDoubleClickEvent(self, event: Any) -> None:
        self.reset.emit()

    def wheelEvent(self, event: Any) -> None:
        event.ignore()  # it scrolls the list


class ExpressionPanel(QWidget):
    """`edited` tells what the user changed: weights before and after, and the unit or the preset."""

    edited = Signal(object, object, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sliders: dict[str, QSlider] = {}
        self.values: dict[str, QSpinBox] = {}
        self._rows: dict[str, tuple[QWidget, ...]] = {}
        self._own: Weights = {}
        """The photo's expression."""
        self._last: Weights = {}
        self.presets = QComboBox()
        self.presets.setObjectName("presets")
        self.presets.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)  # they come later
        self.presets.setToolTip(tr("A whole expression at once"))
        self.presets.activated.connect(self._preset)
        self._expressions: list[tuple[str, Weights | None]] = []
        self.both = QCheckBox(tr("Both sides"))
        self.both.setToolTip(tr("What one side of the face does, the other does too"))
        self.back = QPushButton(tr("Reset"))
        self.back.setToolTip(tr("The photo's expression again; a double click on a slider brings that one back"))
        self.back.clicked.connect(lambda: self._edit(self._own, tr("Reset")))
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(tr("Find a movement: jaw, brow …"))
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self._sift)
        self._none = QLabel(tr("No movement is called so."))
        self._none.hide()
        self._grid = QGridLayout()
        self._grid.setContentsMargins(6, 2, 6, 2)
        self._grid.setVerticalSpacing(1)
        self._grid.setColumnStretch(1, 1)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._none)
        column.addLayout(self._grid)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(inside)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        top = QHBoxLayout()
        top.addWidget(self.presets)
        top.addWidget(self.filter, 1)
        top.addWidget(self.both)
        top.addWidget(self.back)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(top)
        layout.addWidget(scroll, 1)

    def show_sitter(self, sitter: Sitter) -> None:
        """The movements of another head, with the photo's expression."""
        self._own = {name: float(weight) for name, weight in sitter.weights.items()}
        if tuple(self.sliders) != sitter.names:
            self._build(sitter)
        self.express(self._own)

    def express(self, weights: Mapping[str, float]) -> None:
        """Show an expression: what is missing is 0."""
        for name, slider in self.sliders.items():
            value = round(100 * float(weights.get(name, 0.0)))
            with QSignalBlocker(slider), QSignalBlocker(self.values[name]):
                slider.setValue(value)
                self.values[name].setValue(value)
        self._last = self.weights()

    def weights(self) -> Weights:
        return {name: slider.value() / 100 for name, slider in self.sliders.items() if slider.value()}

    def _build(self, sitter: Sitter) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            if item.widget() is not None:
                item.widget().deleteLater()
        self.sliders.clear()
        self.values.clear()
        self._rows.clear()
        for row, name in enumerate(sitter.names):
            label, slider, value = QLabel(spoken(name)), ExpressionSlider(), QSpinBox()
            value.setRange(0, 100)
            value.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            value.setFixedWidth(value.fontMetrics().horizontalAdvance("100") + 22)
            value.setFrame(False)
            parts: tuple[QWidget, ...] = (label, slider, value)
            for widget in parts[1:]:
                widget.setToolTip(name)
                widget.setAccessibleName(spoken(name))
            slider.valueChanged.connect(lambda now, name=name: self._moved(name, now))
            slider.reset.connect(lambda name=name: self.sliders[name].setValue(round(100 * self._own.get(name, 0.0))))
            value.valueChanged.connect(slider.setValue)
            for place, widget in enumerate(parts):
                self._grid.addWidget(widget, row, place)
            self.sliders[name], self.values[name], self._rows[name] = slider, value, parts
        self._expressions = [
            (tr("Photo's"), None),
            (tr("Neutral"), {}),
            *((spoken(title), dict(weights)) for title, weights in sitter.presets.items()),
        ]
        self.presets.clear()
        self.presets.addItems([title for title, _ in self._expressions])
        self._sift(self.filter.text())

    def _moved(self, name: str, value: int) -> None:
        """By the user: the number follows, and the other side where both are moved."""
        for one in (name, other_side(name) if self.both.isChecked() else None):
            if one in self.sliders:
                with QSignalBlocker(self.sliders[one]), QSignalBlocker(self.values[one]):
                    self.sliders[one].setValue(value)
                    self.values[one].setValue(value)
        before, self._last = self._last, self.weights()
        self.edited.emit(before, self._last, name)

    def _preset(self, row: int) -> None:
        title, weights = self._expressions[row]
        self._edit(self._own if weights is None else weights, title)

    def _edit(self, weights: Weights, what: str) -> None:
        before = self._last
        self.express(weights)
        self.edited.emit(before, self._last, what)

    def _sift(self, text: str) -> None:
        """Only the sliders whose names hold every word."""
        words, shown = text.lower().split(), 0
        for name, widgets in self._rows.items():
            said = f"{name} {spoken(name)}".lower()
            fits = all(word in said for word in words)
            shown += fits
            for widget in widgets:
                widget.setVisible(fits)
        self._none.setVisible(bool(self._rows) and not shown)
