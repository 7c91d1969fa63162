"""The inner loops of `render.view`: planes of the visible triangles, and the shading of every pixel.

All numbers are float32; constants are made so too, because numba computes float32 with a Python float in float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tronie.render.jit import fast_jit, jit

ZERO, ONE, TWO, THREE, FOUR, HALF = (np.float32(x) for x in (0, 1, 2, 3, 4, 0.5))
Y0, Y1 = np.float32(0.28209479), np.float32(0.48860251)
Y2A, Y2B, Y2C = np.float32(1.09254843), np.float32(0.31539157), np.float32(0.54627422)
NEAR = np.float32(1.003)
"""0.3 % of the distance, some 3 mm at portrait distance: samples further apart lie on two surfaces."""
STEPS = 4096
"""Of the table from linear light to sRGB, per unit."""
REACH = 3
"""Linear light up to which that table goes."""
TEXTURED, CLAY, PROVENANCE, UNCERTAINTY, NORMALS = range(5)
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


@fast_jit
def _bilinear(pyramid: Any, offset: Any, height: Any, width: Any, u: Any, v: Any) -> Any:
    px = min(max(u * np.float32(width) - HALF, ZERO), np.float32(width - 1))
    py = min(max(v * np.float32(height) - HALF, ZERO), np.float32(height - 1))
    j, i = int(px), int(py)
    fx, fy = px - np.float32(j), py - np.float32(i)
    right = 3 if j + 1 < width else 0
    below = 3 * width if i + 1 < height else 0
    at = offset + 3 * (i * width + j)
    f11 = fx * fy
    f01, f10 = fx - f11, fy - f11
    f00 = ONE - fx - f10
    return (
        f00 * pyramid[at] + f01 * pyramid[at + right] + f10 * pyramid[at + below] + f11 * pyramid[at + below + right],
        f00 * pyramid[at + 1] + f01 * pyramid[at + right + 1] + f10 * pyramid[at + below + 1]
        + f11 * pyramid[at + below + right + 1],
        f00 * pyramid[at + 2] + f01 * pyramid[at + right + 2] + f10 * pyramid[at + below + 2]
        + f11 * pyramid[at + below + right + 2],
    )  # fmt: skip


@fast_jit
def _texture(pyramid: Any, levels: Any, detail: Any, u: Any, v: Any) -> Any:
    """Trilinear sRGB 0..255 at u, v."""
    top = levels.shape[0] - 1
    k = min(int(detail), top)
    r, g, b = _bilinear(pyramid, levels[k, 0], levels[k, 1], levels[k, 2], u, v)
    share = detail - np.float32(k)
    if k < top and share > np.float32(0.02):
        p, q, s = _bilinear(pyramid, levels[k + 1, 0], levels[k + 1, 1], levels[k + 1, 2], u, v)
        r, g, b = r + share * (p - r), g + share * (q - g), b + share * (s - b)
    return r, g, b


@fast_jit
def _mirrored(maps: Any, k: Any, x: Any, y: Any, z: Any) -> Any:
    """Linear RGB of map k in direction x, y, z (see `light.directions`)."""
    side = maps.shape[1]
    s = ONE / (abs(x) + abs(y) + abs(z) + np.float32(1e-12))
    a, b = x * s, y * s
    if z > ZERO:
        fa, fb = ONE - abs(b), ONE - abs(a)
        a = fa if a >= ZERO else -fa
        b = fb if b >= ZERO else -fb
    px = min(max((a + ONE) * HALF * np.float32(side) - HALF, ZERO), np.float32(side - 1.001))
    py = min(max((b + ONE) * HALF * np.float32(side) - HALF, ZERO), np.float32(side - 1.001))
    j, i = int(px), int(py)
    fx, fy = px - np.float32(j), py - np.float32(i)
    f11 = fx * fy
    f01, f10 = fx - f11, fy - f11
    f00 = ONE - fx - f10
    i1, j1 = i + 1, j + 1
    return (
        f00 * maps[k, i, j, 0] + f01 * maps[k, i, j1, 0] + f10 * maps[k, i1, j, 0] + f11 * maps[k, i1, j1, 0],
        f00 * maps[k, i, j, 1] + f01 * maps[k, i, j1, 1] + f10 * maps[k, i1, j, 1] + f11 * maps[k, i1, j1, 1],
        f00 * maps[k, i, j, 2] + f01 * maps[k, i, j1, 2] + f10 * maps[k, i1, j, 2] + f11 * maps[k, i1, j1, 2],
    )


@fast_jit
def _lit_share(shadow: Any, to_shadow: Any, x: Any, y: Any, z: Any) -> Any:
    """0..1: how much of the lamp that casts shadows reaches camera position x, y, z, from the mean and the mean square
    of depth in the shadow's map (variance shadow maps, Donnelly & Lauritzen 2006)."""
    side = shadow.shape[0]
    u = to_shadow[0, 0] * x + to_shadow[0, 1] * y + to_shadow[0, 2] * z + to_shadow[0, 3]
    v = to_shadow[1, 0] * x + to_shadow[1, 1] * y + to_shadow[1, 2] * z + to_shadow[1, 3]
    d = to_shadow[2, 0] * x + to_shadow[2, 1] * y + to_shadow[2, 2] * z + to_shadow[2, 3]
    px = min(max(u - HALF, ZERO), np.float32(side - 1.001))
    py = min(max(v - HALF, ZERO), np.float32(side - 1.001))
    j, i = int(px), int(py)
    fx, fy = px - np.float32(j), py - np.float32(i)
    f11 = fx * fy
    f01, f10 = fx - f11, fy - f11
    f00 = ONE - fx - f10
    m = f00 * shadow[i, j, 0] + f01 * shadow[i, j + 1, 0] + f10 * shadow[i + 1, j, 0] + f11 * shadow[i + 1, j + 1, 0]
    q = f00 * shadow[i, j, 1] + f01 * shadow[i, j + 1, 1] + f10 * shadow[i + 1, j, 1] + f11 * shadow[i + 1, j + 1, 1]
    behind = d - m
    if behind <= ZERO:
        return ONE
    variance = max(q - m * m, np.float32(4.0))
    most = variance / (variance + behind * behind)
    # What the bound lets through behind two surfaces is cut off.
    t = min(max((most - np.float32(0.25)) / np.float32(0.75), ZERO), ONE)
    return t


