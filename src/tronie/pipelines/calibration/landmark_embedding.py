"""Where on a head the landmark net's 478 points (and the 68 iBUG points) lie.

Random people are rendered from many sides and sent through the real landmark net; the point of the surface is taken
that stays closest to the net's answer over all views (a robust multi-view triangulation on the mesh). Left and right
are then made symmetric.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.geometry import Camera, rigid, rotation_from_euler
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import HeadModel
from tronie.pipelines.calibration.registration import closest_on_surface
from tronie.stages.landmarks.lines import OVAL

Ints = NDArray[np.int32]
Embedding = tuple[Ints, Array]
"""Vertex indices (n, 3) and barycentric weights (n, 3)."""

SIZE = 256
"""Pixels of a view."""
DISTANCE = 800.0
CROP_MM = 235.0
CROP_CENTRE = np.array([0.0, -28.0, 20.0])
SKIN_POINTS = 468
"""The further ones lie on the irises."""
PEOPLE, VIEWS = 14, 6
"""Random people, and views of each."""
PERSON_SIZE = 0.6
"""Spread of their coefficients."""

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


Detect = Callable[[Image], Array]
"""(SIZE, SIZE, 3) -> (478, 2 or more) in its pixels."""


@dataclass(frozen=True, eq=False)
class ObservedHead:
    """A head, how it was seen, and where the net saw its points."""

    vertices: Array
    """(V, 3)."""
    head_to_camera: Array
    points: Array
    """(478, 2)."""

    @property
    def camera(self) -> Camera:
        return view_camera()


def view_camera() -> Camera:
    return Camera(SIZE / CROP_MM * DISTANCE, (SIZE / 2, SIZE / 2), (SIZE, SIZE))


def view_pose(rotation: Array) -> Array:
    """(4, 4) head to camera with the face in the picture's middle."""
    return rigid(rotation, np.array([0, 0, DISTANCE]) - rotation @ CROP_CENTRE)


def random_turn(rng: np.random.Generator) -> Array:
    """(3, 3): the face seen from the front or from a little aside."""
    return rotation_from_euler(rng.uniform(-38, 38), rng.uniform(-15, 15), rng.uniform(-5, 5))


def inside(points: Array, polygon: Array) -> Array:
    """Which points project into the polygon seen from the front, on the same side of the head."""
    x, y = points[:, 0], points[:, 1]
    inside = np.zeros(len(points), dtype=bool)
    for a, b in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        crosses = (a[1] > y) != (b[1] > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            inside ^= crosses & (x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0])
    return np.asarray(inside & (points[:, 2] > polygon[:, 2].min() - 6))


def carried(model: HeadModel, ours: HeadModel) -> HeadModel:
    """The model, `moved` already, with the embeddings of ours carried over by nearest points: a first guess."""
    mesh = ours.level(ours.usual_level)
    return at_all_levels(model, mesh.points478(mesh.apply(ours.mean)).astype(np.float64))


def embed(
    model: HeadModel, texture: Sequence[Image], detect: Detect, seed: int = 0, tick: Callable[[], None] = lambda: None
) -> HeadModel:
    """The model with the embeddings that the net itself points at. It must have first ones (`carried`) and texture
    coordinates that fit the textures. `tick` is called after each of PEOPLE * VIEWS views."""
    from tronie.raster.shading import render_head

    rng = np.random.default_rng(seed)
    level = model.level(model.usual_level)
    seen = []
    for _ in range(PEOPLE):
        vertices = level.apply(model.shape(rng.normal(size=len(model.identity)) * PERSON_SIZE))
        for _ in range(VIEWS):
            pose = view_pose(random_turn(rng))
            skin = texture[int(rng.integers(len(texture)))]
            picture = render_head(vertices, level, skin, view_camera(), pose, background=(96, 96, 96))
            seen.append(ObservedHead(vertices, pose, np.asarray(detect(picture))[:, :2]))
            tick()
    index, weight = triangulated(level.triangles, level.triangle_part, seen)
    mean = level.apply(model.mean).astype(np.float64)
    points = np.einsum("nck,nc->nk", mean[index], weight)
    twin = mirror_indices(points)
    return at_all_levels(model, (points + points[twin] * [-1, 1, 1]) / 2)


def triangulated(triangles: Ints, part: NDArray[np.uint8], seen: Sequence[ObservedHead]) -> Embedding:
    """The 478 places of a surface that project closest to what was seen: irises on the eyes, all others on the skin."""
    eyes = np.isin(part, (1, 2))
    index, weight = np.zeros((478, 3), np.int32), np.zeros((478, 3), np.float32)
    balls = eyes if eyes.any() else part == 0
    for members, mask in ((slice(SKIN_POINTS), part == 0), (slice(SKIN_POINTS, None), balls)):
        index[members], weight[members] = _closest(triangles[mask], seen, members)
    return index, weight


