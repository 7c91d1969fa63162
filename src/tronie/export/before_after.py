"""The sheet of a restored photo: before, after and, where it was asked for, in colours; below, its largest faces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tronie.arrays import Image
from tronie.export.contact_sheet import FAINT, INK, PAPER, WARN, Text, with_texts
from tronie.geometry import Similarity
from tronie.stages.enhance.restoration import Restoration
from tronie.stages.landmarks.align import aligned_crop, aligned_square
from tronie.types import Face

WIDE, TALL = 760, 900
"""Pixels of a picture of the whole photo, at most."""
TILE = 250
"""Side of a face."""
FACES = 6
"""That are shown."""
GAP, TITLE, FONT = 16, 26, 15
COLUMNS = ("before", "after", "in invented colours")


def sheet(result: Restoration, said: str) -> Image:
    """(H, W, 3) with what was done as its last line."""
    pictures = [result.photo.image, result.image]
    if result.colouring is not None:
        pictures.append(result.colouring.image)
    height, width = result.photo.image.shape[:2]
    scale = min(WIDE / width, TALL / height, max(result.factor, 1.0))
    size = max(round(scale * width), 1), max(round(scale * height), 1)
    rows = [[_sized(picture, size) for picture in pictures]]
    column = max(size[0], TILE)
    across = max(column // (TILE + GAP), 1)
    faces = [face for face in result.faces if face.landmarks is not None][:FACES]
    for start in range(0, len(faces), across):
        some = faces[start : start + across]
        rows.append([_faces(picture, result, some) for picture in pictures])
    total = 2 * GAP + len(pictures) * (column + GAP) - GAP
    tall = 4 * GAP + TITLE + 2 * FONT + sum(row[0].shape[0] + GAP for row in rows)
    canvas = np.empty((tall, total, 3), np.uint8)
    canvas[:] = PAPER
    texts = [Text(GAP, GAP, result.photo.name, TITLE, INK, total - 2 * GAP)]
    top = 2 * GAP + TITLE
    for k, label in enumerate(COLUMNS[: len(pictures)]):
        ink = WARN if k == 2 else FAINT
        texts.append(Text(GAP + k * (column + GAP), top - GAP // 2, label, FONT, ink, column))
    top += FONT + GAP // 2
    for row in rows:
        for k, picture in enumerate(row):
            left = GAP + k * (column + GAP)
            canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
        top += row[0].shape[0] + GAP
    texts.append(Text(GAP, top, said, FONT, INK, total - 2 * GAP))
    return with_texts(canvas, texts)


def _faces(picture: Image, result: Restoration, faces: Sequence[Face]) -> Image:
    """Aligned crops of faces of a picture of the whole photo, in a row."""
    factor = len(picture) / len(result.photo.image)
    tiles = []
    for face in faces:
        assert face.landmarks is not None
        square = aligned_square(face.landmarks.points).then(Similarity(factor, 0, 0, 0))
        tiles += [aligned_crop(picture, square, TILE).image, np.full((TILE, GAP, 3), PAPER, np.uint8)]
    return np.concatenate(tiles[:-1], axis=1)


def _sized(picture: Image, size: tuple[int, int]) -> Image:
    import cv2

    way = cv2.INTER_AREA if size[0] < picture.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=way), dtype=np.uint8)
