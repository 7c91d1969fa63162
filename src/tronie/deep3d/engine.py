"""One face by Deep3D, as a function of values: photo and five points in; shape, skin, light, pose and points out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tronie.deep3d.align import SIDE, Aligned, align
from tronie.deep3d.bfm import Coefficients, FaceModel, lit
from tronie.geometry import HEAD_TO_CAMERA_AXES, Camera, rigid
from tronie.types import Array, Image

CROP_CAMERA = Camera(1015.0, (SIDE / 2, SIDE / 2), (SIDE, SIDE))
"""The camera of every crop."""
DISTANCE = 1000.0
"""Millimetres from the camera to the world's origin."""
MM = 100.0
"""Millimetres per decimetre, the face model's unit."""


class Net(Protocol):
    """Anything that reads coefficients off crops."""

    def coefficients(self, crops: NDArray[np.uint8]) -> Array:
        """(N, 224, 224, 3) RGB -> (N, 257)."""
        ...


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
    matlab: bool = False
    """Whether the published program's file for MATLAB is wanted beside the usual ones."""
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

    def rendered(self) -> NDArray[np.float32]:
        """(224, 224, 4) the lit face over the crop's pixels: RGB 0..255, and 1 where it is, else 0."""
        from tronie.render.raster import interpolate, rasterize

        seen = self.camera_vertices
        screen = np.concatenate([CROP_CAMERA.project(seen), seen[:, 2:]], axis=1)
        # The published renderer draws triangles from behind as well.
        buffers = rasterize(screen, self.model.triangles, SIDE, SIDE, cull=False)
        picture = interpolate(buffers, self.model.triangles, np.clip(self.colours, 0, 255))
        return np.concatenate([picture, (buffers.triangle >= 0)[..., None]], axis=2, dtype=np.float32)


def reconstruct(image: Image, points: ArrayLike, net: Net, model: FaceModel) -> Deep3DResult:
    """Reconstruct one face.

    `points` (5, 2): eye at image left, eye at image right, nose tip, mouth corner left, right; photo pixels with
    centres at +0.5, as `Detection.points`. Raises ValueError when they are no face.
    """
    aligned = align(image, np.asarray(points, dtype=np.float64) - 0.5)
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
        aligned, c, model, vertices, normals, skin, lit(skin, normals @ c.rotation.T, c.light), pose,
        aligned.to_photo(CROP_CAMERA.project(keypoints)),
    )  # fmt: skip


def mat(result: Deep3DResult) -> bytes:
    """The published program's file for MATLAB: its names, units and conventions (decimetres; points with pixel centres
    at whole numbers; `face_shape` turned and shifted as in the photo, seen from z = 10)."""
    from tronie.io.matlab import mat_bytes

    c = result.coefficients
    single: dict[str, NDArray[Any]] = {
        "recon_img": result.rendered(),
        "coeff": c.values[None],
        "face_shape": result.vertices / MM @ c.rotation.T + c.translation,
        "face_texture": result.skin,
        "face_color": result.colours,
        "lm_68p": crop_points68(result),
    }
    return mat_bytes(
        {"cropped_img": result.aligned.image}
        | {name: value.astype(np.float32) for name, value in single.items()}
        | {"lm_5p": result.aligned.points}
    )


def crop_points68(result: Deep3DResult) -> Array:
    """(68, 2) pixels of the crop as the published files count them: x as projected, y from the row 223 upwards."""
    # Where pixel centres are at +0.5, the projection (112 in the middle of 224) puts the lowest edge at 224.
    return np.asarray(CROP_CAMERA.project(result.camera_vertices[result.model.keypoints]) - [0, 1])


def obj(result: Deep3DResult) -> list[bytes]:
    """The canonical view as .obj with a colour for each vertex, millimetres; chunks to be written in order."""
    from tronie.io.meshes import numbers

    colours = np.clip(result.colours, 0, 255) / 255
    header = (
        "# A face by Deep3D, in the light of its photo\n"
        + "".join(f"# {' '.join(source.split())}\n" for source in result.sources)
        + "# Units: millimetres. Axes: +x to the subject's left, +y up, +z out of the face.\n"
        "o face\n"
    )
    rows = np.asarray(result.model.triangles + 1, dtype=np.float64)
    return [
        header.encode("ascii", "replace"),
        numbers("v ", np.concatenate([result.vertices, colours], axis=1), 4),
        numbers("f ", rows, 0),
    ]
