"""The best few frames of every track: sharp, large, clear, from several sides. Texture, portrait and identity come from
them."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import Similarity
from tronie.head.arkit import ARKIT_UNITS
from tronie.pipelines.video.observation import Seen
from tronie.raster.compositing import sampled
from tronie.stages.landmarks.net import LandmarkNet
from tronie.stages.landmarks.squares import cut, sized
from tronie.stages.quality import sharpness
from tronie.types import Landmarks, Photo

YAWS = (-35.0, -12.0, 12.0, 35.0)
"""Degrees between the five sides from which a face is kept."""
PER_SIDE = 2
APART = 8
"""Frames between two that are kept: neighbours show the same."""
BETTER = 1.05
"""How much better a frame must be to take another's place: each costs a pass of the landmark net and a file."""
SIDE = 112
"""Of the picture in which sharpness is looked at, pixels."""
QUIET = [ARKIT_UNITS.index(n) for n in ("eyeBlinkLeft", "eyeBlinkRight", "jawOpen", "mouthFunnel", "mouthPucker")]
"""Units that a good picture has little of: open eyes, a mouth at rest."""
SMILE, SMILING = [ARKIT_UNITS.index(n) for n in ("mouthSmileLeft", "mouthSmileRight")], 0.6
"""A smile is worse for a texture than none, but better than an open mouth: so much of it counts."""
LIPS, BROW_TO_CHIN, WIDE_OPEN = (13, 14), (10, 152), 0.08
"""The lips' inner edges and the ends of the face among the landmarks, and the share of its height that they are apart
in a laugh: the net's jawOpen says little of one that shows the teeth."""
CHEEKS, INNER_LIPS = (50, 280), ((81, 82, 13, 312, 311), (178, 87, 14, 317, 402))
"""Landmarks in the cheeks, and along the upper and the lower lip's inner edge."""
CROWD = 0.3
"""How much a frame is worth in which another face is near."""
DRAGGED = 12
"""Frames before faces met in which the landmarks may have been drawn away already."""
JPEG = 97
"""Quality of the frames kept on disk."""


@dataclass(frozen=True, slots=True, eq=False)
class Keyframe:
    """A frame that is kept."""

    track: int
    frame: int
    time: float
    path: Path
    """The whole frame, as JPEG."""
    landmarks: Landmarks
    """With the mirror image's second opinion."""
    box: tuple[float, float, float, float]
    quality: float
    sharpness: float
    side: int
    """Of YAWS."""
    clear: bool
    """Whether no other face was near."""

    def photo(self, name: str, source: str) -> Photo:
        """The frame as a photo."""
        import cv2

        picture = cv2.imread(str(self.path), cv2.IMREAD_COLOR)
        assert picture is not None  # it was written by `offer`
        return Photo(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8), name=name, source=source)


class Keyframes:
    """Chooses while the clip is read."""

    def __init__(self, folder: Path, net: LandmarkNet) -> None:
        self._folder, self._net = folder, net
        self.of_track: dict[int, list[Keyframe]] = {}
        self._mouths: dict[int, Keyframe] = {}

    def offer(self, image: Image, seen: Seen) -> None:
        """Keep the frame if it is among the best of the face's track and side, or shows its teeth best."""
        if seen.confidence < 0.6 or seen.inside < 0.98 or not seen.sure:
            return
        self._offer_mouth(image, seen)
        kept = self.of_track.setdefault(seen.track, [])
        side = side_of(yaw_of(seen.landmarks.points))
        here = [shot for shot in kept if shot.side == side]
        near = [shot for shot in here if abs(shot.frame - seen.frame) < APART]
        worst = min(near or here, key=lambda s: s.quality, default=None)
        full = bool(near) or len(here) >= PER_SIDE
        best_possible = _quality(seen, 1.0, image)
        if full and worst is not None and best_possible < BETTER * worst.quality:
            return
        sharp = sharpness_of(image, seen.square)
        quality = _quality(seen, min(sharp / 0.1, 1.0), image)
        if full and worst is not None:
            if quality < BETTER * worst.quality:
                return
            kept.remove(worst)
            worst.path.unlink(missing_ok=True)
        path = self._folder / f"{seen.track}-{seen.frame}.jpg"
        _keep(image, path)
        found = self._net.look(image, seen.square)
        landmarks = replace(seen.landmarks, mirrored=found.mirrored, doubts=found.doubts)
        kept.append(
            Keyframe(seen.track, seen.frame, seen.time, path, landmarks, seen.box, quality, sharp, side, seen.clear)
        )

    def _offer_mouth(self, image: Image, seen: Seen) -> None:
        """The quiet mouths of the best frames hide the teeth; one frame of each track shows them."""
        share = parted(seen.landmarks)
        if share < 0.3 or not seen.clear:
            return
        kept = self._mouths.get(seen.track)
        worth = min(seen.size / 256.0, 1.5) * seen.confidence * share
        if kept is not None and worth < BETTER * kept.quality:
            return
        worth *= light_between(image, seen.landmarks)
        if worth <= 0 or (kept is not None and worth < BETTER * kept.quality):
            return
        if kept is not None:
            kept.path.unlink(missing_ok=True)
        path = self._folder / f"{seen.track}-{seen.frame}-mouth.jpg"
        _keep(image, path)
        side = side_of(yaw_of(seen.landmarks.points))
        self._mouths[seen.track] = Keyframe(
            seen.track, seen.frame, seen.time, path, seen.landmarks, seen.box, worth, 0.0, side, seen.clear
        )

    def mouth(self, tracks: Sequence[int]) -> Keyframe | None:
        """Of some tracks, the frame that shows the teeth best; None where all mouths are shut."""
        found = [self._mouths[track] for track in tracks if track in self._mouths]
        return max(found, key=lambda shot: (shot.quality, -shot.frame), default=None)

    def forget(self, track: int, since: int) -> None:
        """Give up a track's frames from number `since` on: its landmarks were on their way to another face."""
        kept = self.of_track.get(track, [])
        mouth = self._mouths.get(track)
        if mouth is not None and mouth.frame >= since:
            self._mouths.pop(track).path.unlink(missing_ok=True)
        for shot in [s for s in kept if s.frame >= since]:
            kept.remove(shot)
            shot.path.unlink(missing_ok=True)

    def copy(self) -> Keyframes:
        """The same frames, whose tracks can be split without a change here."""
        other = copy(self)
        other.of_track = {track: list(kept) for track, kept in self.of_track.items()}
        other._mouths = dict(self._mouths)
        return other

    def split(self, track: int, new: int, frame: int) -> None:
        """What a track has from a frame on belongs to another one."""
        kept = self.of_track.get(track, [])
        self.of_track[track] = [shot for shot in kept if shot.frame < frame]
        self.of_track[new] = [replace(shot, track=new) for shot in kept if shot.frame >= frame]
        if (mouth := self._mouths.get(track)) is not None and mouth.frame >= frame:
            self._mouths[new] = replace(self._mouths.pop(track), track=new)

    def best(self, tracks: list[int], count: int) -> list[Keyframe]:
        """Of some tracks, the best first; every side's best before any side's second, and those in a crowd last."""
        pool = sorted((s for t in tracks for s in self.of_track.get(t, ())), key=lambda s: (not s.clear, -s.quality))
        taken: dict[int, int] = {}
        ranked = []
        for shot in pool:
            taken[shot.side] = taken.get(shot.side, 0) + 1
            ranked.append((not shot.clear, taken[shot.side], -shot.quality, shot.frame, shot))
        return [shot for *_, shot in sorted(ranked, key=lambda r: r[:4])][:count]


