"""Video files and cameras through OpenCV, which every installation has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tronie.errors import InputError
from tronie.video.clip import USUAL_FPS, ClipInfo, Frame, Reader
from tronie.video.timing import Times, ended_early


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


class CvClip(Reader):
    """One file. OpenCV turns the pictures upright itself, and ends at the first frame that it cannot read."""

    def __init__(self, source: str) -> None:
        import cv2

        self._cv2 = cv2
        with hushed():
            self._capture: Any = cv2.VideoCapture(source, cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise InputError(f"{source} cannot be opened as a video: it is cut off, damaged or none.")
        ok, self._first = self._capture.read()
        if not ok:
            self._capture.release()
            raise InputError(
                f"{source} holds no picture that OpenCV can read; pip install 'tronie[video]' reads more kinds, as AV1."
            )
        self._stamp = float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000
        fps, count = self._capture.get(cv2.CAP_PROP_FPS), self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        code = int(self._capture.get(cv2.CAP_PROP_FOURCC))
        info = ClipInfo(
            name=Path(source).stem,
            source=source,
            size=(self._first.shape[1], self._first.shape[0]),
            fps=float(fps) if 0.1 < fps < 1000 else USUAL_FPS,
            frames=int(count) if count > 0 else None,
            rotation=int(self._capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360,
            codec="".join(chr(code >> 8 * k & 255) for k in range(4)).strip("\0 ").lower() or "unknown",
            reader="OpenCV",
        )
        super().__init__(info)

    def frames(self) -> Iterator[Frame]:
        times = Times(self._info.fps)
        count, picture, stamp = 0, self._first, self._stamp
        while True:
            yield Frame(
                count, times.next(stamp), np.asarray(self._cv2.cvtColor(picture, self._cv2.COLOR_BGR2RGB), np.uint8)
            )
            count += 1
            ok, picture = self._capture.read()
            if not ok:
                break
            stamp = float(self._capture.get(self._cv2.CAP_PROP_POS_MSEC)) / 1000
        self._notes += times.notes() + ended_early(count, times.last, self._info)

    def close(self) -> None:
        self._capture.release()


class CameraClip(Reader):
    """A camera of this machine, until somebody stops reading."""

    def __init__(self, number: str) -> None:
        import cv2

        try:
            index = int(number)
        except ValueError:
            raise InputError(f"A camera has a number (--camera 0), not {number!r}.") from None
        self._cv2 = cv2
        with hushed():
            self._capture: Any = cv2.VideoCapture(index)
        ok = self._capture.isOpened()
        self._first: Any = None
        if ok:
            ok, self._first = self._capture.read()
        if not ok:
            self._capture.release()
            raise InputError(f"Camera {index} cannot be opened; is it connected, and used by no other program?")
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        info = ClipInfo(
            name=f"camera-{index}", source=f"camera:{index}", size=(self._first.shape[1], self._first.shape[0]),
            fps=float(fps) if 1 < fps < 1000 else 30.0, frames=None, rotation=0, codec="camera", reader="OpenCV",
        )  # fmt: skip
        super().__init__(info)

    def frames(self) -> Iterator[Frame]:
        import time

        began, times, count, picture = time.perf_counter(), Times(self._info.fps), 0, self._first
        while True:
            image = np.asarray(self._cv2.cvtColor(picture, self._cv2.COLOR_BGR2RGB), dtype=np.uint8)
            yield Frame(count, times.next(time.perf_counter() - began), image)
            count += 1
            ok, picture = self._capture.read()
            if not ok:
                return

    def close(self) -> None:
        self._capture.release()
