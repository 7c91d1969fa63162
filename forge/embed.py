"""Find where on the head the landmark net's 478 points (and the 68 iBUG points) lie.

Random people are rendered from many sides and sent through the real landmark net; the point of the surface is
taken that stays closest to the net's answer over all views (a robust multi-view triangulation on the mesh).
Left and right are then made symmetric.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from surface import closest_on_surface

from tronie.geometry import Array, rigid, rotation_from_euler
from tronie.head.model import PARTS, HeadModel
from tronie.render.raster import interpolate, rasterize
from tronie.render.shading import vertex_normals
from tronie.types import ARKIT_UNITS

SIZE = 256
DISTANCE = 800.0
CROP_MM = 235.0
CROP_CENTRE = np.array([0.0, -28.0, 20.0])
IRISES = range(468, 478)

IBUG_FROM_478: tuple[int, ...] = (
    127, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 356,  # jaw
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,  # brows
    168, 197, 5, 4, 75, 97, 2, 326, 305,  # nose
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,  # eyes
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,  # outer lips
    78, 82, 13, 312, 308, 317, 14, 87,  # inner lips
)  # fmt: skip
"""The 478-mesh point that means the same as each iBUG point (the jaw is re-laid evenly below)."""

LOWER_LIP = (95, 88, 178, 87, 14, 317, 402, 318, 324, 96, 89, 179, 86, 15, 316, 403, 319, 325)
UPPER_LIP = (191, 80, 81, 82, 13, 312, 311, 310, 415, 183, 42, 41, 38, 12, 268, 271, 272, 407)
"""The net's points on the inner rows of either lip, without the corners."""

Detect = Callable[[Array], Array]
"""(256, 256, 3) uint8 -> (478, 3) in crop pixels."""


@dataclass(frozen=True)
class View:
    identity: Array
    rotation: Array
    light: Array


def random_views(components: int, people: int, per_person: int, seed: int) -> list[View]:
    rng = np.random.default_rng(seed)
    out = []
    for _ in range(people):
        a = rng.normal(size=components) * 0.6
        for _ in range(per_person):
            turn = rotation_from_euler(rng.uniform(-38, 38), rng.uniform(-15, 15), rng.uniform(-5, 5))
            out.append(View(a, turn, np.array([rng.uniform(-0.8, 0.8), rng.uniform(0.2, 0.9), 1.0])))
    return out


def render(model: HeadModel, vertices: Array, view: View, colour: Array) -> tuple[Array, Array, float]:
    """(256, 256, 3) uint8 picture, (4, 4) head-to-camera and the focal length of one view; level-1 vertices."""
    level = model.level(1)
    pose = rigid(view.rotation, np.array([0, 0, DISTANCE]) - view.rotation @ CROP_CENTRE)
    focal, scale = SIZE / CROP_MM * DISTANCE, 2
    p = vertices @ pose[:3, :3].T + pose[:3, 3]
    uv = p[:, :2] * (focal / p[:, 2:]) + SIZE / 2
    points = np.column_stack([uv * scale, p[:, 2]]).astype(np.float32)
    buffers = rasterize(points, level.triangles, SIZE * scale, SIZE * scale)
    light = view.light * [1, -1, -1] / np.linalg.norm(view.light)
    lambert = 0.3 + 0.7 * np.clip((vertex_normals(vertices, level.triangles) @ pose[:3, :3].T) @ light, 0, 1)
    image = interpolate(buffers, level.triangles, (colour * lambert[:, None]).astype(np.float32))
    image[buffers.triangle < 0] = 96
    image = image.reshape(SIZE, scale, SIZE, scale, 3).mean(axis=(1, 3))
    return np.clip(image, 0, 255).astype(np.uint8), pose, focal


def plain_colours(model: HeadModel) -> Array:
    """(V, 3) at level 1: skin and whites of the eyes."""
    level = model.level(1)
    colour = np.tile([205.0, 160.0, 138.0], (level.matrix.shape[0], 1))
    for name, rgb in (("eye_left", (232, 230, 226)), ("eye_right", (232, 230, 226)), ("mouth", (120, 60, 55))):
        colour[_vertices(level.quads, level.part == PARTS.index(name))] = rgb
    return colour


