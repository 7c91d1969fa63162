"""Decoders that speak for themselves, kept quiet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hushed() -> Iterator[None]:
    """OpenCV's warnings kept back: what matters of them is said in one sentence. (Those of its FFmpeg are by the
    variable OPENCV_FFMPEG_LOGLEVEL, which the command line sets before OpenCV is loaded.)"""
    import cv2

    before = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(0)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(before)
