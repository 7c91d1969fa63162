"""A clip in the window: play, pause, a slider, single steps; the frame that is shown can be reconstructed."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSlider, QWidget

from tronie.gui.lines import Job, Line, Tell
from tronie.gui.words import tr

if TYPE_CHECKING:
    from tronie.video.clip import Clip, Frame


class Player(QWidget):
    """`shown` gives each frame; `wanted` asks to reconstruct the last one; `failed` is one sentence."""

    shown = Signal(object)
    wanted = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.path: Path | None = None
        self.frame: Frame | None = None
        self.line = Line(self)
        self._reader = Reader()
        self._playing = False
        self._taken = threading.Event()
        """Set when the window has shown a frame: the reader never runs ahead of it."""
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
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 2, 4, 2)
        row.addWidget(self.play)
        row.addWidget(back)
        row.addWidget(on)
        row.addWidget(self.slider, 1)
        row.addWidget(self.time)
        row.addWidget(self.capture)
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
            self._go(0 if self.frame is None else self.frame.index + 1, forever=True)

    def pause(self) -> None:
        self._playing = False
        self.play.setText(tr("Play"))
        self.line.cancel()
        self._taken.set()

    def step(self, by: int) -> None:
        self.pause()
        self._ask(max(0, (self.frame.index if self.frame is not None else 0) + by))

    def seek(self, index: int) -> None:
        if self.frame is None or index != self.frame.index:
            self.pause()
            self._ask(index)

    def _want(self) -> None:
        if self.frame is not None:
            self.wanted.emit(self.frame)

    def _ask(self, index: int) -> None:
        self._go(index, forever=False)

    def _go(self, index: int, forever: bool) -> None:
        assert self.path is not None
        self._taken.set()
        self.line.submit((self.path, forever), self._reader.job(self.path, index, forever, self._taken), alone=True)

    def _told(self, key: Any, what: Any) -> None:
        frame, count = what
        if key[0] == self.path and (not key[1] or self._playing):
            self.frame = frame
            self.slider.blockSignals(True)
            self.slider.setMaximum(max(count - 1, frame.index))
            self.slider.setValue(frame.index)
            self.slider.blockSignals(False)
            self.time.setText(f"{int(frame.time) // 60}:{frame.time % 60:04.1f}")
            self.shown.emit(frame)
        self._taken.set()

    def _done(self, key: Any, result: Any) -> None:
        if key[1] and key[0] == self.path:
            self.pause()

    def close_line(self) -> None:
        self._playing = False
        self._taken.set()
        self.line.close()
        self._reader.close()


class Reader:
    """Frames of the clip that was asked for last. Clips are read from the beginning on: going back reads anew."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._clip: Clip | None = None
        self._frames: Any = None
        self._next = 0

    def close(self) -> None:
        if self._clip is not None:
            self._clip.close()
        self._clip = self._frames = self._path = None

    def job(self, path: Path, index: int, forever: bool, taken: threading.Event) -> Job:
        """Tell (frame, how many there should be) of one frame, or of all from there on at the clip's own pace."""

        def job(tell: Tell) -> None:
            from tronie.video.clip import open_clip

            if path != self._path or index < self._next or self._frames is None:
                self.close()
                self._clip = open_clip(path)
                self._path, self._frames, self._next = path, self._clip.frames(), 0
            assert self._clip is not None
            count, began, last = self._clip.info.frames or 0, None, None
            for frame in self._frames:
                self._next = frame.index + 1
                last = frame
                if frame.index < index:
                    continue
                taken.clear()
                tell((frame, count))
                if not forever:
                    return
                now = time.monotonic()
                began = now - frame.time if began is None else began
                time.sleep(min(max(0.0, began + frame.time - now), 1.0))
                # A machine that cannot keep up plays slower rather than piling pictures up.
                taken.wait(1.0)
                began = max(began, time.monotonic() - frame.time - 0.1)
            self._frames = None
            if last is not None and last.index < index:
                tell((last, last.index + 1))

        return job
