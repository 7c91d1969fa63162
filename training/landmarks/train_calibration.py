"""Learn src/tronie/assets/face_shape.onnx and calibration.npz from the pictures of training/landmarks/synthesize.py.

    python -m training.landmarks.train_calibration SAMPLES [--epochs 10] [--threads 2] [--out FOLDER]

Every shard below SAMPLES counts. A net (shape_net.py) learns identity, expression and corrections of the pose from the
landmark net's activations, its points and its scores. One shard in twelve is held out; on it the figures are printed
and the spread of the errors is measured. A state is kept after every pass (SAMPLES/calibrate.state), from which the
same command goes on; delete it when all is done. Needs PyTorch.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from training.landmarks.shape_net import FEATURES, ShapeNet, save_onnx, tables
from tronie.head.model import HeadModel, default_head
from tronie.pipelines.calibration.targets import COMPONENTS, Scales, Targets, spreads, targets_of
from tronie.stages.fit.basis import landmark_basis
from tronie.stages.fit.regressor import CAMERA_FEATURES

ASSETS = Path(__file__).parents[2] / "src/tronie/assets"
ACTIVATIONS = ("early", "late")
HELD = 12
BATCH, RATE, DECAY = 128, 2e-3, 0.05
DOUBT_WEIGHT = 0.1
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
                if name in ACTIVATIONS:
                    part = part.transpose(0, 2, 3, 1)
                elif part.dtype == np.float64:
                    part = part.astype(np.float32)
                if name not in data:
                    data[name] = np.empty((sum(counts), *part.shape[1:]), part.dtype)
                data[name][start : start + len(part)] = part
    return data, np.repeat(np.arange(len(counts)), counts)


def run(
    net: ShapeNet, early: torch.Tensor, late: torch.Tensor, told: torch.Tensor, rows: np.ndarray
) -> list[np.ndarray]:
    """Outputs, extra outputs and doubt of the held-out rows."""
    net.eval()
    parts = []
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for start in range(0, len(rows), 256):
            some = torch.from_numpy(rows[start : start + 256])
            parts.append(net(early[some].float(), late[some].float(), told[some]))
    net.train()
    return [torch.cat(p).numpy() for p in zip(*parts, strict=True)]


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
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    model = default_head()
    data, shard = load(options.samples)
    early, late = (torch.from_numpy(data.pop(n)).permute(0, 3, 1, 2) for n in ACTIVATIONS)
    learned, held = np.flatnonzero(shard % HELD != HELD - 1), np.flatnonzero(shard % HELD == HELD - 1)
    targets = targets_of(data, landmark_basis(model))
    scales = Scales.of(targets, model, learned)
    del data["points"]
    known = scales.told(targets), scales.goal(targets), scales.weights(model)
    told, goal, weight = (torch.from_numpy(a) for a in known)
    foreign, k, extra = data["foreign"].astype(bool), len(model.identity), scales.extra.shape[1]
    ours = torch.from_numpy((~foreign).astype(np.float32))
    print(f"{len(learned)} samples to learn from, {len(held)} held out", flush=True)

    blind = np.ones(FEATURES + told.shape[1])
    blind[FEATURES + COMPONENTS :][CAMERA_FEATURES] = 0
    net = ShapeNet(told.shape[1], goal.shape[1] - extra, extra, blind).to(memory_format=torch.channels_last)
    matrices = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=RATE)
    batches = len(learned) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, RATE, total_steps=options.epochs * batches, pct_start=0.15
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
    for epoch in range(done, options.epochs):
        order, total = np.random.default_rng(epoch).permutation(learned), 0.0
        for i in range(batches):
            rows = torch.from_numpy(np.sort(order[i * BATCH : (i + 1) * BATCH]))
            with torch.autocast("cpu", torch.bfloat16):
                main_out, extra_out, doubt = net(early[rows].float(), late[rows].float(), told[rows])
            square = (torch.cat([main_out, extra_out], 1) - goal[rows]) ** 2 * weight
            off = torch.sqrt(square[:, :k].sum(1).detach())
            loss = square[:, : k + 59].sum(1).mean() + (square[:, k + 59 :].sum(1) * ours[rows]).mean()
            loss = loss + DOUBT_WEIGHT * ((doubt - torch.log(off)) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), LARGEST_GRADIENT)
            optimizer.step()
            schedule.step()
            total += float((off**2).mean())
        found = run(net, early, late, told, held)
        print(
            f"{epoch + 1}: learned {(total / batches) ** 0.5:.2f} mm; held out: "
            f"{figures(found[0], scales, targets, held, foreign, model)}; {time.perf_counter() - began:.0f} s",
            flush=True,
        )
        found_arrays = arrays(scales, net) | spreads(*found, scales, targets, held, foreign, model)
        found_arrays["bias"][-1] -= np.log(np.exp(found[2]).mean())
        save_onnx(net.eval(), options.out / "face_shape.onnx")
        net.train()
        kept = {name: part.state_dict() for name, part in trained.items()}
        torch.save(kept | {"done": epoch + 1, "epochs": options.epochs, "samples": len(learned)}, f"{state}.tmp")
        Path(f"{state}.tmp").replace(state)
        np.savez_compressed(
            options.out / "calibration.npz", **{n: a.astype(np.float16) for n, a in found_arrays.items()}
        )
    for name in ("face_shape.onnx", "calibration.npz"):
        print(f"{name}: {(options.out / name).stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
