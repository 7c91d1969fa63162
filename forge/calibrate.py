"""Learn src/tronie/assets/calibration.npz from the pictures of forge/synthesize.py.

    python forge/calibrate.py SAMPLES [--out FILE]      # every shard below this folder

Ridge regression from the aligned landmarks, the pose and the net's inner activations to identity, expression and
corrections of the pose. A tenth of the samples (whole shards) is held out to choose the ridge and to learn how wide the
errors are. Prints the held-out figures.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from tronie.fit.basis import align, landmark_basis
from tronie.fit.calibration import CAMERA_FEATURES, FOCAL_JITTER, pose_features
from tronie.geometry import euler_degrees
from tronie.head.model import HeadModel, default_head

ASSET = Path(__file__).parents[1] / "src/tronie/assets/calibration.npz"
COMPONENTS = 200
RIDGES = (100.0, 300.0, 1000.0, 3000.0)
CENTRE = 144.0
"""Middle of the pictures, px (half of synthesize.SIDE)."""
BINS = (0.0, 20.0, 40.0, 60.0)
"""|yaw| at which the errors' spread is measured, +-12 degrees."""


def log_map(rotations: np.ndarray) -> np.ndarray:
    """(n, 3, 3) -> rotation vectors (n, 3); angles below 180 degrees."""
    cosine = np.clip((np.trace(rotations, axis1=1, axis2=2) - 1) / 2, -1, 1)
    angle = np.arccos(cosine)
    axis = np.stack([rotations[:, 2, 1] - rotations[:, 1, 2], rotations[:, 0, 2] - rotations[:, 2, 0],
                     rotations[:, 1, 0] - rotations[:, 0, 1]], axis=1)  # fmt: skip
    return axis * (angle / np.maximum(2 * np.sin(angle), 1e-9))[:, None]


def towards(points: np.ndarray) -> np.ndarray:
    """(n, 3, 3) rotations that bring the ray to each point (n, 3) onto the optical axis (shortest turn)."""
    ray = points / np.linalg.norm(points, axis=1, keepdims=True)
    x, y, z = ray.T
    k = 1 / (1 + z)
    return np.stack([np.stack([1 - x * x * k, -x * y * k, -x], 1), np.stack([-x * y * k, 1 - y * y * k, -y], 1),
                     np.stack([x, y, z], 1)], axis=1)  # fmt: skip


