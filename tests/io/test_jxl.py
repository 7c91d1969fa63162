"""JPEG XL: its header is understood without a decoder; with the extra it is a photo, without it a sentence."""

from __future__ import annotations

import io
import shutil
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_photos import close, quarters, refused

from tronie.io.images import read_photo
from tronie.io.jxl_reader import CONTAINER, can_read, jxl_header

TINY = Path(__file__).parent / "tiny.jxl"
with_extra = pytest.mark.skipif(not can_read(), reason="the extra `jxl` (imagecodecs) is not installed")


def bits(*numbers: tuple[int, int]) -> bytes:
    """(value, bits), the first in the lowest bits."""
    value = at = 0
    for number, count in numbers:
        value |= number << at
        at += count
    return b"\xff\x0a" + value.to_bytes(at // 8 + 1, "little")


SIZE = ((0, 1), (0, 2), (99, 9), (0, 3), (0, 2), (199, 9))
COMMON = ((0, 1), (0, 1), (0, 1), (1, 2), (1, 1), (1, 2), (1, 1), (0, 1), (0, 1), (0, 1), (0, 2))
"""No extra fields, 10 bits, one plain channel of opacity, not XYB, a coding in numbers, colour."""


def test_size_and_coding() -> None:
    pq = bits(*SIZE, *COMMON, (1, 2), (2, 2), (7, 4), (0, 1), (2, 2), (14, 4))
    assert jxl_header(io.BytesIO(pq)).size == (200, 100)
    assert jxl_header(io.BytesIO(pq)).coding == (9, 16)
    p3 = bits(*SIZE, *COMMON, (1, 2), (2, 2), (9, 4), (0, 1), (2, 2), (11, 4))
    assert jxl_header(io.BytesIO(p3)).coding == (12, 13)
    assert jxl_header(io.BytesIO(bits(*SIZE, (1, 1)))).coding is None
    wide = bits((1, 1), (9, 5), (5, 3), (1, 1))
    assert jxl_header(io.BytesIO(wide)).size == (142, 80)


def test_the_same_in_a_container() -> None:
    code = TINY.read_bytes()
    exif = struct.pack(">I4sI", 12 + 5, b"Exif", 0) + b"MM\0*x"
    boxed = CONTAINER + exif + struct.pack(">I4s", 0, b"jxlc") + code
    assert jxl_header(io.BytesIO(boxed)).size == jxl_header(io.BytesIO(code)).size == (64, 48)
    assert jxl_header(io.BytesIO(boxed)).exif == b"MM\0*x"


@given(st.binary(max_size=60), st.sampled_from([b"\xff\x0a", CONTAINER, CONTAINER + struct.pack(">I4s", 1, b"jxlc")]))
def test_any_bytes(data: bytes, magic: bytes) -> None:
    try:
        size = jxl_header(io.BytesIO(magic + data)).size
    except (ValueError, struct.error, OverflowError):
        size = (1, 1)
    assert min(size) >= 0


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tronie.io.images.can_read", lambda: False)
    shutil.copy(TINY, tmp_path / "a.jpg")
    refused(tmp_path / "a.jpg", "JPEG XL", "pip install 'tronie[jxl]'")


def test_a_huge_one_is_refused_by_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tronie.io.images.can_read", lambda: True)
    path = tmp_path / "a.jxl"
    path.write_bytes(bits((0, 1), (3, 2), (99_999, 30), (1, 3), (1, 1)))
    refused(path, "10000 megapixels")


@with_extra
def test_a_picture(tmp_path: Path) -> None:
    assert close(read_photo(TINY).image, quarters(), 0)
    (tmp_path / "cut.jxl").write_bytes(TINY.read_bytes()[:40])
    refused(tmp_path / "cut.jxl", "damaged or cut off")
