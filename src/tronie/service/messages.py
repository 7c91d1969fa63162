"""What the window knows of the things that the other process holds: small values, without models or textures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.runtime.job import Event


class PhotoState(Enum):
    """How far a photo or clip of the list is; in the order in which they are worth a look."""

    FAILED = "failed"
    EMPTY = "empty"
    """No face was found."""
    WORKING = "working"
    WAITING = "waiting"
    DONE = "done"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class About:
    """What the library can do, for the window to offer."""

    outputs: dict[str, str]
    """Of a photo, by name: what each is."""
    films: dict[str, str]
    """The same of what only clips have."""
    suffixes: tuple[str, ...]
    """Of files that are read."""


@dataclass(frozen=True, slots=True, eq=False)
class Opened(Event):
    """A photo, or a frame of a clip, that the faces are of."""

    image: Image
    name: str


@dataclass(frozen=True, slots=True)
class Card(Event):
    """A face."""

    index: int
    box: tuple[float, float, float, float]
    score: float
    warnings: tuple[str, ...] = ()
    error: str | None = None
    whole: bool = True
    """Whether there is a head."""
    portrait: bool = True
    enhanced: bool = False
    waiting: bool = False
    """Whether the face is found, and nothing is made of it yet."""
    pinned: bool = False
    """Whether landmarks of it were put where they belong."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A photo is done."""

    count: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class PreviewImages:
    """A face's pictures."""

    before: Image | None
    """The photo's face, in the size of `after`."""
    after: Image | None
    """The portrait."""
    rest: Image | None
    """The same without expression."""
    overlay: Image | None
    """The head's wires over the photo's face."""
    small: Image | None = None
    """A small face before super-resolution ..."""
    large: Image | None = None
    """... and after it."""
    factor: float = 1.0
    enhancer: str = ""
    note: str = ""
    stale: bool = False
    """Whether the portrait was made with other options."""
    fixed: bool = False
    """Whether it cannot be made with others: it was read from its file."""


