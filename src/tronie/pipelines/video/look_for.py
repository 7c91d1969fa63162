"""Looking for faces in a frame, in all of it made small or about one place; and what the landmark net's doubt means.

The net's presence of a face in profile is next to nothing beyond some 70 degrees, though its landmarks fit up to 90,
and the detector is as sure of it as before. So there the detector decides, as in photos (`stages/finder.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tronie.arrays import Array, Image
from tronie.settings import DetectSettings
from tronie.stages.detect.search import detect_faces
from tronie.stages.finder import AROUND, AROUND_SIDE, disagreement, trusted
from tronie.stages.landmarks.net import square_from_detection, square_from_landmarks
from tronie.stages.landmarks.squares import cut, sized, square
from tronie.types import Detection, Landmarks

if TYPE_CHECKING:
    from tronie.geometry import Similarity
    from tronie.stages.detect.detector import Detector
    from tronie.stages.landmarks.net import LandmarkNet

SEARCH_SIDE = 640
"""Longest side of the picture that the detector sees, pixels: 32 ms, where all of a 720p frame takes 290."""
NEARBY = 0.6
"""How far from where a face is expected its centre may be found, in sizes of the face."""


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
            (d.box[0] * ratio[0], d.box[1] * ratio[1], d.box[2] * ratio[0], d.box[3] * ratio[1]),
            d.points * ratio,
            d.score,
        )
        for d in detect_faces(small, settings, detector)
    )


def face_at(image: Image, points: Array, settings: DetectSettings, detector: Detector) -> Detection | None:
    """The face that the detector finds where landmarks (n, 2+) are expected; 5 ms."""
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    center, size = (low + high) / 2, max(float((high - low).prod()) ** 0.5, 1e-3)
    place = sized(square(center, AROUND * size, 0.0), AROUND_SIDE)
    found = [moved(d, place) for d in detector.detect(cut(image, place, AROUND_SIDE)) if d.score >= settings.min_score]
    near = [d for d in found if np.linalg.norm(middle(d) - center) < NEARBY * size]
    return min(near, key=lambda d: float(np.linalg.norm(middle(d) - center)), default=None)


def moved(found: Detection, to: Similarity) -> Detection:
    """The detection in the coordinates that an upright map leads to."""
    (x0, y0), (x1, y1) = to.apply(np.array([found.box[:2], found.box[2:]]))
    return Detection((float(x0), float(y0), float(x1), float(y1)), to.apply(found.points), found.score)


def middle(found: Detection) -> Array:
    """Of its box."""
    x0, y0, x1, y1 = found.box
    return np.array([(x0 + x1) / 2, (y0 + y1) / 2])


def marked(
    image: Image, found: Detection, net: LandmarkNet, squares: Sequence[Similarity] = ()
) -> tuple[Similarity, Landmarks] | None:
    """Landmarks of a face that the net doubts, and what it looked at: from the detection or from other squares, those
    that agree best with the detector's five points; None where none can be believed."""
    squares = [*squares, square_from_detection(found)]
    squares += [square_from_landmarks(marks.points) for marks in net.points(image, squares)]
    answers = zip(squares, net.points(image, squares), strict=True)
    best, marks = min(answers, key=lambda answer: disagreement(answer[1], found))
    return (best, net.follow(image, [best])[0]) if trusted(found, marks) else None
