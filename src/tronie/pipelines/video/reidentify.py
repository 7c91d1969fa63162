"""Which tracks are the same person: by the recogniser, or where it saw nothing of a face by that face's shape and
colour, and by where and when they were seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tronie.arrays import Array
from tronie.head.model import HeadModel
from tronie.pipelines.video.observation import Seen
from tronie.pipelines.video.track import TOUCHING
from tronie.stages.face_parts import LEAST_LIKE, UsualLight
from tronie.stages.fit.basis import landmark_basis, weak_perspective
from tronie.stages.fit.regressor import Calibration
from tronie.stages.landmarks import recognizer
from tronie.types import Landmarks

SHAPE_NOISE, SHAPE_FLOOR = 1.75, 0.75
"""Distance between what the calibration says of one person in two frames (median 2.4, over turns of 30 degrees and
lights of 0.6 to 1.2) is about SHAPE_NOISE times the root of 2, and does not fall below SHAPE_FLOOR times it, however
many frames are averaged. Of different people: 3.9 a frame, 3.3 for means of five."""
SHAPE_LIMIT = 1.55
"""A distance beyond so many times what noise explains is another person."""
TINT_NOISE = 0.09
"""Likewise of the logarithm of the skin's colour ratios."""
RECOGNISED, STRANGER = 0.5, 0.62
"""Distances of the recogniser: below the first it is the same person, above the second it is not."""
GAP_SECONDS, GAP_SIZES = 1.0, 0.6
"""A face that appears so soon, and within so many of its sizes of where another was lost, is likely that one."""
LIMIT = 1.0
"""Cost below which two tracks are one person."""
ENOUGH, SELDOM = 30, 6
"""After so many looks only every so many frames are looked at: neighbours say the same, and each takes 1 ms."""
LEAST_FRAMES = 3
"""A track of fewer frames says nothing of a face."""


@dataclass(slots=True)
class Trait:
    """What is known of one track, summed up while it goes on; of constant size."""

    track: int
    first: float
    """Seconds."""
    last: float
    start: tuple[Array, float]
    """Centre and size of the box where it began, and"""
    end: tuple[Array, float]
    """where it ended."""
    shape: Array | None = None
    """(K,) sum of the calibration's answers."""
    weight: float = 0.0
    tint: Array = field(default_factory=lambda: np.zeros(2))
    looks: int = 0
    """Frames that say something of the face."""
    frames: int = 0
    crowded: bool = False
    """Whether other faces were near."""
    embedding: Array | None = None
    """(128,) sum of the recogniser's answers."""
    recognised: float = 0.0
    """The weight of what is summed up there."""
    usual: UsualLight = field(default_factory=UsualLight)

    @property
    def mean_shape(self) -> Array | None:
        return None if self.shape is None or self.weight <= 0 else self.shape / self.weight

    @property
    def mean_embedding(self) -> Array | None:
        return None if self.embedding is None or self.recognised <= 0 else self.embedding / self.recognised


class Traits:
    """Of all tracks. What the recogniser says counts only where faces are to be `recognised`."""

    def __init__(
        self, model: HeadModel, calibration: Calibration | None, focal: float, *, recognised: bool = True
    ) -> None:
        self._model, self._calibration, self._focal, self._recognised = model, calibration, focal, recognised
        self.of_track: dict[int, Trait] = {}

    def add(self, seen: Seen) -> None:
        x0, y0, x1, y1 = seen.box
        place = np.array([x0 + x1, y0 + y1]) / 2, seen.size
        trait = self.of_track.get(seen.track)
        if trait is None:
            trait = self.of_track[seen.track] = Trait(seen.track, seen.time, seen.time, place, place)
        trait.last, trait.end = seen.time, place
        trait.crowded = trait.crowded or not seen.sure or seen.overlap > TOUCHING
        trait.frames += 1
        trait.usual.add(seen.light)
        if seen.light.like(trait.usual.level) < LEAST_LIKE:
            return  # a flash says nothing of whose face it is
        if seen.confidence < 0.6 or (trait.looks > ENOUGH and trait.frames % SELDOM):
            return
        trait.tint = trait.tint + tint(seen.look)
        trait.looks += 1
        weight = seen.confidence * min(seen.size / 80.0, 1.0)
        known = seen.landmarks.embedding
        if self._recognised and known is not None and seen.sure:
            trait.embedding = weight * known + (0.0 if trait.embedding is None else trait.embedding)
            trait.recognised += weight
        answer = self.shape(seen.landmarks)
        if answer is not None:
            trait.shape = weight * answer + (0.0 if trait.shape is None else trait.shape)
            trait.weight += weight

    def shape(self, landmarks: Landmarks) -> Array | None:
        """(K,) what the calibration says of the person in one frame."""
        if self._calibration is None or landmarks.features is None:
            return None
        try:
            aligned = weak_perspective(landmark_basis(self._model).mean, landmarks.points)
        except ValueError:
            return None
        return self._calibration.predict(aligned, landmarks.features, landmarks.scores, self._focal).identity


