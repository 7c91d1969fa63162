"""USD: head.usdz with quads, texture, UsdPreviewSurface materials and UsdSkel blend shapes under ARKit's names.

Through Pixar's own library (the wheel usd-core, extra `usd`), imported only when a file is written.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.errors import OutputError
from tronie.export.gltf import PHOTO, SMALLEST_MOVE
from tronie.export.shells import LARGEST, shell_png
from tronie.head.materials import LOOKS, Look, look_of_shell
from tronie.head.model import PARTS, Head
from tronie.head.skeleton import HEAD, NECK, Skeleton, skeleton, skinning_weights
from tronie.head.surface import MATERIALS, Same, quad_vertex_normals
from tronie.runtime.atomic_files import scratch
from tronie.shells import Shell
from tronie.version import __version__

SURFACE = "surface.png"
"""The picture of occlusion and roughness."""
CENTIMETRES = 0.1
"""From millimetres: what most USD files, and AR viewers, are in."""

SOME_DAY = 1_577_880_000
"""The date of the files in the package, 2020-01-01 at noon: same input, same bytes out."""

MISSING = "head.usdz needs the library usd-core, which is not installed: pip install 'tronie[usd]'."


def check() -> None:
    """Raise OutputError where usd-core is not installed."""
    if importlib.util.find_spec("pxr") is None:
        raise OutputError(MISSING)


def usdz(
    head: Head,
    expression: Mapping[str, float],
    texture: bytes | None = None,
    name: str = "head",
    rig: bool = False,
    shells: Sequence[Shell] = (),
    surface: bytes | None = None,
) -> bytes:
    """The file. The mesh is `head.neutral`, `expression` the weights of its blend shapes; `texture` an encoded JPEG or
    PNG; `surface` a PNG of its occlusion and roughness (`surface_map`); `rig` adds the joints of
    `tronie.head.skeleton`, else there is one. Each shell is a mesh that moves with the head.

    Raises OutputError where usd-core is not installed.
    """
    check()
    from pxr import Sdf, Usd, UsdGeom, UsdSkel, Vt

    with scratch() as folder:
        picture = None
        if texture is not None:
            picture = "texture.png" if texture[:4] == b"\x89PNG" else "texture.jpg"
            (folder / picture).write_bytes(texture)
        pictures = [] if picture is None else [picture]
        if picture is not None and surface is not None:
            pictures.append(SURFACE)
            (folder / SURFACE).write_bytes(surface)
        stage = Usd.Stage.CreateNew(str(folder / "head.usdc"))
        UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
        UsdGeom.SetStageMetersPerUnit(stage, 0.01)
        model = head.model
        stage.GetRootLayer().customLayerData = {
            "creator": f"tronie {__version__}",
            "copyright": f"Head model {model.name}: {model.licence}. Likeness and texture: those of the photo.",
        }
        root = UsdSkel.Root.Define(stage, "/head")
        stage.SetDefaultPrim(root.GetPrim())
        Usd.ModelAPI(root.GetPrim()).SetKind("component")
        root.GetPrim().SetDisplayName(name.encode(errors="replace").decode())
        mesh = _mesh(stage, head)
        _materials(stage, mesh, head, pictures)
        units = _blend_shapes(stage, mesh, head)
        values = [float(expression.get(unit, 1.0 if unit == PHOTO else 0.0)) for unit in units]
        bones = skeleton(head) if rig else Skeleton(("head",), (-1,), np.zeros((1, 3)))
        _skeleton(stage, mesh, bones, skinning_weights(Same(model), head.level) if rig else None, units, values)
        for shell in shells:
            pictures.append(f"{shell.name}.png")
            (folder / pictures[-1]).write_bytes(shell_png(shell, LARGEST))
            joint = NECK if shell.below and NECK in bones.names else HEAD
            _shell(stage, shell, bones.names.index(joint))
        extent = np.array([head.neutral.min(axis=0), head.neutral.max(axis=0)]) * CENTIMETRES
        mesh.CreateExtentAttr(Vt.Vec3fArray.FromNumpy(extent.astype(np.float32)))
        places = np.concatenate([head.neutral, *(shell.vertices for shell in shells)])
        extent = np.array([places.min(axis=0), places.max(axis=0)]) * CENTIMETRES
        UsdGeom.ModelAPI.Apply(root.GetPrim()).SetExtentsHint(Vt.Vec3fArray.FromNumpy(extent.astype(np.float32)))
        stage.Save()
        file = folder / "head.usdz"
        package = Sdf.ZipFileWriter.CreateNew(str(file))
        for part in ("head.usdc", *pictures):  # the scene comes first
            os.utime(folder / part, (SOME_DAY, SOME_DAY))
            package.AddFile(str(folder / part), part)
        if not package.Save():
            raise OutputError("usd-core could not pack head.usdz.")
        return file.read_bytes()


def _floats(rows: Array) -> Any:
    from pxr import Vt

    return Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(rows, dtype=np.float32))


def _ints(values: NDArray[Any]) -> Any:
    from pxr import Vt

    return Vt.IntArray.FromNumpy(np.ascontiguousarray(values, dtype=np.int32))


def _mesh(stage: Any, head: Head) -> Any:
    """The quads, not split at the seams: texture coordinates belong to the faces' corners."""
    from pxr import Sdf, UsdGeom, Vt

    level = head.model.level(head.level)
    mesh = UsdGeom.Mesh.Define(stage, "/head/mesh")
    corners = level.quads >= 0
    mesh.CreateFaceVertexCountsAttr(_ints(corners.sum(axis=1)))
    mesh.CreateFaceVertexIndicesAttr(_ints(level.quads[corners]))
    mesh.CreatePointsAttr(_floats(head.neutral * CENTIMETRES))
    mesh.CreateNormalsAttr(_floats(quad_vertex_normals(head.neutral, level.quads)))
    mesh.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    mesh.CreateDoubleSidedAttr(True)  # of one mesh for all parts; the mouth's lining is seen from behind
    st = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar("st", Sdf.ValueTypeNames.TexCoord2fArray, UsdGeom.Tokens.faceVarying)
    uv = np.stack([level.uv[:, 0], 1 - level.uv[:, 1]], axis=1).astype(np.float32)
    st.Set(Vt.Vec2fArray.FromNumpy(uv))
    st.SetIndices(_ints(level.quad_uv[corners]))
    return mesh


