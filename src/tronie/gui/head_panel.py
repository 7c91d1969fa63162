"""The 3D view with its controls: what the surface shows, the light, the expression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from tronie.gui.expression_panel import ExpressionPanel
from tronie.gui.head_view import HeadView
from tronie.gui.i18n import spoken, tr
from tronie.gui.image_widgets import Aside

if TYPE_CHECKING:
    from tronie.arrays import Image
    from tronie.gui.client import Bench
    from tronie.service.messages import PreviewImages, Sitter

LIGHTS = ("photo", "studio", "rim", "soft")
"""Of `tronie.render.lights.PRESETS`, those for textures."""
NARROWEST, NARROW = 300, 450
"""Points: no less than the first; below the second what can be chosen takes two rows."""
MODES = ("textured", "clay", "wireframe", "provenance", "uncertainty", "normals")
"""`tronie.render.renderer.MODES`, here because the window is there before the rasteriser."""


class HeadPanel(QWidget):
    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = HeadView(bench, self)
        self.expression = ExpressionPanel()
        self.expression.hide()
        self.sliders = self.expression.sliders
        self.mode = QComboBox()
        for mode in MODES:
            self.mode.addItem(spoken(mode), mode)
        self.mode.setToolTip(tr("Show"))
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
        for box in (self.mode, self.light, self.beside):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(4)
            box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            box.setMaximumWidth(130)
        front = QPushButton(tr("Front"))
        front.setToolTip(tr("Look from the front again (Home, or a double click)"))
        front.clicked.connect(self.view.reset)
        for button in (front, self.turning):
            button.setMinimumWidth(button.fontMetrics().horizontalAdvance(button.text()) + 16)
        self._bar, self._rest = QGridLayout(), QWidget()
        how, rest = QHBoxLayout(), QHBoxLayout(self._rest)
        rest.setContentsMargins(0, 0, 0, 0)
        how.addWidget(self.mode, 3)
        how.addWidget(QLabel(tr("Light")))
        how.addWidget(self.light, 3)
        rest.addWidget(QLabel(tr("Beside")))
        rest.addWidget(self.beside, 3)
        rest.addStretch(1)
        rest.addWidget(front)
        rest.addWidget(self.turning)
        self._bar.addLayout(how, 0, 0)
        self._bar.addWidget(self._rest, 0, 1)

        split = QSplitter(Qt.Orientation.Vertical)
        pair = QSplitter(Qt.Orientation.Horizontal)
        pair.addWidget(self.aside)
        pair.addWidget(self.view)
        pair.setSizes([300, 300])
        split.addWidget(pair)
        split.addWidget(self.expression)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 0)
        split.setSizes([460, 190])
        split.setChildrenCollapsible(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 6, 4, 4)
        layout.addLayout(self._bar)
        layout.addWidget(split, 1)
        self.setMinimumWidth(NARROWEST)

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        narrow = self.width() < NARROW
        self._bar.addWidget(self._rest, int(narrow), int(not narrow))

    def show_sitter(self, sitter: Sitter | None, hint: str = "") -> None:
        """Another head, with its own expression."""
        self.expression.setVisible(sitter is not None)
        if sitter is not None:
            self.expression.show_sitter(sitter)
            self.view.view = replace(self.view.view, weights=self.expression.weights())
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

    def show_beside(self, image: Image | None) -> None:
        """A clip's frame in the place of the photo."""
        self.aside.setVisible(image is not None)
        self.aside.show_picture(image)

    def follow(self, weights: dict[str, float], pose: tuple[float, float]) -> None:
        """The expression and pose of a clip's frame."""
        self.expression.express(weights)
        self.view.look_at(weights={name: value for name, value in weights.items() if value}, yaw=pose[0], pitch=pose[1])

    def express(self, weights: Mapping[str, float]) -> None:
        """Weights by unit, what is missing is 0."""
        self.expression.express(weights)
        self.show_expression()

    def show_expression(self) -> None:
        """The head as the sliders have it."""
        self.view.look_at(weights=self.expression.weights())

    def _mode(self) -> None:
        mode = self.mode.currentData()
        self.light.setEnabled(mode == "textured")
        self.view.look_at(mode=mode, lamp=None)
