"""The GLB is legal, says what the head is, and other programs read the same from it as from the OBJ."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from glb_reader import parse, read
from node_tools import validator_home
from places import TESTS
from samples import SMILE, make_face, make_head

from tronie.export.gltf import SMALLEST_MOVE, SMALLEST_TURN, glb
from tronie.export.obj_ply import mtl, obj
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.lod import lod_pieces
from tronie.head.materials import LOOKS
from tronie.head.model import PARTS, HeadModel
from tronie.head.skeleton import skeleton, skinning_weights
from tronie.head.surface import MATERIALS, Same, pieces, quad_vertex_normals
from tronie.io import encode
from tronie.stages.texture.surface_map import surface_map
from tronie.types import Texture


@pytest.fixture(scope="module")
def file(tiny_head: HeadModel) -> bytes:
    face = make_face(tiny_head)
    assert face.texture is not None
    return b"".join(glb(make_head(tiny_head), SMILE, encode.jpeg(face.texture.image), "someone"))


def test_names_weights_and_parts(file: bytes) -> None:
    document, _ = parse(file)
    assert len(document["meshes"]) == 1
    mesh = document["meshes"][0]
    assert mesh["extras"]["targetNames"] == list(ARKIT_UNITS)
    assert mesh["weights"] == [SMILE.get(unit, 0.0) for unit in ARKIT_UNITS]
    assert [m["name"] for m in document["materials"]] == list(MATERIALS)
    assert [m["doubleSided"] for m in document["materials"]] == [LOOKS[m].both_sides for m in MATERIALS]
    assert all(len(primitive["targets"]) == 52 for primitive in mesh["primitives"])


@pytest.mark.parametrize("level", [0, 1, 2])
def test_says_what_the_head_is(tiny_head: HeadModel, level: int) -> None:
    """Triangle by triangle: positions at rest, with the default weights, normals and UV are the head's."""
    head = make_head(tiny_head, level)
    document, binary = parse(b"".join(glb(head, SMILE)))
    mesh = tiny_head.level(level)
    normals = quad_vertex_normals(head.neutral, mesh.quads)
    seen = 0
    for primitive, parts in zip(document["meshes"][0]["primitives"], MATERIALS.values(), strict=True):
        corner = {key: read(document, binary, number) for key, number in primitive["attributes"].items()}
        triangles = read(document, binary, primitive["indices"]).reshape(-1, 3)
        worn = np.isin(mesh.triangle_part, [PARTS.index(part) for part in parts])
        assert np.allclose(corner["POSITION"][triangles] * 1000, head.neutral[mesh.triangles[worn]], atol=1e-4)
        assert np.array_equal(corner["TEXCOORD_0"][triangles], mesh.uv[mesh.triangle_uv[worn]])
        assert np.array_equal(corner["NORMAL"][triangles], normals[mesh.triangles[worn]])
        moved = corner["POSITION"].astype(np.float64)
        for unit, target in zip(ARKIT_UNITS, primitive["targets"], strict=True):
            moved += SMILE.get(unit, 0.0) * read(document, binary, target["POSITION"])
        slack = SMALLEST_MOVE * sum(SMILE.values()) + 1e-3
        assert np.abs(moved[triangles] * 1000 - head.vertices[mesh.triangles[worn]]).max() < slack
        seen += len(triangles)
    assert seen == len(mesh.triangles)


def test_every_morph_target_is_the_unit_of_the_model(tiny_head: HeadModel, file: bytes) -> None:
    document, binary = parse(file)
    moves = tiny_head.level(1).apply(tiny_head.expression)
    for piece, primitive in zip(pieces(tiny_head, 1), document["meshes"][0]["primitives"], strict=True):
        for move, target in zip(moves, primitive["targets"], strict=True):
            stored = read(document, binary, target["POSITION"]) * 1000
            assert np.abs(stored - move[piece.vertex]).max() < SMALLEST_MOVE + 1e-5


def test_seams_split_no_more_than_needed(tiny_head: HeadModel) -> None:
    """A render vertex is a pair of a vertex and a place in the texture, once in each piece."""
    mesh = tiny_head.level(1)
    for piece in pieces(tiny_head, 1):
        pairs = np.concatenate([piece.vertex[:, None], piece.uv], axis=1)
        used = np.zeros(len(piece.vertex), bool)
        used[piece.triangles] = True
        assert used.all()
        assert len(np.unique(pairs, axis=0)) <= len(pairs)
    triangles = np.concatenate([piece.vertex[piece.triangles] for piece in pieces(tiny_head, 1)])
    assert sorted(map(tuple, triangles.tolist())) == sorted(map(tuple, mesh.triangles.tolist()))


