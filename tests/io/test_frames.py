"""What a picture file holds is told from its structure, whatever it claims; bombs cost nothing."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tronie.errors import InputError
from tronie.io.frames import MOST_FRAMES, scan
from tronie.io.images import read_photo
from tronie.io.video import is_clip, open_clip


def moving(path: Path, count: int, size: tuple[int, int] = (40, 30), **kwargs: object) -> Path:
    frames = [Image.fromarray(np.full((size[1], size[0], 3), 20 * k % 256, np.uint8)) for k in range(count)]
    frames[0].save(path, save_all=True, append_images=frames[1:], **kwargs)
    return path


def gif_bomb(width: int, height: int, frames: int) -> bytes:
    """A GIF of few bytes that says it holds many large frames, each of one pixel."""
    one = b"\x21\xf9\x04\0\x04\0\0\0" + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    palette = b"\0\0\0\xff\xff\xff"
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + palette + one * frames + b";"


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_frames_are_counted_with_their_times(tmp_path: Path, suffix: str) -> None:
    path = moving(tmp_path / f"a{suffix}", 7, duration=80)
    with path.open("rb") as stream:
        found = scan(stream)
    assert found is not None
    assert (found.size, found.count) == ((40, 30), 7)
    assert found.delays == pytest.approx([0.08] * 7)


def test_pages_are_counted(tmp_path: Path) -> None:
    with moving(tmp_path / "a.tif", 3).open("rb") as stream:
        found = scan(stream)
    assert found is not None
    assert found.count == 3


@pytest.mark.parametrize("suffix", [".png", ".webp", ".gif"])
def test_one_frame(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    Image.new("RGB", (9, 5)).save(path)
    with path.open("rb") as stream:
        found = scan(stream)
    assert found is not None
    assert (found.size, found.count) == ((9, 5), 1)


def test_a_tiff_whose_pages_go_in_a_circle() -> None:
    data = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 0) + struct.pack("<I", 8)
    found = scan(io.BytesIO(data))
    assert found is not None
    assert found.count == 1


@given(
    st.binary(max_size=200), st.sampled_from([b"GIF89a", b"RIFF\0\0\0\0WEBP", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0+"])
)
def test_any_bytes_are_no_trouble(data: bytes, magic: bytes) -> None:
    found = scan(io.BytesIO(magic + data))
    assert found is None or found.count <= MOST_FRAMES


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".apng"])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.7, 0.95])
def test_planning_survives_damaged_moving_pictures(tmp_path: Path, suffix: str, share: float) -> None:
    whole = moving(tmp_path / f"whole{suffix}", 12, duration=100)
    cut = tmp_path / f"cut{suffix}"
    cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * share)])
    assert is_clip(whole)
    try:
        said = ""
        assert list(open_clip(cut).frames()) if is_clip(cut) else [read_photo(cut)]
    except InputError as error:
        said = str(error)
    assert not said or f"cut{suffix}" in said


def traced(what: object) -> tuple[float, int]:
    """Seconds and bytes that a call takes."""
    assert callable(what)
    tracemalloc.start()
    began = time.perf_counter()
    try:
        what()
        return time.perf_counter() - began, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("width", "height"), [(65535, 65535), (30_000, 12_000), (60_000, 400)])
def test_a_gif_bomb_is_refused_in_a_sentence(tmp_path: Path, width: int, height: int) -> None:
    path = tmp_path / "bomb.gif"
    path.write_bytes(gif_bomb(width, height, 50))

    def look() -> None:
        assert not is_clip(path)
        if width * height > 120_000_000:
            with pytest.raises(InputError, match=r"bomb.gif has \d+ megapixels and at most 120 are read"):
                read_photo(path)
        with pytest.raises(InputError, match="moving pictures are read up to 9 megapixels"):
            open_clip(path)

    assert traced(look)[1] < 50_000_000


def test_webp_and_apng_bombs_are_refused(tmp_path: Path) -> None:
    canvas = struct.pack("<I", 0x02) + (16_382).to_bytes(3, "little") * 2
    webp = b"VP8X" + struct.pack("<I", 10) + canvas
    webp += (b"ANMF" + struct.pack("<I", 16) + bytes(16)) * 30
    (tmp_path / "bomb.webp").write_bytes(b"RIFF" + struct.pack("<I", len(webp) + 4) + b"WEBP" + webp)
    apng = bytearray(moving(tmp_path / "bomb.apng", 12, format="PNG").read_bytes())
    at = apng.index(b"IHDR")
    apng[at + 4 : at + 12] = struct.pack(">II", 60_000, 60_000)
    (tmp_path / "bomb.apng").write_bytes(bytes(apng))
    for name in ("bomb.webp", "bomb.apng"):
        assert not is_clip(tmp_path / name)
        with pytest.raises(InputError, match=rf"{name} has \d+ megapixels"):
            read_photo(tmp_path / name)


def test_a_gif_of_very_many_frames_is_read_as_far_as_is_sensible(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tronie.io.video import image_sequence

    monkeypatch.setattr(image_sequence, "MOST_TOTAL", 10_000)
    path = tmp_path / "long.gif"
    path.write_bytes(gif_bomb(50, 20, 500))
    clip = open_clip(path)
    assert len(list(clip.frames())) == 10
    assert "first 10 of 500 frames" in " ".join(clip.notes)


def test_a_claimed_number_of_frames_is_not_believed(tmp_path: Path) -> None:
    data = bytearray(moving(tmp_path / "a.apng", 8, format="PNG", duration=100).read_bytes())
    at = data.index(b"acTL")
    data[at + 4 : at + 8] = struct.pack(">I", 1 << 30)
    data[at + 12 : at + 16] = struct.pack(">I", zlib.crc32(data[at : at + 12]))
    (tmp_path / "a.apng").write_bytes(bytes(data))
    assert is_clip(tmp_path / "a.apng")
    assert open_clip(tmp_path / "a.apng").info.frames == 8


def test_a_moving_picture_comes_out_frame_by_frame(tmp_path: Path) -> None:
    clip = open_clip(moving(tmp_path / "a.webp", 9, duration=120, lossless=True))
    frames = list(clip.frames())
    assert [int(frame.image.mean()) for frame in frames] == [20 * k for k in range(9)]
    assert [frame.time for frame in frames] == pytest.approx([0.12 * k for k in range(9)])
