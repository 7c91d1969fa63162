"""Learn src/tronie/assets/face_shape.onnx and calibration.npz from the pictures of forge/synthesize.py.

    python forge/calibrate.py SAMPLES [--epochs 10] [--threads 2] [--out FOLDER]      # every shard below SAMPLES

A net (shape_net.py) learns identity, expression and corrections of the pose from the landmark net's activations, its
points and its scores. One shard in twelve is held out; on it the figures are printed and the spread of the errors is
measured. A state is kept after every pass (SAMPLES/calibrate.state), from which the same command goes on; delete it
when all is done. Needs PyTorch.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from shape_net import FEATURES, ShapeNet, save_onnx, tables

from tronie.fit.basis import LandmarkBasis, align, landmark_basis
from tronie.fit.calibration import CAMERA_FEATURES, FOCAL_JITTER, pose_features
from tronie.geometry import euler_degrees, rotation_matrix, rotation_vector
from tronie.head.model import HeadModel, default_head
from tronie.render.shading import vertex_normals

ASSETS = Path(__file__).parents[1] / "src/tronie/assets"
COMPONENTS = 120
EXTRA = 120
CENTRE = 144.0
"""Middle of the pictures, px (half of synthesize.SIDE)."""
ACTIVATIONS = ("early", "late")
HELD = 12
BINS = (0.0, 20.0, 40.0, 60.0)
"""|yaw| at which the errors' spread is measured, +-12 degrees."""
BATCH, RATE, DECAY = 128, 2e-3, 0.05
POSE_WEIGHT = (0.3, 0.3, 0.15, 0.1, 0.1, 0.1, 0.15)
"""Of turn, growth, shift and nearness, each in units of its spread, against mm^2 of the face's shape."""
EXPRESSION_WEIGHT, EXTRA_WEIGHT, DOUBT_WEIGHT = 0.05, 0.3, 0.1
LARGEST_GRADIENT = 20.0


def towards(points: np.ndarray) -> np.ndarray:
    """(n, 3, 3) rotations that bring the ray to each point (n, 3) onto the optical axis (shortest turn)."""
    ray = points / np.linalg.norm(points, axis=1, keepdims=True)
    x, y, z = ray.T
    k = 1 / (1 + z)
    return np.stack([np.stack([1 - x * x * k, -x * y * k, -x], 1), np.stack([-x * y * k, 1 - y * y * k, -y], 1),
                     np.stack([x, y, z], 1)], axis=1)  # fmt: skip


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


def similarity_free(model: HeadModel) -> np.ndarray:
    """(K, K) Gram matrix, mm^2, of identity over the inner face with rigid motion and scale projected out."""
    v = model.mean[model.inner_face].astype(float)
    v -= v.mean(axis=0)
    moves = [np.broadcast_to(e, v.shape).ravel() for e in np.eye(3)]
    moves += [np.cross(e, v).ravel() for e in np.eye(3)] + [v.ravel()]
    q, _ = np.linalg.qr(np.array(moves).T)
    b = model.identity[:, model.inner_face].reshape(len(model.identity), -1).astype(float)
    b = b - (b @ q) @ q.T
    return b @ b.T / len(v)


@dataclass(frozen=True, eq=False)
class Task:
    """What goes in and what is to come out."""

    residual: np.ndarray
    """(N, 1434) of the aligned points."""
    pose: np.ndarray
    """(N, 11)."""
    scores: np.ndarray
    rotation: np.ndarray
    """(N, 3, 3) read off the points."""
    true_rotation: np.ndarray
    y: np.ndarray
    """(N, K + 59): identity, expression, turn, growth, shift, nearness."""
    offset: np.ndarray
    """(N, 956) mm: the true points' places in the picture less those that the net says."""

    @property
    def yaw(self) -> np.ndarray:
        return np.abs(np.array([euler_degrees(r)[0] for r in self.true_rotation]))


