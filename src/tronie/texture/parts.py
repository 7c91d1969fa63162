"""Eyes, teeth, tongue and the mouth's lining: the library's own paint, matched to the photo's light."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.head.model import PARTS, HeadModel
from tronie.render.raster import interpolate, rasterize
from tronie.texture.seen import step
from tronie.types import Image, Landmarks, Photo

Array = NDArray[np.floating[Any]]

IRIS_MM = 5.85
"""Radius of the visible iris; adults differ little (mean diameter 11.7 mm, spread 0.5)."""
PUPIL = 0.36
"""Radius of the pupil, of the iris's: indoors light."""
BROWN = np.array([86.0, 60.0, 44.0], dtype=np.float32)
"""The commonest iris, where a photo does not tell."""
LID_RIGHT = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
LID_LEFT = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
"""MediaPipe's landmarks around the subject's right and left eye opening."""
INNER_LIPS = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
"""MediaPipe's landmarks around the opening of the mouth."""


@dataclass(frozen=True, slots=True)
class EyeLook:
    """What one photo says of a person's eyes, sRGB 0..255."""

    iris: Array
    """(3,)."""
    sclera: Array
    """(3,)."""


@dataclass(frozen=True, eq=False)
class EyeTexels:
    """Where on the eyeballs the atlas's eye texels lie."""

    texel: NDArray[np.int32]
    """(N,) flat numbers."""
    angle: Array
    """(N,) from the gaze, over the iris's own angle: 1 at its rim."""
    around: Array
    """(N,) radians, 0 towards the temple, pi/2 up."""
    height: Array
    """(N,) -1..1: how far up on the ball."""
    across: Array
    """(N,) to the subject's left from the gaze, in the unit of `angle`."""


def part_colours(
    model: HeadModel, level: int, skin: Array, photo: Photo | None = None, landmarks: Landmarks | None = None
) -> Array:
    """(U, 3) sRGB 0..255 for every UV vertex that is not skin, in the brightness of the photo's skin (3,); teeth in
    their own colour where the photo shows them."""
    base, socket = _unlit_colours(model, level)
    light = float(np.clip((skin.mean() / 165.0) ** 0.6, 0.5, 1.08))
    factor = np.full((len(base), 3), light, dtype=np.float32)
    if photo is not None and landmarks is not None:
        seen = _teeth_seen(photo.image, landmarks.points, skin)
        crowns = (base[:, 0] > 1.0) & (base[:, 0] - base[:, 1] < 0.16 * base[:, 0])
        if seen is not None and crowns.any():
            factor[crowns] = np.clip(seen / np.maximum(np.quantile(base[crowns], 0.8, axis=0), 1), 0.35, 1.1)
    return toned(np.where(socket[:, None], skin * [0.62, 0.45, 0.42], base * factor), skin)


def colourful(skin: Array) -> float:
    """0 for a grey photo to 1, judged by its skin (3,)."""
    return float(np.clip((skin.max() - skin.min()) / max(float(skin.max()), 1.0) / 0.06, 0.0, 1.0))


def toned(colours: Array, skin: Array) -> Array:
    """Painted colours (..., 3) for this photo: grey where the photo is, float32."""
    grey = colours.mean(axis=-1, keepdims=True)
    return np.asarray(grey + colourful(skin) * (colours - grey), dtype=np.float32)


def _teeth_seen(image: Image, points: Array, skin: Array) -> Array | None:
    """Colour (3,) of the teeth between parted lips, or None: the lighter part of what is not as red as skin."""
    import cv2

    inner = points[list(INNER_LIPS), :2]
    if not np.isfinite(inner).all():
        return None
    low, high = np.floor(inner.min(axis=0)).astype(int), np.ceil(inner.max(axis=0)).astype(int) + 1
    if (low < 0).any() or high[0] > image.shape[1] or high[1] > image.shape[0]:
        return None
    crop = image[low[1] : high[1], low[0] : high[0]].astype(np.float32)
    mask = np.zeros(crop.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(inner - low - 0.5).astype(np.int32)], 1)
    values = crop[mask > 0]
    pale = values[(values[:, 0] - values[:, 1]) / (values[:, 0] + 8) < 0.75 * (skin[0] - skin[1]) / (skin[0] + 8)]
    pale = pale[pale.mean(axis=-1) > 0.5 * skin.mean()]
    if len(pale) < 30 or len(pale) < 0.2 * len(values):
        return None
    light = pale.mean(axis=-1)
    return np.asarray(np.median(pale[light >= np.median(light)], axis=0), dtype=np.float32)


