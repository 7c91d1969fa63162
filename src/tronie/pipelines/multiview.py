"""One head from several pictures of a person, photos or frames of a clip: one texture, and which picture suits what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tronie.arrays import Array
from tronie.head.model import HeadModel
from tronie.pipelines.gather import COVERED, Gathered, covered, lights
from tronie.pipelines.shot import CRISP, Shot, crisp
from tronie.runtime.job import Job
from tronie.settings import HairSettings, PortraitSettings, Settings, TextureSettings
from tronie.stages.face_parts import unrest
from tronie.stages.texture.fuse import Fused, ViewWeights, fuse, texture_shares, view_weights
from tronie.types import Face, Photo, Texture

if TYPE_CHECKING:
    from tronie.stages.segment import SegmentNet
    from tronie.stages.texture.bake import Baked

WEIGHED = 512
"""Texels along the side of an atlas in which a photo is weighed."""
PAINTED = 12
"""A texture is made of at most so many photos: the best ones of different poses."""
TRIED = 5
"""So many photos are looked at, at most, for one with nothing before the face."""
HAIR_VIEWS = 6
"""Hair is built from at most so many of them."""
APART = 12.0
"""Degrees of yaw or pitch by which poses are different."""
EXPRESSIVE = 0.7
"""How much less a photo with a wide expression suits the portrait."""


def face_texture(photo: Photo, face: Face, settings: Settings, side: int, **more: Any) -> Baked:
    """An atlas of `side` texels for a face with head and fit: from the photo, or from its finer part where the face was
    enhanced; `more` as `baked` has it."""
    from tronie.stages.texture.bake import baked

    head, fit, marks, enhanced, found = face.head, face.fit, face.landmarks, face.enhanced, face.segmentation
    square = None
    assert head is not None
    assert fit is not None
    if marks is not None and enhanced is not None and enhanced.accepted:
        from tronie.stages.enhance.region import cut_region

        part = cut_region(photo, marks, enhanced)
        photo, fit, marks, square = part.photo, part.fit(fit), part.landmarks(marks), part.square(enhanced)
        found = None if found is None else part.segmentation(found)
    size = settings.texture.model_copy(update={"size": side})
    even = not settings.runs("light")
    return baked(photo, head, fit, marks, size, square, segmentation=found, hair=settings.hair, even=even, **more)


def texture_side(faces: Iterable[Face], settings: TextureSettings) -> int:
    """Texels along a side of the atlas of a person, whose `faces` have fits: as the finest of them asks for."""
    from tronie.stages.enhance.region import finest_mm
    from tronie.stages.texture.bake import side_of

    return max(side_of(settings, finest_mm(face.fit, face.enhanced)) for face in faces if face.fit is not None)


def add_light_and_portrait(
    face: Face,
    photo: Photo,
    settings: Settings,
    job: Job | None = None,
    threads: int = 1,
    ahead: Callable[[Photo, Face, Literal["head"]], object] | None = None,
) -> Face:
    """A face with head, fit and texture, with what else is wanted: its folds, light, portrait. `ahead` gets it with all
    but the portrait."""
    job = job or Job()
    if settings.head.folds == "auto":
        face = folded(face, photo)
    if settings.runs("light"):
        from tronie.stages.lighting import light_and_detail

        with job.stage("light"):
            face = light_and_detail(face, settings.light, settings.wanted)
    face = with_neck(face, photo, settings)
    if ahead:
        ahead(photo, face, "head")
    if settings.runs("portrait"):
        with job.stage("frontal"):
            face = with_portrait(face, photo, settings.portrait, threads)
    return face


def folded(face: Face, photo: Photo) -> Face:
    """A face with head, fit and texture, with the deep folds of its skin on the head."""
    from tronie.stages.lighting.folds import find_folds, with_folds

    head, fit, texture = face.head, face.fit, face.texture
    assert head is not None
    assert fit is not None
    assert texture is not None
    found = find_folds(texture, head, fit, face.segmentation, photo)
    return face if found is None else replace(face, folds=found, head=with_folds(head, found))


def segmented(face: Face, photo: Photo, net: SegmentNet) -> Face:
    """The face with what each pixel around it is; as it was where it has no landmarks."""
    if face.landmarks is None:
        return face
    (found,) = net.segment(photo.image, [face.landmarks])
    return replace(face, segmentation=found)


def bearded(face: Face, photo: Photo, settings: HairSettings, others: Sequence[Face] = ()) -> tuple[Face, ...]:
    """A segmented face with the relief of its beard, and the same on `others` of the person."""
    from tronie.stages.hair import beard_of, with_beard

    thick = None if settings.mode == "none" else beard_of(photo, face)
    if thick is None:
        return face, *others
    return tuple(f if f.head is None else replace(f, head=with_beard(f.head, thick)) for f in (face, *others))


def with_hair(face: Face, views: Sequence[tuple[Photo, Face]], settings: HairSettings) -> Face:
    """A face with a head, with what can be said of its hair and what lies over the head, from photos of the person and
    the person's face in each. A mask has no scalp to build on."""
    from tronie.stages.hair import build_hair, lash_color, lashes

    head = face.head
    assert head is not None
    seen = [(p, f.fit, f.segmentation) for p, f in views if f.fit is not None and f.segmentation is not None]
    if head.model.is_mask or not seen:
        return face
    look, shells = build_hair(head, seen, settings)
    if settings.glasses == "keep":
        from tronie.stages.hair.glasses import glasses_shell

        kept = (glasses_shell(photo, head, fit, found) for photo, fit, found in seen)
        shells = (*shells, *(one for one in [next((g for g in kept if g is not None), None)] if one is not None))
    if settings.lashes == "auto":
        photo, fit, _ = seen[0]
        fine = lashes(head, lash_color(photo, head, fit))
        shells = shells if fine is None else (*shells, fine)
    return replace(face, hair=look, shells=shells)


