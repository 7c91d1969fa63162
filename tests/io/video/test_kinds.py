"""Interlaced, turned, mirrored and cropped clips, and those of more bits, come out as their plain twins."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tronie.errors import InputError
from tronie.io.video import open_clip
from tronie.io.video.deinterlace import Fields
from tronie.io.video.frame_shape import Pose, Shape, Window
from tronie.io.video.mp4_boxes import track_info
from tronie.io.video.opencv import has_ffmpeg_8

READERS = ["PyAV", "OpenCV"]
SIZE = (96, 64)
INTERLACED = (1 << 18) | (1 << 29)
"""FFmpeg's flags for an encoder: code fields, and search motion in them."""


def ground() -> np.ndarray:
    """(80, 160, 3) smooth patches of skin, lit and dark, wider than a picture."""
    import cv2

    coarse = np.random.default_rng(2).uniform(40, 240, (6, 11, 1)).astype(np.float32) * [1, 0.76, 0.65]
    return np.clip(cv2.resize(coarse, (160, 80), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)


def moment(time: float, speed: tuple[float, float] = (3.0, 0.0)) -> np.ndarray:
    """The picture at a time in frames."""
    import cv2

    shift = np.array([[1, 0, -speed[0] * time - 4], [0, 1, -speed[1] * time - 8]], np.float32)
    return cv2.warpAffine(ground(), shift, SIZE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def woven(number: int, first: int, speed: tuple[float, float] = (3.0, 0.0)) -> np.ndarray:
    """Two moments, that of the lines of parity `first` half a frame before the other."""
    picture = moment(number, speed)
    picture[1 - first :: 2] = moment(number + 0.5, speed)[1 - first :: 2]
    return picture


def pictures(count: int = 8) -> list[np.ndarray]:
    return [moment(k) for k in range(count)]


def marked(first: int) -> Any:
    """A function that marks PyAV's frames as interlaced in this order."""
    from av.filter import Graph

    graph = Graph()
    ends = [
        graph.add_buffer(width=SIZE[0], height=SIZE[1], format="yuv420p", time_base=Fraction(1, 25)),
        graph.add("setfield", "bff" if first else "tff"),
        graph.add("buffersink"),
    ]
    for one, following in pairwise(ends):
        one.link_to(following)
    graph.configure()

    def mark(frame: Any) -> Any:
        graph.push(frame)
        return graph.pull()

    return mark


def film(path: Path, frames: Sequence[np.ndarray], codec: str = "libx264", **about: Any) -> Path:
    """`about`: `pix_fmt`, `options`, `matrix` of the track, `first` field, `stamps` in ms."""
    av = pytest.importorskip("av", reason="the extra `video` writes the test's clip")
    usual = {"libx264": {"crf": "2", "preset": "ultrafast"}, "libx265": {"crf": "4", "preset": "ultrafast"}}
    options = about.get("options", usual.get(codec, {}))
    if codec == "libx265":
        options = options | {"x265-params": "log-level=none"}
    pix_fmt, stamps, first = about.get("pix_fmt", "yuv420p"), about.get("stamps"), about.get("first")
    mark = (lambda frame: frame) if first is None else marked(first)
    base = Fraction(1, 1000) if stamps else Fraction(1, 25)
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = base
        if first is not None:
            stream.codec_context.flags |= INTERLACED
        for k, rgb in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=pix_fmt, dst_colorspace=5)
            frame.pts, frame.time_base = stamps[k] if stamps else k, base
            out.mux(stream.encode(mark(frame)))
        out.mux(stream.encode())
    if "matrix" in about:
        data, plain = path.read_bytes(), struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
        a, b, c, d = about["matrix"]
        at = data.index(plain, data.index(b"tkhd"))
        turned = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
        path.write_bytes(data[:at] + turned + data[at + len(plain) :])
    return path


def read(path: Path, reader: str) -> tuple[list[np.ndarray], Any]:
    clip = open_clip(path, reader=reader)
    frames = [frame.image for frame in clip.frames()]
    clip.close()
    return frames, clip


def error(shown: Sequence[np.ndarray], true: Sequence[np.ndarray]) -> float:
    return float(np.mean([np.abs(a.astype(int) - b).mean() for a, b in zip(shown, true, strict=True)]))


def combs(images: Sequence[np.ndarray]) -> float:
    """How unlike its neighbours every line is, grey levels."""
    grey = np.array(images)[..., 1].astype(float)
    return float(np.abs(grey[:, 1:-1] - (grey[:, :-2] + grey[:, 2:]) / 2).mean())


speeds = st.tuples(st.floats(1, 6) | st.floats(-6, -1), st.floats(-3, 3))


@given(speeds, st.integers(0, 1), st.integers(0, 1000))
@settings(max_examples=8, deadline=None)
def test_fields_are_told_by_the_pictures_and_made_whole(speed: tuple[float, float], first: int, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(-3, 4, (6, SIZE[1], SIZE[0], 1))
    true = [moment(k, speed) for k in range(6)]
    mixed = [np.clip(woven(k, first, speed) + noise[k], 0, 255).astype(np.uint8) for k in range(6)]
    fields = Fields()
    shown = [image for _, image in fields.whole(enumerate(mixed))]
    assert fields.made == len(shown) == 6
    assert all(np.array_equal(a[first::2], b[first::2]) for a, b in zip(shown, mixed, strict=True))
    assert error(shown, true) < error(mixed, true)
    assert combs(shown) < combs(mixed)


@given(speeds, st.integers(0, 1000))
@settings(max_examples=8, deadline=None)
def test_whole_pictures_stay_as_they_are(speed: tuple[float, float], seed: int) -> None:
    noise = np.random.default_rng(seed).integers(-3, 4, (8, SIZE[1], SIZE[0], 1))
    true = [np.clip(moment(k, speed) + noise[k], 0, 255).astype(np.uint8) for k in range(8)]
    fields = Fields()
    shown = list(fields.whole(enumerate(true)))
    assert [k for k, _ in shown] == list(range(8))
    assert all(np.array_equal(a, b) for (_, a), b in zip(shown, true, strict=True))
    assert fields.made == 0


def test_what_does_not_move_keeps_all_its_lines() -> None:
    stripes = moment(0)
    stripes[::2] //= 2
    there = [stripes] * 3 + [woven(k, 0) for k in range(4)] + [stripes] * 3
    shown = [image for _, image in Fields().whole(enumerate(there))]
    assert np.array_equal(shown[-1], stripes)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("codec", ["libx264", "mpeg2video", None])
def test_interlaced_clips_show_the_moment_of_their_first_field(
    tmp_path: Path, reader: str, first: int, codec: str | None
) -> None:
    """Whether the file says that it is interlaced or not (None). OpenCV that cannot show such pictures says so."""
    mixed = [woven(k, first) for k in range(8)]
    path = tmp_path / ("a.mpg" if codec == "mpeg2video" else "a.mp4")
    options = {"options": {"b": "20M"}} if codec == "mpeg2video" else {}
    film(path, mixed, codec or "libx264", **options, first=None if codec is None else first)
    if reader == "OpenCV" and codec is not None and has_ffmpeg_8():  # FFmpeg 8
        with pytest.raises(InputError, match=r"tronie\[video\]"):
            read(path, reader)
        return
    shown, clip = read(path, reader)
    assert error(shown, pictures()) < min(
        error(mixed, pictures()), 0.7 * error(shown, [moment(k + 0.5) for k in range(8)])
    )
    plain = combs(pictures())
    assert combs(shown) - plain < 0.25 * (combs(mixed) - plain)
    assert any("interlaced" in note for note in clip.notes)


class Unwritten:
    """OpenCV's capture whose pictures are never written into its memory."""

    def __init__(self, memory: Iterator[int], real: Any) -> None:
        self._real, self._value = real, next(memory)

    def read(self) -> tuple[bool, np.ndarray]:
        ok, picture = self._real.read()
        return ok, picture if picture is None else np.full_like(picture, self._value)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@pytest.mark.parametrize(("memory", "refused"), [((0, 0), True), ((7, 9), True), ((7, 7), False)])
def test_pictures_that_opencv_never_wrote_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: tuple[int, int], refused: bool
) -> None:
    import cv2

    path, capture, values = film(tmp_path / "a.mp4", pictures()), cv2.VideoCapture, iter(memory)
    monkeypatch.setattr(cv2, "VideoCapture", lambda *how: Unwritten(values, capture(*how)))
    if refused:
        with pytest.raises(InputError, match="gives OpenCV no picture"):
            read(path, "OpenCV")
    else:
        assert len(read(path, "OpenCV")[0]) == 8


def test_a_clip_that_begins_black_or_stands_still_is_read_by_opencv(tmp_path: Path) -> None:
    black = np.zeros_like(moment(0))
    assert len(read(film(tmp_path / "fades.mp4", [black] * 4 + pictures(4)), "OpenCV")[0]) == 8
    assert len(read(film(tmp_path / "still.mp4", [moment(0)] * 5), "OpenCV")[0]) == 5
    assert len(read(film(tmp_path / "one.mp4", [moment(0)]), "OpenCV")[0]) == 1


POSES = {
    (1, 0, 0, 1): lambda image: image,
    (0, 1, -1, 0): lambda image: np.rot90(image, -1),
    (-1, 0, 0, -1): lambda image: np.rot90(image, 2),
    (0, -1, 1, 0): lambda image: np.rot90(image, 1),
    (-1, 0, 0, 1): lambda image: image[:, ::-1],
    (1, 0, 0, -1): lambda image: image[::-1],
    (0, 1, 1, 0): lambda image: image.transpose(1, 0, 2),
    (0, -1, -1, 0): lambda image: np.rot90(image, 2).transpose(1, 0, 2),
}
"""a, b, c, d of a track's matrix, and what it does."""


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("matrix", POSES)
def test_clips_are_turned_and_mirrored_as_their_matrix_says(
    tmp_path: Path, reader: str, matrix: tuple[int, int, int, int]
) -> None:
    shown, clip = read(film(tmp_path / "a.mov", pictures(3), matrix=matrix), reader)
    true = [POSES[matrix](picture) for picture in pictures(3)]
    assert clip.info.size == (true[0].shape[1], true[0].shape[0])
    assert error(shown, true) < 3


@given(st.sampled_from(list(POSES)), st.floats(-0.6, 0.6), st.floats(0.5, 2))
@settings(max_examples=30, deadline=None)
def test_a_matrix_means_the_nearest_of_eight_poses(
    matrix: tuple[int, int, int, int], askew: float, scale: float
) -> None:
    turn = scale * np.array([[np.cos(askew), np.sin(askew)], [-np.sin(askew), np.cos(askew)]])
    (a, b), (c, d) = np.array(matrix).reshape(2, 2) @ turn
    picture = moment(0)
    pose = Pose.of([a, b, 0, c, d, 0, 0, 0, 1])
    assert np.array_equal(Shape.of("a", SIZE, pose=pose).shown(picture), POSES[matrix](picture))


def with_window(path: Path, numbers: Sequence[int]) -> Path:
    """The file with a clean aperture: a box in the entry of `stsd`, and all boxes around it longer. Its index is at the
    end."""
    data = bytearray(path.read_bytes())
    at = data.index(b"avcC") - 4
    box = struct.pack(">I4s8i", 40, b"clap", *numbers)
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"):
        place = data.rindex(name, 0, at) - 4
        data[place : place + 4] = struct.pack(">I", struct.unpack_from(">I", data, place)[0] + len(box))
    path.write_bytes(data[:at] + box + data[at:])
    return path


@pytest.mark.parametrize("reader", READERS)
def test_of_a_clean_aperture_only_what_is_inside_is_shown(tmp_path: Path, reader: str) -> None:
    path = with_window(film(tmp_path / "a.mp4", pictures(3)), (80, 1, 48, 1, 6, 1, -8, 2))
    assert track_info(path).window == Window(14, 4, 80, 48)
    shown, clip = read(path, reader)
    assert clip.info.size == (80, 48)
    assert error(shown, [picture[4:52, 14:94] for picture in pictures(3)]) < 3


@pytest.mark.parametrize(
    "numbers", [(200, 1, 48, 1, 0, 1, 0, 1), (80, 0, 48, 1, 0, 1, 0, 1), (80, 1, 48, 1, 40, 1, 0, 1)]
)
def test_an_aperture_that_makes_no_sense_is_ignored(tmp_path: Path, numbers: tuple[int, ...]) -> None:
    path = with_window(film(tmp_path / "a.mp4", pictures(2)), numbers)
    for reader in READERS:
        assert read(path, reader)[1].info.size == SIZE


DEEP = {
    "high10.mp4": ("libx264", "yuv420p10le"),
    "high422.mov": ("libx264", "yuv422p10le"),
    "high444.mp4": ("libx264", "yuv444p"),
    "main10.mp4": ("libx265", "yuv420p10le"),
    "main12.mp4": ("libx265", "yuv420p12le"),
    "prores.mov": ("prores_ks", "yuv422p10le"),
    "prores4444.mov": ("prores_ks", "yuva444p10le"),
    "av1.mp4": ("libsvtav1", "yuv420p10le"),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", DEEP)
def test_more_bits_and_finer_colours_look_the_same(tmp_path: Path, reader: str, name: str) -> None:
    codec, pix_fmt = DEEP[name]
    options = {"options": {"crf": "8", "preset": "12"}} if codec == "libsvtav1" else {}
    try:
        path = film(tmp_path / name, pictures(3), codec, pix_fmt=pix_fmt, **options)
    except (ValueError, OSError) as told:
        pytest.skip(f"this PyAV writes no {codec} of {pix_fmt}: {told}")
    if codec == "libsvtav1" and reader == "OpenCV":
        pytest.skip("OpenCV's wheels decode AV1 on some machines only")
    shown, clip = read(path, reader)
    assert error(shown, pictures(3)) < 4
    assert np.abs(np.mean(shown, axis=(0, 1, 2)) - np.mean(pictures(3), axis=(0, 1, 2))).max() < 3
    assert clip.notes == ()


@pytest.mark.parametrize("reader", READERS)
def test_a_recording_of_a_screen_that_stalls_keeps_its_times(tmp_path: Path, reader: str) -> None:
    stamps = [0, 16, 33, 50, 7000, 7016, 7033, 7050, 21000, 21016, 21033, 21050]
    frames = [moment(k)[:, :59] for k in range(12)]
    path = film(tmp_path / "screen.mp4", frames, stamps=stamps, pix_fmt="yuv444p")
    clip = open_clip(path, reader=reader)
    shown = list(clip.frames())
    clip.close()
    assert [frame.time for frame in shown] == pytest.approx([stamp / 1000 for stamp in stamps], abs=2e-3)
    assert clip.info.size == (59, 64)
    assert error([frame.image for frame in shown], frames) < 3
    assert clip.notes == ("its frame rate varies; every frame keeps its own time",)
