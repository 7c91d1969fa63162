"""The 3D view with its controls: what the surface shows, the light, the expression."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSlider,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from tronie.gui.head_view import HeadView
from tronie.gui.words import spoken, tr

if TYPE_CHECKING:
    from tronie.render.figure import Figure

LIGHTS = ("photo", "studio", "rim", "soft")
"""Of `tronie.render.light.PRESETS`, those for textures."""
MODES = ("textured", "clay", "wireframe", "provenance", "uncertainty", "normals")
"""`tronie.render.view.MODES`, here because the window is there before the rasteriser."""


class HeadPanel(QWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = HeadView(self)
        self.sliders: dict[str, QSlider] = {}
        self._rows: dict[str, tuple[QWidget, ...]] = {}

        self.mode = QComboBox()
        for mode in MODES:
            self.mode.addItem(spoken(mode), mode)
        self.mode.currentIndexChanged.connect(self._mode)
        self.light = QComboBox()
        for light in LIGHTS:
            self.light.addItem(spoken(light), light)
        self.light.setToolTip(tr("Drag with the right button in the picture, or with Ctrl, to move the light."))
        self.light.currentIndexChanged.connect(lambda: self.view.look_at(light=self.light.currentData(), lamp=None))
        self.turning = QPushButton(tr("Turn"))
        self.turning.setCheckable(True)
        self.turning.setToolTip(tr("Turn the head round (Space)"))
        self.turning.toggled.connect(self.view.spin)
        front = QPushButton(tr("Front"))
        front.setToolTip(tr("Look from the front again (Home, or a double click)"))
        front.clicked.connect(self.view.reset)
        bar = QHBoxLayout()
        for text, widget in ((tr("Show"), self.mode), (tr("Light"), self.light)):
            bar.addWidget(QLabel(text))
            bar.addWidget(widget)
        bar.addStretch(1)
        bar.addWidget(front)
        bar.addWidget(self.turning)

        self.presets = QHBoxLayout()
        self.presets.setSpacing(4)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(tr("Find a movement: jaw, brow …"))
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self._sift)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(6, 2, 6, 2)
        self._grid.setVerticalSpacing(1)
        inside = QWidget()
        inside.setLayout(self._grid)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setWidget(inside)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        below = QWidget()
        lower = QVBoxLayout(below)
        lower.setContentsMargins(0, 0, 0, 0)
        lower.addLayout(self.presets)
        lower.addWidget(self.filter)
        lower.addWidget(self._scroll, 1)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.view)
        split.addWidget(below)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 0)
        split.setSizes([460, 190])
        split.setChildrenCollapsible(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 6, 4, 4)
        layout.addLayout(bar)
        layout.addWidget(split, 1)

    def show_figure(self, figure: Figure | None, hint: str = "") -> None:
        """Another head, with its own expression."""
        names = () if figure is None else figure.names
        if figure is not None and tuple(self.sliders) != tuple(names):
            self._build(tuple(names))
        if figure is not None:
            self.express(figure.weights or {}, draw=False)
        self.view.show_figure(figure, hint)

    def express(self, weights: dict[str, float] | object, draw: bool = True) -> None:
        """Set all sliders: weights by unit, what is missing is 0."""
        assert hasattr(weights, "get")
        for name, slider in self.sliders.items():
            with QSignalBlocker(slider):
                slider.setValue(round(100 * float(weights.get(name, 0.0))))
        self.view.look_at(weights=self.weights()) if draw else self._keep()

    def weights(self) -> dict[str, float]:
        return {name: slider.value() / 100 for name, slider in self.sliders.items() if slider.value()}

    def _keep(self) -> None:
        from dataclasses import replace

        self.view.view = replace(self.view.view, weights=self.weights())

    def _build(self, names: tuple[str, ...]) -> None:
        """A slider for each unit that the head has, and the presets that it can show."""
        from tronie.render.film import EXPRESSIONS

        for layout in (self._grid, self.presets):
            while (item := layout.takeAt(0)) is not None:
                if item.widget() is not None:
                    item.widget().deleteLater()
        self.sliders.clear()
        self._rows.clear()
        for row, name in enumerate(names):
            label, slider = QLabel(spoken(name)), QSlider(Qt.Orientation.Horizontal)
            slider.setRange(0, 100)
            slider.setToolTip(name)
            slider.setAccessibleName(spoken(name))
            slider.valueChanged.connect(lambda: self.view.look_at(weights=self.weights()))
            self._grid.addWidget(label, row, 0)
            self._grid.addWidget(slider, row, 1)
            self.sliders[name] = slider
            self._rows[name] = (label, slider)
        self._grid.setColumnStretch(1, 1)
        self._preset(tr("Photo's"), None)
        self._preset(tr("Neutral"), {})
        for title, weights in EXPRESSIONS.items():
            if set(weights) <= set(names):
                self._preset(spoken(title), weights)
        self.presets.addStretch(1)

    def _preset(self, title: str, weights: dict[str, float] | None) -> None:
        """A button; None is the photo's own expression."""
        button = QPushButton(title)
        button.setObjectName("preset " + title)

        def chosen() -> None:
            figure = self.view.figure
            own = {} if figure is None or figure.weights is None else figure.weights
            self.express(own if weights is None else weights)

        button.clicked.connect(chosen)
        self.presets.addWidget(button)

    def _mode(self) -> None:
        mode = self.mode.currentData()
        self.light.setEnabled(mode == "textured")
        self.view.look_at(mode=mode, lamp=None)

    def _sift(self, text: str) -> None:
        """Only the sliders whose names hold every word."""
        words = text.lower().split()
        for name, widgets in self._rows.items():
            said = f"{name} {spoken(name)}".lower()
            for widget in widgets:
                widget.setVisible(all(word in said for word in words))
