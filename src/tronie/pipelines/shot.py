"""One of several pictures of a person."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tronie.errors import InputError
from tronie.geometry import Camera
from tronie.io.inputs import Stamp, stamp
from tronie.io.limits import Limits
from tronie.stages.quality import sharpness
from tronie.types import Face, Photo

CRISP = 0.05
"""Sharpness of a usual photo."""


@dataclass(frozen=True, eq=False)
class Shot:
    """One photo of the person."""

    photo: Photo
    """Its image may be empty when there are too many to keep; `load` reads it again."""
    face: Face
    """With crop and landmarks."""
    camera: Camera
    stamp: Stamp = (None, None)
    """Of the file before it was read."""
    limits: Limits | None = None
    """Within which it was read."""

    def load(self) -> Photo:
        """The photo with its image. Raises InputError when its file has gone or is another one now."""
        if self.photo.image.size:
            return self.photo
        from tronie.io.images import read_photo

        photo = read_photo(Path(self.photo.source), self.limits)
        if stamp(self.photo.source) != self.stamp:
            raise InputError(f"{self.photo.source} changed while it was worked on; run this again.")
        return photo


def crisp(shot: Shot) -> float:
    """Sharpness of the photo's face; 1 is usual."""
    return 1.0 if shot.face.crop is None else sharpness(shot.face.crop.image) / CRISP
