"""Eyeballs: iris, pupil, sclera and catchlight painted on them, in the shade of the head's lids."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.geometry import smoothstep
from tronie.head.model import Head, HeadModel, Level
from tronie.raster.rasterizer import interpolate, rasterize, visible
from tronie.runtime.kept import kept
from tronie.stages.texture.iris import RING, EyeLook

IRIS_MM = 5.85
"""Radius of the visible iris; adults differ little (mean diameter 11.7 mm, spread 0.5)."""
PUPIL = 0.36
"""Radius of the pupil, of the iris's: indoors light."""
USUAL_LIDS = np.array([[-14.0, -8.0, 0.0, 8.0, 14.0], [-3.0, 1.5, 4.0, 3.0, -1.0], [-4.5, -5.5, -6.9, -6.0, -2.0]])
"""Rows x, upper lid's y, lower lid's y, mm along the ball from the gaze, +x to the temple: where there are no lids."""
LIDS, NARROWED = ([386, 374], [159, 145]), 0.7
"""MediaPipe's landmarks at the middles of the left and the right eye's lids, and how far open, of how far at rest, an
eye is narrowed."""
PER_MM = 5
"""Pixels for a millimetre where the lids' edges are looked for."""
SHOWN = 3.6
"""No lid opens further than so far from the gaze, of the iris's own angle."""
UNDER, BEHIND, BEHIND_MM = 0.62, 0.86, 1.6
"""Least light at the lids' edges, light on what they cover (a little shade, for renderers without any), and the way
over which the one becomes the other."""
FLESH = (0.93, 0.67, 0.64)
"""The corners' flesh, of the sclera's colour."""
USUAL_GLINT = 1.12
"""How bright that is, of the sclera: a photo's own, where it shows one, is brighter."""


@dataclass(frozen=True, eq=False)
class EyeTexels:
    """Where on the eyeballs the atlas's eye texels lie."""

    texel: NDArray[np.int32]
    """(N,) flat numbers."""
    angle: Array
    """(N,) from the gaze, over the iris's own angle: 1 at its rim."""
    around: Array
    """(N,) radians, 0 towards the temple, pi/2 up."""
    across: Array
    """(N,) to the subject's left from the gaze, in the unit of `angle`."""
    place: Array
    """(N, 2) mm along the ball from the gaze: to the temple and up."""
    left: NDArray[np.bool_]
    """(N,) on the subject's left eye."""
    radius: float
    """mm of the ball."""


@dataclass(frozen=True, eq=False)
class Opening:
    """What of a ball is seen between the lids, from where it looks to; mm along the ball from the gaze, as
    `EyeTexels.place`."""

    x: Array
    """(n,) increasing, from the inner corner to the outer."""
    upper: Array
    """(n,) y of the upper lid's edge."""
    lower: Array
    """(n,)."""


@lru_cache(maxsize=4)
@kept
def eye_texels(model: HeadModel, level: int, size: int) -> EyeTexels:
    """Found from the mean head's geometry, so it holds for any eye mesh and any chart."""
    mesh = model.level(level)
    mean = mesh.apply(model.mean)
    points = np.concatenate([mesh.uv * size, np.ones((len(mesh.uv), 1))], axis=1)
    flat = np.arange(size * size, dtype=np.int32).reshape(size, size)
    texels, directions, sides = [], [], []
    for side in (0, 1):
        pick = mesh.triangle_part == 1 + side
        triangles, charts = mesh.triangles[pick], mesh.triangle_uv[pick]
        if not len(triangles):
            continue
        # Only the charts' own corner of the atlas is drawn.
        x0, y0 = np.floor(points[charts, :2].min(axis=(0, 1))).astype(int)
        x1, y1 = np.ceil(points[charts, :2].max(axis=(0, 1))).astype(int)
        buffers = rasterize(points - [x0, y0, 0], charts, y1 - y0, x1 - x0, cull=False)
        hit = buffers.triangle >= 0
        texel = flat[y0:y1, x0:x1][hit]
        # The charts have corners of their own; carry positions over to them.
        at_uv = np.zeros((len(mesh.uv), 3), np.float32)
        at_uv[charts] = mean[triangles] - model.eye_centers[side]
        d = interpolate(buffers, charts, at_uv)[hit]
        directions.append(d * [1 if side == 0 else -1, 1, 1])
        texels.append(texel)
        sides.append(side)
    if not texels:
        nothing = np.zeros(0, np.float32)
        return EyeTexels(np.zeros(0, np.int32), nothing, nothing, nothing, nothing[:, None], nothing > 0, 1.0)
    d = np.concatenate(directions)
    radius = float(np.median(np.linalg.norm(d, axis=1)))
    rim = float(np.arcsin(min(IRIS_MM / max(radius, IRIS_MM), 1.0)))
    along = _along(d)  # radians
    angle = np.linalg.norm(along, axis=1) / rim
    around = np.arctan2(along[:, 1], along[:, 0])
    left = np.repeat(sides, [len(t) for t in texels]) == 0
    across = angle * np.cos(around) * np.where(left, 1.0, -1.0)
    return EyeTexels(
        np.concatenate(texels).astype(np.int32),
        angle.astype(np.float32),
        around.astype(np.float32),
        across.astype(np.float32),
        (along * radius).astype(np.float32),
        left,
        radius,
    )


