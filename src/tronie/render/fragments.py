"""From samples to surfaces and back to pixels: planes of the visible triangles, what each pixel shows, the mixture.

All numbers are float32; constants are made so too, because numba computes float32 with a Python float in float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tronie.runtime.jit import fast_jit, jit

ZERO, ONE, HALF = (np.float32(x) for x in (0, 1, 0.5))
NEAR = np.float32(1.003)
"""0.3 % of the distance, some 3 mm at portrait distance: samples further apart lie on two surfaces."""
STEPS = 4096
"""Of the table from linear light to sRGB, per unit."""
REACH = 3
"""Linear light up to which that table goes."""
CLUSTERS = 6
"""Surfaces in one pixel that are told apart."""
ROW = 12
"""Of `planes`."""


@jit
def planes(points: Any, triangles: Any, triangle_uv: Any, uv: Any, texels: Any, samples: Any, ids: Any) -> Any:
    """(T, ROW) for the triangles that `ids` shows: the first corner's x, y; value, slope in x and in y from there of
    1 / depth, and of the second and third corner's weight by depth, which are all linear on the screen; the level of
    detail. `texels` is the texture's side, `samples` those per pixel and axis, the unit of x and y."""
    out = np.zeros((triangles.shape[0], ROW), np.float32)
    wanted = np.zeros(triangles.shape[0], np.bool_)
    for i in range(ids.shape[0]):
        for j in range(ids.shape[1]):
            if ids[i, j] >= 0:
                wanted[ids[i, j]] = True
    for t in range(triangles.shape[0]):
        if not wanted[t]:
            continue
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        bx, by = float(points[b, 0]) - points[a, 0], float(points[b, 1]) - points[a, 1]
        cx, cy = float(points[c, 0]) - points[a, 0], float(points[c, 1]) - points[a, 1]
        area = bx * cy - by * cx
        scale = 1.0 / area if abs(area) > 1e-9 else 0.0
        ra, rb, rc = 1.0 / points[a, 2], 1.0 / points[b, 2], 1.0 / points[c, 2]
        out[t, 0], out[t, 1] = points[a, 0], points[a, 1]
        out[t, 2] = ra
        out[t, 3] = ((rb - ra) * cy - (rc - ra) * by) * scale
        out[t, 4] = ((rc - ra) * bx - (rb - ra) * cx) * scale
        out[t, 6], out[t, 7] = rb * cy * scale, -rb * cx * scale
        out[t, 9], out[t, 10] = -rc * by * scale, rc * bx * scale
        p, q, r = triangle_uv[t, 0], triangle_uv[t, 1], triangle_uv[t, 2]
        chart = (uv[q, 0] - uv[p, 0]) * (uv[r, 1] - uv[p, 1]) - (uv[q, 1] - uv[p, 1]) * (uv[r, 0] - uv[p, 0])
        density = abs(chart) * texels * texels * samples * samples / max(abs(area), 1e-6)
        # A quarter of a step sharper than one texel to a pixel: edges have several samples, and skin looks better.
        out[t, 11] = max(0.5 * np.log2(max(density, 1e-6)) - 0.25, 0.0)
    return out


