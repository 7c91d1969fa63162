"""Clips come out as they are shown: square pixels, upright, what the edit list shows, in sRGB; with both readers."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tronie import color
from tronie.errors import InputError
from tronie.io.video import open_clip
from tronie.io.video.frame_shape import KEEP, MOST_PIXELS, Pose, Shape
from tronie.io.video.mp4_boxes import track_info

READERS = ["PyAV", "OpenCV"]
SIZE = (96, 64)
IDENTITY = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
TURNED = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
"""Matrices of a track: as it is, and turned by a quarter clockwise."""


def picture(size: tuple[int, int] = SIZE) -> np.ndarray:
    """Skin-like and other patches, each a quarter."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    h, w = size[1] // 2, size[0] // 2
    corners = (201, 152, 131), (90, 60, 48), (60, 70, 120), (190, 190, 190)
    image[:h, :w], image[:h, w:], image[h:, :w], image[h:, w:] = corners
    return image


def film(path: Path, frames: list[np.ndarray], *, rate: int = 25, pix_fmt: str = "yuv444p", **about: Any) -> Path:
    """H.264 of RGB pictures (uint8 or uint16). `about`: `aspect`, `matrix`, `full`, `primaries`, `transfer`."""
    av = pytest.importorskip("av", reason="the extra `video` writes the test's clip")
    matrix, full = about.get("matrix"), about.get("full", False)
    height, width = frames[0].shape[:2]
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=rate, options={"crf": "2", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        context = stream.codec_context
        if "aspect" in about:
            context.sample_aspect_ratio = about["aspect"]
        if matrix is not None:
            context.colorspace, context.color_range = matrix, 2 if full else 1
        if "primaries" in about:
            context.color_primaries, context.color_trc = about["primaries"], about["transfer"]
        for rgb in frames:
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb48le" if rgb.dtype == np.uint16 else "rgb24")
            frame = frame.reformat(format=pix_fmt, dst_colorspace=matrix or 5, dst_color_range=2 if full else 1)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def read(path: Path, reader: str) -> tuple[Any, list[Any]]:
    clip = open_clip(path, reader=reader)
    frames = list(clip.frames())
    clip.close()
    return clip, frames


def patch(path: Path, before: bytes, after: bytes, name: bytes) -> None:
    """Change what stands in a box."""
    data = path.read_bytes()
    at = data.index(before, data.index(name))
    path.write_bytes(data[:at] + after + data[at + len(before) :])


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize(("aspect", "shown"), [((4, 3), (128, 64)), ((8, 9), (96, 72)), ((1, 1), (96, 64))])
def test_pixels_are_made_square(
    tmp_path: Path, reader: str, ending: str, aspect: tuple[int, int], shown: tuple[int, int]
) -> None:
    path = film(tmp_path / f"wide.{ending}", [picture()] * 3, aspect=Fraction(*aspect))
    clip, frames = read(path, reader)
    assert clip.info.size == shown
    assert {frame.image.shape for frame in frames} == {(shown[1], shown[0], 3)}
    assert np.abs(frames[0].image[4:20, 4:40].astype(int) - picture()[0, 0]).max() < 8
    assert clip.notes == ()


@pytest.mark.parametrize("reader", READERS)
def test_pixels_are_made_square_before_a_picture_is_turned(tmp_path: Path, reader: str) -> None:
    path = film(tmp_path / "phone.mp4", [picture()] * 3, aspect=Fraction(4, 3))
    patch(path, IDENTITY, TURNED, b"tkhd")
    clip, frames = read(path, reader)
    assert clip.info.size == (64, 128)
    assert clip.info.rotation == 90
    assert np.abs(frames[0].image[4:40, 40:60].astype(int) - picture()[0, 0]).max() < 8  # its top left went right


def test_an_aspect_that_makes_no_sense_is_ignored() -> None:
    assert Shape.of("a", (96, 64), 1000.0).size == (96, 64)
    assert Shape.of("a", (96, 64), 0.0, Pose(1)).size == (64, 96)
    assert Shape.of("a", (1, 7), 2.0).size == (2, 7)


@pytest.mark.parametrize("reader", READERS)
def test_what_an_edit_list_leaves_out_is_not_missed(tmp_path: Path, reader: str) -> None:
    frames = [np.full((64, 96, 3), 4 * k, np.uint8) for k in range(50)]
    path = film(tmp_path / "cut.mp4", frames)
    data = path.read_bytes()
    at = data.index(b"elst") + 12  # behind version, flags and count
    (whole, begins, rate) = struct.unpack_from(">IiI", data, at)
    scale = struct.unpack_from(">I", data, data.index(b"mdhd") + 16)[0]
    trimmed = struct.pack(">IiI", whole * 3 // 5, begins + scale // 5, rate)
    path.write_bytes(data[:at] + trimmed + data[at + 12 :])
    assert track_info(path).seconds == pytest.approx(1.2)
    clip, shown = read(path, reader)
    assert len(shown) == pytest.approx(30, abs=1)
    assert clip.info.frames == 30
    assert clip.notes == ()
    assert shown[0].image.mean() == pytest.approx(20, abs=6)  # the sixth


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("matrix", [1, 5, 9])
@pytest.mark.parametrize("full", [False, True])
def test_every_matrix_and_range_gives_the_same_colours(tmp_path: Path, reader: str, matrix: int, full: bool) -> None:
    path = film(tmp_path / "tagged.mp4", [picture()] * 2, matrix=matrix, full=full)
    _, frames = read(path, reader)
    assert np.abs(frames[0].image.astype(int) - picture()).max() < 6


def coded(rgb: np.ndarray, primaries: int, transfer: int) -> np.ndarray:
    """sRGB as a camera's high dynamic range or wide colour, 16 bits."""
    light = color.decoded(rgb / 255, color.SRGB) @ np.linalg.inv(color.to_bt709(primaries)).T
    if transfer == color.PQ:
        codes = color.pq_encode(light * color.WHITE)
    else:
        luma = light @ color.luminance(primaries) * color.WHITE / color.HLG_PEAK
        scene = light * color.WHITE / color.HLG_PEAK / luma[..., None] ** (1 - 1 / color.HLG_GAMMA)
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        codes = np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c)
    return np.rint(65535 * np.clip(codes, 0, 1)).astype(np.uint16)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(("transfer", "ending"), [(color.PQ, "mp4"), (color.HLG, "mov")])
def test_high_dynamic_range_looks_as_its_version_in_srgb(
    tmp_path: Path, reader: str, transfer: int, ending: str
) -> None:
    rgb = coded(picture(), color.BT2020, transfer)
    path = film(tmp_path / f"hdr.{ending}", [rgb] * 2, pix_fmt="yuv420p10le", matrix=9, primaries=9, transfer=transfer)
    assert track_info(path).coding == (9, transfer)
    _, frames = read(path, reader)
    for row, column in ((16, 24), (16, 72), (48, 24), (48, 72)):
        off = frames[1].image[row, column].astype(int) - picture()[row, column]
        assert np.abs(off).max() <= 6, (row, column, off)


def test_highlights_do_not_make_faces_flicker(tmp_path: Path) -> None:
    bright = color.pq_encode(np.full((64, 96, 3), 900.0))
    dark = coded(picture(), color.BT2020, color.PQ)
    flash = dark.copy()
    flash[:, 88:] = np.rint(65535 * bright[:, 88:])
    frames = [dark] * 8 + [flash] * 8 + [dark] * 8
    path = film(tmp_path / "flash.mp4", frames, pix_fmt="yuv420p10le", matrix=9, primaries=9, transfer=color.PQ)
    _, shown = read(path, "PyAV")
    face = np.array([frame.image[8:24, 8:40].mean() for frame in shown])
    assert np.abs(np.diff(face)).max() < 12
    assert np.abs(np.diff(face[9:])).max() < 1.5


def test_frames_that_are_too_large_are_refused_and_large_ones_reduced() -> None:
    with pytest.raises(InputError, match=r"bomb\.mp4 has frames of 268 megapixels"):
        Shape.of("bomb.mp4", (16384, 16384))
    with pytest.raises(InputError, match="without pixels"):
        Shape.of("none.mp4", (0, 10))
    for stored in ((7680, 4320), (5312, 2988), (2, 5_000_000)):
        shape = Shape.of("large.mp4", stored, 4.0, Pose(1))
        assert shape.size[0] * shape.size[1] <= KEEP
        assert stored[0] * stored[1] <= MOST_PIXELS
        assert shape.notes()
    assert Shape.of("uhd.mp4", (3840, 2160)).notes() == []


def test_boxes_that_lie_tell_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    good = film(tmp_path / "good.mp4", [picture()] * 2, matrix=9, primaries=9, transfer=color.PQ).read_bytes()
    path = tmp_path / "bad.mp4"
    begin = good.index(b"moov") - 4
    for _ in range(400):
        data = bytearray(good)
        for _ in range(4):
            data[int(rng.integers(begin, len(data)))] = int(rng.choice([0, 1, 127, 255]))
        path.write_bytes(data)
        track_info(path)  # whatever it says, it ends
    for data in (b"", b"\0", b"\0\0\0\1moov" + b"\xff" * 8, b"\xff\xff\xff\xffmoov", b"no video", good[: begin + 90]):
        path.write_bytes(data)
        assert track_info(path).coding is None
    assert track_info(tmp_path / "nowhere.mp4").seconds is None
