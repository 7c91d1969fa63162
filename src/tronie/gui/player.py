"""A clip in the window: play, pause, a slider, single steps; the frame that is shown can be reconstructed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSlider, QVBoxLayout, QWidget

from tronie.gui.client import Bench, Queue
from tronie.gui.i18n import tr
from tronie.service import clip_tasks
from tronie.service.messages import FrameShown


class Player(QWidget):
    """`shown` gives each frame; `wanted` asks to reconstruct the one that is shown, `tracking` to follow everybody in
    the clip; `failed` is one sentence."""

    shown = Signal(object)
    wanted = Signal()
    tracking = Signal()
    failed = Signal(str)

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.path: Path | None = None
        self.frame: FrameShown | None = None
        self.line = Queue(bench, "clip", self)
        self._playing = False
        self.line.told.connect(self._told)
        self.line.done.connect(self._done)
        self.line.failed.connect(lambda key, text: self.failed.emit(text))
        self.play = QPushButton(tr("Play"))
        self.play.clicked.connect(self.toggle)
        back, on = QPushButton("◂"), QPushButton("▸")
        for button, by, tip in ((back, -1, tr("Previous frame")), (on, 1, tr("Next frame"))):
            button.setFixedWidth(30)
            button.setToolTip(tip)
            button.clicked.connect(lambda _=False, by=by: self.step(by))
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setTracking(False)
        self.slider.valueChanged.connect(self.seek)
        self.time = QLabel()
        self.capture = QPushButton(tr("Reconstruct this frame"))
        self.capture.clicked.connect(self._want)
        self.track = QPushButton(tr("Track whole clip"))
        self.track.setToolTip(
            tr("Follow everybody from the first frame to the last, and write heads, motion and films")
        )
        self.track.clicked.connect(self._track)
        above, below = QHBoxLayout(), QHBoxLayout()
        above.addWidget(self.slider, 1)
        above.addWidget(self.time)
        for widget in (self.play, back, on):
            below.addWidget(widget)
        below.addStretch(1)
        below.addWidget(self.capture)
        below.addWidget(self.track)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 2, 4, 2)
        column.addLayout(above)
        column.addLayout(below)
        self.hide()

    def open(self, path: Path | None) -> None:
        """Another clip, at its first frame; None is no clip."""
        self.pause()
        self.path, self.frame = path, None
        self.setVisible(path is not None)
        if path is not None:
            self._ask(0)

    def toggle(self) -> None:
        if self._playing:
            self.pause()
        elif self.path is not None:
            self._playing = True
            self.play.setText(tr("Pause"))
            at = 0 if self.frame is None or self.frame.index >= self.slider.maximum() else self.frame.index + 1
            self._go(at, forever=True)

    def pause(self) -> None:
        self._playing = False
        self.play.setText(tr("Play"))
        self.line.cancel()

    def step(self, by: int) -> None:
        self.pause()
        self._ask(max(0, (self.frame.index if self.frame is not None else 0) + by))

    def seek(self, index: int) -> None:
        if self.frame is None or index != self.frame.index:
            self.pause()
            self._ask(index)

    def _want(self) -> None:
        if self.frame is not None:
            self.pause()
            self.wanted.emit()

    def _track(self) -> None:
        self.pause()
        self.tracking.emit()

    def _ask(self, index: int) -> None:
        self._go(index, forever=False)

    def _go(self, index: int, forever: bool) -> None:
        assert self.path is not None
        self.line.submit(
            (self.path, forever), clip_tasks.play if forever else clip_tasks.show_frame, self.path, index, alone=True
        )

    def _told(self, key: Any, frame: Any) -> None:
        if key[0] == self.path and (not key[1] or self._playing):
            self.frame = frame
            self.slider.blockSignals(True)
            self.slider.setMaximum(max(frame.count - 1, frame.index))
            self.slider.setValue(frame.index)
            self.slider.blockSignals(False)
            self.time.setText(f"{int(frame.time) // 60}:{frame.time % 60:04.1f}")
            self.shown.emit(frame)
        self.line.take()

    def _done(self, key: Any, result: Any) -> None:
        if key[1] and key[0] == self.path:
            self.pause()
