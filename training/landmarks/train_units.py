"""Learn src/tronie/assets/units.npz from the sittings of training/landmarks/synthesize_units.py.

    python -m training.landmarks.train_units SITTINGS [--out FILE]

How units change: ridge regression of what the calibration leaves of them on its features and hidden values, both less
their means over the sitting. How far eyes look down: a small net. One person in five is held out; on these the figures
are printed, and a unit whose changes are not told better than by the calibration alone gets none. Needs PyTorch.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from tronie.geometry import euler_degrees, levelled
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import default_head
from tronie.runtime import weights
from tronie.stages.fit.basis import landmark_basis, weak_perspective
from tronie.stages.fit.regressor import Calibration
from tronie.stages.fit.unit_reader import BLINKS, DOWNS, SIDES, UnitReader, eye_features, lid_and_look

OUT = Path(__file__).parents[2] / "src/tronie/assets/units.npz"
HELD = 5
RIDGE, STRONG = 3000.0, 1.5
"""Price of a squared weight over features of spread 1, and how much more a unit at 1 counts than one at 0."""
GAIN = 0.01
"""By which the correlation within held-out sittings has to rise."""
HIDDEN, EPOCHS, BATCH, RATE, DECAY, JITTER = 24, 40, 256, 5e-3, 1e-2, 0.05
HALF_SHUT, SHUT, DOWN = (0.2, 0.8), 0.8, 0.45
RARE, SHUT_WEIGHT, DOWN_WEIGHT = 0.1, 2.0, 3.0
"""Lids half shut are rarer than eyes that look down: weights of both, and of lids that are shut."""
UNCHANGED = ("eyeLook", "eyeBlink", "tongue", "jawOpen", "mouthClose", "mouthSmile", "mouthPucker")
"""Units that the net or the calibration tells, or tells well enough: on real clips the jaw follows the lips' distance
better without. A pucker, a little better on the held-out sittings, is told worse on clips of another painter
(benchmarks/video: 0.42 within a clip, 0.73 without)."""


def load(folder: Path, calibration: Calibration) -> dict[str, np.ndarray]:
    """Per sample: known (F + H), told (52), eyes (2, 17), truth (52), sitting, person."""
    mean, rows = landmark_basis(default_head()).mean, []
    for shard, path in enumerate(sorted(folder.glob("sittings-*.npz"))):
        with np.load(path, allow_pickle=False) as z:
            data = {name: z[name] for name in z.files}
        for k, focal in enumerate(data["focal"]):
            points, scores = data["points"][k].astype(float), data["scores"][k].astype(float)
            aligned = weak_perspective(mean, points)
            told = calibration.predict(aligned, data["features"][k], scores, float(focal))
            yaw, pitch, _ = np.radians(euler_degrees(levelled(aligned.rotation)[0]))
            eyes = [eye_features(side, points, scores, told.expression, (float(yaw), float(pitch))) for side in SIDES]
            number = (shard << 20) + int(data["sitting"][k])
            rows.append((told.known, told.expression, eyes, data["expression"][k], number, number >> 1))
    names = ("known", "told", "eyes", "truth", "sitting", "person")
    return {name: np.array(column, np.float64) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def within(values: np.ndarray, sitting: np.ndarray) -> np.ndarray:
    """Values (N, C) less their mean over the sitting."""
    group = np.unique(sitting, return_inverse=True)[1]
    total = np.zeros((group.max() + 1, values.shape[1]))
    np.add.at(total, group, values)
    return np.asarray(values - (total / np.bincount(group)[:, None])[group])


def learn_changes(known: np.ndarray, left: np.ndarray, truth: np.ndarray, sitting: np.ndarray) -> np.ndarray:
    """(F + H, 52)."""
    scale = known.std(axis=0) + 1e-3
    x, y = within(known / scale, sitting), within(left, sitting)
    out = np.zeros((x.shape[1], len(ARKIT_UNITS)))
    stems = np.array([name.removesuffix("Left").removesuffix("Right") for name in ARKIT_UNITS])
    for stem in dict.fromkeys(stems):
        units = np.flatnonzero(stems == stem)
        weight = 1 + STRONG * truth[:, units].mean(axis=1)
        system = (x * weight[:, None]).T @ x + RIDGE * weight.mean() * np.eye(x.shape[1])
        out[:, units] = np.linalg.solve(system, (x * weight[:, None]).T @ y[:, units])
    return out / scale[:, None]


def correlation(said: np.ndarray, truth: np.ndarray, sitting: np.ndarray) -> np.ndarray:
    """(52,) within sittings."""
    a, b = within(said, sitting), within(truth, sitting)
    return np.asarray((a * b).sum(axis=0) / np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0) + 1e-12))


def learn_down(eyes: np.ndarray, truth: np.ndarray) -> dict[str, np.ndarray]:
    """The layers of the net that says how far eyes (N, 17) look down; `truth` (N, 2) is their blink and that."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    blink, down = truth.T
    half = (blink > HALF_SHUT[0]) & (blink < HALF_SHUT[1]) & (down < DOWN)
    weight = np.where(half, RARE, np.where(blink >= SHUT, SHUT_WEIGHT, np.where(down > DOWN, DOWN_WEIGHT, 1.0)))
    mean, spread = eyes.mean(axis=0), eyes.std(axis=0) + 1e-6
    x, y, w = (torch.tensor(a, dtype=torch.float32) for a in ((eyes - mean) / spread, down, weight / weight.mean()))
    net = torch.nn.Sequential(torch.nn.Linear(eyes.shape[1], HIDDEN), torch.nn.SiLU(), torch.nn.Linear(HIDDEN, 1))
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=EPOCHS * (len(x) // BATCH))
    for _ in range(EPOCHS):
        order = torch.randperm(len(x))
        for rows in order[: len(x) // BATCH * BATCH].view(-1, BATCH):
            seen = x[rows] + JITTER * torch.randn(x[rows].shape)
            loss = (w[rows] * (net(seen)[:, 0] - y[rows]) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    hidden, bias, out, last = (p.detach().numpy().astype(np.float64) for p in net.parameters())
    return {
        "down_hidden": (hidden / spread).T,
        "down_hidden_bias": bias - (hidden / spread) @ mean,
        "down_out": out[0],
        "down_bias": last[0],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sittings", type=Path)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    data = load(options.sittings, Calibration.load(weights.path("calibration")))
    known, told, truth, sitting = (data[name] for name in ("known", "told", "truth", "sitting"))
    held = np.isin(data["person"], np.unique(data["person"])[::HELD])
    changes = learn_changes(known[~held], (truth - told)[~held], truth[~held], sitting[~held])
    before, after = (correlation(s[held], truth[held], sitting[held]) for s in (told, told + known @ changes))
    better = after - before > GAIN
    better &= ~np.array([name.startswith(UNCHANGED) for name in ARKIT_UNITS])
    changes[:, ~better] = 0
    for name, old, new in zip(ARKIT_UNITS, before, np.where(better, after, before), strict=True):
        print(f"{name:20} r {old:.2f} -> {new:.2f}")
    eyes, looks = data["eyes"], np.stack([truth[:, BLINKS], truth[:, DOWNS]], axis=-1)
    down = learn_down(eyes[~held].reshape(-1, eyes.shape[-1]), looks[~held].reshape(-1, 2))
    reader = UnitReader(changes=changes, **down)
    h = eyes[held].reshape(-1, eyes.shape[-1]) @ reader.down_hidden + reader.down_hidden_bias
    look = np.clip((h / (1 + np.exp(-h))) @ reader.down_out + reader.down_bias, 0, 1)
    lid, (blink, really) = told[held][:, BLINKS].ravel(), looks[held].reshape(-1, 2).T
    rest, look = np.array([lid_and_look(float(a), float(b)) for a, b in zip(lid, look, strict=True)]).T
    for name, rows in {"looking down": (really > 0.6) & (blink < 0.1), "shut": blink > 0.9}.items():
        print(f"{name}: blink {lid[rows].mean():.2f} -> {rest[rows].mean():.2f}, looks down {look[rows].mean():.2f}")
    np.savez_compressed(options.out, **reader.arrays())
    print(f"{len(truth)} samples, {held.sum()} held out; {options.out.name}: {options.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
