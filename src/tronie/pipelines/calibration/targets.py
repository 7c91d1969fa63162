"""From what the landmark net saw of many pictures to what a calibration is to learn, and how wide its errors are.

Shared by `learn`, which teaches a user's head model with NumPy, and by training/landmarks/train_calibration.py, which
teaches our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.geometry import euler_degrees, rotation_matrix, rotation_vector
from tronie.head.model import HeadModel
from tronie.head.surface import triangle_vertex_normals
from tronie.pipelines.calibration.synthetic import SIDE
from tronie.stages.fit.basis import LandmarkBasis, weak_perspective
from tronie.stages.fit.regressor import CAMERA_FEATURES, FOCAL_JITTER, LARGEST_DOUBT, pose_features
from tronie.stages.fit.scale import similarity_free

Array = NDArray[Any]

COMPONENTS = 120
"""Principal directions of the points' residuals that are kept."""
EXTRA = 120
"""Principal directions of the points' own errors."""
CENTRE = SIDE / 2
"""Middle of the pictures, px."""
BINS = (0.0, 20.0, 40.0, 60.0)
"""|yaw| at which the errors' spread is measured, +-BIN_REACH degrees."""
BIN_REACH = 12.0
MODES = 24
"""Principal shapes of the face whose errors' spread is told each by itself; the others share one."""
FEWEST = 20
"""Pictures that tell a spread; where there are fewer, all are taken."""
POSE_WEIGHT = (0.3, 0.3, 0.15, 0.1, 0.1, 0.1, 0.15)
"""Of turn, growth, shift and nearness, each in units of its spread, against mm^2 of the face's shape."""
EXPRESSION_LEAST, EXPRESSION_WEIGHT, EXTRA_WEIGHT = 0.06, 0.08, 0.3


def towards(points: Array) -> Array:
    """(n, 3, 3) rotations that bring the ray to each point (n, 3) onto the optical axis (shortest turn)."""
    ray = points / np.linalg.norm(points, axis=1, keepdims=True)
    x, y, z = ray.T
    k = 1 / (1 + z)
    return np.stack(
        [
            np.stack([1 - x * x * k, -x * y * k, -x], 1),
            np.stack([-x * y * k, 1 - y * y * k, -y], 1),
            np.stack([x, y, z], 1),
        ],
        axis=1,
    )


@dataclass(frozen=True, eq=False)
class Targets:
    """What goes in and what is to come out."""

    residual: Array
    """(N, 1434) of the aligned points."""
    pose: Array
    """(N, 11)."""
    scores: Array
    rotation: Array
    """(N, 3, 3) read off the points."""
    true_rotation: Array
    y: Array
    """(N, K + 59): identity, expression, turn, growth, shift, nearness."""
    offset: Array
    """(N, 956) mm: the true points' places in the picture less those that the net says."""

    @property
    def yaw(self) -> Array:
        return np.asarray(np.abs(np.array([euler_degrees(r)[0] for r in self.true_rotation])))


def targets_of(data: Mapping[str, Array], basis: LandmarkBasis) -> Targets:
    aligned = [weak_perspective(basis.mean, p) for p in data["points"]]
    rotation, scale = np.array([a.rotation for a in aligned]), np.array([a.scale for a in aligned])
    jitter = np.exp(np.random.default_rng(0).normal(0, FOCAL_JITTER, len(scale)))
    nearness = 1000 * scale / data["focal"] * jitter
    pose = np.array([pose_features(*euler_degrees(r), q) for r, q in zip(rotation, nearness, strict=True)])
    place = data["head_to_camera"][:, :3, 3]
    true_rotation = towards(place) @ data["head_to_camera"][:, :3, :3]
    turn = np.array([rotation_vector(r) for r in rotation.transpose(0, 2, 1) @ true_rotation])
    growth = np.log(data["focal"] / place[:, 2] / scale)
    seen = place[:, :2] / place[:, 2:] * data["focal"][:, None] + CENTRE
    shift = (seen - np.array([a.center for a in aligned])) / scale[:, None]
    near = 1000 / np.linalg.norm(place, axis=1)
    y = np.column_stack([data["identity"], data["expression"], turn, growth, shift, near]).astype(np.float32)
    residual = np.array([a.residual.ravel() for a in aligned], np.float32)
    return Targets(residual, pose, data["scores"], rotation, true_rotation, y, point_offsets(data, basis))


