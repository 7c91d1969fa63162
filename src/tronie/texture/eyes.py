"""Eyeballs: iris, pupil, sclera and catchlight painted in the colours that the photo shows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.head.model import HeadModel, Level
from tronie.render.raster import interpolate, rasterize, visible
from tronie.texture.parts import toned
from tronie.texture.seen import step
from tronie.types import Head, Image, Landmarks, Photo

Array = NDArray[np.floating[Any]]

IRIS_MM = 5.85
"""Radius of the visible iris; adults differ little (mean diameter 11.7 mm, spread 0.5)."""
PUPIL = 0.36
"""Radius of the pupil, of the iris's: indoors light."""
BROWN = np.array([86.0, 60.0, 44.0], dtype=np.float32)
"""The commonest iris, where a photo does not tell."""
LID_RIGHT = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
LID_LEFT = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
"""MediaPipe's landmarks around the subject's right and left eye opening: outer corner, lower lid, inner corner,
upper lid."""
USUAL_LIDS = np.array([[-14.0, -8.0, 0.0, 8.0, 14.0], [-3.0, 1.5, 4.0, 3.0, -1.0], [-4.5, -5.5, -6.9, -6.0, -2.0]])
"""Rows x, upper lid's y, lower lid's y, mm along the ball from the gaze, +x to the temple: where there are no lids."""
PER_MM = 5
"""Pixels for a millimetre where the lids' edges are looked for."""
SHOWN = 3.6
"""No lid opens further than so far from the gaze, of the iris's own angle."""
BEHIND = 0.62
"""Light on what the lids cover."""
FLESH = (0.93, 0.67, 0.64)
"""The corners' flesh, of the sclera's colour."""
RING = (0.46, 0.62, 0.8)
"""Radii, of the iris's, at which its colour is measured and painted; within 0.09 each."""
CATCHLIGHT = (-0.3, 0.34)
"""Where the light is mirrored if the photo does not tell: a window at the picture's upper left, in both eyes alike."""
USUAL_GLINT = 1.12
"""How bright that is, of the sclera: a photo's own, where it shows one, is brighter."""


@dataclass(frozen=True, slots=True)
class EyeLook:
    """What one photo says of a person's eyes, sRGB 0..255."""

    iris: Array
    """(3,) on the whole, or (3, 3) at the radii RING, from the pupil outwards."""
    sclera: Array
    """(3,)."""
    light: tuple[float, float] = CATCHLIGHT
    """Middle of the catchlight from the pupil's: to the picture's right and up, of the iris's radius."""
    glint: float | None = None
    """Its brightness, sRGB 0..255; None for the usual."""


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
        np.concatenate(texels).astype(np.int32), angle.astype(np.float32), around.astype(np.float32),
        across.astype(np.float32), (along * radius).astype(np.float32), left, radius,
    )  # fmt: skip


def _along(d: Array) -> Array:
    """Directions (n, 3) from a ball's centre as (n, 2) radians from the gaze (+z), as a globe unrolled around it."""
    angle = np.arctan2(np.linalg.norm(d[:, :2], axis=1), d[:, 2])
    return np.asarray(d[:, :2] * (angle / np.maximum(np.linalg.norm(d[:, :2], axis=1), 1e-9))[:, None])


def openings(head: Head) -> tuple[Opening, Opening]:
    """Of the left and the right eye, in the photo's expression."""
    mesh = head.model.level(head.level)
    mean = mesh.apply(head.model.mean)
    return _opening(head, mesh, mean, 0), _opening(head, mesh, mean, 1)


def _opening(head: Head, mesh: Level, mean: Array, side: int) -> Opening:
    """Found by drawing the ball and what is before it, as seen against its gaze."""
    rows = np.unique(mesh.triangles[mesh.triangle_part == 1 + side])
    flip = np.array([1 if side == 0 else -1, 1, 1], np.float32)
    local = mean[rows] - head.model.eye_centers[side] if len(rows) else np.ones((1, 3))
    radius = float(np.median(np.linalg.norm(local, axis=1)))
    usual = Opening(*(USUAL_LIDS * (radius / 15.1)))
    if not len(rows):
        return usual
    now = np.asarray(head.vertices, np.float32)
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