def _materials(stage: Any, mesh: Any, head: Head, pictures: Sequence[str]) -> None:
    """A material for each kind of part, bound to that part's faces; `pictures`: the texture, SURFACE, or not."""
    from pxr import UsdGeom, UsdShade

    part = head.model.level(head.level).part
    UsdGeom.Scope.Define(stage, "/head/materials")
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim())
    for kind, parts in MATERIALS.items():
        faces = np.flatnonzero(np.isin(part, [PARTS.index(p) for p in parts]))
        if not len(faces):
            continue
        material = _surface(stage, kind, LOOKS[kind], pictures)
        subset = UsdShade.MaterialBindingAPI(mesh).CreateMaterialBindSubset(kind, _ints(faces))
        UsdShade.MaterialBindingAPI.Apply(subset.GetPrim()).Bind(material)
    UsdShade.MaterialBindingAPI(mesh).SetMaterialBindSubsetsFamilyType(UsdGeom.Tokens.partition)


def _surface(stage: Any, name: str, look: Look, pictures: Sequence[str], clear: bool = False) -> Any:
    """The material of that name; `clear`: where the picture's alpha is below a half nothing is there."""
    from pxr import Gf, Sdf, UsdShade

    path = f"/head/materials/{name}"
    kinds = Sdf.ValueTypeNames
    material = UsdShade.Material.Define(stage, path)
    shader = UsdShade.Shader.Define(stage, f"{path}/surface")
    shader.CreateIdAttr("UsdPreviewSurface")
    for key, value in (
        ("roughness", look.roughness),
        ("metallic", 0.0),
        ("ior", 1 + (look.ior - 1) * look.specular),  # it knows no other way to mirror less
        ("clearcoat", look.coat[0]),
        ("clearcoatRoughness", look.coat[1]),
    ):
        shader.CreateInput(key, kinds.Float).Set(value)
    color = shader.CreateInput("diffuseColor", kinds.Color3f)
    if not pictures:
        color.Set(Gf.Vec3f(*look.color))
    else:
        reader = UsdShade.Shader.Define(stage, f"{path}/st")
        reader.CreateIdAttr("UsdPrimvarReader_float2")
        reader.CreateInput("varname", kinds.String).Set("st")
        place = reader.CreateOutput("result", kinds.Float2)
        texture = _picture(stage, f"{path}/texture", pictures[0], place, "sRGB")
        color.ConnectToSource(texture.CreateOutput("rgb", kinds.Float3))
        if clear:
            opacity = shader.CreateInput("opacity", kinds.Float)
            opacity.ConnectToSource(texture.CreateOutput("a", kinds.Float))
            shader.CreateInput("opacityThreshold", kinds.Float).Set(0.5)
        if SURFACE in pictures:
            texture = _picture(stage, f"{path}/map", SURFACE, place, "raw")
            for key, channel in (("occlusion", "r"), ("roughness", "g")):
                shader.CreateInput(key, kinds.Float).ConnectToSource(texture.CreateOutput(channel, kinds.Float))
    material.CreateSurfaceOutput().ConnectToSource(shader.CreateOutput("surface", kinds.Token))
    return material


