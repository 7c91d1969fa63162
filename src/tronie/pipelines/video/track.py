"""Faces followed from frame to frame: landmarks from the frame before, the detector now and then and on loss.

A track is broken rather than risked: at a cut, when a face is hidden by another, or when what is seen in its place no
longer looks like a moment ago. Tracks of one person are put together by `tronie.pipelines.video.reidentify`, which
looks at faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from tronie.arrays import Array, Image
from tronie.io.video.clip import Frame
from tronie.pipelines.video.observation import Seen, center_of, disagreement, overlap, same_face, see, small_grey
from tronie.settings import DetectSettings
from tronie.stages.detect.detector import areas, intersections
from tronie.stages.detect.search import detect_faces
from tronie.stages.landmarks.net import square_from_detection, square_from_landmarks
from tronie.types import Detection

if TYPE_CHECKING:
    from tronie.stages.detect.detector import Detector
    from tronie.stages.landmarks.net import LandmarkNet

LEAST_PRESENCE = 0.5
"""Below this a face counts as lost in a frame; 0.9 and more is usual, 0.1 where there is none."""
STRANGE = 0.35
"""Correlation of a face's small picture with the frame before's below which it is somebody else (usual: above 0.9)."""
SAME = 0.3
"""Share of the smaller of a detection's and a track's box above which both may mean one face."""
TOUCHING = 0.08
"""Overlap of two faces' boxes above which their landmarks are doubtful."""
MOMENTUM = 0.7
"""Share of the last step that a face is expected to go on."""
RETRY = 3
"""Frames between two searches where a face was lost."""
THOROUGH = 2
"""Of the regular searches every so manyth looks for the smallest faces too; the others for ones of half the size of
those that are followed and more: 8 ms instead of 50."""
AGREE = 0.16
"""Mean distance between the detector's five points and the same landmarks, in sizes of the face, up to which both mean
one face: 0.03 to 0.07 is usual, 0.3 and more where landmarks lie across two faces."""
NEAR, WARY_SECONDS = 1.6, 1.5
"""A face so near (in sizes) to where another was lost may have caught its landmarks: it is watched for so long."""
CUT = 0.5
"""Mean change of the small grey picture of the frame (its mean and spread made alike) that may be a cut."""
SEARCH_SIDE = 640
"""Longest side of the picture that the detector sees, pixels: 32 ms, where all of a 720p frame takes 290."""


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
    _searches: int = 0
    _count: int = 0
    _small: Array | None = None

    def step(self, frame: Frame) -> list[Seen]:
        """The faces of the next frame; those of a track are in the order of the tracks."""
        before = {track.number for track in self._tracks}
        image, self._count = frame.image, self._count + 1
        small = small_grey(image)
        self.cut = self._small is not None and float(np.abs(small - self._small).mean()) > CUT
        self._small = small
        if self.cut:
            # Another face may be in the same place; aligned faces look too much alike to tell at a glance.
            self._tracks = []
        seen, lost = self._followed(frame)
        wary = any(track.wary >= frame.time for track in self._tracks)
        since = None if self._searched is None else self._count - self._searched
        if since is None or self.cut or since >= self.every or ((lost or wary) and since >= RETRY):
            regular = since is None or self.cut or since >= self.every
            self._searches += regular
            found = self._search(frame.image, thorough=regular and self._searches % THOROUGH == 1 % THOROUGH)
            seen = self._checked(frame, seen, found)
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
            track, center = self._track(one.track), center_of(one.landmarks.points)
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
            one = see(track.number, frame, square, found, track.look)
            if found.presence >= LEAST_PRESENCE and one.alike >= STRANGE and one.inside > 0.4:
                seen.append(one)
        return seen, len(seen) < len(self._tracks)

    def _search(self, image: Image, *, thorough: bool) -> tuple[Detection, ...]:
        sizes = [float(np.ptp(track.points[:, :2], axis=0).min()) for track in self._tracks]
        least = 0.0 if thorough or not sizes else min(sizes) / 2
        return faces_in(image, self.settings, self.detector, self.search_side, least)

    def _checked(self, frame: Frame, seen: Sequence[Seen], found: Sequence[Detection]) -> list[Seen]:
        """What the detector says of the whole picture: faces that are followed are confirmed or, where their landmarks
        lie across what it finds, given up; what is left are new tracks."""
        apart = np.array([[disagreement(one, d) for d in found] for one in seen]).reshape(len(seen), len(found))
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
            one = see(self._numbers, frame, square, marks, None)
            if marks.presence >= LEAST_PRESENCE and one.inside > 0.5:
                self._tracks.append(
                    _Track(self._numbers, marks.points, one.look, center_of(marks.points), checked=self._count)
                )
                self._numbers += 1
                kept.append(one)
        return kept

    def _settled(self, seen: list[Seen]) -> list[Seen]:
        """Of two tracks that hold one face the likelier one; and how much the faces overlap."""
        tracks = {track.number: track for track in self._tracks}
        order = sorted(seen, key=lambda s: _doubt(s, tracks[s.track]))
        kept: list[Seen] = []
        for one in order:
            if not any(overlap(one, other) > 0.5 or same_face(one, other) for other in kept):
                kept.append(one)
        out = []
        for one in sorted(kept, key=lambda s: s.track):
            most = max((overlap(one, other) for other in kept if other is not one), default=0.0)
            out.append(replace(one, overlap=most))
        return out

    def _move(self, track: _Track, seen: Seen) -> None:
        center = center_of(seen.landmarks.points)
        step = center - track.center
        # A jump says little of where the face goes on to.
        track.velocity = step if track.frames and np.linalg.norm(step) < 0.5 * seen.size else np.zeros(2)
        track.center, track.points, track.look = center, seen.landmarks.points, seen.look
        track.frames += 1


