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
from tronie.pipelines.video.assignment import assign
from tronie.pipelines.video.look_for import SEARCH_SIDE, face_at, faces_in, marked, middle
from tronie.pipelines.video.observation import Seen, center_of, disagreement, overlap, same_face, see, small_grey
from tronie.settings import DetectSettings
from tronie.stages.detect.detector import areas, intersections
from tronie.stages.finder import trusted
from tronie.stages.landmarks.net import square_from_detection, square_from_landmarks
from tronie.types import Detection

if TYPE_CHECKING:
    from tronie.stages.detect.detector import Detector
    from tronie.stages.finder import trusted
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
AGREE_WELL = 0.07
"""... up to which landmarks that the net doubts are taken as they are; beyond it looks again from elsewhere."""
NEAR, WARY_SECONDS = 1.6, 1.5
"""A face so near (in sizes) to where another was lost may have caught its landmarks: it is watched for so long."""
HELD_SECONDS = 1.5
"""A face that the detector goes on to see, but that no landmarks can be trusted of, is waited for so long."""
CUT, FLASH, LIT = 0.5, 0.7, 1.5
"""Mean change of the small grey picture of the frame (its mean and spread made alike) that may be a cut: three real
ones have 0.8 and more. Where the light changes by the factor LIT or more it has to be FLASH: what is burnt out in one
of two exposures makes up to 0.54."""
LIGHT_STEP = 16
"""Every so manyth pixel both ways is looked at to tell how light a frame is."""


@dataclass(slots=True)
class _Track:
    number: int
    points: Array
    look: Array | None
    """None where the face has been seen by the detector alone."""
    center: Array
    velocity: Array = field(default_factory=lambda: np.zeros(2))
    frames: int = 0
    wary: float = -1.0
    """Until this time, seconds, it is watched."""
    checked: int = -1
    """The count of the frame in which the detector last agreed."""
    held: float | None = None
    """Since when, seconds, only the detector sees it."""
    vouched: bool = False
    """Whether the net doubted it a frame ago."""


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
    _light: float = 0.0

    def step(self, frame: Frame) -> list[Seen]:
        """The faces of the next frame; those of a track are in the order of the tracks."""
        before = {track.number for track in self._tracks}
        image, self._count = frame.image, self._count + 1
        self.cut = self._cuts(image)
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
        self._watch(frame, [t for t in self._tracks if t.number not in kept and t.held is None], seen)
        self._tracks = [track for track in self._tracks if track.number in kept or track.held is not None]
        for one in seen:
            self._move(self._track(one.track), one)
        self.ended = sorted(before - {track.number for track in self._tracks})
        return [self._marked(s) for s in seen]

    def _cuts(self, image: Image) -> bool:
        """Whether the next frame begins a new shot."""
        small, light = small_grey(image), float(image[::LIGHT_STEP, ::LIGHT_STEP].mean()) + 1
        before, lit = self._small, max(light, self._light) > LIT * min(light, self._light)
        self._small, self._light = small, light
        return before is not None and float(np.abs(small - before).mean()) > (FLASH if lit else CUT)

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
        seen, doubted = [], []
        for track, square, found in zip(self._tracks, squares, self.net.follow(frame.image, squares), strict=True):
            one = see(track.number, frame, square, found, track.look)
            if found.presence >= LEAST_PRESENCE and one.alike >= STRANGE and one.inside > 0.4:
                seen.append(one)
                track.held = None
            elif found.presence < LEAST_PRESENCE:
                doubted.append((track, one))
        lost = len(seen) + len(doubted) < len(self._tracks)
        for track, one in doubted:
            if (again := self._vouched(frame, track, one, seen)) is not None:
                seen.append(again)
            lost = lost or (again is None and track.held is None)
        return sorted(seen, key=lambda s: s.track), lost

    def _vouched(self, frame: Frame, track: _Track, one: Seen, others: Sequence[Seen]) -> Seen | None:
        """A face that the net doubts, as in profile, where the detector goes on to see it: with landmarks that agree,
        or held for a while without any. Not what is another's face."""
        held, track.held = track.held, None
        if track.wary >= frame.time and not track.vouched:  # it may be hidden by the other
            return None
        expected = track.points[:, :2] + track.velocity
        found = face_at(frame.image, expected, self.settings, self.detector)
        if found is None or any(disagreement(other, found) < AGREE for other in others):
            return None
        track.checked = self._count
        again: Seen | None = one
        if disagreement(one, found) > AGREE_WELL or not trusted(found, one.landmarks):
            answer = marked(frame.image, found, self.net, [one.square])
            again = None if answer is None else see(track.number, frame, *answer, track.look)
        if again is not None and again.alike >= STRANGE and again.inside > 0.4:
            return replace(again, vouched=again.landmarks.presence < LEAST_PRESENCE)
        if track.wary >= frame.time or (held is not None and frame.time - held > HELD_SECONDS):
            return None
        track.held = frame.time if held is None else held
        shift = middle(found) - middle_of(track.points)
        track.points = track.points + np.append(shift, 0.0)
        track.center, track.velocity, track.look = track.center + shift, np.zeros(2), None
        return None

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
        return kept + self._fresh(frame, [d for k, d in enumerate(found) if k not in taken])

    def _fresh(self, frame: Frame, found: Sequence[Detection]) -> list[Seen]:
        """Faces that no track has: new ones, or those that were held."""
        squares = [square_from_detection(d) for d in found]
        squares = [square_from_landmarks(f.points) for f in self.net.follow(frame.image, squares)]
        out = []
        for detection, square, marks in zip(found, squares, self.net.follow(frame.image, squares), strict=True):
            held = next((t for t in self._tracks if t.held is not None and _on(detection, t.points)), None)
            if marks.presence < LEAST_PRESENCE:
                if held is not None:
                    continue
                answer = marked(frame.image, detection, self.net)
                if answer is None:
                    continue
                square, marks = answer
            one = see(self._numbers if held is None else held.number, frame, square, marks, None)
            if one.inside <= 0.5:
                continue
            if held is None:
                track = _Track(self._numbers, marks.points, one.look, center_of(marks.points), checked=self._count)
                self._tracks.append(track)
                self._numbers += 1
            else:
                held.held = None
            out.append(replace(one, vouched=marks.presence < LEAST_PRESENCE))
        return out

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
        track.vouched = seen.vouched
        track.frames += 1


def middle_of(points: Array) -> Array:
    """Of the box about landmarks."""
    return np.asarray((points[:, :2].min(axis=0) + points[:, :2].max(axis=0)) / 2)


def _on(found: Detection, points: Array) -> bool:
    """Whether a detection lies on landmarks."""
    box = np.array([[*points[:, :2].min(axis=0), *points[:, :2].max(axis=0)]])
    boxes = np.array([found.box])
    return bool(intersections(box, boxes)[0, 0] > SAME * min(areas(box)[0], areas(boxes)[0]))


def _doubt(seen: Seen, track: _Track) -> float:
    """How unlikely it is that this is the track's face: it changed its look, or left its way."""
    expected = track.center + track.velocity
    way = float(np.linalg.norm(center_of(seen.landmarks.points) - expected)) / seen.size if track.frames else 0.5
    return (1 - seen.alike) + way + (1 - seen.landmarks.presence)
