"""A face whose fit a user corrects: in milliseconds, without the photo and without any net."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tronie.errors import InputError
from tronie.stages.fit.engine import moved_fit
from tronie.stages.fit.pins import pinned
from tronie.types import Face


def refit(face: Face, pins: Mapping[int, tuple[float, float]]) -> Face:
    """The face with its fit and head bent so that these landmarks lie where a user says: by MediaPipe's number, x
    and y in photo pixels.

    They take the place of pins that were there before; without any the fit is again what it was at first. It takes some
    milliseconds. Texture, hair and portrait stay as they are: `Pipeline.refit` makes them anew. Raises InputError for a
    face that cannot be corrected, ValueError for a landmark that there is not.
    """
    face = repinned(face, pins)
    assert face.fit is not None
    assert face.head is not None
    assert face.landmarks is not None
    return moved_fit(face, pinned(face.head.model, face.fit, face.landmarks, face.detection.size))


def repinned(face: Face, pins: Mapping[int, tuple[float, float]]) -> Face:
    """The face with other pins, its fit as it was. Raises as `refit` does."""
    if face.fit is None or face.head is None or face.landmarks is None:
        raise InputError("Only a face that was fitted can be corrected.")
    if face.engine_result is not None or not face.fit.expression:
        raise InputError("Only fits of tronie's own engine can be corrected.")
    return replace(face, landmarks=face.landmarks.with_pins(pins))
