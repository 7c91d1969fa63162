"""Faces followed from frame to frame: landmarks from the frame before, the detector now and then and on loss.

A track is broken rather than risked: at a cut, when a face is hidden by another, or when what is seen in its place no
longer looks like a moment ago. Tracks of one person are put together by `tronie.video.people`, which looks at faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tronie.detect.boxes import areas, intersections
from tronie.detect.search import detect_faces
from tronie.geometry import Similarity
from tronie.landmarks import cut, sized, square_from_detection, square_from_landmarks
from tronie.settings import DetectSettings
from tronie.types import Detection, Image, Landmarks
from tronie.video.assign import assign
from tronie.video.clip import Frame

if TYPE_CHECKING:
    from tronie.detect import Detector
    from tronie.landmarks import LandmarkNet

Array = NDArray[np.floating[Any]]

SEARCH_SIDE = 640
"""Longest side of the picture that the detector sees, pixels: 32 ms, where all of a 720p frame takes 290."""
LEAST_PRESENCE = 0.5
"""Below this a face counts as lost in a frame; 0.9 and more is usual, 0.1 where there is none."""
FIVE = (468, 473, 1, 61, 291)
"""Landmarks where the detector has its points: the irises, the tip of the nose, the corners of the mouth."""
LOOK = 24
"""Side of the small aligned picture by which a face is recognised from frame to frame, pixels."""
STRANGE = 0.35
"""Correlation of that picture with the frame before's below which it is somebody else (usual: above 0.9)."""
SAME = 0.3
"""Overlap (intersection over union) above which a detection belongs to a track, or two tracks hold one face."""
TOUCHING = 0.08
"""Overlap of two faces' boxes above which their landmarks are doubtful."""
MOMENTUM = 0.7
"""Share of the last step that a face is expected to go on."""
RETRY = 3
"""Frames between two searches where a face was lost."""
AGREE = 0.16
"""Mean distance between the detector's five points and the same landmarks, in sizes of the face, up to which both mean
one face: 0.03 to 0.07 is usual, 0.3 and more where landmarks lie across two faces."""
NEAR, WARY_SECONDS = 1.6, 1.5
"""A face so near (in sizes) to where another was lost may have caught its landmarks: it is watched for so long."""
DOUBTED = 0.35
"""What is left of the confidence in a watched face that the detector has not seen lately."""
CUT = 0.5
"""Mean change of the small grey picture of the frame (its mean and spread made alike) that may be a cut."""


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
        return float(np.clip(share * self.landmarks.presence * self.inside * clear * min(1.0, 0.3 + self.alike), 0, 1))


@dataclass(slots=True)
class _Track:
    number: int
    points: Array
    look: Array
    center: Array
    velocity: Array = field(default_factory=lambda: np.zeros(2))
    frames: int = 0
    wary: float = -1.0
    """Until this time, seconds, it is watched."""
    checked: int = -1
    """The count of the frame in which the detector last agreed."""