def painted_colours(model: HeadModel) -> Array:
    """Plain colours plus irises, lips and brows, placed by a first embedding: the net reads these better."""
    level = model.level(1)
    colour = plain_colours(model)
    mean = level.apply(model.mean)
    p = level.points478(mean)
    for name in ("eye_left", "eye_right"):
        eye = _vertices(level.quads, level.part == PARTS.index(name))
        centre = mean[eye].mean(axis=0)
        axis = np.array([0, 0, 1.0])
        radius = np.linalg.norm((mean[eye] - centre) - ((mean[eye] - centre) @ axis)[:, None] * axis, axis=1)
        front = mean[eye][:, 2] > centre[2] + 5
        colour[eye[front & (radius < 5.9)]] = (90, 60, 40)
        colour[eye[front & (radius < 2.2)]] = (15, 12, 12)
    skin = _vertices(level.quads, level.part == 0)
    outer = p[[61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146]]
    colour[skin[_inside(mean[skin], outer)]] = (178, 100, 98)
    for brow in ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)):
        colour[skin[_inside(mean[skin], p[list(brow)])]] = (95, 68, 55)
    return colour


def _vertices(quads: Array, mask: Array) -> Array:
    v = np.unique(quads[mask])
    return v[v >= 0]


def _inside(points: Array, polygon: Array) -> Array:
    """Which points project into the polygon seen from the front, on the same side of the head."""
    x, y = points[:, 0], points[:, 1]
    inside = np.zeros(len(points), dtype=bool)
    for a, b in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        crosses = (a[1] > y) != (b[1] > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            inside ^= crosses & (x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0])
    return inside & (points[:, 2] > polygon[:, 2].min() - 6)


def find_points(model: HeadModel, detect: Detect, views: list[View], colour: Array) -> tuple[Array, Array]:
    """Embed the 478 points at level 1: vertex indices (478, 3) and barycentric weights (478, 3)."""
    level = model.level(1)
    shapes: dict[int, Array] = {}
    seen, poses = [], []
    for view in views:
        v = shapes.setdefault(id(view.identity), level.apply(model.shape(view.identity)))
        image, pose, focal = render(model, v, view, colour)
        seen.append(detect(image)[:, :2])
        poses.append((v, pose, focal))
    observed = np.array(seen)
    skin, eyes = level.triangle_part == 0, np.isin(level.triangle_part, (1, 2))
    index, weight = np.zeros((478, 3), np.int32), np.zeros((478, 3), np.float32)
    for members, mask in ((np.arange(468), skin), (np.array(IRISES), eyes)):
        i, w = _closest(level.triangles[mask], poses, observed[:, members])
        index[members], weight[members] = i, w
    return index, weight


def _closest(triangles: Array, poses: list, observed: Array) -> tuple[Array, Array]:
    front = np.unique(triangles)
    reference = poses[0][0]
    front = front[reference[front, 2] > -75]
    cost = np.zeros((len(front), observed.shape[1]))
    for (v, pose, focal), q in zip(poses, observed, strict=True):
        uv = _project(v[front], pose, focal)
        cost += _robust(uv[:, None] - q[None])
    best = front[cost.argmin(axis=0)]
    of_vertex: dict[int, list[int]] = {}
    for t, tri in enumerate(triangles):
        for k in tri:
            of_vertex.setdefault(int(k), []).append(t)
    grid = np.array([(i, j, 8 - i - j) for i in range(9) for j in range(9 - i)]) / 8.0
    index, weight = np.zeros((len(best), 3), np.int32), np.zeros((len(best), 3), np.float32)
    for n, vertex in enumerate(best):
        ring = set(of_vertex[int(vertex)])
        ring |= {t for r in list(ring) for k in triangles[r] for t in of_vertex[int(k)]}
        tri = triangles[sorted(ring)]
        total = np.zeros((len(tri), len(grid)))
        for (v, pose, focal), q in zip(poses, observed[:, n], strict=True):
            total += _robust(_project(np.einsum("gc,tck->tgk", grid, v[tri]), pose, focal) - q)
        t, g = np.unravel_index(total.argmin(), total.shape)
        index[n], weight[n] = tri[t], grid[g]
    return index, weight


def _project(points: Array, pose: Array, focal: float) -> Array:
    p = points @ pose[:3, :3].T + pose[:3, 3]
    return p[..., :2] * (focal / p[..., 2:]) + SIZE / 2


