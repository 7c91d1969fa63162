"""Every codec and container that people bring: same frames, same times, with both readers where both can."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tronie.io.video import open_clip

av = pytest.importorskip("av", reason="the extra `video`")

SIZE = (128, 96)
FILMS = {
    "h264.mp4": ("libx264", {"crf": "18"}),
    "h264.mov": ("libx264", {"crf": "18"}),
    "h264.mkv": ("libx264", {"crf": "18", "bf": "3"}),
    "hevc.mp4": ("libx265", {"crf": "18", "x265-params": "log-level=none"}),
    "vp8.webm": ("libvpx", {"crf": "8", "b": "2M"}),
    "vp9.webm": ("libvpx-vp9", {"crf": "20", "cpu-used": "8"}),
    "av1.mp4": ("libsvtav1", {"crf": "20", "preset": "12"}),
    "mpeg4.mov": ("mpeg4", {"b": "2M"}),
}


def pictures(count: int) -> list[np.ndarray]:
    """A bright square that wanders to the right over dark ground."""
    out = []
    for k in range(count):
        picture = np.full((SIZE[1], SIZE[0], 3), 30, np.uint8)
        picture[16:64, 3 * k : 3 * k + 40] = (230, 120, 60)
        out.append(picture)
    return out


def film(path: Path, codec: str, options: dict[str, str], stamps: Sequence[int], rate: int = 24) -> Path:
    """A film of one picture for each stamp, which counts in 1/(10 rate) s."""
    try:
        av.Codec(codec, "w")
    except Exception:
        pytest.skip(f"this PyAV writes no {codec}")
    base = Fraction(1, 10 * rate)
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.time_base = base
        for stamp, picture in zip(stamps, pictures(len(stamps)), strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = stamp, base
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


@pytest.mark.parametrize("reader", ["PyAV", "OpenCV"])
@pytest.mark.parametrize("name", FILMS)
def test_every_kind_of_film_is_read_frame_by_frame(tmp_path: Path, name: str, reader: str) -> None:
    path = film(tmp_path / name, *FILMS[name], [10 * k for k in range(20)])
    if reader == "OpenCV" and name.startswith("av1"):
        pytest.skip("OpenCV's wheels decode AV1 on some machines only")
    clip = open_clip(path, reader=reader)
    frames = list(clip.frames())
    clip.close()
    assert clip.info.size == SIZE
    assert len(frames) == 20
    assert np.allclose([frame.time for frame in frames], np.arange(20) / 24, atol=2e-3)
    for frame, true in zip(frames, pictures(20), strict=True):
        assert np.abs(frame.image.astype(int) - true).mean() < 8
    assert clip.notes == ()


def test_no_message_of_ffmpeg_waits_for_python(tmp_path: Path) -> None:
    """Its decoding threads would wait for the lock that whoever closes the file holds while he waits for them."""
    av = pytest.importorskip("av")
    name = next(iter(FILMS))
    before = av.logging.get_level()
    av.logging.set_level(av.logging.PANIC)
    try:
        open_clip(film(tmp_path / name, *FILMS[name], [0, 10, 20]), reader="PyAV").close()
        assert av.logging.get_level() is None
    finally:
        av.logging.set_level(before)


@pytest.mark.parametrize("reader", ["PyAV", "OpenCV"])
@pytest.mark.parametrize("name", ["h264.mp4", "vp9.webm"])
def test_frames_of_a_variable_rate_keep_their_times_and_that_is_said(tmp_path: Path, name: str, reader: str) -> None:
    stamps = np.cumsum([0] + [10 if k % 5 else 25 for k in range(23)]).tolist()
    clip = open_clip(film(tmp_path / name, *FILMS[name], stamps), reader=reader)
    times = [frame.time for frame in clip.frames()]
    clip.close()
    assert np.allclose(times, np.array(stamps) / 240, atol=2e-3)
    assert any("varies" in note for note in clip.notes)


@pytest.mark.parametrize("reader", ["PyAV", "OpenCV"])
@pytest.mark.parametrize("name", ["h264.mkv", "vp9.webm"])
@pytest.mark.parametrize("share", [0.6, 0.8, 0.93])
def test_what_is_left_of_a_file_that_breaks_off_is_used(tmp_path: Path, name: str, reader: str, share: float) -> None:
    whole = film(tmp_path / name, *FILMS[name], [10 * k for k in range(40)])
    data = whole.read_bytes()
    short = tmp_path / f"short-{name}"
    short.write_bytes(data[: int(len(data) * share)])
    clip = open_clip(short, reader=reader)
    frames = list(clip.frames())
    clip.close()
    assert 2 <= len(frames) < 40
    for frame, true in zip(frames[:-1], pictures(40), strict=False):
        assert np.abs(frame.image.astype(int) - true).mean() < 8
    assert any("breaks off" in note for note in clip.notes)
