"""Maximum a posteriori pose, identity and expression from 478 landmarks, with or without a calibration."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from tronie.arrays import Array
from tronie.geometry import Camera, euler_degrees, facing_degrees, rigid, rotation_matrix
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import HeadModel
from tronie.stages.fit.basis import LandmarkBasis, from_axis, landmark_basis, residual_warp, weak_perspective
from tronie.stages.fit.problem import FitProblem, Prior, Solution
from tronie.stages.fit.regressor import Calibration, Prediction
from tronie.stages.fit.scale import growth_direction, iris_growth, iris_mm
from tronie.stages.fit.unit_reader import DOWNS
from tronie.types import Fit, Landmarks

PLAIN_POINT_SIGMA = 2.6
"""mm; see `Prior.point_sigma`."""
POINT_SIGMA, IDENTITY_SIGMA, UNIT_SIGMA = 3.0, 0.05, 0.05
"""With a calibration the landmarks have spoken already: identity stays at its answer, and the points mostly say where
the face is and what the expression does."""
TURN_SIGMA, SHIFT_SIGMA, DEPTH_SIGMA = 0.01, 3.0, 0.04
"""Radians, mm, share of the distance around the calibration's pose. On 100 pictures of ICT's people the pitch is 1.9 to
2.1 degrees off with this turn, 2.3 to 2.6 with 0.04, for the points are biased."""
SCORE_TRUST, JAW_TRUST, JAW_SIGMA = 0.25, 1.0, 0.04
"""Share of the net's own scores in the expression's prior, and for jawOpen, where real smiles with closed teeth are
better told by the scores: the calibration reads them as an open jaw."""
WARP_SHARE = 0.25
"""How much of the residual warp the head takes with a calibration: half of it costs 0.02 mm, all of it 0.09, for the
points are biased. The texture follows all of it (`Fit.slack`)."""
BLINKS = [ARKIT_UNITS.index(name) for name in ("eyeBlinkLeft", "eyeBlinkRight")]
SCORED_ALREADY = [*BLINKS, *DOWNS, ARKIT_UNITS.index("mouthFunnel")]
"""Units for which the reader of units has heard the scores; the score of a funnel is 0 on nearly every face."""
TONGUE, TONGUE_SIGMA = ARKIT_UNITS.index("tongueOut"), 0.005
"""No landmark is on the tongue, which opens the mouth as the jaw does: whether it is out only the net's score says."""
STATED = ("yaw_sigma", "pitch_sigma", "roll_sigma", "scale_sigma")
"""Names in the diagnostics of `Prediction.pose_sigma`."""
EXPRESSION_SIGMA = 0.16
"""Spread of an expression unit around the net's score."""


def fit_landmarks(
    model: HeadModel,
    landmarks: Landmarks,
    camera: Camera,
    box_size: float,
    *,
    calibration: Calibration | None = None,
    warp: bool = True,
) -> Fit:
    """Fit one face.

    `box_size` (pixels) is what errors are reported relative to. With a `calibration` (made for this very model) and
    `landmarks.features` its answer is the prior; otherwise the prior is the mean head. Raises ValueError when the
    landmarks are degenerate.
    """
    basis = landmark_basis(model)
    target = landmarks.points[:, :2].astype(np.float64)
    if calibration is not None and landmarks.features is not None:
        prior, told = calibrated_prior(model, landmarks, camera, calibration)
        share, sigma = WARP_SHARE, told.sigma_mm.astype(np.float32)
        stated = dict(zip(STATED, map(float, told.pose_sigma), strict=True))
        stated["iris_mm"] = iris_mm(landmarks.points, 1 / told.scale)  # before they made the head larger or smaller
        stated["shape_sigma_mm"] = float(np.median(sigma[model.inner_face]))
    else:
        prior, share, sigma, stated = plain_prior(basis, landmarks, camera), 1.0, None, {}
    problem = FitProblem(basis, target, camera, prior)
    return settled(
        model,
        landmarks,
        box_size,
        problem,
        problem.solve(),
        warped=lambda wanted: share * wanted,
        warp=warp,
        sigma=sigma,
        stated=stated,
    )