def _robust(d: Array, scale: float = 2.0) -> Array:
    return np.log1p((d**2).sum(axis=-1) / scale**2)  # Cauchy


def mirror_indices(points: Array) -> Array:
    """(n,) which point is each one's counterpart, from their (nearly symmetric) positions (n, 3); best pairs first."""
    cost = np.linalg.norm(points[:, None] * [-1, 1, 1] - points[None], axis=2)
    cost = cost + cost.T
    pair = np.full(len(points), -1)
    for flat in np.argsort(cost, axis=None):
        i, j = divmod(int(flat), len(points))
        if pair[i] < 0 and pair[j] < 0:
            pair[i], pair[j] = j, i
    return pair


def locate(points: Array, vertices: Array, triangles: Array) -> tuple[Array, Array]:
    """Nearest points of a surface: vertex indices (n, 3) and barycentric weights (n, 3)."""
    triangle, weight, _ = closest_on_surface(points, vertices, triangles)
    return triangles[triangle].astype(np.int32), weight.astype(np.float32)


def jaw_line(points: Array) -> Array:
    """17 points evenly spaced along the net's face oval from ear to ear, (17, 3)."""
    oval = [127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152,
            377, 400, 378, 379, 365, 397, 288, 361, 323, 454, 356]  # fmt: skip
    line = points[oval]
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    at = np.linspace(0, length[-1], 17)
    return np.stack([np.interp(at, length, line[:, k]) for k in range(3)], axis=1)


def embed(model: HeadModel, detect: Detect, people: int = 14, per_person: int = 6, seed: int = 0) -> HeadModel:
    """The model with its embeddings at levels 0, 1 and 2."""
    empty = np.zeros((478, 3), np.int32), np.full((478, 3), 1 / 3, np.float32)
    first = {f"{n}.{k}": (empty[0][:n], empty[1][:n]) for n in (68, 478) for k in range(3)}
    model = replace(model, embeddings=first)
    colour = plain_colours(model)
    for round_ in range(2):
        views = random_views(len(model.identity), people, per_person, seed + round_)
        index, weight = find_points(model, detect, views, colour)
        level = model.level(1)
        mean = level.apply(model.mean)
        points = np.einsum("nck,nc->nk", mean[index], weight)
        mirror = mirror_indices(points)
        points = (points + points[mirror] * [-1, 1, 1]) / 2
        model = replace(model, embeddings=_at_all_levels(model, points))
        colour = painted_colours(model)
    return model


def _shared(rows: Array, sixty_eight: Array) -> tuple[Array, Array]:
    """The iBUG points that are among these net points: their numbers and positions."""
    at = np.array([i for i, n in enumerate(IBUG_FROM_478) if i >= 17 and n in set(rows.tolist())], dtype=int)
    return at, sixty_eight[at]


def _at_all_levels(model: HeadModel, points: Array) -> dict[str, tuple[Array, Array]]:
    """Both embeddings at each level for points (478, 3) on the mean head."""
    sixty_eight = points[list(IBUG_FROM_478)].copy()
    sixty_eight[:17] = jaw_line(points)
    out = {}
    for k in range(3):
        level = model.level(k)
        mean = level.apply(model.mean)
        skin, eyes = level.triangles[level.triangle_part == 0], level.triangles[np.isin(level.triangle_part, (1, 2))]
        si, sw = locate(points[:468], mean, skin)
        ei, ew = locate(points[468:], mean, eyes)
        out[f"478.{k}"] = (np.concatenate([si, ei]), np.concatenate([sw, ew]))
        out[f"68.{k}"] = locate(sixty_eight, mean, skin)
        # At rest the lips touch, so the nearest surface may be the wrong lip: the jaw tells them apart.
        drop = level.apply(model.expression[ARKIT_UNITS.index("jawOpen")])[skin, 1].mean(axis=1)
        lower = drop < 0.4 * drop.min()
        for names, lip in ((LOWER_LIP, skin[lower]), (UPPER_LIP, skin[~lower])):
            rows = np.array(names)
            for key, at, where in (
                (f"478.{k}", rows, points[rows]),
                (f"68.{k}", *_shared(rows, sixty_eight)),
            ):
                index, weight = locate(where, mean, lip)
                out[key][0][at], out[key][1][at] = index, weight
    return out
