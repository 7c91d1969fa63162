"""Faces that lie on their side or stand on their head: looked for again where the photo is turned upright for them.

A detector is made for upright faces. It still finds others, but frames them less well, and all that follows would hang
on that: a photo that lies on its side should mean the very heads that it means upright.
"""

from __future__ import annotations

import numpy as np

from tronie.arrays import Image
from tronie.geometry import Similarity
from tronie.settings import DetectSettings
from tronie.stages.detect.detector import Detector
from tronie.stages.detect.search import detect_faces
from tronie.types import Detection


def detect_turned(image: Image, turns: int, settings: DetectSettings, detector: Detector) -> tuple[Detection, ...]:
    """What is found in a photo (H, W, 3) turned back by `turns` quarters, in pixels of the photo as it is."""
    if not turns:
        return detect_faces(image, settings, detector)
    height, width = image.shape[:2]
    back = turned_back(turns, width, height)
    upright = np.ascontiguousarray(np.rot90(image, turns))
    return tuple(moved(found, back) for found in detect_faces(upright, settings, detector))


def turned_back(turns: int, width: int, height: int) -> Similarity:
    """Pixels of `np.rot90(photo, turns)` -> pixels of the photo, which is `width` x `height`."""
    maps = (
        Similarity(1, 0, 0, 0), Similarity(0, 1, width, 0), Similarity(-1, 0, width, height),
        Similarity(0, -1, 0, height),
    )  # fmt: skip
    return maps[turns % 4]


def moved(found: Detection, to: Similarity) -> Detection:
    """The detection in the coordinates that a map by quarter turns leads to; its box stays upright in them."""
    x0, y0, x1, y1 = found.box
    corners = to.apply([(x0, y0), (x1, y1)])
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    return Detection((float(left), float(top), float(right), float(bottom)), to.apply(found.points), found.score)
