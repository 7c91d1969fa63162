"""Teeth, gums, tongue and the mouth's lining: the library's own paint, matched to the photo's light.

How little light gets into a mouth need not be in the colours: there is an occlusion map. Eyes: `texture.eyes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.color import LUMINANCE, linear_to_srgb, srgb_to_linear
from tronie.geometry import smoothstep
from tronie.head.model import PARTS, HeadModel
from tronie.raster.rasterizer import interpolate, rasterize
from tronie.stages.texture.white_balance import Tint, tint_of, toned
from tronie.types import Landmarks, Photo

USUAL, POWER = 1.2, 0.63
"""Luminance of teeth where skin's is s: USUAL s^POWER, as 75 smiles show it in two collections (skins 0.05 to 0.45)."""
LEAST_UNSEEN, LEAST_SEEN, MOST = 1.5, 1.35, 0.88
"""Luminance of the front teeth, of the skin's, at least; and the luminance that is never exceeded: enamel is no paper.
What a photo shows darker than that is the shade of the lips, which is no colour of teeth."""
ENAMEL = (1.24, 1.0, 0.8)
"""Linear colour of teeth under white light: warmer than white, in the ratios that those smiles show."""
HUES = (-0.35, 0.4), (-0.7, 0.25)
"""Natural logarithms of red to green and blue to green, beside those of ENAMEL, between which teeth are."""
FLESH = 0.4
"""Luminance of the tongue's tip, of the teeth's."""
PLAIN = {
    "skin": (0, 0, 0), "eye_left": (215, 208, 202), "eye_right": (215, 208, 202), "teeth_upper": (222, 212, 192),
    "teeth_lower": (214, 203, 182), "tongue": (193, 114, 109), "mouth": (120, 58, 56),
}  # fmt: skip
"""sRGB of the parts of models that have no colours of their own."""
FRONT_MM = 12.0
"""Teeth that lie so little behind the foremost of the mouth are front teeth."""
PALE = 0.3
"""How much paler gums are than those of the model, which are as red as a tongue."""
UNSHADED = 0.4
"""Exponent of the contrasts of teeth and tongue: their own colours hold some of the throat's shade."""
LEAST = 30
"""Pixels: less of teeth or mouth tells nothing."""
INNER_LIPS = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
"""MediaPipe's landmarks around the opening of the mouth."""
OCCLUSION_SIDE = 512
"""Pixels of the occlusion map; shade is soft."""
OPEN = {
    "teeth_upper": (0.9, 0.3, 26.0),
    "teeth_lower": (0.9, 0.3, 26.0),
    "tongue": (0.6, 0.08, 34.0),
    "mouth": (0.5, 0.05, 24.0),
}
"""Of a part: how open the space around its foremost points is, around its rearmost, and how many millimetres behind the
first it becomes so; between a closed and an open mouth. A tongue put out takes its tip's along."""
SOCKETS, EYES_MM = 0.7, -25.0
"""The same of the lining of the eyes' sockets, which is above that height."""
OCCLUSION_GUTTER = 4
"""Pixels by which charts are carried on beyond their borders, for viewers that blur maps from afar."""


