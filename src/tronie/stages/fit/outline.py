"""The fit, refined by the outline of a turned face: where the head's contour would be seen, and where the skin ends.

What a fit believes of itself before it sees the outline is the covariance of its errors on renders (`FitErrors`): so a
contour that is off moves identity, pose and expression as far as each of them is usually wrong, and all that usually is
wrong with it. That is one Kalman update, taken again where the contour has moved (the iterated extended Kalman filter,
which is Gauss-Newton's method: Bell & Cathey 1993), with Cauchy's weights against edges that are somebody else's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import facing_degrees, rigid, rotation_matrix
from tronie.head.arkit import MIRRORED_UNITS
from tronie.head.model import HeadModel, default_head
from tronie.runtime import weights
from tronie.shells import Segmentation
from tronie.stages.fit.basis import landmark_basis, mirror_map
from tronie.stages.fit.contour import contour_of, edge_offsets, front_of
from tronie.stages.fit.fusion import OutlineSays, shape_modes
from tronie.stages.fit.map_fit import STATED, expression_vector, settled
from tronie.stages.fit.problem import POSE, FitProblem, Prior, Solution
from tronie.types import Fit, Landmarks

LEAST_YAW = 12.0
"""Degrees from which on a face has an outline; of less turned ones ears and hair are the outline."""
LEAST_POINTS, LARGEST_PIXEL = 8, 1.5
"""The least of the contour that is worth the while, and mm of a photo's pixels above which its edge is too vague."""
ROUNDS = 2
EDGE_SIGMA, CAUCHY_MM = 2.0, 1.5
"""mm: spread of one point's offset (more than it is off by itself, for neighbours are off alike), and the offset from
which on it counts less than half."""
ALONE = 0.1
"""Share of the errors' variance that is taken to belong to each unknown alone: few errors tell little of how 158
unknowns hang together."""
ASTRAY = 0.012
"""By how much, of the face's size, the landmarks may be further from a head that follows an outline: one that asks for
more is not the face's (usual: 0.002 to 0.006)."""
Side = Literal["left", "right"]
"""To which a head is turned, as its owner calls it."""
KEPT = 12
"""Directions of identity of which the outline's news for the spreads is told."""


@dataclass(frozen=True, eq=False)
class FitErrors:
    """How the errors of fits hang together, of heads turned to their left and to their right.

    The unknowns: turn (3, radians, camera axes), shift to the right and down (mm), logarithm of the depth, identity
    (K), expression (52).
    """

    left: Array
    """(n, n)."""
    right: Array
    """(n, n): of the mirror images."""

    def of(self, side: Side) -> Array:
        return self.left if side == "left" else self.right


@cache
def fit_errors() -> FitErrors:
    """Of the head that ships with the package (training/landmarks/fit_errors.py)."""
    with np.load(weights.path("fit_errors"), allow_pickle=False) as z:
        sigma, correlation = z["sigma"].astype(np.float64), z["correlation"].astype(np.float64)
    correlation = (1 - ALONE) * correlation + ALONE * np.eye(len(sigma))
    left = correlation * sigma * sigma[:, None]
    flip = mirrored_unknowns(default_head())
    return FitErrors(left, flip @ left @ flip.T)


def mirrored_unknowns(model: HeadModel) -> Array:
    """(n, n) by which the unknowns of a picture become those of its mirror image."""
    k = len(model.identity)
    flip = np.zeros((POSE + k + len(MIRRORED_UNITS),) * 2)
    flip[range(POSE), range(POSE)] = [1, -1, -1, -1, 1, 1]
    flip[POSE : POSE + k, POSE : POSE + k] = mirror_map(model).T
    flip[POSE + k + np.arange(len(MIRRORED_UNITS)), POSE + k + np.array(MIRRORED_UNITS)] = 1
    return flip


