"""A photo's result as files: FOLDER/<photo>/face-1/head.glb and so on, whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tronie.errors import OutputError
from tronie.geometry import Similarity
from tronie.io import encode
from tronie.io.atomic import explain, new_folder
from tronie.io.gltf import glb
from tronie.io.gltf_motion import Course
from tronie.io.meshes import mtl, obj, ply
from tronie.io.names import safe_name
from tronie.io.radiance import hdr
from tronie.io.records import face_record, to_json
from tronie.io.surface import reduced
from tronie.overlay import overlay
from tronie.settings import ExportSettings
from tronie.types import Face, Image, Photo, Result, Texture

FORMATS: tuple[str, ...] = (
    "glb",
    "obj",
    "ply",
    "texture",
    "provenance",
    "albedo",
    "detail",
    "frontal",
    "enhanced",
    "overlay",
    "sheet",
)
"""What can be asked for. face.json is always written; `obj` brings texture.png with it."""

TEXTURE_QUALITY = 92
"""JPEG quality of the texture inside head.glb: 0.5 MB at 2048 (texture.png is exact)."""

LOD_TEXTURES = (1024, 512)
"""Most pixels of the texture's side in the first and the second level of detail."""


def save_result(
    result: Result,
    folder: Path,
    *,
    overwrite: bool = False,
    formats: Collection[str] | None = None,
    name: str | None = None,
    export: ExportSettings | None = None,
) -> Path:
    """Write a photo's outputs to `folder / name` and return that path; `name` defaults to the photo's own.

    The photo's folder appears when all of it is written. If it is there already, it is replaced with `overwrite`,
    else OutputError is raised before anything is done. A photo without faces gets a folder with its sheet.
    `formats` defaults to all of FORMATS; faces without textures get no sheet then, which would take three times
    as long as all of their meshes. `export` says what is wanted beside that: joints, levels of detail, USD, maps.
    Raises OutputError with one sentence when something cannot be written, ValueError for an unknown format.
    """
    unknown = set(formats or ()) - set(FORMATS)
    if unknown:
        raise ValueError(f"unknown formats {sorted(unknown)}; there are {', '.join(FORMATS)}")
    name = safe_name(result.photo.name if name is None else name)
    with photo_folder(Path(folder), name, overwrite=overwrite, formats=formats, export=export) as writer:
        writer.finish(result)
    return Path(folder) / name


@dataclass(frozen=True, slots=True)
class Moving:
    """What a clip adds to a face's files."""

    course: Course | None = None
    """For head.glb."""
    files: Mapping[str, Iterable[bytes]] = field(default_factory=dict)
    """Name -> what is to be written."""
    written: tuple[str, ...] = ()
    """Names of files that lie in the face's folder already."""


@contextmanager
def photo_folder(
    folder: Path,
    name: str,
    *,
    overwrite: bool = False,
    formats: Collection[str] | None = None,
    export: ExportSettings | None = None,
) -> Iterator[Writer]:
    """`save_result` in steps, for photos whose faces would fill the memory: `add` each face, then `finish`."""
    with new_folder(folder / name, overwrite=overwrite) as work:
        yield Writer(work, name, None if formats is None else frozenset(formats), export or ExportSettings())


