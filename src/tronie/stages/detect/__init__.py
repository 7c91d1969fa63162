"""Every face of a photo, each with five points: which detectors there are. `search` is how a photo is searched."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tronie.errors import InputError

if TYPE_CHECKING:
    from tronie.stages.detect.detector import Detector, DetectorInfo


def _centerface() -> DetectorInfo:
    from tronie.stages.detect.centerface import DETECTOR

    return DETECTOR


def _mtcnn() -> DetectorInfo:
    from tronie.stages.detect.mtcnn import DETECTOR

    return DETECTOR


def _dlib() -> DetectorInfo:
    from tronie.stages.detect.dlib import DETECTOR

    return DETECTOR


DETECTORS: dict[str, Callable[[], DetectorInfo]] = {"centerface": _centerface, "mtcnn": _mtcnn, "dlib": _dlib}
"""Name -> what looks up what its module declares."""


def detector_info(name: str) -> DetectorInfo:
    """What the detector called `name` is. Raises InputError."""
    if name not in DETECTORS:
        raise InputError(f"There is no detector called {name}; choose one of {', '.join(DETECTORS)}.")
    return DETECTORS[name]()


def make_detector(name: str, threads: int = 1, device: str = "cpu") -> Detector:
    """The detector called `name`; `threads` 0 leaves the number to the runtime."""
    return detector_info(name).load(threads, device)
