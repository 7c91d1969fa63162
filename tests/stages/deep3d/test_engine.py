"""From five points to a posed, lit face: as recorded, and consistent in itself."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import tiny_front
import vectors
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from tronie.export.deep3d_files import crop_points68, mat, obj, posed_obj, pytorch_mat
from tronie.formats.matlab import read_mat
from tronie.geometry import Similarity, euler_degrees, transform
from tronie.stages.deep3d.align import POINTS, SIDE, SIZE, Aligned, align
from tronie.stages.deep3d.bfm import FaceModel
from tronie.stages.deep3d.reconstruct import (
    CROP_CAMERA,
    Deep3DResult,
    Part,
    from_coefficients,
    reconstruct,
)

RECORDED = vectors.VECTORS / "bfm_render.npz"

PHOTO_POINTS = POINTS[:, :2] * [1, -1] * SIZE * 1.7 + [300, 260]


class Fixed:
    """A net that says the same of every crop."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def coefficients(self, crops: np.ndarray) -> np.ndarray:
        assert crops.shape[1:] == (SIDE, SIDE, 3)
        return np.tile(self.values, (len(crops), 1))


@pytest.fixture
def values() -> np.ndarray:
    rng = np.random.default_rng(1)
    found = rng.normal(size=257) * 0.5
    found[224:] *= 0.2
    return found


@pytest.fixture
def result(values: np.ndarray) -> Deep3DResult:
    image = np.random.default_rng(0).integers(0, 256, (500, 640, 3), dtype=np.uint8)
    return reconstruct(image, PHOTO_POINTS, Fixed(values), FaceModel.from_arrays(tiny_front.arrays()))


def _aligned() -> Aligned:
    return align(np.zeros((300, 300, 3), np.uint8), POINTS[:, :2] * [1, -1] * SIZE + 150)


@pytest.mark.skipif(not RECORDED.is_file(), reason="needs the recorded answers in ../shared/vectors")
@pytest.mark.parametrize("row", [0, 1])
def test_answers_are_the_recorded_ones(row: int) -> None:
    model = FaceModel.from_arrays(read_mat(vectors.VECTORS / "BFM" / "BFM_model_front.mat"))
    with np.load(RECORDED) as file:
        known = {name: file[name][row] for name in file.files}
    result = from_coefficients(_aligned(), known["coeff"], model)
    assert vectors.distance(result.colours / 255, known["face_color"]) < 2e-6
    # The recorded camera space has y up, and decimetres; its points as well.
    assert vectors.distance(result.camera_vertices * [0.01, -0.01, 0.01], known["face_vertex"]) < 2e-6
    projected = CROP_CAMERA.project(result.camera_vertices)
    assert vectors.distance(np.column_stack([projected[:, 0], 224 - projected[:, 1]]), known["face_proj"]) < 2e-6
    assert vectors.distance(crop_points68(result) * [1, -1] + [0, 223], known["landmark"]) < 2e-6


def test_the_photos_camera_sees_what_the_crops_does(result: Deep3DResult) -> None:
    in_crop = CROP_CAMERA.project(result.camera_vertices)
    exact = result.aligned.to_photo(in_crop)
    size = np.ptp(exact, axis=0).max()
    assert np.abs(result.camera.project(result.camera_vertices) - exact).max() < 0.01 * size
    assert_allclose(result.points68, exact[result.model.keypoints])
    assert_allclose(transform(result.head_to_camera, result.vertices), result.camera_vertices, atol=1e-3)
    assert result.camera.size == (640, 500)


def test_pose_has_our_signs(values: np.ndarray) -> None:
    model = FaceModel.from_arrays(tiny_front.arrays())
    values[224:227] = 0, np.radians(20), 0
    yaw, pitch, roll = euler_degrees(from_coefficients(_aligned(), values, model).head_to_camera[:3, :3])
    assert_allclose([yaw, pitch, roll], [20, 0, 0], atol=1e-9)
    values[224:227] = np.radians(-10), 0, 0
    assert_allclose(euler_degrees(from_coefficients(_aligned(), values, model).head_to_camera[:3, :3])[1], 10)


def test_rendered_face(result: Deep3DResult) -> None:
    flat = np.concatenate([np.full((len(result.vertices), 1), v) for v in (300, 128, -5)], axis=1)
    picture = replace(result, colours=flat).rendered()
    inside = picture[..., 3] == 1
    assert 0.2 < inside.mean() < 0.95
    assert_allclose(picture[inside], np.tile([255, 128, 0, 1], (inside.sum(), 1)), atol=1e-3)
    assert (picture[~inside] == 0).all()