def load(folder: Path) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """All samples by field, and the number of the shard each came from."""
    shards = [np.load(p) for p in sorted(folder.rglob("shard-*.npz"))]
    shard = np.concatenate([np.full(len(s["focal"]), i) for i, s in enumerate(shards)])
    return {k: np.concatenate([s[k] for s in shards]) for k in shards[0].files}, shard


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", type=Path)
    parser.add_argument("--out", type=Path, default=ASSET)
    options = parser.parse_args()
    model = default_head()
    mean = landmark_basis(model).mean
    data, shard = load(options.samples)
    held = shard % 10 == 9
    count, k = len(shard), len(model.identity)
    aligned = [align(mean, p) for p in data["points"]]
    residual = np.array([a.residual.ravel() for a in aligned])
    rotation = np.array([a.rotation for a in aligned])
    scale = np.array([a.scale for a in aligned])
    angles = np.array([euler_degrees(r) for r in rotation])
    rng = np.random.default_rng(0)
    nearness = 1000 * scale / data["focal"] * np.exp(rng.normal(0, FOCAL_JITTER, count))

    middle = residual[~held].mean(axis=0)
    variance, directions = np.linalg.eigh(np.cov((residual[~held] - middle).T))
    order = np.argsort(variance)[::-1][:COMPONENTS]
    components = directions[:, order] / np.sqrt(variance[order])
    inner = data["inner"].astype(np.float32)
    inner_mean, inner_scale = inner[~held].mean(axis=0), 1 / (inner[~held].std(axis=0) + 1e-3)
    pose = np.array([pose_features(*a, q) for a, q in zip(angles, nearness, strict=True)])
    x = np.concatenate([(residual - middle) @ components, pose, (inner - inner_mean) * inner_scale], axis=1)

    place = data["head_to_camera"][:, :3, 3]
    true_rotation = towards(place) @ data["head_to_camera"][:, :3, :3]
    distance = np.linalg.norm(place, axis=1)
    turn = log_map(rotation.transpose(0, 2, 1) @ true_rotation)
    growth = np.log(data["focal"] / place[:, 2] / scale)
    seen = place[:, :2] / place[:, 2:] * data["focal"][:, None] + CENTRE
    shift = (seen - np.array([a.center for a in aligned])) / scale[:, None]
    y = np.column_stack([data["identity"], data["expression"], turn, growth, shift, 1000 / distance])

    gram = similarity_free(model)

    def face_error(d: np.ndarray) -> np.ndarray:
        return np.sqrt(np.einsum("nk,kl,nl->n", d, gram, d))

    xtx, xty = x[~held].T @ x[~held], x[~held].T @ y[~held]
    base = face_error(y[held, :k])
    trials = []
    for ridge in RIDGES:
        w = np.linalg.solve(xtx + ridge * np.eye(len(xtx)), xty)
        trials.append((face_error(x[held] @ w[:, :k] - y[held, :k]).mean() / base.mean(), ridge, w))
        print(f"ridge {ridge:6.0f}: inner face {trials[-1][0]:.4f} of the mean head's error")
    _, ridge, w = min(trials, key=lambda t: t[0])
    blind = np.ones(x.shape[1], dtype=bool)  # the nearness is to come from the face, not from the camera assumed
    blind[np.arange(COMPONENTS, COMPONENTS + 11)[CAMERA_FEATURES]] = False

    def learn(rows: np.ndarray) -> np.ndarray:
        xx, xy = x[rows].T @ x[rows], x[rows].T @ y[rows]
        out = np.linalg.solve(xx + ridge * np.eye(len(xx)), xy)
        out[:, -1] = 0
        seen = xx[np.ix_(blind, blind)] + ridge * np.eye(blind.sum())
        out[blind, -1] = np.linalg.solve(seen, xy[blind, -1])
        return out

    w = learn(~held)
    prediction = x[held] @ w
    error = prediction - y[held]
    yaw = np.abs(np.array([euler_degrees(r)[0] for r in true_rotation[held]]))
    for low, high in ((0, 30), (30, 70)):
        part = (yaw >= low) & (yaw < high)
        print(f"|yaw| {low} to {high}: {face_error(error[part, :k]).mean():.3f} mm, mean head {base[part].mean():.3f}")
    print("turn, degrees RMS:", np.degrees(np.sqrt((error[:, k + 52 : k + 55] ** 2).mean(axis=0))).round(2),
          "uncorrected:", np.degrees(np.sqrt((y[held, k + 52 : k + 55] ** 2).mean(axis=0))).round(2))  # fmt: skip
    print(
        "log scale RMS:", error[:, k + 55].std().round(4), "origin mm:", error[:, k + 56 : k + 58].std(axis=0).round(2)
    )
    print("nearness:", error[:, -1].std().round(3), "of", y[held, -1].std().round(3))
    correlation = [np.corrcoef(prediction[:, k + i], y[held, k + i])[0, 1] for i in range(52)]
    visible = np.argsort(-np.linalg.norm(model.expression, axis=2)[:, model.inner_face].mean(axis=1))[:30]
    print(f"expression, 30 most visible units: correlation {np.nanmean(np.array(correlation)[visible]):.3f}")

    sigma = []
    for centre in BINS:
        near = np.abs(yaw - centre) < 12
        spread = np.cov(error[near, :k].T)
        root = np.linalg.cholesky(spread + 1e-9 * np.eye(k))
        field = np.einsum("kl,kcx->lcx", root, model.identity)
        sigma.append(np.sqrt((field**2).sum(axis=(0, 2))))
    w_all = learn(np.ones(count, dtype=bool))
    np.savez_compressed(
        options.out, mean=middle.astype(np.float16), components=components.astype(np.float16),
        inner_mean=inner_mean.astype(np.float16), inner_scale=inner_scale.astype(np.float16),
        weight=w_all.astype(np.float16), sigma_yaw=np.array(BINS, np.float16), sigma=np.array(sigma, np.float16),
    )  # fmt: skip
    print(f"{count} samples; {options.out}: {options.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
