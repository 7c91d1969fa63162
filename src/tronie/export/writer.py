"""A photo's result as files: FOLDER/<photo>/face-1/head.glb and so on, whole or not at all."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from tronie.arrays import Image
from tronie.export.contact_sheet import SIDES, Drawn, layout_for, view
from tronie.export.gltf_document import GltfAnimation
from tronie.export.outputs import (
    SETTLED,
    SLOWEST,
    Data,
    FaceToWrite,
    File,
    Settled,
    face_files,
    flat,
    photo_files,
    same,
)
from tronie.export.records import face_record, to_json
from tronie.io.paths import safe_name
from tronie.outputs import USUAL, in_order
from tronie.runtime.atomic_files import explain, new_folder, taken
from tronie.runtime.hardware import cores
from tronie.settings import ExportSettings
from tronie.types import Face, Photo, Result

T = TypeVar("T")
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
    with (
        new_folder(folder / name, overwrite=overwrite) as work,
        closing(Writer(work, name, wanted, export or ExportSettings(), threads=threads or most_threads())) as writer,
    ):
        yield writer
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
    drawn: Drawn = field(default_factory=Drawn)
    threads: int = 1
    """In which files are made."""
    seconds: float = 0.0
    """Spent here so far, while nothing else was done."""
    _pool: ThreadPoolExecutor | None = None
    _begun: dict[Path, Future[None]] = field(default_factory=dict)
    """File -> what ends when it is there."""
    _sides: dict[tuple[int, float], Future[Image | None]] = field(default_factory=dict)
    """As in `Drawn`."""
    _added: set[int] = field(default_factory=set)
    """Numbers of faces."""

    def begin(self, photo: Photo, face: Face, settled: Settled) -> None:
        """Have files of a photo's only face made beside what else is done: those that hang on what is `settled` of it.
        The others are made when it is added. With one thread nothing is begun."""
        if self.threads < 2:
            return
        one = FaceToWrite(photo, face, self.name, self.wanted & SETTLED[settled], self.export, drawn=self.drawn)
        place = self._place(face)
        place.mkdir(exist_ok=True)
        if settled == "head":
            self._do(lambda: one.small)  # once, for all that ask for it
        self._make(place, face_files(one))
        if settled == "head" and "sheet" in self.wanted and face.texture is not None:
            self._draw_sides(face.index, lambda: one.small, 1)

    def add(self, photo: Photo, face: Face, moving: Moving | None = None) -> Face:
        """Write a face's files and give back as much of it as the sheet needs. `moving`: what a clip adds."""
        began = time.perf_counter()
        small = self._add(photo, face, moving)
        self.seconds += time.perf_counter() - began
        return small

    def _add(self, photo: Photo, face: Face, moving: Moving | None = None) -> Face:
        course = moving.course if moving else None
        one = FaceToWrite(photo, face, self.name, self.wanted, self.export, course, self.drawn)
        place = self._place(face)
        place.mkdir(exist_ok=moving is not None or bool(self._begun))
        self.write(one, place, moving or Moving())
        if "flat" in self.wanted and (data := flat(face, one.small)) is not None:
            _write(self.work / f"face-{face.index}.obj", data)
        self._added.add(face.index)
        return one.small

    def write(self, one: FaceToWrite, place: Path, moving: Moving) -> list[str]:
        """The files of one face into a folder. Their names."""
        made: list[File] = [*face_files(one), *((file, partial(same, chunks)) for file, chunks in moving.files.items())]
        self._make(place, made)
        _ = one.small  # meanwhile
        for name, _ in made:
            self._begun.pop(place / name).result()
        written = [*(name for name, _ in made), *moving.written]
        _write(place / "face.json", to_json(face_record(one.photo, one.face, self.name, written)))
        return [*written, "face.json"]

    def finish(self, result: Result) -> None:
        """Write the faces that were not added before, and the sheet."""
        began = time.perf_counter()
        faces = (face if face.index in self._added else self._add(result.photo, face) for face in result.faces)
        result = replace(result, faces=tuple(faces))
        bare = bool(result.faces) and all(face.texture is None and face.engine_result is None for face in result.faces)
        wanted = self.wanted - {"sheet"} if bare and not MESHES.isdisjoint(self.wanted) else self.wanted
        if "sheet" in wanted and self.threads > 1:
            for face in result.faces:
                self._draw_sides(face.index, partial(same, face), len(result.faces))
            sides = {key: side.result() for key, side in self._sides.items()}
            self.drawn.sides.update({key: side for key, side in sides.items() if side is not None})
        for file, make in photo_files(result, wanted, self.drawn):
            _write(self.work / file, make())
        self.seconds += time.perf_counter() - began

    def close(self) -> None:
        """Leave nothing at work."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _place(self, face: Face) -> Path:
        return self.work / f"face-{face.index}"

    def _make(self, place: Path, files: Iterable[File]) -> None:
        """Files that are not begun yet, the slowest first."""
        for name, make in sorted(files, key=lambda one: SLOWEST.index(one[0]) if one[0] in SLOWEST else len(SLOWEST)):
            if place / name not in self._begun:
                self._begun[place / name] = self._do(partial(_write_made, place / name, make))

    def _draw_sides(self, index: int, small: Callable[[], Face], count: int) -> None:
        """Of one of `count` faces, unless they are drawn already."""
        size = layout_for(count).tile
        for yaw in SIDES:
            if (index, yaw) not in self._sides:
                self._sides[index, yaw] = self._do(partial(_view, small, size, yaw))

    def _do(self, work: Callable[[], T]) -> Future[T]:
        """In one of the threads; with one thread at once."""
        if self.threads > 1:  # encoders and kernels let go of the interpreter's lock
            self._pool = self._pool or ThreadPoolExecutor(self.threads, "tronie-files")
            return self._pool.submit(work)
        done: Future[T] = Future()
        done.set_result(work())
        return done


def most_threads() -> int:
    return min(cores(), MOST_THREADS)


def save_face(
    photo: Photo, face: Face, place: Path, name: str, export: ExportSettings, outputs: Collection[str] | None = None
) -> list[str]:
    """The files of one face into a folder that is there, by default MADE; the names of those written. Raises
    OutputError."""
    wanted = frozenset(in_order(MADE if outputs is None else outputs))
    with closing(Writer(place, name, wanted, export, threads=most_threads())) as writer:
        return writer.write(FaceToWrite(photo, face, name, wanted, export), place, Moving())


def _view(face: Callable[[], Face], size: int, yaw: float) -> Image | None:
    return view(face(), size, yaw)


def _write_made(path: Path, make: Callable[[], Data]) -> None:
    _write(path, make())


def _write(path: Path, data: bytes | Iterable[bytes | memoryview]) -> None:
    """A file in the temporary folder, which is renamed as a whole."""
    try:
        with open(path, "xb") as file:
            file.writelines([data] if isinstance(data, bytes) else data)
    except OSError as error:
        raise explain(path, error) from error
