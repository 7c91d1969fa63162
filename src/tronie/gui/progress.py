"""How far the work is: a bar, the sentence beside it, and the button that ends it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QStatusBar

from tronie.gui.i18n import stage_text, tr
from tronie.runtime.job import Advanced

COMPILING = 15.0
"""Seconds that the kernels of a first photo take, once on a machine."""
TICK_MS = 200


class StepCount:
    """People of a clip that are in work at once are counted together."""

    def __init__(self) -> None:
        self._steps: dict[tuple[str, int], Advanced] = {}
        """The last step of each stage of each person."""

    def with_all(self, step: Advanced) -> Advanced:
        """A step as one of everybody's."""
        self._steps[step.stage, step.face] = step
        steps = [known for (stage, _), known in self._steps.items() if stage == step.stage]
        totals = [known.total for known in steps if known.total is not None]
        total = sum(totals) if len(totals) == len(steps) else None
        return replace(step, done=sum(known.done for known in steps), total=total, face=0)

    def clear(self) -> None:
        self._steps.clear()


class Progress:
    """In a window's status bar."""

    def __init__(self, bar: QStatusBar, cancel: Callable[[], None]) -> None:
        self.text, self.bar, self.stop = QLabel(), QProgressBar(), QPushButton(tr("Cancel"))
        self.bar.setFixedWidth(160)
        self.bar.setTextVisible(False)
        self.bar.hide()
        self.stop.clicked.connect(cancel)
        self.stop.hide()
        bar.addWidget(self.text, 1)
        bar.addPermanentWidget(self.bar)
        bar.addPermanentWidget(self.stop)
        self._compiled, self._since = 0.0, 0.0
        """Seconds of compiling that are over, and since when it goes on; 0: it does not."""
        self._ticking = QTimer(bar, interval=TICK_MS)
        self._ticking.timeout.connect(self._tick)

    def say(self, text: str) -> None:
        self._rest()
        self.text.setText(text)
        self.text.setToolTip(text)

    def busy(self, busy: bool) -> None:
        if not busy:
            self._rest()
        self.bar.setRange(0, 0 if busy else 1)
        self.bar.setVisible(busy)
        self.stop.setVisible(busy)

    def step(self, step: Advanced) -> None:
        total = step.total or 0
        of = f" {step.done} / {step.total}" if step.total else f" {step.done}"
        self.say(f"{stage_text(step.stage)}{of}")
        self.bar.setRange(0, total)
        self.bar.setValue(min(step.done, total))

    def compile(self) -> None:
        """A kernel is being compiled."""
        if not self._ticking.isActive():
            self._since = time.monotonic()
            self.text.setText(tr("Compiling once on this machine, about 15 s …"))
            self._ticking.start()
            self._tick()

    def _tick(self) -> None:
        done = self._compiled + time.monotonic() - self._since
        self.bar.setRange(0, 100)
        # What takes longer than it should comes ever nearer to the end.
        share = done / COMPILING
        self.bar.setValue(round(100 * (share if share < 0.8 else 1 - 0.16 / share)))

    def _rest(self) -> None:
        """Another stage begins: compiling may go on there."""
        if self._ticking.isActive():
            self._ticking.stop()
            self._compiled += time.monotonic() - self._since
            self.bar.setRange(0, 0)
