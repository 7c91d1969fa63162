"""head.usdz is what the head is, and Pixar's own checkers find nothing wrong with it."""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from samples import SMILE, make_face, make_head, make_result, make_shell

from tronie import cli
from tronie.errors import OutputError
from tronie.export import usd
from tronie.export.gltf import SMALLEST_MOVE
from tronie.export.writer import save
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.materials import LOOKS
from tronie.head.model import PARTS, HeadModel
from tronie.head.skeleton import skeleton, skinning_weights
from tronie.head.surface import MATERIALS, Same
from tronie.io import encode
from tronie.shells import Shell
from tronie.stages.texture.surface_map import surface_map

needs_usd = pytest.mark.skipif(importlib.util.find_spec("pxr") is None, reason="usd-core is not installed")


def write(
    model: HeadModel, path: Path, rig: bool = False, textured: bool = True, shells: tuple[Shell, ...] = ()
) -> Path:
    texture = make_face(model).texture
    assert texture is not None
    picture = encode.jpeg(texture.image) if textured else None
    found = surface_map(model, 1, texture.image)
    assert found is not None
    data = usd.usdz(make_head(model), SMILE, picture, "someone \udcff", rig, shells, encode.png(found))
    path.write_bytes(data)
    return path


def complaints(path: Path) -> list[str]:
    """By the rules of usdchecker, in the form that this version of USD has them."""
    from pxr import Usd, UsdUtils

    if hasattr(UsdUtils, "ComplianceChecker"):  # before 26
        checker = UsdUtils.ComplianceChecker(arkit=True)
        # Those wheels lack a file that this rule reads.
        checker._rules = [rule for rule in checker._rules if "ShaderProperty" not in type(rule).__name__]
        checker.CheckCompliance(str(path))
        return [*checker.GetErrors(), *checker.GetFailedChecks(), *checker.GetWarnings()]
    from pxr import UsdValidation

    everything = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    context = UsdValidation.ValidationContext(everything)
    return [error.GetErrorAsString() for error in context.Validate(Usd.Stage.Open(str(path)))]


@needs_usd
@pytest.mark.parametrize("rig", [False, True])
@pytest.mark.parametrize("textured", [False, True])
def test_the_checkers_find_nothing(tiny_head: HeadModel, tmp_path: Path, rig: bool, textured: bool) -> None:
    assert complaints(write(tiny_head, tmp_path / "hair.usdz", rig, textured, (make_shell(),))) == []
    path = write(tiny_head, tmp_path / "head.usdz", rig, textured)
    assert complaints(path) == []
    with zipfile.ZipFile(path) as package:
        entries = package.infolist()
    assert [entry.filename for entry in entries] == ["head.usdc", "texture.jpg", "surface.png"][: 1 + 2 * textured]
    assert all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)


@needs_usd
def test_the_checkers_can_find_something(tiny_head: HeadModel, tmp_path: Path) -> None:
    from pxr import Usd, UsdGeom

    stage = Usd.Stage.CreateNew(str(tmp_path / "bad.usdc"))
    UsdGeom.Mesh.Define(stage, "/mesh").CreatePointsAttr([(0, 0, 0)])
    stage.Save()
    assert complaints(tmp_path / "bad.usdc") != []


@needs_usd
def test_it_is_the_head(tiny_head: HeadModel, tmp_path: Path) -> None:
    from pxr import Usd, UsdGeom, UsdShade, UsdSkel

    head, level = make_head(tiny_head), tiny_head.level(1)
    stage = Usd.Stage.Open(str(write(tiny_head, tmp_path / "head.usdz")))
    assert UsdGeom.GetStageMetersPerUnit(stage) == 0.01
    assert UsdGeom.GetStageUpAxis(stage) == "Y"
    prim = stage.GetPrimAtPath("/head/mesh")
    mesh = UsdGeom.Mesh(prim)
    points = np.array(mesh.GetPointsAttr().Get())
    assert np.allclose(points * 10, head.neutral, atol=1e-4)
    corners = level.quads[level.quads >= 0]
    assert np.array_equal(np.array(mesh.GetFaceVertexIndicesAttr().Get()), corners)
    st = UsdGeom.PrimvarsAPI(prim).GetPrimvar("st").ComputeFlattened()
    assert np.allclose(np.array(st), level.uv[level.quad_uv[level.quads >= 0]] * [1, -1] + [0, 1])
    for kind, parts in MATERIALS.items():
        subset = UsdGeom.Subset(stage.GetPrimAtPath(f"/head/mesh/{kind}"))
        faces = np.flatnonzero(np.isin(level.part, [PARTS.index(part) for part in parts]))
        assert np.array_equal(np.array(subset.GetIndicesAttr().Get()), faces)
        bound, _ = UsdShade.MaterialBindingAPI(subset.GetPrim()).ComputeBoundMaterial()
        assert bound.GetPath() == f"/head/materials/{kind}"
        surface = UsdShade.Shader(stage.GetPrimAtPath(f"/head/materials/{kind}/surface"))
        # It has no share of what is mirrored, so a lower index stands for it.
        index = 1 + (LOOKS[kind].ior - 1) * LOOKS[kind].specular
        assert surface.GetInput("ior").Get() == pytest.approx(index)
        assert surface.GetInput("clearcoat").Get() == pytest.approx(LOOKS[kind].coat[0])
        for key, channel in (("occlusion", "r"), ("roughness", "g")):
            source, output, _ = surface.GetInput(key).GetConnectedSource()
            assert (source.GetPath(), output) == (f"/head/materials/{kind}/map", channel)
    # The blend shapes, with the photo's weights, make the photo's face.
    binding = UsdSkel.BindingAPI(prim)
    assert tuple(binding.GetBlendShapesAttr().Get()) == ARKIT_UNITS
    pose = UsdSkel.Animation(stage.GetPrimAtPath("/head/skeleton/photo"))
    value = dict(zip(pose.GetBlendShapesAttr().Get(), pose.GetBlendShapeWeightsAttr().Get(), strict=True))
    assert {unit: round(v, 4) for unit, v in value.items() if v} == SMILE
    moved = points.astype(np.float64)
    for target in binding.GetBlendShapeTargetsRel().GetTargets():
        shape = UsdSkel.BlendShape(stage.GetPrimAtPath(target))
        moved[np.array(shape.GetPointIndicesAttr().Get())] += value[shape.GetPrim().GetName()] * np.array(
            shape.GetOffsetsAttr().Get()
        )
    assert np.abs(10 * moved - head.vertices).max() < SMALLEST_MOVE * sum(SMILE.values()) + 1e-3