def test_file_for_matlab(result: Deep3DResult) -> None:
    scipy_io = pytest.importorskip("scipy.io")
    found = scipy_io.loadmat(io.BytesIO(mat(result)))
    shapes = {name: value.shape for name, value in found.items() if not name.startswith("__")}
    assert shapes == {
        "cropped_img": (224, 224, 3),
        "recon_img": (224, 224, 4),
        "coeff": (1, 257),
        "face_shape": (100, 3),
        "face_texture": (100, 3),
        "face_color": (100, 3),
        "lm_68p": (68, 2),
        "lm_5p": (5, 2),
    }
    assert_array_equal(found["cropped_img"], result.aligned.image)
    shape = found["face_shape"] * [1, -1, -1] + [0, 0, 10]
    assert_allclose(shape * 100, result.camera_vertices, atol=1e-2)
    u, v = (1015 * shape[:, i] / shape[:, 2] + 112 for i in range(2))
    assert_allclose(found["lm_68p"], np.column_stack([u, v - 1])[result.model.keypoints], atol=1e-3)


def test_file_for_matlab_of_the_program_for_pytorch(result: Deep3DResult, values: np.ndarray) -> None:
    scipy_io = pytest.importorskip("scipy.io")
    found = scipy_io.loadmat(io.BytesIO(pytorch_mat(result)))
    names = ["id", "exp", "tex", "angle", "gamma", "trans"]
    assert {name for name in found if not name.startswith("__")} == {*names, "lm68"}
    assert_allclose(np.concatenate([found[name] for name in names], axis=1), values[None], rtol=1e-6)
    assert all(found[name].dtype == np.float32 for name in (*names, "lm68"))
    assert found["lm68"].shape == (1, 68, 2)
    assert_allclose(found["lm68"][0], scipy_io.loadmat(io.BytesIO(mat(result)))["lm_68p"])


def test_posed_obj(result: Deep3DResult) -> None:
    """Vertices as the official programs save them: they are `face_shape` of the .mat, and the photo's when seen from
    z = 10."""
    trimesh = pytest.importorskip("trimesh")
    text = b"".join(posed_obj(result))
    mesh = trimesh.load(io.BytesIO(text), file_type="obj", process=False)
    assert_allclose(mesh.vertices * [1, -1, -1] + [0, 0, 10], result.camera_vertices / 100, atol=1e-6)
    assert_array_equal(mesh.faces, result.model.triangles)
    assert_allclose(mesh.visual.vertex_colors[:, :3], np.clip(result.colours, 0, 255), atol=1)
    first = next(line for line in text.decode().split("\n") if line.startswith("v ")).split()
    assert [len(number.split(".")[1]) for number in first[1:]] == [6] * 6


def test_what_a_finer_part_shows_lies_in_the_photo(values: np.ndarray) -> None:
    """The same face, seen in an enlarged part of the photo: the same place, and the same crop but for the enlarging."""
    y, x = np.mgrid[:500, :640]
    image = np.stack([x // 3, y // 2, (x + y) // 5], axis=2).astype(np.uint8)
    model = FaceModel.from_arrays(tiny_front.arrays())
    whole = reconstruct(image, PHOTO_POINTS, Fixed(values), model)
    rows, columns = slice(60, 470), slice(90, 510)
    finer = np.asarray(Image.fromarray(image[rows, columns]).resize((420 * 3, 410 * 3), Image.Resampling.BICUBIC))
    result = reconstruct(image, PHOTO_POINTS, Fixed(values), model, Part(finer, Similarity(1 / 3, 0, 90, 60)))
    assert_allclose(
        result.points68, whole.points68, atol=3.4
    )  # a pixel of the crop each way: corners are whole numbers
    assert result.camera.size == whole.camera.size == (640, 500)
    exact = result.aligned.to_photo(CROP_CAMERA.project(result.camera_vertices))
    assert np.abs(result.camera.project(result.camera_vertices) - exact).max() < 0.01 * np.ptp(exact, axis=0).max()
    inside = (result.aligned.image > 0).all(axis=2) & (whole.aligned.image > 0).all(axis=2)
    assert inside.mean() > 0.8
    assert np.abs(result.aligned.image.astype(int) - whole.aligned.image)[inside].mean() < 2


def test_obj(result: Deep3DResult) -> None:
    trimesh = pytest.importorskip("trimesh")
    text = b"".join(obj(result))
    mesh = trimesh.load(io.BytesIO(text), file_type="obj", process=False)
    assert_allclose(mesh.vertices, result.vertices, atol=1e-4)
    assert_array_equal(mesh.faces, result.model.triangles)
    assert_allclose(mesh.visual.vertex_colors[:, :3], np.clip(result.colours, 0, 255), atol=1)
