"""What the process beside the window holds: the pipeline, the photos' results, heads to be drawn, the clip that plays.

The jobs themselves are in `tronie.service.photo_tasks` and `tronie.service.clip_tasks`. Nothing here knows of widgets.
"""

from __future__ import annotations

import tempfile
import threading
from collections import OrderedDict, deque
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tronie.runtime.atomic_files import scratch
from tronie.service.followed_clips import FollowedClips

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tronie.arrays import Array
    from tronie.io.video.clip import Clip, Frame
    from tronie.outputs import Stage
    from tronie.pipelines.person.reconstruct import PersonResult
    from tronie.pipelines.photo import Pipeline
    from tronie.render.figure import Figure
    from tronie.settings import PortraitSettings, Settings
    from tronie.stages.enhance.restoration import Restoration
    from tronie.types import Face, Photo, Result

KEPT_FACES = 24
"""Results are kept until they hold more faces: about 26 MB each, most of it in temporary files."""
IN_MEMORY = 4
"""So many faces of the photo that is shown keep their pictures in memory; those of all others lie in such files."""
KEPT_FIGURES = 3
KEPT_BYTES = 96 << 20
"""Of the frames that were shown last, for stepping back."""

Key = tuple[Path, int]
"""A face: its photo, and its index there. A person of a clip: their folder, and their number."""


class Workspace:
    """Everything that lives from job to job. The pipeline is for one queue only; the rest is guarded by `lock`."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.photos: OrderedDict[Path, Photo] = OrderedDict()
        """The latest last."""
        self.faces: dict[Key, Face] = {}
        self.results: dict[Path, Result] = {}
        """Without their faces, which are in `faces`."""
        self.people: dict[Path, PersonResult] = {}
        """Of those that are made of several photos, by what they are known by in place of a photo's path."""
        self.made_with: dict[Path, Settings] = {}
        self.frontals: dict[Key, PortraitSettings] = {}
        """What each portrait was made with."""
        self.restored: tuple[Path, Restoration] | None = None
        """The old photo that was restored last."""
        self.reader, self.clips = FrameReader(), FollowedClips()
        self._light: list[Key] = []
        """Faces whose pictures are in memory."""
        self._figures: OrderedDict[Key, Figure] = OrderedDict()
        self._pipeline: Pipeline | None = None
        self._batch: Pipeline | None = None
        self._scratch: Path | None = None
        self._open = ExitStack()

    def pipeline(self, settings: Settings) -> Pipeline:
        """Kept as long as the settings stay."""
        if self._pipeline is None or self._pipeline.settings != settings:
            from tronie.pipelines.photo import Pipeline

            old = self._pipeline
            self._pipeline = Pipeline(settings) if old is None else old.with_settings(settings)
        return self._pipeline

    def batch_pipeline(self, settings: Settings) -> Pipeline:
        """For the queue that writes files, which works beside the one that the window looks at."""
        if self._batch is None:
            from tronie.pipelines.photo import Pipeline

            self._batch = Pipeline(settings)
        elif self._batch.settings != settings:
            self._batch = self._batch.with_settings(settings)
        return self._batch

    def begin(self, path: Path, photo: Photo, settings: Settings) -> None:
        """A photo is opened anew; those not looked at for long are forgotten."""
        with self.lock:
            self.forget(path)
            for key in self._light:
                self.faces[key] = spill_to_disk(self.faces[key])
            self._light.clear()
            self.photos[path] = photo
            self.made_with[path] = settings
            while len(self.photos) > 1 and len(self.faces) > KEPT_FACES:
                self.forget(next(iter(self.photos)))

    def forget(self, path: Path) -> None:
        with self.lock:
            self.photos.pop(path, None)
            self.results.pop(path, None)
            self.made_with.pop(path, None)
            self.people.pop(path, None)
            for held in (self.faces, self.frontals, self._figures):
                for key in [key for key in held if key[0] == path]:
                    del held[key]
            self._light = [key for key in self._light if key[0] != path]

    def put(self, path: Path, face: Face, settings: Settings) -> Face:
        """Keep a finished face, and give back what the result is to hold of it."""
        with self.lock:
            if (key := (path, face.index)) not in self._light and len(self._light) < IN_MEMORY:
                self._light.append(key)
            if key not in self._light:
                face = spill_to_disk(face)
            self.faces[key] = face
            self.frontals[key] = settings.portrait
        return face

    def keep_face(self, path: Path, photo: Photo, face: Face, settings: Settings) -> None:
        """A person of a clip, with the frame that shows them: `path` is their folder."""
        from tronie.types import Result

        with self.lock:
            self.begin(path, photo, settings)
            self.put(path, face, settings)
            self.results[path] = Result(photo, ())

    def finished(self, path: Path, settings: Settings) -> Result | None:
        """What is there of a photo, if other settings would not have made it otherwise."""
        with self.lock:
            if path not in self.results or not _same_result(self.made_with[path], settings):
                return None
            self.photos.move_to_end(path)
            result = self.results[path]
            return replace(result, faces=tuple(self.of(path)))

    def of(self, path: Path) -> list[Face]:
        """The finished faces of a photo, by number."""
        return [self.faces[key] for key in sorted(key for key in self.faces if key[0] == path)]

    def figure(self, key: Key) -> Figure:
        """The head as something that pictures can be made of. Raises KeyError for a face that is not there."""
        with self.lock:
            if key in self._figures:
                self._figures.move_to_end(key)
                return self._figures[key]
        if key in self.faces:
            from tronie.render.figure import figure_of

            made = figure_of(self.faces[key])
        else:
            from tronie.render.load import load_figure

            made = load_figure(key[0])
        _ = made.openness  # takes a moment: better now than with the first picture
        with self.lock:
            self._figures[key] = made
            while len(self._figures) > KEPT_FIGURES:
                self._figures.popitem(last=False)
        return made

    def reshape(self, key: Key, rest: Array, weights: Mapping[str, float]) -> None:
        """Another shape for the head that is drawn, if it is."""
        with self.lock:
            if key in self._figures:
                self._figures[key] = self._figures[key].reshaped(rest, weights)

    def redraw(self, key: Key) -> None:
        """The head is drawn anew from its face."""
        with self.lock:
            self._figures.pop(key, None)

    def scratch(self) -> Path:
        """A folder that goes with the process."""
        with self.lock:
            if self._scratch is None:
                self._scratch = self._open.enter_context(scratch())
            return self._scratch

    def close(self) -> None:
        self.reader.close()
        self.clips.close()
        self._open.close()


