"""Pictures looked up at any number of places."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

ROW = 1024
"""Places are laid out in rows of so many: OpenCV takes no list of 32,767 or more."""


def sampled(image: NDArray[Any], places: ArrayLike) -> NDArray[Any]:
    """(N, C) in the type of `image` (h, w, C), bilinear, at `places` (N, 2): x, y in pixels whose centres lie at +0.5.

    Beyond the border its colours go on. What is not finite is looked up at the corner.
    """
    import cv2

    height, width, channels = image.shape
    at = np.nan_to_num(np.clip(np.asarray(places) - 0.5, -1, [width, height])).astype(np.float32)
    count = len(at)
    if not count:
        return np.zeros((0, channels), image.dtype)
    grid = np.resize(at, (-(-count // ROW), min(count, ROW), 2))
    x, y = (np.ascontiguousarray(grid[..., k]) for k in (0, 1))
    found = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found).reshape(-1, channels)[:count]