def with_neck(face: Face, photo: Photo, settings: Settings) -> Face:
    """A face with a head, with an end to its neck, or with the bust that the settings want."""
    from tronie.stages.hair import neck_end, with_bust

    head = face.head
    if head is None:
        return face
    worn = None if face.texture is None else face.texture.image
    albedo = None if face.albedo is None else face.albedo.image
    if not settings.head.bust:
        end = neck_end(head, worn, albedo)
        return face if end is None else replace(face, shells=(end, *face.shells))
    seen = None
    if face.fit is not None and face.segmentation is not None:
        seen = photo, face.fit, face.segmentation
    shells, look = with_bust(head, face.shells, worn, albedo, seen)
    return replace(face, shells=shells, bust=look)


def under_hair(face: Face) -> Array | None:
    """(C,) 0..1: over which of the head's control vertices its hair lies."""
    from tronie.stages.hair import lies_under

    return None if face.head is None or not face.shells else lies_under(face.head, face.shells)


def with_portrait(face: Face, photo: Photo, settings: PortraitSettings, threads: int = 1) -> Face:
    """A face with head, fit and texture, with its portrait."""
    from tronie.stages.portrait import frontal

    head, fit, texture = face.head, face.fit, face.texture
    assert head is not None
    assert fit is not None
    assert texture is not None
    made = frontal(head, texture, settings, photo, fit, face.enhanced, threads, face.segmentation, face.shells)
    if settings.identity and face.landmarks is not None:
        from tronie.stages.portrait.stage import with_likeness

        made = with_likeness(made, head, fit, photo, face.landmarks, settings)
    return replace(face, portrait=made)


def usual_level(model: HeadModel, settings: Settings) -> int:
    wanted = settings.head.subdivide
    return model.usual_level if wanted is None else min(wanted, model.levels[-1])


def suits_portrait(shot: Shot) -> float:
    """Higher for a photo that shows the face from the front, large, sharp, eyes open, mouth quiet."""
    face = shot.face
    assert face.fit is not None
    assert face.landmarks is not None
    yaw, pitch = np.radians([face.fit.diagnostics["yaw"], face.fit.diagnostics["pitch"]])
    loud = unrest(face.landmarks)
    frontal = float(np.clip(np.cos(yaw), 0, 1) ** 4 * np.clip(np.cos(pitch), 0, 1) ** 2)
    return (
        frontal * min(face.detection.size / 200, 1.0) * float(np.clip(crisp(shot), 0.3, 1.2)) * (1 - EXPRESSIVE * loud)
    )


