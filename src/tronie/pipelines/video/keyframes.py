"""The best few frames of every track: sharp, large, clear, in the usual light, from several sides and from every
stretch of time; and those that show what most do not: teeth, shut lids, irises. Texture, portrait and identity come
from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from tronie.arrays import Image
from tronie.pipelines.video.frame_quality import PARTS, free, parts, quality, sharpness_of, side_of, yaw_of
from tronie.pipelines.video.observation import Seen
from tronie.stages.face_parts import LEAST_LIKE, FaceLight, UsualLight
from tronie.stages.landmarks.net import LandmarkNet
from tronie.types import Landmarks, Photo

PER_SIDE = 2
APART = 8
"""Frames between two that are kept: neighbours show the same."""
BETTER = 1.05
"""How much better a frame must be to take another's place: each costs a file, and may cost a pass of the landmark
net."""
STRETCH_SECONDS, STRETCHES = 1.0, 16
"""Of every stretch of time of a track a frame is kept, so that it can be cut in two: a second, or as much longer as it
takes for no more than so many."""
MOST_BYTES, THINNED = 1 << 30, 0.75
"""Of all frames on disk, and what is left of that once it is reached: the second best of tracks go before the best."""
LEAST_PART = 0.15
"""What a part must be worth, of what it could be, for a frame to be kept for it alone."""
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
    """Those of the best frames with the mirror image's second opinion."""
    box: tuple[float, float, float, float]
    quality: float
    """Larger is better; that of a part says how well the frame shows it."""
    sharpness: float
    side: int
    """Of YAWS."""
    clear: bool
    """Whether no other face was near."""
    light: FaceLight = field(default_factory=FaceLight)

    def photo(self, name: str, source: str) -> Photo:
        """The frame as a photo."""
        import cv2

        picture = cv2.imread(str(self.path), cv2.IMREAD_COLOR)
        assert picture is not None  # it was written by `offer`
        return Photo(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8), name=name, source=source)


@dataclass(slots=True)
class _Track:
    """What is kept of a track."""

    first: float
    """Seconds."""
    shots: list[Keyframe] = field(default_factory=list)
    parts: dict[str, Keyframe] = field(default_factory=dict)
    """By PARTS."""
    usual: UsualLight = field(default_factory=UsualLight)

    def every(self) -> Iterator[Keyframe]:
        yield from self.shots
        yield from self.parts.values()


