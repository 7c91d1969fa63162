"""The contour of a head in a photo, and how far from it the skin ends there.

The contour is where a smooth surface is seen edge on (Hertzmann & Zorin 2000): where normal and view are square to each
other, found on the edges of the mesh. Only what has nothing of the head outside of it counts, and only on the front of
the face: from the side the profile, else brow, cheek and jaw of the far side.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.geometry import Camera, transform
from tronie.head.model import PARTS, HeadModel
from tronie.head.subdivide import Sparse
from tronie.head.surface import triangle_vertex_normals
from tronie.raster.compositing import sampled
from tronie.raster.rasterizer import visible
from tronie.shells import Segmentation

Ints = NDArray[np.int32]

FRONT_MM, ABOVE_MM = -25.0, 70.0
"""The front of the mean head: as far back from the eyes, and as far up; down it ends with the chin."""
APART_MM = 2.0
"""One point of the contour is taken from each square of this side."""
CLEAR_MM = (1.5, 4.0, 7.0)
"""So far outside of such a point there is nothing of the head."""
LARGEST_MM = 1000.0
"""Of what is drawn to see that: a head that fills more has lost its way."""
REACH_MM, STEP_MM = 6.0, 0.25
"""How far to either side of the contour the skin's end is looked for, and in which steps."""
WITHIN_MM, BEYOND_MM, SURE = (-4.0, -1.5), (1.5, 4.0), 0.6
"""Between these distances from the end that it finds, the segmentation must be so sure of skin, and of background:
hair, a collar, a hand before the face end in other places than the skin."""
COLOUR_MM, ASIDE_MM = (1.2, 3.0), 0.8
"""Distances from that end between which the photo's colours on either side are taken, and along the contour."""
NEAR_MM, CONTRAST = 2.0, 25.0
"""How far from there they may turn into each other, and grey levels by which they have to differ."""
UNCLEAR = 0.5
"""What an end is worth that the segmentation alone tells."""


@dataclass(frozen=True, eq=False)
class Front:
    """What of a model can be a face's contour."""

    matrix: Sparse
    """(F, C): control vertices -> the front's vertices at the usual level."""
    triangles: Ints
    """(T, 3) rows of those."""
    edges: Ints
    """(E, 2) likewise."""
    fields: Array
    """(C, 3, K + 52) float32 mm: how identity and expression move each control vertex."""


@lru_cache(maxsize=4)
def front_of(model: HeadModel) -> Front:
    level = model.level(model.usual_level)
    mean = level.apply(model.mean)
    chin = float(level.points68(mean)[8, 1])
    ahead = (mean[:, 2] > FRONT_MM) & (mean[:, 1] < ABOVE_MM) & (mean[:, 1] > chin)
    skin = level.triangles[level.triangle_part == PARTS.index("skin")]
    kept = skin[ahead[skin].any(axis=1)]
    rows = np.unique(kept)
    number = np.full(len(mean), -1, np.int32)
    number[rows] = np.arange(len(rows))
    sides = np.sort(np.concatenate([kept[:, [0, 1]], kept[:, [1, 2]], kept[:, [2, 0]]]), axis=1)
    edges = np.unique(sides[ahead[sides].all(axis=1)], axis=0)
    both = np.concatenate([model.identity, model.expression]).transpose(1, 2, 0)
    return Front(level.matrix[rows], number[kept], number[edges], np.ascontiguousarray(both, dtype=np.float32))


@dataclass(frozen=True, eq=False)
class Contour:
    """Points of a head's outer contour in the photo."""

    rows: Ints
    """(n, 2) the ends of the edges they lie on, vertices of `Front`."""
    share: Array
    """(n,) of the second end."""
    points: Array
    """(n, 3) mm, camera space."""
    pixels: Array
    """(n, 2) where they are seen."""
    out: Array
    """(n, 2) unit, away from the head."""
    pixel_mm: Array
    """(n,) size of a photo pixel there."""


def contour_of(model: HeadModel, control: Array, camera: Camera, pose: Array) -> Contour:
    """`control` (C, 3) mm with the photo's expression, `pose` (4, 4) head -> camera."""
    front = front_of(model)
    whole = transform(pose, control.astype(np.float64))
    points = front.matrix @ whole
    normals = triangle_vertex_normals(points.astype(np.float32), front.triangles).astype(np.float64)
    away = np.einsum("nk,nk->n", normals, points)
    a, b = front.edges.T
    crossed = np.flatnonzero((away[a] < 0) != (away[b] < 0))
    a, b = a[crossed], b[crossed]
    t = away[a] / (away[a] - away[b])
    # The surface bulges out over an edge by what its ends' normals differ.
    bulge = 0.5 * t * (1 - t) * ((normals[b] - normals[a]) * (points[b] - points[a])).sum(axis=1)
    normal = (1 - t)[:, None] * normals[a] + t[:, None] * normals[b]
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    at = (1 - t)[:, None] * points[a] + t[:, None] * points[b] + bulge[:, None] * normal
    # The plane through the camera that touches the head there meets the picture in a line with this normal.
    out = normal[:, :2] / np.maximum(np.linalg.norm(normal[:, :2], axis=1, keepdims=True), 1e-9)
    pixels = camera.project(at)
    mm = float(pose[2, 3] / camera.focal)
    keep = np.flatnonzero(_outermost(model, camera.project(whole) * mm, whole[:, 2], pixels * mm, out))
    cells = np.floor(pixels[keep] * (mm / APART_MM)).astype(np.int64)
    keep = keep[np.unique(cells, axis=0, return_index=True)[1]]
    rows = np.column_stack([a, b]).astype(np.int32)
    return Contour(rows[keep], t[keep], at[keep], pixels[keep], out[keep], at[keep, 2] / camera.focal)