@dataclass(slots=True)
class Writer:
    """The outputs of one photo in the making."""

    work: Path
    name: str
    formats: frozenset[str] | None
    export: ExportSettings = field(default_factory=ExportSettings)
    overlays: dict[int, Image] = field(default_factory=dict)
    """By face index."""
    seconds: float = 0.0
    """Spent here so far."""

    def add(self, photo: Photo, face: Face, moving: Moving | None = None) -> Face:
        """Write a face's files and give back as much of it as the sheet needs. `moving`: what a clip adds."""
        began = time.perf_counter()
        small = self._add(photo, face, moving)
        self.seconds += time.perf_counter() - began
        return small

    def _add(self, photo: Photo, face: Face, moving: Moving | None = None) -> Face:
        small = thinned(face)
        formats = frozenset(FORMATS) if self.formats is None else self.formats
        if formats & {"overlay", "sheet"}:
            self.overlays[face.index] = overlay(photo.image, face)
        place = self.work / f"face-{face.index}"
        place.mkdir(exist_ok=moving is not None)
        _save_face(photo, face, small, place, formats, self.overlays.get(face.index), self, moving or Moving())
        return small

    def finish(self, result: Result) -> None:
        """Write the faces that were not added before, and the sheet."""
        began = time.perf_counter()
        added = {face.index for face in result.faces if (self.work / f"face-{face.index}").exists()}
        faces = (face if face.index in added else self._add(result.photo, face) for face in result.faces)
        result = replace(result, faces=tuple(faces))
        bare = bool(result.faces) and all(face.texture is None and face.deep3d is None for face in result.faces)
        if "sheet" in self.formats if self.formats is not None else not bare:
            from tronie.sheet import sheets

            for number, page in enumerate(sheets(result, self.overlays), start=1):
                _write(self.work / ("sheet.jpg" if number == 1 else f"sheet-{number}.jpg"), encode.jpeg(page, 90))
        if result.enhanced_photo is not None and (self.formats is None or "enhanced" in self.formats):
            _write(self.work / "enhanced_photo.png", encode.png(result.enhanced_photo))
        self.seconds += time.perf_counter() - began


