"""What a synthetic photo shows, drawn by chance: pose, camera, expression, light, looks. No picture is made here."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tronie.geometry import Camera, rigid, rotation_from_euler
from tronie.head.arkit import ARKIT_UNITS

Array = NDArray[np.floating]

SIDE = 768
FACE_MM = 165.0
"""What a face of so many pixels' height means in the flesh: about hair to chin."""
NEAREST_MM = 280.0
LIGHTS = ("soft", "front", "side", "top", "back")
SKIN = np.array(
    [(244, 208, 186), (229, 184, 155), (214, 165, 132), (190, 138, 104), (150, 103, 74), (105, 70, 50), (72, 48, 36)],
    float,
)
HAIR = np.array([(28, 22, 20), (60, 42, 30), (96, 66, 42), (150, 112, 70), (200, 168, 118), (150, 146, 142)], float)
IRIS = np.array([(62, 38, 22), (92, 60, 34), (110, 96, 60), (86, 110, 120), (96, 128, 156), (88, 108, 76)], float)


@dataclass(frozen=True)
class Scene:
    person: int
    take: int
    """Which photo of this person."""
    yaw: float
    pitch: float
    roll: float
    equivalent: float
    """Focal length as a 35 mm camera's (24 selfie ... 135 telephoto)."""
    face_px: float
    """Height of the face in the picture."""
    camera: Camera
    head_to_camera: Array
    """(4, 4)."""
    expression: Array
    """(52,)."""
    light: str
    """One of LIGHTS."""
    seed: tuple[int, ...]
    """Of everything that only decides how it looks."""


SHOWN: dict[str, dict[str, float]] = {
    "at rest": {},
    "puff": {"cheekPuff": 0.9, "mouthPress": 0.2},
    "smile": {"mouthSmile": 0.8, "cheekSquint": 0.4, "eyeSquint": 0.3, "mouthUpperUp": 0.2},
    "frown": {"mouthFrown": 0.7, "browDown": 0.7, "mouthShrugLower": 0.4},
    "jaw open": {"jawOpen": 0.6},
}
"""Faces that one and the same person makes in one and the same scene, to see what of them leaks into the identity."""


def draw_scene(seed: int, person: int, take: int, *, max_yaw: float = 40.0, shown: bool = False) -> Scene:
    """The `take`-th photo of a person; the same arguments give the same scene. With `shown` it is the first one's scene
    with the `take`-th expression of SHOWN."""
    if shown:
        face = list(SHOWN.values())[take]
        weight = {unit: value for name, value in face.items() for unit in _sides(name)}
        expression = np.array([weight.get(name, 0.0) for name in ARKIT_UNITS])
        return replace(draw_scene(seed, person, 0, max_yaw=max_yaw), take=take, expression=expression)
    rng = np.random.default_rng((seed, person, take, 1))
    yaw, pitch, roll = rng.uniform(-max_yaw, max_yaw), rng.uniform(-20, 20), rng.normal() * 8
    face_px = float(rng.uniform(150, 400))
    equivalent = float(np.exp(rng.uniform(np.log(24), np.log(135))))
    # A close selfie with a long lens fills more than the picture, a wide one would touch the nose.
    equivalent = max(equivalent, NEAREST_MM * face_px / FACE_MM / SIDE * 36)
    focal = equivalent / 36 * SIDE
    camera = Camera(focal, (SIDE / 2, SIDE / 2), (SIDE, SIDE))
    distance = focal * FACE_MM / face_px
    room = max(SIDE / 2 - 0.8 * face_px, 0.0)
    at = np.asarray(camera.center) + rng.uniform(-room, room, 2)
    rotation = rotation_from_euler(yaw, pitch, roll)
    middle = camera.unproject(at, distance)
    translation = middle - rotation @ np.array([0.0, -28.0, 20.0])
    return Scene(
        person,
        take,
        float(yaw),
        float(pitch),
        float(roll),
        equivalent,
        face_px,
        camera,
        rigid(rotation, translation),
        draw_expression(rng),
        str(rng.choice(LIGHTS, p=[0.35, 0.2, 0.2, 0.15, 0.1])),
        (seed, person, take, 2),
    )


