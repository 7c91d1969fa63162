"""One identity for several looks at the same person: photos, or the frames of a video.

The calibration answers for each look; the answers are fused (`fusion`), and each look is fitted again with the
identity held. What all looks' residuals ask for beyond the model becomes part of the head.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tronie.arrays import Array
from tronie.head.model import HeadModel
from tronie.stages.fit.basis import landmark_basis
from tronie.stages.fit.closure import closed, parting
from tronie.stages.fit.fusion import Answer, FaceView, FusedIdentity, answer_to, answer_weights, evidence_of
from tronie.stages.fit.map_fit import STATED, WARP_SHARE, calibrated_prior, expression_vector, settled
from tronie.stages.fit.problem import FitProblem
from tronie.stages.fit.regressor import Calibration
from tronie.stages.fit.scale import size_of
from tronie.types import Fit

PHOTOS_PRICE = 0.05
"""Of `common_warp` for photos, whose poses differ. Frames of a clip are many, and their mean is sure: they pay less."""


@dataclass(frozen=True, eq=False)
class MultiViewFit:
    """What all looks at a person tell together, and each look fitted again with that."""

    person: FusedIdentity
    warp: Array
    """(M, 3) mm: the residual warp that belongs to the person."""
    fits: tuple[Fit, ...]
    """One for each look, with the person's identity, warp and spreads, and its own expression, pose and slack."""
    answers: tuple[Answer, ...]
    weights: tuple[float, ...]
    """How much each answer counted; 0 for copies of a photo."""


def fit_views(
    model: HeadModel, calibration: Calibration, looks: Sequence[FaceView], *, kind: str = "photos", warp: bool = True
) -> MultiViewFit:
    """One person from all looks. Of a single look it is what `fit_landmarks` makes, but for the identity, which here is
    the calibration's answer and is held. Raises ValueError when there is no look, or one's landmarks form no face."""
    answers = [answer_to(model, calibration, look) for look in looks]
    counted = answer_weights(model, answers, kind)
    person = evidence_of(model, calibration, answers, kind).person
    fits = [fit_known_identity(model, calibration, look, person, warp=warp) for look in looks]
    common = warp_of_fits(fits, counted)
    most = 1 - np.max([expression_vector(fit.expression, model.expression_names) for fit in fits], axis=0)
    taken = parting(model, model.shape(person.identity) + model.smooth_modes.T @ common, most)
    own = tuple(with_warp(fit, common) for fit in fits)
    if taken is not None:
        own = tuple(closed(model, fit, taken) for fit in own)
    return MultiViewFit(person, common, own, tuple(answers), tuple(counted))


def fit_known_identity(
    model: HeadModel,
    calibration: Calibration,
    look: FaceView,
    person: FusedIdentity,
    *,
    common: Array | None = None,
    warp: bool = True,
) -> Fit:
    """Pose and expression of a look at a known person; the fit takes `common` (M, 3) of the residual warp."""
    prior, told = calibrated_prior(model, look.landmarks, look.camera, calibration)
    # A larger head than the calibration saw in this look is further away.
    away = float(np.exp(size_of(model) @ (person.identity - prior.identity)))
    sigma = prior.pose_sigma.copy()
    sigma[5] *= away
    prior = replace(prior, identity=person.identity, translation=prior.translation * away, pose_sigma=sigma)
    target = look.landmarks.points[:, :2].astype(np.float64)
    problem = FitProblem(landmark_basis(model), target, look.camera, prior, free=0)
    stated = dict(zip(STATED, map(float, told.pose_sigma), strict=True))
    stated["shape_sigma_mm"] = float(np.median(person.sigma_mm[model.inner_face]))
    fit = settled(
        model,
        look.landmarks,
        look.size,
        problem,
        problem.solve(),
        warped=np.zeros_like,
        warp=warp,
        sigma=person.sigma_mm,
        stated=stated,
    )
    return fit if common is None else with_warp(fit, common)


def with_warp(fit: Fit, warp: Array) -> Fit:
    """The fit with another part of its residual warp in the head, the rest as slack."""
    assert fit.slack is not None
    return replace(fit, warp=warp.astype(np.float32), slack=(fit.warp + fit.slack - warp).astype(np.float32))


def warp_of_fits(fits: Sequence[Fit], weights: Sequence[float]) -> Array:
    """(M, 3) mm: the part of `common_warp` that the head takes, by the fits' own warps with all their slack.

    As much as a single look's is (WARP_SHARE): what is left of the residuals is biased.
    """
    rotations = [fit.head_to_camera[:3, :3] for fit in fits]
    warps = []
    for fit in fits:
        assert fit.slack is not None
        warps.append(fit.warp + fit.slack)
    found = common_warp(rotations, warps, np.asarray(weights) / np.sum(weights), PHOTOS_PRICE)
    return np.asarray(WARP_SHARE * found * (1 + PHOTOS_PRICE))  # of a single look it is what that asks for


def common_warp(rotations: Sequence[Array], warps: Sequence[Array], weights: Iterable[float], price: float) -> Array:
    """(M, 3) mm: the residual warp that all looks ask for together, each in its own image plane only.

    Least squares over looks with rotations (3, 3) head -> camera, warps (M, 3) and weights, drawn to none by `price`:
    few looks say nothing across their planes.
    """
    system, wanted = np.zeros((3, 3)), np.zeros_like(warps[0], dtype=np.float64)
    for rotation, warp, weight in zip(rotations, warps, weights, strict=True):
        plane = rotation[:2]
        system += weight * plane.T @ plane
        wanted += weight * warp
    return np.asarray(np.linalg.solve(system + price * np.eye(3), wanted.T).T)
