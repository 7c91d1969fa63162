"""The recorded answers of the published nets, and the formula that fills their numbers (see the vectors' README)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from places import SHARED

VECTORS = SHARED / "vectors"

FILES = {"sparnet-16": "sparnet", "sparnet-light": "sparnet_light_attn3d", "sparnet-hd": "sparnethd_v4_attn2d"}
"""The file of each net that was recorded."""


def there() -> bool:
    return (VECTORS / "sparnet.npz").is_file()


def record(name: str) -> dict[str, Any]:
    return json.loads((VECTORS / f"{FILES[name]}.json").read_text())


def answers(name: str) -> dict[str, np.ndarray]:
    with np.load(VECTORS / f"{FILES[name]}.npz") as file:
        return dict(file)


def noise(count: int, key: int) -> np.ndarray:
    """Hashed numbers in [-1, 1), (count,) float64."""
    low = np.uint64(2**32 - 1)
    h = (np.arange(count, dtype=np.uint64) * np.uint64(2654435761) + np.uint64(key * 40503 + 12345)) & low
    h ^= h >> np.uint64(15)
    h = (h * np.uint64(2246822519)) & low
    h ^= h >> np.uint64(13)
    return h / 2.0**31 - 1


def filled(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Numbers for every name, float32 (counters int64), in the order of `shapes`."""
    found: dict[str, np.ndarray] = {}
    order = {name: k for k, name in enumerate(sorted(shapes))}
    for name, k in order.items():
        shape = tuple(shapes[name])
        s = noise(int(np.prod(shape)), k).reshape(shape)
        if name.endswith("num_batches_tracked"):
            found[name] = np.zeros((), dtype=np.int64)
            continue
        if name.endswith("running_mean"):
            s = 0.2 * s
        elif name.endswith("running_var"):
            s = 1 + 0.5 * s**2
        elif len(shape) > 1:
            s = np.sqrt(3 / np.prod(shape[1:])) * s
        elif name.endswith(".weight"):
            s = 1 + 0.2 * s
        elif not name.endswith(("weight_u", "weight_v")):
            s = 0.2 * s
        found[name] = s if name.endswith(("weight_u", "weight_v")) else s.astype(np.float32)
    for name in [n for n in found if n.endswith("weight_orig")]:
        base = name.removesuffix("orig")
        w = found[name].astype(np.float64).reshape(len(found[name]), -1)
        u = found[base + "u"] / np.linalg.norm(found[base + "u"])
        v = w.T @ u
        v /= np.linalg.norm(v)
        u = w @ v
        found[base + "u"] = (u / np.linalg.norm(u)).astype(np.float32)
        found[base + "v"] = v.astype(np.float32)
    return {name: found[name] for name in shapes}


def picture(side: int) -> np.ndarray:
    """The input of the recordings, (1, 3, side, side) float32 in -1..1."""
    c, y, x = np.meshgrid(np.arange(1, 4), np.arange(side), np.arange(side), indexing="ij")
    return (np.sin(0.05 * c * x) * np.cos(0.07 * c * y))[None].astype(np.float32)


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Relative L2."""
    return float(np.linalg.norm(np.asarray(a, dtype=np.float64) - b) / np.linalg.norm(b))
