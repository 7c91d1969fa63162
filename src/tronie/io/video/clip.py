"""What a clip is, and which reader opens it: files by PyAV (the extra `video`) or OpenCV, folders and patterns of
pictures, moving GIF, WebP and PNG, and cameras."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from tronie.arrays import Image
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
    path = Path(text)
    # What is there no file of stands for many; a link that leads nowhere is not such a thing.
    return text.startswith(CAMERA) or path.suffix.lower() in VIDEO_SUFFIXES or stands_for_many(path)


def stands_for_many(path: Path) -> bool:
    """A folder, or a pattern that is the name of no file."""
    return os.path.isdir(path) or not os.path.lexists(path)


class Limited:
    """A clip of which only the first seconds are read."""

    def __init__(self, clip: Clip, seconds: float | None) -> None:
        self._clip, self._seconds, self._info = clip, seconds, clip.info
        if seconds is not None:
            most = int(seconds * clip.info.fps)
            self._info = replace(self._info, frames=min(most, self._info.frames or most))

    @property
    def info(self) -> ClipInfo:
        return self._info

    @property
    def notes(self) -> tuple[str, ...]:
        return self._clip.notes

    def frames(self) -> Iterator[Frame]:
        for frame in self._clip.frames():
            if self._seconds is not None and frame.time >= self._seconds:
                return
            yield frame

    def close(self) -> None:
        self._clip.close()