@lru_cache(maxsize=4)
def _unlit_colours(model: HeadModel, level: int) -> tuple[Array, NDArray[np.bool_]]:
    """The model's own colours of the parts (U, 3) or plausible ones, darker towards the throat; and which UV
    vertices (U,) line the eyes' sockets."""
    mesh = model.level(level)
    mean = mesh.apply(model.mean)
    part, place = np.zeros(len(mesh.uv), np.uint8), np.zeros((len(mesh.uv), 3), np.float32)
    for index in range(len(PARTS) - 1, -1, -1):
        rows = mesh.triangle_part == index
        part[mesh.triangle_uv[rows]] = index
        place[mesh.triangle_uv[rows]] = mean[mesh.triangles[rows]]
    paint = {"skin": (0, 0, 0), "eye_left": (215, 208, 202), "eye_right": (215, 208, 202),
             "teeth_upper": (222, 212, 192), "teeth_lower": (214, 203, 182), "tongue": (176, 104, 100),
             "mouth": (120, 58, 56)}  # fmt: skip
    colour = np.array([paint[name] for name in PARTS], dtype=np.float32)[part]
    if mesh.uv_colour is not None:
        colour = np.asarray(mesh.uv_colour, dtype=np.float32)
    lining = part == PARTS.index("mouth")
    behind_eyes = lining & (place[:, 1] > -25)
    inside = (part > 2) & ~behind_eyes
    # Less light the deeper inside; crowns and tongue tip stay clear.
    tongue = part == PARTS.index("tongue")
    reach = np.where(tongue, 34.0, 45.0)
    colour = colour * np.where(tongue, 0.82, 1.0)[:, None]  # in the palate's shade
    depth = step((12 - place[:, 2]) / reach, 0.0, 1.0) * inside
    return np.asarray(colour * (1 - 0.8 * depth[:, None]), dtype=np.float32), behind_eyes


@lru_cache(maxsize=4)
def eye_texels(model: HeadModel, level: int, size: int) -> EyeTexels:
    """Found from the mean head's geometry, so it holds for any eye mesh and any chart."""
    mesh = model.level(level)
    mean = mesh.apply(model.mean)
    points = np.concatenate([mesh.uv * size, np.ones((len(mesh.uv), 1))], axis=1)
    flat = np.arange(size * size, dtype=np.int32).reshape(size, size)
    texels, directions = [], []
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
    if not texels:
        return EyeTexels(np.zeros(0, np.int32), *(np.zeros(0, np.float32) for _ in range(4)))
    d = np.concatenate(directions)
    radius = np.linalg.norm(d, axis=1)
    d = d / np.maximum(radius, 1e-6)[:, None]
    rim = float(np.arcsin(min(IRIS_MM / max(float(np.median(radius)), IRIS_MM), 1.0)))
    angle, around = np.arccos(np.clip(d[:, 2], -1, 1)) / rim, np.arctan2(d[:, 1], d[:, 0])
    outwards = np.repeat(np.resize([1.0, -1.0], len(texels)), [len(t) for t in texels])
    return EyeTexels(
        np.concatenate(texels).astype(np.int32), angle.astype(np.float32), around.astype(np.float32),
        d[:, 1].astype(np.float32), (outwards * angle * np.cos(around)).astype(np.float32),
    )  # fmt: skip


def paint_eyes(
    image: Image, model: HeadModel, level: int, photo: Photo, landmarks: Landmarks | None, skin: Array
) -> None:
    """Paint both eyeballs into the atlas, in place."""
    size = image.shape[0]
    where = eye_texels(model, level, size)
    if len(where.texel):
        image.reshape(-1, 3)[where.texel] = eye_paint(where, eye_look(photo, landmarks, skin))


def eye_paint(where: EyeTexels, look: EyeLook) -> Image:
    """(N, 3) uint8: pupil, fibred iris with a dark limbal ring, sclera; shaded under the upper lid."""
    of_iris, of_sclera, rest, glint = _eye_weights(where)
    colour = of_iris * look.iris.astype(np.float32)
    colour += of_sclera * look.sclera.astype(np.float32)
    colour += rest
    colour[glint[0]] += glint[1][:, None] * (np.minimum(look.sclera * 1.35, 250.0) - colour[glint[0]])
    return np.asarray(np.clip(colour, 0, 255, out=colour), dtype=np.uint8)


@lru_cache(maxsize=4)
def _eye_weights(where: EyeTexels) -> tuple[Array, Array, Array, tuple[NDArray[np.intp], Array]]:
    """An eye's colour is linear in those of iris and sclera: their weights (N, 3) each, the rest (N, 3), and which
    texels shine how much."""
    r, a = where.angle, where.around
    fibres = (
        0.5 * np.sin(37 * a + 3 * np.sin(3 * a))
        + 0.3 * np.sin(71 * a + 9 * r + 2 * np.sin(5 * a))
        + 0.2 * np.sin(113 * a - 5 * r)
    )
    ring = np.clip((r - PUPIL) / (1 - PUPIL), 0, 1)
    collarette = np.exp(-(((ring - 0.3) / 0.16) ** 2))
    tone = 1.0 + 0.13 * fibres * (1 - ring**2) + 0.22 * collarette + 0.1 * (0.5 - ring) - 0.6 * step(ring, 0.72, 1.0)
    iris = tone[:, None] * (1 + collarette[:, None] * np.array([0.06, 0.0, -0.08]))
    pupil, white = 1 - step(r, PUPIL - 0.05, PUPIL + 0.05), step(r, 0.96, 1.1)
    blood = step(r, 1.3, 2.6)[:, None] * np.array([0.0, 0.16, 0.14])
    sclera = (1 - blood) * (1 - 0.1 * step(r, 1.2, 2.4))[:, None]
    lids = 1 - 0.45 * step(where.height, 0.12, 0.5) - 0.12 * step(-where.height, 0.25, 0.6)
    # A window at the upper left of the picture, in both eyes alike.
    shine = 0.92 * np.exp(-((np.hypot((where.across + 0.3) / 0.19, (r * np.sin(a) - 0.34) / 0.2)) ** 4))
    bright = np.flatnonzero(shine > 0.004)
    of_iris = iris * (lids * (1 - pupil) * (1 - white))[:, None]
    rest = 0.5 + (lids * pupil * (1 - white))[:, None] * np.array([10.0, 8.0, 8.0])
    return (
        of_iris.astype(np.float32), (sclera * (lids * white)[:, None]).astype(np.float32), rest.astype(np.float32),
        (bright, shine[bright].astype(np.float32)),
    )  # fmt: skip


