"""Files of what Deep3D found of a face: its own mesh, and what the published programs save."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.export.obj_ply import AXES, colored_obj
from tronie.formats.matlab import mat_bytes
from tronie.stages.deep3d.reconstruct import CROP_CAMERA, MM, Deep3DResult
from tronie.types import Face


def meshes(face: Face) -> Iterator[tuple[str, Any]]:
    """The files of the output `deep3d`; none of another engine's face."""
    if isinstance(face.engine_result, Deep3DResult):
        yield "deep3d.obj", partial(obj, face.engine_result)
        yield "deep3d_posed.obj", partial(posed_obj, face.engine_result)


def posed_mesh(face: Face) -> list[bytes] | None:
    """The mesh that the published programs save, for the output `flat`; None of another engine's face."""
    return posed_obj(face.engine_result) if isinstance(face.engine_result, Deep3DResult) else None


def matlab_files(face: Face) -> Iterator[tuple[str, Any]]:
    """Those of the output `mat`."""
    if isinstance(face.engine_result, Deep3DResult):
        yield "deep3d.mat", partial(mat, face.engine_result)
        yield "deep3d_pytorch.mat", partial(pytorch_mat, face.engine_result)


def mat(result: Deep3DResult) -> bytes:
    """The file for MATLAB of the published program for TensorFlow: its names, units and conventions
    (decimetres; points with pixel centres at whole numbers; `face_shape` is `posed`)."""
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
    c = result.coefficients
    groups = {
        "id": c.identity,
        "exp": c.expression,
        "tex": c.texture,
        "angle": c.angles,
        "gamma": c.light.ravel(),
        "trans": c.translation,
        "lm68": crop_points68(result),
    }
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
    comments = ("A face by Deep3D, in the light of its photo", *result.sources, f"Units: millimetres. Axes: {AXES}.")
    return colored_obj(comments, result.vertices, result.colours, result.model.triangles, 4)


def posed_obj(result: Deep3DResult) -> list[bytes]:
    """What both published programs save as .obj: decimetres, turned and shifted as in the photo, seen from z = 10."""
    comments = (
        "A face by Deep3D, posed as in its photo and in its light",
        *result.sources,
        "Units: decimetres. Axes: x to the right, y up, z to the camera, which is at z = 10.",
    )
    return colored_obj(comments, posed(result), result.colours, result.model.triangles, 6)
