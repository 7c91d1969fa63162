"""What the answers to several looks at one person share: the numbers at the head of src/tronie/stages/fit/fusion.py.

python -m training.landmarks.error_correlation OUT          # the folder of training/landmarks/synthesize_repeats.py
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np

from tronie.geometry import euler_degrees
from tronie.head.model import default_head
from tronie.stages.fit.camera import guess_camera
from tronie.stages.fit.regressor import default_calibration
from tronie.stages.fit.scale import similarity_free, size_of
from tronie.types import Landmarks

LOOKS = 8
FOCAL_JITTER = 0.3
"""Spread of the logarithm of the focal length that the calibration is told."""
BANDS = (0, 1, 2, 3, 4, 5, 8, 12, 20, 40, 100)


def marks(row: dict[str, np.ndarray], prefix: str = "") -> Landmarks:
    own = [row[prefix + name].astype(np.float64) for name in ("points", "scores", "features")]
    return Landmarks(own[0], own[1], 1.0, own[2], None if prefix else marks(row, "mirrored."))


def answers(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth (people, K), answers (people, LOOKS, K), yaw (people, LOOKS) of those that were seen so often."""
    model, calibration = default_head(), default_calibration()
    truth: dict[tuple[str, int], np.ndarray] = {}
    said: dict[tuple[str, int], list[np.ndarray]] = {}
    yaw: dict[tuple[str, int], list[float]] = {}
    rng = np.random.default_rng(0)
    for path in sorted(folder.glob("looks-*-???.npz")):
        with np.load(path, allow_pickle=False) as z:
            data = {name: z[name] for name in z.files}
        for k, person in enumerate(data["person"]):
            key, row = (path.name, int(person)), {name: value[k] for name, value in data.items()}
            side = int(row["side"])
            focal = float(row["focal"]) * float(np.exp(rng.normal(0, FOCAL_JITTER)))
            told = calibration.read(model, marks(row), guess_camera((side, side), focal, []).focal)
            truth[key] = row["identity"]
            said.setdefault(key, []).append(told.identity)
            yaw.setdefault(key, []).append(euler_degrees(row["pose"][:3, :3])[0])
    full = [key for key, some in said.items() if len(some) >= LOOKS]
    return (
        np.array([truth[k] for k in full]),
        np.array([said[k][:LOOKS] for k in full]),
        np.array([yaw[k][:LOOKS] for k in full]),
    )


def figures(truth: np.ndarray, said: np.ndarray) -> tuple[np.ndarray, ...]:
    """By column: variance of the truth, of the answers within and between people, covariance of answers and truth."""
    mean = said.mean(axis=1)
    within = ((said - mean[:, None]) ** 2).sum(axis=1).mean(axis=0) / (said.shape[1] - 1)
    between = ((mean - mean.mean(axis=0)) ** 2).mean(axis=0) - within / said.shape[1]
    centred = truth - truth.mean(axis=0)
    return (centred**2).mean(axis=0), within, between, ((mean - mean.mean(axis=0)) * centred).mean(axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    model = default_head()
    truth, said, yaw = answers(parser.parse_args().out)
    variance, axes = np.linalg.eigh(similarity_free(model))
    axes = (axes * np.sqrt(np.maximum(variance, 0)))[:, ::-1]
    found = figures(truth @ axes, said @ axes)
    print(f"{len(truth)} people; principal shapes: variance, share within, slope of truth on answers, explained by one")
    for low, high in pairwise(BANDS):
        some = slice(low, min(high, axes.shape[1]))
        size = found[0][some].mean()
        t, within, between, both = (f[some].sum() for f in found)
        whole = within + between
        print(f"{low:3d}: {size:.4f}  {within / whole:.2f}  {both / whole:.2f}  {both**2 / whole / t:.2f}")
    along = size_of(model)[:, None]
    t, within, between, both = (float(f[0]) for f in figures(truth @ along, said @ along))
    print(f"size: {t**0.5:.4f}  {within / (within + between):.2f}  {both / (within + between):.2f}")
    noise = (said - said.mean(axis=1, keepdims=True)) @ axes
    whole = float((noise**2).sum(axis=(1, 2)).mean() / (LOOKS - 1))
    print(f"RMS of the noise on the face: {whole**0.5:.2f} mm; correlation by difference of yaw:")
    pairs: dict[int, list[float]] = {}
    for i in range(LOOKS):
        for j in range(i):
            both_ways = (noise[:, i] * noise[:, j]).sum(axis=1) / whole + 1 / LOOKS
            for d, c in zip(np.abs(yaw[:, i] - yaw[:, j]), both_ways, strict=True):
                pairs.setdefault(int(d // 10) * 10, []).append(float(c))
    print(", ".join(f"{d}: {np.mean(c):.2f}" for d, c in sorted(pairs.items()) if len(c) > 50))


if __name__ == "__main__":
    main()