def eye_look(photo: Photo, landmarks: Landmarks | None, skin: Array) -> EyeLook:
    """Iris and sclera from the photo; where it is too small, closed or unclear, the commonest in the face's light."""
    light = float(np.clip(skin.mean() / 150.0, 0.4, 1.2))
    usual_white = np.minimum(skin.max() * np.array([1.08, 1.04, 1.02], np.float32), [222, 216, 212])
    found = [] if landmarks is None else [
        _measure(photo.image, landmarks.points, lid, first) for lid, first in ((LID_RIGHT, 468), (LID_LEFT, 473))
    ]  # fmt: skip
    irises = [(c, w) for c, _, w in found if w > 0]
    whites = [(c, w) for _, c, w in found if w > 0 and c is not None]
    weight = min(sum(w for _, w in irises), 1.0)
    iris = BROWN * light
    if irises:
        measured = np.average([c for c, _ in irises], axis=0, weights=[w for _, w in irises])
        iris = iris + weight * (measured - iris)
    white = usual_white
    if whites:
        measured = np.average([c for c, _ in whites], axis=0, weights=[w for _, w in whites])
        grey = measured.mean()
        # Lids, lashes and corners redden and darken what is measured: half way to grey, within reason.
        measured = 0.5 * (measured + grey)
        white = np.clip(0.4 * usual_white + 0.6 * measured, 0.6 * usual_white, 1.1 * usual_white)
    if landmarks is not None and weight < 1:
        dim = _dimness(photo.image, landmarks.points, iris, white)
        iris, white = (c * (dim + weight * (1 - dim)) for c in (iris, white))
    return EyeLook(toned(np.clip(iris, 12, 200), skin), toned(np.clip(white, 30, 225), skin))


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


def _measure(image: Image, points: Array, lid: tuple[int, ...], first: int) -> tuple[Array, Array | None, float]:
    """Iris colour, sclera colour (None when unseen) and a confidence 0..1 of one eye."""
    import cv2

    nothing = (BROWN, None, 0.0)
    centre = points[first, :2]
    radius = float(np.linalg.norm(points[first + 1 : first + 5, :2] - centre, axis=1).mean())
    if not np.isfinite(centre).all() or radius < 2.0:
        return nothing
    reach = int(np.ceil(3 * radius)) + 2
    x0, y0 = int(centre[0]) - reach, int(centre[1]) - reach
    x1, y1 = x0 + 2 * reach, y0 + 2 * reach
    if x0 < 0 or y0 < 0 or x1 > image.shape[1] or y1 > image.shape[0]:
        return nothing
    crop = image[y0:y1, x0:x1].astype(np.float32)
    opening = np.zeros(crop.shape[:2], np.uint8)
    # Half a pixel: fillPoly's coordinates are whole at pixel centres.
    cv2.fillPoly(opening, [np.round(points[list(lid), :2] - [x0 + 0.5, y0 + 0.5]).astype(np.int32)], 1)
    yy, xx = np.mgrid[y0:y1, x0:x1] + 0.5
    r = np.hypot(xx - centre[0], yy - centre[1]) / radius
    # The upper lid shades and its lashes cover the top of the iris.
    ring = (opening > 0) & (r > 0.42) & (r < 0.88) & (yy > centre[1] - 0.45 * radius)
    values = crop[ring]
    if len(values) < 12:
        return nothing
    value = values.sum(axis=1)
    low, high = np.quantile(value, [0.15, 0.8])
    iris = np.median(values[(value >= low) & (value <= high)], axis=0)
    outside = crop[(opening > 0) & (r > 1.25)]
    sclera = None
    if len(outside) >= 12:
        brightness = outside.sum(axis=1)
        sclera = np.median(outside[brightness >= np.quantile(brightness, 0.6)], axis=0)
    return iris.astype(np.float32), sclera, float(np.clip((radius - 2.0) / 3.0, 0.0, 1.0))
