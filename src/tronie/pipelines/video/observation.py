"""A face in one frame, and how faces of frames are compared."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import Similarity
from tronie.io.video.clip import Frame
from tronie.stages.detect.detector import areas, intersections
from tronie.stages.face_parts import FaceLight, light_of
from tronie.stages.landmarks.net import square_from_landmarks
from tronie.stages.landmarks.squares import cut, sized
from tronie.types import Detection, Landmarks

FIVE = (468, 473, 1, 61, 291)
"""Landmarks where the detector has its points: the irises, the tip of the nose, the corners of the mouth."""
LOOK = 24
"""Side of the small aligned picture by which a face is recognised from frame to frame, pixels."""
VOUCHED = 0.3
"""Confidence, at most, in landmarks that the net itself doubts, as in profile: their pose may be off by 20 degrees."""
DOUBTED = 0.35
"""What is left of the confidence in a watched face that the detector has not seen lately."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A face in one frame."""

    track: int
    """Number of its track, from 0."""
    frame: int
    time: float
    landmarks: Landmarks
    square: Similarity
    """Unit square -> frame pixels: what the landmark net looked at."""
    box: tuple[float, float, float, float]
    """Of the landmarks, x0, y0, x1, y1."""
    alike: float
    """-1..1: correlation with the frame before."""
    overlap: float
    """0..1: the largest overlap with another face."""
    inside: float
    """0..1: share of the landmarks inside the frame."""
    look: Array
    """(LOOK, LOOK, 3) float32: the small aligned picture, 0..255."""
    sure: bool = True
    """False while it may be another's: faces have met, and the detector has not looked yet."""
    clear: bool = True
    """False for a while after faces have met."""
    light: FaceLight = field(default_factory=FaceLight)
    vouched: bool = False
    """True where the net doubts it, and the detector and the fit do not."""

    @property
    def size(self) -> float:
        """Geometric mean of the box's sides, pixels."""
        x0, y0, x1, y1 = self.box
        return float(max((x1 - x0) * (y1 - y0), 1e-6) ** 0.5)

    @property
    def confidence(self) -> float:
        """0..1."""
        clear = 1 - min(1.0, 2.5 * self.overlap)
        share = 1.0 if self.sure else DOUBTED
        presence = VOUCHED if self.vouched else self.landmarks.presence
        return float(np.clip(share * presence * self.inside * clear * min(1.0, 0.3 + self.alike), 0, 1))


def see(number: int, frame: Frame, square: Similarity, found: Landmarks, before: Array | None) -> Seen:
    """What the net found in a frame; `before` is the track's small picture a moment ago."""
    points = found.points[:, :2]
    height, width = frame.image.shape[:2]
    low, high = points.min(axis=0), points.max(axis=0)
    inside = ((points >= 0) & (points <= [width, height])).all(axis=1).mean()
    # Aligned by what was found, so that the same face at another place looks the same.
    look = look_of(frame.image, square_from_landmarks(points))
    return Seen(
        track=number,
        frame=frame.index,
        time=frame.time,
        landmarks=found,
        square=square,
        box=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
        alike=1.0 if before is None else correlation(before, look),
        overlap=0.0,
        inside=float(inside),
        look=look,
        light=light_of(frame.image, points),
    )


def correlation(a: Array, b: Array) -> float:
    """-1..1 of two small pictures' lightness, whatever the light's strength; the middle counts more than the rim."""
    x, y = (p.mean(axis=-1) for p in (a, b))
    side = np.linspace(-1, 1, len(x))
    weight = np.exp(-3 * (side[:, None] ** 2 + side[None] ** 2))
    x, y = (p - (weight * p).sum() / weight.sum() for p in (x, y))
    return float((weight * x * y).sum() / np.sqrt(max((weight * x * x).sum() * (weight * y * y).sum(), 1e-9)))


def look_of(image: Image, square: Similarity) -> Array:
    """The small aligned picture, from every n-th pixel of a large face: it need not be pretty."""
    step = max(1, int(square.scale / (3 * LOOK)))
    coarse = Similarity(square.a / step, square.b / step, square.tx / step, square.ty / step)
    return cut(image[::step, ::step], sized(coarse, LOOK), LOOK).astype(np.float32)


def overlap(a: Seen, b: Seen) -> float:
    one, other = np.array([a.box]), np.array([b.box])
    shared = float(intersections(one, other)[0, 0])
    return shared / max(float(areas(one)[0] + areas(other)[0]) - shared, 1e-6)


def same_face(a: Seen, b: Seen) -> bool:
    """Whether two tracks' landmarks lie on each other: those of a hidden face jump onto the one before it."""
    off = np.linalg.norm(a.landmarks.points[:, :2] - b.landmarks.points[:, :2], axis=1).mean()
    return bool(off < 0.2 * min(a.size, b.size))


def disagreement(seen: Seen, found: Detection) -> float:
    """Between the detector's five points and the same landmarks, in sizes of the face."""
    off = seen.landmarks.points[list(FIVE), :2] - found.points
    return float(np.linalg.norm(off, axis=1).mean()) / seen.size


def center_of(points: Array) -> Array:
    return np.asarray(points[:468, :2].mean(axis=0))


def small_grey(image: Image) -> Array:
    """(18, 32) float32 of mean 0 and spread 1, so that a change of the light is no cut."""
    import cv2

    step = max(1, min(image.shape[:2]) // 90)
    grey = cv2.resize(image[::step, ::step], (32, 18), interpolation=cv2.INTER_AREA).astype(np.float32).mean(axis=2)
    return np.asarray((grey - grey.mean()) / max(float(grey.std()), 4.0), dtype=np.float32)
