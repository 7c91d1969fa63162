"""The colour of every fragment: texture or material, light from everywhere, lamps, gloss, the lines of a wireframe.

All numbers are float32; constants are made so too, because numba computes float32 with a Python float in float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tronie.render.sampling import lit_share, mirrored, texture
from tronie.render.vertex_stage import everywhere
from tronie.runtime.jit import fast_jit

ZERO, ONE, TWO, THREE, HALF = (np.float32(x) for x in (0, 1, 2, 3, 0.5))
STEP = np.float32(4 / 256)
"""Of the table from sRGB to linear light, per 256th of a grey level."""
TEXTURED, CLAY, PROVENANCE, UNCERTAINTY, NORMALS = range(5)


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
            red, green, blue = materials[part, 5], materials[part, 6], materials[part, 7]

        bright = max(red, green)

        # Light from everywhere, by spherical harmonics, less where little of the space is open.
        open_share = b0 * vertex[a, 3] + b1 * vertex[b, 3] + b2 * vertex[c, 3]
        if 1 <= part <= 4:
            # Light creeps through lids, lips and gums to eyes and teeth, and they are bright: hollows hide less of it.
            open_share = np.sqrt(open_share)
        if turned:
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
            f = ONE - max(facing, ZERO)
            f2 = f * f
            fresnel = materials[part, 2] + (materials[part, 4] - materials[part, 2]) * f2 * f2 * f
            d = TWO * facing
            mr, mg, mb = mirrored(maps, int(materials[part, 0]), d * nx - vx, d * ny - vy, d * nz - vz)
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
