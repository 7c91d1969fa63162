"""The jobs on all that is in the window's list: files written one after the other, and a sheet of what came of them;
see `server`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tronie.errors import TronieError
from tronie.service.server import InterfaceJob

if TYPE_CHECKING:
    from tronie.arrays import Image
    from tronie.pipelines.outcome import Outcome
    from tronie.service.workspace import Workspace
    from tronie.settings import Settings

MOST_FACES = 6
"""Portraits of one photo on the sheet."""


def work_off(
    workspace: Workspace,
    job: InterfaceJob,
    path: Path,
    folder: Path,
    name: str,
    outputs: set[str],
    settings: Settings,
    overwrite: bool,
    clip: bool,
) -> Outcome:
    """The files of one photo or clip, into `folder`/`name`. What lies there already stays, unless `overwrite`."""
    from tronie.pipelines.outcome import Outcome, Task
    from tronie.pipelines.photo_task import do_photo
    from tronie.pipelines.video.job import do_clip

    task = Task(str(path), folder, name, overwrite, clip=clip)
    if task.folder.exists() and not overwrite:
        faces = sum(place.is_dir() for place in task.folder.glob("face-*"))
        return Outcome(task.source, task.folder, "ok" if faces else "no_face", faces, notes=("exported before",))
    wanted = tuple(sorted(outputs))
    settings = type(settings).model_validate({**settings.model_dump(exclude_unset=True), "outputs": wanted})
    pipeline = workspace.batch_pipeline(settings)
    part = job.part(str(path))
    outcome = do_clip(pipeline, task, part) if clip else do_photo(pipeline, task, pipeline.settings, job=part)
    return replace(outcome, timings={})


def overview(
    workspace: Workspace, job: InterfaceJob, photos: Sequence[tuple[Path, str]], folder: Path, target: Path
) -> list[Path]:
    """A contact sheet of photos and clips, each with the portraits that lie in `folder`/NAME or that the window made:
    the files, `target` and those of further pages."""
    from tronie.export.overview import Row, pages
    from tronie.io.encode import jpeg
    from tronie.runtime.atomic_files import write_file
    from tronie.service.photo_tasks import thumbnail

    rows = []
    with job.stage("sheet", len(photos)) as stage:
        for path, name in stage.each(photos):
            portraits = _portraits(workspace, path, folder / name)
            picture: Image | None = None
            with suppress(TronieError):
                picture = thumbnail(workspace, job, path)
            rows.append(Row(path.name, picture, tuple(portraits[:MOST_FACES]), len(portraits)))
    written = []
    for number, page in enumerate(pages(rows), start=1):
        file = target if number == 1 else target.with_stem(f"{target.stem}-{number}")
        write_file(file, jpeg(page, 92))
        written.append(file)
    return written


def _portraits(workspace: Workspace, path: Path, folder: Path) -> list[Image]:
    from tronie.io.images import read_photo

    found = [face.portrait.image for face in workspace.of(path) if face.portrait is not None]
    if found:
        return found
    places = sorted(folder.glob("face-*"), key=lambda place: (len(place.name), place.name))
    for place in places:
        with suppress(TronieError):
            found.append(read_photo(place / "frontal.png").image)
    return found
