"""Model-based tracking: pose and expression in one frame of a person whose head is known, in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tronie.arrays import Array
from tronie.geometry import Camera, rotation_matrix
from tronie.head.model import HeadModel
from tronie.stages.fit.basis import LandmarkBasis, landmark_basis
from tronie.stages.fit.map_fit import calibrated_prior, plain_prior
from tronie.stages.fit.problem import FitProblem, Prior
from tronie.stages.fit.regressor import Calibration
from tronie.types import Landmarks


@dataclass(frozen=True, eq=False)
class KnownIdentity:
    """A person's head as the fit of a frame sees it."""

    model: HeadModel
    calibration: Calibration | None
    identity: Array
    """(K,)."""
    basis: LandmarkBasis
    """Whose mean is the person at rest, with what the landmark net always gets wrong about them, and whose only shapes
    are the expressions."""
    usual: Array | None = None
    """(52,) of `Prediction.changes`: the person's own offset."""

    @classmethod
    def of(
        cls,
        model: HeadModel,
        calibration: Calibration | None,
        identity: Array,
        warp: Array | None = None,
        taken: Array | None = None,
        usual: Array | None = None,
    ) -> KnownIdentity:
        """`warp` (M, 3) mm is all of the residual warp (head and slack), constant in the clip; `taken` as in `Fit`."""
        basis = landmark_basis(model)
        mean = basis.mean + basis.shape[:, :, : basis.components] @ identity
        if warp is not None:
            mean = mean + basis.modes @ warp
        shape = np.ascontiguousarray(basis.shape[:, :, basis.components :])
        if taken is not None:
            mean = mean - shape @ taken
        person = LandmarkBasis(mean, shape, basis.modes, 0, basis.weight)
        return cls(model, calibration, np.asarray(identity, dtype=np.float64), person, usual)


@dataclass(frozen=True, eq=False)
class FrameFit:
    """What one frame says of a known person."""

    rotation: Array
    """(3, 3) head -> camera."""
    translation: Array
    """(3,) mm."""
    expression: Array
    """(52,) 0..1."""
    residual: Array
    """(478, 2) pixels: the landmarks less the head's."""
    pixel_mm: float
    """Millimetres per pixel at the head's origin."""

    @property
    def rms(self) -> float:
        """Pixels."""
        return float(np.sqrt((self.residual**2).sum(axis=1).mean()))


def fit_frame(held: KnownIdentity, landmarks: Landmarks, camera: Camera) -> FrameFit:
    """Fit one frame. Raises ValueError where the landmarks form no face."""
    prior = _prior(held, landmarks, camera)
    problem = FitProblem(held.basis, landmarks.points[:, :2].astype(np.float64), camera, prior)
    x = problem.solve().x
    rotation, translation = rotation_matrix(x[:3]) @ problem.rotation, x[3:6].copy()
    expression = x[6:].copy()
    seen = camera.project(problem.points(x) @ rotation.T + translation)
    return FrameFit(
        rotation, translation, expression, landmarks.points[:, :2] - seen, float(translation[2] / camera.focal)
    )


def _prior(held: KnownIdentity, landmarks: Landmarks, camera: Camera) -> Prior:
    if held.calibration is not None and landmarks.features is not None:
        prior, told = calibrated_prior(held.model, landmarks, camera, held.calibration)
        if told.changes is not None and held.usual is not None:
            changed = prior.expression + told.changes - held.usual
            prior = replace(prior, expression=np.clip(changed, 0, 1))
        # How large the head is, is known: the points tell how far away it is.
        sigma = np.concatenate([prior.pose_sigma[:3], np.full(3, np.inf)])
    else:
        prior = plain_prior(landmark_basis(held.model), landmarks, camera)
        sigma = prior.pose_sigma
    return replace(prior, identity=np.zeros(0), identity_sigma=np.zeros(0), pose_sigma=sigma)