def _doubt(seen: Seen, track: _Track) -> float:
    """How unlikely it is that this is the track's face: it changed its look, or left its way."""
    expected = track.center + track.velocity
    way = float(np.linalg.norm(center_of(seen.landmarks.points) - expected)) / seen.size if track.frames else 0.5
    return (1 - seen.alike) + way + (1 - seen.landmarks.presence)


def assign(cost: Array, limit: float = np.inf) -> list[tuple[int, int]]:
    """(n, m) costs -> pairs (row, column), each row and column at most once, of the least total; sorted by row.

    As many pairs as the shorter side has, less those that cost `limit` or more (a pair that is forbidden costs inf).
    Shortest augmenting paths with potentials (Jonker & Volgenant 1987), O(n^2 m).
    """
    cost = np.asarray(cost, dtype=np.float64)
    if not cost.size:
        return []
    if cost.shape[0] > cost.shape[1]:
        return sorted((row, column) for column, row in assign(cost.T, limit))
    n, m = cost.shape
    ceiling = float(limit) if np.isfinite(limit) else 1e6 + 10 * float(np.abs(cost[np.isfinite(cost)]).max(initial=0.0))
    # A pair beyond the limit costs as much as no pair at all: then the others are not bent to avoid it.
    bounded = np.minimum(np.where(np.isnan(cost), np.inf, cost), ceiling)
    u, v = np.zeros(n + 1), np.zeros(m + 1)
    owner = np.zeros(m + 1, dtype=np.intp)  # row (from 1) that has each column (from 1); column 0 is the row at hand
    for row in range(1, n + 1):
        owner[0], column = row, 0
        least, came = np.full(m + 1, np.inf), np.zeros(m + 1, dtype=np.intp)
        done = np.zeros(m + 1, dtype=bool)
        while True:
            done[column] = True
            i = owner[column]
            reduced = bounded[i - 1] - u[i] - v[1:]
            better = ~done[1:] & (reduced < least[1:])
            least[1:][better] = reduced[better]
            came[1:][better] = column
            free = np.flatnonzero(~done[1:]) + 1
            following = int(free[least[free].argmin()])
            delta = least[following]
            u[owner[done]] += delta
            v[done] -= delta
            least[~done] -= delta
            column = following
            if owner[column] == 0:
                break
        while column:
            owner[column] = owner[came[column]]
            column = int(came[column])
    pairs = ((int(owner[j]) - 1, j - 1) for j in range(1, m + 1) if owner[j])
    return sorted((i, j) for i, j in pairs if cost[i, j] < ceiling)


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
