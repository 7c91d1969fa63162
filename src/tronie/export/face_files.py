"""Which files a face has, and what makes each of them: nothing is encoded before its turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from tronie.arrays import Image
from tronie.export.gltf import glb
from tronie.export.gltf_document import GltfAnimation
from tronie.export.obj_ply import head_in_one_file, mtl, obj, ply
from tronie.head.surface import reduced
from tronie.io import encode
from tronie.io.encode import hdr
from tronie.settings import ExportSettings
from tronie.types import Face, Photo

TEXTURE_QUALITY = 92
"""JPEG quality of the texture inside head.glb: 0.5 MB at 2048 (texture.png is exact)."""

LOD_TEXTURES = (1024, 512)
"""Most pixels of the texture's side in the first and the second level of detail."""

Data = bytes | Iterable[bytes | memoryview]
Job = tuple[str, Callable[[], Data]]
"""A file's name, and what makes it."""
SLOWEST = ("texture.png", "albedo.png", "normal.png", "head.glb", "overlay.jpg")
"""They are begun first."""


def jobs(
    photo: Photo,
    face: Face,
    small: Face,
    formats: frozenset[str],
    export: ExportSettings,
    name: str,
    course: GltfAnimation | None,
) -> Iterator[Job]:
    """The files of one face, `small` when it is thinned; what it lacks is left out. `name` is the photo's,
    `course` how the face moves in a clip."""
    yield from _meshes(face, small, formats, export, name, course)
    yield from _pictures(face, formats)
    if export.maps:
        for file, picture in _maps(photo, face):
            yield file, partial(same, picture)


def single(face: Face, small: Face) -> Data | None:
    """The face as one .obj, coloured by vertex: of Deep3D the mesh that its official programs save."""
    if face.deep3d is not None:
        from tronie.stages.deep3d import reconstruct

        return reconstruct.posed_obj(face.deep3d)
    if face.head is None:
        return None
    return head_in_one_file(face.head, None if small.texture is None else small.texture.image)


def same(data: Data) -> Data:
    """For what is made already."""
    return data


def _meshes(
    face: Face, small: Face, formats: frozenset[str], export: ExportSettings, name: str, course: GltfAnimation | None
) -> Iterator[Job]:  # fmt: skip
    texture, albedo, head = face.texture, face.albedo, face.head
    worn = texture.image if texture is not None else None
    base = albedo is not None and albedo.base
    if albedo is not None and base:
        worn = albedo.image
    title = f"{name} face {face.index}"
    if head is not None:
        if "glb" in formats:
            for lod in range(1 + len(LOD_TEXTURES) if export.lod else 1):
                file = f"head_lod{lod}.glb" if lod else "head.glb"
                yield file, partial(_glb, face, title, export, worn, course, lod)
        if export.usd:
            yield "head.usdz", partial(_usdz, face, title, export, worn)
        if "obj" in formats:
            yield "head.obj", partial(obj, head)
            yield "head.mtl", partial(mtl, None if texture is None else "albedo.png" if base else "texture.png")
        if "ply" in formats:
            sigma = None if face.fit is None else face.fit.sigma_mm
            yield "head.ply", partial(ply, head, None if small.texture is None else small.texture.image, sigma)
    if face.deep3d is not None:
        from tronie.stages.deep3d import reconstruct

        if "obj" in formats:
            yield "deep3d.obj", partial(reconstruct.obj, face.deep3d)
            yield "deep3d_posed.obj", partial(reconstruct.posed_obj, face.deep3d)
        if face.deep3d.matlab:
            yield "deep3d.mat", partial(reconstruct.mat, face.deep3d)
            yield "deep3d_pytorch.mat", partial(reconstruct.pytorch_mat, face.deep3d)


def _pictures(face: Face, formats: frozenset[str]) -> Iterator[Job]:
    texture, albedo, frontal = face.texture, face.albedo, face.portrait
    if texture is not None and ("texture" in formats or "obj" in formats):
        yield "texture.png", partial(encode.png, texture.image)
    if albedo is not None and ("albedo" in formats or ("obj" in formats and albedo.base)):
        yield "albedo.png", partial(encode.png, albedo.image)
    if albedo is not None and "albedo" in formats:
        yield "light.hdr", partial(hdr, albedo.light.environment, "light around the head, in the axes of head.glb")
    if face.detail is not None and "detail" in formats:
        yield "normal.png", partial(encode.png, face.detail.normals)
    if texture is not None and "provenance" in formats:
        yield "provenance.png", partial(encode.provenance_png, texture.provenance)
    if frontal is not None and "frontal" in formats:
        yield "frontal.png", partial(encode.png, frontal.image)
        if frontal.neutral is not None:
            yield "frontal_neutral.png", partial(encode.png, frontal.neutral)
        yield "frontal_mask.png", partial(encode.provenance_png, frontal.mask)
    if face.enhanced is not None and face.enhanced.accepted and "enhanced" in formats:
        yield "crop.png", partial(encode.png, face.enhanced.before)
        yield "enhanced.png", partial(encode.png, face.enhanced.after)


def _maps(photo: Photo, face: Face) -> Iterator[tuple[str, bytes]]:
    from tronie.export.uncertainty_maps import maps

    found = maps(photo.image, face)
    if found.sigma is not None and found.sigma_color is not None and found.uncertainty is not None:
        yield "sigma.png", encode.png16(found.sigma, "micrometres of standard deviation; 0: no surface")
        yield "sigma_color.png", encode.png(found.sigma_color)
        yield "uncertainty.jpg", encode.jpeg(found.uncertainty, 90, full_color=True)
    if found.provenance is not None:
        yield "provenance.jpg", encode.jpeg(found.provenance, 90, full_color=True)


def _glb(
    face: Face, title: str, export: ExportSettings, worn: Image | None, course: GltfAnimation | None, lod: int
) -> list[memoryview]:  # fmt: skip
    """head.glb or a level of detail of it, whose textures get smaller with them. `worn` is the texture to wear."""
    head, fit, texture = face.head, face.fit, face.texture
    assert head is not None
    picture = None
    if worn is not None:
        image = worn if lod == 0 else reduced(worn, LOD_TEXTURES[lod - 1])
        picture = encode.jpeg(image, TEXTURE_QUALITY)
    return glb(
        head, {} if fit is None else fit.expression, picture, title,
        provenance=None if texture is None else texture.provenance, sigma_mm=None if fit is None else fit.sigma_mm,
        normal_map=None if face.detail is None or lod else encode.png(face.detail.normals),
        lod=lod, rig=export.rig, morph_normals=export.morph_normals, motion=course,
    )  # fmt: skip


def _usdz(face: Face, title: str, export: ExportSettings, worn: Image | None) -> bytes:
    from tronie.export.usd import usdz

    assert face.head is not None
    picture = None if worn is None else encode.jpeg(worn, TEXTURE_QUALITY)
    expression = {} if face.fit is None else face.fit.expression
    return usdz(face.head, expression, picture, title, export.rig)
