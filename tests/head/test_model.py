"""The head model: files, levels, embeddings, and what the shipped head promises."""

from pathlib import Path

import numpy as np
import pytest
from synthetic import tiny_head

from tronie.errors import WeightsError
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import PARTS, HeadModel, default_head


def test_save_then_load_is_equal(tmp_path: Path) -> None:
    model = tiny_head()
    model.save(tmp_path / "head.npz")
    again = HeadModel.load(tmp_path / "head.npz")
    assert (again.name, again.licence) == (model.name, model.licence)
    for field in ("mean", "quads", "quad_uv", "uv", "part", "mirror", "inner_face"):
        assert np.array_equal(getattr(again, field), getattr(model, field)), field
    for field in ("identity", "expression", "smooth_modes"):
        a, b = getattr(again, field), getattr(model, field)
        assert np.abs(a - b).max() <= 1e-3 * max(1.0, np.abs(b).max()), field  # half precision
    assert again.embeddings.keys() == model.embeddings.keys()


def test_a_file_with_objects_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "evil.npz", name=np.array([{"a": 1}], dtype=object), licence=np.array("x"))
    with pytest.raises(WeightsError, match="Python objects"):
        HeadModel.load(tmp_path / "evil.npz")


@pytest.mark.parametrize("level", [0, 1, 2])
def test_levels_are_linear_and_consistent(level: int) -> None:
    model = tiny_head()
    mesh = model.level(level)
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, *model.mean.shape)).astype(np.float32)
    assert np.allclose(mesh.apply(a + 2 * b), mesh.apply(a) + 2 * mesh.apply(b), atol=1e-4)
    assert mesh.apply(model.expression).shape == (52, mesh.matrix.shape[0], 3)
    assert np.allclose(mesh.apply(model.expression)[3], mesh.apply(model.expression[3]), atol=1e-5)
    assert mesh.triangles.max() < mesh.matrix.shape[0]
    assert mesh.triangle_uv.max() < len(mesh.uv)
    assert len(mesh.triangles) == len(mesh.triangle_uv) == len(mesh.triangle_part)


def test_embedded_points_agree_between_levels() -> None:
    model = tiny_head()
    points = [model.level(k).points68(model.level(k).apply(model.mean)) for k in range(3)]
    for p in points[1:]:
        assert np.linalg.norm(p - points[0], axis=1).mean() < 4


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="subdivision level 3"):
        tiny_head().level(3)


class TestShippedHead:
    def test_every_part_and_unit_is_there(self) -> None:
        model = default_head()
        assert model.expression_names == ARKIT_UNITS
        assert model.expression.shape == (52, len(model.mean), 3)
        assert set(np.unique(model.part)) == set(range(len(PARTS)))
        for unit, delta in zip(ARKIT_UNITS, model.expression, strict=True):
            assert np.abs(delta).max() > 0.5, unit

    def test_it_is_symmetric(self) -> None:
        model = default_head()
        flip = np.array([-1, 1, 1], dtype=np.float32)
        assert np.array_equal(model.mirror[model.mirror], np.arange(len(model.mean)))
        assert np.abs(model.mean[model.mirror] * flip - model.mean).max() < 0.2
        left, right = ARKIT_UNITS.index("mouthSmileLeft"), ARKIT_UNITS.index("mouthSmileRight")
        assert np.abs(model.expression[left][model.mirror] * flip - model.expression[right]).max() < 1.0

    def test_the_origin_lies_between_the_eyes_and_left_is_left(self) -> None:
        left, right = default_head().eye_centers
        assert left[0] > 25
        assert right[0] < -25
        assert np.abs((left + right) / 2).max() < 0.5

    def test_units_move_the_side_they_name(self) -> None:
        model = default_head()
        for name in ("eyeBlink", "mouthSmile", "browDown", "cheekSquint"):
            moved = np.linalg.norm(model.expression[ARKIT_UNITS.index(name + "Left")], axis=1)
            assert (moved * model.mean[:, 0]).sum() > 0, name

    def test_jaw_open_lowers_the_chin_and_the_lower_teeth_only(self) -> None:
        model = default_head()
        delta = model.expression[ARKIT_UNITS.index("jawOpen")]
        lower, upper = (np.unique(model.quads[model.part == PARTS.index(n)]) for n in ("teeth_lower", "teeth_upper"))
        assert delta[lower[lower >= 0], 1].mean() < -5
        assert np.abs(delta[upper[upper >= 0]]).max() < 1

    def test_the_net_s_points_are_where_they_should_be(self) -> None:
        model = default_head()
        level = model.level(1)
        p = level.points478(level.apply(model.mean))
        assert p[1, 2] == p[:468, 2].max() or p[4, 2] > p[:468, 2].max() - 2  # the tip of the nose is foremost
        assert p[10, 1] > p[1, 1] > p[13, 1] > p[152, 1]  # forehead, nose, lips, chin
        assert p[263, 0] > 0 > p[33, 0]
        q = level.points68(level.apply(model.mean))
        assert q[8, 1] == q[:17, 1].min()
        assert (np.diff(q[:17, 0]) > 0).all()  # the jaw runs from the subject's right to the left

    def test_winding_points_outwards(self) -> None:
        model = default_head()
        level = model.level(0)
        v = level.apply(model.mean)[level.triangles[level.triangle_part == 0]]
        volume = np.einsum("ij,ij->i", v[:, 0], np.cross(v[:, 1], v[:, 2])).sum()
        assert volume > 0