@dataclass(slots=True)
class Tracker:
    """Feed it the frames in order; it gives back who is seen in each.

    `every`: frames between two looks of the detector at the whole picture. An instance belongs to one thread.
    """

    detector: Detector
    net: LandmarkNet
    settings: DetectSettings = field(default_factory=DetectSettings)
    every: int = 12
    search_side: int = SEARCH_SIDE
    """Longest side of the picture that the detector sees, pixels."""
    ended: list[int] = field(default_factory=list)
    """Numbers of the tracks that the last frame ended."""
    met: list[int] = field(default_factory=list)
    """Numbers of the tracks that met another, or came to where one was lost, in the last frame."""
    cut: bool = False
    """Whether the last frame began a new shot."""
    _tracks: list[_Track] = field(default_factory=list)
    _numbers: int = 0
    _searched: int | None = None
    _count: int = 0
    _small: Array | None = None

    def step(self, frame: Frame) -> list[Seen]:
        """The faces of the next frame; those of a track are in the order of the tracks."""
        before = {track.number for track in self._tracks}
        image, self._count = frame.image, self._count + 1
        small = _small(image)
        self.cut = self._small is not None and float(np.abs(small - self._small).mean()) > CUT
        self._small = small
        if self.cut:
            # Another face may be in the same place; aligned faces look too much alike to tell at a glance.
            self._tracks = []
        seen, lost = self._followed(frame)
        wary = any(track.wary >= frame.time for track in self._tracks)
        since = None if self._searched is None else self._count - self._searched
        if since is None or self.cut or since >= self.every or ((lost or wary) and since >= RETRY):
            seen = self._checked(frame, seen)
            self._searched = self._count
        seen = self._settled(seen)
        kept = {s.track for s in seen}
        self._watch(frame, [track for track in self._tracks if track.number not in kept], seen)
        self._tracks = [track for track in self._tracks if track.number in kept]
        for track in self._tracks:
            self._move(track, next(s for s in seen if s.track == track.number))
        self.ended = sorted(before - kept)
        return [self._marked(s) for s in seen]

    def _marked(self, seen: Seen) -> Seen:
        track = self._track(seen.track)
        if track.wary < seen.time:
            return seen
        return replace(seen, clear=False, sure=self._count - track.checked < RETRY)

    def _track(self, number: int) -> _Track:
        return next(track for track in self._tracks if track.number == number)

    def _watch(self, frame: Frame, lost: Sequence[_Track], seen: Sequence[Seen]) -> None:
        """Faces near to a lost one, or that overlap, are watched."""
        self.met = []
        for one in seen:
            track, center = self._track(one.track), _center(one.landmarks.points)
            near = any(np.linalg.norm(center - gone.center) < NEAR * one.size for gone in lost)
            if near or one.overlap > TOUCHING:
                if track.wary < frame.time:
                    self.met.append(track.number)
                track.wary = frame.time + WARY_SECONDS
                # The frames in which faces meet are doubtful even where the detector has just looked.
                track.checked = min(track.checked, self._count - RETRY)

    def _followed(self, frame: Frame) -> tuple[list[Seen], bool]:
        """The tracks of the frame before that go on, and whether one does not."""
        ahead = [track.points[:, :2] + MOMENTUM * track.velocity for track in self._tracks]
        squares = [square_from_landmarks(points) for points in ahead]
        seen = []
        for track, square, found in zip(self._tracks, squares, self.net.follow(frame.image, squares), strict=True):
            one = self._see(track.number, frame, square, found, track.look)
            if found.presence >= LEAST_PRESENCE and one.alike >= STRANGE and one.inside > 0.4:
                seen.append(one)
        return seen, len(seen) < len(self._tracks)

    def _checked(self, frame: Frame, seen: Sequence[Seen]) -> list[Seen]:
        """What the detector says of the whole picture: faces that are followed are confirmed or, where their landmarks
        lie across what it finds, given up; what is left are new tracks."""
        found = self._search(frame.image)
        apart = np.array([[_disagreement(one, d) for d in found] for one in seen]).reshape(len(seen), len(found))
        pairs = dict(assign(apart, AGREE))
        boxes = np.array([d.box for d in found]).reshape(-1, 4)
        kept = []
        for row, one in enumerate(seen):
            track = self._track(one.track)
            if row in pairs:
                track.checked = self._count
            else:
                box = np.array([one.box])
                shared = intersections(box, boxes)[0] / np.maximum(np.minimum(areas(box), areas(boxes)), 1e-6)
                # Where it finds nothing at all (a profile, a hand before the mouth), the landmarks are believed.
                if (shared > SAME).any() and (track.wary >= frame.time or apart[row].min() > 2 * AGREE):
                    continue
            kept.append(one)
        taken = set(pairs.values())
        fresh = [d for k, d in enumerate(found) if k not in taken]
        squares = [square_from_detection(d) for d in fresh]
        squares = [square_from_landmarks(f.points) for f in self.net.follow(frame.image, squares)]
        for square, marks in zip(squares, self.net.follow(frame.image, squares), strict=True):
            one = self._see(self._numbers, frame, square, marks, None)
            if marks.presence >= LEAST_PRESENCE and one.inside > 0.5:
                self._tracks.append(
                    _Track(self._numbers, marks.points, one.look, _center(marks.points), checked=self._count)
                )
                self._numbers += 1
                kept.append(one)
        return kept

    def _search(self, image: Image) -> tuple[Detection, ...]:
        """All faces of a frame, found in a smaller picture of it."""
        import cv2

        height, width = image.shape[:2]
        scale = min(1.0, self.search_side / max(height, width))
        if scale == 1.0:
            return detect_faces(image, self.settings, self.detector)
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        ratio = np.array([width / size[0], height / size[1]])
        found = detect_faces(small, self.settings, self.detector)
        return tuple(
            Detection(
                (d.box[0] * ratio[0], d.box[1] * ratio[1], d.box[2] * ratio[0], d.box[3] * ratio[1]),
                d.points * ratio,
                d.score,
            )
            for d in found
        )

    def _see(self, number: int, frame: Frame, square: Similarity, found: Landmarks, before: Array | None) -> Seen:
        points = found.points[:, :2]
        height, width = frame.image.shape[:2]
        low, high = points.min(axis=0), points.max(axis=0)
        inside = ((points >= 0) & (points <= [width, height])).all(axis=1).mean()
        # Aligned by what was found, so that the same face at another place looks the same.
        look = _look(frame.image, square_from_landmarks(points))
        return Seen(
            track=number, frame=frame.index, time=frame.time, landmarks=found, square=square,
            box=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
            alike=1.0 if before is None else correlation(before, look), overlap=0.0, inside=float(inside), look=look,
        )  # fmt: skip

    def _settled(self, seen: list[Seen]) -> list[Seen]:
        """Of two tracks that hold one face the likelier one; and how much the faces overlap."""
        tracks = {track.number: track for track in self._tracks}
        order = sorted(seen, key=lambda s: _doubt(s, tracks[s.track]))
        kept: list[Seen] = []
        for one in order:
            if not any(_overlap(one, other) > 0.5 or _same_face(one, other) for other in kept):
                kept.append(one)
        out = []
        for one in sorted(kept, key=lambda s: s.track):
            overlap = max((_overlap(one, other) for other in kept if other is not one), default=0.0)
            out.append(replace(one, overlap=overlap))
        return out

    def _move(self, track: _Track, seen: Seen) -> None:
        center = _center(seen.landmarks.points)
        step = center - track.center
        # A jump says little of where the face goes on to.
        track.velocity = step if track.frames and np.linalg.norm(step) < 0.5 * seen.size else np.zeros(2)
        track.center, track.points, track.look = center, seen.landmarks.points, seen.look
        track.frames += 1


