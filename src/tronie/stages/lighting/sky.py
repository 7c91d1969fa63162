"""Inverse lighting: a sky of 96 directions, which of it each vertex of a head sees, and which sky lit a face.

What each vertex sees (`transfer`) holds attached and cast shadows for any light; `solve_sky` finds the one whose light
makes a face look as it does.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.head.harmonics import spiral
from tronie.head.model import Head, HeadModel
from tronie.head.surface import triangle_vertex_normals
from tronie.raster.rasterizer import visible
from tronie.runtime.jit import jit

SKY = 96
"""Directions that stand for the sky, 20 degrees apart."""
SIZE = 320
"""Pixels of the depth buffers; the head is some 300 mm high."""
REACH_MM = 2.5
"""What lies less than this above a surface does not shade it: the mean head's own roughness."""
BOUNCE = np.float32(0.4)
"""Albedo of the surroundings, for light between the sides of a fold."""
ROUNDS = 6
"""Of reweighting; the last ones change the light by less than a hundredth."""
NOISE = 0.15
"""Relative error of a vertex that still counts by half: freckles, slips of the fit, a shadow's edge."""
SMOOTH, PLAIN = 0.02, 0.004
"""Price of differences between neighbouring directions, and of differences from the same light everywhere, by the
mean diagonal of the normal equations."""
TINT = 0.01
"""The same, of a direction's hue that is not that of all the light."""
TWINS = 0.5
"""How much it counts that both sides of a face have the same skin, against all of the face's having it."""


def sky() -> Array:
    """(96, 3) unit vectors in the head's axes."""
    return spiral(SKY)


def transfer(head: Head, vertices: Array) -> Array:
    """(V, 96) float32: how much of each direction's light arrives at each vertex of `vertices` (V, 3), in the order of
    `sky`. Times radiances (96, 3) it is what a matt white surface shows there. Rows of an open plane sum up to 1.

    Normals are this head's, what hides the sky is taken from the mean head at rest (it is found only once).
    """
    normals = triangle_vertex_normals(vertices, head.triangles)
    facing = np.maximum(normals @ sky().T.astype(np.float32), 0)
    arriving = facing * open_sky(head.model, head.level)
    # What a fold does not get from the sky it gets from the skin around, in part: the sum of all bounces.
    open_share = arriving.sum(axis=1, keepdims=True) / np.maximum(facing.sum(axis=1, keepdims=True), 1e-6)
    return np.asarray(arriving * np.float32(4 / SKY) / (1 - BOUNCE * (1 - open_share)), dtype=np.float32)


@lru_cache(maxsize=4)
def open_sky(model: HeadModel, level: int) -> Array:
    """(V, 96) float32 0..1: whether a vertex of the mean head sees the sky in each direction."""
    mesh = model.level(0)
    v = mesh.apply(model.mean)
    normals = triangle_vertex_normals(v, mesh.triangles)
    center = v.mean(axis=0)
    radius = float(np.linalg.norm(v - center, axis=1).max()) + 1
    scale = SIZE / (2 * radius)
    seen = np.zeros((len(v), SKY), np.float32)
    for k, z in enumerate(sky()):
        x = np.cross([0, 1, 0] if abs(z[1]) < 0.9 else [1, 0, 0], z)
        x /= np.linalg.norm(x)
        p = (v + REACH_MM * normals - center) @ np.stack([x, -np.cross(z, x), -z]).T
        q = (v - center) @ np.stack([x, -np.cross(z, x), -z]).T
        screen = np.column_stack([q[:, :2] * scale + SIZE / 2, q[:, 2] + 2 * radius]).astype(np.float32)
        inverse = visible(screen, mesh.triangles, SIZE, SIZE)[1]
        i, j = (np.clip(p[:, n] * scale + SIZE / 2, 0, SIZE - 1).astype(int) for n in (1, 0))
        seen[:, k] = (p[:, 2] + 2 * radius) < 1 / np.maximum(inverse[i, j], 1e-9) + REACH_MM
    return np.asarray(model.level(level).matrix @ seen, dtype=np.float32)


def solve_sky(arriving: Array, colour: Array, weight: Array, twin: NDArray[np.int64], usual: Array) -> Array:
    """Radiance (96, 3) >= 0 of each direction of `sky` such that arriving (N, 96) times it is the linear colour (N, 3),
    relatively and robustly: as if all of the skin had the albedo 1.

    `twin` (N,) is the row on the face's other side; what is bright here and dark there is lit so, whatever its albedo
    (a beard, a lip). Of those two facts the first holds roughly, so what does not agree loses its weight (Cauchy). The
    brighter a row is than the rest agree on, or the darker, the less it says. `usual` (N,) is how likely a row is skin
    like all the rest.
    """
    level = np.maximum(np.average(colour, axis=0, weights=weight + 1e-9), 1e-4)
    c = np.asarray(colour / level, dtype=np.float64)
    light = c.mean(axis=1)
    b = np.asarray(arriving, dtype=np.float64)
    scale = 1 / (light + 0.1)
    rows = b * scale[:, None]
    wanted = c * scale[:, None]
    # Symmetry, in the same terms: c' b x - c b' x = 0.
    both = np.sqrt(weight * weight[twin])
    price = _prices()
    x = np.ones((SKY, 3))
    for _ in range(ROUNDS):
        shown = b @ x
        error = np.log((shown.mean(axis=1) + 0.03) / (light + 0.03))
        w = weight * usual / (1 + (error / NOISE) ** 2)
        skew = error - error[twin]
        pair = TWINS * both / (1 + (skew / (2 * NOISE)) ** 2)
        gram = (rows * w[:, None]).T @ rows
        target = (rows * w[:, None]).T @ wanted
        grey = x.mean(axis=1)
        for k in range(3):
            sym = (b * c[twin, k : k + 1] - b[twin] * c[:, k : k + 1]) * (1 / (light + light[twin] + 0.1))[:, None]
            full = gram + (sym * pair[:, None]).T @ sym
            size = np.trace(full) / SKY + 1e-9
            pull = PLAIN * x[:, k].mean() + TINT * grey
            _descend(full + size * price, target[:, k] + size * pull, x[:, k], 80)
    return np.asarray(x * level, dtype=np.float64)


def _prices() -> Array:
    """(96, 96): SMOOTH times the graph's Laplacian of neighbouring directions, and PLAIN."""
    d = sky()
    near = np.exp((d @ d.T - 1) / (1 - np.cos(np.radians(20))))
    np.fill_diagonal(near, 0)
    near /= near.sum(axis=1).mean()
    return np.asarray(SMOOTH * (np.diag(near.sum(axis=1)) - near) + (PLAIN + TINT) * np.eye(len(d)))


@jit
def _descend(a: Any, b: Any, x: Any, sweeps: int) -> None:
    """Least x a x / 2 - b x with x >= 0, one coordinate at a time; `x` (K,) is where to begin and what is found."""
    for _ in range(sweeps):
        for i in range(len(x)):
            s = b[i]
            for j in range(len(x)):
                s -= a[i, j] * x[j]
            x[i] = max(x[i] + s / a[i, i], 0.0)