def task_of(data: dict[str, np.ndarray], basis: LandmarkBasis) -> Task:
    aligned = [align(basis.mean, p) for p in data["points"]]
    rotation, scale = np.array([a.rotation for a in aligned]), np.array([a.scale for a in aligned])
    jitter = np.exp(np.random.default_rng(0).normal(0, FOCAL_JITTER, len(scale)))
    nearness = 1000 * scale / data["focal"] * jitter
    pose = np.array([pose_features(*euler_degrees(r), q) for r, q in zip(rotation, nearness, strict=True)])
    place = data["head_to_camera"][:, :3, 3]
    true_rotation = towards(place) @ data["head_to_camera"][:, :3, :3]
    turn = np.array([rotation_vector(r) for r in rotation.transpose(0, 2, 1) @ true_rotation])
    growth = np.log(data["focal"] / place[:, 2] / scale)
    seen = place[:, :2] / place[:, 2:] * data["focal"][:, None] + CENTRE
    shift = (seen - np.array([a.center for a in aligned])) / scale[:, None]
    near = 1000 / np.linalg.norm(place, axis=1)
    y = np.column_stack([data["identity"], data["expression"], turn, growth, shift, near]).astype(np.float32)
    residual = np.array([a.residual.ravel() for a in aligned], np.float32)
    return Task(residual, pose, data["scores"], rotation, true_rotation, y, point_offsets(data, basis))


def point_offsets(data: dict[str, np.ndarray], basis: LandmarkBasis) -> np.ndarray:
    out = np.empty((len(data["focal"]), 2 * len(basis.mean)), np.float32)
    for start in range(0, len(out), 2000):
        part = slice(start, start + 2000)
        weights = np.concatenate([data["identity"][part], data["expression"][part]], axis=1).astype(np.float32)
        points = basis.mean.astype(np.float32) + np.tensordot(weights, basis.shape.astype(np.float32), axes=(1, 2))
        pose, focal = data["head_to_camera"][part].astype(np.float32), data["focal"][part][:, None, None]
        placed = np.einsum("npj,nij->npi", points, pose[:, :3, :3]) + pose[:, None, :3, 3]
        seen = placed[..., :2] / placed[..., 2:] * focal + CENTRE
        off = (seen - data["points"][part, :, :2]) * (pose[:, 2, 3, None, None] / focal)
        out[part] = off.reshape(len(off), -1)
    return out


