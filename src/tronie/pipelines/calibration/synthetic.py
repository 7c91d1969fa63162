"""Random pictures of random heads with known truth, and what the landmark net says of them.

Each is a random head under a random camera, light, skin (`skins`) and surroundings (`backgrounds`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.geometry import Camera, rigid, rotation_from_euler
from tronie.head.arkit import MIRRORED_UNITS
from tronie.head.model import HeadModel, Level
from tronie.pipelines.calibration.backgrounds import before, behind, random_background
from tronie.pipelines.calibration.expressions import random_expression
from tronie.pipelines.calibration.layers import Drawn
from tronie.pipelines.calibration.lights import random_light
from tronie.pipelines.calibration.wear import degraded
from tronie.stages.landmarks.net import LandmarkNet, square_from_landmarks
from tronie.types import Landmarks

SIDE = 288
"""Pictures are SIDE x SIDE; the net's crop covers most of one."""
IDENTITY_SIZE = (0.8, 1.2)
"""Spread of a person's coefficients: people more and less alike than the model's own."""
LEAST_MOVE = 0.3
"""Millimetres by which a unit has to move something, or the model does not have it."""
PAINTED_HAIR = 0.55
"""Share of heads before painted hair, where none is built."""
LEAST_PRESENCE = 0.31
"""Certainty of the net that it sees a face, below which a picture is left out."""
SLIP = 4.0
"""Pixels by which the first crop is off."""
MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class RandomPerson:
    level: Level
    vertices: Array
    """(V, 3) mm in our head space, with the expression."""
    identity: Array
    """(K,) of the model that is to be calibrated: what the calibration is to say."""
    points: Array
    """(478, 3) where about the net's points lie."""
    foreign: bool = False
    """Of another model than the one that is to be calibrated."""
    number: int = -1
    """Of the person, where several pictures of one are drawn."""

    @property
    def middle(self) -> Array:
        """(3,) of the face."""
        return np.asarray(self.points[:468].mean(axis=0))


class People(Protocol):
    def draw(self, identity_size: float, expression: Array, rng: np.random.Generator) -> RandomPerson: ...


@dataclass(frozen=True, eq=False)
class Own:
    """The model's own people. Its texture coordinates are in our atlas."""

    model: HeadModel

    def draw(self, identity_size: float, expression: Array, rng: np.random.Generator) -> RandomPerson:
        level = self.model.level(self.model.usual_level)
        identity = rng.normal(0, identity_size, len(self.model.identity))
        vertices = level.apply(self.model.shape(identity, expression))
        return RandomPerson(level, vertices, identity, level.points478(vertices))


@dataclass(frozen=True, eq=False)
class SyntheticPicture:
    """What a photo would be, and the truth."""

    image: Image
    """(SIDE, SIDE, 3)."""
    points: Array
    """(478, 2) px: where about the net's points lie."""
    person: RandomPerson
    expression: Array
    """(52,)."""
    head_to_camera: Array
    """(4, 4)."""
    focal: float
    """Pixels; the principal point is the picture's middle."""


def draw(
    people: People, textures: Sequence[Image], units: NDArray[np.bool_], rng: np.random.Generator
) -> SyntheticPicture:
    """One picture. `textures` (S, S, 3) each, in the atlas of the people's heads; `units` (52,) are those that the
    heads have."""
    expression = random_expression(rng) * units
    person = people.draw(rng.uniform(*IDENTITY_SIZE), expression, rng)
    return photograph(
        person, expression, Drawn(person.level, person.vertices, random_texture(textures, rng)), textures, rng
    )


Cover = Callable[[Image, Array, np.random.Generator], Image]
"""Puts something before a face whose points (478, 2) are given."""


def photograph(
    person: RandomPerson,
    expression: Array,
    drawn: Drawn,
    scraps: Sequence[Image],
    rng: np.random.Generator,
    cover: Cover = before,
    hair: float = PAINTED_HAIR,
) -> SyntheticPicture:
    """One picture of somebody, as `drawn`, from somewhere in some light. `scraps` are pieces of other pictures, `hair`
    is how often some is painted behind the head."""
    pose, focal = random_pose(person.middle, rng)
    camera = Camera(focal, (SIDE / 2, SIDE / 2), (SIDE, SIDE))
    points = camera.project(person.points @ pose[:3, :3].T + pose[:3, 3])
    background = behind(random_background(SIDE, scraps, rng), points, rng, hair)
    image = drawn.picture(camera, pose, lambda v, t: random_light(v, t, pose, rng), background)
    return SyntheticPicture(degraded(cover(image, points, rng), rng), points, person, expression, pose, focal)