@needs_usd
def test_joints(tiny_head: HeadModel, tmp_path: Path) -> None:
    from pxr import Usd, UsdSkel

    stage = Usd.Stage.Open(str(write(tiny_head, tmp_path / "head.usdz", rig=True)))
    skel = UsdSkel.Skeleton(stage.GetPrimAtPath("/head/skeleton"))
    bones = skeleton(make_head(tiny_head))
    assert [str(joint).rsplit("/", 1)[-1] for joint in skel.GetJointsAttr().Get()] == list(bones.names)
    places = np.array([m.ExtractTranslation() for m in skel.GetBindTransformsAttr().Get()])
    assert np.allclose(places * 10, bones.positions)
    binding = UsdSkel.BindingAPI(stage.GetPrimAtPath("/head/mesh"))
    joints: Any = np.array(binding.GetJointIndicesPrimvar().Get()).reshape(-1, 3)
    share = np.array(binding.GetJointWeightsPrimvar().Get()).reshape(-1, 3)
    full = np.zeros((len(joints), len(bones.names)))
    np.add.at(full, (np.arange(len(joints))[:, None], joints), share)
    assert np.allclose(full, skinning_weights(Same(tiny_head), 1), atol=1e-5)


@needs_usd
def test_same_input_same_bytes_and_a_file_among_the_others(tiny_head: HeadModel, tmp_path: Path) -> None:
    assert write(tiny_head, tmp_path / "a").read_bytes() == write(tiny_head, tmp_path / "b").read_bytes()
    save(make_result(tiny_head), tmp_path, outputs={"glb", "usd"})
    names = {path.name for path in (tmp_path / "someone" / "face-1").iterdir()}
    assert names == {"head.glb", "head.usdz", "face.json"}


def test_without_the_library_the_job_says_what_to_install(
    tiny_head: HeadModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(OutputError, match="pip install"):
        usd.usdz(make_head(tiny_head), {})
    photo = tmp_path / "photo.png"
    photo.write_bytes(encode.png(np.zeros((64, 64, 3), np.uint8)))
    assert cli.execute(["run", str(photo), "-o", str(tmp_path / "out"), "--usd", "-j", "1"]) == 1
    assert "tronie[usd]" in "".join(capsys.readouterr())


@needs_usd
@pytest.mark.parametrize("rig", [False, True])
def test_hair_is_a_mesh_of_its_own_that_moves_with_the_head(tiny_head: HeadModel, tmp_path: Path, rig: bool) -> None:
    from pxr import Usd, UsdGeom, UsdShade, UsdSkel

    shell = make_shell()
    stage = Usd.Stage.Open(str(write(tiny_head, tmp_path / "head.usdz", rig, True, (shell,))))
    mesh = UsdGeom.Mesh(stage.GetPrimAtPath("/head/hair"))
    np.testing.assert_allclose(np.array(mesh.GetPointsAttr().Get()) * 10, shell.vertices, atol=1e-3)
    material = UsdShade.MaterialBindingAPI(mesh.GetPrim()).ComputeBoundMaterial()[0]
    surface = UsdShade.Shader(stage.GetPrimAtPath(f"{material.GetPath()}/surface"))
    assert surface.GetInput("opacityThreshold").Get() == 0.5
    binding = UsdSkel.BindingAPI(mesh.GetPrim())
    joints = UsdSkel.Skeleton(stage.GetPrimAtPath("/head/skeleton")).GetJointsAttr().Get()
    followed = binding.GetJointIndicesPrimvar().Get()
    assert [joints[k].split("/")[-1] for k in followed] == ["head"]
    assert list(binding.GetJointWeightsPrimvar().Get()) == [1.0]
