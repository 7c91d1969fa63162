"""Correspondences of the warp: the head's surface, its outline, and the picture around it that follows.

As in High-Fidelity Pose and Expression Normalization (Zhu et al. 2015) the head carries its surroundings with it. Here
they are a field of shifts over the portrait: on skin that the photo shows it is what the head says, along the
outline that the head has in the portrait it leads to the photo's outline (so that hair stays outside of the skull, and
nothing is shown twice), and away from the head it dies out, where the picture is only turned upright, moved and scaled.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.head.model import HeadModel
from tronie.raster.rasterizer import visible
from tronie.stages.portrait.plain import fades
from tronie.stages.portrait.warp_field import membrane, splat
from tronie.stages.texture.atlas import part_of_vertices, surface_facts

Ints = NDArray[np.int32]
Pixels = NDArray[np.int64]

CELLS, CELL_MM = 100, 4.0
"""The field's grid: a square of 40 cm around the head."""
LOW_MM = 20.0
"""Its middle lies so much below the eyes."""
OUTLINE = 200
"""Pixels of the pictures in which outlines are found, over the same square."""
REACH_MM = 75.0
"""Over which the head's shifts die out beside it."""
STEADY = 1.7
"""... at least this many times the largest of them, or the picture would fold."""
SMOOTH_MM = 14.0
"""Along the outline."""
CLEAR_MM, HIDDEN_MM = 7.0, (3.0, 12.0)
"""Outside a far side that the photo hides, the picture starts so far beyond the photo's outline, past lashes and brow;
hidden is what would lie so deep within the outline."""
NECK_SAY = 0.5
"""Weight of the neck, which turns less than the head, beside that of the face."""


@dataclass(frozen=True, eq=False)
class HeadRegions:
    """Fixed facts about a head model at one level."""

    triangles: Ints
    """(T, 3) all of the mesh."""
    skull_triangles: Ints
    """(S, 3) those without the neck."""
    skin: NDArray[np.bool_]
    """(T,) which triangles are skin."""
    front: Array
    """(V,) 0..1: skin of the face, brow and forehead before the ears, without the neck."""
    bare: Array
    """(V,) 0..1: of that, what no hair grows on but a beard: where the head itself says what is where."""
    scalp: Array
    """(V,) 0..1: where hair hides the skull."""
    neck: Array
    """(V,) 0..1: below jaw and nape; 0 again towards its cut."""
    fillable: Array
    """(V,) 0..1: where a hidden face may be filled: its skin, without the lips, whose inside is never quite in view."""
    skull: Array
    """(V,) 0..1: 1 less the neck, down to its cut."""
    above: Array
    """(V,) 0..1: 1 but towards the neck's cut."""
    part: NDArray[np.uint8]
    """(V,) index into PARTS."""


@lru_cache(maxsize=4)
def head_regions(model: HeadModel, level: int) -> HeadRegions:
    mesh, facts = model.level(level), surface_facts(model, level)
    neck = np.asarray(mesh.matrix @ facts.neck.astype(np.float32))
    front = np.asarray(mesh.matrix @ facts.beard.astype(np.float32))
    scalp = np.asarray(mesh.matrix @ facts.hairy.astype(np.float32))
    part = part_of_vertices(model, level)
    # Hair falls over the forehead: the head's say ends a little below the hairline.
    bare = front * (1 - np.clip(2 * scalp, 0, 1)) * (part == 0)
    return HeadRegions(
        triangles=np.ascontiguousarray(mesh.triangles),
        skin=mesh.triangle_part == 0,
        skull_triangles=np.ascontiguousarray(mesh.triangles[(neck[mesh.triangles] < 0.5).all(axis=1)]),
        front=np.asarray(front * (part == 0), np.float32),
        bare=np.asarray(bare, np.float32),
        scalp=np.asarray(scalp, np.float32),
        part=part,
        fillable=np.asarray(front * (part == 0) * (1 - np.asarray(mesh.matrix @ facts.lips.astype(np.float32)))),
        skull=np.asarray(1 - neck, np.float32),
        above=np.asarray(fades(model, level).neck, np.float32),
        neck=np.asarray(neck * fades(model, level).neck * (part == 0), np.float32),
    )


@dataclass(frozen=True, slots=True)
class Anchors:
    """Where the head's vertices are, in pixels of the portrait."""

    here: Array
    """(V, 3) float32: in the portrait; x, y pixels, depth mm."""
    there: Array
    """(V, 3) float32: in the photo, brought into the portrait's frame by the similarity that holds what does not turn;
    depth mm."""
    shown: Array
    """(V,) 0..1: how well the photo shows a vertex."""
    normal_z: Array
    """(V,) -1..1: how much it looks to the front."""
    eyes: tuple[float, float]
    """Pixels: where the portrait has the point midway between the eyes."""
    per_mm: float
    """Pixels per mm there."""

    outlines: tuple[Pixels, Pixels]
    """In the photo: of the head without and with its neck; see `outline`."""

    def on_grid(self, points: Array) -> Array:
        return on_grid(points, self.eyes, self.per_mm)


def on_grid(points: Array, eyes: tuple[float, float], per_mm: float) -> Array:
    """Portrait pixels (..., 2) -> places on the field's grid, cell centres at +0.5."""
    at = (points - np.asarray(eyes, points.dtype)) / per_mm - np.array([0.0, LOW_MM], points.dtype)
    return np.asarray(at / CELL_MM + CELLS / 2)


