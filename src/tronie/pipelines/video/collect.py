"""The first pass over a clip: who is seen where, written down as it goes by."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tronie.head.arkit import ARKIT_UNITS
from tronie.io.video.clip import Clip, ClipInfo, Frame, true_rate
from tronie.pipelines.video.keyframes import DRAGGED, Keyframes
from tronie.pipelines.video.observation import Seen
from tronie.pipelines.video.reidentify import Traits, link
from tronie.pipelines.video.track import Tracker
from tronie.runtime.job import Job
from tronie.runtime.threads import ahead
from tronie.stages.fit.camera import guess_camera
from tronie.stages.landmarks.net import FEATURES
from tronie.types import DOUBTS, Landmarks

if TYPE_CHECKING:
    from tronie.pipelines.photo import Pipeline

SHORT = 10
"""Frames of a clip below which nobody is left out for being seen in few."""

Watch = Callable[[Frame, Sequence[Seen]], object]
"""Gets a frame and the faces in it."""
_Step = tuple[Frame, list[Seen], list[int], bool]
ROW = np.dtype(
    [
        ("frame", "<i4"),
        ("track", "<i4"),
        ("time", "<f8"),
        ("points", "<f4", (478, 3)),
        ("scores", "<f4", (len(ARKIT_UNITS),)),
        ("features", "<f4", (FEATURES,)),
        ("doubts", "<f4", (len(DOUBTS),)),
        ("presence", "<f4"),
        ("box", "<f4", (4,)),
        ("confidence", "<f4"),
        ("overlap", "<f4"),
    ]
)
"""7 kB: a minute of two people at 30 frames a second is 25 MB."""


class HandEdit(NamedTuple):
    """People put right by hand: two that are one, or one that is two. Numbers of people are those before the edit."""

    what: Literal["merge", "split"]
    person: int
    other: int
    """merge: the number of the person who is the same; split: the first frame, of those followed, of somebody else."""


@dataclass(frozen=True, slots=True, eq=False)
class Collected:
    """All that the first pass found."""

    info: ClipInfo
    times: list[float]
    """Of every frame, seconds."""
    cuts: list[int]
    """Frames that begin a new shot."""
    spool: Spool
    shots: Keyframes
    people: list[list[int]]
    """Tracks of each person, in the order in which the people appear."""
    notes: tuple[str, ...]
    first: int = 0
    """Number in the file of the first frame."""
    by_hand: tuple[HandEdit, ...] = ()
    """How somebody has put the people right."""


class Spool:
    """Rows appended to a file, and read back by their numbers when it is closed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] = path.open("wb")
        self.of_track: dict[int, list[int]] = {}
        """Row numbers by track, in order of time."""
        self.doubted: set[int] = set()
        """Tracks of which the landmark net doubted every frame."""
        self._count = 0

    def add(self, seen: Seen) -> None:
        row = np.zeros((), ROW)
        row["frame"], row["track"], row["time"] = seen.frame, seen.track, seen.time
        row["points"], row["scores"] = seen.landmarks.points, seen.landmarks.scores
        row["presence"], row["box"] = seen.landmarks.presence, seen.box
        row["features"] = np.nan if seen.landmarks.features is None else seen.landmarks.features
        row["doubts"] = np.nan if seen.landmarks.doubts is None else seen.landmarks.doubts
        row["confidence"], row["overlap"] = seen.confidence, seen.overlap
        if not seen.vouched:
            self.doubted.discard(seen.track)
        elif seen.track not in self.of_track:
            self.doubted.add(seen.track)
        self._file.write(row.tobytes())
        self.of_track.setdefault(seen.track, []).append(self._count)
        self._count += 1

    def rows(self) -> NDArray[Any]:
        """All rows, mapped from disk: what is not looked at is not in memory."""
        if not self._count:
            return np.zeros(0, ROW)
        return np.memmap(self._path, dtype=ROW, mode="r", shape=(self._count,))

    def numbers(self, tracks: Sequence[int]) -> NDArray[np.int64]:
        """Row numbers of some tracks, in order of time."""
        return np.sort(np.array([n for track in tracks for n in self.of_track.get(track, ())], dtype=np.int64))

    def copy(self) -> Spool:
        """The same rows, whose tracks can be split without a change here."""
        other = copy(self)
        other.of_track = {track: list(numbers) for track, numbers in self.of_track.items()}
        return other

    def split(self, track: int, frame: int) -> int | None:
        """Let what a track has from a frame on be another track, and give back its number. None if it ends before,
        or begins no sooner."""
        rows, numbers = self.rows(), self.of_track.get(track, [])
        later = [n for n in numbers if rows[n]["frame"] >= frame]
        if not later or len(later) == len(numbers):
            return None
        new = max(self.of_track) + 1
        self.of_track[track], self.of_track[new] = numbers[: -len(later)], later
        return new

    def close(self) -> None:
        self._file.close()


