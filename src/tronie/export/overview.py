"""A contact sheet of many photos: each with its name and its portraits, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tronie.arrays import Image
from tronie.export.contact_sheet import FAINT, INK, LONGEST, PAPER, TILE, Text, with_texts

SIDE, GAP, FONT = 168, 10, 15
COLUMNS = 2
"""Photos side by side."""
ROWS = 12
"""On a page."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A photo or clip, and what was made of it."""

    name: str
    picture: Image | None
    """None where it cannot be read."""
    portraits: tuple[Image, ...]
    """As many as are shown."""
    faces: int
    """How many there are."""


def pages(rows: Sequence[Row]) -> list[Image]:
    """(H, W, 3) each."""
    parts = [rows[k : k + COLUMNS * ROWS] for k in range(0, len(rows), COLUMNS * ROWS)]
    return [_page(part) for part in parts]


def _page(rows: Sequence[Row]) -> Image:
    most = max([1, *(len(row.portraits) for row in rows)])
    columns = min(COLUMNS, len(rows))
    down = -(-len(rows) // columns)
    block, row_high = (1 + most) * (SIDE + GAP), SIDE + 2 * FONT + 2 * GAP
    wide = min(LONGEST, 2 * GAP + columns * (block + 2 * GAP))
    canvas = np.empty((2 * GAP + down * row_high, wide, 3), np.uint8)
    canvas[:] = PAPER
    texts = []
    for k, row in enumerate(rows):
        x, y = 2 * GAP + (k // down) * (block + 2 * GAP), 2 * GAP + (k % down) * row_high
        for place, picture in enumerate((row.picture, *row.portraits)):
            left = x + place * (SIDE + GAP)
            canvas[y : y + SIDE, left : left + SIDE] = _tile(picture)
        more = row.faces - len(row.portraits)
        said = "" if row.portraits else "cannot be read" if row.picture is None else "no portrait"
        texts.append(Text(x, y + SIDE + 4, row.name, FONT, INK, block - 8 * FONT))
        texts.append(Text(x + block - GAP, y + SIDE + 4, f"{more} more" if more else said, FONT, FAINT, None, "ra"))
    return with_texts(canvas, texts)


def _tile(picture: Image | None) -> Image:
    """(SIDE, SIDE, 3): the whole picture, as large as fits."""
    from PIL import Image as Pillow

    tile = np.full((SIDE, SIDE, 3), TILE, np.uint8)
    if picture is not None:
        small = Pillow.fromarray(np.ascontiguousarray(picture[..., :3]))
        small.thumbnail((SIDE, SIDE))
        if min(small.size) > 0:
            w, h = small.size
            x, y = (SIDE - w) // 2, (SIDE - h) // 2
            tile[y : y + h, x : x + w] = np.asarray(small)
    return tile
