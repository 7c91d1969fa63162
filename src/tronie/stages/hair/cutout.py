"""What of a photo is one person's hair or covering, on a canvas of its own around the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.geometry import Camera, Similarity, smoothstep, transform
from tronie.head.model import Head
from tronie.raster.rasterizer import visible
from tronie.types import Fit, Photo, Segmentation

SIDE = 384
"""Pixels of the canvas."""
NEAR_MM = 10.0
"""Hair that comes no nearer to the head than this is somebody else's."""

HOLE_MM = 9.0
"""Holes in it that are no wider are closed."""
RIM_MM = 1.5, 4.5
"""So far from the background behind it its colours are mixed with that, and no longer."""


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
        p = self.from_photo.apply(np.asarray(pixels).reshape(-1, 2)).astype(np.float32) - np.float32(0.5)
        rows = -(-len(p) // ROW)
        table = np.full((2, rows * ROW), -9, np.float32)
        table[:, : len(p)] = p.T
        x, y = table.reshape(2, rows, ROW)
        found = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        return np.asarray(found, np.float32).ravel()[: len(p)].reshape(np.shape(pixels)[:-1])


ROW = 4096
"""Places are looked up in rows of so many: OpenCV takes no list of 32,767 or more."""


def cut_out(photo: Photo, head: Head, fit: Fit, segmentation: Segmentation, name: str) -> Cutout:
    """`name` is one of SEGMENTS: hair or covering."""
    import cv2

    to_photo = Similarity(segmentation.shares.shape[1] / SIDE, 0.0, 0.0, 0.0).then(segmentation.to_photo)
    share, ground = (
        np.asarray(cv2.resize(segmentation.share(kind), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), np.float32)
        for kind in (name, "background")
    )
    from_photo, pose = to_photo.inverse(), np.asarray(fit.head_to_camera, np.float64)
    height, width = photo.image.shape[:2]
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    spots = to_photo.apply(np.stack([x, y], axis=-1))
    known = np.asarray(((spots > 0) & (spots < [width, height])).all(axis=-1))
    points = transform(pose, head.vertices.astype(np.float64))
    pixels = from_photo.apply(fit.camera.project(points))
    screen = np.column_stack([pixels, points[:, 2]]).astype(np.float32)
    inside = visible(screen, head.triangles, SIDE, SIDE)[0] >= 0
    pixel_mm = float(np.median(points[:, 2])) / (fit.camera.focal * from_photo.scale)
    mine: Array = np.where(own(share, inside, pixel_mm) & known, share, 0).astype(np.float32)
    hole = 2 * round(HOLE_MM / pixel_mm / 2) + 1
    mine = np.asarray(cv2.morphologyEx(mine, cv2.MORPH_CLOSE, np.ones((hole, hole), np.uint8)), dtype=np.float32)
    free = np.asarray((mine < 0.5) & known)
    body = free & ((ground < 0.5) | inside)
    depth, clear = distance_mm(body, pixel_mm), distance_mm(free & ~body, pixel_mm)
    solid = np.asarray(mine * smoothstep(clear, *RIM_MM), dtype=np.float32)
    return Cutout(photo, pose, fit.camera, mine, solid, depth, known.astype(np.float32), from_photo, pixel_mm)


def distance_mm(there: NDArray[np.bool_], pixel_mm: float) -> Array:
    """(S, S) how far each pixel is from those that are there."""
    import cv2

    pixels = np.asarray(cv2.distanceTransform((~there).astype(np.uint8), cv2.DIST_L2, 5), dtype=np.float32)
    return np.asarray(pixels * np.float32(pixel_mm))


def own(share: Array, head: NDArray[np.bool_], pixel_mm: float) -> NDArray[np.bool_]:
    """(S, S) what hangs together with the head, its soft border included."""
    import cv2

    reach = max(round(NEAR_MM / pixel_mm), 1)
    near = np.asarray(cv2.dilate(head.astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8))) > 0
    hard = share > 0.5
    _, labels = cv2.connectedComponents(hard.astype(np.uint8))
    mine = np.unique(labels[near & hard])
    kept = np.isin(labels, mine[mine > 0]).astype(np.uint8)
    return np.asarray(cv2.dilate(kept, np.ones((9, 9), np.uint8))) > 0
