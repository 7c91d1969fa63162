"""Faces of a whole frame, found in a smaller picture of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tronie.arrays import Image
from tronie.settings import DetectSettings
from tronie.stages.detect.search import detect_faces
from tronie.types import Detection

if TYPE_CHECKING:
    from tronie.stages.detect import Detector

SEARCH_SIDE = 640
"""Longest side of the picture that the detector sees, pixels: 32 ms, where all of a 720p frame takes 290."""


def faces_in(
    image: Image, settings: DetectSettings, detector: Detector, side: int = SEARCH_SIDE, least: float = 0.0
) -> tuple[Detection, ...]:
    """Faces of at least `least` pixels of the frame (and `settings.min_face` of a picture of at most `side`)."""
    import cv2

    height, width = image.shape[:2]
    scale = min(1.0, side / max(height, width))
    if least * scale > settings.min_face:
        settings = settings.model_copy(update={"min_face": least * scale})
    if scale == 1.0:
        return detect_faces(image, settings, detector)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    ratio = np.array([width / size[0], height / size[1]])
    return tuple(
        Detection(
            (d.box[0] * ratio[0], d.box[1] * ratio[1], d.box[2] * ratio[0], d.box[3] * ratio[1]), d.points * ratio,
            d.score,
        )
        for d in detect_faces(small, settings, detector)
    )  # fmt: skip
