"""Every face of a photo as a textured 3D head and a frontal portrait.

    import tronie

    result = tronie.reconstruct("photo.jpg")
    for face in result.faces:
        print(face.box, face.head.vertices.shape)
    tronie.save(result, "out")

All that there is to use is below; docs/python.md shows it at work. Modules inside may change with every version. The
names are loaded when they are first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tronie.version import __version__

if TYPE_CHECKING:
    from tronie.api import reconstruct_person, save
    from tronie.errors import Cancelled, InputError, OutputError, TronieError, WeightsError
    from tronie.geometry import Camera, Similarity
    from tronie.head.arkit import ARKIT_UNITS
    from tronie.head.model import Head, HeadModel
    from tronie.io.saved_head import SavedHead, load_head
    from tronie.pipelines.person.reconstruct import PersonResult
    from tronie.pipelines.photo import Pipeline, reconstruct
    from tronie.pipelines.refit import refit
    from tronie.pipelines.restore import restore
    from tronie.pipelines.video.job import VideoResult, reconstruct_video
    from tronie.pipelines.video.live import Live, LiveFace
    from tronie.render.draw import draw
    from tronie.runtime.job import Advanced, Event, Job, StageBegan, StageEnded
    from tronie.settings import Settings
    from tronie.shells import BustLook, HairLook, Segmentation, Shell
    from tronie.stages.enhance.restoration import Colouring, Restoration
    from tronie.types import (
        PROVENANCE,
        Albedo,
        Caution,
        Crop,
        Detail,
        Detection,
        Enhanced,
        Face,
        Fit,
        Folds,
        Landmarks,
        Photo,
        Portrait,
        Result,
        Texture,
        Unmeasured,
        UsedModel,
    )

_NAMES = {
    "api": (
        "reconstruct_person",
        "save",
    ),
    "errors": (
        "Cancelled",
        "InputError",
        "OutputError",
        "TronieError",
        "WeightsError",
    ),
    "geometry": (
        "Camera",
        "Similarity",
    ),
    "head.arkit": ("ARKIT_UNITS",),
    "head.model": (
        "Head",
        "HeadModel",
    ),
    "io.saved_head": (
        "SavedHead",
        "load_head",
    ),
    "pipelines.person.reconstruct": ("PersonResult",),
    "pipelines.photo": (
        "Pipeline",
        "reconstruct",
    ),
    "pipelines.refit": ("refit",),
    "pipelines.restore": ("restore",),
    "pipelines.video.job": (
        "VideoResult",
        "reconstruct_video",
    ),
    "pipelines.video.live": (
        "Live",
        "LiveFace",
    ),
    "render.draw": ("draw",),
    "runtime.job": (
        "Advanced",
        "Event",
        "Job",
        "StageBegan",
        "StageEnded",
    ),
    "settings": ("Settings",),
    "shells": (
        "BustLook",
        "HairLook",
        "Segmentation",
        "Shell",
    ),
    "stages.enhance.restoration": (
        "Colouring",
        "Restoration",
    ),
    "types": (
        "PROVENANCE",
        "Albedo",
        "Caution",
        "Crop",
        "Detail",
        "Detection",
        "Enhanced",
        "Face",
        "Fit",
        "Folds",
        "Landmarks",
        "Photo",
        "Portrait",
        "Result",
        "Texture",
        "Unmeasured",
        "UsedModel",
    ),
}
_HOME = {name: f"tronie.{room}" for room, names in _NAMES.items() for name in names}

__all__ = [
    "ARKIT_UNITS",
    "PROVENANCE",
    "Advanced",
    "Albedo",
    "BustLook",
    "Camera",
    "Cancelled",
    "Caution",
    "Colouring",
    "Crop",
    "Detail",
    "Detection",
    "Enhanced",
    "Event",
    "Face",
    "Fit",
    "Folds",
    "HairLook",
    "Head",
    "HeadModel",
    "InputError",
    "Job",
    "Landmarks",
    "Live",
    "LiveFace",
    "OutputError",
    "PersonResult",
    "Photo",
    "Pipeline",
    "Portrait",
    "Restoration",
    "Result",
    "SavedHead",
    "Segmentation",
    "Settings",
    "Shell",
    "Similarity",
    "StageBegan",
    "StageEnded",
    "Texture",
    "TronieError",
    "Unmeasured",
    "UsedModel",
    "VideoResult",
    "WeightsError",
    "__version__",
    "draw",
    "load_head",
    "reconstruct",
    "reconstruct_person",
    "reconstruct_video",
    "refit",
    "restore",
    "save",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'tronie' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