def main_shot(shots: list[Shot], segmenter: SegmentNet | None) -> int:
    """Row of the shot that suits the portrait best: in the person's usual light, and with nothing before the face. The
    likeliest are segmented for it, in place."""
    score = np.array([suits_portrait(shot) for shot in shots]) * lights(shots)
    order = sorted(range(len(shots)), key=lambda k: (-score[k], k))
    best, most = order[0], -1.0
    for k in order[:TRIED]:
        if score[k] <= most:
            break
        shots[k] = with_matter(shots[k], segmenter)
        free = score[k] * (1 - min(covered(shots[k].face) / (4 * COVERED), 1.0))
        best, most = (k, free) if free > most else (best, most)
    return best


def with_matter(shot: Shot, segmenter: SegmentNet | None) -> Shot:
    """The shot, segmented."""
    if segmenter is None or shot.face.segmentation is not None:
        return shot
    return replace(shot, face=segmented(shot.face, shot.load(), segmenter))


def select_views(shots: list[Shot], main: int, segmenter: SegmentNet | None = None) -> tuple[int, ...]:
    """Rows, the main one first, then by what they are worth, none like another, none with something before the face.
    All of them are segmented, in place."""
    lit = lights(shots)

    def pose(k: int) -> tuple[float, float]:
        fit = shots[k].face.fit
        assert fit is not None
        return fit.diagnostics["yaw"], fit.diagnostics["pitch"]

    def worth(k: int) -> float:
        size = min(shots[k].face.detection.size / 200, 1.0)
        return size * float(np.clip(crisp(shots[k]), 0.2, 1.2)) * lit[k]

    chosen = [main]
    for k in sorted((k for k in range(len(shots)) if k != main), key=lambda k: (-worth(k), k)):
        if len(chosen) < PAINTED and all(np.abs(np.subtract(pose(k), pose(o))).max() >= APART for o in chosen[1:]):
            shots[k] = with_matter(shots[k], segmenter)
            if covered(shots[k].face) <= COVERED:
                chosen.append(k)
    shots[main] = with_matter(shots[main], segmenter)
    return tuple(chosen)


def seen_hair(shots: Sequence[Shot], painted: Sequence[int]) -> list[tuple[Photo, Face]]:
    """Of the photos that a texture is made of, the first one's face first, those that hair is built from."""
    return [(shots[k].load(), shots[k].face) for k in painted[:HAIR_VIEWS]]


def textured(
    shots: Sequence[Shot],
    painted: Sequence[int],
    settings: Settings,
    lent: Gathered | None = None,
    job: Job | None = None,
) -> Fused:
    """Each photo is baked small to weigh it, then in full: one large texture at a time. `lent` is what other pictures
    than the first show of teeth, irises and shut lids. The stage `texture` of `job` has a step for every photo that
    was weighed and for every one that was painted; a wish to drain is followed while they are weighed. Numbers in
    `Fused.source` count the painted ones, then the one that lends its lids."""
    lent = lent or Gathered()

    def bake(k: int, side: int) -> Baked:
        own = lent if k == painted[0] else Gathered()
        return face_texture(shots[k].load(), shots[k].face, settings, side, teeth=own.teeth, eyes=own.eyes)

    head = shots[painted[0]].face.head
    assert head is not None
    model, level = head.model, head.level
    job = job or Job()
    everyone = lent.views(painted)
    side = texture_side([shots[k].face for k in everyone], settings.texture)
    with job.stage("texture", total=2 * len(everyone)) as stage:
        sights: list[ViewWeights] = []
        for k in everyone:
            job.check(new=True)
            shut = k == lent.lids
            sights.append(view_weights(bake(k, WEIGHED), model, crisp(shots[k]) * CRISP, shut, k not in painted))
            stage.advance()

        def paint(k: int) -> Texture:
            texture = bake(k, side).texture
            stage.advance()
            return texture

        textures = (paint(k) for k in everyone)
        return fuse(next(textures), textures, texture_shares(sights, model, level), model, level)
