"""The fits that are compared: each takes an observation (what a user's photo would give) and returns a Fit.

`mean` and the two least squares know nothing of calibration and stay as they are, whatever the library's fit becomes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import subject
from benchmarks.accuracy.metric import umeyama
from benchmarks.accuracy.observe import Observation
from tronie.geometry import Camera, rigid, rotation_matrix
from tronie.head.model import HeadModel
from tronie.stages.fit.basis import OVAL_WEIGHT
from tronie.stages.fit.camera import guess_camera
from tronie.stages.fit.map_fit import fit_landmarks
from tronie.stages.landmarks.lines import OVAL
from tronie.types import Fit

Array = NDArray[np.floating]
Method = Callable[[Observation], Fit]

MEAN = "mean head"
PRIOR = "calibrated prior only"
UNKNOWN_FOCAL = "full fit"
TOGETHER = "all photos as one"


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """Perspective least squares of pose, identity and expression on the 478 landmarks, by Gauss-Newton.

    The cost is sum |landmark - projection|^2 / sigma_mm^2 (in mm at the face's distance) + identity_weight |a|^2
    + |e - scores|^2 / 0.16^2; face-oval points count little, since they slide along the silhouette.
    """

    model: HeadModel
    sigma_mm: float
    identity_weight: float
    rounds: int = 8

    def __call__(self, seen: Observation) -> Fit:
        camera = guess_camera(seen.size, None, [seen.detection])
        return self.fit(seen, camera)

    def fit(self, seen: Observation, camera: Camera) -> Fit:
        mean, shape = _points(self.model)
        k = len(self.model.identity)
        target = seen.landmarks.points[:, :2]
        scores = np.clip(seen.landmarks.scores, 0, 1)
        start = umeyama(mean, seen.landmarks.points)  # a distant camera's view, with the net's own depth
        rotation, depth = start.rotation, camera.focal / start.scale
        middle = seen.landmarks.points[:, :2].mean(axis=0)
        shift = camera.unproject(middle, depth) - rotation @ mean.mean(axis=0)
        x = np.concatenate([np.zeros(k), scores])
        price = np.concatenate([np.full(6, 1e-9), np.full(k, self.identity_weight), np.full(52, 0.16**-2)])
        weight = np.ones(478)
        weight[list(OVAL)] = OVAL_WEIGHT
        for _ in range(self.rounds):
            turned = (mean + shape @ x) @ rotation.T
            p = turned + shift
            unit = weight**0.5 * shift[2] / (camera.focal * self.sigma_mm)
            residual = (target - camera.project(p)) * unit[:, None]
            to_screen = np.zeros((478, 2, 3))
            to_screen[:, 0, 0] = to_screen[:, 1, 1] = unit * camera.focal / p[:, 2]
            to_screen[:, :, 2] = -p[:, :2] / p[:, 2:] ** 2 * camera.focal * unit[:, None]
            j = np.concatenate([-to_screen @ _cross(turned), to_screen, to_screen @ rotation @ shape], axis=2)
            j = j.reshape(956, -1)
            prior = np.concatenate([np.zeros(6 + k), scores]) - np.concatenate([np.zeros(6), x])
            step = np.linalg.solve(j.T @ j + np.diag(price), j.T @ residual.ravel() + price * prior)
            rotation, shift, x = rotation_matrix(step[:3]) @ rotation, shift + step[3:6], x + step[6:]
            x[k:] = np.clip(x[k:], 0, 1)
        return fit_of(self.model, x[:k], x[k:], rigid(rotation, shift), camera)


@dataclass(frozen=True, eq=False)
class Default:
    """What the pipeline does with a photo after its landmarks; `known_focal` tells it the focal length, as EXIF would.

    Keep it in step with `Pipeline._run` and `Pipeline._finish`.
    """

    model: HeadModel
    warp: bool = True
    known_focal: bool = False

    def __call__(self, seen: Observation) -> Fit:
        focal = seen.focal if self.known_focal else None
        camera = camera_of(self.model, seen, focal)
        return fit_landmarks(
            self.model, seen.landmarks, camera, seen.detection.size, calibration=subject.calibration(), warp=self.warp
        )


@dataclass(frozen=True, eq=False)
class PriorOnly:
    """The calibration's answer without the landmarks' own evidence."""

    model: HeadModel

    def __call__(self, seen: Observation) -> Fit:
        from tronie.stages.fit import map_fit as landmark_fit

        camera = camera_of(self.model, seen, None)
        told, _ = landmark_fit.calibrated_prior(self.model, seen.landmarks, camera, subject.calibration())
        return fit_of(self.model, told.identity, told.expression, rigid(told.rotation, told.translation), camera)


def camera_of(model: HeadModel, seen: Observation, focal: float | None) -> Camera:
    """The camera that the pipeline takes the photo's to be."""
    if focal is not None or seen.landmarks.features is None:
        return guess_camera(seen.size, focal, [seen.detection])
    from tronie.stages.fit.regressor import NEARNESS_SIGMA

    said = (*subject.calibration().nearness_of(model, seen.landmarks), NEARNESS_SIGMA)
    return guess_camera(seen.size, None, [seen.detection], [said])


def methods() -> dict[str, Method]:
    """By the name in the tables."""
    model = subject.model()
    found: dict[str, Method] = {
        MEAN: LeastSquares(model, sigma_mm=2.6, identity_weight=1e9),
        "plain least squares": LeastSquares(model, sigma_mm=1.0, identity_weight=0.05),
        "regularised least squares": LeastSquares(model, sigma_mm=2.6, identity_weight=1.0),
    }
    found[PRIOR] = PriorOnly(model)
    return found | {UNKNOWN_FOCAL: Default(model), "full fit, focal known": Default(model, known_focal=True)}


def fit_of(model: HeadModel, identity: Array, expression: Array, pose: Array, camera: Camera) -> Fit:
    return Fit(
        identity=identity.astype(np.float32),
        expression=dict(zip(model.expression_names, map(float, expression), strict=True)),
        head_to_camera=pose,
        camera=camera,
        warp=np.zeros((len(model.smooth_modes), 3), np.float32),
        diagnostics={},
    )


def _cross(v: Array) -> Array:
    """(n, 3) -> (n, 3, 3), so that out @ w = v x w."""
    out = np.zeros((len(v), 3, 3))
    out[:, 0, 1], out[:, 0, 2], out[:, 1, 2] = -v[:, 2], v[:, 1], -v[:, 0]
    out[:, 1, 0], out[:, 2, 0], out[:, 2, 1] = v[:, 2], -v[:, 1], v[:, 0]
    return out


@lru_cache(maxsize=2)
def _points(model: HeadModel) -> tuple[Array, Array]:
    """The 478 points on the mean head (478, 3) and how they move (478, 3, K + 52)."""
    level = model.level(model.usual_level)
    index, weight = level.embedding478
    rows = level.matrix[index.ravel()]
    bases = np.concatenate([model.mean[None], model.identity, model.expression]).astype(np.float64)
    flat = bases.transpose(1, 2, 0).reshape(len(model.mean), -1)
    at = np.einsum("nck,nc->nk", (rows @ flat).reshape(478, 3, -1), weight).reshape(478, 3, -1)
    return np.ascontiguousarray(at[..., 0]), np.ascontiguousarray(at[..., 1:])