def _along(d: Array) -> Array:
    """Directions (n, 3) from a ball's centre as (n, 2) radians from the gaze (+z), as a globe unrolled around it."""
    angle = np.arctan2(np.linalg.norm(d[:, :2], axis=1), d[:, 2])
    return np.asarray(d[:, :2] * (angle / np.maximum(np.linalg.norm(d[:, :2], axis=1), 1e-9))[:, None])


def openings(head: Head) -> tuple[Opening, Opening]:
    """Of the left and the right eye, in the photo's expression; where it narrows them, at rest as well: what is seen
    then has its own light colour."""
    mesh = head.model.level(head.level)
    mean = mesh.apply(head.model.mean)
    photo, rest = np.asarray(head.vertices, np.float32), np.asarray(head.neutral, np.float32)
    here, there = (head.points478(v) for v in (photo, rest))
    out = []
    for side, lids in enumerate(LIDS):
        opening = _opening(head, mesh, mean, side, photo)
        if len(here) and np.subtract(*here[lids, 1]) < NARROWED * np.subtract(*there[lids, 1]):
            opening = _wider(opening, _opening(head, mesh, mean, side, rest))
        out.append(opening)
    return out[0], out[1]


def _wider(one: Opening, other: Opening) -> Opening:
    """What either of them shows."""
    x = np.linspace(min(one.x[0], other.x[0]), max(one.x[-1], other.x[-1]), len(other.x))
    upper, lower = (
        pick(np.interp(x, one.x, a), np.interp(x, other.x, b))
        for pick, a, b in ((np.maximum, one.upper, other.upper), (np.minimum, one.lower, other.lower))
    )
    return Opening(x, upper, lower)


