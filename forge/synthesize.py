"""Synthetic portraits with known truth, and what the landmark net says of them: the calibration's training set.

    python forge/synthesize.py PORTRAITS OUT --ict ICT_NPZ --count 30000 --seed 11

PORTRAITS is a folder of photos whose textures are baked (indices 00 to 79 only: the others are held out). Each picture
is a random head (people.py) under a random camera, light (lighting.py), skin and surroundings (props.py), seen by the
real landmark net through crops as the pipeline makes them. Writes OUT/shard-SEED-N.npz; a second process with another
seed adds more.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from lighting import random_light
from paint_skins import painted_skins
from people import Own, People, ict_people
from props import before, behind, degraded, random_background

import tronie
from tronie import weights
from tronie.fit.basis import mirror_signs
from tronie.geometry import Camera, rigid, rotation_from_euler
from tronie.head.model import default_head
from tronie.landmarks import (
    BLENDSHAPE_LANDMARKS,
    EYE_LEFT,
    EYE_RIGHT,
    NET_SIDE,
    NET_UNITS,
    cut,
    sized,
    square_from_landmarks,
)
from tronie.render.shading import UNLIT, render_head
from tronie.runtime import Session
from tronie.types import ARKIT_UNITS, MIRRORED_UNITS

SIDE = 288
"""Pictures are SIDE x SIDE; the net's crop covers most of one."""
SHARD = 500
PAINTED, FOREIGN = 0.35, 0.5
"""Shares of pictures with invented skins, and of another model's people."""
UNIT = {n: i for i, n in enumerate(ARKIT_UNITS)}
LEAST_PRESENCE = -0.8
"""Logit of the net's certainty that it sees a face."""
MIRROR = np.array([-1.0, 1.0, 1.0])
EXCLUSIVE = (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight"))
OPPOSED = (("eyeLookUp", "eyeLookDown"), ("eyeLookIn", "eyeLookOut"), ("eyeBlink", "eyeWide"))


Seen = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""The first four fields of a Sample."""


@dataclass(frozen=True)
class Sample:
    """What the net saw, and the truth."""

    points: np.ndarray
    """(478, 3) landmarks in picture pixels."""
    scores: np.ndarray
    """(52,)."""
    early: np.ndarray
    """(32, 32, 32) early activations of the landmark net, float16."""
    late: np.ndarray
    """(128, 8, 8) later ones."""
    identity: np.ndarray
    expression: np.ndarray
    head_to_camera: np.ndarray
    """(4, 4)."""
    focal: float
    """Pixels; the principal point is the picture's middle."""
    foreign: bool
    """The head is of another model; its expression moves the face a little otherwise than ours."""

    def mirrored(self, seen: Seen, odd: np.ndarray) -> Sample:
        """The truth of the mirror image, with what the net saw there; `odd` (K,) are the signs that identity takes."""
        pose = self.head_to_camera.copy()
        pose[:3, :3] = pose[:3, :3] * MIRROR * MIRROR[:, None]
        pose[:3, 3] *= MIRROR
        return Sample(*seen, self.identity * odd, self.expression[list(MIRRORED_UNITS)], pose, self.focal, self.foreign)


class Net:
    """The landmark net with its activations."""

    def __init__(self) -> None:
        self._points, self._scores = Session(weights.path("face_landmarks")), Session(weights.path("blendshapes"))

    def look(self, image: np.ndarray, near: np.ndarray) -> tuple[Seen, float]:
        """What it says of the crop around points (478, 2+), and the logit of its certainty that it is a face."""
        to_picture = sized(square_from_landmarks(near), NET_SIDE)
        crop = cut(image, to_picture, NET_SIDE).transpose(2, 0, 1)[None].astype(np.float32) / 255
        out = self._points.run({"image": crop})
        local = out["points"].reshape(478, 3).astype(np.float64)
        points = np.concatenate([to_picture.apply(local[:, :2]), local[:, 2:] * to_picture.scale], axis=1)
        said = self._scores.run({"points": local[None, BLENDSHAPE_LANDMARKS, :2].astype(np.float32)})["scores"][0]
        named = dict(zip(NET_UNITS, said, strict=True)) | {"tongueOut": out["tongue"][0, 0]}
        scores = np.array([named[unit] for unit in ARKIT_UNITS]).clip(0, 1)
        early, late = (out[name][0].astype(np.float16) for name in ("early", "late"))
        return (points, scores, early, late), float(out["presence"][0, 0])


def random_expression(rng: np.random.Generator) -> np.ndarray:
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


def bake_textures(folder: Path, size: int = 512) -> list[np.ndarray]:
    """(size, size, 3) textures of the portraits with indices 00 to 79."""
    pipeline = tronie.Pipeline(tronie.Settings.model_validate({"texture": {"size": size}, "only": "texture"}))
    paths = sorted(p for p in folder.iterdir() if p.suffix == ".webp" and int(p.stem[-2:]) < 80)
    faces = [face for path in paths for face in pipeline.run(path).faces[:1]]
    return [face.texture.image for face in faces if face.texture is not None]


def random_texture(textures: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """One of the textures with another exposure, colour balance, contrast; now and then mirrored."""
    image = textures[rng.integers(len(textures))]
    if rng.random() < 0.5:
        image = image[:, ::-1]
    ramp = np.linspace(0, 1, 256)
    table = np.clip(ramp ** rng.uniform(0.7, 1.4), 0, 1)[:, None] * rng.uniform(0.75, 1.2) * rng.uniform(0.9, 1.1, 3)
    table = np.clip(table * 255, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.stack([table[:, k][image[..., k]] for k in range(3)], axis=-1))


def random_pose(middle: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """(4, 4) and focal length: the face fills the picture about as a crop does, from 0.27 to 3 m away.

    `middle` (3,) mm is the middle of the face.
    """
    yaw = rng.uniform(-75, 75) if rng.random() < 0.6 else rng.normal(0, 18)
    rotation = rotation_from_euler(np.clip(yaw, -80, 80), np.clip(rng.normal(0, 13), -35, 35), rng.normal(0, 4))
    distance = np.exp(rng.uniform(np.log(270), np.log(3000)))
    focal = SIDE / rng.uniform(235, 285) * distance
    centre = rotation @ middle - np.append(rng.normal(0, 5, 2), 0)
    return rigid(rotation, np.array([0, 0, distance]) - centre), float(focal)


def make(
    people: People, net: Net, textures: list[np.ndarray], odd: np.ndarray, rng: np.random.Generator
) -> list[Sample]:
    """One picture and its mirror image; nothing where the net sees no face."""
    expression = random_expression(rng)
    person = people.draw(rng.uniform(0.8, 1.2), expression, rng)
    pose, focal = random_pose(person.middle, rng)
    camera = Camera(focal, (SIDE / 2, SIDE / 2), (SIDE, SIDE))
    points = camera.project(person.points @ pose[:3, :3].T + pose[:3, 3])
    light = random_light(person.vertices, person.level.triangles, pose, rng)
    background = behind(random_background(SIDE, textures, rng), points, rng)
    image = render_head(
        person.vertices, person.level, random_texture(textures, rng), camera, pose,
        background=background, shading=UNLIT, occlusion=light,
    )  # fmt: skip
    image = degraded(before(image, points, rng), rng)
    first = net.look(image, points + rng.normal(0, 4, 2))[0][0]
    seen, presence = net.look(image, first)
    if presence < LEAST_PRESENCE:
        return []
    sample = Sample(*seen, person.identity, expression, pose, focal, person.foreign)
    near = [SIDE, 0, 0] + MIRROR * first
    near[[EYE_LEFT, EYE_RIGHT]] = near[[EYE_RIGHT, EYE_LEFT]]
    flipped, _ = net.look(np.ascontiguousarray(image[:, ::-1]), near)
    return [sample, sample.mirrored(flipped, odd)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portraits", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--ict", type=Path, help="ICT-FaceKit's npz: two of five people are its, in its own mesh")
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    model, net = default_head(), Net()
    odd = mirror_signs(model)
    baked, painted = options.out / "baked.npy", options.out / "painted.npy"
    if not baked.exists():
        np.save(baked, np.array(bake_textures(options.portraits)))
        np.save(painted, np.array(painted_skins(model, 240)))
    skins = [list(np.load(path, mmap_mode="r")) for path in (baked, painted)]
    crowd: list[People] = [Own(model)]
    if options.ict:
        crowd.append(ict_people(options.ict, model))
    for shard in range(options.count // SHARD):
        path = options.out / f"shard-{options.seed}-{shard:03d}.npz"
        if path.exists():
            continue
        rng = np.random.default_rng((options.seed, shard))
        samples = []
        while len(samples) < SHARD:
            people = crowd[int(rng.random() < FOREIGN) % len(crowd)]
            samples += make(people, net, skins[int(rng.random() < PAINTED)], odd, rng)
        fields = {n: np.array([getattr(s, n) for s in samples[:SHARD]]) for n in Sample.__dataclass_fields__}
        temporary = path.with_suffix(".tmp.npz")
        np.savez(temporary, **fields)
        temporary.rename(path)
        print(path.name, flush=True)


if __name__ == "__main__":
    main()