def directions(x: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, the first principal directions (D, count), and the spread along each."""
    mean = x.mean(axis=0)
    variance, vectors = np.linalg.eigh(np.cov((x - mean).T))
    order = np.argsort(variance)[::-1][:count]
    return mean, vectors[:, order], np.sqrt(variance[order])


@dataclass(frozen=True, eq=False)
class Scales:
    """Between the numbers of the world and those the net works with."""

    mean: np.ndarray
    components: np.ndarray
    """(1434, COMPONENTS)."""
    told_scale: np.ndarray
    root: np.ndarray
    """(K, K): identity @ root has the length of its RMS millimetres on the face, similarity aside."""
    rest_mean: np.ndarray
    rest_scale: np.ndarray
    """(59,) of everything but identity."""
    extra_mean: np.ndarray
    extra: np.ndarray
    """(956, EXTRA)."""

    @classmethod
    def of(cls, task: Task, model: HeadModel, learned: np.ndarray) -> Scales:
        k = len(model.identity)
        mean, basis, spread = directions(task.residual[learned], COMPONENTS)
        extra_mean, extra, _ = directions(task.offset[learned[::3]], EXTRA)
        pose_scale = np.ones(11)
        pose_scale[CAMERA_FEATURES] = 0.3
        rest = task.y[learned][:, k:]
        return cls(mean, basis / spread, np.concatenate([np.ones(COMPONENTS), pose_scale, np.full(52, 2.0)]),
                   np.linalg.cholesky(similarity_free(model) + 1e-4 * np.eye(k)), rest.mean(axis=0),
                   rest.std(axis=0) + 1e-6, extra_mean, extra / np.sqrt(478))  # fmt: skip

    def told(self, task: Task) -> torch.Tensor:
        z = (task.residual - self.mean) @ self.components
        return torch.from_numpy((np.concatenate([z, task.pose, task.scores], 1) * self.told_scale).astype(np.float32))

    def goal(self, task: Task) -> torch.Tensor:
        k = len(self.root)
        rest = (task.y[:, k:] - self.rest_mean) / self.rest_scale
        parts = [task.y[:, :k] @ self.root, rest, (task.offset - self.extra_mean) @ self.extra]
        return torch.from_numpy(np.concatenate(parts, axis=1).astype(np.float32))

    def weights(self, model: HeadModel) -> torch.Tensor:
        """Of squared errors in the goal; expression counts by how much it moves the face."""
        moved = np.sqrt((model.expression[:, model.inner_face] ** 2).sum(axis=2).mean(axis=1)) * self.rest_scale[:52]
        expression = 0.02 + EXPRESSION_WEIGHT * moved**2 / np.mean(moved**2)
        parts = [np.ones(len(self.root)), expression, POSE_WEIGHT, np.full(self.extra.shape[1], EXTRA_WEIGHT)]
        return torch.from_numpy(np.concatenate(parts).astype(np.float32))

    def natural(self, goal: np.ndarray) -> np.ndarray:
        """(n, K + 59) from the net's outputs."""
        k = len(self.root)
        rest = goal[:, k : k + 59] * self.rest_scale + self.rest_mean
        return np.concatenate([np.linalg.solve(self.root.T, goal[:, :k].T).T, rest], axis=1)

    def arrays(self, net: ShapeNet) -> dict[str, np.ndarray]:
        """The calibration's tables for numbers of the world."""
        k, found = len(self.root), tables(net)
        back = np.linalg.inv(self.root)
        scale = np.concatenate([np.ones(FEATURES), self.told_scale])
        for name in ("out", "direct", "bias"):
            table = found[name]
            rest = table[..., k : k + 59] * self.rest_scale
            found[name] = np.concatenate([table[..., :k] @ back, rest, table[..., k + 59 :]], axis=-1)
        found["bias"][k : k + 59] += self.rest_mean
        return {"mean": self.mean, "components": self.components, **found, "hidden": found["hidden"] * scale[:, None],
                "direct": found["direct"] * scale[:, None]}  # fmt: skip


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


def figures(
    out: np.ndarray, scales: Scales, task: Task, rows: np.ndarray, foreign: np.ndarray, model: HeadModel
) -> str:
    """Held-out errors in words: identity against the mean head's, by whose head it is and by yaw."""
    k = len(scales.root)
    true = task.y[rows]
    base = np.linalg.norm(true[:, :k] @ scales.root, axis=1)
    error = np.linalg.norm(out[:, :k] - true[:, :k] @ scales.root, axis=1)
    yaw = task.yaw[rows]
    groups = {"all": yaw >= 0, "own": ~foreign[rows], "other": foreign[rows], "to 30": yaw < 30, "beyond": yaw >= 30}
    shares = ", ".join(f"{n} {error[g].mean() / base[g].mean():.3f}" for n, g in groups.items())
    said = scales.natural(out)
    turn = np.degrees(np.sqrt(((said - true)[:, k + 52 : k + 55] ** 2).mean(axis=0))).round(2)
    visible = np.argsort(-np.linalg.norm(model.expression, axis=2)[:, model.inner_face].mean(axis=1))[:30]
    r = np.mean([np.corrcoef(said[:, k + i], true[:, k + i])[0, 1] for i in visible])
    rest = (said - true)[:, k + 55 :].std(axis=0)
    return (f"face {shares} ({error.mean():.2f} mm); expression r {r:.3f}; turn {turn} deg RMS; size {rest[0]:.4f}; "
            f"origin {rest[1]:.1f} {rest[2]:.1f} mm; nearness {rest[3]:.3f}")  # fmt: skip


def spreads(
    out: np.ndarray, extra: np.ndarray, doubt: np.ndarray, scales: Scales, task: Task, rows: np.ndarray,
    foreign: np.ndarray, model: HeadModel,
) -> dict[str, np.ndarray]:  # fmt: skip
    """How wide the held-out errors are: of vertices along their normals, of the pose, of the net's points."""
    k = len(scales.root)
    error = scales.natural(out) - task.y[rows]
    relative = doubt - np.log(np.exp(doubt).mean())
    turn = scales.natural(out)[:, k + 52 : k + 55]
    said = [euler_degrees(r @ rotation_matrix(t)) for r, t in zip(task.rotation[rows], turn, strict=True)]
    angles = np.array(said) - np.array([euler_degrees(r) for r in task.true_rotation[rows]])
    pose = np.column_stack([angles, error[:, k + 55]]) / np.exp(relative)[:, None]
    v = model.mean.astype(float)
    inner = model.inner_face
    centre = v[inner].mean(axis=0)
    moves = [np.broadcast_to(e, v.shape).ravel() for e in np.eye(3)] + [
        np.cross(e, v - centre).ravel() for e in np.eye(3)
    ]
    moves = np.array([*moves, (v - centre).ravel()]).T
    on_face = np.repeat(inner, 3)
    flat = model.identity.reshape(k, -1).astype(float)
    flat = flat - (moves @ np.linalg.lstsq(moves[on_face], flat[:, on_face].T, rcond=None)[0]).T
    triangles = model.level(0).triangles
    along = (flat.reshape(k, -1, 3) * vertex_normals(model.mean, triangles)).sum(axis=2)
    yaw = task.yaw[rows]
    sigma, pose_sigma = [], []
    for middle in BINS:
        near = np.abs(yaw - middle) < 12
        identity = error[near, :k] / np.exp(relative[near])[:, None]
        sigma.append(np.sqrt(np.einsum("kc,kl,lc->c", along, identity.T @ identity / near.sum(), along)))
        pose_sigma.append(np.sqrt((pose[near] ** 2).mean(axis=0)))
    own = ~foreign[rows]
    left = task.offset[rows][own] - scales.extra_mean - 478 * (extra[own] @ scales.extra.T)
    variance = (left.reshape(len(left), -1, 2) ** 2).sum(axis=2)
    precision = 1 / (np.median(variance, axis=0) + 0.5)
    return {"sigma_yaw": np.array(BINS), "sigma": np.array(sigma), "pose_sigma": np.array(pose_sigma),
            "point_weight": np.clip(precision / precision.mean(), 0.3, 3.0)}  # fmt: skip


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
    task = task_of(data, landmark_basis(model))
    scales = Scales.of(task, model, learned)
    del data["points"]
    told, goal, weight = scales.told(task), scales.goal(task), scales.weights(model)
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
        print(f"{epoch + 1}: learned {(total / batches) ** 0.5:.2f} mm; held out: "
              f"{figures(found[0], scales, task, held, foreign, model)}; {time.perf_counter() - began:.0f} s",
              flush=True)  # fmt: skip
        arrays = scales.arrays(net) | spreads(*found, scales, task, held, foreign, model)
        arrays["bias"][-1] -= np.log(np.exp(found[2]).mean())
        save_onnx(net.eval(), options.out / "face_shape.onnx")
        net.train()
        kept = {name: part.state_dict() for name, part in trained.items()}
        torch.save(kept | {"done": epoch + 1, "epochs": options.epochs, "samples": len(learned)}, f"{state}.tmp")
        Path(f"{state}.tmp").replace(state)
        np.savez_compressed(options.out / "calibration.npz", **{n: a.astype(np.float16) for n, a in arrays.items()})
    for name in ("face_shape.onnx", "calibration.npz"):
        print(f"{name}: {(options.out / name).stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
