"""Pose, identity and expression of a linear head from 478 landmarks, by regularised least squares.

Maximum a posteriori: landmarks with isotropic noise, identity ~ N(0, 1), expression ~ N(net's scores, spread) in
[0, 1], under a perspective camera with known focal length.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.fit.solver import Solution, solve
from tronie.geometry import Camera, euler_degrees, rigid, rotation_matrix
from tronie.head.model import HeadModel
from tronie.types import Detection, Fit, Landmarks

Array = NDArray[np.floating[Any]]

POINT_SIGMA_MM = 2.6
"""Spread of one landmark's error on the head. Larger than what one point shows (1 to 1.5 mm): the net's errors are
shared by neighbours, so 478 points tell less than 478 independent ones."""
EXPRESSION_SIGMA = 0.16
"""Spread of an expression unit around the net's score."""
OVAL_WEIGHT = 0.35
"""The face oval slides along the silhouette as the head turns; it says less than the points inside."""
OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
        150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip

EQUIVALENT_MM = 50.0
"""Where a file says nothing: the focal length, as a 35 mm camera's, of a picture that is not a close-up."""
NEAREST_MM = 900.0
"""... and a face is taken to be no nearer than this: portraits are made from a distance, with longer lenses."""
FACE_MM = 165.0
"""Height of a detected face box in the flesh, brow hair to chin (mean over boxes of the default detector)."""

_POSE = 6


@dataclass(frozen=True, eq=False)
class LandmarkBasis:
    """The head model seen through its 478 embedded points only."""

    mean: Array
    """(478, 3)."""
    shape: Array
    """(478, 3, K + 52): identity, then expression."""
    shape32: Array
    """The same as float32."""
    modes: Array
    """(478, M) smooth modes at the points."""
    components: int
    """K."""
    weight: Array
    """(478,) square roots of the points' weights."""


@lru_cache(maxsize=4)
def landmark_basis(model: HeadModel) -> LandmarkBasis:
    level = model.level(1)
    index, weight = level.embedding478
    rows = level.matrix[index.ravel()]  # control rows behind the corners of every embedding triangle

    def at_points(field: Array) -> Array:
        """(C, n) -> (478, n)."""
        corners = np.asarray(rows @ field.astype(np.float64)).reshape(*index.shape, -1)
        return np.asarray(np.einsum("nck,nc->nk", corners, weight))

    count = len(model.mean)
    bases = np.concatenate([model.identity, model.expression])  # (K + 52, C, 3)
    shape = at_points(bases.transpose(1, 2, 0).reshape(count, -1)).reshape(len(index), 3, len(bases))
    w = np.ones(len(index))
    w[list(OVAL)] = OVAL_WEIGHT
    return LandmarkBasis(
        mean=at_points(model.mean),
        shape=shape,
        shape32=shape.astype(np.float32),
        modes=at_points(model.smooth_modes.T),
        components=len(model.identity),
        weight=np.sqrt(w),
    )


def guess_camera(size: tuple[int, int], focal: float | None, faces: list[Detection]) -> Camera:
    """The photo's camera: `focal` (pixels) when known, else a 50 mm equivalent, longer if a face is very large.

    `size` is (width, height). The principal point is the middle of the picture.
    """
    width, height = size
    if focal is None:
        focal = EQUIVALENT_MM / 36.0 * max(width, height)
        if faces:
            largest = max(face.box[3] - face.box[1] for face in faces)
            focal = max(focal, largest / FACE_MM * NEAREST_MM)
    return Camera(float(focal), (width / 2, height / 2), (width, height))