@jit
def fragments(ids: Any, inverse_depth: Any, samples: int, parts: Any, pixel: Any, surface: Any, place: Any) -> int:
    """Sort the samples of each pixel into surfaces (by part and depth), to be shaded once at the mean of its samples.

    Fills the pixel's number and how many of its samples it has (N, 2), its triangle (N,), its place (N, 2); says how
    many there are, which may be more than fit.
    """
    triangle = np.zeros(CLUSTERS, np.int64)
    number = np.zeros(CLUSTERS, np.int64)
    sum_x = np.zeros(CLUSTERS, np.float32)
    sum_y = np.zeros(CLUSTERS, np.float32)
    depth = np.zeros(CLUSTERS, np.float32)
    height, width = ids.shape[0] // samples, ids.shape[1] // samples
    total = 0
    for i in range(height):
        for j in range(width):
            top, left = i * samples, j * samples
            t0 = ids[top, left]
            same = True
            for s in range(samples):
                for k in range(samples):
                    same = same and ids[top + s, left + k] == t0
            if same and t0 < 0:
                continue
            count = 0
            if same:
                count = 1
                triangle[0], number[0] = t0, samples * samples
                sum_x[0] = np.float32(samples * samples) * (np.float32(left) + HALF * np.float32(samples))
                sum_y[0] = np.float32(samples * samples) * (np.float32(top) + HALF * np.float32(samples))
            else:
                for s in range(samples):
                    for k in range(samples):
                        t = ids[top + s, left + k]
                        if t < 0:
                            continue
                        d = inverse_depth[top + s, left + k]
                        found = -1
                        for m in range(count):
                            if parts[triangle[m]] == parts[t] and d < NEAR * depth[m] and depth[m] < NEAR * d:
                                found = m
                                break
                        if found < 0 and count == CLUSTERS:
                            found = count - 1
                        if found < 0:
                            found = count
                            count += 1
                            triangle[found], number[found], depth[found] = t, 0, d
                            sum_x[found] = sum_y[found] = ZERO
                        number[found] += 1
                        sum_x[found] += np.float32(left + k) + HALF
                        sum_y[found] += np.float32(top + s) + HALF
            for m in range(count):
                if total < surface.shape[0]:
                    by = ONE / np.float32(number[m])
                    pixel[total, 0], pixel[total, 1] = i * width + j, number[m]
                    surface[total] = triangle[m]
                    place[total, 0], place[total, 1] = sum_x[m] * by, sum_y[m] * by
                total += 1
    return total


@jit
def _encode(value: Any, to_srgb: Any) -> Any:
    return to_srgb[int(min(max(value, ZERO), np.float32(REACH)) * np.float32(STEPS) + HALF)]


@fast_jit
def resolve(
    pixel: Any,
    colors: Any,
    samples: int,
    to_linear: Any,
    to_srgb: Any,
    transparent: bool,
    left: int,
    width: int,
    out: Any,
) -> None:
    """Mix the fragments of each pixel, which follow each other, into `out`: over what it holds (H, W, 3), or with alpha
    (H, W, 4) where `transparent`. Pixels are numbered over `width` columns of it from `left` on."""
    each = ONE / np.float32(samples * samples)
    f = 0
    while f < pixel.shape[0]:
        at = pixel[f, 0]
        red = green = blue = cover = ZERO
        while f < pixel.shape[0] and pixel[f, 0] == at:
            share = np.float32(pixel[f, 1]) * each * colors[f, 3]
            # Cut off before they are mixed, or a glint beside the dark would have steps.
            red += share * min(colors[f, 0], np.float32(REACH))
            green += share * min(colors[f, 1], np.float32(REACH))
            blue += share * min(colors[f, 2], np.float32(REACH))
            cover += share
            f += 1
        i, j = at // width, left + at % width
        if transparent:
            if out[i, j, 3] > 0 and cover < ONE:
                below = (ONE - cover) * np.float32(out[i, j, 3]) / np.float32(255)
                red += below * to_linear[4 * out[i, j, 0]]
                green += below * to_linear[4 * out[i, j, 1]]
                blue += below * to_linear[4 * out[i, j, 2]]
                cover += below
            by = ONE / max(cover, np.float32(1e-6))
            red, green, blue = red * by, green * by, blue * by
            out[i, j, 3] = np.uint8(min(cover, ONE) * np.float32(255) + HALF)
        elif cover < np.float32(0.9999):
            rest = ONE - cover
            red += rest * to_linear[4 * out[i, j, 0]]
            green += rest * to_linear[4 * out[i, j, 1]]
            blue += rest * to_linear[4 * out[i, j, 2]]
        out[i, j, 0] = _encode(red, to_srgb)
        out[i, j, 1] = _encode(green, to_srgb)
        out[i, j, 2] = _encode(blue, to_srgb)
