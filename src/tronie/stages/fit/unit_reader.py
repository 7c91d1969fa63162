"""What a face does, where the calibration alone says too little: eyes that look down, and how a person's face changes.

A lid that follows the eye down is no blink. How far an eye looks down is read off its outline, the iris in it, the
scores and the calibration's answer by a small net, and a blink is what the lid does beyond that.

The calibration's features say more of how a face changes than of what it does: what differs between two people is
larger than a frown. So a linear map, learned on differences between frames of one person before one camera, tells by
how much units are above those of the person's usual frame (fixed effects; Mundlak 1978). Made for the package's own
head by training/landmarks/train_units.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tronie.arrays import Array
from tronie.formats.npz import read_npz
from tronie.formats.safety import reading
from tronie.geometry import smoothstep
from tronie.head.arkit import ARKIT_UNITS

FOLLOW = 0.4
"""By how much of a blink an upper lid follows an eye that looks down by one unit, besides what the unit itself does."""
SURE, SHUT = (0.5, 0.8), (0.5, 0.85)
"""From which look down on the lid is believed to follow it: one on its way down is easily taken for that. And how far
shut lids are through which nothing is seen of the eye."""
SIDES = {"Left": (263, 362, 386, 374, 473, 475, 477), "Right": (33, 133, 159, 145, 468, 470, 472)}
"""Landmarks of each eye: outer and inner corner, middles of the upper and of the lower lid, middle, top and bottom of
the iris."""
SCORED, TOLD = ("Blink", "LookDown", "LookUp", "Squint", "Wide"), ("Blink", "LookDown", "LookUp", "Squint")
ROWS = {name: k for k, name in enumerate(ARKIT_UNITS)}
BLINKS = [ROWS[f"eyeBlink{side}"] for side in SIDES]
DOWNS = [ROWS[f"eyeLookDown{side}"] for side in SIDES]


@dataclass(frozen=True, eq=False)
class UnitReader:
    """Learned numbers; half precision in the file."""

    changes: Array
    """(F, 52): the calibration's features and hidden values -> units, but for a person's own offset."""
    down_hidden: Array
    """(17, H) of what `eye_features` says of an eye: silu(f @ hidden + hidden_bias) @ out + bias is its look down."""
    down_hidden_bias: Array
    """(H,)."""
    down_out: Array
    """(H,)."""
    down_bias: Array
    """()."""

    @classmethod
    def load(cls, path: str | Path) -> UnitReader:
        """Raises WeightsError; never unpickles."""
        with reading(Path(path), "a reader of units") as budget:
            z = read_npz(Path(path), budget=budget)
            return cls(**{name: z[name].astype(np.float64) for name in cls.__dataclass_fields__})

    def arrays(self) -> dict[str, Array]:
        """To be saved as an npz, in half precision; `load` reads them."""
        return {name: getattr(self, name).astype(np.float16) for name in self.__dataclass_fields__}

    def eyes(self, told: Array, points: Array, scores: Array, pose: tuple[float, float]) -> Array:
        """The calibration's units (52,) with what the eyes do; `pose` is yaw and pitch in radians."""
        out = told.copy()
        for side, blink, down in zip(SIDES, BLINKS, DOWNS, strict=True):
            h = eye_features(side, points, scores, told, pose) @ self.down_hidden + self.down_hidden_bias
            look = float(np.clip((h / (1 + np.exp(-h))) @ self.down_out + self.down_bias, 0, 1))
            out[blink], out[down] = lid_and_look(float(told[blink]), look)
        return out


def lid_and_look(lid: float, look: float) -> tuple[float, float]:
    """How far a lid is shut, of the way that one has left which follows an eye that looks down; and how far it does."""
    look *= 1 - float(smoothstep(np.array(lid), *SHUT))
    followed = FOLLOW * look * float(smoothstep(np.array(look), *SURE))
    return max(lid - followed, 0.0) / (1 - followed), look


def eye_features(side: str, points: Array, scores: Array, told: Array, pose: tuple[float, float]) -> Array:
    """(17,): heights of lids and iris over the line between the corners, as shares of its length, the iris's place
    along it, scores, the calibration's answers, pitch, and yaw to the eye's own side."""
    outer, inner, upper, lower, iris, top, bottom = points[list(SIDES[side]), :2].astype(np.float64)
    sign, across = (1.0 if side == "Left" else -1.0), outer - inner
    wide = max(float(np.hypot(*across)), 1e-6)
    along = across / wide
    up, middle = np.array([along[1], -along[0]]) * sign, (outer + inner) / 2
    places = np.stack([upper, lower, iris, top, bottom]) - middle
    high = places @ up / wide
    return np.array(
        [
            *high[:3],
            float(places[2] @ along) / wide,
            *high[3:],
            *(scores[ROWS[f"eye{name}{side}"]] for name in SCORED),
            *(told[ROWS[f"eye{name}{side}"]] for name in TOLD),
            pose[1],
            pose[0] * sign,
        ]
    )