def fit_landmarks(model: HeadModel, landmarks: Landmarks, camera: Camera, box_size: float, *, warp: bool = True) -> Fit:
    """Fit one face.

    `box_size` (pixels) is what errors are reported relative to. Raises ValueError when the landmarks are degenerate.
    """
    basis = landmark_basis(model)
    target = landmarks.points[:, :2].astype(np.float64)
    rotation, translation = initial_pose(basis.mean, landmarks.points, camera)
    problem = _Problem(basis, target, camera, landmarks.scores.astype(np.float64), rotation, translation[2])
    solution = problem.solve(translation)
    x = solution.x
    identity, expression = problem.split(x)
    rotation, translation = rotation_matrix(x[:3]) @ problem.rotation, x[3:6].copy()
    points = problem.points(identity, expression)
    in_camera = points @ rotation.T + translation
    residual = target - camera.project(in_camera)
    millimetres = residual * (in_camera[:, 2:] / camera.focal)
    coefficients: Array = np.zeros((len(model.smooth_modes), 3))
    if warp:
        coefficients = residual_warp(basis, model.smooth_stiffness, millimetres, rotation)
    moved = basis.modes @ coefficients
    warped = camera.project(in_camera + moved @ rotation.T)
    yaw, pitch, roll = euler_degrees(rotation)
    pixel_mm = float(translation[2] / camera.focal)
    diagnostics = {
        "rms": _rms(warped - target) / box_size,
        "rms_model": _rms(residual) / box_size,
        "warp_mm": _rms(moved),
        "warp_max_mm": float(np.linalg.norm(moved, axis=1).max()),
        "yaw": yaw,
        "pitch": pitch,
        "roll": roll,
        "distance_mm": float(np.linalg.norm(translation)),
        "mm_per_pixel": pixel_mm,
        "iris_mm": iris_diameter(landmarks.points) * pixel_mm,
        "iterations": float(solution.iterations),
    }
    return Fit(
        identity=identity.astype(np.float32),
        expression=dict(zip(model.expression_names, map(float, expression), strict=True)),
        head_to_camera=rigid(rotation, translation),
        camera=camera,
        warp=coefficients.astype(np.float32),
        diagnostics=diagnostics,
    )


def head_shapes(model: HeadModel, fit: Fit) -> tuple[Array, Array]:
    """Control vertices (C, 3) float32 mm of a fit: with the photo's expression, and at rest."""
    neutral = model.shape(fit.identity) + model.smooth_modes.T @ fit.warp
    weights = expression_vector(fit.expression, model.expression_names)
    return np.asarray(neutral + np.tensordot(weights, model.expression, axes=1), np.float32), np.asarray(
        neutral, np.float32
    )


def expression_vector(expression: Mapping[str, float], names: tuple[str, ...]) -> Array:
    """By name -> (52,) float32 in the order of `names`; missing units are 0."""
    return np.array([expression.get(n, 0.0) for n in names], dtype=np.float32)


def initial_pose(mean: Array, points: Array, camera: Camera) -> tuple[Array, Array]:
    """Rotation (3, 3) and translation (3,) from the net's own depth: Procrustes (Umeyama 1991) on 478 points."""
    observed = points.astype(np.float64)
    source, goal = mean - mean.mean(axis=0), observed - observed.mean(axis=0)
    u, s, vt = np.linalg.svd(goal.T @ source)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = u @ np.diag(sign) @ vt
    scale = float((s * sign).sum() / (source**2).sum())
    if not np.isfinite(scale) or scale <= 1e-6:
        raise ValueError("the landmarks do not form a face")
    depth = camera.focal / scale
    centre = observed.mean(axis=0)[:2]
    middle = np.append((centre - np.asarray(camera.center)) * depth / camera.focal, depth)
    # the net's depth is that of a weak-perspective camera along the ray to the face: turn towards that ray
    ray = middle / np.linalg.norm(middle)
    axis = np.cross([0.0, 0.0, 1.0], ray)
    sine = float(np.linalg.norm(axis))
    rotation = rotation_matrix(axis * (np.arcsin(min(1.0, sine)) / max(sine, 1e-12))) @ rotation
    return rotation, middle - rotation @ mean.mean(axis=0)


