"""Every face of a photo, each with five points."""

from __future__ import annotations

from collections.abc import Callable

from tronie.errors import InputError
from tronie.stages.detect.centerface import CenterFace
from tronie.stages.detect.detector import Detector
from tronie.stages.detect.dlib import Dlib
from tronie.stages.detect.mtcnn import Mtcnn
from tronie.stages.detect.search import detect_faces, detect_turned

__all__ = [
    "DETECTORS", "CenterFace", "Detector", "Dlib", "Mtcnn", "detect_faces", "detect_turned",
    "make_detector",
]  # fmt: skip

DETECTORS: dict[str, Callable[[int], Detector]] = {
    "centerface": CenterFace.load,
    "mtcnn": Mtcnn.load,
    "dlib": Dlib.load,
}
"""Name -> a function of the thread count that makes the detector (its files load on first use)."""


def make_detector(name: str, threads: int = 1) -> Detector:
    """The detector called `name`; `threads` 0 leaves the number to the runtime."""
    if name not in DETECTORS:
        raise InputError(f"There is no detector called {name}; choose one of {', '.join(DETECTORS)}.")
    return DETECTORS[name](threads)
