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
from tronie.export.gltf_document import GltfAnimation
from tronie.export.outputs import SLOWEST, FaceToWrite, File, face_files, flat, photo_files, same
from tronie.export.records import face_record, to_json
from tronie.geometry import Similarity
from tronie.head.surface import reduced
from tronie.io.paths import safe_name
from tronie.outputs import USUAL, in_order
from tronie.runtime.atomic_files import explain, new_folder, taken
from tronie.runtime.hardware import cores
from tronie.settings import ExportSettings
from tronie.types import Face, Photo, Result, Texture

MADE: tuple[str, ...] = in_order((*USUAL, "albedo", "detail", "enhanced_photo"))
"""What is written of a result where nobody chooses: all that its faces have."""
MESHES = frozenset(("glb", "obj", "ply"))
MOST_THREADS = 4
"""More have nothing to do: a face's largest file takes a third of the time of all."""


def save(
    result: Result,
    folder: Path,
    *,
    overwrite: bool = False,
    outputs: Collection[str] | None = None,
    name: str | None = None,
    export: ExportSettings | None = None,
) -> Path:
    """Write a photo's outputs to `folder / name` and return that path; `name` defaults to the photo's own.

    The photo's folder appears when all of it is written. If it is there already, it is replaced with `overwrite`,
    else OutputError is raised before anything is done. A photo without faces gets a folder with its sheet.
    `outputs` are names of `tronie.outputs`, by default MADE. Faces without textures get no sheet beside their meshes,
    which would take three times as long as all of these. `export` says how head.glb is to be: joints, normals.
    Raises OutputError with one sentence when something cannot be written, ValueError for an unknown output.
    """
    name = safe_name(result.photo.name if name is None else name)
    with photo_folder(Path(folder), name, overwrite=overwrite, outputs=outputs, export=export) as writer:
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
    outputs: Collection[str] | None = None,
    export: ExportSettings | None = None,
    threads: int = 0,
) -> Iterator[Writer]:
    """`save` in steps, for photos whose faces would fill the memory: `add` each face, then `finish`. The files
    of a face are made in so many `threads`; 0: as many as there are processors, and no more than MOST_THREADS."""
    wanted = frozenset(in_order(MADE if outputs is None else outputs))
    older = {folder / f"{name}_{place.name}.obj" for place in (folder / name).glob("face-*")}
    with new_folder(folder / name, overwrite=overwrite) as work:
        yield Writer(work, name, wanted, export or ExportSettings(), threads=threads or most_threads())
    if "flat" in wanted:
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
    wanted: frozenset[str]
    """Names of outputs."""
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
        place = self.work / f"face-{face.index}"
        place.mkdir(exist_ok=moving is not None)
        _save_face(photo, face, small, place, self, moving or Moving())
        if "flat" in self.wanted and (data := flat(face, small)) is not None:
            _write(self.work / f"face-{face.index}.obj", data)
        return small

    def finish(self, result: Result) -> None:
        """Write the faces that were not added before, and the sheet."""
        began = time.perf_counter()
        added = {face.index for face in result.faces if (self.work / f"face-{face.index}").exists()}
        faces = (face if face.index in added else self._add(result.photo, face) for face in result.faces)
        result = replace(result, faces=tuple(faces))
        bare = bool(result.faces) and all(face.texture is None and face.engine_result is None for face in result.faces)
        wanted = self.wanted - {"sheet"} if bare and not MESHES.isdisjoint(self.wanted) else self.wanted
        for file, make in photo_files(result, wanted, self.overlays):
            _write(self.work / file, make())
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
        )
        neutral, mask, neutral_mask = others
        assert mask is not None
        frontal = replace(
            frontal, image=reduced(frontal.image, 512), neutral=neutral, mask=mask, neutral_mask=neutral_mask
        )
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
    shells = tuple(replace(shell, image=reduced(shell.image, 512)) for shell in face.shells)
    return replace(
        face, texture=texture, albedo=albedo, detail=detail, portrait=frontal, enhanced=enhanced, shells=shells
    )


def save_face(
    photo: Photo, face: Face, place: Path, name: str, export: ExportSettings, outputs: Collection[str] | None = None
) -> list[str]:
    """The files of one face into a folder that is there, by default MADE; the names of those written. Raises
    OutputError."""
    wanted = frozenset(in_order(MADE if outputs is None else outputs))
    writer = Writer(place, name, wanted, export, threads=most_threads())
    return _save_face(photo, face, thinned(face), place, writer, Moving())


def _save_face(photo: Photo, face: Face, small: Face, place: Path, writer: Writer, moving: Moving) -> list[str]:
    """The files of one face, `small` when it is thinned. Their names."""
    one = FaceToWrite(photo, face, small, writer.name, writer.wanted, writer.export, moving.course, writer.overlays)
    made: list[File] = [*face_files(one), *((file, partial(same, chunks)) for file, chunks in moving.files.items())]

    def work(file: File) -> None:
        _write(place / file[0], file[1]())

    # Encoders let go of the interpreter's lock. The slowest begin.
    slowest_first = sorted(made, key=lambda file: SLOWEST.index(file[0]) if file[0] in SLOWEST else len(SLOWEST))
    if writer.threads > 1:
        with ThreadPoolExecutor(writer.threads) as pool:
            list(pool.map(work, slowest_first))
    else:
        for file in slowest_first:
            work(file)
    written = [*(file for file, _ in made), *moving.written]
    _write(place / "face.json", to_json(face_record(photo, face, writer.name, written)))
    return [*written, "face.json"]


def _write(path: Path, data: bytes | Iterable[bytes | memoryview]) -> None:
    """A file in the temporary folder, which is renamed as a whole."""
    try:
        with open(path, "xb") as file:
            file.writelines([data] if isinstance(data, bytes) else data)
    except OSError as error:
        raise explain(path, error) from error