@dataclass(frozen=True, slots=True, eq=False)
class RestoredLooks:
    """An old photo before and after, and what was done to it."""

    before: Image
    after: Image
    coloured: Image | None
    """In invented colours, where they were asked for and the photo is grey."""
    filled: float
    """0..1: share of it that was damaged and is filled in."""
    faded: bool
    untoned: bool
    """Its sepia, or what other tone it had, is gone."""
    grain: bool
    faces: int
    """Into how many super-resolution put detail."""
    factor: int
    """How many times as large it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Sitter:
    """A head that pictures can be made of."""

    key: Any
    names: tuple[str, ...]
    """Of its units of expression."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """The photo's expression."""
    pose: tuple[float, float] = (0.0, 0.0)
    """Yaw and pitch of the photo's face, degrees, as a view turns."""
    presets: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Expressions to begin with, by name."""
    legend: tuple[tuple[str, tuple[int, int, int]], ...] = ()
    """Where colours come from, and what stands for it."""
    heat: tuple[tuple[int, int, int], ...] = ()
    """Colours for standard deviations from 0 to `uncertain_mm`."""
    uncertain_mm: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class ShownLandmarks:
    """Landmarks in a picture of a head, for a hand to take them."""

    places: Array
    """(478, 2) pixels of the picture."""
    seen: NDArray[np.bool_]
    """(478,) whether nothing of the head lies before them."""
    to_photo: Array
    """(478, 2, 2): pixels in the photo for each pixel in the picture by which one is moved."""


@dataclass(frozen=True, slots=True, eq=False)
class HeadPicture:
    """What a view of a head shows."""

    image: Image
    landmarks: ShownLandmarks | None = None
    """Where the view wants them, and they are known."""


@dataclass(frozen=True, slots=True, eq=False)
class BentFit(Event):
    """A fit as a hand corrects it."""

    key: Any
    points: Array
    """(478, 2) photo pixels: where the head's landmarks lie."""
    pins: Mapping[int, tuple[float, float]]
    weights: Mapping[str, float]
    """The expression, by unit."""
    closed: tuple[tuple[int, ...], ...]
    """Landmarks along lines that return to where they began, and"""
    lines: tuple[tuple[int, ...], ...]
    """along others."""
    handles: tuple[int, ...]
    """Landmarks that a hand can place."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameShown(Event):
    """A frame of a clip or of a camera."""

    index: int
    time: float
    image: Image
    count: int
    """How many frames there should be; 0: nobody knows."""
    fps: float = 25.0
    """Of the clip, on average."""


@dataclass(frozen=True, slots=True, eq=False)
class FramePassed(Event):
    """A frame of a clip that is being followed, with the faces in it; not every one is told."""

    index: int
    image: Image
    """Reduced."""
    size: tuple[int, int]
    """Width and height of the frame itself, pixels."""
    faces: tuple[Card, ...]
    """Their boxes in pixels of the frame itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """A person of a clip, frame by frame."""

    number: int
    folder: Path
    state: tuple[str, ...]
    """(T,) seen, bridged or absent."""
    box: Array
    """(T, 4) pixels, NaN where there is none."""
    angles: Array
    """(T, 2) yaw and pitch, degrees."""
    names: tuple[str, ...]
    weights: Array
    """(T, K) of the units `names`."""
    confidence: Array
    """(T,) 0..1."""
    warnings: tuple[str, ...] = ()
    first: int = 0
    """The clip's frame that the first of these frames is."""

    @property
    def share(self) -> float:
        """Of the frames in which the person is seen."""
        return sum(state == "seen" for state in self.state) / max(len(self.state), 1)

    @property
    def stays(self) -> list[tuple[int, int]]:
        """First and last frame of the clip of every uninterrupted stay."""
        there = np.flatnonzero(np.array(self.state) != "absent")
        runs = np.split(there, np.flatnonzero(np.diff(there) > 1) + 1)
        return [(self.first + int(run[0]), self.first + int(run[-1])) for run in runs if len(run)]

    def _at(self, frame: int) -> int:
        """The row of a frame of the clip, or the nearest one."""
        return min(max(frame - self.first, 0), len(self.state) - 1)

    def card(self, frame: int) -> Card | None:
        """The person in a frame of the clip; None where they are absent."""
        k = frame - self.first
        if not 0 <= k < len(self.state) or self.state[k] == "absent" or np.isnan(self.box[k]).any():
            return None
        x0, y0, x1, y1 = map(float, self.box[k])
        return Card(self.number, (x0, y0, x1, y1), float(self.confidence[k]), self.warnings)

    def expression(self, frame: int) -> dict[str, float]:
        row = np.nan_to_num(self.weights[self._at(frame)])
        return dict(zip(self.names, map(float, row), strict=True))

    def pose(self, frame: int) -> tuple[float, float]:
        yaw, pitch = np.nan_to_num(self.angles[self._at(frame)])
        return float(yaw), float(pitch)


@dataclass(frozen=True, slots=True, eq=False)
class Tracked:
    """A clip that was followed."""

    folder: Path
    people: tuple[Track, ...]
    notes: tuple[str, ...] = ()
    edits: tuple[tuple[str, int, int], ...] = ()
    """How its people were put right by hand, as `tronie.pipelines.video.collect.HandEdit`."""


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """What is looked at, and how."""

    yaw: float = 0.0
    """Degrees, as `tronie.render.film.orbit`."""
    pitch: float = 0.0
    zoom: float = 1.0
    mode: str = "textured"
    light: str = "photo"
    lamp: tuple[float, float] | None = None
    """Degrees to the right and up that the first lamp comes from; None is the light's own."""
    weights: Mapping[str, float] = field(default_factory=dict)
    dark: bool = False
    landmarks: bool = False
    """Whether they are wanted, too."""
