"""A tiny symmetric head for the tests: an ellipsoid with a nose, two eyes, teeth, tongue and mouth lining.

It has every field of a real `HeadModel`, in the same conventions and about the same size in millimetres, and
it is the same on every call. `tiny_head()` is all that other tests need; the pieces of it are rough on purpose.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import PARTS, HeadModel, Level

COLUMNS, ROWS = 24, 14
"""Cells of the skin's grid around the head and from the crown to the neck."""
CENTER = np.array([0.0, 10.0, -80.0])
AXES = np.array([75.0, 125.0, 95.0])
"""Centre and half axes of the skull, mm."""
EYES = np.array([[31.0, 0.0, 0.0], [-31.0, 0.0, 0.0]])
"""Centres of the left and the right eye, mm."""


@cache
def tiny_head() -> HeadModel:
    """About 600 control vertices; every part of PARTS; identity 5, 52 expressions, 10 smooth modes."""
    pieces = [_skin(), *(_eye(side) for side in (0, 1)), *(_patch(name) for name in PARTS[3:])]
    points, quads, quad_uv, uv, part, vertex_part = [], [], [], [], [], []
    n_vertices = n_uv = 0
    for index, (p, q, t, c) in enumerate(pieces):
        points.append(p)
        quads.append(np.where(q < 0, -1, q + n_vertices))
        quad_uv.append(np.where(t < 0, -1, t + n_uv))
        uv.append(c)
        part.append(np.full(len(q), index, dtype=np.uint8))
        vertex_part.append(np.full(len(p), index))
        n_vertices, n_uv = n_vertices + len(p), n_uv + len(c)
    mean = np.concatenate(points).astype(np.float32)
    faces = np.concatenate(quads).astype(np.int32)
    kind = np.concatenate(vertex_part)
    mirror = _mirror(mean, kind)
    modes, stiffness = _smooth_modes(mean, faces, kind, 10)
    front = (kind == 0) & (mean[:, 2] > -30) & (mean[:, 1] < 45) & (mean[:, 1] > -75)
    bare = HeadModel(
        name="tiny",
        licence="CC0-1.0",
        mean=mean,
        identity=_identity(mean),
        expression=_expression(mean, kind),
        quads=faces,
        quad_uv=np.concatenate(quad_uv).astype(np.int32),
        uv=np.concatenate(uv).astype(np.float32),
        part=np.concatenate(part),
        mirror=mirror,
        inner_face=front,
        smooth_modes=modes,
        smooth_stiffness=stiffness,
        embeddings={},
    )
    layouts = {68: _layout68(), 478: _layout478()}
    embeddings = {
        f"{n}.{level}": _embed(mesh, mesh.apply(mean), *layout)
        for level, mesh in enumerate(_bare_levels(bare))
        for n, layout in layouts.items()
    }
    return replace(bare, embeddings=embeddings)


