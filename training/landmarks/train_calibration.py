"""Learn src/tronie/assets/face_shape.onnx and calibration.npz from the pictures of training/landmarks/synthesize.py.

    python -m training.landmarks.train_calibration SAMPLES [--epochs 4] [--threads 2] [--out FOLDER]

Every shard below SAMPLES counts. A net (shape_net.py) learns identity, expression and corrections of the pose from the
landmark net's activations and the recogniser's, the points and the scores. It begins with the two files of the package,
and with the recogniser's own blocks where they are not in them yet. Answers to pictures of one person must agree as
well as be right. One shard in twelve is held out; on it the figures are printed and the spread of the errors is
measured. A state is kept after every pass (SAMPLES/calibrate.state), from which the same command goes on; delete it
when all is done. Needs PyTorch.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from training.landmarks.shape_net import FEATURES, ShapeNet, save_onnx, tables
from training.landmarks.synthesize import FINE_STEP
from tronie.head.model import HeadModel, default_head
from tronie.pipelines.calibration.targets import COMPONENTS, MODES, Scales, Targets, spreads, targets_of
from tronie.stages.fit.basis import landmark_basis
from tronie.stages.fit.regressor import CAMERA_FEATURES

ASSETS = Path(__file__).parents[2] / "src/tronie/assets"
SEEN = {"early": 1.0, "late": 1.0, "fine": FINE_STEP, "embedding": 1.0}
"""What the net reads, and the step of its numbers."""
SPATIAL = tuple(SEEN)[:3]
HELD = 12
BATCH, DECAY = 128, 0.02
LAST_RATE, KNOWN_RATE, SEEN_RATE, BLOCKS_RATE, EXTRA_RATE = 4e-4, 4e-4, 2e-4, 2e-4, 2e-3
"""Of the fully connected layers, of what reads the recogniser, of what reads the landmark net, of the recogniser's
blocks, and of what only helps to learn."""
LAYERS = ("hidden", "hidden_bias", "out", "direct", "bias")
DOUBT_WEIGHT = 0.1
AGREE = 1.0
"""Price of a squared difference, mm^2, from the mean error of the answers to pictures of the same person."""
LARGEST_GRADIENT = 20.0


def load(folder: Path) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """All samples by field, and the number of the shard each came from. Activations have their channels last here."""
    paths = sorted(folder.rglob("shard-*.npz"))
    counts = [len(np.load(p)["focal"]) for p in paths]
    data: dict[str, np.ndarray] = {}
    for path, start in zip(paths, np.cumsum([0, *counts]), strict=False):  # one at a time: they fill the memory
        with np.load(path, allow_pickle=False) as shard:
            for name in shard.files:
                part = shard[name]
                if name in SPATIAL:
                    part = part.transpose(0, 2, 3, 1)
                elif part.dtype == np.float64:
                    part = part.astype(np.float32)
                if name not in data:
                    data[name] = np.empty((sum(counts), *part.shape[1:]), part.dtype)
                data[name][start : start + len(part)] = part
    return data, np.repeat(np.arange(len(counts)), counts)


def picked(seen: list[torch.Tensor], rows: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """What the net reads of some samples."""
    return tuple(a[rows].float() * step for a, step in zip(seen, SEEN.values(), strict=True))


def run(net: ShapeNet, seen: list[torch.Tensor], told: torch.Tensor, rows: np.ndarray) -> list[np.ndarray]:
    """Outputs, extra outputs and doubts of the held-out rows."""
    net.eval()
    parts = []
    with torch.no_grad():
        for start in range(0, len(rows), 256):
            some = torch.from_numpy(rows[start : start + 256])
            parts.append(net(picked(seen, some), told[some]))
    net.train()
    return [torch.cat(p).numpy() for p in zip(*parts, strict=True)]


def marks(data: dict[str, np.ndarray], shard: np.ndarray) -> np.ndarray:
    """(N,) a number for each person, another for their mirror image."""
    mirrored = np.arange(len(shard)) % 2
    return np.unique(np.stack([shard, data["person"], mirrored], 1), axis=0, return_inverse=True)[1].ravel()


def ordered(mark: np.ndarray, learned: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The samples to learn from by chance, those of one person beside each other."""
    return np.asarray(learned[np.lexsort([learned, rng.permutation(mark.max() + 1)[mark[learned]]])])


def disagreement(off: torch.Tensor, mark: torch.Tensor) -> torch.Tensor:
    """Mean squared distance of the errors (B, K) from the mean error of the same person in this batch."""
    _, group = torch.unique(mark, return_inverse=True)
    count = torch.zeros(int(group.max()) + 1).index_add(0, group, torch.ones(len(off)))
    total = torch.zeros(len(count), off.shape[1]).index_add(0, group, off)
    return ((off - (total / count[:, None])[group]) ** 2).sum(1).mean()


