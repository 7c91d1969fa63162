"""The vertex and the fragment stage: light on vertices, then texture or material, lamps, gloss, lines of a wireframe.

Indices have no sign, or each lookup asks whether it has one. All numbers are float32; constants are made so too,
because numba computes float32 with a Python float in float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tronie.render.lights import COARSER, FINEST
from tronie.runtime.jit import fast_jit

ZERO, ONE, TWO, THREE, HALF = (np.float32(x) for x in (0, 1, 2, 3, 0.5))
Y0, Y1 = np.float32(0.28209479), np.float32(0.48860251)
Y2A, Y2B, Y2C = np.float32(1.09254843), np.float32(0.31539157), np.float32(0.54627422)
SOFT_COSINE = np.float32(0.16)
"""Cosine to the view below which hair thins out into the background."""
COLUMNS = 11
"""Of a vertex: normal 0-2 in camera axes, how open it is 3, opacity 4, uncertainty 5, gloss 6, light from everywhere
7-9, roughness 10 (0 is that of its part)."""
SHARP, BLURS = np.float32(np.log(FINEST / 0.5) / np.log(COARSER)), np.float32(4 / np.log(COARSER))
"""Which of LOBES a roughness r mirrors with: SHARP + BLURS log r."""
LANES, GREEN, LANE = np.uint64(0x00FF00FF), np.uint64(0x0000FF00), np.uint64(0xFFFF)
APART, UP, UPPER = np.uint64(24), np.uint64(16), np.uint64(32)
WEIGHTS, EVEN = np.float32(256), np.float32(1 / 256)
FIRST, SECOND = np.uintp(1), np.uintp(2)
STEP = np.float32(4 / 256)
"""Of the table from sRGB to linear light, per 256th of a grey level."""
TEXTURED, CLAY, PROVENANCE, UNCERTAINTY, NORMALS = range(5)


@fast_jit
def everywhere(nx: Any, ny: Any, nz: Any, harmonics: Any) -> Any:
    """Red, green and blue of the light that falls on a surface from all sides, by spherical harmonics (9, 3)."""
    h1, h2, h3 = Y1 * ny, Y1 * nz, Y1 * nx
    h4, h5, h6 = Y2A * nx * ny, Y2A * ny * nz, Y2B * (THREE * nz * nz - ONE)
    h7, h8 = Y2A * nx * nz, Y2C * (nx * nx - ny * ny)
    return (
        max(
            Y0 * harmonics[0, 0]
            + h1 * harmonics[1, 0]
            + h2 * harmonics[2, 0]
            + h3 * harmonics[3, 0]
            + h4 * harmonics[4, 0]
            + h5 * harmonics[5, 0]
            + h6 * harmonics[6, 0]
            + h7 * harmonics[7, 0]
            + h8 * harmonics[8, 0],
            ZERO,
        ),
        max(
            Y0 * harmonics[0, 1]
            + h1 * harmonics[1, 1]
            + h2 * harmonics[2, 1]
            + h3 * harmonics[3, 1]
            + h4 * harmonics[4, 1]
            + h5 * harmonics[5, 1]
            + h6 * harmonics[6, 1]
            + h7 * harmonics[7, 1]
            + h8 * harmonics[8, 1],
            ZERO,
        ),
        max(
            Y0 * harmonics[0, 2]
            + h1 * harmonics[1, 2]
            + h2 * harmonics[2, 2]
            + h3 * harmonics[3, 2]
            + h4 * harmonics[4, 2]
            + h5 * harmonics[5, 2]
            + h6 * harmonics[6, 2]
            + h7 * harmonics[7, 2]
            + h8 * harmonics[8, 2],
            ZERO,
        ),
    )


@fast_jit
def vertex_stage(
    vertices: Any,
    normals: Any,
    pose: Any,
    lens: Any,
    neck: Any,
    hairy: Any,
    harmonics: Any,
    points: Any,
    in_camera: Any,
    vertex: Any,
) -> None:
    """Fill points (V, 3) x, y px and depth mm, in_camera (V, 3) mm, and normal, opacity and light of `vertex`.

    `pose` (3, 4) is head to camera, `lens` (4,) focal lengths and centre in samples. `neck` (V,) is the opacity,
    `hairy` (V,) how much of it is lost where the surface turns away: hair has no hard outline.
    """
    for i in range(vertices.shape[0]):
        a, b, c = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        x = pose[0, 0] * a + pose[0, 1] * b + pose[0, 2] * c + pose[0, 3]
        y = pose[1, 0] * a + pose[1, 1] * b + pose[1, 2] * c + pose[1, 3]
        z = pose[2, 0] * a + pose[2, 1] * b + pose[2, 2] * c + pose[2, 3]
        in_camera[i, 0], in_camera[i, 1], in_camera[i, 2] = x, y, z
        points[i, 0], points[i, 1], points[i, 2] = lens[0] * (x / z) + lens[2], lens[1] * (y / z) + lens[3], z
        a, b, c = normals[i, 0], normals[i, 1], normals[i, 2]
        nx = pose[0, 0] * a + pose[0, 1] * b + pose[0, 2] * c
        ny = pose[1, 0] * a + pose[1, 1] * b + pose[1, 2] * c
        nz = pose[2, 0] * a + pose[2, 1] * b + pose[2, 2] * c
        vertex[i, 0], vertex[i, 1], vertex[i, 2] = nx, ny, nz
        opacity = neck[i]
        if hairy[i] > ZERO:
            facing = -(nx * x + ny * y + nz * z) / np.sqrt(x * x + y * y + z * z)
            opacity *= ONE - hairy[i] * (ONE - min(max(facing / SOFT_COSINE, ZERO), ONE))
        vertex[i, 4] = opacity
        vertex[i, 7], vertex[i, 8], vertex[i, 9] = everywhere(nx, ny, nz, harmonics)


@fast_jit
def _spread(texel: Any) -> Any:
    """Red, blue and green of a packed texel in lanes of 16 bits."""
    wide = np.uint64(texel)
    return (wide & LANES) | ((wide & GREEN) << APART)


@fast_jit
def _bilinear(pyramid: Any, offset: Any, height: Any, width: Any, u: Any, v: Any) -> Any:
    """Three lanes of 8.8 bits. Weights are whole 256ths, so one product serves all channels, without conversions."""
    px = min(max(u * np.float32(width) - HALF, ZERO), np.float32(width - 1))
    py = min(max(v * np.float32(height) - HALF, ZERO), np.float32(height - 1))
    j, i = np.int32(px), np.int32(py)
    fx, fy = np.uint64((px - np.float32(j)) * WEIGHTS), np.uint64((py - np.float32(i)) * WEIGHTS)
    f11 = (fx * fy + np.uint64(128)) >> np.uint64(8)
    f01, f10 = fx - f11, fy - f11
    f00 = np.uint64(256) - fx - f10
    p = np.uintp(offset + i * width + j)
    right = p + np.uintp(j + 1 < width)
    down = np.uintp(width) * np.uintp(i + 1 < height)
    return (
        f00 * _spread(pyramid[p])
        + f01 * _spread(pyramid[right])
        + f10 * _spread(pyramid[p + down])
        + f11 * _spread(pyramid[right + down])
    )


@fast_jit
def texture(pyramid: Any, levels: Any, detail: Any, u: Any, v: Any) -> Any:
    """Trilinear sRGB 0..255 at u, v, times 256."""
    top = levels.shape[0] - 1
    k = min(np.int32(detail), top)
    lanes = _bilinear(pyramid, levels[k, 0], levels[k, 1], levels[k, 2], u, v)
    r, b, g = np.float32(lanes & LANE), np.float32((lanes >> UP) & LANE), np.float32(lanes >> UPPER)
    share = detail - np.float32(k)
    if k < top and share > np.float32(0.02):
        lanes = _bilinear(pyramid, levels[k + 1, 0], levels[k + 1, 1], levels[k + 1, 2], u, v)
        p, s, q = np.float32(lanes & LANE), np.float32((lanes >> UP) & LANE), np.float32(lanes >> UPPER)
        r, g, b = r + share * (p - r), g + share * (q - g), b + share * (s - b)
    return r, g, b


@fast_jit
def mirrored(maps: Any, k: Any, x: Any, y: Any, z: Any) -> Any:
    """Linear RGB of map k in direction x, y, z (see `lights.directions`)."""
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
def reflectance(roughness: Any, facing: Any, straight: Any, grazing: Any) -> Any:
    """The share of even light that a rough surface mirrors, `straight` and `grazing` what a smooth one does (the
    "environment BRDF", Karis 2014, which browsers use)."""
    x, y = ONE - roughness, np.float32(0.0425) - np.float32(0.0275) * roughness
    z, w = np.float32(1.04) - np.float32(0.572) * roughness, np.float32(0.022) * roughness - np.float32(0.04)
    a = min(x * x, np.exp(np.float32(-6.4324) * facing)) * x + y
    return max(straight * (z - np.float32(1.04) * a) + grazing * (w + np.float32(1.04) * a), ZERO)


@fast_jit
def lit_share(shadow: Any, to_shadow: Any, x: Any, y: Any, z: Any) -> Any:
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
def fragment_stage(
    surface: Any,
    place: Any,
    rows: Any,
    triangles: Any,
    triangle_uv: Any,
    uv: Any,
    vertex: Any,
    parts: Any,
    wire: Any,
    mode: int,
    wired: bool,
    pyramid: Any,
    levels: Any,
    provenance: Any,
    palette: Any,
    heat: Any,
    materials: Any,
    lens: Any,
    lamps: Any,
    harmonics: Any,
    maps: Any,
    look: Any,
    shadow: Any,
    to_shadow: Any,
    to_linear: Any,
    colors: Any,
) -> None:
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
        turned = facing < ZERO and look[3] > ZERO
        if turned:  # the back of a surface that is drawn from both sides
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
            red, green, blue = texture(pyramid, levels, rows[t, 11], u, v)
            red = to_linear[np.uintp(red * STEP + HALF)]
            green = to_linear[np.uintp(green * STEP + HALF)]
            blue = to_linear[np.uintp(blue * STEP + HALF)]
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
            red, green, blue = materials[part, 4], materials[part, 5], materials[part, 6]

        bright = max(red, green)

        # Light from everywhere, by spherical harmonics, less where little of the space is open.
        open_share = b0 * vertex[a, 3] + b1 * vertex[b, 3] + b2 * vertex[c, 3]
        if 1 <= part <= 4:
            # Light creeps through lids, lips and gums to eyes and teeth, and they are bright: hollows hide less of it.
            open_share = np.sqrt(open_share)
        if turned:
            open_share *= look[7]
            er, eg, eb = everywhere(nx, ny, nz, harmonics)
        else:
            er = max(b0 * vertex[a, 7] + b1 * vertex[b, 7] + b2 * vertex[c, 7], ZERO)
            eg = max(b0 * vertex[a, 8] + b1 * vertex[b, 8] + b2 * vertex[c, 8], ZERO)
            eb = max(b0 * vertex[a, 9] + b1 * vertex[b, 9] + b2 * vertex[c, 9], ZERO)
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
                share = lit_share(shadow, to_shadow, px + TWO * nx, py + TWO * ny, z + TWO * nz)
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
            rough = b0 * vertex[a, 10] + b1 * vertex[b, 10] + b2 * vertex[c, 10]
            if rough <= ZERO:
                rough = materials[part, 0]
            share = reflectance(rough, max(facing, ZERO), materials[part, 2], ONE)
            d = TWO * facing
            sharp = min(max(SHARP + BLURS * np.log(rough), ZERO), np.float32(maps.shape[0] - 1))
            first = min(int(sharp), maps.shape[0] - 2)
            by = sharp - np.float32(first)
            rx, ry, rz = d * nx - vx, d * ny - vy, d * nz - vz
            mr, mg, mb = mirrored(maps, first, rx, ry, rz)
            if by > ZERO:
                pr, pg, pb = mirrored(maps, first + 1, rx, ry, rz)
                mr, mg, mb = mr + by * (pr - mr), mg + by * (pg - mg), mb + by * (pb - mb)
            # What is hidden from the light is hidden from the mirror, too.
            hidden = min(open_share * open_share * np.float32(2.0), ONE) * (np.float32(0.3) + np.float32(0.7) * shine)
            gain = strength * share * hidden
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
