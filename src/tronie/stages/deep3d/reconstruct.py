"""One face by Deep3D, as a function of values: photo and five points in; shape, skin, light, pose and points out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tronie.arrays import Array, Image
from tronie.geometry import HEAD_TO_CAMERA_AXES, Camera, Similarity, rigid, rotation_from_euler, transform
from tronie.stages.deep3d.align import SIDE, Aligned, align
from tronie.stages.deep3d.bfm import Coefficients, FaceModel, lit

CROP_CAMERA = Camera(1015.0, (SIDE / 2, SIDE / 2), (SIDE, SIDE))
"""The camera of every crop."""
DISTANCE = 1000.0
"""Millimetres from the camera to the world's origin."""
HEIGHT = 210.0
"""Millimetres that a view from a side shows: the model reaches from the hairline to below the chin."""
FAR = 1100.0
"""Millimetres from the camera of such a view."""
MM = 100.0
"""Millimetres per decimetre, the face model's unit."""


class Net(Protocol):
    """Anything that reads coefficients off crops."""

    def coefficients(self, crops: NDArray[np.uint8]) -> Array:
        """(N, 224, 224, 3) RGB -> (N, 257)."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """An enlarged part of a photo, with more detail than that has."""

    image: Image
    """(h, w, 3) RGB."""
    to_photo: Similarity
    """Its pixels -> the photo's; no turn."""


@dataclass(frozen=True, eq=False)
class Deep3DResult:
    """One face in the topology of the face model."""

    aligned: Aligned
    coefficients: Coefficients
    model: FaceModel
    vertices: Array
    """(V, 3) mm, canonical view: +x to the subject's left, +y up, +z out of the face."""
    normals: Array
    """(V, 3) unit, canonical view."""
    skin: Array
    """(V, 3) red, green, blue without light; about 0..255."""
    colours: Array
    """(V, 3) the same in the photo's light, not clipped."""
    head_to_camera: Array
    """(4, 4) rigid: canonical millimetres -> camera millimetres (x right, y down, z forward): the pose."""
    points68: Array
    """(68, 2) photo pixels, centres at +0.5."""
    sources: tuple[str, ...] = ()
    """The files it was made with, and their licences."""

    @property
    def camera_vertices(self) -> Array:
        """(V, 3) mm, camera space; `CROP_CAMERA` projects them into the crop."""
        return np.asarray(self.vertices @ self.head_to_camera[:3, :3].T + self.head_to_camera[:3, 3])

    @property
    def camera(self) -> Camera:
        """The camera of the whole photo: exactly that of the crop. Its pixels are square but for a thousandth or so, as
        those of the resized photo were."""
        (x, y), (wide, high) = self.aligned.to_photo(CROP_CAMERA.center), self.aligned.stretch
        return Camera(float(CROP_CAMERA.focal * wide), (float(x), float(y)), self.aligned.photo, float(high / wide))

    def draw_over(self, picture: Image, corner: tuple[float, float], scale: float, opacity: float = 1.0) -> None:
        """The lit face over a part of the photo, in place. Pixel x of the photo is at (x - corner) * scale there."""
        seen = self.camera_vertices
        xy = (self.aligned.to_photo(CROP_CAMERA.project(seen)) - corner) * scale
        self._paint(picture, np.column_stack([xy, seen[:, 2]]), self.colours, opacity)

    def view(self, background: Image, yaw: float = 0.0) -> Image:
        """The face without the photo's light, turned by `yaw` degrees, over a square picture."""
        size = len(background)
        camera = Camera(size * FAR / HEIGHT, (size / 2, size / 2), (size, size))
        pose = rigid(rotation_from_euler(yaw, 0, 0), [0, 0, FAR])
        middle = (self.vertices.min(axis=0) + self.vertices.max(axis=0)) / 2
        seen = transform(pose, self.vertices - middle)
        # Skin alone looks flat: light from the front falls off towards the sides.
        facing = np.clip(self.normals @ (HEAD_TO_CAMERA_AXES @ pose[:3, :3])[2], 0, 1)
        picture = background.copy()
        points = np.column_stack([camera.project(seen), seen[:, 2]])
        self._paint(picture, points, self.skin * (0.55 + 0.45 * facing[:, None]), 1.0)
        return picture

    def _paint(self, picture: Image, points: Array, colours: Array, opacity: float) -> None:
        from tronie.raster.rasterizer import interpolate, rasterize

        buffers = rasterize(points, self.model.triangles, picture.shape[0], picture.shape[1])
        drawn = interpolate(buffers, self.model.triangles, np.clip(colours, 0, 255))
        inside = buffers.triangle >= 0
        picture[inside] = np.rint(picture[inside] * (1 - opacity) + drawn[inside] * opacity)

    def rendered(self) -> NDArray[np.float32]:
        """(224, 224, 4) the lit face over the crop's pixels: RGB 0..255, and 1 where it is, else 0."""
        from tronie.raster.rasterizer import interpolate, rasterize

        seen = self.camera_vertices
        screen = np.concatenate([CROP_CAMERA.project(seen), seen[:, 2:]], axis=1)
        # The published renderer draws triangles from behind as well.
        buffers = rasterize(screen, self.model.triangles, SIDE, SIDE, cull=False)
        picture = interpolate(buffers, self.model.triangles, np.clip(self.colours, 0, 255))
        return np.concatenate([picture, (buffers.triangle >= 0)[..., None]], axis=2, dtype=np.float32)


def reconstruct(image: Image, points: ArrayLike, net: Net, model: FaceModel, part: Part | None = None) -> Deep3DResult:
    """Reconstruct one face.

    `points` (5, 2): eye at image left, eye at image right, nose tip, mouth corner left, right; photo pixels with
    centres at +0.5, as `Detection.points`. Where there is a finer `part` of the photo with the face in it, the net sees
    that instead. Raises ValueError when the points are no face.
    """
    at = np.asarray(points, dtype=np.float64)
    if part is None:
        aligned = align(image, at - 0.5)
    else:
        aligned = align(part.image, part.to_photo.inverse().apply(at) - 0.5)
        aligned = replace(aligned, photo=(image.shape[1], image.shape[0]), part=part.to_photo)
    return from_coefficients(aligned, net.coefficients(aligned.image[None])[0], model)


def from_coefficients(aligned: Aligned, values: ArrayLike, model: FaceModel) -> Deep3DResult:
    """What the net's (257,) numbers mean for an aligned crop."""
    c = Coefficients.split(values)
    shape = model.shape(c)
    normals = model.normals(shape)
    skin = model.skin(c)
    pose = rigid(HEAD_TO_CAMERA_AXES @ c.rotation, HEAD_TO_CAMERA_AXES @ (c.translation * MM) + [0, 0, DISTANCE])
    vertices = np.asarray(shape * MM)
    keypoints = vertices[model.keypoints] @ pose[:3, :3].T + pose[:3, 3]
    return Deep3DResult(
        aligned,
        c,
        model,
        vertices,
        normals,
        skin,
        lit(skin, normals @ c.rotation.T, c.light),
        pose,
        aligned.to_photo(CROP_CAMERA.project(keypoints)),
    )
