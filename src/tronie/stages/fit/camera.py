"""Focal length estimation: the camera of a photo that may not say what it was taken with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tronie.geometry import Camera
from tronie.types import Detection

EQUIVALENT_MM = 50.0
"""Where a file says nothing: the focal length, as a 35 mm camera's, of a picture that is not a close-up."""
NEAREST_MM = 900.0
"""... and a face is taken to be no nearer than this: portraits are made from a distance, with longer lenses."""
FACE_MM = 165.0
"""Height of a detected face box in the flesh, brow hair to chin (mean over boxes of the default detector)."""

GUESS_SIGMA = 0.45
"""Spread of the logarithm of the focal length around that guess."""
REACH = (-1.0, 2.0)
"""How far the faces may move it: not below an equivalent of 18 mm."""


def guess_camera(
    size: tuple[int, int],
    focal: float | None,
    faces: Sequence[Detection],
    nearness: Sequence[tuple[float, float, float]] = (),
) -> Camera:
    """The photo's camera: `focal` (pixels) when known, else estimated.

    `size` is (width, height); the principal point is the middle of the picture. The estimate starts from a 50 mm
    equivalent, longer if a face is very large, and gives way to what the faces' own perspective says: `nearness` holds
    for each face its scale (pixels per mm), 1000 mm / distance, and the spread of the latter.
    """
    width, height = size
    if focal is None:
        focal = EQUIVALENT_MM / 36.0 * max(width, height)
        if faces:
            largest = max(face.height for face in faces)
            focal = max(focal, largest / FACE_MM * NEAREST_MM)
        grid = np.log(focal) + np.linspace(*REACH, 161)
        cost = ((grid - np.log(focal)) / GUESS_SIGMA) ** 2
        for scale, near, sigma in nearness:
            # The faces of one photo err alike: all of them together say as much as one.
            cost += ((1000.0 * scale * np.exp(-grid) - near) / sigma) ** 2 / len(nearness)
        focal = float(np.exp(_lowest(grid, cost))) if nearness else focal
    return Camera(float(focal), (width / 2, height / 2), (width, height))


def _lowest(grid: NDArray[np.float64], cost: NDArray[np.float64]) -> float:
    """Where a smooth cost on an even grid is least; inside, the lowest point of the parabola through the three there:
    photos that hardly differ get cameras that hardly do."""
    k = int(cost.argmin())
    if not 0 < k < len(grid) - 1:
        return float(grid[k])
    before, here, after = cost[k - 1 : k + 2]
    bend = before - 2 * here + after
    return float(grid[k] + (0.5 * (before - after) / bend if bend > 0 else 0.0) * (grid[1] - grid[0]))
