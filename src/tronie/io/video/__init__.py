"""Clips: readers of files, picture sequences and cameras, and the writer of films."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from tronie.errors import InputError
from tronie.io.limits import Limits
from tronie.io.paths import leads_nowhere
from tronie.io.video.clip import CAMERA, MOVING_SUFFIXES, USUAL_FPS, Clip, have_av, named_clip, stands_for_many


def open_clip(
    source: str | Path, *, fps: float = USUAL_FPS, reader: str | None = None, limits: Limits | None = None
) -> Clip:
    """A video file, a folder or pattern (`shot/%04d.png`, `shot/*.jpg`) of pictures, or `camera:0`.

    `fps` is that of pictures, which have no time of their own. `reader` asks for `PyAV` or `OpenCV` (default: PyAV
    where it is installed, for it knows every frame's time and goes on after a damaged one). `limits` are those of
    pictures. Raises InputError.
    """
    text = str(source)
    if text.startswith(CAMERA):
        from tronie.io.video.opencv import CameraClip

        return CameraClip(text.removeprefix(CAMERA).split("@")[0])
    path = Path(text)
    if stands_for_many(path):
        from tronie.io.video.image_sequence import PictureClip

        return PictureClip(text, fps, limits)
    if path.suffix.lower() in MOVING_SUFFIXES:
        from tronie.io.video.image_sequence import MovingPicture

        return MovingPicture(text, limits)
    return open_video(path, reader=reader)


def open_video(path: str | Path, *, reader: str | None = None) -> Clip:
    """A video file, whatever it is called; see `open_clip`."""
    text = str(path)
    _must_be_file(Path(text), text)
    try:
        if reader != "OpenCV" and (reader == "PyAV" or have_av()):
            from tronie.io.video.pyav import AvClip

            return AvClip(text)
        from tronie.io.video.opencv import CvClip

        return CvClip(text)
    except (InputError, ImportError):
        raise
    except Exception as error:  # decoders raise whatever they like on damaged files
        raise InputError(f"{text} cannot be opened as a video: it is cut off, damaged or none.") from error


def is_clip(source: str | Path) -> bool:
    """Whether a source is to be followed through time rather than looked at as one photo; never raises."""
    if named_clip(source):
        return True
    path = Path(source)
    if path.suffix.lower() in MOVING_SUFFIXES - {".png"} and os.path.isfile(path):
        from tronie.io.video.image_sequence import moves

        with suppress(Exception):  # whatever decoders raise on damaged files: reading it as a photo tells why
            return moves(path)
    return False


def _must_be_file(path: Path, text: str) -> None:
    try:
        if not path.is_file():
            raise InputError(f"{text} {leads_nowhere(path) or 'is not an ordinary file'}.")
        if path.stat().st_size == 0:
            raise InputError(f"{text} is empty.")
        with path.open("rb"):
            pass
    except OSError as error:
        raise InputError(f"{text} cannot be read: {(error.strerror or str(error)).lower()}.") from None