def _closest(triangles: Ints, seen: Sequence[ObservedHead], members: slice) -> Embedding:
    front = np.unique(triangles)
    front = front[seen[0].vertices[front, 2] > -75]
    cost = np.zeros((len(front), len(seen[0].points[members])), np.float32)
    for one in seen:
        uv = _project(one.vertices[front], one).astype(np.float32)
        cost += _robust(uv[:, None] - one.points[None, members].astype(np.float32))
    best = front[cost.argmin(axis=0)]
    of_vertex: dict[int, list[int]] = {}
    for t, corners in enumerate(triangles):
        for k in corners.tolist():
            of_vertex.setdefault(k, []).append(t)
    grid = np.array([(i, j, 8 - i - j) for i in range(9) for j in range(9 - i)]) / 8.0
    index, weight = np.zeros((len(best), 3), np.int32), np.zeros((len(best), 3), np.float32)
    for n, vertex in enumerate(best):
        ring = set(of_vertex[int(vertex)])
        ring |= {t for r in list(ring) for k in triangles[r] for t in of_vertex[int(k)]}
        around = triangles[sorted(ring)]
        total = np.zeros((len(around), len(grid)))
        for one in seen:
            spots = np.einsum("gc,tck->tgk", grid, one.vertices[around])
            total += _robust(_project(spots, one) - one.points[members][n])
        best_triangle, best_spot = divmod(int(total.argmin()), len(grid))
        index[n], weight[n] = around[best_triangle], grid[best_spot]
    return index, weight


def _project(points: Array, seen: ObservedHead) -> Array:
    pose = seen.head_to_camera
    return seen.camera.project(points @ pose[:3, :3].T + pose[:3, 3])


def _robust(d: Array, scale: float = 2.0) -> Array:
    return np.asarray(np.log1p((d**2).sum(axis=-1) / scale**2))  # Cauchy


def mirror_indices(points: Array) -> Ints:
    """(n,) which point is each one's counterpart, from their (nearly symmetric) positions (n, 3); best pairs first."""
    cost = np.linalg.norm(points[:, None] * [-1, 1, 1] - points[None], axis=2)
    cost = cost + cost.T
    pair = np.full(len(points), -1, np.int32)
    for flat in np.argsort(cost, axis=None):
        i, j = divmod(int(flat), len(points))
        if pair[i] < 0 and pair[j] < 0:
            pair[i], pair[j] = j, i
    return pair


def locate(points: Array, vertices: Array, triangles: Ints) -> Embedding:
    """Nearest points of a surface."""
    triangle, weight, _ = closest_on_surface(points, vertices, triangles)
    return triangles[triangle].astype(np.int32), weight.astype(np.float32)


def jaw_line(points: Array) -> Array:
    """17 points evenly spaced along the net's face oval from ear to ear, (17, 3)."""
    oval = list(OVAL[OVAL.index(127) : OVAL.index(356) - 1 : -1])  # from ear to ear, below the face
    line = points[oval]
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    at = np.linspace(0, length[-1], 17)
    return np.stack([np.interp(at, length, line[:, k]) for k in range(3)], axis=1)


def at_all_levels(model: HeadModel, points: Array) -> HeadModel:
    """The model with both embeddings at each of its levels, for points (478, 3) near its mean head."""
    sixty_eight = points[list(IBUG_FROM_478)].copy()
    sixty_eight[:17] = jaw_line(points)
    bare = replace(model, embeddings={})
    out: dict[str, Embedding] = {}
    for k in model.levels:
        level = bare.level(k)
        mean = level.apply(model.mean).astype(np.float64)
        skin, eyes = level.triangles[level.triangle_part == 0], level.triangles[np.isin(level.triangle_part, (1, 2))]
        on_skin = locate(points[:SKIN_POINTS], mean, skin)
        on_eyes = locate(points[SKIN_POINTS:], mean, eyes if len(eyes) else skin)
        out[f"478.{k}"] = (np.concatenate([on_skin[0], on_eyes[0]]), np.concatenate([on_skin[1], on_eyes[1]]))
        out[f"68.{k}"] = locate(sixty_eight, mean, skin)
        # At rest the lips touch, so the nearest surface may be the wrong lip: the jaw tells them apart.
        drop = level.apply(model.expression[ARKIT_UNITS.index("jawOpen")])[skin, 1].mean(axis=1)
        lower = drop < 0.4 * drop.min()
        if not (lower.any() and (~lower).any()):
            continue
        for names, lip in ((LOWER_LIP, skin[lower]), (UPPER_LIP, skin[~lower])):
            rows = np.array(names)
            shared = np.array([i for i, n in enumerate(IBUG_FROM_478) if i >= 17 and n in names])
            for key, at, where in ((f"478.{k}", rows, points[rows]), (f"68.{k}", shared, sixty_eight[shared])):
                index, weight = locate(where, mean, lip)
                out[key][0][at], out[key][1][at] = index, weight
    return replace(model, embeddings=out)
