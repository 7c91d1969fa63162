"""A fit corrected by hand: landmarks that a user puts where they belong bend it.

What a fit was before is the prior: its other landmarks stay where they are but near a pin, pose, identity and
expression depart from it only as far as pins ask, and what the model cannot say a smooth field takes up. So a pin where
its landmark lies anyway holds that place and bends nothing. No net and no photo are asked.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tronie.arrays import Array
from tronie.geometry import euler_degrees, facing_degrees, rigid, rotation_matrix
from tronie.head.model import HeadModel
from tronie.stages.fit.basis import LandmarkBasis, landmark_basis
from tronie.stages.fit.closure import closed
from tronie.stages.fit.map_fit import DEPTH_SIGMA, SHIFT_SIGMA, TURN_SIGMA, expression_vector
from tronie.stages.fit.problem import FitProblem, Prior
from tronie.types import Fit, Landmarks

PIN_SIGMA = 0.3
"""mm: how well a hand places a landmark."""
STAY_SIGMA = 2.0
"""mm: how well the others stay where they are."""
EVERY = 3
"""Of those that stay, so many share one voice: they tell the same, and it is three times as fast."""
NEAR_MM = 14.0
"""About so far from a pin they follow it."""
FREE_IDENTITY, FREE_EXPRESSION = 0.25, 0.25
"""How far identity and expression depart from what they were; the calibration was surer, but that is corrected."""
FIELD_STIFFNESS, FIELD_LIMIT_MM = 2.0e3, 15.0
"""Of the smooth field beyond the model: as `WARP_STIFFNESS` and `WARP_LIMIT_MM` of basis.py, softer and wider, for pins
are no noise."""
FIELD_PIN, FIELD_STILL = 3000.0, 300.0
"""What a pin says to it, and all of the head, which is to stay, by a landmark that stays."""


def pinned(model: HeadModel, fit: Fit, landmarks: Landmarks, box_size: float) -> Fit:
    """The fit bent so that the landmarks in `landmarks.pins` lie there; without pins what it was before there were any.

    `box_size` (pixels) is what errors are reported relative to. `model` has to have landmarks and units of expression.
    """
    before, pins = fit.unpinned or fit, landmarks.pins
    if not pins:
        return before
    rows = np.array(sorted(pins))
    wanted = np.array([pins[int(row)] for row in rows], dtype=np.float64)
    person = _person(model, before)
    shown = landmarks_shown(model, before)
    target = shown.copy()
    target[rows] = wanted
    place = before.head_to_camera
    pull = _pull(person.mean, rows, place[2, 3] / before.camera.focal)
    some = np.union1d(np.arange(0, len(shown), EVERY), rows)
    part = replace(person, mean=person.mean[some], shape=person.shape[some])
    problem = FitProblem(part, target[some], before.camera, _prior(person, before, model), pull=pull[some])
    x = problem.solve().x
    identity, expression = problem.split(x)
    rotation, translation = rotation_matrix(x[:3]) @ problem.rotation, x[3:6].copy()
    in_camera = (person.mean + person.shape @ np.concatenate([identity, expression])) @ rotation.T + translation
    left = (wanted - before.camera.project(in_camera[rows])) * (in_camera[rows, 2:] / before.camera.focal)
    bend = _field(person, model.smooth_stiffness, rows, left) @ rotation[:2]
    warp = before.warp + bend
    slack = before.slack
    if slack is not None:  # the texture, too, is read where the hand says
        there = -(person.modes[rows] @ slack) @ rotation[:2].T
        slack = (slack + _field(person, model.smooth_stiffness, rows, there) @ rotation[:2]).astype(np.float32)
    bent = before.camera.project(in_camera + (person.modes @ bend) @ rotation.T)
    moved = person.modes @ warp
    yaw, pitch = facing_degrees(rotation)
    diagnostics = {
        **before.diagnostics,
        "rms": float(np.sqrt(((bent - landmarks.points[:, :2]) ** 2).sum(axis=1).mean())) / box_size,
        "warp_mm": float(np.sqrt((moved**2).sum(axis=1).mean())),
        "warp_max_mm": float(np.linalg.norm(moved, axis=1).max()),
        "yaw": yaw,
        "pitch": pitch,
        "roll": euler_degrees(rotation)[2],
        "distance_mm": float(np.linalg.norm(translation)),
        "mm_per_pixel": float(translation[2] / before.camera.focal),
    }
    made = replace(
        before,
        identity=identity.astype(np.float32),
        expression=dict(zip(model.expression_names, map(float, expression), strict=True)),
        head_to_camera=rigid(rotation, translation),
        warp=warp.astype(np.float32),
        slack=slack,
        diagnostics=diagnostics,
        unpinned=before,
    )
    return closed(model, made)


def landmarks_shown(model: HeadModel, fit: Fit) -> Array:
    """(478, 2) photo pixels: where the fitted head's own landmarks lie."""
    person, place = _person(model, fit), fit.head_to_camera
    known = np.concatenate([fit.identity, expression_vector(fit.expression, model.expression_names)])
    return fit.camera.project((person.mean + person.shape @ known) @ place[:3, :3].T + place[:3, 3])


