"""Shape from shading: wrinkles and pores as a normal map, where the photo shows them.

Across some millimetres the light and the skin's colour hardly change, so that what brightness does there is the slope
of the surface. To first order (Pentland 1990, in a light known from the whole face) slopes h_x along the tangent and
h_y along the bitangent changes the logarithm of the brightness by g h_x + k h_y, with g, k from the gradient of the
irradiance over the normal; and a dent is darker than a bump, because it sees less of the sky (Langer & Zucker 1994), by
about DENT times its slope. The height whose shading is nearest to the photo's, with a price on slopes, solves an
anisotropic Poisson equation.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tronie.arrays import Array, Image
from tronie.color import LUMINANCE
from tronie.geometry import smoothstep
from tronie.head.harmonics import Light, irradiance
from tronie.head.model import Head
from tronie.head.surface import reduced
from tronie.runtime.jit import jit
from tronie.stages.lighting.charts import TangentFrames, over_atlas, row_of_vertex, tangent_frames
from tronie.stages.lighting.shading_estimate import ShadingEstimate
from tronie.stages.texture.atlas import surface_facts
from tronie.types import PROVENANCE, Detail, Fit, Texture

DENT = 0.2
"""Change of the logarithm of brightness with the slope of the sides of a dent or bump."""
PRICE = 0.015
"""On slopes, against misfit of the brightness."""
BROADEST_MM = 2.2
"""Blur (sigma) of what is not detail any more: wrinkles are narrower than some 8 mm."""
COARSEST = 1.25
"""Pixels of the photo that a texel of the map may be wide."""
FALL = 0.4
"""Energy of a photo's noise from one octave to the next; white noise falls to a quarter, compression's less."""
STEEPEST = 0.8
"""Slope that is not exceeded: 39 degrees."""
CONTRAST = 0.3
"""Logarithm of brightness beyond which it is not relief, but lashes, moles, stubble."""


def relief(texture: Texture, head: Head, fit: Fit, found: ShadingEstimate, pixel_mm: float) -> Detail:
    """The normal map of a head's skin. `pixel_mm` is a pixel of the photo on the face; nothing finer is looked for.

    Flat where the photo shows no skin, and where what it shows is no more than its noise. Mirrored parts of the texture
    have the other side's relief, mirrored.
    """
    import cv2

    axes = tangent_frames(head, head.vertices)
    scale = np.sqrt(axes.column * axes.row)
    full = len(texture.image)
    facts = surface_facts(head.model, head.level)
    face_mm = float(np.median(scale[facts.inner_level[row_of_vertex(head.model, head.level)] & (scale > 2)]))
    side = full
    while side > 256 and face_mm / (side // 2) <= COARSEST * pixel_mm:
        side //= 2
    small = reduced(texture.image, side)
    kinds = cv2.resize(texture.provenance, (side, side), interpolation=cv2.INTER_NEAREST)
    maps = _maps(head, fit, found, axes, side)
    texel = face_mm / side
    seen = (kinds == PROVENANCE.index("seen")).astype(np.float32)
    # Not at the borders of what is seen.
    reach = 2 * round(1.5 / texel) + 1
    trust = cv2.blur(cv2.erode(seen, np.ones((reach, reach), np.uint8)), (reach, reach)) * seen * maps[..., 4]
    bands, noise = _bands(small, seen, trust, texel)
    height = _solve(bands, trust, maps, texel)
    other = cv2.blur((kinds == PROVENANCE.index("mirrored")).astype(np.float32), (5, 5))
    picture = np.empty((side, side, 3), np.uint8)
    bent = _draw(height, maps, trust, other, picture)
    return Detail(picture, texel, noise, bent / max(int((kinds > 0).sum()), 1))


def _maps(head: Head, fit: Fit, found: ShadingEstimate, axes: TangentFrames, side: int) -> Array:
    """(S, S, 8) float32 over the atlas: c, d: change of log brightness per slope along columns and rows; the matrix
    from those slopes to right and up (3 numbers), trust 0..1 in the fifth place."""
    import cv2

    model, level = head.model, head.level
    facts, rows = surface_facts(model, level), row_of_vertex(model, level)
    across, down = _gradient(axes, found.light)
    scale = np.sqrt(axes.column * axes.row)
    a = scale / np.maximum(axes.column, 1e-6)
    b, c = axes.shear / np.maximum(axes.row, 1e-6) * a, scale / np.maximum(axes.row, 1e-6)
    # h_right = a h_column, h_up = b h_column - c h_row, with heights in texels.
    light = np.log(np.maximum(found.even @ LUMINANCE, 1e-4) / (found.skin @ LUMINANCE))
    skin = (1 - smoothstep(-light, 0.35, 0.7)) * (1 - facts.hairy) * (1 - 0.7 * facts.lips)
    level_skin = np.asarray(model.level(level).matrix @ skin.astype(np.float32))[rows]
    ray = -fit.head_to_camera[:3, :3].T @ fit.head_to_camera[:3, 3] - np.asarray(head.vertices)[rows]
    facing = (axes.normal * ray).sum(axis=1) / np.linalg.norm(ray, axis=1)
    trust = np.clip(level_skin, 0, 1) * smoothstep(facing, 0.3, 0.6)
    values = np.column_stack([across * a + down * b, -down * c, a, b, trust, c]).astype(np.float32)
    return np.asarray(cv2.resize(over_atlas(model, level, values), (side, side), interpolation=cv2.INTER_LINEAR))


def _gradient(axes: TangentFrames, light: Light) -> tuple[Array, Array]:
    """How the logarithm of the light on each (U,) changes with the slope to the right and up: a surface that rises to
    the right is turned to the left."""
    tilt = 0.15
    middle = np.maximum(irradiance(axes.normal, light) @ LUMINANCE, 0.03)
    out = []
    for direction in (axes.right, axes.up):
        sides = []
        for sign in (-1, 1):
            n = axes.normal + sign * tilt * direction
            sides.append(irradiance(n / np.maximum(np.linalg.norm(n, axis=1, keepdims=True), 1e-6), light) @ LUMINANCE)
        out.append(np.clip((sides[0] - sides[1]) / (2 * tilt * middle), -1.5, 1.5))
    return out[0], out[1]


def _bands(picture: Image, seen: Array, trust: Array, texel: float) -> tuple[list[tuple[Array, float]], float]:
    """Logarithm of brightness in bands of an octave, without noise, and radians per texel of each; and the noise of the
    finest. Only skin that is seen is averaged."""
    import cv2

    weight = (seen * (trust > 0.05)).astype(np.float32)
    light: Array = np.log(picture.astype(np.float32) @ LUMINANCE.astype(np.float32) + 8)
    light = np.clip(light - _average(light, weight, BROADEST_MM / texel), -CONTRAST, CONTRAST) * weight
    good = trust > 0.5
    out: list[tuple[Array, float]] = []
    before: Any = light
    sigma, first, noise = 0.8, 0.0, 0.0
    while sigma * texel < BROADEST_MM:
        after: Any = cv2.GaussianBlur(light, (0, 0), sigma)
        band = before - after
        energy = cv2.boxFilter(band * band, -1, (9, 9))
        # The smoothest skin tells the noise, be it the sensor's or the compression's. In broader bands there is less.
        smooth = float(np.quantile(energy[good][::13], 0.1)) if good.any() else 1.0
        noise = min(smooth, noise * FALL) if out else smooth
        first = first or float(np.sqrt(noise))
        out.append((band * np.maximum(1 - 1.5 * noise / np.maximum(energy, 1e-9), 0), 1.0 / sigma))
        sigma, before = 2 * sigma, after
    return out, first


def _average(values: Array, weight: Array, sigma: float) -> Array:
    import cv2

    # At a quarter of the size: a wide blur costs as much as its width.
    size = values.shape[::-1]
    reduction = 4 if sigma > 5 else 1
    both = [
        cv2.resize(v, (size[0] // reduction, size[1] // reduction), interpolation=cv2.INTER_AREA)
        for v in (values * weight, weight)
    ]
    top, bottom = (cv2.GaussianBlur(v, (0, 0), sigma / reduction) for v in both)
    mean = np.where(bottom > 1e-3, top / np.maximum(bottom, 1e-3), 0).astype(np.float32)
    return np.asarray(cv2.resize(mean, size, interpolation=cv2.INTER_LINEAR))


def _solve(bands: list[tuple[Array, float]], trust: Array, maps: Array, texel: float) -> Array:
    """Height (S, S) in texels."""
    import cv2

    signal = sum((band for band, _ in bands), np.zeros_like(trust)) * trust
    deep = sum((omega * band for band, omega in bands), np.zeros_like(trust)) * trust * np.float32(DENT)
    c, d = (np.ascontiguousarray(maps[..., n]) for n in (0, 1))
    near = cv2.dilate(trust, np.ones((5, 5), np.uint8))
    source = deep - _central(c * signal, 1) - _central(d * signal, 0)
    half = [cv2.resize(v, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for v in (source, c, d, near)]
    coarse = np.zeros_like(half[0])
    screen = np.float32(0.02)
    k = np.float32(DENT**2 + PRICE)
    _relax(4 * half[0], half[1], half[2], half[3], k, 4 * screen, coarse, 14)
    height = cv2.resize(coarse, trust.shape[::-1], interpolation=cv2.INTER_LINEAR)
    _relax(source, c, d, near, k, screen, height, 6)
    return np.asarray(height)


def _central(values: Array, axis: int) -> Array:
    return np.asarray((np.roll(values, -1, axis) - np.roll(values, 1, axis)) * np.float32(0.5))


@jit
def _slope(h: Any, maps: Any, trust: Any, i: int, j: int) -> Any:
    """To the right and up, bounded and faded out."""
    half, one = np.float32(0.5), np.float32(1)
    x, y = (h[i, j + 1] - h[i, j - 1]) * half, (h[i + 1, j] - h[i - 1, j]) * half
    right, up = maps[i, j, 2] * x, maps[i, j, 3] * x - maps[i, j, 5] * y
    length = np.sqrt(right * right + up * up) / np.float32(STEEPEST)
    bound = min(trust[i, j] + trust[i, j], one) / np.sqrt(one + length * length)
    return right * bound, up * bound


@jit
def _draw(h: Any, maps: Any, trust: Any, other: Any, picture: Any) -> int:
    """Unit normals as 0..255 for -1..1; where `other` is 1 they are those of the other side, mirrored. Says how many
    are not flat."""
    rows, columns = h.shape
    one, middle, least = np.float32(1), np.float32(127.5), np.float32(0.02)
    bent = 0
    for i in range(rows):
        for j in range(columns):
            x, y = np.float32(0), np.float32(0)
            if 0 < i < rows - 1 and 0 < j < columns - 1:
                o = other[i, j]
                if trust[i, j] > 0 and o < one:
                    x, y = _slope(h, maps, trust, i, j)
                    x, y = (one - o) * x, (one - o) * y
                m = columns - 1 - j
                if o > 0 and trust[i, m] > 0:
                    p, q = _slope(h, maps, trust, i, m)
                    x, y = x - o * p, y + o * q
            if x == 0 and y == 0:
                picture[i, j, 0], picture[i, j, 1], picture[i, j, 2] = 128, 128, 255
                continue
            if max(abs(x), abs(y)) > least:
                bent += 1
            z = middle / np.sqrt(one + x * x + y * y)
            picture[i, j, 0] = np.uint8(middle - x * z + np.float32(0.5))
            picture[i, j, 1] = np.uint8(middle - y * z + np.float32(0.5))
            picture[i, j, 2] = np.uint8(middle + z + np.float32(0.5))
    return bent


@jit
def _relax(source: Any, c: Any, d: Any, near: Any, price: Any, screen: Any, h: Any, sweeps: int) -> None:
    """Gauss-Seidel, where `near` is not 0, on -div((c, d)(c, d)' + price) grad h + screen h = source, from `h`."""
    rows, columns = h.shape
    quarter, two = np.float32(0.25), np.float32(2)
    for sweep in range(sweeps):
        for n in range(1, rows - 1):
            i = n if sweep % 2 == 0 else rows - 1 - n
            for j in range(1, columns - 1):
                if near[i, j] <= 0:
                    continue
                a, b = c[i, j], d[i, j]
                xx, yy, xy = a * a + price, b * b + price, two * a * b * quarter
                s = source[i, j] + xx * (h[i, j - 1] + h[i, j + 1]) + yy * (h[i - 1, j] + h[i + 1, j])
                s += xy * (h[i + 1, j + 1] + h[i - 1, j - 1] - h[i + 1, j - 1] - h[i - 1, j + 1])
                h[i, j] = s / (two * (xx + yy) + screen)
