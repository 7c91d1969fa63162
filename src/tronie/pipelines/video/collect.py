"""The first pass over a clip: who is seen where, written down as it goes by."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tronie.io.video.clip import Clip, ClipInfo, Frame, true_rate
from tronie.pipelines.video.keyframes import DRAGGED, Shots
from tronie.pipelines.video.observation import Seen
from tronie.pipelines.video.reidentify import Traits, link, recognise
from tronie.pipelines.video.spool import Spool
from tronie.pipelines.video.track import Tracker
from tronie.runtime.ahead import ahead
from tronie.runtime.job import Progress
from tronie.stages.fit.camera import guess_camera

if TYPE_CHECKING:
    from tronie.pipelines.photo import Pipeline

SHORT = 10
"""Frames of a clip below which nobody is left out for being seen in few."""

_Step = tuple[Frame, list[Seen], list[int], bool]


@dataclass(frozen=True, slots=True, eq=False)
class Collected:
    """All that the first pass found."""

    info: ClipInfo
    times: list[float]
    """Of every frame, seconds."""
    cuts: list[int]
    """Frames that begin a new shot."""
    spool: Spool
    shots: Shots
    people: list[list[int]]
    """Tracks of each person, in the order in which the people appear."""
    notes: tuple[str, ...]
    stopped: bool
    """Whether somebody wished to end before the clip did."""


def collect(
    clip: Clip, pipeline: Pipeline, work: Path, *, every: int = 12, progress: Progress | None = None,
    stopping: Callable[[], bool] = lambda: False, least_seconds: float = 0.2, recognised: bool = True,
) -> Collected:  # fmt: skip
    """Follow all faces of a clip. `work` is an empty folder for what does not stay in memory; tracks of people who are
    seen for less than `least_seconds` in all are left out."""
    spool, shots = Spool(work / "seen"), Shots(work, pipeline.net)
    tracker = Tracker(pipeline.detector, pipeline.net, pipeline.settings.detect, every)
    focal = pipeline.settings.fit.focal or guess_camera(clip.info.size, None, []).focal
    traits = Traits(pipeline.model, pipeline.calibration, focal)
    times: list[float] = []
    cuts: list[int] = []
    stopped = False
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
            if progress is not None:
                progress("following", frame.index + 1, clip.info.frames)
            if stopping():
                stopped = True
                break
    short = len(times) < SHORT
    fleeting = 0 if short else 1  # a track of one frame is chance, but in a clip of few it may be all there is
    known = {track: trait for track, trait in traits.of_track.items() if len(spool.of_track.get(track, ())) > fleeting}
    if recognised:
        recognise(known, lambda track: shots.best([track], 3))
    step = 1 / clip.info.fps
    people = [
        tracks for tracks in link(known)
        if sum(len(spool.of_track[t]) for t in tracks) * step >= least_seconds or short
    ]  # fmt: skip
    info = replace(clip.info, fps=true_rate(clip.info.fps, times))
    return Collected(info, times, cuts, spool, shots, people, clip.notes, stopped)


def _followed(frames: Generator[Frame, None, None], tracker: Tracker) -> Generator[_Step, None, None]:
    """Every frame with who is seen, whose tracks have met others, and whether a new shot begins."""
    with closing(frames):
        for frame in frames:
            seen = tracker.step(frame)
            yield frame, seen, tracker.met, tracker.cut
