"""Triangles to pixels: which triangle is in front, where in it, how far.

Vertices are snapped to 1/1024 of a pixel and the edge functions are integers (Pineda 1988), so a pixel centre on an
edge shared by two triangles belongs to exactly one of them (top-left rule) and the walk along a row accumulates no
error. Depth is interpolated as 1 / depth, which is linear on the screen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tronie.arrays import Array
from tronie.runtime.jit import jit

Ints = NDArray[np.int32]

SUBPIXEL = 1024
"""Steps of the snapping grid per pixel."""
REACH = 2.0**19
"""Pixels from the origin beyond which a triangle is dropped: the products of the edge functions must fit 64 bits."""

NOWHERE = -(2**31)
"""On that grid: of a vertex that cannot be drawn."""


@dataclass(frozen=True, slots=True)
class Buffers:
    """What is seen through each pixel's centre."""

    triangle: Ints
    """(H, W) row of the triangles, -1 where there is none."""
    barycentric: Array
    """(H, W, 3) float32, perspective-correct weights of its corners, 0 where there is none."""
    depth: Array
    """(H, W) float32, inf where there is none."""


def rasterize(points: ArrayLike, triangles: ArrayLike, height: int, width: int, cull: bool = True) -> Buffers:
    """Draw triangles (T, 3) over points (V, 3): x px, y px, depth > 0 (use 1 everywhere for a flat picture).

    Pixel (i, j) is sampled at x = j + 0.5, y = i + 0.5. With `cull` only triangles that run counter-clockwise
    as seen by the viewer (y pointing down) are drawn. Triangles with a corner at or behind the camera are
    left out. Of two surfaces at the same depth the earlier triangle wins.
    """
    p = np.ascontiguousarray(points, dtype=np.float32)
    t = np.ascontiguousarray(triangles, dtype=np.int32)
    triangle = visible(p, t, height, width, cull)[0]
    barycentric = np.empty((height, width, 3), dtype=np.float32)
    depth = np.empty((height, width), dtype=np.float32)
    _weigh(p, t, triangle, barycentric, depth)
    return Buffers(triangle, barycentric, depth)


def visible(points: Array, triangles: Ints, height: int, width: int, cull: bool = True) -> tuple[Ints, Array]:
    """The cheap half of `rasterize`: ids (H, W) int32 and 1 / depth (H, W) float32, 0 where there is nothing."""
    triangle = np.full((height, width), -1, dtype=np.int32)
    inverse_depth = np.zeros((height, width), dtype=np.float32)
    _draw(points, snap_points(points), triangles, cull, triangle, inverse_depth)
    return triangle, inverse_depth


def snap_points(points: Array) -> NDArray[np.int64]:
    """(V, 2) int64 on the grid, of points (V, 3) as in `rasterize`; NOWHERE where one cannot be drawn."""
    grid = np.zeros((len(points), 2), dtype=np.int64)
    _on_grid(points, grid)
    return grid


def interpolate(buffers: Buffers, triangles: ArrayLike, values: ArrayLike) -> Array:
    """Values (V, k) at the corners -> (H, W, k) float32 over the picture, 0 where there is nothing."""
    v = np.ascontiguousarray(values, dtype=np.float32)
    t = np.ascontiguousarray(triangles, dtype=np.int32)
    out = np.zeros((*buffers.triangle.shape, v.shape[1]), dtype=np.float32)
    _interpolate(buffers.triangle, buffers.barycentric, t, v, out)
    return out


@jit
def snap(x: float) -> int:
    """Pixels -> the nearest step of the integer grid."""
    return int(np.floor(x * SUBPIXEL + 0.5))


@jit
def chart(uv: Any, a: int, b: int, c: int, size: int) -> tuple[bool, int, int, int, int, int, int, int]:
    """A triangle of the atlas on the grid: whether b and c have to change places for its area to be positive, the six
    coordinates of its corners after that, and twice its area; 0 where it has none."""
    ax, ay = snap(uv[a, 0] * size), snap(uv[a, 1] * size)
    bx, by = snap(uv[b, 0] * size), snap(uv[b, 1] * size)
    cx, cy = snap(uv[c, 0] * size), snap(uv[c, 1] * size)
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    if area < 0:
        return True, ax, ay, cx, cy, bx, by, -area
    return False, ax, ay, bx, by, cx, cy, area