def camera_jacobian(turned: Array, shift: Array, rotation: Array, fields: Array) -> Array:
    """(n, 2, 6 + F) by which points move in the photo, in mm at their own depth; `turned` (n, 3) in camera axes before
    the shift, `fields` (n, 3, F) in head space."""
    place = turned + shift
    project = np.zeros((len(place), 2, 3))
    project[:, 0, 0] = project[:, 1, 1] = 1.0
    project[:, :, 2] = -place[:, :2] / place[:, 2:]
    x, y, z = turned.T
    cross = np.zeros((len(place), 3, 3))
    cross[:, 0, 1], cross[:, 0, 2], cross[:, 1, 2] = z, -y, x
    cross[:, 1, 0], cross[:, 2, 0], cross[:, 2, 1] = -z, y, -x
    out = np.empty((len(place), 2, POSE + fields.shape[2]))
    out[:, :, :3] = project @ cross
    out[:, :, 3:POSE] = project
    out[:, :, POSE - 1] *= shift[2]
    out[:, :, POSE:] = (project @ rotation) @ fields
    return out


@dataclass(frozen=True, eq=False)
class Unknowns:
    """What the outline may change."""

    rotation: Array
    translation: Array
    identity: Array
    expression: Array

    @classmethod
    def of(cls, model: HeadModel, fit: Fit) -> Unknowns:
        pose = fit.head_to_camera
        expression = expression_vector(fit.expression, model.expression_names).astype(np.float64)
        return cls(pose[:3, :3], pose[:3, 3], fit.identity.astype(np.float64), expression)

    def moved(self, x: Array) -> Unknowns:
        k = len(self.identity)
        return Unknowns(
            rotation_matrix(x[:3]) @ self.rotation,
            self.translation + np.array([x[3], x[4], self.translation[2] * np.expm1(x[5])]),
            self.identity + x[POSE : POSE + k],
            np.clip(self.expression + x[POSE + k :], 0, 1),
        )


def outlined(
    model: HeadModel,
    fit: Fit,
    landmarks: Landmarks,
    box_size: float,
    image: Image,
    segmentation: Segmentation,
    *,
    errors: FitErrors,
    warp: bool = True,
) -> Fit:
    """The fit of a face in an RGB photo as its outline tells it; itself where that tells nothing."""
    if not has_outline(fit):
        return fit
    found = _told(model, fit, image, segmentation, errors)
    return fit if found is None else _believed(model, fit, found, landmarks, box_size, errors, warp) or fit


def outline_says(
    model: HeadModel,
    fit: Fit,
    landmarks: Landmarks,
    box_size: float,
    image: Image,
    segmentation: Segmentation,
    *,
    errors: FitErrors,
) -> OutlineSays | None:
    """What the outline of one photo of a person says of their identity, to be fused with other photos; None where it
    tells nothing. `fit` is with its residual warp; arguments as in `outlined`."""
    found = _told(model, fit, image, segmentation, errors) if has_outline(fit) else None
    if found is None or _believed(model, fit, found, landmarks, box_size, errors, warp=True) is None:
        return None
    of = slice(POSE, POSE + len(model.identity))
    axes, inner = shape_modes(model).axes, errors.of(found.side)[of, of]
    before = np.einsum("km,kl,lm->m", axes, inner, axes, optimize=True)
    told = ((axes.T @ found.news[of]) ** 2).sum(axis=1)
    return OutlineSays(
        found.now.identity - fit.identity,
        np.clip(1 - told / before, 0.05, 1),
        _narrower(model, _variance(model, errors, found.side), found.news),
    )


def has_outline(fit: Fit) -> bool:
    """Whether the face is turned far enough, and large enough, for its outline to be asked."""
    pixel_mm = float(fit.head_to_camera[2, 3] / fit.camera.focal)
    return abs(facing_degrees(fit.head_to_camera[:3, :3])[0]) >= LEAST_YAW and pixel_mm <= LARGEST_PIXEL


@dataclass(frozen=True, eq=False)
class Told:
    """What an outline tells."""

    side: Side
    now: Unknowns
    news: Array
    """(n, m) by whose square the covariance of the unknowns has become less."""


