"""Synthetic portraits with known truth, and what two nets say of them: the calibration's training set.

    python -m training.landmarks.synthesize WARDROBE OUT --ict ICT_NPZ --count 30000 --seed 11

Each person of the crowd (crowd.py; WARDROBE is the folder of wardrobe.py) is drawn LOOKS times, and seen by the real
landmark net and the recogniser through crops as the pipeline makes them. Writes OUT/shard-SEED-N.npz, and the pictures
as JPEG files in OUT/pictures-SEED-N.npz (`bytes`, one after the other, and where each ends), of which every picture's
two samples can be made again; a second process with another seed adds more.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from training.landmarks.crowd import Crowd
from tronie.geometry import Similarity
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import default_head
from tronie.pipelines.calibration.synthetic import SIDE, SyntheticPicture, mirrored_truth
from tronie.runtime import weights
from tronie.runtime.inference import Session
from tronie.stages.fit.basis import mirror_map
from tronie.stages.landmarks.net import (
    BLENDSHAPE_LANDMARKS,
    EYE_LEFT,
    EYE_RIGHT,
    NET_SIDE,
    NET_UNITS,
    square_from_landmarks,
)
from tronie.stages.landmarks.recognizer import chip_of
from tronie.stages.landmarks.squares import cut, sized

SHARD = 500
LOOKS = 2
"""Pictures of each person; their mirror images count as another's."""
LEAST_PRESENCE = -0.8
"""Logit of the net's certainty that it sees a face."""
FINE_STEP = 12 / 255
"""Of the recogniser's inner activations, which are seldom above 12."""
MIRROR = np.array([-1.0, 1.0, 1.0])

Seen = tuple[np.ndarray, ...]
"""The first fields of a Sample, up to `fine`."""


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
    embedding: np.ndarray
    """(128,) of the recogniser."""
    fine: np.ndarray
    """(64, 17, 17) its inner activations in steps of FINE_STEP, uint8."""
    identity: np.ndarray
    expression: np.ndarray
    head_to_camera: np.ndarray
    """(4, 4)."""
    focal: float
    """Pixels; the principal point is the picture's middle."""
    foreign: bool
    """The head is of another model; its expression moves the face a little otherwise than ours."""
    person: int
    """Samples of one person share it within a shard."""

    def mirrored(self, seen: Seen, twin: np.ndarray) -> Sample:
        """The truth of the mirror image, with what the net saw there; `twin` (K, K) as `mirror_map`."""
        truth = mirrored_truth(self.identity, self.expression, self.head_to_camera, self.focal, twin)
        return Sample(*seen, *truth, self.foreign, self.person)


class Net:
    """The landmark net and the recogniser with their activations."""

    def __init__(self) -> None:
        self._points, self._scores = Session(weights.path("face_landmarks")), Session(weights.path("blendshapes"))
        self._recognizer = Session(weights.path("recognizer"))

    def place(self, image: np.ndarray, near: np.ndarray) -> np.ndarray:
        """(478, 2) points, by one plain pass."""
        to_picture, out = self._pass(image, near)
        return np.asarray(to_picture.apply(out["points"].reshape(478, 3)[:, :2].astype(np.float64)))

    def _pass(self, image: np.ndarray, near: np.ndarray) -> tuple[Similarity, dict[str, np.ndarray]]:
        to_picture = sized(square_from_landmarks(near), NET_SIDE)
        crop = cut(image, to_picture, NET_SIDE).transpose(2, 0, 1)[None].astype(np.float32) / 255
        return to_picture, self._points.run({"image": crop})

    def look(self, image: np.ndarray, near: np.ndarray) -> tuple[Seen, float]:
        """What it says of the crop around points (478, 2+), and the logit of its certainty that it is a face."""
        to_picture, out = self._pass(image, near)
        local = out["points"].reshape(478, 3).astype(np.float64)
        points = np.concatenate([to_picture.apply(local[:, :2]), local[:, 2:] * to_picture.scale], axis=1)
        said = self._scores.run({"points": local[None, BLENDSHAPE_LANDMARKS, :2].astype(np.float32)})["scores"][0]
        named = dict(zip(NET_UNITS, said, strict=True)) | {"tongueOut": out["tongue"][0, 0]}
        scores = np.array([named[unit] for unit in ARKIT_UNITS]).clip(0, 1)
        early, late = (out[name][0].astype(np.float16) for name in ("early", "late"))
        chip = chip_of(image, points).transpose(2, 0, 1)[None].astype(np.float32)
        knows = self._recognizer.run({"chip": chip})
        fine = np.clip(np.round(knows["fine"][0] / FINE_STEP), 0, 255).astype(np.uint8)
        seen = (points, scores, early, late, knows["embedding"][0].astype(np.float16), fine)
        return seen, float(out["presence"][0, 0])


def look(picture: SyntheticPicture, number: int, net: Net, twin: np.ndarray, rng: np.random.Generator) -> list[Sample]:
    """A picture of person `number` and its mirror image; nothing where the net sees no face."""
    image, person = picture.image, picture.person
    first = net.place(image, picture.points + rng.normal(0, 4, 2))
    seen, presence = net.look(image, first)
    if presence < LEAST_PRESENCE:
        return []
    truth = person.identity, picture.expression, picture.head_to_camera, picture.focal
    sample = Sample(*seen, *truth, person.foreign, number)
    near = [SIDE, 0] + MIRROR[:2] * first
    near[[EYE_LEFT, EYE_RIGHT]] = near[[EYE_RIGHT, EYE_LEFT]]
    flipped, _ = net.look(np.ascontiguousarray(image[:, ::-1]), near)
    return [sample, sample.mirrored(flipped, twin)]


def jpeg(image: np.ndarray) -> np.ndarray:
    """RGB (S, S, 3) -> bytes."""
    return np.asarray(cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].ravel())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wardrobe", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--ict", type=Path, help="ICT-FaceKit's npz: almost half of the people are its")
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    net, twin, crowd = Net(), mirror_map(default_head()), Crowd.open(options.wardrobe, options.ict, options.seed)
    for shard in range(options.count // SHARD):
        path = options.out / f"shard-{options.seed}-{shard:03d}.npz"
        if path.exists():
            continue
        rng = np.random.default_rng((options.seed, shard))
        samples: list[Sample] = []
        pictures: list[np.ndarray] = []
        number = 0
        while len(samples) < SHARD:
            who = crowd.person(rng, number)
            for _ in range(LOOKS):
                picture = crowd.picture(who, rng)
                if found := look(picture, number, net, twin, rng):
                    samples += found
                    pictures.append(jpeg(picture.image))
            number += 1
        kept = pictures[: SHARD // 2]
        ends = np.cumsum([len(p) for p in kept])
        np.savez(options.out / f"pictures-{options.seed}-{shard:03d}.npz", bytes=np.concatenate(kept), ends=ends)
        fields = {n: np.array([getattr(s, n) for s in samples[:SHARD]]) for n in Sample.__dataclass_fields__}
        temporary = path.with_suffix(".tmp.npz")
        np.savez(temporary, **fields)
        temporary.rename(path)
        print(path.name, flush=True)


if __name__ == "__main__":
    main()