@jit
def corners(
    ax: int, ay: int, bx: int, by: int, cx: int, cy: int, height: int, width: int
) -> tuple[int, int, int, int, int, int, int]:
    """Box of pixels j0, j1, i0, i1 whose centres a snapped triangle of positive area may cover, and its three edge
    functions at the first of them; each is positive inside and weighs the corner opposite."""
    half = SUBPIXEL // 2
    j0 = max(0, -((half - min(ax, min(bx, cx))) // SUBPIXEL))
    j1 = min(width - 1, (max(ax, max(bx, cx)) - half) // SUBPIXEL)
    i0 = max(0, -((half - min(ay, min(by, cy))) // SUBPIXEL))
    i1 = min(height - 1, (max(ay, max(by, cy)) - half) // SUBPIXEL)
    px, py = j0 * SUBPIXEL + half, i0 * SUBPIXEL + half
    e0 = (cx - bx) * (py - by) - (cy - by) * (px - bx)
    e1 = (ax - cx) * (py - cy) - (ay - cy) * (px - cx)
    e2 = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
    # Top-left rule: a centre on any other edge is outside.
    if not (cy < by or (cy == by and cx > bx)):
        e0 -= 1
    if not (ay < cy or (ay == cy and ax > cx)):
        e1 -= 1
    if not (by < ay or (by == ay and bx > ax)):
        e2 -= 1
    return j0, j1, i0, i1, e0, e1, e2


@jit
def span(e0: int, e1: int, e2: int, x0: int, x1: int, x2: int, last: int) -> tuple[int, int]:
    """First and last step 0..last along a row at which all three edge functions (e + step x) are >= 0."""
    start, stop = 0, last
    for e, x in ((e0, x0), (e1, x1), (e2, x2)):
        if x > 0:
            if e < 0:
                start = max(start, (-e + x - 1) // x)
        elif e < 0:
            stop = -1
        elif x < 0:
            stop = min(stop, e // -x)
    return start, stop


@jit
def _on_grid(points: Any, grid: Any) -> None:
    """Snap every vertex once, not for each of its triangles; NOWHERE where it is not before the camera, or too far."""
    for v in range(points.shape[0]):
        x, y = points[v, 0], points[v, 1]
        if points[v, 2] > 0 and abs(x) < REACH and abs(y) < REACH:
            grid[v, 0], grid[v, 1] = snap(x), snap(y)
        else:
            grid[v, 0] = NOWHERE


@jit
def _draw(points: Any, grid: Any, triangles: Any, cull: bool, triangle: Any, inverse_depth: Any) -> None:
    height, width = triangle.shape
    low = height * SUBPIXEL
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ay, by, cy = grid[a, 1], grid[b, 1], grid[c, 1]
        # Bands of a picture are drawn by themselves: most triangles lie in another.
        if max(ay, max(by, cy)) < 0 or min(ay, min(by, cy)) > low:
            continue
        ax, bx, cx = grid[a, 0], grid[b, 0], grid[c, 0]
        if ax == NOWHERE or bx == NOWHERE or cx == NOWHERE:
            continue
        # Twice the area; negative for counter-clockwise corners because y points down.
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0 or (cull and area > 0):
            continue
        if area < 0:
            b, bx, by, c, cx, cy = c, cx, cy, b, bx, by
            area = -area
        j0, j1, i0, i1, e0, e1, e2 = corners(ax, ay, bx, by, cx, cy, height, width)
        if j0 > j1 or i0 > i1:  # between the centres: most triangles of small pictures
            continue
        x0, x1, x2 = -(cy - by) * SUBPIXEL, -(ay - cy) * SUBPIXEL, -(by - ay) * SUBPIXEL
        y0, y1, y2 = (cx - bx) * SUBPIXEL, (ax - cx) * SUBPIXEL, (bx - ax) * SUBPIXEL
        scale = 1.0 / area
        ra, rb, rc = scale / points[a, 2], scale / points[b, 2], scale / points[c, 2]
        for i in range(i0, i1 + 1):
            start, stop = span(e0, e1, e2, x0, x1, x2, j1 - j0)
            f0, f1, f2 = e0 + start * x0, e1 + start * x1, e2 + start * x2
            for j in range(j0 + start, j0 + stop + 1):
                r = f0 * ra + f1 * rb + f2 * rc
                if r > inverse_depth[i, j]:
                    inverse_depth[i, j] = r
                    triangle[i, j] = t
                f0 += x0
                f1 += x1
                f2 += x2
            e0 += y0
            e1 += y1
            e2 += y2


@jit
def barycentric_weights(points: Any, a: int, b: int, c: int, x: float, y: float) -> tuple[float, float, float, float]:
    """Perspective-correct weights of corners a, b, c at pixel position x, y, and the depth there."""
    ax, ay = snap(points[a, 0]), snap(points[a, 1])
    bx, by = snap(points[b, 0]), snap(points[b, 1])
    cx, cy = snap(points[c, 0]), snap(points[c, 1])
    px, py = x * SUBPIXEL, y * SUBPIXEL
    w0 = ((cx - bx) * (py - by) - (cy - by) * (px - bx)) / points[a, 2]
    w1 = ((ax - cx) * (py - cy) - (ay - cy) * (px - cx)) / points[b, 2]
    w2 = ((bx - ax) * (py - ay) - (by - ay) * (px - ax)) / points[c, 2]
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    total = w0 + w1 + w2
    return w0 / total, w1 / total, w2 / total, area / total


@jit
def _weigh(points: Any, triangles: Any, triangle: Any, barycentric: Any, depth: Any) -> None:
    for i in range(triangle.shape[0]):
        for j in range(triangle.shape[1]):
            t = triangle[i, j]
            if t < 0:
                depth[i, j] = np.inf
                barycentric[i, j, 0] = barycentric[i, j, 1] = barycentric[i, j, 2] = 0
                continue
            w0, w1, w2, z = barycentric_weights(
                points, triangles[t, 0], triangles[t, 1], triangles[t, 2], j + 0.5, i + 0.5
            )
            barycentric[i, j, 0], barycentric[i, j, 1], barycentric[i, j, 2] = w0, w1, w2
            depth[i, j] = z


@jit
def _interpolate(triangle: Any, barycentric: Any, triangles: Any, values: Any, out: Any) -> None:
    for i in range(triangle.shape[0]):
        for j in range(triangle.shape[1]):
            t = triangle[i, j]
            if t < 0:
                continue
            for k in range(values.shape[1]):
                out[i, j, k] = (
                    barycentric[i, j, 0] * values[triangles[t, 0], k]
                    + barycentric[i, j, 1] * values[triangles[t, 1], k]
                    + barycentric[i, j, 2] * values[triangles[t, 2], k]
                )
