"""What the process beside the window keeps of clips."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from tronie.runtime.atomic_files import scratch
from tronie.service.clip_folder import ClipHead

if TYPE_CHECKING:
    from tronie.pipelines.video.collect import Collected
    from tronie.settings import Settings, VideoSettings

KEPT_HEADS = 3


class FollowedClips:
    """What is kept of clips: who was seen where in the last one, and the heads of its people."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._found: tuple[Path, Settings, Collected] | None = None
        self._open = ExitStack()
        self._heads: OrderedDict[Path, ClipHead] = OrderedDict()

    def followed(self, path: Path, settings: Settings, make: Callable[[Path], Collected]) -> Collected:
        """What was found in a clip, by `make` unless it is known; that gets an empty folder."""
        if self._found is not None and self._found[0] == path and _follows_alike(self._found[1], settings):
            return self._found[2]
        self._found = None
        self._open.close()
        with ExitStack() as opened:
            found = make(opened.enter_context(scratch()))
            self._open = opened.pop_all()
        self._found = path, settings, found
        return found

    def video(self, path: Path) -> VideoSettings | None:
        """With what a clip was followed, if that is still known: its part is among it."""
        return self._found[1].video if self._found is not None and self._found[0] == path else None

    def head(self, folder: Path) -> ClipHead:
        """Of a person, by their folder. Raises InputError."""
        with self._lock:
            if folder not in self._heads:
                self._heads[folder] = ClipHead.read(folder)
                while len(self._heads) > KEPT_HEADS:
                    self._heads.popitem(last=False)
            self._heads.move_to_end(folder)
            return self._heads[folder]

    def forget(self, folder: Path) -> None:
        """The clip of this folder is made anew."""
        with self._lock:
            for person in [person for person in self._heads if person.parent == folder]:
                del self._heads[person]

    def close(self) -> None:
        self._open.close()


def _follows_alike(a: Settings, b: Settings) -> bool:
    """Whether both find the same faces in a clip."""
    return (a.read, a.detect, a.landmarks, a.head.name, a.fit, a.video) == (
        b.read,
        b.detect,
        b.landmarks,
        b.head.name,
        b.fit,
        b.video,
    )
