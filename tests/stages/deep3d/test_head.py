"""What Deep3D found, as a textured head: it lies over the photo where Deep3D's own face lies."""

from __future__ import annotations

import io
import json
import struct
from dataclasses import replace
from pathlib import Path

import full_front
import numpy as np
import pytest
import tiny_front
from numpy.testing import assert_allclose, assert_array_equal

from tronie.errors import WeightsError
from tronie.export.gltf import PHOTO, glb
from tronie.formats.matlab import mat_bytes
from tronie.geometry import transform
from tronie.head.model import Head, default_head
from tronie.importers.deep3d import import_bfm
from tronie.raster.shading import UNLIT, render_head
from tronie.settings import PortraitSettings, TextureSettings
from tronie.stages.deep3d.align import POINTS, SIZE
from tronie.stages.deep3d.bfm import FaceModel, load_face_model
from tronie.stages.deep3d.convert import head_model, make_fit, make_head
from tronie.stages.deep3d.reconstruct import CROP_CAMERA, Deep3DResult, reconstruct
from tronie.stages.deep3d.topology import make_layout, unwrapped
from tronie.stages.portrait import fades, frontal
from tronie.stages.texture import bake
from tronie.stages.texture.atlas import open_borders, surface_facts
from tronie.stages.texture.visibility import skirt
from tronie.types import PROVENANCE, Detection, Fit, Photo

FIVE = POINTS[:, :2] * [1, -1] * SIZE * 1.13 + [330.3, 260.8]


class Fixed:
    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def coefficients(self, crops: np.ndarray) -> np.ndarray:
        return self.values[None]


@pytest.fixture(scope="module")
def model() -> FaceModel:
    made = FaceModel.from_arrays(tiny_front.arrays())
    return replace(made, layout=make_layout(made.mean, made.triangles))


def _photo() -> Photo:
    """Colours that tell the place, in the tones of skin."""
    y, x = np.mgrid[:500, :641]
    return Photo(np.stack([200 - y / 8, 130 + x / 16, 110 + 0 * x], axis=-1).astype(np.uint8))


def _found(model: FaceModel, yaw: float = 0.0) -> tuple[Photo, Deep3DResult, Head, Fit]:
    values = np.random.default_rng(3).normal(size=257) * 0.3
    values[224:] = 0
    values[224:227] = 0.1, np.radians(yaw), -0.15
    photo = _photo()
    result = reconstruct(photo.image, FIVE, Fixed(values), model)
    head = make_head(result, head_model(model, "nobody's"))
    return photo, result, head, make_fit(result, Detection((230, 160, 430, 360), FIVE, 0.9), FIVE)


@pytest.mark.parametrize("yaw", [0.0, 25.0])
def test_head_and_fit_lie_where_deep3d_sees_the_face(model: FaceModel, yaw: float) -> None:
    _, result, head, fit = _found(model, yaw)
    seen = transform(fit.head_to_camera, head.vertices.astype(np.float64))
    assert_allclose(seen, result.camera_vertices, atol=1e-3)
    exact = result.aligned.to_photo(CROP_CAMERA.project(result.camera_vertices))
    assert_allclose(fit.camera.project(seen), exact, atol=1e-3)
    assert_allclose(
        fit.camera.project(transform(fit.head_to_camera, head.points68(head.vertices))), result.points68, atol=0.01
    )
    assert abs(fit.diagnostics["yaw"] - yaw) < 4
    assert_allclose(fit.head_to_camera[:3, :3] @ fit.head_to_camera[:3, :3].T, np.eye(3), atol=1e-9)


def test_the_head_is_the_linear_model(model: FaceModel) -> None:
    _, result, head, fit = _found(model)
    assert_allclose(head.neutral, head.model.shape(fit.identity), atol=1e-3)
    moved = (result.model.expression @ result.coefficients.expression).reshape(-1, 3) * 100
    assert_allclose(head.vertices - head.neutral, moved, atol=1e-3)
    assert head.model.is_mask
    assert head.model.licence == "nobody's"


@pytest.mark.parametrize("yaw", [0.0, 25.0])
def test_the_texture_gives_the_photo_back(model: FaceModel, yaw: float) -> None:
    photo, result, head, fit = _found(model, yaw)
    texture = bake(photo, head, fit, None, TextureSettings(size=512))
    mesh = head.model.level(0)
    drawn = render_head(
        head.vertices, mesh, texture, fit.camera, fit.head_to_camera, shading=UNLIT, background=(0, 0, 9)
    )
    theirs = replace(result, colours=np.tile([0.0, 255, 0], (100, 1)))
    lit = np.zeros_like(photo.image)
    theirs.draw_over(lit, (0, 0), 1.0)
    here, there = (drawn != [0, 0, 9]).any(axis=2), lit[..., 1] > 0
    # The same pixels but for the smooth edge.
    assert (here != there).sum() < 0.03 * there.sum()
    kinds = np.unique(texture.provenance)
    assert {PROVENANCE[k] for k in kinds} <= {"outside", "seen", "mirrored", "filled"}
    if yaw == 0:
        # Nothing of a mask in full view is invented, up to its very border: beyond it there is skin as well.
        assert (texture.provenance == PROVENANCE.index("seen")).sum() > 0.93 * (texture.provenance > 0).sum()
        inside = here & there
        off = np.abs(drawn[inside].astype(int) - photo.image[inside])
        assert np.quantile(off, 0.9) <= 2


