"""Lashes: four narrow bands that root on the edges of the lids, with a picture of single lashes on them.

Lashes stand off the skin of the lid's edge, and go with it wherever it moves and turns: the bands are built for the
head at rest and for each unit, and what lies between is how the unit moves them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.geometry import transform
from tronie.head.lids import Lids, lids_of
from tronie.head.model import Head, HeadModel
from tronie.raster.compositing import sampled
from tronie.shells import Shell
from tronie.types import Fit, Photo

Ints = NDArray[np.int32]

WIDTH, HEIGHT, SPLIT = 256, 64, 40
"""Of the picture, texels, and the row at which the lower lashes begin."""
FINER = 8
"""How much larger it is drawn."""
BEHIND = 2
"""Rings from the roots to where the skin of the lid is looked at, to see how its edge is turned."""
SMALLEST_MOVE = 0.02
"""mm: a unit that moves no lash further than this does not move them."""
BROWS = (46, 53, 52, 65, 55, 70, 63, 105, 66, 107, 276, 283, 282, 295, 285, 300, 293, 334, 296, 336)
"""Landmarks along both brows."""
DARKEST = 0.25
"""Share of the brows' colours that is taken: what is between hairs is skin."""
DARKER = 0.68
"""How light lashes are, by the brows."""
LIGHTEST = 0.4
"""Of the skin's lightness: nobody's lashes are lighter here, for they shade each other."""


@dataclass(frozen=True, slots=True)
class Band:
    """The lashes of one kind of lid."""

    first: float
    """Where they begin and end: columns from the inner corner, as shares of the way to the outer one."""
    last: float
    along: int
    """Cells along the lid."""
    out: int
    """Cells from root to tip."""
    length: float
    """mm of the longest."""
    angles: tuple[float, float]
    """Degrees at root and tip: 0 goes on as the skin of the lid does, 90 stands off it."""
    count: int
    """Of lashes."""
    rows: tuple[int, int]
    """Of the picture: of the tips and of the roots."""


FAN = (-0.25, 0.5)
"""How far lashes lean to the temple, at the inner corner and at the outer one, by how far they go."""

UPPER = Band(0.18, 0.985, 22, 4, 6.2, (88.0, 152.0), 86, (1, SPLIT - 2))
LOWER = Band(0.4, 0.96, 16, 2, 2.8, (80.0, 122.0), 50, (SPLIT + 1, HEIGHT - 2))


@dataclass(frozen=True, eq=False)
class _Plan:
    """What all heads of a model share."""

    rows: Ints
    """(L, 2, N) vertices of each of the four bands' lids: the roots' ring, and the one behind it."""
    sides: tuple[float, ...]
    """(L,) 1 on the left eye, -1 on the right one."""
    bands: tuple[Band, ...]
    at: tuple[Array, ...]
    """(n, N) of each: weights of the columns at the cells' corners."""
    units: tuple[str, ...]
    """(K,) that move a lid's edge."""
    moves: Array
    """(K, L, 2, N, 3) mm."""
    triangles: tuple[Ints, Ints]
    """All of them, and fewer."""
    uv: Array


def lashes(head: Head, color: Array) -> Shell | None:
    """Of a color (3,) sRGB; None for a head without lids that move."""
    plan = _plan(head.model, head.level)
    if plan is None:
        return None
    rest = np.asarray(head.neutral, np.float64)[plan.rows]
    vertices, normals = _built(plan, rest)
    moved = (_built(plan, rest + plan.moves)[0] - vertices).astype(np.float32)
    reach = np.abs(moved).max(axis=(1, 2))
    moves = {unit: moved[k] for k, unit in enumerate(plan.units) if reach[k] > SMALLEST_MOVE}
    image = np.empty((HEIGHT, WIDTH, 4), np.uint8)
    image[..., :3] = np.clip(np.asarray(color) * _tints()[..., None], 0, 255)
    image[..., 3] = _alpha()
    return Shell(
        "lashes",
        vertices.astype(np.float32),
        normals.astype(np.float32),
        plan.triangles[0],
        plan.uv,
        image,
        (plan.triangles[1], np.zeros((0, 3), np.int32)),
        moves=moves,
    )