def _picture(stage: Any, path: str, file: str, place: Any, space: str) -> Any:
    """What reads a picture of the package in a colour space at `place`."""
    from pxr import Sdf, UsdShade

    texture = UsdShade.Shader.Define(stage, path)
    texture.CreateIdAttr("UsdUVTexture")
    texture.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(Sdf.AssetPath(f"./{file}"))
    texture.CreateInput("sourceColorSpace", Sdf.ValueTypeNames.Token).Set(space)
    for axis in ("wrapS", "wrapT"):
        texture.CreateInput(axis, Sdf.ValueTypeNames.Token).Set("clamp")
    texture.CreateInput("st", Sdf.ValueTypeNames.Float2).ConnectToSource(place)
    return texture


def _shell(stage: Any, shell: Shell, joint: int) -> None:
    """A mesh that is rigid with a joint, but for what its own blend shapes move."""
    from pxr import Gf, Sdf, UsdGeom, UsdShade, UsdSkel, Vt

    mesh = UsdGeom.Mesh.Define(stage, f"/head/{shell.name}")
    mesh.CreateFaceVertexCountsAttr(_ints(np.full(len(shell.triangles), 3)))
    mesh.CreateFaceVertexIndicesAttr(_ints(shell.triangles.ravel()))
    mesh.CreatePointsAttr(_floats(shell.vertices * CENTIMETRES))
    mesh.CreateNormalsAttr(_floats(shell.normals))
    mesh.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    mesh.CreateDoubleSidedAttr(True)
    extent = np.array([shell.vertices.min(axis=0), shell.vertices.max(axis=0)]) * CENTIMETRES
    mesh.CreateExtentAttr(_floats(extent))
    st = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar("st", Sdf.ValueTypeNames.TexCoord2fArray, UsdGeom.Tokens.vertex)
    st.Set(Vt.Vec2fArray.FromNumpy(np.ascontiguousarray(shell.uv * [1, -1] + [0, 1], dtype=np.float32)))
    look = replace(look_of_shell(shell.name), roughness=float(shell.roughness))
    material = _surface(stage, shell.name, look, (f"{shell.name}.png",), clear=True)
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material)
    binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
    binding.CreateSkeletonRel().SetTargets(["/head/skeleton"])
    binding.CreateGeomBindTransformAttr(Gf.Matrix4d(1.0))
    binding.CreateJointIndicesPrimvar(True, 1).Set(Vt.IntArray([joint]))
    binding.CreateJointWeightsPrimvar(True, 1).Set(Vt.FloatArray([1.0]))
    targets = []
    for unit, move in shell.moves.items():
        rows = np.flatnonzero((move**2).sum(axis=1) >= SMALLEST_MOVE**2)
        shape = UsdSkel.BlendShape.Define(stage, mesh.GetPath().AppendChild(unit))
        shape.CreateOffsetsAttr(_floats(move[rows] * CENTIMETRES))
        shape.CreatePointIndicesAttr(_ints(rows))
        targets.append(shape.GetPath())
    if targets:
        binding.CreateBlendShapesAttr(Vt.TokenArray(list(shell.moves)))
        binding.CreateBlendShapeTargetsRel().SetTargets(targets)


