"""Video files through PyAV (FFmpeg): every frame with its own time, also behind damaged ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tronie.errors import InputError
from tronie.types import Image
from tronie.video.clip import USUAL_FPS, ClipInfo, Frame, Reader
from tronie.video.timing import Times, ended_early


class AvClip(Reader):
    """One file."""

    def __init__(self, source: str) -> None:
        import av

        av.logging.set_level(av.logging.PANIC)  # what matters of its messages is said in `notes`
        self._av = av
        try:
            # Names inside a container may be in any encoding, and do not matter here.
            self._container: Any = av.open(source, metadata_errors="ignore")
        except (av.FFmpegError, ValueError, OSError) as error:
            raise InputError(f"{source} cannot be opened as a video ({_reason(error)}).") from None
        if not self._container.streams.video:
            self._container.close()
            raise InputError(f"{source} holds no pictures, only sound or data.")
        self._stream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self._first, self._packets = self._begin(source)
        turns = round(-int(getattr(self._first, "rotation", 0)) / 90) % 4
        width, height = self._first.width, self._first.height
        rate = self._stream.average_rate or self._stream.guessed_rate
        info = ClipInfo(
            name=Path(source).stem,
            source=source,
            size=(height, width) if turns % 2 else (width, height),
            fps=float(rate) if rate and 0.1 < float(rate) < 1000 else USUAL_FPS,
            frames=self._count(float(rate or 0)),
            rotation=90 * turns,
            codec=self._stream.codec_context.name.removeprefix("lib").replace("dav1d", "av1"),
            reader="PyAV",
        )
        super().__init__(info)

    def frames(self) -> Iterator[Frame]:
        times = Times(self._info.fps)
        count, resized = 0, 0
        for stored in self._stored():
            image = self._picture(stored)
            if (image.shape[1], image.shape[0]) != self._info.size:
                import cv2

                resized += 1
                image = np.asarray(cv2.resize(image, self._info.size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
            stamp = None if stored.pts is None else float(stored.pts * stored.time_base)
            yield Frame(count, times.next(stamp), image)
            count += 1
        self._notes += times.notes()
        if self._bad:
            self._notes.append(f"{self._bad} damaged parts of the video were left out")
        if resized:
            self._notes.append(f"{resized} frames of another size were resized")
        self._notes += ended_early(count, times.last, self._info)

    def close(self) -> None:
        self._container.close()

    def _begin(self, source: str) -> tuple[Any, Iterator[Any]]:
        """The first frame, which knows size and rotation, and the decoder behind it."""
        self._bad = 0
        stored = self._decoded()
        for frame in stored:
            return frame, stored
        self._container.close()
        raise InputError(f"{source} holds no picture that can be read.")

    def _stored(self) -> Iterator[Any]:
        yield self._first
        yield from self._packets

    def _decoded(self) -> Iterator[Any]:
        """Frames as stored. A packet that cannot be decoded is left out; where the file breaks off, this ends."""
        errors = (self._av.FFmpegError, ValueError)
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except errors:
                self._bad += 1
                return
            try:
                frames = packet.decode()
            except self._av.error.EOFError:
                return
            except errors:
                self._bad += 1
                continue
            yield from frames

    def _picture(self, stored: Any) -> Image:
        image = stored.to_ndarray(format="rgb24")
        turns = self._info.rotation // 90
        return np.ascontiguousarray(np.rot90(image, -turns)) if turns else image

    def _count(self, rate: float) -> int | None:
        if self._stream.frames:
            return int(self._stream.frames)
        seconds = None
        if self._stream.duration:
            seconds = float(self._stream.duration * self._stream.time_base)
        elif self._container.duration:
            seconds = self._container.duration / 1e6
        return round(seconds * rate) if seconds and rate else None


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(str(text).split()).rstrip(".")[:120].lower()
