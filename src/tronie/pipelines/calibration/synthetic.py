"""Random pictures of random heads with known truth, as the landmark net will see them.

Each is a random head under a random camera, light (`lamps`), skin (`skins`) and surroundings (`surroundings`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.geometry import Camera, rigid, rotation_from_euler
from tronie.head.arkit import ARKIT_UNITS, MIRRORED_UNITS
from tronie.head.model import HeadModel, Level
from tronie.pipelines.calibration.backgrounds import before, behind, degraded, random_background
from tronie.pipelines.calibration.random_lights import random_light
from tronie.raster.shading import UNLIT, render_head

SIDE = 288
"""Pictures are SIDE x SIDE; the net's crop covers most of one."""
UNIT = {n: i for i, n in enumerate(ARKIT_UNITS)}
EXCLUSIVE = (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight"))
OPPOSED = (("eyeLookUp", "eyeLookDown"), ("eyeLookIn", "eyeLookOut"), ("eyeBlink", "eyeWide"))
IDENTITY_SIZE = (0.8, 1.2)
"""Spread of a person's coefficients: people more and less alike than the model's own."""
LEAST_MOVE = 0.3
"""Millimetres by which a unit has to move something, or the model does not have it."""


@dataclass(frozen=True, eq=False)
class Person:
    level: Level
    vertices: Array
    """(V, 3) mm in our head space, with the expression."""
    identity: Array
    """(K,) of the model that is to be calibrated: what the calibration is to say."""
    points: Array
    """(478, 3) where about the net's points lie."""
    foreign: bool = False
    """Of another model than the one that is to be calibrated."""

    @property
    def middle(self) -> Array:
        """(3,) of the face."""
        return np.asarray(self.points[:468].mean(axis=0))


class People(Protocol):
    def draw(self, identity_size: float, expression: Array, rng: np.random.Generator) -> Person: ...


@dataclass(frozen=True, eq=False)
class Own:
    """The model's own people. Its texture coordinates are in our atlas."""

    model: HeadModel

    def draw(self, identity_size: float, expression: Array, rng: np.random.Generator) -> Person:
        level = self.model.level(self.model.usual_level)
        identity = rng.normal(0, identity_size, len(self.model.identity))
        vertices = level.apply(self.model.shape(identity, expression))
        return Person(level, vertices, identity, level.points478(vertices))


@dataclass(frozen=True, eq=False)
class Picture:
    """What a photo would be, and the truth."""

    image: Image
    """(SIDE, SIDE, 3)."""
    points: Array
    """(478, 2) px: where about the net's points lie."""
    person: Person
    expression: Array
    """(52,)."""
    head_to_camera: Array
    """(4, 4)."""
    focal: float
    """Pixels; the principal point is the picture's middle."""


def draw(people: People, textures: Sequence[Image], units: NDArray[np.bool_], rng: np.random.Generator) -> Picture:
    """One picture. `textures` (S, S, 3) each, in the atlas of the people's heads; `units` (52,) are those that the
    heads have."""
    expression = random_expression(rng) * units
    person = people.draw(rng.uniform(*IDENTITY_SIZE), expression, rng)
    pose, focal = random_pose(person.middle, rng)
    camera = Camera(focal, (SIDE / 2, SIDE / 2), (SIDE, SIDE))
    points = camera.project(person.points @ pose[:3, :3].T + pose[:3, 3])
    light = random_light(person.vertices, person.level.triangles, pose, rng)
    background = behind(random_background(SIDE, textures, rng), points, rng)
    image = render_head(
        person.vertices, person.level, random_texture(textures, rng), camera, pose,
        background=background, shading=UNLIT, occlusion=light,
    )  # fmt: skip
    return Picture(degraded(before(image, points, rng), rng), points, person, expression, pose, focal)


def units_of(model: HeadModel) -> NDArray[np.bool_]:
    """(52,) the units that move anything."""
    return np.asarray(np.abs(model.expression).max(axis=(1, 2), initial=0.0) > LEAST_MOVE)


def random_expression(rng: np.random.Generator) -> Array:
    """(52,) sparse, mostly symmetric, with gaze and blinks."""
    e = np.zeros(52)
    kind = rng.random()
    if kind < 0.25:  # at rest, nearly
        e = np.clip(rng.normal(0, 0.05, 52), 0, 1)
    elif kind < 0.5:  # a face pulled on purpose
        for name in rng.choice(list(UNIT), size=rng.integers(1, 4), replace=False):
            e[UNIT[name]] = rng.uniform(0.3, 1)
            if rng.random() < 0.75:
                e[MIRRORED_UNITS[UNIT[name]]] = rng.uniform(0.3, 1)
        for one, other in EXCLUSIVE:
            e[UNIT[one if e[UNIT[one]] < e[UNIT[other]] else other]] = 0
        if e[UNIT["mouthClose"]] > 0:
            e[UNIT["jawOpen"]] = max(e[UNIT["jawOpen"]], e[UNIT["mouthClose"]])
    elif kind < 0.75:  # a smile, open or closed
        smile = rng.beta(1.5, 1.5)
        for side in ("Left", "Right"):
            e[UNIT["mouthSmile" + side]] = np.clip(smile + rng.normal(0, 0.06), 0, 1)
            e[UNIT["cheekSquint" + side]] = smile * rng.random() * 0.7
            e[UNIT["eyeSquint" + side]] = smile * rng.random() * 0.6
            e[UNIT["mouthUpperUp" + side]] = smile * rng.random() * 0.5
            e[UNIT["mouthLowerDown" + side]] = smile * rng.random() * 0.5
        e[UNIT["jawOpen"]] = rng.beta(1, 4) * 0.6
    if kind >= 0.75 or rng.random() < 0.2:
        for name in rng.choice(ARKIT_UNITS, size=rng.integers(1, 9), replace=False):
            value = rng.beta(1, 1.3)
            e[UNIT[name]] = value
            stem = name.removesuffix("Left").removesuffix("Right")
            if stem != name and stem + "Left" in UNIT and rng.random() < 0.7:
                for side in ("Left", "Right"):
                    e[UNIT[stem + side]] = np.clip(value + rng.normal(0, 0.08), 0, 1)
    up, aside = rng.normal(0, 0.3, 2)
    e[[UNIT[n] for n in ARKIT_UNITS if n.startswith("eyeLook")]] = 0
    for side, sign in (("Left", 1), ("Right", -1)):
        e[UNIT[("eyeLookUp" if up > 0 else "eyeLookDown") + side]] = min(abs(up), 1)
        e[UNIT[("eyeLookOut" if aside * sign > 0 else "eyeLookIn") + side]] = min(abs(aside), 1)
    if rng.random() < 0.12:
        blink = rng.beta(2, 1)
        for side in ("Left", "Right") if rng.random() < 0.8 else (str(rng.choice(["Left", "Right"])),):
            e[UNIT["eyeBlink" + side]] = blink
    for a, b in OPPOSED:
        for side in ("Left", "Right"):
            i, j = UNIT[a + side], UNIT[b + side]
            e[j if e[i] > e[j] else i] = 0
    e[UNIT["mouthClose"]] = min(e[UNIT["mouthClose"]], e[UNIT["jawOpen"]])
    if rng.random() < 0.9:
        e[UNIT["tongueOut"]] = 0
    return e


def random_texture(textures: Sequence[Image], rng: np.random.Generator) -> Image:
    """One of the textures with another exposure, colour balance, contrast; now and then mirrored."""
    image = textures[int(rng.integers(len(textures)))]
    if rng.random() < 0.5:
        image = image[:, ::-1]
    ramp = np.linspace(0, 1, 256)
    table = np.clip(ramp ** rng.uniform(0.7, 1.4), 0, 1)[:, None] * rng.uniform(0.75, 1.2) * rng.uniform(0.9, 1.1, 3)
    table = np.clip(table * 255, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.stack([table[:, k][image[..., k]] for k in range(3)], axis=-1))


def random_pose(middle: Array, rng: np.random.Generator) -> tuple[Array, float]:
    """(4, 4) and focal length: the face fills the picture about as a crop does, from 0.27 to 3 m away.

    `middle` (3,) mm is the middle of the face.
    """
    yaw = rng.uniform(-75, 75) if rng.random() < 0.6 else rng.normal(0, 18)
    rotation = rotation_from_euler(np.clip(yaw, -80, 80), np.clip(rng.normal(0, 13), -35, 35), rng.normal(0, 4))
    distance = np.exp(rng.uniform(np.log(270), np.log(3000)))
    focal = SIDE / rng.uniform(235, 285) * distance
    centre = rotation @ middle - np.append(rng.normal(0, 5, 2), 0)
    return rigid(rotation, np.array([0, 0, distance]) - centre), float(focal)
