"""Where faces fold, on a head model: curves of the folds that come with age, and what of the skin may fold at all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.geometry import smoothstep
from tronie.head.model import HeadModel
from tronie.runtime.kept import kept
from tronie.stages.texture.atlas import surface_facts
from tronie.stages.texture.mesh_filters import part_of

KEPT_BROW = 0.2
"""How much of the relief is left where brows are."""
EYES = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
EYES_OTHER = (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249)
LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409)
LIPS_ENDS = (61, 291)
NOSTRILS = (98, 327, 2, 64, 294, 240, 460, 97, 326)
CLEAR_MM = ((EYES + EYES_OTHER, 5.5), (LIPS, 4.5), (LIPS_ENDS, 9.0), (NOSTRILS, 7.0))
"""MediaPipe's landmarks around lids, lips and nostrils, which are dark without being folds, and so many mm around."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A fold that faces get with age, on both sides of the mean head."""

    points: tuple[tuple[float, float], ...]
    """mm to the side and up, seen from the front."""
    deep: float
    """mm, at a usual contrast of fully lined skin."""
    wide: float
    """mm (sigma) of the dent."""
    bulge: tuple[float, float, float]
    """mm high, mm off the curve (below 0: on the other side), mm wide: of the skin that hangs over the fold."""
    usual: float
    """Contrast across it with old people: the dark of the dent, of the RMS of the face's own contrast."""


CURVES = (
    Curve(((20, -36), (25, -44), (31, -53), (36, -63), (39, -72)), 3.6, 2.2, (2.4, 8.0, 5.0), 0.95),
    Curve(((30, -77), (33, -85), (35, -95)), 3, 2.2, (3, 9.0, 6.0), 0.5),
    Curve(((13, -12), (20, -16.5), (29, -19.5), (38, -20.5), (46, -18.5)), 2.1, 1.8, (2, 5.0, 2.6), 0.35),
    Curve(((51, 3), (60, 9)), 1.2, 1.5, (0.45, 4.0, 2.0), 0.4),
    Curve(((53, -3), (63, -4)), 1.2, 1.5, (0.45, 4.0, 2.0), 0.5),
    Curve(((51, -8), (61, -14)), 1.2, 1.5, (0.45, 4.0, 2.0), 0.4),
    Curve(((0, 33), (20, 35), (38, 33)), 1.2, 1.8, (0.6, 4.5, 2.2), 0.25),
    Curve(((0, 41), (20, 43), (38, 41)), 1.2, 1.8, (0.6, 4.5, 2.2), 0.2),
    Curve(((0, 49), (20, 51), (36, 49)), 0.9, 1.8, (0.45, 4.5, 2.2), 0.2),
    Curve(((6, 10), (6.5, 18), (7, 26)), 1.4, 1.6, (0.6, -4.5, 2.2), 0.2),
)
"""Nasolabial and marionette folds, bags, crow's feet, the forehead's lines, those between the brows."""
ACROSS = ((0.0, 1.6), (6.0, 2.0), (-6.0, 2.0))
"""mm off a curve, and mm (sigma) around there: where it is looked for, and the skin on both sides."""
REACH_MM = 26.0
"""From a curve, beyond which it does nothing."""
OFFSETS_MM = (-3.0, -1.5, 0.0, 1.5, 3.0)
"""By which a person's fold may lie beside the mean head's."""


@dataclass(frozen=True, eq=False)
class Path:
    """A curve on the mean head."""

    row: NDArray[np.int64]
    """(n,) of the places around it."""
    off: Array
    """(n,) mm from it: above 0 outwards, upwards."""
    weights: Array
    """(15, n) for what is on it, to one side and to the other, each at the five OFFSETS_MM."""


@dataclass(frozen=True, eq=False)
class Places:
    """What holds for everybody, over (n,) vertices of a level: those that may fold, and the ones next to them."""

    vertex: NDArray[np.int32]
    """(n,) their numbers."""
    uv: Array
    """(n, 2)."""
    bare: Array
    """(n,) 0..1: skin of the face, away from lids, lips and nostrils."""
    no_brow: Array
    """(n,) 1, and less where brows are."""
    openness: Array
    """(n,) 0..1, as `SurfaceFacts.openness`."""
    mirror: NDArray[np.int64]
    """(n,) the place on the other side."""
    start: NDArray[np.int32]
    """(n + 1,) where each place's edges start, and"""
    edges: NDArray[np.int32]
    """the places at their other ends."""
    regions: tuple[NDArray[np.bool_], ...]
    """(n,) each: forehead, glabella, temples' corners of the eyes, under the eyes, cheeks, jowls, chin."""
    paths: tuple[Path, ...]
    """One for each of CURVES."""


