"""A random head drawn with what it wears: one light for all, nearer surfaces before farther ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.geometry import Camera, transform
from tronie.head.model import Level
from tronie.head.surface import triangle_vertex_normals
from tronie.raster.compositing import attribute_planes, shade_pixels, srgb_tables
from tronie.raster.cutouts import Cutout, draw_cut, level_of
from tronie.raster.rasterizer import visible
from tronie.raster.shading import screen_points

INSIDE = 0.55
"""Light on the inner side of a surface, by that on its outer side."""

Light = Callable[[Array, NDArray[Any]], Array]
"""Vertices (V, 3) mm and triangles (T, 3) -> (V,) light."""


@dataclass(frozen=True, eq=False)
class Layer:
    """A surface beside the head, seen from both sides: hair, a cap, the rim of glasses."""

    vertices: Array
    """(V, 3) mm in head space."""
    cutout: Cutout
    tone: Image | None = None
    """(256, 3) uint8: other colours for those of its picture."""
    opacity: float = 1.0


@dataclass(frozen=True, eq=False)
class Drawn:
    """What is drawn of a head: its mesh, and what lies beside it."""

    level: Level
    vertices: Array
    """(V, 3) mm."""
    texture: Image
    """(S, S, 3)."""
    layers: Sequence[Layer] = ()
    faces: NDArray[np.bool_] | None = None
    """(T,) triangles of the head that are there; None: all."""

    def picture(self, camera: Camera, head_to_camera: Array, light: Light, background: Image) -> Image:
        """(height, width, 3), over a background of that size, which stays as it is."""
        out = background.copy()
        faces = np.ones(len(self.level.triangles), bool) if self.faces is None else self.faces
        triangles = np.ascontiguousarray(self.level.triangles[faces])
        lit = self._light(light, triangles, head_to_camera)
        points = screen_points(self.vertices, camera, head_to_camera, 2.0)
        ids, nearness = visible(points, triangles, 2 * camera.size[1], 2 * camera.size[0])
        uv_rows = self.level.triangle_uv[faces]
        _shade(
            points, triangles, uv_rows, self.level.uv, lit[0], 1.0, ids, nearness, self.texture, out, self._parts(faces)
        )
        for layer, own in zip(self.layers, lit[1:], strict=True):
            _draw_layer(layer, own, screen_points(layer.vertices, camera, head_to_camera, 2.0), nearness, out)
        return out

    def _parts(self, faces: NDArray[np.bool_]) -> NDArray[np.uint8]:
        return self.level.triangle_part[faces]

    def _light(self, light: Light, triangles: NDArray[Any], head_to_camera: Array) -> list[Array]:
        """Of the head's vertices and of each layer's: all shade each other."""
        start, places, rows = len(self.vertices), [self.vertices], [triangles]
        for layer in self.layers:
            there = layer.cutout.kind != 2
            rows.append(layer.cutout.triangles[there] + start)
            places.append(layer.vertices)
            start += len(layer.vertices)
        lit = light(np.concatenate(places), np.concatenate(rows))
        out = np.split(lit, np.cumsum([len(p) for p in places])[:-1])
        for k, layer in enumerate(self.layers, 1):
            normal = triangle_vertex_normals(layer.vertices, layer.cutout.triangles) @ head_to_camera[:3, :3].T
            away = np.einsum("ij,ij->i", normal, transform(head_to_camera, layer.vertices)) > 0
            out[k] = out[k] * np.where(away, np.float32(INSIDE), np.float32(1))
        return out


def _draw_layer(layer: Layer, lit: Array, points: Array, nearness: Array, out: Image) -> None:
    cutout = layer.cutout
    ids = draw_cut(points, cutout, nearness, 2)
    some = cutout.triangles[:: max(1, len(cutout.triangles) // 500)]
    screen, chart = (_area(p[some]) for p in (points[:, :2] / 2, cutout.uv * np.float32(cutout.side)))
    image = level_of(
        cutout.texels, cutout.levels, max(int(0.5 * np.log2(max(chart, 1e-6) / max(screen, 1e-6)) + 0.25), 0)
    )
    if layer.tone is not None:
        image = np.asarray(cv2.LUT(image, layer.tone[None]), dtype=np.uint8)
    t = cutout.triangles
    _shade(points, t, t, cutout.uv, lit, layer.opacity, ids, nearness, image, out, np.zeros(len(t), np.uint8))


def _area(corners: Array) -> float:
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return float(np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum())


def _shade(
    points: Array,
    triangles: NDArray[Any],
    triangle_uv: NDArray[Any],
    uv: Array,
    lit: Array,
    opacity: float,
    ids: NDArray[np.int32],
    nearness: Array,
    image: Image,
    out: Image,
    parts: NDArray[np.uint8],
) -> None:
    whole = np.full(len(points), opacity, np.float32)
    rows = attribute_planes(points, triangles, triangle_uv, uv, lit.astype(np.float32), whole, ids)
    nobody, unsaid = np.zeros((1, 1), np.uint8), np.zeros(out.shape[:2], np.uint8)
    shade_pixels(ids, nearness, rows, parts, np.ascontiguousarray(image), nobody, *srgb_tables(), out, unsaid)
