"""Which faces a photo shows: found by the detector, marked by the landmark net, and believed or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tronie.arrays import Image
from tronie.geometry import Camera
from tronie.head.model import default_head
from tronie.settings import Settings
from tronie.stages.detect.detector import Detector, areas, intersections
from tronie.stages.detect.search import detect_turned
from tronie.stages.fit.map_fit import fit_landmarks
from tronie.stages.fit.regressor import default_calibration
from tronie.stages.landmarks.net import LandmarkNet
from tronie.stages.landmarks.squares import cut, sized, square
from tronie.types import Crop, Detection, Landmarks, Unmeasured

EYES = [33, 263]
"""Landmarks: the outer corners of the subject's right and left eye."""
FIVE = [468, 473, 1, 61, 291]
"""Landmarks where a detector's five points lie."""
SAME = 0.4
"""Share of the smaller box above which what is found in a turned photo is a face that was known already."""
ASTRAY, CLOSE = 0.25, 0.16
"""`disagreement` beyond which detector and landmark net do not mean the same thing, and up to which they do
though the net doubts it: in profile 0.06, in nine of ten up to 0.11."""
DOUBTFUL = 0.12
"""... beyond which the face may be held in another way than the landmarks say: of upright faces 0.02 to 0.05, behind
masks up to 0.1, of landmarks that are upside down from 0.18 on."""
AROUND, AROUND_SIDE = 2.5, 256
"""Such a face is looked at from all four sides in a square of so many box sizes and so many pixels."""
SCORE_SAYS, DISAGREEMENT_SAYS, ENOUGH = 3.3, 6.3, 3.6
"""Where the net doubts that there is a face: how much the log odds of the detector's score and the disagreement weigh,
and what they must come to. A logistic regression on 80 heads turned by 60 to 85 degrees, 84 people with masks, 125
portraits, and what the detector takes for faces in 380 pictures of animals, drawings and things, made a little
stricter."""
ILL_FITTING = 0.06
"""... and the `misfit` up to which its landmarks are a face at all: heads in profile have up to 0.05."""
SURE = 0.75
"""Score of the detector from which a face that cannot be measured is told of."""
REASON = "It was seen, but the landmarks do not find their places on it: covered, turned away, or no face."
FAR = 10.0
"""Focal length of the camera that faces are judged with, in box sizes: its exact value makes no difference."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A detection with what the landmark net makes of it."""

    detection: Detection
    crop: Crop
    landmarks: Landmarks
    turns: int
    """Quarters by which the photo was turned back when it was found."""

    @property
    def quarters(self) -> int:
        """Quarter turns, 0..3, clockwise in the picture, by which the face is off upright."""
        right, left = self.landmarks.points[EYES, :2]
        return int(np.round(np.arctan2(left[1] - right[1], left[0] - right[0]) / (np.pi / 2))) % 4

    @property
    def disagreement(self) -> float:
        """See `disagreement`."""
        return disagreement(self.landmarks, self.detection)

    def believed(self, least_presence: float) -> bool:
        """Whether this is a face and its landmarks can be trusted.

        The net's `presence` of a face in profile or behind a mask is often next to nothing though its landmarks fit
        well: below `least_presence` the detector's score, its five points and the fit decide.
        """
        if self.disagreement > ASTRAY:
            return False
        return self.landmarks.presence >= least_presence or trusted(self.detection, self.landmarks)


def disagreement(landmarks: Landmarks, detection: Detection) -> float:
    """Mean distance of the detector's five points from the landmarks there, by the size of the box."""
    off = landmarks.points[FIVE, :2] - detection.points
    return float(np.linalg.norm(off, axis=1).mean() / max(detection.size, 1e-9))


def misfit(landmarks: Landmarks, detection: Detection) -> float:
    """RMS distance of the landmarks from a head that is fitted to them, by the size of the box; inf where none can
    be."""
    x, y = landmarks.points[:, :2].mean(axis=0)
    size = max(detection.size, 1e-9)
    camera = Camera(FAR * size, (float(x), float(y)), (1, 1))
    try:
        fit = fit_landmarks(default_head(), landmarks, camera, size, calibration=default_calibration())
    except ValueError:
        return float("inf")
    return fit.diagnostics["rms"]