def lash_color(photo: Photo, head: Head, fit: Fit) -> Array:
    """(3,) sRGB: the darkest of the brows in a photo, and darker still."""
    points = np.asarray(head.points478(head.vertices))
    pixels = fit.camera.project(transform(fit.head_to_camera, points))
    brows = sampled(photo.image, pixels[list(BROWS)]).astype(np.float64)
    around = sampled(photo.image, pixels[[4, 5, 50, 280, 101, 330, 205, 425]]).astype(np.float64)
    light = brows.mean(axis=1)
    dark = DARKER * np.median(brows[light <= np.quantile(light, DARKEST)], axis=0)
    most = LIGHTEST * float(np.median(around.mean(axis=1)))
    return np.asarray(dark * min(1.0, most / max(float(dark.mean()), 1.0)), np.float32)


def _built(plan: _Plan, lids: Array) -> tuple[Array, Array]:
    """Vertices (..., V, 3) and normals of all bands, on lids (..., L, 2, N, 3)."""
    places, normals = [], []
    for k, (side, band, at) in enumerate(zip(plan.sides, plan.bands, plan.at, strict=True)):
        root, behind = at @ lids[..., k, 0, :, :], at @ lids[..., k, 1, :, :]
        on = _unit(_smooth(_unit(root - behind)))
        along = _unit(_smooth(np.gradient(root, axis=-2)))
        off = _unit(side * np.cross(on, along))
        on = _unit(side * np.cross(along, off))
        share = np.linspace(0, 1, band.along + 1)
        steps = np.radians(np.linspace(*band.angles, 2 * band.out + 1))[:, None]
        on, off, along = on[..., None, :], off[..., None, :], along[..., None, :]
        ahead: Array = on * np.cos(steps[1::2]) + off * np.sin(steps[1::2])
        # Lashes spread out like a fan, to the temple most of all.
        ahead = _unit(ahead + along * np.interp(share, [0, 1], FAN)[:, None, None])
        ahead = ahead * (_length(share) * band.length / band.out)[:, None, None]
        line = np.concatenate([root[..., None, :], root[..., None, :] + np.cumsum(ahead, axis=-2)], axis=-2)
        turn = _unit(off * np.cos(steps[::2]) - on * np.sin(steps[::2]))
        shape = (*root.shape[:-2], -1, 3)
        places.append(line.reshape(shape))
        normals.append(turn.reshape(shape))
    return np.concatenate(places, axis=-2), np.concatenate(normals, axis=-2)


def _length(share: Array) -> Array:
    """Of lashes by where they are, of the longest: short at the inner corner, longest towards the outer one."""
    return np.asarray(np.interp(share, [0, 0.15, 0.45, 0.75, 0.93, 1], [0.5, 0.68, 0.92, 1.0, 0.85, 0.6]))


def _unit(rows: Array) -> Array:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9))


def _smooth(rows: Array) -> Array:
    """(..., n, 3) with their neighbours."""
    for _ in range(3):
        padded = np.concatenate([rows[..., :1, :], rows, rows[..., -1:, :]], axis=-2)
        rows = (padded[..., :-2, :] + 2 * padded[..., 1:-1, :] + padded[..., 2:, :]) / 4
    return rows