def yaw_of(points: Array) -> float:
    """Degrees, roughly: from where the tip of the nose lies between the ends of the face."""
    left, right, nose = points[454, :2], points[234, :2], points[1, :2]
    across = left - right
    share = float((nose - right) @ across / max(float(across @ across), 1e-9))
    return float(np.degrees(np.arcsin(np.clip(2 * share - 1, -1, 1)))) * 0.75


def side_of(yaw: float) -> int:
    return int(np.searchsorted(YAWS, yaw))


def sharpness_of(image: Image, square: Similarity) -> float:
    """Of the face in a frame, at the frame's own resolution as far as SIDE pixels show it."""
    side = int(np.clip(square.scale, 32, SIDE))
    inner = Similarity(square.a, square.b, *square.apply([0.25, 0.25]))
    half = Similarity(inner.a / 2, inner.b / 2, inner.tx, inner.ty)
    return sharpness(cut(image, sized(half, side), side))


def _quality(seen: Seen, sharp: float, image: Image) -> float:
    """Larger is better."""
    ahead = float(np.cos(np.radians(min(abs(yaw_of(seen.landmarks.points)), 70.0))))
    quiet = 1 - 0.5 * unrest(seen.landmarks)
    crowd = 1.0 if seen.clear else CROWD
    size = min(seen.size / 256.0, 1.5)
    return crowd * whole(seen.box, image) * seen.confidence * size * (0.35 + 0.65 * sharp) * quiet * ahead


def unrest(landmarks: Landmarks) -> float:
    """0..1: how far the eyes are from open and the mouth from its rest."""
    scores = landmarks.scores
    return max(float(scores[QUIET].max()), SMILING * float(scores[SMILE].max()), parted(landmarks))


def parted(landmarks: Landmarks) -> float:
    """0..1: how far the lips are apart, 1 as in a laugh."""
    points = landmarks.points[:, :2]
    apart, high = (float(np.linalg.norm(points[a] - points[b])) for a, b in (LIPS, BROW_TO_CHIN))
    return min(apart / max(WIDE_OPEN * high, 1e-6), 1.0)


def light_between(image: Image, landmarks: Landmarks) -> float:
    """0..1: how light it is between the lips beside the cheeks: teeth are, an open throat is not."""
    cheeks = sampled(image, landmarks.points[list(CHEEKS), :2]).mean()
    upper, lower = (landmarks.points[list(line), :2] for line in INNER_LIPS)
    steps = np.linspace(0.15, 0.85, 7)[:, None, None]
    between = sampled(image, ((1 - steps) * upper + steps * lower).reshape(-1, 2)).mean(axis=-1)
    return float(np.clip(np.quantile(between, 0.75) / max(float(cheeks), 1.0), 0, 1)) ** 2


def whole(box: tuple[float, float, float, float], image: Image) -> float:
    """0..1: share of the head, not only the face, that lies inside the frame."""
    x0, y0, x1, y1 = box
    wide, high = x1 - x0, y1 - y0
    left, top, right, bottom = x0 - 0.25 * wide, y0 - 0.4 * high, x1 + 0.25 * wide, y1 + 0.15 * high
    height, width = image.shape[:2]
    across = max(min(right, width) - max(left, 0), 0) / max(right - left, 1e-6)
    down = max(min(bottom, height) - max(top, 0), 0) / max(bottom - top, 1e-6)
    return float(across * down)


def _keep(image: Image, path: Path) -> None:
    from tronie.io.encode import jpeg

    path.write_bytes(jpeg(image, JPEG, full_color=True))
