"""What the pipeline's first stages see in a photo: a detection and landmarks. All that a fit may know."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Image
from tronie.pipelines.photo import Pipeline
from tronie.runtime.threads import single_blas_thread
from tronie.settings import Settings
from tronie.stages.detect.search import detect_faces
from tronie.types import Detection, Landmarks

Array = NDArray[np.floating]
Box = tuple[float, float, float, float]

LEAST_OVERLAP = 0.1
"""Intersection over union below which a detection is another face than the one that was annotated."""
FIVE = np.array([(0.31, 0.42), (0.69, 0.42), (0.5, 0.62), (0.35, 0.79), (0.65, 0.79)])
"""Where the five points lie in an upright face's box, for boxes that come without points."""


@dataclass(frozen=True, eq=False)
class Observation:
    detection: Detection
    landmarks: Landmarks
    size: tuple[int, int]
    """Width, height of the photo."""
    focal: float | None
    """Pixels: the truth of a synthetic photo, or what EXIF says; fits use it only where they are told to."""


@cache
def pipeline() -> Pipeline:
    return Pipeline(Settings(), threads=1)


def found_faces(image: Image) -> list[tuple[Detection, Landmarks]]:
    """What the pipeline keeps of an RGB picture."""
    p = pipeline()
    with single_blas_thread():
        found = detect_faces(image, p.settings.detect, p.detector)
        marked = p.net.detect(image, found)
    least = p.settings.landmarks.min_presence
    return [(d, m) for d, (_, m) in zip(found, marked, strict=True) if m.presence >= least]


def face_at(image: Image, point: Array, focal: float | None = None) -> Observation | None:
    """The face whose landmarks lie around `point` (2,), None where there is none."""
    best: tuple[float, Detection, Landmarks] | None = None
    for detection, landmarks in found_faces(image):
        away = float(np.linalg.norm(landmarks.points[:, :2].mean(axis=0) - point)) / detection.size
        if away < 0.5 and (best is None or away < best[0]):
            best = away, detection, landmarks
    return None if best is None else Observation(best[1], best[2], (image.shape[1], image.shape[0]), focal)


def face_in(image: Image, box: Box | None, focal: float | None = None) -> Observation | None:
    """The face that overlaps an annotated box most (the largest one without a box)."""
    seen = found_faces(image)
    if not seen:
        return None
    if box is None:
        best = max(seen, key=lambda face: face[0].size)
    else:
        best = max(seen, key=lambda face: overlap(marks_box(face[1]), box))
        if overlap(marks_box(best[1]), box) < LEAST_OVERLAP:
            return None
    return Observation(best[0], best[1], (image.shape[1], image.shape[0]), focal)


def face_given(image: Image, box: Box, focal: float | None = None, five: Array | None = None) -> Observation:
    """Landmarks of a face whose box is given, without a detector."""
    x0, y0, x1, y1 = box
    points = FIVE * [x1 - x0, y1 - y0] + [x0, y0] if five is None else five
    detection = Detection(box, points, 1.0)
    with single_blas_thread():
        _, landmarks = pipeline().net.detect(image, detection)[0]
    return Observation(detection, landmarks, (image.shape[1], image.shape[0]), focal)


def marks_box(landmarks: Landmarks) -> Box:
    low, high = landmarks.points[:, :2].min(axis=0), landmarks.points[:, :2].max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(width, 0.0) * max(height, 0.0)
    either = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both
    return both / either if either > 0 else 0.0
