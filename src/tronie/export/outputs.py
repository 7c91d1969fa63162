"""What makes each output's files, of faces and of photos: nothing is encoded before its turn."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Literal, TypeVar

import numpy as np

from tronie.arrays import Image
from tronie.export.contact_sheet import Drawn, sheets
from tronie.export.gltf import glb
from tronie.export.gltf_document import GltfAnimation
from tronie.export.obj_ply import head_in_one_file, mtl, obj, ply
from tronie.export.shells import shell_png
from tronie.export.thinning import thinned
from tronie.head.surface import reduced
from tronie.io import encode
from tronie.io.encode import hdr
from tronie.outputs import OUTPUTS, Output
from tronie.render.figure import without_light
from tronie.render.overlay import overlay
from tronie.settings import ExportSettings
from tronie.shells import Shell
from tronie.stages.texture.surface_map import SIDE, is_known, surface_map
from tronie.types import Face, Photo, Result

TEXTURE_QUALITY = 92
"""JPEG quality of the texture inside head.glb: 0.5 MB at 2048 (texture.png is exact)."""

LOD_TEXTURES = (1024, 512)
"""Most pixels of the texture's side in the first and the second level of detail."""

T = TypeVar("T")
Data = bytes | Iterable[bytes | memoryview]
File = tuple[str, Callable[[], Data]]
"""A file's name, and what makes its content."""
SLOWEST = ("texture.png", "albedo.png", "normal.png", "head.html", "head.glb", "overlay.jpg")
"""They are begun first."""
Settled = Literal["texture", "head"]
SETTLED: dict[Settled, frozenset[str]] = {
    "texture": frozenset(("texture", "provenance")),
    "head": frozenset(("glb", "lod", "usd", "obj", "ply", "albedo", "detail", "overlay")),
}
"""What of a face is as it will be -> outputs that hang on nothing else."""


@dataclass(frozen=True, eq=False)
class FaceToWrite:
    """A face, and what makers of its files go by. What several files need is worked out once."""

    photo: Photo
    face: Face
    name: str
    """Of the photo."""
    wanted: frozenset[str]
    """Names of outputs."""
    export: ExportSettings
    course: GltfAnimation | None = None
    """How the face moves, in a clip."""
    drawn: Drawn = field(default_factory=Drawn)
    """What was drawn for overlay.jpg: the sheet shows it too."""

    @property
    def title(self) -> str:
        return f"{self.name} face {self.face.index}"

    @cached_property
    def small(self) -> Face:
        """The same, thinned."""
        return thinned(self.face)

    @property
    def wears_albedo(self) -> bool:
        return self.face.albedo is not None and self.face.albedo.base

    @property
    def worn(self) -> Image | None:
        """The texture that the head wears."""
        if self.face.albedo is not None and self.wears_albedo:
            return self.face.albedo.image
        return None if self.face.texture is None else self.face.texture.image

    @cached_property
    def surface(self) -> Image | None:
        """Occlusion and roughness; None of a head without a texture, or where nothing is known of them."""
        head, worn = self.face.head, self.worn
        if head is None or worn is None:
            return None
        return surface_map(head.model, head.level, worn, bare=self.wears_albedo)

    @cached_property
    def shells(self) -> tuple[Shell, ...]:
        """What lies over the head, in the light that the head wears."""
        face = self.face
        if face.shells and self.wears_albedo and face.albedo is not None and face.texture is not None:
            return without_light(face.shells, face.texture.image, face.albedo.image)
        return face.shells

    @cached_property
    def posed_shells(self) -> tuple[Shell, ...]:
        """`shells` in the photo's expression."""
        return replace(self.face, shells=self.shells).posed_shells


def face_files(one: FaceToWrite) -> Iterator[File]:
    """The files of one face, in the order of OUTPUTS; what the face lacks is left out."""
    brought = {other for name in one.wanted for other in OUTPUTS[name].brings}
    for name in OUTPUTS:
        if (name in one.wanted or name in brought) and name in FACE_OUTPUTS:
            yield from FACE_OUTPUTS[name](one)


def photo_files(result: Result, wanted: Collection[str], drawn: Drawn) -> Iterator[File]:
    """The files of a photo beside those of its faces."""
    for name in OUTPUTS:
        if name in wanted and name in PHOTO_OUTPUTS:
            yield from PHOTO_OUTPUTS[name](result, drawn)


def flat(face: Face, small: Face) -> Data | None:
    """The face as one .obj, coloured by vertex: of an engine's own mesh, where it has one."""
    if face.engine_result is not None:
        from tronie.export.deep3d_files import posed_mesh

        if (own := posed_mesh(face)) is not None:
            return own
    if face.head is None:
        return None
    return head_in_one_file(face.head, None if small.texture is None else small.texture.image, face.posed_shells)