def settled(
    model: HeadModel,
    landmarks: Landmarks,
    box_size: float,
    problem: FitProblem,
    solution: Solution,
    *,
    warped: Callable[[Array], Array],
    warp: bool = True,
    sigma: Array | None = None,
    stated: Mapping[str, float] | None = None,
) -> Fit:
    """The fit that a solution means. `warped` says how much of the residual warp (M, 3) the head takes; the rest is the
    fit's slack, with a calibration. `sigma` (C,) and `stated` are what is known of its errors."""
    basis, camera = landmark_basis(model), problem.camera
    target, x = problem.target, solution.x
    identity, expression = problem.split(x)
    rotation, translation = rotation_matrix(x[:3]) @ problem.rotation, x[3:6].copy()
    points = problem.points(x)
    in_camera = points @ rotation.T + translation
    residual = target - camera.project(in_camera)
    millimetres = residual * (in_camera[:, 2:] / camera.focal)
    wanted: Array = np.zeros((len(model.smooth_modes), 3))
    if warp:
        wanted = residual_warp(basis, model.smooth_stiffness, millimetres, rotation)
    coefficients = warped(wanted)
    moved = basis.modes @ coefficients
    bent = camera.project(in_camera + moved @ rotation.T)
    yaw, pitch = facing_degrees(rotation)
    pixel_mm = float(translation[2] / camera.focal)
    diagnostics = {
        "rms": _rms(bent - target) / box_size,
        "rms_model": _rms(residual) / box_size,
        "warp_mm": _rms(moved),
        "warp_max_mm": float(np.linalg.norm(moved, axis=1).max()),
        "yaw": yaw,
        "pitch": pitch,
        "roll": euler_degrees(rotation)[2],
        "distance_mm": float(np.linalg.norm(translation)),
        "mm_per_pixel": pixel_mm,
        "iris_mm": iris_mm(landmarks.points, pixel_mm),
        "iterations": float(solution.iterations),
        **(stated or {}),
    }
    return Fit(
        identity=identity.astype(np.float32),
        expression=dict(zip(model.expression_names, map(float, expression), strict=True)),
        head_to_camera=rigid(rotation, translation),
        camera=camera,
        warp=coefficients.astype(np.float32),
        diagnostics=diagnostics,
        slack=(wanted - coefficients).astype(np.float32) if sigma is not None else None,
        sigma_mm=sigma,
    )


def head_shapes(model: HeadModel, fit: Fit) -> tuple[Array, Array]:
    """Control vertices (C, 3) float32 mm of a fit: with the photo's expression, and at rest."""
    neutral = model.shape(fit.identity) + model.smooth_modes.T @ fit.warp
    if fit.taken is not None:
        neutral = neutral - np.tensordot(fit.taken, model.expression, axes=1)
    weights = expression_vector(fit.expression, model.expression_names)
    return np.asarray(neutral + np.tensordot(weights, model.expression, axes=1), np.float32), np.asarray(
        neutral, np.float32
    )


def expression_vector(expression: Mapping[str, float], names: tuple[str, ...]) -> Array:
    """By name -> (52,) float32 in the order of `names`; missing units are 0."""
    return np.array([expression.get(n, 0.0) for n in names], dtype=np.float32)


def plain_prior(basis: LandmarkBasis, landmarks: Landmarks, camera: Camera) -> Prior:
    """The mean head, the pose read off the points by Procrustes, the net's expression scores."""
    found = weak_perspective(basis.mean, landmarks.points)
    middle = camera.unproject(found.center, np.array(camera.focal / found.scale))
    rotation = from_axis(middle) @ found.rotation
    return Prior(
        rotation=rotation,
        translation=middle - rotation @ basis.mean.mean(axis=0),
        identity=np.zeros(basis.components),
        expression=np.clip(landmarks.scores.astype(np.float64), 0, 1),
        pose_sigma=np.full(6, np.inf),
        identity_sigma=np.ones(basis.components),
        expression_sigma=np.where(np.arange(len(landmarks.scores)) == TONGUE, TONGUE_SIGMA, EXPRESSION_SIGMA),
        point_sigma=PLAIN_POINT_SIGMA,
        point_weight=np.ones(len(basis.mean)),
    )


def calibrated_prior(
    model: HeadModel, landmarks: Landmarks, camera: Camera, calibration: Calibration
) -> tuple[Prior, Prediction]:
    """The calibration's answer, as a prior and as it is."""
    basis = landmark_basis(model)
    told = calibration.read(model, landmarks, camera.focal)
    blink = max(landmarks.scores[unit] for unit in BLINKS)
    growth = iris_growth(landmarks.points, told.scale, facing_degrees(told.rotation)[0], float(blink))
    depth = camera.focal / told.scale * float(np.exp(growth))
    place = camera.unproject(told.origin, np.array(depth))
    trust, spread = np.full((2, len(ARKIT_UNITS)), [[SCORE_TRUST], [UNIT_SIGMA]])
    jaw = ARKIT_UNITS.index("jawOpen")
    trust[jaw], spread[jaw] = JAW_TRUST, JAW_SIGMA
    spread[TONGUE] = TONGUE_SIGMA
    if calibration.units is not None:
        trust[SCORED_ALREADY] = 0.0
    prior = Prior(
        rotation=from_axis(place) @ told.rotation,
        translation=place,
        identity=told.identity + growth * growth_direction(model),
        expression=np.clip((1 - trust) * told.expression + trust * landmarks.scores, 0, 1),
        pose_sigma=np.array([TURN_SIGMA, TURN_SIGMA, TURN_SIGMA, SHIFT_SIGMA, SHIFT_SIGMA, DEPTH_SIGMA * depth]),
        identity_sigma=np.full(basis.components, IDENTITY_SIGMA),
        expression_sigma=spread,
        point_sigma=POINT_SIGMA,
        point_weight=calibration.point_weight,
    )
    return prior, told


def _rms(d: Array) -> float:
    return float(np.sqrt((d**2).sum(axis=-1).mean()))
