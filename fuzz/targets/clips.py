"""Videos by both readers, and the look that the web service takes at a stranger's file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path

import cv2
import hostile_files as made
import numpy as np

from fuzz.structure import boxes
from fuzz.target import MEGA, Target
from fuzz.targets.pictures import moving, stills
from tronie.io.decode import quiet_opencv
from tronie.io.video import open_video
from tronie.io.video.clip import have_av
from tronie.io.video.frame_shape import LONGEST, MOST_PIXELS
from tronie.io.video.writer import write_movie

FRAMES = 4
"""That are read of a clip."""


def films() -> Iterator[bytes]:
    """The same eight frames of 32 x 24 pixels as whatever can be written here."""
    with tempfile.TemporaryDirectory() as name:
        for code, ending in (("mp4v", "mp4"), ("MJPG", "avi"), ("mp4v", "mov"), ("MJPG", "mkv")):
            path = Path(name, f"film.{ending}")
            with quiet_opencv():
                writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), 24, (32, 24))
            for k in range(8):
                writer.write(np.ascontiguousarray(np.roll(made.noise(24, 32) // 2, k, axis=1)))
            writer.release()
            if path.exists() and path.stat().st_size > 500:
                yield path.read_bytes()
        for ending in ("webm", *(("mp4",) if have_av() else ())):
            path = Path(name, f"written.{ending}")
            write_movie(path, [made.noise(24, 32) // 2 for _ in range(6)], 24)
            yield path.read_bytes()
    yield b"YUV4MPEG2 W16 H16 F25:1\n" + (b"FRAME\n" + bytes(384)) * 3


def _clip(reader: str, path: Path) -> None:
    clip = open_video(path, reader=reader)
    try:
        width, height = clip.info.size
        assert 0 < width * height <= MOST_PIXELS
        assert max(width, height) <= LONGEST
        assert 0 < clip.info.fps < 2000
        assert clip.info.codec.isprintable()
        times = []
        for shown in islice(clip.frames(), FRAMES):
            assert shown.image.shape == (height, width, 3)
            assert shown.image.dtype == np.uint8
            times.append(shown.time)
        assert all(a < b for a, b in pairwise(times))
    finally:
        clip.close()


def _pyav(path: Path) -> None:
    _clip("PyAV", path)


def _opencv(path: Path) -> None:
    _clip("OpenCV", path)


def _inspect(path: Path) -> None:
    from tronie.runtime.job import Job
    from tronie.service.inspection import Inspection, Most, No, Question

    preview = path.with_name("preview.jpg")
    preview.unlink(missing_ok=True)
    answer = Inspection(Most(2, 60))(Job())(Question(path, "a.jpg", ".jpg", preview))
    if isinstance(answer, No):
        from fuzz.law import is_sentence

        assert is_sentence(answer.reason), answer.reason
        assert str(path.parent) not in answer.reason, answer.reason
        assert "inside tronie" not in answer.reason, answer.reason
    else:
        assert preview.stat().st_size
        assert answer.width * answer.height <= 2 * MEGA


def _all() -> Iterator[bytes]:
    yield from stills()
    yield from moving()
    yield from films()


TARGETS = (
    Target("video", films, _pyav, "input.mp4", structure=boxes, needs=("av",), memory=700 * MEGA),
    Target("opencv", films, _opencv, "input.mp4", structure=boxes, memory=700 * MEGA),
    Target("inspect", _all, _inspect, memory=900 * MEGA),
)
