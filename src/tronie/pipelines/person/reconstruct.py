"""From several photos of one person to one head, one texture and one portrait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tronie.geometry import transform
from tronie.head.model import HeadModel
from tronie.pipelines.engines import asks_outline
from tronie.pipelines.gather import gathered
from tronie.pipelines.multiview import (
    add_light_and_portrait,
    bearded,
    main_shot,
    seen_hair,
    segmented,
    select_views,
    textured,
    usual_level,
    with_hair,
    with_matter,
)
from tronie.pipelines.person.restore import restored
from tronie.pipelines.shot import Shot, crisp
from tronie.runtime.job import Job
from tronie.settings import Settings
from tronie.stages.fit.basis import on_photo
from tronie.stages.fit.engine import make_head
from tronie.stages.fit.eyeballs import behind_lids
from tronie.stages.fit.fusion import FaceView, evidence_of
from tronie.stages.fit.map_fit import fit_landmarks
from tronie.stages.fit.multiview import MultiViewFit, fit_views
from tronie.stages.fit.outline import fit_errors, has_outline, outline_says
from tronie.stages.fit.pins import pinned
from tronie.stages.fit.regressor import Calibration
from tronie.stages.fit.teeth import with_teeth
from tronie.stages.quality import face_warnings
from tronie.stages.texture.fuse import Fused
from tronie.types import Face, Fit

if TYPE_CHECKING:
    from tronie.stages.enhance.enhancer import Enhancer
    from tronie.stages.landmarks.net import LandmarkNet
    from tronie.stages.segment import SegmentNet

Pins = Mapping[int, tuple[float, float]]
POINTS = 40
"""Of the curve that tells how sure the shape is with more and more photos."""


@dataclass(frozen=True, eq=False)
class PersonResult:
    """What came out."""

    shots: tuple[Shot, ...]
    """Each face with the person's head in the photo's pose and expression."""
    main: int
    """Row of the shot that suits the portrait best; its face has the texture and the portrait."""
    joint: MultiViewFit
    weights: tuple[float, ...]
    """How much each photo says about the shape; 1 on average, 0 for a copy of another."""
    curve: tuple[tuple[int, float, float], ...]
    """With the first 1, 2, ... photos: how many, median spread of the inner face in mm, and how many independent looks
    they are worth."""
    fused: Fused | None
    painted: tuple[int, ...]
    """Rows of the shots that the texture is made of; numbers in `Fused.source` count these, from 1."""
    settings: Settings
    """That it was made with."""

    @property
    def face(self) -> Face:
        return self.shots[self.main].face


def reconstruct_shots(
    model: HeadModel,
    calibration: Calibration,
    shots: Sequence[Shot],
    settings: Settings,
    *,
    segmenter: SegmentNet | None = None,
    enhancer: Enhancer | None = None,
    net: LandmarkNet | None = None,
    pins: Mapping[int, Pins] | None = None,
    job: Job | None = None,
) -> PersonResult:
    """`segmenter` tells hair from skin; without it colours have to, there is no hair over the head, and outlines of
    turned faces say nothing. With `enhancer` and `net` too, small faces are restored by what other photos show, as
    far as the settings want it. `pins`: by row of `shots`, landmarks put right, as by `tronie.refit`. `job` is told of
    the stages `fit`, `segment`, `texture` (whose steps are photos), `hair`, `light`, `frontal` and `enhance`.

    Raises ValueError when there is no shot, or none of whose landmarks form a face; Cancelled when the job is, or when
    it drains before all photos of the texture are looked at.
    """
    job = job or Job()
    with job.stage("fit"):
        joint, curve, done = _fitted(model, calibration, shots, settings, segmenter, pins or {})
    weights = tuple(weight * len(shots) / sum(joint.weights) for weight in joint.weights)
    if not settings.runs("texture"):
        main = main_shot(done, None)
        return PersonResult(tuple(done), main, joint, weights, tuple(curve), None, (), settings)
    with job.stage("segment"):
        main = main_shot(done, segmenter)
        painted = select_views(done, main, segmenter)
        lent = gathered(done, main)
        if lent.lids is not None:
            done[lent.lids] = with_matter(done[lent.lids], segmenter)
        if segmenter is not None:
            faces = bearded(done[main].face, done[main].load(), settings.hair, [shot.face for shot in done])[1:]
            done = [replace(shot, face=face) for shot, face in zip(done, faces, strict=True)]
    fused = textured(done, painted, settings, lent, job)
    face, photo = replace(done[main].face, texture=fused.texture), done[main].load()
    if settings.runs("hair"):
        with job.stage("hair"):
            face = with_hair(face, seen_hair(done, painted), settings.hair)
    done[main] = replace(done[main], face=add_light_and_portrait(face, photo, settings, job))
    if enhancer is not None and net is not None and segmenter is not None and settings.enhance.reference:
        done = restored(done, settings.enhance, enhancer, net, segmenter, job)
    views = lent.views(painted)
    return PersonResult(tuple(done), main, joint, weights, tuple(curve), fused, views, settings)


def _fitted(
    model: HeadModel,
    calibration: Calibration,
    shots: Sequence[Shot],
    settings: Settings,
    segmenter: SegmentNet | None,
    pins: Mapping[int, Pins],
) -> tuple[MultiViewFit, list[tuple[int, float, float]], list[Shot]]:
    """The fit of all photos together, the curve of how sure it is, and the shots with the person's head."""
    looks = [look_of(shot) for shot in shots]
    if segmenter is not None and asks_outline(settings):
        pairs = [_outlined(model, calibration, shot, look, segmenter) for shot, look in zip(shots, looks, strict=True)]
        shots, looks = [shot for shot, _ in pairs], [look for _, look in pairs]
    joint = fit_views(model, calibration, looks, warp=settings.fit.warp)
    curve = []
    for count in some_of(len(shots)):
        person = evidence_of(model, calibration, joint.answers[:count]).person
        curve.append((count, float(np.median(person.sigma_mm[model.inner_face])), person.effective))
    level = usual_level(model, settings)
    shots = [with_pins(shot, pins.get(row, {})) for row, shot in enumerate(shots)]
    done = []
    for shot, fit in zip(shots, corrected(model, joint.fits, shots), strict=True):
        head = make_head(model, fit, level)
        if shot.photo.image.size and shot.face.landmarks is not None:
            head = with_teeth(head, shot.photo, shot.face.landmarks)
        head = behind_lids(head)
        points = head.points68(on_photo(head, fit)).astype(np.float64)
        face = replace(
            shot.face, fit=fit, head=head, points68=fit.camera.project(transform(fit.head_to_camera, points))
        )
        if shot.photo.image.size:
            face = replace(face, warnings=face_warnings(shot.photo, face))
        done.append(replace(shot, face=face))
    return joint, curve, done


