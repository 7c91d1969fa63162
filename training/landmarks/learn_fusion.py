"""What looks at one person have in common: the numbers at the head of src/tronie/stages/fit/fusion.py.

    python -m training.landmarks.learn_fusion SAMPLES [--every 12]

SAMPLES holds shards of training/landmarks/synthesize.py, in which every person is seen more than once; one in twelve
counts, those that train_calibration.py learned nothing from (`--every 1` for shards made only for this, with
`synthesize --looks 8` say). Run it after a new calibration.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from training.landmarks.train_calibration import HELD, SEEN
from tronie.head.model import default_head
from tronie.pipelines.calibration.synthetic import SIDE
from tronie.runtime import weights
from tronie.runtime.inference import Session
from tronie.stages.fit.camera import guess_camera
from tronie.stages.fit.fusion import Answer, FaceView, answer_to, evidence_of, shape_modes
from tronie.stages.fit.regressor import FOCAL_JITTER, default_calibration
from tronie.stages.fit.scale import size_of
from tronie.types import Landmarks

SHARES = np.arange(0.0, 0.65, 0.05)
FACE_PIXELS = 200.0


@dataclass(frozen=True, eq=False)
class Looks:
    """All looks at one person."""

    truth: np.ndarray
    """(K,)."""
    answers: list[Answer]

    @property
    def said(self) -> np.ndarray:
        """(n, K)."""
        return np.array([answer.told.identity for answer in self.answers])


def people_of(path: Path, shape: Session) -> Iterator[Looks]:
    """Of one shard. Each picture is followed by its mirror image, which the pipeline hears too."""
    model, calibration = default_head(), default_calibration()
    with np.load(path, allow_pickle=False) as file:
        data = {name: file[name] for name in file.files}
    rng = np.random.default_rng(len(data["focal"]))
    seen: dict[int, list[Answer]] = {}
    truth: dict[int, np.ndarray] = {}
    for k in range(0, len(data["focal"]) - 1, 2):
        held = {name: data[name][k : k + 2].astype(np.float32) * step for name, step in SEEN.items()}
        features = shape.run(held)["features"]
        points = data["points"][k : k + 2].copy()
        points[1, :, 0] -= SIDE  # mirrored about x = 0
        one, other = (Landmarks(points[j], data["scores"][k + j], 1.0, features[j]) for j in (0, 1))
        focal = float(data["focal"][k]) * float(np.exp(rng.normal(0, FOCAL_JITTER)))
        camera = guess_camera((SIDE, SIDE), focal, [])
        marks = Landmarks(one.points, one.scores, 1.0, one.features, mirrored=other)
        person = int(data["person"][k])
        seen.setdefault(person, []).append(answer_to(model, calibration, FaceView(marks, camera, FACE_PIXELS)))
        truth[person] = data["identity"][k]
    for person, answers in seen.items():
        if len(answers) > 1:
            yield Looks(truth[person], answers)


def together(measured: np.ndarray, noise: np.ndarray, common: float) -> np.ndarray:
    """(n, K) measurements and their variances -> (K,), as `tronie.stages.fit.fusion.Evidence` has it."""
    sure = (1 / noise).sum(axis=0)
    left = common * ((1 / np.sqrt(noise)).sum(axis=0) / sure) ** 2 + (1 - common) / sure
    return (measured / noise).sum(axis=0) / sure / (1 + left)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", type=Path)
    parser.add_argument("--every", type=int, default=HELD)
    options = parser.parse_args()
    model, calibration = default_head(), default_calibration()
    shape = Session(weights.path("face_shape"))
    paths = sorted(options.samples.rglob("shard-*.npz"))[options.every - 1 :: options.every]
    people = [looks for path in paths for looks in people_of(path, shape)]
    modes = shape_modes(model)
    print(f"{len(people)} people, {sum(len(p.answers) for p in people)} looks")

    def error(said: np.ndarray, truth: np.ndarray) -> float:
        return float(np.linalg.norm(((said - truth) @ modes.axes) * modes.spread))

    one = np.mean([error(said, p.truth) for p in people for said in p.said])
    none = np.mean([error(np.zeros_like(p.truth), p.truth) for p in people])
    print(f"error on the face: mean head {none:.3f} mm, one look {one / none:.3f} of it; of one look's:")
    doubts = [np.array([modes.doubt(a.told) for a in p.answers]) for p in people]
    noises = [doubt / (1 - doubt) for doubt in doubts]
    errors = {}
    measured = [(1 + noise) * (p.said @ modes.axes) for p, noise in zip(people, noises, strict=True)]
    for common in SHARES:
        found = [together(x, noise, common) for x, noise in zip(measured, noises, strict=True)]
        errors[common] = np.mean([error(modes.axes @ f, p.truth) for f, p in zip(found, people, strict=True)]) / one
    print("all looks, by COMMON: " + ", ".join(f"{c:.2f} {e:.3f}" for c, e in errors.items()))
    plain = np.mean([error(p.said.mean(axis=0), p.truth) for p in people]) / one
    fused = [evidence_of(model, calibration, p.answers).identity for p in people]
    now = np.mean([error(f, p.truth) for f, p in zip(fused, people, strict=True)]) / one
    print(f"plain mean {plain:.3f}, as the package has it {now:.3f}")
    pairs = [(p.said[i], p.said[j]) for p in people for i, j in combinations(range(len(p.answers)), 2)]
    apart = np.array([error(a, b) for a, b in pairs])
    print(f"WITHIN_MM {np.sqrt((apart**2).mean() / 2):.2f}; nearest pair {apart.min():.2f} mm (COPY_MM)")
    along = np.array([[a @ size_of(model), b @ size_of(model)] for a, b in pairs])
    print(f"SIZE_SHARE {((along[:, 0] - along[:, 1]) ** 2).mean() / 2 / along.var():.2f}")


if __name__ == "__main__":
    main()