def _opening(head: Head, mesh: Level, mean: Array, side: int, now: Array) -> Opening:
    """Found by drawing the ball and what is before it, as seen against its gaze."""
    rows = np.unique(mesh.triangles[mesh.triangle_part == 1 + side])
    flip = np.array([1 if side == 0 else -1, 1, 1], np.float32)
    local = mean[rows] - head.model.eye_centers[side] if len(rows) else np.ones((1, 3))
    radius = float(np.median(np.linalg.norm(local, axis=1)))
    usual = Opening(*(USUAL_LIDS * (radius / 15.1)))
    if not len(rows):
        return usual
    map_, *_ = np.linalg.lstsq(np.column_stack([local, np.ones(len(local))]), now[rows], rcond=None)
    if abs(np.linalg.det(map_[:3])) < 0.1:
        return usual
    # The ball as it was made, everything else moved along with it.
    back = np.linalg.inv(map_[:3])
    pixels = int(np.ceil(2.6 * radius * PER_MM))
    near = np.linalg.norm(now - map_[3], axis=1) < 2.8 * radius
    part = near[mesh.triangles].all(axis=1)
    triangles, parts = mesh.triangles[part], mesh.triangle_part[part]
    p = np.ones((len(now), 3), np.float32)
    p[near] = (now[near] - map_[3]) @ back * [PER_MM, -PER_MM, -PER_MM] + [pixels / 2, pixels / 2, 1e4]
    ids, _ = visible(p, np.ascontiguousarray(triangles), pixels, pixels)
    seen = (ids >= 0) & (parts[ids] == 1 + side)
    columns = np.flatnonzero(seen.sum(axis=0) >= 2)
    if len(columns) < 0.7 * radius * PER_MM or seen.mean() > 0.4:  # closed, or without lids
        return usual
    top, bottom = seen[:, columns].argmax(axis=0), pixels - seen[::-1, columns].argmax(axis=0)
    x = (columns + 0.5 - pixels / 2) / PER_MM
    edges = []
    for row in (top, bottom):
        flat = np.stack([x * flip[0], (pixels / 2 - row) / PER_MM], axis=1)
        ahead = np.sqrt(np.maximum(radius**2 - (flat**2).sum(axis=1), 0.0))
        along = _along(np.column_stack([flat, ahead])) * radius
        edges.append(along[np.argsort(along[:, 0])])
    upper, lower = edges
    at = np.linspace(max(e[0, 0] for e in edges), min(e[-1, 0] for e in edges), 49)
    return Opening(at, np.interp(at, *upper.T), np.interp(at, *lower.T))


def paint_eyes(image: Image, head: Head, look: EyeLook, lids: tuple[Opening, Opening]) -> None:
    """Paint both eyeballs into the atlas, in place; `lids` as `openings` finds them."""
    where = eye_texels(head.model, head.level, image.shape[0])
    if len(where.texel):
        image.reshape(-1, 3)[where.texel] = eye_paint(where, look, lids)


def eye_paint(where: EyeTexels, look: EyeLook, lids: tuple[Opening, Opening] | None = None) -> Image:
    """(N, 3) uint8: pupil, fibred iris with a dark limbal ring, sclera, reddish corners; in the lids' shade; with a
    catchlight. `lids` of the left and the right eye."""
    w = _eye_weights(where)
    white = look.sclera.astype(np.float32)
    usual = Opening(*(USUAL_LIDS * (where.radius / 15.1)))
    shade, flesh = np.empty(len(w.shown), np.float32), np.empty(len(w.shown), np.float32)
    for side, opening in zip((True, False), lids or (usual, usual), strict=True):
        pick = where.left[w.shown] == side
        shade[pick], flesh[pick] = _shade(where.place[w.shown[pick]], opening)
    blood = (w.blood + flesh)[:, None] * (1 - np.array(FLESH, np.float32))
    colour = (1 - blood) * ((shade * w.white)[:, None] * white)
    light = np.array(look.light, np.float32)
    iris = (w.ring @ np.broadcast_to(np.asarray(look.iris, np.float32), (3, 3))) * w.tone
    # Cornea and lens gather the light on the side away from it.
    away = w.at @ (-light / max(float(np.linalg.norm(light)), 1e-3))
    iris *= (1 + 0.16 * np.clip(away, -1, 1))[:, None]
    iris += w.pupil
    near = np.linalg.norm((w.at - light) / np.array([0.17, 0.19], np.float32), axis=1)
    bright = (0.92 * np.exp(-(near**3)))[:, None]
    under = colour[w.rows] + iris * shade[w.rows, None]
    lamp = white / max(float(white.mean()), 1.0) * (USUAL_GLINT * white.mean() if look.glint is None else look.glint)
    colour[w.rows] = under + bright * (np.minimum(lamp, 252.0) - under)
    out = np.empty((len(where.angle), 3), np.uint8)
    out[:] = BEHIND * white  # never seen
    out[w.shown] = np.clip(colour + 0.5, 0, 255)
    return out