def with_pins(shot: Shot, pins: Pins) -> Shot:
    marks = shot.face.landmarks
    return (
        shot if marks is None or not pins else replace(shot, face=replace(shot.face, landmarks=marks.with_pins(pins)))
    )


def corrected(model: HeadModel, fits: Sequence[Fit], shots: Sequence[Shot]) -> list[Fit]:
    """The fits bent to the pins of their photos' landmarks, one after the other. The head is one: what pins of a photo
    do to its shape is done in all the others."""
    done = list(fits)
    for row, face in enumerate(shot.face for shot in shots):
        if face.landmarks is None or not face.landmarks.pins:
            continue
        old, new = done[row], pinned(model, done[row], face.landmarks, face.detection.size)
        identity, warp = new.identity - old.identity, new.warp - old.warp
        done = [replace(fit, identity=fit.identity + identity, warp=fit.warp + warp, taken=new.taken) for fit in done]
        done[row] = new
    return done


def _outlined(
    model: HeadModel, calibration: Calibration, shot: Shot, look: FaceView, segmenter: SegmentNet
) -> tuple[Shot, FaceView]:
    """A turned face segmented, and with what its outline says. A photo that is not in memory is not read again for it:
    among so many it says little."""
    image = shot.photo.image
    if not image.size:
        return shot, look
    fit = fit_landmarks(model, look.landmarks, look.camera, look.size, calibration=calibration)
    if not has_outline(fit):
        return shot, look
    face = segmented(shot.face, shot.photo, segmenter)
    assert face.segmentation is not None
    said = outline_says(model, fit, look.landmarks, look.size, image, face.segmentation, errors=fit_errors())
    return replace(shot, face=face), replace(look, outline=said)


def some_of(count: int) -> list[int]:
    """1, 2, ... count; of very many, some."""
    return sorted(set(np.linspace(1, count, min(count, POINTS)).round().astype(int).tolist()))


def look_of(shot: Shot) -> FaceView:
    assert shot.face.landmarks is not None
    return FaceView(shot.face.landmarks, shot.camera, shot.face.detection.size, float(np.clip(crisp(shot), 0.3, 1.0)))