def paint_eyes(image: Image, head: Head, look: EyeLook) -> None:
    """Paint both eyeballs into the atlas, in place."""
    where = eye_texels(head.model, head.level, image.shape[0])
    if len(where.texel):
        image.reshape(-1, 3)[where.texel] = eye_paint(where, look, openings(head))


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
    x, y = place.T
    within = step(x - lids.x[0], -1.0, 4.0) * step(lids.x[-1] - x, -1.0, 4.0)
    below = np.maximum(np.interp(x, lids.x, lids.upper) - y, 0) * within
    above = np.maximum(y - np.interp(x, lids.x, lids.lower), 0) * within
    # The upper lid and its lashes shade more than the lower one, whose edge carries a line of tears. What lids hide now
    # may come to light with the gaze: it is evenly shaded.
    light = 1 - 0.46 * np.exp(-below / 2.1) - 0.18 * np.exp(-above / 0.8)
    light += 0.07 * np.exp(-(((above - 0.5) / 0.28) ** 2)) * (below > 0)
    flesh = 0.65 * np.exp(-(((x - lids.x[0] - 0.6) / 1.8) ** 2)) + 0.3 * np.exp(-(((lids.x[-1] - x) / 1.6) ** 2))
    return np.asarray(np.maximum(light, BEHIND), np.float32), np.asarray(flesh, np.float32)


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
    white = step(r, 0.9, 1.12)
    # The ball turns away from the light towards its sides.
    round_ = 1.18 - 0.22 * step(r, 1.2, 2.7)
    rows = np.flatnonzero(r < 1.13)
    blood, r, a = 0.14 * step(r, 1.4, 2.7), r[rows], where.around[shown[rows]]
    fibres = (
        0.5 * np.sin(37 * a + 3 * np.sin(3 * a))
        + 0.3 * np.sin(71 * a + 9 * r + 2 * np.sin(5 * a))
        + 0.2 * np.sin(113 * a - 5 * r)
    )
    ring = np.clip((r - PUPIL) / (1 - PUPIL), 0, 1)
    collarette = np.exp(-(((ring - 0.3) / 0.16) ** 2))
    # The colours at RING hold what is lighter or darker there, except for the dark rim.
    tone = 1.0 + 0.13 * fibres * (1 - ring**2) + 0.1 * collarette - 0.45 * step(ring, 0.66, 1.0)
    warm = 1 + collarette[:, None] * np.array([0.05, 0.0, -0.06])
    pupil = 1 - step(r, PUPIL - 0.05, PUPIL + 0.05)
    at = np.clip(np.interp(r, RING, np.arange(3)), 0, 2)[:, None]
    return _Weights(
        shown, (white * round_).astype(np.float32), blood.astype(np.float32), rows,
        np.clip(1 - np.abs(at - np.arange(3)), 0, 1).astype(np.float32),
        (tone[:, None] * warm * ((1 - pupil) * (1 - white[rows]))[:, None]).astype(np.float32),
        (pupil[:, None] * np.array([10.0, 8.0, 8.0])).astype(np.float32),
        np.stack([where.across[shown[rows]], r * np.sin(a)], axis=1).astype(np.float32),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Seen:
    """One eye in the photo."""

    weight: float = 0.0
    """0..1, how far it is believed."""
    iris: Array | None = None
    """(3, 3) at RING."""
    sclera: Array | None = None
    light: tuple[float, float, float] | None = None
    """x to the right, y up, of the iris's radius, and brightness 0..255."""


def eye_look(photo: Photo, landmarks: Landmarks | None, skin: Array) -> EyeLook:
    """Iris, sclera and catchlight from the photo; where it is too small, closed or unclear, the commonest in the face's
    light."""
    light = float(np.clip(skin.mean() / 150.0, 0.4, 1.2))
    usual_white = np.minimum(skin.max() * np.array([1.08, 1.04, 1.02], np.float32), [222, 216, 212])
    found = [] if landmarks is None else [
        seen for seen in (_measure(photo.image, landmarks.points, lid, first)
                          for lid, first in ((LID_RIGHT, 468), (LID_LEFT, 473))) if seen.weight > 0
    ]  # fmt: skip
    weight = min(sum(s.weight for s in found), 1.0)
    iris = np.broadcast_to(BROWN * light, (3, 3))
    irises = [s for s in found if s.iris is not None]
    if irises:
        measured = np.average(np.array([s.iris for s in irises]), axis=0, weights=[s.weight for s in irises])
        iris = iris + weight * (measured - iris)
    white = usual_white
    whites = [s for s in found if s.sclera is not None]
    if whites:
        measured = np.average(np.array([s.sclera for s in whites]), axis=0, weights=[s.weight for s in whites])
        # Lids, lashes and corners redden and darken what is measured: some way to grey, within reason.
        measured = 0.6 * measured + 0.4 * measured.mean()
        white = np.clip(0.35 * usual_white + 0.65 * measured, 0.6 * usual_white, 1.1 * usual_white)
    if landmarks is not None and weight < 1:
        dim = _dimness(photo.image, landmarks.points, iris.mean(axis=0), white)
        iris, white = (c * (dim + weight * (1 - dim)) for c in (iris, white))
    lights = [s.light for s in found if s.light is not None]
    colours = toned(np.clip(iris, 10, 200), skin), toned(np.clip(white, 30, 228), skin)
    if not lights:
        return EyeLook(*colours)
    x, y, glint = (float(value) for value in np.mean(lights, axis=0))
    return EyeLook(*colours, (x, y), glint)


def _dimness(image: Image, points: Array, iris: Array, white: Array) -> float:
    """How dark the lighter eye of a small face is against painted eyes, 0.4..1: eyes deep in shade do not glow."""
    lights = []
    for first in (468, 473):
        x, y = (int(c) for c in np.nan_to_num(points[first, :2]))
        reach = max(
            1, round(float(np.linalg.norm(points[first + 1 : first + 5, :2] - points[first, :2], axis=1).mean()))
        )
        patch = image[max(y - reach, 0) : y + reach + 1, max(x - 2 * reach, 0) : x + 2 * reach + 1]
        lights += [float(patch.mean())] if patch.size else []
    usual = 0.5 * float(iris.mean() + 0.85 * white.mean())
    return float(np.clip(max(lights, default=usual) / max(usual, 1.0), 0.4, 1.0))


def _measure(image: Image, points: Array, lid: tuple[int, ...], first: int) -> _Seen:
    """What one eye shows."""
    import cv2

    centre = points[first, :2]
    radius = float(np.linalg.norm(points[first + 1 : first + 5, :2] - centre, axis=1).mean())
    if not np.isfinite(centre).all() or radius < 2.0:
        return _Seen()
    reach = int(np.ceil(3 * radius)) + 2
    x0, y0 = int(centre[0]) - reach, int(centre[1]) - reach
    x1, y1 = x0 + 2 * reach, y0 + 2 * reach
    if x0 < 0 or y0 < 0 or x1 > image.shape[1] or y1 > image.shape[0]:
        return _Seen()
    crop = image[y0:y1, x0:x1].astype(np.float32)
    opening = np.zeros(crop.shape[:2], np.uint8)
    # Half a pixel: fillPoly's coordinates are whole at pixel centres.
    cv2.fillPoly(opening, [np.round(points[list(lid), :2] - [x0 + 0.5, y0 + 0.5]).astype(np.int32)], 1)
    yy, xx = np.mgrid[y0:y1, x0:x1] + 0.5
    dx, dy = (xx - centre[0]) / radius, (yy - centre[1]) / radius
    r = np.hypot(dx, dy)
    # The upper lid shades and its lashes cover the top of the iris.
    clear = (opening > 0) & (r > 0.37) & (r < 0.89) & (dy > -0.45)
    if np.count_nonzero(clear) < 12:
        return _Seen()
    whole = _typical(crop[clear])
    rings = [crop[clear & (np.abs(r - at) < 0.09)] for at in RING]
    iris = np.stack([0.3 * whole + 0.7 * _typical(ring) if len(ring) >= 4 else whole for ring in rings])
    outside = crop[(opening > 0) & (r > 1.25)]
    sclera = None
    if len(outside) >= 12:
        brightness = outside.sum(axis=1)
        sclera = np.median(outside[brightness >= np.quantile(brightness, 0.7)], axis=0)
    light = _catchlight(crop.mean(axis=2), (opening > 0) & (r < 0.85), dx, dy, float(whole.mean()), radius)
    return _Seen(float(np.clip((radius - 2.0) / 3.0, 0.0, 1.0)), iris.astype(np.float32), sclera, light)


def _typical(values: Array) -> Array:
    """(3,) of the middling of some pixels (n, 3): neither lashes and pupil nor what is mirrored."""
    total = values.sum(axis=1)
    low, high = np.quantile(total, [0.3, 0.85])
    return np.asarray(np.median(values[(total >= low) & (total <= high)], axis=0))


def _catchlight(
    bright: Array, iris: NDArray[np.bool_], dx: Array, dy: Array, usual: float, radius: float
) -> tuple[float, float, float] | None:
    """Where the iris mirrors the light, and how brightly: the lightest spot, if it stands out."""
    import cv2

    if radius < 5 or not iris.any():
        return None
    soft = cv2.blur(bright, (3, 3)) if radius >= 7 else bright
    peak = float(soft[iris].max())
    if peak < max(usual + 45, 1.7 * usual):
        return None
    k = np.flatnonzero(iris & (soft >= peak))[0]
    x, y = dx.ravel()[k], dy.ravel()[k]
    spot = iris & (np.hypot(dx - x, dy - y) < 0.35) & (soft > 0.5 * (peak + usual))
    weight = soft[spot] - usual
    x, y = (float((d[spot] * weight).sum() / weight.sum()) for d in (dx, dy))
    scale = min(1.0, 0.6 / max(float(np.hypot(x, y)), 1e-6))
    return x * scale, -y * scale, min(float(bright[spot].max()), 252.0)
