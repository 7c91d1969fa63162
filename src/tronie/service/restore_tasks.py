"""The jobs of the window's view of a restored photo: made, shown before and after, written; see `server`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tronie.errors import TronieError
from tronie.service.messages import RestoredLooks
from tronie.service.server import InterfaceJob

if TYPE_CHECKING:
    from tronie.service.workspace import Workspace
    from tronie.settings import Settings

SHOWN = 1600
"""Pixels of the longer side of what is shown."""


def restore_photo(workspace: Workspace, job: InterfaceJob, path: Path, settings: Settings) -> RestoredLooks:
    """Restore a photo as `settings.restore` says, and keep it to be written."""
    from tronie.head.surface import reduced
    from tronie.pipelines.restore import restore

    made = restore(path, pipeline=workspace.batch_pipeline(settings), job=job.part(str(path)))
    workspace.restored = (path, made)
    return RestoredLooks(
        reduced(made.photo.image, SHOWN),
        reduced(made.image, SHOWN),
        None if made.colouring is None else reduced(made.colouring.image, SHOWN),
        filled=made.damage,
        faded=made.fading.amount >= 0.05,
        untoned=made.fading.toned and not made.fading.keeps_tone,
        grain=made.grain.changes,
        faces=len(made.enhanced),
        factor=made.factor,
    )


def save_restored(workspace: Workspace, job: InterfaceJob, path: Path, folder: Path, overwrite: bool) -> Path:
    """Write what was restored last; the photo's folder."""
    from tronie.export.restored import save_restoration

    if workspace.restored is None or workspace.restored[0] != path:
        raise TronieError("There is nothing to export yet.")
    with job.stage("files"):
        return save_restoration(workspace.restored[1], folder, overwrite=overwrite)
