"""Visibility: how well the photo shows each vertex of a head, by its own depth, its view angle and its outline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.geometry import smoothstep, transform
from tronie.head.model import Head
from tronie.head.surface import Same, triangle_vertex_normals
from tronie.raster.compositing import sampled
from tronie.raster.rasterizer import visible
from tronie.stages.fit.basis import on_photo
from tronie.stages.texture.atlas import SurfaceFacts
from tronie.stages.texture.mesh_filters import eroded, smoothed
from tronie.types import Fit, Photo

BUFFER = 400
"""Pixels across the head in the depth buffer, whatever its size in the photo."""
RIM_MM = (3.0, 9.0)
"""Within the first distance of the outline the photo is not believed, from the second on it is. The fit puts the
outline a few millimetres beside the photo's, where hair or background would be taken for a cheek."""
FACE_RIM_MM = (2.5, 8.0)
"""The same on the inner face."""
INNER_RIM_MM = (0.4, 2.5)
"""The same where skin is cut off by skin (nose before cheek): mistakes show less there."""
INTERIOR_MM = (9.0, 28.0)
"""Further in, whatever is seen belongs to the face."""
SKIRT_MM = 36.0
"""How far a face mask is carried on beyond its border when the outline is looked for: further than INTERIOR_MM."""
FACING = (0.12, 0.4)
"""Cosines to the view between which a surface goes from not believed to believed."""


@dataclass(frozen=True, slots=True)
class Visibility:
    """The head as the photo's camera has it."""

    camera_points: Array
    """(V, 3) float32 mm."""
    pixels: Array
    """(V, 2) float32 photo pixels."""
    normals: Array
    """(V, 3) float32 unit normals in the camera's frame."""
    facing: Array
    """(V,) float32 0..1: in view and turned to the camera, whatever the outline."""
    outline: Array
    """(V,) float32 0..1: far enough within the head's outline that a slip of the fit does no harm."""
    interior: Array
    """(V,) float32 0..1: so far within that hair, clothes or background cannot be what is seen."""
    box: tuple[int, int, int, int]
    """The part of the photo the head lies in: x0, y0, x1, y1 in whole pixels; may be empty (x1 <= x0)."""
    pixel_mm: float
    """Size of a photo pixel at the head's distance."""


def find_visibility(photo: Photo, head: Head, fit: Fit, facts: SurfaceFacts) -> Visibility:
    """Project the head, test visibility against its own depth, weigh view angle, silhouettes and the photo's border.
    What was found last is kept: texture and portrait ask for the same."""
    return _visibility(photo.image.shape[:2], Same(head), Same(fit), facts)


@lru_cache(maxsize=4)
def _visibility(size: tuple[int, int], head_key: Same, fit_key: Same, facts: SurfaceFacts) -> Visibility:
    head: Head = head_key.value
    fit: Fit = fit_key.value
    mesh = head.model.level(head.level)
    points = transform(fit.head_to_camera, on_photo(head, fit))
    pixels = np.asarray(fit.camera.project(points), dtype=np.float32)
    height, width = size
    skin = pixels[facts.skin]
    depth = float(np.median(points[facts.skin, 2]))
    pixel_mm = depth / fit.camera.focal
    margin = 2 + int(4 / pixel_mm)
    low, high = np.floor(skin.min(axis=0)) - margin, np.ceil(skin.max(axis=0)) + margin
    if not (np.isfinite(low).all() and np.isfinite(high).all() and points[:, 2].min() > 1):
        nothing = np.zeros(len(points), np.float32)
        return Visibility(points, pixels, np.zeros_like(points), nothing, nothing, nothing, (0, 0, 0, 0), pixel_mm)
    x0, y0 = max(int(low[0]), 0), max(int(low[1]), 0)
    x1, y1 = min(int(high[0]), width), min(int(high[1]), height)

    scale = BUFFER / float((high - low).max())
    screen = np.concatenate([(pixels - low.astype(np.float32)) * scale, points[:, 2:]], axis=1, dtype=np.float32)
    rows, columns = (int(np.ceil(s * scale)) for s in (high - low)[::-1])
    beyond, around = skirt(points, mesh.triangles, facts.rim)
    pixels_beyond = np.asarray(fit.camera.project(beyond), dtype=np.float32)
    on_screen = [(pixels_beyond - low.astype(np.float32)) * scale, beyond[:, 2:]]
    wider = np.concatenate([screen, np.concatenate(on_screen, axis=1, dtype=np.float32)])
    near, rim, cut = _depth_and_rims(screen, mesh.triangles, wider, around, rows, columns, pixel_mm / scale)
    j = np.clip(screen[:, 0].astype(np.int32), 1, columns - 2)
    i = np.clip(screen[:, 1].astype(np.int32), 1, rows - 2)
    shown = points[:, 2] < near[i, j] + 3.0

    normals = triangle_vertex_normals(points, mesh.triangles)
    ray = points / np.linalg.norm(points, axis=1, keepdims=True)
    facing = -(normals * ray).sum(axis=1)
    inside = np.minimum(np.minimum(pixels[:, 0], width - pixels[:, 0]), np.minimum(pixels[:, 1], height - pixels[:, 1]))
    faces = smoothstep(facing, *FACING) * shown * facts.skin * smoothstep(cut[i, j], *INNER_RIM_MM)
    faces *= smoothstep(inside * pixel_mm, 0.0, 6.0) * (inside > 1)
    # The landmarks hold the inner face in place: in profile its outline may be believed sooner.
    outline = np.where(facts.inner_level, smoothstep(rim[i, j], *FACE_RIM_MM), smoothstep(rim[i, j], *RIM_MM))
    interior = smoothstep(rim[i, j], *INTERIOR_MM)
    return Visibility(points, pixels, normals, soften(faces, facts), outline, interior, (x0, y0, x1, y1), pixel_mm)


