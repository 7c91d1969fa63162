"""Moving pictures to files: MP4, WebM, GIF or a folder of PNGs; whole or not at all.

MP4 is H.264 where the extra `video` (PyAV) is installed, which is fast and plays everywhere. OpenCV's wheels write VP8
in WebM nearly as fast, and VP9 in MP4 many times slower; current browsers play both.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from tronie.arrays import Image
from tronie.errors import OutputError
from tronie.io.video.sound import Sound, SoundTrack
from tronie.runtime.atomic_files import new_file, new_folder, taken

FORMATS: tuple[str, ...] = ("mp4", "webm", "gif", "png")
BT709, LIMITED = 1, 1
"""Code points of a film's matrix, primaries and transfer function, and of its range."""
GIF_RATES = (10.0, 12.5, 20.0, 25.0, 100 / 3, 50.0)
"""Pictures per second that whole hundredths of a second make, which is how GIF counts; browsers slow down others."""


def default_format() -> str:
    """`mp4` where H.264 can be written, else `webm`."""
    return "mp4" if find_spec("av") is not None else "webm"


def write_movie(
    path: Path,
    frames: Iterable[Image],
    fps: float,
    *,
    overwrite: bool = False,
    sample: Sequence[Image] = (),
    sound: Sound | None = None,
) -> int:
    """Write RGB pictures (H, W, 3) of one size, and with .gif or .png RGBA ones too; how many there were.

    The ending of `path` says how; with .png `path` without its ending becomes a folder of numbered pictures. MP4 and
    WebM want even sizes: an odd last row or column is left out. A GIF's colours are chosen from `sample`, else from the
    first picture. `sound` goes with MP4 where PyAV writes it, for as long as there are pictures. Raises OutputError.
    """
    kind = path.suffix[1:].lower()
    if kind not in FORMATS:
        raise OutputError(f"Cannot write {path}: its ending should be one of .{', .'.join(FORMATS)}.")
    target = path.with_suffix("") if kind == "png" else path
    taken(target, overwrite)
    if kind == "png":
        with new_folder(target, overwrite=overwrite) as work:
            return _pngs(work, frames)
    with new_file(target, overwrite=overwrite) as file:
        count = _gif(file, frames, fps, sample) if kind == "gif" else _video(file, frames, fps, sound)
        if not count:
            raise OutputError(f"Cannot write {path}: there are no pictures.")
    return count


def _pngs(folder: Path, frames: Iterable[Image]) -> int:
    from tronie.io.encode import png

    count = 0
    for count, frame in enumerate(frames, start=1):
        (folder / f"{count:05d}.png").write_bytes(png(frame))
    return count


def _video(path: Path, frames: Iterable[Image], fps: float, sound: Sound | None) -> int:
    if path.suffix == ".mp4" and find_spec("av") is not None:
        return _h264(path, frames, fps, sound)
    return _vp9(path, frames, fps)


def _even(frame: Image) -> Image:
    """Without an odd last row or column; of one, two."""
    frame = np.repeat(frame, 2, axis=0) if len(frame) == 1 else frame
    frame = np.repeat(frame, 2, axis=1) if frame.shape[1] == 1 else frame
    height, width = frame.shape[0] // 2 * 2, frame.shape[1] // 2 * 2
    return np.ascontiguousarray(frame[:height, :width, :3])


def _h264(path: Path, frames: Iterable[Image], fps: float, sound: Sound | None) -> int:
    import av

    count = 0
    rate = Fraction(fps).limit_denominator(1001)
    # The index at the front, so that a browser can begin before the end has arrived.
    with av.open(str(path), "w", options={"movflags": "faststart"}) as out:
        stream: Any = None
        track: SoundTrack | None = None
        try:
            for frame in map(_even, frames):
                count += 1
                if stream is None:
                    stream = _h264_stream(out, rate, frame)
                    track = SoundTrack(out, sound) if sound is not None else None
                picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
                out.mux(stream.encode(picture.reformat(format="yuv420p", dst_colorspace="ITU709")))
                if track is not None:
                    track.until(float(count / rate))
            if stream is not None:
                out.mux(stream.encode())
        finally:
            if track is not None:
                track.close()
    return count


def _h264_stream(out: Any, rate: Fraction, frame: Image) -> Any:
    """Players take a large film that does not tell its matrix for BT.709 and a small one for BT.601: it tells."""
    stream = out.add_stream("libx264", rate=rate, options={"crf": "18", "preset": "veryfast"})
    stream.height, stream.width, stream.pix_fmt = frame.shape[0], frame.shape[1], "yuv420p"
    context = stream.codec_context
    context.colorspace, context.color_primaries, context.color_trc, context.color_range = BT709, BT709, BT709, LIMITED
    return stream


def _vp9(path: Path, frames: Iterable[Image], fps: float) -> int:
    import cv2

    writer: Any = None
    count = 0
    code = cv2.VideoWriter.fourcc(*("vp09" if path.suffix == ".mp4" else "VP80"))
    try:
        for frame in map(_even, frames):
            count += 1
            if writer is None:
                height, width = frame.shape[:2]
                with _hushed():
                    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, fps, (width, height))
                if not writer.isOpened():
                    raise OutputError(
                        f"OpenCV writes no {path.suffix[1:]} here: pip install 'tronie[video]', or choose gif or png."
                    )
            writer.write(frame[..., ::-1])
    finally:
        if writer is not None:
            writer.release()
    return count


@contextmanager
def _hushed() -> Iterator[None]:
    """Nothing written to stderr: OpenCV complains there of a tag that WebM has no use for."""
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _gif(path: Path, frames: Iterable[Image], fps: float, sample: Sequence[Image]) -> int:
    """All frames share one palette, so that still parts do not flicker."""
    from PIL import Image as Pillow

    ahead = iter(frames)
    first = next(ahead, None)
    if first is None:
        return 0
    clear = first.shape[2] == 4
    colors = np.concatenate([p[::2, ::2, :3] for p in sample or (first,)])
    palette = Pillow.fromarray(np.ascontiguousarray(colors)).quantize(255 if clear else 256)
    count = 0

    def indexed() -> Iterator[Any]:
        nonlocal count
        for p in chain((first,), ahead):
            count += 1
            image = Pillow.fromarray(np.ascontiguousarray(p[..., :3]))
            image = image.quantize(palette=palette, dither=Pillow.Dither.FLOYDSTEINBERG)
            if clear:
                rows = np.asarray(image).copy()
                rows[p[..., 3] < 128] = 255
                bare = Pillow.fromarray(rows, "P")
                bare.putpalette(image.getpalette() or [])
                image = bare
            yield image

    pictures = indexed()
    rate = min(GIF_RATES, key=lambda r: abs(r - fps))
    options: dict[str, Any] = {"transparency": 255, "disposal": 2} if clear else {}
    next(pictures).save(path, save_all=True, append_images=pictures, duration=round(1000 / rate), loop=0, **options)
    return count