def tint(look: Array) -> Array:
    """(2,) logarithms of red to green and blue to green of the middle of a face, which the light's strength leaves."""
    side = len(look)
    middle = look[side // 4 : side - side // 4, side // 4 : side - side // 4].reshape(-1, 3)
    r, g, b = np.median((middle + 4.0) / 255.0, axis=0)
    return np.log([r / g, b / g])


def apart(a: Trait, b: Trait) -> bool:
    """Whether two tracks were never there at the same time; a track is not apart from itself."""
    return a.first > b.last or b.first > a.last


def difference(a: Trait, b: Trait) -> float:
    """How unlike two tracks are: below LIMIT one person; inf where they cannot be, for both are there at once."""
    if not apart(a, b):
        return float("inf")
    early, late = (a, b) if a.first < b.first else (b, a)
    gap = late.first - early.last
    far = float(np.linalg.norm(late.start[0] - early.end[0])) / max(early.end[1], late.start[1], 1e-6)
    grown = abs(float(np.log(late.start[1] / early.end[1])))
    here = gap <= GAP_SECONDS and far < GAP_SIZES * (1 + gap) and grown < 0.4
    known, same = a.mean_embedding, b.mean_embedding
    if known is not None and same is not None:
        near = float(recognizer.distance(known, same))
        return (near - RECOGNISED) / (STRANGER - RECOGNISED) * 0.4 + 0.8 - 0.15 * here
    one, other = a.mean_shape, b.mean_shape
    if one is None or other is None or min(a.looks, b.looks) < LEAST_FRAMES:
        # Where faces meet, landmarks jump: a few frames there say nothing of whose they are.
        return 0.8 if here and far < 0.35 and not (a.crowded or b.crowded) else 2.0
    # Frames of one track err alike: eight of them are worth two.
    noise = sum(SHAPE_FLOOR**2 + SHAPE_NOISE**2 / (1 + 0.15 * t.looks) for t in (a, b))
    shape = float(np.linalg.norm(one - other)) / (SHAPE_LIMIT * np.sqrt(noise))
    colour = float(np.linalg.norm(a.tint / a.looks - b.tint / b.looks)) / (2 * TINT_NOISE)
    # The colour of the light may change; the shape of a face does not.
    return float(shape * (0.92 + 0.08 * min(colour, 3.0)) - 0.12 * here)


def link(traits: Mapping[int, Trait]) -> list[list[int]]:
    """Tracks -> people: lists of tracks that are never there at the same time, merged by the least average difference
    first (agglomerative, average linkage), in the order in which the people appear."""
    order = sorted(traits, key=lambda t: (traits[t].first, t))
    people: list[list[int]] = [[t] for t in order]
    cost = np.full((len(order), len(order)), np.inf)
    for i, a in enumerate(order):
        for j in range(i):
            cost[i, j] = cost[j, i] = difference(traits[a], traits[order[j]])
    weight = np.array([traits[t].looks + 0.5 for t in order])
    while len(order) > 1:
        i, j = sorted(divmod(int(cost.argmin()), len(order)))
        if cost[i, j] >= LIMIT:
            break
        # inf stays inf: who is there together with one of them is neither.
        cost[i] = cost[:, i] = (weight[i] * cost[i] + weight[j] * cost[j]) / (weight[i] + weight[j])
        cost[i, i], cost[j], cost[:, j] = np.inf, np.inf, np.inf
        weight[i] += weight[j]
        people[i], people[j] = people[i] + people[j], []
    return [sorted(tracks, key=lambda t: traits[t].first) for tracks in people if tracks]
