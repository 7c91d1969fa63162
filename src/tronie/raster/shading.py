"""Pictures of a head: soft studio light or the light the texture already holds, smooth edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tronie.arrays import Array, Image
from tronie.geometry import Camera, transform
from tronie.head.model import Level
from tronie.head.surface import triangle_vertex_normals
from tronie.raster.compositing import attribute_planes, shade_pixels, srgb_tables
from tronie.raster.cutouts import Cutout, draw_cut, joined, level_of
from tronie.raster.rasterizer import visible
from tronie.shells import Shell
from tronie.types import Texture


@dataclass(frozen=True, slots=True)
class DirectionalLight:
    direction: tuple[float, float, float]
    """Towards the light, in camera axes (x right, y down, z forward, so z < 0 is on the viewer's side)."""
    strength: float
    """Linear light added to a surface that faces it."""
    wrap: float = 0.3
    """0 is Lambert; above it light reaches round the terminator, as from a wide soft box."""


@dataclass(frozen=True, slots=True)
class Shading:
    """How a surface is lit, in linear light; 1 leaves an albedo or texture as it is."""

    lights: tuple[DirectionalLight, ...] = ()
    ambient: float = 1.0
    sky: float = 0.0
    """Further ambient light from above, less the more a surface looks down."""
    albedo: tuple[int, int, int] = (205, 196, 188)
    """sRGB of the material where there is no texture."""


CLAY = Shading(
    (
        DirectionalLight((-0.55, -0.6, -0.75), 0.8),
        DirectionalLight((0.8, -0.15, -0.45), 0.22),
        DirectionalLight((0.3, -0.5, 0.8), 0.25),
    ),
    0.12,
    0.14,
)
"""Key from the upper left, weak fill from the right, a rim from behind."""
STUDIO = Shading(
    (DirectionalLight((-0.5, -0.6, -0.8), 0.34, 0.5), DirectionalLight((0.7, -0.2, -0.7), 0.18, 0.5)), 0.52, 0.1
)
"""For textures, which hold the photo's light already: a gentle modelling light over much ambient."""
UNLIT = Shading()
"""The texture's own colours."""
INSIDE = 0.55
"""Light on the inner side of a shell, by that on its outer side."""


def screen_points(vertices: ArrayLike, camera: Camera, head_to_camera: ArrayLike, scale: float = 1.0) -> Array:
    """(V, 3) head mm -> (V, 3) float32: x px, y px of a picture `scale` times as large, depth mm."""
    p = transform(head_to_camera, np.asarray(vertices, dtype=np.float32))
    focals, center = (np.asarray(pair, dtype=np.float32) * np.float32(scale) for pair in (camera.focals, camera.center))
    with np.errstate(divide="ignore", invalid="ignore"):
        p[:, :2] = p[:, :2] * (focals / p[:, 2:]) + center
    return p


def studio_light(normals: ArrayLike, shading: Shading) -> Array:
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
    shells: Sequence[Shell] = (),
) -> Image:
    """Picture (camera height, camera width, 3) of a head; see `render_layers`, which also tells the provenance."""
    return render_layers(
        vertices,
        level,
        texture,
        camera,
        head_to_camera,
        background=background,
        shading=shading,
        occlusion=occlusion,
        opacity=opacity,
        shells=shells,
    )[0]


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
    shells: Sequence[Shell] = (),
) -> tuple[Image, Image]:
    """Draw vertices (V, 3) mm of `level` as the camera sees them: RGB (H, W, 3) and provenance (H, W).

    The picture has the camera's size. `texture` may be a bare (S, S, 3) image; None gives clay. `background` is
    an RGB colour or a whole (H, W, 3) image. `shading` defaults to STUDIO with a texture, else CLAY.
    `occlusion` (V,) multiplies the light and `opacity` (V,) 0..1 fades into the background. Visibility is found
    on a grid twice as fine; pixels inside one surface are shaded once, those on an edge four times.
    The provenance (0 outside, and everywhere without a `Texture`) is that of the pixel's centre. `shells` are drawn
    from both sides where the head does not hide them; the provenance knows nothing of them.
    """
    width, height = camera.size
    points = screen_points(vertices, camera, head_to_camera, 2.0)
    ids, inverse_depth = visible(points, level.triangles, 2 * height, 2 * width)
    rotation = np.asarray(head_to_camera, dtype=np.float32)[:3, :3]
    if shading is None:
        shading = CLAY if texture is None else STUDIO
    lit: Any = studio_light(triangle_vertex_normals(vertices, level.triangles) @ rotation.T, shading)
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
    to_linear, to_srgb = srgb_tables()
    rows = attribute_planes(
        points,
        level.triangles,
        np.ascontiguousarray(triangle_uv),
        np.ascontiguousarray(uv, dtype=np.float32),
        np.ascontiguousarray(lit, dtype=np.float32),
        np.ascontiguousarray(alpha),
        ids,
    )
    cutouts = [Cutout.of(shell.triangles, shell.uv, shell.image) for shell in shells]
    for shell, cutout in zip(shells, cutouts, strict=True):
        if shell.below:
            at = screen_points(shell.vertices, camera, head_to_camera, 2.0)
            joined(ids, draw_cut(at, cutout, inverse_depth.copy(), 2), 2)
    faded = np.asarray((alpha < 1)[level.triangles].any(axis=1)) if shells else np.zeros(0, np.bool_)
    if faded.any():
        # Hair is seen through a neck that fades.
        there = (ids >= 0) & faded[ids]
        some = np.flatnonzero(there.any(axis=1)) // 2 * 2
        first, last = (int(some[0]), int(some[-1]) + 2) if len(some) else (0, 0)
        part = replace(camera, center=(camera.center[0], camera.center[1] - first // 2))
        rows_of = np.ascontiguousarray(points - np.array([0, first, 0], np.float32))
        behind = visible(rows_of, np.ascontiguousarray(level.triangles[~faded]), last - first, 2 * width)[1]
        for shell, cutout in zip(shells, cutouts, strict=True):
            only, below = there[first:last], backdrop[first // 2 : last // 2]
            _draw_shell(shell, cutout, texture is None, part, head_to_camera, shading, behind, below, only)
    shade_pixels(
        ids,
        inverse_depth,
        rows,
        level.triangle_part,
        np.ascontiguousarray(image),
        provenance,
        to_linear,
        to_srgb,
        backdrop,
        mask,
    )
    for shell, cutout in zip(shells, cutouts, strict=True):
        _draw_shell(shell, cutout, texture is None, camera, head_to_camera, shading, inverse_depth, backdrop)
    return backdrop, mask


def _draw_shell(
    shell: Shell,
    cutout: Cutout,
    bare: bool,
    camera: Camera,
    head_to_camera: ArrayLike,
    shading: Shading,
    inverse_depth: Array,
    picture: Image,
    only: NDArray[np.bool_] | None = None,
) -> None:
    """Over a picture and the `inverse_depth` of what is in it, twice as fine; both are changed. `bare`: as clay; `only`
    samples (2 H, 2 W) get colour."""
    points = screen_points(shell.vertices, camera, head_to_camera, 2.0)
    ids = draw_cut(points, cutout, inverse_depth, 2)
    if only is not None:
        ids[~only] = -1
    if bare:
        image = np.asarray(0.73 * np.asarray(shading.albedo), np.uint8).reshape(1, 1, 3)
    else:
        places = cutout.uv * shell.image.shape[1::-1], points[:, :2] / 2
        some = cutout.triangles[:: max(1, len(cutout.triangles) // 1000)]
        areas = (_areas(corner[some]) for corner in places)
        across, seen = (max(float(np.abs(area).sum()), 1e-9) for area in areas)
        image = level_of(cutout.texels, cutout.levels, max(int(0.5 * np.log2(across / seen) + 0.25), 0))
    rotation = np.asarray(head_to_camera, dtype=np.float32)[:3, :3]
    normals = np.asarray(shell.normals, dtype=np.float32) @ rotation.T
    away = (normals * transform(head_to_camera, np.asarray(shell.vertices, dtype=np.float32))).sum(axis=1) > 0
    lit = studio_light(np.where(away[:, None], -normals, normals), shading) * np.where(away, INSIDE, 1)
    whole = np.ones(len(points), np.float32)
    t, uv = cutout.triangles, cutout.uv
    rows = attribute_planes(points, t, t, uv, lit.astype(np.float32), whole, ids)
    shade_pixels(
        ids,
        inverse_depth,
        rows,
        np.zeros(len(t), np.uint8),
        image,
        np.zeros((1, 1), np.uint8),
        *srgb_tables(),
        picture,
        np.zeros(picture.shape[:2], np.uint8),
    )


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
    areas = [_areas(p) for p in (screen, chart)]
    front = areas[0] < 0
    if not front.any():
        return 1.0
    return float(np.sqrt(np.abs(areas[1][front]).sum() / max(np.abs(areas[0][front]).sum(), 1e-9)))


def _areas(corners: Array) -> Array:
    """(T,) twice the areas, with their signs, of flat triangles (T, 3, 2)."""
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])


def _part_colours(albedo: tuple[int, int, int]) -> Image:
    """(1, 7, 3): skin in the material's colour, the other parts tinted just enough to be told apart."""
    skin = np.asarray(albedo, dtype=np.float64)
    eye, teeth, tongue, mouth = (
        np.array(c) for c in ([240, 240, 240], [235, 230, 218], [200, 150, 145], [120, 80, 78])
    )
    return np.stack([skin, eye, eye, teeth, teeth, tongue, mouth])[None].astype(np.uint8)
