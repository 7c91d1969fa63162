"""What of a photo is one person's hair or covering, on a canvas of its own around the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.geometry import Camera, Similarity, smoothstep, transform
from tronie.head.model import Head
from tronie.raster.rasterizer import visible
from tronie.shells import SEGMENTS, Segmentation
from tronie.types import Fit, Photo

SIDE = 384
"""Pixels of the canvas."""
NEAR_MM = 10.0
"""Hair that comes no nearer to the head than this is somebody else's."""

LEAST_MM2 = 400.0
"""Of it in a photo: less is a slip."""
HOLE_MM = 9.0
"""Holes in it that are no wider are closed."""
RIM_MM, RIM_PIXELS = (1.0, 3.5), (1.0, 2.0)
"""So far from the background behind it its colours are mixed with that, and no longer: mm, and pixels of the photo."""


@dataclass(frozen=True, eq=False)
class Cutout:
    """One kind of matter around one head, as one photo shows it."""

    photo: Photo
    pose: Array
    """(4, 4) head millimetres -> camera millimetres."""
    camera: Camera
    share: Array
    """(S, S) float32 0..1 on the canvas, 0 where it is not this person's."""
    solid: Array
    """(S, S) float32 0..1: the same well inside, where nothing of what is behind shines through."""
    depth_mm: Array
    """(S, S) float32: how far inside it, counted from the person's skin, clothes and the like, not from the
    background."""
    known: Array
    """(S, S) float32 1 within the photo, 0 outside."""
    from_photo: Similarity
    """Photo pixels -> canvas pixels."""
    pixel_mm: float
    """Of the canvas, at the head's distance."""

    def at(self, pixels: Array, values: Array | None = None) -> Array:
        """(...,) the share, or other values on the canvas, at photo pixels (..., 2); 0 outside."""
        import cv2

        image = self.share if values is None else values
        p = self.from_photo.apply(pixels).reshape(-1, 2) - 0.5
        rows = -(-len(p) // ROW)
        table = np.full((2, rows * ROW), -9, np.float32)
        table[:, : len(p)] = p.T
        x, y = table.reshape(2, rows, ROW)
        found = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        return np.asarray(found, np.float32).ravel()[: len(p)].reshape(np.shape(pixels)[:-1])


ROW = 4096
"""Places are looked up in rows of so many: OpenCV takes no list of 32,767 or more."""


@dataclass(frozen=True, eq=False)
class Canvas:
    """Where the head lies in one photo, on a square of SIDE pixels."""

    photo: Photo
    fit: Fit
    segmentation: Segmentation
    from_photo: Similarity
    """Photo pixels -> canvas pixels."""
    known: NDArray[np.bool_]
    """(S, S) within the photo."""
    nearness: Array
    """(S, S) float32 one by the depth, in mm, of the bald head; 0 where it is not."""
    head: NDArray[np.bool_]
    """(S, S) where it is."""
    near: NDArray[np.bool_]
    """(S, S) the same, and NEAR_MM around it."""
    ground: NDArray[np.bool_]
    """(S, S) where the background is rather than the person."""
    pixel_mm: float


def canvas_of(photo: Photo, head: Head, fit: Fit, segmentation: Segmentation) -> Canvas:
    import cv2

    to_photo = Similarity(segmentation.shares.shape[1] / SIDE, 0.0, 0.0, 0.0).then(segmentation.to_photo)
    from_photo = to_photo.inverse()
    height, width = photo.image.shape[:2]
    spots = np.arange(SIDE) + 0.5
    x, y = (m[0] * spots[None] + m[1] * spots[:, None] + m[2] for m in to_photo.matrix)
    known = (x > 0) & (x < width) & (y > 0) & (y < height)
    points = transform(fit.head_to_camera, head.vertices.astype(np.float64))
    pixels = from_photo.apply(fit.camera.project(points))
    screen = np.column_stack([pixels, points[:, 2]]).astype(np.float32)
    ids, nearness = visible(screen, head.triangles, SIDE, SIDE)
    inside = np.asarray(ids >= 0)
    pixel_mm = float(np.median(points[:, 2])) / (fit.camera.focal * from_photo.scale)
    reach = 2 * max(round(NEAR_MM / pixel_mm), 1) + 1
    near = np.asarray(cv2.dilate(inside.astype(np.uint8), np.ones((reach, reach), np.uint8))) > 0
    ground = enlarged(segmentation, "background") > 0.5
    return Canvas(photo, fit, segmentation, from_photo, known, nearness, inside, near, ground, pixel_mm)


def enlarged(segmentation: Segmentation, name: str) -> Array:
    """(S, S) float32: a share on the canvas."""
    import cv2

    small = segmentation.shares[SEGMENTS.index(name)]
    return np.asarray(cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), dtype=np.float32) / 255


def cut_out(canvas: Canvas, *names: str) -> Cutout | None:
    """`names` are of SEGMENTS: hair, covering. None where the person has none of them."""
    import cv2

    share: Array = np.sum([enlarged(canvas.segmentation, name) for name in names], axis=0)
    mine: Array = np.where(own(share, canvas.near) & canvas.known, share, 0).astype(np.float32)
    if float((mine > 0.5).sum()) * canvas.pixel_mm**2 < LEAST_MM2:
        return None
    hole = 2 * round(HOLE_MM / canvas.pixel_mm / 2) + 1
    mine = np.asarray(cv2.morphologyEx(mine, cv2.MORPH_CLOSE, np.ones((hole, hole), np.uint8)), dtype=np.float32)
    free = np.asarray((mine < 0.5) & canvas.known)
    ground = canvas.ground & ~canvas.head
    depth, clear = (distance_mm(free & where, canvas.pixel_mm) for where in (~ground, ground))
    photo_mm = canvas.pixel_mm * canvas.from_photo.scale
    first, last = (mm + pixels * photo_mm for mm, pixels in zip(RIM_MM, RIM_PIXELS, strict=True))
    solid = np.asarray(mine * smoothstep(clear, first, last), dtype=np.float32)
    pose, known = np.asarray(canvas.fit.head_to_camera, np.float64), canvas.known.astype(np.float32)
    from_photo = canvas.from_photo
    return Cutout(canvas.photo, pose, canvas.fit.camera, mine, solid, depth, known, from_photo, canvas.pixel_mm)


def distance_mm(there: NDArray[np.bool_], pixel_mm: float) -> Array:
    """(S, S) how far each pixel is from those that are there."""
    import cv2

    pixels = np.asarray(cv2.distanceTransform((~there).astype(np.uint8), cv2.DIST_L2, 5), dtype=np.float32)
    return np.asarray(pixels * np.float32(pixel_mm))


def own(share: Array, near: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(S, S) what hangs together with what is near the head, its soft border included."""
    import cv2

    hard = share > 0.5
    _, labels = cv2.connectedComponents(hard.astype(np.uint8))
    mine = np.zeros(int(labels.max(initial=0)) + 1, np.uint8)
    mine[labels[near & hard]] = 1
    mine[0] = 0
    return np.asarray(cv2.dilate(mine[labels], np.ones((9, 9), np.uint8))) > 0
