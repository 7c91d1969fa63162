"""Teeth, tongue and the mouth's lining: the library's own paint, matched to the photo's light. Eyes: `texture.eyes`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.head.model import PARTS, HeadModel
from tronie.texture.seen import step
from tronie.types import Image, Landmarks, Photo

Array = NDArray[np.floating[Any]]

SHADED = 0.8
"""Brightness of teeth that the photo does not show, of those that are seen in the same light."""
LEAST = 30
"""Pixels: less of teeth or mouth tells nothing."""
INNER_LIPS = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
"""MediaPipe's landmarks around the opening of the mouth."""


def part_colours(
    model: HeadModel, level: int, skin: Array, photo: Photo | None = None, landmarks: Landmarks | None = None
) -> Array:
    """(U, 3) sRGB 0..255 for every UV vertex that is not skin, in the brightness of the photo's skin (3,); teeth in
    their own colour where the photo shows them."""
    base, socket, crowns = _unlit_colours(model, level)
    light = float(np.clip((skin.mean() / 165.0) ** 0.6, 0.5, 1.08))
    factor = np.full((len(base), 3), light, dtype=np.float32)
    if crowns.any():
        inside = np.zeros((0, 3)) if photo is None or landmarks is None else _mouth_seen(photo.image, landmarks.points)
        seen = _teeth_seen(inside, skin)
        clear = np.maximum(np.quantile(base[crowns], 0.97, axis=0), 1)
        if seen is not None:
            factor[crowns] = np.clip(seen / clear, 0.3, 1.15)
        else:
            # Unseen teeth stand in the shade of the lips that hide them, or deep in an open mouth's.
            dark = 1.3 * float(np.median(inside)) / float(clear.mean()) if len(inside) >= LEAST else 1.0
            factor[crowns] = np.clip(dark, 0.35, SHADED * light)
    return toned(np.where(socket[:, None], skin * [0.62, 0.45, 0.42], base * factor), skin)


def colourful(skin: Array) -> float:
    """0 for a grey photo to 1, judged by its skin (3,)."""
    return float(np.clip((skin.max() - skin.min()) / max(float(skin.max()), 1.0) / 0.06, 0.0, 1.0))


def toned(colours: Array, skin: Array) -> Array:
    """Painted colours (..., 3) for this photo: grey where the photo is, float32."""
    grey = colours.mean(axis=-1, keepdims=True)
    return np.asarray(grey + colourful(skin) * (colours - grey), dtype=np.float32)


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


def _teeth_seen(inside: Array, skin: Array) -> Array | None:
    """Colour (3,) of the teeth between parted lips (n, 3), or None: the lighter part of what is not as red as skin."""
    pale = inside[(inside[:, 0] - inside[:, 1]) / (inside[:, 0] + 8) < 0.75 * (skin[0] - skin[1]) / (skin[0] + 8)]
    pale = pale[pale.mean(axis=-1) > 0.5 * skin.mean()]
    if len(pale) < LEAST or len(pale) < 0.2 * len(inside):
        return None
    light = pale.mean(axis=-1)
    return np.asarray(np.median(pale[light >= np.median(light)], axis=0), dtype=np.float32)


@lru_cache(maxsize=4)
def _unlit_colours(model: HeadModel, level: int) -> tuple[Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """The model's own colours of the parts (U, 3) or plausible ones, darker towards the throat; which UV vertices (U,)
    line the eyes' sockets, and which are the crowns of teeth."""
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
    behind_eyes = (part == PARTS.index("mouth")) & (place[:, 1] > -25)
    crowns = np.zeros(len(part), bool)
    for name, shade in (("teeth_upper", 1.0), ("teeth_lower", 0.86)):
        teeth = part == PARTS.index(name)
        if not teeth.any():
            continue
        crown = teeth & (colour[:, 0] - colour[:, 1] < 0.16 * colour[:, 0])
        front = float(place[teeth, 2].max())
        if crown.any() and mesh.uv_colour is not None:
            # Deeper lines between the teeth than their own colours have: light hardly gets there.
            bright = colour[crown].mean(axis=1, keepdims=True)
            colour[crown] *= np.minimum(bright / np.quantile(bright, 0.9), 1.0) ** 0.7
        # The cheeks shade the rear teeth, the lips the necks.
        depth = step((front - 4 - place[:, 2]) / 22, 0.0, 1.0)
        neck = np.clip((np.abs(place[:, 1] - _edge(place[teeth, 1], name)) - 3.0) / 7.0, 0, 1)
        colour = np.where(teeth[:, None], colour * (shade * (1 - 0.8 * depth) * (1 - 0.25 * neck))[:, None], colour)
        crowns |= crown
    # Less light the deeper inside.
    tongue = part == PARTS.index("tongue")
    inside = ((part == PARTS.index("mouth")) & ~behind_eyes) | tongue
    lips = float(place[inside, 2].max(initial=0.0))
    depth = step((lips - np.where(tongue, 10.0, 3.0) - place[:, 2]) / np.where(tongue, 38.0, 26.0), 0.0, 1.0) * inside
    colour = colour * np.where(tongue, 0.8, 1.0)[:, None] * (1 - 0.82 * depth[:, None])
    return np.asarray(colour, dtype=np.float32), behind_eyes, crowns


def _edge(heights: Array, name: str) -> float:
    """y mm of the biting edge of an arch."""
    return float(heights.min() if name == "teeth_upper" else heights.max())