def _grid(rows: int, columns: int, wrap: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Quads of a grid of cells and of its UV (which never wraps), counter-clockwise with rows going down."""
    i, j = (a.ravel() for a in np.mgrid[:rows, :columns])
    width = columns if wrap else columns + 1
    right = (j + 1) % width
    q = np.stack([i * width + j, (i + 1) * width + j, (i + 1) * width + right, i * width + right], axis=1)
    w = columns + 1
    t = np.stack([i * w + j, (i + 1) * w + j, (i + 1) * w + j + 1, i * w + j + 1], axis=1)
    return q, t


def _skin() -> tuple[Array, Any, Any, Array]:
    """Latitude-longitude grid, a fan of triangles at the crown, open at the neck; seam at the back."""
    polar = np.linspace(0.0, 0.82 * np.pi, ROWS + 1)[1:]
    azimuth = -np.pi + 2 * np.pi * np.arange(COLUMNS) / COLUMNS
    th, az = np.meshgrid(polar, azimuth, indexing="ij")
    unit = np.stack([np.sin(th) * np.sin(az), np.cos(th), np.sin(th) * np.cos(az)], axis=-1).reshape(-1, 3)
    p = CENTER + unit * AXES
    p[:, 2] += 22 * np.exp(-((p[:, 0] / 14) ** 2) - ((p[:, 1] + 28) / 16) ** 2) * (p[:, 2] > CENTER[2])
    q, t = _grid(ROWS - 1, COLUMNS, wrap=True)
    v_of = 0.04 + 0.72 * np.linspace(0, 1, ROWS + 1)
    u = 0.5 + 0.46 * np.linspace(-1, 1, COLUMNS + 1)
    uv = np.stack(np.meshgrid(u, v_of[1:], indexing="xy"), axis=-1).reshape(-1, 2)
    pole, j = len(p), np.arange(COLUMNS)
    fan = np.stack([np.full(COLUMNS, pole), j, (j + 1) % COLUMNS, np.full(COLUMNS, -1)], axis=1)
    fan_uv = np.stack([len(uv) + j, j, j + 1, np.full(COLUMNS, -1)], axis=1)
    pole_uv = np.stack([(u[:-1] + u[1:]) / 2, np.full(COLUMNS, v_of[0])], axis=1)
    return (
        np.concatenate([p, [CENTER + AXES * [0, 1, 0]]]),
        np.concatenate([q, fan]),
        np.concatenate([t, fan_uv]),
        np.concatenate([uv, pole_uv]),
    )


def _eye(side: int) -> tuple[Array, Any, Any, Array]:
    """Front cap of a 12 mm ball around the z axis; its UV is an equidistant azimuthal chart about the iris."""
    rings, spokes, radius = 5, 12, 12.0
    th = np.repeat(np.linspace(0, 0.6 * np.pi, rings + 1)[1:], spokes)
    # The right eye's vertices are the mirror image of the left's, in the same order.
    az = np.tile(2 * np.pi * np.arange(spokes) / spokes, rings)
    sign = 1.0 if side == 0 else -1.0
    unit = np.stack([sign * np.sin(th) * np.cos(az), np.sin(th) * np.sin(az), np.cos(th)], axis=1)
    p = np.concatenate([EYES[side] + radius * unit, [EYES[side] + [0, 0, radius]]])
    i, j = (a.ravel() for a in np.mgrid[: rings - 1, :spokes])
    n = (j + 1) % spokes
    q = np.stack([i * spokes + j, (i + 1) * spokes + j, (i + 1) * spokes + n, i * spokes + n], axis=1)
    s = np.arange(spokes)
    fan = np.stack([np.full(spokes, rings * spokes), s, (s + 1) % spokes, np.full(spokes, -1)], axis=1)
    q = np.concatenate([q, fan])
    if side == 1:
        q = np.where(q[:, 3:] < 0, q[:, [0, 2, 1, 3]], q[:, [0, 3, 2, 1]])
    chart = 0.07 * th / th.max()
    uv = np.stack([sign * chart * np.cos(az), -chart * np.sin(az)], axis=1)
    uv = np.concatenate([uv, [[0.0, 0.0]]]) + np.array([0.5 + sign * 0.4, 0.89])
    return p, q, q.copy(), uv


def _patch(name: str) -> tuple[Array, Any, Any, Array]:
    """A small sheet facing forward, inside the head behind the mouth; its chart straddles u = 0.5."""
    y, z, v = {
        "teeth_upper": (-48, -8, 0.79),
        "teeth_lower": (-58, -8, 0.84),
        "tongue": (-54, -20, 0.89),
        "mouth": (-53, -35, 0.94),
    }[name]
    rows, columns = 2, 6
    q, t = _grid(rows, columns, wrap=False)
    x, h = np.meshgrid(np.linspace(-1, 1, columns + 1), np.linspace(1, -1, rows + 1), indexing="xy")
    p = np.stack([20 * x, y + 5 * h, z - 10 * x**2], axis=-1).reshape(-1, 3)
    uv = np.stack([0.5 + 0.15 * x, v + 0.02 - 0.018 * h], axis=-1).reshape(-1, 2)
    return p, q, t, uv


def _mirror(mean: Array, kind: Any) -> NDArray[np.int32]:
    flipped = mean * [-1, 1, 1]
    swap = np.array([0, 2, 1, 3, 4, 5, 6])
    cost = ((mean[:, None] - flipped[None]) ** 2).sum(-1) + 1e9 * (kind[:, None] != swap[kind][None])
    mirror = cost.argmin(axis=0).astype(np.int32)
    if not np.array_equal(mirror[mirror], np.arange(len(mean))):
        raise AssertionError("the tiny head is not symmetric")
    return mirror


def _smooth_modes(mean: Array, faces: Any, kind: Any, count: int) -> tuple[Array, Array]:
    """Low eigenvectors of the skin's graph Laplacian; other parts follow the nearest skin vertex."""
    skin = np.flatnonzero(kind == 0)
    a = np.zeros((len(mean), len(mean)))
    for k in range(4):
        i, j = faces[:, k], faces[:, (k + 1) % 4]
        i, j = np.where(i < 0, faces[:, 0], i), np.where(j < 0, faces[:, 0], j)
        a[i, j] = a[j, i] = 1
    a = a[np.ix_(skin, skin)]
    np.fill_diagonal(a, 0)
    values, vectors = np.linalg.eigh(np.diag(a.sum(0)) - a)
    modes = vectors[:, :count].T * np.sqrt(len(skin))
    modes *= np.where(modes[:, :1] < 0, -1, 1)
    nearest = ((mean[:, None] - mean[skin][None]) ** 2).sum(-1).argmin(1)
    return modes[:, nearest].astype(np.float32), np.maximum(values[:count], 0).astype(np.float32)


def _identity(mean: Array) -> Array:
    """Wider, longer, deeper, bigger nose, wider jaw."""
    x, y, z = mean.T
    zero = np.zeros_like(x)
    nose = np.exp(-((x / 14) ** 2) - ((y + 28) / 16) ** 2) * (z > -40)
    jaw = 1 / (1 + np.exp((y + 45) / 10))
    rows = [
        (0.04 * x, zero, zero),
        (zero, 0.04 * y, zero),
        (zero, zero, 0.04 * (z + 80)),
        (zero, zero, 3 * nose),
        (0.06 * x * jaw, zero, zero),
    ]
    return np.stack([np.stack(r, axis=1) for r in rows]).astype(np.float32)


def _expression(mean: Array, kind: Any) -> Array:
    """Bumps near the right place, mirrored between Left and Right; the gaze units turn the eyes."""
    out = np.zeros((len(ARKIT_UNITS), len(mean), 3), dtype=np.float32)
    rng = np.random.default_rng(5)
    flip = _mirror(mean, kind)
    where = {
        "eye": (31, 0),
        "jaw": (0, -75),
        "mouth": (18, -52),
        "brow": (25, 25),
        "cheek": (45, -35),
        "nose": (14, -25),
        "tongue": (0, -54),
    }
    for i, name in enumerate(ARKIT_UNITS):
        if name.endswith("Right") and name.removesuffix("Right") + "Left" in ARKIT_UNITS:
            left = out[ARKIT_UNITS.index(name.removesuffix("Right") + "Left")]
            out[i] = left[flip] * [-1, 1, 1]
            continue
        if name.startswith("eyeLook"):
            turn = {"Down": (0.3, 0), "Up": (-0.3, 0), "In": (0, -0.3), "Out": (0, 0.3)}[name[7:].removesuffix("Left")]
            arm = mean - EYES[0]
            spin = np.cross([turn[0], turn[1], 0.0], arm)
            out[i] = spin * (kind == PARTS.index("eye_left"))[:, None]
            continue
        key = next(k for k in where if name.startswith(k))
        cx, cy = where[key]
        push = rng.normal(size=3) * 4
        bump = np.exp(-(((mean[:, 0] - cx) / 18) ** 2) - ((mean[:, 1] - cy) / 18) ** 2) * (mean[:, 2] > -60)
        bump = bump * ~np.isin(kind, [1, 2])
        if name == "jawOpen":
            push = np.array([0, -18.0, -4.0])
            bump = np.clip((-50 - mean[:, 1]) / 15, 0, 1) * (mean[:, 2] > -110) * ~np.isin(kind, [1, 2, 3])
        field = bump[:, None] * push
        if not name.endswith("Left"):
            field = (field + field[flip] * [-1, 1, 1]) / (1 if cx else 2)
        out[i] = field
    return out


def _layout68() -> tuple[Array, NDArray[np.bool_]]:
    """iBUG's order: jaw 0..16 from the subject's right, brows, nose, eyes, mouth; x, y in mm. No eyeball points."""
    t = np.linspace(-1, 1, 17)
    jaw = np.stack([62 * np.sin(t * np.pi / 2.2), -95 + 75 * (1 - np.cos(t * np.pi / 2.2))], axis=1)
    brow = np.stack([np.linspace(-46, -12, 5), [20, 26, 28, 27, 24]], axis=1)
    bridge = np.stack([np.zeros(4), np.linspace(2, -24, 4)], axis=1)
    base = np.stack([np.linspace(-14, 14, 5), [-36, -38, -40, -38, -36]], axis=1)
    a = np.radians([180, 120, 60, 0, -60, -120])
    eye = np.stack([-31 + 15 * np.cos(a), 6 * np.sin(a)], axis=1)
    o = np.radians(180 - 30 * np.arange(12))
    outer = np.stack([25 * np.cos(o), -55 + 9 * np.sin(o)], axis=1)
    k = np.radians(180 - 45 * np.arange(8))
    inner = np.stack([18 * np.cos(k), -55 + 3 * np.sin(k)], axis=1)
    flip = np.array([-1.0, 1.0])
    left_eye = (eye * flip)[[3, 2, 1, 0, 5, 4]]
    xy = np.concatenate([jaw, brow, (brow * flip)[::-1], bridge, base, eye, left_eye, outer, inner])
    return xy, np.zeros(68, dtype=bool)


def _layout478() -> tuple[Array, NDArray[np.bool_]]:
    """A sunflower over the face, the well-known indices in their places, the irises on the eyeballs."""
    n = np.arange(468)
    r, a = np.sqrt((n + 0.5) / 468), n * np.pi * (3 - np.sqrt(5))
    xy = np.stack([58 * r * np.cos(a), -22 + 72 * r * np.sin(a)], axis=1)
    known = {
        1: (0, -30),
        4: (0, -28),
        10: (0, 50),
        152: (0, -95),
        33: (-46, 0),
        133: (-16, 0),
        263: (46, 0),
        362: (16, 0),
        61: (-25, -55),
        291: (25, -55),
        13: (0, -53),
        14: (0, -57),
        234: (-60, -20),
        454: (60, -20),
    }
    for index, place in known.items():
        xy[index] = place
    # MediaPipe: 468..472 at the image's left (the subject's right eye), 473..477 the left one.
    ring = np.array([[0, 0], [1, 0], [0, 1], [-1, 0], [0, -1]]) * 5.85
    irises = np.concatenate([ring + EYES[1, :2], ring * [-1, 1] + EYES[0, :2]])
    return np.concatenate([xy, irises]), n.size <= np.arange(478)


def _bare_levels(bare: HeadModel) -> list[Level]:
    """The three levels of a model whose embeddings are not known yet."""
    blank = (np.zeros((1, 3), np.int32), np.zeros((1, 3)))
    model = replace(bare, embeddings={f"{n}.{level}": blank for n in (68, 478) for level in (0, 1, 2)})
    return [model.level(level) for level in (0, 1, 2)]


def _embed(mesh: Level, mean: Array, layout: Array, on_eye: NDArray[np.bool_]) -> tuple[NDArray[np.int32], Array]:
    """Front-most triangle over each x, y of the mean head, with its barycentric weights."""
    vertices = mean.astype(np.float64)
    index, weight = np.zeros((len(layout), 3), np.int32), np.zeros((len(layout), 3), np.float32)
    for flag in (False, True):
        keep = (mesh.triangle_part == 1) | (mesh.triangle_part == 2) if flag else mesh.triangle_part == 0
        triangles = mesh.triangles[keep]
        a, b, c = (vertices[triangles[:, k]] for k in range(3))
        area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
        front = area > 1e-9
        triangles, a, b, c, area = triangles[front], a[front], b[front], c[front], area[front]
        for i in np.flatnonzero(on_eye == flag):
            x, y = layout[i]
            wa = ((b[:, 0] - x) * (c[:, 1] - y) - (b[:, 1] - y) * (c[:, 0] - x)) / area
            wb = ((c[:, 0] - x) * (a[:, 1] - y) - (c[:, 1] - y) * (a[:, 0] - x)) / area
            w = np.stack([wa, wb, 1 - wa - wb], axis=1)
            inside = w.min(axis=1)
            best = int(np.lexsort((-(w * np.stack([a[:, 2], b[:, 2], c[:, 2]], axis=1)).sum(1), inside < -1e-9))[0])
            if inside[best] < -1e-9:
                best = int(inside.argmax())
            index[i], weight[i] = triangles[best], np.clip(w[best], 0, 1) / np.clip(w[best], 0, 1).sum()
    return index, weight
