"""Hair, coverings and glasses in files: meshes of their own, legal, that follow the head and come back as they were."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from glb_reader import parse, read
from node_tools import validator_home
from PIL import Image as Pillow
from places import TESTS
from samples import SMILE, make_face, make_head, make_result, make_shell
from test_gltf_motion import make_course

from tronie.export.gltf import glb
from tronie.export.obj_ply import head_in_one_file, mtl, obj, ply
from tronie.export.shells import LARGEST, colored, fewer, shell_png
from tronie.export.writer import save
from tronie.head.materials import look_of_shell
from tronie.head.model import HeadModel, default_head
from tronie.io import encode
from tronie.io.saved_head import load_head
from tronie.render.load import _sigma, load_figure
from tronie.shells import HairLook, Shell

SHELLS = (make_shell("hair"), replace(make_shell("glasses", size=32), roughness=0.3))


def textured(model: HeadModel) -> bytes:
    face = make_face(model)
    assert face.texture is not None
    return encode.jpeg(face.texture.image)


def file(model: HeadModel, shells: tuple[Shell, ...] = SHELLS, **options: Any) -> bytes:
    return b"".join(glb(make_head(model), SMILE, textured(model), "someone", shells=shells, **options))


def test_each_is_a_mesh_of_its_own_below_the_head(tiny_head: HeadModel) -> None:
    document, binary = parse(file(tiny_head))
    assert [mesh["name"] for mesh in document["meshes"]] == ["head_mesh", "hair", "glasses"]
    nodes = document["nodes"]
    assert [nodes[k]["name"] for k in nodes[0]["children"]] == ["hair", "glasses"]
    for shell, mesh in zip(SHELLS, document["meshes"][1:], strict=True):
        primitive = mesh["primitives"][0]
        assert "targets" not in primitive  # morph targets leave it where it is
        material = document["materials"][primitive["material"]]
        assert (material["name"], material["alphaMode"], material["alphaCutoff"]) == (shell.name, "MASK", 0.5)
        assert material["doubleSided"]
        assert material["pbrMetallicRoughness"]["roughnessFactor"] == pytest.approx(shell.roughness)
        place = read(document, binary, primitive["attributes"]["POSITION"])
        np.testing.assert_allclose(1000 * place, shell.vertices, atol=1e-3)
        assert np.array_equal(read(document, binary, primitive["indices"]).reshape(-1, 3), shell.triangles)
        mirrors = material.get("extensions", {}).get("KHR_materials_specular", {"specularFactor": 1.0})
        assert mirrors["specularFactor"] == look_of_shell(shell.name).specular
        number = material["pbrMetallicRoughness"]["baseColorTexture"]["index"]
        image = document["images"][document["textures"][number]["source"]]
        view = document["bufferViews"][image["bufferView"]]
        data = binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
        with Pillow.open(io.BytesIO(data)) as picture:
            pixels = np.asarray(picture)
        assert np.array_equal(pixels[..., 3], shell.image[..., 3])
        # Where it is clear it has the colours beside it, not the green of the picture.
        assert (np.abs(pixels[..., :3].astype(int) - [90, 60, 40]) <= 1).all()


def test_with_joints_it_follows_the_skull(tiny_head: HeadModel) -> None:
    document, binary = parse(file(tiny_head, rig=True))
    scene = document["scenes"][0]["nodes"]
    named = {document["nodes"][k]["name"]: document["nodes"][k] for k in scene}
    joints = [document["nodes"][k]["name"] for k in document["skins"][0]["joints"]]
    for name in ("hair", "glasses"):
        assert named[name]["skin"] == 0
        attributes = document["meshes"][named[name]["mesh"]]["primitives"][0]["attributes"]
        followed, share = (read(document, binary, attributes[key]) for key in ("JOINTS_0", "WEIGHTS_0"))
        assert (share == [255, 0, 0, 0]).all()
        assert {joints[k] for k in followed[:, 0]} == {"head"}


@pytest.mark.parametrize("rig", [False, True])
def test_it_moves_along_in_a_clip(tiny_head: HeadModel, rig: bool) -> None:
    document, _ = parse(file(tiny_head, rig=rig, motion=make_course()))
    names = [document["nodes"][k]["name"] for k in document["scenes"][0]["nodes"]]
    moving = {c["target"]["node"] for c in document["animations"][0]["channels"] if c["target"]["path"] == "rotation"}
    (node,) = moving
    if rig:
        assert {"hair", "glasses", "motion"} <= set(names)
        assert document["nodes"][node]["children"] == [document["skins"][0]["skeleton"]]
    else:
        assert len(document["nodes"][node]["children"]) == 2


@pytest.mark.parametrize("lod", [1, 2])
def test_levels_of_detail_have_fewer_triangles_and_no_vertex_too_many(tiny_head: HeadModel, lod: int) -> None:
    document, binary = parse(file(tiny_head, lod=lod))
    primitive = document["meshes"][1]["primitives"][0]
    place = read(document, binary, primitive["attributes"]["POSITION"])
    corners = read(document, binary, primitive["indices"]).ravel()
    assert np.array_equal(np.unique(corners), np.arange(len(place)))
    wanted = SHELLS[0].vertices[SHELLS[0].lods[lod - 1]]
    np.testing.assert_allclose(1000 * place[corners].reshape(-1, 3, 3), wanted, atol=1e-3)
    assert len(fewer(SHELLS[0], lod).vertices) == len(place)


def test_pictures_are_no_larger_than_they_need_be() -> None:
    large = make_shell(size=2 * LARGEST)
    sizes = []
    for most in (LARGEST, LARGEST // 2):
        with Pillow.open(io.BytesIO(shell_png(large, most))) as picture:
            sizes.append(picture.size)
    assert sizes == [(LARGEST, LARGEST), (LARGEST // 2, LARGEST // 2)]


def test_colours_of_vertices_are_those_of_what_is_there() -> None:
    left, colors = colored(make_shell(cells=1))
    assert len(left.triangles) == len(make_shell().triangles)
    half = make_shell(cells=1)
    half.image[: len(half.image) // 2, :, 3] = 0
    some, colors = colored(half)
    assert 0.45 < len(some.triangles) / len(half.triangles) < 0.65
    assert len(colors) == len(some.vertices)
    assert (np.abs(colors.astype(int) - [90, 60, 40]) <= 1).all()


@pytest.mark.parametrize("ours", [True, False])
@pytest.mark.parametrize("rig", [False, True])
def test_a_saved_head_keeps_its_shells(tiny_head: HeadModel, tmp_path: Path, ours: bool, rig: bool) -> None:
    model = default_head() if ours else tiny_head
    white = np.full((8, 8, 3), 255, np.uint8)
    data = glb(make_head(model), SMILE, encode.png(white), shells=SHELLS, rig=rig)
    (tmp_path / "head.glb").write_bytes(b"".join(data))
    saved = load_head(tmp_path)
    assert (saved.head is not None) == ours
    assert saved.texture is not None
    assert (saved.texture == white).all()
    assert set(saved.materials) == {"skin", "eyes", "mouth"}
    figure = load_figure(tmp_path)
    for shells in (saved.shells, figure.shells):
        assert [shell.name for shell in shells] == ["hair", "glasses"]
        for shell, made in zip(shells, SHELLS, strict=True):
            np.testing.assert_allclose(shell.vertices, made.vertices, atol=1e-3)
            np.testing.assert_allclose(shell.normals, made.normals, atol=1e-4)
            np.testing.assert_array_equal(shell.triangles, made.triangles)
            np.testing.assert_allclose(shell.uv, made.uv, atol=1e-6)
            np.testing.assert_array_equal(shell.image[..., 3], made.image[..., 3])
            assert shell.roughness == pytest.approx(made.roughness)


def test_a_head_without_a_texture_does_not_wear_that_of_its_hair(tiny_head: HeadModel, tmp_path: Path) -> None:
    (tmp_path / "head.glb").write_bytes(b"".join(glb(make_head(tiny_head), SMILE, shells=SHELLS)))
    assert load_head(tmp_path).texture is None


def test_trimesh_reads_the_parts(tiny_head: HeadModel, tmp_path: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    path = tmp_path / "head.glb"
    path.write_bytes(file(tiny_head))
    scene = trimesh.load(path)
    hair = next(part for name, part in scene.geometry.items() if name.startswith("hair"))
    assert len(hair.faces) == len(SHELLS[0].triangles)
    assert hair.visual.material.alphaMode == "MASK"
    np.testing.assert_allclose(1000 * hair.bounds, [SHELLS[0].vertices.min(0), SHELLS[0].vertices.max(0)], atol=1e-3)


def test_khronos_validator_finds_nothing(tiny_head: HeadModel, tmp_path: Path) -> None:
    home, node = validator_home(), shutil.which("node")
    if home is None or node is None:
        pytest.skip("gltf-validator is not installed (tests/tools/install_gltf_validator.sh does it)")
    everything: dict[str, Any] = {
        "sigma_mm": np.linspace(1, 3, len(tiny_head.mean)),
        "normal_map": encode.png(np.full((8, 8, 3), (128, 128, 255), np.uint8)),
        "lod": 1,
        "rig": True,
        "morph_normals": True,
        "motion": make_course(),
    }
    chosen = [{}, *({key: value} for key, value in everything.items()), everything, {**everything, "lod": 2}]
    files = {f"option-{k}": file(tiny_head, **options) for k, options in enumerate(chosen)}
    files["bare"] = b"".join(glb(make_head(tiny_head), SMILE, shells=SHELLS))
    for name, data in files.items():
        (tmp_path / f"{name}.glb").write_bytes(data)
    script = TESTS / "tools" / "validate_gltf.mjs"
    paths = [tmp_path / f"{name}.glb" for name in files]
    said = subprocess.run([node, script, home, *paths], capture_output=True, text=True, check=True)
    for line in said.stdout.splitlines():
        report = json.loads(line)
        remarks = [m for m in report["messages"] if m["code"] != "UNUSED_OBJECT"]
        assert (report["errors"], report["warnings"], remarks) == (0, 0, []), line
    assert len(said.stdout.splitlines()) == len(files)


def test_the_obj_has_it_as_an_object_with_a_picture_and_its_alpha(tiny_head: HeadModel, tmp_path: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    head = make_head(tiny_head)
    (tmp_path / "head.obj").write_bytes(b"".join(obj(head, shells=SHELLS)))
    (tmp_path / "head.mtl").write_bytes(mtl("texture.png", SHELLS))
    (tmp_path / "texture.png").write_bytes(encode.png(np.full((8, 8, 3), 200, np.uint8)))
    for shell in SHELLS:
        (tmp_path / f"{shell.name}.png").write_bytes(shell_png(shell))
    text = (tmp_path / "head.mtl").read_text()
    assert text.count("newmtl ") == 5
    assert "map_Kd hair.png\nmap_d hair.png" in text
    scene = trimesh.load(tmp_path / "head.obj")
    hair = scene.geometry["hair"]
    assert len(hair.faces) == len(SHELLS[0].triangles)
    np.testing.assert_allclose(hair.bounds, [SHELLS[0].vertices.min(0), SHELLS[0].vertices.max(0)], atol=1e-3)
    written = sum(len(part.faces) for part in scene.geometry.values())
    assert written == len(head.triangles) + sum(len(shell.triangles) for shell in SHELLS)


def test_the_ply_and_the_flat_obj_leave_out_what_is_clear(tiny_head: HeadModel, tmp_path: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    head, shell = make_head(tiny_head), make_shell(cells=1)
    shell.image[: len(shell.image) // 2, :, 3] = 0
    left, _ = colored(shell)
    texture = np.full((16, 16, 3), 200, np.uint8)
    sigma = np.linspace(1, 3, len(tiny_head.mean))
    (tmp_path / "head.ply").write_bytes(b"".join(ply(head, texture, sigma, (shell,))))
    (tmp_path / "flat.obj").write_bytes(b"".join(head_in_one_file(head, texture, (shell,))))
    for name in ("head.ply", "flat.obj"):
        mesh = trimesh.load(tmp_path / name, process=False)
        assert len(mesh.vertices) == len(head.vertices) + len(left.vertices)
        assert len(mesh.faces) == len(head.triangles) + len(left.triangles)
        np.testing.assert_allclose(mesh.vertices[len(head.vertices) :], left.vertices, atol=1e-3)
        colors = mesh.visual.vertex_colors[len(head.vertices) :, :3].astype(int)
        assert (np.abs(colors - [90, 60, 40]) <= 1).all()
        assert (mesh.faces[len(head.triangles) :] >= len(head.vertices)).all()
    found = _sigma(tmp_path / "head.ply", len(head.vertices))
    assert found is not None
    assert found.min() >= 0.9
    (tmp_path / "bare.ply").write_bytes(b"".join(ply(head, texture, sigma)))
    assert np.array_equal(found, _sigma(tmp_path / "bare.ply", len(head.vertices)))


def test_a_written_face_has_its_hair_in_every_file(tiny_head: HeadModel, tmp_path: Path) -> None:
    look = HairLook("long", 0.9, 1.0, np.array([90, 60, 40], np.float32))
    result = make_result(tiny_head)
    result = replace(result, faces=(replace(result.faces[0], shells=SHELLS, hair=look),))
    place = save(result, tmp_path) / "face-1"
    assert {"hair.png", "glasses.png"} <= {path.name for path in place.iterdir()}
    told = json.loads((place / "face.json").read_bytes())
    assert set(told["files"]) == {path.name for path in place.iterdir()} - {"face.json"}
    assert told["shells"] == {"hair": len(SHELLS[0].triangles), "glasses": len(SHELLS[1].triangles)}
    assert told["hair"] == {"kind": "long", "certainty": 0.9, "fullness": 1.0, "color": [90.0, 60.0, 40.0]}
    assert [shell.name for shell in load_head(place).shells] == ["hair", "glasses"]
