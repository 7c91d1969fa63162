"""The jobs of the window: what the library does for it. Nothing here knows of widgets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tronie.errors import TronieError
from tronie.gui.lines import Job, Tell

if TYPE_CHECKING:
    from tronie.pipeline import Pipeline
    from tronie.render.figure import Figure
    from tronie.settings import Settings
    from tronie.types import Face, Image, Photo, Result

THUMB = 128
"""Side of the thumbnails, pixels."""


IN_MEMORY = 4
"""So many faces of a photo keep their pictures in memory; those of the others lie in temporary files."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the work begins."""

    name: str
    face: int = 0
    """How many faces are finished."""


class Work:
    """The pipeline, kept from photo to photo as long as the settings stay; for one thread."""

    def __init__(self) -> None:
        self._pipeline: Pipeline | None = None

    def _of(self, settings: Settings) -> Pipeline:
        if self._pipeline is None or self._pipeline.settings != settings:
            from tronie.pipeline import Pipeline

            old = self._pipeline
            self._pipeline = Pipeline(settings)
            if old is not None and _same_models(old.settings, settings):
                # Only what the models are asked for has changed: they need not be loaded again.
                for name in ("_detector", "_net", "_engine", "_enhancer"):
                    setattr(self._pipeline, name, getattr(old, name))
        return self._pipeline

    def photo(self, source: Path | Photo, settings: Settings) -> Job:
        """Read a photo and do its faces; tells the Photo, Stages, and each Face. The Result."""

        def job(tell: Tell) -> Result:
            from tronie.io.images import read_photo

            tell(Stage("read"))
            photo = read_photo(source) if isinstance(source, Path) else source
            tell(photo)
            tell(Stage("load"))
            pipeline, count = self._of(settings), 0

            def each(photo: Photo, face: Face) -> Face:
                nonlocal count
                count += 1
                face = face if count <= IN_MEMORY else laid_down(face)
                tell(face)
                return face

            pipeline.watch = lambda name: tell(Stage(name, count))
            return pipeline.run(photo, each=each)

        return job

    def portrait(self, photo: Photo, face: Face, settings: Settings) -> Job:
        """The face with its portrait made anew."""

        def job(tell: Tell) -> Face:
            tell(Stage("frontal"))
            return self._of(settings).portrait(photo, face)

        return job


def laid_down(face: Face) -> Face:
    """The face with its large pictures in temporary files, from which they are fetched when they are looked at; the
    system takes the files away with the last picture, or with the process."""
    texture, frontal, albedo, enhanced = face.texture, face.frontal, face.albedo, face.enhanced
    if texture is not None:
        texture = _down(texture, "image", "provenance")
    if frontal is not None:
        frontal = _down(frontal, "image", "neutral", "mask", "neutral_mask")
    if albedo is not None:
        albedo = _down(albedo, "image")
    if enhanced is not None:
        enhanced = _down(enhanced, "before", "after")
    return replace(face, texture=texture, frontal=frontal, albedo=albedo, enhanced=enhanced)


def _down(noun: Any, *names: str) -> Any:
    """A noun with the arrays of these names in one file."""
    import tempfile

    import numpy as np

    arrays = {name: array for name in names if (array := getattr(noun, name)) is not None}
    with tempfile.TemporaryFile(prefix="tronie-") as file:
        starts = {}
        for name, array in arrays.items():
            starts[name] = file.tell()
            file.write(np.ascontiguousarray(array).data)
        file.flush()
        # Pages that are changed would be the process's own: `c` keeps the arrays ordinary, writable ones.
        mapped = {
            name: np.asarray(np.memmap(file, array.dtype, "c", starts[name], array.shape))
            for name, array in arrays.items()
        }
    return replace(noun, **mapped)


def _same_models(a: Settings, b: Settings) -> bool:
    return all(getattr(a, name) == getattr(b, name) for name in ("detect", "enhance", "head", "fit"))


def save(result: Result, folder: Path, formats: set[str], settings: Settings, overwrite: bool) -> Job:
    """Write the outputs; the photo's folder."""

    def job(tell: Tell) -> Path:
        from tronie.io.names import safe_name
        from tronie.io.outputs import photo_folder

        name = safe_name(result.photo.name)
        with photo_folder(folder, name, overwrite=overwrite, formats=formats, export=settings.export) as writer:
            for count, face in enumerate(result.faces):
                tell(Stage("save", count))
                writer.add(result.photo, face)
            writer.finish(result)
        return folder / name

    return job


def only(result: Result, face: Face) -> Result:
    """The result with no other face."""
    return replace(result, faces=(face,))


def is_clip(path: Path) -> bool:
    """Whether a file moves."""
    from tronie.video.clip import is_clip as moves

    return moves(path)


def thumbnail(path: Path) -> Job:
    """(N, M, 3) RGB, small; of a clip its first frame."""

    def job(tell: Tell) -> Image:
        import numpy as np
        from PIL import Image as Pillow

        from tronie.io.images import read_photo

        tell(Stage("read"))
        if is_clip(path):
            from tronie.video.clip import open_clip

            clip = open_clip(path)
            small = Pillow.fromarray(next(clip.frames()).image)
            clip.close()
        else:
            small = Pillow.fromarray(read_photo(path).image)
        small.thumbnail((2 * THUMB, 2 * THUMB))
        return np.asarray(small)

    return job


def figure(face: Face) -> Job:
    """The face as something that pictures can be made of."""

    def job(tell: Tell) -> Figure:
        from tronie.render.figure import figure_of

        made = figure_of(face)
        _ = made.openness  # takes a moment: better now than with the first picture
        return made

    return job


def photo_paths(given: list[str]) -> tuple[list[Path], list[str]]:
    """The photos that files and folders stand for, and a sentence for each that cannot be used."""
    from tronie.batch.inputs import find_inputs
    from tronie.io.images import IMAGE_SUFFIXES
    from tronie.video.clip import VIDEO_SUFFIXES

    found = find_inputs(given, IMAGE_SUFFIXES | VIDEO_SUFFIXES, recursive=True)
    return list(found.paths), [f"{problem.source}: {problem.reason}." for problem in found.problems]


def import_model(kind: str, file: Path) -> Job:
    """The record of the imported model."""

    def job(tell: Tell) -> Any:
        from tronie.imports import import_file

        tell(Stage("import"))
        if not file.exists():
            raise TronieError(f"{file} does not exist.")
        return import_file(kind, file, overwrite=True)

    return job
