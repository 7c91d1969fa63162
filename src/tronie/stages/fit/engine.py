"""What turns the landmarks of a face into its shape and pose: our own engine."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tronie.arrays import Array
from tronie.geometry import Camera, transform
from tronie.head.model import Head, HeadModel
from tronie.stages.fit.basis import on_photo
from tronie.stages.fit.closure import closed
from tronie.stages.fit.eyeballs import behind_lids
from tronie.stages.fit.map_fit import fit_landmarks, head_shapes
from tronie.stages.fit.pins import pinned
from tronie.stages.fit.regressor import Calibration
from tronie.stages.fit.teeth import with_teeth
from tronie.types import Face, Fit, Photo


@dataclass(frozen=True, slots=True)
class CalibratedFit:
    """tronie's own: a head whose parameters are learned from the landmark net's answers, bent to meet the landmarks."""

    model: HeadModel
    calibration: Calibration
    warp: bool
    level: int
    """Of the mesh's subdivision."""
    outline: bool = False
    """Whether the outline of turned faces has a say, where the face is segmented; of the package's own head only."""

    def fit(self, photo: Photo, face: Face, camera: Camera) -> Face:
        assert face.landmarks is not None
        fit = fit_landmarks(
            self.model, face.landmarks, camera, face.detection.size, calibration=self.calibration, warp=self.warp
        )
        if self.outline and face.segmentation is not None:
            from tronie.stages.fit.outline import fit_errors, outlined

            fit = outlined(
                self.model,
                fit,
                face.landmarks,
                face.detection.size,
                photo.image,
                face.segmentation,
                errors=fit_errors(),
                warp=self.warp,
            )
        return with_fit(face, photo, self.model, closed(self.model, fit), self.level)


@dataclass(frozen=True, slots=True)
class PinnedFit:
    """An engine for faces that were fitted already: bends their fit to the pins of their landmarks."""

    def fit(self, photo: Photo, face: Face, camera: Camera) -> Face:
        assert face.landmarks is not None
        assert face.fit is not None
        assert face.head is not None
        model = face.head.model
        fit = pinned(model, face.fit, face.landmarks, face.detection.size)
        return with_fit(face, photo, model, fit, face.head.level)


def with_fit(face: Face, photo: Photo, model: HeadModel, fit: Fit, level: int) -> Face:
    """A face with landmarks, with this fit and the head of it."""
    assert face.landmarks is not None
    head = behind_lids(with_teeth(make_head(model, fit, level), photo, face.landmarks))
    return replace(face, fit=fit, head=head, points68=points68_of(head, fit))


def moved_fit(face: Face, fit: Fit) -> Face:
    """A face with fit and head, with another fit of the same model; what else its head has (teeth, beard, folds) moves
    along with it. In milliseconds, and without the photo."""
    assert face.fit is not None
    assert face.head is not None
    model, level = face.head.model, face.head.level
    before, after = make_head(model, face.fit, level), make_head(model, fit, level)
    head = replace(
        face.head,
        vertices=face.head.vertices + (after.vertices - before.vertices),
        neutral=face.head.neutral + (after.neutral - before.neutral),
    )
    return replace(face, fit=fit, head=head, points68=points68_of(head, fit))


def points68_of(head: Head, fit: Fit) -> Array:
    """(68, 2) photo pixels, see `Face.points68`."""
    points = head.points68(on_photo(head, fit))
    return fit.camera.project(transform(fit.head_to_camera, points.astype(np.float64)))


def make_head(model: HeadModel, fit: Fit, level: int) -> Head:
    """The mesh of a fit at a level of subdivision."""
    expressed, neutral = head_shapes(model, fit)
    mesh = model.level(level)
    return Head(model, level, vertices=mesh.apply(expressed), neutral=mesh.apply(neutral))