def _person(model: HeadModel, fit: Fit) -> LandmarkBasis:
    """The model's landmarks with the fit's residual warp, at rest as the fit has them."""
    basis = landmark_basis(model)
    mean = basis.mean + basis.modes @ fit.warp
    if fit.taken is not None:
        mean = mean - basis.shape[:, :, basis.components :] @ fit.taken
    return replace(basis, mean=mean)


def _prior(person: LandmarkBasis, fit: Fit, model: HeadModel) -> Prior:
    place, expression = fit.head_to_camera, expression_vector(fit.expression, model.expression_names)
    return Prior(
        rotation=place[:3, :3],
        translation=place[:3, 3],
        identity=fit.identity.astype(np.float64),
        expression=expression.astype(np.float64),
        pose_sigma=np.array([*[TURN_SIGMA] * 3, SHIFT_SIGMA, SHIFT_SIGMA, DEPTH_SIGMA * place[2, 3]]),
        identity_sigma=np.full(person.components, FREE_IDENTITY),
        expression_sigma=np.full(len(expression), FREE_EXPRESSION),
        point_sigma=STAY_SIGMA,
        point_weight=np.ones(len(person.mean)),
    )


def _near(mean: Array, rows: Array) -> Array:
    """(478,) 1 at a pin, 0 far from all."""
    off = ((mean[:, None] - mean[rows]) ** 2).sum(axis=2).min(axis=1)
    return np.asarray(np.exp(-off / (2 * (NEAR_MM / 2) ** 2)))


def _pull(mean: Array, rows: Array, pixel_mm: float) -> Array:
    """(478, 2, 2) by which offsets in the image are multiplied."""
    strength = np.sqrt(EVERY * (1 - _near(mean, rows))) / STAY_SIGMA
    strength[rows] = 1 / PIN_SIGMA
    return np.asarray(pixel_mm * strength[:, None, None] * np.eye(2))


def _field(basis: LandmarkBasis, stiffness: Array, rows: Array, offsets: Array) -> Array:
    """(M, 2) coefficients, mm, of the smooth field that has `offsets` (n, 2) mm at the pins and little elsewhere."""
    weight = 1 - _near(basis.mean, rows)
    weight[rows] = FIELD_PIN
    system = (basis.modes.T * weight) @ basis.modes
    bending = FIELD_STIFFNESS * len(basis.modes) * stiffness.astype(np.float64) ** 2
    system[np.diag_indices(len(system))] += bending + FIELD_STILL
    field = np.linalg.solve(system, basis.modes[rows].T @ (FIELD_PIN * offsets))
    largest = float(np.linalg.norm(basis.modes @ field, axis=1).max())
    return np.asarray(field * min(1.0, FIELD_LIMIT_MM / max(largest, 1e-9)))