def _told(model: HeadModel, fit: Fit, image: Image, segmentation: Segmentation, errors: FitErrors) -> Told | None:
    """None where there is too little of it."""
    side: Side = "left" if facing_degrees(fit.head_to_camera[:3, :3])[0] >= 0 else "right"
    front, covariance, start = front_of(model), errors.of(side), Unknowns.of(model, fit)
    bent = model.smooth_modes.T @ fit.warp
    x, now, news = np.zeros(len(covariance)), start, None
    for _ in range(ROUNDS):
        control = model.shape(now.identity, now.expression) + bent
        contour = contour_of(model, control, fit.camera, rigid(now.rotation, now.translation))
        if len(contour.pixels) < LEAST_POINTS:
            return None
        offset, worth = edge_offsets(image, segmentation, contour)
        used = np.flatnonzero(worth > 0)
        if len(used) < LEAST_POINTS:
            return None
        offset, worth, out = offset[used], worth[used], contour.out[used]
        ends, share = front.matrix[contour.rows[used].T.ravel()], contour.share[used, None, None]
        both = (ends @ front.fields.reshape(len(front.fields), -1)).reshape(2, len(used), *front.fields.shape[1:])
        fields = (1 - share) * both[0] + share * both[1]
        moves = camera_jacobian(contour.points[used] - now.translation, now.translation, now.rotation, fields)
        j = np.einsum("nd,ndk->nk", out, moves)
        noise = EDGE_SIGMA**2 * (1 + (offset / CAUCHY_MM) ** 2) / worth
        spread = covariance @ j.T
        whole = j @ spread
        whole[np.diag_indices(len(used))] += noise
        x = spread @ np.linalg.solve(whole, offset + j @ x)
        now = start.moved(x)
        news = spread @ np.linalg.inv(np.linalg.cholesky(whole)).T
    assert news is not None
    return Told(side, now, news)


def _believed(
    model: HeadModel, fit: Fit, found: Told, landmarks: Landmarks, size: float, errors: FitErrors, warp: bool
) -> Fit | None:
    """The fit as it was found; None where that would take it from its landmarks."""
    sigma = fit.sigma_mm
    if sigma is not None:
        sigma = sigma * _narrower(model, _variance(model, errors, found.side), found.news)
    made = _settled(model, fit, found.now, landmarks, size, warp, sigma)
    return None if made.diagnostics["rms"] > fit.diagnostics["rms"] + ASTRAY else made


def _narrower(model: HeadModel, before: Array, news: Array) -> Array:
    """(C,) float32 share of the spread of each control vertex that is left: its variance was `before`, (C,) mm^2, and
    the covariance of the unknowns has lost news @ news.T, (n, m)."""
    k = len(model.identity)
    fields = front_of(model).fields.reshape(3 * len(model.mean), -1)[:, :k]
    u, s, _ = np.linalg.svd(news[POSE : POSE + k], full_matrices=False)
    told = ((fields @ (u * s)[:, :KEPT].astype(np.float32)) ** 2).reshape(len(model.mean), -1).sum(axis=1)
    return np.asarray(np.sqrt(np.clip(1 - told / before, 0.05, 1)), dtype=np.float32)


@lru_cache(maxsize=4)
def _variance(model: HeadModel, errors: FitErrors, side: Side) -> Array:
    """(C,) mm^2 of each control vertex, by the errors of the identity."""
    k = len(model.identity)
    fields = front_of(model).fields[..., :k].astype(np.float64)
    inner = errors.of(side)[POSE : POSE + k, POSE : POSE + k]
    return np.asarray(np.einsum("cdk,cdk->c", fields @ inner, fields) + 1e-9)


def _settled(
    model: HeadModel, fit: Fit, now: Unknowns, landmarks: Landmarks, size: float, warp: bool, sigma: Array | None
) -> Fit:
    """The fit with other unknowns. Its residual warp stays; what the landmarks ask for beyond is slack."""
    k, units = len(now.identity), len(now.expression)
    prior = Prior(
        rotation=now.rotation,
        translation=now.translation,
        identity=now.identity,
        expression=now.expression,
        pose_sigma=np.full(POSE, np.inf),
        identity_sigma=np.ones(k),
        expression_sigma=np.ones(units),
        point_sigma=1.0,
        point_weight=np.ones(len(landmarks.points)),
    )
    target = landmarks.points[:, :2].astype(np.float64)
    problem = FitProblem(landmark_basis(model), target, fit.camera, prior, free=0)
    solution = Solution(problem.prior_mean, 0.0, np.zeros((0, 0)), ROUNDS)
    stated = {name: fit.diagnostics[name] for name in (*STATED, "iris_mm") if name in fit.diagnostics}
    if sigma is not None:
        stated["shape_sigma_mm"] = float(np.median(sigma[model.inner_face]))
    return settled(
        model,
        landmarks,
        size,
        problem,
        solution,
        warped=lambda _: fit.warp,
        warp=warp,
        sigma=sigma,
        stated=stated,
    )
