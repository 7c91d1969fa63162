"""What lies beyond the photo's border: its edge carried on a little, then the colours of the surroundings."""

from __future__ import annotations

from typing import Any

import numpy as np

from tronie.arrays import Array, Image
from tronie.stages.portrait.source import Source
from tronie.stages.portrait.warp_field import membrane
from tronie.stages.texture.visibility import step

FEATHER_MM = 3.0
"""Over which the photo fades out at its border."""
CARRY_MM = 22.0
"""How far what touches the border above the eyes (hair, a hat) is carried on."""
CLEAR_MM = 95.0
"""Beside the middle of the head, from where on what touches the upper border is background."""


def inside(source: Source, places: Array, feather: float) -> Array:
    """(h, w) 0..1: whether the photo has the places (h, w, 2), pixels of the source; 1 from `feather` within it on."""
    rows, columns = source.image.shape[:2]
    x, y = places[..., 0], places[..., 1]
    near: Any = np.full(x.shape, 1e9, np.float32)
    for distance, ends in zip((x, y, columns - x, rows - y), source.open_sides, strict=True):
        if ends:
            near = np.minimum(near, distance)
    return step(near, 0.0, feather)


def beyond(picture: Image, known: Array, eyes: tuple[float, float], per_mm: float) -> Array:
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
