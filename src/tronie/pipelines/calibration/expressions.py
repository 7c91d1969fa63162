"""Random expressions: faces that people make, sounds that they speak, single units, and mixtures of any."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tronie.arrays import Array
from tronie.head.arkit import ARKIT_UNITS

UNIT = {n: i for i, n in enumerate(ARKIT_UNITS)}
STEMS = tuple(dict.fromkeys(n.removesuffix("Left").removesuffix("Right") for n in ARKIT_UNITS))
EXCLUSIVE = (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight"), ("cheekPuff", "jawOpen"))
"""Of each pair only the stronger stays."""
OPPOSED = (
    ("eyeLookUp", "eyeLookDown"),
    ("eyeLookIn", "eyeLookOut"),
    ("eyeBlink", "eyeWide"),
    ("browDown", "browOuterUp"),
)
HARD = ("mouthFunnel", "mouthPucker", "cheekPuff", "browInnerUp", "browDown", "browOuterUp", "noseSneer", "eyeSquint")
"""Units that are told least well: drawn more often."""
HARD_SHARE = 0.5

Ranges = Mapping[str, tuple[float, float]]
FACES: Mapping[str, Ranges] = {
    "angry": {"browDown": (0.4, 1), "eyeSquint": (0, 0.6), "noseSneer": (0, 0.6), "mouthPress": (0, 0.7)},
    "grim": {"browDown": (0.2, 1), "mouthFrown": (0.2, 0.9), "jawForward": (0, 0.4), "mouthPress": (0, 0.5)},
    "sad": {"browInnerUp": (0.4, 1), "mouthFrown": (0.3, 1), "mouthShrugLower": (0, 0.6), "eyeSquint": (0, 0.4)},
    "surprised": {"browInnerUp": (0.4, 1), "browOuterUp": (0.4, 1), "eyeWide": (0.2, 1), "jawOpen": (0.1, 0.9)},
    "afraid": {"browInnerUp": (0.4, 1), "eyeWide": (0.3, 1), "mouthStretch": (0.2, 0.9), "jawOpen": (0, 0.4)},
    "disgusted": {"noseSneer": (0.4, 1), "mouthUpperUp": (0.2, 0.8), "browDown": (0, 0.6), "cheekSquint": (0, 0.6)},
    "kissing": {"mouthPucker": (0.5, 1), "mouthFunnel": (0, 0.2)},
    "whistling": {"mouthPucker": (0.3, 0.8), "mouthFunnel": (0.2, 0.7), "cheekPuff": (0, 0.3)},
    "puffed": {"cheekPuff": (0.4, 1), "mouthPress": (0, 0.5), "mouthPucker": (0, 0.3)},
    "dazzled": {"eyeSquint": (0.4, 1), "cheekSquint": (0.2, 0.8), "browDown": (0, 0.6), "mouthUpperUp": (0, 0.4)},
    "brows up": {"browInnerUp": (0.3, 1), "browOuterUp": (0.3, 1)},
    "brows down": {"browDown": (0.3, 1)},
    "pressed": {
        "mouthPress": (0.3, 1),
        "mouthRollLower": (0, 0.6),
        "mouthRollUpper": (0, 0.6),
        "mouthDimple": (0, 0.4),
    },
    "doubtful": {"mouthShrugLower": (0.3, 1), "mouthShrugUpper": (0.1, 0.8), "mouthFrown": (0, 0.6)},
    "shouting": {"jawOpen": (0.4, 1), "mouthUpperUp": (0, 0.7), "mouthLowerDown": (0, 0.7), "browDown": (0, 0.7)},
    "yawning": {"jawOpen": (0.6, 1), "eyeBlink": (0.3, 1), "mouthStretch": (0, 0.3), "browInnerUp": (0, 0.4)},
}
SOUNDS: Mapping[str, Ranges] = {
    "a": {"jawOpen": (0.25, 0.8), "mouthLowerDown": (0, 0.4), "mouthUpperUp": (0, 0.3)},
    "e": {"jawOpen": (0.1, 0.4), "mouthStretch": (0, 0.4), "mouthLowerDown": (0.1, 0.5), "mouthSmile": (0, 0.3)},
    "i": {"jawOpen": (0, 0.2), "mouthStretch": (0.1, 0.5), "mouthLowerDown": (0.1, 0.6), "mouthUpperUp": (0, 0.3)},
    "o": {"jawOpen": (0.15, 0.5), "mouthFunnel": (0.3, 0.9), "mouthPucker": (0, 0.5)},
    "u": {"jawOpen": (0, 0.2), "mouthPucker": (0.4, 1), "mouthFunnel": (0.1, 0.6)},
    "m": {"mouthPress": (0.1, 0.6), "mouthRollLower": (0, 0.5), "mouthRollUpper": (0, 0.5)},
    "f": {"mouthRollLower": (0.3, 0.9), "mouthUpperUp": (0.1, 0.4), "jawOpen": (0, 0.15)},
    "sh": {"mouthFunnel": (0.3, 0.9), "mouthPucker": (0, 0.4), "jawOpen": (0, 0.15)},
}


def random_expression(rng: np.random.Generator) -> Array:
    """(52,) sparse, mostly symmetric, with gaze and blinks."""
    e = np.zeros(52)
    kind = rng.random()
    if kind < 0.18:
        e = np.clip(rng.normal(0, 0.05, 52), 0, 1)
    elif kind < 0.36:
        _pulled(e, rng)
    elif kind < 0.56:
        _smiling(e, rng)
    elif kind < 0.74:
        _made(e, list(FACES.values())[int(rng.integers(len(FACES)))], rng)
    elif kind < 0.87:
        _made(e, list(SOUNDS.values())[int(rng.integers(len(SOUNDS)))], rng)
    else:
        for _ in range(rng.integers(1, 7)):
            _put(e, _stem(rng), float(rng.beta(1, 1.3)), 0.08 if rng.random() < 0.7 else 1.0, rng)
    if kind > 0.18 and rng.random() < 0.25:  # brows have a life of their own
        for name in rng.choice(["browDown", "browInnerUp", "browOuterUp", "browInnerUp"], size=2, replace=False):
            _put(e, str(name), float(rng.uniform(0.1, 1)), 0.1 if rng.random() < 0.8 else 1.0, rng)
    for one, other in EXCLUSIVE:
        e[UNIT[one if e[UNIT[one]] < e[UNIT[other]] else other]] = 0
    _gaze(e, rng)
    for a, b in OPPOSED:
        for side in ("Left", "Right"):
            i, j = UNIT[a + side], UNIT[b + side]
            e[j if e[i] > e[j] else i] = 0
    e[UNIT["mouthClose"]] = min(e[UNIT["mouthClose"]], e[UNIT["jawOpen"]])
    if rng.random() < 0.9:
        e[UNIT["tongueOut"]] = 0
    return np.clip(e, 0, 1)


def _stem(rng: np.random.Generator) -> str:
    return str(rng.choice(HARD if rng.random() < HARD_SHARE else STEMS))


def _put(e: Array, stem: str, value: float, uneven: float, rng: np.random.Generator) -> None:
    """Set a unit, or both sides of one, `uneven` apart; at 1 only one side."""
    if stem in UNIT:
        e[UNIT[stem]] = value
        return
    sides = ("Left", "Right") if uneven < 1 else (str(rng.choice(["Left", "Right"])),)
    for side in sides:
        e[UNIT[stem + side]] = np.clip(value + (rng.normal(0, uneven) if len(sides) > 1 else 0), 0, 1)


def _pulled(e: Array, rng: np.random.Generator) -> None:
    """A face pulled on purpose: a few units, strong."""
    for _ in range(rng.integers(1, 4)):
        _put(e, _stem(rng), float(rng.uniform(0.3, 1)), 0.15 if rng.random() < 0.75 else 1.0, rng)
    if e[UNIT["mouthClose"]] > 0:
        e[UNIT["jawOpen"]] = max(e[UNIT["jawOpen"]], e[UNIT["mouthClose"]])


def _smiling(e: Array, rng: np.random.Generator) -> None:
    """A smile, open or closed, now and then of one side or a laugh."""
    smile, laugh = rng.beta(1.5, 1.3), rng.random() < 0.2
    for side in ("Left", "Right"):
        e[UNIT["mouthSmile" + side]] = np.clip(smile + rng.normal(0, 0.06), 0, 1)
        e[UNIT["cheekSquint" + side]] = smile * rng.random() * 0.8
        e[UNIT["eyeSquint" + side]] = smile * rng.random() * 0.7
        e[UNIT["mouthUpperUp" + side]] = smile * rng.random() * 0.5
        e[UNIT["mouthLowerDown" + side]] = smile * rng.random() * 0.5
        e[UNIT["mouthDimple" + side]] = rng.random() * 0.5 if rng.random() < 0.3 else 0
    e[UNIT["jawOpen"]] = rng.uniform(0.2, 0.9) if laugh else rng.beta(1, 4) * 0.6
    e[UNIT["mouthPressLeft"]] = e[UNIT["mouthPressRight"]] = rng.random() * (rng.random() < 0.2)
    if rng.random() < 0.12:
        e[UNIT["mouthSmile" + str(rng.choice(["Left", "Right"]))]] *= rng.uniform(0, 0.4)


def _made(e: Array, face: Ranges, rng: np.random.Generator) -> None:
    strength, uneven = rng.uniform(0.5, 1), 0.06 if rng.random() < 0.85 else 0.3
    for stem, (low, high) in face.items():
        _put(e, stem, float(rng.uniform(low, high)) * strength, uneven, rng)


def _gaze(e: Array, rng: np.random.Generator) -> None:
    up, aside = rng.normal(0, 0.3, 2)
    e[[UNIT[n] for n in ARKIT_UNITS if n.startswith("eyeLook")]] = 0
    for side, sign in (("Left", 1), ("Right", -1)):
        e[UNIT[("eyeLookUp" if up > 0 else "eyeLookDown") + side]] = min(abs(up), 1)
        e[UNIT[("eyeLookOut" if aside * sign > 0 else "eyeLookIn") + side]] = min(abs(aside), 1)
    if rng.random() < 0.12:
        blink = rng.beta(2, 1)
        for side in ("Left", "Right") if rng.random() < 0.8 else (str(rng.choice(["Left", "Right"])),):
            e[UNIT["eyeBlink" + side]] = blink
