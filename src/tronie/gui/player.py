"""A clip in the window: play, pause, seek, single steps, marks; the frame that is shown can be reconstructed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from tronie.export.mocap import timecode
from tronie.gui.client import Bench, Queue
from tronie.gui.curve_menu import CurveMenu
from tronie.gui.i18n import tr
from tronie.gui.timeline import Curves, FrameAxis, Timeline
from tronie.service import clip_tasks
from tronie.service.messages import FrameShown

if TYPE_CHECKING:
    from tronie.service.messages import Track, Tracked


NARROWEST, NARROW = 306, 460
"""Points: no less than the first; below the second there is room for the most needed only."""


class Player(QWidget):
    """`shown` gives each frame; `wanted` asks to reconstruct the one that is shown, `tracking` to follow everybody in
    the marked part of the clip; `failed` is one sentence."""

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
        self.timeline, self.curves = Timeline(), Curves()
        self.axes: tuple[FrameAxis, ...] = (self.timeline, self.curves)
        for axis in self.axes:
            axis.sought.connect(self.seek)
        self.timeline.marked.connect(self._name_tracking)
        self.play = _button(tr("Play"), self.toggle, tr("Play or pause (Space)"))
        self.time, self.number = QLabel(), QLabel()
        self.time.setToolTip(tr("Hours, minutes, seconds and frames: here and at the end"))
        for label in (self.time, self.number):
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.capture = _button(tr("Reconstruct this frame"), self._want)
        self.track = _button(
            tr("Track whole clip"),
            self._track,
            tr("Follow everybody from the first frame to the last, and write heads, motion and films"),
        )
        self.chooser = CurveMenu()
        self.chooser.changed.connect(self._draw_curves)
        self.person = QPushButton(tr("Person"))
        self.person.setToolTip(tr("Put right who is who"))
        self.person.setMenu(QMenu(self.person))
        self._track_shown: Track | None = None
        transport, below = QHBoxLayout(), QHBoxLayout()
        back, on = (
            _button(text, lambda by=by: self.step(by), tip)
            for text, by, tip in (("◂", -1, tr("Previous frame")), ("▸", 1, tr("Next frame")))
        )
        into, out = (
            _button("[", self.mark_in, tr("The part begins here (I)")),
            _button("]", self.mark_out, tr("The part ends here (O)")),
        )
        for button in (back, on, into, out):
            button.setFixedWidth(28)
        self._moving_about = (
            *(self.timeline, self.curves, self.play, back, on, into, out),
            *(self.capture, self.track, self.person),
        )
        self.play.setFixedWidth(68)
        for widget in (back, self.play, on, into, out):
            transport.addWidget(widget)
        transport.addSpacing(6)
        transport.addWidget(self.time, 3)
        transport.addWidget(self.number, 2)
        below.addWidget(self.capture)
        below.addWidget(self.track)
        below.addStretch(1)
        below.addWidget(self.person)
        below.addWidget(self.chooser)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 2, 4, 2)
        column.setSpacing(4)
        column.addWidget(self.timeline)
        column.addWidget(self.curves)
        column.addLayout(transport)
        column.addLayout(below)
        self.setMinimumWidth(NARROWEST)
        self.show_tracked(None)
        self.hide()

    def open(self, path: Path | None) -> None:
        """Another clip, at its first frame; None is no clip."""
        self.pause()
        self.path, self.frame = path, None
        self.setVisible(path is not None)
        self.timeline.mark(None, None)
        self.show_tracked(None)
        if path is not None:
            self._ask(0)

    # Moving about

    def hold(self, on: bool) -> None:
        """Nothing else of the clip can be asked for, until it is let go."""
        if on and self._playing:
            self.pause()
        for widget in self._moving_about:
            widget.setEnabled(not on)

    def toggle(self) -> None:
        if not self.play.isEnabled():
            return
        if self._playing:
            self.pause()
        elif self.path is not None:
            self._playing = True
            self.play.setText(tr("Pause"))
            first, last = self.timeline.span
            here = first if self.frame is None else self.frame.index + 1
            self._go(here if first <= here <= last else first, forever=True)

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
            for axis in self.axes:  # at once: reading the frame may take a moment
                axis.show_frame(index, axis.count)
            self._ask(index)

    def mark_in(self) -> None:
        self.timeline.mark(self.timeline.index, self.timeline.last)

    def mark_out(self) -> None:
        self.timeline.mark(self.timeline.first, self.timeline.index)

    def unmark(self) -> None:
        self.timeline.mark(None, None)

    def pass_by(self, index: int) -> None:
        """A frame goes by while the clip is followed."""
        for axis in self.axes:
            axis.show_frame(index, axis.count)
        if self.frame is not None:
            self._say_time(replace(self.frame, index=index, time=index / self.frame.fps))

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self._suit()

    def _suit(self) -> None:
        """Where there is little room what the menu has too is left out."""
        narrow = self.width() < NARROW
        self.capture.setVisible(not narrow)
        self.number.setVisible(not narrow)
        if self.frame is not None:
            self._say_time(self.frame)

    def _name_tracking(self) -> None:
        self.track.setText(tr("Track whole clip") if self.timeline.whole else tr("Track marked part"))

    # What is known of the clip

    def show_tracked(self, tracked: Tracked | None) -> None:
        """Who is seen when."""
        self.timeline.show_people(() if tracked is None else tracked.people)
        self.show_person(None)

    def show_person(self, track: Track | None) -> None:
        """The curves of a person."""
        self._track_shown = track
        self.curves.setVisible(track is not None)
        self.chooser.setVisible(track is not None)
        self.person.setVisible(track is not None)
        if track is not None:
            self.chooser.offer(track.names)
            self._draw_curves()

    def _draw_curves(self) -> None:
        track = self._track_shown
        if track is None:
            return
        present = np.array(track.state) != "absent"
        lines = {}
        for name, title in self.chooser.chosen().items():
            values = track.weights[:, track.names.index(name)].astype(float)
            lines[title] = np.where(present, values, np.nan)
        self.curves.show_lines(lines, track.first)

    # Frames

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

    def _told(self, key: Any, frame: FrameShown) -> None:
        if key[0] == self.path and (not key[1] or self._playing):
            self.frame = frame
            for axis in self.axes:
                axis.show_frame(frame.index, frame.count)
            self._say_time(frame)
            self.shown.emit(frame)
            if key[1] and frame.index >= self.timeline.span[1]:
                self.pause()
        self.line.take()

    def _say_time(self, frame: FrameShown) -> None:
        count = max(frame.count, frame.index + 1)
        end = "" if self.width() < NARROW else f" / {_clock(count / frame.fps, frame.fps)}"
        self.time.setText(_clock(frame.time, frame.fps) + end)
        self.number.setText(tr("frame {n} of {count}").format(n=frame.index + 1, count=count))

    def _done(self, key: Any, result: Any) -> None:
        if key[1] and key[0] == self.path:
            self.pause()


def _clock(seconds: float, fps: float) -> str:
    """HH:MM:SS:FF of the nearest frame: containers round their times to thousandths."""
    rate = max(round(fps), 1)
    return timecode(round(seconds * rate) / rate, fps)[:-4]


def _button(text: str, what: Any, tip: str = "") -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.clicked.connect(lambda: what())
    return button
