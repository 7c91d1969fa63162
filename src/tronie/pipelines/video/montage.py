"""The best frames of a clip's people side by side, as one photo for the contact sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tronie.render.overlay import face_region
from tronie.stages.letterbox import shifted
from tronie.types import Face, Photo

WIDER = 1.15
"""Side of what is shown of a frame, by that of the head's region."""


def montage(views: Sequence[tuple[Photo, Face]], name: str, source: str) -> tuple[Photo | None, list[Face]]:
    """One photo and the faces in its pixels. Of one face: its own frame. None where there is none."""
    if len(views) == 1:
        photo, face = views[0]
        return replace(photo, name=name), [face]
    pieces = []
    for photo, face in views:
        region = face_region(face)
        x, y, side = region.x, region.y, region.side * WIDER
        x0, y0 = int(max(x - 0.08 * side, 0)), int(max(y - 0.08 * side, 0))
        x1, y1 = int(min(x0 + side, photo.image.shape[1])), int(min(y0 + side, photo.image.shape[0]))
        if x1 - x0 > 4 and y1 - y0 > 4:
            pieces.append((photo.image[y0:y1, x0:x1], (x0, y0), face))
    if not pieces:
        return None, []
    height = max(piece.shape[0] for piece, *_ in pieces)
    canvas = np.full((height, sum(piece.shape[1] for piece, *_ in pieces), 3), 38, np.uint8)
    faces, left = [], 0
    for piece, (x0, y0), face in pieces:
        h, w = piece.shape[:2]
        canvas[:h, left : left + w] = piece
        faces.append(shifted(face, left - x0, -y0, (canvas.shape[1], height)))
        left += w
    return Photo(canvas, name=name, source=source), faces
