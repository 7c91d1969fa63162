"""A face that is followed live, as other programs want it: one person, from a neutral pose of his own, with gains."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from tronie.arrays import Array
from tronie.errors import InputError
from tronie.export.packets import FaceValues
from tronie.geometry import HEAD_TO_CAMERA_AXES, rotation_matrix, rotation_vector
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import HeadModel
from tronie.io.video.clip import Clip
from tronie.pipelines.video.live import Live, LiveFace
from tronie.pipelines.video.tables import arkit
from tronie.runtime.job import Job
from tronie.runtime.threads import newest

if TYPE_CHECKING:
    from tronie.pipelines.photo import Pipeline

MOST_GAIN = 10.0
NEUTRAL_AT_MOST = 0.5
"""Of a unit that is taken for rest: who shuts his eyes meanwhile must not lose them."""


def parse_gains(given: Iterable[str]) -> dict[str, float]:
    """`browInnerUp=1.5` and so on -> unit -> factor. Raises InputError."""
    known = {name.lower(): name for name in ARKIT_UNITS}
    gains: dict[str, float] = {}
    for text in given:
        word, _, number = text.partition("=")
        name = known.get(word.strip().lower())
        if name is None:
            raise InputError(f"{word.strip()[:40]!r} is none of ARKit's 52 units; a gain is given as browInnerUp=1.5.")
        try:
            factor = float(number)
        except ValueError:
            factor = math.nan
        if not 0 <= factor <= MOST_GAIN:
            raise InputError(f"The gain of {name} should be a number from 0 to {MOST_GAIN:g}, not {number[:40]!r}.")
        if gains.setdefault(name, factor) != factor:
            raise InputError(f"{name} has two gains.")
    return gains


def values_of(face: LiveFace, model: HeadModel) -> FaceValues:
    """As it was measured."""
    turn = HEAD_TO_CAMERA_AXES.T @ face.head_to_camera[:3, :3]
    return FaceValues(arkit(face.expression[None], model)[0], turn, face.gaze)


@dataclass(frozen=True, slots=True, eq=False)
class Neutral:
    """What is measured of a face at rest that looks straight ahead; it counts as nothing from then on."""

    units: Array
    """(52,)."""
    turn: Array
    """(3, 3)."""
    gaze: Array
    """(2, 2) degrees."""

    @classmethod
    def of(cls, frames: Sequence[FaceValues]) -> Neutral:
        """The median of some frames: a blink among them does not matter."""
        first = frames[0].turn
        turns = [rotation_vector(first.T @ frame.turn) for frame in frames]
        return cls(
            np.minimum(np.median([frame.units for frame in frames], axis=0), NEUTRAL_AT_MOST),
            first @ rotation_matrix(np.median(turns, axis=0)),
            np.median([frame.gaze for frame in frames], axis=0),
        )

    def off(self, face: FaceValues) -> FaceValues:
        """The face without it: units that were at rest are 0, those at 1 stay there."""
        units = np.clip((face.units - self.units) / (1 - self.units), 0, 1)
        return FaceValues(units, self.turn.T @ face.turn, face.gaze - self.gaze)


class Performer:
    """Picks one person out of every frame's faces, and brings the values into form."""

    def __init__(
        self,
        model: HeadModel,
        *,
        person: int | None = None,
        gains: Mapping[str, float] | None = None,
        rest_for: float = 0.0,
    ) -> None:
        """`person` is the number of the only one who counts; None: whoever is there, the largest first, for as long as
        he is there. The first `rest_for` seconds of somebody are taken for his neutral pose; 0: none are."""
        self.neutral: Neutral | None = None
        self.current: int | None = None
        """Who it is now."""
        self._model, self._person = model, person
        self._factors = np.array([(gains or {}).get(name, 1.0) for name in ARKIT_UNITS])
        self._rest_for = rest_for
        self._resting: list[tuple[float, FaceValues]] = []
        self._asked = rest_for

    @property
    def calibrating(self) -> bool:
        """Whether the neutral pose is being looked at."""
        return self._asked > 0

    def rest(self, seconds: float) -> None:
        """The face is at rest for so long from its next frame on: take that for the neutral pose."""
        self._resting, self._asked = [], seconds

    def next(self, faces: Sequence[LiveFace], at: float) -> FaceValues | None:
        """Of a frame's faces at a time in seconds; None where the person is not there."""
        face = self._chosen(faces)
        if face is None:
            return None
        values = values_of(face, self._model)
        if self.calibrating:
            self._resting.append((at, values))
            if at - self._resting[0][0] >= self._asked:
                self.neutral = Neutral.of([resting for _, resting in self._resting])
                self.rest(0.0)
        if self.neutral is not None:
            values = self.neutral.off(values)
        return replace(values, units=np.clip(values.units * self._factors, 0, 1))

    def _chosen(self, faces: Sequence[LiveFace]) -> LiveFace | None:
        wanted = self.current if self._person is None else self._person
        found = next((face for face in faces if face.number == wanted), None)
        if found is None and self._person is None:
            found = max(faces, key=_size, default=None)
        if found is not None and found.number != self.current:
            if self.current is not None:  # somebody else, who has another face at rest
                self.neutral = None
                self.rest(self._rest_for)
            self.current = found.number
        return found


@dataclass(slots=True)
class Performance:
    """How it went."""

    frames: int = 0
    """Looked at."""
    missed: int = 0
    """Left out because newer ones were there."""
    seen: int = 0
    """Of those that were looked at, with the person in them."""
    seconds: float = 0.0


def perform(
    clip: Clip,
    pipeline: Pipeline,
    performer: Performer,
    send: Callable[[float, FaceValues | None], object],
    job: Job | None = None,
) -> Performance:
    """Follow the faces of a camera, or of a clip that is played at its own pace, and `send` each frame's time (seconds
    from the first) and values; until it ends or `job` drains.

    What cannot be followed in time is left out: nothing is ever later than one frame's work. Raises InputError.
    """
    job, told = job or Job(), Performance()
    frames = clip.frames()
    first = next(frames, None)
    if first is None:
        raise InputError(f"{clip.info.source} holds no picture that can be read.")
    Live(pipeline).step(first.image, first.time)  # loads and compiles, before the clock starts
    live = Live(pipeline, smooth=pipeline.settings.video.smooth)
    due = None if clip.info.codec == "camera" else lambda frame: frame.time
    began, last = time.monotonic(), first.index - 1
    with closing(newest(chain((first,), frames), due, ended=lambda: job.draining)) as shown:
        for frame in shown:
            values = performer.next(live.step(frame.image, frame.time), frame.time)
            send(frame.time, values)
            told.frames += 1
            told.seen += values is not None
            told.missed += frame.index - last - 1
            last = frame.index
    told.seconds = time.monotonic() - began
    return told


def _size(face: LiveFace) -> float:
    x0, y0, x1, y1 = face.box
    return (x1 - x0) * (y1 - y0)
