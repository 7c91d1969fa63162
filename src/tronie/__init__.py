"""Every face of a photo as a textured 3D head and a frontal portrait.

    import tronie

    result = tronie.reconstruct("photo.jpg")
    for face in result.faces:
        print(face.box, face.head.vertices.shape)
    result.save("out")

The names below are loaded when they are first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tronie.version import __version__

if TYPE_CHECKING:
    from tronie.errors import InputError, OutputError, TronieError, WeightsError
    from tronie.geometry import Camera, Similarity
    from tronie.head.arkit import ARKIT_UNITS
    from tronie.head.model import Head, HeadModel
    from tronie.pipelines.photo import Pipeline, reconstruct
    from tronie.settings import Settings
    from tronie.types import (
        PROVENANCE,
        Crop,
        Detection,
        Enhanced,
        Face,
        Fit,
        Landmarks,
        Photo,
        Portrait,
        Result,
        Texture,
    )

_ROOMS = {
    "errors": ("InputError", "OutputError", "TronieError", "WeightsError"),
    "geometry": ("Camera", "Similarity"),
    "head.arkit": ("ARKIT_UNITS",),
    "head.model": ("Head", "HeadModel"),
    "pipelines.photo": ("Pipeline", "reconstruct"),
    "settings": ("Settings",),
    "types": (
        "PROVENANCE", "Crop", "Detection", "Enhanced", "Face", "Fit", "Portrait", "Landmarks",
        "Photo", "Result", "Texture",
    ),
}  # fmt: skip
_HOME = {name: f"tronie.{room}" for room, names in _ROOMS.items() for name in names}

__all__ = [
    "ARKIT_UNITS",
    "PROVENANCE",
    "Camera",
    "Crop",
    "Detection",
    "Enhanced",
    "Face",
    "Fit",
    "Head",
    "HeadModel",
    "InputError",
    "Landmarks",
    "OutputError",
    "Photo",
    "Pipeline",
    "Portrait",
    "Result",
    "Settings",
    "Similarity",
    "Texture",
    "TronieError",
    "WeightsError",
    "__version__",
    "reconstruct",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'tronie' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
