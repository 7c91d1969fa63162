"""The times of frames, made strictly growing, and what can be said of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tronie.io.video.clip import ClipInfo

UNEVEN = 0.25
"""Of the usual step between frames: a clip of which more than 2 % differ by more has a variable rate."""

LONGEST = 60.0
"""Seconds between two frames; a stamp that says more is damaged. Films show a frame as long as it lasts."""
LYING = 2.0
"""A file's rate is not believed where it is so many times that of its frames, or so many times less."""


def true_rate(fps: float, times: Sequence[float]) -> float:
    """Frames a second for films: what the file says, or what its frames (seconds) say where that is far off."""
    if len(times) < 3:
        return fps
    usual = float(1 / np.median(np.diff(times)))
    return fps if usual / LYING <= fps <= LYING * usual else min(max(usual, 1.0), 1000.0)


class Times:
    """Stamps of a container (seconds, or None) -> seconds from the first frame, strictly growing."""

    def __init__(self, fps: float) -> None:
        self._step = 1 / fps
        self._first: float | None = None
        self._steps: list[float] = []
        self._seen = self._uneven = self._damaged = 0
        self.last = 0.0

    def next(self, stamp: float | None) -> float:
        if self._first is None:
            self._first = 0.0 if stamp is None else stamp
            self.last = 0.0
            return 0.0
        time = self.last + self._step if stamp is None else stamp - self._first
        self._damaged += time - self.last > LONGEST
        if not 0 < time - self.last <= LONGEST:  # no stamp, a repeated one, or a container put together from two
            time = self.last + self._step
            self._first += 0.0 if stamp is None else stamp - self._first - time
        step = time - self.last
        self._seen += 1
        self._uneven += abs(step - self._step) > UNEVEN * self._step
        self.last = time
        return time

    def notes(self) -> list[str]:
        said = []
        if self._seen >= 10 and self._uneven > 0.02 * self._seen:
            said.append("its frame rate varies; every frame keeps its own time")
        if self._damaged:
            said.append(
                f"{self._damaged} frames are timed more than {LONGEST:.0f} s after the one before: taken for less"
            )
        return said


def ended_early(count: int, last: float, info: ClipInfo) -> list[str]:
    """What to say when fewer frames came than the file promised."""
    if info.frames is None or count >= 0.97 * info.frames - 2:
        return []
    return [
        f"the file breaks off or is damaged: {count} of about {info.frames} frames could be read, up to {last:.2f} s; "
        "they were used"
    ]
