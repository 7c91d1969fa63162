"""Clips made of pictures: numbered files, folders, and pictures that move."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tronie.arrays import Image
from tronie.errors import InputError
from tronie.io.decode import opener, quiet_pillow
from tronie.io.frames import Frames, scan
from tronie.io.images import read_photo
from tronie.io.inputs import FRAME_NUMBER, numbered_pictures
from tronie.io.limits import Limits
from tronie.io.pixels import rgb_from_pil
from tronie.io.video.clip import MOVING_FRAMES, MOVING_SECONDS, ClipInfo, Frame, Reader, Times

USUAL_DELAY = 0.1
"""Seconds that viewers show a frame of a GIF for whose delay is 0 or 10 ms."""
MOST_PIXELS = 9_000_000
"""Of a frame; a picture with larger ones is read as a photo."""
MOST_READ, MOST_TOTAL = 2000, 1_500_000_000
"""Frames that are read, and pixels of all of them together: 24 seconds at 1920 x 1080 and 30 frames a second. Longer
ones are better kept as videos."""


class PictureClip(Reader):
    """Picture files in the order of their names (numbers in them count as numbers)."""

    def __init__(self, source: str, fps: float, limits: Limits | None = None) -> None:
        self._limits = limits
        self._files = numbered_pictures(source)
        if not self._files:
            raise InputError(f"{source}: no picture is there.")
        first = read_photo(self._files[0], limits).image
        name = FRAME_NUMBER.sub("", Path(source).stem).strip("*._- ") or Path(source).parent.name
        info = ClipInfo(
            name=name or "frames",
            source=source,
            size=(first.shape[1], first.shape[0]),
            fps=fps,
            frames=len(self._files),
            rotation=0,
            codec="pictures",
            reader="Pillow",
        )
        super().__init__(info)

    def frames(self) -> Iterator[Frame]:
        count = 0
        for number, path in enumerate(self._files):
            try:
                image = fitted(read_photo(path, self._limits).image, self._info.size)
            except InputError as error:
                self._notes.append(f"{error} It was left out.")
                continue
            yield Frame(count, number / self._info.fps, image)
            count += 1


def fitted(image: Image, size: tuple[int, int]) -> Image:
    """The picture at the clip's size."""
    if (image.shape[1], image.shape[0]) == size:
        return image
    import cv2

    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


class MovingPicture(Reader):
    """A GIF, WebP or PNG with several frames, each shown for its own time."""

    def __init__(self, source: str, limits: Limits | None = None) -> None:
        found = scanned(Path(source))
        if found is None:
            raise InputError(f"{source} cannot be opened as a moving picture.")
        if found.pixels > MOST_PIXELS:
            raise InputError(
                f"{source} moves on {found.size[0]}x{found.size[1]} pixels, and moving pictures are read up to "
                f"{MOST_PIXELS // 1_000_000} megapixels; make it smaller."
            )
        (limits or Limits.default()).check_file(Path(source).stat().st_size, source, whole=True)
        self._picture = _open(Path(source))
        if self._picture is None:
            raise InputError(f"{source} is damaged or cut off: no picture in it can be read.")
        seconds = _shown(found.delays[0]) if found.delays else USUAL_DELAY
        self._held = found.count
        info = ClipInfo(
            name=Path(source).stem,
            source=source,
            size=self._picture.size,
            fps=1 / seconds,
            frames=max(1, min(found.count, MOST_READ, MOST_TOTAL // max(found.pixels, 1))),
            rotation=0,
            codec=str(self._picture.format or "").lower(),
            reader="Pillow",
        )
        super().__init__(info)

    def frames(self) -> Iterator[Frame]:
        times, shown, count = Times(self._info.fps), 0.0, self._info.frames or 1
        for index in range(count):
            try:
                with quiet_pillow():
                    self._picture.seek(index)
                    image = rgb_from_pil(self._picture.copy())
            except Exception:  # decoders raise SyntaxError, struct.error, EOFError, ... on damaged files
                if not index:
                    raise InputError(
                        f"{self._info.source} is damaged or cut off: no picture in it can be read."
                    ) from None
                self._notes.append(f"the file is damaged: its first {index} of {self._held} frames were used")
                return
            yield Frame(index, times.next(shown), fitted(image, self._info.size))
            shown += _shown(float(self._picture.info.get("duration") or 0) / 1000)
        if count < self._held:
            self._notes.append(
                f"only its first {count} of {self._held} frames were read; save it as a video to have all of them"
            )

    def close(self) -> None:
        self._picture.close()


def moves(path: Path) -> bool:
    """Whether a picture file holds a clip rather than a photo. One too large to be read as a clip is a photo, as is
    one that cannot be read: reading it will tell why."""
    found = scanned(path)
    if found is None or found.pixels > MOST_PIXELS or found.count < MOVING_FRAMES:
        return False
    return sum(map(_shown, found.delays)) >= MOVING_SECONDS


def scanned(path: Path) -> Frames | None:
    """What frames a file holds; None if it is no moving picture, or cannot be opened."""
    try:
        with path.open("rb") as stream:
            found = scan(stream)
    except (OSError, ValueError):
        return None
    return found if found is not None and found.pixels else None


def _open(path: Path) -> Any:
    """The Pillow picture of a file, None if it is none or damaged."""
    try:
        stream = path.open("rb")
        reader = opener(stream.read(32))
        stream.seek(0)
        if reader is None:
            stream.close()
            return None
        with quiet_pillow():
            return reader(stream)
    except Exception:  # decoders raise SyntaxError, struct.error, EOFError, ... on damaged files
        return None


def _shown(seconds: float) -> float:
    """How long a frame is really shown whose delay the file gives."""
    return seconds if seconds > 0.011 else USUAL_DELAY
