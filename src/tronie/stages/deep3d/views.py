"""Pictures of a face that Deep3D reconstructed: over the photo, and from other sides."""

from __future__ import annotations

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import HEAD_TO_CAMERA_AXES, Camera, rigid, rotation_from_euler, transform
from tronie.raster.rasterizer import interpolate, rasterize
from tronie.stages.deep3d.reconstruct import CROP_CAMERA, Deep3DResult

HEIGHT = 210.0
"""Millimetres that a view from a side shows: the model reaches from the hairline to below the chin."""
FAR = 1100.0
"""Millimetres from the camera."""


def over(picture: Image, result: Deep3DResult, corner: tuple[float, float], scale: float, opacity: float = 1.0) -> None:
    """Draw the lit face over a part of the photo, in place. Pixel x of the photo is at (x - corner) * scale there."""
    seen = result.camera_vertices
    xy = (result.aligned.to_photo(CROP_CAMERA.project(seen)) - corner) * scale
    _paint(picture, result, np.column_stack([xy, seen[:, 2]]), result.colours, opacity)


def view(result: Deep3DResult, background: Image, yaw: float = 0.0) -> Image:
    """The face without the photo's light, turned by `yaw` degrees, over a square picture."""
    size = len(background)
    camera = Camera(size * FAR / HEIGHT, (size / 2, size / 2), (size, size))
    pose = rigid(rotation_from_euler(yaw, 0, 0), [0, 0, FAR])
    middle = (result.vertices.min(axis=0) + result.vertices.max(axis=0)) / 2
    seen = transform(pose, result.vertices - middle)
    # Skin alone looks flat: light from the front falls off towards the sides.
    facing = np.clip(result.normals @ (HEAD_TO_CAMERA_AXES @ pose[:3, :3])[2], 0, 1)
    picture = background.copy()
    points = np.column_stack([camera.project(seen), seen[:, 2]])
    _paint(picture, result, points, result.skin * (0.55 + 0.45 * facing[:, None]), 1.0)
    return picture


def _paint(picture: Image, result: Deep3DResult, points: Array, colours: Array, opacity: float) -> None:
    buffers = rasterize(points, result.model.triangles, picture.shape[0], picture.shape[1])
    drawn = interpolate(buffers, result.model.triangles, np.clip(colours, 0, 255))
    inside = buffers.triangle >= 0
    picture[inside] = np.rint(picture[inside] * (1 - opacity) + drawn[inside] * opacity)
