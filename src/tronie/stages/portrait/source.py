"""The part of the photo that a portrait is made from, and outpainting of what lies beyond the photo's border.

Beyond the border the photo's edge is carried on a little, then come the colours of the surroundings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import Similarity, smoothstep
from tronie.stages.enhance.paste import paste
from tronie.stages.portrait.warp_field import membrane
from tronie.types import Enhanced

MARGIN = 0.25
"""Of the portrait's side: how far around it the photo is looked up."""
LARGEST = 2600
"""Pixels of its longer side."""
FEATHER_MM = 3.0
"""Over which the photo fades out at its border."""
CARRY_MM = 22.0
"""How far what touches the border above the eyes (hair, a hat) is carried on."""
CLEAR_MM = 95.0
"""Beside the middle of the head, from where on what touches the upper border is background."""


@dataclass(frozen=True, slots=True)
class Source:
    image: Image
    """(h, w, 3)."""
    scale: tuple[float, float]
    """Its pixels per photo pixel, in x and y."""
    corner: tuple[int, int]
    """Photo pixel where it starts."""
    open_sides: tuple[bool, bool, bool, bool]
    """Left, top, right, bottom: whether it ends there because the photo does."""

    def with_detail(self, enhanced: Enhanced) -> Source:
        """The same with what super-resolution found."""
        image = self.image.copy()
        x, y = self.corner
        paste(image, Similarity(1 / self.scale[0], 0, float(x), float(y)), enhanced)
        return replace(self, image=image)

    def sampled(self, places: Any, size: tuple[int, int]) -> Image:
        """(h, w, 3): what is at places (m, n, 2), its pixels, enlarged to `size` (width, height)."""
        import cv2

        wide: Any = cv2.resize(places - np.float32(0.5), size, interpolation=cv2.INTER_LINEAR)
        remap: Any = cv2.remap  # its stubs know no map of pairs
        return np.asarray(remap(self.image, wide, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)

    def place(self, to_photo: Similarity) -> Array:
        """(2, 3): pixels that `to_photo` leads to photo pixels -> pixels here (centres at +0.5)."""
        m = to_photo.matrix.copy()
        m[:, 2] -= self.corner
        return np.asarray(m * np.asarray(self.scale)[:, None])


def cut_source(photo: Image, to_photo: Similarity, size: tuple[int, int]) -> Source:
    """What a portrait of `size` (width, height), whose pixels `to_photo` leads to the photo, may need of it."""
    import cv2

    width, height = size
    margin = MARGIN * max(size)
    corners = np.array([[x, y] for x in (-margin, width + margin) for y in (-margin, height + margin)])
    there = to_photo.apply(corners)
    h, w = photo.shape[:2]
    x0, y0 = np.clip(np.floor(there.min(axis=0)), 0, [w - 2, h - 2]).astype(int).tolist()
    x1, y1 = np.clip(np.ceil(there.max(axis=0)), [x0 + 2, y0 + 2], [w, h]).astype(int).tolist()
    part = photo[y0:y1, x0:x1]
    # Bilinear sampling wants about a pixel for a pixel: finer would flicker, coarser shows its diamonds.
    factor = 1 / max(to_photo.scale, 1e-9)
    factor = min(factor, LARGEST / max(x1 - x0, y1 - y0))
    if 0.7 < factor <= 1.0:
        factor = 1.0
    columns, rows = max(round((x1 - x0) * factor), 2), max(round((y1 - y0) * factor), 2)
    if (columns, rows) != (x1 - x0, y1 - y0):
        way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        part = np.asarray(cv2.resize(part, (columns, rows), interpolation=way), dtype=np.uint8)
    ends = (x0 == 0, y0 == 0, x1 == w, y1 == h)
    return Source(np.ascontiguousarray(part), (columns / (x1 - x0), rows / (y1 - y0)), (x0, y0), ends)


def inside_photo(source: Source, places: Array, feather: float) -> Array:
    """(h, w) 0..1: whether the photo has the places (h, w, 2), pixels of the source; 1 from `feather` within it on."""
    rows, columns = source.image.shape[:2]
    x, y = places[..., 0], places[..., 1]
    near: Any = np.full(x.shape, 1e9, np.float32)
    for distance, ends in zip((x, y, columns - x, rows - y), source.open_sides, strict=True):
        if ends:
            near = np.minimum(near, distance)
    return smoothstep(near, 0.0, feather)


def outpaint(picture: Image, known: Array, eyes: tuple[float, float], per_mm: float) -> Array:
    """(m, n, 3) colours 0..255 for what a portrait (H, W, 3) does not have, `known` (m, n) 0..1 saying where it does.

    Clothes go on as they are. What is above the head goes on for CARRY_MM only: else a cut-off head of hair would
    grow a column.
    """
    import cv2

    height = picture.shape[0]
    rows, columns = known.shape
    colour = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
    y, x = np.mgrid[:rows, :columns] + 0.5
    cell = height / rows
    above = (y * cell < eyes[1]) & (np.abs(x * cell - eyes[0]) < CLEAR_MM * per_mm)
    sure = 10 * known**4
    wide = membrane(np.where(above, 0.01 * sure, sure), colour - 128, 1e-5) + 128
    fade = (cell / (CARRY_MM * per_mm)) ** 2
    return np.asarray(np.clip(wide + membrane(sure, colour - wide, fade), 0, 255), dtype=np.float32)
