"""Regression of a head from what the landmark net says: a small network learned on renders with known truth.

The net is biased towards its own mean face, but systematically so. From its points, brought into the head's own frame,
its expression scores, and the numbers that a net of our own makes of its activations and of the recogniser's
(`Landmarks.features`), one hidden layer tells identity, expression, and how far the pose read off the points is wrong,
and how sure all that is. Made for one head model by training/landmarks/train_calibration.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from tronie.arrays import Array
from tronie.formats.npz import read_npz
from tronie.formats.safety import reading
from tronie.geometry import euler_degrees, levelled, rotation_matrix, rotation_vector
from tronie.head.arkit import MIRRORED_UNITS
from tronie.head.model import HeadModel
from tronie.runtime import weights
from tronie.stages.fit.basis import WeakPerspective, landmark_basis, mirror_map, weak_perspective
from tronie.stages.fit.unit_reader import UnitReader
from tronie.types import Landmarks

FOCAL_JITTER = 0.3
"""Spread of the logarithm of the focal length that the training allowed for."""
NEARNESS_SIGMA = 0.52
"""Spread of `nearness`, 1/m, on held-out synthetic pictures."""
STRANGER = 1.15
"""How much wider the spreads are than on the held-out pictures: so they hold about 68 % of the errors on 300 pictures
of another painter (30 people of ICT's, 10 of each)."""
LARGEST_DOUBT = 0.7
"""The logarithm of how much wider or narrower than usual the spreads are made."""
CAMERA_FEATURES = slice(7, 10)
"""Of `pose_features`: those that know the assumed camera."""


@dataclass(frozen=True, slots=True)
class Prediction:
    identity: Array
    """(K,)."""
    expression: Array
    """(52,) may lie outside 0..1."""
    rotation: Array
    """(3, 3) head -> camera axes, seen along the ray to the head's origin."""
    scale: float
    """Pixels per millimetre at the head's origin."""
    origin: Array
    """(2,) pixels: where the head's origin is seen."""
    sigma_mm: Array
    """(C,) standard deviation of each control vertex, mm, for a head turned and seen like this one."""
    mode_sigma: Array
    """(K,) the same along each principal shape of the face, mm RMS on it, the shape that varies most first."""
    pose_sigma: Array
    """(4,) of yaw, pitch, roll, degrees, and of the size, a share of it."""
    known: Array
    """(F + H,) the features, and what the hidden layer makes of them."""
    changes: Array | None = None
    """(52,) of `UnitReader.changes`."""

    def with_mirrored(self, other: Prediction, twin: Array) -> Prediction:
        """The mean of this answer and the one for the picture mirrored about x = 0; `twin` as of `mirror_map`."""
        flip = np.array([-1.0, 1.0, 1.0])
        turned = other.rotation * flip * flip[:, None]
        return Prediction(
            identity=(self.identity + other.identity @ twin) / 2,
            expression=(self.expression + other.expression[list(MIRRORED_UNITS)]) / 2,
            rotation=self.rotation @ rotation_matrix(rotation_vector(self.rotation.T @ turned) / 2),
            scale=float(np.sqrt(self.scale * other.scale)),
            origin=(self.origin + other.origin * flip[:2]) / 2,
            sigma_mm=(self.sigma_mm + other.sigma_mm) / 2,
            mode_sigma=(self.mode_sigma + other.mode_sigma) / 2,
            pose_sigma=(self.pose_sigma + other.pose_sigma) / 2,
            known=self.known,
            changes=_mean(self.changes, other.changes),
        )


@dataclass(frozen=True, eq=False)
class Calibration:
    """Learned numbers; half precision in the file.

    With f = `features`, the answer is silu(f @ hidden + hidden_bias) @ out + f @ direct + bias.
    """

    mean: Array
    """(1434,) mean residual."""
    components: Array
    """(1434, P) principal directions of the residuals, divided by their spread."""
    hidden: Array
    """(F, H)."""
    hidden_bias: Array
    """(H,)."""
    out: Array
    """(H, K + 52 + 8 + G): identity, expression, turn (3), log scale, origin (2) mm, nearness, log of the identity's
    error and of its error in each group of shapes (relative to the mean)."""
    direct: Array
    """(F, K + 52 + 8 + G)."""
    bias: Array
    """(K + 52 + 8 + G,)."""
    mode_sigma: Array
    """(K,) mm RMS on the face: usual error along each of its principal shapes, the one that varies most first."""
    spread: Array
    """(G, C) mm: by how much the usual errors of each group of shapes move the control vertices along their normals.
    Group g is the g-th principal shape, the last all others."""
    pose_yaw: Array
    """(B,) |yaw| in degrees at which the pose's spreads are given."""
    pose_sigma: Array
    """(B, 4) of yaw, pitch, roll, degrees, and of the size, a share of it."""
    point_weight: Array
    """(478,) how much more or less than others each of the net's points says; 1 on average."""
    units: UnitReader | None = None
    """Knows more of what the face does; in a file of its own."""

    @classmethod
    def load(cls, path: str | Path) -> Calibration:
        """Raises WeightsError; never unpickles."""
        with reading(Path(path), "a calibration") as budget:
            z = read_npz(Path(path), budget=budget)
            return cls(**{name: z[name].astype(np.float64) for name in TABLES}, units=None)

    def arrays(self) -> dict[str, Array]:
        """To be saved as an npz, in half precision; `load` reads them."""
        return {name: getattr(self, name).astype(np.float16) for name in TABLES}

    def read(self, model: HeadModel, landmarks: Landmarks, focal: float) -> Prediction:
        """The answer for one face, its mirror image heard too. Raises ValueError when the landmarks form no face."""
        mean = landmark_basis(model).mean
        told = [
            self._heard(mean, said, said.features, focal)
            for said in (landmarks, landmarks.mirrored)
            if said is not None and said.features is not None
        ]
        return told[0] if len(told) == 1 else told[0].with_mirrored(told[1], mirror_map(model))

    def _heard(self, mean: Array, said: Landmarks, features: Array, focal: float) -> Prediction:
        """Without the mirror image; with what `units` knows."""
        aligned = weak_perspective(mean, said.points)
        told = self.predict(aligned, features, said.scores, focal)
        if self.units is None:
            return told
        yaw, pitch, _ = np.radians(euler_degrees(levelled(aligned.rotation)[0]))
        expression = self.units.eyes(told.expression, said.points, said.scores, (float(yaw), float(pitch)))
        return replace(told, expression=expression, changes=told.known @ self.units.changes)

    def nearness_of(self, model: HeadModel, landmarks: Landmarks) -> tuple[float, float]:
        """Pixels per mm, and 1000 mm / distance as far as the perspective in the face tells (spread NEARNESS_SIGMA)."""
        mean = landmark_basis(model).mean
        aligned = weak_perspective(mean, landmarks.points)
        said = [
            self.nearness(weak_perspective(mean, m.points), m.features, m.scores)
            for m in (landmarks, landmarks.mirrored)
            if m is not None and m.features is not None
        ]
        return aligned.scale, float(np.mean(said))

    def predict(self, aligned: WeakPerspective, inner: Array, scores: Array, focal: float) -> Prediction:
        """`inner` (576,) and `scores` (52,) are of `Landmarks`, `focal` is the camera's (pixels)."""
        f = self.features(aligned, inner, scores, 1000.0 * aligned.scale / focal)
        h = f @ self.hidden + self.hidden_bias
        h = h / (1 + np.exp(-h))
        y = h @ self.out + f @ self.direct + self.bias
        groups = len(self.spread)
        k = self.out.shape[1] - 60 - groups
        turn, growth, shift = y[k + 52 : k + 55], y[k + 55], y[k + 56 : k + 58]
        upright, tilt = levelled(aligned.rotation)
        yaw = abs(euler_degrees(upright)[0])
        upper = int(np.clip(np.searchsorted(self.pose_yaw, yaw), 1, len(self.pose_yaw) - 1))
        low, high = self.pose_yaw[upper - 1], self.pose_yaw[upper]
        t = float(np.clip((yaw - low) / (high - low), 0, 1))
        doubts = STRANGER * np.exp(np.clip(y[k + 59 :], -LARGEST_DOUBT, LARGEST_DOUBT))
        told = doubts[1:]
        return Prediction(
            identity=y[:k],
            expression=y[k : k + 52],
            rotation=aligned.rotation @ rotation_matrix(turn),
            scale=aligned.scale * float(np.exp(growth)),
            origin=aligned.center + aligned.scale * (tilt @ shift),
            sigma_mm=np.sqrt(told**2 @ self.spread**2),
            mode_sigma=self.mode_sigma * told[np.minimum(np.arange(k), groups - 1)],
            pose_sigma=doubts[0] * ((1 - t) * self.pose_sigma[upper - 1] + t * self.pose_sigma[upper]),
            known=np.concatenate([f, h]),
        )

    def nearness(self, aligned: WeakPerspective, inner: Array, scores: Array) -> float:
        """1000 mm / distance, as far as the perspective in the face itself tells (spread NEARNESS_SIGMA)."""
        # Only `direct` knows of it, and its weights there ignore the camera.
        column = -2 - len(self.spread)
        return float(self.features(aligned, inner, scores, 0.0) @ self.direct[:, column] + self.bias[column])

    def features(self, aligned: WeakPerspective, inner: Array, scores: Array, nearness: float) -> Array:
        """(F,) float64; `nearness` as the assumed camera has it."""
        z = (aligned.residual.ravel() - self.mean) @ self.components
        pose = pose_features(*euler_degrees(levelled(aligned.rotation)[0]), nearness)
        return np.concatenate([np.asarray(inner, dtype=np.float64), z, pose, np.asarray(scores, dtype=np.float64)])


def pose_features(yaw: float, pitch: float, roll: float, nearness: float) -> Array:
    """(11,) low-order polynomial of the pose (degrees) and of 1000 mm / distance."""
    y, p, r = np.radians([yaw, pitch, roll])
    q = nearness
    return np.array([1.0, y, p, y * y, p * p, y * p, abs(y), q, q * y, q * p, r])


def _mean(one: Array | None, mirrored: Array | None) -> Array | None:
    """Of units."""
    return None if one is None or mirrored is None else (one + mirrored[list(MIRRORED_UNITS)]) / 2


TABLES = tuple(name for name in Calibration.__dataclass_fields__ if name != "units")


@cache
def default_calibration() -> Calibration:
    """The calibration of the head that ships with the package, with its reader of units; loaded once per process."""
    return replace(Calibration.load(weights.path("calibration")), units=UnitReader.load(weights.path("units")))
