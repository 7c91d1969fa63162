"""Several pictures of each of many random people, as the landmark net sees them: how the errors of looks at one person
hang together.

    python -m training.landmarks.synthesize_repeats SKINS OUT --ict ICT_NPZ --people 300 --looks 8 --seed 51

SKINS is the folder in which synthesize.py keeps baked.npy and painted.npy. A person keeps shape and skin; pose, camera,
expression, light, exposure, hair and surroundings differ from picture to picture. Writes OUT/looks-SEED-N.npz;
training/landmarks/error_correlation.py reads them.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from training.landmarks.ict_people import ict_people
from tronie.head.model import default_head
from tronie.pipelines.calibration.synthetic import SIDE, Own, People, RandomPerson, draw, units_of
from tronie.stages.landmarks.net import LandmarkNet, square_from_landmarks
from tronie.types import Landmarks

CHUNK = 25
"""People to a file."""
SIZE = (0.9, 1.1)
"""Of the people's coefficients."""
PAINTED, FOREIGN = 0.35, 0.5
SLIP = 4.0
TRIES = 3
LARGEST_YAW = 60.0


@dataclass(frozen=True, eq=False)
class OnePerson:
    """Draws the same person again and again."""

    people: People
    size: float
    seed: tuple[int, ...]

    def draw(self, identity_size: float, expression: np.ndarray, rng: np.random.Generator) -> RandomPerson:
        return self.people.draw(self.size, expression, np.random.default_rng(self.seed))


def flat(marks: Landmarks, prefix: str = "") -> dict[str, np.ndarray]:
    """What a fit needs of them, those of the mirror image too."""
    assert marks.features is not None
    out = {
        f"{prefix}points": marks.points.astype(np.float32),
        f"{prefix}scores": marks.scores.astype(np.float32),
        f"{prefix}features": marks.features.astype(np.float16),
    }
    return out if marks.mirrored is None else out | flat(marks.mirrored, "mirrored.")


def look(
    people: People, net: LandmarkNet, texture: np.ndarray, units: np.ndarray, rng: np.random.Generator
) -> dict[str, Any] | None:
    for _ in range(TRIES):
        picture = draw(people, [texture], units, rng)
        turn = np.degrees(np.arcsin(np.clip(abs(picture.head_to_camera[2, 0]), 0, 1)))
        if turn > LARGEST_YAW:
            continue
        first = net.places([picture.image], square_from_landmarks(picture.points + rng.normal(0, SLIP, 2)))[0]
        said = net.look(picture.image, square_from_landmarks(first))
        if said.presence >= 0.5 and said.mirrored is not None:
            return flat(said) | {
                "identity": picture.person.identity,
                "expression": picture.expression,
                "pose": picture.head_to_camera,
                "focal": picture.focal,
                "side": SIDE,
            }
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("skins", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--ict", type=Path)
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--looks", type=int, default=8)
    parser.add_argument("--seed", type=int, default=51)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    model, net = default_head(), LandmarkNet()
    units = units_of(model)
    skins = [np.load(options.skins / name, mmap_mode="r") for name in ("baked.npy", "painted.npy")]
    crowd: list[People] = [Own(model)]
    if options.ict:
        crowd.append(ict_people(options.ict, model))
    for chunk in range(-(-options.people // CHUNK)):
        path = options.out / f"looks-{options.seed}-{chunk:03d}.npz"
        if path.exists():
            continue
        rows: list[dict[str, Any]] = []
        for n in range(CHUNK):
            seed = (options.seed, chunk, n)
            rng = np.random.default_rng((*seed, 1))
            kind = int(rng.random() < FOREIGN) % len(crowd)
            one = OnePerson(crowd[kind], float(rng.uniform(*SIZE)), seed)
            some = skins[int(rng.random() < PAINTED)]
            texture = np.array(some[int(rng.integers(len(some)))])
            for _ in range(options.looks):
                seen = look(one, net, texture, units, rng)
                if seen is not None:
                    rows.append(seen | {"person": chunk * CHUNK + n, "foreign": bool(kind)})
        fields = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        temporary = path.with_suffix(".tmp.npz")
        np.savez(temporary, **fields)
        temporary.rename(path)
        print(path.name, len(rows), flush=True)


if __name__ == "__main__":
    main()
