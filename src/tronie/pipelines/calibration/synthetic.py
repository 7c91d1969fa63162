"""Random pictures of random heads with known truth, and what the landmark net says of them.

Each is a random head under a random camera, light, skin (`skins`) and surroundings (`backgrounds`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.geometry import Camera, rigid, rotation_from_euler, transform
from tronie.head.arkit import ARKIT_UNITS, MIRRORED_UNITS
from tronie.head.model import HeadModel, Level
from tronie.head.surface import triangle_vertex_normals
from tronie.pipelines.calibration.backgrounds import before, behind, degraded, random_background
from tronie.raster.rasterizer import rasterize
from tronie.raster.shading import UNLIT, render_head
from tronie.stages.landmarks.net import LandmarkNet, square_from_landmarks
from tronie.types import Landmarks

SIDE = 288
"""Pictures are SIDE x SIDE; the net's crop covers most of one."""
UNIT = {n: i for i, n in enumerate(ARKIT_UNITS)}
EXCLUSIVE = (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight"))
OPPOSED = (("eyeLookUp", "eyeLookDown"), ("eyeLookIn", "eyeLookOut"), ("eyeBlink", "eyeWide"))
IDENTITY_SIZE = (0.8, 1.2)
"""Spread of a person's coefficients: people more and less alike than the model's own."""
LEAST_MOVE = 0.3
"""Millimetres by which a unit has to move something, or the model does not have it."""
KINDS = ("soft", "front", "side", "top", "back", "harmonics")
CHANCES = (0.3, 0.15, 0.2, 0.1, 0.12, 0.13)
SHADOW_SIDE = 160
"""Pixels of the picture that a lamp sees."""
SHADOW_BIAS_MM = 2.0
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
    pose, focal = random_pose(person.middle, rng)
    camera = Camera(focal, (SIDE / 2, SIDE / 2), (SIDE, SIDE))
    points = camera.project(person.points @ pose[:3, :3].T + pose[:3, 3])
    light = random_light(person.vertices, person.level.triangles, pose, rng)
    background = behind(random_background(SIDE, textures, rng), points, rng)
    image = render_head(
        person.vertices,
        person.level,
        random_texture(textures, rng),
        camera,
        pose,
        background=background,
        shading=UNLIT,
        occlusion=light,
    )
    return SyntheticPicture(degraded(before(image, points, rng), rng), points, person, expression, pose, focal)


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


def random_light(vertices: Array, triangles: NDArray[Any], head_to_camera: Array, rng: np.random.Generator) -> Array:
    """(V,) float32 linear light on vertices (V, 3) mm, by which the texture is multiplied."""
    place = transform(head_to_camera, vertices.astype(np.float64)).astype(np.float32)
    normal = triangle_vertex_normals(place, triangles)  # a rigid motion keeps the winding
    kind = rng.choice(KINDS, p=CHANCES)
    if kind == "harmonics":
        return _harmonics(normal, rng)
    side = rng.choice([-1.0, 1.0])
    ambient, direction, strength = {
        "soft": (rng.uniform(0.45, 0.9), (rng.normal(0, 0.8), rng.normal(-0.4, 0.6), -rng.uniform(0.3, 1.2)), 0.5),
        "front": (rng.uniform(0.15, 0.4), (rng.normal(0, 0.2), rng.normal(-0.2, 0.2), -1.0), 0.8),
        "side": (rng.uniform(0.1, 0.4), (side, rng.normal(-0.3, 0.3), rng.normal(-0.3, 0.2)), 0.9),
        "top": (rng.uniform(0.15, 0.4), (rng.normal(0, 0.3), -1.0, -rng.uniform(0.1, 0.6)), 0.9),
        "back": (rng.uniform(0.25, 0.6), (side * rng.uniform(0.2, 1), rng.normal(-0.4, 0.3), rng.uniform(0.3, 1)), 1.0),
    }[str(kind)]
    out = ambient * (1 - rng.uniform(0, 0.35) * normal[:, 1])
    gloss = rng.uniform(0, 0.35) if rng.random() < 0.6 else 0.0
    lamps = [(np.array(direction), strength * rng.uniform(0.6, 1.3))]
    fills = range(rng.integers(0, 3))
    lamps += [(rng.normal(size=3) * [1, 0.5, 0.4] - [0, 0.2, 0.6], rng.uniform(0.05, 0.4)) for _ in fills]
    for index, (where, power) in enumerate(lamps):
        towards = (where / np.linalg.norm(where)).astype(np.float32)
        reach = float(rng.uniform(250, 1200)) if rng.random() < 0.35 else 0.0
        lit = _lamp(place, normal, towards, reach, gloss, rng.uniform(0, 0.6)) * power
        if index == 0 and rng.random() < 0.4:
            lit = lit * _shadow(place, triangles, towards, rng)
        out = out + lit
    return np.asarray(out * rng.uniform(0.75, 1.2), np.float32)


def _lamp(place: Array, normal: Array, towards: Array, reach: float, gloss: float, wrap: float) -> Array:
    """(V,) light of one lamp, `reach` mm away (0: very far)."""
    to: Array = np.broadcast_to(towards, place.shape)
    fade: Array | np.float32 = np.float32(1)
    if reach:
        to = place.mean(axis=0) + towards * reach - place
        length = np.linalg.norm(to, axis=1)
        to, fade = to / length[:, None], (reach / length) ** 2
    facing = np.maximum(((normal * to).sum(axis=1) + wrap) / (1 + wrap), 0)
    if gloss:
        half = to - place / np.linalg.norm(place, axis=1, keepdims=True)
        half = half / np.maximum(np.linalg.norm(half, axis=1, keepdims=True), 1e-6)
        facing = facing + gloss * 2.5 * np.maximum((normal * half).sum(axis=1), 0) ** 24 * (facing > 0)
    return np.asarray(facing * fade)


def _shadow(place: Array, triangles: NDArray[Any], towards: Array, rng: np.random.Generator) -> Array:
    """(V,) 0..1: how much of a far lamp's light arrives past the head itself; softened by looking four times."""
    middle = np.median(place, axis=0)
    seen = np.zeros(len(place), np.float32)
    spread = rng.uniform(0.0, 0.08)
    for _ in range(4 if spread > 0.02 else 1):
        z = -(towards + rng.normal(0, spread, 3))
        z = z / np.linalg.norm(z)
        x = np.cross([0.0, 1.0, 0.1], z)
        x = x / np.linalg.norm(x)
        p = (place - middle) @ np.array([x, np.cross(z, x), z]).T
        scale = SHADOW_SIDE / 300.0
        screen = np.column_stack([p[:, :2] * scale + SHADOW_SIDE / 2, p[:, 2] + 5000]).astype(np.float32)
        depth = rasterize(screen, triangles, SHADOW_SIDE, SHADOW_SIDE).depth
        cell = np.clip(screen[:, :2].astype(int), 0, SHADOW_SIDE - 1)
        front = depth[cell[:, 1], cell[:, 0]]
        seen += (screen[:, 2] < front + SHADOW_BIAS_MM + 1 / scale) | ~np.isfinite(front) | (front <= 0)
    seen = seen / seen.max() if seen.max() else seen + 1
    return np.asarray(1 - rng.uniform(0.5, 1) * (1 - seen), np.float32)


def _harmonics(normal: Array, rng: np.random.Generator) -> Array:
    """Random second-order spherical harmonics (Ramamoorthi & Hanrahan 2001), never below a little light."""
    x, y, z = normal.T
    basis = np.stack([x, y, z, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], axis=1)
    weight = rng.normal(0, 1, 8) * [0.35, 0.25, 0.3, 0.15, 0.15, 0.08, 0.15, 0.15] + [0, -0.15, -0.2, 0, 0, 0, 0, 0]
    return np.asarray(np.maximum(rng.uniform(0.6, 1.0) + basis @ weight, 0.08), np.float32)


@dataclass(frozen=True, eq=False)
class Sample:
    """What the net saw, and the truth."""

    points: Array
    """(478, 3) landmarks in picture pixels."""
    scores: Array
    """(52,)."""
    features: Array
    """(256,) float16."""
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