@lru_cache(maxsize=2)
def _plan(model: HeadModel, level: int) -> _Plan | None:
    both = lids_of(model)
    if both is None:
        return None
    rows, sides, bands, at = [], [], [], []
    for lids, side in zip(both, (1.0, -1.0), strict=True):
        for band, columns in ((UPPER, _columns(lids, True)), (LOWER, _columns(lids, False))):
            rows.append(lids.rings[[lids.root, lids.root + BEHIND]][:, columns])
            sides.append(side if band is UPPER else -side)
            bands.append(band)
            edge = model.mean[lids.rings[lids.root, columns]]
            at.append(_weights(edge, np.linspace(band.first, band.last, band.along + 1)))
    widest = max(r.shape[1] for r in rows)
    grid = np.stack([np.pad(r, ((0, 0), (0, widest - r.shape[1])), mode="edge") for r in rows])
    at = [np.pad(a, ((0, 0), (0, widest - a.shape[1]))) for a in at]
    matrix = model.level(level).matrix[grid.ravel()]
    every = np.moveaxis(model.expression, 0, 1).reshape(len(model.mean), -1)
    moves = np.moveaxis(np.asarray(matrix @ every, np.float64).reshape(*grid.shape, -1, 3), -2, 0)
    moving = np.flatnonzero(np.abs(moves).reshape(len(moves), -1).max(axis=1) > SMALLEST_MOVE / 2)
    uv, cells, fewer, start = [], [], [], 0
    for band in bands:
        across, down = np.linspace(0, 1, band.along + 1), np.linspace(band.rows[1], band.rows[0], band.out + 1)
        u, v = np.meshgrid((across * (WIDTH - 4) + 2) / WIDTH, (down + 0.5) / HEIGHT, indexing="ij")
        uv.append(np.stack([u, v], axis=-1).reshape(-1, 2))
        cells.append(_grid(start, band, 1))
        fewer.append(_grid(start, band, 2))
        start += len(uv[-1])
    return _Plan(
        grid,
        tuple(sides),
        tuple(bands),
        tuple(at),
        tuple(model.expression_names[k] for k in moving),
        moves[moving],
        (np.concatenate(cells), np.concatenate(fewer)),
        np.concatenate(uv).astype(np.float32),
    )


def _columns(lids: Lids, upper: bool) -> Ints:
    """From the inner corner to the outer one, both included."""
    count = lids.rings.shape[1]
    way = np.arange(lids.outer + 1) if upper else np.arange(count, lids.outer - 1, -1) % count
    return way.astype(np.int32)


def _weights(edge: Array, shares: Array) -> Array:
    """(n, N): weights of the points (N, 3) of a line, at shares (n,) of its length."""
    way = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(edge, axis=0), axis=1))])
    place = np.interp(shares * way[-1], way, np.arange(len(edge)))
    return np.asarray(np.maximum(1 - np.abs(place[:, None] - np.arange(len(edge))), 0))


def _grid(start: int, band: Band, step: int) -> Ints:
    i, j = np.meshgrid(np.arange(0, band.along, step), np.arange(0, band.out, step), indexing="ij")
    a = (start + i * (band.out + 1) + j).ravel()
    b, c = a + step, a + step * (band.out + 1)
    return np.concatenate([np.column_stack([a, c, b]), np.column_stack([b, c, c + step])]).astype(np.int32)


@lru_cache(maxsize=1)
def _alpha() -> Image:
    """(H, W): single lashes, bent and tapering, that lean on each other at their tips."""
    canvas = np.zeros((HEIGHT * FINER, WIDTH * FINER), np.uint8)
    for band, seed in ((UPPER, 7), (LOWER, 8)):
        rng = np.random.default_rng(seed)
        top, low = (FINER * (row + 0.5) for row in band.rows)
        step, tuft = WIDTH / band.count, 0.0
        for k in range(-1, band.count + 1):
            tuft = float(rng.normal()) if k % 3 == 0 else tuft
            root = (k + 0.5 + 0.3 * rng.normal()) * step
            tip = root + step * (0.5 * rng.normal() + 0.55 * (1 - k % 3) + 0.5 * tuft)
            long = 0.97 - abs(0.13 * rng.normal()) - 0.28 * (rng.random() < 0.25)
            wide = (0.4 if band is UPPER else 0.3) * step
            t = np.linspace(0, 1, 12)
            x, y = root + (tip - root) * t**1.6, low + (top - low) * long * t
            half = wide * (0.95 - 0.9 * t**0.8) + 0.15
            left, right = np.column_stack([FINER * (x - half), y]), np.column_stack([FINER * (x + half), y])
            cv2.fillPoly(canvas, [np.round(np.concatenate([left, right[::-1]])).astype(np.int32)], 255)
        canvas[round(low) - FINER : round(low) + FINER] = 255  # the line in which they root
    small = cv2.resize(canvas, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


@lru_cache(maxsize=1)
def _tints() -> Array:
    """(H, W) factors on the colour: darker at the roots."""
    out = np.ones((HEIGHT, WIDTH))
    for band in (UPPER, LOWER):
        top, low = band.rows
        y = np.arange(HEIGHT)
        inside = (y >= top - 1) & (y <= low + 1)
        out[inside] = (1.12 - 0.2 * np.clip((y[inside] - top) / (low - top), 0, 1))[:, None]
    return out