def trusted(detection: Detection, landmarks: Landmarks) -> bool:
    """Whether landmarks that the net itself doubts are those of the face that the detector has found."""
    off = disagreement(landmarks, detection)
    if off > CLOSE:
        return False
    score = np.clip(detection.score, 1e-6, 1 - 1e-6)
    said = SCORE_SAYS * np.log(score / (1 - score)) - DISAGREEMENT_SAYS * off
    return bool(said >= ENOUGH and misfit(landmarks, detection) <= ILL_FITTING)


@dataclass(frozen=True, slots=True)
class FoundFaces:
    faces: tuple[Marked, ...]
    """Largest first."""
    unmeasured: tuple[Unmeasured, ...] = ()
    """Faces that the detector is sure of, but the landmark net cannot follow."""


@dataclass(frozen=True, slots=True)
class Finder:
    """Finds the faces of one photo (H, W, 3), at most as many as the settings want."""

    image: Image
    settings: Settings
    detector: Detector
    net: LandmarkNet

    def detect(self, turns: int = 0) -> tuple[Detection, ...]:
        """All that the detector finds, largest first, in the photo turned back by so many quarters."""
        everything = self.settings.detect.model_copy(update={"max_faces": 0})
        return detect_turned(self.image, turns, everything, self.detector)

    def mark(self, detections: Sequence[Detection]) -> FoundFaces:
        """The detections that are faces, with their landmarks.

        Those that lie on their side or stand on their head are looked for again in the photo turned upright for them:
        a photo should mean the same heads however it is held, and detectors are made for upright faces.
        """
        found, doubtful = self._marked(detections)
        wanted = {face.quarters for face in found.faces} - {0}
        wanted |= {turns for detection in doubtful for turns in [self._upright(detection)] if turns}
        for turns in sorted(wanted):
            found = merged(found, self._marked(self.detect(turns), turns)[0])
        return FoundFaces(found.faces[: self.settings.detect.max_faces or None], found.unmeasured)

    def _marked(self, detections: Sequence[Detection], turns: int = 0) -> tuple[FoundFaces, list[Detection]]:
        """... and those whose five points the landmarks do not agree with, as when they are upside down."""
        wanted = self.settings.detect.max_faces or len(detections)
        kept: list[Marked] = []
        unmeasured: list[Unmeasured] = []
        doubtful: list[Detection] = []
        while detections and len(kept) < wanted:
            # As many as are still wanted at a time: one that proves to be no face makes room for the next.
            some, detections = detections[: wanted - len(kept)], detections[wanted - len(kept) :]
            for detection, (crop, landmarks) in zip(some, self.net.detect(self.image, some), strict=True):
                face = Marked(detection, crop, landmarks, turns)
                if face.disagreement > DOUBTFUL:
                    doubtful.append(detection)
                if face.believed(self.settings.landmarks.min_presence):
                    kept.append(face)
                elif detection.score >= SURE:
                    unmeasured.append(Unmeasured(detection, REASON))
        return FoundFaces(tuple(kept), tuple(unmeasured)), doubtful

    def _upright(self, detection: Detection) -> int:
        """The quarters by which the photo has to be turned back for the detector to see this face best."""
        x0, y0, x1, y1 = detection.box
        scores = []
        for turns in range(4):
            around = square(np.array([(x0 + x1) / 2, (y0 + y1) / 2]), AROUND * detection.size, turns * np.pi / 2)
            seen = self.detector.detect(cut(self.image, sized(around, AROUND_SIDE), AROUND_SIDE))
            scores.append(max((d.score for d in seen), default=0.0))
        return int(np.argmax(scores))


def merged(found: FoundFaces, turned: FoundFaces) -> FoundFaces:
    """What was found in the photo as it is and in the photo turned back: of one face what is upright where it was
    found, or else what the detector is surer of; largest first."""
    every = [*found.faces, *(face for face in turned.faces if face.quarters == face.turns)]
    every.sort(key=lambda face: (face.quarters != face.turns, -face.detection.score))
    faces: list[Marked] = []
    for face in every:
        if not _among(face.detection, faces):
            faces.append(face)
    faces.sort(key=lambda face: (-face.detection.size, face.detection.box[1], face.detection.box[0]))
    return FoundFaces(tuple(faces), tuple(u for u in found.unmeasured if not _among(u.detection, faces)))


def _among(one: Detection, faces: Sequence[Marked]) -> bool:
    """Whether its box is that of one of the faces."""
    if not faces:
        return False
    box, boxes = np.array([one.box]), np.array([face.detection.box for face in faces])
    return bool((intersections(box, boxes)[0] > SAME * np.minimum(areas(box), areas(boxes))).any())
