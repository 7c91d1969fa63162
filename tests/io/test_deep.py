"""Pictures of more than eight bits, of high dynamic range and wide colours; PNG files with much beside the picture."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from color_codes import encoded
from hypothesis import given
from hypothesis import strategies as st
from made_photos import HEIC, close, quarters, refused, swapped_profile
from PIL import Image

from tronie.color import BT2020, DISPLAY_P3, HLG, PQ, SRGB, decoded
from tronie.io.heif_boxes import coded
from tronie.io.images import Limits, read_photo
from tronie.io.pixels import averaged, significant_bits
from tronie.io.png_reader import PASSES

PQ_HEIC = Path(__file__).parent / "tiny_pq.heic"
MAGIC = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunks(path: Path, *chunks: bytes) -> Path:
    """Chunks put behind the header."""
    data = path.read_bytes()
    path.write_bytes(data[:33] + b"".join(chunks) + data[33:])
    return path


def png16(path: Path, values: np.ndarray, *chunks: bytes) -> Path:
    """(H, W) or (H, W, 3 | 4) uint16 as libpng writes it, with all its filters."""
    order = values if values.ndim == 2 else values[..., [2, 1, 0, *range(3, values.shape[2])]]
    cv2.imwrite(str(path), np.ascontiguousarray(order))
    return with_chunks(path, *chunks)


def tiff16(path: Path, values: np.ndarray, tags: dict[int, tuple[int, int, int | bytes]] | None = None) -> Path:
    """(H, W, C) uint16 as a TIFF of one strip. `tags`: tag -> type, count, value."""
    height, width, channels = values.shape
    pixels, bits = values.astype("<u2").tobytes(), struct.pack("<3H", 16, 16, 16)
    entries: dict[int, tuple[int, int, int | bytes]] = {
        256: (3, 1, width),
        257: (3, 1, height),
        258: (3, channels, 16 if channels == 1 else bits),
        259: (3, 1, 1),
        262: (3, 1, 1 if channels == 1 else 2),
        273: (4, 1, 8),
        277: (3, 1, channels),
        278: (3, 1, height),
        279: (4, 1, len(pixels)),
        **(tags or {}),
    }
    body, extra = b"", b""
    behind = 8 + len(pixels) + 2 + 12 * len(entries) + 4
    for tag, (kind, count, value) in sorted(entries.items()):
        if isinstance(value, bytes):
            value, extra = behind + len(extra), extra + value + b"\0" * (len(value) % 2)
        body += struct.pack("<HHII", tag, kind, count, value)
    head = b"II*\0" + struct.pack("<I", 8 + len(pixels))
    path.write_bytes(head + pixels + struct.pack("<H", len(entries)) + body + bytes(4) + extra)
    return path


def low(bits: int) -> np.ndarray:
    """The quarters, in so many low bits of 16."""
    return np.rint(quarters() / 255.0 * ((1 << bits) - 1)).astype(np.uint16)


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
@pytest.mark.parametrize("kind", ["grey.png", "rgb.png", "rgba.png", "grey.tif", "rgb.tif"])
def test_fewer_bits_in_sixteen_come_out_bright(tmp_path: Path, bits: int, kind: str) -> None:
    values, path = low(bits), tmp_path / kind
    expected = quarters()
    if "grey" in kind:
        values, expected = values[..., :1], np.repeat(quarters()[..., :1], 3, 2)
    if bits == 14:  # something in it is nearly white
        values[0, :6] = 16000
    if "rgba" in kind:
        values = np.dstack([values, np.full(values.shape[:2], 65535, np.uint16)])
    if path.suffix == ".png":
        png16(path, values[..., 0] if "grey" in kind else values)
    else:
        tiff16(path, values)
    photo = read_photo(path)
    assert close(photo.image, expected, 1)
    assert f"{bits} bits in 16" in photo.notes[0]


def test_twelve_bits_shifted_by_hand(tmp_path: Path) -> None:
    """Eight bits times 16, as many a script writes them."""
    assert close(read_photo(png16(tmp_path / "a.png", quarters().astype(np.uint16) << 4)).image, quarters(), 2)


@pytest.mark.parametrize("share", [0.1, 0.2, 0.24 * 0.9, 0.5])
def test_dark_photographs_stay_dark(tmp_path: Path, share: float) -> None:
    values = np.rint(quarters() * 257.0 * share).astype(np.uint16)
    values += np.random.default_rng(0).integers(0, 9, values.shape).astype(np.uint16)
    for path in (png16(tmp_path / "a.png", values), tiff16(tmp_path / "a.tif", values)):
        photo = read_photo(path)
        assert np.abs(photo.image - quarters() * share).max() <= 1
        assert photo.notes == ()


def test_eight_bits_that_were_scaled_up_stay_as_they_are(tmp_path: Path) -> None:
    dark = (quarters() // 16).astype(np.uint16) * 257
    assert np.array_equal(read_photo(png16(tmp_path / "a.png", dark)).image, quarters() // 16)


def test_stated_bits_count(tmp_path: Path) -> None:
    """A dark 14-bit photo that says so is brought to the whole range; one that says 16 is as it says."""
    dark = low(14) // 2
    for path in (
        png16(tmp_path / "a.png", dark, chunk(b"sBIT", b"\x0e\x0e\x0e")),
        tiff16(tmp_path / "max.tif", dark, {281: (3, 1, 16383)}),
        tiff16(tmp_path / "ome.tif", dark, {270: (2, 40, b'<OME><Pixels SignificantBits="14"/></OME>\0'[:40])}),
    ):
        assert close(read_photo(path).image, quarters() // 2, 1)
    said = png16(tmp_path / "b.png", low(12), chunk(b"sBIT", b"\x10\x10\x10"))
    assert close(read_photo(said).image, quarters() // 16, 1)
    # As the standard wants it: twelve significant bits, scaled to the whole range.
    scaled = png16(tmp_path / "c.png", low(12) << 4 | low(12) >> 8, chunk(b"sBIT", b"\x0c\x0c\x0c"))
    assert close(read_photo(scaled).image, quarters(), 1)


@given(st.integers(0, 65535), st.booleans(), st.none() | st.integers(0, 20))
def test_no_number_is_ever_brighter_than_white(high: int, scaled: bool, stated: int | None) -> None:
    bits = significant_bits(high, scaled, stated)
    assert bits == 16 or high < 1 << bits


@pytest.mark.parametrize("shape", [(37, 50), (37, 50, 3), (37, 50, 4), (1, 1), (1, 300, 3), (300, 1)])
def test_sixteen_bit_png_as_libpng_reads_it(tmp_path: Path, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    values = rng.integers(0, 65536, shape).astype(np.uint16)
    if len(shape) > 2:  # smooth, so that libpng chooses all sorts of filters
        values[: shape[0] // 2] = np.cumsum(values[: shape[0] // 2] // 3000, axis=1, dtype=np.uint16)
        values[..., 3:] = 65535
    image = read_photo(png16(tmp_path / "a.png", values)).image
    expected = values[..., None] if values.ndim == 2 else values[..., :3]
    assert np.abs(image - expected / 257.0).max() <= 0.51


def test_every_filter_of_png(tmp_path: Path) -> None:
    values = np.random.default_rng(2).integers(0, 65536, (25, 9, 3)).astype(np.uint16)
    for strategy in (8, 16, 32, 64, 128):
        cv2.imwrite(str(tmp_path / "a.png"), values, [cv2.IMWRITE_PNG_FILTER, strategy])
        assert np.abs(read_photo(tmp_path / "a.png").image - values[..., ::-1] / 257.0).max() <= 0.51


def test_interlaced_and_keyed_sixteen_bits(tmp_path: Path) -> None:
    values = np.random.default_rng(3).integers(0, 65536, (21, 13, 3)).astype(np.uint16)
    values[4, 5] = 1, 2, 3
    rows = b""
    for x, y, dx, dy in PASSES:
        rows += b"".join(b"\0" + row.astype(">u2").tobytes() for row in values[y::dy, x::dx])
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 13, 21, 16, 2, 0, 0, 1))
    key = chunk(b"tRNS", struct.pack(">3H", 1, 2, 3))
    data = zlib.compress(rows)
    idat = chunk(b"IDAT", data[:100]) + chunk(b"IDAT", b"") + chunk(b"IDAT", data[100:])
    (tmp_path / "a.png").write_bytes(MAGIC + header + key + idat + chunk(b"IEND", b""))
    image = read_photo(tmp_path / "a.png").image
    expected = values / 257.0
    expected[4, 5] = 255
    assert np.abs(image - expected).max() <= 1


def test_large_sixteen_bit_pictures_are_averaged_on_the_way(tmp_path: Path) -> None:
    values = np.random.default_rng(4).integers(0, 65536, (301, 202, 4)).astype(np.uint16)
    values[..., 3] = 65535
    photo = read_photo(png16(tmp_path / "a.png", values), Limits(keep=16_000))
    assert (photo.image.shape, photo.scale) == ((151, 101, 3), pytest.approx(301 / 151))
    assert np.abs(photo.image - averaged(values, 2)[..., :3] / 257.0).max() <= 1
    # The bytes of a pixel count after the reduction only.
    read_photo(tmp_path / "a.png", Limits(keep=16_000, memory=301 * 202 * 3))


def test_a_deep_profile_is_applied(tmp_path: Path) -> None:
    """To 16-bit TIFF and PNG as to those of eight bits."""
    profile, values = swapped_profile(), quarters().astype(np.uint16) * 257
    iccp = chunk(b"iCCP", b"x\0\0" + zlib.compress(profile))
    for path in (
        png16(tmp_path / "a.png", values, iccp),
        tiff16(tmp_path / "a.tif", values, {34675: (7, len(profile), profile)}),
    ):
        assert close(read_photo(path).image, quarters()[..., [1, 0, 2]], 3)


def test_a_turned_deep_tiff_comes_out_upright(tmp_path: Path) -> None:
    values = np.ascontiguousarray(np.rot90(quarters(), 1)).astype(np.uint16) * 257
    assert close(read_photo(tiff16(tmp_path / "a.tif", values, {274: (3, 1, 6)})).image, quarters(), 1)


def test_floats_above_one_are_highlights_not_another_range(tmp_path: Path) -> None:
    floats = quarters().astype(np.float32) / 255
    floats[0, 0], floats[1, 1] = 3.5, np.nan
    cv2.imwrite(str(tmp_path / "a.tif"), floats[..., ::-1])
    assert close(read_photo(tmp_path / "a.tif").image, quarters(), 1)


CODINGS = [(DISPLAY_P3, SRGB), (BT2020, PQ), (BT2020, HLG), (BT2020, 14), (1, PQ)]


@pytest.mark.parametrize("coding", CODINGS)
def test_png_says_how_its_colours_are_coded(tmp_path: Path, coding: tuple[int, int]) -> None:
    values = encoded(decoded(quarters() / 255, SRGB), *coding)
    cicp = chunk(b"cICP", bytes((*coding, 0, 1)))
    deep = png16(tmp_path / "deep.png", np.rint(values * 65535).astype(np.uint16), cicp)
    assert close(read_photo(deep).image, quarters(), 1)
    Image.fromarray(np.rint(values * 255).astype(np.uint8)).save(tmp_path / "eight.png")
    assert close(read_photo(with_chunks(tmp_path / "eight.png", cicp)).image, quarters(), 6)


@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize("coding", CODINGS)
def test_avif_says_how_its_colours_are_coded(tmp_path: Path, coding: tuple[int, int], depth: int) -> None:
    values = encoded(decoded(quarters() / 255, SRGB), *coding)
    top, kind = (255, np.uint8) if depth == 8 else (1023, np.uint16)
    stored = np.rint(values * top).astype(kind)[..., ::-1]
    path = tmp_path / "a.avif"
    if not cv2.imwrite(str(path), stored, [cv2.IMWRITE_AVIF_DEPTH, depth, cv2.IMWRITE_AVIF_QUALITY, 95]):
        pytest.skip("this OpenCV writes no AVIF")
    data = bytearray(path.read_bytes())
    at = data.index(b"colrnclx") + 8
    data[at : at + 4] = struct.pack(">HH", *coding)
    path.write_bytes(bytes(data))
    photo = read_photo(path)
    assert close(photo.image, quarters(), 6 if depth == 8 else 3)
    assert any("high dynamic range" in note for note in photo.notes) == (coding[1] in (PQ, HLG))


def test_heic_of_high_dynamic_range() -> None:
    """Ten bits of PQ in BT.2020: the quarters."""
    photo = read_photo(PQ_HEIC)
    assert close(photo.image, quarters(64, 64), 2)
    assert "PQ" in photo.notes[0]


def test_heic_with_wide_primaries(tmp_path: Path) -> None:
    """The same bytes, said to be Display P3: purer colours."""
    data = bytearray(HEIC.read_bytes())
    at = data.find(b"colrnclx")
    if at < 0:
        pytest.skip("no nclx in the sample")
    data[at + 8 : at + 12] = struct.pack(">HH", DISPLAY_P3, SRGB)
    (tmp_path / "a.heic").write_bytes(bytes(data))
    plain, wide = read_photo(HEIC).image.astype(int), read_photo(tmp_path / "a.heic").image.astype(int)
    assert wide[10, 50, 1] > plain[10, 50, 1]
    assert wide[10, 50, 0] < plain[10, 50, 0]


@given(st.binary(max_size=300))
def test_boxes_of_any_bytes_are_no_trouble(data: bytes) -> None:
    import io

    whole = PQ_HEIC.read_bytes()
    for stream in (data, whole[: len(data) + 40] + data, b"\0\0\0\0meta\0\0\0\0" + data):
        assert coded(io.BytesIO(stream)).bits >= 0


def test_what_lies_beside_the_picture_does_no_harm(tmp_path: Path) -> None:
    """Long texts, bombs, broken checksums and nonsense in chunks that are not the picture."""
    long = b"Comment\0" + b"x" * 2_000_000
    bomb = zlib.compress(bytes(40_000_000))
    profile = b"p\0\0" + zlib.compress(swapped_profile() + bytes(3_000_000))
    broken = bytearray(chunk(b"tIME", b"1234567"))
    broken[-1] ^= 255
    cases = {
        "text": chunk(b"tEXt", long),
        "ztxt": chunk(b"zTXt", b"Comment\0\0" + bomb),
        "itxt": chunk(b"iTXt", b"Comment\0\1\0\0\0" + bomb),
        "icc": chunk(b"iCCP", b"p\0\0" + bomb),
        "raw": chunk(b"zTXt", b"Raw profile type exif\0\0" + bomb),
        "exif": chunk(b"eXIf", bytes(2_000_000)),
        "crc": bytes(broken),
        "odd": chunk(b"teSt", bytes(3_000_000)),
        "sbit": chunk(b"sBIT", b""),
        "cicp": chunk(b"cICP", b"\xff\xff\0\1"),
        "short": chunk(b"cICP", b"\1"),
    }
    for name, extra in cases.items():
        path = tmp_path / f"{name}.png"
        Image.fromarray(quarters()).save(path)
        assert np.array_equal(read_photo(with_chunks(path, extra)).image, quarters()), name
        assert close(read_photo(png16(path, quarters().astype(np.uint16) * 257, extra)).image, quarters(), 0), name
    path = tmp_path / "large_icc.png"
    Image.fromarray(quarters()).save(path)
    assert close(read_photo(with_chunks(path, chunk(b"iCCP", profile))).image, quarters()[..., [1, 0, 2]], 3)


def test_the_orientation_is_found_wherever_png_has_it(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    raw = exif.tobytes()
    text = b"\nexif\n%8d\n" % len(raw) + raw.hex().encode()
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="3"/></x:xmpmeta>'
    for extra in (
        chunk(b"eXIf", raw.removeprefix(b"Exif\0\0")),
        chunk(b"tEXt", b"Raw profile type exif\0" + text),
        chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text)),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp),
    ):
        path = tmp_path / "a.png"
        Image.fromarray(np.ascontiguousarray(quarters()[::-1, ::-1])).save(path)
        assert np.array_equal(read_photo(with_chunks(path, extra)).image, quarters())
        turned = quarters()[::-1, ::-1].astype(np.uint16) * 257
        assert close(read_photo(png16(path, turned, extra)).image, quarters(), 0)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_cut_sixteen_bit_pictures_are_refused(tmp_path: Path, share: float) -> None:
    values = np.random.default_rng(5).integers(0, 65536, (60, 60, 3)).astype(np.uint16)
    path = png16(tmp_path / "a.png", values)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    refused(path, "damaged or cut off")