def same(data: T) -> T:
    """For what is made already."""
    return data


def register(output: Output, make: Callable[[FaceToWrite], Iterable[File]]) -> None:
    """Add an output of faces: from now on settings and the command line know it too. Raises ValueError for a name that
    is taken."""
    if output.name in OUTPUTS:
        raise ValueError(f"there is an output {output.name} already")
    OUTPUTS[output.name] = output
    FACE_OUTPUTS[output.name] = make


def check(wanted: Collection[str]) -> None:
    """Raises OutputError with what to install where an output wants an extra that is not there."""
    if "usd" in wanted:
        from tronie.export.usd import check

        check()


def _glb(one: FaceToWrite, lod: int = 0) -> Iterator[File]:
    if one.face.head is not None:
        yield f"head_lod{lod}.glb" if lod else "head.glb", partial(_glb_of, one, lod)


def _glb_of(one: FaceToWrite, lod: int) -> list[memoryview]:
    """head.glb or a level of detail of it, whose textures get smaller with them."""
    face, fit, texture = one.face, one.face.fit, one.face.texture
    assert face.head is not None
    picture = None
    if (worn := one.worn) is not None:
        picture = encode.jpeg(worn if lod == 0 else reduced(worn, LOD_TEXTURES[lod - 1]), TEXTURE_QUALITY)
    return glb(
        face.head,
        {} if fit is None else fit.expression,
        picture,
        one.title,
        provenance=None if texture is None else texture.provenance,
        sigma_mm=None if fit is None else fit.sigma_mm,
        normal_map=None if face.detail is None or lod else encode.png(face.detail.normals),
        surface=_surface(one, lod),
        lod=lod,
        rig=one.export.rig,
        morph_normals=one.export.morph_normals,
        motion=one.course,
        shells=one.shells,
    )


def _surface(one: FaceToWrite, lod: int = 0) -> bytes | None:
    return None if one.surface is None else encode.png(reduced(one.surface, SIDE >> lod))


def _roughness(one: FaceToWrite) -> bytes:
    assert one.surface is not None
    return encode.png(np.ascontiguousarray(one.surface[..., 1]))


def _lod(one: FaceToWrite) -> Iterator[File]:
    for lod in range(1, 1 + len(LOD_TEXTURES)):
        yield from _glb(one, lod)


def _usd(one: FaceToWrite) -> Iterator[File]:
    if one.face.head is not None:
        yield "head.usdz", partial(_usdz, one)


def _usdz(one: FaceToWrite) -> bytes:
    from tronie.export.usd import usdz

    assert one.face.head is not None
    picture = None if one.worn is None else encode.jpeg(one.worn, TEXTURE_QUALITY)
    expression = {} if one.face.fit is None else one.face.fit.expression
    return usdz(one.face.head, expression, picture, one.title, one.export.rig, one.shells, _surface(one))


def _html(one: FaceToWrite) -> Iterator[File]:
    if one.face.head is not None:
        yield "head.html", partial(_page, one)


def _page(one: FaceToWrite) -> bytes:
    from tronie.export.html import PageFace, head_page, small_portrait

    texture, portrait = one.face.texture, one.face.portrait
    face = PageFace(
        one.title,
        b"".join(_glb_of(one, 0)),
        None if texture is None else encode.provenance_png(texture.provenance),
        None if portrait is None else small_portrait(portrait.image),
    )
    return head_page([face], one.title)


def _obj(one: FaceToWrite) -> Iterator[File]:
    if one.face.head is not None:
        worn = None if one.face.texture is None else "albedo.png" if one.wears_albedo else "texture.png"
        yield "head.obj", partial(obj, one.face.head, shells=one.posed_shells)
        rough = worn is not None and is_known(one.face.head.model, one.face.head.level)
        yield "head.mtl", partial(mtl, worn, one.shells, "roughness.png" if rough else None)
        if rough:
            yield "roughness.png", partial(_roughness, one)
        for shell in one.shells:
            yield f"{shell.name}.png", partial(shell_png, shell)


def _ply(one: FaceToWrite) -> Iterator[File]:
    if one.face.head is not None:
        texture, fit = one.small.texture, one.face.fit
        colors, sigma = None if texture is None else texture.image, None if fit is None else fit.sigma_mm
        yield "head.ply", partial(ply, one.face.head, colors, sigma, one.face.posed_shells)


def _deep3d(one: FaceToWrite) -> Iterator[File]:
    if one.face.engine_result is not None:
        from tronie.export.deep3d_files import meshes

        yield from meshes(one.face)