def shifts(anchors: Anchors, parts: HeadRegions, ahead: NDArray[np.bool_]) -> Array:
    """(CELLS, CELLS, 2) pixels: what to add to a place in the portrait to find it in the photo (in the portrait's
    frame). `ahead` (V,) says which vertices the portrait shows."""
    here, there = anchors.here[:, :2], anchors.there[:, :2]
    known = (parts.front + NECK_SAY * parts.neck * (anchors.normal_z > 0.3)) * anchors.shown * ahead
    w, d = splat(anchors.on_grid(here), there - here, known, CELLS, CELLS)
    strength = 3 * np.minimum(w, 1)
    weight, data = strength, strength[..., None] * d
    whole = np.full(len(here), 2.0)
    kinds = ((parts.skull_triangles, whole), (parts.triangles, 2 * NECK_SAY * parts.neck))
    for (triangles, say), far in zip(kinds, anchors.outlines, strict=True):
        edge, leap, vertex = outline_pairs(anchors, triangles, far, parts.front * anchors.shown * ahead)
        we, de = splat(anchors.on_grid(edge), leap, say[vertex], CELLS, CELLS)
        we = np.minimum(we, 2)
        weight = weight + we
        data = data + we[..., None] * de
    data = data / np.maximum(weight, 1e-9)[..., None]
    largest = float(np.linalg.norm(data[weight > 0.1], axis=-1).max(initial=0.0)) / anchors.per_mm
    reach = max(REACH_MM, STEADY * largest) / CELL_MM
    return membrane(weight, data, 1 / reach**2)


def outline_pairs(
    anchors: Anchors, triangles: Ints, there: Pixels, known: Array
) -> tuple[Array, Array, NDArray[np.int64]]:
    """Points (N, 2) along the outline that `triangles` have in the portrait, what leads from them (N, 2) to `there`,
    their outline in the photo, and the vertices (N,) they belong to. Where the photo shows the very skin that makes the
    outline, to there; elsewhere the nearest point of the photo's outline takes its place (landmark marching)."""
    here, ids, screen = outline(anchors.here, triangles, anchors.eyes, anchors.per_mm)
    if len(here) < 3 or len(there) < 3:
        nothing = np.zeros((0, 2))
        return nothing, nothing, np.zeros(0, np.int64)
    corners = triangles[np.maximum(ids[here[:, 1], here[:, 0]], 0)]
    at = here + 0.5
    gap = ((screen[corners, :2] - at[:, None]) ** 2).sum(axis=-1)
    vertex = np.take_along_axis(corners, gap.argmin(axis=1)[:, None], axis=1)[:, 0]
    mm = CELL_MM * CELLS / OUTLINE
    behind = anchors.on_grid(anchors.there[vertex, :2]) * (OUTLINE / CELLS)
    across, down = (behind[:, None, k] - (there[:, k] + 0.5) for k in (0, 1))
    nearest = there[(across * across + down * down).argmin(axis=1)] + 0.5
    out = nearest - behind
    depth = np.linalg.norm(out, axis=1, keepdims=True)
    low, high = HIDDEN_MM
    past = np.clip((depth * mm - low) / (high - low), 0, 1) * (1 - anchors.shown[vertex][:, None])
    marched = nearest + past * CLEAR_MM / mm * out / np.maximum(depth, 1e-6)
    share = known[vertex][:, None]
    leap = _round((share * behind + (1 - share) * marched - at) * mm * anchors.per_mm, SMOOTH_MM / mm)
    origin: Array = np.add(anchors.eyes, [0.0, LOW_MM * anchors.per_mm])
    return origin + (at - OUTLINE / 2) * mm * anchors.per_mm, leap, vertex.astype(np.int64)


def outline(points: Array, triangles: Ints, eyes: tuple[float, float], per_mm: float) -> tuple[Pixels, Ints, Array]:
    """(N, 2) pixels x, y along the outline of `triangles` over points (V, 3) in portrait pixels and mm of depth, and
    the small picture it was found in: ids (OUTLINE, OUTLINE) of triangles, and the points there."""
    grid = on_grid(points[:, :2], eyes, per_mm) * (OUTLINE / CELLS)
    screen = np.ascontiguousarray(np.column_stack([grid, points[:, 2]]), dtype=np.float32)
    ids = visible(screen, triangles, OUTLINE, OUTLINE)[0]
    return _outline(ids >= 0), ids, screen


def _outline(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(N, 2) x, y of the pixels along the longest outline of a mask, in order."""
    import cv2

    found = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    if not found:
        return np.zeros((0, 2), np.int64)
    return np.asarray(max(found, key=len).reshape(-1, 2), dtype=np.int64)


def _round(values: Array, sigma: float) -> Array:
    """(N, K) smoothed along a closed line by a Gaussian of `sigma` steps."""
    n = len(values)
    frequency = np.fft.rfftfreq(n)
    response = np.exp(-2 * (np.pi * sigma * frequency) ** 2)
    smooth: Any = np.fft.irfft(np.fft.rfft(values, axis=0) * response[:, None], n, axis=0)
    return np.asarray(smooth)
