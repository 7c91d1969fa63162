"""Find the landmark points on our own head from nothing: with plain paint first, then with lips, brows and irises
painted where the first answers put them, because the net reads these better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tronie.arrays import Array
from tronie.head.model import PARTS, HeadModel
from tronie.head.surface import triangle_vertex_normals
from tronie.pipelines.calibration.landmark_embedding import (
    CROP_CENTRE,
    SIZE,
    Detect,
    ObservedHead,
    at_all_levels,
    inside,
    mirror_indices,
    random_turn,
    triangulated,
    view_camera,
    view_pose,
)
from tronie.raster.rasterizer import interpolate, rasterize

__all__ = ["CROP_CENTRE", "View", "embed", "painted_colours", "render"]


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
            turn = random_turn(rng)
            out.append(View(a, turn, np.array([rng.uniform(-0.8, 0.8), rng.uniform(0.2, 0.9), 1.0])))
    return out


def render(model: HeadModel, vertices: Array, view: View, colour: Array) -> tuple[Array, Array, float]:
    """(256, 256, 3) uint8 picture, (4, 4) head-to-camera and the focal length of one view; level-1 vertices."""
    level = model.level(1)
    pose, camera, scale = view_pose(view.rotation), view_camera(), 2
    p = vertices @ pose[:3, :3].T + pose[:3, 3]
    points = np.column_stack([camera.project(p) * scale, p[:, 2]]).astype(np.float32)
    buffers = rasterize(points, level.triangles, SIZE * scale, SIZE * scale)
    light = view.light * [1, -1, -1] / np.linalg.norm(view.light)
    lambert = 0.3 + 0.7 * np.clip((triangle_vertex_normals(vertices, level.triangles) @ pose[:3, :3].T) @ light, 0, 1)
    image = interpolate(buffers, level.triangles, (colour * lambert[:, None]).astype(np.float32))
    image[buffers.triangle < 0] = 96
    image = image.reshape(SIZE, scale, SIZE, scale, 3).mean(axis=(1, 3))
    return np.clip(image, 0, 255).astype(np.uint8), pose, camera.focal


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
    colour[skin[inside(mean[skin], outer)]] = (178, 100, 98)
    for brow in ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)):
        colour[skin[inside(mean[skin], p[list(brow)])]] = (95, 68, 55)
    return colour


def _vertices(quads: Array, mask: Array) -> Array:
    v = np.unique(quads[mask])
    return v[v >= 0]


def embed(model: HeadModel, detect: Detect, people: int = 14, per_person: int = 6, seed: int = 0) -> HeadModel:
    """The model with its embeddings at levels 0, 1 and 2."""
    level = model.level(1)
    colour = plain_colours(model)
    for round_ in range(2):
        seen = views_seen(model, detect, random_views(len(model.identity), people, per_person, seed + round_), colour)
        index, weight = triangulated(level.triangles, level.triangle_part, seen)
        points = np.einsum("nck,nc->nk", level.apply(model.mean)[index], weight)
        twin = mirror_indices(points)
        model = at_all_levels(model, (points + points[twin] * [-1, 1, 1]) / 2)
        level, colour = model.level(1), painted_colours(model)
    return model


def views_seen(model: HeadModel, detect: Detect, views: Sequence[View], colour: Array) -> list[ObservedHead]:
    level = model.level(1)
    shapes: dict[int, Array] = {}
    out = []
    for view in views:
        vertices = shapes.setdefault(id(view.identity), level.apply(model.shape(view.identity)))
        image, pose, _ = render(model, vertices, view, colour)
        out.append(ObservedHead(vertices, pose, detect(image)[:, :2]))
    return out