def _mat(one: FaceToWrite) -> Iterator[File]:
    if one.face.engine_result is not None:
        from tronie.export.deep3d_files import matlab_files

        yield from matlab_files(one.face)


def _texture(one: FaceToWrite) -> Iterator[File]:
    if one.face.texture is not None:
        yield "texture.png", partial(encode.png, one.face.texture.image)


def _albedo(one: FaceToWrite) -> Iterator[File]:
    albedo, asked = one.face.albedo, "albedo" in one.wanted
    if albedo is not None and (asked or albedo.base):
        yield "albedo.png", partial(encode.png, albedo.image)
    if albedo is not None and asked:
        yield "light.hdr", partial(hdr, albedo.light.environment, "light around the head, in the axes of head.glb")


def _detail(one: FaceToWrite) -> Iterator[File]:
    if one.face.detail is not None:
        yield "normal.png", partial(encode.png, one.face.detail.normals)


def _provenance(one: FaceToWrite) -> Iterator[File]:
    if one.face.texture is not None:
        yield "provenance.png", partial(encode.provenance_png, one.face.texture.provenance)


def _portrait(one: FaceToWrite) -> Iterator[File]:
    portrait = one.face.portrait
    if portrait is not None:
        yield "frontal.png", partial(encode.png, portrait.image if portrait.cut_out is None else portrait.cut_out)
        if portrait.neutral is not None:
            rest = portrait.neutral if portrait.neutral_cut_out is None else portrait.neutral_cut_out
            yield "frontal_neutral.png", partial(encode.png, rest)
        yield "frontal_mask.png", partial(encode.provenance_png, portrait.mask)


def _enhanced(one: FaceToWrite) -> Iterator[File]:
    if one.face.enhanced is not None and one.face.enhanced.accepted:
        yield "crop.png", partial(encode.png, one.face.enhanced.before)
        yield "enhanced.png", partial(encode.png, one.face.enhanced.after)
        if one.face.enhanced.faithful is not None:
            yield "enhanced_faithful.png", partial(encode.png, one.face.enhanced.faithful)
        if one.face.enhanced.doubt is not None:
            from tronie.export.uncertainty_maps import doubt_png

            yield "enhanced_doubt.png", partial(doubt_png, one.face.enhanced.doubt)


def _maps(one: FaceToWrite) -> Iterator[File]:
    from tronie.export.uncertainty_maps import maps

    found = maps(one.photo.image, one.face)
    if found.sigma is not None and found.sigma_color is not None and found.uncertainty is not None:
        data = encode.png16(found.sigma, "micrometres of standard deviation; 0: no surface")
        yield "sigma.png", partial(same, data)
        yield "sigma_color.png", partial(same, encode.png(found.sigma_color))
        yield "uncertainty.jpg", partial(same, encode.jpeg(found.uncertainty, 90, full_color=True))
    if found.provenance is not None:
        yield "provenance.jpg", partial(same, encode.jpeg(found.provenance, 90, full_color=True))


def _overlay(one: FaceToWrite) -> Iterator[File]:
    def drawn() -> bytes:
        one.drawn.overlays[one.face.index] = picture = overlay(one.photo.image, one.face)
        return encode.jpeg(picture, 90, full_color=True)

    yield "overlay.jpg", drawn


def _sheet(result: Result, drawn: Drawn) -> Iterator[File]:
    for number, page in enumerate(sheets(result, drawn), start=1):
        yield "sheet.jpg" if number == 1 else f"sheet-{number}.jpg", partial(encode.jpeg, page, 90)


def _enhanced_photo(result: Result, drawn: Drawn) -> Iterator[File]:
    if result.enhanced_photo is not None:
        yield "enhanced_photo.png", partial(encode.png, result.enhanced_photo)


FACE_OUTPUTS: dict[str, Callable[[FaceToWrite], Iterable[File]]] = {
    "glb": _glb,
    "lod": _lod,
    "usd": _usd,
    "html": _html,
    "obj": _obj,
    "ply": _ply,
    "deep3d": _deep3d,
    "mat": _mat,
    "texture": _texture,
    "albedo": _albedo,
    "detail": _detail,
    "provenance": _provenance,
    "portrait": _portrait,
    "enhanced": _enhanced,
    "maps": _maps,
    "overlay": _overlay,
}
"""Output -> what makes its files in the face's folder."""
PHOTO_OUTPUTS: dict[str, Callable[[Result, Drawn], Iterable[File]]] = {
    "sheet": _sheet,
    "enhanced_photo": _enhanced_photo,
}
"""Output -> what makes its files in the photo's folder. `flat` lies beside that: see `tronie.export.writer`."""