def _shade(place: Array, lids: Opening) -> tuple[Array, Array]:
    """Light (n,) that the lids let through to places (n, 2) on the ball, and how fleshy (n,) the corners are there."""
    x, y = np.ascontiguousarray(place.T, dtype=np.float32)
    upper, lower = (np.interp(x, lids.x, edge).astype(np.float32) for edge in (lids.upper, lids.lower))
    first, last = float(lids.x[0]), float(lids.x[-1])
    within = smoothstep(x - first, -1.0, 4.0) * smoothstep(last - x, -1.0, 4.0)
    below, above = np.maximum(upper - y, 0) * within, np.maximum(y - lower, 0) * within
    # The upper lid and its lashes shade more than the lower one, whose edge carries a line of tears. What lids hide
    # comes to light with the gaze: it is hardly shaded.
    light = 1 - 0.46 * np.exp(-below / 2.1) - 0.18 * np.exp(-above / 0.8)
    light += 0.07 * np.exp(-(((above - 0.5) / 0.28) ** 2)) * (below > 0)
    flesh = 0.65 * np.exp(-(((x - first - 0.6) / 1.8) ** 2)) + 0.3 * np.exp(-(((last - x) / 1.6) ** 2))
    covered = np.maximum(y - upper, lower - y)
    light = np.maximum(light, UNDER + (BEHIND - UNDER) * smoothstep(covered / BEHIND_MM, 0.3, 1.3))
    return np.asarray(light, np.float32), np.asarray(flesh, np.float32)


@dataclass(frozen=True, eq=False)
class _Weights:
    """An eye's colour is linear in those of iris and sclera."""

    shown: NDArray[np.intp]
    """(S,) texels that may be seen, of `EyeTexels`."""
    white: Array
    """(S,) weight of the sclera's colour."""
    blood: Array
    """(S,) how reddish it is."""
    rows: NDArray[np.intp]
    """(M,) of them those of iris and cornea."""
    ring: Array
    """(M, 3): weights of the iris's colours at the radii RING."""
    tone: Array
    """(M, 3) factor on them."""
    pupil: Array
    """(M, 3) the pupil's own colour."""
    at: Array
    """(M, 2): to the subject's left and up from the pupil's middle, of the iris's radius."""


@lru_cache(maxsize=4)
def _eye_weights(where: EyeTexels) -> _Weights:
    shown = np.flatnonzero(where.angle < SHOWN)
    r = where.angle[shown]
    white = smoothstep(r, 0.9, 1.12)
    # The ball turns away from the light towards its sides.
    round_ = 1.18 - 0.22 * smoothstep(r, 1.2, 2.7)
    rows = np.flatnonzero(r < 1.13)
    blood, r, a = 0.14 * smoothstep(r, 1.4, 2.7), r[rows], where.around[shown[rows]]
    fibres = (
        0.5 * np.sin(37 * a + 3 * np.sin(3 * a))
        + 0.3 * np.sin(71 * a + 9 * r + 2 * np.sin(5 * a))
        + 0.2 * np.sin(113 * a - 5 * r)
    )
    ring = np.clip((r - PUPIL) / (1 - PUPIL), 0, 1)
    collarette = np.exp(-(((ring - 0.3) / 0.16) ** 2))
    # The colours at RING hold what is lighter or darker there, except for the dark rim.
    tone = 1.0 + 0.13 * fibres * (1 - ring**2) + 0.1 * collarette - 0.45 * smoothstep(ring, 0.66, 1.0)
    warm = 1 + collarette[:, None] * np.array([0.05, 0.0, -0.06])
    pupil = 1 - smoothstep(r, PUPIL - 0.05, PUPIL + 0.05)
    at = np.clip(np.interp(r, RING, np.arange(3)), 0, 2)[:, None]
    return _Weights(
        shown,
        (white * round_).astype(np.float32),
        blood.astype(np.float32),
        rows,
        np.clip(1 - np.abs(at - np.arange(3)), 0, 1).astype(np.float32),
        (tone[:, None] * warm * ((1 - pupil) * (1 - white[rows]))[:, None]).astype(np.float32),
        (pupil[:, None] * np.array([10.0, 8.0, 8.0])).astype(np.float32),
        np.stack([where.across[shown[rows]], r * np.sin(a)], axis=1).astype(np.float32),
    )
