"""Reading photos: what goes in comes out upright, in RGB and in colour; what cannot be read says so in one sentence."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from made_photos import HEIC, close, quarters, refused, swapped_profile
from PIL import Image, ImageCms

from tronie import Pipeline
from tronie.cli.options import settings_from
from tronie.errors import InputError
from tronie.io.images import Limits, photo_from_array, read_photo
from tronie.io.kinds import IMAGE_SUFFIXES


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".gif", ".bmp", ".tif", ".ppm", ".jp2", ".avif"])
def test_common_formats(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    Image.fromarray(quarters()).save(path)
    photo = read_photo(path)
    assert close(photo.image, quarters(), 6)
    assert (photo.name, photo.source, photo.scale, photo.focal) == ("a", str(path), 1.0, None)
    assert photo.image.flags.c_contiguous
    assert photo.image.flags.writeable
    assert suffix in IMAGE_SUFFIXES


def test_heic() -> None:
    assert close(read_photo(HEIC).image, quarters(), 6)


def test_content_counts_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(quarters()).save(path, format="PNG")
    assert np.array_equal(read_photo(path).image, quarters())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_every_exif_orientation_comes_out_upright(tmp_path: Path, orientation: int, suffix: str) -> None:
    upright = quarters()
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: np.rot90(upright, 2).transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a{suffix}"
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif)
    assert close(read_photo(path).image, upright, 6)


def test_grey_palette_and_one_bit(tmp_path: Path) -> None:
    grey = np.arange(48 * 64, dtype=np.uint8).reshape(48, 64)
    Image.fromarray(grey).save(tmp_path / "l.png")
    assert np.array_equal(read_photo(tmp_path / "l.png").image, np.repeat(grey[..., None], 3, 2))
    Image.fromarray(quarters()).quantize(8).save(tmp_path / "p.png")
    assert close(read_photo(tmp_path / "p.png").image, quarters(), 4)
    Image.fromarray(grey > 127).save(tmp_path / "b.png")
    assert np.array_equal(read_photo(tmp_path / "b.png").image[..., 1], np.where(grey > 127, 255, 0))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparent_parts_become_white(tmp_path: Path, mode: str) -> None:
    picture = Image.fromarray(quarters()).convert("RGBA")
    alpha = np.full((48, 64), 255, np.uint8)
    alpha[:, 32:] = 0
    picture.putalpha(Image.fromarray(alpha))
    path = tmp_path / "a.png"
    (picture.quantize(16) if mode == "PA" else picture.convert(mode)).save(path)
    image = read_photo(path).image
    assert (image[:, 32:] == 255).all()
    expected = np.asarray(Image.fromarray(quarters()).convert("L" if mode == "LA" else "RGB").convert("RGB"))
    assert close(image[:, :32], expected[:, :32], 3)


def test_sixteen_bits_keep_their_tones(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 64).astype(np.uint16)[None].repeat(48, 0)
    for suffix in (".png", ".tif", ".pgm"):
        path = tmp_path / f"a{suffix}"
        Image.fromarray(ramp).save(path)
        assert np.abs(read_photo(path).image[..., 0].astype(int) - ramp / 257).max() <= 1


def test_float_and_deep_tiff(tmp_path: Path) -> None:
    import cv2

    ramp = np.linspace(0, 1, 64, dtype=np.float32)[None].repeat(48, 0)
    Image.fromarray(ramp).save(tmp_path / "f.tif")
    assert np.abs(read_photo(tmp_path / "f.tif").image[..., 2] - ramp * 255).max() <= 1
    for name, factor in (("deep.tif", np.uint16(257)), ("float.tif", np.float32(1 / 255))):
        cv2.imwrite(str(tmp_path / name), (quarters()[..., ::-1] * factor).astype(factor.dtype))
        assert close(read_photo(tmp_path / name).image, quarters(), 1)


def test_cmyk_in_adobe_and_plain_order(tmp_path: Path) -> None:
    Image.fromarray(quarters()).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    Image.fromarray(quarters()).convert("CMYK").save(tmp_path / "a.tif")
    for name in ("a.jpg", "a.tif"):
        assert close(read_photo(tmp_path / name).image, quarters(), 6)


def test_embedded_profiles_are_applied_and_broken_ones_ignored(tmp_path: Path) -> None:
    picture = Image.fromarray(quarters())
    picture.save(tmp_path / "swapped.png", icc_profile=swapped_profile())
    assert close(read_photo(tmp_path / "swapped.png").image, quarters()[..., [1, 0, 2]], 3)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name, profile in (("same.png", srgb), ("broken.png", b"nonsense")):
        picture.save(tmp_path / name, icc_profile=profile)
        assert np.array_equal(read_photo(tmp_path / name).image, quarters())


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp", ".tif"])
def test_of_several_frames_the_first_is_used_and_noted(tmp_path: Path, suffix: str) -> None:
    frames = [Image.fromarray(quarters()), Image.fromarray(255 - quarters())]
    path = tmp_path / f"a{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    photo = read_photo(path)
    assert close(photo.image, quarters(), 6)
    assert "first of 2" in photo.notes[0]


def test_one_pixel(tmp_path: Path) -> None:
    Image.new("RGB", (1, 1), (9, 8, 7)).save(tmp_path / "a.png")
    assert read_photo(tmp_path / "a.png").image.tolist() == [[[9, 8, 7]]]


def test_bad_paths(tmp_path: Path) -> None:
    refused(tmp_path / "nothing.jpg", "does not exist")
    refused(tmp_path, "folder")
    (tmp_path / "empty.jpg").touch()
    refused(tmp_path / "empty.jpg", "empty")
    (tmp_path / "text.jpg").write_text("Dear reader, this is not a picture.")
    refused(tmp_path / "text.jpg", "not a photo")
    (tmp_path / "a.nef").write_bytes(b"II*\0" + bytes(100))
    refused(tmp_path / "a.nef", "raw")
    with pytest.raises(InputError):
        read_photo("a\0b.jpg")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".gif", ".bmp", ".tif", ".jp2", ".avif", ".heic"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_truncated_files_are_refused(tmp_path: Path, suffix: str, share: float) -> None:
    whole = tmp_path / f"whole{suffix}"
    noise = np.random.default_rng(0).integers(0, 255, (96, 96, 3), dtype=np.uint8)
    if suffix == ".heic":
        whole.write_bytes(HEIC.read_bytes())
    else:
        Image.fromarray(noise).save(whole)
    data = whole.read_bytes()
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(data[: int(len(data) * share)])
    refused(path)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyError(256), "cut off."),
        (OSError("image file is truncated (12 bytes not processed)"), "(image file is"),
        (ValueError("256"), "cut off."),
        (IndexError("list index"), "cut off."),
        (ValueError(), "cut off."),
        (RuntimeError("OpenCV(5.0.0) /io/opencv/x.cpp:3: error: (-215) x > 0"), "cut off."),
        (EOFError(), "cut off."),
        (SyntaxError("broken PNG file: b'II'"), "cut off."),
    ],
)
def test_what_decoders_say_is_passed_on_where_it_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def broken(*_: object) -> None:
        raise error

    Image.fromarray(quarters()).save(tmp_path / "a.png")
    monkeypatch.setattr("tronie.io.images.decode", broken)
    refused(tmp_path / "a.png", said)


@given(st.integers(0, 10_000), st.integers(0, 255), st.sampled_from(["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"]))
def test_a_damaged_byte_gives_a_photo_or_one_sentence(place: int, value: int, kind: str) -> None:
    import tempfile

    buffer = io.BytesIO()
    Image.fromarray(quarters(24, 32)).save(buffer, kind)
    data = bytearray(buffer.getvalue())
    data[place % len(data)] = value
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.img")
        path.write_bytes(bytes(data))
        try:
            shape = read_photo(path, Limits(pixels=10_000_000, reducible=20_000_000)).image.shape
        except InputError as error:
            said = str(error)
        else:
            said = ""
            assert shape[2] == 3
        assert "\n" not in said


def test_large_jpegs_are_decoded_reduced(tmp_path: Path) -> None:
    Image.fromarray(quarters(960, 1280)).save(tmp_path / "a.jpg")
    photo = read_photo(tmp_path / "a.jpg", Limits(pixels=100_000, keep=100_000))
    assert photo.image.shape[0] * photo.image.shape[1] <= 100_000
    assert photo.scale == pytest.approx(1280 / photo.image.shape[1])
    assert close(photo.image, quarters(*photo.image.shape[:2]), 6)
    assert "reduced" in photo.notes[0]


def test_other_large_files_are_refused_before_decoding(tmp_path: Path) -> None:
    Image.fromarray(quarters(960, 1280)).save(tmp_path / "a.png")
    refused(tmp_path / "a.png", "megapixels", "TRONIE_MAX_MEGAPIXELS", limits=Limits(pixels=1_000_000))
    Image.fromarray(quarters(960, 1280)).save(tmp_path / "a.jpg", progressive=True)
    refused(tmp_path / "a.jpg", "megapixels", limits=Limits(pixels=1_000_000))
    photo = read_photo(tmp_path / "a.png", Limits(keep=400_000))
    assert photo.image.shape == (480, 640, 3)
    assert photo.scale == 2


def test_a_claimed_size_costs_nothing(tmp_path: Path) -> None:
    """A tiny file that says it holds 30,000 x 30,000 pixels."""
    data = io.BytesIO()
    Image.new("L", (8, 8)).save(data, "BMP")
    bomb = bytearray(data.getvalue())
    bomb[18:26] = (30_000).to_bytes(4, "little") * 2
    (tmp_path / "bomb.bmp").write_bytes(bytes(bomb))
    refused(tmp_path / "bomb.bmp", "900 megapixels")


def test_limit_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRONIE_MAX_MEGAPIXELS", "250")
    assert Limits.default().pixels == 250_000_000
    monkeypatch.setenv("TRONIE_MAX_MEGAPIXELS", "many")
    assert Limits.default() == Limits()


@pytest.mark.slow
def test_two_hundred_megapixels(tmp_path: Path) -> None:
    Image.new("L", (20_000, 10_000), 99).save(tmp_path / "a.jpg")
    photo = read_photo(tmp_path / "a.jpg")
    assert photo.scale >= 2
    assert photo.image.shape[0] * photo.image.shape[1] <= Limits().keep


def save_with_exif(path: Path, size: tuple[int, int], tags: dict[int, object], orientation: int = 1) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(0x8769).update(tags)
    Image.new("RGB", size).save(path, exif=exif)


def test_focal_length_from_exif(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    save_with_exif(path, (640, 480), {0xA405: 26})
    focal = 26 / np.hypot(36, 24) * 800
    assert read_photo(path).focal == pytest.approx(focal)
    save_with_exif(path, (640, 480), {0xA405: 26, 0xA002: 4032, 0xA003: 3024}, orientation=6)
    photo = read_photo(path)
    assert photo.image.shape == (640, 480, 3)
    assert photo.focal == pytest.approx(focal)
    assert read_photo(path, Limits(keep=100_000)).focal == pytest.approx(focal / 2)


def test_focal_length_from_the_sensor(tmp_path: Path) -> None:
    """A 50 mm lens, 200 pixels a millimetre, a photo that was scaled from 6000 to 600 pixels."""
    path = tmp_path / "a.jpg"
    tags = {0x920A: 50.0, 0xA20E: 2000.0, 0xA210: 3, 0xA002: 6000, 0xA003: 4000}
    save_with_exif(path, (600, 400), tags)
    assert read_photo(path).focal == pytest.approx(1000)


@pytest.mark.parametrize(
    "tags",
    [
        {0xA405: 0},
        {0xA405: 65535},
        {0xA405: 26, 0xA002: 4032, 0xA003: 3024},  # a square cut out of a 4:3 photo
        {0x920A: 50.0},
        {},
    ],
)
def test_no_focal_length_rather_than_a_wrong_one(tmp_path: Path, tags: dict[int, object]) -> None:
    save_with_exif(tmp_path / "a.jpg", (500, 500), tags)
    assert read_photo(tmp_path / "a.jpg").focal is None


@given(
    hnp.arrays(np.uint8, hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=5).map(lambda s: (*s[:2], 3)))
)
def test_bytes_stay_as_they_are(array: np.ndarray) -> None:
    photo = photo_from_array(array)
    assert np.array_equal(photo.image, array)
    assert not np.shares_memory(photo.image, array)


def test_arrays_of_every_kind() -> None:
    image = quarters()
    grey = image[..., 0]
    for same in (image / 255, (image / 255).astype(np.float32), image.astype(np.uint16) * 257, image.astype(int)):
        assert np.array_equal(photo_from_array(same).image, image)
    for same in (grey, grey[..., None], np.dstack([grey, np.full_like(grey, 255)])):
        assert np.array_equal(photo_from_array(same).image, np.repeat(grey[..., None], 3, 2))
    assert np.array_equal(photo_from_array(np.dstack([image, np.zeros_like(grey)])).image, np.full_like(image, 255))
    assert photo_from_array(np.asfortranarray(image)).image.flags.c_contiguous
    assert set(np.unique(photo_from_array(grey > 99).image)) == {0, 255}


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros(5),
        np.zeros((3, 4, 5)),
        np.zeros((0, 4, 3)),
        np.zeros((2, 2, 2, 2)),
        np.full((4, 4, 3), np.nan),
        np.full((4, 4, 3), 200.0),
        np.full((4, 4, 3), 300),
        np.full((4, 4, 3), -1),
        np.full((4, 4), "x"),
        7,
    ],
)
def test_arrays_that_are_no_pictures(bad: np.ndarray) -> None:
    with pytest.raises(InputError) as caught:
        photo_from_array(bad)
    assert "\n" not in str(caught.value)


def test_a_setting_allows_more_or_less(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRONIE_MAX_MEGAPIXELS", "250")
    assert Limits.of_megapixels(None) == Limits.default() == Limits.of_megapixels(250)
    assert Limits.of_megapixels(1).pixels == 1_000_000
    Image.new("L", (1200, 1000)).save(tmp_path / "a.png")
    settings = settings_from({"max_megapixels": 1.0})
    assert settings.read.max_megapixels == 1
    with pytest.raises(InputError, match=r"at most 1\.0 are read"):
        Pipeline(settings).run(tmp_path / "a.png")
    with pytest.raises(typer.BadParameter, match="--max-megapixels should be greater than 0"):
        settings_from({"max_megapixels": 0.0})


def test_a_box_that_lies_about_its_length_asks_for_no_memory(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.fromarray(np.zeros((24, 24, 3), np.uint8)).save(stream, "JPEG2000")
    data = bytearray(stream.getvalue())
    at = data.index(b"jp2h") - 4
    data[at : at + 4] = (0x7F00002D).to_bytes(4, "big")
    path = tmp_path / "long.jp2"
    path.write_bytes(data)
    refused(path)
    tracemalloc.start()
    try:
        refused(path)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()
