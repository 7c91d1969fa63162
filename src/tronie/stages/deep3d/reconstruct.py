"""One face by Deep3D, as a function of values: photo and five points in; shape, skin, light, pose and points out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tronie.arrays import Array, Image
from tronie.geometry import HEAD_TO_CAMERA_AXES, Camera, Similarity, rigid
from tronie.stages.deep3d.align import SIDE, Aligned, align
from tronie.stages.deep3d.bfm import Coefficients, FaceModel, lit

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
    matlab: bool = False
    """Whether the published programs' files for MATLAB are wanted beside the usual ones."""
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
        aligned, c, model, vertices, normals, skin, lit(skin, normals @ c.rotation.T, c.light), pose,
        aligned.to_photo(CROP_CAMERA.project(keypoints)),
    )  # fmt: skip


def mat(result: Deep3DResult) -> bytes:
    """The file for MATLAB of the published program for TensorFlow: its names, units and conventions
    (decimetres; points with pixel centres at whole numbers; `face_shape` is `posed`)."""
    from tronie.formats.matlab import mat_bytes

    c = result.coefficients
    single: dict[str, NDArray[Any]] = {
        "recon_img": result.rendered(),
        "coeff": c.values[None],
        "face_shape": posed(result),
        "face_texture": result.skin,
        "face_color": result.colours,
        "lm_68p": crop_points68(result),
    }
    return mat_bytes(
        {"cropped_img": result.aligned.image}
        | {name: value.astype(np.float32) for name, value in single.items()}
        | {"lm_5p": result.aligned.points}
    )


def pytorch_mat(result: Deep3DResult) -> bytes:
    """The file for MATLAB of the published program for PyTorch: the coefficients by their groups, and the 68 points,
    each with a first dimension of one face."""
    from tronie.formats.matlab import mat_bytes

    c = result.coefficients
    groups = {
        "id": c.identity, "exp": c.expression, "tex": c.texture, "angle": c.angles, "gamma": c.light.ravel(),
        "trans": c.translation, "lm68": crop_points68(result),
    }  # fmt: skip
    return mat_bytes({name: value[None].astype(np.float32) for name, value in groups.items()})


def posed(result: Deep3DResult) -> Array:
    """(V, 3) decimetres, turned and shifted as in the photo: x right, y up, z to the camera at z = 10."""
    c = result.coefficients
    return np.asarray(result.vertices / MM @ c.rotation.T + c.translation)


def crop_points68(result: Deep3DResult) -> Array:
    """(68, 2) pixels of the crop as the published files count them: x as projected, y from the row 223 upwards."""
    # Where pixel centres are at +0.5, the projection (112 in the middle of 224) puts the lowest edge at 224.
    return np.asarray(CROP_CAMERA.project(result.camera_vertices[result.model.keypoints]) - [0, 1])


def obj(result: Deep3DResult) -> list[bytes]:
    """The canonical view as .obj with a colour for each vertex, millimetres; chunks to be written in order."""
    from tronie.export.obj_ply import AXES, colored_obj

    comments = ("A face by Deep3D, in the light of its photo", *result.sources, f"Units: millimetres. Axes: {AXES}.")
    return colored_obj(comments, result.vertices, result.colours, result.model.triangles, 4)


def posed_obj(result: Deep3DResult) -> list[bytes]:
    """What both published programs save as .obj: decimetres, turned and shifted as in the photo, seen from z = 10."""
    from tronie.export.obj_ply import colored_obj

    comments = (
        "A face by Deep3D, posed as in its photo and in its light", *result.sources,
        "Units: decimetres. Axes: x to the right, y up, z to the camera, which is at z = 10.",
    )  # fmt: skip
    return colored_obj(comments, posed(result), result.colours, result.model.triangles, 6)