@fast_jit
def shade(
    surface: Any, place: Any, rows: Any, triangles: Any, triangle_uv: Any, uv: Any, vertex: Any, parts: Any, wire: Any,
    mode: int, wired: bool, pyramid: Any, levels: Any, provenance: Any, palette: Any, heat: Any, materials: Any,
    lens: Any, lamps: Any, harmonics: Any, maps: Any, look: Any, shadow: Any, to_shadow: Any, to_linear: Any,
    colors: Any,
) -> None:  # fmt: skip
    """Linear red, green, blue and opacity (N, 4) of fragments: triangles (N,) at sample positions x, y (N, 2).

    One long loop, because a call for each with as many arrays took longer than the work itself.
    """
    for at in range(surface.shape[0]):
        t = surface[at]
        x, y = place[at, 0], place[at, 1]
        dx, dy = x - rows[t, 0], y - rows[t, 1]
        z = ONE / max(rows[t, 2] + rows[t, 3] * dx + rows[t, 4] * dy, np.float32(1e-9))
        b1 = min(max((rows[t, 6] * dx + rows[t, 7] * dy) * z, ZERO), ONE)
        b2 = min(max((rows[t, 9] * dx + rows[t, 10] * dy) * z, ZERO), ONE - b1)
        b0 = ONE - b1 - b2
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        opacity = b0 * vertex[a, 4] + b1 * vertex[b, 4] + b2 * vertex[c, 4]
        nx = b0 * vertex[a, 0] + b1 * vertex[b, 0] + b2 * vertex[c, 0]
        ny = b0 * vertex[a, 1] + b1 * vertex[b, 1] + b2 * vertex[c, 1]
        nz = b0 * vertex[a, 2] + b1 * vertex[b, 2] + b2 * vertex[c, 2]
        n = ONE / np.sqrt(max(nx * nx + ny * ny + nz * nz, np.float32(1e-12)))
        nx, ny, nz = nx * n, ny * n, nz * n
        px, py = (x * lens[4] - lens[2]) * lens[0] * z, (y * lens[4] - lens[3]) * lens[1] * z
        away = ONE / np.sqrt(px * px + py * py + z * z)
        vx, vy, vz = -px * away, -py * away, -z * away
        facing = nx * vx + ny * vy + nz * vz
        if facing < ZERO and look[3] > ZERO:  # the back of a surface that is drawn from both sides
            nx, ny, nz, facing = -nx, -ny, -nz, -facing
        part = parts[t]
        if mode == NORMALS:
            colors[at, 0], colors[at, 1], colors[at, 2] = HALF + HALF * nx, HALF - HALF * ny, HALF - HALF * nz
            colors[at, 3] = opacity
            continue

        p, q, r = triangle_uv[t, 0], triangle_uv[t, 1], triangle_uv[t, 2]
        u = b0 * uv[p, 0] + b1 * uv[q, 0] + b2 * uv[r, 0]
        v = b0 * uv[p, 1] + b1 * uv[q, 1] + b2 * uv[r, 1]
        if mode == TEXTURED:
            red, green, blue = _texture(pyramid, levels, rows[t, 11], u, v)
            red = to_linear[int(red * FOUR + HALF)]
            green = to_linear[int(green * FOUR + HALF)]
            blue = to_linear[int(blue * FOUR + HALF)]
        elif mode == PROVENANCE:
            side = provenance.shape[0]
            pi, pj = min(max(int(v * side), 0), side - 1), min(max(int(u * side), 0), side - 1)
            kind = provenance[pi, pj]
            if kind == 0:  # just outside the rim of a chart
                for s in range(25):
                    i, j = min(max(pi + s // 5 - 2, 0), side - 1), min(max(pj + s % 5 - 2, 0), side - 1)
                    kind = max(kind, provenance[i, j])
            red, green, blue = palette[kind, 0], palette[kind, 1], palette[kind, 2]
        elif mode == UNCERTAINTY:
            warm = b0 * vertex[a, 5] + b1 * vertex[b, 5] + b2 * vertex[c, 5]
            k = int(min(max(warm, ZERO), ONE) * np.float32(heat.shape[0] - 1) + HALF)
            red, green, blue = heat[k, 0], heat[k, 1], heat[k, 2]
        else:
            red, green, blue = materials[part, 5], materials[part, 6], materials[part, 7]

        bright = max(red, green)

        # Light from everywhere, by spherical harmonics, less where little of the space is open.
        open_share = b0 * vertex[a, 3] + b1 * vertex[b, 3] + b2 * vertex[c, 3]
        if 1 <= part <= 4:
            # Light creeps through lids, lips and gums to eyes and teeth, and they are bright: hollows hide less of it.
            open_share = np.sqrt(open_share)
        h1, h2, h3 = Y1 * ny, Y1 * nz, Y1 * nx
        h4, h5, h6 = Y2A * nx * ny, Y2A * ny * nz, Y2B * (THREE * nz * nz - ONE)
        h7, h8 = Y2A * nx * nz, Y2C * (nx * nx - ny * ny)
        er = max(
            Y0 * harmonics[0, 0] + h1 * harmonics[1, 0] + h2 * harmonics[2, 0] + h3 * harmonics[3, 0]
            + h4 * harmonics[4, 0] + h5 * harmonics[5, 0] + h6 * harmonics[6, 0] + h7 * harmonics[7, 0]
            + h8 * harmonics[8, 0], ZERO,
        )  # fmt: skip
        eg = max(
            Y0 * harmonics[0, 1] + h1 * harmonics[1, 1] + h2 * harmonics[2, 1] + h3 * harmonics[3, 1]
            + h4 * harmonics[4, 1] + h5 * harmonics[5, 1] + h6 * harmonics[6, 1] + h7 * harmonics[7, 1]
            + h8 * harmonics[8, 1], ZERO,
        )  # fmt: skip
        eb = max(
            Y0 * harmonics[0, 2] + h1 * harmonics[1, 2] + h2 * harmonics[2, 2] + h3 * harmonics[3, 2]
            + h4 * harmonics[4, 2] + h5 * harmonics[5, 2] + h6 * harmonics[6, 2] + h7 * harmonics[7, 2]
            + h8 * harmonics[8, 2], ZERO,
        )  # fmt: skip
        # Light that bounces between the walls of a hollow takes on their colour: what is bright there stays brighter.
        bounce = ONE - open_share
        er *= open_share * (ONE + bounce * red)
        eg *= open_share * (ONE + bounce * green)
        eb *= open_share * (ONE + bounce * blue)

        soft = look[1] * materials[part, 3]
        shine = ONE
        for k in range(lamps.shape[0]):
            cosine = nx * lamps[k, 0] + ny * lamps[k, 1] + nz * lamps[k, 2]
            wrap = lamps[k, 6]
            through = np.float32(0.35) + np.float32(0.65) * min(open_share * np.float32(1.6), ONE)
            lit = through
            if lamps[k, 7] > ZERO and cosine > np.float32(-0.1):
                # Along the terminator the surface's own bend takes the light away already.
                share = _lit_share(shadow, to_shadow, px + TWO * nx, py + TWO * ny, z + TWO * nz)
                fade = min(max((cosine + np.float32(0.1)) * np.float32(3.0), ZERO), ONE)
                lit = through * (ONE + fade * (share - ONE))
                shine = ONE + fade * (share - ONE)
            spread = soft * (ONE - lit) * lit
            for channel in range(3):
                # Red light goes furthest under the skin: softer terminator, softer edge of the shadow.
                far = soft * (np.float32(0.22), np.float32(0.08), np.float32(0.03))[channel]
                w = wrap + far
                s = max((cosine + w) / (ONE + w), ZERO)
                s = s * np.sqrt(s) * (lit + spread * (np.float32(0.6), np.float32(0.2), ZERO)[channel])
                if channel == 0:
                    er += s * lamps[k, 3]
                elif channel == 1:
                    eg += s * lamps[k, 4]
                else:
                    eb += s * lamps[k, 5]
        red, green, blue = red * er, green * eg, blue * eb

        strength = materials[part, 1]
        if part != 1 and part != 2:
            strength *= look[0] * (b0 * vertex[a, 6] + b1 * vertex[b, 6] + b2 * vertex[c, 6])
        if part == 0 and mode == TEXTURED:
            # Near black is hair, wherever it hangs: an even gloss would lie over it like fog.
            strength *= min(max(bright * np.float32(25), np.float32(0.15)), ONE)
        if strength > ZERO and mode <= CLAY:
            f = ONE - max(facing, ZERO)
            f2 = f * f
            fresnel = materials[part, 2] + (materials[part, 4] - materials[part, 2]) * f2 * f2 * f
            d = TWO * facing
            mr, mg, mb = _mirrored(maps, int(materials[part, 0]), d * nx - vx, d * ny - vy, d * nz - vz)
            # What is hidden from the light is hidden from the mirror, too.
            hidden = min(open_share * open_share * np.float32(2.0), ONE) * (np.float32(0.3) + np.float32(0.7) * shine)
            gain = strength * fresnel * hidden
            red, green, blue = red + gain * mr, green + gain * mg, blue + gain * mb

        if wired:
            # Distance in pixels to each edge: a corner's weight by its slope. Drawn lines are about a pixel wide.
            line = ZERO
            for k in range(3):
                if not (wire[t] >> k) & 1:
                    continue
                # The edge from corner k to k + 1 lies opposite corner k + 2.
                if k == 0:
                    w, gx, gy = b2, rows[t, 9], rows[t, 10]
                elif k == 1:
                    w = b0
                    gx = rows[t, 3] - rows[t, 6] - rows[t, 9]
                    gy = rows[t, 4] - rows[t, 7] - rows[t, 10]
                else:
                    w, gx, gy = b1, rows[t, 6], rows[t, 7]
                slope = np.sqrt(gx * gx + gy * gy) * z
                away_px = w / max(slope, np.float32(1e-12)) * lens[4]
                line = max(line, min(max(look[2] + HALF - away_px, ZERO), ONE))
            line *= np.float32(0.85) * min(max(facing * THREE, ZERO), ONE)
            red, green, blue = (
                red + line * (look[4] - red),
                green + line * (look[5] - green),
                blue + line * (look[6] - blue),
            )
        colors[at, 0], colors[at, 1], colors[at, 2] = red, green, blue
        colors[at, 3] = min(max(opacity, ZERO), ONE)


@jit
def _encode(value: Any, to_srgb: Any) -> Any:
    return to_srgb[int(min(max(value, ZERO), np.float32(REACH)) * np.float32(STEPS) + HALF)]


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


@fast_jit
def resolve(pixel: Any, colors: Any, samples: int, to_linear: Any, to_srgb: Any, transparent: bool, out: Any) -> None:
    """Mix the fragments of each pixel, which follow each other, into `out`: over what it holds (H, W, 3), or with alpha
    (H, W, 4) where `transparent`."""
    width = out.shape[1]
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
        i, j = at // width, at % width
        if transparent:
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
