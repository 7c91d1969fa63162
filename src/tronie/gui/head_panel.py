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
from tronie.gui.i18n import spoken, tr
from tronie.gui.image_widgets import Aside

if TYPE_CHECKING:
    from tronie.gui.client import Bench
    from tronie.service.messages import PreviewImages, Sitter

LIGHTS = ("photo", "studio", "rim", "soft")
"""Of `tronie.render.lights.PRESETS`, those for textures."""
MODES = ("textured", "clay", "wireframe", "provenance", "uncertainty", "normals")
"""`tronie.render.renderer.MODES`, here because the window is there before the rasteriser."""


class HeadPanel(QWidget):
    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = HeadView(bench, self)
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
        self.beside = QComboBox()
        for text, what in ((tr("Nothing"), ""), (tr("Photo"), "before"), (tr("Overlay"), "overlay")):
            self.beside.addItem(text, what)
        self.beside.setToolTip(tr("The photo beside the head, which is turned as there"))
        self.beside.currentIndexChanged.connect(self._compare)
        self.aside = Aside()
        self.aside.hide()
        self.looks: PreviewImages | None = None
        self.turning = QPushButton(tr("Turn"))
        self.turning.setCheckable(True)
        self.turning.setToolTip(tr("Turn the head round (Space)"))
        self.turning.toggled.connect(self.view.spin)
        front = QPushButton(tr("Front"))
        front.setToolTip(tr("Look from the front again (Home, or a double click)"))
        front.clicked.connect(self.view.reset)
        bar = QHBoxLayout()
        for text, widget in ((tr("Show"), self.mode), (tr("Light"), self.light), (tr("Beside"), self.beside)):
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
        below = self._controls = QWidget()
        lower = QVBoxLayout(below)
        lower.setContentsMargins(0, 0, 0, 0)
        lower.addLayout(self.presets)
        lower.addWidget(self.filter)
        lower.addWidget(self._scroll, 1)
        split = QSplitter(Qt.Orientation.Vertical)
        pair = QSplitter(Qt.Orientation.Horizontal)
        pair.addWidget(self.aside)
        pair.addWidget(self.view)
        pair.setSizes([300, 300])
        split.addWidget(pair)
        split.addWidget(below)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 0)
        split.setSizes([460, 190])
        split.setChildrenCollapsible(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 6, 4, 4)
        layout.addLayout(bar)
        layout.addWidget(split, 1)

    def show_sitter(self, sitter: Sitter | None, hint: str = "") -> None:
        """Another head, with its own expression."""
        self._controls.setEnabled(sitter is not None)
        if sitter is not None and tuple(self.sliders) != sitter.names:
            self._build(sitter)
        if sitter is not None:
            self.express(sitter.weights, draw=False)
        self.view.show_sitter(sitter, hint)

    def show_looks(self, looks: PreviewImages | None) -> None:
        """The photo of the head that is shown."""
        self.looks = looks
        self._compare(turn=False)

    def _compare(self, _: int = 0, turn: bool = True) -> None:
        what, looks = self.beside.currentData(), self.looks
        image = None if looks is None or not what else getattr(looks, what)
        self.aside.setVisible(image is not None)
        self.aside.show_picture(image)
        if what and turn and self.view.sitter is not None:
            yaw, pitch = self.view.sitter.pose
            self.view.look_at(yaw=yaw, pitch=pitch, zoom=1.0)

    def follow(self, weights: dict[str, float], pose: tuple[float, float]) -> None:
        """The expression and pose of a clip's frame."""
        for name, slider in self.sliders.items():
            with QSignalBlocker(slider):
                slider.setValue(round(100 * weights.get(name, 0.0)))
        self.view.look_at(weights={name: value for name, value in weights.items() if value}, yaw=pose[0], pitch=pose[1])

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

    def _build(self, sitter: Sitter) -> None:
        """A slider for each unit that the head has, and the presets that it can show."""
        for layout in (self._grid, self.presets):
            while (item := layout.takeAt(0)) is not None:
                if item.widget() is not None:
                    item.widget().deleteLater()
        self.sliders.clear()
        self._rows.clear()
        for row, name in enumerate(sitter.names):
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
        for title, weights in sitter.presets.items():
            self._preset(spoken(title), dict(weights))
        self.presets.addStretch(1)

    def _preset(self, title: str, weights: dict[str, float] | None) -> None:
        """A button; None is the photo's own expression."""
        button = QPushButton(title)
        button.setObjectName("preset " + title)

        def chosen() -> None:
            sitter = self.view.sitter
            own = {} if sitter is None else dict(sitter.weights)
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
