"""Pictures of a head: vertex normals, soft studio light or the light the texture already holds, smooth edges."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tronie.geometry import Camera, transform
from tronie.head.model import Level
from tronie.render.jit import jit
from tronie.render.raster import visible
from tronie.types import Image, Texture

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Light:
    direction: tuple[float, float, float]
    """Towards the light, in camera axes (x right, y down, z forward, so z < 0 is on the viewer's side)."""
    strength: float
    """Linear light added to a surface that faces it."""
    wrap: float = 0.3
    """0 is Lambert; above it light reaches round the terminator, as from a wide soft box."""


@dataclass(frozen=True, slots=True)
class Shading:
    """How a surface is lit, in linear light; 1 leaves an albedo or texture as it is."""

    lights: tuple[Light, ...] = ()
    ambient: float = 1.0
    sky: float = 0.0
    """Further ambient light from above, less the more a surface looks down."""
    albedo: tuple[int, int, int] = (205, 196, 188)
    """sRGB of the material where there is no texture."""


CLAY = Shading(
    (Light((-0.55, -0.6, -0.75), 0.62), Light((0.8, -0.15, -0.45), 0.2), Light((0.3, -0.5, 0.8), 0.2)), 0.1, 0.12
)
"""Key from the upper left, weak fill from the right, a rim from behind."""
STUDIO = Shading((Light((-0.5, -0.6, -0.8), 0.34, 0.5), Light((0.7, -0.2, -0.7), 0.18, 0.5)), 0.52, 0.1)
"""For textures, which hold the photo's light already: a gentle modelling light over much ambient."""
UNLIT = Shading()
"""The texture's own colours."""


def vertex_normals(vertices: ArrayLike, triangles: ArrayLike) -> Array:
    """(V, 3), (T, 3) -> (V, 3) float32 unit normals, area-weighted; (0, 0, 0) at vertices no triangle uses."""
    v = np.ascontiguousarray(vertices, dtype=np.float32)
    out = np.zeros_like(v)
    _normals(v, np.ascontiguousarray(triangles, dtype=np.int32), out)
    return out


def screen_points(vertices: ArrayLike, camera: Camera, head_to_camera: ArrayLike, scale: float = 1.0) -> Array:
    """(V, 3) head mm -> (V, 3) float32: x px, y px of a picture `scale` times as large, depth mm."""
    p = transform(head_to_camera, np.asarray(vertices, dtype=np.float32))
    with np.errstate(divide="ignore", invalid="ignore"):
        xy = (p[:, :2] * (camera.focal / p[:, 2:]) + np.asarray(camera.center)) * scale
    return np.ascontiguousarray(np.concatenate([xy, p[:, 2:]], axis=1), dtype=np.float32)


def shade(normals: ArrayLike, shading: Shading) -> Array:
    """Camera-space unit normals (V, 3) -> (V,) float32 linear light."""
    n = np.asarray(normals, dtype=np.float32)
    out = shading.ambient + shading.sky * (0.5 - 0.5 * n[:, 1])
    for light in shading.lights:
        d = np.asarray(light.direction, dtype=np.float32)
        facing = n @ (d / np.linalg.norm(d))
        out = out + light.strength * np.maximum((facing + light.wrap) / (1 + light.wrap), 0) ** 1.5
    return np.asarray(out, dtype=np.float32)


def render_head(
    vertices: ArrayLike,
    level: Level,
    texture: Texture | Image | None,
    camera: Camera,
    head_to_camera: ArrayLike,
    *,
    background: ArrayLike = (236, 236, 238),
    shading: Shading | None = None,
    occlusion: ArrayLike | None = None,
    opacity: ArrayLike | None = None,
) -> Image:
    """Picture (camera height, camera width, 3) of a head; see `render_layers`, which also tells the provenance."""
    return render_layers(
        vertices, level, texture, camera, head_to_camera, background=background, shading=shading, occlusion=occlusion,
        opacity=opacity,
    )[0]  # fmt: skip


def render_layers(
    vertices: ArrayLike,
    level: Level,
    texture: Texture | Image | None,
    camera: Camera,
    head_to_camera: ArrayLike,
    *,
    background: ArrayLike = (236, 236, 238),
    shading: Shading | None = None,
    occlusion: ArrayLike | None = None,
    opacity: ArrayLike | None = None,
) -> tuple[Image, Image]:
    """Draw vertices (V, 3) mm of `level` as the camera sees them: RGB (H, W, 3) and provenance (H, W).

    The picture has the camera's size. `texture` may be a bare (S, S, 3) image; None gives clay. `background` is
    an RGB colour or a whole (H, W, 3) image. `shading` defaults to STUDIO with a texture, else CLAY.
    `occlusion` (V,) multiplies the light and `opacity` (V,) 0..1 fades into the background. Visibility is found
    on a grid twice as fine; pixels inside one surface are shaded once, those on an edge four times.
    The provenance (0 outside, and everywhere without a `Texture`) is that of the pixel's centre.
    """
    width, height = camera.size
    points = screen_points(vertices, camera, head_to_camera, 2.0)
    ids, inverse_depth = visible(points, level.triangles, 2 * height, 2 * width)
    rotation = np.asarray(head_to_camera, dtype=np.float32)[:3, :3]
    if shading is None:
        shading = CLAY if texture is None else STUDIO
    lit: Any = shade(vertex_normals(vertices, level.triangles) @ rotation.T, shading)
    if occlusion is not None:
        lit = lit * np.asarray(occlusion, dtype=np.float32)
    alpha = np.ones(len(points), np.float32) if opacity is None else np.asarray(opacity, dtype=np.float32)
    if texture is None:
        image = _part_colours(shading.albedo)
        uv: Any = (np.arange(7, dtype=np.float32)[:, None] + 0.5) / 7 * np.array([[1, 0]], np.float32) + [0, 0.5]
        triangle_uv = np.repeat(level.triangle_part.astype(np.int32)[:, None], 3, axis=1)
        provenance = np.zeros((1, 1), np.uint8)
    else:
        image = texture.image if isinstance(texture, Texture) else np.asarray(texture)
        provenance = texture.provenance if isinstance(texture, Texture) else np.zeros((1, 1), np.uint8)
        uv, triangle_uv = level.uv, level.triangle_uv
        image = minified(image, _texels_per_pixel(points * [0.5, 0.5, 1], level, image.shape[0]))
    backdrop = np.empty((height, width, 3), np.uint8)
    backdrop[:] = np.asarray(background, dtype=np.uint8)
    mask = np.zeros((height, width), np.uint8)
    to_linear, to_srgb = _curves()
    planes = _planes(
        points, level.triangles, np.ascontiguousarray(triangle_uv), np.ascontiguousarray(uv, dtype=np.float32),
        np.ascontiguousarray(lit, dtype=np.float32), np.ascontiguousarray(alpha), ids,
    )  # fmt: skip
    _paint(
        ids, inverse_depth, planes, level.triangle_part, np.ascontiguousarray(image), provenance, to_linear, to_srgb,
        backdrop, mask,
    )  # fmt: skip
    return backdrop, mask


def minified(image: Image, texels_per_pixel: float) -> Image:
    """Halve a texture (box filter) while two or more texels fall on a pixel, so that bilinear sampling suffices."""
    import cv2

    steps = int(np.floor(np.log2(max(texels_per_pixel, 1.0)) + 0.25))
    side = max(image.shape[0] >> steps, 1)
    if steps < 1:
        return image
    return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _texels_per_pixel(points: Array, level: Level, size: int) -> float:
    """Typical linear density of the skin's texture on the screen, over a sample of front-facing triangles."""
    step = max(1, len(level.triangles) // 2000)
    pick = np.flatnonzero(level.triangle_part == 0)[::step]
    screen, chart = points[level.triangles[pick], :2], level.uv[level.triangle_uv[pick]] * size
    areas = []
    for p in (screen, chart):
        a, b = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]
        areas.append(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
    front = areas[0] < 0
    if not front.any():
        return 1.0
    return float(np.sqrt(np.abs(areas[1][front]).sum() / max(np.abs(areas[0][front]).sum(), 1e-9)))


def _part_colours(albedo: tuple[int, int, int]) -> Image:
    """(1, 7, 3): skin in the material's colour, the other parts tinted just enough to be told apart."""
    skin = np.asarray(albedo, dtype=np.float64)
    eye, teeth, tongue, mouth = (
        np.array(c) for c in ([240, 240, 240], [235, 230, 218], [200, 150, 145], [120, 80, 78])
    )
    return np.stack([skin, eye, eye, teeth, teeth, tongue, mouth])[None].astype(np.uint8)


@cache
def _curves() -> tuple[Array, Image]:
    """sRGB 0..255 (with quarter steps) -> linear 0..1, and linear 0..1 in 4096 steps -> sRGB uint8."""
    c = np.arange(256 * 4) / (255.0 * 4)
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    x = np.arange(4097) / 4096.0
    srgb = np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
    return linear.astype(np.float32), np.round(255 * srgb).astype(np.uint8)


@jit
def _normals(vertices: Any, triangles: Any, out: Any) -> None:
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0, z0 = vertices[b, 0] - vertices[a, 0], vertices[b, 1] - vertices[a, 1], vertices[b, 2] - vertices[a, 2]
        x1, y1, z1 = vertices[c, 0] - vertices[a, 0], vertices[c, 1] - vertices[a, 1], vertices[c, 2] - vertices[a, 2]
        nx, ny, nz = y0 * z1 - z0 * y1, z0 * x1 - x0 * z1, x0 * y1 - y0 * x1
        for k in (a, b, c):
            out[k, 0] += nx
            out[k, 1] += ny
            out[k, 2] += nz
    for k in range(out.shape[0]):
        length = np.sqrt(out[k, 0] ** 2 + out[k, 1] ** 2 + out[k, 2] ** 2)
        if length > 0:
            out[k, 0] /= length
            out[k, 1] /= length
            out[k, 2] /= length


ZERO, ONE, HALF, QUARTER, FOUR = (np.float32(x) for x in (0, 1, 0.5, 0.25, 4))


@jit
def _planes(points: Any, triangles: Any, triangle_uv: Any, uv: Any, light: Any, alpha: Any, ids: Any) -> Any:
    """(T, 17) for the triangles that `ids` shows: the first corner's x, y, then value, slope in x and slope in y from
    there of 1 / depth, u / depth, v / depth, light / depth and opacity / depth, which are all linear on the screen."""
    out = np.zeros((triangles.shape[0], 17), np.float32)
    wanted = np.zeros(triangles.shape[0], np.bool_)
    for i in range(ids.shape[0]):
        for j in range(ids.shape[1]):
            if ids[i, j] >= 0:
                wanted[ids[i, j]] = True
    value = np.zeros((3, 5), np.float64)
    for t in range(triangles.shape[0]):
        if not wanted[t]:
            continue
        for k in range(3):
            p, q = triangles[t, k], triangle_uv[t, k]
            r = 1.0 / points[p, 2]
            value[k, 0], value[k, 1], value[k, 2] = r, uv[q, 0] * r, uv[q, 1] * r
            value[k, 3], value[k, 4] = light[p] * r, alpha[p] * r
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        bx, by = float(points[b, 0]) - points[a, 0], float(points[b, 1]) - points[a, 1]
        cx, cy = float(points[c, 0]) - points[a, 0], float(points[c, 1]) - points[a, 1]
        area = bx * cy - by * cx
        scale = 1.0 / area if abs(area) > 1e-9 else 0.0
        out[t, 0], out[t, 1] = points[a, 0], points[a, 1]
        for n in range(5):
            db, dc = value[1, n] - value[0, n], value[2, n] - value[0, n]
            out[t, 2 + 3 * n] = value[0, n]
            out[t, 3 + 3 * n] = (db * cy - dc * by) * scale
            out[t, 4 + 3 * n] = (dc * bx - db * cx) * scale
    return out


@jit
def _surface(plane: Any, x: Any, y: Any, image: Any, to_linear: Any) -> tuple[Any, Any, Any, Any, Any, Any]:
    """At screen position x, y of the triangle of a row of `_planes`: linear red, green, blue, opacity, u and v."""
    dx, dy = x - plane[0], y - plane[1]
    z = ONE / (plane[2] + plane[3] * dx + plane[4] * dy)
    u = (plane[5] + plane[6] * dx + plane[7] * dy) * z
    v = (plane[8] + plane[9] * dx + plane[10] * dy) * z
    lit = max((plane[11] + plane[12] * dx + plane[13] * dy) * z, ZERO)
    opacity = min(max((plane[14] + plane[15] * dx + plane[16] * dy) * z, ZERO), ONE)
    height, width = image.shape[0], image.shape[1]
    px = min(max(u * np.float32(width) - HALF, ZERO), np.float32(width - 1))
    py = min(max(v * np.float32(height) - HALF, ZERO), np.float32(height - 1))
    j, i = np.uint32(px), np.uint32(py)
    fx, fy = px - np.float32(j), py - np.float32(i)
    j1, i1 = min(j + np.uint32(1), np.uint32(width - 1)), min(i + np.uint32(1), np.uint32(height - 1))
    f11 = fx * fy
    f01, f10 = fx - f11, fy - f11
    f00 = ONE - fx - f10
    # Four steps of the table per grey level.
    red = f00 * image[i, j, 0] + f01 * image[i, j1, 0] + f10 * image[i1, j, 0] + f11 * image[i1, j1, 0]
    green = f00 * image[i, j, 1] + f01 * image[i, j1, 1] + f10 * image[i1, j, 1] + f11 * image[i1, j1, 1]
    blue = f00 * image[i, j, 2] + f01 * image[i, j1, 2] + f10 * image[i1, j, 2] + f11 * image[i1, j1, 2]
    return (
        to_linear[np.uint32(red * FOUR + HALF)] * lit, to_linear[np.uint32(green * FOUR + HALF)] * lit,
        to_linear[np.uint32(blue * FOUR + HALF)] * lit, opacity, u, v,
    )  # fmt: skip


@jit
def _encode(value: Any, to_srgb: Any) -> Any:
    return to_srgb[np.uint32(min(max(value, ZERO), ONE) * np.float32(4096) + HALF)]


@jit
def _paint(
    ids: Any, inverse_depth: Any, planes: Any, parts: Any, image: Any, provenance: Any, to_linear: Any, to_srgb: Any,
    out: Any, mask: Any,
) -> None:  # fmt: skip
    side = provenance.shape[0]
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            y, x = 2 * i, 2 * j
            t, t1, t2, t3 = ids[y, x], ids[y, x + 1], ids[y + 1, x], ids[y + 1, x + 1]
            if t < 0 and t1 < 0 and t2 < 0 and t3 < 0:
                continue
            whole = t >= 0 and t1 >= 0 and t2 >= 0 and t3 >= 0
            if whole and not (t == t1 and t == t2 and t == t3):
                d0, d1 = inverse_depth[y, x], inverse_depth[y, x + 1]
                d2, d3 = inverse_depth[y + 1, x], inverse_depth[y + 1, x + 1]
                near, far = max(max(d0, d1), max(d2, d3)), min(min(d0, d1), min(d2, d3))
                # 0.3 % of the distance, some 4 mm at portrait distance: beyond it another surface begins.
                p = parts[t]
                whole = near < np.float32(1.003) * far and p == parts[t1] and p == parts[t2] and p == parts[t3]
            red = green = blue = cover = u = v = ZERO
            if whole:
                red, green, blue, cover, u, v = _surface(
                    planes[t], np.float32(x + 1), np.float32(y + 1), image, to_linear
                )
                red, green, blue = red * cover, green * cover, blue * cover
            else:
                best = ZERO
                for s in range(4):
                    at = ids[y + s // 2, x + s % 2]
                    if at < 0:
                        continue
                    sx, sy = np.float32(x + s % 2) + HALF, np.float32(y + s // 2) + HALF
                    r, g, b, opacity, su, sv = _surface(planes[at], sx, sy, image, to_linear)
                    if opacity > best:
                        best, u, v = opacity, su, sv
                    share = QUARTER * opacity
                    red, green, blue, cover = red + share * r, green + share * g, blue + share * b, cover + share
            if cover < ONE:
                rest = ONE - cover
                red += rest * to_linear[4 * out[i, j, 0]]
                green += rest * to_linear[4 * out[i, j, 1]]
                blue += rest * to_linear[4 * out[i, j, 2]]
            out[i, j, 0], out[i, j, 1], out[i, j, 2] = (
                _encode(red, to_srgb),
                _encode(green, to_srgb),
                _encode(blue, to_srgb),
            )
            if cover > HALF:
                mask[i, j] = provenance[min(max(int(v * side), 0), side - 1), min(max(int(u * side), 0), side - 1)]
