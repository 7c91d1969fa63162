"""How good a frame of a clip is for the head of somebody it shows, and how well it shows each part."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import Similarity
from tronie.pipelines.video.observation import Seen
from tronie.stages.face_parts import aside, shows_eyes, shows_lids, shows_teeth, uncovered, unrest
from tronie.stages.landmarks.squares import cut, sized
from tronie.stages.quality import sharpness
from tronie.types import Landmarks

YAWS = (-35.0, -12.0, 12.0, 35.0)
"""Degrees between the five sides from which a face is kept."""
SIDE = 112
"""Of the picture in which sharpness is looked at, pixels."""
CROWD = 0.3
"""How much a frame is worth in which another face is near."""
PARTS = ("teeth", "lids", "eyes")
"""What most frames do not show well, each on its own."""


def yaw_of(points: Array) -> float:
    """Degrees, roughly: from where the tip of the nose lies between the ends of the face."""
    left, right, nose = points[454, :2], points[234, :2], points[1, :2]
    across = left - right
    share = float((nose - right) @ across / max(float(across @ across), 1e-9))
    return float(np.degrees(np.arcsin(np.clip(2 * share - 1, -1, 1)))) * 0.75


def side_of(yaw: float) -> int:
    return int(np.searchsorted(YAWS, yaw))


def sharpness_of(image: Image, square: Similarity) -> float:
    """Of the face in a frame, at the frame's own resolution as far as SIDE pixels show it."""
    side = int(np.clip(square.scale, 32, SIDE))
    inner = Similarity(square.a, square.b, *square.apply([0.25, 0.25]))
    half = Similarity(inner.a / 2, inner.b / 2, inner.tx, inner.ty)
    return sharpness(cut(image, sized(half, side), side))


def quality(seen: Seen, image: Image) -> float:
    """Larger is better; but for its sharpness and its light."""
    quiet = 1 - 0.5 * unrest(seen.landmarks)
    crowd = 1.0 if seen.clear else CROWD
    size = min(seen.size / 256.0, 1.5)
    return (
        crowd * whole(seen.box, image) * seen.confidence * size * quiet * free(seen.landmarks) * _ahead(seen.landmarks)
    )


def free(landmarks: Landmarks) -> float:
    """0..1: how far a frame is worth it where something may cover the mouth or an eye."""
    return uncovered(landmarks, "mouth", "eye_left", "eye_right") ** 2


def _ahead(landmarks: Landmarks) -> float:
    return float(np.cos(np.radians(min(abs(yaw_of(landmarks.points)), 70.0))))


def whole(box: tuple[float, float, float, float], image: Image) -> float:
    """0..1: share of the head, not only the face, that lies inside the frame."""
    x0, y0, x1, y1 = box
    wide, high = x1 - x0, y1 - y0
    left, top, right, bottom = x0 - 0.25 * wide, y0 - 0.4 * high, x1 + 0.25 * wide, y1 + 0.15 * high
    height, width = image.shape[:2]
    across = max(min(right, width) - max(left, 0), 0) / max(right - left, 1e-6)
    down = max(min(bottom, height) - max(top, 0), 0) / max(bottom - top, 1e-6)
    return float(across * down)


def parts(image: Image, seen: Seen) -> Iterator[tuple[str, float]]:
    """How well a frame shows each of PARTS, but for its sharpness; nothing in a crowd."""
    if not seen.clear:
        return
    marks = seen.landmarks
    large = min(seen.size / 128.0, 1.5) * seen.confidence * _ahead(marks)
    yield "teeth", min(large, 1.0) * shows_teeth(image, marks)
    yield "lids", large * shows_lids(marks)
    yield "eyes", large * shows_eyes(marks) * (1 - aside(marks))
