"""Default colours of eyes, teeth, tongue and the mouth's lining, painted into an atlas.

The parts carry one colour per UV vertex (`Parts.colour`); smooth interpolation over the once subdivided chart is all
the texture they need, so nothing but those few bytes has to be stored.
"""

from __future__ import annotations

import numpy as np

from training.head.anatomy import Parts
from training.head.lips import lip_loop
from training.head.mpfb import Body
from training.head.skin_mesh import Skin
from tronie.head.subdivide import catmull_clark, triangulate

LIP, DEEP = np.array([158.0, 78.0, 74.0]), np.array([62.0, 18.0, 18.0])
DARK_AFTER = 32.0
"""mm behind the lips where the mouth's lining has reached its darkest red."""
SOCKET = np.array([150.0, 88.0, 80.0])


def lining_colours(body: Body, skin: Skin) -> np.ndarray:
    """(S, 3) uint8 for the skin's vertices in the mouth's cavity and the eye sockets; zero elsewhere."""
    v = body.vertices[skin.source]
    out = np.zeros((len(v), 3))
    rows = np.unique(skin.quads[skin.lining])
    ring = v[lip_loop(skin)]
    depth = np.linalg.norm(v[rows, None] - ring[None], axis=2).min(axis=1)
    share = np.clip(depth / DARK_AFTER, 0, 1)[:, None] ** 0.6
    out[rows] = LIP + share * (DEEP - LIP)
    out[np.unique(skin.quads[skin.socket])] = SOCKET
    return np.round(out).astype(np.uint8)


def paint(parts: Parts, uv: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Parts' colours in an atlas: RGB (size, size, 3) uint8 and coverage (size, size) uint8, 255 where painted.

    `uv` (U, 2) is `parts.corner_uv` as packed: 0..1, origin at the top left, v down.
    """
    step, quads = catmull_clark(parts.quad_uv.astype(np.int32), len(uv))
    triangles, _ = triangulate(quads)
    return fill(step @ uv * size, step @ parts.colour.astype(float), triangles, size)


def fill(points: np.ndarray, colour: np.ndarray, triangles: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Colours (n, 3) interpolated over triangles (t, 3) of pixel positions (n, 2); pixel centres at +0.5."""
    image, alpha = np.zeros((size, size, 3), np.uint8), np.zeros((size, size), np.uint8)
    for p, c in zip(points[triangles], colour[triangles], strict=True):
        low = np.maximum(np.ceil(p.min(axis=0) - 0.5).astype(int), 0)
        high = np.minimum(np.floor(p.max(axis=0) - 0.5).astype(int), size - 1)
        double = np.linalg.det(np.stack([p[1] - p[0], p[2] - p[0]]))
        if (high < low).any() or abs(double) < 1e-12:
            continue
        y, x = np.mgrid[low[1] : high[1] + 1, low[0] : high[0] + 1]
        q = np.stack([x, y], axis=-1) + 0.5 - p[0]
        e, f = p[1] - p[0], p[2] - p[0]
        b = (q[..., 0] * f[1] - q[..., 1] * f[0]) / double
        g = (e[0] * q[..., 1] - e[1] * q[..., 0]) / double
        inside = (b >= -1e-9) & (g >= -1e-9) & (b + g <= 1 + 1e-9)
        value = c[0] + b[inside][:, None] * (c[1] - c[0]) + g[inside][:, None] * (c[2] - c[0])
        image[y[inside], x[inside]] = np.clip(np.round(value), 0, 255)
        alpha[y[inside], x[inside]] = 255
    return image, alpha
