"""Random light on a head: lamps near and far, gloss, the shadows that it casts on itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.geometry import transform
from tronie.head.surface import triangle_vertex_normals
from tronie.raster.rasterizer import rasterize

KINDS = ("soft", "front", "side", "top", "back", "harmonics", "flat")
CHANCES = (0.28, 0.15, 0.2, 0.1, 0.1, 0.13, 0.04)
SHADOW_SIDE = 160
"""Pixels of the picture that a lamp sees."""
SHADOW_BIAS_MM = 2.0


def random_light(vertices: Array, triangles: NDArray[Any], head_to_camera: Array, rng: np.random.Generator) -> Array:
    """(V,) float32 linear light on vertices (V, 3) mm, by which the texture is multiplied."""
    place = transform(head_to_camera, vertices.astype(np.float64)).astype(np.float32)
    normal = triangle_vertex_normals(place, triangles)  # a rigid motion keeps the winding
    kind = rng.choice(KINDS, p=CHANCES)
    if kind == "harmonics":
        return _harmonics(normal, rng)
    if kind == "flat":
        return np.full(len(normal), rng.uniform(0.7, 1.1), np.float32)
    side = rng.choice([-1.0, 1.0])
    ambient, direction, strength = {
        "soft": (rng.uniform(0.45, 0.9), (rng.normal(0, 0.8), rng.normal(-0.4, 0.6), -rng.uniform(0.3, 1.2)), 0.5),
        "front": (rng.uniform(0.15, 0.4), (rng.normal(0, 0.2), rng.normal(-0.2, 0.2), -1.0), 0.8),
        "side": (rng.uniform(0.1, 0.4), (side, rng.normal(-0.3, 0.3), rng.normal(-0.3, 0.2)), 0.9),
        "top": (rng.uniform(0.15, 0.4), (rng.normal(0, 0.3), -1.0, -rng.uniform(0.1, 0.6)), 0.9),
        "back": (rng.uniform(0.25, 0.6), (side * rng.uniform(0.2, 1), rng.normal(-0.4, 0.3), rng.uniform(0.3, 1)), 1.0),
    }[str(kind)]
    out = ambient * (1 - rng.uniform(0, 0.35) * normal[:, 1])
    gloss = rng.uniform(0, 0.35) if rng.random() < 0.6 else 0.0
    lamps = [(np.array(direction), strength * rng.uniform(0.6, 1.3))]
    fills = range(rng.integers(0, 3))
    lamps += [(rng.normal(size=3) * [1, 0.5, 0.4] - [0, 0.2, 0.6], rng.uniform(0.05, 0.4)) for _ in fills]
    for index, (where, power) in enumerate(lamps):
        towards = (where / np.linalg.norm(where)).astype(np.float32)
        reach = float(rng.uniform(250, 1200)) if rng.random() < 0.35 else 0.0
        lit = _lamp(place, normal, towards, reach, gloss, rng.uniform(0, 0.6)) * power
        if index == 0 and rng.random() < 0.4:
            lit = lit * _shadow(place, triangles, towards, rng)
        out = out + lit
    return np.asarray(out * rng.uniform(0.75, 1.2), np.float32)


def _lamp(place: Array, normal: Array, towards: Array, reach: float, gloss: float, wrap: float) -> Array:
    """(V,) light of one lamp, `reach` mm away (0: very far)."""
    to: Array = np.broadcast_to(towards, place.shape)
    fade: Array | np.float32 = np.float32(1)
    if reach:
        to = place.mean(axis=0) + towards * reach - place
        length = _length(to)
        to, fade = to / length[:, None], (reach / length) ** 2
    facing = np.maximum((np.einsum("ij,ij->i", normal, to) + wrap) / (1 + wrap), 0)
    if gloss:
        half = to - place / _length(place)[:, None]
        half = half / np.maximum(_length(half), 1e-6)[:, None]
        facing = facing + gloss * 2.5 * np.maximum(np.einsum("ij,ij->i", normal, half), 0) ** 24 * (facing > 0)
    return np.asarray(facing * fade)


def _length(vectors: Array) -> Array:
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", vectors, vectors)))


def _shadow(place: Array, triangles: NDArray[Any], towards: Array, rng: np.random.Generator) -> Array:
    """(V,) 0..1: how much of a far lamp's light arrives past the head itself; softened by looking four times."""
    middle = np.median(place, axis=0)
    seen = np.zeros(len(place), np.float32)
    spread = rng.uniform(0.0, 0.08)
    for _ in range(4 if spread > 0.02 else 1):
        z = -(towards + rng.normal(0, spread, 3))
        z = z / np.linalg.norm(z)
        x = np.cross([0.0, 1.0, 0.1], z)
        x = x / np.linalg.norm(x)
        p = (place - middle) @ np.array([x, np.cross(z, x), z]).T
        scale = SHADOW_SIDE / 300.0
        screen = np.column_stack([p[:, :2] * scale + SHADOW_SIDE / 2, p[:, 2] + 5000]).astype(np.float32)
        depth = rasterize(screen, triangles, SHADOW_SIDE, SHADOW_SIDE).depth
        cell = np.clip(screen[:, :2].astype(int), 0, SHADOW_SIDE - 1)
        front = depth[cell[:, 1], cell[:, 0]]
        seen += (screen[:, 2] < front + SHADOW_BIAS_MM + 1 / scale) | ~np.isfinite(front) | (front <= 0)
    seen = seen / seen.max() if seen.max() else seen + 1
    return np.asarray(1 - rng.uniform(0.5, 1) * (1 - seen), np.float32)


def _harmonics(normal: Array, rng: np.random.Generator) -> Array:
    """Random second-order spherical harmonics (Ramamoorthi & Hanrahan 2001), never below a little light."""
    x, y, z = normal.T
    basis = np.stack([x, y, z, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], axis=1)
    weight = rng.normal(0, 1, 8) * [0.35, 0.25, 0.3, 0.15, 0.15, 0.08, 0.15, 0.15] + [0, -0.15, -0.2, 0, 0, 0, 0, 0]
    return np.asarray(np.maximum(rng.uniform(0.6, 1.0) + basis @ weight, 0.08), np.float32)