def test_normals_equal_a_slow_reference(tiny_head: HeadModel) -> None:
    for level in (0, 1):
        head = make_head(tiny_head, level)
        quads = tiny_head.level(level).quads
        expected = np.zeros((len(head.vertices), 3))
        v = head.vertices.astype(np.float64)
        for quad in quads:
            a, b, c, d = v[quad]
            last = a if quad[3] < 0 else d
            for i in quad[quad >= 0]:
                expected[i] += np.cross(c - a, last - b)
        length = np.linalg.norm(expected, axis=1, keepdims=True)
        expected = np.where(length > 0, expected / np.maximum(length, 1e-30), [0, 0, 1])
        assert np.allclose(quad_vertex_normals(head.vertices, quads), expected, atol=1e-4)


def test_plain_colours_without_a_texture(tiny_head: HeadModel) -> None:
    document, _ = parse(b"".join(glb(make_head(tiny_head), {})))
    assert "images" not in document
    assert "textures" not in document
    for material in document["materials"]:
        assert material["pbrMetallicRoughness"]["baseColorFactor"] == [*LOOKS[material["name"]].color, 1.0]


def test_same_input_same_bytes(tiny_head: HeadModel) -> None:
    assert b"".join(glb(make_head(tiny_head), SMILE)) == b"".join(glb(make_head(tiny_head), SMILE))


# What is asked for beside that --------------------------------------------------------------------------------------


def test_each_vertex_says_where_its_colour_is_from_and_how_sure_it_is(tiny_head: HeadModel) -> None:
    head, mesh = make_head(tiny_head), tiny_head.level(1)
    provenance = np.random.default_rng(0).integers(1, 5, (64, 64), dtype=np.uint8)
    provenance[40:, :] = 0
    sigma = np.linspace(1, 3, len(tiny_head.mean)).astype(np.float32)
    document, binary = parse(b"".join(glb(head, {}, provenance=provenance, sigma_mm=sigma)))
    for piece, primitive in zip(pieces(tiny_head, 1), document["meshes"][0]["primitives"], strict=True):
        kinds = read(document, binary, primitive["attributes"]["_PROVENANCE"])[:, 0]
        at = np.minimum((piece.uv * 64).astype(int), 63)
        here = provenance[at[:, 1], at[:, 0]]
        assert np.array_equal(kinds[here > 0], here[here > 0])
        assert (kinds[at[:, 1] >= 43] == 0).all()
        stored = read(document, binary, primitive["attributes"]["_SIGMA_MM"])[:, 0]
        assert np.allclose(stored, (mesh.matrix @ sigma)[piece.vertex])


@pytest.mark.parametrize("lod", [1, 2])
def test_a_level_of_detail_is_the_same_head_with_fewer_vertices(tiny_head: HeadModel, lod: int) -> None:
    head, mesh = make_head(tiny_head), tiny_head.level(1)
    document, binary = parse(b"".join(glb(head, SMILE, lod=lod)))
    assert document["meshes"][0]["extras"]["targetNames"] == list(ARKIT_UNITS)
    normals = quad_vertex_normals(head.neutral, mesh.quads)
    moves = mesh.apply(tiny_head.expression)
    for piece, primitive in zip(lod_pieces(tiny_head, 1, lod), document["meshes"][0]["primitives"], strict=True):
        corner = {key: read(document, binary, number) for key, number in primitive["attributes"].items()}
        assert np.allclose(corner["POSITION"] * 1000, head.neutral[piece.vertex], atol=1e-4)
        assert np.array_equal(corner["NORMAL"], normals[piece.vertex])
        for move, target in zip(moves, primitive["targets"], strict=True):
            stored = read(document, binary, target["POSITION"]) * 1000
            assert np.abs(stored - move[piece.vertex]).max() < SMALLEST_MOVE + 1e-5