class Keyframes:
    """Chooses while the clip is read."""

    def __init__(self, folder: Path, net: LandmarkNet, most_bytes: int = MOST_BYTES) -> None:
        self._folder, self._net, self._most = folder, net, most_bytes
        self._tracks: dict[int, _Track] = {}
        self._bytes: dict[Path, int] = {}

    def offer(self, image: Image, seen: Seen) -> None:
        """Keep the frame if it is among the best of the face's track, of its side or its stretch of time, or shows a
        part best."""
        if seen.confidence < 0.6 or seen.inside < 0.98 or not seen.sure:
            return
        kept = self._tracks.setdefault(seen.track, _Track(seen.time))
        kept.usual.add(seen.light)
        shot = Keyframe(
            seen.track,
            seen.frame,
            seen.time,
            self._folder / f"{seen.track}-{seen.frame}.jpg",
            seen.landmarks,
            seen.box,
            quality(seen, image),
            1.0,
            side_of(yaw_of(seen.landmarks.points)),
            seen.clear,
            seen.light,
        )
        shown = {name: worth for name, worth in parts(image, seen) if _better(kept, name, worth, seen.light)}
        # Sharpness takes longer than all else: only what might be better is looked at.
        if not (wanted := _wanted(kept, shot)) and not shown:
            return
        sharp = sharpness_of(image, seen.square)
        fine = 0.35 + 0.65 * min(sharp / 0.1, 1.0)
        shot = replace(shot, quality=shot.quality * fine, sharpness=sharp)
        wanted = wanted and _wanted(kept, shot)
        shown = {name: w * fine for name, w in shown.items() if _better(kept, name, w * fine, seen.light)}
        if not wanted and not shown:
            return
        if wanted and _wanted(kept, shot, stretches=False):
            shot = self._seconded(image, seen, shot)
            if not (wanted := _wanted(kept, shot)) and not shown:
                return
        _keep(image, shot.path)
        self._bytes[shot.path] = shot.path.stat().st_size
        before = list(kept.every())
        if wanted:
            kept.shots = needed([*kept.shots, shot], kept.first, kept.usual.level)
        for name, worth in shown.items():
            kept.parts[name] = replace(shot, quality=worth)
        self._forget(before, kept)
        if sum(self._bytes.values()) > self._most:
            self._thin()

    def _seconded(self, image: Image, seen: Seen, shot: Keyframe) -> Keyframe:
        """With the mirror image's second opinion, also of what may cover the face."""
        found = self._net.look(image, seen.square)
        marks = replace(seen.landmarks, mirrored=found.mirrored, doubts=found.doubts)
        sure = min(free(marks) / max(free(seen.landmarks), 1e-6), 1.0)
        return replace(shot, landmarks=marks, quality=shot.quality * sure)

    def _forget(self, before: Sequence[Keyframe], kept: _Track) -> None:
        """Remove the files of those that a track no longer has."""
        left = {shot.path for shot in kept.every()}
        for path in {shot.path for shot in before} - left:
            path.unlink(missing_ok=True)
            self._bytes.pop(path, None)

    def _thin(self) -> None:
        """Make room: the best frames of all tracks stay, then their second best, and so on."""
        ranked = []
        for number, kept in self._tracks.items():
            own = {shot.path: shot for shot in [*kept.parts.values(), *self.best([number], len(kept.shots))]}
            order = [shot.path for shot in self.best([number], len(kept.shots))]
            order += [path for path in own if path not in order]
            ranked += [(rank, -own[path].quality, str(path), path) for rank, path in enumerate(order)]
        room, stay = THINNED * self._most, set()
        for *_, path in sorted(ranked):
            room -= self._bytes[path]
            if room < 0:
                break
            stay.add(path)
        for kept in self._tracks.values():
            before = list(kept.every())
            kept.shots = [shot for shot in kept.shots if shot.path in stay]
            kept.parts = {name: shot for name, shot in kept.parts.items() if shot.path in stay}
            self._forget(before, kept)

    def forget(self, track: int, since: int) -> None:
        """Give up a track's frames from number `since` on: its landmarks were on their way to another face."""
        if (kept := self._tracks.get(track)) is not None:
            before = list(kept.every())
            kept.shots = [shot for shot in kept.shots if shot.frame < since]
            kept.parts = {name: shot for name, shot in kept.parts.items() if shot.frame < since}
            self._forget(before, kept)

    def copy(self) -> Keyframes:
        """The same frames, whose tracks can be split without a change here."""
        other = copy(self)
        other._tracks = {
            number: replace(kept, shots=list(kept.shots), parts=dict(kept.parts))
            for number, kept in self._tracks.items()
        }
        return other

    def split(self, track: int, new: int, frame: int) -> None:
        """What a track has from a frame on belongs to another one."""
        if (kept := self._tracks.get(track)) is None:
            return
        late = [replace(shot, track=new) for shot in kept.shots if shot.frame >= frame]
        parts = {name: replace(shot, track=new) for name, shot in kept.parts.items() if shot.frame >= frame}
        self._tracks[new] = replace(kept, shots=late, parts=parts)
        kept.shots = [shot for shot in kept.shots if shot.frame < frame]
        kept.parts = {name: shot for name, shot in kept.parts.items() if shot.frame < frame}

    def best(self, tracks: Sequence[int], count: int) -> list[Keyframe]:
        """Of some tracks, the best first; every side's best before any side's second, and those in a crowd last. Their
        quality is that in the usual light of all; where some are in it, those in quite another are left out."""
        usual, shots = self._usual(tracks), [shot for one in self._of(tracks) for shot in one.shots]
        shots = [s for s in shots if s.light.like(usual) >= LEAST_LIKE] or shots
        lit = [replace(s, quality=s.quality * s.light.like(usual)) for s in shots]
        pool = sorted(lit, key=lambda s: (not s.clear, -s.quality))
        taken: dict[int, int] = {}
        ranked = []
        for shot in pool:
            taken[shot.side] = taken.get(shot.side, 0) + 1
            ranked.append((not shot.clear, taken[shot.side], -shot.quality, shot.frame, shot))
        return [shot for *_, shot in sorted(ranked, key=lambda r: r[:4])][:count]

    def parts(self, tracks: Sequence[int]) -> Mapping[str, Keyframe]:
        """Of some tracks, the frame that shows each of PARTS best, where one does."""
        usual = self._usual(tracks)
        found: dict[str, Keyframe] = {}
        for name in PARTS:
            shots = [one.parts[name] for one in self._of(tracks) if name in one.parts]
            shots = [replace(s, quality=s.quality * s.light.like(usual)) for s in shots]
            if shots:
                found[name] = max(shots, key=lambda s: (s.quality, -s.frame))
        return found

    def _of(self, tracks: Sequence[int]) -> list[_Track]:
        return [self._tracks[track] for track in tracks if track in self._tracks]

    def _usual(self, tracks: Sequence[int]) -> float | None:
        return UsualLight.of(one.usual for one in self._of(tracks)).level


def needed(shots: Sequence[Keyframe], first: float, usual: float | None, stretches: bool = True) -> list[Keyframe]:
    """Of a track's frames those to keep: the best ones of every side that are no neighbours, and with `stretches` the
    best of every stretch of time since it began, at `first` seconds."""
    worth = {id(shot): shot.quality * shot.light.like(usual) for shot in shots}
    order = sorted(shots, key=lambda shot: (-worth[id(shot)], shot.frame))
    longest = max((shot.time for shot in shots), default=first) - first
    stretch = STRETCH_SECONDS
    while longest >= STRETCHES * stretch:
        stretch *= 2
    kept: list[Keyframe] = []
    covered: set[int] = set()
    for shot in order:
        here = [other for other in kept if other.side == shot.side]
        apart = all(abs(other.frame - shot.frame) >= APART for other in here)
        number = int((shot.time - first) / stretch)
        if (apart and len(here) < PER_SIDE) or (stretches and number not in covered):
            kept.append(shot)
            covered.add(number)
    return kept


def _wanted(kept: _Track, shot: Keyframe, stretches: bool = True) -> bool:
    """Whether a frame is so much better than those that it would be kept for."""
    worse = replace(shot, quality=shot.quality / BETTER)
    return worse in needed([*kept.shots, worse], kept.first, kept.usual.level, stretches)


def _better(kept: _Track, name: str, worth: float, light: FaceLight) -> bool:
    """Whether a frame shows a part so much better than the one that is kept for it."""
    other, usual = kept.parts.get(name), kept.usual.level
    least = LEAST_PART if other is None else BETTER * other.quality * other.light.like(usual)
    return worth * light.like(usual) > least


def _keep(image: Image, path: Path) -> None:
    from tronie.io.encode import jpeg

    path.write_bytes(jpeg(image, JPEG, full_color=True))
