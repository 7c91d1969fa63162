"""A photo's result as files: FOLDER/<photo>/face-1/head.glb and so on, whole or not at all."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from tronie.arrays import Image
from tronie.errors import OutputError
from tronie.export.face_files import SLOWEST, Job, jobs, same, single
from tronie.export.gltf_document import GltfAnimation
from tronie.export.records import face_record, to_json
from tronie.geometry import Similarity
from tronie.head.surface import reduced
from tronie.io import encode
from tronie.io.paths import safe_name
from tronie.render.overlay import overlay
from tronie.runtime.atomic_files import explain, new_folder, taken
from tronie.runtime.hardware import cores
from tronie.settings import ExportSettings, Settings
from tronie.types import Face, Photo, Result, Texture

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


def chosen(settings: Settings) -> tuple[frozenset[str] | None, ExportSettings]:
    """The formats that a job writes, None for whatever the faces have, and what is wanted beside them."""
    if settings.only != "frontal":
        return None, settings.export
    # Its texture is only made for the portrait, and nothing that wears it is wanted.
    return frozenset({"frontal", *(["enhanced"] if settings.enhance.photo else [])}), ExportSettings()


MOST_THREADS = 4
"""More have nothing to do: a face's largest file takes a third of the time of all."""


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

    course: GltfAnimation | None = None
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
    threads: int = 0,
) -> Iterator[Writer]:
    """`save_result` in steps, for photos whose faces would fill the memory: `add` each face, then `finish`. The files
    of a face are made in so many `threads`; 0: as many as there are processors, and no more than MOST_THREADS."""
    export = export or ExportSettings()
    older = {folder / f"{name}_{place.name}.obj" for place in (folder / name).glob("face-*")}
    with new_folder(folder / name, overwrite=overwrite) as work:
        chosen = None if formats is None else frozenset(formats)
        yield Writer(work, name, chosen, export, threads=threads or most_threads())
    if export.flat:
        _put_beside(folder, name, older)


def _put_beside(folder: Path, name: str, older: Collection[Path]) -> None:
    """Move NAME/face-1.obj ... to NAME_face-1.obj ... beside the photo's folder. They replace the `older` ones, which
    are there only if they were asked for then; nothing else is replaced."""
    made = {folder / f"{name}_{file.name}": file for file in (folder / name).glob("face-*.obj")}
    for target in made:
        taken(target, overwrite=target in older)
    try:
        for file in set(older) - set(made):
            file.unlink(missing_ok=True)
        for target, file in made.items():
            os.replace(file, target)
    except OSError as error:
        raise explain(folder / name, error) from error


@dataclass(slots=True)
class Writer:
    """The outputs of one photo in the making."""

    work: Path
    name: str
    formats: frozenset[str] | None
    export: ExportSettings = field(default_factory=ExportSettings)
    overlays: dict[int, Image] = field(default_factory=dict)
    """By face index."""
    threads: int = 1
    """In which files are made."""
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
        place = self.work / f"face-{face.index}"
        place.mkdir(exist_ok=moving is not None)
        _save_face(photo, face, small, place, formats, self, moving or Moving())
        if self.export.flat and (data := single(face, small)) is not None:
            _write(self.work / f"face-{face.index}.obj", data)
        return small

    def finish(self, result: Result) -> None:
        """Write the faces that were not added before, and the sheet."""
        began = time.perf_counter()
        added = {face.index for face in result.faces if (self.work / f"face-{face.index}").exists()}
        faces = (face if face.index in added else self._add(result.photo, face) for face in result.faces)
        result = replace(result, faces=tuple(faces))
        bare = bool(result.faces) and all(face.texture is None and face.deep3d is None for face in result.faces)
        if "sheet" in self.formats if self.formats is not None else not bare:
            from tronie.export.contact_sheet import sheets

            for number, page in enumerate(sheets(result, self.overlays), start=1):
                _write(self.work / ("sheet.jpg" if number == 1 else f"sheet-{number}.jpg"), encode.jpeg(page, 90))
        if result.enhanced_photo is not None and (self.formats is None or "enhanced" in self.formats):
            _write(self.work / "enhanced_photo.png", encode.png(result.enhanced_photo))
        self.seconds += time.perf_counter() - began


def most_threads() -> int:
    return min(cores(), MOST_THREADS)


def thinned(face: Face) -> Face:
    """The face with its pictures at no more than 512 pixels (what lies beside them only picked): 2 MB, not 26."""
    texture, frontal = face.texture, face.portrait
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
    return replace(face, texture=texture, albedo=albedo, detail=detail, portrait=frontal, enhanced=enhanced)


def save_face(
    photo: Photo, face: Face, place: Path, name: str, export: ExportSettings, formats: frozenset[str] | None = None
) -> list[str]:  # fmt: skip
    """The files of one face, in all formats unless told otherwise, into a folder that is there; the names of those
    written. Raises OutputError."""
    writer = Writer(place, name, formats, export, threads=most_threads())
    return _save_face(photo, face, thinned(face), place, formats or frozenset(FORMATS), writer, Moving())


def _save_face(
    photo: Photo, face: Face, small: Face, place: Path, formats: frozenset[str], writer: Writer, moving: Moving
) -> list[str]:  # fmt: skip
    """The files of one face, `small` when it is thinned; what the face lacks is left out. Their names."""

    def drawn() -> bytes:
        writer.overlays[face.index] = picture = overlay(photo.image, face)
        return encode.jpeg(picture, 90, full_color=True)

    made: list[Job] = [
        *jobs(photo, face, small, formats, writer.export, writer.name, moving.course),
        *([("overlay.jpg", drawn)] if "overlay" in formats else []),
        *((file, partial(same, chunks)) for file, chunks in moving.files.items()),
    ]

    def work(job: Job) -> None:
        _write(place / job[0], job[1]())

    # Encoders let go of the interpreter's lock. The slowest begin.
    slowest_first = sorted(made, key=lambda job: SLOWEST.index(job[0]) if job[0] in SLOWEST else len(SLOWEST))
    if writer.threads > 1:
        with ThreadPoolExecutor(writer.threads) as pool:
            list(pool.map(work, slowest_first))
    else:
        for job in slowest_first:
            work(job)
    written = [*(file for file, _ in made), *moving.written]
    _write(place / "face.json", to_json(face_record(photo, face, writer.name, written)))
    return [*written, "face.json"]


def _write(path: Path, data: bytes | Iterable[bytes | memoryview]) -> None:
    """A file in the temporary folder, which is renamed as a whole."""
    try:
        with open(path, "xb") as file:
            file.writelines([data] if isinstance(data, bytes) else data)
    except OSError as error:
        raise OutputError(str(explain(path, error))) from error