def test_joints_bind_where_the_skeleton_has_them(tiny_head: HeadModel) -> None:
    head = make_head(tiny_head)
    document, binary = parse(b"".join(glb(head, {}, rig=True)))
    bones, follow = skeleton(head), skinning_weights(Same(tiny_head), 1)
    (skin,) = document["skins"]
    nodes = document["nodes"]
    assert [nodes[joint]["name"] for joint in skin["joints"]] == list(bones.names)
    assert document["scenes"][0]["nodes"] == [0, skin["joints"][0]]
    matrices = read(document, binary, skin["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)
    for number, joint in enumerate(skin["joints"]):
        place, at = np.zeros(3), joint
        while at is not None:
            place += nodes[at]["translation"]
            at = next((k for k, node in enumerate(nodes) if at in node.get("children", [])), None)
        assert np.allclose(place, bones.positions[number] / 1000, atol=1e-6)
        assert np.allclose(matrices[number] @ [*place, 1], [0, 0, 0, 1], atol=1e-6)
    for piece, primitive in zip(pieces(tiny_head, 1), document["meshes"][0]["primitives"], strict=True):
        joints, share = (read(document, binary, primitive["attributes"][k]) for k in ("JOINTS_0", "WEIGHTS_0"))
        assert (share.sum(axis=1, dtype=int) == 255).all()
        full = np.zeros((len(joints), len(bones.names)))
        np.add.at(full, (np.arange(len(joints))[:, None], joints), share / 255)
        assert np.abs(full - follow[piece.vertex]).max() < 4 / 255


def test_morph_targets_may_turn_the_normals(tiny_head: HeadModel) -> None:
    head, mesh = make_head(tiny_head), tiny_head.level(1)
    document, binary = parse(b"".join(glb(head, {}, morph_normals=True)))
    row = ARKIT_UNITS.index("jawOpen")
    before = quad_vertex_normals(head.neutral, mesh.quads)
    after = quad_vertex_normals(head.neutral + mesh.apply(tiny_head.expression[row]), mesh.quads)
    for piece, primitive in zip(pieces(tiny_head, 1), document["meshes"][0]["primitives"], strict=True):
        turn = read(document, binary, primitive["targets"][row]["NORMAL"])
        assert np.abs(turn - (after - before)[piece.vertex]).max() < SMALLEST_TURN + 1e-6
    assert np.abs(after - before).max() > 0.1


def test_a_normal_map_goes_onto_the_skin_with_tangents(tiny_head: HeadModel) -> None:
    face = make_face(tiny_head)
    assert face.texture is not None
    texture, flat = encode.jpeg(face.texture.image), encode.png(np.full((8, 8, 3), (128, 128, 255), np.uint8))
    document, binary = parse(b"".join(glb(make_head(tiny_head), {}, texture, normal_map=flat, surface=flat)))
    assert [image["name"] for image in document["images"]] == ["texture", "normal", "surface"]
    assert [image["mimeType"] for image in document["images"]] == ["image/jpeg", "image/png", "image/png"]
    for material, primitive in zip(document["materials"], document["meshes"][0]["primitives"], strict=True):
        skin = material["name"] == "skin"
        assert ("normalTexture" in material) == ("TANGENT" in primitive["attributes"]) == skin
        if skin:
            tangent = read(document, binary, primitive["attributes"]["TANGENT"])
            assert np.allclose(np.linalg.norm(tangent[:, :3], axis=1), 1, atol=1e-4)
            assert set(np.abs(tangent[:, 3])) == {1.0}


def test_skin_and_mouth_have_a_picture_of_how_rough_and_open_they_are(tiny_head: HeadModel) -> None:
    """What is not in it, and everything of a head without it, has the table's numbers."""
    face = make_face(tiny_head)
    assert face.texture is not None
    texture, found = encode.jpeg(face.texture.image), surface_map(tiny_head, 1, face.texture.image)
    assert found is not None
    for surface in (None, encode.png(found)):
        document, _ = parse(b"".join(glb(make_head(tiny_head), {}, texture, surface=surface)))
        for material in document["materials"]:
            look, says = LOOKS[material["name"]], material["pbrMetallicRoughness"]
            assert says["baseColorTexture"] == {"index": 0}
            mapped = surface is not None and material["name"] in ("skin", "mouth")
            assert says["roughnessFactor"] == (1.0 if mapped else look.roughness)
            assert says.get("metallicRoughnessTexture") == ({"index": 1} if mapped else None)
            assert material.get("occlusionTexture") == ({"index": 1} if mapped else None)
    bare, _ = parse(b"".join(glb(make_head(tiny_head), {}, surface=encode.png(found))))
    assert not any("occlusionTexture" in material for material in bare["materials"])


def test_extensions_are_named_and_none_is_needed(file: bytes) -> None:
    document, _ = parse(file)
    used = {name for material in document["materials"] for name in material.get("extensions", ())}
    assert set(document["extensionsUsed"]) == used
    assert "extensionsRequired" not in document


# What other programs read -------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tiny_head: HeadModel, file: bytes, tmp_path: Path) -> Path:
    face = make_face(tiny_head)
    assert face.texture is not None
    (tmp_path / "head.glb").write_bytes(file)
    (tmp_path / "head.obj").write_bytes(b"".join(obj(make_head(tiny_head))))
    (tmp_path / "head.mtl").write_bytes(mtl())
    (tmp_path / "texture.png").write_bytes(encode.png(face.texture.image))
    return tmp_path


def test_trimesh_reads_the_same_from_glb_and_obj(tiny_head: HeadModel, folder: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    scenes = [trimesh.load(folder / name, process=False) for name in ("head.glb", "head.obj")]
    split = {piece.material: len(piece.vertex) for piece in pieces(tiny_head, 1)}
    for scene in scenes:
        assert sum(len(mesh.vertices) for mesh in scene.geometry.values()) == sum(split.values())
        assert sum(len(mesh.faces) for mesh in scene.geometry.values()) == len(tiny_head.level(1).triangles)
        for mesh in scene.geometry.values():
            material = mesh.visual.material
            picture = getattr(material, "baseColorTexture", None) or material.image
            assert picture.size == (512, 512)
    assert {name: len(mesh.vertices) for name, mesh in scenes[1].geometry.items()} == split
    assert np.allclose(1000 * scenes[0].extents, np.ptp(make_head(tiny_head).neutral, axis=0), atol=1e-2)
    assert np.allclose(scenes[1].extents, np.ptp(make_head(tiny_head).vertices, axis=0), atol=1e-2)


def test_assimp_reads_the_same_from_glb_and_obj(tiny_head: HeadModel, folder: Path) -> None:
    """Through the `assimp` program (Debian: assimp-utils), corners that are alike joined."""
    assimp = shutil.which("assimp")
    if assimp is None:
        pytest.skip("the program assimp is not installed (Debian: assimp-utils)")
    split = sum(len(piece.vertex) for piece in pieces(tiny_head, 1))
    for name in ("head.glb", "head.obj"):
        said = subprocess.run(
            [assimp, "info", folder / name, "-jiv", "-tri"], capture_output=True, text=True, check=True
        )
        facts = dict(line.split(":", 1) for line in said.stdout.splitlines() if line.count(":") == 1)
        assert int(facts["Vertices"]) == split, name
        assert int(facts["Faces"]) == len(tiny_head.level(1).triangles), name


def face_texture(model: HeadModel) -> Texture:
    texture = make_face(model).texture
    assert texture is not None
    return texture


def test_khronos_validator_finds_nothing(tiny_head: HeadModel, file: bytes, tmp_path: Path) -> None:
    home, node = validator_home(), shutil.which("node")
    if home is None or node is None:
        pytest.skip("gltf-validator is not installed (tests/tools/install_gltf_validator.sh does it)")
    files = {"textured": file}
    for level in (0, 1, 2):
        files[f"plain-{level}"] = b"".join(glb(make_head(tiny_head, level), SMILE, name="odd \udcff name ü"))
    texture = face_texture(tiny_head)
    everything: dict[str, Any] = {
        "provenance": texture.provenance,
        "sigma_mm": np.linspace(1, 3, len(tiny_head.mean)),
        "normal_map": encode.png(np.full((8, 8, 3), (128, 128, 255), np.uint8)),
        "lod": 1,
        "rig": True,
        "morph_normals": True,
    }
    options = [{key: value} for key, value in everything.items()]
    for number, chosen in enumerate([*options, everything, {**everything, "lod": 2}]):
        files[f"option-{number}"] = b"".join(glb(make_head(tiny_head), SMILE, encode.jpeg(texture.image), **chosen))
    for name, data in files.items():
        (tmp_path / f"{name}.glb").write_bytes(data)
    script = TESTS / "tools" / "validate_gltf.mjs"
    paths = [tmp_path / f"{name}.glb" for name in files]
    said = subprocess.run([node, script, home, *paths], capture_output=True, text=True, check=True)
    for line in said.stdout.splitlines():
        report = json.loads(line)
        # A head without a texture keeps its UV, of which the validator remarks that nothing uses it.
        remarks = [m for m in report["messages"] if m["code"] != "UNUSED_OBJECT"]
        assert (report["errors"], report["warnings"], remarks) == (0, 0, []), line
    assert len(said.stdout.splitlines()) == len(files)