POSES: tuple[dict[str, float], ...] = (
    {},
    {},
    {"mouthSmile": 0.7, "cheekSquint": 0.4, "eyeSquint": 0.3},
    {"mouthSmile": 0.8, "jawOpen": 0.25, "mouthUpperUp": 0.4, "cheekSquint": 0.5, "mouthLowerDown": 0.2},
    {"jawOpen": 0.5, "browInnerUp": 0.6, "browOuterUp": 0.5, "eyeWide": 0.6},
    {"jawOpen": 0.35, "mouthFunnel": 0.4},
    {"mouthPucker": 0.7},
    {"mouthFrown": 0.6, "browInnerUp": 0.4, "mouthShrugLower": 0.4},
    {"browDown": 0.7, "noseSneer": 0.5, "eyeSquint": 0.4, "mouthPress": 0.4},
    {"eyeBlink": 0.95},
    {"eyeBlinkLeft": 0.9, "mouthSmileLeft": 0.4, "cheekSquintLeft": 0.4},
    {"eyeBlinkRight": 0.9, "mouthSmileRight": 0.4, "cheekSquintRight": 0.4},
    {"cheekPuff": 0.8, "mouthPress": 0.3},
    {"mouthStretch": 0.6, "mouthLowerDown": 0.5, "jawOpen": 0.15},
    {"mouthLeft": 0.6, "mouthDimpleLeft": 0.4},
    {"mouthRight": 0.6, "mouthDimpleRight": 0.4},
    {"jawLeft": 0.5},
    {"jawRight": 0.5},
    {"mouthRollLower": 0.6, "mouthRollUpper": 0.5, "mouthPress": 0.4},
)
"""Expressions that people make; a name without a side stands for both sides."""


def draw_expression(rng: np.random.Generator) -> Array:
    """(52,) in 0..1: one of POSES with its strength and sides varied, a few more units, and a gaze."""
    weight = dict.fromkeys(ARKIT_UNITS, 0.0)
    pose = POSES[rng.integers(len(POSES))]
    strength = rng.uniform(0.5, 1.2)
    for name, value in pose.items():
        for unit in _sides(name):
            weight[unit] = value * strength * rng.uniform(0.8, 1.2)
    for _ in range(rng.integers(0, 4)):
        name = str(rng.choice(_STEMS))
        value = rng.beta(1.5, 3.0)
        for unit in _sides(name):
            weight[unit] = max(weight[unit], value * rng.uniform(0.8, 1.2))
    for side in ("Left", "Right"):
        if weight[f"eyeBlink{side}"] > 0.3:
            weight[f"eyeWide{side}"] = 0.0
    weight["mouthClose"] = min(weight["mouthClose"], weight["jawOpen"])  # closing lips means something on an open jaw
    for one, other in (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight")):
        if weight[one] < weight[other]:
            weight[one] = 0.0
        else:
            weight[other] = 0.0
    aside, up = rng.normal(size=2) * (0.25, 0.15)
    weight["eyeLookOutLeft"] = weight["eyeLookInRight"] = max(aside, 0.0)
    weight["eyeLookInLeft"] = weight["eyeLookOutRight"] = max(-aside, 0.0)
    for side in ("Left", "Right"):
        weight[f"eyeLookUp{side}"], weight[f"eyeLookDown{side}"] = max(up, 0.0), max(-up, 0.0)
    return np.clip([weight[name] for name in ARKIT_UNITS], 0, 1)


def _sides(name: str) -> tuple[str, ...]:
    return (name,) if name in ARKIT_UNITS else (f"{name}Left", f"{name}Right")


_STEMS = tuple(
    dict.fromkeys(
        name.removesuffix("Left").removesuffix("Right")
        if name not in ("jawLeft", "jawRight", "mouthLeft", "mouthRight")
        else name
        for name in ARKIT_UNITS
        if not name.startswith(("eyeLook", "tongue"))
    )
)
