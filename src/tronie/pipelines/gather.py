"""Which of several pictures of a person show what: one the most of the face, others teeth, shut lids, irises.

The light of each is brought to that of the first, so that what they show fits together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tronie.arrays import Image
from tronie.pipelines.shot import CRISP, Shot
from tronie.stages.face_parts import (
    FaceLight,
    in_light_of,
    light_of,
    shows_eyes,
    shows_lids,
    shows_teeth,
    skin_of,
    uncovered,
)
from tronie.stages.quality import face_mask, sharpness
from tronie.types import Face, Landmarks, Photo

TEETH = 3
"""Pictures, at most, that are asked for the colour of teeth."""
LEAST = {"teeth": 0.15, "lids": 0.2, "eyes": 0.2}
"""What a picture must be worth, of what it could be, for each part."""
RATHER = 1.25
"""How much better than the first picture's own another one's irises must be."""
SIZE = {"teeth": 96.0, "lids": 200.0, "eyes": 300.0}
"""Pixels of a face beyond which more are of no more use for that part."""
COVERED = 0.04
"""Share of a face with something before it beyond which another picture is preferred."""
DOUBT, DOUBTFUL = 0.25, 0.25
"""A doubt whether mouth or eyes are covered counts from the first on, as so much of the face at most."""
INNER = 0.9
"""Of the face's oval that is looked at for that: its rim is unsure."""
AROUND = 0.3
"""How far beyond the landmarks, of their size, a picture is kept."""


@dataclass(frozen=True, eq=False)
class Gathered:
    """What is taken from other pictures than the first."""

    teeth: tuple[tuple[Photo, Landmarks], ...] = ()
    """Those that may show their colour, the best first, in the first one's light."""
    eyes: tuple[Photo, Landmarks] | None = None
    """Likewise one whose irises are seen better."""
    lids: int | None = None
    """Row of the one whose eyes are shut."""

    def views(self, painted: Sequence[int]) -> tuple[int, ...]:
        """Rows of all that a texture is made of, those first of which more than lids are taken."""
        return (*painted, *([] if self.lids is None or self.lids in painted else [self.lids]))


def lights(shots: Sequence[Shot]) -> list[float]:
    """0..1 for each: how well its light stands for the person's usual one."""
    seen = [_seen(shot.face) for shot in shots]
    levels = [FaceLight() if one is None else light_of(one[0], one[1].points) for one in seen]
    usual = float(np.median([light.level for light in levels])) if levels else None
    return [light.like(usual) for light in levels]


def gathered(shots: Sequence[Shot], main: int) -> Gathered:
    """The main one's row leads to the light that all is brought to."""
    lit = lights(shots)

    def order(part: str) -> list[int]:
        worth = [_worth(shot.face, part) * light**0.5 for shot, light in zip(shots, lit, strict=True)]
        first = worth[main] * (RATHER if part == "eyes" else 1)
        enough = [k for k in range(len(shots)) if worth[k] >= LEAST[part] and (k == main or worth[k] > first)]
        return sorted(enough, key=lambda k: (-worth[k], k))

    teeth, lids, eyes = (order(part) for part in ("teeth", "lids", "eyes"))
    face = shots[main].face
    assert face.landmarks is not None
    skin = skin_of(shots[main].load().image, face.landmarks.points)

    def lent(k: int) -> tuple[Photo, Landmarks]:
        photo, marks = _around(shots[k])
        return in_light_of(photo, marks, skin), marks

    # Super-resolution has put detail into the eyes of an enhanced face.
    own_eyes = not eyes or eyes[0] == main or face.enhanced is not None
    return Gathered(
        tuple(lent(k) for k in teeth[:TEETH] if k != main),
        None if own_eyes else lent(eyes[0]),
        lids[0] if lids and lids[0] != main else None,
    )


def covered(face: Face) -> float:
    """0 to about 1: share of a segmented face that something else is before; hair, beards and glasses are its own. A
    hand in motion may pass for a face there, so doubts about the landmarks count as well."""
    found, marks = face.segmentation, face.landmarks
    if marks is None:
        return 0.0
    doubt = DOUBTFUL * max(1 - uncovered(marks, "mouth", "eye_left", "eye_right") - DOUBT, 0)
    if found is None:
        return doubt
    points = found.to_photo.inverse().apply(marks.points[:, :2])
    middle = points[:468].mean(axis=0)
    inside = face_mask(middle + INNER * (points - middle), found.shares.shape[1], mouth=False, eyes=False)
    own = found.share("face", "hair", "facial_hair", "glasses")
    return doubt + float((own[inside] < 0.5).mean()) if inside.any() else doubt


def _seen(face: Face) -> tuple[Image, Landmarks] | None:
    """The face's crop, which stays in memory, and the landmarks in its pixels."""
    crop, marks = face.crop, face.landmarks
    if crop is None or marks is None:
        return None
    there = crop.to_photo.inverse()
    points = np.column_stack([there.apply(marks.points[:, :2]), marks.points[:, 2] * there.scale])
    return crop.image, replace(marks, points=points, mirrored=None)


def _worth(face: Face, part: str) -> float:
    """0 to about 1: how well a photo shows the part, whatever its light."""
    seen = _seen(face)
    if seen is None or face.fit is None:
        return 0.0
    turned = np.radians([face.fit.diagnostics["yaw"], face.fit.diagnostics["pitch"]])
    fine = min(face.detection.size / SIZE[part], 1.0) * float(np.clip(sharpness(seen[0]) / CRISP, 0.3, 1.2))
    shown = shows_teeth(*seen) if part == "teeth" else (shows_lids if part == "lids" else shows_eyes)(seen[1])
    return float(np.clip(np.cos(turned), 0, 1).prod()) * fine * shown


def _around(shot: Shot) -> tuple[Photo, Landmarks]:
    """The part of a photo with the face, and the landmarks in its pixels."""
    photo, marks = shot.load(), shot.face.landmarks
    assert marks is not None
    low, high = marks.points[:, :2].min(axis=0), marks.points[:, :2].max(axis=0)
    rim = AROUND * float((high - low).max())
    height, width = photo.image.shape[:2]
    x0, y0 = np.clip(np.floor(low - rim), 0, [width - 1, height - 1]).astype(int)
    x1, y1 = np.clip(np.ceil(high + rim), [x0 + 1, y0 + 1], [width, height]).astype(int)
    points = marks.points - np.array([x0, y0, 0.0])
    return replace(photo, image=photo.image[y0:y1, x0:x1]), replace(marks, points=points, mirrored=None)
