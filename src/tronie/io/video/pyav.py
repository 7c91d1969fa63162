"""Video files through PyAV (FFmpeg): every frame with its own time, also behind damaged ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tronie.arrays import Image
from tronie.color import is_hdr, is_srgb, peak_of, to_srgb
from tronie.errors import InputError
from tronie.io.video.clip import MOST_FRAMES, USUAL_FPS, ClipInfo, Frame, Reader, Times, ended_early
from tronie.io.video.container import open_container
from tronie.io.video.deinterlace import FieldFilter, Fields, said_of
from tronie.io.video.frame_shape import MOST_PIXELS, Pose, Shape, check_frame, resized
from tronie.io.video.mp4_boxes import track_info
from tronie.io.video.sound import Sound

LOOK_AGAIN = 8
"""Frames between two looks at how bright high dynamic range gets."""


class AvClip(Reader):
    """One file."""

    def __init__(self, source: str) -> None:
        import av

        # What matters of FFmpeg's messages is said in `notes`. At any level but None its decoding threads wait for
        # Python's lock with each of them, and closing a file, which holds that lock, waits for them.
        av.logging.set_level(None)
        self._av = av
        try:
            # FFmpeg's decoders refuse larger frames, whatever the container says of their size.
            self._container: Any = open_container(source, options={"max_pixels": str(MOST_PIXELS)})
        except (av.FFmpegError, ValueError, OSError) as error:
            raise InputError(f"{source} cannot be opened as a video ({_reason(error)}).") from None
        if not self._container.streams.video:
            self._container.close()
            raise InputError(f"{source} holds no pictures, only sound or data.")
        self._stream = self._container.streams.video[0]
        if self._stream.codec_context is None:
            self._container.close()
            raise InputError(f"{source} holds pictures of a kind that is not read.")
        try:
            check_frame(source, self._stream.codec_context.width or 1, self._stream.codec_context.height or 1)
            self._stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}
            self._stream.thread_type = "AUTO"
            self._first, self._packets = self._begin(source)
            told = track_info(source)
            aspect = told.aspect or float(self._stream.sample_aspect_ratio or 1)
            stored = self._first.width, self._first.height
            self._shape = Shape.of(source, stored, aspect, _pose(self._first), told.window)
        except InputError:
            self._container.close()
            raise
        rate = self._stream.average_rate or self._stream.guessed_rate
        info = ClipInfo(
            name=Path(source).stem,
            source=source,
            size=self._shape.size,
            fps=float(rate) if rate and 0.1 < float(rate) < 1000 else USUAL_FPS,
            frames=self._count(float(rate or 0)),
            rotation=90 * self._shape.pose.turns,
            codec=self._stream.codec_context.name.removeprefix("lib").replace("dav1d", "av1"),
            reader="PyAV",
            sound=Sound(source, _seconds(self._first) or 0.0) if self._container.streams.audio else None,
        )
        self._peak = 1.0
        self._odd = 0
        self._filter = FieldFilter()
        super().__init__(info)

    def frames(self) -> Iterator[Frame]:
        times = Times(self._info.fps)
        fields = Fields()
        count = 0
        for stamp, image in fields.whole(self._pictures()):
            yield Frame(count, times.next(stamp), self._shape.shown(image))
            count += 1
        self._notes += self._shape.notes() + times.notes() + said_of(fields.made + self._filter.made)
        if self._bad:
            self._notes.append(f"{self._bad} damaged parts of the video were left out")
        if self._odd:
            self._notes.append(f"{self._odd} frames of another size were resized")
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
        most = f"{MOST_PIXELS / 1e6:.0f} megapixels"
        raise InputError(f"{source} holds no picture that can be read: it is damaged, or its frames have over {most}.")

    def _stored(self) -> Iterator[Any]:
        yield self._first
        yield from self._packets

    def _pictures(self) -> Iterator[tuple[float | None, Image]]:
        """Times on the file's clock, and the pictures as stored, in sRGB."""
        for count, stored in enumerate(self._filter.whole(self._stored())):
            try:
                image = resized(self._rgb(stored, count), self._shape.stored)
            except (self._av.FFmpegError, ValueError):  # of a kind of its own, which cannot be brought to RGB
                self._bad += 1
                continue
            self._odd += (stored.width, stored.height) != self._shape.stored
            yield _seconds(stored), image

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

    def _rgb(self, stored: Any, number: int) -> Image:
        """A frame in sRGB, as stored. FFmpeg knows its matrix and range, not its primaries and transfer function."""
        primaries, transfer = int(stored.color_primaries), int(stored.color_trc)
        if is_srgb(primaries, transfer):
            return np.asarray(stored.to_ndarray(format="rgb24"), dtype=np.uint8)
        codes = stored.to_ndarray(format="rgb48le")
        if is_hdr(transfer) and number % LOOK_AGAIN == 0:
            # It only grows: what has been rolled off once stays so, and the faces do not flicker.
            self._peak = max(self._peak, peak_of(codes, primaries, transfer))
        return to_srgb(codes, primaries, transfer, peak=self._peak)

    def _count(self, rate: float) -> int | None:
        """How many frames there should be: an edit list shows fewer than are stored."""
        stored = int(self._stream.frames) or None
        seconds = None
        if self._stream.duration:
            seconds = float(self._stream.duration * self._stream.time_base)
        elif self._container.duration:
            seconds = self._container.duration / 1e6
        if not seconds or not rate:
            return stored
        return min(round(seconds * rate), stored or MOST_FRAMES) or None


def _pose(stored: Any) -> Pose:
    """How a frame is to be turned and mirrored."""
    matrix = stored.side_data.get("DISPLAYMATRIX")
    return Pose() if matrix is None else Pose.of(np.frombuffer(bytes(matrix), np.int32, 9).tolist())


def _seconds(stored: Any) -> float | None:
    """On the file's clock."""
    return None if stored.pts is None else float(stored.pts * stored.time_base)


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(str(text).split()).rstrip(".")[:120].lower()
