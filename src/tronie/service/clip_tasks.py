"""The jobs on clips and cameras: frames as they play, whole clips followed, a camera's faces live; see `server`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from tronie.errors import InputError
from tronie.service.clip_folder import followed, same_part
from tronie.service.messages import Card, FramePassed, FrameShown, Tracked
from tronie.service.server import InterfaceJob

if TYPE_CHECKING:
    from tronie.io.video.clip import Frame
    from tronie.pipelines.outcome import Task
    from tronie.pipelines.video.collect import Collected
    from tronie.pipelines.video.observation import Seen
    from tronie.service.workspace import Workspace
    from tronie.settings import Settings
    from tronie.types import Face, Photo

LATEST = 1.0
"""Seconds that a clip waits for the window to show a frame."""
PASSING, PASSING_SIDE = 0.12, 640
"""Of the frames that go by while a clip is followed one in so many seconds is told, so large (or up to twice that)."""


def show_frame(workspace: Workspace, job: InterfaceJob, path: Path, index: int) -> None:
    """Tell one frame, as a FrameShown; the last one where the clip ends before."""
    for frame in workspace.reader.frames(path, index, job.check):
        job.emit(shown(workspace, frame))
        return


def shown(workspace: Workspace, frame: Frame) -> FrameShown:
    return FrameShown(frame.index, frame.time, frame.image, workspace.reader.count, workspace.reader.fps)


def play(workspace: Workspace, job: InterfaceJob, path: Path, index: int) -> None:
    """Tell all frames from there on at the clip's own pace, never ahead of the window."""
    began = None
    for frame in workspace.reader.frames(path, index, job.check):
        now = time.monotonic()
        began = now - frame.time if began is None else began
        time.sleep(min(max(0.0, began + frame.time - now), 1.0))
        job.emit(shown(workspace, frame))
        job.wait(LATEST)
        # A machine that cannot keep up plays slower rather than piling pictures up.
        began = max(began, time.monotonic() - frame.time - 0.1)


def follow(
    workspace: Workspace, job: InterfaceJob, path: Path, folder: Path, settings: Settings, overwrite: bool
) -> Tracked:
    """Everybody in a clip, or in the part that the settings want, into `folder`/NAME. What lies there already of the
    whole clip is read, unless `overwrite`. Tells some of the frames, as FramePassed."""
    task = _task(path, folder, overwrite)
    part = settings.video.start is not None or settings.video.seconds is not None
    if not overwrite and not part and (known := followed(task.folder, path)) is not None:
        return known
    if not overwrite and task.folder.exists():
        raise InputError(f"{task.folder} is there already; tick “Replace what was exported before” to write it anew.")
    return _made(workspace, job, _followed(workspace, job, task, settings), task, settings)


def regroup(
    workspace: Workspace,
    job: InterfaceJob,
    path: Path,
    folder: Path,
    settings: Settings,
    edits: Sequence[tuple[Literal["merge", "split"], int, int]],
) -> Tracked:
    """The heads of a clip that was followed into `folder`/NAME, anew: with all these edits of its people, and no
    others. Only what this process still knows need not be followed again."""
    from tronie.pipelines.video.collect import HandEdit
    from tronie.pipelines.video.hand_edits import edited

    task = _task(path, folder, True)
    video = workspace.clips.video(path) or same_part(task.folder, settings.video)
    settings = settings.model_copy(update={"video": video})
    found = edited(_followed(workspace, job, task, settings), [HandEdit(*edit) for edit in edits])
    return _made(workspace, job, found, task, settings)


def _task(path: Path, folder: Path, overwrite: bool) -> Task:
    from tronie.io.paths import safe_name
    from tronie.pipelines.outcome import Task

    return Task(str(path), folder, safe_name(path.stem), overwrite, clip=True)


def _followed(workspace: Workspace, job: InterfaceJob, task: Task, settings: Settings) -> Collected:
    """Who is seen where; of the clip that was followed last it is kept."""
    from tronie.pipelines.video.job import follow_clip

    def make(work: Path) -> Collected:
        return follow_clip(task, workspace.pipeline(settings), work, job, _Passing(job))

    return workspace.clips.followed(Path(task.source), settings, make)


def _made(workspace: Workspace, job: InterfaceJob, found: Collected, task: Task, settings: Settings) -> Tracked:
    from tronie.pipelines.video.job import make_clip

    def keep(photo: Photo, face: Face) -> None:
        workspace.keep_face(task.folder / f"face-{face.index}", photo, face, settings)

    workspace.clips.forget(task.folder)
    made = make_clip(found, workspace.pipeline(settings), task, job, keep)
    return followed(task.folder, Path(task.source)) or Tracked(task.folder, (), made.notes)


class _Passing:
    """Tells of frames as they are followed, but not of more than anybody can look at."""

    def __init__(self, job: InterfaceJob) -> None:
        self._job, self._next = job, 0.0

    def __call__(self, frame: Frame, seen: Sequence[Seen]) -> None:
        if (now := time.monotonic()) < self._next:
            return
        self._next = now + PASSING
        height, width = frame.image.shape[:2]
        step = max(1, max(height, width) // PASSING_SIDE)
        cards = tuple(Card(face.track + 1, face.box, face.confidence) for face in seen)
        small = np.ascontiguousarray(frame.image[::step, ::step])
        self._job.emit(FramePassed(frame.index, small, (width, height), cards))


def look_up(workspace: Workspace, job: InterfaceJob, path: Path, folder: Path) -> Tracked | None:
    """What was made of a clip before, if it lies in `folder`."""
    from tronie.io.paths import safe_name

    return followed(folder / safe_name(path.stem), path)


def film(workspace: Workspace, job: InterfaceJob, source: Path, settings: Settings) -> None:
    """A camera's pictures with the heads over the faces, as they come; `source` is camera:0, or a clip in its place.

    The last one without them is kept, to be made heads of."""
    from tronie.pipelines.photo import Pipeline
    from tronie.pipelines.video.live import Live

    live = Live(Pipeline(settings, threads=1))
    for frame in workspace.reader.frames(source, 0):
        faces = live.step(frame.image, frame.time)
        job.emit(FrameShown(frame.index, frame.time, live.draw(frame.image, faces), 0))
        job.wait(LATEST)
