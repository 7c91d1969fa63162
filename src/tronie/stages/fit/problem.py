"""Maximum a posteriori fit of pose, identity and expression to 478 landmarks.

Residuals, derivatives, and Levenberg-Marquardt with box bounds for small dense problems (Nocedal & Wright 2006, 10.3
and 16.7).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tronie.arrays import Array
from tronie.geometry import Camera, rotation_matrix
from tronie.stages.fit.basis import LandmarkBasis
from tronie.stages.landmarks.lines import OVAL

Normal = tuple[float, Array, Array]
"""cost, gradient (n,), Gauss-Newton Hessian (n, n) of half the squared residuals."""
POSE = 6
"""The first unknowns: rotation increment (3, radians, camera axes), translation (3, mm)."""
OVAL_WEIGHT, OVAL_ALONG = 0.5, 0.3
"""Weight of the face oval's points, and how much less (square root) an offset along it counts than one across."""
HIDDEN_YAW, FAR_SIDE_MM = (15.0, 45.0), 15.0
"""Degrees between which the far side's outline loses its say, and how far from the middle that side begins."""
FREE = 40
"""Identity components that the solver moves (98 % of the variance); the rest stay at their prior. Halves its time."""


@dataclass(frozen=True, eq=False)
class Prior:
    """Where the solver starts and what departing from there costs; a diagonal normal distribution."""

    rotation: Array
    """(3, 3) head -> camera."""
    translation: Array
    """(3,) mm."""
    identity: Array
    """(K,)."""
    expression: Array
    """(52,) within 0..1."""
    pose_sigma: Array
    """(6,) radians and mm; inf where nothing is known."""
    identity_sigma: Array
    """(K,)."""
    expression_sigma: Array
    """(52,)."""
    point_sigma: float
    """mm: spread of a landmark on the head. Larger than what one point shows (1 to 1.5 mm), for the net's errors are
    shared by neighbours: 478 points tell less than 478 independent ones."""
    point_weight: Array
    """(478,) how much more or less than others a point says; 1 on average."""


def contour_pull(mean: Array, target: Array, rotation: Array) -> Array:
    """(478, 2, 2) by which the image offset of each point is multiplied: the identity but for the face oval.

    The net lays the oval on the outline of what it sees, so a point there says where the outline is, not where along it
    (only the part of the offset across it counts); and on the far side of a turned head, where the cheek hides the jaw,
    the outline is another line of the head, and says ever less.
    """
    pull = np.tile(np.eye(2), (len(target), 1, 1))
    ring = np.array(OVAL)
    along = target[np.roll(ring, -1)] - target[np.roll(ring, 1)]
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    near = np.ones(len(ring))
    turned = float(np.degrees(np.arcsin(np.clip(abs(rotation[2, 0]), 0, 1))))
    far = mean[ring, 0] * np.sign(rotation[2, 0]) > FAR_SIDE_MM
    near[far] = np.clip((HIDDEN_YAW[1] - turned) / (HIDDEN_YAW[1] - HIDDEN_YAW[0]), 0, 1)
    share = near * OVAL_WEIGHT
    pull[ring] = (share**0.5)[:, None, None] * (
        across[:, :, None] * across[:, None] + OVAL_ALONG * along[:, :, None] * along[:, None]
    )
    return pull


