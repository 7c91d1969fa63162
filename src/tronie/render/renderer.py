"""`render(Scene(figure, camera, pose, look)) -> picture`: textured, clay, wireframe, provenance, uncertainty, normals.

A scene is a value, and a picture depends on nothing else; calls may run in several threads at once. What does not
change between pictures of one person (neighbours, texture pyramid, openness) is kept in its `Figure`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tronie.arrays import Array, Image
from tronie.color import linear_to_srgb
from tronie.geometry import Camera
from tronie.head.materials import LOOKS
from tronie.head.model import PARTS
from tronie.head.surface import MATERIALS
from tronie.io.encode import PROVENANCE_COLORS
from tronie.raster.compositing import srgb_tables
from tronie.raster.cutouts import draw_cut, hide_covered, joined
from tronie.raster.rasterizer import visible
from tronie.raster.shading import INSIDE
from tronie.render.figure import Figure
from tronie.render.fragments import REACH, STEPS, fragments, planes, resolve
from tronie.render.lights import Lighting, preset
from tronie.render.shader import COLUMNS, fragment_stage, vertex_stage
from tronie.render.shells import HAIR_DULL, SHELLED, DrawnShell, material_row
from tronie.runtime.threads import in_bands
from tronie.types import PROVENANCE

Mode = Literal["textured", "clay", "wireframe", "provenance", "uncertainty", "normals"]
MODES: tuple[Mode, ...] = get_args(Mode)

SHADOW_SIDE = 320
"""Of the map that tells what the first lamp sees, pixels."""
SHADOW_BLUR_MM = 5.0
"""Width of the soft edge of a shadow."""
HIDDEN_FROM = -0.2
"""Sine above the head's side view, seen from behind it, at which eyes and mouth are left out: a neck that fades or is
open would show them."""
UNCERTAIN_MM = 6.0
"""Upper end of the scale of colours for standard deviations."""

# How translucent it is; its colour as clay and in wireframes.
_BODIES: dict[str, tuple[float, tuple[int, int, int]]] = {
    "skin": (1.0, (205, 196, 188)),
    "eye_left": (0.3, (235, 235, 235)),
    "eye_right": (0.3, (235, 235, 235)),
    "teeth_upper": (0.5, (232, 228, 216)),
    "teeth_lower": (0.5, (232, 228, 216)),
    "tongue": (0.8, (200, 150, 145)),
    "mouth": (0.8, (132, 92, 88)),
}


@dataclass(frozen=True, eq=False)
class Look:
    """How a figure is shown."""

    mode: Mode = "textured"
    light: Lighting = field(default_factory=lambda: preset("photo"))
    background: ArrayLike | None = (236, 236, 238)
    """An RGB colour, a whole (H, W, 3) picture, or None for a transparent one."""
    samples: int = 2
    """Per pixel and axis, for what covers what: 1 has jagged edges, 2 will do for moving pictures, 4 for stills."""
    soft_rim: bool = True
    """Whether hair thins out at the outline, and a neck without an end fades; only in the mode `textured`."""
    wire: float = 1.0
    """Width of the lines of a wireframe, pixels."""
    wire_color: tuple[int, int, int] = (30, 64, 92)
    most_mm: float = UNCERTAIN_MM
    """Standard deviation that has the last colour of the scale."""

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"there is no mode {self.mode!r}, only {', '.join(MODES)}")
        if not 1 <= self.samples <= 8:
            raise ValueError(f"samples should be 1 to 8, not {self.samples}")


@dataclass(frozen=True, eq=False)
class Scene:
    """All that a picture depends on."""

    figure: Figure
    camera: Camera
    head_to_camera: Array
    """(4, 4) rigid: head millimetres -> camera millimetres."""
    look: Look = field(default_factory=Look)
    weights: Mapping[str, float] | None = None
    """Expression, by unit; None is at rest."""
    vertices: Array | None = None
    """(V, 3) float32 mm; None poses the figure by `weights`."""


def render(scene: Scene, threads: int = 1) -> Image:
    """The picture (H, W, 3) RGB, with a transparent background (H, W, 4) RGBA, alpha not multiplied in."""
    figure, camera, look = scene.figure, scene.camera, scene.look
    width, height = camera.size
    samples = int(look.samples)
    posed = figure.posed(scene.weights) if scene.vertices is None else scene.vertices
    vertices = np.ascontiguousarray(posed, dtype=np.float32)
    pose = np.asarray(scene.head_to_camera, dtype=np.float32)
    lighting = look.light
    soft = look.soft_rim and look.mode == "textured"
    points, in_camera = np.empty((len(vertices), 3), np.float32), np.empty((len(vertices), 3), np.float32)
    vertex = np.empty((len(vertices), COLUMNS), np.float32)
    whole, none = np.ones(len(vertices), np.float32), np.zeros(len(vertices), np.float32)
    vertex_stage(
        vertices,
        figure.normals(vertices),
        pose[:3],
        np.array([*camera.focals, *camera.center], np.float32) * samples,
        figure.neck if soft and figure.neck is not None and not figure.ends else whole,
        figure.hairy if soft and figure.hairy is not None and not figure.haired else none,
        lighting.harmonics,
        points,
        in_camera,
        vertex,
    )
    eye = -pose[:3, :3].T @ pose[:3, 3] - figure.middle
    if not figure.both_sides and eye[2] < HIDDEN_FROM * np.linalg.norm(eye):
        points[figure.inner, 2] = -1  # behind the camera: not drawn
    shells = [
        DrawnShell.of(figure, k, figure.shells[k].posed(scene.weights), pose, camera, samples, lighting)
        for k in range(len(figure.shells) if look.mode in SHELLED else 0)
    ]
    vertex[:, 3] = figure.openness.at(scene.weights) if lighting.hollows else 1
    if shells and lighting.hollows:
        vertex[:, 3] *= figure.shade[0]
    vertex[:, 5] = 0 if figure.sigma is None else figure.sigma / np.float32(look.most_mm)
    vertex[:, 6] = 1 if figure.hairy is None else 1 - HAIR_DULL * figure.hairy
    vertex[:, 10] = figure.roughness if figure.roughness is not None and look.mode == "textured" else 0
    lamps = np.zeros((len(lighting.lamps), 8), np.float32)
    shadow, to_shadow = np.full((2, 2, 2), 1e6, np.float32), np.zeros((3, 4), np.float32)
    casting = next((k for k, lamp in enumerate(lighting.lamps) if lamp.shadow), -1)
    for k, lamp in enumerate(lighting.lamps):
        direction = np.asarray(lamp.direction) / np.linalg.norm(lamp.direction)
        lamps[k] = (*direction, *lamp.color, lamp.wrap, k == casting)
        if k == casting:
            shadow, to_shadow = _shadow(in_camera, direction, figure, shells)
    pyramid, levels = figure.pyramid(lighting.relit)
    provenance = np.ascontiguousarray(np.zeros((1, 1), np.uint8) if figure.provenance is None else figure.provenance)
    mode = {"textured": 0, "clay": 1, "wireframe": 1, "provenance": 2, "uncertainty": 3, "normals": 4}[look.mode]
    line = srgb_tables()[0][4 * np.asarray(look.wire_color)]
    looks = np.array([lighting.gloss, lighting.soft, look.wire / 2, figure.both_sides, *line, 1], np.float32)
    own_looks = np.array([lighting.gloss, lighting.soft, look.wire / 2, True, *line, INSIDE], np.float32)
    lens = np.array([1 / camera.focals[0], 1 / camera.focals[1], *camera.center, 1 / samples], np.float32)
    wire = np.full(len(figure.triangles), 7, np.uint8) if figure.wire is None else figure.wire
    out = _background(look.background, height, width)

    faded = np.zeros(0, np.bool_)
    if shells:
        faded = np.asarray((vertex[:, 4] < 1)[figure.triangles].any(axis=1))
    seen = np.concatenate([points, *(shell.points for shell in shells)])
    nearest = min(float(part[:, 2].min()) for part in (in_camera, *(shell.in_camera for shell in shells)))
    top, bottom, left, right = _box(seen, nearest, samples, height, width)

    def band(first: int, last: int) -> None:
        corner = np.array([left * samples, first * samples, 0], np.float32)
        moved = points - corner
        cull = not figure.both_sides
        ids, nearness = visible(moved, figure.triangles, (last - first) * samples, (right - left) * samples, cull)
        rows = planes(moved, figure.triangles, figure.triangle_uv, figure.uv, float(levels[0, 1]), float(samples), ids)
        own_lens = lens - np.array([0, 0, left, first, 0], np.float32)

        def shade(ids: Any, nearness: Array, rows: Any, mesh: Any, maps: Any, looks: Any) -> None:
            triangles, triangle_uv, uv, vertex, part, wire = mesh
            pyramid, levels, materials = maps
            pixel, surface, place = _fragments(ids, nearness, samples, part)
            colors = np.empty((len(surface), 4), np.float32)
            fragment_stage(
                surface,
                place,
                rows,
                triangles,
                triangle_uv,
                uv,
                vertex,
                part,
                wire,
                mode,
                look.mode == "wireframe",
                pyramid,
                levels,
                provenance,
                _palette(),
                heat(),
                materials,
                own_lens,
                lamps,
                lighting.harmonics,
                lighting.maps,
                looks,
                shadow,
                to_shadow,
                srgb_tables()[0],
                colors,
            )
            table = _to_srgb(lighting.plain)
            clear = look.background is None
            resolve(pixel, colors, samples, srgb_tables()[0], table, clear, left, right - left, out[first:last])

        def shade_shell(shell: DrawnShell, moved: Array, ids: Any, nearness: Array) -> None:
            t, uv = shell.cutout.triangles, shell.cutout.uv
            rows = planes(moved, t, t, uv, shell.cutout.side, float(samples), ids)
            maps = shell.cutout.texels, shell.cutout.levels, shell.material
            shade(ids, nearness, rows, (t, t, uv, shell.vertex, shell.part, shell.wire), maps, own_looks)

        placed = [shell.points - corner for shell in shells]
        if shells and faded.any() and (there := (ids >= 0) & faded[ids]).any():
            # Hair is seen through a neck that fades.
            rows_there = np.flatnonzero(there.any(axis=1)) // samples * samples
            top_row, low_row = int(rows_there[0]), int(rows_there[-1]) + samples
            raised = np.array([0, top_row, 0], np.float32)
            whole = np.ascontiguousarray(figure.triangles[~faded])
            behind = visible(moved - raised, whole, low_row - top_row, ids.shape[1], cull)[1]
            for shell, at in zip(shells, placed, strict=True):
                seen = np.full_like(ids, -1)
                part = draw_cut(at - raised, shell.cutout, behind, samples)
                seen[top_row:low_row] = np.where(there[top_row:low_row], part, -1)
                shade_shell(shell, at, seen, nearness)
        over = [draw_cut(at, shell.cutout, nearness, samples) for shell, at in zip(shells, placed, strict=True)]
        for k, part in enumerate(over):
            if figure.shells[k].below:
                joined(ids, part, samples)
        if over:
            hide_covered(ids, over[0] if len(over) == 1 else np.max(over, axis=0), samples)
        mesh = figure.triangles, figure.triangle_uv, figure.uv, vertex, figure.part, wire
        shade(ids, nearness, rows, mesh, (pyramid, levels, _materials()), looks)
        for shell, at, seen in zip(shells, placed, over, strict=True):
            shade_shell(shell, at, seen, nearness)

    bands = max(1, min(threads, (bottom - top) // 16))
    # The head is widest in the middle: bands of equal height would leave the outer ones idle.
    in_bands(band, np.round(top + _middle_heavy(bands) * (bottom - top)).astype(int).tolist())
    return out


def _box(points: Array, nearest: float, samples: int, height: int, width: int) -> tuple[int, int, int, int]:
    """Rows and columns of pixels, first and past the last, that have all there is to see; a pixel at least."""
    if nearest <= 0:  # something is behind the camera, which turns its place round
        return 0, height, 0, width
    low, high = (
        np.clip(f(axis=0)[:2] / samples + by, 0, [width, height]) for f, by in ((points.min, -1), (points.max, 2))
    )
    (left, top), (right, bottom) = low.astype(int).tolist(), high.astype(int).tolist()
    top, left = min(top, height - 1), min(left, width - 1)
    return top, max(bottom, top + 1), left, max(right, left + 1)


def _fragments(ids: Any, nearness: Array, samples: int, part: NDArray[np.uint8]) -> tuple[Any, Any, Array]:
    """What `fragments` finds, with as much room as it needs."""
    room = ids.size // samples**2
    room += room // 4 + 64
    while True:
        pixel, surface = np.empty((room, 2), np.int32), np.empty(room, np.int32)
        place = np.empty((room, 2), np.float32)
        count = fragments(ids, nearness, samples, part, pixel, surface, place)
        if count <= room:
            return pixel[:count], surface[:count], place[:count]
        room = count


def _middle_heavy(bands: int) -> Array:
    """(bands + 1,) borders 0..1 with about as much of a head in each band."""
    t = np.linspace(0, 1, bands + 1)
    return np.asarray(t + 0.07 * np.sin(2 * np.pi * t))


def _shadow(in_camera: Array, direction: Array, figure: Figure, shells: Sequence[DrawnShell]) -> tuple[Array, Array]:
    """What a lamp far away sees: mean depth and mean squared depth (S, S, 2), blurred, and the map (3, 4) from camera
    millimetres to its x, y in pixels and depth in millimetres."""
    import cv2

    z = -np.asarray(direction)
    x = np.cross([0.0, 1.0, 0.0] if abs(z[1]) < 0.9 else [1.0, 0.0, 0.0], z)
    x /= np.linalg.norm(x)
    axes = np.stack([x, np.cross(z, x), z]).astype(np.float32)
    p = np.concatenate([in_camera, *(shell.in_camera for shell in shells)]) @ axes.T
    low, high = p.min(axis=0), p.max(axis=0)
    scale = (SHADOW_SIDE - 16) / float(max(high[0] - low[0], high[1] - low[1], 1.0))
    shift = np.array([SHADOW_SIDE / 2, SHADOW_SIDE / 2, 100.0]) - np.array(
        [(low[0] + high[0]) / 2 * scale, (low[1] + high[1]) / 2 * scale, low[2]]
    )
    matrix = np.column_stack([axes * np.array([[scale], [scale], [1.0]]), shift]).astype(np.float32)
    screen = np.ascontiguousarray(in_camera @ matrix[:, :3].T + matrix[:, 3], dtype=np.float32)
    # Mirrored by the change of axes or not, both sides count: thin things cast shadows, too.
    nearness = visible(screen, figure.triangles, SHADOW_SIDE, SHADOW_SIDE, cull=False)[1]
    for shell in shells:
        screen = np.ascontiguousarray(shell.in_camera @ matrix[:, :3].T + matrix[:, 3], dtype=np.float32)
        draw_cut(screen, shell.cutout, nearness)
    beyond = np.float32(high[2] - low[2] + 120.0)
    depth = 1 / np.maximum(nearness, 1 / beyond)
    both = cv2.merge([depth, depth * depth])
    blur = 2 * round(SHADOW_BLUR_MM * scale / 2) + 1
    for _ in range(2):
        both = cv2.blur(both, (blur, blur))
    return np.ascontiguousarray(both), matrix


def _background(background: ArrayLike | None, height: int, width: int) -> Image:
    if background is None:
        return np.zeros((height, width, 4), np.uint8)
    out = np.empty((height, width, 3), np.uint8)
    given = np.asarray(background, dtype=np.uint8)
    # A whole row at a time: six times as fast as a colour at a time.
    out[:] = np.tile(given, (width, 1)) if given.ndim == 1 else given
    return out


@cache
def _palette() -> Array:
    """(6, 3) linear colours of PROVENANCE."""
    colors = np.array([PROVENANCE_COLORS[name] for name in PROVENANCE])
    colors[0] = 120
    return np.ascontiguousarray(srgb_tables()[0][4 * colors])


@cache
def heat_srgb() -> Image:
    """(256, 3) sRGB: from dark (sure) to bright (unsure), even in lightness, readable by the colour-blind (viridis)."""
    import cv2

    steps = np.arange(256, dtype=np.uint8)[None]
    return np.ascontiguousarray(cv2.applyColorMap(steps, cv2.COLORMAP_VIRIDIS)[0, :, ::-1])


@cache
def heat() -> Array:
    return np.ascontiguousarray(srgb_tables()[0][4 * heat_srgb().astype(int)])


@cache
def _materials() -> Array:
    worn = {part: LOOKS[material] for material, parts in MATERIALS.items() for part in parts}
    return np.concatenate([material_row(worn[name], *_BODIES[name]) for name in PARTS])


@lru_cache(maxsize=2)
def _to_srgb(plain: bool) -> Image:
    """Linear light in steps of 1 / STEPS up to REACH -> sRGB; what is bright is bent down unless `plain`."""
    x = np.arange(STEPS * REACH + 1) / STEPS
    if not plain:
        knee = 0.72
        x = np.where(x < knee, x, knee + (1 - knee) * (1 - np.exp(-(x - knee) / (1 - knee))))
    return np.round(linear_to_srgb(x)).astype(np.uint8)
