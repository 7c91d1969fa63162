"""Photos of the default head with hair that is drawn as a mask, for tests."""

from __future__ import annotations

import cv2
import numpy as np

from tronie.geometry import Camera, Similarity, rigid, rotation_from_euler, transform
from tronie.head.model import Head, default_head
from tronie.raster.rasterizer import rasterize
from tronie.shells import SEGMENTS, Segmentation
from tronie.types import Detection, Face, Fit, Photo

SIZE = 480
DARK = np.array([60, 40, 30])


def looking(yaw: float = 0.0) -> tuple[Head, Fit]:
    """The mean head at 700 mm, turned by degrees, in a picture of SIZE pixels."""
    model = default_head()
    vertices = model.level(1).apply(model.mean)
    head = Head(model, 1, vertices, vertices)
    camera = Camera(900.0, (SIZE / 2, SIZE / 2), (SIZE, SIZE))
    pose = rigid(rotation_from_euler(yaw, 0, 0), [0, 0, 900])
    fit = Fit(np.zeros(1), {}, pose, camera, np.zeros((1, 3)), diagnostics={"yaw": yaw})
    return head, fit


def silhouette(head: Head, fit: Fit) -> np.ndarray:
    """(SIZE, SIZE) where the bald head is."""
    points = transform(fit.head_to_camera, head.vertices.astype(np.float64))
    screen = np.column_stack([fit.camera.project(points), points[:, 2]])
    return np.asarray(rasterize(screen, head.triangles, SIZE, SIZE).triangle >= 0)


def face_front(head: Head, fit: Fit) -> np.ndarray:
    """(SIZE, SIZE) the face without the scalp: within the outline of the 68 points, and the forehead."""
    points = head.points68(head.vertices)
    up = points[17:27].copy()
    up[:, 1] += 30
    outline = np.concatenate([points[:17], up[::-1]])
    pixels = fit.camera.project(transform(fit.head_to_camera, outline.astype(np.float64)))
    out = np.zeros((SIZE, SIZE), np.uint8)
    cv2.fillPoly(out, [np.round(pixels).astype(np.int32)], 1)
    return out > 0


def hair_mask(head: Head, fit: Fit, thick: int = 14, lowest: float = 10.0) -> np.ndarray:
    """(SIZE, SIZE) hair that stands out from the skull by so many pixels, down to a height in head millimetres."""
    wide = cv2.dilate(silhouette(head, fit).astype(np.uint8), np.ones((2 * thick + 1,) * 2, np.uint8)) > 0
    level = fit.camera.project(transform(fit.head_to_camera, np.array([[0.0, lowest, -60.0]])))[0, 1]
    wide[int(level) :] = False
    return np.asarray(wide & ~face_front(head, fit))


def drawn_photo(head: Head, fit: Fit, masks: dict[str, np.ndarray]) -> tuple[Photo, Face]:
    """A picture with those masks, and the face with its segmentation (as large as the picture)."""
    image = np.full((SIZE, SIZE, 3), 225, np.uint8)
    body = silhouette(head, fit)
    image[body] = (205, 160, 135)
    shares = np.zeros((len(SEGMENTS), SIZE, SIZE), np.uint8)
    shares[SEGMENTS.index("face")] = 255 * body
    for name, mask in masks.items():
        shares[:, mask] = 0
        shares[SEGMENTS.index(name)][mask] = 255
        image[mask] = DARK if name == "hair" else (40, 90, 170)
    shares[0] = 255 - shares[1:].sum(axis=0)
    half = np.stack([cv2.resize(share, (SIZE // 2, SIZE // 2), interpolation=cv2.INTER_AREA) for share in shares])
    segmentation = Segmentation(half, Similarity(2.0, 0.0, 0.0, 0.0))
    detection = Detection((0.0, 0.0, SIZE, SIZE), np.zeros((5, 2)), 0.9)
    return Photo(image), Face(1, detection, head=head, fit=fit, segmentation=segmentation)