def correlation(a: Array, b: Array) -> float:
    """-1..1 of two small pictures' lightness, whatever the light's strength; the middle counts more than the rim."""
    x, y = (p.mean(axis=-1) for p in (a, b))
    side = np.linspace(-1, 1, len(x))
    weight = np.exp(-3 * (side[:, None] ** 2 + side[None] ** 2))
    x, y = (p - (weight * p).sum() / weight.sum() for p in (x, y))
    return float((weight * x * y).sum() / np.sqrt(max((weight * x * x).sum() * (weight * y * y).sum(), 1e-9)))


def pair_up(before: Sequence[Seen], after: Sequence[Seen]) -> list[tuple[int, int]]:
    """Which faces of a frame are which of another, by their places alone."""
    a, b = (np.array([s.box for s in faces]).reshape(-1, 4) for faces in (before, after))
    shared = intersections(a, b)
    union = areas(a)[:, None] + areas(b)[None] - shared
    return assign(1 - shared / np.maximum(union, 1e-6), 1 - SAME)


def _look(image: Image, square: Similarity) -> Array:
    """The small aligned picture, from every n-th pixel of a large face: it need not be pretty."""
    step = max(1, int(square.scale / (3 * LOOK)))
    coarse = Similarity(square.a / step, square.b / step, square.tx / step, square.ty / step)
    return cut(image[::step, ::step], sized(coarse, LOOK), LOOK).astype(np.float32)


def _overlap(a: Seen, b: Seen) -> float:
    one, other = np.array([a.box]), np.array([b.box])
    shared = float(intersections(one, other)[0, 0])
    return shared / max(float(areas(one)[0] + areas(other)[0]) - shared, 1e-6)


def _same_face(a: Seen, b: Seen) -> bool:
    """Whether two tracks' landmarks lie on each other: those of a hidden face jump onto the one before it."""
    off = np.linalg.norm(a.landmarks.points[:, :2] - b.landmarks.points[:, :2], axis=1).mean()
    return bool(off < 0.2 * min(a.size, b.size))


def _doubt(seen: Seen, track: _Track) -> float:
    """How unlikely it is that this is the track's face: it changed its look, or left its way."""
    expected = track.center + track.velocity
    way = float(np.linalg.norm(_center(seen.landmarks.points) - expected)) / seen.size if track.frames else 0.5
    return (1 - seen.alike) + way + (1 - seen.landmarks.presence)


def _disagreement(seen: Seen, found: Detection) -> float:
    """Between the detector's five points and the same landmarks, in sizes of the face."""
    off = seen.landmarks.points[list(FIVE), :2] - found.points
    return float(np.linalg.norm(off, axis=1).mean()) / seen.size


def _center(points: Array) -> Array:
    return np.asarray(points[:468, :2].mean(axis=0))


def _small(image: Image) -> Array:
    """(18, 32) float32 of mean 0 and spread 1, so that a change of the light is no cut."""
    import cv2

    step = max(1, min(image.shape[:2]) // 90)
    grey = cv2.resize(image[::step, ::step], (32, 18), interpolation=cv2.INTER_AREA).astype(np.float32).mean(axis=2)
    return np.asarray((grey - grey.mean()) / max(float(grey.std()), 4.0), dtype=np.float32)
