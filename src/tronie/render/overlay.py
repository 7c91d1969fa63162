"""The fitted head drawn over the photo: wireframe, landmarks and axes, to judge a fit by eye."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tronie.arrays import Array, Image
from tronie.geometry import transform
from tronie.head.model import PARTS, Head
from tronie.head.surface import Same
from tronie.raster.cutouts import Cutout, draw_cut
from tronie.raster.rasterizer import visible
from tronie.runtime.jit import jit
from tronie.shells import Shell
from tronie.types import Face, Fit

WIRE = (150, 225, 255)
OUTLINES = {"hair": (255, 150, 90), "covering": (200, 140, 255), "glasses": (120, 255, 160)}
"""Of what is there of each shell."""
DOT = (255, 209, 92)
AXES = ((235, 70, 70), (80, 205, 95), (70, 135, 255))
"""x, y, z: to the subject's left, up, out of the face."""
AXIS_LENGTH = 62.0
"""Millimetres."""
BEYOND = (38, 39, 42)
"""What lies beyond the photo's border."""
SLACK = 5.0
"""Millimetres that an edge of the coarse wire may lie behind the surface and still be drawn."""


@dataclass(frozen=True, slots=True)
class Region:
    """A square of the photo's pixels."""

    x: int
    y: int
    """Its top left corner; may lie beyond the photo."""
    side: int

    @classmethod
    def around(cls, center: ArrayLike, side: float) -> Region:
        """With its middle within half a pixel of `center` (2,)."""
        whole = max(round(side), 1)
        x, y = np.rint(np.asarray(center) - whole / 2).astype(int).tolist()
        return cls(x, y, whole)