def part_colours(
    model: HeadModel,
    level: int,
    skin: Array,
    photo: Photo | None = None,
    landmarks: Landmarks | None = None,
    tint: Tint | None = None,
    light: float = 0.0,
    others: Sequence[tuple[Photo, Landmarks]] = (),
) -> Array:
    """(U, 3) sRGB 0..255 for every UV vertex that is not skin, in the light of the photo, whose skin is (3,); teeth in
    their own colour where the photo shows them. How little light gets into a mouth is not in it: that is shading.

    `light` is the mean linear luminance of the face's skin, where it is known: more than `skin` where most of a face
    lies in shade. `others`: other photos of the person in that light, which may show the teeth better; those
    count that are in the least shade.
    """
    pattern, socket, crowns = patterns(model, level)
    tint = tint or tint_of(skin, photo, landmarks)
    looks = [*others, *([] if photo is None or landmarks is None else [(photo, landmarks)])]
    shown = (teeth_seen(*look, skin, tint) for look in looks)
    found = [colour for colour in shown if colour is not None and like_enamel(colour, tint)]
    seen = max(found, key=lambda colour: float(srgb_to_linear(colour) @ LUMINANCE), default=None)
    teeth = _enamel(max(light, float(srgb_to_linear(skin) @ LUMINANCE)), seen, tint)
    colours = tint.of(pattern) * (FLESH * float(teeth @ LUMINANCE))
    colours[crowns] = pattern[crowns] * teeth
    return np.where(socket[:, None], toned(skin * [0.62, 0.45, 0.42], tint), linear_to_srgb(colours)).astype(np.float32)


def like_enamel(colour: Array, tint: Tint) -> bool:
    """Whether a sRGB colour (3,) may be that of teeth in that light, and no lip, tongue or reflection."""
    off = np.log(srgb_to_linear(np.maximum(colour, 1))) - np.log(tint.of(np.array(ENAMEL)))
    red, blue = off[0] - off[1], off[2] - off[1]
    return bool(HUES[0][0] < red < HUES[0][1] and HUES[1][0] < blue < HUES[1][1])


def _enamel(light: float, seen: Array | None, tint: Tint) -> Array:
    """(3,) linear colour of the front teeth: as they are seen, sRGB, or likely beside skin of that luminance."""
    if seen is None:
        likely = tint.of(np.array(ENAMEL))
        light = min(max(USUAL * light**POWER, LEAST_UNSEEN * light), MOST)
        return np.asarray(likely * (light / float(likely @ LUMINANCE)))
    shown = srgb_to_linear(np.maximum(seen, 1))
    return np.asarray(shown * max(1.0, min(LEAST_SEEN * light, MOST) / float(shown @ LUMINANCE)))


def _mouth_seen(image: Image, points: Array) -> Array:
    """Pixels (n, 3) between parted lips; none beyond the picture's border."""
    import cv2

    inner = points[list(INNER_LIPS), :2]
    nothing = np.zeros((0, 3), np.float32)
    if not np.isfinite(inner).all():
        return nothing
    low, high = np.floor(inner.min(axis=0)).astype(int), np.ceil(inner.max(axis=0)).astype(int) + 1
    if (low < 0).any() or high[0] > image.shape[1] or high[1] > image.shape[0]:
        return nothing
    crop = image[low[1] : high[1], low[0] : high[0]].astype(np.float32)
    mask = np.zeros(crop.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(inner - low - 0.5).astype(np.int32)], 1)
    return crop[mask > 0]


def teeth_seen(photo: Photo, landmarks: Landmarks, skin: Array, tint: Tint) -> Array | None:
    """sRGB colour (3,) of the teeth between parted lips, or None: the lighter part of what is not as red as skin, or
    where there are no colours, of what is lighter than lips are."""
    inside = _mouth_seen(photo.image, landmarks.points)
    light = inside.mean(axis=-1)
    red = (inside[:, 0] - inside[:, 1]) / (inside[:, 0] + 8) < 0.75 * (skin[0] - skin[1]) / (skin[0] + 8)
    pale = inside[red & (light > 0.5 * skin.mean()) if tint.colourful > 0.5 else light > skin.mean()]
    if len(pale) < LEAST or len(pale) < 0.2 * len(inside):
        return None
    light = pale.mean(axis=-1)
    return np.asarray(np.median(pale[light >= np.median(light)], axis=0), dtype=np.float32)


