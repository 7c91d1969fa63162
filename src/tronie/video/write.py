"""Video files out: H.264 where PyAV is installed, MPEG-4 by OpenCV elsewhere."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from tronie.errors import OutputError
from tronie.types import Image
from tronie.video.clip import have_av

TICKS = 90_000
"""Time steps per second in what PyAV writes."""
QUALITY = 20
"""x264's constant rate factor."""


class VideoFile:
    """A file being written, frame by frame; `with VideoFile(...) as file: file.add(image, time)`."""

    def __init__(self, path: Path, size: tuple[int, int], fps: float) -> None:
        """`size` is (width, height); odd sides lose a pixel, for H.264 knows none."""
        self.path, self.size = path, (max(size[0] // 2 * 2, 2), max(size[1] // 2 * 2, 2))
        self._fps = fps
        self._last = -1
        self._writer: Any = self._open_av() if have_av() else self._open_cv()

    def __enter__(self) -> VideoFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def add(self, image: Image, time: float) -> None:
        """One frame (H, W, 3), shown from `time` seconds on. OpenCV knows a constant rate only."""
        width, height = self.size
        image = np.ascontiguousarray(image[:height, :width])
        if self._stream is None:
            import cv2

            self._writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
            return
        import av

        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        stamp = max(round(time * TICKS), self._last + 1)
        frame.pts, frame.time_base, self._last = stamp, Fraction(1, TICKS), stamp
        self._writer.mux(self._stream.encode(frame))

    def close(self) -> None:
        if self._writer is None:
            return
        if self._stream is None:
            self._writer.release()
        else:
            self._writer.mux(self._stream.encode())
            self._writer.close()
        self._writer = None

    def _open_av(self) -> Any:
        import av

        try:
            writer: Any = av.open(str(self.path), "w", format="mp4", options={"movflags": "+faststart"})
            self._stream: Any = writer.add_stream("libx264", rate=Fraction(self._fps).limit_denominator(1001))
        except (av.FFmpegError, ValueError, OSError) as error:
            raise OutputError(f"Cannot write {self.path}: {error}.") from None
        self._stream.width, self._stream.height = self.size
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, TICKS)
        self._stream.options = {"crf": str(QUALITY), "preset": "veryfast"}
        return writer

    def _open_cv(self) -> Any:
        import cv2

        self._stream = None
        writer = cv2.VideoWriter(str(self.path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), self._fps, self.size)
        if not writer.isOpened():
            raise OutputError(f"Cannot write {self.path}: OpenCV on this machine writes no MPEG-4.")
        return writer