def _blend_shapes(stage: Any, mesh: Any, head: Head) -> tuple[str, ...]:
    """One for each unit, of the vertices that it moves; their names."""
    from pxr import UsdSkel, Vt

    model = head.model
    units = model.expression_names or (PHOTO,)
    level = model.level(head.level)
    moves = level.apply(model.expression) if model.expression_names else (head.vertices - head.neutral)[None]
    normals = quad_vertex_normals(head.neutral, level.quads)
    targets = []
    for unit, move in zip(units, moves, strict=True):
        turn = quad_vertex_normals(head.neutral + move, level.quads) - normals
        rows = np.flatnonzero((move**2).sum(axis=1) >= SMALLEST_MOVE**2)
        rows = rows if len(rows) else np.zeros(1, np.int64)
        shape = UsdSkel.BlendShape.Define(stage, mesh.GetPath().AppendChild(unit))
        shape.CreateOffsetsAttr(_floats(move[rows] * CENTIMETRES))
        shape.CreateNormalOffsetsAttr(_floats(turn[rows]))
        shape.CreatePointIndicesAttr(_ints(rows))
        targets.append(shape.GetPath())
    binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
    binding.CreateBlendShapesAttr(Vt.TokenArray(list(units)))
    binding.CreateBlendShapeTargetsRel().SetTargets(targets)
    return tuple(units)


def _skeleton(
    stage: Any, mesh: Any, bones: Skeleton, follow: Array | None, units: tuple[str, ...], values: list[float]
) -> None:
    """The joints, and the photo's expression as an animation of one moment."""
    from pxr import Gf, UsdSkel, Vt

    paths: list[str] = []
    for name, parent in zip(bones.names, bones.parents, strict=True):
        paths.append(name if parent < 0 else f"{paths[parent]}/{name}")
    at = bones.positions * CENTIMETRES
    offset = np.array([p - (at[k] if k >= 0 else 0) for p, k in zip(at, bones.parents, strict=True)])
    skel = UsdSkel.Skeleton.Define(stage, "/head/skeleton")
    skel.CreateJointsAttr(Vt.TokenArray(paths))
    for create, places in ((skel.CreateBindTransformsAttr, at), (skel.CreateRestTransformsAttr, offset)):
        create(Vt.Matrix4dArray([Gf.Matrix4d(1.0).SetTranslate(Gf.Vec3d(*p.tolist())) for p in places]))
    pose = UsdSkel.Animation.Define(stage, "/head/skeleton/photo")
    pose.CreateJointsAttr(Vt.TokenArray(paths))
    pose.CreateTranslationsAttr(_floats(offset))
    pose.CreateRotationsAttr(Vt.QuatfArray([Gf.Quatf(1.0)] * len(paths)))
    pose.CreateScalesAttr(Vt.Vec3hArray([Gf.Vec3h(1.0, 1.0, 1.0)] * len(paths)))
    pose.CreateBlendShapesAttr(Vt.TokenArray(list(units)))
    pose.CreateBlendShapeWeightsAttr(Vt.FloatArray(values))
    UsdSkel.BindingAPI.Apply(skel.GetPrim()).CreateAnimationSourceRel().SetTargets([pose.GetPath()])
    binding = UsdSkel.BindingAPI(mesh.GetPrim())
    binding.CreateSkeletonRel().SetTargets([skel.GetPath()])
    binding.CreateGeomBindTransformAttr(Gf.Matrix4d(1.0))
    if follow is None:
        binding.CreateJointIndicesPrimvar(True, 1).Set(Vt.IntArray([0]))
        binding.CreateJointWeightsPrimvar(True, 1).Set(Vt.FloatArray([1.0]))
        return
    width = min(3, follow.shape[1])  # neck, head and jaw at most, or one eye
    joints = np.argsort(-follow, axis=1, kind="stable")[:, :width]
    share = np.take_along_axis(follow, joints, axis=1)
    share = share / share.sum(axis=1, keepdims=True)
    binding.CreateJointIndicesPrimvar(False, width).Set(_ints(np.where(share > 0, joints, 0).ravel()))
    binding.CreateJointWeightsPrimvar(False, width).Set(Vt.FloatArray.FromNumpy(share.astype(np.float32).ravel()))