def surprise(off: torch.Tensor, doubt: torch.Tensor, modes: torch.Tensor) -> torch.Tensor:
    """How badly `doubt` (B, 1 + G) tells the errors (B, K): squared error of the logarithm of their length, and the
    negative log likelihood of a normal distribution for each group."""
    length = off.norm(dim=1)
    square = (off @ modes) ** 2
    last = doubt.shape[1] - 2
    square = torch.cat([square[:, :last], square[:, last:].mean(1, keepdim=True)], 1)
    told = doubt[:, 1:].clamp(-6, 3)
    likely = (told + square * torch.exp(-2 * told) / 2).mean(1)
    return ((doubt[:, 0] - torch.log(length)) ** 2 + likely).mean()


def in_units(scales: Scales, tables: dict[str, np.ndarray]) -> tuple[np.ndarray, ...]:
    """The layers of a saved calibration for `ShapeNet.inherit_tables`: `arrays` backwards."""
    k, told = len(scales.root), scales.told_scale
    scale = np.concatenate([np.ones(len(tables["hidden"]) - len(told)), told])

    def scaled(table: np.ndarray) -> np.ndarray:
        parts = table[..., :k] @ scales.root, table[..., k : k + 59] / scales.rest_scale, table[..., k + 59 :]
        return np.concatenate(parts, axis=-1)

    bias = tables["bias"].copy()
    bias[k : k + 59] -= scales.rest_mean
    return (
        tables["hidden"] / scale[:, None],
        np.concatenate([tables["hidden_bias"], scaled(bias)]),
        scaled(tables["out"]),
        scaled(tables["direct"][:, : k + 59]) / scale[:, None],
    )


def arrays(scales: Scales, net: ShapeNet) -> dict[str, np.ndarray]:
    """The calibration's tables for numbers of the world."""
    k, found = len(scales.root), tables(net)
    back = np.linalg.inv(scales.root)
    scale = np.concatenate([np.ones(FEATURES), scales.told_scale])
    for name in ("out", "direct", "bias"):
        table = found[name]
        rest = table[..., k : k + 59] * scales.rest_scale
        found[name] = np.concatenate([table[..., :k] @ back, rest, table[..., k + 59 :]], axis=-1)
    found["bias"][k : k + 59] += scales.rest_mean
    return {
        "mean": scales.mean,
        "components": scales.components,
        **found,
        "hidden": found["hidden"] * scale[:, None],
        "direct": found["direct"] * scale[:, None],
    }