def face_region(face: Face) -> Region:
    """The square around the whole head where it was fitted, else around the box."""
    x0, y0, x1, y1 = face.box
    center, side = np.array([x0 + x1, y0 + y1]) / 2, 1.7 * max(x1 - x0, y1 - y0, 1.0)
    if face.fit is not None and face.head is not None:
        points = project(face.head.vertices[:: max(1, len(face.head.vertices) // 2000)], face.fit)
        if np.isfinite(points).all():
            low, high = points.min(axis=0), points.max(axis=0)
            # A fit gone wrong must not make the region huge.
            side = float(np.clip(1.12 * (high - low).max(), 0.6 * side, 2.0 * side))
            center = np.clip((low + high) / 2, center - side / 2, center + side / 2)
    return Region.around(center, side)


def project(points: Array, fit: Fit) -> Array:
    """Head millimetres (N, 3) -> photo pixels (N, 2)."""
    return fit.camera.project(transform(fit.head_to_camera, np.asarray(points, dtype=np.float64)))


def cut_out(image: Image, region: Region, size: int) -> Image:
    """(size, size, 3): the region, enlarged or reduced without aliasing; BEYOND outside the photo."""
    import cv2

    height, width = image.shape[:2]
    x, y, side = region.x, region.y, region.side
    if 0 <= x <= width - side and 0 <= y <= height - side:  # ten times as fast
        way = cv2.INTER_AREA if size < side else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(image[y : y + side, x : x + side], (size, size), interpolation=way), np.uint8)
    left, right = np.clip([x - 2, x + side + 2], 0, width).tolist()
    top, bottom = np.clip([y - 2, y + side + 2], 0, height).tolist()
    if right - left < 1 or bottom - top < 1:
        return np.full((size, size, 3), BEYOND, dtype=np.uint8)
    part = np.ascontiguousarray(image[top:bottom, left:right])
    scale_x = scale_y = size / side
    if size < side:
        small = (max(1, round((right - left) * scale_x)), max(1, round((bottom - top) * scale_y)))
        scale_x, scale_y = scale_x * (right - left) / small[0], scale_y * (bottom - top) / small[1]
        part = np.asarray(cv2.resize(part, small, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    # Pixel p of the part has its centre at photo position (p + 0.5) / reduction + left, and a photo position lies
    # at (position - x) size / side of the output.
    matrix = np.array(
        [
            [scale_x, 0, scale_x * 0.5 - 0.5 + (left - x) * size / side],
            [0, scale_y, scale_y * 0.5 - 0.5 + (top - y) * size / side],
        ]
    )
    out = cv2.warpAffine(
        part,
        matrix,
        (size, size),
        flags=cv2.INTER_LINEAR if size < side else cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=BEYOND,
    )
    return np.asarray(out, dtype=np.uint8)


def overlay(image: Image, face: Face, size: int = 512, region: Region | None = None) -> Image:
    """(size, size, 3): the face's part of the photo with all that is known of the face drawn over it."""
    region = region or face_region(face)
    picture = cut_out(image, region, size)
    scale = size / region.side
    if face.fit is not None and face.head is not None and face.engine_result is None:
        paint(picture, wire_mask(face.head, face.fit, region, size), WIRE, 0.6)
    if face.fit is not None and face.engine_result is None:
        for shell in (one for one in face.shells if not one.below and not one.moves):
            paint(picture, outline_mask(shell, face.fit, region, size), OUTLINES.get(shell.name, WIRE), 0.8)
    if face.engine_result is not None:
        face.engine_result.draw_over(picture, (region.x, region.y), scale, 0.8)
    if face.landmarks is not None:
        points = (np.asarray(face.landmarks.points)[:, :2] - [region.x, region.y]) * scale
        paint(picture, dot_mask(points, size, max(1.2, size / 400)), DOT, 0.9)
    if face.fit is not None:
        draw_axes(picture, face.fit, region)
    return picture


def paint(picture: Image, mask: Image, color: tuple[int, int, int], opacity: float) -> None:
    """Lay `color` over the picture, in place, through a mask (H, W) uint8 in which 255 stands for `opacity`."""
    _paint(picture, mask, np.array(color, dtype=np.int64), round(opacity * 256))


@jit
def _paint(picture: Any, mask: Any, color: Any, opacity: int) -> None:
    for i in range(picture.shape[0]):
        for j in range(picture.shape[1]):
            if mask[i, j]:
                alpha = mask[i, j] * opacity  # of 255 * 256
                for k in range(3):
                    picture[i, j, k] += (alpha * (color[k] - picture[i, j, k]) + 32640) // 65280


def wire_mask(head: Head, fit: Fit, region: Region, size: int) -> Image:
    """(size, size): the visible edges of the control mesh, drawn where the subdivided surface has its vertices."""
    import cv2

    edges, triangles = _wire(Same(head.model))
    count = len(head.model.mean)
    camera = transform(fit.head_to_camera, np.asarray(head.vertices[:count], dtype=np.float64))
    scale = size / region.side
    xy = (fit.camera.project(camera) - [region.x, region.y]) * scale
    mask = np.zeros((size, size), dtype=np.uint8)
    if not np.isfinite(xy).all() or camera[:, 2].min() <= 0:
        return mask
    screen = np.concatenate([xy, camera[:, 2:]], axis=1).astype(np.float32)
    _, nearness = visible(screen, triangles, size, size, True)
    ends = screen[edges]
    middle = ends.mean(axis=1)
    inside = (middle[:, :2] >= 0).all(axis=1) & (middle[:, :2] < size).all(axis=1)
    row, column = np.where(inside, middle[:, 1], 0).astype(int), np.where(inside, middle[:, 0], 0).astype(int)
    with np.errstate(divide="ignore"):
        depth = 1 / nearness[row, column]  # inf where there is no surface
    seen = inside & (middle[:, 2] < depth + SLACK)
    seen &= _facing(screen, triangles)[edges].any(axis=1)
    length = np.linalg.norm(ends[:, 0, :2] - ends[:, 1, :2], axis=1)
    # Where the mesh is fine (lids, lips, all of a small face) full lines would run together into a blot.
    strength = np.clip(length / max(size / 64, 5.0), 0.22, 1.0) * 255
    fixed = np.round((ends[:, :, :2] - 0.5) * 16).astype(np.int32)
    for level in (64, 96, 128, 176, 255):
        chosen = seen & (strength <= level)
        seen &= ~chosen
        if chosen.any():
            cv2.polylines(mask, list(fixed[chosen]), False, level, 1, cv2.LINE_AA, 4)
    return mask


def outline_mask(shell: Shell, fit: Fit, region: Region, size: int) -> Image:
    """(size, size): the edge of what is there of a shell, as the photo's camera sees it without the head."""
    import cv2

    camera = transform(fit.head_to_camera, np.asarray(shell.vertices, dtype=np.float64))
    xy = (fit.camera.project(camera) - [region.x, region.y]) * (size / region.side)
    mask = np.zeros((size, size), dtype=np.uint8)
    if not np.isfinite(xy).all() or camera[:, 2].min() <= 0:
        return mask
    screen = np.concatenate([xy, camera[:, 2:]], axis=1).astype(np.float32)
    cutout = Cutout.of(shell.triangles, shell.uv, shell.image)
    ids = draw_cut(screen, cutout, np.zeros((size, size), np.float32))
    edges = cv2.findContours((ids >= 0).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)[0]
    cv2.drawContours(mask, [edge for edge in edges if len(edge) > size // 16], -1, 255, 1, cv2.LINE_AA)
    return mask


def _facing(screen: NDArray[np.float32], triangles: NDArray[np.int32]) -> NDArray[np.bool_]:
    """(V,) whether a vertex has a triangle that faces the viewer."""
    a, b, c = (screen[triangles[:, k], :2] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    out = np.zeros(len(screen), dtype=bool)
    out[triangles[area < 0]] = True
    return out


@lru_cache(maxsize=4)
def _wire(key: Same) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Edges (E, 2) of the skin's control mesh, and triangles (T, 3) of skin and eyes, which hide what is behind."""
    model = key.value
    mesh = model.level(0)
    quads = mesh.quads[mesh.part == PARTS.index("skin")]
    following = np.roll(quads, -1, axis=1)
    short = quads[:, 3] < 0
    following[short, 2] = quads[short, 0]
    pairs = np.stack([quads, following], axis=-1)[quads >= 0]
    edges = np.unique(np.sort(pairs, axis=1), axis=0)
    solid = np.isin(mesh.triangle_part, [PARTS.index(name) for name in ("skin", "eye_left", "eye_right")])
    return edges.astype(np.int32), np.ascontiguousarray(mesh.triangles[solid])


def dot_mask(points: Array, size: int, radius: float) -> Image:
    """(size, size): small discs at points (N, 2) of the picture."""
    import cv2

    mask = np.zeros((size, size), dtype=np.uint8)
    for x, y in np.round((points[np.isfinite(points).all(axis=1)] - 0.5) * 16).astype(int).tolist():
        if -16 * radius < x < 16 * (size + radius) and -16 * radius < y < 16 * (size + radius):
            cv2.circle(mask, (x, y), round(radius * 16), 255, -1, cv2.LINE_AA, 4)
    return mask


def draw_axes(picture: Image, fit: Fit, region: Region) -> None:
    """The head's axes from its origin, the one that points away first; changes `picture`."""
    import cv2

    tips = np.concatenate([np.zeros((1, 3)), np.eye(3) * AXIS_LENGTH])
    camera = transform(fit.head_to_camera, tips)
    if camera[:, 2].min() <= 0:
        return
    size = picture.shape[0]
    points = (fit.camera.project(camera) - [region.x, region.y]) * (size / region.side)
    if not np.isfinite(points).all() or np.abs(points).max() > 20 * size:
        return
    fixed = np.round((points - 0.5) * 16).astype(int)
    start = (int(fixed[0, 0]), int(fixed[0, 1]))
    width = max(1, round(size / 256))
    for axis in np.argsort(-camera[1:, 2]):
        end = (int(fixed[axis + 1, 0]), int(fixed[axis + 1, 1]))
        cv2.line(picture, start, end, (20, 20, 22), width + 2, cv2.LINE_AA, 4)
        cv2.line(picture, start, end, AXES[axis], width, cv2.LINE_AA, 4)
        cv2.circle(picture, end, round(1.3 * width * 16), AXES[axis], -1, cv2.LINE_AA, 4)
    cv2.circle(picture, start, round(1.4 * width * 16), (250, 250, 250), -1, cv2.LINE_AA, 4)
