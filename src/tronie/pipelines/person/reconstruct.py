"""From several photos of one person to one head, one texture and one portrait."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tronie.errors import InputError
from tronie.geometry import Camera, transform
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import HeadModel
from tronie.io.inputs import Stamp, stamp
from tronie.settings import Settings, TextureSettings
from tronie.stages.fit.engine import make_head
from tronie.stages.fit.fusion import Look, evidence_of
from tronie.stages.fit.map_fit import BLINKS
from tronie.stages.fit.multiview import Joint, joint_fit
from tronie.stages.fit.regressor import Calibration
from tronie.stages.fit.teeth import with_teeth
from tronie.stages.fit.warp import on_photo
from tronie.stages.quality import face_warnings, sharpness
from tronie.stages.texture.fuse import Fused, Sight, fuse, shares, sight
from tronie.types import Face, Landmarks, Photo

POINTS = 40
"""Of the curve that tells how sure the shape is with more and more photos."""
PAINTED = 12
"""A texture is made of at most so many photos: the best ones of different poses."""
APART = 12.0
"""Degrees of yaw or pitch by which poses are different."""
CRISP = 0.05
"""Sharpness of a usual photo."""
DARK, BRIGHT = 90.0, 190.0
"""Mean grey values of a face's surroundings beyond which a photo is too dark or too light for a portrait."""
EXPRESSIVE = 0.7
"""How much less a photo with a wide expression suits the portrait."""


@dataclass(frozen=True, eq=False)
class Shot:
    """One photo of the person."""

    photo: Photo
    """Its image may be empty when there are too many to keep; `load` reads it again."""
    face: Face
    """With crop and landmarks."""
    camera: Camera
    stamp: Stamp = (None, None)
    """Of the file before it was read."""

    def load(self) -> Photo:
        """The photo with its image. Raises InputError when its file has gone or is another one now."""
        if self.photo.image.size:
            return self.photo
        from tronie.io.images import read_photo

        photo = read_photo(Path(self.photo.source))
        if stamp(self.photo.source) != self.stamp:
            raise InputError(f"{self.photo.source} changed while it was worked on; run this again.")
        return photo


@dataclass(frozen=True, eq=False)
class Many:
    """What came out."""

    shots: tuple[Shot, ...]
    """Each face with the person's head in the photo's pose and expression."""
    main: int
    """Row of the shot that suits the portrait best; its face has the texture and the portrait."""
    joint: Joint
    weights: tuple[float, ...]
    """How much each photo says about the shape; 1 on average, 0 for a copy of another."""
    curve: tuple[tuple[int, float, float], ...]
    """With the first 1, 2, ... photos: how many, median spread of the inner face in mm, and how many independent looks
    they are worth."""
    fused: Fused | None
    painted: tuple[int, ...]
    """Rows of the shots that the texture is made of; numbers in `Fused.source` count these, from 1."""

    @property
    def face(self) -> Face:
        return self.shots[self.main].face


def reconstruct_person(
    model: HeadModel,
    calibration: Calibration,
    shots: Sequence[Shot],
    settings: Settings,
    *,
    stopping: Callable[[], bool] = lambda: False,
) -> Many | None:
    """Raises ValueError when there is no shot, or none of whose landmarks form a face. None when it was stopped."""
    looks = [look_of(shot) for shot in shots]
    joint = joint_fit(model, calibration, looks, warp=settings.fit.warp)
    curve = []
    for count in some_of(len(shots)):
        person = evidence_of(model, calibration, joint.answers[:count]).person
        curve.append((count, float(np.median(person.sigma_mm[model.inner_face])), person.effective))
    level = usual_level(model, settings)
    done = []
    for shot, fit in zip(shots, joint.fits, strict=True):
        head = make_head(model, fit, level)
        if shot.photo.image.size and shot.face.landmarks is not None:
            head = with_teeth(head, shot.photo, shot.face.landmarks)
        points = head.points68(on_photo(head, fit)).astype(np.float64)
        face = replace(
            shot.face, fit=fit, head=head, points68=fit.camera.project(transform(fit.head_to_camera, points))
        )
        if shot.photo.image.size:
            face = replace(face, warnings=face_warnings(shot.photo, face))
        done.append(replace(shot, face=face))
    weights = tuple(weight * len(shots) / sum(joint.weights) for weight in joint.weights)
    main = int(np.argmax([suits_portrait(shot) for shot in done]))
    fused: Fused | None = None
    painted: tuple[int, ...] = ()
    if settings.only != "mesh":
        painted = to_paint(done, main)
        fused = textured(done, painted, settings, stopping)
        if fused is None:
            return None
        shot = done[main]
        done[main] = replace(shot, face=dressed(replace(shot.face, texture=fused.texture), shot.load(), settings))
    return Many(tuple(done), main, joint, weights, tuple(curve), fused, painted)