def figures(
    out: np.ndarray, scales: Scales, targets: Targets, rows: np.ndarray, foreign: np.ndarray, model: HeadModel
) -> str:
    """Held-out errors in words: identity against the mean head's, by whose head it is and by yaw."""
    k = len(scales.root)
    true = targets.y[rows]
    base = np.linalg.norm(true[:, :k] @ scales.root, axis=1)
    error = np.linalg.norm(out[:, :k] - true[:, :k] @ scales.root, axis=1)
    yaw = targets.yaw[rows]
    groups = {"all": yaw >= 0, "own": ~foreign[rows], "other": foreign[rows], "to 30": yaw < 30, "beyond": yaw >= 30}
    shares = ", ".join(f"{n} {error[g].mean() / base[g].mean():.3f}" for n, g in groups.items())
    said = scales.natural(out)
    turn = np.degrees(np.sqrt(((said - true)[:, k + 52 : k + 55] ** 2).mean(axis=0))).round(2)
    visible = np.argsort(-np.linalg.norm(model.expression, axis=2)[:, model.inner_face].mean(axis=1))[:30]
    r = np.mean([np.corrcoef(said[:, k + i], true[:, k + i])[0, 1] for i in visible])
    rest = (said - true)[:, k + 55 :].std(axis=0)
    return (
        f"face {shares} ({error.mean():.2f} mm); expression r {r:.3f}; turn {turn} deg RMS; size {rest[0]:.4f}; "
        f"origin {rest[1]:.1f} {rest[2]:.1f} mm; nearness {rest[3]:.3f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", type=Path)
    parser.add_argument("--out", type=Path, default=ASSETS)
    parser.add_argument("--begin", type=Path, default=ASSETS, help="folder of the two files to begin with")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    model = default_head()
    data, shard = load(options.samples)
    seen = [torch.from_numpy(data.pop(n)) for n in SEEN]
    seen = [a.permute(0, 3, 1, 2) if a.ndim == 4 else a for a in seen]
    learned, held = np.flatnonzero(shard % HELD != HELD - 1), np.flatnonzero(shard % HELD == HELD - 1)
    targets = targets_of(data, landmark_basis(model))
    before = np.load(options.begin / "calibration.npz", allow_pickle=False)
    start = {name: before[name].astype(np.float64) for name in ("mean", "components", *LAYERS)}
    # The principal directions of the points stay those that the first hidden layer knows.
    scales = replace(Scales.of(targets, model, learned), mean=start["mean"], components=start["components"])
    del data["points"]
    known = scales.told(targets), scales.goal(targets), scales.weights(model)
    told, goal, weight = (torch.from_numpy(a) for a in known)
    foreign, k, extra = data["foreign"].astype(bool), len(model.identity), scales.extra.shape[1]
    ours = torch.from_numpy((~foreign).astype(np.float32))
    print(f"{len(learned)} samples to learn from, {len(held)} held out", flush=True)

    blind = np.ones(FEATURES + told.shape[1])
    blind[FEATURES + COMPONENTS :][CAMERA_FEATURES] = 0
    net = ShapeNet(told.shape[1], goal.shape[1] - extra, extra, MODES + 1, blind).to(memory_format=torch.channels_last)
    net.inherit(options.begin / "face_shape.onnx", ASSETS / "recognizer.onnx")
    net.inherit_tables(*in_units(scales, start))
    modes = torch.tensor(scales.modes, dtype=torch.float32)
    mark = marks(data, shard)
    last = [p for part in (net.hidden, net.out, net.direct, net.nearness, net.doubt) for p in part.parameters()]
    groups = [
        {"params": last, "weight_decay": DECAY, "lr": LAST_RATE},
        {"params": net.over_recognizer(), "weight_decay": DECAY, "lr": KNOWN_RATE},
        {"params": net.over_landmarks(), "weight_decay": 0.0, "lr": SEEN_RATE},
        {"params": [*net.blocks.parameters()], "weight_decay": 0.0, "lr": BLOCKS_RATE},
        {"params": [*net.extra.parameters()], "weight_decay": DECAY, "lr": EXTRA_RATE},
    ]
    optimizer = torch.optim.AdamW(groups)
    batches = len(learned) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [g["lr"] for g in groups], total_steps=options.epochs * batches, pct_start=0.1
    )
    began, done, state = time.perf_counter(), 0, options.samples / "calibrate.state"
    trained = {"net": net, "optimizer": optimizer, "schedule": schedule}
    if state.exists():
        kept = torch.load(state, weights_only=True)
        if kept["samples"] != len(learned) or kept["epochs"] != options.epochs:
            raise SystemExit(f"{state} is of another run; delete it to begin anew")
        done = kept["done"]
        for name, part in trained.items():
            part.load_state_dict(kept[name])
        print(f"going on after {done} passes", flush=True)

    def judge(passes: str, *, written: bool = True) -> None:
        """Print the held-out figures, and write both files."""
        main_out, extra_out, doubt = run(net, seen, told, held)
        said = figures(main_out, scales, targets, held, foreign, model)
        print(f"{passes}; held out: {said}; {time.perf_counter() - began:.0f} s", flush=True)
        if not written:
            return
        usual = np.median(doubt, axis=0)
        found = arrays(scales, net)
        found["bias"][-len(usual) :] -= usual
        found |= spreads(main_out, extra_out, doubt - usual, scales, targets, held, foreign, model)
        save_onnx(net.eval(), options.out / "face_shape.onnx")
        net.train()
        np.savez_compressed(options.out / "calibration.npz", **{n: a.astype(np.float16) for n, a in found.items()})

    judge(f"{done} passes", written=done > 0)
    for epoch in range(done, options.epochs):
        order, total = ordered(mark, learned, np.random.default_rng(epoch)), 0.0
        for i in range(batches):
            chosen = np.sort(order[i * BATCH : (i + 1) * BATCH])
            rows = torch.from_numpy(chosen)
            main_out, extra_out, doubt = net(picked(seen, rows), told[rows])
            off = torch.cat([main_out, extra_out], 1) - goal[rows]
            square = off**2 * weight
            loss = square[:, : k + 59].sum(1).mean() + (square[:, k + 59 :].sum(1) * ours[rows]).mean()
            loss = loss + AGREE * disagreement(off[:, :k], torch.from_numpy(mark[chosen]))
            loss = loss + DOUBT_WEIGHT * surprise(off[:, :k].detach(), doubt, modes)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), LARGEST_GRADIENT)
            optimizer.step()
            schedule.step()
            total += float(square.detach()[:, :k].sum(1).sqrt().mean())
            if i % 100 == 99:
                print(f"  {i + 1}/{batches}: {total / (i + 1):.3f} mm; {time.perf_counter() - began:.0f} s", flush=True)
        kept = {name: part.state_dict() for name, part in trained.items()}
        torch.save(kept | {"done": epoch + 1, "epochs": options.epochs, "samples": len(learned)}, f"{state}.tmp")
        Path(f"{state}.tmp").replace(state)
        judge(f"{epoch + 1} passes, learned {total / batches:.2f} mm")
    for name in ("face_shape.onnx", "calibration.npz"):
        print(f"{name}: {(options.out / name).stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