def test_portrait_of_a_mask(model: FaceModel) -> None:
    photo, _, head, fit = _found(model)
    texture = bake(photo, head, fit, None, TextureSettings(size=512))
    picture = frontal(head, texture, PortraitSettings(size=256))
    assert set(np.unique(picture.mask)) <= {0, 1, 2, 3}
    assert 0.1 < (picture.mask > 0).mean() < 0.6
    # There is no neck to fade, and no hair.
    assert (fades(head.model, 0).neck == 1).all()
    assert not fades(head.model, 0).hairy.any()
    facts = surface_facts(head.model, 0)
    assert not facts.scalp.any()
    assert len(facts.rim) == 4 * (tiny_front.SIDE - 1)


def test_borders_and_what_lies_beyond() -> None:
    """A square of 5 x 5 vertices with a hole in its middle."""
    y, x = (a.ravel() for a in np.mgrid[:5, :5] * 10.0)
    points = np.stack([x, -y, 0 * x], axis=1).astype(np.float32)
    corner = np.array([5 * i + j for i in range(4) for j in range(4)])
    triangles = np.concatenate(
        [np.stack([corner, corner + 5, corner + 6], 1), np.stack([corner, corner + 6, corner + 1], 1)]
    )
    triangles = triangles[(triangles != 12).all(axis=1)]
    rim = open_borders(triangles.astype(np.int32))
    assert np.bincount(rim[:, 2]).tolist() == [16, 6]
    beyond, around = skirt(points, triangles.astype(np.int32), rim)
    assert len(beyond) == 17
    outer = beyond[:-1]
    assert ((outer[:, 0] < 0) | (outer[:, 0] > 40) | (outer[:, 1] > 0) | (outer[:, 1] < -40)).all()
    assert_allclose(beyond[-1], points[np.unique(rim[rim[:, 2] == 1, :2])].mean(axis=0), atol=1e-5)
    whole = np.concatenate([points, beyond])[around]
    area = np.cross(whole[:, 1] - whole[:, 0], whole[:, 2] - whole[:, 0])[:, 2]
    assert (area >= 0).all()  # they look where the mask looks
    assert len(skirt(points, triangles, rim[:0])[0]) == 0


def test_glb_shows_the_photos_expression(model: FaceModel) -> None:
    _, _, head, fit = _found(model)
    data = b"".join(glb(head, fit.expression, None))
    (length,) = struct.unpack_from("<I", data, 12)
    document = json.loads(data[20 : 20 + length])
    assert document["meshes"][0]["extras"]["targetNames"] == [PHOTO]
    assert document["meshes"][0]["weights"] == [1.0]
    (primitive,) = document["meshes"][0]["primitives"]
    accessor = document["accessors"][primitive["targets"][0]["POSITION"]]
    moved = (head.vertices - head.neutral) / 1000
    assert_allclose([accessor["min"], accessor["max"]], [moved.min(axis=0), moved.max(axis=0)], atol=1e-7)
    assert all(material["doubleSided"] for material in document["materials"])
    trimesh = pytest.importorskip("trimesh")
    assert len(trimesh.load(io.BytesIO(data), file_type="glb", force="mesh").faces) == len(head.triangles)


def _own_front() -> tuple[np.ndarray, np.ndarray]:
    """The front of our own head, with all that folds: lids, nostrils, lips from behind, ears."""
    mesh = default_head().level(1)
    points = mesh.apply(default_head().mean)
    front = (points[:, 2] > -75) & (np.abs(points[:, 1] + 25) < 105)
    triangles = mesh.triangles[(mesh.triangle_part == 0) & front[mesh.triangles].all(axis=1)]
    used, rows = np.unique(triangles, return_inverse=True)
    return points[used], rows.reshape(-1, 3).astype(np.int32)