def thinned(face: Face) -> Face:
    """The face with its pictures at no more than 512 pixels (what lies beside them only picked): 2 MB, not 26."""
    texture, frontal = face.texture, face.frontal
    if texture is not None:
        step = max(1, len(texture.provenance) // 512)
        texture = Texture(reduced(texture.image, 512), texture.provenance[::step, ::step].copy())
    if frontal is not None:
        step = max(1, len(frontal.mask) // 512)
        others = (
            None if picture is None else picture[::step, ::step].copy()
            for picture in (frontal.neutral, frontal.mask, frontal.neutral_mask)
        )  # fmt: skip
        neutral, mask, neutral_mask = others
        assert mask is not None
        frontal = replace(
            frontal, image=reduced(frontal.image, 512), neutral=neutral, mask=mask, neutral_mask=neutral_mask
        )  # fmt: skip
    albedo, detail = face.albedo, face.detail
    if detail is not None:
        detail = replace(detail, normals=reduced(detail.normals, 512))
    if albedo is not None:
        albedo = replace(albedo, image=reduced(albedo.image, 512))
    enhanced = face.enhanced
    if enhanced is not None:
        before, after = (reduced(picture, 256) for picture in (enhanced.before, enhanced.after))
        to_photo = Similarity(len(enhanced.before) / len(before), 0, 0, 0).then(enhanced.to_photo)
        enhanced = replace(enhanced, before=before, after=after, to_photo=to_photo)
    return replace(face, texture=texture, albedo=albedo, detail=detail, frontal=frontal, enhanced=enhanced)


def save_face(photo: Photo, face: Face, place: Path, name: str, export: ExportSettings) -> list[str]:
    """All files of one face into a folder that is there; the names of those written. Raises OutputError."""
    writer = Writer(place, name, None, export)
    drawn = overlay(photo.image, face)
    return _save_face(photo, face, thinned(face), place, frozenset(FORMATS), drawn, writer, Moving())


def _save_face(
    photo: Photo, face: Face, small: Face, place: Path, formats: frozenset[str], drawn: Image | None, writer: Writer,
    moving: Moving,
) -> list[str]:  # fmt: skip
    """The files of one face, `small` when it is thinned; what the face lacks is left out. Their names."""
    written: list[str] = []

    def put(file: str, data: bytes | Iterable[bytes | memoryview]) -> None:
        _write(place / file, data)
        written.append(file)

    texture, albedo, frontal = face.texture, face.albedo, face.frontal
    worn = texture.image if texture is not None else None
    if albedo is not None and albedo.base:
        worn = albedo.image
    if face.head is not None:
        if "glb" in formats:
            for file, data in _glbs(face, f"{writer.name} face {face.index}", writer.export, worn, moving.course):
                put(file, data)
        if writer.export.usd:
            from tronie.io.usd import usdz

            picture = None if worn is None else encode.jpeg(worn, TEXTURE_QUALITY)
            title = f"{writer.name} face {face.index}"
            expression = {} if face.fit is None else face.fit.expression
            put("head.usdz", usdz(face.head, expression, picture, title, writer.export.rig))
        if "obj" in formats:
            put("head.obj", obj(face.head))
            file = "albedo.png" if albedo is not None and albedo.base else "texture.png"
            put("head.mtl", mtl(None if texture is None else file))
        if "ply" in formats:
            sigma = None if face.fit is None else face.fit.sigma_mm
            put("head.ply", ply(face.head, None if small.texture is None else small.texture.image, sigma))
    if face.deep3d is not None:
        from tronie.deep3d import engine

        if "obj" in formats:
            put("deep3d.obj", engine.obj(face.deep3d))
        if face.deep3d.matlab:
            put("deep3d.mat", engine.mat(face.deep3d))
    if texture is not None and ("texture" in formats or "obj" in formats):
        put("texture.png", encode.png(texture.image))
    if albedo is not None and ("albedo" in formats or ("obj" in formats and albedo.base)):
        put("albedo.png", encode.png(albedo.image))
    if albedo is not None and "albedo" in formats:
        put("light.hdr", hdr(albedo.light.environment, "light around the head, in the axes of head.glb"))
    if face.detail is not None and "detail" in formats:
        put("normal.png", encode.png(face.detail.normals))
    if texture is not None and "provenance" in formats:
        put("provenance.png", encode.provenance_png(texture.provenance))
    if frontal is not None and "frontal" in formats:
        put("frontal.png", encode.png(frontal.image))
        if frontal.neutral is not None:
            put("frontal_neutral.png", encode.png(frontal.neutral))
        put("frontal_mask.png", encode.provenance_png(frontal.mask))
    if face.enhanced is not None and face.enhanced.accepted and "enhanced" in formats:
        put("crop.png", encode.png(face.enhanced.before))
        put("enhanced.png", encode.png(face.enhanced.after))
    if writer.export.maps:
        for file, picture in _maps(photo, face):
            put(file, picture)
    if drawn is not None and "overlay" in formats:
        put("overlay.jpg", encode.jpeg(drawn, 90, full_color=True))
    for file, chunks in moving.files.items():
        put(file, chunks)
    written.extend(moving.written)
    _write(place / "face.json", to_json(face_record(photo, face, writer.name, written)))
    return [*written, "face.json"]


def _maps(photo: Photo, face: Face) -> Iterator[tuple[str, bytes]]:
    from tronie.maps import maps

    found = maps(photo.image, face)
    if found.sigma is not None and found.sigma_color is not None and found.uncertainty is not None:
        yield "sigma.png", encode.png16(found.sigma, "micrometres of standard deviation; 0: no surface")
        yield "sigma_color.png", encode.png(found.sigma_color)
        yield "uncertainty.jpg", encode.jpeg(found.uncertainty, 90, full_color=True)
    if found.provenance is not None:
        yield "provenance.jpg", encode.jpeg(found.provenance, 90, full_color=True)


def _glbs(
    face: Face, name: str, export: ExportSettings, worn: Image | None, course: Course | None = None
) -> Iterator[tuple[str, list[memoryview]]]:
    """head.glb and its levels of detail, whose textures get smaller with them. `worn` is the texture to wear."""
    head, fit, texture = face.head, face.fit, face.texture
    assert head is not None
    for lod in range(1 + len(LOD_TEXTURES) if export.lod else 1):
        picture = None
        if worn is not None:
            image = worn if lod == 0 else reduced(worn, LOD_TEXTURES[lod - 1])
            picture = encode.jpeg(image, TEXTURE_QUALITY)
        data = glb(
            head, {} if fit is None else fit.expression, picture, name,
            provenance=None if texture is None else texture.provenance, sigma_mm=None if fit is None else fit.sigma_mm,
            normal_map=None if face.detail is None or lod else encode.png(face.detail.normals),
            lod=lod, rig=export.rig, morph_normals=export.morph_normals, motion=course,
        )  # fmt: skip
        yield f"head_lod{lod}.glb" if lod else "head.glb", data


def _write(path: Path, data: bytes | Iterable[bytes | memoryview]) -> None:
    """A file in the temporary folder, which is renamed as a whole."""
    try:
        with open(path, "xb") as file:
            file.writelines([data] if isinstance(data, bytes) else data)
    except OSError as error:
        raise OutputError(str(explain(path, error))) from error
