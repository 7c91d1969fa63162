"""Of what matter each cell of a portrait is, and colours carried on matter by matter: beyond the photo's border, and
behind the head. So an edge of hair or shoulders goes on as an edge, with nothing of the photo repeated in streaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import Similarity, smoothstep
from tronie.raster.compositing import sampled
from tronie.shells import Segmentation
from tronie.stages.portrait.warp_field import membrane

ROWS = 64
"""Cells along the height where colours are carried on."""
WIDER_MM = 6.0
"""Around the head and its hair in the photo: what may still be of their colours."""
LIKELY = (0.3, 0.7)
"""Likelihoods between which hair is from none to whole."""
ROUND_MM = 8.0
"""Over which edges of hair and clothes that meet the photo's border are smoothed beyond it."""
CROWN_MM = (4.0, 24.0)
"""How far the face goes on beyond the photo's border, and hair above the eyes."""
INSIDE = 3.0
"""Pixels of the photo at its border that say what goes on beyond."""
KINDS = (("hair", "covering"), ("face", "facial_hair"), ("body", "clothes", "other"), ("glasses",))


@dataclass(frozen=True, eq=False)
class Matter:
    """Over the cells (h, w) of a portrait as the warped photo shows it."""

    hair: Array
    """(h, w) 0..1: hair and headgear;"""
    face: Array
    """(h, w) 0..1;"""
    body: Array
    """(h, w) 0..1: neck, shoulders, clothes and what is before them;"""
    glasses: Array
    """(h, w) 0..1. The rest is background. Beyond the photo all goes on as at its border."""
    colours: Array
    """(h, w, 3) float32 0..255."""
    within: Array
    """(h, w) 0..1: what the photo has."""


def matter(
    picture: Image,
    direct: Array,
    within: Array,
    segmentation: Segmentation,
    place: Similarity,
    photo_size: tuple[int, int],
    eyes: tuple[float, float],
    per_mm: float,
) -> Matter:
    """`direct` (h, w, 2) leads the cells of the warped `picture` (H, W, 3) to where `place` leads to the photo of that
    width and height. Of the picture, `eyes` are the pixels midway between the eyes, `per_mm` the pixels per mm."""
    import cv2

    rows, columns = direct.shape[:2]
    four = np.dstack([segmentation.share(*some) for some in KINDS])
    there = place.apply(direct)
    inside = np.clip(there, INSIDE, np.subtract(photo_size, INSIDE))
    at = segmentation.to_photo.inverse().apply(inside).reshape(-1, 2)
    shares = np.clip(sampled(four, at), 0, 1).reshape(rows, columns, 4)
    past = np.linalg.norm(there - inside, axis=-1).astype(np.float32) / (place.scale * per_mm)
    if past.max() > ROUND_MM:
        # Beyond the border edges go on straight; no curl of hair becomes a comb.
        even = cv2.GaussianBlur(shares, (0, 0), ROUND_MM * per_mm * rows / picture.shape[0])
        shares += smoothstep(past, 0.0, ROUND_MM)[..., None] * (even - shares)
    hair, face, body, glasses = (np.ascontiguousarray(shares[..., k]) for k in range(4))
    y = (np.arange(rows, dtype=np.float32) + 0.5) * picture.shape[0] / rows
    fade = 1 - smoothstep(past, *CROWN_MM)
    hair, face = hair * np.where((y < eyes[1])[:, None], fade, np.float32(1)), face * fade
    low = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)
    return Matter(hair, face, body, glasses, np.asarray(low, np.float32), within)


def border_fill(found: Matter) -> Array:
    """(h, w, 3) colours 0..255 for what the photo does not have."""
    head = np.maximum(found.hair, np.maximum(found.face, found.glasses))
    ground = np.clip(1 - head - found.body, 0, 1)
    shares = [ground, found.body, head]
    colours = carried_on(found.colours, [found.within**2 * smoothstep(s, 0.5, 0.9) for s in shares])[0]
    total = np.maximum(sum(shares), 1e-6)
    return np.asarray(
        sum(s[..., None] * c for s, c in zip(shares, colours, strict=True)) / total[..., None], np.float32
    )


def carried_on(colours: Array, known: list[Array]) -> tuple[list[Array], Array]:
    """The colours (h, w, 3) of each kind of matter everywhere, from where it is `known` (h, w) 0..1; and (h, w, kinds)
    the share of each where none is."""
    import cv2

    rows, columns = colours.shape[:2]
    small = (max(round(ROWS * columns / rows), 4), ROWS)
    low: Any = np.dstack([*known, *(colours * k[..., None] for k in known)])
    n = len(known)
    # resize takes no more than four channels at any speed, but takes them.
    low = np.dstack(
        [
            cv2.resize(np.ascontiguousarray(low[..., k : k + 4], np.float32), small, interpolation=cv2.INTER_AREA)
            for k in range(0, 4 * n, 4)
        ]
    )
    parts, weight = [], low[..., :n].sum(axis=-1)
    for k in range(n):
        w, total = low[..., k], low[..., n + 3 * k : n + 3 * k + 3]
        mean = total.sum(axis=(0, 1)) / max(float(w.sum()), 1e-6)
        parts.append(membrane(10 * w, total / np.maximum(w[..., None], 1e-6) - mean, 1e-4) + mean)
    parts.append(membrane(10 * weight, low[..., :n] / np.maximum(weight[..., None], 1e-6), 1e-6))
    wide = [np.asarray(cv2.resize(p, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32) for p in parts]
    return wide[:-1], wide[-1]


@dataclass(frozen=True, slots=True)
class Behind:
    """Over the cells (h, w) of a portrait: what is behind the head, and what of the person the warped photo shows."""

    filled: Array
    """(h, w, 3) 0..255: background and shoulders as they may go on behind the head."""
    kept: Array
    """(h, w) 0..1: where the photo has them itself."""
    body: Array
    """(h, w) 0..1: where it has neck, shoulders or clothes."""
    hair: Array
    """(h, w) 0..1: opacity of hair, headgear and glasses."""
    skin: Array
    """(h, w) 0..1: opacity of face, neck and clothes."""
    bare: Array
    """(h, w) 0..1: background, and what is next to it but hair."""


def behind(found: Matter, mm: float) -> Behind:
    """`mm` is a cell's size."""
    import cv2

    radius = max(round(WIDER_MM / mm), 1)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    head = np.maximum(found.hair, np.maximum(found.face, found.glasses))
    clear = (1 - smoothstep(np.asarray(cv2.dilate(head, disc)), 0.1, 0.4)) * found.within
    clothed = clear * smoothstep(found.body, 0.6, 0.95)
    ground = clear * smoothstep(head + found.body, 0.4, 0.05)
    (far, near), share = carried_on(found.colours, [ground, clothed])
    filled = far + smoothstep(share[..., 1:], 0.4, 0.6) * (near - far)
    kept = np.minimum(cv2.GaussianBlur(clear.astype(np.float32), (0, 0), 2.0 / mm), clear)
    hair = smoothstep(found.hair + found.glasses, *LIKELY)
    skin = smoothstep(found.face + found.body, *LIKELY)
    bare = np.asarray(cv2.dilate(np.clip(1 - hair - skin, 0, 1), disc)) * (1 - hair)
    return Behind(filled, kept, clothed, hair, skin, np.asarray(cv2.blur(bare, (5, 5))))