class FrameReader:
    """Frames of the clip that was asked for last. Clips are read from the beginning on; the last frames are kept."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self.last: Frame | None = None
        """The one that was given last."""
        self.count, self.fps = 0, 25.0
        self._clip: Clip | None = None
        self._frames: Iterator[Frame] | None = None
        self._kept: deque[Frame] = deque()

    def frames(self, path: Path, index: int, check: Callable[[], None] = lambda: None) -> Iterator[Frame]:
        """From a number on, or the last one where the clip ends before. On the way there `check` may end it."""
        from tronie.io.video import open_clip

        kept = [frame for frame in self._kept if frame.index >= index] if path == self.path else []
        if not kept or kept[0].index != index:
            kept = []
            behind = self._kept and self._kept[-1].index >= index
            if path != self.path or self._frames is None or behind:
                self.close()
                self._clip = open_clip(path)
                self.path, self._frames, self.count = path, self._clip.frames(), self._clip.info.frames or 0
                self.fps = self._clip.info.fps
        for frame in kept:
            self.last = frame
            yield frame
        last = None
        for frame in self._frames or ():
            check()
            self._keep(frame)
            last = frame
            if frame.index >= index:
                self.last = frame
                yield frame
        self._frames = None
        if last is not None and last.index < index:
            self.count = last.index + 1
            self.last = last
            yield last

    def _keep(self, frame: Frame) -> None:
        self._kept.append(frame)
        while len(self._kept) > 1 and len(self._kept) * frame.image.nbytes > KEPT_BYTES:
            self._kept.popleft()

    def close(self) -> None:
        if self._clip is not None:
            self._clip.close()
        self._clip = self._frames = self.path = self.last = None
        self._kept.clear()


def _same_result(a: Settings, b: Settings) -> bool:
    """But for what is written and how portraits look, which can be made anew."""
    left = {"job", "portrait", "export", "restore", "video", "outputs", "only"}
    return a.model_dump(exclude=left) == b.model_dump(exclude=left) and _made(a) == _made(b)


def _made(settings: Settings) -> list[bool]:
    """What depends on the outputs that are wanted."""
    stages: tuple[Stage, ...] = ("texture", "hair", "light", "portrait")
    pictures = ("albedo", "detail", "enhanced_photo")
    return [*(settings.runs(stage) for stage in stages), *(name in settings.wanted for name in pictures)]


def spill_to_disk(face: Face) -> Face:
    """The face with its large pictures in temporary files, from which they are fetched when they are looked at; the
    system takes the files away with the last picture, or with the process."""
    texture, frontal, albedo, enhanced = face.texture, face.portrait, face.albedo, face.enhanced
    if texture is not None:
        texture = _down(texture, "image", "provenance")
    if frontal is not None:
        frontal = _down(frontal, "image", "neutral", "mask", "neutral_mask")
    if albedo is not None:
        albedo = _down(albedo, "image")
    if enhanced is not None:
        enhanced = _down(enhanced, "before", "after", "faithful", "doubt")
    shells = tuple(_down(shell, "image") for shell in face.shells)
    return replace(face, texture=texture, portrait=frontal, albedo=albedo, enhanced=enhanced, shells=shells)


def _down(noun: Any, *names: str) -> Any:
    """A noun with the arrays of these names in one file."""
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