def units_of(model: HeadModel) -> NDArray[np.bool_]:
    """(52,) the units that move anything."""
    return np.asarray(np.abs(model.expression).max(axis=(1, 2), initial=0.0) > LEAST_MOVE)


def random_texture(textures: Sequence[Image], rng: np.random.Generator) -> Image:
    """One of the textures with another exposure, colour balance, contrast; now and then mirrored."""
    image = textures[int(rng.integers(len(textures)))]
    if rng.random() < 0.5:
        image = image[:, ::-1]
    ramp = np.linspace(0, 1, 256)
    table = np.clip(ramp ** rng.uniform(0.7, 1.4), 0, 1)[:, None] * rng.uniform(0.75, 1.2) * rng.uniform(0.9, 1.1, 3)
    table = np.clip(table * 255, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(np.ascontiguousarray(image), table[None]), dtype=np.uint8)


def random_pose(middle: Array, rng: np.random.Generator) -> tuple[Array, float]:
    """(4, 4) and focal length: the face fills the picture about as a crop does, from 0.27 to 3 m away.

    `middle` (3,) mm is the middle of the face.
    """
    yaw = rng.uniform(-1, 1) * rng.choice([75, 45]) if rng.random() < 0.7 else rng.normal(0, 18)
    rotation = rotation_from_euler(np.clip(yaw, -80, 80), np.clip(rng.normal(0, 13), -35, 35), rng.normal(0, 4))
    distance = np.exp(rng.uniform(np.log(270), np.log(3000)))
    focal = SIDE / rng.uniform(235, 285) * distance
    centre = rotation @ middle - np.append(rng.normal(0, 5, 2), 0)
    return rigid(rotation, np.array([0, 0, distance]) - centre), float(focal)


@dataclass(frozen=True, eq=False)
class Sample:
    """What the net saw, and the truth."""

    points: Array
    """(478, 3) landmarks in picture pixels."""
    scores: Array
    """(52,)."""
    features: Array
    """(576,) float16."""
    identity: Array
    expression: Array
    """(52,)."""
    head_to_camera: Array
    """(4, 4)."""
    focal: float
    """Pixels; the principal point is the picture's middle."""


FIELDS = tuple(Sample.__dataclass_fields__)


def look(picture: SyntheticPicture, net: LandmarkNet, twin: Array, rng: np.random.Generator) -> list[Sample]:
    """A sample of the picture and one of its mirror image; none where the net sees no face. `twin` (K, K) is the
    model's `mirror_map`."""
    off = picture.points + rng.normal(0, SLIP, 2)
    first = net.places([picture.image], square_from_landmarks(off))[0]
    said = net.look(picture.image, square_from_landmarks(first))
    if said.presence < LEAST_PRESENCE or said.mirrored is None:
        return []
    truth = (picture.person.identity, picture.expression, picture.head_to_camera, picture.focal)
    return [_sample(said, 0.0, *truth), _sample(said.mirrored, SIDE, *mirrored_truth(*truth, twin))]


def mirrored_truth(
    identity: Array, expression: Array, head_to_camera: Array, focal: float, twin: Array
) -> tuple[Array, Array, Array, float]:
    """The truth of a picture mirrored about its middle."""
    pose = head_to_camera.copy()
    pose[:3, :3] = pose[:3, :3] * MIRROR * MIRROR[:, None]
    pose[:3, 3] *= MIRROR
    return identity @ twin, expression[list(MIRRORED_UNITS)], pose, focal


def _sample(said: Landmarks, shift: float, identity: Array, expression: Array, pose: Array, focal: float) -> Sample:
    assert said.features is not None
    points = said.points + np.array([shift, 0.0, 0.0])
    features = said.features.astype(np.float16)
    return Sample(points, said.scores, features, identity, expression, pose, focal)
