"""Hair as geometry: what can be said of a person's hair, and surfaces of their own over the head."""

from __future__ import annotations

import numpy as np

from tronie.settings import HairSettings
from tronie.types import Face, HairLook, Photo, Shell

__all__ = ["build_hair"]


def build_hair(photo: Photo, face: Face, settings: HairSettings) -> tuple[HairLook, tuple[Shell, ...]]:
    """What was found out of the hair of a face that has a head and a texture, and its shells."""
    return HairLook("bald", 0.0, 0.0, np.array([128.0, 128.0, 128.0], np.float32)), ()
