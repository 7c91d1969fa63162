"""Kernels that look for alike patches of one picture: what may stand where it is lost.

Barnes et al., PatchMatch: A Randomized Correspondence Algorithm for Structural Image Editing (2009); the pictures that
they vote for as in Wexler et al., Space-Time Completion of Video (2007).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tronie.runtime.jit import fast_jit

REACH = 3
"""Pixels from a patch's middle to its edge."""


@fast_jit
def _apart(image: Any, weight: Any, ty: Any, tx: Any, sy: Any, sx: Any, least: Any) -> Any:
    """How little a patch is like another: the sum of squares, weighed by how sure each pixel of the first is; anything
    above `least` is as good as infinite."""
    total = np.float32(0)
    for dy in range(-REACH, REACH + 1):
        for dx in range(-REACH, REACH + 1):
            w = weight[ty + dy, tx + dx]
            if w > 0:
                for c in range(3):
                    d = image[ty + dy, tx + dx, c] - image[sy + dy, sx + dx, c]
                    total += w * d * d
        if total >= least:
            break
    return total


@fast_jit
def match(image: Any, weight: Any, source: Any, targets: Any, near: Any, far: Any, radius: int, rounds: int) -> None:
    """Improve for every target pixel the place that its patch is like.

    `image` (H, W, 3) float32; `weight` (H, W) float32 how sure each pixel is, 0 beyond the picture; `source` (H, W)
    bool: middles of patches that are wholly known; `targets` (N, 2) y, x in the order of rows; `near` (H, W, 2) int32
    y, x of the place, of targets; -1 elsewhere; `far` (H, W) float32 how little they are alike. The last two are
    written. Places are tried up to `radius` pixels from the best one.
    """
    height, width = weight.shape
    state = np.uint32(2463534242)
    for k in range(len(targets)):
        y, x = targets[k, 0], targets[k, 1]
        far[y, x] = _apart(image, weight, y, x, near[y, x, 0], near[y, x, 1], np.float32(np.inf))
    for turn in range(rounds):
        step = 1 if turn % 2 == 0 else -1
        for n in range(len(targets)):
            k = n if step == 1 else len(targets) - 1 - n
            y, x = targets[k, 0], targets[k, 1]
            for axis in range(2):
                ny, nx = y - step * (1 - axis), x - step * axis
                if ny < 0 or nx < 0 or ny >= height or nx >= width or near[ny, nx, 0] < 0:
                    continue
                sy, sx = near[ny, nx, 0] + step * (1 - axis), near[ny, nx, 1] + step * axis
                if sy < 0 or sx < 0 or sy >= height or sx >= width or not source[sy, sx]:
                    continue
                apart = _apart(image, weight, y, x, sy, sx, far[y, x])
                if apart < far[y, x]:
                    far[y, x], near[y, x, 0], near[y, x, 1] = apart, sy, sx
            reach = radius
            while reach >= 1:
                state ^= state << np.uint32(13)
                state ^= state >> np.uint32(17)
                state ^= state << np.uint32(5)
                sy = near[y, x, 0] + np.int64(state % np.uint32(2 * reach + 1)) - reach
                sx = near[y, x, 1] + np.int64((state >> np.uint32(16)) % np.uint32(2 * reach + 1)) - reach
                if 0 <= sy < height and 0 <= sx < width and source[sy, sx]:
                    apart = _apart(image, weight, y, x, sy, sx, far[y, x])
                    if apart < far[y, x]:
                        far[y, x], near[y, x, 0], near[y, x, 1] = apart, sy, sx
                reach //= 2


@fast_jit
def vote(image: Any, hole: Any, targets: Any, near: Any, far: Any, spread: Any, total: Any) -> None:
    """Write into the `hole` (H, W) bool of `image` the mean of what the patches of all targets say, those counting more
    that fit better: exp(-far / spread). `total` (H, W, 4) float32, zero, is room to work in."""
    for k in range(len(targets)):
        y, x = targets[k, 0], targets[k, 1]
        w = np.exp(-min(far[y, x] / spread, np.float32(30)))
        for dy in range(-REACH, REACH + 1):
            for dx in range(-REACH, REACH + 1):
                if hole[y + dy, x + dx]:
                    for c in range(3):
                        total[y + dy, x + dx, c] += w * image[near[y, x, 0] + dy, near[y, x, 1] + dx, c]
                    total[y + dy, x + dx, 3] += w
    for y in range(hole.shape[0]):
        for x in range(hole.shape[1]):
            if hole[y, x] and total[y, x, 3] > 0:
                for c in range(3):
                    image[y, x, c] = total[y, x, c] / total[y, x, 3]