def _outermost(model: HeadModel, flat: Array, depth: Array, at: Array, out: Array) -> NDArray[np.bool_]:
    """(n,) of places (n, 2) and directions: whether nothing of the head, control vertices at (C, 2), lies outside of
    them; all in mm of the picture."""
    low = flat.min(axis=0) - 10
    reach = flat.max(axis=0) - low + 10
    if not (np.isfinite(reach).all() and reach.max() < LARGEST_MM and depth.min() > 1):
        return np.zeros(len(at), bool)
    columns, rows = (int(n) for n in reach)
    screen = np.column_stack([flat - low, depth]).astype(np.float32)
    drawn = visible(screen, model.level(0).triangles, rows, columns)[0] >= 0
    free = np.ones(len(at), bool)
    for clear in CLEAR_MM:
        x, y = (at + clear * out - low).T.astype(np.int32)
        free &= ~drawn[np.clip(y, 0, rows - 1), np.clip(x, 0, columns - 1)]
    return free


def edge_offsets(image: Image, segmentation: Segmentation, contour: Contour) -> tuple[Array, Array]:
    """(n,) mm outwards from the contour to where the skin ends in the photo, and (n,) 0..1 what that is worth.

    The segmentation tells roughly where skin turns into background, the photo's own colours where exactly: where they
    are half one side's and half the other's.
    """
    n, (height, width) = len(contour.pixels), image.shape[:2]
    steps = np.arange(-REACH_MM, REACH_MM + STEP_MM / 2, STEP_MM)
    per_mm = contour.out / contour.pixel_mm[:, None]
    along = contour.pixels[:, None] + steps[:, None] * per_mm[:, None]
    planes = np.stack([segmentation.share("face", "facial_hair"), segmentation.share("background")], axis=-1)
    looked_up = sampled(planes, segmentation.to_photo.inverse().apply(along.reshape(-1, 2)))
    skin, behind = looked_up.reshape(n, len(steps), 2).transpose(2, 0, 1)
    rough, found = _falls(skin / np.maximum(skin + behind, 0.05), steps)
    away = steps - rough[:, None]

    def mean(values: Array, low: float, high: float) -> Array:
        inside = ((away >= low) & (away <= high)).astype(np.float64)
        inside /= np.maximum(inside.sum(axis=1, keepdims=True), 1)
        return np.asarray(np.einsum("nk,nk...->n...", inside, values))

    found &= (mean(skin, *WITHIN_MM) > SURE) & (mean(behind, *BEYOND_MM) > SURE)
    ends = along[:, [0, -1]]
    found &= ((ends > 1) & (ends < [width - 1, height - 1])).all(axis=(1, 2))
    aside = ASIDE_MM * np.column_stack([-per_mm[:, 1], per_mm[:, 0]])[:, None]
    places = np.stack([along - aside, along, along + aside]).reshape(-1, 2)
    colour = sampled(image, places).reshape(3, n, len(steps), 3).mean(axis=0)
    near, far = COLOUR_MM
    within, beyond = mean(colour, -far, -near), mean(colour, near, far)
    step = within - beyond
    power = (step**2).sum(axis=1)
    ramp = np.einsum("nkc,nc->nk", colour - beyond[:, None], step) / np.maximum(power, 1.0)[:, None]
    # Where a step fits best: there all before it has been above half, all behind is below.
    fits = np.cumsum(np.where(np.abs(away) <= NEAR_MM, np.clip(ramp, -0.5, 1.5) - 0.5, 0.0), axis=1)
    best, rows = np.minimum(fits.argmax(axis=1), len(steps) - 2), np.arange(n)
    here, there = ramp[rows, best], ramp[rows, best + 1]
    exact = steps[best] + STEP_MM * np.clip((here - 0.5) / np.maximum(here - there, 1e-3), 0, 1)
    clear = power > CONTRAST**2
    # A photo's edge is known to a part of its pixel only.
    worth = np.where(clear, 1.0, UNCLEAR) / (1 + (contour.pixel_mm / 2) ** 2)
    return np.where(clear, exact, rough), found * worth


def _falls(values: Array, steps: Array) -> tuple[Array, NDArray[np.bool_]]:
    """(n,) where values (n, k) fall through a half, the nearest to 0, and whether they do."""
    before, after = values[:, :-1], values[:, 1:]
    falls = (before >= 0.5) & (after < 0.5)
    at = steps[:-1] + np.clip((before - 0.5) / np.maximum(before - after, 1e-6), 0, 1) * (steps[1] - steps[0])
    best = np.where(falls, np.abs(at), np.inf).argmin(axis=1)
    return at[np.arange(len(values)), best], np.asarray(falls.any(axis=1))