def point_offsets(data: Mapping[str, Array], basis: LandmarkBasis) -> Array:
    out = np.empty((len(data["focal"]), 2 * len(basis.mean)), np.float32)
    for start in range(0, len(out), 2000):
        part = slice(start, start + 2000)
        weights = np.concatenate([data["identity"][part], data["expression"][part]], axis=1).astype(np.float32)
        points = basis.mean.astype(np.float32) + np.tensordot(weights, basis.shape.astype(np.float32), axes=(1, 2))
        pose, focal = data["head_to_camera"][part].astype(np.float32), data["focal"][part][:, None, None]
        placed = np.einsum("npj,nij->npi", points, pose[:, :3, :3]) + pose[:, None, :3, 3]
        seen = placed[..., :2] / placed[..., 2:] * focal + CENTRE
        off = (seen - data["points"][part, :, :2]) * (pose[:, 2, 3, None, None] / focal)
        out[part] = off.reshape(len(off), -1)
    return out


def directions(x: Array, count: int) -> tuple[Array, Array, Array]:
    """Mean, the first principal directions (D, count), and the spread along each."""
    mean = x.mean(axis=0)
    variance, vectors = np.linalg.eigh(np.cov((x - mean).T))
    order = np.argsort(variance)[::-1][:count]
    return mean, vectors[:, order], np.sqrt(variance[order])


@dataclass(frozen=True, eq=False)
class Scales:
    """Between the numbers of the world and those the net works with."""

    mean: Array
    components: Array
    """(1434, COMPONENTS)."""
    told_scale: Array
    root: Array
    """(K, K): identity @ root has the length of its RMS millimetres on the face, similarity aside."""
    modes: Array
    """(K, K) orthogonal: identity @ root @ modes are mm along the face's principal shapes, the largest first."""
    rest_mean: Array
    rest_scale: Array
    """(59,) of everything but identity."""
    extra_mean: Array
    extra: Array
    """(956, EXTRA)."""

    @classmethod
    def of(cls, targets: Targets, model: HeadModel, learned: Array) -> Scales:
        k = len(model.identity)
        mean, basis, spread = directions(targets.residual[learned], COMPONENTS)
        extra_mean, extra, _ = directions(targets.offset[learned[::3]], EXTRA)
        pose_scale = np.ones(11)
        pose_scale[CAMERA_FEATURES] = 0.3
        rest = targets.y[learned][:, k:]
        root = np.linalg.cholesky(similarity_free(model) + 1e-4 * np.eye(k))
        return cls(
            mean,
            basis / spread,
            np.concatenate([np.ones(COMPONENTS), pose_scale, np.full(52, 2.0)]),
            root,
            np.ascontiguousarray(np.linalg.eigh(root.T @ root)[1][:, ::-1]),
            rest.mean(axis=0),
            rest.std(axis=0) + 1e-6,
            extra_mean,
            extra / np.sqrt(478),
        )

    def told(self, targets: Targets) -> Array:
        z = (targets.residual - self.mean) @ self.components
        return (np.concatenate([z, targets.pose, targets.scores], 1) * self.told_scale).astype(np.float32)

    def goal(self, targets: Targets) -> Array:
        k = len(self.root)
        rest = (targets.y[:, k:] - self.rest_mean) / self.rest_scale
        parts = [targets.y[:, :k] @ self.root, rest, (targets.offset - self.extra_mean) @ self.extra]
        return np.concatenate(parts, axis=1).astype(np.float32)

    def weights(self, model: HeadModel) -> Array:
        """Of squared errors in the goal; expression counts by how much it moves the face."""
        moved = np.sqrt((model.expression[:, model.inner_face] ** 2).sum(axis=2).mean(axis=1)) * self.rest_scale[:52]
        expression = EXPRESSION_LEAST + EXPRESSION_WEIGHT * moved**2 / np.mean(moved**2)
        parts = [np.ones(len(self.root)), expression, POSE_WEIGHT, np.full(self.extra.shape[1], EXTRA_WEIGHT)]
        return np.concatenate(parts).astype(np.float32)

    def natural(self, goal: Array) -> Array:
        """(n, K + 59) from the net's outputs."""
        k = len(self.root)
        rest = goal[:, k : k + 59] * self.rest_scale + self.rest_mean
        return np.concatenate([np.linalg.solve(self.root.T, goal[:, :k].T).T, rest], axis=1)