@pytest.mark.parametrize("name", ["tiny", "full size", "own"])
def test_charts_do_not_overlap(name: str, model: FaceModel) -> None:
    pytest.importorskip("xatlas")
    if name == "own":
        points, triangles = _own_front()
    else:
        made = model if name == "tiny" else full_front.model()
        points, triangles = made.mean * np.float32(100), made.triangles
    found = unwrapped(points, triangles)
    assert found is not None
    uv, face_uv = found
    # The face is one chart, and what is not does not fall into crumbs.
    charts = _charts(face_uv, len(uv))
    assert len(charts) < 120
    assert max(charts) > 0.7 * len(triangles)
    assert uv.min() >= 0
    assert uv.max() <= 1
    p = uv[face_uv]
    a, b = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]
    areas = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
    assert areas.min() > 0
    # Where nothing overlaps a grid counts as much as the triangles have.
    from tronie.raster.rasterizer import visible

    screen = np.concatenate([uv * 1024, np.ones((len(uv), 1))], axis=1).astype(np.float32)
    covered = (visible(screen, face_uv, 1024, 1024, cull=False)[0] >= 0).mean()
    assert_allclose(covered, areas.sum() / 2, rtol=0.02)
    assert areas.sum() / 2 > 0.55
    # Each triangle has about as many texels as it is large, but for very few.
    size = np.linalg.norm(np.cross(*(points[triangles[:, k]] - points[triangles[:, 0]] for k in (1, 2))), axis=1)
    share = areas / areas.sum() / np.maximum(size / size.sum(), 1e-9)
    assert (share < 0.15).mean() < 0.01


def _charts(face_uv: np.ndarray, count: int) -> np.ndarray:
    """Triangles of each chart: each corner takes on the least number of those it is connected with."""
    label = np.arange(count)
    while True:
        least = label[face_uv].min(axis=1)
        before = label.copy()
        for k in range(3):
            np.minimum.at(label, face_uv[:, k], least)
        label = label[label]
        if (label == before).all():
            return np.unique(label[face_uv[:, 0]], return_counts=True)[1]


def _files(folder: Path, **arrays: np.ndarray) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "BFM_model_front.mat").write_bytes(mat_bytes(tiny_front.arrays()))
    for name, value in arrays.items():
        variable = {"BFM_UV": "UV", "BFM_front_idx": "idx", "BFM_exp_idx": "trimIndex"}[name]
        (folder / f"{name}.mat").write_bytes(mat_bytes({variable: value}))


def test_users_own_texture_coordinates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRONIE_HOME", str(tmp_path / "home"))
    rng = np.random.default_rng(0)
    whole, part, front = rng.uniform(size=(200, 2)), rng.permutation(200)[:150], rng.permutation(150)[:100]
    expected = whole[part][front] * [1, -1] + [0, 1]
    indices = {"BFM_front_idx": front[None] + 1.0, "BFM_exp_idx": part[None] + 1.0}
    for case, given in {"whole": whole, "front": whole[part][front]}.items():
        _files(tmp_path / case, BFM_UV=given, **indices)
        import_bfm(tmp_path / case, overwrite=True)
        layout = load_face_model().layout
        assert layout is not None
        assert_allclose(layout.uv, expected, atol=1e-6)
        assert_array_equal(layout.face_uv, load_face_model().triangles)
    monkeypatch.setattr("tronie.importers.bfm_front.WITH_EXPRESSIONS", 150)
    _files(tmp_path / "part", BFM_UV=whole[part], BFM_front_idx=indices["BFM_front_idx"])
    import_bfm(tmp_path / "part", overwrite=True)
    layout = load_face_model().layout
    assert layout is not None
    assert_allclose(layout.uv, expected, atol=1e-6)
    (tmp_path / "part" / "BFM_UV.mat").unlink()
    np.savez(tmp_path / "part" / "BFM_UV.npz", UV=whole[part][front])
    import_bfm(tmp_path / "part", overwrite=True)
    layout = load_face_model().layout
    assert layout is not None
    assert_allclose(layout.uv, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("uv", "reason"),
    [
        (np.zeros((200, 2)), "of no use without BFM_front_idx.mat; get"),
        (np.zeros((100, 3)), "has no UV"),
        (np.full((100, 2), 1.5), "no texture coordinates"),
        (np.full((100, 2), np.nan), "no texture coordinates"),
    ],
)
def test_wrong_texture_coordinates_are_refused(
    uv: np.ndarray, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRONIE_HOME", str(tmp_path / "home"))
    _files(tmp_path / "files", BFM_UV=uv)
    with pytest.raises(WeightsError, match=reason):
        import_bfm(tmp_path / "files")


def test_without_a_layout_one_is_made(model: FaceModel, tmp_path: Path) -> None:
    bare = replace(model, layout=None)
    (tmp_path / "bare.npz").write_bytes(bare.bytes())
    (tmp_path / "whole.npz").write_bytes(model.bytes())
    assert FaceModel.load(tmp_path / "bare.npz").layout is None
    kept = FaceModel.load(tmp_path / "whole.npz").layout
    assert kept is not None
    assert model.layout is not None
    assert_array_equal(kept.uv, model.layout.uv)
    assert len(head_model(bare, "").mean) == 100
