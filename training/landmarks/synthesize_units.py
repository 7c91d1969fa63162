"""Sittings: random people who make many faces before one camera in one light, and what the nets say of every frame.

    python -m training.landmarks.synthesize_units WARDROBE OUT --ict ICT_NPZ --count 400 --seed 3

What the reader of units (train_units.py) learns from. People, light and cameras are those of `crowd`; faces are mixed
more freely than the calibration's, and upper lids follow the eyes down by another share with every person. Writes
OUT/sittings-SEED-N.npz; a second process with another seed adds more.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from training.landmarks.crowd import Crowd, Somebody
from tronie.arrays import Image
from tronie.geometry import Camera, rigid, rotation_from_euler
from tronie.head.arkit import ARKIT_UNITS, MIRRORED_UNITS
from tronie.pipelines.calibration.backgrounds import random_background
from tronie.pipelines.calibration.expressions import UNIT, random_expression
from tronie.pipelines.calibration.layers import Drawn
from tronie.pipelines.calibration.lights import random_light
from tronie.pipelines.calibration.synthetic import LEAST_PRESENCE, SIDE, SLIP, random_texture
from tronie.pipelines.calibration.wear import degraded
from tronie.stages.landmarks.net import LandmarkNet, square_from_landmarks

SHARD, FRAMES = 8, 14
"""Sittings of a file, and frames of each; with the mirror images twice as many of both."""
TURN_DEGREES = (15.0, 8.0, 5.0)
"""Deviation of yaw, pitch, roll within a sitting; about a view that is off by half as much."""
NEAREST_MM, FARTHEST_MM = 350.0, 2000.0
FOLLOWED = (0.05, 0.5)
"""By how much of a blink an upper lid follows an eye that looks down by one unit, besides what the unit itself does."""
KEPT = 0.35
"""Share of that which counts as a blink: so the head's lids lie about where the picture's do, and nobody sleeps."""
LARGEST_LOOK = 1.4
"""Eyes can turn down further than the unit says."""
MIXED, LIVELY, DOWN, SHUT, QUIET = 0.4, 0.6, 0.15, 0.2, 0.12
"""Shares of faces that are two at once, of what speech and feelings mostly move, that look down, whose lids are on
their way, that do nothing but look."""
OFTEN = (
    "jawOpen", "mouthFunnel", "mouthPucker", "mouthSmile", "mouthFrown", "mouthRollLower", "mouthRollUpper",
    "cheekPuff", "mouthStretch", "mouthUpperUp", "mouthLowerDown", "browInnerUp", "browDown", "browOuterUp",
    "eyeSquint", "noseSneer",
)  # fmt: skip
MOVES = 0.35
"""Share of them that a lively face moves."""
CLEAR, USUAL = 0.7, 0.75
"""Shares of sittings before a good camera, and of people of our own with the skin of a portrait."""


@dataclass(frozen=True)
class Sample:
    points: np.ndarray
    """(478, 3) pixels."""
    scores: np.ndarray
    """(52,)."""
    features: np.ndarray
    """(576,)."""
    expression: np.ndarray
    """(52,) that is to be said."""
    sitting: int
    """Of one person, mirrored or not."""
    focal: float
    """Pixels."""


def random_face(rng: np.random.Generator, follow: float) -> tuple[np.ndarray, np.ndarray]:
    """(52,) as it is drawn, and as it is to be said."""
    face = random_expression(rng)
    if rng.random() < MIXED:
        other, share = random_expression(rng), rng.uniform(0.2, 1, 2)
        face = np.clip(share[0] * face + share[1] * other, 0, 1)
    if rng.random() < LIVELY:
        face = _lively(rng)
    if rng.random() < QUIET:
        face = np.clip(rng.normal(0, 0.03, 52), 0, 1)
    drawn = face.copy()
    down = rng.uniform(0.2, LARGEST_LOOK) if rng.random() < DOWN else None
    shut = rng.uniform(0.2, 1) if rng.random() < SHUT else None
    for side in ("Left", "Right"):
        look, up, blink, wide = (UNIT[f"eye{n}{side}"] for n in ("LookDown", "LookUp", "Blink", "Wide"))
        if down is not None:
            drawn[look], drawn[up] = max(down + rng.normal(0, 0.04), 0), 0
        if shut is not None:
            drawn[blink] = np.clip(shut + rng.normal(0, 0.05), 0, 1)
        drawn[wide] *= drawn[blink] < 0.2
        face[[look, up, wide, blink]] = np.clip(drawn[[look, up, wide, blink]], 0, 1)
        lowered = (1 - drawn[blink]) * follow * drawn[look]  # a lid that is down already has less way to go
        face[blink] += KEPT * lowered
        drawn[blink] += lowered
    return drawn, np.clip(face, 0, 1)


def _lively(rng: np.random.Generator) -> np.ndarray:
    face, before = np.zeros(52), random_expression(rng)
    for name in ARKIT_UNITS:
        if name.startswith("eyeLook"):
            face[UNIT[name]] = before[UNIT[name]]
    for stem in OFTEN:
        if rng.random() < MOVES:
            value = rng.uniform(0, 1) * rng.uniform(0.4, 1)
            for name in (stem, stem + "Left", stem + "Right"):
                if name in UNIT:
                    face[UNIT[name]] = np.clip(value + rng.normal(0, 0.04), 0, 1)
    face[UNIT["cheekPuff"]] *= face[UNIT["jawOpen"]] < 0.1
    return face


def frames(crowd: Crowd, who: Somebody, rng: np.random.Generator) -> list[tuple[Image, np.ndarray, np.ndarray, float]]:
    """Pictures of a sitting: picture, (478, 2) about where the points lie, what the face does, the focal length."""
    follow, texture, seed = rng.uniform(*FOLLOWED), random_texture([who.skin], rng), int(rng.integers(1 << 31))
    if who.beard is not None:
        texture = who.beard.painted(texture, who.beard_colour)
    background = random_background(SIDE, crowd.skins, rng)
    worse = (lambda picture, _: picture) if rng.random() < CLEAR else degraded
    view = rng.normal(0, np.array(TURN_DEGREES) / 2)
    distance = np.exp(rng.uniform(np.log(NEAREST_MM), np.log(FARTHEST_MM)))
    focal = float(SIDE / rng.uniform(235, 285) * distance)
    camera = Camera(focal, (SIDE / 2, SIDE / 2), (SIDE, SIDE))
    out = []
    for _ in range(FRAMES):
        drawn, face = random_face(rng, follow)
        person = who.at(drawn * crowd.units)
        turn = rotation_from_euler(*np.clip(view + rng.normal(0, TURN_DEGREES), -55, 55))
        off = np.append(rng.normal(0, 5, 2), distance)
        pose = rigid(turn, off - turn @ person.middle)
        vertices = person.vertices
        if who.beard is not None:
            vertices = who.beard.grown(vertices, person.level.triangles, who.kind.atlas)
        worn = who.hair.worn(who.kind.rays, who.vertices_at_rest, who.hair_fit) if who.hair is not None else []

        def light(v: np.ndarray, t: np.ndarray, pose: np.ndarray = pose) -> np.ndarray:
            return random_light(v, t, pose, np.random.default_rng(seed))

        image = Drawn(person.level, vertices, texture, worn).picture(camera, pose, light, background)
        points = camera.project(person.points @ pose[:3, :3].T + pose[:3, 3])
        out.append((worse(image, np.random.default_rng(seed)), points, face * crowd.units, focal))
    return out


def samples(crowd: Crowd, net: LandmarkNet, rng: np.random.Generator, number: int) -> list[Sample]:
    """All of one person's sitting and, as another's, of its mirror image."""
    out = []
    for image, points, face, focal in frames(crowd, crowd.person(rng), rng):
        first = net.places([image], square_from_landmarks(points + rng.normal(0, SLIP, 2)))[0]
        said = net.look(image, square_from_landmarks(first))
        if said.presence < LEAST_PRESENCE or said.mirrored is None:
            continue
        other = said.mirrored
        out.append(Sample(said.points, said.scores, said.features, face, 2 * number, focal))
        flipped = face[list(MIRRORED_UNITS)]
        places = other.points + np.array([SIDE, 0, 0])
        out.append(Sample(places, other.scores, other.features, flipped, 2 * number + 1, focal))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wardrobe", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--ict", type=Path, help="ICT-FaceKit's npz: almost half of the people are its")
    parser.add_argument("--count", type=int, default=400, help="of sittings")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    net, crowd = LandmarkNet(), Crowd.open(options.wardrobe, options.ict, options.seed)
    usual = replace(crowd, theirs=None, invented=crowd.skins)
    for shard in range(options.count // SHARD):
        path = options.out / f"sittings-{options.seed}-{shard:03d}.npz"
        if path.exists():
            continue
        rng = np.random.default_rng((options.seed, shard))
        found = [
            s
            for number in range(SHARD)
            for s in samples(usual if rng.random() < USUAL else crowd, net, rng, shard * SHARD + number)
        ]
        fields = {n: np.array([getattr(s, n) for s in found]) for n in Sample.__dataclass_fields__}
        narrow = {n: a.astype(np.float32) if a.dtype == np.float64 else a for n, a in fields.items()}
        temporary = path.with_suffix(".tmp.npz")
        np.savez(temporary, **narrow)
        temporary.rename(path)
        print(path.name, flush=True)


if __name__ == "__main__":
    main()