def soften(confidence: Array, facts: SurfaceFacts) -> Array:
    """Feather (V,) inwards: never more than it was, and nothing of it next to a zero."""
    shrunk = eroded(facts.start, facts.edges, confidence)
    return np.minimum(smoothed(facts.start, facts.edges, shrunk, 3), confidence)


def skirt(points: Array, triangles: NDArray[np.int32], rim: NDArray[np.int32]) -> tuple[Array, NDArray[np.int32]]:
    """What a face mask is carried on with beyond its borders (`rim` of `SurfaceFacts`): vertices (B, 3) and triangles,
    the vertices numbered after the points (V, 3). Where the mask ends in the middle of a forehead or a cheek there is
    skin beyond it, and no outline; each vertex of the outer border goes straight on. Holes are closed."""
    if not len(rim):
        return np.zeros((0, 3), points.dtype), np.zeros((0, 3), np.int32)
    a, b = rim[rim[:, 2] == 0, :2].T
    ends = np.unique(a)
    normals = triangle_vertex_normals(points, triangles)
    away, smoothed = np.zeros_like(points), np.zeros_like(points)
    for vertex in (a, b):
        np.add.at(away, vertex, np.cross(points[b] - points[a], normals[vertex]))
    for here, there in ((a, b), (b, a), (a, a)):
        np.add.at(smoothed, here, away[there])
    away = smoothed[ends] / np.maximum(np.linalg.norm(smoothed[ends], axis=1, keepdims=True), 1e-9)
    row = np.zeros(len(points), np.int32)
    row[ends] = len(points) + np.arange(len(ends))
    c, d, hole = rim[rim[:, 2] > 0].T
    count = np.bincount(hole)[1:]
    middles = np.stack([np.bincount(hole, points[c, k])[1:] / count for k in range(3)], axis=1)
    around = [np.stack([b, a, row[a]], axis=1), np.stack([b, row[a], row[b]], axis=1)]
    around.append(np.stack([d, c, len(points) + len(ends) + hole - 1], axis=1))
    beyond = np.concatenate([points[ends] + SKIRT_MM * away, middles])
    return np.asarray(beyond, points.dtype), np.concatenate(around).astype(np.int32)


def _depth_and_rims(
    screen: Array,
    triangles: NDArray[np.int32],
    wider: Array,
    around: NDArray[np.int32],
    rows: int,
    columns: int,
    mm: float,
) -> tuple[Array, Array, Array]:
    """Depth (rows, columns), largest of 3 x 3 so that slopes pass the test, and distances in mm: from the head's
    outline, which is that of the triangles and of those `around` them (of vertices `wider`), and from skin that
    something nearer cuts off. `mm` is a pixel's size."""
    import cv2

    inverse = visible(screen, triangles, rows, columns)[1]
    empty = inverse <= 0
    depth = (1 / np.where(empty, 1e-9, inverse)).astype(np.float32)
    kernel = np.ones((3, 3), np.uint8)
    cut = ~empty & (depth > cv2.erode(depth, kernel) + max(6.0, 6 * mm))
    far = cv2.dilate(np.where(empty, np.float32(0), depth), kernel)
    outside = empty & (visible(wider, around, rows, columns)[0] < 0) if len(around) else empty
    rims = [cv2.distanceTransform((~m).astype(np.uint8), cv2.DIST_L2, 3) * np.float32(mm) for m in (outside, cut)]
    return np.asarray(far, np.float32), rims[0], rims[1]


def blurred_colours(photo: Photo, view: Visibility, points: Array, mm: float) -> Array:
    """(N, 3) float32: the photo around pixels (N, 2), averaged over about `mm` on the head."""
    import cv2

    x0, y0, x1, y1 = view.box
    if x1 <= x0 or y1 <= y0:
        return np.full((len(points), 3), 128, np.float32)
    crop = photo.image[y0:y1, x0:x1]
    factor = min(1.0, view.pixel_mm / mm)
    size = (max(round((x1 - x0) * factor), 1), max(round((y1 - y0) * factor), 1))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA) if factor < 1 else crop
    places = (points - [x0, y0]) * [size[0] / (x1 - x0), size[1] / (y1 - y0)]
    return sampled(small, places).astype(np.float32)
