"""The jobs that correct a fit by hand, in the process beside the window; see `server`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tronie.service.messages import BentFit, Card
from tronie.service.photo_tasks import card
from tronie.service.server import InterfaceJob

if TYPE_CHECKING:
    from tronie.service.workspace import Key, Workspace
    from tronie.settings import Settings

Pins = Mapping[int, tuple[float, float]]


def bend(workspace: Workspace, job: InterfaceJob, key: Key, pins: Pins | None) -> BentFit:
    """A face's fit with other pins, in milliseconds; None: as it is. It is told as soon as it is there; then the head
    that is drawn follows, and keeps its texture until `refit`."""
    from tronie.pipelines.refit import repinned
    from tronie.runtime.threads import single_blas_thread
    from tronie.stages.fit.engine import moved_fit
    from tronie.stages.fit.pins import landmarks_shown, pinned
    from tronie.stages.landmarks.lines import CLOSED_LINES, HANDLES, OPEN_LINES

    face = workspace.faces[key]
    with single_blas_thread():
        if pins is not None:
            face = repinned(face, pins)
        fit, head, marks = face.fit, face.head, face.landmarks
        assert fit is not None
        assert head is not None
        assert marks is not None
        if pins is not None:
            fit = pinned(head.model, fit, marks, face.detection.size)
        points = np.asarray(landmarks_shown(head.model, fit), np.float32)
        bent = BentFit(key, points, marks.pins, fit.expression, CLOSED_LINES, OPEN_LINES, HANDLES)
        job.emit(bent)
        if pins is not None:
            moved = moved_fit(face, fit).head
            assert moved is not None
            workspace.reshape(key, moved.neutral, fit.expression)
    return bent


def refit(workspace: Workspace, job: InterfaceJob, key: Key, pins: Pins) -> Card:
    """A face with these pins, and all that is made from its head made anew."""
    path, index = key
    settings: Settings = workspace.made_with[path]
    face = workspace.pipeline(settings).refit(workspace.photos[path], workspace.faces[key], pins, job)
    job.check()
    with workspace.lock:
        workspace.put(path, replace(face, index=index), settings)
        workspace.redraw(key)
    return card(face)
