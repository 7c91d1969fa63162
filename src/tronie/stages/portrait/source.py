"""The part of the photo that a portrait is made from, about as fine as the portrait."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import Similarity
from tronie.types import Enhanced

MARGIN = 0.25
"""Of the portrait's side: how far around it the photo is looked up."""
LARGEST = 2600
"""Pixels of its longer side."""


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
        from tronie.stages.enhance.paste import paste

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


def detail_square(enhanced: Enhanced) -> Similarity:
    """Photo pixels -> 0..1 where at least half of what was enhanced is pasted."""
    from tronie.stages.enhance.paste import FEATHER

    edge = FEATHER / 2
    unit = enhanced.to_photo.inverse().then(Similarity(1 / enhanced.after.shape[0], 0, -edge, -edge))
    return unit.then(Similarity(1 / (1 - 2 * edge), 0, 0, 0))


def cut_out(photo: Image, to_photo: Similarity, size: tuple[int, int]) -> Source:
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
