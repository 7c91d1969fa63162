"""What a person's face does at rest and at most, from all of a clip, and the units between the two.

The fits of one person are off in the same direction all the time: a mouth that curls upwards is read as a smile that
never ends, heavy lids as half a blink. What a unit does not leave for long is the person's rest, and counts as nothing.
What it reaches now and then tells of the range, of which few clips show all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tronie.arrays import Array
from tronie.head.model import HeadModel
from tronie.pipelines.video.motion import SEEN, Motion

REST, TOP = 0.2, 0.99
"""Quantiles of a unit: what it comes back to, and what it reaches but for slips."""
TRUSTED = 0.5
"""Frames whose confidence is at least this share of the usual one count."""
REST_SECONDS = 2.0
"""A clip of so many seconds is believed by half."""
REST_AT_MOST = {"eyeBlink": 0.35, "jawOpen": 0.1}
USUAL_REST_AT_MOST = 0.25
"""Of a unit that is taken for rest: who smiles, or shuts his eyes, all the time does so."""
REACHED_SECONDS = {"eyeBlink": 6.0, "jawOpen": 90.0}
USUALLY_REACHED_SECONDS = 300.0
"""In which a unit goes as far as it can, about once: lids shut with every blink."""
FULL = {
    "mouthPucker": 0.65, "mouthFunnel": 0.75, "cheekPuff": 0.5, "mouthFrown": 0.5, "mouthStretch": 0.55,
    "mouthRollLower": 0.45, "mouthRollUpper": 0.45, "browDown": 0.6, "browInnerUp": 0.65, "browOuterUp": 0.7,
    "noseSneer": 0.7, "eyeSquint": 0.6,
}  # fmt: skip
USUALLY_FULL, LEAST_SHARE = 0.85, 0.76
"""What most fits say of a unit at its end (measured on gestures of 8 rendered people, 6 of ICT's), and the least share
of that which somebody's may say."""
MOVED = (0.15, 0.35)
"""A unit that moves by less is not made larger, one that moves by more is, by all that its range asks for."""


@dataclass(frozen=True, slots=True, eq=False)
class OwnRange:
    """Of one person, by the units of the model."""

    rest: Array
    """(52,) what is fitted of the face at rest."""
    span: Array
    """(52,) from there to where a unit is at 1."""

    @classmethod
    def whole(cls, model: HeadModel) -> OwnRange:
        """Units as they were fitted."""
        return cls(np.zeros(len(model.expression_names)), np.ones(len(model.expression_names)))

    @classmethod
    def of(cls, motion: Motion, model: HeadModel) -> OwnRange:
        """Of a whole clip. Gaze has no rest: somebody may look past the camera all the time."""
        seen = motion.state == SEEN
        units = motion.expression[seen & (motion.confidence >= TRUSTED * np.median(motion.confidence[seen]))]
        steps = np.diff(motion.time)
        seconds = len(units) * float(np.median(steps)) if len(steps) else 0.0
        stems = [name.removesuffix("Left").removesuffix("Right") for name in model.expression_names]
        gaze = np.array([stem.startswith("eyeLook") for stem in stems])
        low, high = np.quantile(units, [REST, TOP], axis=0)
        most = np.array([REST_AT_MOST.get(stem, USUAL_REST_AT_MOST) for stem in stems])
        rest = seconds / (seconds + REST_SECONDS) * np.minimum(low, most)
        takes = np.array([REACHED_SECONDS.get(stem, USUALLY_REACHED_SECONDS) for stem in stems])
        reached = 1 - np.exp(-seconds / takes)
        usual = np.array([FULL.get(stem, USUALLY_FULL) for stem in stems])
        full = usual + reached * (np.maximum(high, LEAST_SHARE * usual) - usual)
        moved = np.clip((high - low - MOVED[0]) / (MOVED[1] - MOVED[0]), 0, 1)
        span = 1 + moved * (np.maximum(full, high) - rest - 1)
        return cls(np.where(gaze, 0, rest), np.where(gaze, 1, span))

    def applied(self, units: Array) -> Array:
        """(..., 52) 0..1."""
        return np.asarray(np.clip((units - self.rest) / self.span, 0, 1))
