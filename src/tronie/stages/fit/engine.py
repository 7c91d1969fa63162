"""What turns the landmarks of a face into its shape and pose: our own engine."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tronie.geometry import Camera, transform
from tronie.head.model import Head, HeadModel
from tronie.stages.fit.basis import on_photo
from tronie.stages.fit.closure import closed
from tronie.stages.fit.eyeballs import behind_lids
from tronie.stages.fit.map_fit import fit_landmarks, head_shapes
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
        fit = closed(self.model, fit)
        head = behind_lids(with_teeth(make_head(self.model, fit, self.level), photo, face.landmarks))
        points = head.points68(on_photo(head, fit))
        points68 = camera.project(transform(fit.head_to_camera, points.astype(np.float64)))
        return replace(face, fit=fit, head=head, points68=points68)


def make_head(model: HeadModel, fit: Fit, level: int) -> Head:
    """The mesh of a fit at a level of subdivision."""
    expressed, neutral = head_shapes(model, fit)
    mesh = model.level(level)
    return Head(model, level, vertices=mesh.apply(expressed), neutral=mesh.apply(neutral))
