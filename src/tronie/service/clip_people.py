"""The jobs on people of a clip that was followed: their pictures, and the files to hand on; see `server`."""

from __future__ import annotations

import re
import shutil
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from tronie.arrays import Image
from tronie.errors import TronieError
from tronie.runtime.json_text import parsed
from tronie.service.clip_folder import UNREADABLE
from tronie.service.messages import PreviewImages
from tronie.service.server import InterfaceJob

if TYPE_CHECKING:
    from tronie.service.workspace import Workspace
    from tronie.settings import Settings

SIDE = 640
"""Pixels of a picture beside the head."""
PATIENCE = 4.0
"""Seconds that a clip may be read for one of its frames."""


def beside(workspace: Workspace, job: InterfaceJob, path: Path, folder: Path, index: int, wires: bool) -> Image | None:
    """The person's part of the frame that the window shows of a clip, where that is still the one."""
    frame = workspace.reader.last
    if frame is None or workspace.reader.path != path or frame.index != index:
        return None
    return workspace.clips.head(folder).picture(frame.image, index, SIDE, wires=wires)


def saved_looks(workspace: Workspace, job: InterfaceJob, folder: Path) -> PreviewImages:
    """A person's pictures, read from their folder."""
    after, rest = _picture(folder / "frontal.png"), _picture(folder / "frontal_neutral.png")
    small, large = _picture(folder / "crop.png"), _picture(folder / "enhanced.png")
    before = None if after is None else _photo_of(workspace, job, folder, after.shape[0])
    return PreviewImages(before, after, rest, _picture(folder / "overlay.jpg"), small, large, fixed=True)


def _picture(path: Path) -> Image | None:
    from tronie.io.images import read_photo

    return read_photo(path).image if path.is_file() else None


def _photo_of(workspace: Workspace, job: InterfaceJob, folder: Path, size: int) -> Image | None:
    """The face in the frame that the portrait was made of, where that is found soon."""
    from tronie.io.video import open_clip

    try:
        told = parsed((folder / "face.json").read_bytes())["photo"]
        numbers = [re.match(r"frame (\d+) of a video", note) for note in told["notes"]]
        number = next(int(match[1]) for match in numbers if match)
        head, end = workspace.clips.head(folder), time.monotonic() + PATIENCE
        with closing(open_clip(told["source"])) as clip:
            for frame in clip.frames():
                job.check()
                if frame.index == head.first + number:
                    return head.picture(frame.image, frame.index, size)
                if time.monotonic() > end:
                    return None
    except (*UNREADABLE, StopIteration, TronieError):
        pass
    return None


def hand_on(
    workspace: Workspace,
    job: InterfaceJob,
    tracked: Path,
    numbers: tuple[int, ...],
    folder: Path,
    outputs: set[str],
    settings: Settings,
    overwrite: bool,
) -> tuple[Path, str]:
    """The people's files of these outputs, in `folder`/NAME, and a sentence about those that could not be had.

    What lies in the clip's own folder is copied, unless that is where it is wanted; what was not made when the clip was
    followed is made now where the face is still known."""
    from tronie.runtime.atomic_files import new_folder

    target = folder / tracked.name
    missing: set[str] = set()
    if target.resolve() == tracked.resolve():
        for number in numbers:
            missing |= _completed(workspace, tracked / f"face-{number}", tracked / f"face-{number}", outputs, settings)
    else:
        with new_folder(target, overwrite=overwrite) as work:
            for number in numbers:
                with job.part(face=number).stage("save"):
                    place = work / f"face-{number}"
                    place.mkdir()
                    missing |= _completed(workspace, tracked / f"face-{number}", place, outputs, settings)
            for name in ("clip.json", *_files(tracked, outputs)):
                if (tracked / name).is_file():
                    shutil.copy2(tracked / name, work / name)
    names = ", ".join(sorted(missing))
    return target, f"Not made when the clip was tracked: {names}. Track it again with them." if missing else ""


def _files(place: Path, outputs: set[str]) -> list[str]:
    """Those of these outputs that lie in a folder; films may have another ending."""
    from tronie.outputs import OUTPUTS

    wanted = {Path(file).stem for name in outputs for file in OUTPUTS[name].files if file.endswith(".mp4")}
    plain = {file for name in outputs for file in OUTPUTS[name].files}
    films = {".mp4", ".webm", ".gif"}
    return sorted(
        file.name
        for file in place.iterdir()
        if file.is_file() and (file.name in plain or (file.suffix in films and file.stem in wanted))
    )


def _completed(workspace: Workspace, source: Path, place: Path, outputs: set[str], settings: Settings) -> set[str]:
    """Copy a person's files, and make what is missing; the names of outputs that cannot be had."""
    from tronie.export.writer import save_face
    from tronie.outputs import OUTPUTS

    there = {
        name for name in outputs if not OUTPUTS[name].files or _files(source, {name}) or _files(source.parent, {name})
    }
    if place != source:
        for name in ("face.json", *_files(source, outputs)):
            if (source / name).is_file():
                shutil.copy2(source / name, place / name)
    lacking = {name for name in outputs - there if "photo" in OUTPUTS[name].of} - {"sheet", "enhanced", "flat"}
    face = workspace.faces.get((source, int(source.name.rpartition("-")[2])))
    if not lacking or face is None:
        return lacking
    photo = workspace.photos[source]
    scratch = workspace.scratch() / f"hand-on-{time.monotonic_ns()}"
    scratch.mkdir()
    made = save_face(photo, face, scratch, source.parent.name, settings.export, lacking)
    for name in made:
        if name != "face.json":
            shutil.move(scratch / name, place / name)
    shutil.rmtree(scratch, ignore_errors=True)
    return {name for name in lacking if not _files(place, {name})}
