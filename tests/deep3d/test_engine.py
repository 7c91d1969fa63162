"""From five points to a posed, lit face: as recorded, and consistent in itself."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import tiny_front
import vectors
from numpy.testing import assert_allclose, assert_array_equal

from tronie.deep3d.align import POINTS, SIDE, SIZE, Aligned, align
from tronie.deep3d.bfm import FaceModel
from tronie.deep3d.engine import CROP_CAMERA, Deep3DResult, crop_points68, from_coefficients, mat, obj, reconstruct
from tronie.geometry import euler_degrees, transform
from tronie.io.matlab import read_mat

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
        "cropped_img": (224, 224, 3), "recon_img": (224, 224, 4), "coeff": (1, 257), "face_shape": (100, 3),
        "face_texture": (100, 3), "face_color": (100, 3), "lm_68p": (68, 2), "lm_5p": (5, 2),
    }  # fmt: skip
    assert_array_equal(found["cropped_img"], result.aligned.image)
    shape = found["face_shape"] * [1, -1, -1] + [0, 0, 10]
    assert_allclose(shape * 100, result.camera_vertices, atol=1e-2)
    u, v = (1015 * shape[:, i] / shape[:, 2] + 112 for i in range(2))
    assert_allclose(found["lm_68p"], np.column_stack([u, v - 1])[result.model.keypoints], atol=1e-3)


def test_obj(result: Deep3DResult) -> None:
    trimesh = pytest.importorskip("trimesh")
    text = b"".join(obj(result))
    mesh = trimesh.load(io.BytesIO(text), file_type="obj", process=False)
    assert_allclose(mesh.vertices, result.vertices, atol=1e-4)
    assert_array_equal(mesh.faces, result.model.triangles)
    assert_allclose(mesh.visual.vertex_colors[:, :3], np.clip(result.colours, 0, 255), atol=1)
