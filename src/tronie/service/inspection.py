"""A look at a file that a stranger sent: what it truly is, and that it can be read. Runs in a process with limits."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tronie.errors import InputError, sentence
from tronie.runtime.job import Job
from tronie.service.stored import Kind, Wrong

if TYPE_CHECKING:
    from tronie.arrays import Image
    from tronie.io.video.clip import Clip

PREVIEW = 1600
"""Longer side of the small copy, pixels, at most."""
QUALITY = 85
FRAMES = 3
"""Of a clip, so many are decoded."""
FASTEST = 120
"""Frames a second: a clip of the longest length with more frames than that is too long as well."""
SIGNATURES = {
    b"\xff\xd8\xff": ".jpg",
    b"\x89PNG": ".png",
    b"GIF8": ".gif",
    b"RIFF": ".webp",
    b"BM": ".bmp",
    b"II": ".tif",
    b"MM": ".tif",
    b"\0\0\0\x0cjP": ".jp2",
    b"\xff\x4f\xff\x51": ".jp2",
    b"\0\0\0\x0cJXL": ".jxl",
    b"\xff\x0a": ".jxl",
    b"P": ".ppm",
}
"""First bytes of a photo that is read -> the ending to store it under."""


@dataclass(frozen=True, slots=True)
class Most:
    """What may be in a file."""

    megapixels: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Question:
    """A file to look at."""

    path: Path
    name: str
    """What its owner calls it, for sentences."""
    suffix: str
    """The ending of that name, lower case, with the dot."""
    preview: Path
    """Where to write the small copy."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a file is."""

    kind: Kind
    suffix: str
    """To store it under, with the dot."""
    bytes: int
    sha256: str
    width: int
    height: int
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class No:
    """Why a file is not taken."""

    wrong: Wrong
    reason: str
    """One sentence."""


class Stop(Exception):
    """Ends the look."""

    def __init__(self, wrong: Wrong, reason: str) -> None:
        super().__init__(reason)
        self.no = No(wrong, reason)


@dataclass(frozen=True, slots=True)
class Inspection:
    """The recipe of the process."""

    most: Most

    def __call__(self, job: Job) -> Callable[[Question], Answer | No]:
        import cv2

        # What a first file would wait for.
        import tronie.io.encode
        import tronie.io.images
        import tronie.io.video  # noqa: F401

        cv2.setNumThreads(1)
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

        def look(question: Question) -> Answer | No:
            with job.stage("look"):
                try:
                    return _look(question, self.most)
                except Stop as stop:
                    return stop.no
                except InputError as error:
                    return No("unreadable", _about(str(error), question))
                except MemoryError:
                    return No("too_large", f"{question.name} needs more memory than a file may take.")
                except Exception as error:
                    return No("unreadable", _about(sentence(error), question))

        return look


def _about(reason: str, question: Question) -> str:
    """A sentence on a path as one on the name; without advice that is for users of the command line."""
    reason = reason.replace(str(question.path), question.name)
    for advice in ("; make it smaller, or allow more", "; pip install", "; --"):
        reason = reason.partition(advice)[0]
    return f"{' '.join(reason.split()).rstrip('.')}."


def _look(question: Question, most: Most) -> Answer | No:
    from tronie.io.decode import opener
    from tronie.io.jxl_reader import can_read, is_jxl
    from tronie.io.kinds import RAW, known
    from tronie.io.video.image_sequence import MovingPicture, moves
    from tronie.io.video.signatures import HEAD, container_of, cut_off

    with question.path.open("rb") as stream:
        head = stream.read(HEAD)
        if not head:
            raise Stop("unreadable", f"{question.name} is empty.")
        container = container_of(head)
        reader = None if container else opener(head[:32])
        jxl = is_jxl(head[:32]) and can_read()
        kind = known(question.suffix)
        if kind is RAW or (reader is None and container is None and not jxl):
            advice = f" ({kind.name}: {kind.advice})" if kind and "pip" not in kind.advice else ""
            raise Stop("unknown_type", f"{question.name} is no photo or video of a kind that is read{advice}.")
        if container and cut_off(stream):
            raise Stop("unreadable", f"{question.name} breaks off: the end of the video is missing.")
        size, digest = _digest(stream)
    seconds: float | None = None
    if container:
        from tronie.io.video import open_video

        picture, seconds = _of_clip(open_video(question.path), question, most)
        suffix = f".{container}"
        return Answer("clip", suffix, size, digest, *_shown(picture, question), seconds)
    if moves(question.path):
        picture, seconds = _of_clip(MovingPicture(str(question.path)), question, most)
        suffix = ".gif" if head[:3] == b"GIF" else ".webp" if head[:4] == b"RIFF" else ".apng"
        return Answer("clip", suffix, size, digest, *_shown(picture, question), seconds)
    picture = _photo(question, most)
    return Answer("photo", _suffix(head), size, digest, *_shown(picture, question))


def _photo(question: Question, most: Most) -> Image:
    from tronie.io.images import read_photo
    from tronie.io.limits import Limits

    pixels = int(most.megapixels * 1e6)
    try:
        return read_photo(question.path, Limits(pixels=pixels, reducible=pixels)).image
    except InputError as error:
        large = "megapixels" in str(error) or "GB" in str(error)
        raise Stop("too_large" if large else "unreadable", _about(str(error), question)) from None


def _of_clip(clip: Clip, question: Question, most: Most) -> tuple[Image, float | None]:
    """The first picture, and the length as far as the file tells."""
    with closing(clip):
        info = clip.info
        width, height = info.size
        if width * height > most.megapixels * 1e6:
            large = f"{width * height / 1e6:.0f} megapixels and at most {most.megapixels:g} are taken"
            raise Stop("too_large", f"{question.name} has frames of {large}.")
        frames = list(islice(clip.frames(), FRAMES))
        if not frames:
            raise Stop("unreadable", f"{question.name} holds no picture that can be read.")
        seconds = None if info.frames is None else info.frames / info.fps
        if seconds is not None and seconds > most.seconds + 0.5:
            long = f"{seconds:.0f} s long and at most {most.seconds:g} s are taken"
            raise Stop("too_large", f"{question.name} is {long}.")
        if (info.frames or 0) > FASTEST * most.seconds:
            many = f"{info.frames} frames and at most {FASTEST * most.seconds:.0f} are taken"
            raise Stop("too_large", f"{question.name} has {many}.")
        return frames[0].image, None if seconds is None else round(seconds, 3)


def _shown(picture: Image, question: Question) -> tuple[int, int]:
    """Write the small copy; width and height of the picture."""
    import cv2
    import numpy as np

    from tronie.io.encode import jpeg
    from tronie.runtime.atomic_files import write_file

    height, width = picture.shape[:2]
    shrink = max(height, width) / PREVIEW
    small = picture
    if shrink > 1:
        size = max(1, round(width / shrink)), max(1, round(height / shrink))
        small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    write_file(question.preview, jpeg(small, QUALITY))
    return width, height


def _digest(stream: BufferedReader) -> tuple[int, str]:
    """How many bytes, and their SHA-256."""
    stream.seek(0)
    digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return stream.seek(0, os.SEEK_END), digest


def _suffix(head: bytes) -> str:
    if head[4:8] == b"ftyp":
        return ".avif" if head[8:11] == b"avi" else ".heic"
    return next((suffix for first, suffix in SIGNATURES.items() if head.startswith(first)), ".jpg")