def landmarks_of(row: Any) -> Landmarks:
    """The net's answer in a row."""
    features = None if np.isnan(row["features"][0]) else row["features"].astype(np.float64)
    doubts = None if np.isnan(row["doubts"][0]) else row["doubts"].astype(np.float64)
    return Landmarks(
        row["points"].astype(np.float64), row["scores"].astype(np.float64), float(row["presence"]), features, doubts
    )


def collect(
    clip: Clip,
    pipeline: Pipeline,
    work: Path,
    *,
    every: int = 12,
    job: Job | None = None,
    least_seconds: float = 0.2,
    recognised: bool = True,
    watch: Watch | None = None,
) -> Collected:
    """Follow all faces of a clip. `work` is an empty folder for what does not stay in memory; tracks of people who are
    seen for less than `least_seconds` in all are left out. The stage `follow` of `job` has a step for every frame; once
    it drains, the clip ends there."""
    job = job or Job()
    shots = Keyframes(work, pipeline.net)
    tracker = Tracker(pipeline.detector, pipeline.net, pipeline.settings.detect, every)
    focal = pipeline.settings.fit.focal or guess_camera(clip.info.size, None, []).focal
    traits = Traits(pipeline.model, pipeline.calibration, focal, recognised=recognised)
    times: list[float] = []
    cuts: list[int] = []
    with closing(Spool(work / "seen")) as spool, job.stage("follow", clip.info.frames) as stage:
        # Reading, following and noting take a thread each; what they do lets go of the interpreter's lock.
        with closing(ahead(_followed(ahead(clip.frames()), tracker))) as steps:
            for frame, seen, met, cut in steps:
                times.append(frame.time)
                if cut:
                    cuts.append(frame.index)
                for track in met:
                    shots.forget(track, frame.index - DRAGGED)
                for face in seen:
                    spool.add(face)
                    traits.add(face)
                    shots.offer(frame.image, face)
                if watch is not None:
                    watch(frame, seen)
                stage.advance()
                if job.draining:
                    break
        people = _people(clip, spool, traits, len(times), least_seconds)
    info = replace(clip.info, fps=true_rate(clip.info.fps, times))
    return Collected(info, times, cuts, spool, shots, people, clip.notes, getattr(clip, "first", 0))


def _people(clip: Clip, spool: Spool, traits: Traits, frames: int, least_seconds: float) -> list[list[int]]:
    """Tracks of each person."""
    short = frames < SHORT
    fleeting = 0 if short else 1  # a track of one frame is chance, but in a clip of few it may be all there is
    known = {track: trait for track, trait in traits.of_track.items() if len(spool.of_track.get(track, ())) > fleeting}
    step = 1 / clip.info.fps
    # What the net doubted in every frame says too little of who it is to be anybody else too.
    alone = [[track] for track in known if track in spool.doubted]
    people = [*link({track: trait for track, trait in known.items() if track not in spool.doubted}), *alone]
    people.sort(key=lambda tracks: min(spool.of_track[track][0] for track in tracks))
    return [tracks for tracks in people if sum(len(spool.of_track[t]) for t in tracks) * step >= least_seconds or short]


def _followed(frames: Generator[Frame, None, None], tracker: Tracker) -> Generator[_Step, None, None]:
    """Every frame with who is seen, whose tracks have met others, and whether a new shot begins."""
    with closing(frames):
        for frame in frames:
            seen = tracker.step(frame)
            yield frame, seen, tracker.met, tracker.cut
