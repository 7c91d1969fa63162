"""The focal length in pixels, as far as a photo's EXIF tells it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

FOCAL_LENGTH, FOCAL_35MM = 0x920A, 0xA405
PLANE_X_RESOLUTION, PLANE_UNIT = 0xA20E, 0xA210
PIXEL_WIDTH, PIXEL_HEIGHT = 0xA002, 0xA003

DIAGONAL_35MM = math.hypot(36, 24)
"""Of the film frame that 35 mm equivalents refer to (CIPA DCG-001: equal angles over the diagonal)."""
UNIT_MM = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
PLAUSIBLE = (0.3, 40.0)
"""Focal length / longer side: from a 12 mm fisheye's to a 1,400 mm telescope's."""


def focal_pixels(tags: Mapping[int, Any], width: int, height: int) -> float | None:
    """EXIF tags and the size, pixels, of the picture as it will be used -> focal length in its pixels, or None.

    The picture may be scaled or turned against what the camera took, but not cropped: where the recorded size has
    other proportions, nothing can be said.
    """
    longer, shorter = max(width, height), min(width, height)
    taken_width, taken_height = _number(tags.get(PIXEL_WIDTH)) or 0.0, _number(tags.get(PIXEL_HEIGHT)) or 0.0
    if taken_width and taken_height:
        taken_longer, taken_shorter = max(taken_width, taken_height), min(taken_width, taken_height)
        # Two pixels of slack: encoders round to whole blocks.
        if abs(taken_shorter / taken_longer * longer - shorter) > 2 + 0.01 * longer:
            return None

    candidates = []
    equivalent = _number(tags.get(FOCAL_35MM))
    if equivalent:
        candidates.append(equivalent / DIAGONAL_35MM * math.hypot(width, height))
    focal, density = _number(tags.get(FOCAL_LENGTH)), _number(tags.get(PLANE_X_RESOLUTION))
    unit = UNIT_MM.get(int(_number(tags.get(PLANE_UNIT)) or 2))
    if focal and density and unit and taken_width and taken_height:
        candidates.append(focal * density / unit * longer / max(taken_width, taken_height))
    return next((f for f in candidates if PLAUSIBLE[0] <= f / longer <= PLAUSIBLE[1]), None)


def _number(value: Any) -> float | None:
    """A positive finite number, or None; EXIF rationals may be 0/0."""
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) and number > 0 else None