@lru_cache(maxsize=2)
@kept
def places(model: HeadModel, level: int) -> Places:
    """Computed once per model and level."""
    mesh, facts = model.level(level), surface_facts(model, level)
    mean = mesh.apply(model.mean)
    hidden = np.maximum.reduce([facts.hairy, facts.neck, facts.ears, 0.9 * facts.lips])
    bare = facts.skin * (1 - np.clip(np.asarray(mesh.matrix @ hidden.astype(np.float32)), 0, 1))
    near = np.flatnonzero(bare > 0)
    points = mesh.points478(mean)
    for names, clear in CLEAR_MM:
        off = np.linalg.norm(mean[near, None] - points[list(names)][None], axis=2).min(axis=1)
        bare[near] *= smoothstep(off, 0.6 * clear, 1.2 * clear)
    bare = np.maximum(bare, bare[facts.mirror])
    owner = np.repeat(np.arange(len(mean)), np.diff(facts.start))
    here = bare > 0
    here[owner[here[facts.edges]]] = True
    here |= here[facts.mirror]
    vertex, start, edges = part_of(facts.start, facts.edges, here)
    place = np.cumsum(here) - 1
    row = np.zeros(len(mean), np.int64)
    worn = mesh.triangle_part == 0
    row[mesh.triangles[worn]] = mesh.triangle_uv[worn]
    brow = np.clip(np.asarray(mesh.matrix @ facts.brows), 0, 1)[vertex]
    bare = bare[vertex].astype(np.float32)
    side, up, ahead = np.abs(mean[vertex, 0]), mean[vertex, 1], mean[vertex, 2]

    def box(inner: float, outer: float, low: float, high: float) -> NDArray[np.bool_]:
        return np.asarray((side >= inner) & (side < outer) & (up > low) & (up < high) & (bare > 0))

    regions = (
        box(0, 45, 30, 62), box(0, 10, 8, 28) & (ahead > -10), box(44, 62, -14, 14), box(15, 46, -26, -8),
        box(35, 58, -60, -22), box(18, 40, -100, -64), box(36, 60, -95, -58), box(0, 18, -105, -72),
    )  # fmt: skip
    paths = []
    for curve in CURVES:
        off = _off(np.column_stack([side, up]), np.array(curve.points))
        around = np.flatnonzero((np.abs(off) < REACH_MM) & (bare > 0) & (ahead > -40))
        off = off[around].astype(np.float32)
        looks = [bell(off - at - aside, wide) for aside, wide in ACROSS for at in OFFSETS_MM]
        paths.append(Path(around, off, np.array(looks, dtype=np.float32)))
    return Places(
        vertex=vertex,
        uv=mesh.uv[row[vertex]].astype(np.float32),
        bare=bare,
        no_brow=(1 - (1 - KEPT_BROW) * brow).astype(np.float32),
        openness=facts.openness[vertex],
        mirror=place[facts.mirror[vertex]],
        start=start,
        edges=edges,
        regions=regions,
        paths=tuple(paths),
    )


def _off(points: Array, curve: Array) -> Array:
    """(n,) distance of points (n, 2) from a polyline (k, 2), negative to the right of its direction."""
    best, side = np.full(len(points), np.inf), np.ones(len(points))
    for start, end in pairwise(curve):
        along = end - start
        share = np.clip((points - start) @ along / (along @ along), 0, 1)
        away = points - (start + share[:, None] * along)
        length = np.linalg.norm(away, axis=1)
        nearer = length < best
        best = np.where(nearer, length, best)
        side = np.where(nearer, np.where(along[0] * away[:, 1] - along[1] * away[:, 0] < 0, -1.0, 1.0), side)
    return np.asarray(best * side)


def bell(off: Array, wide: float) -> Array:
    return np.asarray(np.exp(-0.5 * (off / wide) ** 2))
