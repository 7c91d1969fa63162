"""The jobs on clips and cameras: frames as they play, whole clips followed, a camera's faces live; see `server`."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tronie.errors import InputError, TronieError
from tronie.runtime.json_text import parsed
from tronie.service.messages import FrameShown, Track, Tracked
from tronie.service.server import InterfaceJob

if TYPE_CHECKING:
    from tronie.io.video.clip import Frame
    from tronie.service.workspace import Workspace
    from tronie.settings import Settings

LATEST = 1.0
"""Seconds that a clip waits for the window to show a frame."""


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
    """Everybody in a clip, into `folder`/NAME. What lies there already is read, unless `overwrite`."""
    from tronie.io.paths import safe_name
    from tronie.pipelines.outcome import Task
    from tronie.pipelines.video.job import do_clip

    name = safe_name(path.stem)
    if not overwrite and (known := followed(folder / name, path)) is not None:
        return known
    if not overwrite and (folder / name).exists():
        raise InputError(f"{folder / name} is there already; tick “Replace what was exported before” to write it anew.")

    outcome = do_clip(workspace.pipeline(settings), Task(str(path), folder, name, overwrite, clip=True), job)
    if outcome.status == "error":
        raise TronieError(outcome.reason or "The clip could not be done.")
    known = followed(outcome.folder, path)
    return known or Tracked(outcome.folder, (), outcome.notes)


def look_up(workspace: Workspace, job: InterfaceJob, path: Path, folder: Path) -> Tracked | None:
    """What was made of a clip before, if it lies in `folder`."""
    from tronie.io.paths import safe_name

    return followed(folder / safe_name(path.stem), path)


def followed(folder: Path, path: Path) -> Tracked | None:
    """The people of a clip's finished folder; None where it is none of that clip."""
    try:
        record = parsed((folder / "clip.json").read_bytes())
        if Path(record["video"]["source"]).resolve() != path.resolve():
            return None
        people = tuple(_track(folder / f"face-{int(person['index'])}", person) for person in record["people"])
        return Tracked(folder, people, tuple(record["video"]["notes"]))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError, csv.Error):
        return None


def _track(folder: Path, person: dict[str, object]) -> Track:
    with (folder / "frames.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = list(rows[0])
    names = tuple(columns[columns.index("gaze_right_pitch") + 1 :])

    def numbers(*wanted: str) -> np.ndarray:
        with np.errstate(over="ignore"):  # of another program's numbers
            return np.array([[float(row[name] or "nan") for name in wanted] for row in rows], dtype=np.float32)

    error = person.get("error")
    return Track(
        int(str(person["index"])),
        folder,
        tuple(row["state"] for row in rows),
        numbers("box_x0", "box_y0", "box_x1", "box_y1"),
        numbers("yaw", "pitch"),
        names,
        numbers(*names),
        np.nan_to_num(numbers("confidence")[:, 0]),
        (str(error),) if error else (),
    )


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
