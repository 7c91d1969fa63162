"""Synthetic portraits with known truth, and what the landmark net says of them: the calibration's training set.

    python forge/synthesize.py PORTRAITS OUT/photos --count 12000 --seed 11
    python forge/synthesize.py PORTRAITS OUT/paints --count 9000 --seed 21 --painted

PORTRAITS is a folder of photos whose textures are baked (indices 00 to 79 only: the others are held out). Each picture
is a random head of our own model under a random camera, light, skin and background, seen by the real landmark net
through crops as the pipeline makes them. Writes OUT/shard-SEED-N.npz; a second process with another seed adds more.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from paint_skins import painted_skins

import tronie
from tronie.geometry import Camera, rigid, rotation_from_euler
from tronie.head.model import HeadModel, default_head
from tronie.landmarks import LandmarkNet, square_from_landmarks
from tronie.render.shading import Light, Shading, render_head
from tronie.types import ARKIT_UNITS

SIDE = 288
"""Pictures are SIDE x SIDE; the net's crop covers most of one."""
SHARD = 500
UNIT = {n: i for i, n in enumerate(ARKIT_UNITS)}
OPPOSED = (("eyeLookUp", "eyeLookDown"), ("eyeLookIn", "eyeLookOut"), ("eyeBlink", "eyeWide"))


@dataclass(frozen=True)
class Sample:
    points: np.ndarray
    """(478, 3) landmarks in picture pixels."""
    scores: np.ndarray
    """(52,)."""
    presence: float
    identity: np.ndarray
    expression: np.ndarray
    head_to_camera: np.ndarray
    """(4, 4)."""
    focal: float
    """Pixels; the principal point is the picture's middle."""
    inner: np.ndarray
    """Inner activations of the net, float16."""


def random_expression(rng: np.random.Generator) -> np.ndarray:
    """(52,) sparse, mostly symmetric, with gaze and blinks."""
    e = np.zeros(52)
    kind = rng.random()
    if kind < 0.35:  # at rest, nearly
        e = np.clip(rng.normal(0, 0.05, 52), 0, 1)
    elif kind < 0.7:  # a smile, open or closed
        smile = rng.beta(1.5, 1.5)
        for side in ("Left", "Right"):
            e[UNIT["mouthSmile" + side]] = np.clip(smile + rng.normal(0, 0.06), 0, 1)
            e[UNIT["cheekSquint" + side]] = smile * rng.random() * 0.7
            e[UNIT["eyeSquint" + side]] = smile * rng.random() * 0.6
            e[UNIT["mouthUpperUp" + side]] = smile * rng.random() * 0.5
            e[UNIT["mouthLowerDown" + side]] = smile * rng.random() * 0.5
        e[UNIT["jawOpen"]] = rng.beta(1, 4) * 0.6
    if kind >= 0.7 or rng.random() < 0.3:
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


def random_light(rng: np.random.Generator) -> Shading:
    lights = tuple(
        Light((rng.normal(0, 0.8), rng.normal(-0.4, 0.6), -abs(rng.normal(0.8, 0.4)) - 0.05),
              rng.uniform(0.1, 0.7), rng.uniform(0, 0.6))
        for _ in range(rng.integers(1, 4))
    )  # fmt: skip
    return Shading(lights, rng.uniform(0.25, 0.8), rng.uniform(0, 0.3))


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


def random_background(textures: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """(SIDE, SIDE, 3): plain, a gradient, or blurred scraps of anything."""
    kind = rng.random()
    if kind < 0.3:
        return np.broadcast_to(rng.integers(0, 256, 3, dtype=np.uint8), (SIDE, SIDE, 3)).copy()
    if kind < 0.6:
        small = rng.integers(0, 256, (rng.integers(2, 5), rng.integers(2, 5), 3)).astype(np.uint8)
        return np.asarray(cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))
    scrap = textures[rng.integers(len(textures))]
    y, x = rng.integers(0, scrap.shape[0] // 2, 2)
    small = scrap[y : y + scrap.shape[0] // 2, x : x + scrap.shape[0] // 2][:: rng.choice([1, 8, 16])]
    return np.asarray(cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))


def random_pose(rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """(4, 4) and focal length: the face fills the picture about as a crop does, from 0.3 to 3 m away."""
    yaw = rng.uniform(-62, 62) if rng.random() < 0.6 else rng.normal(0, 15)
    rotation = rotation_from_euler(np.clip(yaw, -70, 70), np.clip(rng.normal(0, 11), -30, 30), rng.normal(0, 4))
    distance = np.exp(rng.uniform(np.log(300), np.log(3000)))
    focal = SIDE / rng.uniform(235, 285) * distance
    centre = rotation @ np.array([0.0, -28, 20]) - np.append(rng.normal(0, 5, 2), 0)
    return rigid(rotation, np.array([0, 0, distance]) - centre), float(focal)


def make(model: HeadModel, net: LandmarkNet, textures: list[np.ndarray], rng: np.random.Generator) -> Sample | None:
    level = model.level(1)
    identity, expression = rng.normal(size=len(model.identity)), random_expression(rng)
    vertices = level.apply(model.shape(identity, expression))
    pose, focal = random_pose(rng)
    camera = Camera(focal, (SIDE / 2, SIDE / 2), (SIDE, SIDE))
    image = render_head(
        vertices, level, random_texture(textures, rng), camera, pose,
        background=random_background(textures, rng), shading=random_light(rng),
    )  # fmt: skip
    image = degraded(image, rng)
    truth = level.points478(vertices)
    start = camera.project(truth @ pose[:3, :3].T + pose[:3, 3])
    guess = np.column_stack([start + rng.normal(0, 4, 2), np.zeros(len(start))])
    first = net.look(image, square_from_landmarks(guess))
    seen = net.look(image, square_from_landmarks(first.points))
    if seen.presence < 0.3 or seen.features is None:
        return None
    inner = seen.features.astype(np.float16)
    return Sample(seen.points, seen.scores, seen.presence, identity, expression, pose, focal, inner)


def degraded(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur, low resolution, noise, JPEG, each now and then."""
    if rng.random() < 0.3:
        k = rng.uniform(0.25, 0.9)
        small = cv2.resize(image, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
        image = cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.3:
        noise = rng.normal(0, rng.uniform(2, 14), image.shape)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        image = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 90))])[1], 1)
    if rng.random() < 0.1:
        image = np.repeat(image.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    return np.ascontiguousarray(image)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portraits", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--painted", action="store_true", help="invented skins (paint_skins.py) instead of photos'")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    store = options.out / "textures.npy"
    if not store.exists():
        made = painted_skins(default_head(), 240) if options.painted else bake_textures(options.portraits)
        np.save(store, np.array(made))
    textures = list(np.load(store, mmap_mode="r"))
    model, net = default_head(), LandmarkNet()
    for shard in range(options.count // SHARD):
        path = options.out / f"shard-{options.seed}-{shard:03d}.npz"
        if path.exists():
            continue
        rng = np.random.default_rng((options.seed, shard))
        samples = [s for s in (make(model, net, textures, rng) for _ in range(SHARD)) if s is not None]
        fields = {n: np.array([getattr(s, n) for s in samples]) for n in Sample.__dataclass_fields__}
        temporary = path.with_suffix(".tmp.npz")
        np.savez(temporary, **fields)
        temporary.rename(path)
        print(path.name, len(samples), flush=True)


if __name__ == "__main__":
    main()