def some_of(count: int) -> list[int]:
    """1, 2, ... count; of very many, some."""
    return sorted(set(np.linspace(1, count, min(count, POINTS)).round().astype(int).tolist()))


def dressed(face: Face, photo: Photo, settings: Settings) -> Face:
    """A face with head, fit and texture, with what else is wanted: its light, its portrait."""
    head, fit, texture = face.head, face.fit, face.texture
    assert head is not None
    assert fit is not None
    assert texture is not None
    if settings.light.wanted and settings.only != "frontal":
        from tronie.stages.lighting.stage import light_and_detail

        face = light_and_detail(face, settings.light)
    if settings.only == "texture":
        return face
    from tronie.stages.portrait import frontal

    portrait = frontal(head, texture, settings.frontal, photo, fit, face.enhanced)
    if settings.frontal.identity and face.landmarks is not None:
        from tronie.stages.portrait.likeness import measured

        portrait = measured(portrait, head, fit, photo, face.landmarks, settings.frontal)
    return replace(face, frontal=portrait)


def usual_level(model: HeadModel, settings: Settings) -> int:
    wanted = settings.head.subdivide
    return model.usual_level if wanted is None else min(wanted, model.levels[-1])


def look_of(shot: Shot) -> Look:
    assert shot.face.landmarks is not None
    return Look(shot.face.landmarks, shot.camera, shot.face.detection.size, float(np.clip(crisp(shot), 0.3, 1.0)))


def crisp(shot: Shot) -> float:
    """Sharpness of the photo's face; 1 is usual."""
    return 1.0 if shot.face.crop is None else sharpness(shot.face.crop.image) / CRISP


def suits_portrait(shot: Shot) -> float:
    """Higher for a photo that shows the face from the front, large, sharp, well lit, eyes open, mouth quiet."""
    face = shot.face
    assert face.fit is not None
    assert face.landmarks is not None
    yaw, pitch = np.radians([face.fit.diagnostics["yaw"], face.fit.diagnostics["pitch"]])
    scores = face.landmarks.scores
    loud = float(max(*(scores[k] for k in BLINKS), scores[ARKIT_UNITS.index("jawOpen")]))
    frontal = float(np.clip(np.cos(yaw), 0, 1) ** 4 * np.clip(np.cos(pitch), 0, 1) ** 2)
    return (
        frontal * min(face.detection.size / 200, 1.0) * float(np.clip(crisp(shot), 0.3, 1.2)) * (1 - EXPRESSIVE * loud)
    )


def to_paint(shots: Sequence[Shot], main: int) -> tuple[int, ...]:
    """Rows, the main one first, then by what they are worth, none like another."""

    def pose(k: int) -> tuple[float, float]:
        fit = shots[k].face.fit
        assert fit is not None
        return fit.diagnostics["yaw"], fit.diagnostics["pitch"]

    def worth(k: int) -> float:
        return min(shots[k].face.detection.size / 200, 1.0) * float(np.clip(crisp(shots[k]), 0.2, 1.2))

    chosen = [main]
    for k in sorted((k for k in range(len(shots)) if k != main), key=lambda k: (-worth(k), k)):
        if all(np.abs(np.subtract(pose(k), pose(other))).max() >= APART for other in chosen[1:]):
            chosen.append(k)
    return tuple(chosen[:PAINTED])


def textured(
    shots: Sequence[Shot], painted: Sequence[int], settings: Settings, stopping: Callable[[], bool],
    mouth: tuple[Photo, Landmarks] | None = None,
) -> Fused | None:  # fmt: skip
    """None when it was stopped. Each photo is baked small to weigh it, then in full: one large texture at a time.
    `mouth`: a picture in the first one's light that shows the teeth, where there is one."""
    from tronie.stages.texture.bake import Baked, baked

    def bake(k: int, size: TextureSettings) -> tuple[Photo, Baked]:
        face = shots[k].face
        assert face.head is not None
        assert face.fit is not None
        photo, marks, enhanced = shots[k].load(), face.landmarks, face.enhanced
        if marks is None or enhanced is None or not enhanced.accepted:
            return photo, baked(photo, face.head, face.fit, marks, size, mouth=mouth)
        from tronie.stages.enhance.region import make_detail

        part = make_detail(photo, marks, enhanced)
        fit, square = part.fit(face.fit), part.square(enhanced)
        return part.photo, baked(part.photo, face.head, fit, part.landmarks(marks), size, square, mouth=mouth)

    head = shots[painted[0]].face.head
    assert head is not None
    model, level = head.model, head.level
    small = settings.texture.model_copy(update={"size": 512})
    sights: list[Sight] = []
    for k in painted:
        if stopping():
            return None
        sights.append(sight(*bake(k, small), len(model.mean), crisp(shots[k]) * CRISP))
    textures = (bake(k, settings.texture)[1].texture for k in painted)
    return fuse(next(textures), textures, shares(sights, model, level), model, level)
