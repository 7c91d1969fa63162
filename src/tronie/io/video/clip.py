"""What a clip is, and which reader opens it: files by PyAV (the extra `video`) or OpenCV, folders and patterns of
pictures, moving GIF, WebP and PNG, and cameras."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import dropwhile
from pathlib import Path
from typing import Protocol

import numpy as np

from tronie.arrays import Image
from tronie.io.paths import is_address
from tronie.io.video.sound import Sound

VIDEO_SUFFIXES: frozenset[str] = frozenset(
    f".{ending}"
    for ending in (
        *("mp4", "m4v", "mov", "qt", "webm", "mkv", "avi", "mpg", "mpeg", "m2v", "ts", "mts", "m2ts", "wmv", "flv"),
        *("3gp", "3g2", "ogv", "y4m", "mjpeg", "mjpg", "h264", "h265", "hevc", "ivf"),
    )
)
"""Lower-case endings of the files that are taken for videos."""
MOVING_SUFFIXES: frozenset[str] = frozenset((".gif", ".webp", ".apng", ".png"))
"""Pictures that may hold several frames; one that does is a clip if it lasts, else a photo."""
MOVING_SECONDS, MOVING_FRAMES = 0.4, 6
"""A picture that moves for so long, with so many frames, is a clip."""
CAMERA = "camera:"
"""What the source of a camera begins with: `camera:0`."""
SAME_TIME = 1e-6
"""Seconds that may get lost on the way."""
USUAL_FPS = 25.0
"""Of pictures that have no time."""
MOST_FRAMES = 1 << 31
"""A file that speaks of more does not know how many there are."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a clip."""

    index: int
    """From 0, of the frames that could be read."""
    time: float
    """Seconds from the first frame; strictly growing."""
    image: Image
    """(H, W, 3) RGB uint8, upright. All frames of a clip have one size."""


@dataclass(frozen=True, slots=True)
class ClipInfo:
    """What a clip says of itself before it is read."""

    name: str
    """A file stem; what outputs are named after."""
    source: str
    """As the user gave it."""
    size: tuple[int, int]
    """Width, height, pixels, as shown: pixels made square, turned upright."""
    fps: float
    """Frames per second, on average."""
    frames: int | None
    """How many there should be, as far as the file says."""
    rotation: int
    """Degrees clockwise by which the stored pictures are turned to stand upright: 0, 90, 180 or 270."""
    codec: str
    """`h264`, `hevc`, ..., `pictures`, `camera`."""
    reader: str
    """`PyAV`, `OpenCV` or `Pillow`."""
    sound: Sound | None = None
    """What films of it sound like, where the reader can tell."""


class Clip(Protocol):
    """A clip that can be read once from the beginning; `open_clip` makes another."""

    @property
    def info(self) -> ClipInfo: ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What reading met that a user should know of; complete when the frames are read."""

    def frames(self) -> Iterator[Frame]:
        """All of them in order, one at a time."""

    def close(self) -> None: ...


class Reader:
    """What all clips have in common: what they say of themselves."""

    def __init__(self, info: ClipInfo) -> None:
        self._info = info
        self._notes: list[str] = []

    @property
    def info(self) -> ClipInfo:
        return self._info

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self._notes)

    def close(self) -> None:
        pass


def camera_source(number: int) -> str:
    """`camera:0@20260131-120000`: the time makes every recording another source."""
    import time

    return f"{CAMERA}{number}@{time.strftime('%Y%m%d-%H%M%S')}"


def have_av() -> bool:
    """Whether PyAV is installed."""
    from importlib.util import find_spec

    return find_spec("av") is not None


def named_clip(source: str | Path) -> bool:
    """Whether a source's name says that it is to be followed through time; nothing is opened."""
    text = str(source)
    if text.startswith(CAMERA) or os.path.splitext(text)[1].lower() in VIDEO_SUFFIXES:
        return True
    # What is there no file of stands for many; a link that leads nowhere is not such a thing.
    return not is_address(text) and stands_for_many(text)


def may_move(source: str | Path) -> bool:
    """Whether a source may come to be a clip, by its name alone."""
    text = str(source)
    name = os.path.basename(text)
    ending = os.path.splitext(name)[1].lower()
    moving = not ending or ending in VIDEO_SUFFIXES or ending in MOVING_SUFFIXES
    return moving or text.startswith(CAMERA) or not set(name).isdisjoint("%*?[")


def stands_for_many(path: str | Path) -> bool:
    """A folder, or a pattern that is the name of no file."""
    return os.path.isdir(path) or not os.path.lexists(path)


class Limited:
    """A clip of which only so many seconds are read, from `start` on. Its frames and times count from there."""

    def __init__(self, clip: Clip, seconds: float | None, start: float = 0.0) -> None:
        self._clip, self._seconds, self._start, self._info = clip, seconds, start, clip.info
        self.first = 0
        """Number of its first frame in the whole clip; known when that was read."""
        info = self._info
        if start:
            left = None if info.frames is None else max(0, info.frames - round(start * info.fps))
            self._info = info = replace(info, frames=left)
        if seconds is not None:
            most = int(seconds * info.fps)
            self._info = replace(info, frames=min(most, info.frames or most))

    @property
    def info(self) -> ClipInfo:
        return self._info

    @property
    def notes(self) -> tuple[str, ...]:
        return self._clip.notes

    def frames(self) -> Iterator[Frame]:
        begins = 0.0
        wanted = dropwhile(lambda frame: frame.time < self._start - SAME_TIME, self._clip.frames())
        for count, frame in enumerate(wanted):
            if not count and self._start:
                self.first, begins = frame.index, frame.time
                if (sound := self._info.sound) is not None:
                    self._info = replace(self._info, sound=replace(sound, begins=sound.begins + begins))
            if self._seconds is not None and frame.time - begins >= self._seconds - SAME_TIME:
                return
            yield replace(frame, index=frame.index - self.first, time=frame.time - begins) if self.first else frame

    def close(self) -> None:
        self._clip.close()


# The times of frames, made strictly growing, and what can be said of them.

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