def spreads(
    out: Array,
    extra: Array,
    doubt: Array,
    scales: Scales,
    targets: Targets,
    rows: Array,
    foreign: Array,
    model: HeadModel,
) -> dict[str, Array]:
    """How wide the held-out errors are: of vertices along their normals, of the pose, of the net's points. `doubt`
    (n, 1 + G): logarithms of the identity's error and of its groups', 0 on average."""
    k = len(scales.root)
    error = scales.natural(out) - targets.y[rows]
    doubt = np.clip(doubt, -LARGEST_DOUBT, LARGEST_DOUBT)  # as it is when it is asked
    relative = doubt[:, 0]
    turn = scales.natural(out)[:, k + 52 : k + 55]
    said = [euler_degrees(r @ rotation_matrix(t)) for r, t in zip(targets.rotation[rows], turn, strict=True)]
    angles = np.array(said) - np.array([euler_degrees(r) for r in targets.true_rotation[rows]])
    pose = np.column_stack([angles, error[:, k + 55]]) / np.exp(relative)[:, None]
    yaw = targets.yaw[rows]
    pose_sigma = []
    for middle in BINS:
        near = np.abs(yaw - middle) < BIN_REACH
        if near.sum() < FEWEST:
            near = np.ones(len(yaw), dtype=bool)
        pose_sigma.append(np.sqrt((pose[near] ** 2).mean(axis=0)))
    mode_sigma, spread = shape_spread(error[:, :k], doubt[:, 1:], scales, model)
    own = ~foreign[rows]
    left = targets.offset[rows][own] - scales.extra_mean - 478 * (extra[own] @ scales.extra.T)
    variance = (left.reshape(len(left), -1, 2) ** 2).sum(axis=2)
    precision = 1 / (np.median(variance, axis=0) + 0.5)
    return {
        "mode_sigma": mode_sigma,
        "spread": spread,
        "pose_yaw": np.array(BINS),
        "pose_sigma": np.array(pose_sigma),
        "point_weight": np.clip(precision / precision.mean(), 0.3, 3.0),
    }


def shape_spread(error: Array, logs: Array, scales: Scales, model: HeadModel) -> tuple[Array, Array]:
    """How wide errors of identity (n, K) are where `logs` (n, G) are 0: along each principal shape (K,), and what of
    that each group moves the vertices along their normals (G, C), mm. Group g is the g-th principal shape, the last
    all others."""
    k, groups = len(scales.root), logs.shape[1]
    group = np.minimum(np.arange(k), groups - 1)
    along_modes = error @ scales.root @ scales.modes
    mode_sigma = np.sqrt(((along_modes / np.exp(logs[:, group])) ** 2).mean(axis=0))
    normals = normal_moves(model)
    shapes = np.linalg.solve(scales.root.T, scales.modes).T @ normals
    variance = mode_sigma[:, None] ** 2 * shapes**2
    spread = np.array([variance[group == g].sum(axis=0) for g in range(groups)])
    stated = np.exp(2 * logs).mean(axis=0) @ spread
    true = np.einsum("kc,kl,lc->c", normals, error.T @ error / len(error), normals)
    return mode_sigma, np.sqrt(spread * (true / np.maximum(stated, 1e-9)))


def normal_moves(model: HeadModel) -> Array:
    """(K, C) mm by which each coefficient moves the vertices along their normals, the face's similarity aside."""
    k, v, inner = len(model.identity), model.mean.astype(float), model.inner_face
    centre = v[inner].mean(axis=0)
    fields = [np.broadcast_to(e, v.shape) for e in np.eye(3)] + [np.cross(e, v - centre) for e in np.eye(3)]
    moves = np.array([f.ravel() for f in (*fields, v - centre)]).T
    on_face = np.repeat(inner, 3)
    flat = model.identity.reshape(k, -1).astype(float)
    flat = flat - (moves @ np.linalg.lstsq(moves[on_face], flat[:, on_face].T, rcond=None)[0]).T
    normals = triangle_vertex_normals(model.mean, model.level(0).triangles)
    return np.asarray((flat.reshape(k, -1, 3) * normals).sum(axis=2))
