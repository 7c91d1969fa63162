"""Video files and cameras through OpenCV, which every installation has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tronie.arrays import Image
from tronie.color import BT2020, DISPLAY_P3, is_hdr, is_srgb, srgb_encode, to_srgb
from tronie.errors import InputError
from tronie.io.decode import quiet_opencv
from tronie.io.video.clip import MOST_FRAMES, USUAL_FPS, ClipInfo, Frame, Reader, Times, ended_early
from tronie.io.video.deinterlace import Fields, said_of
from tronie.io.video.frame_shape import Pose, Shape, check_frame
from tronie.io.video.mp4_boxes import track_info

WIDE = (BT2020, DISPLAY_P3)
"""Primaries that FFmpeg maps."""
FFMPEG_8 = 60
"""Version of libavutil in the FFmpeg that does, and that refuses interlaced pictures."""


class CvClip(Reader):
    """One file. OpenCV ends at the first frame that it cannot read. What it does not tell of an MP4 (edit lists, the
    coding of colours, mirrored and cropped pictures) is read from its boxes; of other files it turns the pictures
    upright itself."""

    def __init__(self, source: str) -> None:
        import cv2

        self._cv2 = cv2
        self._told = track_info(source)
        self._capture = self._opened(source)
        try:
            check_frame(
                source,
                int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH)) or 1,
                int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT)) or 1,
            )
            ok, self._first = self._capture.read()
            if not ok:
                raise InputError(
                    f"{source} holds no picture that OpenCV can read; pip install 'tronie[video]' reads more kinds, "
                    "as AV1."
                )
            rotation = int(self._capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360
            told = self._told
            aspect = told.aspect or self._aspect(rotation if told.pose is None else 0)
            self._shape = Shape.of(source, self._first.shape[1::-1], aspect, told.pose or Pose(), told.window)
        except InputError:
            self._capture.release()
            raise
        self._stamp = float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000
        fps, count = self._capture.get(cv2.CAP_PROP_FPS), self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        fps = float(fps) if 0.1 < fps < 1000 else USUAL_FPS
        code = int(self._capture.get(cv2.CAP_PROP_FOURCC))
        info = ClipInfo(
            name=Path(source).stem,
            source=source,
            size=self._shape.size,
            fps=fps,
            frames=self._count(count, fps),
            rotation=rotation if told.pose is None else 90 * told.pose.turns,
            codec="".join(chr(code >> 8 * k & 255) for k in range(4)).strip("\0 ").lower() or "unknown",
            reader="OpenCV",
        )
        super().__init__(info)

    def frames(self) -> Iterator[Frame]:
        times, fields = Times(self._info.fps), Fields()
        count = 0
        for stamp, image in fields.whole(self._pictures()):
            yield Frame(count, times.next(stamp), self._shape.shown(image))
            count += 1
        self._notes += self._shape.notes() + times.notes() + said_of(fields.made)
        self._notes += ended_early(count, times.last, self._info)

    def _pictures(self) -> Iterator[tuple[float, Image]]:
        """Times on the file's clock, and the pictures as stored, in sRGB."""
        picture, stamp, count, changed = self._first, self._stamp, 0, False
        while True:
            yield stamp, self._srgb(np.asarray(self._cv2.cvtColor(picture, self._cv2.COLOR_BGR2RGB), np.uint8))
            count += 1
            ok, picture = self._capture.read()
            changed = changed or (ok and not np.array_equal(picture, self._first))
            if not changed and (count == 1 or not ok):
                changed = self._must_be_written(over=not ok)
            if not ok:
                return
            stamp = float(self._capture.get(self._cv2.CAP_PROP_POS_MSEC)) / 1000

    def _must_be_written(self, *, over: bool) -> bool:
        """OpenCV with FFmpeg 8 gives interlaced pictures back as whatever its memory held, and says nothing: all alike,
        black or of noise that is another's in another memory. Raises InputError for such; whether the picture is one
        (black ones may be, unless all of the clip is)."""
        if not self._first.any():
            if not over:
                return False
        else:
            again = self._opened(self._info.source)
            ok, fresh = again.read()
            again.release()
            if ok and np.array_equal(fresh, self._first):
                return True
        raise InputError(
            f"{self._info.source} gives OpenCV no picture, as interlaced videos do; pip install 'tronie[video]' reads "
            "them."
        )

    def _opened(self, source: str) -> Any:
        cv2 = self._cv2
        with quiet_opencv():
            capture: Any = cv2.VideoCapture(source, cv2.CAP_FFMPEG)
        if not capture.isOpened():
            raise InputError(f"{source} cannot be opened as a video: it is cut off, damaged or none.")
        if self._told.pose is not None:
            capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
        return capture

    def close(self) -> None:
        self._capture.release()

    def _aspect(self, rotation: int) -> float | None:
        """Width of a pixel by its height, as it is after turning."""
        num, den = (self._capture.get(p) for p in (self._cv2.CAP_PROP_SAR_NUM, self._cv2.CAP_PROP_SAR_DEN))
        if not (num > 0 and den > 0):
            return None
        return float(den / num if rotation % 180 else num / den)

    def _count(self, stored: float, fps: float) -> int | None:
        count = int(stored) if 0 < stored < MOST_FRAMES else None
        if self._told.seconds is None:
            return count
        shown = round(min(self._told.seconds * fps, MOST_FRAMES))
        return min(shown, count or shown) or None

    def _srgb(self, image: Image) -> Image:
        """What OpenCV's FFmpeg made of the codes. From version 8 on it maps high dynamic range and wide primaries to
        BT.709 by itself, and encodes them for screens of gamma 2.4."""
        if self._told.coding is None or is_srgb(*self._told.coding):
            return image
        primaries, transfer = self._told.coding
        if not has_ffmpeg_8() or not (is_hdr(transfer) or primaries in WIDE):
            return to_srgb(image, primaries, transfer)
        return np.take(_as_srgb(), image) if is_hdr(transfer) else image


@cache
def has_ffmpeg_8() -> bool:
    import cv2

    version = re.search(r"avutil:\s+YES \((\d+)", cv2.getBuildInformation())
    return version is not None and int(version[1]) >= FFMPEG_8


@cache
def _as_srgb() -> Image:
    """(256,) uint8: codes for screens of gamma 2.4 -> sRGB."""
    return np.asarray(np.rint(255 * srgb_encode((np.arange(256) / 255) ** 2.4)), dtype=np.uint8)


class CameraClip(Reader):
    """A camera of this machine, until somebody stops reading."""

    def __init__(self, number: str) -> None:
        import cv2

        try:
            index = int(number)
        except ValueError:
            raise InputError(f"A camera has a number (--camera 0), not {number!r}.") from None
        self._cv2 = cv2
        with quiet_opencv():
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
            name=f"camera-{index}",
            source=f"camera:{index}",
            size=(self._first.shape[1], self._first.shape[0]),
            fps=float(fps) if 1 < fps < 1000 else 30.0,
            frames=None,
            rotation=0,
            codec="camera",
            reader="OpenCV",
        )
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