class _Problem:
    """Residuals and derivatives; x = [rotation increment 3, translation 3, identity K, expression 52]."""

    def __init__(
        self, basis: LandmarkBasis, target: Array, camera: Camera, scores: Array, rotation: Array, depth: float
    ) -> None:
        self.basis, self.target, self.camera, self.scores, self.rotation = basis, target, camera, scores, rotation
        self.scale = basis.weight * depth / (camera.focal * POINT_SIGMA_MM)
        k, e = basis.components, basis.shape.shape[2] - basis.components
        self.prior_mean = np.concatenate([np.zeros(_POSE + k), scores])
        self.prior_precision = np.concatenate([np.full(_POSE, 1e-12), np.ones(k), np.full(e, EXPRESSION_SIGMA**-2)])
        unbounded = np.full(_POSE, np.inf)
        self.lower = np.concatenate([-unbounded, np.full(k, -3.5), np.zeros(e)])
        self.upper = np.concatenate([unbounded, np.full(k, 3.5), np.ones(e)])

    def split(self, x: Array) -> tuple[Array, Array]:
        k = self.basis.components
        return x[_POSE : _POSE + k], x[_POSE + k :]

    def points(self, identity: Array, expression: Array) -> Array:
        shape = self.basis.shape
        moved = shape.reshape(-1, shape.shape[2]) @ np.concatenate([identity, expression])
        return np.asarray(self.basis.mean + moved.reshape(-1, 3))

    def _camera_points(self, x: Array) -> tuple[Array, Array]:
        rotation = rotation_matrix(x[:3]) @ self.rotation
        turned = self.points(*self.split(x)) @ rotation.T
        return turned, rotation

    def _residual(self, turned: Array, x: Array) -> Array:
        return (self.camera.project(turned + x[3:6]) - self.target) * self.scale[:, None]

    def cost(self, x: Array) -> float:
        turned, _ = self._camera_points(x)
        if (turned[:, 2] + x[5]).min() < 1.0:
            return float("inf")
        r = self._residual(turned, x)
        d = x - self.prior_mean
        return float(0.5 * ((r * r).sum() + (self.prior_precision * d) @ d))

    def normal(self, x: Array) -> tuple[float, Array, Array]:
        turned, rotation = self._camera_points(x)
        p = turned + x[3:6]
        r = self._residual(turned, x)
        over_z = self.scale * self.camera.focal / p[:, 2]
        n = len(p)
        project = np.zeros((n, 2, 3))  # d residual / d camera point
        project[:, 0, 0] = project[:, 1, 1] = over_z
        project[:, :, 2] = -p[:, :2] / p[:, 2:] * over_z[:, None]
        jacobian = np.empty((n, 2, len(x)), dtype=np.float32)  # a direction needs no more; twice as fast
        jacobian[:, :, 0] = project[:, :, 2] * turned[:, None, 1] - project[:, :, 1] * turned[:, None, 2]
        jacobian[:, :, 1] = project[:, :, 0] * turned[:, None, 2] - project[:, :, 2] * turned[:, None, 0]
        jacobian[:, :, 2] = project[:, :, 1] * turned[:, None, 0] - project[:, :, 0] * turned[:, None, 1]
        jacobian[:, :, 3:6] = project
        np.matmul((project @ rotation).astype(np.float32), self.basis.shape32, out=jacobian[:, :, _POSE:])
        j = jacobian.reshape(2 * n, -1)
        d = x - self.prior_mean
        gradient = j.T @ r.ravel().astype(np.float32) + self.prior_precision * d
        hessian = (j.T @ j).astype(np.float64)
        hessian[np.diag_indices(len(x))] += self.prior_precision
        return float(0.5 * ((r * r).sum() + (self.prior_precision * d) @ d)), gradient, hessian

    def solve(self, translation: Array) -> Solution:
        k = self.basis.components
        x = np.concatenate([np.zeros(3), translation, np.zeros(k), np.clip(self.scores, 0, 1)])
        return solve(self.normal, self.cost, x, self.lower, self.upper)


WARP_STIFFNESS = 4.0e4
"""Weight of the biharmonic energy against the landmarks; larger bends less."""
WARP_LIMIT_MM = 4.0
"""No landmark is moved further than this."""


def residual_warp(basis: LandmarkBasis, stiffness: Array, residual: Array, rotation: Array) -> Array:
    """Coefficients (M, 3), head millimetres, of the smooth field that takes up the landmark residuals.

    `residual` (478, 2) mm in the image plane. The field moves parallel to the image plane only, so depth, which the
    landmarks do not see, stays the model's; its biharmonic energy (sum of stiffness^2 c^2) keeps it from bending the
    surface, and it is scaled down as a whole where it would exceed WARP_LIMIT_MM.
    """
    weighted = basis.modes * basis.weight[:, None]
    bending = WARP_STIFFNESS * len(basis.modes) * stiffness.astype(np.float64) ** 2
    system = weighted.T @ weighted + np.diag(bending + 0.5)
    plane = np.linalg.solve(system, weighted.T @ (residual * basis.weight[:, None]))
    largest = float(np.linalg.norm(basis.modes @ plane, axis=1).max())
    plane *= min(1.0, WARP_LIMIT_MM / max(largest, 1e-9))
    return np.asarray(plane @ rotation[:2])


def iris_diameter(points: Array) -> float:
    """Pixels: mean over both irises of the larger of the two measured diameters."""
    p = points[:, :2]
    spans = [max(np.linalg.norm(p[a] - p[b]), np.linalg.norm(p[c] - p[d])) for a, b, c, d in _IRIS_ENDS]
    return float(np.mean(spans))


_IRIS_ENDS = ((469, 471, 470, 472), (474, 476, 475, 477))


def _rms(d: Array) -> float:
    return float(np.sqrt((d**2).sum(axis=-1).mean()))