@lru_cache(maxsize=4)
def patterns(model: HeadModel, level: int) -> tuple[Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """Linear colours of the parts (U, 3), the model's own or plausible ones: of the crowns of teeth as factors on the
    colour of front teeth, of all else with the luminance 1 at the tongue's tip. Which UV vertices (U,) line the eyes'
    sockets, and which are crowns."""
    mesh = model.level(level)
    mean = mesh.apply(model.mean)
    part, place = np.zeros(len(mesh.uv), np.uint8), np.zeros((len(mesh.uv), 3), np.float32)
    for index in range(len(PARTS) - 1, -1, -1):
        rows = mesh.triangle_part == index
        part[mesh.triangle_uv[rows]] = index
        place[mesh.triangle_uv[rows]] = mean[mesh.triangles[rows]]
    plain = np.array([PLAIN[name] for name in PARTS], dtype=np.float32)
    paint = plain[part] if mesh.uv_colour is None else mesh.uv_colour
    linear = srgb_to_linear(paint)
    crowns, tongue = np.zeros(len(part), bool), part == PARTS.index("tongue")
    front = place[:, 2] > place[part > 2, 2].max(initial=-np.inf) - FRONT_MM
    for name in ("teeth_upper", "teeth_lower"):
        teeth = part == PARTS.index(name)
        crown = teeth & (paint[:, 0] - paint[:, 1] < 0.16 * paint[:, 0])
        if crown.any():
            light = linear[crown] @ LUMINANCE
            # The middle of the lighter half in front: as `teeth_seen` reads them in a photo.
            usual = np.quantile(light[front[crown]] if front[crown].any() else light, 0.75)
            linear[crown] = ((light / usual) ** UNSHADED)[:, None]
        crowns |= crown
        gums = teeth & ~crown
        linear[gums] += PALE * ((linear[gums] @ LUMINANCE)[:, None] - linear[gums])
    tip = float(srgb_to_linear(PLAIN["tongue"]) @ LUMINANCE)
    if tongue.any():
        light = linear[tongue] @ LUMINANCE
        tip = float(np.quantile(light, 0.9))
        linear[tongue] *= ((light / tip) ** (UNSHADED - 1))[:, None]
    linear[~crowns] /= tip
    return linear, (part == PARTS.index("mouth")) & (place[:, 1] > EYES_MM), crowns


@lru_cache(maxsize=2)
def mouth_openness(model: HeadModel, level: int) -> Image | None:
    """(S, S) of OCCLUSION_SIDE: 255 where all light from around arrives, on the head's atlas; None without a mouth."""
    import cv2

    mesh = model.level(level)
    rows = mesh.triangle_part >= PARTS.index("teeth_upper")
    if not rows.any():
        return None
    place = mesh.apply(model.mean)
    depth = place[:, 2]
    open_share = np.ones((len(mesh.uv), 1), np.float32)
    for name, (front, rear, reach) in OPEN.items():
        own = mesh.triangle_part == PARTS.index(name)
        if not own.any():
            continue
        behind = depth[mesh.triangles[own]].max() - depth[mesh.triangles[own]]
        open_share[mesh.triangle_uv[own], 0] = front + (rear - front) * smoothstep(behind / reach, 0.0, 1.0)
    sockets = (mesh.triangle_part == PARTS.index("mouth")) & (place[mesh.triangles, 1].min(axis=1) > EYES_MM)
    open_share[mesh.triangle_uv[sockets]] = SOCKETS
    flat = np.concatenate([mesh.uv * OCCLUSION_SIDE, np.ones((len(mesh.uv), 1), np.float32)], axis=1)
    drawn = rasterize(flat, mesh.triangle_uv[rows], OCCLUSION_SIDE, OCCLUSION_SIDE, cull=False)
    inside = drawn.triangle >= 0
    values = np.where(inside, 255 * interpolate(drawn, mesh.triangle_uv[rows], open_share)[..., 0], 0)
    grey = np.round(values).astype(np.uint8)
    wider = cv2.dilate(grey, np.ones((2 * OCCLUSION_GUTTER + 1, 2 * OCCLUSION_GUTTER + 1), np.uint8))
    return np.where(inside, grey, np.where(wider > 0, wider, 255)).astype(np.uint8)
