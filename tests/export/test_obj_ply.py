"""OBJ, MTL and PLY hold the head, to the last digit they promise."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps
from samples import make_face, make_head, make_shell

from tronie.export.obj_ply import mtl, numbers, obj, ply, vertex_colors
from tronie.head.materials import LOOKS
from tronie.head.model import PARTS, HeadModel
from tronie.head.surface import MATERIALS, quad_vertex_normals

reals = st.floats(-1e6, 1e6, width=32)


@settings(max_examples=60, deadline=None)
@given(nps.arrays(np.float64, st.tuples(st.integers(0, 30), st.integers(1, 4)), elements=reals), st.integers(1, 6))
def test_numbers_are_the_nearest_with_so_many_decimals(rows: np.ndarray, decimals: int) -> None:
    text = numbers("v ", rows, decimals).decode()
    assert text.count("\n") == len(rows)
    for line, row in zip(text.splitlines(), rows, strict=True):
        words = line.split(" ")
        assert words[0] == "v"
        assert all(len(word.split(".")[1]) == decimals for word in words[1:])
        assert np.allclose([float(word) for word in words[1:]], row, rtol=0, atol=0.5000001 * 10.0**-decimals + 1e-9)


def test_numbers_have_no_negative_zero_and_refuse_nonsense() -> None:
    assert numbers("", np.array([[-0.0001, -0.0, 0.5, -12.0625]]), 3) == b"0.000 0.000 0.500 -12.063\n"
    for bad in (np.nan, np.inf, 1e12):
        with pytest.raises(ValueError, match="finite"):
            numbers("v ", np.array([[bad]]), 3)


@pytest.mark.parametrize("level", [0, 1])
def test_obj_is_the_head_with_its_quads(tiny_head: HeadModel, level: int) -> None:
    head, mesh = make_head(tiny_head, level), tiny_head.level(level)
    rows: dict[str, list[list[str]]] = {}
    faces: list[tuple[str, str, list[list[int]]]] = []
    material = group = ""
    for line in b"".join(obj(head)).decode("ascii").splitlines():
        key, *words = line.split(" ")
        if key == "usemtl":
            material = words[0]
        elif key == "g":
            group = words[0]
        elif key == "f":
            faces.append((material, group, [[int(n) for n in word.split("/")] for word in words]))
        else:
            rows.setdefault(key, []).append(words)
    assert np.allclose(np.array(rows["v"], float), head.vertices, atol=6e-4)
    assert np.allclose(np.array(rows["vt"], float), mesh.uv * [1, -1] + [0, 1], atol=6e-6)
    assert np.allclose(np.array(rows["vn"], float), quad_vertex_normals(head.vertices, mesh.quads), atol=6e-4)
    assert rows["mtllib"] == [["head.mtl"]]
    written = sorted([v - 1 for v, _, _ in corners] for _, _, corners in faces)
    assert written == sorted([v for v in quad if v >= 0] for quad in mesh.quads.tolist())
    for material, group, corners in faces:
        assert group in MATERIALS[material]
        assert all(v == n for v, _, n in corners)
    assert {group for _, group, _ in faces} == set(PARTS)
    uv_of = {tuple(quad): tuple(uv) for quad, uv in zip(mesh.quads.tolist(), mesh.quad_uv.tolist(), strict=True)}
    for _, _, corners in faces:
        quad = tuple(([v - 1 for v, _, _ in corners] + [-1])[:4])
        assert tuple(([t - 1 for _, t, _ in corners] + [-1])[:4]) == tuple(uv_of[quad])


def test_mtl_names_every_material_and_the_texture() -> None:
    text = mtl("texture.png").decode()
    assert [line.split()[1] for line in text.splitlines() if line.startswith("newmtl")] == list(MATERIALS)
    assert text.count("map_Kd texture.png") == len(MATERIALS)
    assert "map_Kd" not in mtl(None).decode()
    assert mtl("texture.png", roughness_file="roughness.png").count(b"map_Pr roughness.png") == len(MATERIALS)


def test_mtl_is_as_rough_as_the_table_says() -> None:
    text = mtl(None, (make_shell(),)).decode()
    told = dict(re.findall(r"newmtl (\S+).*?\nPr (\S+)", text, flags=re.DOTALL))
    expected = {name: look.roughness for name, look in LOOKS.items()} | {"hair": make_shell().roughness}
    assert {name: float(value) for name, value in told.items()} == expected


@pytest.mark.parametrize("texture", [True, False])
def test_ply_is_read_back(tiny_head: HeadModel, tmp_path: Path, texture: bool) -> None:
    trimesh = pytest.importorskip("trimesh")
    face = make_face(tiny_head)
    assert face.head is not None
    assert face.texture is not None
    image = face.texture.image if texture else None
    (tmp_path / "head.ply").write_bytes(b"".join(ply(face.head, image)))
    mesh = trimesh.load(tmp_path / "head.ply", process=False)
    assert np.array_equal(mesh.vertices, face.head.vertices)
    assert np.array_equal(mesh.faces, face.head.triangles)
    expected = (
        vertex_colors(face.head, image) if image is not None else np.full((len(mesh.vertices), 3), (200, 170, 150))
    )
    assert np.array_equal(mesh.visual.vertex_colors[:, :3], expected)


def test_ply_tells_how_sure_each_vertex_is(tiny_head: HeadModel, tmp_path: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    face = make_face(tiny_head)
    assert face.head is not None
    sigma = np.linspace(0.5, 2.0, len(tiny_head.mean), dtype=np.float32)
    (tmp_path / "head.ply").write_bytes(b"".join(ply(face.head, None, sigma)))
    mesh = trimesh.load(tmp_path / "head.ply", process=False)
    assert np.array_equal(mesh.vertices, face.head.vertices)
    told = mesh.metadata["_ply_raw"]["vertex"]["data"]["sigma"].ravel()
    assert np.allclose(told, tiny_head.level(face.head.level).matrix @ sigma)


def test_vertex_colours_are_the_texture_at_the_vertex(tiny_head: HeadModel) -> None:
    """A texture that is linear in u and v gives colours that are, to the rounding of bytes."""
    head, mesh = make_head(tiny_head), tiny_head.level(1)
    size = 1024
    v, u = (np.mgrid[:size, :size] + 0.5) / size
    image = np.round(255 * np.stack([u, v, 1 - u], axis=-1)).astype(np.uint8)
    colors = vertex_colors(head, image).astype(float) / 255
    where: dict[int, list[int]] = {}
    for vertex, row in zip(mesh.triangles.ravel().tolist(), mesh.triangle_uv.ravel().tolist(), strict=True):
        where.setdefault(vertex, []).append(row)
    for vertex, places in where.items():
        expected = mesh.uv[places]
        assert np.abs(expected - colors[vertex, :2]).max(axis=1).min() < 0.004
