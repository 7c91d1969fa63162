"""A made-up face model of 100 vertices, in the form of BFM_model_front.mat."""

from __future__ import annotations

import numpy as np

SIDE = 10


def arrays(seed: int = 0) -> dict[str, np.ndarray]:
    """A bowl that looks along +z, 1.6 decimetres wide; modes are smooth and small."""
    rng = np.random.default_rng(seed)
    y, x = np.meshgrid(np.linspace(0.8, -0.8, SIDE), np.linspace(-0.8, 0.8, SIDE), indexing="ij")
    mean = np.stack([x, y, 0.5 - 0.5 * (x**2 + y**2)], axis=-1).reshape(-1, 3)
    corner = (np.arange(SIDE - 1)[:, None] * SIDE + np.arange(SIDE - 1)).ravel()
    a, b, c, d = corner, corner + SIDE, corner + SIDE + 1, corner + 1
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    ring = np.full((SIDE**2, 8), len(triangles))
    for vertex in range(SIDE**2):
        found = np.flatnonzero((triangles == vertex).any(axis=1))[:8]
        ring[vertex, : len(found)] = found

    def modes(count: int, scale: float) -> np.ndarray:
        waves = rng.normal(size=(count, 3, 2)) * 2
        phase = rng.uniform(0, 6, (count, 3))
        value = np.cos(np.einsum("kcd,vd->vck", waves, mean[:, :2]) + phase.T)
        return (scale * value).reshape(-1, count).astype(np.float32)

    return {
        "meanshape": (mean + np.array([0.01, 0.02, 0.3])).reshape(1, -1).astype(np.float32),
        "idBase": modes(80, 0.01),
        "exBase": modes(64, 0.01),
        "texBase": modes(80, 3),
        "meantex": np.tile(np.float32([200, 150, 120]), SIDE**2)[None],
        "tri": np.float32(triangles + 1),
        "point_buf": np.float32(ring + 1),
        "keypoints": np.float32(rng.choice(SIDE**2, 68, replace=False) + 1)[None],
        "tri_mask2": np.ones((4, 3), np.float32),
        "frontmask2_idx": np.ones((4, 1), np.float32),
        "skinmask": np.ones((1, SIDE**2), np.float32),
    }