class FitProblem:
    """Residuals and derivatives; x = [rotation increment 3, translation 3, identity <= FREE, expression 52]."""

    def __init__(
        self,
        basis: LandmarkBasis,
        target: Array,
        camera: Camera,
        prior: Prior,
        free: int = FREE,
        pull: Array | None = None,
    ) -> None:
        """The first `free` components of identity may move. `pull` (n, 2, 2) takes the place of what the prior says of
        the points; of a basis of other points than the 478 it has to."""
        self.basis, self.target, self.camera, self.rotation = basis, target, camera, prior.rotation
        if pull is None:
            scale = np.sqrt(prior.point_weight) * prior.translation[2] / (camera.focal * prior.point_sigma)
            pull = scale[:, None, None] * contour_pull(basis.mean, target, prior.rotation)
        self.pull = pull
        self.free = k = min(basis.components, free)
        e, self.held = len(prior.expression), prior.identity[k:]
        moving = np.r_[:k, basis.components : basis.shape.shape[2]]
        self.rest = basis.mean + basis.shape[:, :, k : basis.components] @ self.held
        self.shape = basis.shape[:, :, moving]
        self.shape32 = self.shape.astype(np.float32)
        self.prior_mean = np.concatenate([np.zeros(3), prior.translation, prior.identity[:k], prior.expression])
        sigma = np.concatenate([prior.pose_sigma, prior.identity_sigma[:k], prior.expression_sigma])
        self.prior_precision = sigma**-2.0 + 1e-12
        unbounded = np.full(POSE, np.inf)
        self.lower = np.concatenate([-unbounded, np.full(k, -3.5), np.zeros(e)])
        self.upper = np.concatenate([unbounded, np.full(k, 3.5), np.ones(e)])

    def split(self, x: Array) -> tuple[Array, Array]:
        """Identity (K,) and expression (52,)."""
        return np.concatenate([x[POSE : POSE + self.free], self.held]), x[POSE + self.free :]

    def points(self, x: Array) -> Array:
        """(478, 3) mm in head space."""
        moved = self.shape.reshape(-1, self.shape.shape[2]) @ x[POSE:]
        return np.asarray(self.rest + moved.reshape(-1, 3))

    def _camera_points(self, x: Array) -> tuple[Array, Array]:
        rotation = rotation_matrix(x[:3]) @ self.rotation
        turned = self.points(x) @ rotation.T
        return turned, rotation

    def _residual(self, turned: Array, x: Array) -> Array:
        off = self.camera.project(turned + x[3:6]) - self.target
        return np.asarray(self.pull[:, :, 0] * off[:, :1] + self.pull[:, :, 1] * off[:, 1:])

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
        over_z = self.camera.focal / p[:, 2]
        n = len(p)
        screen = np.zeros((n, 2, 3))
        screen[:, 0, 0] = screen[:, 1, 1] = over_z
        screen[:, :, 2] = -p[:, :2] / p[:, 2:] * over_z[:, None]
        project = self.pull @ screen  # d residual / d camera point
        jacobian = np.empty((n, 2, len(x)), dtype=np.float32)  # a direction needs no more; twice as fast
        jacobian[:, :, 0] = project[:, :, 2] * turned[:, None, 1] - project[:, :, 1] * turned[:, None, 2]
        jacobian[:, :, 1] = project[:, :, 0] * turned[:, None, 2] - project[:, :, 2] * turned[:, None, 0]
        jacobian[:, :, 2] = project[:, :, 1] * turned[:, None, 0] - project[:, :, 0] * turned[:, None, 1]
        jacobian[:, :, 3:6] = project
        np.matmul((project @ rotation).astype(np.float32), self.shape32, out=jacobian[:, :, POSE:])
        j = jacobian.reshape(2 * n, -1)
        d = x - self.prior_mean
        gradient = j.T @ r.ravel().astype(np.float32) + self.prior_precision * d
        hessian = (j.T @ j).astype(np.float64)
        hessian[np.diag_indices(len(x))] += self.prior_precision
        return float(0.5 * ((r * r).sum() + (self.prior_precision * d) @ d)), gradient, hessian

    def solve(self) -> Solution:
        return levenberg_marquardt(
            self.normal, self.cost, np.clip(self.prior_mean, self.lower, self.upper), self.lower, self.upper
        )


@dataclass(frozen=True, slots=True)
class Solution:
    x: Array
    cost: float
    hessian: Array
    """(n, n) at x: the inverse covariance when the residuals are whitened."""
    iterations: int


def levenberg_marquardt(
    normal: Callable[[Array], Normal],
    cost: Callable[[Array], float],
    x: Array,
    lower: Array,
    upper: Array,
    *,
    step: Callable[[Array, Array], Array] = np.add,
    max_iterations: int = 12,
    tolerance: float = 1e-3,
) -> Solution:
    """Minimise a sum of squares.

    `normal` gives cost, gradient and Hessian at x; `cost` only the cost; `step(x, dx)` moves x (rotations may
    compose). Variables on a bound whose gradient points outwards are held there for that iteration. Stops when
    the cost falls by less than `tolerance` relative.
    """
    damping = 1e-3
    value, gradient, hessian = normal(x)
    iterations = 0
    while iterations < max_iterations:
        iterations += 1
        held = ((x <= lower) & (gradient > 0)) | ((x >= upper) & (gradient < 0))
        free = np.flatnonzero(~held)
        h, g = hessian[np.ix_(free, free)], gradient[free]
        diagonal = np.diag_indices(len(free))
        improved = False
        for _ in range(6):
            damped = h.copy()
            damped[diagonal] *= 1 + damping
            dx = np.zeros_like(x)
            dx[free] = -np.linalg.solve(damped, g)
            candidate = np.clip(step(x, dx), lower, upper)
            new = cost(candidate)
            if new < value:
                improved = True
                break
            damping = max(damping * 8, 1e-6)
        if not improved:
            break
        gain = value - new
        x = candidate
        damping = max(damping / 6, 1e-9)
        value, gradient, hessian = normal(x)
        if gain < tolerance * value:
            break
    return Solution(x, value, hessian, iterations)
